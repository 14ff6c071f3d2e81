/* figure.h - the tables and pictures of one part of an experiment, made of what was measured.
 *
 * A point is one combination of the values of what varies; `way` is the label of what was measured
 * there. Several rows of the same point and way are samples: their median is shown. So are those of
 * different values of `seed`.
 */
#ifndef TOOLS_FIGURE_H
#define TOOLS_FIGURE_H

#include <stdio.h>

#include "tools/lab_file.h"
#include "tools/rows.h"

/* Where they go. */
struct figure_output {
    FILE *text;         /* tables, for a terminal */
    FILE *html;         /* tables and pictures */
    const char *folder; /* pictures, as files of their own, PART-... .svg */
};

/* All figures of a part. 0, or 1 after a message if a file cannot be written. */
int figures_write(const struct lab_file *file, const struct lab_part *part, const struct rows *rows,
                  const struct figure_output *output);

/* The next combination of the values of some variables, each given by its place; false after the
 * last, when all are 0 again. The first changes slowest. */
bool figure_next_point(const struct lab_variable *variables, size_t count, size_t *places);

#endif
