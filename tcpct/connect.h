/* connect.h - the active OPEN (RFC 9293, 3.10.1): tcpct_connect, up to the <SYN> that is due.
 *
 * Addresses, port and Initiator-Cookie are chosen (RFC 6013, 3, 3.5.1, 4.1, 4.5), and whether the
 * request goes with the <SYN> (6.1). A remembered connection to that peer is restarted instead, if
 * that is wished (restart.h). What comes then is initiator.c's.
 */
#ifndef TCPCT_CONNECT_H
#define TCPCT_CONNECT_H

#include "tcb.h"

/* Chooses an unpredictable local port that is free towards that peer; 0: there is none. */
uint16_t connect_choose_port(struct tcpct_stack *stack, struct endpoints *endpoints);

/* The <SYN> of a new exchange is due; the endpoints and the request are there. */
void connect_exchange(struct tcpct_connection *connection, uint64_t now_us);

/* A persistent connection that is over is begun again, or, if it may not be, made anew, under the
 * same handle. Errors: those of tcpct_connect, with which it then has failed. */
int connect_again(struct tcpct_connection *connection, uint64_t now_us);

#endif
