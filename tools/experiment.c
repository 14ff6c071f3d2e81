/* experiment.c - see experiment.h. */
#include "tools/experiment.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/experiment_record.h"
#include "tools/figure.h"
#include "tools/lab_process.h"
#include "tools/report.h"
#include "tools/rows.h"

enum {
    MEASURE_TIMEOUT_MS = 120000,
    CAPTURE_REST_US = 30000,
    PATH_SIZE = LAB_PATH_SIZE,
    LINE_SIZE = 8192,
};

struct experiment {
    const struct experiment_options *options;
    struct lab_file *file;
    const struct lab_part *part;
    char folder[PATH_SIZE], part_folder[PATH_SIZE];
    struct lab_environment environment;
    struct rows *rows; /* of the part */
    char built[8192];  /* the expanded topology that is up; "": none */
    size_t point, points, failed, measured;
    FILE *html; /* the parts of the report */
    char *html_text;
    size_t html_size;
};

/* ---- files ------------------------------------------------------------------------------------ */

/* The absolute path of a new folder. */
static int make_folder(struct experiment *experiment)
{
    const struct experiment_options *options = experiment->options;
    char name[PATH_SIZE], stamp[32];
    time_t now = time(NULL);
    struct tm local;
    const char *base = strrchr(options->name, '/');
    base = base != NULL ? base + 1 : options->name;
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &local));
    if (options->out != NULL)
        snprintf(name, sizeof name, "%.400s", options->out);
    else
        snprintf(name, sizeof name, "%.*s-%s", (int)strcspn(base, "."), base, stamp);
    if (mkdir(name, 0755) < 0)
        return command_error("lab", 1, "cannot make the folder %s: %s", name, strerror(errno));
    char *path = realpath(name, NULL);
    if (path == NULL || strlen(path) > PATH_SIZE / 2)
        return command_error("lab", 1, "the path of the folder %s is too long", name);
    snprintf(experiment->folder, sizeof experiment->folder, "%s", path);
    free(path);
    return 0;
}

/* ---- the environment -------------------------------------------------------------------------- */

void experiment_environment(struct lab_environment *environment, const struct lab_file *file,
                            const struct lab_part *part)
{
    char path[LAB_PATH_SIZE];
    const char *zones = lab_data("zones", path);
    lab_environment_set(environment, "zones", zones != NULL ? zones : "");
    for (size_t i = 0; i < file->setting_count; i++)
        lab_environment_set(environment, file->settings[i].name, file->settings[i].values[0]);
    for (size_t i = 0; i < part->variable_count; i++)
        lab_environment_set(environment, part->variables[i].name, part->variables[i].values[0]);
}

/* ---- programs --------------------------------------------------------------------------------- */

/* Runs a command to its end. The status, -1 if interrupted, -2 if it takes too long. */
static int run_words(struct experiment *experiment, const char *netns, char **words,
                     const char *log)
{
    const struct process_options options = { .name = words[0],
                                             .netns = netns,
                                             .words = words,
                                             .environment = experiment->environment.entries,
                                             .folder = experiment->part_folder,
                                             .log = log,
                                             .bound = true };
    return process_run(&options, MEASURE_TIMEOUT_MS);
}

static int run_before(struct experiment *experiment)
{
    char log[PATH_SIZE * 2];
    char *words[] = { "sh", "-ec", (char *)experiment->part->before, NULL };
    if (experiment->part->before == NULL)
        return 0;
    snprintf(log, sizeof log, "%s/before.log", experiment->part_folder);
    int status = run_words(experiment, NULL, words, log);
    if (status <= 0)
        return status;
    process_show_log(log);
    return command_error("lab", 1, "what comes before %s failed with status %d",
                         experiment->part->name, status);
}

/* ---- the topology ----------------------------------------------------------------------------- */

static int tear_down(struct experiment *experiment)
{
    if (*experiment->built == '\0')
        return 0;
    *experiment->built = '\0';
    return lab_remove(experiment->options->lab);
}

/* Whether a program's shell text speaks of a name. */
static bool speaks_of(const char *text, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = text; (at = strstr(at, name)) != NULL; at++) {
        bool dollar = at > text && (at[-1] == '$' || (at[-1] == '{' && at > text + 1));
        if (dollar && !isalnum((unsigned char)at[size]) && at[size] != '_')
            return true;
    }
    return false;
}

