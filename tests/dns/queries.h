/* queries.h - some hundred valid queries of all kinds, from a seed: names of every length, in the zone
 * "x" mostly and some by the names of queries_zone, many types, and what EDNS has.
 */
#ifndef TESTS_DNS_QUERIES_H
#define TESTS_DNS_QUERIES_H

#include "dns/message.h"
#include "tests/tcpct/generate.h"

enum { QUERIES = 320, QUERY_MAX = 600 };

struct query {
    size_t size;
    uint8_t bytes[QUERY_MAX];
};

/* The zone's text, but for what else a test wants in it. */
extern const char queries_zone[];

/* The next query; `number` counts them from 0 to QUERIES - 1. */
void generate_query(struct generator *generator, struct query *query, unsigned number);

#endif
