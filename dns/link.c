/* link.c - what leads from one part of a zone to another: see zone.h. */
#include "compile.h"

#include <stdlib.h>
#include <string.h>

/* The hash table is at most half full. */
static bool build_slots(struct zone_builder *builder)
{
    struct zone *zone = builder->zone;
    size_t count = 16, room = 0;
    while (count < 2 * zone->node_count)
        count *= 2;
    if (!array_reserve(&zone->slots, &room, 0, count, sizeof *zone->slots))
        return zone_build_no_memory(builder);
    for (size_t i = 0; i < count; i++)
        zone->slots[i].node = ZONE_NONE;
    zone->slot_mask = count - 1;
    for (uint32_t i = 0; i < zone->node_count; i++) {
        uint32_t name = zone->nodes[i].name;
        uint64_t hash = name_hash(zone_name(zone, name), zone_name_size(zone, name));
        size_t slot = hash & zone->slot_mask;
        while (zone->slots[slot].node != ZONE_NONE)
            slot = (slot + 1) & zone->slot_mask;
        zone->slots[slot] = (struct zone_slot){ .hash = (uint32_t)(hash >> 32), .node = i };
    }
    return true;
}

static uint64_t label_order(const uint8_t *label)
{
    uint64_t order = 0;
    for (unsigned i = 1; i <= 8; i++)
        order = order << 8 | (i <= *label ? label[i] : 0);
    return order;
}

/* Children of a node, in order, beside those of the next node that has any. */
static bool build_children(struct zone_builder *builder)
{
    struct zone *zone = builder->zone;
    struct zone_node *nodes = zone->nodes;
    size_t room = 0;
    if (!array_reserve(&zone->children, &room, 0, zone->node_count, sizeof *zone->children))
        return zone_build_no_memory(builder);
    for (size_t i = 1; i < zone->node_count; i++)
        nodes[nodes[i].parent].child_count++;
    uint32_t next = 0;
    for (size_t i = 0; i < zone->node_count; i++) {
        nodes[i].first_child = next;
        next += nodes[i].child_count;
        nodes[i].child_count = 0; /* counted again below */
    }
    for (uint32_t i = 1; i < zone->node_count; i++) {
        struct zone_node *parent = &nodes[nodes[i].parent];
        const uint8_t *label = zone_name(zone, nodes[i].name);
        zone->children[parent->first_child + parent->child_count++] =
            (struct zone_child){ .order = label_order(label), .node = i };
        if (label[0] == 1 && label[1] == '*')
            parent->wildcard = i;
    }
    for (size_t i = zone->node_count; i-- > 0;) {
        if (nodes[i].end == 0)
            nodes[i].end = (uint32_t)i + 1;
        if (i > 0 && nodes[nodes[i].parent].end < nodes[i].end)
            nodes[nodes[i].parent].end = nodes[i].end;
    }
    return true;
}

uint32_t zone_node_before(const struct zone *zone, uint32_t node, const uint8_t *label)
{
    const struct zone_node *parent = &zone->nodes[node];
    const struct zone_child *children = zone->children + parent->first_child;
    uint64_t order = label_order(label);
    size_t low = 0, high = parent->child_count; /* the first child not before the label */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool before = children[middle].order < order;
        if (children[middle].order == order) {
            const uint8_t *other = zone_name(zone, zone->nodes[children[middle].node].name);
            before = name_key_compare(other + 1, *other, label + 1, *label) < 0;
        }
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    return low < parent->child_count ? children[low].node - 1 : parent->end - 1;
}

static bool is_wildcard(const struct zone *zone, const struct zone_node *node)
{
    const uint8_t *name = zone_name(zone, node->name);
    return name[0] == 1 && name[1] == '*';
}

/* What lies below a delegation or a DNAME is not answered from this zone. NS records of a
 * wildcard delegate nothing (RFC 4592, 4.2). */
static void build_cuts(struct zone *zone)
{
    for (uint32_t i = 0; i < zone->node_count; i++) {
        struct zone_node *node = &zone->nodes[i];
        if (i > 0 && zone->nodes[node->parent].cut != ZONE_NONE)
            node->cut = zone->nodes[node->parent].cut;
        else if (zone_set_find(zone, node, DNS_DNAME) ||
                 (i > 0 && zone_set_find(zone, node, DNS_NS) && !is_wildcard(zone, node)))
            node->cut = i;
    }
}

