/* answer.h - a query in, an answer out: a pure function of the zones and the query. */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include "zones.h"

enum dns_transport {
    DNS_STREAM,   /* whole answers of up to 65535 bytes; one that exceeds `room` gives 0 */
    DNS_DATAGRAM, /* what exceeds the client's size or `room` is left out, with TC */
};

/* Answers a query message from the zones (RFC 1034, 4.3.2, and what amended it). Writes at most
 * `room` bytes and returns how many. 0: nothing is to be sent (too short for a header, or a
 * response itself) or the answer does not fit. */
size_t dns_answer(const struct dns_zones *zones, const uint8_t *query, size_t query_size,
                  uint8_t *answer, size_t room, enum dns_transport transport);

#endif
