/* zones.h - the zones that a server answers for, found by the longest name that a question's name
 * ends with. Immutable once made: reloading makes another.
 */
#ifndef DNS_ZONES_H
#define DNS_ZONES_H

#include "zone.h"

struct dns_zones {
    struct zone **zones;
    size_t count;
    uint32_t *slots; /* open addressing; index into zones, or ZONE_NONE */
    size_t slot_mask;
    unsigned labels_max; /* of any origin */
};

struct zone_source {
    const char *path;
    bool has_origin; /* else the SOA's owner is the zone's name */
    uint8_t origin[NAME_SIZE_MAX];
};

/* Takes "[ORIGIN=]FILE", whose text must outlive the source. False: ORIGIN is no name. */
bool zone_source_parse(struct zone_source *source, const char *text);

/* Reads and compiles every source. NULL: `error` holds one sentence. */
struct dns_zones *dns_zones_load(const struct zone_source *sources, size_t count, char *error,
                                 size_t error_size);

/* Makes a set of zones that then belong to it, also on failure. NULL: `error` holds one sentence
 * (a name given twice, no memory). */
struct dns_zones *dns_zones_create(struct zone **zones, size_t count, char *error,
                                   size_t error_size);

/* NULL is allowed. */
void dns_zones_free(struct dns_zones *zones);

/* The zone that answers for this name, the closest above it, or NULL. DS belongs to the zone above
 * a cut (RFC 4035, 3.1.4.1) if that one is here too. */
const struct zone *dns_zones_find(const struct dns_zones *zones, const struct sought_name *name,
                                  uint16_t type);

#endif
