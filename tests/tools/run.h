/* run.h - a command of the tcpct program run inside a test, with what it printed. */
#ifndef TESTS_TOOLS_RUN_H
#define TESTS_TOOLS_RUN_H

struct run {
    int status;
    char out[8192], error[1024]; /* standard output and error, cut to these sizes */
};

/* `words` ends with NULL and begins with the command's name. */
struct run run_command(int (*command)(int argc, char **argv), const char *const *words);

#endif
