/* zone.c - a zone from its file, and what is found in it: see zone.h. */
#include "compile.h"

#include <stdlib.h>
#include <string.h>

#include "order.h"

static bool build(struct zone_builder *builder, FILE *file, const uint8_t *origin)
{
    struct zone *zone = builder->zone;
    uint8_t lower[NAME_SIZE_MAX];
    if (origin) {
        zone->origin_size = name_size(origin, NAME_SIZE_MAX);
        name_lower(lower, origin, zone->origin_size);
        zone->origin = lower;
    }
    if (!zone_text_read(&builder->text, file, builder->path, origin, builder->error,
                        builder->error_size))
        return false;
    if (!zone_text_sort(&builder->text))
        return zone_build_no_memory(builder);
    return zone_build_sets(builder) && zone_build_links(builder);
}

static void fit(void *array, size_t size)
{
    void **pointer = array, *fitting = realloc(*pointer, size > 0 ? size : 1);
    if (fitting)
        *pointer = fitting;
}

/* Gives back what the arrays had in reserve: of a small zone, most. */
static void fit_arrays(struct zone *zone)
{
    fit(&zone->nodes, zone->node_count * sizeof *zone->nodes);
    fit(&zone->sets, zone->set_count * sizeof *zone->sets);
    fit(&zone->names, zone->name_bytes);
    fit(&zone->bytes, zone->byte_count);
    fit(&zone->patches, zone->patch_count * sizeof *zone->patches);
    fit(&zone->additional, zone->additional_count * sizeof *zone->additional);
    fit(&zone->nsec3_entries, zone->nsec3_count * sizeof *zone->nsec3_entries);
    fit(&zone->sources.files, zone->sources.count * sizeof *zone->sources.files);
    zone->origin = zone->names + 1;
}

struct zone *zone_read(FILE *file, const char *path, const uint8_t *origin, char *error,
                       size_t error_size)
{
    struct zone_builder builder = { .path = path, .error = error, .error_size = error_size };
    builder.zone = calloc(1, sizeof *builder.zone);
    bool good = builder.zone ? build(&builder, file, origin) : zone_build_no_memory(&builder);
    if (good) {
        builder.zone->sources = builder.text.sources;
        builder.text.sources = (struct source_files){ 0 };
        fit_arrays(builder.zone);
    }
    zone_text_release(&builder.text);
    free(builder.set_records);
    if (good)
        return builder.zone;
    zone_free(builder.zone);
    return NULL;
}

void zone_free(struct zone *zone)
{
    if (!zone)
        return;
    free(zone->nodes);
    free(zone->sets);
    free(zone->children);
    free(zone->slots);
    free(zone->names);
    free(zone->bytes);
    free(zone->patches);
    free(zone->additional);
    free(zone->nsec3_entries);
    source_files_release(&zone->sources);
    free(zone);
}

/* What changes of a zone that is const otherwise. */
static struct zone *held(const struct zone *zone)
{
    return (struct zone *)(uintptr_t)zone;
}

void zone_hold(const struct zone *zone)
{
    held(zone)->holders++;
}

void zone_release(const struct zone *zone)
{
    if (--held(zone)->holders == 0)
        zone_free(held(zone));
}

uint32_t zone_find(const struct zone *zone, const uint8_t *lower, size_t size)
{
    uint64_t hash = name_hash(lower, size);
    for (size_t i = hash & zone->slot_mask;; i = (i + 1) & zone->slot_mask) {
        const struct zone_slot *slot = &zone->slots[i];
        if (slot->node == ZONE_NONE)
            return ZONE_NONE;
        if (slot->hash != hash >> 32)
            continue;
        uint32_t name = zone->nodes[slot->node].name;
        if (zone_name_size(zone, name) == size && memcmp(zone_name(zone, name), lower, size) == 0)
            return slot->node;
    }
}

const struct zone_set *zone_set_find(const struct zone *zone, const struct zone_node *node,
                                     uint16_t type)
{
    const struct zone_set *set = zone->sets + node->first_set;
    for (unsigned i = 0; i < node->set_count; i++)
        if (set[i].type == type)
            return &set[i];
    return NULL;
}

uint32_t zone_nsec3_find(const struct zone *zone, const uint8_t hash[NSEC3_HASH_SIZE], bool match)
{
    size_t low = 0, high = zone->nsec3_count; /* the first entry above the hash */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(zone->nsec3_entries[middle].hash, hash, NSEC3_HASH_SIZE) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    /* Before the first comes the last: the chain is a ring (RFC 5155, 3.1.7). */
    const struct nsec3_entry *entry =
        &zone->nsec3_entries[low > 0 ? low - 1 : zone->nsec3_count - 1];
    if (match && memcmp(entry->hash, hash, NSEC3_HASH_SIZE) != 0)
        return ZONE_NONE;
    return entry->set;
}
