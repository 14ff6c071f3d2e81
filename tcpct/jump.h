/* jump.h - the remembered window: a connection begins with what its path could carry before, and
 * leaves behind what it can carry now.
 *
 * The phases are those of Careful Resume (RFC 9959): Reconnaissance, Unvalidated, Validating, Safe
 * Retreat. TCPCT_WINDOW_CAREFUL goes through all of them. TCPCT_WINDOW_REMEMBERED goes beyond it: it
 * begins in the second, with the whole window, before the first round trip has shown that the path
 * is the same; what it knew of the path's RTT is checked against the first sample instead.
 *
 * Invariant: in Safe Retreat the window does not grow.
 */
#ifndef TCPCT_JUMP_H
#define TCPCT_JUMP_H

#include "tcb.h"

/* The connection has just been made, and nothing is sent: uses what is left of `path`, by the
 * connection's policy, and takes it out of there: one connection uses it at a time. */
void jump_begin(struct tcpct_connection *connection, struct path_state *path, uint64_t now_us);

/* `bytes` were newly acknowledged, after congestion control has seen it; rtt_us 0: no sample. */
void jump_acknowledged(struct tcpct_connection *connection, uint32_t bytes, uint64_t rtt_us,
                       uint64_t now_us);

/* Whether the window must stay as it is. */
bool jump_holds(const struct tcpct_connection *connection);

/* Loss or CE was noticed, and ssthresh is reduced already. */
void jump_congested(struct tcpct_connection *connection, uint64_t now_us);
/* The most that the window may be while loss is repaired. */
uint32_t jump_limit(const struct tcpct_connection *connection);
/* A retransmission timeout ends it. */
void jump_timed_out(struct tcpct_connection *connection, uint64_t now_us);

/* What the path can carry now. `path` holds what others left of it since (window 0: nothing), and
 * then what is to be remembered; false: it says nothing new. */
bool jump_save(const struct tcpct_connection *connection, struct path_state *path, uint64_t now_us);

#endif
