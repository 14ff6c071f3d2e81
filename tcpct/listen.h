/* listen.h - LISTEN: how a <SYN> is answered (RFC 6013, 4.2, 6.2).
 *
 * It is answered from a const stack: the compiler sees to it that nothing is kept. All that
 * the answer needs to be recognised again is in the answer: the Responder-Cookie, or, for plain
 * TCP, the ISN and the low bits of the timestamp (isn.h). What brings them back is opening.c's.
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

/* Whether any <SYN> may be answered with a Cookie. */
bool listen_uses_cookies(const struct tcpct_listener *listener);
/* Whether this <SYN> is. */
bool listen_wants_cookie(const struct tcpct_listener *listener, const struct segment *syn);

/* Whether the segment echoes a timestamp that such an answer could have had within the life of an
 * ISN. */
bool listen_echo_is_recent(const struct tcpct_stack *stack, const struct segment *segment,
                           uint64_t now_us);

#endif
