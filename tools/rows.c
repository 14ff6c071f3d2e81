/* rows.c - see rows.h. */
#include "tools/rows.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"

enum { NAMES_MAX = 256, NAME_SIZE = 64, VALUE_SIZE = 256, DEPTH_MAX = 8 };

struct row {
    char *values[NAMES_MAX]; /* by name; NULL: none */
};

struct rows {
    char *names[NAMES_MAX];
    size_t name_count;
    struct row *rows;
    size_t row_count, row_room;
};

static void *need(void *memory)
{
    if (memory == NULL)
        exit(command_error(NULL, 1, "out of memory"));
    return memory;
}

struct rows *rows_create(void)
{
    return need(calloc(1, sizeof(struct rows)));
}

void rows_destroy(struct rows *rows)
{
    if (rows == NULL)
        return;
    rows_remove(rows, 0, rows->row_count);
    for (size_t i = 0; i < rows->name_count; i++)
        free(rows->names[i]);
    free(rows->rows);
    free(rows);
}

size_t rows_count(const struct rows *rows)
{
    return rows->row_count;
}

size_t rows_add(struct rows *rows)
{
    if (rows->row_count == rows->row_room) {
        rows->row_room = rows->row_room * 2 + 16;
        rows->rows = need(realloc(rows->rows, rows->row_room * sizeof *rows->rows));
    }
    rows->rows[rows->row_count] = (struct row){ 0 };
    return rows->row_count++;
}

void rows_remove(struct rows *rows, size_t first, size_t count)
{
    for (size_t row = first; row < first + count; row++)
        for (size_t i = 0; i < rows->name_count; i++)
            free(rows->rows[row].values[i]);
    if (count > 0)
        memmove(&rows->rows[first], &rows->rows[first + count],
                (rows->row_count - first - count) * sizeof *rows->rows);
    rows->row_count -= count;
}

/* NAMES_MAX: there is none. */
static size_t find(const struct rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->name_count; i++)
        if (strcmp(rows->names[i], name) == 0)
            return i;
    return NAMES_MAX;
}

void rows_put(struct rows *rows, size_t row, const char *name, const char *value)
{
    size_t place = find(rows, name);
    if (place == NAMES_MAX) {
        if (rows->name_count == NAMES_MAX)
            return; /* more than anybody reads */
        place = rows->name_count++;
        rows->names[place] = need(strdup(name));
    }
    free(rows->rows[row].values[place]);
    rows->rows[row].values[place] = need(strdup(value));
}

void rows_put_number(struct rows *rows, size_t row, const char *name, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.10g", value);
    rows_put(rows, row, name, text);
}

const char *rows_get(const struct rows *rows, size_t row, const char *name)
{
    size_t place = find(rows, name);
    return place == NAMES_MAX ? NULL : rows->rows[row].values[place];
}

bool rows_get_number(const struct rows *rows, size_t row, const char *name, double *number)
{
    const char *text = rows_get(rows, row, name);
    if (text == NULL)
        return false;
    char *end;
    *number = strtod(text, &end);
    return end != text && isfinite(*number);
}

/* ---- JSON ------------------------------------------------------------------------------------- */

struct json {
    struct rows *rows;
    size_t row;
    const char *at;
    unsigned depth;
};

static void skip_blanks(struct json *json)
{
    json->at += strspn(json->at, " \t\r\n");
}

static bool expect(struct json *json, char what)
{
    skip_blanks(json);
    if (*json->at != what)
        return false;
    json->at++;
    return true;
}

/* Cut to `size`; an escape is taken for the character behind it, as far as it is one of ASCII. */
static bool read_text(struct json *json, char *text, size_t size)
{
    size_t length = 0;
    if (!expect(json, '"'))
        return false;
    while (*json->at != '"') {
        json->at += *json->at == '\\';
        if (*json->at == '\0')
            return false;
        if (length + 1 < size)
            text[length++] = *json->at;
        json->at++;
    }
    text[length] = '\0';
    json->at++;
    return true;
}

static void put(const struct json *json, const char *name, const char *value)
{
    char milliseconds[NAME_SIZE + 1], *end;
    size_t size = strlen(name);
    double number = strtod(value, &end);
    if (size < 3 || strcmp(name + size - 3, "_us") != 0 || end == value) {
        rows_put(json->rows, json->row, name, value);
        return;
    }
    snprintf(milliseconds, sizeof milliseconds, "%.*s_ms", (int)size - 3, name);
    rows_put_number(json->rows, json->row, milliseconds, number / 1000);
}

static bool read_object(struct json *json, const char *outer);

