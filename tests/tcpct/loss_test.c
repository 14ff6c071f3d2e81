/* loss_test.c - what is found to be lost, what is done about it, and what is taken back.
 */
#include "tcpct/loss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

#define PLAIN "mss 1000, sackOK"

static struct script *sending(const char *options)
{
    struct script *t = peer_connect(options, 100 * MILLISECOND, NULL);
    script_send(t->connection, 0, 10000);
    script_wait(t, 0);
    assert_int_equal(t->queue_count, 10);
    peer_skip(t);
    t->next = 10001;
    script_wait(t, 100 * MILLISECOND);
    peer_skip(t);
    return t;
}

/* RFC 3042; RFC 6675, 5: the first two duplicates let new data leave, nothing is repeated. */
static void test_limited_transmit(void **state)
{
    (void)state;
    struct script *t = sending(PLAIN);
    script_send(t->connection, 10000, 5000);
    expect_nothing(t);
    inject(t, ". 1 ack 1 <sack 1001-2001>");
    expect(t, ". 10001+1000");
    inject(t, ". 1 ack 1 <sack 1001-3001>");
    expect(t, ". 11001+1000");
    expect_nothing(t);
    script_end(t);
}

/* RFC 8985, 6.2: three segments above the hole: lost at once. */
static void test_three_above_the_hole(void **state)
{
    (void)state;
    struct script *t = sending(PLAIN);
    inject(t, ". 1 ack 1 <sack 1001-4001>");
    expect(t, ". 1+1000");
    expect_nothing(t);
    script_end(t);
}

/* RFC 8985, 6.2, step 4: fewer: lost after a quarter of the minimum RTT. */
static void test_reordering_window(void **state)
{
    (void)state;
    struct script *t = sending(PLAIN);
    inject(t, ". 1 ack 1 <sack 1001-2001>");
    script_wait(t, 24 * MILLISECOND);
    expect_nothing(t);
    script_wait(t, 2 * MILLISECOND);
    expect(t, ". 1+1000");
    script_end(t);
}

/* RFC 8985, 6.2: once reordering was seen, three above the hole do not suffice. */
static void test_reordering_is_learnt(void **state)
{
    (void)state;
    struct script *t = sending(PLAIN);
    inject(t, ". 1 ack 1 <sack 1001-2001>");
    inject(t, ". 1 ack 2001");
    inject(t, ". 1 ack 2001 <sack 3001-7001>");
    expect_nothing(t);
    script_wait(t, 26 * MILLISECOND);
    expect(t, ". 2001+1000");
    script_end(t);
}

/* RFC 8985, 7.2 and 7.3: without an answer the last segment is probed after two round trips. */
static void test_tail_loss_probe(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 100 * MILLISECOND, NULL);
    script_send(t->connection, 0, 3000);
    script_wait(t, 0);
    peer_skip(t);
    t->next = 3001;
    script_wait(t, 199 * MILLISECOND);
    expect_nothing(t);
    script_wait(t, 50 * MILLISECOND);
    assert_int_equal(t->queue_count, 1);
    struct tcpct_packet packet = { .data = t->queue[t->queue_first].bytes,
                                   .length = t->queue[t->queue_first].length };
    struct segment segment;
    assert_int_equal(segment_decode(&segment, &packet, NULL), SEGMENT_OK);
    assert_int_equal(segment.seq + segment.data_size - t->irs, 3001);
    assert_int_equal(script_counters(t).retransmission_timeouts, 0);
    script_end(t);
}

/* RFC 6298, (5.5): each timeout doubles the next, up to a minute. */
static void test_backoff(void **state)
{
    (void)state;
    struct script *t = peer_connect("mss 1000", 100 * MILLISECOND, NULL);
    tcpct_option_set(t->connection, TCPCT_OPTION_USER_TIMEOUT, 1000ull * SECOND);
    script_send(t->connection, 0, 500);
    expect(t, ". 1+500");
    uint64_t before_us = t->last_us, interval_us = 0;
    for (unsigned i = 0; i < 10; i++) {
        while (!t->queue_count)
            script_wait(t, MILLISECOND);
        expect(t, ". 1+500");
        uint64_t passed_us = t->last_us - before_us;
        if (i)
            assert_int_equal(passed_us,
                             interval_us < 30ull * SECOND ? 2 * interval_us : 60ull * SECOND);
        interval_us = passed_us;
        before_us = t->last_us;
    }
    script_end(t);
}

/* RFC 6937, 3: in recovery, data leaves in proportion to what arrives: 7 of 10. */
static void test_proportional_rate_reduction(void **state)
{
    (void)state;
    struct script *t = sending(PLAIN);
    script_send(t->connection, 10000, 20000);
    unsigned sent = 0;
    static const char *const sacks[] = {
        ". 1 ack 1 <sack 1001-4001>",  ". 1 ack 1 <sack 1001-5001>", ". 1 ack 1 <sack 1001-6001>",
        ". 1 ack 1 <sack 1001-7001>",  ". 1 ack 1 <sack 1001-8001>", ". 1 ack 1 <sack 1001-9001>",
        ". 1 ack 1 <sack 1001-10001>",
    };
    for (unsigned i = 0; i < sizeof(sacks) / sizeof(sacks[0]); i++) {
        inject(t, sacks[i]);
        sent += peer_skip(t);
    }
    assert_in_range(sent, 6, 8);
    assert_int_equal(peer_info(t).ssthresh, 7000); /* RFC 9438, 4.6 */
    script_end(t);
}

/* RFC 3522, 3; RFC 4015, 3: an echo from before the retransmission: nothing was lost, and the
 * window is what it was. */
static void test_spurious_timeout_is_undone(void **state)
{
    (void)state;
    struct script *t = peer_connect("mss 1012, ts 100", 100 * MILLISECOND, NULL);
    script_send(t->connection, 0, 5000);
    expect(t, ". 1+1000");
    uint32_t first = t->stack_timestamp, cwnd = peer_info(t).cwnd;
    script_wait(t, 1000 * MILLISECOND);
    peer_skip(t);
    assert_true(peer_info(t).cwnd < cwnd);
    t->stack_timestamp = first;
    inject(t, ". 1 ack 1001 <ts 101>");
    assert_true(peer_info(t).cwnd >= cwnd);
    assert_int_equal(script_counters(t).retransmissions_undone, 1);
    script_end(t);
}

/* RFC 5681, 3.2; RFC 6582: without SACK the third duplicate repeats, and a partial acknowledgment
 * repeats the next. */
static void test_without_sack(void **state)
{
    (void)state;
    struct script *t = sending("mss 1000");
    inject(t, ". 1 ack 1");
    inject(t, ". 1 ack 1");
    expect_nothing(t);
    inject(t, ". 1 ack 1");
    expect(t, ". 1+1000");
    inject(t, ". 1 ack 3001");
    expect(t, ". 3001+1000");
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(limited_transmit),
        TEST(three_above_the_hole),
        TEST(reordering_window),
        TEST(reordering_is_learnt),
        TEST(tail_loss_probe),
        TEST(backoff),
        TEST(proportional_rate_reduction),
        TEST(spurious_timeout_is_undone),
        TEST(without_sack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
