/* zones.c - the zones that a server answers for: see zones.h. */
#include "zones.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ERROR_SIZE = 1024 };

bool zone_source_parse(struct zone_source *source, const char *text)
{
    const char *equals = strchr(text, '=');
    char name[NAME_TEXT_SIZE];
    *source = (struct zone_source){ .path = equals ? equals + 1 : text, .has_origin = equals };
    if (!equals)
        return true;
    size_t size = (size_t)(equals - text);
    if (size == 0 || size >= sizeof name)
        return false;
    memcpy(name, text, size);
    name[size] = '\0';
    return name_parse(source->origin, name) > 0;
}

/* The slot of a lower-case name: its zone's, or the free one where it would stand. */
static uint32_t *find_slot(const struct dns_zones *zones, const uint8_t *lower, size_t size)
{
    for (size_t i = name_hash(lower, size) & zones->slot_mask;; i = (i + 1) & zones->slot_mask) {
        uint32_t *slot = &zones->slots[i];
        if (*slot == ZONE_NONE)
            return slot;
        const struct zone *zone = zones->zones[*slot];
        if (zone->origin_size == size && memcmp(zone->origin, lower, size) == 0)
            return slot;
    }
}

static bool index_zones(struct dns_zones *zones, char *error, size_t error_size)
{
    for (size_t i = 0; i <= zones->slot_mask; i++)
        zones->slots[i] = ZONE_NONE;
    for (uint32_t i = 0; i < zones->count; i++) {
        const struct zone *zone = zones->zones[i];
        uint32_t *slot = find_slot(zones, zone->origin, zone->origin_size);
        if (*slot != ZONE_NONE) {
            char name[NAME_TEXT_SIZE];
            snprintf(error, error_size, "the zone %s is given twice",
                     name_text(zone->origin, name));
            return false;
        }
        *slot = i;
        if (zone->origin_labels > zones->labels_max)
            zones->labels_max = zone->origin_labels;
    }
    return true;
}

void dns_zones_free(struct dns_zones *zones)
{
    if (!zones)
        return;
    for (size_t i = 0; i < zones->count; i++)
        zone_release(zones->zones[i]);
    free(zones->zones);
    free(zones->slots);
    free(zones);
}

/* Makes a set of zones that count it as a holder. */
static struct dns_zones *create(struct zone **zones, size_t count, char *error, size_t error_size)
{
    size_t slots = 4;
    while (slots < 2 * count)
        slots *= 2;
    struct dns_zones *set = calloc(1, sizeof *set);
    struct zone **own = calloc(count > 0 ? count : 1, sizeof *own);
    uint32_t *slot = calloc(slots, sizeof *slot);
    if (!set || !own || !slot) {
        for (size_t i = 0; i < count; i++)
            zone_release(zones[i]);
        free(set);
        free(own);
        free(slot);
        snprintf(error, error_size, "there is no memory for the zones");
        return NULL;
    }
    if (count > 0)
        memcpy(own, zones, count * sizeof *own);
    *set = (struct dns_zones){ own, count, slot, slots - 1, 0 };
    if (index_zones(set, error, error_size))
        return set;
    dns_zones_free(set);
    return NULL;
}

struct dns_zones *dns_zones_create(struct zone **zones, size_t count, char *error,
                                   size_t error_size)
{
    for (size_t i = 0; i < count; i++)
        zone_hold(zones[i]);
    return create(zones, count, error, error_size);
}

/* ---- reading ------------------------------------------------------------------------------- */

static struct zone *load(const struct zone_source *source, char *error, size_t error_size)
{
    FILE *file = fopen(source->path, "r");
    if (!file) {
        snprintf(error, error_size, "%s: the zone file cannot be opened: %s", source->path,
                 strerror(errno));
        return NULL;
    }
    struct zone *zone = zone_read(file, source->path, source->has_origin ? source->origin : NULL,
                                  error, error_size);
    fclose(file);
    return zone;
}

/* The zone that this source was, or NULL. */
static struct zone *find_old(const struct dns_zones *old, const struct zone_source *source)
{
    uint8_t lower[NAME_SIZE_MAX];
    if (source->has_origin) {
        size_t size = name_size(source->origin, NAME_SIZE_MAX);
        name_lower(lower, source->origin, size);
        uint32_t slot = *find_slot(old, lower, size);
        return slot == ZONE_NONE ? NULL : old->zones[slot];
    }
    for (size_t i = 0; i < old->count; i++)
        if (strcmp(old->zones[i]->sources.files[0].path, source->path) == 0)
            return old->zones[i];
    return NULL;
}

/* The zone of a source: the old one, a new one, or NULL if there is none to serve. */
static struct zone *renew(const struct dns_zones *old, const struct zone_source *source,
                          struct zones_reload *reload)
{
    char error[ERROR_SIZE];
    struct zone *before = find_old(old, source), *now;
    if (before && strcmp(before->sources.files[0].path, source->path) == 0 &&
        source_files_unchanged(&before->sources)) {
        reload->unchanged++;
        now = before;
    } else if ((now = load(source, error, sizeof error))) {
        reload->read++;
    } else {
        reload->failed++;
        reload->broken(reload->context, error, before);
        now = before;
    }
    if (now)
        zone_hold(now);
    return now;
}

static struct zone **make_list(size_t count, char *error, size_t error_size)
{
    struct zone **zones = calloc(count > 0 ? count : 1, sizeof(struct zone *));
    if (!zones)
        snprintf(error, error_size, "there is no memory for the zones");
    return zones;
}

struct dns_zones *dns_zones_reload(const struct dns_zones *old, const struct zone_source *sources,
                                   size_t count, struct zones_reload *reload, char *error,
                                   size_t error_size)
{
    struct zone **zones = make_list(count, error, error_size);
    size_t served = 0;
    if (!zones)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if ((zones[served] = renew(old, &sources[i], reload)))
            served++;
    struct dns_zones *set = create(zones, served, error, error_size);
    free(zones);
    return set;
}

struct dns_zones *dns_zones_load(const struct zone_source *sources, size_t count, char *error,
                                 size_t error_size)
{
    struct zone **zones = make_list(count, error, error_size);
    size_t loaded = 0;
    if (!zones)
        return NULL;
    while (loaded < count && (zones[loaded] = load(&sources[loaded], error, error_size)))
        loaded++;
    struct dns_zones *set = NULL;
    if (loaded == count)
        set = dns_zones_create(zones, count, error, error_size);
    else
        while (loaded-- > 0)
            zone_free(zones[loaded]);
    free(zones);
    return set;
}

/* ---- finding ------------------------------------------------------------------------------- */

const struct zone *dns_zones_find(const struct dns_zones *zones, const struct sought_name *name,
                                  uint16_t type)
{
    const struct zone *child = NULL;
    unsigned labels = name->labels < zones->labels_max ? name->labels : zones->labels_max;
    for (unsigned n = labels + 1; n-- > 0;) {
        size_t at = name->label_at[name->labels - n];
        uint32_t slot = *find_slot(zones, name->name + at, name->size - at);
        if (slot == ZONE_NONE)
            continue;
        if (type != DNS_DS || n < name->labels || n == 0)
            return zones->zones[slot];
        child = zones->zones[slot];
    }
    return child;
}
