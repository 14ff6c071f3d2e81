/* answer.h - what the zones say to a question: the sections of a reply.
 *
 * A reply (reply.h) owns the message around them: header, question, EDNS.
 */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include "compose.h"
#include "denial.h"
#include "zones.h"

enum { ANSWER_CHAIN_MAX = COMPOSE_LEGS_MAX - 1 }; /* CNAME and DNAME records followed */

struct answer {
    struct compose compose; /* with the question written, and a limit */
    const struct dns_query *query;
    uint16_t flags;
    uint16_t rcode;
    bool may_trim; /* addresses that help may be left out */
    bool overflow; /* something that belongs into the answer did not fit */
    /* What follows is answer_resolve's own. */
    const struct dns_zones *zones;
    const struct zone *zone; /* where the chain is now */
    uint16_t leg;            /* the zone's */
    struct set_list authority;
    /* What DNAMEs have made, by hop; after a CNAME the size is 0. */
    uint8_t names[ANSWER_CHAIN_MAX + 1][NAME_SIZE_MAX], name_sizes[ANSWER_CHAIN_MAX + 1];
    uint8_t label_at[NAME_LABELS_MAX + 1];
};

/* Writes the three sections from the zones (RFC 1034, 4.3.2, and what amended it). False, and
 * nothing is written: no zone here has the name. */
bool answer_resolve(struct answer *answer, const struct dns_zones *zones);

#endif
