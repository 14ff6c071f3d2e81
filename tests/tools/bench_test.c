/* bench_test.c - what `tcpct bench` takes, and that it counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/tools/run.h"
#include "tools/command.h"

#define BENCH(...) run_command(command_bench, (const char *const[]){ "bench", __VA_ARGS__, NULL })

static void usage(void **state)
{
    (void)state;
    assert_int_equal(BENCH(NULL).status, EXIT_USAGE);
    assert_int_equal(BENCH("sideways").status, EXIT_USAGE);
    assert_int_equal(BENCH("state", "--entries").status, EXIT_USAGE);
    assert_int_equal(BENCH("state", "--entries", "0").status, EXIT_USAGE);
    assert_int_equal(BENCH("state", "--table").status, EXIT_USAGE);
    assert_int_equal(BENCH("state", "--collapsed", "--entries", "4095").status, EXIT_USAGE);
    assert_int_equal(BENCH("state", "--collapsed", "--ipv6").status, EXIT_USAGE);
    assert_int_equal(BENCH("restart", "--set").status, EXIT_USAGE);
    assert_non_null(strstr(BENCH("--help").out, "usage: tcpct bench"));
}

static void state_is_counted(void **state)
{
    (void)state;
    struct run runs[] = { BENCH("state", "--entries", "1000"),
                          BENCH("state", "--entries", "1000", "--ipv6"),
                          BENCH("state", "--entries", "1000", "--client"),
                          BENCH("state", "--entries", "1000", "--client", "--ipv6") };
    for (unsigned i = 0; i < sizeof(runs) / sizeof(*runs); i++) {
        assert_int_equal(runs[i].status, 0);
        assert_non_null(strstr(runs[i].out, "{\"entries\": 1000, \"entry_bytes\": "));
    }
}

static void collapsed_ones_too(void **state)
{
    (void)state;
    struct run run = BENCH("state", "--collapsed", "--entries", "4096", "--active", "10");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "{\"entries\": 4096, "));
    assert_non_null(strstr(run.out, "\"active\": 10, "));
    assert_non_null(strstr(run.out, "\"revival_us\": "));
    run = BENCH("state", "--collapsed", "--entries", "4096", "--active", "10", "--table");
    assert_non_null(strstr(run.out, "so a revival takes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(usage), cmocka_unit_test(state_is_counted),
                                        cmocka_unit_test(collapsed_ones_too) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
