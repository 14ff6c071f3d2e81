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
    char error[256];
    struct zone *both[2];
    struct dns_zones *parent = case_zones(parent_zone, "x");
    struct dns_zones *child =
        case_zones("@ SOA ns host 9 2 3 4 5\n@ NS ns\nns A 192.0.2.9\n", "sub.x");
    both[0] = parent->zones[0];
    both[1] = child->zones[0];
    parent->count = child->count = 0; /* they change hands */
    dns_zones_free(parent);
    dns_zones_free(child);
    struct dns_zones *zones = dns_zones_create(both, 2, error, sizeof error);
    expect_answer(zones, "ns.sub.x. A", 0, "NOERROR aa, an ns.sub.x. A 192.0.2.9");
    expect_answer(zones, "sub.x. DS", 0, "NOERROR aa, au " SOA); /* the parent's (RFC 4035) */
    expect_answer(zones, "a.x. A", 0, "NOERROR aa, an a.x. A 192.0.2.2");
    expect_answer(zones, "x. DS", 0, "NOERROR aa, au " SOA);
    dns_zones_free(zones);
}

static void zone_twice(void **state)
{
    (void)state;
    char error[256];
    struct dns_zones *one = case_zones(parent_zone, "x"), *other = case_zones(parent_zone, "x");
    struct zone *both[2] = { one->zones[0], other->zones[0] };
    one->count = other->count = 0;
    dns_zones_free(one);
    dns_zones_free(other);
    assert_null(dns_zones_create(both, 2, error, sizeof error));
    assert_string_equal(error, "the zone x. is given twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources),
        cmocka_unit_test(child_zone),
        cmocka_unit_test(zone_twice),
    };
    return cmocka_run_group_tests_name("zones", tests, NULL, NULL);
}
