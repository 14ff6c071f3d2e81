/* record.h - one record from its text: the plainest are read here (plain.h), all others ldns parses, and
 * what ldns leaves open is decided here.
 */
#ifndef DNS_RECORD_H
#define DNS_RECORD_H

#include <ldns/ldns.h>

#include "message.h"

/* What fields mean that a record leaves out (RFC 1035, 5.1). */
struct record_defaults {
    ldns_rdf *origin; /* NULL: none yet */
    uint32_t ttl;
    bool ttl_given;               /* by $TTL (RFC 2308, 4); otherwise the last record's counts */
    uint8_t owner_size;           /* 0: none yet */
    uint8_t owner[NAME_SIZE_MAX]; /* lower-case */
};

/* A record of class IN. */
struct record {
    uint32_t ttl;
    uint16_t type;
    uint16_t size; /* of data */
    uint8_t owner_size;
    uint8_t owner[NAME_SIZE_MAX]; /* lower-case */
    uint8_t data[UINT16_MAX];
};

/* Parses an entry, whose words may change places; owner and TTL are the next one's defaults. False:
 * `error` has the reason. */
bool record_parse(struct record *record, struct record_defaults *defaults, char *entry, char *error,
                  size_t error_size);

/* The same, by ldns alone, and leaves the defaults. */
bool record_parse_any(struct record *record, const struct record_defaults *defaults, char *entry,
                      char *error, size_t error_size);

/* True if every character of the word is a digit. */
bool word_is_number(const char *word, size_t size);
/* True if the word is this one, in any case. */
bool word_is(const char *word, size_t size, const char *other);

#endif
