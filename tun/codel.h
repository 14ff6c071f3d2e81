/* codel.h - CoDel (RFC 8289): which packets to drop at the head of a queue, so that none waits long for
 * long. For a caller that takes packets from the queue at times of its own.
 */
#ifndef TUN_CODEL_H
#define TUN_CODEL_H

#include <stdbool.h>
#include <stdint.h>

struct codel_config {
    uint64_t target_us;   /* what a packet may wait (RFC 8289, 4.4) */
    uint64_t interval_us; /* for how long it may wait longer; 0: no CoDel */
};

/* All zero to begin with. */
struct codel {
    uint64_t
        first_above_ns; /* when waiting has been too long for an interval; 0: it is not too long */
    uint64_t drop_next_ns;
    uint32_t count, last_count; /* dropped since dropping began, and when it began last */
    bool dropping;
};

/* A packet at the head. */
struct codel_packet {
    uint64_t waited_ns;
    bool leaves_little; /* no more than one packet's bytes are behind it */
    uint32_t dropped;   /* how many were since one was sent */
};

/* Whether this one is dropped, and the next to be looked at now. */
bool codel_drops(struct codel *codel, const struct codel_config *config,
                 const struct codel_packet *packet, uint64_t now_ns);

#endif