/* Builds the topology if another is up than this point wants. */
static int set_up(struct experiment *experiment)
{
    const struct lab_part *part = experiment->part;
    char wanted[sizeof experiment->built] = "up ";
    for (size_t i = 0; i < part->link_count; i++) {
        size_t size = strlen(wanted);
        if (!lab_expand(&experiment->environment, part->links[i].flags, wanted + size,
                        sizeof wanted - size))
            return 1;
        strncat(wanted, ";", sizeof wanted - strlen(wanted) - 1);
    }
    for (size_t i = 0; i < part->program_count; i++)
        for (size_t j = 0; j < part->variable_count; j++)
            if (speaks_of(part->programs[i].shell, part->variables[j].name)) {
                strncat(wanted,
                        lab_environment_get(&experiment->environment, part->variables[j].name),
                        sizeof wanted - strlen(wanted) - 1);
                strncat(wanted, ";", sizeof wanted - strlen(wanted) - 1);
            }
    if (strcmp(wanted, experiment->built) == 0)
        return 0;
    int status = tear_down(experiment);
    if (status == 0)
        status = lab_build(experiment->options->lab, part, &experiment->environment, NULL,
                           experiment->part_folder);
    if (status == 0)
        memcpy(experiment->built, wanted, sizeof wanted);
    return status;
}

/* ---- one measurement -------------------------------------------------------------------------- */

/* The rows that a program printed, one for each object; returns how many. */
static size_t read_rows(struct rows *rows, const char *log, bool sum, char *last, size_t size)
{
    static char line[LINE_SIZE];
    size_t count = 0;
    FILE *in = fopen(log, "re");
    *last = '\0';
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (*line != '{') {
            snprintf(last, size, "%.200s", line);
            continue;
        }
        size_t row = sum && count > 0 ? rows_count(rows) - 1 : rows_add(rows);
        count += !sum || count == 0;
        if (!rows_put_json(rows, row, line))
            snprintf(last, size, "%.200s", line);
    }
    if (in != NULL)
        fclose(in);
    return count;
}

/* Without those of the measurement before, of which only the end is here; returns how many they were. */
static size_t remove_ends(struct rows *flows)
{
    size_t removed = 0;
    double asked;
    for (size_t flow = rows_count(flows); flow-- > 0;)
        if (rows_get_number(flows, flow, "data_client", &asked) && asked == 0) {
            rows_remove(flows, flow, 1);
            removed++;
        }
    return removed;
}

/* What the capture shows of the connection of each row that stays, the last `wanted` of them, if
 * there is one for each. */
static void read_connections(struct experiment *experiment, const char *pcap, size_t first,
                             size_t count, size_t wanted)
{
    static const char *const taken[] = { "packets_client", "packets_server", "bytes_client",
                                         "bytes_server" };
    char log[PATH_SIZE * 3], last[256];
    char *words[] = { "tcpct", "dump", "--summary", "--json", (char *)pcap, NULL };
    struct rows *flows = rows_create();
    double trips, before = 0;
    snprintf(log, sizeof log, "%s.txt", pcap);
    int status = run_words(experiment, NULL, words, log);
    size_t found = read_rows(flows, log, false, last, sizeof last);
    found -= remove_ends(flows);
    for (size_t i = count - wanted; status == 0 && found >= wanted && found <= count && i < count;
         i++) {
        size_t row = first + i, flow = found - (count - i);
        if (rows_get_number(flows, flow, "round_trips", &trips)) {
            rows_get_number(experiment->rows, row, "trips_before", &before);
            rows_put_number(experiment->rows, row, "trips", trips + before);
        }
        for (size_t j = 0; j < sizeof taken / sizeof *taken; j++)
            if (rows_get(flows, flow, taken[j]) != NULL)
                rows_put(experiment->rows, row, taken[j], rows_get(flows, flow, taken[j]));
    }
    rows_destroy(flows);
    unlink(log);
}

static pid_t start_capture(struct experiment *experiment, const char *netns, const char *pcap)
{
    char log[PATH_SIZE * 3];
    char *words[] = { "tcpct", "lab", "capture", "--here", (char *)pcap, NULL };
    snprintf(log, sizeof log, "%s.log", pcap);
    const struct process_options options = { .name = "the capture",
                                             .netns = netns,
                                             .words = words,
                                             .environment = experiment->environment.entries,
                                             .log = log,
                                             .bound = true };
    pid_t pid = process_start(&options);
    if (pid > 0 && process_wait_ready(pid, &options) != 0) {
        process_end(pid);
        pid = -1;
    }
    unlink(log);
    return pid;
}

/* Rows first... get the point's values, and the first `skip` of them go. */
static void label_rows(struct experiment *experiment, size_t first, size_t count,
                       const struct lab_measure *measure)
{
    const struct lab_part *part = experiment->part;
    for (size_t row = first; row < first + count; row++) {
        for (size_t i = 0; i < part->variable_count; i++)
            rows_put(experiment->rows, row, part->variables[i].name,
                     lab_environment_get(&experiment->environment, part->variables[i].name));
        rows_put(experiment->rows, row, "way", measure->label);
        rows_put_number(experiment->rows, row, "sample", (double)(row - first + 1));
    }
    if (measure->skip > 0)
        rows_remove(experiment->rows, first, measure->skip < count ? measure->skip : count);
}

