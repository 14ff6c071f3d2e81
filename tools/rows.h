/* rows.h - what an experiment measured: rows of named values, which need not all have the same
 * names.
 */
#ifndef TOOLS_ROWS_H
#define TOOLS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct rows;

struct rows *rows_create(void);
void rows_destroy(struct rows *rows);

size_t rows_count(const struct rows *rows);
/* A new row, without values; returns its number. */
size_t rows_add(struct rows *rows);
/* Takes `count` rows away, from that one on. */
void rows_remove(struct rows *rows, size_t first, size_t count);

void rows_put(struct rows *rows, size_t row, const char *name, const char *value);
void rows_put_number(struct rows *rows, size_t row, const char *name, double value);
/* Takes the values of one JSON object: those of objects inside it as `outer.inner`, true and false
 * as 1 and 0, without null and arrays; NAME_us, in microseconds, becomes NAME_ms. False if the text is
 * none. */
bool rows_put_json(struct rows *rows, size_t row, const char *object);

/* NULL: it has none of that name. */
const char *rows_get(const struct rows *rows, size_t row, const char *name);
/* False also if it does not begin with a number; a unit behind it is left out ("10ms" is 10). */
bool rows_get_number(const struct rows *rows, size_t row, const char *name, double *number);

/* RFC 4180, with a line of names. */
void rows_write_csv(const struct rows *rows, FILE *out);
/* An array of objects. */
void rows_write_json(const struct rows *rows, FILE *out);
/* One text as JSON has it, with its quotes. */
void json_write_text(FILE *out, const char *text);

#endif
