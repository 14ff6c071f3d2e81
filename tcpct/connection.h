/* connection.h - what the application does to a connection lives in connection.c; here is what
 * the stack does to it when its timers expire.
 */
#ifndef TCPCT_CONNECTION_H
#define TCPCT_CONNECTION_H

#include "tcb.h"

/* Serves every timer of the connection that has expired. False: the TCB is gone. */
bool connection_timers(struct tcpct_connection *connection, uint64_t now_us);

#endif
