/* icmp.h - ICMP (RFC 792) and ICMPv6 (RFC 4443): echoes are answered, and errors about our own
 * segments are advice.
 *
 * An error counts only if the segment that it quotes is one that we may have in flight (RFC 5927,
 * 4.1). "Too big" lowers the path MTU (RFC 1191, RFC 8201); "unreachable" fails a connection that
 * is still being made and is ignored otherwise (RFC 5927, 5).
 */
#ifndef TCPCT_ICMP_H
#define TCPCT_ICMP_H

#include "tcb.h"

/* Whether the packet, which is not TCP, is ICMP to one of our addresses: then it is dealt with. */
bool icmp_input(struct tcpct_stack *stack, const struct tcpct_packet *packet,
                struct tcpct_packet *reply, enum tcpct_verdict *verdict, uint64_t now_us);

#endif
