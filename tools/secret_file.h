/* secret_file.h - files of keys, one a line, that nobody but their owner may read; empty lines and
 * those that begin with # are left out. What was read is wiped.
 */
#ifndef TOOLS_SECRET_FILE_H
#define TOOLS_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Takes a line without its newline, and may change it. NULL, or what is wrong. */
typedef const char *secret_file_line(void *context, char *line);

/* False, and a sentence that names file and line in `error`: it cannot be read, others can read it, or
 * a line is wrong; lines before that one have been taken. */
bool secret_file_read(const char *path, secret_file_line *take_line, void *context, char *error,
                      size_t error_size);

#endif
