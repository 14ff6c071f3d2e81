/* svg.c - see svg.h. The colours have a contrast of 3 or more, and text one of 10, on either paper. */
#include "tools/svg.h"

static const char *const light[SVG_COLOURS] = { "#1f6fb4", "#c8501a", "#2b8a3e", "#8e44ad",
                                                "#b8860b", "#c2255c", "#0b7285", "#666666",
                                                "#5b7a00", "#3d3d9e" };
static const char *const dark[SVG_COLOURS] = { "#6cb2eb", "#ff9b66", "#69c97b", "#c792e9",
                                               "#e6c04b", "#ff85ad", "#4fc3d9", "#aaaaaa",
                                               "#a8d24a", "#a3a3ff" };

static void colours(FILE *out, const char *ink, const char *faint, const char *paper,
                    const char *const *things)
{
    fprintf(out,
            ".svg text,.svg .ink{fill:%s}.svg .axis{stroke:%s}.svg .faint{stroke:%s}.svg "
            ".paper{fill:%s}",
            ink, ink, faint, paper);
    for (int i = 0; i < SVG_COLOURS; i++)
        fprintf(out, ".svg .s%d{fill:%s}.svg .line.s%d{stroke:%s;fill:none}", i, things[i], i,
                things[i]);
}

void svg_begin(FILE *out, double width, double height, const char *title)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"svg\" role=\"img\" "
            "viewBox=\"0 0 %g %g\" width=\"%g\" height=\"%g\">\n<title>",
            width, height, width, height);
    svg_escape(out, title);
    fputs("</title>\n<style>.svg text{font:13px sans-serif}.svg .title{font-weight:bold}"
          ".svg .small{font-size:11px}.svg .line{stroke-width:2}",
          out);
    colours(out, "#222222", "#dddddd", "#ffffff", light);
    fputs("@media(prefers-color-scheme:dark){", out);
    colours(out, "#e4e4e4", "#3a3a3a", "#161616", dark);
    fputs("}</style>\n", out);
    svg_rectangle(out, 0, 0, width, height, "paper");
}

void svg_end(FILE *out)
{
    fputs("</svg>\n", out);
}

void svg_text(FILE *out, double x, double y, enum svg_anchor anchor, const char *classes,
              const char *text)
{
    static const char *const anchors[] = { "start", "middle", "end" };
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"", x, y, anchors[anchor]);
    if (classes != NULL)
        fprintf(out, " class=\"%s\"", classes);
    fputc('>', out);
    svg_escape(out, text);
    fputs("</text>\n", out);
}

void svg_text_upright(FILE *out, double x, double y, const char *text)
{
    fprintf(out,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" transform=\"rotate(-90 %.1f "
            "%.1f)\">",
            x, y, x, y);
    svg_escape(out, text);
    fputs("</text>\n", out);
}

void svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *classes)
{
    fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1,
            x2, y2, classes);
}

void svg_rectangle(FILE *out, double x, double y, double width, double height, const char *classes)
{
    fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>\n", x,
            y, width, height, classes);
}

void svg_mark(FILE *out, double x, double y, unsigned number)
{
    static const char *const shapes[] = {
        "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        "m-3.5 -3.5h7v7h-7z",
        "m0 -5l5 5l-5 5l-5 -5z",
        "m0 -4.5l4.5 8h-9z",
        "m0 4.5l4.5 -8h-9z",
    };
    fprintf(out, "<path d=\"M%.1f %.1f%sz\" class=\"mark s%u\"/>\n", x, y,
            shapes[number % (sizeof shapes / sizeof *shapes)], number % SVG_COLOURS);
}

void svg_escape(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc((unsigned char)*text < ' ' && *text != '\n' && *text != '\t' ? '?' : *text, out);
        }
    }
}
