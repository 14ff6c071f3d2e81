/* compose.h - the answer as it is written: compiled RRsets copied into a message.
 *
 * The question's name stands at offset 12 and ends with the zone's name, so every owner can be
 * compressed: its longest suffix that the question's name also has becomes a pointer. Where a
 * chain of aliases goes into another zone, the alias's target serves in the same way: each zone
 * with the name by which it was reached is a leg of the answer.
 */
#ifndef DNS_COMPOSE_H
#define DNS_COMPOSE_H

#include "zone.h"

enum { COMPOSED_SETS_MAX = 64, COMPOSE_LEGS_MAX = 17 };

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

/* What of an RRset is written. */
enum compose_part { COMPOSE_RECORDS, COMPOSE_SIGNED, COMPOSE_SIGNATURES };

/* `name` is below the zone's name, and those of its labels that are not the zone's stand at `at` in
 * the message one after the other, followed by the zone's or a pointer. */
struct compose_leg {
    const struct zone *zone;
    const uint8_t *name; /* lower-case */
    size_t size, at;
};

struct compose {
    uint8_t *message;
    size_t size;        /* bytes written */
    size_t limit;       /* of size, less what is still to be written behind the sections */
    unsigned counts[3]; /* of records, by section */
    unsigned leg_count;
    struct compose_leg legs[COMPOSE_LEGS_MAX];
    unsigned set_count;
    uint16_t set_legs[COMPOSED_SETS_MAX]; /* those written, to write none twice */
    uint32_t sets[COMPOSED_SETS_MAX];
};

/* A name in a message. */
struct compose_owner {
    const uint8_t *name; /* lower-case */
    size_t size;
    size_t at; /* where it stands in the message already; 0: nowhere */
};

/* Enters a zone by a name, and returns its leg: the one that the zone has already, or a new one.
 * False: the name stands nowhere or where pointers do not reach, or there were too many zones. */
bool compose_enter(struct compose *compose, const struct compose_leg *entered, uint16_t *leg);

/* Writes an RRset of a leg's zone. False, and nothing is changed: it does not fit. */
bool compose_set(struct compose *compose, enum dns_section section, uint16_t leg, uint32_t set,
                 const struct compose_owner *owner, enum compose_part part);

bool compose_has_set(const struct compose *compose, uint16_t leg, uint32_t set);

/* Writes one CNAME record, which a DNAME implies (RFC 6672, 3.1), into the answer section. */
bool compose_cname(struct compose *compose, uint16_t leg, const struct compose_owner *owner,
                   uint32_t ttl, const uint8_t *target, size_t target_size);

#endif
