/* compile.h - from sorted records to a zone, in two steps: nodes (compile.c) with their RRsets
 * (rrset.c), then the links between them (link.c). For zone.c only.
 */
#ifndef DNS_COMPILE_H
#define DNS_COMPILE_H

#include "zone.h"
#include "zonefile.h"

struct zone_builder {
    struct zone *zone;
    struct zone_text text;
    const char *path;
    char *error; /* one sentence, when a function here returned false */
    size_t error_size;
    uint32_t *set_records; /* of each set, its first record in text */
    size_t node_room, set_room, name_room, byte_room, patch_room, additional_room;
    size_t set_record_room, nsec3_room;
};

/* Writes "path:line: ..." and returns false. */
bool zone_build_fail(struct zone_builder *builder, const struct zone_record *record,
                     const char *format, ...) __attribute__((format(printf, 3, 4)));
bool zone_build_no_memory(struct zone_builder *builder);

static inline const uint8_t *owner_name(const struct zone_builder *builder,
                                        const struct zone_owner *owner)
{
    return builder->text.bytes + owner->name + 1;
}

static inline size_t owner_name_size(const struct zone_builder *builder,
                                     const struct zone_owner *owner)
{
    return builder->text.bytes[owner->name];
}

static inline const uint8_t *record_rdata(const struct zone_builder *builder,
                                          const struct zone_record *record)
{
    return builder->text.bytes + record->rdata;
}

/* Makes nodes, RRsets and NSEC3 entries of the sorted records. */
bool zone_build_sets(struct zone_builder *builder);

/* Makes the hash table, the children, the cuts, the denials and the additional sections. */
bool zone_build_links(struct zone_builder *builder);

#endif
