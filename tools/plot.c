/* plot.c - see plot.h.
 *
 *     title
 *     y label | plot area | legend
 *               x label
 */
#include "tools/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/svg.h"

enum {
    WIDTH = 800,
    HEIGHT = 380,
    LEFT = 70,
    RIGHT = 560, /* the plot area's */
    TOP = 40,
    BOTTOM = 320,
    LEGEND = 580,
    LEGEND_STEP = 20,
    TICKS_WANTED = 6,
};

struct frame {
    FILE *out;
    const struct plot *plot;
    struct plot_axis x, y;
};

/* ---- axes ------------------------------------------------------------------------------------- */

const char *plot_number(double value, char *text, size_t size)
{
    double magnitude = fabs(value);
    if (magnitude >= 1e6)
        snprintf(text, size, "%.4gM", value / 1e6);
    else if (magnitude >= 1e4)
        snprintf(text, size, "%.4gk", value / 1e3);
    else
        snprintf(text, size, "%.4g", value);
    return text;
}

static void add_tick(struct plot_axis *axis, double value)
{
    if (axis->tick_count < PLOT_TICKS_MAX)
        axis->ticks[axis->tick_count++] = value;
}

/* 1, 2 or 5 times a power of ten, the next not below (up) or not above `value`. */
static double round_to_125(double value, bool up)
{
    static const double steps[] = { 1, 2, 5, 10 };
    double power = pow(10, floor(log10(value)));
    for (int i = 0; i < 4; i++) {
        double step = steps[up ? i : 3 - i] * power;
        if (up ? step >= value * (1 - 1e-9) : step <= value * (1 + 1e-9))
            return step;
    }
    return power;
}

static void make_log(struct plot_axis *axis, double low, double high)
{
    axis->low = round_to_125(low, false);
    axis->high = round_to_125(high > low ? high : low * 2, true);
    bool every = axis->high / axis->low <= 2000; /* else powers of ten only */
    double value = every ? axis->low : pow(10, ceil(log10(axis->low) - 1e-9));
    while (value <= axis->high * (1 + 1e-9) && axis->tick_count < PLOT_TICKS_MAX) {
        add_tick(axis, value);
        value = every ? round_to_125(value * 1.5, true) : value * 10;
    }
}

void plot_axis_make(struct plot_axis *axis, double low, double high, bool log)
{
    *axis = (struct plot_axis){ .log = log };
    if (log) {
        make_log(axis, low, high);
        return;
    }
    low = low > 0 ? 0 : low;
    high = high > low ? high : low + 1;
    double step = round_to_125((high - low) / TICKS_WANTED, true);
    axis->low = floor(low / step + 1e-9) * step;
    axis->high = ceil(high / step - 1e-9) * step;
    long count = lround((axis->high - axis->low) / step);
    for (long i = 0; i <= count; i++)
        add_tick(axis, axis->low + (double)i * step);
}

double plot_axis_place(const struct plot_axis *axis, double value)
{
    if (axis->log)
        return log(value / axis->low) / log(axis->high / axis->low);
    return (value - axis->low) / (axis->high - axis->low);
}

static double x_of(const struct frame *frame, double value)
{
    return LEFT + plot_axis_place(&frame->x, value) * (RIGHT - LEFT);
}

static double y_of(const struct frame *frame, double value)
{
    return BOTTOM - plot_axis_place(&frame->y, value) * (BOTTOM - TOP);
}

static bool can_show(const struct plot_axis *axis, double value)
{
    return isfinite(value) && (!axis->log || value > 0);
}

/* ---- ranges ----------------------------------------------------------------------------------- */

struct range {
    double low, high;
};

static void extend(struct range *range, const double *values, size_t count, bool log)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]) || (log && values[i] <= 0))
            continue;
        range->low = fmin(range->low, values[i]);
        range->high = fmax(range->high, values[i]);
    }
}

static void make_axes(struct frame *frame)
{
    const struct plot *plot = frame->plot;
    struct range x = { INFINITY, -INFINITY }, y = x;
    for (size_t i = 0; i < plot->series_count; i++) {
        extend(&x, plot->series[i].x, plot->series[i].count, plot->x_log);
        if (plot->kind != PLOT_CDF)
            extend(&y, plot->series[i].y, plot->series[i].count, plot->y_log);
    }
    if (plot->kind == PLOT_CDF)
        y = (struct range){ 0, 1 };
    if (!isfinite(x.low)) /* nothing to show */
        x = (struct range){ 1, 10 };
    if (!isfinite(y.low))
        y = (struct range){ 1, 10 };
    if (plot->kind == PLOT_BARS)
        frame->x = (struct plot_axis){ .low = -0.5, .high = (double)plot->category_count - 0.5 };
    else
        plot_axis_make(&frame->x, x.low, x.high, plot->x_log);
    plot_axis_make(&frame->y, y.low, y.high, plot->y_log && plot->kind != PLOT_CDF);
}

/* ---- drawing ---------------------------------------------------------------------------------- */

static void draw_categories(const struct frame *frame)
{
    const struct plot *plot = frame->plot;
    bool tight = plot->category_count > 5;
    for (size_t i = 0; i < plot->category_count; i++)
        svg_text(frame->out, x_of(frame, (double)i), BOTTOM + 16 + (tight && i % 2 ? 13 : 0),
                 SVG_MIDDLE, tight ? "small" : NULL, plot->categories[i]);
}

