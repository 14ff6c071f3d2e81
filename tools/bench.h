/* bench.h - what `tcpct bench state` measures inside its own process (bench_state.c). Each ends the
 * process with a message if it cannot.
 */
#ifndef TOOLS_BENCH_H
#define TOOLS_BENCH_H

#include <stdbool.h>
#include <stdint.h>

/* MB that so many remembered connections take: at a Responder, or (client) at an Initiator. */
double bench_state_remembered(uint32_t records, bool ipv6, bool client);

struct bench_state {
    double collapsed_mb; /* so many records */
    double active_mb;    /* so many connections in use, beside them */
    /* A segment with a query, from packet in to event, medians: to a collapsed connection, and to one in
     * use; the difference is a revival. */
    double collapsed_us, active_us;
    double handshake_us; /* the kernel's, both ends, over the loopback device */
};
/* IPv4. */
void bench_state_collapsed(uint32_t records, uint32_t active, struct bench_state *found);

#endif
