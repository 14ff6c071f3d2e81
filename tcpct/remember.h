/* remember.h - what stays of a connection with cookies after its end: the state of its path, and
 * what it takes to begin it again (restart.h).
 *
 * A table has a fixed number of entries; the one that was used longest ago gives way, and no pair
 * of addresses has more than REMEMBER_PER_ADDRESS. Entries of an Initiator hold the Cookie-Pair as
 * well; a Responder's do not need it, as it makes cookies again from the segment (RFC 6013, 4.4).
 * With its share of the index an IPv4 entry takes 64 bytes at a Responder, 120 at an Initiator, or 184
 * if that keeps seals as well.
 */
#ifndef TCPCT_REMEMBER_H
#define TCPCT_REMEMBER_H

#include "ip.h"
#include "options.h"
#include "table.h"

enum { REMEMBER_PER_ADDRESS = 64 };

/* What a path could carry. */
struct path_state {
    uint32_t window; /* bytes that were acknowledged in one round trip, or could be; 0: unknown */
    uint32_t ssthresh;
    uint32_t srtt_us, rttvar_us, min_rtt_us;
    uint32_t rate;    /* of the bottleneck, in bytes a millisecond; 0: unknown */
    uint32_t taken_s; /* when, in seconds */
};

enum remember_flag {
    REMEMBER_REFUSED = 1,  /* its openings are not answered any more */
    REMEMBER_UNPROVED = 2, /* the last one was, and nothing of that is acknowledged yet */
};

struct remembered {
    struct table_entry entry;
    uint16_t local_port, remote_port;
    uint32_t exchange;  /* the Responder's timestamp that the pair depends on */
    uint32_t timestamp; /* TS Value of the last opening */
    struct path_state path;
    uint16_t mss;
    uint8_t local;    /* which of the stack's addresses */
    uint8_t flags;    /* enum remember_flag */
    uint8_t remote[]; /* 4 or 16 bytes */
};

/* At an Initiator, behind the entry. */
struct remembered_pair {
    uint8_t size, initiator[COOKIE_SIZE_MAX], responder[COOKIE_SIZE_MAX];
    uint8_t window_scale;                    /* the peer's */
    uint8_t timestamp_size, timestamp_round; /* bytes; what the offset has above 32 bits */
    bool window_scaling, sack_permitted, ecn;
    uint8_t restarts;
    uint32_t iss, irs, responder_timestamp, timestamp_offset;
    uint32_t trusted_s; /* until when, in seconds */
};

/* What a Responder has sealed (seal.h): behind the pair, if such are kept. */
struct remembered_seal {
    uint8_t size; /* 0: none */
    uint8_t bytes[SEAL_SIZE_MAX];
};

struct remember_key {
    uint8_t local;
    struct tcpct_address remote;
    uint16_t local_port, remote_port;
};

enum { REMEMBER_PAIR = 1, REMEMBER_SEAL = 2 };

struct remember_table {
    struct table table;
    uint32_t seed;
    uint8_t family;
    bool with_seal;
};

/* A table of `limit` entries for a family's addresses, `with` room for what. False: no memory. */
bool remember_create(struct remember_table *table, struct memory *memory, uint8_t family,
                     unsigned with, uint32_t limit, uint32_t seed);
void remember_destroy(struct remember_table *table, struct memory *memory);

/* The entry of a connection; NULL: none. */
struct remembered *remember_find(const struct remember_table *table,
                                 const struct remember_key *key);
/* The entries between these addresses, whatever their ports: the first, made last, and the next. */
struct remembered *remember_first(const struct remember_table *table,
                                  const struct remember_key *key);
struct remembered *remember_next(const struct remember_table *table,
                                 const struct remembered *entry);
/* All entries in the order of their use. */
struct remembered *remember_oldest(const struct remember_table *table);
struct remembered *remember_newer(const struct remember_table *table,
                                  const struct remembered *entry);
/* The entry of a connection, made if there is none, and now the most recent; NULL: no table. */
struct remembered *remember_use(struct remember_table *table, const struct remember_key *key);
void remember_forget(struct remember_table *table, struct remembered *entry);
void remember_flush(struct remember_table *table);

/* What stands behind an Initiator's entry. */
struct remembered_pair *remember_pair(const struct remember_table *table, struct remembered *entry);
/* ... and behind that; NULL: nothing. */
struct remembered_seal *remember_seal(const struct remember_table *table, struct remembered *entry);

#endif
