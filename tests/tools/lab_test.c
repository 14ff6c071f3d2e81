/* `tcpct lab`: what it refuses before it touches anything. tests/net/lab.sh builds real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/tools/run.h"
#include "tools/command.h"

#define LAB(...) run_command(command_lab, (const char *const[]){ "lab", __VA_ARGS__, NULL })

static void test_usage(void **state)
{
    (void)state;
    assert_int_equal(LAB(NULL).status, EXIT_USAGE);
    assert_int_equal(LAB("sideways").status, EXIT_USAGE);
    assert_int_equal(LAB("down", "word").status, EXIT_USAGE);
    assert_int_equal(LAB("exec").status, EXIT_USAGE);
    assert_int_equal(LAB("exec", "client").status, EXIT_USAGE);
    assert_int_equal(LAB("exec", "client", "--").status, EXIT_USAGE);
    assert_int_equal(LAB("exec", "client", "true").status, EXIT_USAGE);
    assert_int_equal(LAB("shell").status, EXIT_USAGE);
    assert_int_equal(LAB("run").status, EXIT_USAGE);
    assert_int_equal(LAB("run", "sideways").status, EXIT_USAGE);
    assert_int_equal(LAB("list", "/nonexistent/file.lab").status, EXIT_USAGE);
    assert_int_equal(LAB("enter").status, EXIT_USAGE);
    assert_int_equal(LAB("enter", "true").status, EXIT_USAGE);
    struct run run = LAB("--help");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "usage: tcpct lab up"));
}

static void test_names(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "-x", "../x", "a/b", "a b", "a.b", "12345678901234567890123456789012"
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct run run = LAB("down", "--name", bad[i]);
        assert_int_equal(run.status, EXIT_USAGE);
        assert_non_null(strstr(run.error, "--name takes"));
    }
}

static void test_nothing_there(void **state)
{
    (void)state;
    struct run run = LAB("down", "--state", "/nonexistent/lab", "--name=gone");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "there is no lab \"gone\""));
    run = LAB("exec", "--state=/nonexistent/lab", "client", "--", "true");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "tcpct lab up"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_nothing_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
