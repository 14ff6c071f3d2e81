/* options.h - TCP options, in the header and in RFC 6013's header extension.
 *
 * The codec knows no connection. Decoding fills a plain struct in host order and says what was
 * wrong; what to do about it is the caller's business. Each option found is a bit in `present`,
 * and only those bits make fields valid. Options with an invalid length are ignored and counted
 * (RFC 6013, 3.1 to 3.3; RFC 1122, 4.2.2.5); duplicate and mutually exclusive options are a
 * verdict of their own, because RFC 6013 has such segments discarded (3, 3.4). Of any other
 * option that comes twice, the first counts.
 *
 * A Cookie of 16 bytes and a Cookie-Pair of twice 8 have the same length. A pair only appears
 * after the Timestamps extended option (3.2), so what follows kind 254 is a pair, anything else
 * a Cookie. What is longer than a pair can be, and follows kind 254, is a seal (seal.h), which the
 * RFC has others ignore (3.2).
 */
#ifndef TCPCT_OPTIONS_H
#define TCPCT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_KIND_EOL = 0,
    OPTION_KIND_NOP = 1,
    OPTION_KIND_MSS = 2,
    OPTION_KIND_WINDOW_SCALE = 3,
    OPTION_KIND_SACK_PERMITTED = 4,
    OPTION_KIND_SACK = 5,
    OPTION_KIND_TIMESTAMPS = 8,
    OPTION_KIND_MD5 = 19,
    OPTION_KIND_USER_TIMEOUT = 28,
    OPTION_KIND_AUTHENTICATION = 29,
    OPTION_KIND_FAST_OPEN = 34,
    OPTION_KIND_COOKIE = 253,              /* Cookie, Cookie-Pair, Cookie-less */
    OPTION_KIND_TIMESTAMPS_EXTENDED = 254, /* with the header extension */
};

enum option_bit {
    OPTION_MSS = 1 << 0,
    OPTION_WINDOW_SCALE = 1 << 1,
    OPTION_SACK_PERMITTED = 1 << 2,
    OPTION_SACK = 1 << 3,
    OPTION_TIMESTAMPS = 1 << 4, /* kind 8, 32 bits */
    OPTION_MD5 = 1 << 5,
    OPTION_USER_TIMEOUT = 1 << 6,
    OPTION_AUTHENTICATION = 1 << 7,
    OPTION_FAST_OPEN = 1 << 8,
    OPTION_COOKIE = 1 << 9,
    OPTION_COOKIE_PAIR = 1 << 10,
    OPTION_COOKIE_LESS = 1 << 11,
    OPTION_TIMESTAMPS_EXTENDED = 1 << 12, /* kind 254: a header extension is there */
    OPTION_SEAL = 1 << 13,                /* kind 253, longer than any pair, in the extension */
};

enum {
    COOKIE_SIZE_MIN = 8,
    COOKIE_SIZE_MAX = 16,
    SEAL_SIZE_MAX = 63, /* more than 2 * COOKIE_SIZE_MAX; what is longer is ignored */
    TCP_HEADER_SIZE = 20,
    OPTIONS_SIZE_MAX = 40, /* in the header (RFC 9293, 3.1) */
    EXTEND_MIN = 9,        /* 32-bit words (RFC 6013, 3.4) */
    EXTEND_MAX = 255,
    EXTENSION_SIZE_MAX = 4 * EXTEND_MAX,
    SACK_BLOCKS_MAX = 31, /* of one option, whose length is at most 255 */
};

struct sack_block {
    uint32_t start, end; /* sequence numbers; end is one past the last byte */
};

struct tcp_options {
    uint32_t present;       /* enum option_bit */
    uint16_t ignored;       /* options with an invalid length, or that others forbid (8.4, 8.5) */
    uint16_t mss;           /* bytes */
    uint8_t window_scale;   /* as received, up to 255 */
    uint8_t cookie_size;    /* bytes of one cookie: 8, 10 ... 16 */
    uint8_t fast_open_size; /* bytes; 0: a request for a cookie */
    uint8_t sack_count;
    uint16_t user_timeout; /* the granularity bit and 15 bits, as on the wire (RFC 5482) */

