/* zones.h - the zones that a server answers for, found by the longest name that a question's name
 * ends with.
 *
 * A set of zones is immutable once made. Reloading makes another set beside it, which has the old
 * one's zones where their files have not changed; a zone goes with the last set that has it. Sets
 * that share zones are made and freed one at a time, in whatever thread.
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

struct zones_reload {
    /* Called with a sentence for each broken source, and with the old zone that stays in its place
     * or NULL: then it is not served. */
    void (*broken)(void *context, const char *error, const struct zone *old);
    void *context;
    size_t read, unchanged, failed; /* sources; added up */
};

/* Makes the set that follows `old`, which stays as it is: sources whose files have changed are read,
 * and where that fails the old zone stays. NULL: `error` holds one sentence (no memory, a name given
 * twice). */
struct dns_zones *dns_zones_reload(const struct dns_zones *old, const struct zone_source *sources,
                                   size_t count, struct zones_reload *reload, char *error,
                                   size_t error_size);

/* Makes a set of zones that then belong to it, unless other sets have them too; on failure they are
 * freed. NULL: `error` holds one sentence (a name given twice, no memory). */
struct dns_zones *dns_zones_create(struct zone **zones, size_t count, char *error,
                                   size_t error_size);

/* NULL is allowed. */
void dns_zones_free(struct dns_zones *zones);

/* The zone that answers for this name, the closest above it, or NULL. DS belongs to the zone above
 * a cut (RFC 4035, 3.1.4.1) if that one is here too. */
const struct zone *dns_zones_find(const struct dns_zones *zones, const struct sought_name *name,
                                  uint16_t type);

#endif
