/* figure.c - see figure.h. */
#include "tools/figure.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/svg.h"

enum { SAMPLES_MAX = 20000, CELL_SIZE = 128, COLUMNS_MAX = 40, PATH_SIZE = 512 };

struct figures {
    const struct lab_file *file;
    const struct lab_part *part;
    const struct rows *rows;
    const struct figure_output *output;
};

/* One of the names that divide the rows, and its value. */
struct condition {
    const char *name, *value;
};

bool figure_next_point(const struct lab_variable *variables, size_t count, size_t *places)
{
    for (size_t i = count; i-- > 0;) {
        if (++places[i] < variables[i].count)
            return true;
        places[i] = 0;
    }
    return false;
}

/* ---- samples ---------------------------------------------------------------------------------- */

static bool row_fits(const struct rows *rows, size_t row, const struct condition *conditions,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = rows_get(rows, row, conditions[i].name);
        if (value == NULL || strcmp(value, conditions[i].value) != 0)
            return false;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* The numbers of that name in the rows that fit, sorted; returns how many. */
static size_t collect(const struct rows *rows, const struct condition *conditions, size_t count,
                      const char *name, double *samples)
{
    size_t found = 0;
    for (size_t row = 0; row < rows_count(rows) && found < SAMPLES_MAX; row++)
        if (row_fits(rows, row, conditions, count) &&
            rows_get_number(rows, row, name, &samples[found]))
            found++;
    qsort(samples, found, sizeof *samples, compare);
    return found;
}

static double median(const double *sorted, size_t count)
{
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static const char *number_text(double value, char *text, size_t size)
{
    snprintf(text, size, value >= 9999.5 || value <= -9999.5 ? "%.0f" : "%.4g", value);
    return text;
}

/* The median of the rows that fit as text, their range in `range`; or the text that all have. */
static void cell_text(const struct rows *rows, const struct condition *conditions, size_t count,
                      const char *name, char text[CELL_SIZE], char range[CELL_SIZE])
{
    static double samples[SAMPLES_MAX];
    char low[32], high[32];
    size_t found = collect(rows, conditions, count, name, samples);
    *range = '\0';
    if (found > 0) {
        number_text(median(samples, found), text, CELL_SIZE);
        if (found > 1)
            snprintf(range, CELL_SIZE, "%s to %s, %zu samples",
                     number_text(samples[0], low, sizeof low),
                     number_text(samples[found - 1], high, sizeof high), found);
        return;
    }
    snprintf(text, CELL_SIZE, "-");
    for (size_t row = 0; row < rows_count(rows); row++) {
        const char *value = rows_get(rows, row, name);
        if (value != NULL && row_fits(rows, row, conditions, count))
            snprintf(text, CELL_SIZE, "%s", value);
    }
}

/* ---- tables ----------------------------------------------------------------------------------- */

struct grid {
    char (*cells)[CELL_SIZE], (*ranges)[CELL_SIZE]; /* row after row, the first the head */
    size_t columns, rows, text_columns;
};

static void grid_create(struct grid *grid, size_t rows, size_t columns)
{
    grid->columns = columns;
    grid->rows = rows;
    grid->cells = calloc(rows * columns, sizeof *grid->cells);
    grid->ranges = calloc(rows * columns, sizeof *grid->ranges);
    if (grid->cells == NULL || grid->ranges == NULL)
        exit(command_error(NULL, 1, "out of memory"));
}

static void grid_put(struct grid *grid, size_t row, size_t column, const char *text)
{
    snprintf(grid->cells[row * grid->columns + column], CELL_SIZE, "%s", text);
}

static void print_grid(FILE *out, const struct grid *grid)
{
    int widths[COLUMNS_MAX] = { 0 };
    for (size_t row = 0; row < grid->rows; row++)
        for (size_t column = 0; column < grid->columns; column++) {
            int width = (int)strlen(grid->cells[row * grid->columns + column]);
            widths[column] = width > widths[column] ? width : widths[column];
        }
    for (size_t row = 0; row < grid->rows; row++) {
        for (size_t column = 0; column < grid->columns; column++)
            fprintf(out, column < grid->text_columns ? "%s%-*s" : "%s%*s", column > 0 ? "  " : "",
                    widths[column], grid->cells[row * grid->columns + column]);
        fputc('\n', out);
    }
    fputc('\n', out);
}

static void write_grid_html(FILE *out, const struct grid *grid)
{
    fputs("<div class=\"wide\"><table>\n", out);
    for (size_t row = 0; row < grid->rows; row++) {
        fputs(row == 0 ? "<thead><tr>" : "<tr>", out);
        for (size_t column = 0; column < grid->columns; column++) {
            size_t place = row * grid->columns + column;
            bool head = row == 0 || column < grid->text_columns;
            fputs(!head                         ? "<td"
                  : column < grid->text_columns ? "<th"
                                                : "<th class=\"number\"",
                  out);
            if (row > 0 && *grid->ranges[place] != '\0')
                fprintf(out, " title=\"%s\"", grid->ranges[place]);
            fputc('>', out);
            svg_escape(out, grid->cells[place]);
            fputs(head ? "</th>" : "</td>", out);
        }
        fputs(row == 0 ? "</tr></thead>\n" : "</tr>\n", out);
    }
    fputs("</table></div>\n", out);
}

static size_t count_points(const struct lab_part *part)
{
    size_t points = 1;
    for (size_t i = 0; i < part->variable_count; i++)
        points *= part->variables[i].count;
    return points;
}

static void fill_head(const struct figures *figures, const struct lab_figure *figure, bool pivot,
                      struct grid *grid)
{
    const struct lab_part *part = figures->part;
    for (size_t i = 0; i < part->variable_count; i++)
        grid_put(grid, 0, i, lab_file_label(figures->file, part->variables[i].name));
    for (size_t i = grid->text_columns; i < grid->columns; i++) {
        size_t place = i - grid->text_columns;
        grid_put(grid, 0, i,
                 pivot ? part->measures[place].label
                       : lab_file_label(figures->file, figure->names[place]));
    }
}

/* The cells behind the text of a row: of one way, or (pivot) of one name. */
static void fill_row(const struct figures *figures, const struct lab_figure *figure,
                     struct grid *grid, size_t row, struct condition *conditions, size_t way)
{
    const struct lab_part *part = figures->part;
    bool pivot = way == LAB_MEASURES_MAX;
    for (size_t i = grid->text_columns; i < grid->columns; i++) {
        size_t place = i - grid->text_columns, cell = row * grid->columns + i;
        conditions[part->variable_count] =
            (struct condition){ "way", part->measures[pivot ? place : way].label };
        cell_text(figures->rows, conditions, part->variable_count + 1,
                  figure->names[pivot ? 0 : place], grid->cells[cell], grid->ranges[cell]);
    }
}

/* A row for each point and way, a column for each name; or, of one name, a column for each way. */
static void write_table(const struct figures *figures, const struct lab_figure *figure)
{
    const struct lab_part *part = figures->part;
    size_t variables = part->variable_count, ways = part->measure_count, row = 1;
    bool pivot = figure->name_count == 1 && variables > 0;
    size_t places[LAB_VARIABLES_MAX] = { 0 };
    struct condition conditions[LAB_VARIABLES_MAX + 1];
    struct grid grid = { .text_columns = variables + !pivot };
    grid_create(&grid, 1 + count_points(part) * (pivot ? 1 : ways),
                grid.text_columns + (pivot ? ways : figure->name_count));
    fill_head(figures, figure, pivot, &grid);
    do {
        for (size_t way = 0; way < (pivot ? 1 : ways); way++, row++) {
            for (size_t i = 0; i < variables; i++) {
                const struct lab_variable *variable = &part->variables[i];
                conditions[i] = (struct condition){ variable->name, variable->values[places[i]] };
                grid_put(&grid, row, i,
                         *conditions[i].value != '\0' ? conditions[i].value : "none");
            }
            if (!pivot)
                grid_put(&grid, row, variables, part->measures[way].label);
            fill_row(figures, figure, &grid, row, conditions, pivot ? LAB_MEASURES_MAX : way);
        }
    } while (figure_next_point(part->variables, variables, places));
    if (pivot) {
        const char *name = lab_file_label(figures->file, figure->names[0]);
        fprintf(figures->output->text, "%s:\n", name);
        fputs("<p>", figures->output->html);
        svg_escape(figures->output->html, name);
        fputs(":</p>\n", figures->output->html);
    }
    print_grid(figures->output->text, &grid);
    write_grid_html(figures->output->html, &grid);
    free(grid.cells);
    free(grid.ranges);
}

/* ---- pictures --------------------------------------------------------------------------------- */

/* A picture shows the rows of one panel: those that have certain values of what varies and is not
 * on its x axis. */
struct panel {
    struct condition conditions[LAB_VARIABLES_MAX + 2];
    size_t count;
    char path[PATH_SIZE], title[256];
};

/* Part of a file's name. */
static void add_safe(char *path, const char *text)
{
    size_t size = strlen(path);
    for (; *text != '\0' && size + 2 < PATH_SIZE; text++)
        path[size++] = isalnum((unsigned char)*text) || strchr(".-_", *text) ? *text : '-';
    path[size] = '\0';
}

static int write_plot(const struct figures *figures, const struct panel *panel,
                      const struct plot *plot)
{
    char path[PATH_SIZE * 2];
    snprintf(path, sizeof path, "%s/%s", figures->output->folder, panel->path);
    FILE *out = fopen(path, "we");
    if (out == NULL)
        return command_error("lab", 1, "cannot write %s: %s", path, strerror(errno));
    plot_write(out, plot);
    if (fclose(out) != 0)
        return command_error("lab", 1, "cannot write all of %s", path);
    fputs("<figure>\n", figures->output->html);
    plot_write(figures->output->html, plot);
    fputs("</figure>\n", figures->output->html);
    return 0;
}

static const struct lab_variable *find_variable(const struct lab_part *part, const char *name)
{
    for (size_t i = 0; name != NULL && i < part->variable_count; i++)
        if (strcmp(part->variables[i].name, name) == 0)
            return &part->variables[i];
    return NULL;
}

/* Points of one way: x is the value of the variable, or its place for bars, or the way's. */
static size_t collect_points(const struct figures *figures, const struct lab_figure *figure,
                             const struct panel *panel, size_t way, double *x, double *y)
{
    static double samples[SAMPLES_MAX];
    struct condition conditions[LAB_VARIABLES_MAX + 2];
    const struct lab_variable *variable = find_variable(figures->part, figure->x);
    size_t count = 0;
    memcpy(conditions, panel->conditions, sizeof conditions);
    conditions[panel->count] = (struct condition){ "way", figures->part->measures[way].label };
    for (size_t i = 0; i < (variable != NULL ? variable->count : 1); i++) {
        if (variable != NULL)
            conditions[panel->count + 1] = (struct condition){ figure->x, variable->values[i] };
        size_t found = collect(figures->rows, conditions, panel->count + 1 + (variable != NULL),
                               figure->names[0], samples);
        if (found == 0)
            continue;
        x[count] = variable == NULL           ? (double)way
                   : figure->kind == LAB_BARS ? (double)i
                                              : strtod(variable->values[i], NULL);
        y[count++] = median(samples, found);
    }
    return count;
}

static int draw_panel(const struct figures *figures, const struct lab_figure *figure,
                      const struct panel *panel)
{
    static double samples[LAB_MEASURES_MAX][SAMPLES_MAX / 10];
    const struct lab_part *part = figures->part;
    const struct lab_variable *variable = find_variable(part, figure->x);
    double x[LAB_MEASURES_MAX][LAB_VALUES_MAX], y[LAB_MEASURES_MAX][LAB_VALUES_MAX];
    struct plot_series series[LAB_MEASURES_MAX] = { 0 };
    const char *labels[LAB_MEASURES_MAX];
    for (size_t way = 0; way < part->measure_count; way++) {
        labels[way] = series[way].name = part->measures[way].label;
        series[way].x = x[way];
        series[way].y = y[way];
        if (figure->kind != LAB_CDF) {
            series[way].count = collect_points(figures, figure, panel, way, x[way], y[way]);
            continue;
        }
        static double all[SAMPLES_MAX];
        struct condition conditions[LAB_VARIABLES_MAX + 2];
        memcpy(conditions, panel->conditions, sizeof conditions);
        conditions[panel->count] = (struct condition){ "way", labels[way] };
        size_t found = collect(figures->rows, conditions, panel->count + 1, figure->names[0], all);
        size_t step = found / (SAMPLES_MAX / 10) + 1; /* evenly thinned out, if there are many */
        for (size_t i = 0; i < found; i += step)
            samples[way][series[way].count++] = all[i];
        series[way].x = samples[way];
    }
    const char *name = lab_file_label(figures->file, figure->names[0]);
    size_t series_count = part->measure_count;
    if (figure->kind == LAB_BARS && variable == NULL) { /* one bar for each way */
        size_t count = 0;
        for (size_t way = 0; way < part->measure_count; way++)
            if (series[way].count > 0) {
                x[0][count] = x[way][0];
                y[0][count++] = y[way][0];
            }
        series[0] = (struct plot_series){ name, x[0], y[0], count };
        series_count = 1;
    }
    static const enum plot_kind kinds[] = {
        [LAB_LINES] = PLOT_LINES, [LAB_BARS] = PLOT_BARS, [LAB_CDF] = PLOT_CDF
    };
    return write_plot(
        figures, panel,
        &(struct plot){
            .kind = kinds[figure->kind],
            .title = panel->title,
            .x_label = figure->kind == LAB_CDF ? name : lab_file_label(figures->file, figure->x),
            .y_label = name,
            .x_log = figure->x_log,
            .y_log = figure->y_log,
            .series = series,
            .series_count = series_count,
            .categories = variable != NULL ? variable->values : labels,
            .category_count = variable != NULL ? variable->count : part->measure_count });
}

/* One picture for each combination of what varies, but for the x axis. */
static int draw(const struct figures *figures, const struct lab_figure *figure)
{
    const struct lab_part *part = figures->part;
    struct lab_variable others[LAB_VARIABLES_MAX];
    size_t places[LAB_VARIABLES_MAX] = { 0 }, count = 0;
    bool way = figure->x != NULL && strcmp(figure->x, "way") == 0 && figure->kind == LAB_BARS;
    if (figure->kind != LAB_CDF && !way && find_variable(part, figure->x) == NULL)
        return command_error("lab", 1, "a picture has \"%s\" on its x axis, which does not vary",
                             figure->x);
    for (size_t i = 0; i < part->variable_count; i++)
        if (figure->x == NULL || strcmp(part->variables[i].name, figure->x) != 0)
            others[count++] = part->variables[i];
    do {
        struct panel panel = { .count = count };
        snprintf(panel.path, sizeof panel.path, "%s-%s", part->name, figure->names[0]);
        snprintf(panel.title, sizeof panel.title, "%s",
                 figure->title != NULL ? figure->title
                                       : lab_file_label(figures->file, figure->names[0]));
        if (figure->x != NULL) {
            add_safe(panel.path, figure->kind == LAB_BARS ? "-bars-by-" : "-by-");
            add_safe(panel.path, figure->x);
        }
        for (size_t i = 0; i < count; i++) {
            const char *value = others[i].values[places[i]];
            size_t size = strlen(panel.title);
            panel.conditions[i] = (struct condition){ others[i].name, value };
            snprintf(panel.title + size, sizeof panel.title - size, "%s %s %s", i == 0 ? ":" : ",",
                     lab_file_label(figures->file, others[i].name), value);
            add_safe(panel.path, "-");
            add_safe(panel.path, value);
        }
        add_safe(panel.path, figure->kind == LAB_CDF ? "-cdf.svg" : ".svg");
        if (draw_panel(figures, figure, &panel) != 0)
            return 1;
    } while (figure_next_point(others, count, places));
    return 0;
}

int figures_write(const struct lab_file *file, const struct lab_part *part, const struct rows *rows,
                  const struct figure_output *output)
{
    struct lab_part shown = *part;
    const struct figures figures = { file, &shown, rows, output };
    shown.variable_count = 0;
    for (size_t i = 0; i < part->variable_count; i++)
        if (strcmp(part->variables[i].name, "seed") != 0)
            shown.variables[shown.variable_count++] = part->variables[i];
    int status = 0;
    for (size_t i = 0; i < part->figure_count && status == 0; i++) {
        const struct lab_figure *figure = &part->figures[i];
        if (figure->kind == LAB_TABLE)
            write_table(&figures, figure);
        else
            status = draw(&figures, figure);
    }
    return status;
}
