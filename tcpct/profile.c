#include "profile.h"

#include "seq.h"
#include "table.h"

enum {
    ITEMS_MIN = 1024,
    ITEMS_MAX = 65536,
    RECORDS_EACH = 32, /* on the average, as long as ITEMS_MAX allows */
    QUOTA_SHARE = 16,  /* of all records, for one profile */
    QUOTA_MIN = 64,    /* ... but not less */
    ENOUGH = 8,        /* records that must have ended before anything is concluded */
    ENDED_MAX = 64,    /* then both counts are halved */
    WORTH_WHILE = 8,   /* one in so many must come back */
    LET_THROUGH = 16,  /* one in so many of those that are ignored */
    SOON = 2,          /* times the idle time: the client comes back soon */
    AWAY_SHARE = 4,    /* of a new sample in the smoothed time */
};

uint32_t prefix_hash(uint32_t seed, const struct tcpct_address *address)
{
    uint32_t hash = seed;
    for (unsigned i = 0; i < (address->family == 4 ? 3 : 6); i++)
        hash = hash_mix(hash, address->bytes[i]);
    return hash;
}

bool profiles_create(struct profiles *profiles, struct memory *memory, uint32_t records,
                     uint32_t seed)
{
    uint32_t items = ITEMS_MIN;
    while (items < records / RECORDS_EACH && items < ITEMS_MAX)
        items *= 2;
    *profiles = (struct profiles){ .mask = items - 1, .seed = seed };
    profiles->quota = max_u32(records / QUOTA_SHARE, QUOTA_MIN);
    profiles->items = memory_zeroed(memory, items * sizeof(struct profile));
    return profiles->items != NULL;
}

void profiles_destroy(struct profiles *profiles, struct memory *memory)
{
    memory_free(memory, profiles->items);
    profiles->items = NULL;
}

struct profile *profile_of(const struct profiles *profiles, const struct tcpct_address *client)
{
    return &profiles->items[prefix_hash(profiles->seed, client) & profiles->mask];
}

enum profile_verdict profile_judge(const struct profile *profile, uint64_t idle_us)
{
    if (profile->ended < ENOUGH)
        return PROFILE_COLLAPSE;
    if (profile->returned * WORTH_WHILE < profile->ended)
        return PROFILE_IGNORE;
    return profile->away_s * (uint64_t)SECOND_US < SOON * idle_us ? PROFILE_KEEP : PROFILE_COLLAPSE;
}

bool profile_admits(struct profile *profile, const struct profiles *profiles)
{
    if (profile->collapsed >= profiles->quota)
        return false;
    if (profile_judge(profile, 0) == PROFILE_IGNORE && ++profile->ignored < LET_THROUGH)
        return false;
    profile->ignored = 0;
    return true;
}

static void ended(struct profile *profile)
{
    profile->collapsed--;
    profile->ended++;
    if (profile->ended < ENDED_MAX)
        return;
    profile->ended /= 2;
    profile->returned /= 2;
}

void profile_returned(struct profile *profile, uint32_t away_s)
{
    uint32_t away = min_u32(away_s, UINT16_MAX), before = profile->away_s;
    profile->away_s =
        (uint16_t)(profile->returned ? before - before / AWAY_SHARE + away / AWAY_SHARE : away);
    profile->returned++;
    ended(profile);
}

void profile_lost(struct profile *profile)
{
    ended(profile);
}
