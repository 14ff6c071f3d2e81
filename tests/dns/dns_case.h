/* dns_case.h - zones from text and answers as text, for the tests of dns/. */
#ifndef TESTS_DNS_CASE_H
#define TESTS_DNS_CASE_H

#include "dns/reply.h"

enum {
    CASE_DO = 1,   /* EDNS with DO */
    CASE_EDNS = 2, /* EDNS without */
    CASE_RD = 4,
    CASE_CD = 8,
};

enum { CASE_ZONES_MAX = 8 };

struct case_zone {
    const char *text, *origin; /* origin: NULL if the text names it */
};

/* Zones compiled from text; the test fails if one has an error. */
struct dns_zones *case_zones(const char *text, const char *origin);
struct dns_zones *case_zones_of(const struct case_zone *cases, size_t count);

/* The sentence that this zone text is refused with. */
const char *case_zone_error(const char *text, const char *origin);

/* A query for "NAME TYPE" in a buffer of its own. */
size_t case_query(uint8_t query[512], const char *question, unsigned flags);

/* The answer as text: "RCODE flag...", then for each record, in the message's order,
 * ", SECTION OWNER TYPE DATA", where SECTION is an, au or ad, and DATA of an RRSIG is only the
 * type covered. The message is parsed by ldns. Static. */
const char *case_answer(const struct dns_zones *zones, const char *question, unsigned flags);
const char *case_text(const uint8_t *answer, size_t size);

/* Fails the test unless the answer is `expected`. */
#define expect_answer(zones, question, flags, expected) \
    assert_string_equal(case_answer(zones, question, flags), expected)

#endif
