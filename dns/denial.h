/* denial.h - which NSEC or NSEC3 records prove that something is not there.
 *
 * Each function adds RRsets to a list and leaves out what is there already; in a zone that is
 * not signed they add nothing.
 */
#ifndef DNS_DENIAL_H
#define DNS_DENIAL_H

#include "zone.h"

enum { SET_LIST_MAX = 32 };

struct set_list {
    unsigned count;
    uint16_t leg; /* of what is added: a mark for whoever reads the list (see compose.h) */
    uint16_t legs[SET_LIST_MAX];
    uint32_t sets[SET_LIST_MAX];
};

void set_list_add(struct set_list *list, uint32_t set);

/* That `name` does not exist, though a wildcard below `encloser` answers for it (RFC 4035,
 * 3.1.3.3; RFC 5155, 7.2.6). */
void denial_of_name(struct set_list *list, const struct zone *zone, uint32_t encloser,
                    const struct sought_name *name);

/* That neither `name` nor a wildcard for it exists (RFC 4035, 3.1.3.2; RFC 5155, 7.2.2). */
void denial_of_all(struct set_list *list, const struct zone *zone, uint32_t encloser,
                   const struct sought_name *name);

/* That the node has not the type asked for, or is a delegation without DS; `name` is the node's or
 * one below (RFC 4035, 3.1.3.1 and 3.1.4; RFC 5155, 7.2.3, 7.2.4 and 7.2.7). */
void denial_of_type(struct set_list *list, const struct zone *zone, uint32_t node,
                    const struct sought_name *name);

/* The same for a wildcard's node that answers for `name` (RFC 4035, 3.1.3.4; RFC 5155, 7.2.5). */
void denial_of_wildcard_type(struct set_list *list, const struct zone *zone, uint32_t node,
                             const struct sought_name *name);

#endif
