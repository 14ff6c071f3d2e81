/* experiment.h - `tcpct lab run`: builds the topology of a lab file, measures at each point, and
 * leaves a folder:
 *
 *     report.html                 everything to look at, on one page that needs no network
 *     parameters.json             what was run: parameters, seed, versions
 *     PART.csv, PART.json         every measured row
 *     PART-....svg                the pictures of the report
 *     PART/                       where its programs ran: their output, their files, captures
 *     the lab files
 *
 * Interrupted, it removes the topology, ends every program, and reports what there is.
 */
#ifndef TOOLS_EXPERIMENT_H
#define TOOLS_EXPERIMENT_H

#include "tools/lab_build.h"

struct experiment_options {
    const struct lab *lab;
    const char *name; /* a shipped experiment, or the path of a file */
    const char *out;  /* the folder, which must not exist; NULL: a name with the time */
    const char *seed; /* NULL: the file's */
    const char *const *sets;
    size_t set_count;
    bool quick;
};

/* The exit status; 1 also if a measurement failed. */
int experiment_run(const struct experiment_options *options);

/* Shipped experiments, or (name not NULL) the parameters of one. */
int experiment_list(const char *name);

/* What programs of a part see: settings, the first value of what varies, and $zones. */
void experiment_environment(struct lab_environment *environment, const struct lab_file *file,
                            const struct lab_part *part);

#endif
