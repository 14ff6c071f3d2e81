/* zone_test.c - what is found in a zone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"

/* Every name of a large zone, its empty non-terminals too, and no other. */
static void every_name(void **state)
{
    (void)state;
    enum { NAMES = 2000 };
    char *text = malloc(64 + NAMES * 32);
    char *out = text + sprintf(text, "@ SOA ns host 1 2 3 4 5\n@ NS ns\n");
    for (unsigned i = 0; i < NAMES; i++)
        out += sprintf(out, "n%u.e%u A 192.0.2.1\n", i, i % 50);
    struct dns_zones *zones = case_zones(text, "x");
    const struct zone *zone = zones->zones[0];
    assert_int_equal(zone->node_count, 1 + 50 + NAMES);
    for (uint32_t i = 0; i < zone->node_count; i++) {
        uint8_t name[NAME_SIZE_MAX];
        size_t size = zone_name_size(zone, zone->nodes[i].name);
        memcpy(name, zone_name(zone, zone->nodes[i].name), size);
        assert_int_equal(zone_find(zone, name, size), i);
        name[1] ^= 0x80;
        assert_int_equal(zone_find(zone, name, size), ZONE_NONE);
    }
    dns_zones_free(zones);
    free(text);
}

static void sets_of_a_name(void **state)
{
    (void)state;
    struct dns_zones *zones =
        case_zones("@ SOA ns host 1 2 3 4 5\n@ NS ns\n@ NS ns2\n@ TXT t\n", "x");
    const struct zone *zone = zones->zones[0];
    assert_int_equal(zone->nodes[0].set_count, 3);
    assert_int_equal(zone_set_find(zone, &zone->nodes[0], DNS_NS)->count, 2);
    assert_null(zone_set_find(zone, &zone->nodes[0], DNS_A));
    dns_zones_free(zones);
}

/* The chain is a ring: before the first hash comes the last. */
static void nsec3_ring(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(
        "@ SOA ns host 1 2 3 4 5\n@ NS ns\n@ NSEC3PARAM 1 0 0 -\n"
        "20000000000000000000000000000000 NSEC3 1 0 0 - 80000000000000000000000000000000 A\n"
        "80000000000000000000000000000000 NSEC3 1 0 0 - 20000000000000000000000000000000 A\n"
        "90000000000000000000000000000000 NSEC3 1 0 5 - 20000000000000000000000000000000 A\n",
        "x");
    const struct zone *zone = zones->zones[0];
    assert_true(zone->nsec3);
    assert_int_equal(zone->nsec3_count, 2); /* the third is of another chain */
    uint8_t hash[NSEC3_HASH_SIZE] = { 0x10 };
    uint32_t low = zone->nsec3_entries[0].set, high = zone->nsec3_entries[1].set;
    assert_int_equal(zone_nsec3_find(zone, hash, true), low);
    assert_int_equal(zone_nsec3_find(zone, hash, false), low);
    hash[0] = 0x0f;
    assert_int_equal(zone_nsec3_find(zone, hash, true), ZONE_NONE);
    assert_int_equal(zone_nsec3_find(zone, hash, false), high);
    hash[0] = 0x3f;
    assert_int_equal(zone_nsec3_find(zone, hash, false), low);
    hash[0] = 0xff;
    assert_int_equal(zone_nsec3_find(zone, hash, false), high);
    dns_zones_free(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name),
        cmocka_unit_test(sets_of_a_name),
        cmocka_unit_test(nsec3_ring),
    };
    return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
