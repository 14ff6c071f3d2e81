/* output.h - the one place that builds the segments of a connection.
 *
 * What is sent, in this order: a <SYN> that is due; a segment that was lost; new data, with FIN
 * on the last of it; a probe of a closed window; an acknowledgment that nothing else carried.
 *
 * A segment carries the Cookie-Pair, and with it the header extension, if it is the Initiator's
 * <ACK(SYN)> or the Responder's answer to it (until data is acknowledged: RFC 6013, 2.5), if it
 * has FIN or acknowledges one (5), or RST. Such a segment is never handed to segmentation
 * offload, which would send its extension only once.
 */
#ifndef TCPCT_OUTPUT_H
#define TCPCT_OUTPUT_H

#include "tcb.h"

/* Writes the next packet of this connection; false: it has nothing to send now. The connection
 * may be gone afterwards (it was aborted). */
bool output_next(struct tcpct_connection *connection, struct tcpct_packet *packet, uint64_t now_us);

/* Writes an acknowledgment at once, for a TCB that is about to go. */
void output_last_ack(struct tcpct_connection *connection, struct tcpct_packet *packet,
                     uint64_t now_us);

#endif
