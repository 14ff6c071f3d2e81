/* xml.c - see xml.h. */
#include "tests/tools/xml.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

static size_t name_size(const char *at)
{
    size_t size = 0;
    while (isalnum((unsigned char)at[size]) || (size > 0 && strchr("-:_.", at[size]) && at[size]))
        size++;
    return size;
}

static bool entity(const char *at)
{
    static const char *const known[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&apos;" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(at, known[i], strlen(known[i])) == 0)
            return true;
    return at[1] == '#' && at[2 + strspn(at + 2, "0123456789")] == ';';
}

/* Behind ` name="value"`...; NULL if that is none. */
static const char *attributes(const char *at)
{
    while (isspace((unsigned char)*at)) {
        at += strspn(at, " \n\t");
        size_t size = name_size(at);
        if (size == 0)
            break;
        at += size;
        if (at[0] != '=' || at[1] != '"')
            return NULL;
        for (at += 2; *at != '"'; at++)
            if (*at == '\0' || *at == '<' || (*at == '&' && !entity(at)))
                return NULL;
        at++;
    }
    return at;
}

const char *xml_error(const char *text)
{
    const char *open[DEPTH_MAX];
    size_t sizes[DEPTH_MAX], depth = 0, elements = 0;
    const char *at = text;
    while (*at != '\0') {
        const char *here = at++;
        if (*here == '&' && !entity(here))
            return here;
        if (*here != '<') {
            if (depth == 0 && !isspace((unsigned char)*here))
                return here;
            continue;
        }
        bool end = *at == '/';
        at += end;
        size_t size = name_size(at);
        const char *name = at;
        at = size > 0 ? attributes(at + size) : NULL;
        if (at == NULL || (end && (depth == 0 || sizes[depth - 1] != size ||
                                   strncmp(open[depth - 1], name, size) != 0)))
            return here;
        bool closed = *at == '/';
        at += closed;
        if (*at++ != '>' || (depth == 0 && elements > 0))
            return here;
        if (end) {
            depth--;
            elements += depth == 0;
        } else if (!closed) {
            if (depth == DEPTH_MAX)
                return here;
            open[depth] = name;
            sizes[depth++] = size;
        }
    }
    return depth == 0 && elements == 1 ? NULL : at;
}
