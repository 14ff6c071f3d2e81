/* svg.h - pictures as SVG: text stays text, and light or dark follows the reader's preference.
 *
 * A picture is `svg_begin`, elements, `svg_end`. Colours are classes: `ink` is the colour of text,
 * `faint` of grids, `paper` of the background, and `s0` to `s9` of the things shown, each good for
 * fill; with `line` beside it, for stroke. Coordinates are pixels, from the upper left.
 */
#ifndef TOOLS_SVG_H
#define TOOLS_SVG_H

#include <stdio.h>

enum { SVG_COLOURS = 10 };

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

/* `title` is what a reader who cannot see the picture is told. */
void svg_begin(FILE *out, double width, double height, const char *title);
void svg_end(FILE *out);

/* `classes` may be NULL: plain text is ink. */
void svg_text(FILE *out, double x, double y, enum svg_anchor anchor, const char *classes,
              const char *text);
/* Upwards, around its own middle. */
void svg_text_upright(FILE *out, double x, double y, const char *text);
void svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *classes);
void svg_rectangle(FILE *out, double x, double y, double width, double height, const char *classes);
/* One of several shapes, by `number`, in the colour of that number. */
void svg_mark(FILE *out, double x, double y, unsigned number);

/* Text as XML and HTML want it, in content and in attributes; what XML cannot hold becomes "?". */
void svg_escape(FILE *out, const char *text);

#endif
