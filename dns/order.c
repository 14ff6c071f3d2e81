/* order.c - zone text in canonical order: see order.h.
 *
 * Owners are compared by eight bytes of their sort keys at a time, which are in the array: to look at the
 * names in an order that is not theirs in memory is what costs time in a large zone.
 */
#include "order.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

static int compare_records(const void *a, const void *b, void *context)
{
    const struct zone_record *left = a, *right = b;
    const uint8_t *bytes = context;
    if (left->set_type != right->set_type)
        return left->set_type < right->set_type ? -1 : 1;
    if (left->type != right->type)
        return left->type == DNS_RRSIG ? 1 : -1;
    return name_key_compare(bytes + left->rdata, left->rdata_size, bytes + right->rdata,
                            right->rdata_size);
}

static int compare_owners(const void *a, const void *b)
{
    const struct zone_owner *left = a, *right = b;
    if (left->order != right->order)
        return left->order < right->order ? -1 : 1;
    return left->first < right->first ? -1 : left->first > right->first;
}

/* Eight bytes of the owner's key. */
static uint64_t order_at(const struct zone_text *text, const struct zone_owner *owner, size_t depth)
{
    uint64_t order;
    memcpy(&order, text->bytes + owner->key + depth, sizeof order);
    return be64toh(order);
}

/* Whether the key of one of these goes on behind the eight bytes. A key has no two zeros beside each other,
 * so if it ends, two follow. */
static bool go_on(const struct zone_text *text, const struct zone_owner *owners, size_t count,
                  size_t depth)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *end = text->bytes + owners[i].key + depth + sizeof owners->order;
        if (end[-1] != 0 || end[0] != 0)
            return true;
    }
    return false;
}

/* Sorts owners whose keys have the first `depth` bytes in common: by the next eight, and those who have
 * these in common in turn, unless they have one name. */
static void sort_owners(const struct zone_text *text, struct zone_owner *owners, size_t count,
                        size_t depth)
{
    bool sorted = true;
    for (size_t i = 0; i < count; i++) {
        owners[i].order = order_at(text, &owners[i], depth);
        sorted = sorted && (i == 0 || compare_owners(&owners[i - 1], &owners[i]) < 0);
    }
    if (!sorted)
        qsort(owners, count, sizeof *owners, compare_owners);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && owners[end].order == owners[i].order; end++)
            continue;
        if (end - i > 1 && go_on(text, owners + i, end - i, depth))
            sort_owners(text, owners + i, end - i, depth + sizeof owners->order);
    }
}

static bool same_owner(const struct zone_text *text, const struct zone_owner *a,
                       const struct zone_owner *b)
{
    const uint8_t *name = text->bytes + a->name, *other = text->bytes + b->name;
    return *name == *other && memcmp(name, other, 1u + *name) == 0;
}

/* Makes the owners from `from` to `to`, which are one, one: their records move behind all others. */
static bool join_owners(struct zone_text *text, size_t from, size_t to)
{
    struct zone_owner *owner = &text->owners[from];
    size_t first = text->record_count;
    for (size_t i = from; i < to; i++) {
        const struct zone_owner *part = &text->owners[i];
        if (!array_reserve(&text->records, &text->records_room, text->record_count, part->count,
                           sizeof *text->records))
            return false;
        memcpy(text->records + text->record_count, text->records + part->first,
               part->count * sizeof *text->records);
        text->record_count += part->count;
    }
    owner->first = (uint32_t)first;
    owner->count = (uint32_t)(text->record_count - first);
    return true;
}

/* Sorts the records of an owner, and drops repeated ones. */
static void sort_records(struct zone_text *text, struct zone_owner *owner)
{
    struct zone_record *records = text->records + owner->first;
    uint32_t kept = 1;
    for (uint32_t i = 1; i < owner->count; i++)
        if (compare_records(&records[i - 1], &records[i], text->bytes) > 0) {
            qsort_r(records, owner->count, sizeof *records, compare_records, text->bytes);
            break;
        }
    for (uint32_t i = 1; i < owner->count; i++)
        if (compare_records(&records[kept - 1], &records[i], text->bytes) != 0)
            records[kept++] = records[i];
    owner->count = kept;
}

bool zone_text_sort(struct zone_text *text)
{
    size_t kept = 0;
    sort_owners(text, text->owners, text->owner_count, 0);
    for (size_t i = 0, end; i < text->owner_count; i = end) {
        for (end = i + 1;
             end < text->owner_count && same_owner(text, &text->owners[i], &text->owners[end]);
             end++)
            continue;
        if (end - i > 1 && !join_owners(text, i, end))
            return false;
        text->owners[kept] = text->owners[i];
        sort_records(text, &text->owners[kept++]);
    }
    text->owner_count = kept;
    return true;
}