static void link_nsec(struct zone *zone)
{
    uint32_t last = ZONE_NONE;
    for (uint32_t i = 0; i < zone->node_count; i++) {
        struct zone_node *node = &zone->nodes[i];
        const struct zone_set *set = zone_set_find(zone, node, DNS_NSEC);
        if (set && (node->cut == ZONE_NONE || node->cut == i))
            last = (uint32_t)(set - zone->sets);
        node->denial = last;
    }
    for (uint32_t i = 0; i < zone->node_count; i++)
        zone->nodes[i].wildcard_denial =
            zone->nodes[zone_node_before(zone, i, (const uint8_t *)"\1*")].denial;
}

static void link_nsec3(struct zone *zone)
{
    uint8_t hash[NSEC3_HASH_SIZE], wildcard[2 + NAME_SIZE_MAX] = { 1, '*' };
    for (uint32_t i = 0; i < zone->node_count; i++) {
        struct zone_node *node = &zone->nodes[i];
        if (node->cut != ZONE_NONE && node->cut != i)
            continue;
        size_t size = zone_name_size(zone, node->name);
        memcpy(wildcard + 2, zone_name(zone, node->name), size);
        nsec3_hash(hash, &zone->nsec3_parameters, wildcard + 2, size);
        node->denial = zone_nsec3_find(zone, hash, true);
        nsec3_hash(hash, &zone->nsec3_parameters, wildcard, size + 2);
        node->wildcard_denial = zone_nsec3_find(zone, hash, false);
    }
}

/* ---- additional sections ------------------------------------------------------------------- */

/* Addresses of a server: from anywhere in the zone for NS, since glue is what it is for; of MX
 * and SRV only those that the zone answers for. */
static bool add_addresses(struct zone_builder *builder, struct zone_set *set, const uint8_t *lower,
                          size_t size)
{
    struct zone *zone = builder->zone;
    static const uint16_t types[] = { DNS_A, DNS_AAAA };
    uint32_t found = zone_find(zone, lower, size);
    if (found == ZONE_NONE || (set->type != DNS_NS && zone->nodes[found].cut != ZONE_NONE))
        return true;
    for (size_t i = 0; i < 2; i++) {
        const struct zone_set *address = zone_set_find(zone, &zone->nodes[found], types[i]);
        if (!address || set->additional_count == UINT16_MAX)
            continue;
        if (!array_reserve(&zone->additional, &builder->additional_room, zone->additional_count, 1,
                           sizeof *zone->additional))
            return zone_build_no_memory(builder);
        zone->additional[zone->additional_count++] = (uint32_t)(address - zone->sets);
        set->additional_count++;
    }
    return true;
}

/* Where in a type's data the name stands whose addresses are wanted; -1: nowhere. */
static int server_name_at(uint16_t type)
{
    return type == DNS_NS ? 0 : type == DNS_MX ? 2 : type == DNS_SRV ? 6 : -1;
}

static bool build_additional(struct zone_builder *builder)
{
    struct zone *zone = builder->zone;
    for (size_t i = 0; i < zone->set_count; i++) {
        struct zone_set *set = &zone->sets[i];
        int at = server_name_at(set->type);
        set->additional = (uint32_t)zone->additional_count;
        for (size_t j = 0; at >= 0 && j < set->count; j++) {
            const struct zone_record *record = &builder->text.records[builder->set_records[i] + j];
            const uint8_t *name = builder->text.bytes + record->rdata + at;
            uint8_t lower[NAME_SIZE_MAX];
            size_t size = at < record->rdata_size ? name_size(name, record->rdata_size - at) : 0;
            if (size == 0)
                return zone_build_fail(builder, record,
                                       "a domain name in this record is malformed");
            name_lower(lower, name, size);
            if (!add_addresses(builder, set, lower, size))
                return false;
        }
    }
    return true;
}

bool zone_build_links(struct zone_builder *builder)
{
    struct zone *zone = builder->zone;
    if (!build_slots(builder) || !build_children(builder))
        return false;
    build_cuts(zone);
    if (zone->nsec3)
        link_nsec3(zone);
    else
        link_nsec(zone);
    return build_additional(builder);
}
