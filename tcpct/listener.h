/* listener.h - the life of listeners, what they admit, and their backlog: connections that wait to
 * be accepted. What comes for one is listen.c's and opening.c's.
 */
#ifndef TCPCT_LISTENER_H
#define TCPCT_LISTENER_H

#include "tcb.h"

/* All of a stack, without a word to their connections. */
void listeners_destroy(struct tcpct_stack *stack);

/* Whether a connection may be made of the exchange that a <SYN> with this ISN began: a guarded
 * listener admits each once. Counted. */
bool listener_admits(struct tcpct_listener *listener, const struct endpoints *endpoints,
                     uint32_t peer_isn, uint64_t now_us);

/* Whether another connection may wait to be accepted; if not, it is counted. */
bool listener_backlog_room(struct tcpct_listener *listener);
/* A connection of the listener waits to be accepted. */
void listener_backlog_append(struct tcpct_connection *connection);
/* The same, if there is room. */
bool listener_backlog_add(struct tcpct_connection *connection);
/* It is no longer half made. */
void listener_unqueue(struct tcpct_connection *connection);

#endif
