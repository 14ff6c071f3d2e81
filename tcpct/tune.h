/* tune.h - how large a connection's buffers may become: as large as its round trip can use, inside
 * the configuration's maximum, and not at all while the stack's memory is scarce.
 *
 *     receive: twice what the application read in the last round trip, and a little
 *     send:    three congestion windows
 */
#ifndef TCPCT_TUNE_H
#define TCPCT_TUNE_H

#include "tcb.h"

/* Before anything is known of the path. */
void tune_begin(struct tcpct_connection *connection);
/* A segment with data echoed this timestamp of ours: the receiver's RTT (RFC 7323, 4). */
void tune_echo(struct tcpct_connection *connection, uint32_t echo, uint64_t now_us);
/* The application has read `bytes`. */
void tune_read(struct tcpct_connection *connection, uint32_t bytes, uint64_t now_us);
/* The most that the send buffer may hold now. */
uint32_t tune_send_limit(const struct tcpct_connection *connection);

#endif
