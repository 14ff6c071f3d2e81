/* source.h - the files that a zone was read from, so that reloading leaves alone what has not
 * changed.
 */
#ifndef DNS_SOURCE_H
#define DNS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct source_file {
    char *path;
    uint64_t device, inode, size;
    int64_t modified_ns; /* since 1970 */
    bool settled; /* last modified long enough before it was read that a later change shows */
};

struct source_files {
    struct source_file *files;
    size_t count, room;
};

/* Notes the file that `file` reads. False: no memory. */
bool source_files_add(struct source_files *sources, const char *path, FILE *file);

/* True if every one of them is certain to be what was read. */
bool source_files_unchanged(const struct source_files *sources);

void source_files_release(struct source_files *sources);

#endif
