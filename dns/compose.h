/* compose.h - the answer as it is written: compiled RRsets copied into a message.
 *
 * The question's name stands at offset 12 and ends with the zone's name, so every owner can be
 * compressed: its longest suffix that the question's name also has becomes a pointer.
 */
#ifndef DNS_COMPOSE_H
#define DNS_COMPOSE_H

#include "zone.h"

enum { COMPOSED_SETS_MAX = 64 };

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

/* What of an RRset is written. */
enum compose_part { COMPOSE_RECORDS, COMPOSE_SIGNED, COMPOSE_SIGNATURES };

struct compose {
    const struct zone *zone;
    const struct dns_query *query;
    uint8_t *message;
    size_t size;        /* bytes written */
    size_t limit;       /* of size, less what is still to be written behind the sections */
    unsigned counts[3]; /* of records, by section */
    unsigned set_count;
    uint32_t sets[COMPOSED_SETS_MAX]; /* those written, to write none twice */
};

/* A name in a message. */
struct compose_owner {
    const uint8_t *name; /* lower-case */
    size_t size;
    size_t at; /* where it stands in the message already; 0: nowhere */
};

/* Writes an RRset. False, and nothing is changed: it does not fit. */
bool compose_set(struct compose *compose, enum dns_section section, uint32_t set,
                 const struct compose_owner *owner, enum compose_part part);

bool compose_has_set(const struct compose *compose, uint32_t set);

/* Writes one CNAME record, which a DNAME implies (RFC 6672, 3.1), into the answer section. */
bool compose_cname(struct compose *compose, const struct compose_owner *owner, uint32_t ttl,
                   const uint8_t *target, size_t target_size);

#endif
