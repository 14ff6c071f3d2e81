/* recovery_test.c - loss and its repair at the sender, segment by segment. A stack that was
 * connected to sends; the script plays the receiver.
 */
#include "tcpct/recovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/script.h"

enum { MILLISECOND = 1000, SECOND = 1000000, RTT = 100 * MILLISECOND };

static struct tcpct_connection *sender;
static uint32_t full; /* data of a full segment: 1460 bytes less 12 of timestamps */

/* A plain connection with SACK and timestamps, an RTT sample of RTT, and nothing outstanding;
 * the stack has sent 10 bytes, so that its next byte is number 11. */
static struct script *establish(const char *syn)
{
    struct script *t =
        script_listen(4, NULL, &(struct tcpct_listen_options){ .parameters = { 0 } });
    inject(t, syn);
    expect(t, "S. 0 ack 1");
    inject(t, strstr(syn, "ts") ? ". 1 ack 1 <ts 101>" : ". 1 ack 1 <>");
    full = strstr(syn, "ts") ? 1448 : 1460;
    sender = script_accept(t);
    tcpct_option_set(sender, TCPCT_OPTION_NODELAY, 1);
    script_send(sender, 0, 10);
    expect(t, ". 1+10 ack 1");
    script_wait(t, RTT);
    return t;
}

static struct script *establish_sack(void)
{
    struct script *t = establish("S 0 <mss 1460, sackOK, ts 100, wscale 7>");
    inject(t, ". 1 ack 11 <ts 200>");
    expect_nothing(t);
    return t;
}

static struct script *establish_without_sack(void)
{
    struct script *t = establish("S 0 <mss 1460>");
    inject(t, ". 1 ack 11");
    expect_nothing(t);
    return t;
}

static struct tcpct_info info(void)
{
    struct tcpct_info of_sender;
    tcpct_connection_info(sender, &of_sender);
    return of_sender;
}

static uint32_t at(unsigned segment)
{
    return 11 + segment * full;
}

static void expect_full(struct script *t, unsigned segment)
{
    char text[64];
    snprintf(text, sizeof(text), ". %u+%u ack 1", at(segment), full);
    expect(t, text);
}

static void send_segments(struct script *t, unsigned first, unsigned count)
{
    script_send(sender, at(first) - 1, count * full);
    for (unsigned i = 0; i < count; i++)
        expect_full(t, first + i);
}

/* Acknowledges up to segment `ack`; segments [from, to) have arrived as well. */
static void inject_sack(struct script *t, unsigned ack, unsigned from, unsigned to)
{
    char text[96];
    snprintf(text, sizeof(text), ". 1 ack %u <ts 300, sack %u-%u>", at(ack), at(from), at(to));
    inject_verdict(t, text, TCPCT_ACCEPTED);
}

static void inject_ack(struct script *t, unsigned ack, const char *options)
{
    char text[96];
    snprintf(text, sizeof(text), ". 1 ack %u %s", at(ack), options);
    inject_verdict(t, text, TCPCT_ACCEPTED);
}

/* RFC 6298, 5.4 to 5.6: the first segment again, twice the timeout, one segment of window
 * (RFC 5681, 3.1), and from there slow start. */
static void test_timeout(void **state)
{
    (void)state;
    struct script *t = establish_without_sack();
    uint64_t rto_us = info().rto_us, begun_us = t->now_us;
    send_segments(t, 0, 4);
    script_wait(t, rto_us);
    expect_full(t, 0);
    expect_nothing(t);
    assert_int_equal(t->last_us - begun_us, rto_us);
    assert_int_equal(info().rto_us, 2 * rto_us);
    assert_int_equal(info().cwnd, full);
    assert_int_equal(script_counters(t).retransmission_timeouts, 1);
    script_wait(t, RTT);
    inject_ack(t, 1, "");
    expect_full(t, 1);
    expect_full(t, 2);
    expect_nothing(t);
    script_end(t);
}

/* RFC 5681, 3.2; RFC 6582: three duplicates, then a partial acknowledgment for the next hole. */
static void test_fast_retransmit_without_sack(void **state)
{
    (void)state;
    struct script *t = establish_without_sack();
    send_segments(t, 0, 8);
    script_wait(t, RTT);
    inject_ack(t, 0, "");
    inject_ack(t, 0, "");
    expect_nothing(t);
    inject_ack(t, 0, "");
    expect_full(t, 0);
    assert_in_range(info().ssthresh, 4 * full, 6 * full); /* half, or CUBIC's 0.7 */
    for (unsigned i = 0; i < 3; i++)
        inject_ack(t, 0, "");
    expect_nothing(t);
    script_wait(t, RTT);
    inject_ack(t, 3, ""); /* partial: 3 is lost too */
    expect_full(t, 3);
    inject_ack(t, 8, "");
    expect_nothing(t);
    assert_int_equal(info().flight, 0);
    assert_int_equal(info().retransmissions, 2);
    script_end(t);
}