/* Passes over it. */
static bool read_array(struct json *json)
{
    char text[VALUE_SIZE];
    for (unsigned depth = 0;; json->at++) {
        if (*json->at == '"') {
            if (!read_text(json, text, sizeof text))
                return false;
            json->at--;
        }
        depth += *json->at == '[';
        depth -= *json->at == ']';
        if (*json->at == '\0' || depth == 0)
            break;
    }
    return *json->at++ == ']';
}

static bool read_value(struct json *json, const char *name)
{
    char text[VALUE_SIZE];
    skip_blanks(json);
    if (*json->at == '{')
        return read_object(json, name);
    if (*json->at == '[')
        return read_array(json);
    if (*json->at == '"') {
        if (!read_text(json, text, sizeof text))
            return false;
        put(json, name, text);
        return true;
    }
    size_t length = strcspn(json->at, ",}] \t\r\n");
    if (length == 0 || length >= sizeof text)
        return false;
    snprintf(text, sizeof text, "%.*s", (int)length, json->at);
    json->at += length;
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        put(json, name, *text == 't' ? "1" : "0");
    else if (isdigit((unsigned char)*text) || *text == '-')
        put(json, name, text);
    else
        return strcmp(text, "null") == 0;
    return true;
}

static bool read_object(struct json *json, const char *outer)
{
    char inner[NAME_SIZE / 2], name[NAME_SIZE];
    if (json->depth == DEPTH_MAX || !expect(json, '{'))
        return false;
    json->depth++;
    skip_blanks(json);
    for (bool more = *json->at != '}'; more;) {
        skip_blanks(json);
        if (!read_text(json, inner, sizeof inner) || !expect(json, ':'))
            return false;
        snprintf(name, sizeof name, "%.31s%s%s", outer, *outer != '\0' ? "." : "", inner);
        if (!read_value(json, name))
            return false;
        skip_blanks(json);
        more = *json->at == ',';
        json->at += more;
    }
    json->depth--;
    return expect(json, '}');
}

bool rows_put_json(struct rows *rows, size_t row, const char *object)
{
    struct json json = { .rows = rows, .row = row, .at = object };
    if (!read_object(&json, ""))
        return false;
    skip_blanks(&json);
    return *json.at == '\0';
}

/* ---- files ------------------------------------------------------------------------------------ */

void json_write_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ')
            fprintf(out, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void write_csv_value(FILE *out, const char *value)
{
    if (value == NULL)
        return;
    if (value[strcspn(value, "\",\r\n")] == '\0') {
        fputs(value, out);
        return;
    }
    fputc('"', out);
    for (; *value != '\0'; value++) {
        if (*value == '"')
            fputc('"', out);
        fputc(*value, out);
    }
    fputc('"', out);
}

void rows_write_csv(const struct rows *rows, FILE *out)
{
    for (size_t i = 0; i < rows->name_count; i++) {
        fputs(i > 0 ? "," : "", out);
        write_csv_value(out, rows->names[i]);
    }
    fputs("\r\n", out);
    for (size_t row = 0; row < rows->row_count; row++) {
        for (size_t i = 0; i < rows->name_count; i++) {
            fputs(i > 0 ? "," : "", out);
            write_csv_value(out, rows->rows[row].values[i]);
        }
        fputs("\r\n", out);
    }
}

/* A number as JSON writes one, too: no plus, no leading zeros, no hexadecimal. */
static bool is_json_number(const char *text)
{
    text += *text == '-';
    if (!isdigit((unsigned char)*text) || (*text == '0' && isdigit((unsigned char)text[1])))
        return false;
    text += strspn(text, "0123456789");
    if (*text == '.') {
        size_t digits = strspn(++text, "0123456789");
        if (digits == 0)
            return false;
        text += digits;
    }
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        size_t digits = strspn(text, "0123456789");
        if (digits == 0)
            return false;
        text += digits;
    }
    return *text == '\0';
}

void rows_write_json(const struct rows *rows, FILE *out)
{
    fputc('[', out);
    for (size_t row = 0; row < rows->row_count; row++) {
        bool first = true;
        fputs(row > 0 ? ",\n {" : "\n {", out);
        for (size_t i = 0; i < rows->name_count; i++) {
            const char *value = rows->rows[row].values[i];
            if (value == NULL)
                continue;
            fputs(first ? "" : ", ", out);
            first = false;
            json_write_text(out, rows->names[i]);
            fputs(": ", out);
            if (is_json_number(value))
                fputs(value, out);
            else
                json_write_text(out, value);
        }
        fputc('}', out);
    }
    fputs("\n]\n", out);
}
