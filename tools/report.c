/* report.c - see report.h. The page says itself that it needs nothing from anywhere: a browser would
 * refuse to fetch it (Content-Security-Policy).
 */
#include "tools/report.h"

#include <string.h>

#include "tools/svg.h"

static const char style[] =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;"
    "color:#222222;background:#ffffff}"
    "a{color:#0b5394}table{border-collapse:collapse;margin:1em 0;font-size:14px}"
    "th,td{padding:.2em .8em;text-align:right;border-bottom:1px solid #dddddd}"
    "th{text-align:left;font-weight:normal}thead th{font-weight:bold}thead th.number{text-align:right}"
    "figure{margin:1.5em 0}svg{max-width:100%;height:auto}.wide{overflow-x:auto}"
    "pre{overflow-x:auto;font-size:13px}"
    "@media(prefers-color-scheme:dark){body{color:#e4e4e4;background:#161616}"
    "a{color:#8ab8ff}th,td{border-color:#3a3a3a}}";

void report_begin(FILE *out, const char *title)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "style-src 'unsafe-inline'; img-src data:\">\n"
          "<meta name=\"viewport\" content=\"width=device-width\">\n"
          "<link rel=\"icon\" href=\"data:,\">\n<title>",
          out);
    svg_escape(out, title);
    fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>", style);
    svg_escape(out, title);
    fputs("</h1>\n", out);
}

void report_end(FILE *out)
{
    fputs("</body>\n</html>\n", out);
}

void report_heading(FILE *out, const char *text)
{
    fputs("<h2>", out);
    svg_escape(out, text);
    fputs("</h2>\n", out);
}

void report_text(FILE *out, const char *text)
{
    while (text != NULL && *text != '\0') {
        char paragraph[4096];
        const char *end = strstr(text, "\n\n");
        size_t size = end != NULL ? (size_t)(end - text) : strlen(text);
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)size, text);
        fputs("<p>", out);
        svg_escape(out, paragraph);
        fputs("</p>\n", out);
        text += size;
        text += strspn(text, "\n");
    }
}

void report_facts_begin(FILE *out)
{
    fputs("<div class=\"wide\"><table>\n", out);
}

void report_fact(FILE *out, const char *name, const char *value)
{
    fputs("<tr><th>", out);
    svg_escape(out, name);
    fputs("</th><th>", out);
    svg_escape(out, value);
    fputs("</th></tr>\n", out);
}

void report_facts_end(FILE *out)
{
    fputs("</table></div>\n", out);
}

void report_link(FILE *out, const char *file)
{
    fputs("<a href=\"", out);
    svg_escape(out, file);
    fputs("\">", out);
    svg_escape(out, file);
    fputs("</a> ", out);
}
