/* isn_test.c - ISN cookies live for 64 to 128 seconds and carry an MSS; timestamps carry the other
 * options and never run ahead.
 */
#include "tcpct/isn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/generate.h"

static const uint64_t period = ISN_PERIOD_US;
static const struct tcpct_address local = { 4, { 192, 0, 2, 1 } };
static const struct tcpct_address remote = { 4, { 198, 51, 100, 2 } };
static const struct tcpct_address other = { 4, { 198, 51, 100, 3 } };
static const struct cookie_endpoints endpoints = { &local, &remote, 53, 40000 };

static struct generator generator;
static struct isn_keys keys;

static int set_up(void **state)
{
    (void)state;
    return isn_keys_create(&keys, generate_bytes, &generator) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    isn_keys_destroy(&keys);
    assert_null(keys.isn);
    assert_null(keys.timestamp);
    return 0;
}

static void accepted_for_its_period_and_the_next(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 4; n++) {
        const uint64_t offsets[] = { 0, 1, period / 2, period - 1 };
        for (unsigned i = 0; i < 4; i++) {
            uint64_t made = n * period + offsets[i];
            uint16_t mss = 0;
            uint32_t isn = isn_generate(&keys, &endpoints, 77, 1460, made);
            assert_true(isn_verify(&keys, &endpoints, 77, isn, made, &mss));
            assert_int_equal(mss, 1460);
            assert_true(isn_verify(&keys, &endpoints, 77, isn, made + period, &mss));
            assert_true(isn_verify(&keys, &endpoints, 77, isn, (n + 2) * period - 1, &mss));
            assert_false(isn_verify(&keys, &endpoints, 77, isn, (n + 2) * period, &mss));
            assert_false(isn_verify(&keys, &endpoints, 77, isn, made + 2 * period, &mss));
            assert_false(isn_verify(&keys, &endpoints, 77, isn, made + 100 * period, &mss));
            if (n > 0)
                assert_false(isn_verify(&keys, &endpoints, 77, isn, n * period - 1, &mss));
        }
    }
}

static void the_mss_is_rounded_down(void **state)
{
    (void)state;
    for (uint32_t mss = 0; mss <= 65535; mss += mss < 1500 ? 1 : 97) {
        uint16_t carried;
        uint32_t isn = isn_generate(&keys, &endpoints, mss, (uint16_t)mss, 0);
        assert_true(isn_verify(&keys, &endpoints, mss, isn, 0, &carried));
        assert_true(carried <= mss || carried == ISN_MSS_MIN);
        if (mss >= 536 && mss < 1500)
            assert_true(carried > mss / 3);
        if (mss == 536 || mss == 1220 || mss == 1440 || mss == 1460)
            assert_int_equal(carried, mss);
    }
}

static void everything_matters(void **state)
{
    (void)state;
    const struct cookie_endpoints changed[] = {
        { &other, &remote, 53, 40000 }, { &local, &other, 53, 40000 },
        { &remote, &local, 53, 40000 }, { &local, &remote, 54, 40000 },
        { &local, &remote, 53, 40001 },
    };
    uint32_t isn = isn_generate(&keys, &endpoints, 77, 1460, 0);
    uint16_t mss;

    for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++) {
        assert_false(isn_verify(&keys, &changed[i], 77, isn, 0, &mss));
        assert_int_not_equal(isn_initiator(&keys, &endpoints, 0),
                             isn_initiator(&keys, &changed[i], 0));
        assert_int_not_equal(timestamp_offset(&keys, &endpoints),
                             timestamp_offset(&keys, &changed[i]));
    }
    for (unsigned bit = 0; bit < 32; bit++)
        assert_false(isn_verify(&keys, &endpoints, 77 ^ 1u << bit, isn, 0, &mss));
}

/* 16 of 2^32 are acceptable at any time. */
static void few_numbers_are_acceptable(void **state)
{
    (void)state;
    uint16_t mss;

    for (uint64_t n = 1; n < 3; n++) {
        uint32_t now = isn_generate(&keys, &endpoints, 77, 0, n * period);
        uint32_t before = isn_generate(&keys, &endpoints, 77, 0, (n - 1) * period);
        unsigned accepted = 0;
        for (int32_t offset = -5000; offset < 5000; offset++) {
            accepted += isn_verify(&keys, &endpoints, 77, now + (uint32_t)offset, n * period, &mss);
            accepted +=
                isn_verify(&keys, &endpoints, 77, before + (uint32_t)offset, n * period, &mss);
        }
        assert_int_equal(accepted, 16);
    }
    for (unsigned i = 0; i < 20000; i++)
        assert_false(isn_verify(&keys, &endpoints, 77, (uint32_t)generate(&generator), 0, &mss));
}

static void keys_matter(void **state)
{
    (void)state;
    struct isn_keys others;
    uint16_t mss;

    assert_true(isn_keys_create(&others, generate_bytes, &generator));
    uint32_t isn = isn_generate(&others, &endpoints, 77, 1460, 0);
    assert_false(isn_verify(&keys, &endpoints, 77, isn, 0, &mss));
    assert_int_not_equal(isn_initiator(&keys, &endpoints, 0),
                         isn_initiator(&others, &endpoints, 0));
    isn_keys_destroy(&others);
}

/* RFC 6528: with the same endpoints it grows by one each 4 us. */
static void an_initiators_isn_grows_with_time(void **state)
{
    (void)state;
    uint32_t first = isn_initiator(&keys, &endpoints, 0);

    assert_int_equal(isn_initiator(&keys, &endpoints, 3), first);
    assert_int_equal(isn_initiator(&keys, &endpoints, 4), first + 1);
    assert_int_equal(isn_initiator(&keys, &endpoints, 60000000), first + 15000000);
}

static void a_timestamp_carries_options_and_never_runs_ahead(void **state)
{
    (void)state;
    const uint32_t timestamps[] = { 0, 1, 62, 63, 64, 1000003, 0x7fffffff, 0xffffffc0, 0xffffffff };

    for (unsigned t = 0; t < sizeof timestamps / sizeof timestamps[0]; t++)
        for (unsigned bits = 0; bits < 64; bits++) {
            const struct isn_options options = { .window_scale = bits & 15,
                                                 .sack_permitted = (bits & 16) != 0,
                                                 .ecn = (bits & 32) != 0 };
            struct isn_options back;
            uint32_t carrier = timestamp_with_options(timestamps[t], &options);
            assert_in_range(timestamps[t] - carrier, 0, 63); /* never in the future */
            timestamp_options(carrier, &back);
            assert_int_equal(back.window_scale, options.window_scale);
            assert_int_equal(back.sack_permitted, options.sack_permitted);
            assert_int_equal(back.ecn, options.ecn);
        }
}

#define WITH_KEYS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_KEYS(accepted_for_its_period_and_the_next),
        WITH_KEYS(the_mss_is_rounded_down),
        WITH_KEYS(everything_matters),
        WITH_KEYS(few_numbers_are_acceptable),
        WITH_KEYS(keys_matter),
        WITH_KEYS(an_initiators_isn_grows_with_time),
        WITH_KEYS(a_timestamp_carries_options_and_never_runs_ahead),
    };
    return cmocka_run_group_tests_name("isn", tests, NULL, NULL);
}
