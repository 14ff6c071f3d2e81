/* path.h - the path MTU of a connection.
 *
 * It begins as the device's, falls when a router says "too big" (RFC 1191, RFC 8201) or when full
 * segments vanish again and again while small ones pass (a black hole: RFC 4821, 7.7; RFC 2923),
 * and is tried at its full size again after ten minutes (RFC 1191, 6.3).
 */
#ifndef TCPCT_PATH_H
#define TCPCT_PATH_H

#include "tcb.h"

/* The largest datagram to send now. */
uint32_t path_mtu(struct tcpct_connection *connection, uint64_t now_us);

/* A router reports `mtu` bytes; 0: it does not say (RFC 1191, 5). What was too big is sent again
 * at once, and the congestion window does not change. */
void path_too_big(struct tcpct_connection *connection, uint32_t mtu, uint64_t now_us);

/* The retransmission timer expired once more for the same data. */
void path_timeout(struct tcpct_connection *connection, uint64_t now_us);

#endif
