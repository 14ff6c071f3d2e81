/* arrival.h - a packet has come (RFC 9293, 3.10.7): to which connection it belongs, or what it begins.
 *
 * It is decoded, its address, checksum and signature are checked, and its TCB is found: that of its
 * endpoints, or a record of one that has collapsed, or none. A segment of another exchange or
 * incarnation with the same endpoints is told by its pair and its timestamps, and may end what is
 * there (RFC 6013, 4.1, 4.2, 4.4, 7; RFC 6191). Then it is handed to the room of that event.
 */
#ifndef TCPCT_ARRIVAL_H
#define TCPCT_ARRIVAL_H

#include "tcb.h"

/* The whole way of a packet in; what is to be said at once is in the reply, else of length 0. */
enum tcpct_verdict arrival_take(struct tcpct_stack *stack, const struct tcpct_packet *packet,
                                struct tcpct_packet *reply, uint64_t now_us);

#endif