/* RFC 6675: three segments above the hole. */
static void test_fast_retransmit_with_sack(void **state)
{
    (void)state;
    struct script *t = establish_sack();
    send_segments(t, 0, 8);
    script_wait(t, RTT);
    inject_sack(t, 0, 1, 2);
    inject_sack(t, 0, 1, 3);
    expect_nothing(t);
    inject_sack(t, 0, 1, 4);
    expect_full(t, 0);
    expect_nothing(t);
    assert_int_equal(info().retransmissions, 1);
    inject_ack(t, 8, "<ts 400>");
    expect_nothing(t);
    assert_in_range(info().cwnd, info().ssthresh, info().ssthresh + full);
    script_end(t);
}

/* Two holes in one window: both in the first round trip, and only those. */
static void test_two_holes(void **state)
{
    (void)state;
    struct script *t = establish_sack();
    send_segments(t, 0, 10);
    script_wait(t, RTT);
    inject_verdict(t, ". 1 ack 11 <ts 300, sack 1459-2907>", TCPCT_ACCEPTED);
    inject_verdict(t, ". 1 ack 11 <ts 300, sack 4355-7251 1459-2907>", TCPCT_ACCEPTED);
    inject_verdict(t, ". 1 ack 11 <ts 300, sack 4355-14491 1459-2907>", TCPCT_ACCEPTED);
    expect_full(t, 0);
    script_wait(t, RTT / 2);
    if (t->queue_count == 0) { /* PRR may hold the second until more is delivered */
        inject_ack(t, 1, "<ts 310>");
    }
    expect_full(t, 2);
    inject_ack(t, 10, "<ts 320>");
    expect_nothing(t);
    assert_int_equal(info().retransmissions, 2);
    script_end(t);
}

/* RFC 8985, 6: reordering by less than the window is no loss. */
static void test_reordering_is_no_loss(void **state)
{
    (void)state;
    struct script *t = establish_sack();
    send_segments(t, 0, 2);
    script_wait(t, RTT);
    inject_sack(t, 0, 1, 2);
    script_wait(t, RTT / 8); /* less than a quarter of the round trip */
    inject_ack(t, 2, "<ts 310>");
    script_wait(t, 5ull * SECOND);
    expect_nothing(t);
    assert_int_equal(info().retransmissions, 0);
    script_end(t);
}

/* ... and longer than that is: the timer, not a third segment, finds it. */
static void test_reordering_timer(void **state)
{
    (void)state;
    struct script *t = establish_sack();
    send_segments(t, 0, 2);
    script_wait(t, RTT);
    inject_sack(t, 0, 1, 2);
    uint64_t begun_us = t->now_us;
    script_wait(t, RTT);
    expect_full(t, 0);
    assert_in_range(t->last_us - begun_us, 1, RTT / 2);
    script_end(t);
}

/* RFC 8985, 7.2 and 7.3: two round trips after the last segment, the end of it is sent again; its
 * acknowledgment then says what was lost, without a timeout. */
static void test_tail_loss_probe(void **state)
{
    (void)state;
    struct script *t = establish_sack();
    send_segments(t, 0, 3);
    uint64_t begun_us = t->now_us;
    script_wait(t, RTT);
    expect_nothing(t);
    script_wait(t, RTT + 10 * MILLISECOND);
    expect(t, ". 3625+730 ack 1");
    assert_in_range(t->last_us - begun_us, 2 * RTT, 2 * RTT + 10 * MILLISECOND);
    script_wait(t, RTT);
    inject_verdict(t, ". 1 ack 11 <ts 300, sack 3625-4355>", TCPCT_ACCEPTED);
    script_wait(t, RTT / 2);
    expect_full(t, 0);
    assert_int_equal(script_counters(t).retransmission_timeouts, 0);
    script_end(t);
}

/* Karn: what was sent twice is no sample (RFC 6298, 3), however late its acknowledgment. */
static void test_no_sample_of_retransmissions(void **state)
{
    (void)state;
    struct script *t = establish_without_sack();
    uint64_t srtt_us = info().srtt_us;
    send_segments(t, 0, 1);
    script_wait(t, info().rto_us + 10 * MILLISECOND);
    expect_full(t, 0);
    script_wait(t, 100 * MILLISECOND);
    inject_ack(t, 1, "");
    assert_int_equal(info().srtt_us, srtt_us);
    script_end(t);
}

