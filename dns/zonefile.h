/* zonefile.h - zone text into records (RFC 1035, 5): entries are cut out (entry.h), directives are
 * carried out here, each record is parsed (record.h), and its wire form is kept.
 */
#ifndef DNS_ZONEFILE_H
#define DNS_ZONEFILE_H

#include <stdio.h>

#include "message.h"
#include "source.h"

enum {
    INCLUDES_MAX = 10, /* $INCLUDE within $INCLUDE */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    GENERATED_MAX = 1 << 6,
#else
    GENERATED_MAX = 1 << 24, /* records that $GENERATE makes in a zone: those of 10.in-addr.arpa */
#endif
};

struct zone_record {
    uint32_t rdata; /* in bytes */
    uint32_t line;  /* where it begins in the file */
    uint32_t ttl;
    uint16_t rdata_size;
    uint16_t type;
    uint16_t set_type; /* of an RRSIG the type covered, else the type */
    uint16_t file;     /* of `line`; in sources */
};

enum { OWNER_KEY_ZEROS = 9 }; /* one more than an order's bytes */

/* Records that have one owner. Until they are sorted, those that follow each other in the file. */
struct zone_owner {
    uint64_t order; /* for zone_text_sort */
    uint32_t name;  /* in bytes: the name's size (1 byte), the lower-case name */
    uint32_t key;   /* in bytes: the name's sort key (name.h), OWNER_KEY_ZEROS zeros */
    uint32_t first; /* in records */
    uint32_t count;
};

struct zone_text {
    struct zone_owner *owners;
    struct zone_record *records;
    uint8_t *bytes; /* what names and data point into */
    size_t owner_count, record_count, size;
    size_t owners_room, records_room, bytes_room;
    struct source_files sources; /* the zone's file first */
    size_t generated;            /* records, by $GENERATE */
};

/* Reads all records of `file`. Relative names belong to `origin` (a wire name) until $ORIGIN says
 * otherwise; it may be NULL. False: `error` holds one sentence that begins with "path:line:".
 * Either way zone_text_release frees what was read. */
bool zone_text_read(struct zone_text *text, FILE *file, const char *path, const uint8_t *origin,
                    char *error, size_t error_size);

void zone_text_release(struct zone_text *text);

/* The compiler's and the reader's growing arrays: room for `more` elements behind `count`.
 * False: no memory, or above UINT32_MAX elements. */
bool array_reserve(void *array, size_t *room, size_t count, size_t more, size_t element_size);

#endif
