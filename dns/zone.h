/* zone.h - one zone, compiled to ready answers.
 *
 * Every name of the zone is a node, empty non-terminals and glue included. Nodes stand in
 * canonical order, so that a node's descendants follow it without a gap; a hash table finds them.
 * Every RRset is kept as the bytes that go into a message, its RRSIGs behind it, with a list of
 * the places ("patches") where a compression pointer must be written: to the record's owner, or
 * to the zone's own name, which is a part of the question's name in every message about the
 * zone. What denies existence (RFC 4034, 4; RFC 5155) is linked at load as far as it does not
 * depend on the question.
 *
 * Nothing but `holders` changes after zone_read, so any number of threads may use a zone.
 */
#ifndef DNS_ZONE_H
#define DNS_ZONE_H

#include <stdio.h>

#include "message.h"
#include "nsec3.h"
#include "source.h"

#define ZONE_NONE UINT32_MAX /* no node, RRset or name */

struct zone_node {
    uint32_t name;        /* in names: its size, then the lower-case name */
    uint32_t parent;      /* ZONE_NONE: this is the apex */
    uint32_t cut;         /* highest delegation or DNAME at or above; or ZONE_NONE */
    uint32_t wildcard;    /* the child "*"; or ZONE_NONE */
    uint32_t first_set;   /* in sets, ascending by type */
    uint32_t first_child; /* in children, ascending */
    uint32_t child_count;
    uint32_t end;             /* one past the last descendant */
    uint32_t denial;          /* NSEC at or before this name, or NSEC3 of this name; a set */
    uint32_t wildcard_denial; /* the same that denies "*" below this name */
    uint16_t set_count;
    uint16_t labels;
};

struct zone_set {
    uint32_t owner;       /* in names */
    uint32_t data;        /* in bytes */
    uint32_t data_size;   /* bytes of the records */
    uint32_t size;        /* bytes of the records and their RRSIGs */
    uint32_t patches;     /* in patches */
    uint32_t patch_count; /* of the records */
    uint32_t patch_total; /* of the records and their RRSIGs */
    uint32_t additional;  /* in additional: sets with addresses of the names within */
    uint32_t target;      /* of a CNAME or DNAME, in names; or ZONE_NONE */
    uint32_t ttl;         /* seconds */
    uint16_t additional_count;
    uint16_t count;           /* records */
    uint16_t signature_count; /* RRSIGs */
    uint16_t type;
};

/* A place in a set's bytes, relative to their start, for a pointer of two bytes. */
enum zone_patch { ZONE_PATCH_OWNER, ZONE_PATCH_APEX };
#define ZONE_PATCH(position, kind) ((uint32_t)(position) << 1 | (kind))

struct zone_child {
    uint64_t order; /* the label's first 8 bytes, big-endian, zeros behind a shorter one */
    uint32_t node;
};

struct zone_slot {
    uint32_t hash; /* upper half of name_hash */
    uint32_t node; /* ZONE_NONE: free */
};

struct zone {
    const uint8_t *origin; /* in names */
    size_t origin_size;
    unsigned origin_labels;
    uint32_t soa;          /* a set */
    uint32_t negative_soa; /* the same with the TTL of negative answers (RFC 2308, 3) */

    struct zone_node *nodes; /* the apex first */
    struct zone_set *sets;
    struct zone_child *children;
    struct zone_slot *slots; /* open addressing */
    uint8_t *names, *bytes;
    uint32_t *patches, *additional;
    size_t slot_mask; /* their number less 1 */
    size_t node_count, set_count, name_bytes, byte_count, patch_count, additional_count;

    bool nsec3; /* denials are NSEC3, else NSEC if there are any */
    struct nsec3_parameters nsec3_parameters;
    struct nsec3_entry *nsec3_entries; /* ascending by hash */
    size_t nsec3_count;

    struct source_files sources;
    _Atomic unsigned holders; /* sets of zones that it is in, and transfers */
};

/* Reads and compiles a zone. Its name is `origin` (a wire name), or the owner of its SOA record
 * if that is NULL. On failure returns NULL with one sentence, beginning "path:line:" where a line
 * is to blame, in `error`. */
struct zone *zone_read(FILE *file, const char *path, const uint8_t *origin, char *error,
                       size_t error_size);
void zone_free(struct zone *zone);

/* Counts a holder, or one less: the last one frees the zone. */
void zone_hold(const struct zone *zone);
void zone_release(const struct zone *zone);

/* The node of a lower-case name, or ZONE_NONE. */
uint32_t zone_find(const struct zone *zone, const uint8_t *lower, size_t size);

/* The RRset of that type at a node, or NULL. */
const struct zone_set *zone_set_find(const struct zone *zone, const struct zone_node *node,
                                     uint16_t type);

/* The last node in canonical order before the child `label` (length byte first, lower-case) of
 * `node`; the child itself need not exist. */
uint32_t zone_node_before(const struct zone *zone, uint32_t node, const uint8_t *label);

/* The NSEC3 set whose hash equals (`match`) or is the last before `hash`; or ZONE_NONE. */
uint32_t zone_nsec3_find(const struct zone *zone, const uint8_t hash[NSEC3_HASH_SIZE], bool match);

static inline const uint8_t *zone_name(const struct zone *zone, uint32_t name)
{
    return zone->names + name + 1;
}

static inline size_t zone_name_size(const struct zone *zone, uint32_t name)
{
    return zone->names[name];
}

#endif
