/* record.h - one record from its text: ldns parses it, and what ldns leaves open is decided here. */
#ifndef DNS_RECORD_H
#define DNS_RECORD_H

#include <ldns/ldns.h>

#include "message.h"

/* What fields mean that a record leaves out (RFC 1035, 5.1). */
struct record_defaults {
    ldns_rdf *origin, *owner; /* NULL: none yet */
    uint32_t ttl;
    bool ttl_given; /* by $TTL (RFC 2308, 4); otherwise the last record's counts */
};

/* Parses an entry, whose words may change places. Returns a record of class IN with names that
 * are none too long, to be freed with ldns_rr_free; owner and TTL are the next one's defaults.
 * NULL: `error` has the reason. */
ldns_rr *record_parse(struct record_defaults *defaults, char *entry, char *error,
                      size_t error_size);

void record_defaults_release(struct record_defaults *defaults);

/* True if every character of the word is a digit. */
bool word_is_number(const char *word, size_t size);
/* True if the word is this one, in any case. */
bool word_is(const char *word, size_t size, const char *other);

#endif
