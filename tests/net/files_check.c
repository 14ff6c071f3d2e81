/* files_check.c - whether what an experiment wrote can be read: SVG as XML, JSON, and CSV, of which
 * every line has as many fields as the first.
 *
 *     files_check FILE...
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tools/xml.h"
#include "tools/rows.h"

static bool csv_is_good(const char *text)
{
    size_t fields = 1, first = 0;
    bool quoted = false;
    for (; *text != '\0'; text++) {
        if (*text == '"')
            quoted = !quoted;
        else if (*text == ',' && !quoted)
            fields++;
        if (*text != '\n' || quoted)
            continue;
        if (first != 0 && fields != first)
            return false;
        first = fields;
        fields = 1;
    }
    return first > 0 && !quoted;
}

/* An object, or an array of objects, each on a line. */
static bool json_is_good(char *text)
{
    struct rows *rows = rows_create();
    bool good = true;
    if (*text == '[') {
        for (char *line = strtok(text + 1, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            size_t size = strlen(line);
            if (size > 0 && line[size - 1] == ',')
                line[size - 1] = '\0';
            good &= strcmp(line, "]") == 0 || rows_put_json(rows, rows_add(rows), line);
        }
    } else {
        good = rows_put_json(rows, rows_add(rows), text);
    }
    rows_destroy(rows);
    return good;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *in = fopen(argv[i], "r");
        if (in == NULL || getdelim(&text, &size, '\0', in) <= 0) {
            printf("%s cannot be read\n", argv[i]);
            return 1;
        }
        fclose(in);
        const char *end = strrchr(argv[i], '.');
        bool good = strcmp(end, ".svg") == 0   ? xml_error(text) == NULL
                    : strcmp(end, ".csv") == 0 ? csv_is_good(text)
                                               : json_is_good(text);
        free(text);
        if (!good) {
            printf("%s is not well-formed\n", argv[i]);
            return 1;
        }
    }
    printf("%d files\n", argc - 1);
    return 0;
}
