/* compose.c - compiled RRsets copied into a message: see compose.h. */
#include "compose.h"

#include <string.h>

enum { POINTER = 0xc000 };

/* Where bytes go; `failed` once they did not fit. */
struct cursor {
    uint8_t *message;
    size_t size, limit;
    bool failed;
};

static void put(struct cursor *cursor, const uint8_t *bytes, size_t size)
{
    if (size > cursor->limit - cursor->size) {
        cursor->failed = true;
        return;
    }
    memcpy(cursor->message + cursor->size, bytes, size);
    cursor->size += size;
}

static void put16(struct cursor *cursor, size_t value)
{
    uint8_t bytes[2];
    dns_put16(bytes, (uint16_t)value);
    put(cursor, bytes, sizeof bytes);
}

/* How an owner's name is written for the first time: some of its labels and a pointer into the
 * leg's name. Any place whose bytes read as the suffix will do as a target. */
struct spelling {
    const uint8_t *prefix;
    size_t prefix_size;
    size_t suffix_at; /* 0: the suffix is the root, which is no longer than a pointer */
};

static struct spelling spell(const struct compose_leg *leg, const struct compose_owner *owner)
{
    const uint8_t *suffix = owner->name;
    size_t size = owner->size;
    while (size > leg->size || memcmp(leg->name + leg->size - size, suffix, size) != 0) {
        size -= 1u + *suffix;
        suffix += 1 + *suffix;
    }
    return (struct spelling){ owner->name, owner->size - size,
                              size > 1 ? leg->at + leg->size - size : 0 };
}

/* Writes an owner: a pointer to where it stands, or in letters, and then *at is that place. */
static void put_owner(struct cursor *cursor, const struct spelling *spelling, size_t *at)
{
    if (spelling->prefix_size + spelling->suffix_at == 0) {
        put(cursor, (const uint8_t *)"", 1);
        return;
    }
    if (*at == 0 && spelling->prefix_size == 0)
        *at = spelling->suffix_at;
    if (*at > 0 && *at <= DNS_POINTER_MAX) {
        put16(cursor, POINTER | *at);
        return;
    }
    *at = cursor->size;
    put(cursor, spelling->prefix, spelling->prefix_size);
    if (spelling->suffix_at > 0)
        put16(cursor, POINTER | spelling->suffix_at);
    else
        put(cursor, (const uint8_t *)"", 1);
}

bool compose_enter(struct compose *compose, const struct compose_leg *entered, uint16_t *leg)
{
    uint16_t i = 0;
    while (i < compose->leg_count && compose->legs[i].zone != entered->zone)
        i++;
    *leg = i;
    if (i < compose->leg_count)
        return true;
    if (i == COMPOSE_LEGS_MAX || entered->at == 0 || entered->at + entered->size > DNS_POINTER_MAX)
        return false;
    compose->legs[compose->leg_count++] = *entered;
    return true;
}

bool compose_set(struct compose *compose, enum dns_section section, uint16_t leg_index,
                 uint32_t index, const struct compose_owner *owner, enum compose_part part)
{
    const struct compose_leg *leg = &compose->legs[leg_index];
    const struct zone *zone = leg->zone;
    const struct zone_set *set = &zone->sets[index];
    const uint8_t *bytes = zone->bytes + set->data;
    size_t copied = part == COMPOSE_SIGNATURES ? set->data_size : 0;
    size_t end = part == COMPOSE_RECORDS ? set->data_size : set->size;
    uint32_t patch = part == COMPOSE_SIGNATURES ? set->patch_count : 0;
    uint32_t patch_end = part == COMPOSE_RECORDS ? set->patch_count : set->patch_total;
    size_t apex_at = leg->at + leg->size - zone->origin_size;

    struct cursor cursor = { compose->message, compose->size, compose->limit, false };
    struct spelling spelling = spell(leg, owner);
    size_t owner_at = owner->at;
    for (; patch < patch_end; patch++) {
        uint32_t value = zone->patches[set->patches + patch];
        size_t position = value >> 1;
        put(&cursor, bytes + copied, position - copied);
        copied = position + 2;
        if ((value & 1) == ZONE_PATCH_APEX)
            put16(&cursor, POINTER | apex_at);
        else
            put_owner(&cursor, &spelling, &owner_at);
    }
    put(&cursor, bytes + copied, end - copied);
    if (cursor.failed)
        return false;
    compose->size = cursor.size;
    compose->counts[section] += (part == COMPOSE_SIGNATURES ? 0u : set->count) +
                                (part == COMPOSE_RECORDS ? 0u : set->signature_count);
    if (compose->set_count < COMPOSED_SETS_MAX) {
        compose->set_legs[compose->set_count] = leg_index;
        compose->sets[compose->set_count++] = index;
    }
    return true;
}

bool compose_has_set(const struct compose *compose, uint16_t leg, uint32_t set)
{
    for (unsigned i = 0; i < compose->set_count; i++)
        if (compose->sets[i] == set && compose->set_legs[i] == leg)
            return true;
    return false;
}

bool compose_cname(struct compose *compose, uint16_t leg, const struct compose_owner *owner,
                   uint32_t ttl, const uint8_t *target, size_t target_size)
{
    uint8_t head[10];
    dns_put16(head, DNS_CNAME);
    dns_put16(head + 2, DNS_CLASS_IN);
    dns_put32(head + 4, ttl);
    dns_put16(head + 8, (uint16_t)target_size);
    struct cursor cursor = { compose->message, compose->size, compose->limit, false };
    struct spelling spelling = spell(&compose->legs[leg], owner);
    size_t owner_at = owner->at;
    put_owner(&cursor, &spelling, &owner_at);
    put(&cursor, head, sizeof head);
    put(&cursor, target, target_size);
    if (cursor.failed)
        return false;
    compose->size = cursor.size;
    compose->counts[DNS_ANSWER]++;
    return true;
}
