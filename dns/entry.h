/* entry.h - zone text cut into entries: one record or directive each, on one line, without
 * comments and parentheses (RFC 1035, 5.1). What the words mean is not looked at.
 */
#ifndef DNS_ENTRY_H
#define DNS_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { ENTRY_SIZE_MAX = 1 << 18 }; /* bytes, with the final zero */

struct entry_reader {
    FILE *file;
    uint32_t line;       /* being read, from 1 */
    uint32_t entry_line; /* where the entry began */
    char *text;          /* the entry: ENTRY_SIZE_MAX bytes, ended by a zero */
    bool ended;          /* it was the file's last */
    const char *error;   /* why entry_read returned false */
};

/* Reads the next entry, possibly a blank one. */
bool entry_read(struct entry_reader *reader);

/* The next word from *at, which moves behind it; returns its size in bytes. Words are separated by
 * blanks that are neither escaped nor between quotation marks. */
size_t entry_word(const char **at, const char **word);

#endif
