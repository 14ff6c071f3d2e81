/* compile.c - sorted records become nodes: see compile.h. */
#include "compile.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rrset.h"

bool zone_build_fail(struct zone_builder *builder, const struct zone_record *record,
                     const char *format, ...)
{
    int used = snprintf(builder->error, builder->error_size, "%s:%" PRIu32 ": ",
                        builder->text.sources.files[record->file].path, record->line);
    if (used < 0 || (size_t)used >= builder->error_size)
        return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(builder->error + used, builder->error_size - (size_t)used, format, arguments);
    va_end(arguments);
    return false;
}

bool zone_build_no_memory(struct zone_builder *builder)
{
    snprintf(builder->error, builder->error_size, "%s: there is no memory for this zone",
             builder->path);
    return false;
}

/* ---- nodes --------------------------------------------------------------------------------- */

static bool add_node(struct zone_builder *builder, const uint8_t *lower, size_t size,
                     uint32_t parent)
{
    struct zone *zone = builder->zone;
    if (!array_reserve(&zone->nodes, &builder->node_room, zone->node_count, 1, sizeof *zone->nodes))
        return zone_build_no_memory(builder);
    struct zone_node *node = &zone->nodes[zone->node_count];
    *node = (struct zone_node){
        .parent = parent,
        .cut = ZONE_NONE,
        .wildcard = ZONE_NONE,
        .denial = ZONE_NONE,
        .wildcard_denial = ZONE_NONE,
        .labels = (uint16_t)name_labels(lower),
    };
    if (!zone_build_name(builder, &node->name, lower, size))
        return false;
    zone->node_count++;
    return true;
}

/* Adds the owner's node behind the last one, and the empty non-terminals above it. */
static bool add_owner(struct zone_builder *builder, const uint8_t *lower, size_t size)
{
    struct zone *zone = builder->zone;
    if (zone->node_count == 0)
        return add_node(builder, lower, size, ZONE_NONE);
    uint32_t parent = (uint32_t)zone->node_count - 1;
    for (;; parent = zone->nodes[parent].parent) {
        uint32_t name = zone->nodes[parent].name;
        if (name_is_below(lower, size, zone_name(zone, name), zone_name_size(zone, name)))
            break;
    }
    unsigned missing = name_labels(lower) - zone->nodes[parent].labels;
    while (missing-- > 0) {
        const uint8_t *suffix = lower;
        for (unsigned i = 0; i < missing; i++)
            suffix += 1 + *suffix;
        if (!add_node(builder, suffix, size - (size_t)(suffix - lower), parent))
            return false;
        parent = (uint32_t)zone->node_count - 1;
    }
    return true;
}

/* A CNAME stands alone, but for what DNSSEC adds (RFC 2181, 10.1; RFC 4034, 4). */
static bool check_cname(struct zone_builder *builder, const struct zone_record *records,
                        size_t count)
{
    const struct zone_record *other = NULL;
    bool cname = false;
    for (size_t i = 0; i < count; i++) {
        uint16_t type = records[i].set_type;
        if (type == DNS_CNAME)
            cname = true;
        else if (type != DNS_NSEC && type != DNS_NSEC3 && type != DNS_KEY && !other)
            other = &records[i];
    }
    return !cname || !other ||
           zone_build_fail(builder, other, "this name has a CNAME record and other data");
}

/* Makes the sets of one owner's records, NSEC3 or all others. Signatures of nothing are left
 * out. */
static bool add_sets(struct zone_builder *builder, const struct zone_record *records, size_t count,
                     bool nsec3, uint32_t owner)
{
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && records[end].set_type == records[i].set_type; end++)
            continue;
        size_t data = i;
        while (data < end && records[data].type == records[data].set_type)
            data++;
        if (data == i || (records[i].type == DNS_NSEC3) != nsec3)
            continue;
        if (!zone_build_set(builder, owner, &records[i], data - i, end - data, UINT32_MAX))
            return false;
    }
    return true;
}

static bool has_data(const struct zone_record *records, size_t count, bool nsec3)
{
    for (size_t i = 0; i < count; i++)
        if (records[i].type == records[i].set_type && (records[i].type == DNS_NSEC3) == nsec3)
            return true;
    return false;
}

