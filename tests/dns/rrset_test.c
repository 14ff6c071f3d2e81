/* rrset_test.c - the bytes of an RRset, and where pointers go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"

#define HEAD "$TTL 5\n@ SOA ns Host.A 1 2 3 4 5\n@ NS ns\n"

static const struct zone_set *find(const struct dns_zones *zones, const char *text, uint16_t type)
{
    const struct zone *zone = zones->zones[0];
    uint8_t name[NAME_SIZE_MAX];
    uint32_t node = zone_find(zone, name, name_parse(name, text));
    assert_int_not_equal(node, ZONE_NONE);
    const struct zone_set *set = zone_set_find(zone, &zone->nodes[node], type);
    assert_non_null(set);
    return set;
}

/* The set's records are `size` bytes, with these patches. */
static void expect_set(const struct zone *zone, const struct zone_set *set, const void *bytes,
                       size_t size, const uint32_t *patches, size_t patch_count)
{
    assert_int_equal(set->data_size, size);
    assert_memory_equal(zone->bytes + set->data, bytes, size);
    assert_int_equal(set->patch_count, patch_count);
    assert_memory_equal(zone->patches + set->patches, patches, patch_count * sizeof *patches);
}

#define BYTES(text) text, sizeof(text) - 1
#define PATCHES(...) \
    (const uint32_t[]){ __VA_ARGS__ }, sizeof(const uint32_t[]){ __VA_ARGS__ } / sizeof(uint32_t)
#define OWNER(at) ZONE_PATCH(at, ZONE_PATCH_OWNER)
#define APEX(at) ZONE_PATCH(at, ZONE_PATCH_APEX)

/* Names in the data of old types point to the zone's, those of others are whole (RFC 3597, 4); case
 * stays. */
static void pointers(void **state)
{
    (void)state;
    struct dns_zones *zones =
        case_zones(HEAD "@ MX 1 Mail\n@ MX 2 other.y.\n@ SRV 1 2 3 ns\n@ A 192.0.2.1\n", "x");
    const struct zone *zone = zones->zones[0];
    expect_set(zone, find(zones, "x.", DNS_SOA),
               BYTES("\0\0\0\6\0\1\0\0\0\5\0\42\2ns\0\0\4Host\1A\0\0"
                     "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"),
               PATCHES(OWNER(0), APEX(15), APEX(24)));
    expect_set(zone, find(zones, "x.", DNS_MX),
               BYTES("\0\0\0\17\0\1\0\0\0\5\0\11\0\1\4Mail\0\0"
                     "\0\0\0\17\0\1\0\0\0\5\0\13\0\2\5other\1y\0"),
               PATCHES(OWNER(0), APEX(19), OWNER(21)));
    expect_set(zone, find(zones, "x.", DNS_SRV),
               BYTES("\0\0\0\41\0\1\0\0\0\5\0\14\0\1\0\2\0\3\2ns\1x\0"), PATCHES(OWNER(0)));
    expect_set(zone, find(zones, "x.", DNS_A), BYTES("\0\0\0\1\0\1\0\0\0\5\0\4\300\0\2\1"),
               PATCHES(OWNER(0)));
    dns_zones_free(zones);
}

/* Signatures stand behind the records, and are counted apart. */
static void signatures(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(
        HEAD "a A 192.0.2.1\na RRSIG A 8 2 5 20300101000000 20200101000000 1 x. AAAA\n"
             "a A 192.0.2.2\na RRSIG TXT 8 2 5 20300101000000 20200101000000 1 x. AAAA\n",
        "x");
    const struct zone *zone = zones->zones[0];
    const struct zone_set *set = find(zones, "a.x.", DNS_A);
    assert_int_equal(set->count, 2);
    assert_int_equal(set->signature_count, 1);
    assert_int_equal(set->data_size, 2 * 16);
    assert_int_equal(set->size, 2 * 16 + 12 + 18 + 3 + 3);
    assert_int_equal(set->patch_count, 2);
    assert_int_equal(set->patch_total, 3);
    assert_int_equal(dns_get16(zone->bytes + set->data + set->data_size + 2), DNS_RRSIG);
    uint8_t name[] = "\1a\1x";
    assert_null(zone_set_find(zone, &zone->nodes[zone_find(zone, name, 5)], DNS_TXT));
    dns_zones_free(zones);
}

/* The names that are followed are kept in lower case. */
static void targets(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(HEAD "a CNAME B\nd DNAME E.y.\n", "x");
    const struct zone *zone = zones->zones[0];
    assert_memory_equal(zone_name(zone, find(zones, "a.x.", DNS_CNAME)->target), "\1b\1x", 5);
    assert_memory_equal(zone_name(zone, find(zones, "d.x.", DNS_DNAME)->target), "\1e\1y", 5);
    assert_int_equal(find(zones, "x.", DNS_NS)->target, ZONE_NONE);
    dns_zones_free(zones);
}

/* RFC 3597's form can leave out what a type needs. */
static void malformed(void **state)
{
    (void)state;
    assert_string_equal(case_zone_error(HEAD "a TYPE5 \\# 0\n", "x"),
                        "test:4: a domain name in this record is malformed");
    assert_string_equal(case_zone_error(HEAD "a TYPE15 \\# 0\n", "x"),
                        "test:4: this record's data is too short");
    assert_string_equal(case_zone_error(HEAD "a TYPE15 \\# 2 0001\n", "x"),
                        "test:4: a domain name in this record is malformed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers),
        cmocka_unit_test(signatures),
        cmocka_unit_test(targets),
        cmocka_unit_test(malformed),
    };
    return cmocka_run_group_tests_name("rrset", tests, NULL, NULL);
}
