/* forwarded.h - what someone who forwards messages has to write or change in them.
 */
#ifndef DNS_FORWARDED_H
#define DNS_FORWARDED_H

#include "message.h"

enum { FORWARDED_FAILURE_SIZE = DNS_HEADER_SIZE + NAME_SIZE_MAX + 4 + DNS_OPT_SIZE + 6 };

/* Info codes of extended errors (RFC 8914, 4). */
enum dns_extended_error {
    DNS_EDE_NOT_READY = 14,
    DNS_EDE_NOT_SUPPORTED = 21,
    DNS_EDE_NO_AUTHORITY = 22
};

/* Writes the answer to a query that cannot be had, with the question if it is sound, and with the
 * extended error if the query had EDNS. `answer` has FORWARDED_FAILURE_SIZE bytes; returns how many
 * were written. The query has at least a header. */
size_t forwarded_failure(uint8_t *answer, const uint8_t *query, size_t size, enum dns_rcode rcode,
                         enum dns_extended_error error);

/* Cuts an answer down to header, question and OPT record, with TC; returns its new size. */
size_t forwarded_truncate(uint8_t *answer, size_t size);

/* Whether an answer is one to that query: the same question, or none in an answer that says that it
 * was not understood. Ids are not looked at. */
bool forwarded_matches(const uint8_t *query, size_t query_size, const uint8_t *answer, size_t size);

#endif
