/* report.h - one page of HTML that needs nothing else: tables, pictures and text of an experiment.
 */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include <stdio.h>

/* The page up to its heading; `title` is text. */
void report_begin(FILE *out, const char *title);
void report_end(FILE *out);

void report_heading(FILE *out, const char *text);
/* Text with empty lines between its paragraphs; NULL: nothing. */
void report_text(FILE *out, const char *text);

/* A table of names and values: begin, lines, end. */
void report_facts_begin(FILE *out);
void report_fact(FILE *out, const char *name, const char *value);
void report_facts_end(FILE *out);

/* A link to a file beside the page. */
void report_link(FILE *out, const char *file);

#endif
