/* bench.h - what `tcpct bench` measures inside its own process (bench.c, bench_state.c). */
#ifndef TOOLS_BENCH_H
#define TOOLS_BENCH_H

#include <stdint.h>

/* The pages that this process has in memory, in bytes; 0: unknown. */
uint64_t bench_resident(void);

struct bench_state {
    double remembered_mb, collapsed_mb; /* so many records */
    double active_mb;                   /* so many connections in use, beside the collapsed ones */
    /* A segment with a query, from packet in to event, medians: to a collapsed connection, and to one in
     * use; the difference is a revival. */
    double collapsed_us, active_us;
    double handshake_us; /* the kernel's, both ends, over the loopback device */
};
/* IPv4. Ends the process with a message if it cannot. */
void bench_state_measure(uint32_t records, uint32_t active, struct bench_state *found);

#endif
