/* congestion_test.c - how the window grows and by how much it falls. */
#include "tcpct/congestion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MSS = 1460, MILLISECOND = 1000 };

/* One round: acknowledges a whole window, two segments at a time, each with this RTT. */
static void round_trip(struct congestion *congestion, struct congestion_sample *sample,
                       uint64_t rtt_us)
{
    uint32_t window = congestion->cwnd;
    sample->snd_nxt = sample->snd_una + window;
    sample->now_us += rtt_us;
    for (uint32_t done = 0; done < window;) {
        uint32_t bytes = window - done < 2 * MSS ? window - done : 2 * MSS;
        sample->bytes = bytes;
        sample->snd_una += bytes;
        sample->snd_nxt += bytes;
        sample->rtt_us = sample->srtt_us = rtt_us;
        congestion_acknowledged(congestion, sample);
        done += bytes;
    }
}

/* RFC 6928, 2: min(10 MSS, max(2 MSS, 14600)). */
static void test_initial_window(void **state)
{
    (void)state;
    static const struct {
        uint32_t mss, cwnd;
    } cases[] = { { 536, 5360 }, { 1460, 14600 }, { 4000, 14600 }, { 8960, 17920 } };
    for (unsigned i = 0; i < 4; i++) {
        struct congestion congestion;
        congestion_init(&congestion, &congestion_newreno, cases[i].mss);
        assert_int_equal(congestion.cwnd, cases[i].cwnd);
        assert_true(congestion.ssthresh >= 1u << 30);
    }
}

/* RFC 5681, 3.1: slow start doubles each round trip. */
static void test_slow_start(void **state)
{
    (void)state;
    struct congestion congestion;
    struct congestion_sample sample = { .snd_una = 0xffffff00u };
    congestion_init(&congestion, &congestion_newreno, MSS);
    for (uint32_t expected = 14600; expected < 1000000; expected *= 2) {
        assert_int_equal(congestion.cwnd, expected);
        round_trip(&congestion, &sample, 50 * MILLISECOND);
    }
}

/* RFC 9406, 4.2: a growing delay ends the doubling; five rounds later slow start is over. */
static void test_hystart(void **state)
{
    (void)state;
    struct congestion congestion;
    struct congestion_sample sample = { 0 };
    congestion_init(&congestion, &congestion_newreno, MSS);
    for (unsigned i = 0; i < 3; i++)
        round_trip(&congestion, &sample, 50 * MILLISECOND);
    uint32_t before = congestion.cwnd;
    round_trip(&congestion, &sample, 60 * MILLISECOND); /* a sixth more */
    round_trip(&congestion, &sample, 60 * MILLISECOND);
    assert_true(congestion.hystart.conservative);
    assert_true(congestion.cwnd < 4 * before);
    for (unsigned i = 0; i < 6; i++)
        round_trip(&congestion, &sample, 60 * MILLISECOND);
    assert_true(congestion.ssthresh <= congestion.cwnd);
}

/* ... and a jitter that goes away resumes it. */
static void test_hystart_mistaken(void **state)
{
    (void)state;
    struct congestion congestion;
    struct congestion_sample sample = { 0 };
    congestion_init(&congestion, &congestion_newreno, MSS);
    for (unsigned i = 0; i < 3; i++)
        round_trip(&congestion, &sample, 50 * MILLISECOND);
    while (!congestion.hystart.conservative)
        round_trip(&congestion, &sample, 60 * MILLISECOND);
    round_trip(&congestion, &sample, 50 * MILLISECOND);
    round_trip(&congestion, &sample, 50 * MILLISECOND);
    assert_false(congestion.hystart.conservative);
    assert_true(congestion.ssthresh >= 1u << 30);
}

