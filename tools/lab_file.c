/* lab_file.c - see lab_file.h: a table of keywords, each with how many words it takes and whether
 * indented lines may follow it.
 */
#include "tools/lab_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/units.h"

enum { WORDS_MAX = 48, INCLUDES_MAX = 4, SKIP_MAX = 1000 };

struct lab_text {
    struct lab_text *next;
    char bytes[];
};

struct reader {
    struct lab_file *file;
    struct lab_part *part;
    const char *path;
    unsigned line, depth;
    const char *words[WORDS_MAX + 1];
    size_t count;
    const char *block; /* the indented lines, without their indentation; "" if there are none */
    char *error;
};

/* ---- text ------------------------------------------------------------------------------------- */

const char *lab_file_keep(struct lab_file *file, const char *text, size_t size)
{
    struct lab_text *kept = malloc(sizeof *kept + size + 1);
    if (kept == NULL)
        exit(command_error("lab", 1, "out of memory"));
    memcpy(kept->bytes, text, size);
    kept->bytes[size] = '\0';
    kept->next = file->texts;
    file->texts = kept;
    return kept->bytes;
}

static bool fail(const struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(const struct reader *reader, const char *format, ...)
{
    va_list arguments;
    int at = snprintf(reader->error, LAB_ERROR_SIZE, "%s, line %u: ", reader->path, reader->line);
    if (at < 0 || at >= LAB_ERROR_SIZE)
        return false;
    va_start(arguments, format);
    vsnprintf(reader->error + at, (size_t)(LAB_ERROR_SIZE - at), format, arguments);
    va_end(arguments);
    return false;
}

/* A name that the shell takes for a variable's, too. */
static bool name_is_good(const char *name)
{
    if (!isalpha((unsigned char)*name))
        return false;
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

/* Divides a line; false if a quote is not closed or there are too many words. */
static bool split(struct reader *reader, const char *line)
{
    reader->count = 0;
    for (;;) {
        line += strspn(line, " \t");
        if (*line == '\0' || *line == '#')
            return true;
        bool quoted = *line == '"';
        line += quoted;
        size_t size = strcspn(line, quoted ? "\"" : " \t");
        if (quoted && line[size] != '"')
            return fail(reader, "a quote is not closed");
        if (reader->count == WORDS_MAX)
            return fail(reader, "at most %d words", WORDS_MAX);
        reader->words[reader->count++] = lab_file_keep(reader->file, line, size);
        line += size + quoted;
    }
}

/* The words from `first` on as one text. */
static const char *join(struct reader *reader, size_t first)
{
    char text[4096];
    size_t size = 0;
    for (size_t i = first; i < reader->count && size < sizeof text; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s", i > first ? " " : "",
                                 reader->words[i]);
    return lab_file_keep(reader->file, text, size < sizeof text ? size : sizeof text - 1);
}

/* ---- keywords --------------------------------------------------------------------------------- */

/* The next free entry, or NULL after a message. */
#define NEXT(reader, array, count)                                   \
    ((count) < sizeof(array) / sizeof *(array) ? &(array)[(count)++] \
                                               : (fail(reader, "too many of them"), NULL))

static bool find_host(const struct reader *reader, const char *name, size_t *host)
{
    for (*host = 0; *host < reader->part->host_count; ++*host)
        if (strcmp(reader->part->hosts[*host].name, name) == 0)
            return true;
    return fail(reader, "there is no host \"%s\" above", name);
}

static bool take_title(struct reader *reader)
{
    reader->file->title = join(reader, 1);
    return true;
}

static bool take_about(struct reader *reader)
{
    if (reader->file->part_count > 0)
        reader->part->about = reader->block;
    else
        reader->file->about = reader->block;
    return true;
}

static bool take_variable(struct reader *reader, struct lab_variable *variable)
{
    if (variable == NULL)
        return false;
    if (!name_is_good(reader->words[1]))
        return fail(reader, "\"%s\" is no name: letters, digits and _", reader->words[1]);
    if (reader->count - 2 > LAB_VALUES_MAX)
        return fail(reader, "at most %d values", LAB_VALUES_MAX);
    variable->name = reader->words[1];
    variable->count = reader->count - 2;
    memcpy(variable->values, reader->words + 2, variable->count * sizeof *variable->values);
    return true;
}

static bool take_set(struct reader *reader)
{
    struct lab_file *file = reader->file;
    for (size_t i = 0; i < file->setting_count; i++) /* over one of an included file */
        if (strcmp(file->settings[i].name, reader->words[1]) == 0)
            return take_variable(reader, &file->settings[i]);
    return take_variable(reader, NEXT(reader, file->settings, file->setting_count));
}

static bool take_vary(struct reader *reader)
{
    struct lab_part *part = reader->part;
    return take_variable(reader, NEXT(reader, part->variables, part->variable_count));
}

static bool take_quick(struct reader *reader)
{
    struct lab_part *part = reader->part;
    return take_variable(reader, NEXT(reader, part->quick, part->quick_count));
}

static bool take_host(struct reader *reader)
{
    struct lab_part *part = reader->part;
    struct lab_host *host = NEXT(reader, part->hosts, part->host_count);
    struct tun_address address;
    if (host == NULL)
        return false;
    const char *name = reader->words[1];
    if (!name_is_good(name) || strlen(name) > 12)
        return fail(reader, "\"%s\" is no host's name: up to 12 letters, digits and _", name);
    *host = (struct lab_host){ .name = name, .prefix_count = reader->count - 2 };
    for (size_t i = 0; i < host->prefix_count; i++) {
        host->prefixes[i] = reader->words[2 + i];
        if (!address_parse_prefix(host->prefixes[i], &address))
            return fail(reader, "\"%s\" is no prefix such as 10.60.1.0/24", host->prefixes[i]);
    }
    return true;
}

static bool take_link(struct reader *reader)
{
    struct lab_part *part = reader->part;
    struct lab_link *link = NEXT(reader, part->links, part->link_count);
    if (link == NULL || !find_host(reader, reader->words[1], &link->ends[0]) ||
        !find_host(reader, reader->words[2], &link->ends[1]))
        return false;
    if (link->ends[0] == link->ends[1])
        return fail(reader, "a link has two ends");
    link->flags = join(reader, 3);
    return true;
}

static bool take_before(struct reader *reader)
{
    reader->part->before = reader->block;
    return true;
}

static bool take_run(struct reader *reader)
{
    struct lab_part *part = reader->part;
    struct lab_program *program = NEXT(reader, part->programs, part->program_count);
    if (program == NULL || !find_host(reader, reader->words[1], &program->host))
        return false;
    program->shell = reader->block;
    return true;
}

static bool take_measure(struct reader *reader)
{
    struct lab_part *part = reader->part;
    struct lab_measure *measure = NEXT(reader, part->measures, part->measure_count);
    uint64_t skip = 0;
    if (measure == NULL || !find_host(reader, reader->words[1], &measure->host))
        return false;
    measure->label = reader->words[2];
    measure->shell = reader->block;
    for (size_t i = 3; i < reader->count; i++) {
        const char *word = reader->words[i];
        if (strcmp(word, "sum") == 0)
            measure->sum = true;
        else if (strcmp(word, "uncaptured") == 0)
            measure->uncaptured = true;
        else if (strncmp(word, "skip=", 5) != 0 || !unit_number(word + 5, 0, SKIP_MAX, &skip))
            return fail(reader, "measure takes skip=NUMBER, sum and uncaptured, not \"%s\"", word);
    }
    measure->skip = (unsigned)skip;
    return true;
}

static bool take_names(struct reader *reader, enum lab_figure_kind kind, size_t first, size_t max)
{
    struct lab_part *part = reader->part;
    struct lab_figure *figure = NEXT(reader, part->figures, part->figure_count);
    if (figure == NULL)
        return false;
    figure->kind = kind;
    if (first == 2)
        figure->x = reader->words[1];
    for (size_t i = first; i < reader->count; i++) {
        const char *word = reader->words[i];
        if (strcmp(word, "log=x") == 0)
            figure->x_log = true;
        else if (strcmp(word, "log=y") == 0)
            figure->y_log = true;
        else if (figure->name_count < max)
            figure->names[figure->name_count++] = word;
        else if (kind != LAB_TABLE && figure->title == NULL)
            figure->title = word;
        else
            return fail(reader, "\"%s\" is one word too many", word);
    }
    return figure->name_count > 0 ? true : fail(reader, "what is to be shown?");
}

static bool take_table(struct reader *reader)
{
    return take_names(reader, LAB_TABLE, 1, LAB_NAMES_MAX);
}

static bool take_lines(struct reader *reader)
{
    return take_names(reader, LAB_LINES, 2, 1);
}

static bool take_bars(struct reader *reader)
{
    return take_names(reader, LAB_BARS, 2, 1);
}

static bool take_cdf(struct reader *reader)
{
    return take_names(reader, LAB_CDF, 1, 1);
}

static bool take_label(struct reader *reader)
{
    struct lab_file *file = reader->file;
    struct lab_label *label = NEXT(reader, file->labels, file->label_count);
    if (label == NULL)
        return false;
    *label = (struct lab_label){ reader->words[1], join(reader, 2) };
    return true;
}

/* parts[0] collects what stands before the first part, and becomes it. */
static bool take_part(struct reader *reader)
{
    static struct lab_part common;
    struct lab_file *file = reader->file;
    if (!name_is_good(reader->words[1]))
        return fail(reader, "\"%s\" is no name: letters, digits and _", reader->words[1]);
    if (file->part_count == LAB_PARTS_MAX)
        return fail(reader, "at most %d parts", LAB_PARTS_MAX);
    if (file->part_count == 0)
        common = file->parts[0];
    reader->part = &file->parts[file->part_count++];
    *reader->part = common;
    reader->part->name = reader->words[1];
    reader->part->title = join(reader, 2);
    return true;
}

static bool read_path(struct reader *reader, const char *path);

static bool take_include(struct reader *reader)
{
    char path[1024];
    const char *slash = strrchr(reader->path, '/');
    int folder = slash != NULL ? (int)(slash - reader->path + 1) : 0;
    if (reader->depth == INCLUDES_MAX)
        return fail(reader, "files include each other");
    struct reader inner = { .file = reader->file,
                            .part = reader->part,
                            .depth = reader->depth + 1,
                            .error = reader->error };
    snprintf(path, sizeof path, "%.*s%s", folder, reader->path, reader->words[1]);
    bool good = read_path(&inner, path);
    reader->part = inner.part;
    return good;
}

static const struct keyword {
    const char *name;
    size_t min, max; /* words behind it */
    bool block;      /* indented lines must follow */
    bool (*take)(struct reader *reader);
} keywords[] = {
    { "title", 1, WORDS_MAX, false, take_title },
    { "about", 0, 0, true, take_about },
    { "include", 1, 1, false, take_include },
    { "set", 2, 2, false, take_set },
    { "vary", 2, WORDS_MAX, false, take_vary },
    { "quick", 2, WORDS_MAX, false, take_quick },
    { "host", 2, 1 + LAB_PREFIXES_MAX, false, take_host },
    { "link", 2, WORDS_MAX, false, take_link },
    { "before", 0, 0, true, take_before },
    { "run", 1, 1, true, take_run },
    { "measure", 2, 5, true, take_measure },
    { "table", 1, LAB_NAMES_MAX, false, take_table },
    { "lines", 2, 5, false, take_lines },
    { "bars", 2, 5, false, take_bars },
    { "cdf", 1, 3, false, take_cdf },
    { "label", 2, WORDS_MAX, false, take_label },
    { "part", 2, WORDS_MAX, false, take_part },
};

static bool take(struct reader *reader)
{
    const char *name = reader->words[0];
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        const struct keyword *keyword = &keywords[i];
        if (strcmp(keyword->name, name) != 0)
            continue;
        if (reader->count - 1 < keyword->min || reader->count - 1 > keyword->max)
            return fail(reader, "%s takes %zu to %zu words", name, keyword->min, keyword->max);
        if (keyword->block != (*reader->block != '\0'))
            return fail(reader,
                        keyword->block ? "indented lines must follow %s"
                                       : "no indented lines may follow %s",
                        name);
        return keyword->take(reader);
    }
    return fail(reader, "there is no keyword \"%s\"", name);
}

/* ---- lines ------------------------------------------------------------------------------------ */

/* Gathers the indented and empty lines at *at, each without the first one's indentation. */
static const char *gather(struct reader *reader, const char **at, unsigned *lines)
{
    size_t indent = 0, size = 0, room = strlen(*at) + 1;
    char *text = malloc(room);
    if (text == NULL)
        exit(command_error("lab", 1, "out of memory"));
    while (**at == ' ' || **at == '\t' || **at == '\n') {
        size_t length = strcspn(*at, "\n"), own = strspn(*at, " \t");
        bool empty = own >= length;
        if (!empty && indent == 0)
            indent = own;
        size_t cut = empty ? length : own < indent ? own : indent;
        if (!empty || size > 0) {
            memcpy(text + size, *at + cut, length - cut);
            size += length - cut;
            text[size++] = '\n';
        }
        *at += length + ((*at)[length] == '\n');
        ++*lines;
    }
    while (size > 0 && text[size - 1] == '\n')
        size--;
    const char *kept = lab_file_keep(reader->file, text, size);
    free(text);
    return kept;
}

static bool read_text(struct reader *reader, const char *text)
{
    for (unsigned lines = 1; *text != '\0';) {
        char line[4096];
        size_t length = strcspn(text, "\n");
        reader->line = lines++;
        if (length >= sizeof line)
            return fail(reader, "the line is too long");
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        text += length + (text[length] == '\n');
        if (*line == ' ' || *line == '\t') {
            if (line[strspn(line, " \t")] != '\0')
                return fail(reader, "an indented line belongs to nothing");
            continue;
        }
        if (!split(reader, line))
            return false;
        reader->block = reader->count > 0 ? gather(reader, &text, &lines) : "";
        if (reader->count > 0 && !take(reader))
            return false;
    }
    return true;
}

static bool read_path(struct reader *reader, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        snprintf(reader->error, LAB_ERROR_SIZE, "cannot read %s: %s", path, strerror(errno));
        return false;
    }
    if (reader->file->path_count < LAB_PATHS_MAX)
        reader->file->paths[reader->file->path_count++] =
            lab_file_keep(reader->file, path, strlen(path));
    ssize_t got = getdelim(&text, &size, '\0', in);
    fclose(in);
    reader->path = path;
    bool good = got <= 0 || read_text(reader, text);
    free(text);
    return good;
}

struct lab_file *lab_file_read(const char *path, const char *text, char *error)
{
    struct lab_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        exit(command_error("lab", 1, "out of memory"));
    struct reader reader = { .file = file, .part = file->parts, .path = path, .error = error };
    bool good = text != NULL ? read_text(&reader, text) : read_path(&reader, path);
    if (!good) {
        lab_file_free(file);
        return NULL;
    }
    if (file->part_count == 0) {
        file->part_count = 1;
        file->parts[0].name = "all";
    }
    return file;
}

void lab_file_free(struct lab_file *file)
{
    while (file != NULL && file->texts != NULL) {
        struct lab_text *next = file->texts->next;
        free(file->texts);
        file->texts = next;
    }
    free(file);
}
