/* rate_limit.h - how many answers each prefix of clients gets over UDP, where a source may be forged:
 * so much, and no more, goes to whoever somebody claims to be.
 *
 * Theory of operation: each prefix (IPv4 /24, IPv6 /56) has a bucket that an answer fills by one part
 * of `rate`, and that runs empty in a second. All that is kept of it is when that will be, and how many
 * have been refused. A bucket that is empty need not be remembered, so that a table of fixed size holds
 * all that matter unless more than its entries times `rate` queries come in a second; then the
 * emptiest of four makes room, counted, and its prefix has a full second's answers again.
 * Prefixes meet in the table by a keyed hash, so that none can be chosen to push out another.
 */
#ifndef DNS_RATE_LIMIT_H
#define DNS_RATE_LIMIT_H

#include "tcpct/tcpct.h"

struct rate_limit;

enum {
    RATE_LIMIT_MAX = 1000000,
    RATE_LIMIT_KEY_SIZE = 16,
    RATE_LIMIT_ENTRY_SIZE = 16 /* bytes of memory each */
};

struct rate_limit_options {
    uint32_t rate;    /* answers a second of a prefix, and at once; 1 to RATE_LIMIT_MAX */
    uint32_t slip;    /* of those refused the first, and each so many: RATE_SLIP; 0: none is */
    uint32_t entries; /* a power of two, at least 4 */
};

/* Every field is a uint64_t; rate_limit_counter_name names them in order. */
struct rate_limit_counters {
    uint64_t passed, slipped, dropped;
    uint64_t evicted; /* buckets that were not empty */
};

enum rate_verdict {
    RATE_PASS, /* answer */
    RATE_SLIP, /* tell the client to come back in a way that proves its address */
    RATE_DROP, /* say nothing */
};

/* The caller wipes its copy of the random key. NULL: no memory. */
struct rate_limit *rate_limit_create(const struct rate_limit_options *options,
                                     const uint8_t key[RATE_LIMIT_KEY_SIZE]);
/* NULL is allowed. */
void rate_limit_destroy(struct rate_limit *limit);

/* What becomes of an answer to this client, which is counted. Time does not go back. */
enum rate_verdict rate_limit_take(struct rate_limit *limit, const struct tcpct_address *client,
                                  uint64_t now_us);

const struct rate_limit_counters *rate_limit_counters(const struct rate_limit *limit);
/* Name of counter `index` in the struct's order; NULL past the end. */
const char *rate_limit_counter_name(size_t index);

#endif