/* The last value of what the part's first table shows, as far as this measurement has one. */
static void last_value(const struct experiment *experiment, size_t first, char *text, size_t size)
{
    const struct lab_figure *figure = experiment->part->figures;
    *text = '\0';
    if (experiment->part->figure_count == 0)
        return;
    for (size_t row = rows_count(experiment->rows); row-- > first && *text == '\0';)
        if (rows_get(experiment->rows, row, figure->names[0]) != NULL)
            snprintf(text, size, "%s %.200s", figure->names[0],
                     rows_get(experiment->rows, row, figure->names[0]));
}

static void show_progress(const struct experiment *experiment, const struct lab_measure *measure,
                          const char *outcome)
{
    const struct lab_part *part = experiment->part;
    fprintf(stderr, "[%zu/%zu] %s:", experiment->point, experiment->points, part->name);
    for (size_t i = 0; i < part->variable_count; i++)
        fprintf(stderr, " %s=%s", part->variables[i].name,
                lab_environment_get(&experiment->environment, part->variables[i].name));
    fprintf(stderr, " %s%s%s\n", measure->label, *outcome != '\0' ? ": " : "", outcome);
}

/* 0 even if it fails, which is counted; -1 if interrupted. */
static int measure_one(struct experiment *experiment, size_t number)
{
    const struct lab_part *part = experiment->part;
    const struct lab_measure *measure = &part->measures[number];
    char netns[LAB_NETNS_SIZE], log[PATH_SIZE * 2], pcap[PATH_SIZE * 2], last[256] = "";
    char *words[] = { "sh", "-c", (char *)measure->shell, NULL };
    lab_netns(experiment->options->lab, part->hosts[measure->host].name, netns);
    snprintf(log, sizeof log, "%s/%zu-%zu.out", experiment->part_folder, experiment->point,
             number + 1);
    snprintf(pcap, sizeof pcap, "%s/%zu-%zu.pcap", experiment->part_folder, experiment->point,
             number + 1);
    bool captured = part->link_count > 0 && !measure->uncaptured;
    pid_t capture = captured ? start_capture(experiment, netns, pcap) : -1;
    int status = run_words(experiment, netns, words, log);
    size_t first = rows_count(experiment->rows);
    size_t count = read_rows(experiment->rows, log, measure->sum, last, sizeof last);
    experiment->measured++;
    if (capture > 0) {
        usleep(CAPTURE_REST_US);
        process_end(capture);
    }
    if (capture > 0 && count > 0 && status != -1)
        read_connections(experiment, pcap, first, count,
                         count > measure->skip ? count - measure->skip : 0);
    label_rows(experiment, first, count, measure);
    if (process_interrupted())
        return -1;
    bool good = status == 0 && count > measure->skip;
    experiment->failed += !good;
    if (!good && *last == '\0')
        snprintf(last, sizeof last, status == -2 ? "took too long" : "status %d", status);
    char text[320];
    if (good)
        last_value(experiment, first, text, sizeof text);
    else
        snprintf(text, sizeof text, "failed: %s", last);
    show_progress(experiment, measure, text);
    return 0;
}

/* ---- parts ------------------------------------------------------------------------------------ */

static int measure_points(struct experiment *experiment)
{
    const struct lab_part *part = experiment->part;
    size_t places[LAB_VARIABLES_MAX] = { 0 };
    int status = run_before(experiment);
    if (status != 0)
        return status;
    do {
        for (size_t i = 0; i < part->variable_count; i++)
            lab_environment_set(&experiment->environment, part->variables[i].name,
                                part->variables[i].values[places[i]]);
        experiment->point++;
        status = set_up(experiment);
        for (size_t i = 0; i < part->measure_count && status == 0; i++)
            status = measure_one(experiment, i);
    } while (status == 0 && figure_next_point(part->variables, part->variable_count, places));
    int removed = tear_down(experiment);
    return status != 0 ? status : removed;
}

static int write_rows(const struct experiment *experiment)
{
    char name[PATH_SIZE];
    FILE *html = experiment->html;
    fputs("<p>Every row: ", html);
    snprintf(name, sizeof name, "%s.csv", experiment->part->name);
    FILE *out = record_create(experiment->folder, name);
    if (out == NULL)
        return 1;
    rows_write_csv(experiment->rows, out);
    report_link(html, name);
    int status = record_finish(out, name);
    snprintf(name, sizeof name, "%s.json", experiment->part->name);
    out = record_create(experiment->folder, name);
    if (out == NULL)
        return 1;
    rows_write_json(experiment->rows, out);
    report_link(html, name);
    fputs("Captures and output: ", html);
    snprintf(name, sizeof name, "%s/", experiment->part->name);
    report_link(html, name);
    fputs("</p>\n", html);
    return record_finish(out, name) != 0 ? 1 : status;
}

