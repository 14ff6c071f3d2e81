/* lab_file.h - a lab file: a topology, and what is measured in it.
 *
 * Plain text. A line is a keyword and its words, separated by blanks; "..." holds one word with
 * blanks; # begins a comment. Indented lines belong to the keyword above them: shell commands, which
 * see every setting and variable in their environment, or a paragraph of text.
 *
 *     title WORDS                          what the experiment is called
 *     about                                a paragraph for the report
 *     include FILE                         beside this file
 *     set NAME VALUE                       a parameter; --set NAME=VALUE changes it
 *     vary NAME VALUE...                   one measured point for each value; several: for each
 *                                          combination, the first the slowest
 *     quick NAME VALUE...                  in place of the above with --quick
 *     host NAME PREFIX...                  its own address is the first of each prefix
 *     link HOST HOST [FLAG OF tcpct link]...
 *     before                               shell, once, before anything is built
 *     run HOST                             shell, in the background; it prints `ready`
 *     measure HOST LABEL [skip=N] [sum] [uncaptured]
 *                                          shell, at each point; it prints JSON objects
 *     table NAME...                        of what was printed: medians
 *     lines|bars X Y [log=x] [log=y] [TITLE]
 *     cdf Y [log=x] [TITLE]
 *     label NAME TEXT                      how tables and pictures call it
 *     part NAME TITLE                      begins another experiment of the same file, which also
 *                                          has what stood before the first part
 *
 * Nothing here is carried out: see lab.c for hosts, links and programs, experiment.c for the rest.
 */
#ifndef TOOLS_LAB_FILE_H
#define TOOLS_LAB_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/plot.h"

enum {
    LAB_HOSTS_MAX = 12,
    LAB_PREFIXES_MAX = 4,
    LAB_LINKS_MAX = 12,
    LAB_PROGRAMS_MAX = 16,
    LAB_SETTINGS_MAX = 32,
    LAB_VARIABLES_MAX = 6,
    LAB_VALUES_MAX = 32,
    LAB_MEASURES_MAX = 24,
    LAB_FIGURES_MAX = 12,
    LAB_NAMES_MAX = 12,
    LAB_PARTS_MAX = 12,
    LAB_LABELS_MAX = 48,
    LAB_PATHS_MAX = 8,
    LAB_ERROR_SIZE = 512,
};

struct lab_host {
    const char *name;
    const char *prefixes[LAB_PREFIXES_MAX];
    size_t prefix_count;
};

struct lab_link {
    size_t ends[2];    /* hosts */
    const char *flags; /* before settings are put in */
};

struct lab_program {
    size_t host;
    const char *shell;
};

/* A setting has one value. */
struct lab_variable {
    const char *name;
    const char *values[LAB_VALUES_MAX];
    size_t count;
};

struct lab_measure {
    size_t host;
    const char *label, *shell;
    unsigned skip; /* so many of the objects that it prints first */
    bool uncaptured;
    bool sum; /* its objects make one row together, the last value of a name counting */
};

enum lab_figure_kind { LAB_TABLE, LAB_LINES, LAB_BARS, LAB_CDF };

struct lab_figure {
    enum lab_figure_kind kind;
    const char *title, *x; /* NULL: none */
    const char *names[LAB_NAMES_MAX];
    size_t name_count;
    bool x_log, y_log;
};

struct lab_part {
    const char *name, *title, *about; /* title and about may be NULL */
    const char *before;               /* shell, or NULL */
    struct lab_host hosts[LAB_HOSTS_MAX];
    struct lab_link links[LAB_LINKS_MAX];
    struct lab_program programs[LAB_PROGRAMS_MAX];
    struct lab_variable variables[LAB_VARIABLES_MAX], quick[LAB_VARIABLES_MAX];
    struct lab_measure measures[LAB_MEASURES_MAX];
    struct lab_figure figures[LAB_FIGURES_MAX];
    size_t host_count, link_count, program_count, variable_count, quick_count, measure_count,
        figure_count;
};

struct lab_label {
    const char *name, *text;
};

struct lab_file {
    const char *title, *about;
    struct lab_variable settings[LAB_SETTINGS_MAX];
    struct lab_label labels[LAB_LABELS_MAX];
    struct lab_part parts[LAB_PARTS_MAX];
    const char *paths[LAB_PATHS_MAX];                          /* the files that were read */
    size_t setting_count, label_count, path_count, part_count; /* part_count is at least 1 */
    struct lab_text *texts; /* what the pointers above point into */
};

/* Reads a file, or the text itself if `text` is not NULL (`path` is then for messages). NULL with
 * one sentence in error[LAB_ERROR_SIZE]. */
struct lab_file *lab_file_read(const char *path, const char *text, char *error);
void lab_file_free(struct lab_file *file);

/* --set NAME=VALUE, or NAME=VALUE,VALUE... for what varies, in every part. False with a sentence. */
bool lab_file_set(struct lab_file *file, const char *assignment, char *error);
/* --quick */
void lab_file_quicken(struct lab_file *file);

/* `name` itself if it has no label. */
const char *lab_file_label(const struct lab_file *file, const char *name);

/* Keeps a copy of `size` bytes of text for as long as the file lives. Ends the program if there is
 * no memory. */
const char *lab_file_keep(struct lab_file *file, const char *text, size_t size);

#endif
