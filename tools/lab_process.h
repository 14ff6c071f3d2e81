/* lab_process.h - programs that run in a lab: each in a session of its own, so that what it starts
 * ends with it, and with its output in a file.
 */
#ifndef TOOLS_LAB_PROCESS_H
#define TOOLS_LAB_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process_options {
    const char *name;  /* for messages */
    const char *netns; /* by name; NULL: the caller's */
    char **words;      /* NULL at the end; "tcpct" is this program itself */
    char **environment;
    const char *folder; /* to run in; NULL: the caller's */
    const char *log;    /* the file for standard output and error */
    bool bound;         /* ends when the caller does, however that ends */
};

/* Starts it. Its number, or -1 after a message. */
pid_t process_start(const struct process_options *options);

/* When a process started, in ticks since boot: with its number, it names a process for good.
 * 0: there is none. */
unsigned long long process_started_at(pid_t pid);

/* Waits until a line of the log begins with "ready". 0; or its exit status if it ended first, or 1,
 * after a message and what it said; -1 if interrupted. */
int process_wait_ready(pid_t pid, const struct process_options *options);

/* Waits for its end. The exit status (128 + signal), -1 if interrupted, -2 if the time is over. */
int process_wait(pid_t pid, unsigned timeout_ms);

/* Runs one to its end, and ends what it left behind. As process_wait; 1 if it cannot be started. */
int process_run(const struct process_options *options, unsigned timeout_ms);

/* SIGTERM to a child and all that it started, SIGKILL to what does not end within five seconds;
 * none is left. */
void process_end(pid_t pid);

/* The same for a process that need not be a child, if it is still the one that started then.
 * False after a message if it does not end. */
bool process_end_other(pid_t pid, unsigned long long started_at);

/* From now on SIGINT, SIGTERM and SIGHUP interrupt what waits here, and orphans come to the caller. */
void process_catch_interrupts(void);
/* The signal, 0 if there was none. */
int process_interrupted(void);

/* Copies a log to standard error. */
void process_show_log(const char *path);

#endif
