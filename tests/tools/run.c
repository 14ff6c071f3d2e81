/* run.c - standard output and error turned into files while the command runs. */
#include "tests/tools/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 32 };

/* Makes `stream` write to a new temporary file; returns the old descriptor. */
static int divert(FILE *stream, FILE **file)
{
    *file = tmpfile();
    int old = dup(fileno(stream));
    fflush(stream);
    if (*file == NULL || old < 0 || dup2(fileno(*file), fileno(stream)) < 0)
        abort();
    return old;
}

static void restore(FILE *stream, FILE *file, int old, char *text, size_t size)
{
    fflush(stream);
    if (dup2(old, fileno(stream)) < 0)
        abort();
    close(old);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

struct run run_command(int (*command)(int argc, char **argv), const char *const *words)
{
    static struct run run;
    char *argv[WORDS_MAX + 1];
    int argc = 0;
    FILE *out, *error;
    for (; words[argc] != NULL && argc < WORDS_MAX; argc++)
        argv[argc] = (char *)words[argc];
    argv[argc] = NULL;
    int old_out = divert(stdout, &out), old_error = divert(stderr, &error);
    run.status = command(argc, argv);
    restore(stdout, out, old_out, run.out, sizeof run.out);
    restore(stderr, error, old_error, run.error, sizeof run.error);
    return run;
}
