/* denial.c - which NSEC or NSEC3 records prove that something is not there: see denial.h. */
#include "denial.h"

void set_list_add(struct set_list *list, uint32_t set)
{
    if (set == ZONE_NONE || list->count == SET_LIST_MAX)
        return;
    for (unsigned i = 0; i < list->count; i++)
        if (list->sets[i] == set && list->legs[i] == list->leg)
            return;
    list->legs[list->count] = list->leg;
    list->sets[list->count++] = set;
}

/* The name one label longer than the encloser (RFC 5155, 1.3). */
static const uint8_t *next_closer(const struct zone *zone, uint32_t encloser,
                                  const struct sought_name *name, size_t *size)
{
    size_t at = name->label_at[name->labels - zone->nodes[encloser].labels - 1];
    *size = name->size - at;
    return name->name + at;
}

static void add_cover(struct set_list *list, const struct zone *zone, uint32_t encloser,
                      const struct sought_name *name)
{
    uint8_t hash[NSEC3_HASH_SIZE];
    size_t size;
    const uint8_t *closer = next_closer(zone, encloser, name, &size);
    if (!zone->nsec3) {
        set_list_add(list, zone->nodes[zone_node_before(zone, encloser, closer)].denial);
        return;
    }
    nsec3_hash(hash, &zone->nsec3_parameters, closer, size);
    set_list_add(list, zone_nsec3_find(zone, hash, false));
}

/* The closest encloser that has an NSEC3: opt-out leaves some names without (RFC 5155, 7.2.1). */
static uint32_t provable_encloser(const struct zone *zone, uint32_t node)
{
    while (zone->nodes[node].denial == ZONE_NONE && node > 0)
        node = zone->nodes[node].parent;
    return node;
}

void denial_of_name(struct set_list *list, const struct zone *zone, uint32_t encloser,
                    const struct sought_name *name)
{
    add_cover(list, zone, encloser, name);
}

void denial_of_all(struct set_list *list, const struct zone *zone, uint32_t encloser,
                   const struct sought_name *name)
{
    if (zone->nsec3) {
        encloser = provable_encloser(zone, encloser);
        set_list_add(list, zone->nodes[encloser].denial);
    }
    add_cover(list, zone, encloser, name);
    set_list_add(list, zone->nodes[encloser].wildcard_denial);
}

void denial_of_type(struct set_list *list, const struct zone *zone, uint32_t node,
                    const struct sought_name *name)
{
    uint32_t encloser = zone->nsec3 ? provable_encloser(zone, node) : node;
    set_list_add(list, zone->nodes[encloser].denial);
    if (encloser != node)
        add_cover(list, zone, encloser, name);
}

void denial_of_wildcard_type(struct set_list *list, const struct zone *zone, uint32_t node,
                             const struct sought_name *name)
{
    uint32_t encloser = zone->nodes[node].parent;
    set_list_add(list, zone->nodes[node].denial);
    add_cover(list, zone, encloser, name);
    if (zone->nsec3)
        set_list_add(list, zone->nodes[encloser].denial);
}
