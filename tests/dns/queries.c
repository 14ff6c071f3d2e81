/* queries.c - valid queries from a seed: see queries.h. */
#include "tests/dns/queries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dns/edns.h"

enum { COOKIE_QUERIES = 10 /* the last of all */ };

const char queries_zone[] =
    "@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n*.wild TXT wild\n"
    "alias CNAME a.wild\nchild NS ns.child\nns.child A 192.0.2.2\nsub DNAME wild\n";

/* A name of this many bytes, of labels of any length and mostly letters; in the zone if it may be. */
static void generate_name(struct generator *random, uint8_t *name, size_t size)
{
    bool ours = size >= 3 && generate_below(random, 8) > 0;
    size_t at = 0, left = size - (ours ? 3 : 1);
    while (left >= 2) {
        size_t most = left - 1 < LABEL_SIZE_MAX ? left - 1 : LABEL_SIZE_MAX;
        size_t label = 1 + generate_below(random, (uint32_t)most);
        if (left - label == 2) /* one byte would be left, and no label is so small */
            label = label == 1 ? 2 : label - 1;
        name[at++] = (uint8_t)label;
        for (size_t i = 0; i < label; i++)
            name[at++] = (uint8_t)(generate_below(random, 8) ? 'a' + generate_below(random, 26)
                                                             : generate(random));
        left -= label + 1;
    }
    memcpy(name + at, ours ? "\1X" : "", ours ? 3 : 1);
}

/* Up to three options: cookies of lengths that may be, keepalive, and one that is unknown. */
static size_t generate_edns(struct generator *random, uint8_t *options)
{
    size_t at = 0;
    for (unsigned count = generate_below(random, 4); count > 0; count--) {
        static const uint16_t codes[] = { EDNS_COOKIE, EDNS_COOKIE, EDNS_KEEPALIVE, 65001 };
        static const uint16_t cookies[] = { 8, 16, 24, 40 };
        unsigned kind = generate_below(random, 4);
        uint16_t size = kind < 2 ? cookies[generate_below(random, 4)] : kind == 2 ? 0 : 5;
        dns_put16(options + at, codes[kind]);
        dns_put16(options + at + 2, size);
        generate_bytes(random, options + at + 4, size);
        at += 4u + size;
    }
    return at;
}

/* The SOA record that an IXFR query has (RFC 1995, 3). */
static void add_serial(struct query *query)
{
    static const uint8_t record[] = { 0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0,
                                      22,   0,  0, 0, 0, 0, 1, 0, 0, 0 };
    memset(query->bytes + query->size, 0, 12 + 22);
    memcpy(query->bytes + query->size, record, sizeof record);
    query->size += 12 + 22;
    query->bytes[9] = 1;
}

/* A query for a cookie only (RFC 7873, 5.4). */
static void generate_cookie_query(struct generator *random, struct query *query)
{
    static const uint8_t bytes[] = { 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  1, 0, 0,
                                     41, 2, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0 };
    uint8_t cookie = generate_below(random, 2) ? 8 : 24;
    query->size = sizeof bytes + cookie;
    memcpy(query->bytes, bytes, sizeof bytes);
    generate_bytes(random, query->bytes + sizeof bytes, cookie);
    query->bytes[sizeof bytes - 5] = 4 + cookie;
    query->bytes[sizeof bytes - 1] = cookie;
}

static void generate_question(struct generator *random, struct query *query, unsigned number)
{
    static const char *const names[] = {
        "x",       "ns.x",    "big.x",     "a.wild.x", "*.wild.x",
        "alias.x", "child.x", "a.child.x", "a.sub.x",  "below.ns.x"
    };
    static const uint16_t types[] = { DNS_A,      DNS_NS,    DNS_CNAME, DNS_SOA,   DNS_PTR,
                                      DNS_MX,     DNS_TXT,   DNS_AAAA,  DNS_SRV,   DNS_DNAME,
                                      DNS_DS,     DNS_RRSIG, DNS_NSEC,  DNS_NSEC3, DNS_ANY,
                                      DNS_DNSKEY, DNS_AXFR,  DNS_IXFR,  65280,     DNS_TXT,
                                      DNS_A,      DNS_ANY,   DNS_NS };
    uint8_t name[NAME_SIZE_MAX], options[200];
    if (number >= NAME_SIZE_MAX)
        assert_true(name_parse(name, names[number % (sizeof names / sizeof *names)]) > 0);
    else
        generate_name(random, name, number == 1 ? 3 : number + 1); /* no name has two bytes */
    struct dns_question question = {
        .name = name,
        .id = (uint16_t)generate(random),
        .flags = (uint16_t)(generate(random) & (DNS_FLAG_RD | DNS_FLAG_CD | DNS_FLAG_AD)),
        .type = types[generate_below(random, sizeof types / sizeof *types)],
        .class = generate_below(random, 16) ? DNS_CLASS_IN : 3,
        .edns = generate_below(random, 3) > 0,
        .dnssec_ok = generate_below(random, 2) > 0,
        .edns_version = generate_below(random, 32) == 0,
        .padded_size = generate_below(random, 8) ? 0 : 128,
        .options = options,
    };
    if (question.edns)
        question.options_size = generate_edns(random, options);
    query->size = dns_query_write(query->bytes, QUERY_MAX, &question);
    assert_true(query->size > 0);
    if (question.type == DNS_IXFR && !question.edns)
        add_serial(query);
}

void generate_query(struct generator *generator, struct query *query, unsigned number)
{
    if (number < QUERIES - COOKIE_QUERIES)
        generate_question(generator, query, number);
    else
        generate_cookie_query(generator, query);
}
