/* listener.h - the life of listeners: tcpct_listen and tcpct_listener_close. What comes for one is
 * listen.c's.
 */
#ifndef TCPCT_LISTENER_H
#define TCPCT_LISTENER_H

#include "tcb.h"

/* All of a stack, without a word to their connections. */
void listeners_destroy(struct tcpct_stack *stack);

#endif
