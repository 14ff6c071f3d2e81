/* reply.h - a query in, a reply out: a pure function of the zones, the query and the way it came, but
 * for the limit to the rate of datagrams.
 *
 * What the zones say is answer.h's; here is the message around it: who is answered at all, header,
 * question, EDNS with its options, DNS cookies, and what becomes of a reply that is too long.
 */
#ifndef DNS_REPLY_H
#define DNS_REPLY_H

#include "chaos.h"
#include "cookies.h"
#include "rate_limit.h"
#include "transfer.h"

enum dns_transport {
    DNS_STREAM,   /* whole replies of up to 65535 bytes; one that exceeds `room` gives 0 */
    DNS_DATAGRAM, /* what exceeds the client's size or `room` is left out, with TC */
};

/* The way a query came. Zero bytes are a stream of which nothing more is known. */
struct dns_channel {
    enum dns_transport transport;
    uint16_t udp_size;  /* of a datagram at most; 0: DNS_UDP_SIZE */
    uint16_t keepalive; /* what a client of a stream that asks is told, in units of 100 ms (RFC
                           7828) */
    bool pads;          /* replies to padded queries are padded (RFC 8467) */
    bool may_transfer;  /* the client may have whole zones: over a stream, where one begins in
                           `transfer` (NULL: return 0, ask again where there is one) */
    struct transfer *transfer;
    /* DNS cookies; NULL: they are ignored. The client and the time (seconds since 1970) are those
     * that a cookie is made for. */
    const struct dns_cookies *cookies;
    const struct tcpct_address *client;
    uint32_t now_s;
    bool cookies_required; /* datagrams without a good one get no more than BADCOOKIE or TC */
    /* Datagrams without a good cookie are limited, at this time of the loop; NULL: they are not. */
    struct rate_limit *rate_limit;
    uint64_t now_us;
    struct chaos_texts texts;
};

/* Nothing more is known of these. */
extern const struct dns_channel dns_any_stream, dns_any_datagram;

/* Answers a query message; of a transfer, with the first. Writes a message of at most `room` bytes and returns how
 * many. 0: nothing is to be
 * sent (too short for a header, or a response itself) or the reply does not fit. */
size_t dns_reply(const struct dns_zones *zones, const struct dns_channel *channel,
                 const uint8_t *query, size_t query_size, uint8_t *message, size_t room);

#endif
