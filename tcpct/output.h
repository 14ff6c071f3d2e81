/* output.h - the one place that sends the segments of a connection (their headers are header.c's).
 *
 * What is sent, in this order: a <SYN> that is due; a segment that was lost; new data, with FIN
 * on the last of it; a probe of a closed window; an acknowledgment that nothing else carried.
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
