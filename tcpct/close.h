/* close.h - the end of a connection: FIN and RST (RFC 9293, 3.6; RFC 6013, 5 and 7).
 *
 * With cookies, a FIN or RST counts only with the pair and a timestamp that we have sent; only the Initiator has TIME-WAIT; a RST
 * is advisory. Without cookies both are as in RFC 9293 and RFC 5961.
 */
#ifndef TCPCT_CLOSE_H
#define TCPCT_CLOSE_H

#include "tcb.h"

/* Whether the segment bears the connection's own pair. */
bool close_paired(const struct tcpct_connection *connection, const struct segment *segment);
/* ... and echoes a timestamp that this incarnation has sent, as a FIN or RST must (5, 7). */
bool close_proved(const struct tcpct_connection *connection, const struct segment *segment,
                  uint64_t now_us);

/* Whether we are in TIME-WAIT, and the segment is of another connection with our pair: a duplicate of
 * our opening made it at a Responder that had forgotten ours. Then no TCB matches (5.2, 7). */
bool close_is_ghost(const struct tcpct_connection *connection, const struct segment *segment);

/* A FIN at RCV.NXT, all data before it having arrived. False: the TCB is gone. */
bool close_fin_received(struct tcpct_connection *connection, const struct segment *segment,
                        struct tcpct_packet *reply, uint64_t now_us);

/* Our FIN is acknowledged (with the pair, if there are cookies). False: the TCB is gone, or in
 * TIME-WAIT; either way the segment is done with. */
bool close_fin_acknowledged(struct tcpct_connection *connection, uint64_t now_us);

/* Whether another challenge ACK may be sent: its limit (RFC 5961, 7). */
bool close_may_challenge(struct tcpct_stack *stack, uint64_t now_us);
/* A challenge ACK (RFC 5961, 3 to 5), unless the stack has sent enough of them in this second. */
void close_challenge(struct tcpct_connection *connection, uint64_t now_us);

/* A RST inside the window. */
enum tcpct_verdict close_reset_received(struct tcpct_connection *connection,
                                        const struct segment *segment, uint64_t now_us);

#endif