    /* Either form of timestamps; the low 32 bits count. timestamp_size: 0 (none), 4, 8, 16.
     * The prefixes are the bits above, in network order, right-aligned in 12 bytes. */
    uint8_t timestamp_size;
    uint32_t timestamp_value, timestamp_echo;
    uint8_t timestamp_value_prefix[12], timestamp_echo_prefix[12];

    /* With OPTION_COOKIE the cookie is in `initiator_cookie`, whoever sent it. */
    uint8_t initiator_cookie[COOKIE_SIZE_MAX];
    uint8_t responder_cookie[COOKIE_SIZE_MAX];
    uint8_t seal_size; /* bytes */
    uint8_t seal[SEAL_SIZE_MAX];
    uint8_t fast_open_cookie[16];
    uint8_t md5_digest[16];
    struct sack_block sack[SACK_BLOCKS_MAX];
};

/* Options as they stood on the wire, header first, then extension: a form for
 * options_encode_layout to fill in. A stack does not need it. */
struct option_layout {
    size_t header_size, extension_size; /* bytes */
    uint8_t bytes[OPTIONS_SIZE_MAX + EXTENSION_SIZE_MAX];
};

enum options_verdict {
    OPTIONS_OK,
    OPTIONS_MALFORMED,  /* a length runs past the end: what stood before it was taken */
    OPTIONS_DUPLICATE,  /* one kind twice, or exclusive ones together: discard (3, 3.4) */
    OPTIONS_BAD_EXTEND, /* Extend below 9, past the segment, or a bad Size: discard (3.4) */
};
const char *options_verdict_text(enum options_verdict verdict);

/* Decodes `size` bytes of header options (0 to 40). With kind 254 the extension follows in
 * `payload`, of which *extension_size bytes are then not data. Two things are inferred: SACK
 * beside a Cookie-Pair implies SACK-permitted (RFC 6013, A.2), and a Cookie beside MD5 or
 * Authentication is ignored (8.4, 8.5). `layout` may be NULL; it is filled with OPTIONS_OK and
 * OPTIONS_MALFORMED. */
enum options_verdict options_decode(struct tcp_options *options, const uint8_t *bytes, size_t size,
                                    const uint8_t *payload, size_t payload_size,
                                    size_t *extension_size, struct option_layout *layout);

/* Encodes in RFC 6013's orders (A.1 for the header, A.2 for the extension): without
 * OPTION_TIMESTAMPS_EXTENDED everything goes into the header; with it, kind 254 and MD5 alone go
 * into the header and the rest, padded with EOL to a whole number of words and to EXTEND_MIN,
 * into the extension. There SACK beside a Cookie-Pair stands for SACK-permitted as well. Writes
 * header options (a multiple of 4 bytes) followed by the extension into `bytes`.
 *
 * Returns false if they do not fit 40 bytes, EXTEND_MAX words or `room`, or cannot go together:
 * Authentication (which is only ever recognised), both Timestamps, two of the Cookie options, a
 * Cookie with the extension or a Cookie-Pair without it. */
bool options_encode(const struct tcp_options *options, uint8_t *bytes, size_t room,
                    size_t *header_size, size_t *extension_size);

/* The sizes that options_encode would give, without encoding. */
bool options_size(const struct tcp_options *options, size_t *header_size, size_t *extension_size);

/* Encodes in the order of `layout`: exactly the bytes that were decoded, NOP, EOL, unknown and
 * ignored options included, with the values taken from `options` again. Returns the total size
 * (layout->header_size + layout->extension_size), or 0 if it exceeds `room` or `options` has an
 * option for which the layout has no place of its size. */
size_t options_encode_layout(const struct tcp_options *options, const struct option_layout *layout,
                             uint8_t *bytes, size_t room);

#endif
