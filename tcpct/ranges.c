#include "ranges.h"

#include <string.h>

#include "seq.h"

static void remove_at(struct ranges *ranges, unsigned index)
{
    ranges->count--;
    memmove(&ranges->item[index], &ranges->item[index + 1],
            (ranges->count - index) * sizeof(ranges->item[0]));
}

bool ranges_add(struct ranges *ranges, uint32_t start, uint32_t end)
{
    for (unsigned i = 0; i < ranges->count;) {
        const struct sack_block *range = &ranges->item[i];
        if (seq_lt(end, range->start) || seq_lt(range->end, start)) {
            i++;
            continue;
        }
        start = seq_min(start, range->start);
        end = seq_max(end, range->end);
        remove_at(ranges, i);
    }
    if (ranges->count == RANGES_MAX)
        return false;
    memmove(&ranges->item[1], &ranges->item[0], ranges->count * sizeof(ranges->item[0]));
    ranges->item[0] = (struct sack_block){ .start = start, .end = end };
    ranges->count++;
    return true;
}

uint32_t ranges_advance(struct ranges *ranges, uint32_t next)
{
    for (unsigned i = 0; i < ranges->count;) {
        const struct sack_block *range = &ranges->item[i];
        if (seq_lt(next, range->start)) {
            i++;
            continue;
        }
        next = seq_max(next, range->end);
        remove_at(ranges, i);
        i = 0;
    }
    return next;
}

bool ranges_contain(const struct ranges *ranges, uint32_t start, uint32_t end)
{
    for (unsigned i = 0; i < ranges->count; i++) {
        const struct sack_block *range = &ranges->item[i];
        if (seq_leq(range->start, start) && seq_leq(end, range->end))
            return true;
    }
    return false;
}

uint32_t ranges_highest(const struct ranges *ranges, uint32_t next)
{
    for (unsigned i = 0; i < ranges->count; i++)
        next = seq_max(next, ranges->item[i].end);
    return next;
}
