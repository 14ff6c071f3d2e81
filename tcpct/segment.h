/* segment.h - a TCP segment as values: what the wire says, and nothing of any connection. */
#ifndef TCPCT_SEGMENT_H
#define TCPCT_SEGMENT_H

#include "ip.h"
#include "options.h"

enum segment_flag {
    SEGMENT_FIN = 1 << 0,
    SEGMENT_SYN = 1 << 1,
    SEGMENT_RST = 1 << 2,
    SEGMENT_PSH = 1 << 3,
    SEGMENT_ACK = 1 << 4,
    SEGMENT_URG = 1 << 5,
    SEGMENT_ECE = 1 << 6,
    SEGMENT_CWR = 1 << 7,
};

/* The ECN field: the low two bits of traffic_class (RFC 3168, 5). */
enum { ECN_CAPABLE = 2, ECN_EXPERIENCED = 3, ECN_MASK = 3 };

struct md5_key;

struct segment {
    struct tcpct_address source, destination;
    uint16_t source_port, destination_port;
    uint32_t seq, ack;
    uint8_t flags;         /* enum segment_flag */
    uint8_t traffic_class; /* of IP; the low two bits are ECN */
    uint8_t hop_limit;
    uint16_t identification; /* of IPv4; 0 serves where fragmentation is forbidden (RFC 6864) */
    uint32_t flow_label;     /* of IPv6, 20 bits; 0: none */
    uint16_t window;         /* as on the wire, not scaled */
    uint16_t urgent;
    struct tcp_options options;
    const uint8_t *data; /* after the header extension; points into the packet */
    uint32_t data_size;
    uint32_t packet_size;      /* the whole IP datagram (a coalesced one: the buffer) */
    uint16_t segment_size;     /* coalesced: data comes in pieces of this size; else 0 */
    uint16_t extension_size;   /* bytes of header extension */
    const struct md5_key *key; /* of its signature (md5sig.h), or NULL; the codec ignores it */
};

enum segment_verdict {
    SEGMENT_OK,
    SEGMENT_NOT_TCP, /* sound IP, another protocol */
    SEGMENT_BAD_IP,  /* see ip_verdict */
    SEGMENT_IP_CHECKSUM,
    SEGMENT_IP_FRAGMENT,
    SEGMENT_TRUNCATED,    /* TCP header past the end, or a data offset below 5 */
    SEGMENT_BAD_CHECKSUM, /* of TCP */
    SEGMENT_BAD_OPTIONS,  /* OPTIONS_DUPLICATE */
    SEGMENT_BAD_EXTEND,   /* OPTIONS_BAD_EXTEND */
};
const char *segment_verdict_text(enum segment_verdict verdict);

/* Decodes an IP packet with TCP in it. OPTIONS_MALFORMED is not an error of the segment: what
 * stood before the bad length is taken, and options.ignored counts it. With a verdict from
 * SEGMENT_BAD_CHECKSUM on, everything but options, data and extension_size is filled all the
 * same. The TCP checksum is not looked at if packet->partial_checksum is set or the packet is
 * coalesced: then the device vouches for it. `layout` may be NULL. */
enum segment_verdict segment_decode(struct segment *segment, const struct tcpct_packet *packet,
                                    struct option_layout *layout);

/* Bytes of sequence space: data, SYN and FIN. */
uint32_t segment_length(const struct segment *segment);

/* RFC 9293, 3.4: whether some of it is inside a window of that size, from `next` on. */
bool segment_in_window(const struct segment *segment, uint32_t next, uint32_t window);

/* Bytes of headers that segment_encode would write before the data: IP, TCP, options, extension.
 * 0 if the options do not fit. */
size_t segment_header_size(const struct segment *segment);

/* Writes the IP and TCP headers of `segment` at packet->data and finishes the checksums over
 * segment->data_size bytes that the caller has already put behind them, or (segment->data not
 * NULL and elsewhere) that are copied there. packet_size and extension_size of the segment are
 * not looked at. Sets packet->length, header_size (of IP and TCP, without an extension),
 * segment_size (from segment->segment_size) and partial_checksum (as asked). False: it fits
 * neither packet->size nor an IP datagram, the options do not fit, or a segment with
 * segment_size has an extension, which offload would send only once. */
bool segment_encode(const struct segment *segment, struct tcpct_packet *packet,
                    bool partial_checksum);

/* As segment_encode, with the options in the order of `layout` (see options_encode_layout). */
bool segment_encode_layout(const struct segment *segment, const struct option_layout *layout,
                           struct tcpct_packet *packet, bool partial_checksum);

#endif