/* RFC 5681, (2) and (4): halved, then one segment more each round trip. */
static void test_newreno(void **state)
{
    (void)state;
    struct congestion congestion;
    struct congestion_sample sample = { 0 };
    congestion_init(&congestion, &congestion_newreno, MSS);
    congestion.ssthresh = congestion_newreno.reduced(&congestion, 100 * MSS);
    assert_int_equal(congestion.ssthresh, 50 * MSS);
    congestion.cwnd = congestion.ssthresh;
    for (unsigned i = 1; i <= 20; i++) {
        round_trip(&congestion, &sample, 50 * MILLISECOND);
        assert_in_range(congestion.cwnd, (50 + i) * MSS - 40 * i, (50 + i) * MSS);
    }
    assert_int_equal(congestion_newreno.reduced(&congestion, 100), 2 * MSS);
}

/* RFC 9438: 0.7 of the window remains (4.6); it is back at W_max after K seconds (4.2), flat
 * there, and faster afterwards. K = cbrt(W_max * 0.3 / 0.4): 4.2 s for 100 segments. */
static void test_cubic(void **state)
{
    (void)state;
    struct congestion congestion;
    struct congestion_sample sample = { .now_us = 1000000 };
    congestion_init(&congestion, &congestion_cubic, MSS);
    congestion.cwnd = 100 * MSS;
    congestion.ssthresh = congestion_cubic.reduced(&congestion, 100 * MSS);
    assert_in_range(congestion.ssthresh, 70 * MSS - 10, 70 * MSS + 10);
    congestion.cwnd = congestion.ssthresh;
    for (unsigned i = 0; i < 42; i++) /* 4.2 s */
        round_trip(&congestion, &sample, 100 * MILLISECOND);
    assert_in_range(congestion.cwnd, 97 * MSS, 103 * MSS);
    uint32_t plateau = congestion.cwnd;
    for (unsigned i = 0; i < 10; i++)
        round_trip(&congestion, &sample, 100 * MILLISECOND);
    assert_true(congestion.cwnd < plateau + 12 * MSS);
    for (unsigned i = 0; i < 40; i++)
        round_trip(&congestion, &sample, 100 * MILLISECOND);
    assert_true(congestion.cwnd > plateau + 40 * MSS);
}

/* 4.3: where Reno would be faster, at least as fast as Reno. */
static void test_cubic_is_friendly(void **state)
{
    (void)state;
    struct congestion cubic, reno;
    struct congestion_sample of_cubic = { .now_us = 1000000 }, of_reno = of_cubic;
    congestion_init(&cubic, &congestion_cubic, MSS);
    congestion_init(&reno, &congestion_newreno, MSS);
    cubic.cwnd = reno.cwnd = 20 * MSS;
    cubic.ssthresh = cubic.cwnd = congestion_cubic.reduced(&cubic, 20 * MSS);
    reno.ssthresh = reno.cwnd = congestion_newreno.reduced(&reno, 20 * MSS);
    for (unsigned i = 0; i < 60; i++) { /* a round trip of 2 ms: CUBIC's clock hardly moves */
        round_trip(&cubic, &of_cubic, 2 * MILLISECOND);
        round_trip(&reno, &of_reno, 2 * MILLISECOND);
    }
    assert_true(cubic.cwnd + 6 * MSS >= reno.cwnd);
}

/* Nothing overflows, however long it grows. */
static void test_bounds(void **state)
{
    (void)state;
    const struct congestion_control *const controls[] = { &congestion_newreno, &congestion_cubic };
    for (unsigned i = 0; i < 2; i++) {
        struct congestion congestion;
        struct congestion_sample sample = { .bytes = 1u << 30, .srtt_us = 1, .now_us = 1 };
        congestion_init(&congestion, controls[i], MSS);
        for (unsigned k = 0; k < 200; k++) {
            sample.now_us += 1000000000;
            congestion_acknowledged(&congestion, &sample);
            if (k == 100)
                congestion.ssthresh = 2 * MSS;
            assert_in_range(congestion.cwnd, MSS, UINT32_MAX / 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_initial_window),    cmocka_unit_test(test_slow_start),
        cmocka_unit_test(test_hystart),           cmocka_unit_test(test_hystart_mistaken),
        cmocka_unit_test(test_newreno),           cmocka_unit_test(test_cubic),
        cmocka_unit_test(test_cubic_is_friendly), cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
