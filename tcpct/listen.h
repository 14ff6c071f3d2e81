/* listen.h - the Responder until there is a TCB (RFC 6013, 4.2, 4.4, 6.2).
 *
 * A <SYN> is answered from a const stack: the compiler sees to it that nothing is kept. All that
 * the answer needs to be recognised again is in the answer: the Responder-Cookie, or, for plain
 * TCP, the ISN and the low bits of the timestamp (isn.h). The TCB is made from the first segment
 * that brings them back.
 */
#ifndef TCPCT_LISTEN_H
#define TCPCT_LISTEN_H

#include "tcb.h"

enum listen_verdict {
    LISTEN_REPLIED_COOKIE, /* <SYN,ACK(SYN)> with a Cookie */
    LISTEN_REPLIED_ANSWER, /* ... and the whole answer */
    LISTEN_REPLIED_PLAIN,  /* <SYN,ACK(SYN)> of plain TCP */
    LISTEN_REFUSED,        /* discarded: no Cookie where one is required, or <SYN,FIN> */
};

/* Answers a <SYN>; beside a TCB of the same endpoints, `beside` is what the TS Value must exceed
 * (4.2), otherwise NULL. */
enum listen_verdict listen_syn(const struct tcpct_stack *stack,
                               const struct tcpct_listener *listener, const uint32_t *beside,
                               const struct segment *syn, struct tcpct_packet *reply,
                               uint64_t now_us);

/* 4.5: answers a <SYN> with Cookie and Timestamps that crossed ours, for a TCB in SYN-SENT that
 * becomes the Responder. False: no memory. */
bool listen_simultaneous(struct tcpct_connection *connection, const struct segment *syn,
                         struct tcpct_packet *reply, uint64_t now_us);
/* The opening for that answer makes the connection, or, where both sides have answered so, decides by
 * the lesser Cookie who is the Responder; it is then to be processed. False: it is none. */
bool listen_converts(struct tcpct_connection *connection, const struct segment *segment,
                     uint64_t now_us);

/* A segment without SYN that has no TCB: makes one if it proves that its sender received our
 * <SYN,ACK(SYN)>. NULL otherwise, with the verdict; the reply may be a reset. */
struct tcpct_connection *listen_open(struct tcpct_stack *stack, struct tcpct_listener *listener,
                                     const struct segment *segment, struct tcpct_packet *reply,
                                     enum tcpct_verdict *verdict, uint64_t now_us);

/* Whether a connection may be made of the exchange that a <SYN> with this ISN began: a guarded
 * listener admits each once. Counted. */
bool listen_admits(struct tcpct_listener *listener, const struct endpoints *endpoints,
                   uint32_t peer_isn, uint64_t now_us);

/* Whether another connection may wait to be accepted; if not, it is counted. */
bool listen_backlog_room(struct tcpct_listener *listener);
/* A connection of the listener waits to be accepted. */
void listen_backlog_append(struct tcpct_connection *connection);
/* The same, if there is room. */
bool listen_backlog_add(struct tcpct_connection *connection);
/* It is no longer half made. */
void listen_unqueue(struct tcpct_connection *connection);

/* Whether any <SYN> may be. */
bool listen_uses_cookies(const struct tcpct_listener *listener);
/* Whether this <SYN> is answered with a Cookie. */
bool listen_wants_cookie(const struct tcpct_listener *listener, const struct segment *syn);

/* Whether its pair is that of this connection, which was opened without: the Initiator does not know
 * yet which of its openings arrived. */
bool listen_owns_pair(const struct tcpct_connection *connection, const struct segment *segment);

/* Whether the segment's Cookie-Pair was made by us for its numbers (3.5.2). */
enum cookie_verdict listen_verify(const struct tcpct_stack *stack, const struct segment *segment,
                                  unsigned *slot);
/* Whether it acknowledges an ISN that we made for it, and echoes a timestamp of that time. */
bool listen_verify_isn(const struct tcpct_stack *stack, const struct segment *segment,
                       uint64_t now_us);

#endif
