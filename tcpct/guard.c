#include "guard.h"

#include <string.h>

bool guard_create(struct guard *guard, struct memory *memory, uint32_t limit, uint64_t period_us,
                  uint64_t now_us)
{
    uint32_t size = 1;
    while (size < limit + limit / 3 + 1) /* no more than three quarters full */
        size *= 2;
    *guard = (struct guard){
        .mask = size - 1, .limit = limit, .period_us = period_us, .turn_us = now_us + period_us
    };
    for (unsigned i = 0; i < 2; i++)
        guard->hashes[i] = memory_zeroed(memory, size * sizeof(uint64_t));
    return guard->hashes[0] && guard->hashes[1];
}

void guard_destroy(struct guard *guard, struct memory *memory)
{
    memory_free(memory, guard->hashes[0]);
    memory_free(memory, guard->hashes[1]);
    *guard = (struct guard){ .limit = 0 };
}

static uint64_t *place_of(uint64_t *hashes, uint32_t mask, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & mask;
    while (hashes[at] && hashes[at] != hash)
        at = (at + 1) & mask;
    return &hashes[at];
}

static void take_turns(struct guard *guard, uint64_t now_us)
{
    if (now_us < guard->turn_us)
        return;
    bool both = now_us - guard->turn_us >= guard->period_us;
    uint64_t *older = guard->hashes[1];
    guard->hashes[1] = guard->hashes[0];
    guard->hashes[0] = older;
    memset(guard->hashes[0], 0, ((size_t)guard->mask + 1) * sizeof(uint64_t));
    if (both)
        memset(guard->hashes[1], 0, ((size_t)guard->mask + 1) * sizeof(uint64_t));
    guard->used = 0;
    guard->turn_us = now_us + guard->period_us;
}

enum guard_verdict guard_admit(struct guard *guard, const struct mac *mac,
                               const struct cookie_endpoints *endpoints, uint32_t peer_isn,
                               uint64_t now_us)
{
    uint8_t input[MAC_INPUT_BEGIN_MAX + 4], tag[MAC_SIZE];
    struct wire wire = wire_writer(input, sizeof(input));
    mac_input_begin(&wire, MAC_LABEL_ADMITTED, endpoints);
    wire_write32(&wire, peer_isn);
    if (!mac_compute(mac, input, wire.position, tag))
        return GUARD_FULL;
    uint64_t hash = (uint64_t)wire_get32(tag) << 32 | wire_get32(tag + 4) | 1;
    take_turns(guard, now_us);
    uint64_t *place = place_of(guard->hashes[0], guard->mask, hash);
    if (*place || *place_of(guard->hashes[1], guard->mask, hash))
        return GUARD_KNOWN;
    if (guard->used == guard->limit)
        return GUARD_FULL;
    guard->used++;
    *place = hash;
    return GUARD_ADMITTED;
}
