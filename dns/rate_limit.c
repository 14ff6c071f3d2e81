/* rate_limit.c - leaky buckets of prefixes: see rate_limit.h. */
#include "rate_limit.h"

#include <stdlib.h>
#include <string.h>

#include "tcpct/mac.h"

enum { WAYS = 4, HASH_SIZE = 8, PREFIX4_BYTES = 3, PREFIX6_BYTES = 7 };

static const uint64_t second_ns = 1000000000;

struct entry {
    uint64_t empty_ns; /* when the bucket is */
    uint32_t tag;      /* the rest of the hash */
    uint32_t refused;
};
_Static_assert(sizeof(struct entry) == RATE_LIMIT_ENTRY_SIZE, "as the header says");

struct rate_limit {
    struct rate_limit_options options;
    struct rate_limit_counters counters;
    uint64_t answer_ns; /* what an answer takes to run out */
    struct mac *mac;
    struct entry entries[];
};

struct rate_limit *rate_limit_create(const struct rate_limit_options *options,
                                     const uint8_t key[RATE_LIMIT_KEY_SIZE])
{
    struct rate_limit *limit =
        calloc(1, sizeof *limit + (size_t)options->entries * sizeof(struct entry));
    if (!limit || !(limit->mac = mac_create_sized(key, HASH_SIZE))) {
        free(limit);
        return NULL;
    }
    limit->options = *options;
    limit->answer_ns = second_ns / options->rate;
    return limit;
}

void rate_limit_destroy(struct rate_limit *limit)
{
    if (limit)
        mac_destroy(limit->mac);
    free(limit);
}

static uint64_t hash(const struct rate_limit *limit, const struct tcpct_address *client)
{
    uint8_t prefix[1 + PREFIX6_BYTES] = { client->family };
    uint64_t out;
    memcpy(prefix + 1, client->bytes, client->family == 4 ? PREFIX4_BYTES : PREFIX6_BYTES);
    mac_compute(limit->mac, prefix, sizeof prefix, (uint8_t *)&out);
    return out;
}

/* The client's bucket: the one that it has, or that which is emptiest of those where it may be. */
static struct entry *find(struct rate_limit *limit, const struct tcpct_address *client,
                          uint64_t now_ns)
{
    uint64_t where = hash(limit, client);
    uint32_t tag = (uint32_t)(where >> 32);
    struct entry *set = &limit->entries[where & (limit->options.entries - 1) & ~(WAYS - 1u)];
    struct entry *emptiest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].tag == tag && set[i].empty_ns > 0)
            return &set[i];
        if (set[i].empty_ns < emptiest->empty_ns)
            emptiest = &set[i];
    }
    limit->counters.evicted += emptiest->empty_ns > now_ns;
    *emptiest = (struct entry){ .tag = tag };
    return emptiest;
}

enum rate_verdict rate_limit_take(struct rate_limit *limit, const struct tcpct_address *client,
                                  uint64_t now_us)
{
    uint64_t now_ns = now_us * 1000;
    struct entry *entry = find(limit, client, now_ns);
    uint64_t full_ns = (entry->empty_ns > now_ns ? entry->empty_ns : now_ns) + limit->answer_ns;
    if (full_ns <= now_ns + second_ns) {
        entry->empty_ns = full_ns;
        limit->counters.passed++;
        return RATE_PASS;
    }
    if (limit->options.slip > 0 && entry->refused++ % limit->options.slip == 0) {
        limit->counters.slipped++;
        return RATE_SLIP;
    }
    limit->counters.dropped++;
    return RATE_DROP;
}

const struct rate_limit_counters *rate_limit_counters(const struct rate_limit *limit)
{
    return &limit->counters;
}

const char *rate_limit_counter_name(size_t index)
{
    static const char *const names[] = {
        "rate_limit_passed",
        "rate_limit_slipped",
        "rate_limit_dropped",
        "rate_limit_evicted",
    };
    _Static_assert(sizeof names / sizeof *names ==
                       sizeof(struct rate_limit_counters) / sizeof(uint64_t),
                   "each counter has a name");
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}
