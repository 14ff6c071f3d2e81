/* lab_build_test.c - names, addresses and expansion; tests/net/lab_run.sh builds real topologies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tools/lab_build.h"

static void environment(void **state)
{
    (void)state;
    struct lab_environment all;
    char text[32];
    setenv("LAB_BUILD_TEST", "x=y", 1);
    lab_environment_begin(&all);
    assert_string_equal(lab_environment_get(&all, "LAB_BUILD_TEST"), "x=y");
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "name%d", i);
        lab_environment_set(&all, text, text + 4);
    }
    lab_environment_set(&all, "name7", "seven");
    assert_string_equal(lab_environment_get(&all, "name7"), "seven");
    assert_string_equal(lab_environment_get(&all, "name199"), "199");
    assert_null(lab_environment_get(&all, "name"));
    assert_null(all.entries[all.count]);

    assert_true(lab_expand(&all, "--a $name1 ${name2}ms $name7", text, sizeof text));
    assert_string_equal(text, "--a 1 2ms seven");
    assert_false(lab_expand(&all, "$nowhere", text, sizeof text));
    assert_false(lab_expand(&all, "0123456789012345678901234567890123456789", text, sizeof text));
    assert_false(lab_expand(&all, "01234567890123456789012345678$name7$name7", text, sizeof text));
    lab_environment_free(&all);
}

static void names_and_addresses(void **state)
{
    (void)state;
    const struct lab lab = { .name = "x" };
    char text[64], netns[LAB_NETNS_SIZE];
    assert_string_equal(lab_netns(&lab, "client", netns), "x-client");
    assert_string_equal(lab_own_address("10.60.1.0/24", text, sizeof text), "10.60.1.1");
    assert_string_equal(lab_own_address("10.60.1.7/32", text, sizeof text), "10.60.1.7");
    assert_string_equal(lab_own_address("fd60:1::/64", text, sizeof text), "fd60:1::1");
    assert_true(lab_name_is_good("a-1_B"));
    assert_false(lab_name_is_good("../a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environment),
        cmocka_unit_test(names_and_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