static bool build_nodes(struct zone_builder *builder)
{
    struct zone *zone = builder->zone;
    const struct zone_text *text = &builder->text;
    for (size_t i = 0; i < text->owner_count; i++) {
        const struct zone_owner *owner = &text->owners[i];
        const struct zone_record *records = text->records + owner->first;
        if (!has_data(records, owner->count, false))
            continue;
        if (!check_cname(builder, records, owner->count) ||
            !add_owner(builder, owner_name(builder, owner), owner_name_size(builder, owner)))
            return false;
        uint32_t node = (uint32_t)zone->node_count - 1;
        uint32_t first = (uint32_t)zone->set_count;
        if (!add_sets(builder, records, owner->count, false, zone->nodes[node].name))
            return false;
        zone->nodes[node].first_set = first;
        zone->nodes[node].set_count = (uint16_t)(zone->set_count - first);
    }
    return true;
}

/* ---- NSEC3 --------------------------------------------------------------------------------- */

/* Takes the chain's parameters from NSEC3PARAM (RFC 5155, 4 and 7.1). */
static bool take_parameters(struct zone_builder *builder)
{
    struct zone *zone = builder->zone;
    const struct zone_set *set = zone_set_find(zone, &zone->nodes[0], DNS_NSEC3PARAM);
    if (!set)
        return true;
    const struct zone_record *record =
        &builder->text.records[builder->set_records[set - zone->sets]];
    const uint8_t *rdata = record_rdata(builder, record);
    if (record->rdata_size < 5 || record->rdata_size < 5 + rdata[4])
        return zone_build_fail(builder, record, "this record's data is too short");
    struct nsec3_parameters *parameters = &zone->nsec3_parameters;
    parameters->iterations = dns_get16(rdata + 2);
    parameters->salt_size = rdata[4];
    memcpy(parameters->salt, rdata + 5, rdata[4]);
    zone->nsec3 = rdata[0] == 1 && (rdata[1] & ~1) == 0;
    if (zone->nsec3 && parameters->iterations > NSEC3_ITERATIONS_MAX)
        return zone_build_fail(builder, record,
                               "%u NSEC3 iterations are too many: sign with %d "
                               "at most",
                               parameters->iterations, NSEC3_ITERATIONS_MAX);
    return true;
}

static bool is_of_chain(const struct zone_builder *builder, const struct zone_record *record)
{
    const struct nsec3_parameters *parameters = &builder->zone->nsec3_parameters;
    const uint8_t *rdata = record_rdata(builder, record);
    return record->rdata_size >= 5u + parameters->salt_size && rdata[0] == 1 &&
           dns_get16(rdata + 2) == parameters->iterations && rdata[4] == parameters->salt_size &&
           memcmp(rdata + 5, parameters->salt, parameters->salt_size) == 0;
}

static bool add_nsec3(struct zone_builder *builder, const struct zone_owner *owner)
{
    struct zone *zone = builder->zone;
    const struct zone_record *records = builder->text.records + owner->first, *record = records;
    while (record->type != DNS_NSEC3)
        record++;
    if (!is_of_chain(builder, record))
        return true;
    if (!array_reserve(&zone->nsec3_entries, &builder->nsec3_room, zone->nsec3_count, 1,
                       sizeof *zone->nsec3_entries))
        return zone_build_no_memory(builder);
    struct nsec3_entry *entry = &zone->nsec3_entries[zone->nsec3_count];
    entry->set = (uint32_t)zone->set_count;
    if (!nsec3_hash_decode(entry->hash, owner_name(builder, owner)))
        return zone_build_fail(builder, record, "this NSEC3 record's owner is no hash");
    zone->nsec3_count++;
    uint32_t name;
    return zone_build_name(builder, &name, owner_name(builder, owner),
                           owner_name_size(builder, owner)) &&
           add_sets(builder, records, owner->count, true, name);
}

/* NSEC3 owners do not exist for queries (RFC 5155, 7.2.8), so they get no nodes. The canonical
 * order of the owners is that of the hashes. */
static bool build_nsec3(struct zone_builder *builder)
{
    const struct zone_text *text = &builder->text;
    if (!take_parameters(builder))
        return false;
    for (size_t i = 0; builder->zone->nsec3 && i < text->owner_count; i++) {
        const struct zone_owner *owner = &text->owners[i];
        if (has_data(text->records + owner->first, owner->count, true) &&
            !add_nsec3(builder, owner))
            return false;
    }
    builder->zone->nsec3 = builder->zone->nsec3_count > 0;
    return true;
}

/* ---- the zone's own records ---------------------------------------------------------------- */

