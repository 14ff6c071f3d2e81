/* plot.h - a figure with axes, ticks and a legend, as SVG (svg.h): lines through points, bars in
 * groups, or the cumulative distribution of samples.
 */
#ifndef TOOLS_PLOT_H
#define TOOLS_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum plot_kind {
    PLOT_LINES, /* through the points (x, y), in the order given */
    PLOT_BARS,  /* of height y, beside each other, where x is the number of a category */
    PLOT_CDF,   /* of the samples x, in any order; y is not looked at */
};

struct plot_series {
    const char *name;
    const double *x, *y;
    size_t count;
};

struct plot {
    enum plot_kind kind;
    const char *title, *x_label, *y_label;
    bool x_log, y_log; /* what is not above 0 is left out there */
    const struct plot_series *series;
    size_t series_count;
    const char *const *categories; /* PLOT_BARS */
    size_t category_count;
};

/* Writes the whole picture. Linear axes begin at 0, unless a value is below. */
void plot_write(FILE *out, const struct plot *plot);

/* How an axis is divided, for other pictures too: its ends, rounded outwards, and its ticks. */
enum { PLOT_TICKS_MAX = 64 };
struct plot_axis {
    double low, high;
    bool log;
    double ticks[PLOT_TICKS_MAX];
    size_t tick_count;
};
void plot_axis_make(struct plot_axis *axis, double low, double high, bool log);
/* From 0 at the low end to 1 at the high one. */
double plot_axis_place(const struct plot_axis *axis, double value);
/* "0.5", "20", "50k", "2M" */
const char *plot_number(double value, char *text, size_t size);

#endif
