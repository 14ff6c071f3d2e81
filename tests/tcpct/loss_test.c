/* loss_test.c - what is found to be lost, what is done about it, and what is taken back.
 */
#include "tcpct/loss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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

/* RFC 5681, (4): NewReno, if it is chosen, halves. */
static void test_newreno(void **state)
{
    struct tcpct_info info;
    (void)state;
    struct script *t = sending(PLAIN);
    assert_int_equal(tcpct_option_set(t->connection, TCPCT_OPTION_CONGESTION, 2),
                     TCPCT_ERROR_INVALID);
    assert_int_equal(
        tcpct_option_set(t->connection, TCPCT_OPTION_CONGESTION, TCPCT_CONGESTION_NEWRENO),
        TCPCT_OK);
    inject(t, ". 1 ack 1 <sack 1001-4001>");
    expect(t, ". 1+1000");
    tcpct_connection_info(t->connection, &info);
    assert_int_equal(info.ssthresh, 5000);
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

/* RFC 8985, 6.2, step 4: each round trip with a D-SACK widens the reordering window by a quarter of
 * the minimum RTT, and sixteen recoveries later it is as it was. */
static void test_dsack_widens_the_window(void **state)
{
    (void)state;
    char text[96];
    struct script *t = sending(PLAIN);
    inject(t, ". 1 ack 9001 <sack 1-1001>");
    inject(t, ". 1 ack 9001 <sack 1001-2001>"); /* once in a round trip */
    inject(t, ". 1 ack 10001");
    uint32_t at = 10001;
    for (unsigned i = 0; i < 17; i++, at += 2000) {
        script_send(t->connection, at - 1, 2000);
        script_wait(t, 100 * MILLISECOND);
        peer_skip(t);
        snprintf(text, sizeof(text), ". 1 ack %u <sack %u-%u>", at, at + 1000, at + 2000);
        inject(t, text);
        script_wait(t, 26 * MILLISECOND);
        assert_int_equal(peer_skip(t), i < 16 ? 0 : 1);
        script_wait(t, 25 * MILLISECOND);
        assert_int_equal(peer_skip(t), i < 16 ? 1 : 0);
        snprintf(text, sizeof(text), ". 1 ack %u", at + 2000);
        inject(t, text);
    }
    script_end(t);
}

/* RFC 8985, 7.4.2: a loss that the probe has repaired reduces the window, once something after it is
 * acknowledged; a D-SACK, or a duplicate without SACK, says that nothing was lost. */
static void test_outcome_of_a_tail_loss_probe(void **state)
{
    (void)state;
    static const char *const answers[] = { NULL, ". 1 ack 3001 <sack 2501-3001>", ". 1 ack 3001" };
    for (unsigned i = 0; i < 3; i++) {
        struct script *t = peer_connect(PLAIN, 100 * MILLISECOND, NULL);
        script_send(t->connection, 0, 3000);
        script_wait(t, 0);
        peer_skip(t);
        script_wait(t, 210 * MILLISECOND);
        expect(t, ". 2501+500");
        t->next = 3001;
        uint32_t cwnd = peer_info(t).cwnd;
        inject(t, ". 1 ack 3001");
        assert_true(peer_info(t).cwnd >= cwnd); /* perhaps of the original */
        if (answers[i])
            inject(t, answers[i]);
        script_send(t->connection, 3000, 1000);
        expect(t, ". 3001+1000");
        inject(t, ". 1 ack 4001");
        if (i == 0)
            assert_in_range(peer_info(t).cwnd, 7000, 7700); /* 0.7: RFC 9438, 4.6 */
        else
            assert_true(peer_info(t).cwnd >= cwnd);
        script_end(t);
    }
}

/* A timeout with data left to send: ten segments are out, and with SACK a probe of new data. */
static struct script *timed_out(const char *options)
{
    struct script *t = sending(options);
    script_send(t->connection, 10000, 10000);
    while (!script_counters(t).retransmission_timeouts)
        script_wait(t, MILLISECOND);
    peer_skip(t);
    assert_int_equal(peer_info(t).cwnd, 1000);
    return t;
}

/* RFC 5682, 2.1 and 3.1: after a timeout the first acknowledgment lets new data leave instead of
 * old; if the next acknowledges what was sent once, the timeout was spurious (RFC 4015: undone). */
static void test_spurious_timeout_without_timestamps(void **state)
{
    (void)state;
    static const char *const options[] = { "mss 1000", PLAIN };
    for (unsigned i = 0; i < 2; i++) {
        struct script *t = timed_out(options[i]);
        inject(t, ". 1 ack 1001");
        expect(t, i ? ". 11001+1000" : ". 10001+1000");
        expect(t, i ? ". 12001+1000" : ". 11001+1000");
        expect_nothing(t);
        inject(t, ". 1 ack 2001");
        assert_int_equal(script_counters(t).retransmissions_undone, 1);
        assert_true(peer_info(t).cwnd >= 10000);
        assert_true(peer_info(t).ssthresh > 1u << 30);
        inject(t, ". 1 ack 10001");
        assert_int_equal(peer_info(t).retransmissions, 1);
        script_end(t);
    }
}

/* RFC 5682, 2.1, (3a); 3.1, (3a): only the new data arrived: a true timeout, three segments of
 * window, and the old data is sent again. */
static void test_true_timeout_without_timestamps(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct script *t = timed_out(i ? PLAIN : "mss 1000");
        inject(t, ". 1 ack 1001");
        assert_int_equal(peer_skip(t), 2);
        inject(t, i ? ". 1 ack 1001 <sack 11001-12001>" : ". 1 ack 1001");
        expect(t, ". 1001+1000");
        assert_in_range(peer_info(t).cwnd, 1000, 3000);
        assert_int_equal(script_counters(t).retransmissions_undone, 0);
        script_end(t);
    }
}

/* RFC 5682, 2.1, (2a): a duplicate at first, or nothing new to send: the usual way. */
static void test_timeout_without_new_data(void **state)
{
    (void)state;
    struct script *t = timed_out("mss 1000");
    inject(t, ". 1 ack 1");
    inject(t, ". 1 ack 1001");
    expect(t, ". 1001+1000");
    t = (script_end(t), sending("mss 1000"));
    script_wait(t, SECOND);
    peer_skip(t);
    inject(t, ". 1 ack 1001");
    expect(t, ". 1001+1000");
    expect(t, ". 2001+1000");
    expect_nothing(t);
    script_end(t);
}

/* RFC 6582, 3.2, step 1: duplicates of what was sent again after a timeout start no recovery. */
static void test_duplicates_after_a_timeout(void **state)
{
    (void)state;
    struct script *t = sending("mss 1000");
    script_wait(t, SECOND);
    peer_skip(t);
    inject(t, ". 1 ack 10001");
    script_send(t->connection, 10000, 1000);
    expect(t, ". 10001+1000");
    for (unsigned i = 0; i < 4; i++)
        inject(t, ". 1 ack 10001");
    expect_nothing(t);
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
        TEST(newreno),
        TEST(spurious_timeout_is_undone),
        TEST(without_sack),
        TEST(dsack_widens_the_window),
        TEST(outcome_of_a_tail_loss_probe),
        TEST(spurious_timeout_without_timestamps),
        TEST(true_timeout_without_timestamps),
        TEST(timeout_without_new_data),
        TEST(duplicates_after_a_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