static bool check_names(struct zone_builder *builder)
{
    const struct zone *zone = builder->zone;
    char name[NAME_TEXT_SIZE], origin[NAME_TEXT_SIZE];
    for (size_t i = 0; i < builder->text.owner_count; i++) {
        const struct zone_owner *owner = &builder->text.owners[i];
        if (!name_is_below(owner_name(builder, owner), owner_name_size(builder, owner),
                           zone->origin, zone->origin_size))
            return zone_build_fail(
                builder, builder->text.records + owner->first, "%s is not in the zone %s",
                name_text(owner_name(builder, owner), name), name_text(zone->origin, origin));
    }
    return true;
}

/* The zone's only SOA, and its owner; or NULL after a message. */
static const struct zone_record *find_soa(struct zone_builder *builder,
                                          const struct zone_owner **soa_owner)
{
    const struct zone_text *text = &builder->text;
    const struct zone_record *soa = NULL;
    for (size_t i = 0; i < text->owner_count; i++) {
        const struct zone_owner *owner = &text->owners[i];
        const struct zone_record *record = text->records + owner->first;
        for (size_t j = 0; j < owner->count; j++, record++) {
            if (record->type != DNS_SOA)
                continue;
            if (soa) {
                zone_build_fail(builder, record->line > soa->line ? record : soa,
                                "this is the zone's second SOA record");
                return NULL;
            }
            soa = record;
            *soa_owner = owner;
        }
    }
    if (!soa)
        snprintf(builder->error, builder->error_size, "%s: the zone has no SOA record",
                 builder->path);
    return soa;
}

/* Exactly one SOA, and it names the zone. */
static bool check_soa(struct zone_builder *builder)
{
    struct zone *zone = builder->zone;
    const struct zone_owner *owner;
    const struct zone_record *soa = find_soa(builder, &owner);
    if (!soa)
        return false;
    if (!zone->origin) {
        zone->origin = owner_name(builder, owner);
        zone->origin_size = owner_name_size(builder, owner);
    } else if (zone->origin_size != owner_name_size(builder, owner) ||
               memcmp(zone->origin, owner_name(builder, owner), zone->origin_size) != 0) {
        char origin[NAME_TEXT_SIZE];
        return zone_build_fail(builder, soa, "the SOA record's owner is not %s, the zone's name",
                               name_text(zone->origin, origin));
    }
    if (soa->rdata_size < 22)
        return zone_build_fail(builder, soa, "this record's data is too short");
    return true;
}

/* Negative answers carry the SOA with the least of its own TTL and its last field (RFC 2308,
 * 3 and 5). */
static bool add_soa(struct zone_builder *builder)
{
    struct zone *zone = builder->zone;
    const struct zone_set *set = zone_set_find(zone, &zone->nodes[0], DNS_SOA);
    const struct zone_record *record =
        &builder->text.records[builder->set_records[set - zone->sets]];
    uint32_t minimum = dns_get32(record_rdata(builder, record) + record->rdata_size - 4);
    zone->soa = (uint32_t)(set - zone->sets);
    zone->negative_soa = (uint32_t)zone->set_count;
    return zone_build_set(builder, set->owner, record, set->count, set->signature_count, minimum);
}

/* Makes room for all that the records can become, but for what only some need: large arrays grow at a
 * price. If there is none, growing will tell. */
static void reserve(struct zone_builder *builder)
{
    struct zone *zone = builder->zone;
    const struct zone_text *text = &builder->text;
    size_t sets = text->record_count + 1; /* with negative_soa */
    array_reserve(&zone->nodes, &builder->node_room, 0, text->owner_count, sizeof *zone->nodes);
    array_reserve(&zone->names, &builder->name_room, 0, text->size, 1);
    array_reserve(&zone->sets, &builder->set_room, 0, sets, sizeof *zone->sets);
    array_reserve(&builder->set_records, &builder->set_record_room, 0, sets,
                  sizeof *builder->set_records);
    array_reserve(&zone->bytes, &builder->byte_room, 0, text->size + sets * RECORD_HEAD_SIZE, 1);
    array_reserve(&zone->patches, &builder->patch_room, 0, sets, sizeof *zone->patches);
}

bool zone_build_sets(struct zone_builder *builder)
{
    struct zone *zone = builder->zone;
    reserve(builder);
    if (!check_soa(builder) || !check_names(builder))
        return false;
    zone->origin_labels = name_labels(zone->origin);
    if (!build_nodes(builder))
        return false;
    if (!zone_set_find(zone, &zone->nodes[0], DNS_NS)) {
        snprintf(builder->error, builder->error_size,
                 "%s: the zone has no NS record at its own name", builder->path);
        return false;
    }
    return build_nsec3(builder) && add_soa(builder);
}
