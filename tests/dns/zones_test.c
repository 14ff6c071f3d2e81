/* zones_test.c - several zones: which one answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"

#define SOA "x. SOA ns.x. host.x. 1 2 3 4 5"

static const char parent_zone[] =
    "@ 60 SOA ns host 1 2 3 4 5\n@ NS ns\na A 192.0.2.2\nsub NS ns.sub\n";

static void sources(void **state)
{
    (void)state;
    struct zone_source source;
    char error[256];
    assert_true(zone_source_parse(&source, "file"));
    assert_string_equal(source.path, "file");
    assert_false(source.has_origin);
    assert_true(zone_source_parse(&source, "A.b=dir/file"));
    assert_string_equal(source.path, "dir/file");
    assert_memory_equal(source.origin, "\1A\1b", 5);
    assert_false(zone_source_parse(&source, "=file"));
    assert_false(zone_source_parse(&source, "a..b=file"));
    assert_true(zone_source_parse(&source, "x=does/not/exist"));
    assert_null(dns_zones_load(&source, 1, error, sizeof error));
    assert_string_equal(error, "does/not/exist: the zone file cannot be opened: No such file or "
                               "directory");
}

static void child_zone(void **state)
{
    (void)state;
    static const struct case_zone both[] = {
        { parent_zone, "x" },
        { "@ SOA ns host 9 2 3 4 5\n@ NS ns\nns A 192.0.2.9\n", "sub.x" },
    };
    struct dns_zones *zones = case_zones_of(both, 2);
    expect_answer(zones, "ns.sub.x. A", 0, "NOERROR aa, an ns.sub.x. A 192.0.2.9");
    expect_answer(zones, "sub.x. DS", 0, "NOERROR aa, au " SOA); /* the parent's (RFC 4035) */
    expect_answer(zones, "a.x. A", 0, "NOERROR aa, an a.x. A 192.0.2.2");
    expect_answer(zones, "x. DS", 0, "NOERROR aa, au " SOA);
    dns_zones_free(zones);
}

/* Each question to the closest zone above it, the root's the last; and in the root's zone, whose
 * name no pointer can shorten, to every kind of name. */
static void root_and_nested(void **state)
{
    (void)state;
    static const struct case_zone cases[] = {
        { "@ SOA ns.root host 1 2 3 4 5\n@ NS ns.root\nns.root A 192.0.2.1\n@ TXT root\n"
          "x NS ns.x\nns.x A 192.0.2.2\n* MX 1 .\na.b.c A 192.0.2.3\n",
          "." },
        { "@ SOA ns host 2 2 3 4 5\n@ NS ns\nns A 192.0.2.4\ny NS ns.y\nns.y A 192.0.2.5\n", "x" },
        { "@ SOA ns host 3 2 3 4 5\n@ NS ns\nns A 192.0.2.6\n", "z.y.x" },
    };
    struct dns_zones *zones = case_zones_of(cases, 3);
    static const char soa[] = "NOERROR aa, au . SOA ns.root. host. 1 2 3 4 5";
    expect_answer(zones, ". NS", 0, "NOERROR aa, an . NS ns.root., ad ns.root. A 192.0.2.1");
    expect_answer(zones, ". TXT", CASE_DO, "NOERROR aa edns do, an . TXT \"root\"");
    expect_answer(zones, ". A", 0, soa);
    expect_answer(zones, ". DS", 0, soa);
    expect_answer(zones, "b.c. A", 0, soa);
    expect_answer(zones, "a.b.c. A", 0, "NOERROR aa, an a.b.c. A 192.0.2.3");
    expect_answer(zones, "q.q. MX", 0, "NOERROR aa, an q.q. MX 1 .");
    expect_answer(zones, "q.c. A", 0, "NXDOMAIN aa, au . SOA ns.root. host. 1 2 3 4 5");
    expect_answer(zones, "x. DS", 0, soa);
    expect_answer(zones, "ns.x. A", 0, "NOERROR aa, an ns.x. A 192.0.2.4");
    expect_answer(zones, "q.y.x. A", 0, "NOERROR, au y.x. NS ns.y.x., ad ns.y.x. A 192.0.2.5");
    expect_answer(zones, "ns.z.y.x. A", 0, "NOERROR aa, an ns.z.y.x. A 192.0.2.6");
    expect_answer(zones, "z.y.x. DS", 0, "NOERROR, au y.x. NS ns.y.x., ad ns.y.x. A 192.0.2.5");
    dns_zones_free(zones);
}

/* Pointers to the root are longer than the root. */
static void root_is_not_compressed(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones("@ SOA a b 1 2 3 4 5\n@ NS .\n", ".");
    uint8_t query[512], answer[512];
    size_t size = case_query(query, ". NS", 0);
    size_t got = dns_reply(zones, &dns_any_stream, query, size, answer, sizeof answer);
    assert_int_equal(got, size + 1 + 10 + 1);
    assert_memory_equal(answer + size, "\0\0\2\0\1\0\0\16\20\0\1\0", 12);
    dns_zones_free(zones);
}

static void zone_twice(void **state)
{
    (void)state;
    char error[256];
    struct dns_zones *one = case_zones(parent_zone, "x"), *other = case_zones(parent_zone, "x");
    struct zone *both[2] = { one->zones[0], other->zones[0] };
    one->count = other->count = 0; /* they change hands */
    both[0]->holders = both[1]->holders = 0;
    dns_zones_free(one);
    dns_zones_free(other);
    assert_null(dns_zones_create(both, 2, error, sizeof error));
    assert_string_equal(error, "the zone x. is given twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources),         cmocka_unit_test(child_zone),
        cmocka_unit_test(root_and_nested), cmocka_unit_test(root_is_not_compressed),
        cmocka_unit_test(zone_twice),
    };
    return cmocka_run_group_tests_name("zones", tests, NULL, NULL);
}
