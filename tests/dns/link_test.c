/* link_test.c - what leads from one name of a zone to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"

#define HEAD "@ 60 SOA ns host 1 2 3 4 5\n@ NS ns\n"

/* Each missing name has as predecessor the last node before it, found here by looking at all. */
static void predecessors(void **state)
{
    (void)state;
    struct dns_zones *zones =
        case_zones(HEAD "a A 192.0.2.1\nlonglabel1 A 192.0.2.1\nlonglabel2 A 192.0.2.1\n"
                        "b.longlabel2 A 192.0.2.1\nlonglabel A 192.0.2.1\nzz A 192.0.2.1\n"
                        "deep.er.zz A 192.0.2.1\n*.w A 192.0.2.1\n",
                   "x");
    const struct zone *zone = zones->zones[0];
    static const char *const labels[] = { "!",         "a",           "aa",         "b",
                                          "longlabel", "longlabel11", "longlabel3", "longlabe",
                                          "zz",        "zzz",         "z",          "w",
                                          "x" };
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        uint8_t name[80], key[NAME_KEY_SIZE_MAX], other[NAME_KEY_SIZE_MAX];
        size_t length = strlen(labels[i]);
        name[0] = (uint8_t)length;
        memcpy(name + 1, labels[i], length);
        memcpy(name + 1 + length, "\1x", 3);
        size_t key_size = name_key(key, name);
        uint32_t expected = 0;
        for (uint32_t node = 0; node < zone->node_count; node++) {
            size_t size = name_key(other, zone_name(zone, zone->nodes[node].name));
            if (name_key_compare(other, size, key, key_size) < 0)
                expected = node;
        }
        assert_int_equal(zone_node_before(zone, 0, name), expected);
    }
    dns_zones_free(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predecessors),
    };
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
