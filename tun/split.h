/* split.h - one packet as a wire would carry it.
 *
 * A packet that came from or goes to an offloading device may be a buffer that stands for several
 * TCP segments, and may have an unfinished checksum. This cuts it into ordinary packets as a
 * network card does: lengths, sequence numbers and IPv4 identifications count on, FIN and PSH
 * stay on the last, CWR on the first (RFC 3168, 6.1.2), URG with its pointer on those that the
 * pointer reaches, and every checksum is complete. A packet that needs none of this comes out
 * unchanged, once.
 */
#ifndef TUN_SPLIT_H
#define TUN_SPLIT_H

#include "tcpct/tcpct.h"

struct split {
    const struct tcpct_packet *packet;
    size_t ip_size;     /* bytes of IP header */
    size_t header_size; /* bytes of IP and TCP headers; 0: the packet comes out whole */
    size_t data_size;   /* bytes behind them */
    size_t offset;      /* bytes of data that came out so far */
    bool done;
};

/* Starts with a packet, which must stay as it is until the last split_next. */
void split_begin(struct split *split, const struct tcpct_packet *packet);

/* Writes the next ordinary packet to segment->data. False: there is none left, or it does not
 * fit segment->size, in which case the rest is skipped. */
bool split_next(struct split *split, struct tcpct_packet *segment);

/* Calculates the TCP or UDP checksum of an ordinary packet anew, whatever its field held. A
 * packet that is neither, a fragment or not sound stays as it is. */
void split_complete_checksum(struct tcpct_packet *packet);

#endif
