/* experiment_record.h - what an experiment was: its lab files, and what of the machine may matter to
 * a figure; and which experiments there are.
 */
#ifndef TOOLS_EXPERIMENT_RECORD_H
#define TOOLS_EXPERIMENT_RECORD_H

#include <stdio.h>

#include "tools/experiment.h"

enum { RECORD_FACTS_MAX = 12 };

struct record_fact {
    char name[64], value[256];
};

/* Reads a shipped experiment, or a path: what has a dot or slash. NULL after a message. */
struct lab_file *record_read_file(const char *name);

/* A file in a folder; NULL after a message. */
FILE *record_create(const char *folder, const char *name);
/* Closes it. 0, or 1 after a message. */
int record_finish(FILE *out, const char *name);

/* Versions and the machine, for facts[RECORD_FACTS_MAX]; returns how many. The folder is for
 * scratch. */
size_t record_find(struct record_fact *facts, const char *folder);

/* parameters.json. 0, or 1 after a message. */
int record_write(const struct experiment_options *options, const struct lab_file *file,
                 const char *folder, const struct record_fact *versions, size_t version_count);
/* The same for the report. */
void record_write_html(FILE *out, const struct lab_file *file, const struct record_fact *versions,
                       size_t version_count);
/* The lab files as they were read. 0, or 1 after a message. */
int record_copy_files(const struct lab_file *file, const char *folder);

#endif
