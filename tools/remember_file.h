/* remember_file.h - what a client remembers, in a file between its runs (--remember FILE).
 *
 * The file is locked while a run uses it, and empty meanwhile: a run that does not come to its end
 * leaves nothing behind that could be used twice. At the end another file takes its place at once.
 */
#ifndef TOOLS_REMEMBER_FILE_H
#define TOOLS_REMEMBER_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "tcpct/tcpct.h"

/* Start from zero bytes, with descriptor -1. */
struct remember_file {
    const char *path;
    int descriptor; /* -1: not open */
};

/* Opens and locks the file, makes it if there is none, and gives what it holds to the stack. Its owner
 * must be the caller, and nobody else may have access. False: `error` is a sentence. */
bool remember_file_open(struct remember_file *file, const char *path, struct tcpct_stack *stack,
                        char *error, size_t error_size);
/* Keeps what the stack remembers, and unlocks. False: `error` is a sentence; nothing is kept. */
bool remember_file_save(struct remember_file *file, const struct tcpct_stack *stack, char *error,
                        size_t error_size);
/* Unlocks without that. */
void remember_file_close(struct remember_file *file);

#endif
