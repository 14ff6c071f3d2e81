/* answer.h - what the zones say to a question: the sections of a reply.
 *
 * A reply (reply.h) owns the message around them: header, question, EDNS.
 */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include "compose.h"
#include "denial.h"
#include "zones.h"

struct answer {
    struct compose compose; /* with the question written, and a limit */
    const struct zone *zone;
    const struct dns_query *query;
    struct set_list authority;
    uint16_t flags;
    uint16_t rcode;
    bool overflow; /* something that belongs into the answer did not fit */
    bool may_trim; /* addresses that help may be left out */
    /* Where a chain goes on: two of them, because a DNAME's target is made of the last name. */
    uint8_t names[2][NAME_SIZE_MAX];
    uint8_t label_at[NAME_LABELS_MAX + 1];
};

/* Writes the three sections from the zones (RFC 1034, 4.3.2, and what amended it). False, and
 * nothing is written: no zone here has the name. */
bool answer_resolve(struct answer *answer, const struct dns_zones *zones);

#endif
