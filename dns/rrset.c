/* rrset.c - RRsets in the form of a message: see rrset.h. */
#include "rrset.h"

#include <string.h>

/* Behind the zone's bytes, for which put_record has made room. */
static void put(struct zone *zone, const uint8_t *bytes, size_t size)
{
    if (size > 0)
        memcpy(zone->bytes + zone->byte_count, bytes, size);
    zone->byte_count += size;
}

/* A pointer, to be written when the message is made. */
static bool put_patch(struct zone_builder *builder, size_t set_start, enum zone_patch kind)
{
    struct zone *zone = builder->zone;
    if (!array_reserve(&zone->patches, &builder->patch_room, zone->patch_count, 1,
                       sizeof *zone->patches))
        return zone_build_no_memory(builder);
    zone->patches[zone->patch_count++] = ZONE_PATCH(zone->byte_count - set_start, kind);
    put(zone, (const uint8_t[2]){ 0 }, 2);
    return true;
}

bool zone_build_name(struct zone_builder *builder, uint32_t *at, const uint8_t *lower, size_t size)
{
    struct zone *zone = builder->zone;
    if (!array_reserve(&zone->names, &builder->name_room, zone->name_bytes, 1 + size, 1))
        return zone_build_no_memory(builder);
    *at = (uint32_t)zone->name_bytes;
    zone->names[zone->name_bytes] = (uint8_t)size;
    memcpy(zone->names + zone->name_bytes + 1, lower, size);
    zone->name_bytes += 1 + size;
    /* names may have moved */
    zone->origin = zone->names + 1;
    return true;
}

/* Where names that may be compressed (RFC 3597, 4) stand in a type's data. */
static unsigned compressible_names(uint16_t type, size_t *first)
{
    *first = type == DNS_MX ? 2 : 0;
    switch (type) {
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
    case DNS_MX:
        return 1;
    case DNS_SOA:
        return 2;
    default:
        return 0;
    }
}

static bool put_rdata(struct zone_builder *builder, const struct zone_record *record,
                      size_t set_start)
{
    struct zone *zone = builder->zone;
    const uint8_t *rdata = record_rdata(builder, record);
    size_t size = record->rdata_size, at;
    unsigned names = compressible_names(record->type, &at);
    if (at > size)
        return zone_build_fail(builder, record, "this record's data is too short");
    put(zone, rdata, at);
    while (names-- > 0) {
        uint8_t lower[NAME_SIZE_MAX];
        size_t length = name_size(rdata + at, size - at);
        if (length == 0)
            return zone_build_fail(builder, record, "a domain name in this record is malformed");
        name_lower(lower, rdata + at, length);
        /* The root is shorter than a pointer. */
        bool below =
            zone->origin_size > 1 && name_is_below(lower, length, zone->origin, zone->origin_size);
        put(zone, rdata + at, below ? length - zone->origin_size : length);
        if (below && !put_patch(builder, set_start, ZONE_PATCH_APEX))
            return false;
        at += length;
    }
    put(zone, rdata + at, size - at);
    return true;
}

static bool put_record(struct zone_builder *builder, const struct zone_record *record, uint32_t ttl,
                       size_t set_start)
{
    struct zone *zone = builder->zone;
    /* Pointers only make it shorter: the zone's name, if there is one, has 3 bytes at least. */
    if (!array_reserve(&zone->bytes, &builder->byte_room, zone->byte_count,
                       RECORD_HEAD_SIZE + record->rdata_size, 1))
        return zone_build_no_memory(builder);
    if (!put_patch(builder, set_start, ZONE_PATCH_OWNER))
        return false;
    uint8_t *head = zone->bytes + zone->byte_count;
    zone->byte_count += RECORD_HEAD_SIZE - 2;
    if (!put_rdata(builder, record, set_start))
        return false;
    dns_put16(head, record->type);
    dns_put16(head + 2, DNS_CLASS_IN);
    dns_put32(head + 4, ttl);
    dns_put16(head + 8, (uint16_t)(zone->bytes + zone->byte_count - head - 10));
    return true;
}

/* CNAME and DNAME are followed, so their target is kept whole. */
static bool put_target(struct zone_builder *builder, struct zone_set *set,
                       const struct zone_record *record)
{
    set->target = ZONE_NONE;
    if (set->type != DNS_CNAME && set->type != DNS_DNAME)
        return true;
    if (set->count > 1)
        return zone_build_fail(builder, record + 1, "this name has two %s records",
                               set->type == DNS_CNAME ? "CNAME" : "DNAME");
    uint8_t lower[NAME_SIZE_MAX];
    size_t size = name_size(record_rdata(builder, record), record->rdata_size);
    if (size == 0)
        return zone_build_fail(builder, record, "a domain name in this record is malformed");
    name_lower(lower, record_rdata(builder, record), size);
    return zone_build_name(builder, &set->target, lower, size);
}

bool zone_build_set(struct zone_builder *builder, uint32_t owner, const struct zone_record *records,
                    size_t count, size_t signatures, uint32_t ttl_max)
{
    struct zone *zone = builder->zone;
    if (!array_reserve(&zone->sets, &builder->set_room, zone->set_count, 1, sizeof *zone->sets) ||
        !array_reserve(&builder->set_records, &builder->set_record_room, zone->set_count, 1,
                       sizeof *builder->set_records))
        return zone_build_no_memory(builder);
    if (count > UINT16_MAX || signatures > UINT16_MAX)
        return zone_build_fail(builder, records, "this name has more than 65535 such records");
    uint32_t ttl = ttl_max; /* one for the whole set (RFC 2181, 5.2) */
    for (size_t i = 0; i < count; i++)
        if (records[i].ttl < ttl)
            ttl = records[i].ttl;
    struct zone_set *set = &zone->sets[zone->set_count];
    *set = (struct zone_set){
        .owner = owner,
        .type = records->type,
        .ttl = ttl,
        .count = (uint16_t)count,
        .signature_count = (uint16_t)signatures,
        .data = (uint32_t)zone->byte_count,
        .patches = (uint32_t)zone->patch_count,
    };
    if (!put_target(builder, set, records))
        return false;
    for (size_t i = 0; i < count + signatures; i++) {
        if (!put_record(builder, &records[i], ttl, set->data))
            return false;
        if (zone->byte_count > UINT32_MAX / 2)
            return zone_build_fail(builder, records,
                                   "this zone is too large: its answers need "
                                   "more than 2 GB");
        if (i + 1 == count) {
            set->data_size = (uint32_t)(zone->byte_count - set->data);
            set->patch_count = (uint32_t)(zone->patch_count - set->patches);
        }
    }
    set->size = (uint32_t)(zone->byte_count - set->data);
    set->patch_total = (uint32_t)(zone->patch_count - set->patches);
    builder->set_records[zone->set_count++] = (uint32_t)(records - builder->text.records);
    return true;
}