static void draw_axes(const struct frame *frame)
{
    const struct plot *plot = frame->plot;
    char text[32];
    for (size_t i = 0; i < frame->y.tick_count; i++) {
        double y = y_of(frame, frame->y.ticks[i]);
        svg_line(frame->out, LEFT, y, RIGHT, y, "faint");
        svg_text(frame->out, LEFT - 6, y + 4, SVG_END, NULL,
                 plot_number(frame->y.ticks[i], text, sizeof text));
    }
    for (size_t i = 0; i < frame->x.tick_count; i++) {
        double x = x_of(frame, frame->x.ticks[i]);
        svg_line(frame->out, x, TOP, x, BOTTOM, "faint");
        svg_text(frame->out, x, BOTTOM + 16, SVG_MIDDLE, NULL,
                 plot_number(frame->x.ticks[i], text, sizeof text));
    }
    if (plot->kind == PLOT_BARS)
        draw_categories(frame);
    svg_line(frame->out, LEFT, BOTTOM, RIGHT, BOTTOM, "axis");
    svg_line(frame->out, LEFT, TOP, LEFT, BOTTOM, "axis");
    svg_text(frame->out, LEFT, TOP - 18, SVG_START, "title", plot->title);
    svg_text(frame->out, (LEFT + RIGHT) / 2.0, BOTTOM + 50, SVG_MIDDLE, NULL, plot->x_label);
    svg_text_upright(frame->out, 18, (TOP + BOTTOM) / 2.0,
                     plot->kind == PLOT_CDF ? "part of the samples" : plot->y_label);
}

static void draw_legend(const struct frame *frame)
{
    for (size_t i = 0; i < frame->plot->series_count; i++) {
        double y = TOP + 8 + (double)i * LEGEND_STEP;
        svg_mark(frame->out, LEGEND, y, (unsigned)i);
        svg_text(frame->out, LEGEND + 14, y + 4, SVG_START, NULL, frame->plot->series[i].name);
    }
}

static void draw_lines(const struct frame *frame, size_t number)
{
    const struct plot_series *series = &frame->plot->series[number];
    fprintf(frame->out, "<polyline class=\"line s%zu\" points=\"", number % SVG_COLOURS);
    for (size_t i = 0; i < series->count; i++)
        if (can_show(&frame->x, series->x[i]) && can_show(&frame->y, series->y[i]))
            fprintf(frame->out, "%.1f,%.1f ", x_of(frame, series->x[i]), y_of(frame, series->y[i]));
    fputs("\"/>\n", frame->out);
    for (size_t i = 0; i < series->count; i++)
        if (can_show(&frame->x, series->x[i]) && can_show(&frame->y, series->y[i]))
            svg_mark(frame->out, x_of(frame, series->x[i]), y_of(frame, series->y[i]),
                     (unsigned)number);
}

static void draw_bars(const struct frame *frame, size_t number)
{
    const struct plot *plot = frame->plot;
    const struct plot_series *series = &plot->series[number];
    double group = (RIGHT - LEFT) / (double)plot->category_count * 0.8;
    double width = group / (double)plot->series_count;
    char classes[16];
    snprintf(classes, sizeof classes, "bar s%zu", number % SVG_COLOURS);
    for (size_t i = 0; i < series->count; i++) {
        if (!can_show(&frame->y, series->y[i]))
            continue;
        double x = x_of(frame, series->x[i]) - group / 2 + (double)number * width;
        double y = y_of(frame, series->y[i]);
        double foot = frame->y.log || frame->y.low > 0 ? BOTTOM : y_of(frame, 0);
        svg_rectangle(frame->out, x, fmin(y, foot), width * 0.92, fabs(foot - y), classes);
    }
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void draw_cdf(const struct frame *frame, size_t number)
{
    const struct plot_series *series = &frame->plot->series[number];
    double *sorted = malloc((series->count + 1) * sizeof *sorted);
    size_t count = 0;
    if (sorted == NULL)
        return;
    for (size_t i = 0; i < series->count; i++)
        if (can_show(&frame->x, series->x[i]))
            sorted[count++] = series->x[i];
    qsort(sorted, count, sizeof *sorted, compare);
    fprintf(frame->out, "<polyline class=\"line s%zu\" points=\"", number % SVG_COLOURS);
    for (size_t i = 0; i < count; i++) {
        double x = x_of(frame, sorted[i]);
        fprintf(frame->out, "%.1f,%.1f %.1f,%.1f ", x, y_of(frame, (double)i / (double)count), x,
                y_of(frame, (double)(i + 1) / (double)count));
    }
    fputs("\"/>\n", frame->out);
    free(sorted);
}

void plot_write(FILE *out, const struct plot *plot)
{
    struct frame frame = { .out = out, .plot = plot };
    make_axes(&frame);
    double height = TOP + 30 + (double)plot->series_count * LEGEND_STEP;
    svg_begin(out, WIDTH, fmax(height, HEIGHT), plot->title);
    draw_axes(&frame);
    for (size_t i = 0; i < plot->series_count; i++) {
        if (plot->kind == PLOT_LINES)
            draw_lines(&frame, i);
        else if (plot->kind == PLOT_BARS)
            draw_bars(&frame, i);
        else
            draw_cdf(&frame, i);
    }
    draw_legend(&frame);
    svg_end(out);
}
