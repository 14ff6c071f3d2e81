/* message.h - the DNS message: its numbers, and a query parsed and checked.
 *
 * Parsing copies nothing but the lower-cased name, which is what zones are searched with.
 */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include "name.h"

enum {
    DNS_HEADER_SIZE = 12,
    DNS_MESSAGE_SIZE_MAX = 65535,
    DNS_OPT_SIZE = 11,        /* an OPT record without options (RFC 6891, 6.1.2) */
    DNS_POINTER_MAX = 0x3fff, /* the furthest offset that a compression pointer reaches */
    DNS_UDP_SIZE = 1232,      /* what we take, and send at most, in a datagram */
    DNS_CLASS_IN = 1,
    DNS_CLASS_CH = 3,
    DNS_OPCODE_QUERY = 0,
};

/* The two flag bytes of the header, in host order. */
enum dns_flag {
    DNS_FLAG_QR = 0x8000,
    DNS_FLAG_AA = 0x0400,
    DNS_FLAG_TC = 0x0200,
    DNS_FLAG_RD = 0x0100,
    DNS_FLAG_RA = 0x0080,
    DNS_FLAG_AD = 0x0020,
    DNS_FLAG_CD = 0x0010,
};

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
    DNS_YXDOMAIN = 6,
    DNS_NOTAUTH = 9,
    DNS_BADVERS = 16,   /* from here on the upper bits stand in the OPT record */
    DNS_BADCOOKIE = 23, /* RFC 7873 */
};

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_KEY = 25,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_DNAME = 39,
    DNS_OPT = 41,
    DNS_DS = 43,
    DNS_RRSIG = 46,
    DNS_NSEC = 47,
    DNS_DNSKEY = 48,
    DNS_NSEC3 = 50,
    DNS_NSEC3PARAM = 51,
    DNS_IXFR = 251,
    DNS_AXFR = 252,
    DNS_ANY = 255,
};

struct dns_query {
    uint16_t id;
    uint16_t flags; /* as received: see dns_flag */
    uint8_t opcode;
    uint16_t type, class;
    const uint8_t *name; /* in the message, at DNS_HEADER_SIZE, in the client's case */
    size_t name_size;
    unsigned labels;
    uint8_t lower[NAME_SIZE_MAX];
    uint8_t label_at[NAME_LABELS_MAX + 1]; /* where each label, the root last, begins */
    bool edns;                             /* an OPT record was there */
    bool dnssec_ok;                        /* ... with DO */
    bool has_serial;                       /* of the SOA in an IXFR query (RFC 1995, 3) */
    uint32_t serial;
    bool keepalive, padded, nsid; /* ... with these options (see edns.h) */
    uint8_t edns_version;
    uint8_t cookie_size;
    const uint8_t *cookie; /* a DNS cookie, in the message; NULL: none */
    uint16_t udp_size;     /* what the client takes in a datagram; 512 without EDNS */
};

enum dns_verdict {
    DNS_QUERY_GOOD,
    DNS_QUERY_EMPTY,     /* no question in it, and a DNS cookie (RFC 7873, 5.4) */
    DNS_QUERY_DROPPED,   /* no header, or a response: not to be answered */
    DNS_QUERY_MALFORMED, /* FORMERR; of the question nothing is filled, of EDNS what was sound */
    DNS_QUERY_UNKNOWN,   /* NOTIMP: another opcode; only id, flags and opcode are filled */
};

/* Parses a query. Records behind the question are walked for OPT and otherwise ignored; so are
 * bytes behind the last record. */
enum dns_verdict dns_query_parse(struct dns_query *query, const uint8_t *message, size_t size);

/* Offset behind the possibly compressed name at `at`, or 0 if it leaves the message. */
size_t dns_name_skip(const uint8_t *message, size_t size, size_t at);

/* What dns_query_write makes of a question. */
struct dns_question {
    const uint8_t *name; /* wire form */
    uint16_t id, flags, type, class;
    bool edns, dnssec_ok;
    /* With EDNS: */
    uint8_t edns_version;
    uint16_t padded_size;   /* padded to this many bytes (RFC 7830); 0: not at all */
    const uint8_t *options; /* written as they are, before padding */
    size_t options_size;
};

/* Writes a query; returns its size, or 0 if it does not fit `room`. One that is longer than
 * padded_size, or within four bytes of it, is not padded to it exactly. */
size_t dns_query_write(uint8_t *message, size_t room, const struct dns_question *question);

static inline uint16_t dns_get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline void dns_put16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static inline uint32_t dns_get32(const uint8_t *bytes)
{
    return (uint32_t)dns_get16(bytes) << 16 | dns_get16(bytes + 2);
}

static inline void dns_put32(uint8_t *bytes, uint32_t value)
{
    dns_put16(bytes, (uint16_t)(value >> 16));
    dns_put16(bytes + 2, (uint16_t)value);
}

#endif
