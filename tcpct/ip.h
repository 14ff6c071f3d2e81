/* ip.h - IPv4 (RFC 791) and IPv6 (RFC 8200) headers, as values in host order. */
#ifndef TCPCT_IP_H
#define TCPCT_IP_H

#include "tcpct.h"

enum {
    IP_PROTOCOL_ICMP = 1,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_UDP = 17,
    IP_PROTOCOL_ICMPV6 = 58,
    IPV4_HEADER_SIZE = 20,
    IPV6_HEADER_SIZE = 40,
};

struct ip_header {
    struct tcpct_address source, destination;
    uint8_t protocol;      /* of the payload, after any IPv6 extension headers */
    uint8_t traffic_class; /* the low two bits are ECN (RFC 3168) */
    uint8_t hop_limit;
    bool dont_fragment;      /* IPv4 */
    uint16_t identification; /* IPv4; of no meaning with dont_fragment (RFC 6864) */
    uint32_t flow_label;     /* IPv6, 20 bits (RFC 6437) */
    uint32_t header_size;    /* bytes before the payload */
    uint32_t payload_size;   /* as the header says, which is at most what is there */
};

enum ip_verdict {
    IP_OK,
    IP_TRUNCATED, /* shorter than its headers say */
    IP_BAD_VERSION,
    IP_BAD_HEADER,   /* header length, IPv6 extension chain ... */
    IP_BAD_CHECKSUM, /* IPv4 header */
    IP_IS_FRAGMENT,
};
const char *ip_verdict_text(enum ip_verdict verdict);

/* Decodes the header at `bytes`, of which there are `size`. IPv4 options are skipped; so are
 * IPv6's hop-by-hop options, destination options, a routing header that is used up, and a
 * fragment header that is none (RFC 6946). `coalesced`: a buffer with segment_size, whose length
 * field may not say its size and whose IPv4 checksum nobody keeps right. `header` is filled
 * unless the verdict is IP_TRUNCATED or IP_BAD_VERSION. */
enum ip_verdict ip_decode(struct ip_header *header, const uint8_t *bytes, size_t size,
                          bool coalesced);

/* Writes a header of 20 (no options, don't fragment: RFC 6013, 3) or 40 bytes for `payload_size`
 * bytes; returns its size. The family is the source's. */
size_t ip_encode(const struct ip_header *header, uint8_t *bytes, size_t payload_size);

/* 20 or 40. */
size_t ip_header_size(const struct tcpct_address *address);

/* One's-complement sum of the pseudo-header (RFC 9293, 3.1; RFC 8200, 8.1), not folded. */
uint32_t ip_pseudo_sum(const struct tcpct_address *source, const struct tcpct_address *destination,
                       uint8_t protocol, size_t payload_size);

bool ip_address_equal(const struct tcpct_address *a, const struct tcpct_address *b);

/* An address that no connection can have: unspecified, multicast, or IPv4 broadcast. */
bool ip_address_is_unusable(const struct tcpct_address *address);

#endif
