/* service.h - what the commands that serve until they are told to stop have in common: an endpoint,
 * an event loop, the signals, and statistics.
 */
#ifndef TOOLS_SERVICE_H
#define TOOLS_SERVICE_H

#include "tools/command.h"

/* Start from zero bytes with the first group set. */
struct service {
    struct endpoint_options endpoint_options;
    const char *stats_path; /* --stats FILE; NULL: none */
    /* A turn of the loop, and what SIGHUP does (NULL: nothing). */
    void (*serve)(void *context, struct tcpct_stack *stack, uint64_t now_us);
    void (*reload)(void *context);
    /* A packet that the stack did not want (NULL: nobody does). */
    void (*other_packet)(void *context, const struct tcpct_packet *packet, uint64_t now_us);
    /* Prints counters behind those of the stack. */
    void (*print_counters)(const void *context, FILE *file);
    void *context;

    struct endpoint endpoint;
    struct loop *loop;
    FILE *stats;
};

/* Opens statistics, endpoint and loop, in which SIGTERM and SIGINT end, SIGUSR1 writes statistics,
 * and SIGHUP reloads. 0, or the exit status after a message. */
int service_open(struct service *service, struct tcpct_config *config);
/* Gives up privileges, prints `ready` as a line, and runs. The exit status. */
int service_run(struct service *service, const char *ready);
/* Also after service_open has failed; before it closes the endpoint, `release` (may be NULL) frees
 * what stands on it. */
void service_close(struct service *service, void (*release)(void *context));

/* Prints a struct of uint64_t counters as lines of a JSON object. */
void service_print_counters(FILE *file, const void *counters, const char *(*name)(size_t index));

#endif
