/* entry.c - zone text cut into entries: see entry.h. */
#include "entry.h"

#include <string.h>

/* What the next character means depends on what stood before it. */
struct scan {
    size_t size;
    unsigned depth; /* of parentheses */
    bool quoted, comment;
};

static bool fail(struct entry_reader *reader, const char *error)
{
    reader->error = error;
    return false;
}

static bool append(struct entry_reader *reader, struct scan *scan, int character)
{
    if (scan->size + 2 > ENTRY_SIZE_MAX)
        return fail(reader, "this record has more than 262143 characters");
    reader->text[scan->size++] = (char)character;
    reader->text[scan->size] = '\0';
    return true;
}

/* Takes one character that is not the end of the entry. */
static bool scan_character(struct entry_reader *reader, struct scan *scan, int character)
{
    if (character == '\n') {
        reader->line++;
        scan->comment = false;
        if (scan->quoted)
            return fail(reader, "a quoted string is not closed on its line");
        return append(reader, scan, ' ');
    }
    if (scan->comment)
        return true;
    if (character == '\0')
        return fail(reader, "a zero byte stands in the file");
    if (character == '\\') {
        int next = getc_unlocked(reader->file);
        if (next == EOF || next == '\n' || next == '\0')
            return fail(reader, "a backslash ends the line");
        return append(reader, scan, character) && append(reader, scan, next);
    }
    if (character == '"')
        scan->quoted = !scan->quoted;
    else if (!scan->quoted && character == ';') {
        scan->comment = true;
        return true;
    } else if (!scan->quoted && character == '(') {
        scan->depth++;
        character = ' ';
    } else if (!scan->quoted && character == ')') {
        if (scan->depth-- == 0)
            return fail(reader, "a parenthesis is closed that was not opened");
        character = ' ';
    } else if (character == '\r')
        character = ' ';
    return append(reader, scan, character);
}

/* Characters that mean nothing but themselves, wherever they stand. */
static bool is_ordinary(int character)
{
    return character > ';' ? character != '\\'
                           : (character >= '*' && character != ';') || character == ' ';
}

/* Takes ordinary characters, as long as there is room; returns the next one, or EOF. */
static int scan_ordinary(struct entry_reader *reader, struct scan *scan)
{
    char *to = reader->text + scan->size, *end = reader->text + ENTRY_SIZE_MAX - 1;
    int character;
    while (is_ordinary(character = getc_unlocked(reader->file)) && to < end)
        *to++ = (char)character;
    *to = '\0';
    scan->size = (size_t)(to - reader->text);
    return character;
}

bool entry_read(struct entry_reader *reader)
{
    struct scan scan = { 0 };
    reader->entry_line = reader->line;
    reader->text[0] = '\0';
    for (;;) {
        int character = scan.comment ? getc_unlocked(reader->file) : scan_ordinary(reader, &scan);
        reader->ended = character == EOF;
        if (reader->ended && ferror(reader->file))
            return fail(reader, "the file cannot be read");
        if (reader->ended && scan.quoted)
            return fail(reader, "the file ends inside a quoted string");
        if (reader->ended && scan.depth > 0)
            return fail(reader, "the file ends inside parentheses");
        if (reader->ended)
            return true;
        if (character == '\n' && scan.depth == 0 && !scan.quoted) {
            reader->line++;
            return true;
        }
        if (!scan_character(reader, &scan, character))
            return false;
    }
}

size_t entry_word(const char **at, const char **word)
{
    const char *end = *word = *at + strspn(*at, " \t");
    bool quoted = false;
    while (*end && (quoted || (*end != ' ' && *end != '\t'))) {
        quoted ^= *end == '"';
        end += *end == '\\' && end[1] ? 2 : 1;
    }
    *at = end;
    return (size_t)(end - *word);
}
