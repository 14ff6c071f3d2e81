/* isn.h - initial sequence numbers and timestamps that nobody has to remember (RFC 4987, 3.6;
 * RFC 6528; RFC 7323, 5.4).
 *
 * A Responder's ISN is itself a cookie, from which a plain TCP connection can be made without
 * having kept its <SYN>: ISN = MAC(endpoints, peer's ISN, period) + field, where a period lasts
 * ISN_PERIOD_US and the field's 16 values are the period's parity and one of 8 MSS values. It is
 * accepted in its period and the next, so for 64 to 128 seconds, and 16 of 2^32 numbers are
 * acceptable at any time. The other options travel in the timestamp, which the peer echoes.
 */
#ifndef TCPCT_ISN_H
#define TCPCT_ISN_H

#include "mac_input.h"
#include "secret.h"

enum {
    ISN_PERIOD_US = 64 * 1000000,
    ISN_MSS_MIN = 216,
    ISN_TIMESTAMP_BITS = 6,
    ISN_NO_WINDOW_SCALE = 15,
};

/* What the timestamp of a <SYN,ACK(SYN)> carries in its low ISN_TIMESTAMP_BITS bits. */
struct isn_options {
    uint8_t window_scale; /* 0 to 14, or ISN_NO_WINDOW_SCALE: the peer sent none */
    bool sack_permitted, ecn;
};

/* Keys for ISNs and timestamp offsets, drawn once. */
struct isn_keys {
    struct mac *isn, *timestamp;
};
/* False: no memory. */
bool isn_keys_create(struct isn_keys *keys, secret_random_function *random, void *random_context);
void isn_keys_destroy(struct isn_keys *keys);

/* The ISN for a <SYN,ACK(SYN)>. It carries `mss` rounded down to one of 8 values, of which
 * ISN_MSS_MIN is the least and stands for anything below it as well. */
uint32_t isn_generate(const struct isn_keys *keys, const struct cookie_endpoints *endpoints,
                      uint32_t peer_isn, uint16_t mss, uint64_t now_us);
/* Whether `isn` is one; *mss is what it carries. */
bool isn_verify(const struct isn_keys *keys, const struct cookie_endpoints *endpoints,
                uint32_t peer_isn, uint32_t isn, uint64_t now_us, uint16_t *mss);

/* The ISN of an Initiator: RFC 6528's M + F(endpoints, secret), where M has ticks of 4 us. */
uint32_t isn_initiator(const struct isn_keys *keys, const struct cookie_endpoints *endpoints,
                       uint64_t now_us);

/* The timestamp offset of a connection (RFC 7323, 5.4): the clock has ticks of 1 ms. */
uint32_t timestamp_offset(const struct isn_keys *keys, const struct cookie_endpoints *endpoints);
/* The prefix of an Initiator's larger timestamps (RFC 6013, 4.3), for an exchange with this cookie. */
void timestamp_prefix(const struct isn_keys *keys, const struct cookie_endpoints *endpoints,
                      const uint8_t *cookie, size_t cookie_size, uint8_t prefix[12]);
/* A timestamp, rounded down (by less than 2^ISN_TIMESTAMP_BITS) to carry options in its low bits,
 * and back. */
uint32_t timestamp_with_options(uint32_t timestamp, const struct isn_options *options);
void timestamp_options(uint32_t timestamp, struct isn_options *options);

#endif
