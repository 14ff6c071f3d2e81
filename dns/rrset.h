/* rrset.h - records become RRsets in the form of a message, with the places where compression pointers
 * go: see zone.h. For the compiler only.
 */
#ifndef DNS_RRSET_H
#define DNS_RRSET_H

#include "compile.h"

enum { RECORD_HEAD_SIZE = 12 }; /* bytes of a record before its data, the owner a pointer */

/* Keeps a lower-case name; *at says where in the zone's names. */
bool zone_build_name(struct zone_builder *builder, uint32_t *at, const uint8_t *lower, size_t size);

/* Makes a set of `count` records and the `signatures` RRSIGs behind them, with a TTL of at most
 * `ttl_max`. */
bool zone_build_set(struct zone_builder *builder, uint32_t owner, const struct zone_record *records,
                    size_t count, size_t signatures, uint32_t ttl_max);

#endif
