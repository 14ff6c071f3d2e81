/* guard.h - for applications that cannot take a request twice: a listener admits each exchange once.
 *
 * An <ACK(SYN)> proves itself for as long as the secret of its cookie lives (RFC 6013, 4.4), and the
 * acknowledgment of a plain <SYN,ACK> for two minutes, so that a late duplicate, or a restart, would
 * be executed again after the connection has ended. A filter of fixed size remembers the exchanges
 * that were admitted, as 64 bits of a MAC over endpoints and the peer's ISN: the same for each cookie,
 * and for the plain form, of one exchange. Two tables of hashes take turns; an exchange stays for at
 * least as long as anything of it can verify. A full table refuses.
 */
#ifndef TCPCT_GUARD_H
#define TCPCT_GUARD_H

#include "mac.h"
#include "mac_input.h"
#include "memory.h"

struct guard {
    uint64_t *hashes[2]; /* 0: free */
    uint32_t mask, limit;
    uint32_t used;    /* of the first table */
    uint64_t turn_us; /* when the tables change places */
    uint64_t period_us;
};

/* A filter for `limit` exchanges (1 to 2^24) in each period. False: no memory. */
bool guard_create(struct guard *guard, struct memory *memory, uint32_t limit, uint64_t period_us,
                  uint64_t now_us);
void guard_destroy(struct guard *guard, struct memory *memory);

enum guard_verdict {
    GUARD_ADMITTED, /* and never again */
    GUARD_KNOWN,    /* it was before */
    GUARD_FULL,
};
/* The exchange of a peer's <SYN> with that ISN. */
enum guard_verdict guard_admit(struct guard *guard, const struct mac *mac,
                               const struct cookie_endpoints *endpoints, uint32_t peer_isn,
                               uint64_t now_us);

#endif
