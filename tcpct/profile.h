/* profile.h - what is known of the clients of a prefix (24 bits of an IPv4 address, 48 of an IPv6
 * address): whether their idle connections are worth a record (collapse.h).
 *
 * A fixed number of profiles is found by a keyed hash of the prefix. Prefixes that meet in one share
 * its fate and its quota: nothing is compared, nothing grows, and nobody can choose whom to meet. Only
 * records that have ended are judged, those that came back against those that did not; what is long
 * past counts for less and less.
 */
#ifndef TCPCT_PROFILE_H
#define TCPCT_PROFILE_H

#include "memory.h"
#include "tcpct.h"

enum profile_verdict {
    PROFILE_KEEP,     /* comes back so soon that the connection is kept active for longer */
    PROFILE_COLLAPSE, /* comes back, or is not known */
    PROFILE_IGNORE,   /* hardly ever comes back: don't bother */
};

struct profile {
    uint32_t collapsed;      /* records now */
    uint16_t away_s;         /* how long those that came back were silent, smoothed */
    uint8_t ended, returned; /* records that ended, and those of them whose client came back */
    uint8_t ignored;         /* since one was last let through */
};

struct profiles {
    struct profile *items;
    uint32_t mask, seed;
    uint32_t quota; /* records that one profile may have */
};

/* For `records` at most. False: no memory. */
bool profiles_create(struct profiles *profiles, struct memory *memory, uint32_t records,
                     uint32_t seed);
void profiles_destroy(struct profiles *profiles, struct memory *memory);

struct profile *profile_of(const struct profiles *profiles, const struct tcpct_address *client);

/* `idle_us`: how long connections are idle before they are judged. */
enum profile_verdict profile_judge(const struct profile *profile, uint64_t idle_us);
/* Whether one more may collapse: the quota allows it, and it is worth while; of those that are not, one
 * in 16 is let through, lest the judgment last for ever. */
bool profile_admits(struct profile *profile, const struct profiles *profiles);
/* A record ended: its client came back after so many seconds, or it did not. */
void profile_returned(struct profile *profile, uint32_t away_s);
void profile_lost(struct profile *profile);

/* A hash of the prefix alone. */
uint32_t prefix_hash(uint32_t seed, const struct tcpct_address *address);

#endif
