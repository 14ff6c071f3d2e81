/* units_test.c - quantities that are taken, and what is not one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/units.h"

static void numbers(void **state)
{
    (void)state;
    uint64_t number = 99;
    assert_true(unit_number("0", 0, 5, &number) && number == 0);
    assert_true(unit_number("0005", 0, 5, &number) && number == 5);
    assert_true(unit_number("18446744073709551615", 0, UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);
    static const char *const bad[] = {
        "",
        "6",
        "-1",
        "+1",
        "1 ",
        " 1",
        "1.0",
        "0x1",
        "1e0",
        "18446744073709551616",
        "99999999999999999999999",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        number = 99;
        assert_false(unit_number(bad[i], 0, 5, &number));
        assert_int_equal(number, 99);
    }
    assert_false(unit_number("18446744073709551616", 0, UINT64_MAX, &number));
    assert_false(unit_number("3", 4, 5, &number));
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t us;
    } good[] = {
        { "0", 0 },
        { "0us", 0 },
        { "7us", 7 },
        { "10ms", 10000 },
        { "1.5ms", 1500 },
        { "0.5us", 1 },
        { "2s", 2000000 },
        { "2.000001s", 2000001 },
        { "1min", 60000000 },
        { "1h", 3600000000 },
        { "0.25h", 900000000 },
    };
    uint64_t us;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(unit_duration(good[i].text, 3600000000, &us));
        assert_int_equal(us, good[i].us);
    }
    static const char *const bad[] = { "",        "5",     "ms",
                                       "-1ms",    "1 ms",  "1ms ",
                                       ".5ms",    "1.ms",  "1..5ms",
                                       "1.2.3ms", "1MS",   "1m",
                                       "2h",      "1e3ms", "9999999999999999ms",
                                       "nan",     "infs",  "0.0000000000000001s" };
    us = 99;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(unit_duration(bad[i], 3600000000, &us));
    assert_int_equal(us, 99);
}

static void rates_and_sizes(void **state)
{
    (void)state;
    uint64_t value;
    assert_true(unit_rate("50mbit", UINT64_C(1000000000000), &value) && value == 50000000);
    assert_true(unit_rate("9600bit", UINT64_C(1000000000000), &value) && value == 9600);
    assert_true(unit_rate("1.5kbit", UINT64_C(1000000000000), &value) && value == 1500);
    assert_true(unit_rate("1000gbit", UINT64_C(1000000000000), &value));
    assert_true(value == UINT64_C(1000000000000));
    assert_false(unit_rate("1001gbit", UINT64_C(1000000000000), &value));
    assert_false(unit_rate("50mb", UINT64_C(1000000000000), &value));
    assert_false(unit_rate("50", UINT64_C(1000000000000), &value));

    assert_true(unit_size("256kb", 1 << 30, &value) && value == 256000);
    assert_true(unit_size("256kib", 1 << 30, &value) && value == 262144);
    assert_true(unit_size("1mb", 1 << 30, &value) && value == 1000000);
    assert_true(unit_size("1gib", 1 << 30, &value) && value == 1 << 30);
    assert_true(unit_size("1500b", 1 << 30, &value) && value == 1500);
    assert_false(unit_size("2gib", 1 << 30, &value));
    assert_false(unit_size("1500", 1 << 30, &value));
}

static void percentages(void **state)
{
    (void)state;
    double probability;
    assert_true(unit_percent("0", &probability) && probability == 0);
    assert_true(unit_percent("1%", &probability) && probability == 0.01);
    assert_true(unit_percent("100%", &probability) && probability == 1);
    assert_true(unit_percent("0.5%", &probability));
    assert_true(probability > 0.00499 && probability < 0.00501);
    assert_false(unit_percent("100.1%", &probability));
    assert_false(unit_percent("1", &probability));
    assert_false(unit_percent("0.01", &probability));
    assert_false(unit_percent("%", &probability));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(durations),
        cmocka_unit_test(rates_and_sizes),
        cmocka_unit_test(percentages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
