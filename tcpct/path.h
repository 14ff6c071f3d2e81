/* path.h - the path MTU of a connection.
 *
 * It begins as the device's and falls when a router says "too big" (RFC 1191, RFC 8201) or when full
 * segments vanish again and again (a black hole: RFC 4821, 7.7; RFC 2923). What a router said is
 * forgotten after ten minutes (RFC 1191, 6.3). Where nobody said anything, a single larger segment
 * now and then, halfway to what failed, finds what the path carries (RFC 4821, 7). What one connection
 * has found, and then has carried data, is known to those that begin later (RFC 8201, 5.2).
 */
#ifndef TCPCT_PATH_H
#define TCPCT_PATH_H

#include "tcb.h"

/* The largest datagram to send now. */
uint32_t path_mtu(struct tcpct_connection *connection, uint64_t now_us);

/* A router reports `mtu` bytes; 0: it does not say (RFC 1191, 5). What was too big is sent again
 * at once, and the congestion window does not change. */
void path_too_big(struct tcpct_connection *connection, uint32_t mtu, uint64_t now_us);

/* The retransmission timer expired once more for the same data. True: it seems to have been too
 * large, and will be sent in smaller segments. */
bool path_timeout(struct tcpct_connection *connection, uint64_t now_us);

/* By how many bytes the next segment may be larger than the path MTU, as a probe; 0: none is wanted,
 * or too little of the `unsent` bytes may leave (RFC 4821, 7.4). */
uint16_t path_probe(const struct tcpct_connection *connection, uint32_t unsent, uint64_t now_us);
/* One has left, with `more` bytes; its last is before `end`. */
void path_probe_sent(struct tcpct_connection *connection, uint32_t more, uint32_t end);
/* An acknowledgment was taken, and what it shows to be lost is marked: whether a probe has arrived.
 * The loss of a probe alone is no sign of congestion (RFC 4821, 7.6.2). */
void path_acknowledged(struct tcpct_connection *connection, uint64_t now_us);

#endif
