/* fastopen.h - TCP Fast Open (RFC 7413), to compare with and to speak with those who have it.
 *
 * The server's cookie is a MAC over both addresses under a secret of its own, so it is recomputed
 * rather than remembered. A <SYN> that brings it back with data makes a connection at once, in
 * SYN-RECEIVED, of which a listener has a bounded number (4.2: PendingFastOpenRequests); beyond
 * that, and without a valid cookie, the data is left for the handshake. The client remembers
 * cookies, and paths on which a <SYN> with data was lost (4.1.3; peers.h).
 */
#ifndef TCPCT_FASTOPEN_H
#define TCPCT_FASTOPEN_H

#include "tcb.h"

/* Server: whether the <SYN> has a cookie of ours. */
bool fastopen_valid(const struct tcpct_stack *stack, const struct segment *syn);
/* Server: puts a fresh cookie into the options of a <SYN,ACK(SYN)>. */
void fastopen_grant(const struct tcpct_stack *stack, const struct segment *syn,
                    struct tcp_options *options);
/* Server: makes the connection from a <SYN> with a valid cookie. False: not now. */
bool fastopen_accept(struct tcpct_listener *listener, const struct segment *syn, uint64_t now_us);

/* Client: decides what the <SYN> will carry: data with a remembered cookie, a request for one, or
 * nothing of it. */
void fastopen_prepare(struct tcpct_connection *connection, uint64_t now_us);
/* Client: adds the option. */
void fastopen_propose(const struct tcpct_connection *connection, struct tcp_options *options);
/* Client: the <SYN> had to be sent without the option, after it was lost with it. */
void fastopen_lost(struct tcpct_connection *connection, uint64_t now_us);
/* Client: remembers the cookie that a <SYN,ACK(SYN)> grants. */
void fastopen_remember(struct tcpct_connection *connection, const struct tcp_options *options,
                       uint64_t now_us);

#endif
