/* beside.h - Cookie exchanges from a fresh port, beside a connection that was begun again
 * (restart.h).
 *
 * When a restart is not answered in time, an exchange begins to race with it: whichever is answered
 * first is the connection from then on, and the other is over. The application has one handle, that
 * of the restart, and sees one answer: nothing is taken from either before one of them has won. A
 * restart that lost is reset (7), whatever the Responder has made of its opening.
 *
 * When a pair is a maximum segment lifetime old, but still good, the connection that uses it has
 * another one fetched meanwhile, so that a regular client always has a young one. Two packets: the
 * Responder keeps nothing of them.
 */
#ifndef TCPCT_BESIDE_H
#define TCPCT_BESIDE_H

#include "tcb.h"

/* The opening of a restart was not answered: an exchange begins to race with it, once. */
void beside_race(struct tcpct_connection *connection, uint64_t now_us);

/* The exchange has been answered: the connection that goes on, in SYN-SENT as if it had sent the
 * <SYN> itself. */
struct tcpct_connection *beside_wins(struct tcpct_connection *exchange, uint64_t now_us);

/* Asks for another pair if this restart's is old, and nobody does already. */
void beside_renew(const struct tcpct_connection *connection, uint64_t now_us);

#endif