/* RFC 2018, 8: a receiver that drops what it had sacked is served after a timeout. */
static void test_reneging(void **state)
{
    (void)state;
    struct script *t = establish_sack();
    send_segments(t, 0, 3);
    script_wait(t, RTT);
    inject_sack(t, 0, 1, 3);
    script_wait(t, info().rto_us + RTT);
    t->queue_count = 0;
    inject_ack(t, 1, "<ts 20000>"); /* and no SACK any more */
    t->queue_count = 0;
    script_wait(t, 5ull * SECOND);
    expect_full(t, 1);
    script_end(t);
}

/* SACK blocks that lie outside what is outstanding, or are upside down, change nothing. */
static void test_nonsense_sack(void **state)
{
    (void)state;
    struct script *t = establish_sack();
    send_segments(t, 0, 4);
    script_wait(t, RTT);
    inject_verdict(t, ". 1 ack 11 <ts 300, sack 1-11 900000-990000 3000-2000>", TCPCT_ACCEPTED);
    inject_verdict(t, ". 1 ack 11 <ts 300, sack 4000000000-4000000001>", TCPCT_ACCEPTED);
    assert_int_equal(info().flight, 4 * full);
    expect_nothing(t);
    script_end(t);
}

/* RFC 5961, 5.2: an acknowledgment of what was never sent is answered and ignored. */
static void test_ack_beyond(void **state)
{
    (void)state;
    struct script *t = establish_sack();
    send_segments(t, 0, 1);
    inject_verdict(t, ". 1 ack 90000 <ts 300>", TCPCT_UNACCEPTABLE);
    expect(t, ". 1459 ack 1");
    assert_int_equal(info().flight, full);
    script_end(t);
}

/* RFC 6013, 5: a FIN alone is repeated at the smoothed round trip, without backoff, with
 * Timestamps and Cookie-Pair. After eight it backs off, until the user timeout: a peer that waits
 * for it would otherwise wait for ever when the path fails for a moment. */
static void test_bare_fin(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>");
    expect(t, "S. 0 ack 1");
    inject(t, ". 1 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>");
    sender = script_accept(t);
    script_send(sender, 0, 10);
    expect(t, ". 1+10 ack 1");
    script_wait(t, RTT);
    inject(t, ". 1 ack 11 <ts 102>");
    tcpct_close(sender);
    expect(t, "F. 11 ack 1 <tsx ecr 102, pair>");
    uint64_t last_us = t->last_us, interval_us = 0;
    script_wait(t, 99ull * SECOND);
    unsigned count = t->queue_count;
    assert_in_range(count, 14, 18);
    for (unsigned i = 0; i < count; i++) {
        expect(t, "F. 11 ack 1 <tsx, pair>");
        if (i < 8)
            assert_in_range(t->last_us - last_us, RTT, 4 * RTT);
        else if (i > 10)
            assert_in_range(t->last_us - last_us, 19 * interval_us / 10, 21 * interval_us / 10);
        interval_us = t->last_us - last_us;
        last_us = t->last_us;
    }
    script_wait(t, 2ull * SECOND);
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    script_end(t);
}

/* RFC 6013, 5.1: the peer ignores our FIN while it has data to send. However long that takes, we
 * go on, and take the data. */
static void test_bare_fin_ignored(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>");
    expect(t, "S. 0 ack 1");
    inject(t, ". 1 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>");
    sender = script_accept(t);
    script_send(sender, 0, 10);
    expect(t, ". 1+10 ack 1");
    script_wait(t, RTT);
    inject(t, ". 1 ack 11 <ts 102>");
    tcpct_shutdown(sender);
    for (unsigned i = 0; i < 10; i++) {
        char text[64];
        script_wait(t, 50ull * SECOND);
        snprintf(text, sizeof(text), ". %u+10 ack 11 <ts %u>", 1 + 10 * i, 103 + i);
        inject_verdict(t, text, TCPCT_ACCEPTED);
        script_receive(sender, 10 * i, 10);
        t->queue_count = 0;
    }
    script_wait(t, RTT);
    assert_int_equal(script_state(sender), TCPCT_FIN_WAIT_1);
    inject(t, "F. 101 ack 12 <tsx 200, pair>");
    assert_int_equal(script_state(sender), TCPCT_CLOSED); /* of a Responder nothing is kept */
    script_end(t);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, script_teardown)
    const struct CMUnitTest tests[] = {
        TEST(timeout),
        TEST(fast_retransmit_without_sack),
        TEST(fast_retransmit_with_sack),
        TEST(two_holes),
        TEST(reordering_is_no_loss),
        TEST(reordering_timer),
        TEST(tail_loss_probe),
        TEST(no_sample_of_retransmissions),
        TEST(reneging),
        TEST(nonsense_sack),
        TEST(ack_beyond),
        TEST(bare_fin),
        TEST(bare_fin_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
