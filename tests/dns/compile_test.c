/* compile_test.c - records become a zone: its name, TTLs, and what contradicts itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"

#define HEAD "@ 60 SOA ns host 1 2 3 4 5\n@ NS ns\n"

static void origin_as_argument(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(HEAD "a A 192.0.2.1\na A 192.0.2.1\n", "x.test");
    expect_answer(zones, "a.x.test. A", 0, "NOERROR aa, an a.x.test. A 192.0.2.1");
    dns_zones_free(zones);
}

/* One TTL a set (RFC 2181, 5.2), and that of negative answers (RFC 2308, 3). */
static void ttls(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(
        "@ 600 SOA ns host 1 2 3 4 50\n@ NS ns\na 70 A 192.0.2.1\na 30 A 192.0.2.2\n", "x");
    const struct zone *zone = zones->zones[0];
    assert_int_equal(zone->sets[zone->soa].ttl, 600);
    assert_int_equal(zone->sets[zone->negative_soa].ttl, 50);
    uint32_t node = zone_find(zone, (const uint8_t *)"\1a\1x", 5);
    assert_int_not_equal(node, ZONE_NONE);
    assert_int_equal(zone_set_find(zone, &zone->nodes[node], DNS_A)->ttl, 30);
    dns_zones_free(zones);
}

static void errors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        { "", "test: the zone has no SOA record" },
        { "@ NS ns\n", "test: the zone has no SOA record" },
        { "@ SOA ns host 1 2 3 4 5\n", "test: the zone has no NS record at its own name" },
        { HEAD "@ SOA ns host 2 2 3 4 5\n", "test:3: this is the zone's second SOA record" },
        { HEAD "a SOA ns host 2 2 3 4 5\n", "test:3: this is the zone's second SOA record" },
        { "a SOA ns host 2 2 3 4 5\n",
          "test:1: the SOA record's owner is not x., the zone's name" },
        { HEAD "\nwww.y. A 192.0.2.1\n", "test:4: www.y. is not in the zone x." },
        { HEAD "a CNAME b\na A 192.0.2.1\n",
          "test:4: this name has a CNAME record and other data" },
        { HEAD "a CNAME b\na CNAME c\n", "test:4: this name has two CNAME records" },
        { HEAD "a DNAME b\na DNAME c\n", "test:4: this name has two DNAME records" },
        { HEAD "@ NSEC3PARAM 1 0 501 -\n",
          "test:3: 501 NSEC3 iterations are too many: sign with 500 at most" },
        { HEAD "@ NSEC3PARAM 1 0 0 -\nshort NSEC3 1 0 0 - 0123456789abcdefghijklmnopqrstuv A\n",
          "test:4: this NSEC3 record's owner is no hash" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(case_zone_error(cases[i].text, "x"), cases[i].error);
}

static void root_zone(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(". 60 SOA a. b. 1 2 3 4 5\n. NS a.\na. A 192.0.2.1\n"
                                         "com. NS a.\n",
                                         NULL);
    expect_answer(zones, "a. A", 0, "NOERROR aa, an a. A 192.0.2.1");
    expect_answer(zones, "x.com. A", 0, "NOERROR, au com. NS a., ad a. A 192.0.2.1");
    expect_answer(zones, "b. A", 0, "NXDOMAIN aa, au . SOA a. b. 1 2 3 4 5");
    expect_answer(zones, ". NS", 0, "NOERROR aa, an . NS a., ad a. A 192.0.2.1");
    dns_zones_free(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origin_as_argument),
        cmocka_unit_test(ttls),
        cmocka_unit_test(errors),
        cmocka_unit_test(root_zone),
    };
    return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
