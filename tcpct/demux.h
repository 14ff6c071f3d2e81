/* demux.h - from a segment to its TCB: a chained hash table, keyed with a random seed, of a size
 * fixed when the stack is created.
 */
#ifndef TCPCT_DEMUX_H
#define TCPCT_DEMUX_H

#include "tcb.h"

/* The connection of these endpoints, or NULL; of two, the later one. */
struct tcpct_connection *demux_find(const struct tcpct_stack *stack,
                                    const struct endpoints *endpoints);
bool demux_same(const struct endpoints *a, const struct endpoints *b);
/* The other one, beside which this one is being made (RFC 6013, 4.1; handshake.h), or NULL. */
struct tcpct_connection *demux_older(const struct tcpct_connection *connection);
void demux_add(struct tcpct_stack *stack, struct tcpct_connection *connection);
void demux_remove(struct tcpct_stack *stack, struct tcpct_connection *connection);

/* The listener for a local address and port, or NULL; an exact address wins over "any". */
struct tcpct_listener *demux_listener(const struct tcpct_stack *stack,
                                      const struct tcpct_address *address, uint16_t port);

/* The endpoints of a segment that came in, seen from this end. */
struct endpoints demux_endpoints(const struct segment *segment);

#endif
