/* zonefile.h - zone text into records (RFC 1035, 5): entries are cut out (entry.h), directives are
 * carried out here, each record is parsed by ldns (record.h), and its wire form is kept.
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
    uint32_t owner; /* in bytes: the name's size (1 byte), the lower-case name */
    uint32_t key;   /* in bytes: the key's size (2 bytes, host order), the sort key */
    uint32_t rdata; /* in bytes */
    uint32_t line;  /* where it begins in the file */
    uint32_t ttl;
    uint16_t rdata_size;
    uint16_t type;
    uint16_t set_type; /* of an RRSIG the type covered, else the type */
    uint16_t file;     /* of `line`; in sources */
};

struct zone_text {
    struct zone_record *records;
    size_t count;
    uint8_t *bytes; /* what the offsets above point into */
    size_t size;
    size_t records_room, bytes_room;
    struct source_files sources; /* the zone's file first */
    size_t generated;            /* records, by $GENERATE */
};

/* Reads all records of `file`. Relative names belong to `origin` (a wire name) until $ORIGIN says
 * otherwise; it may be NULL. False: `error` holds one sentence that begins with "path:line:".
 * Either way zone_text_release frees what was read. */
bool zone_text_read(struct zone_text *text, FILE *file, const char *path, const uint8_t *origin,
                    char *error, size_t error_size);

/* Sorts by owner (canonical order), set type, signatures last, rdata; drops repeated records. */
void zone_text_sort(struct zone_text *text);

void zone_text_release(struct zone_text *text);

/* The compiler's and the reader's growing arrays: room for `more` elements behind `count`.
 * False: no memory, or above UINT32_MAX elements. */
bool array_reserve(void *array, size_t *room, size_t count, size_t more, size_t element_size);

#endif
