/* rtt_test.c - RFC 6298, computed by hand. */
#include "tcpct/rtt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_first_samples(void **state)
{
    (void)state;
    struct rtt rtt;
    rtt_init(&rtt);
    assert_int_equal(rtt.rto_us, 1000000); /* (2.1) */
    rtt_sample(&rtt, 400000);              /* (2.2): R, R/2, R + 4 R/2 */
    assert_int_equal(rtt.srtt_us, 400000);
    assert_int_equal(rtt.rttvar_us, 200000);
    assert_int_equal(rtt.rto_us, 1200000);
    rtt_sample(&rtt, 600000); /* (2.3): RTTVAR first, then SRTT */
    assert_int_equal(rtt.rttvar_us, (3 * 200000 + 200000) / 4);
    assert_int_equal(rtt.srtt_us, (7 * 400000 + 600000) / 8);
    assert_int_equal(rtt.rto_us, 425000 + 4 * 200000);
    assert_int_equal(rtt.min_us, 400000);
    rtt_sample(&rtt, 100000); /* below SRTT: the difference is absolute */
    assert_int_equal(rtt.rttvar_us, (3 * 200000 + 325000) / 4);
    assert_int_equal(rtt.min_us, 100000);
}

static void test_bounds(void **state)
{
    (void)state;
    struct rtt rtt;
    rtt_init(&rtt);
    rtt_sample(&rtt, 0);
    assert_true(rtt.srtt_us > 0); /* 0 would mean that there is no sample */
    assert_int_equal(rtt.rto_us, RTO_MIN_US);
    rtt_init(&rtt);
    rtt_sample(&rtt, 1000000000);
    assert_int_equal(rtt.rto_us, RTO_MAX_US);
}

/* (5.5), and that it ends with the next sample or acknowledgment. */
static void test_back_off(void **state)
{
    (void)state;
    struct rtt rtt;
    rtt_init(&rtt);
    for (uint64_t expected = 2000000; expected < RTO_MAX_US; expected *= 2) {
        rtt_back_off(&rtt);
        assert_int_equal(rtt.rto_us, expected);
    }
    for (unsigned i = 0; i < 100; i++)
        rtt_back_off(&rtt);
    assert_int_equal(rtt.rto_us, RTO_MAX_US);
    rtt_restore(&rtt);
    assert_int_equal(rtt.rto_us, 1000000);
    rtt_back_off(&rtt);
    rtt_sample(&rtt, 400000);
    assert_int_equal(rtt.rto_us, 1200000);
}

static void test_converges(void **state)
{
    (void)state;
    struct rtt rtt;
    rtt_init(&rtt);
    rtt_sample(&rtt, 900000);
    for (unsigned i = 0; i < 200; i++)
        rtt_sample(&rtt, 50000);
    assert_in_range(rtt.srtt_us, 50000, 50010);
    assert_true(rtt.rttvar_us < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_samples),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_back_off),
        cmocka_unit_test(test_converges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
