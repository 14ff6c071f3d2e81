/* congestion.h - congestion control behind a small table of functions.
 *
 * The table decides how the window grows and by how much it falls; when it falls is loss
 * recovery's business (recovery.h).
 */
#ifndef TCPCT_CONGESTION_H
#define TCPCT_CONGESTION_H

#include <stdint.h>

#include "rtt.h"

struct congestion;

struct congestion_control {
    const char *name;
    /* `bytes` were newly acknowledged while no loss was being repaired, or after a timeout. */
    void (*acknowledged)(struct congestion *congestion, uint32_t bytes, const struct rtt *rtt,
                         uint64_t now_us);
    /* Loss: the new ssthresh, `in_flight` bytes being out. */
    uint32_t (*reduced)(struct congestion *congestion, uint32_t in_flight, uint64_t now_us);
};

struct congestion {
    const struct congestion_control *control;
    uint32_t mss;
    uint32_t cwnd, ssthresh; /* bytes */
    uint32_t counted;        /* bytes acknowledged towards the next increase */
};

extern const struct congestion_control congestion_newreno; /* RFC 5681, RFC 6582 */

/* IW10 (RFC 6928). */
void congestion_init(struct congestion *congestion, const struct congestion_control *control,
                     uint32_t mss);

#endif
