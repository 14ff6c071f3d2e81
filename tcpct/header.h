/* header.h - what the headers of a connection's segments say: numbers, window and options.
 *
 * A segment carries the Cookie-Pair, and with it the header extension, if it is the Initiator's
 * <ACK(SYN)> or the Responder's answer to it (until data is acknowledged: RFC 6013, 2.5), if it
 * has FIN or acknowledges one (5), or RST. Such a segment is never handed to segmentation
 * offload, which would send its extension only once.
 */
#ifndef TCPCT_HEADER_H
#define TCPCT_HEADER_H

#include "tcb.h"

/* Fills everything but the data. */
void header_begin(struct tcpct_connection *connection, struct segment *segment, uint32_t seq,
                  uint8_t flags, bool has_data, uint64_t now_us);
/* The same for a <SYN>, or, in SYN-RECEIVED, a <SYN,ACK(SYN)>. */
void header_syn(struct tcpct_connection *connection, struct segment *segment, uint64_t now_us);

#endif
