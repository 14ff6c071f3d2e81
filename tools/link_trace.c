/* link_trace.c - see link_trace.h. */
#include "tools/link_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/units.h"

enum { LINE_SIZE = 32, FIRST_ROOM = 1024 };

static struct {
    char *name;
    struct trace trace;
} loaded[LINK_TRACES_MAX];
static size_t loaded_count;

static bool add(struct trace *trace, size_t *room, char *line)
{
    uint64_t at_ms;
    line[strcspn(line, "\r\n")] = '\0';
    if (!unit_number(line, 0, UINT32_MAX, &at_ms) || trace->count == LINK_TRACE_LINES_MAX)
        return false;
    if (trace->count == *room) {
        *room = *room == 0 ? FIRST_ROOM : 2 * *room;
        uint32_t *larger = realloc(trace->at_ms, *room * sizeof *larger);
        if (larger == NULL)
            return false;
        trace->at_ms = larger;
    }
    trace->at_ms[trace->count++] = (uint32_t)at_ms;
    return true;
}

static bool read_lines(FILE *file, struct trace *trace)
{
    char line[LINE_SIZE];
    size_t room = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        bool whole = strchr(line, '\n') != NULL || feof(file) != 0;
        if (!whole || !add(trace, &room, line))
            return false;
    }
    return ferror(file) == 0 && trace_is_sound(trace);
}

bool link_trace_load(const char *name, struct trace *trace)
{
    for (size_t i = 0; i < loaded_count; i++)
        if (strcmp(loaded[i].name, name) == 0) {
            *trace = loaded[i].trace;
            return true;
        }
    struct trace fresh = { 0 };
    FILE *file = loaded_count < LINK_TRACES_MAX ? fopen(name, "re") : NULL;
    char *copy = file != NULL && read_lines(file, &fresh) ? strdup(name) : NULL;
    if (file != NULL)
        fclose(file);
    if (copy == NULL) {
        free(fresh.at_ms);
        return false;
    }
    loaded[loaded_count].name = copy;
    *trace = loaded[loaded_count++].trace = fresh;
    return true;
}
