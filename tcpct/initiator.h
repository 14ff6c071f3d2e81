/* initiator.h - the Initiator until it has heard from a TCB (RFC 6013, 4.1, 4.3, 6.1, 6.3).
 *
 * It alone retransmits: the Responder keeps nothing. A <SYN> is sent again by timeout, at first
 * with everything, then without data, then without the Cookie, because it is usually better that
 * data arrive slowly than not at all (2.2). After the <SYN,ACK(SYN)> the <ACK(SYN)> is sent again
 * until the Responder shows that it has state.
 */
#ifndef TCPCT_INITIATOR_H
#define TCPCT_INITIATOR_H

#include "tcb.h"

/* A segment for a connection in SYN-SENT. */
enum tcpct_verdict initiator_syn_sent(struct tcpct_connection *connection,
                                      const struct segment *segment, struct tcpct_packet *reply,
                                      uint64_t now_us);

/* Another <SYN,ACK(SYN)> for a connection with cookies: its cookie may be the right one (13). The
 * opening is sent with either in turn until the Responder shows which it was. */
enum tcpct_verdict initiator_syn_ack_again(struct tcpct_connection *connection,
                                           const struct segment *segment, uint64_t now_us);
void initiator_try_other(struct tcpct_connection *connection);
/* Whether the segment has the other pair, which is then the one in use. */
bool initiator_took_other(struct tcpct_connection *connection, const struct segment *segment);

/* The retransmission timer expired before the Responder was heard. */
void initiator_timeout(struct tcpct_connection *connection, uint64_t now_us);

/* Whether the next opening goes without its pair: several were lost with it, so something on the
 * path may refuse the extension. From then on every other one does (2.2). */
bool initiator_opens_plainly(const struct tcpct_connection *connection);

/* A segment came while it was open whether the Responder got the pair: its first segment tells. It
 * goes on with cookies, or as plain TCP; or it has taken the extension for data, which cannot be
 * repaired. False: that ended the connection. */
bool initiator_heard(struct tcpct_connection *connection, const struct segment *segment,
                     uint64_t now_us);

/* The same for an acceptable segment, when that first one was lost and what it held need not come
 * again: a FIN, or the acknowledgment of ours, would have the pair (5). */
void initiator_heard_end(struct tcpct_connection *connection, const struct segment *segment,
                         uint64_t now_us);

/* Whether the Responder knows nothing of this connection, and need not: nothing is to be sent
 * that it has not already answered. */
bool initiator_may_vanish(const struct tcpct_connection *connection);

#endif
