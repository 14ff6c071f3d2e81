/* handshake.h - SYN-RECEIVED: the only state in which a plain TCP connection is half made.
 *
 * It is reached by a simultaneous open (RFC 9293, 3.5, Figure 7), and at listeners whose
 * applications speak first: those cannot wait for the client's data to bring back a lost
 * <ACK(SYN)>, so a bounded number of connections is kept to send the <SYN,ACK(SYN)> again.
 */
#ifndef TCPCT_HANDSHAKE_H
#define TCPCT_HANDSHAKE_H

#include "tcb.h"

/* A TCB in SYN-RECEIVED, counted at its listener, with the <SYN,ACK(SYN)> due. NULL: none left. */
struct tcpct_connection *handshake_begin(struct tcpct_listener *listener, const struct segment *syn,
                                         uint64_t now_us);

/* A <SYN> for a listener with a queue. False: the queue is full, or there is no TCB; it can still
 * be answered without state. */
bool handshake_queue(struct tcpct_listener *listener, const struct segment *syn, uint64_t now_us);

/* A <SYN> crossed ours. */
void handshake_simultaneous(struct tcpct_connection *connection, const struct segment *syn,
                            uint64_t now_us);

/* A segment with SYN in SYN-RECEIVED: a repeated <SYN> is answered again, the <SYN,ACK> of a
 * simultaneous open ends the handshake, anything else is challenged. */
enum tcpct_verdict handshake_syn(struct tcpct_connection *connection, const struct segment *segment,
                                 struct tcpct_packet *reply, uint64_t now_us);

/* Whether a segment is for this connection, which is being made, or for the older one of the same
 * endpoints beside it: that takes all until this is made (4.1). */
bool handshake_takes(const struct tcpct_connection *connection, const struct segment *segment);

/* A segment with an acceptable sequence number and ACK. True: the connection is established, and
 * the segment is to be processed further. */
bool handshake_acknowledged(struct tcpct_connection *connection, const struct segment *segment,
                            struct tcpct_packet *reply, uint64_t now_us);

/* The retransmission timer expired. */
void handshake_timeout(struct tcpct_connection *connection, uint64_t now_us);

#endif
