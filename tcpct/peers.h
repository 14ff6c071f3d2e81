/* peers.h - what an Initiator remembers of the peers it has tried: a small table in which the
 * entry that was used longest ago gives way.
 *
 * Fast Open cookies are kept here (RFC 7413, 4.1.3), and what a path or peer did not let through,
 * so that it is not tried for a while: "It is usually better that data arrive slowly, than not at
 * all" (RFC 6013, 2.2).
 */
#ifndef TCPCT_PEERS_H
#define TCPCT_PEERS_H

#include "tcb.h"

/* The entry of this peer, or NULL. */
struct peer *peers_find(struct tcpct_stack *stack, const struct tcpct_address *address);
/* The entry of this peer, a new one if there is none. */
struct peer *peers_use(struct tcpct_stack *stack, const struct tcpct_address *address,
                       uint64_t now_us);

#endif
