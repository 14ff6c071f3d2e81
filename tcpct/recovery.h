/* recovery.h - loss recovery at the sender: what is done about what loss.h finds.
 *
 * Fast recovery is paced by Proportional Rate Reduction (RFC 6937). When nothing more comes that
 * could tell of a loss, a tail loss probe asks after two round trips (RFC 8985, 7). After a
 * timeout everything not sacked counts as lost and is sent again in slow start (RFC 6298, RFC
 * 5681). If timestamps show that nothing was lost, the reduction is taken back (RFC 3522, RFC
 * 4015).
 *
 * Invariant: phase is RECOVERY_OPEN exactly when nothing below `point` is outstanding.
 */
#ifndef TCPCT_RECOVERY_H
#define TCPCT_RECOVERY_H

#include "tcb.h"

/* An acknowledgment (snd_una <= ack <= snd_nxt) has come, with these options: takes it into the
 * flight, the RTT, loss detection and the congestion window, and moves snd_una. `duplicate`: it
 * is a duplicate acknowledgment, as loss_take says. */
void recovery_acknowledged(struct tcpct_connection *connection, uint32_t ack,
                           const struct tcp_options *options, bool duplicate, uint64_t now_us);

/* The peer says that CE was seen: reduces once in each window (RFC 3168, 6.1.2). */
void recovery_congestion_experienced(struct tcpct_connection *connection, uint64_t now_us);

/* The reordering timer expired: what has been waited for long enough is lost. */
void recovery_reorder_timeout(struct tcpct_connection *connection, uint64_t now_us);

/* Something acceptable has come: a FIN that waits, perhaps for the peer to be done with its own data
 * (RFC 6013, 5.1, 5.2), need not be given up. */
void recovery_peer_heard(struct tcpct_connection *connection, uint64_t now_us);

/* The retransmission timer expired. */
void recovery_timeout(struct tcpct_connection *connection, uint64_t now_us);

/* The tail loss probe has been sent, as new data or by sending the last record again. */
void recovery_probed(struct tcpct_connection *connection, bool retransmitted, uint64_t now_us);

/* The first record that is to be sent again; false: none. */
bool recovery_next(const struct tcpct_connection *connection, uint32_t *index);

/* Old data was sent again, from `seq` on. */
void recovery_resent(struct tcpct_connection *connection, uint32_t seq, uint64_t now_us);

/* `bytes` were sent, new or again. */
void recovery_sent(struct tcpct_connection *connection, uint32_t bytes, uint64_t now_us);

/* Bytes that the congestion window allows now. */
uint32_t recovery_room(const struct tcpct_connection *connection);

/* Starts the retransmission timer again, or stops it when nothing is outstanding. */
void recovery_timer(struct tcpct_connection *connection, uint64_t now_us);

#endif
