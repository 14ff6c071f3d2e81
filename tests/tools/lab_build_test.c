/* lab_build_test.c - names and addresses; tests/net/lab_run.sh builds real topologies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/lab_build.h"

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
        cmocka_unit_test(names_and_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