static int run_part(struct experiment *experiment, const struct lab_part *part)
{
    experiment->part = part;
    experiment->rows = rows_create();
    snprintf(experiment->part_folder, PATH_SIZE, "%.400s/%.64s", experiment->folder, part->name);
    if (mkdir(experiment->part_folder, 0755) < 0)
        return command_error("lab", 1, "cannot make %s: %s", experiment->part_folder,
                             strerror(errno));
    experiment_environment(&experiment->environment, experiment->file, part);
    lab_environment_set(&experiment->environment, "folder", experiment->part_folder);
    lab_environment_set(&experiment->environment, "lab", experiment->options->lab->name);
    int status = measure_points(experiment);
    if (part->title != NULL) {
        printf("\n%s\n\n", part->title);
        report_heading(experiment->html, part->title);
    }
    report_text(experiment->html, part->about);
    const struct figure_output output = { stdout, experiment->html, experiment->folder };
    int written = figures_write(experiment->file, part, experiment->rows, &output);
    if (write_rows(experiment) != 0)
        written = 1;
    rows_destroy(experiment->rows);
    return status != 0 ? status : written;
}

/* ---- the whole -------------------------------------------------------------------------------- */

static int write_report(struct experiment *experiment, const struct record_fact *versions,
                        size_t count)
{
    const struct lab_file *file = experiment->file;
    const char *title = file->title != NULL ? file->title : experiment->options->name;
    char text[256];
    FILE *out = record_create(experiment->folder, "report.html");
    fclose(experiment->html);
    if (out == NULL)
        return 1;
    report_begin(out, title);
    report_text(out, file->about);
    if (process_interrupted())
        report_text(out, "It was interrupted: what follows is not all.");
    if (experiment->failed > 0) {
        snprintf(text, sizeof text, "%zu of %zu measurements failed: see their output.",
                 experiment->failed, experiment->measured);
        report_text(out, text);
    }
    fwrite(experiment->html_text, 1, experiment->html_size, out);
    record_write_html(out, file, versions, count);
    report_end(out);
    return record_finish(out, "report.html");
}

static int run_all(struct experiment *experiment)
{
    struct record_fact versions[RECORD_FACTS_MAX] = { 0 };
    struct lab_file *file = experiment->file;
    int status = make_folder(experiment);
    if (status != 0)
        return status;
    size_t count = record_find(versions, experiment->folder);
    status = record_write(experiment->options, file, experiment->folder, versions, count);
    if (status == 0)
        status = record_copy_files(file, experiment->folder);
    if (status != 0)
        return status;
    for (size_t i = 0; i < file->part_count; i++) {
        size_t points = 1;
        for (size_t j = 0; j < file->parts[i].variable_count; j++)
            points *= file->parts[i].variables[j].count;
        experiment->points += points;
    }
    status = lab_add_program(&experiment->environment, experiment->folder);
    for (size_t i = 0; i < file->part_count && status == 0; i++)
        status = run_part(experiment, &file->parts[i]);
    lab_remove_program(experiment->folder);
    if (write_report(experiment, versions, count) != 0)
        status = 1;
    printf("The report is %s/report.html\n", experiment->folder);
    if (process_interrupted())
        return 128 + process_interrupted();
    if (experiment->failed > 0 && status == 0)
        status = command_error("lab", 1, "%zu of %zu measurements failed", experiment->failed,
                               experiment->measured);
    return status;
}

static int change(struct lab_file *file, const struct experiment_options *options)
{
    char error[LAB_ERROR_SIZE], seed[64];
    if (options->quick)
        lab_file_quicken(file);
    bool good = true;
    if (options->seed != NULL) {
        snprintf(seed, sizeof seed, "seed=%.40s", options->seed);
        good = lab_file_set(file, seed, error);
    }
    for (size_t i = 0; i < options->set_count && good; i++)
        good = lab_file_set(file, options->sets[i], error);
    return good ? 0 : command_error("lab", EXIT_USAGE, "%s", error);
}

int experiment_run(const struct experiment_options *options)
{
    struct experiment experiment = { .options = options };
    experiment.file = record_read_file(options->name);
    if (experiment.file == NULL)
        return EXIT_USAGE;
    int status = change(experiment.file, options);
    if (status == 0) {
        process_catch_interrupts();
        lab_environment_begin(&experiment.environment);
        experiment.html = open_memstream(&experiment.html_text, &experiment.html_size);
        if (experiment.html == NULL)
            return command_error("lab", 1, "out of memory");
        status = run_all(&experiment);
        free(experiment.html_text);
        lab_environment_free(&experiment.environment);
    }
    lab_file_free(experiment.file);
    return status;
}
