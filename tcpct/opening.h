/* opening.h - the first segment that proves itself makes the TCB (RFC 6013, 4.4, 4.5, 6.4).
 *
 * An <ACK(SYN)> brings back what our <SYN,ACK(SYN)> said (listen.h): a Cookie-Pair that we made for
 * its numbers, or, for plain TCP, an ISN that we made for its endpoints and a timestamp of that
 * time. What proves nothing makes nothing.
 */
#ifndef TCPCT_OPENING_H
#define TCPCT_OPENING_H

#include "tcb.h"

/* A segment without SYN that has no TCB: makes one if it proves that its sender received our
 * <SYN,ACK(SYN)>. NULL otherwise, with the verdict; the reply may be a reset. */
struct tcpct_connection *opening_take(struct tcpct_stack *stack, struct tcpct_listener *listener,
                                      const struct segment *segment, struct tcpct_packet *reply,
                                      enum tcpct_verdict *verdict, uint64_t now_us);

/* 4.5: the opening for the answer of listen_simultaneous makes the connection, or, where both sides
 * have answered so, decides by the lesser Cookie who is the Responder; it is then to be processed.
 * False: it is none. */
bool opening_converts(struct tcpct_connection *connection, const struct segment *segment,
                      uint64_t now_us);

/* Whether its pair is that of this connection, which was opened without: the Initiator does not know
 * yet which of its openings arrived. */
bool opening_owns_pair(const struct tcpct_connection *connection, const struct segment *segment);

/* Whether the segment's Cookie-Pair was made by us for its numbers (3.5.2). */
enum cookie_verdict opening_verify(const struct tcpct_stack *stack, const struct segment *segment,
                                   unsigned *slot);
/* Whether it acknowledges an ISN that we made for it, and echoes a timestamp of that time. */
bool opening_verify_isn(const struct tcpct_stack *stack, const struct segment *segment,
                        uint64_t now_us);

#endif
