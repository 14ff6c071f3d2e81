/* cubic_test.c - the growth curve of RFC 9438, with numbers from its formulas.
 */
#include "tcpct/congestion.h"
#include "tcpct/tcb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

static struct congestion reduced(uint32_t window)
{
    struct congestion congestion;
    congestion_init(&congestion, &congestion_cubic, 1000);
    congestion.cwnd = window;
    congestion.ssthresh = congestion.control->reduced(&congestion, window);
    congestion.cwnd = congestion.ssthresh;
    return congestion;
}

/* Acknowledges a window each 100 ms. */
static void run(struct congestion *congestion, uint64_t *now_us, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++, *now_us += 100 * MILLISECOND)
        for (uint32_t left = congestion->cwnd / 1000; left; left--)
            congestion_acknowledged(
                congestion, &(struct congestion_sample){
                                .bytes = 1000, .srtt_us = 100 * MILLISECOND, .now_us = *now_us });
}

/* 4.6: a reduction to 0.7; at least two segments. */
static void test_beta(void **state)
{
    (void)state;
    assert_int_equal(reduced(100000).cwnd, 70000);
    assert_int_equal(reduced(2000).cwnd, 2000);
}

/* 4.2: from 7 million bytes back to 10 million in K = cbrt(3000 / 0.4) = 19.574 s; halfway, at
 * 9.787 s, an eighth of the difference is left: 9.625 million. */
static void test_concave(void **state)
{
    (void)state;
    uint64_t now_us = SECOND;
    struct congestion congestion = reduced(10000000);
    run(&congestion, &now_us, 98);
    assert_in_range(congestion.cwnd, 9600000, 9650000);
    run(&congestion, &now_us, 98);
    assert_in_range(congestion.cwnd, 9990000, 10010000);
}

/* 4.2, 5.8: time in which the window was not needed does not count, whether something was sent in it
 * or nothing. */
static void test_unused_time(void **state)
{
    (void)state;
    uint64_t now_us = SECOND;
    struct congestion congestion = reduced(10000000);
    run(&congestion, &now_us, 98);
    uint32_t cwnd = congestion.cwnd;
    for (unsigned i = 0; i < 100; i++)
        congestion_unused(&congestion, now_us += SECOND);
    run(&congestion, &now_us, 1);
    assert_in_range(congestion.cwnd, cwnd, 9650000);
    run(&congestion, &now_us, 97);
    assert_in_range(congestion.cwnd, 9990000, 10010000);
}

/* The same of a connection: 100 s of silence. */
static void test_silence(void **state)
{
    (void)state;
    struct script *t = peer_connect("mss 1000, sackOK", 100 * MILLISECOND, NULL);
    struct congestion *congestion = &t->connection->congestion;
    congestion->ssthresh = 5000; /* avoidance */
    script_send(t->connection, 0, 10000);
    script_wait(t, 100 * MILLISECOND);
    inject(t, ". 1 ack 5001");
    inject(t, ". 1 ack 10001");
    uint64_t epoch_us = congestion->cubic.epoch_us;
    assert_int_equal(epoch_us, t->now_us);
    script_wait(t, 100ull * SECOND);
    script_send(t->connection, 10000, 10000);
    script_wait(t, 100 * MILLISECOND);
    inject(t, ". 1 ack 15001");
    assert_int_equal(congestion->cubic.epoch_us, epoch_us + 100ull * SECOND);
    script_wait(t, 150 * MILLISECOND); /* the other half is less than the window needs */
    inject(t, ". 1 ack 20001");
    assert_int_equal(congestion->cubic.epoch_us, epoch_us + 100150ull * MILLISECOND);
    script_end(t);
}

/* 4.2: ten seconds after K, 0.4 * 10^3 segments above W_max. */
static void test_convex(void **state)
{
    (void)state;
    uint64_t now_us = SECOND;
    struct congestion congestion = reduced(10000000);
    run(&congestion, &now_us, 296);
    assert_in_range(congestion.cwnd, 10380000, 10420000);
}

/* 4.3: on short paths as fast as Reno: 3 * 0.3 / 1.7 = 0.529 of a segment each round trip. */
static void test_reno_friendly(void **state)
{
    (void)state;
    uint64_t now_us = SECOND;
    struct congestion congestion = reduced(20000);
    run(&congestion, &now_us, 10);
    assert_in_range(congestion.cwnd, 14000 + 4500, 14000 + 5500);
}

/* 4.7: a second loss below the first: W_max = cwnd * 0.85. */
static void test_fast_convergence(void **state)
{
    (void)state;
    struct congestion congestion = reduced(100000);
    congestion.control->reduced(&congestion, congestion.cwnd);
    assert_in_range((uint32_t)congestion.cubic.w_max, 59499, 59501);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(beta),   TEST(concave),       TEST(unused_time),      TEST(silence),
        TEST(convex), TEST(reno_friendly), TEST(fast_convergence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
