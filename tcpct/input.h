/* input.h - a segment for a connection that exists (RFC 9293, 3.10.7.4, with RFC 7323, RFC 5961
 * and RFC 6013): timestamps, sequence number, RST, SYN, acknowledgment, data, FIN, in this order.
 */
#ifndef TCPCT_INPUT_H
#define TCPCT_INPUT_H

#include "tcb.h"

/* The connection may be gone afterwards. `reply` is used for an acknowledgment that is the last
 * thing a TCB does. */
enum tcpct_verdict input_segment(struct tcpct_connection *connection, const struct segment *segment,
                                 struct tcpct_packet *reply, uint64_t now_us);

#endif
