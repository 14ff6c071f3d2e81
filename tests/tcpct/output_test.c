/* output_test.c - what leaves: segment sizes, Nagle, silly windows, probes and ECN.
 */
#include "tcpct/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

#define PLAIN "mss 1000, sackOK"

/* RFC 9293, 3.7.4: a small segment waits for the acknowledgment of what is out; full ones do not;
 * the switch (MUST-17). */
static void test_nagle(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    script_send(t->connection, 0, 10);
    expect(t, "P. 1+10");
    script_send(t->connection, 10, 10);
    expect_nothing(t);
    script_send(t->connection, 20, 990);
    expect(t, ". 11+1000");
    script_send(t->connection, 1010, 10);
    expect_nothing(t);
    inject(t, ". 1 ack 1011");
    expect(t, "P. 1011+10");
    assert_int_equal(tcpct_option_set(t->connection, TCPCT_OPTION_NODELAY, 1), TCPCT_OK);
    script_send(t->connection, 1020, 10);
    expect(t, "P. 1021+10");
    script_end(t);
}

/* RFC 9293, 3.8.6.2.1: less than a segment and than half the largest window is not sent into a
 * small window, until the override timeout. */
static void test_sender_avoids_silly_windows(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    script_send(t->connection, 0, 1000);
    expect(t, ". 1+1000");
    inject(t, ". 1 ack 1001 win 100");
    script_send(t->connection, 1000, 5000);
    expect_nothing(t);
    script_wait(t, 1100 * MILLISECOND);
    expect(t, ". 1001+100");
    script_end(t);
}

/* RFC 9293, 3.8.6.1: the first probe after an RTO (SHLD-29), then at growing intervals (SHLD-30),
 * for as long as it is answered (MUST-37). */
static void test_zero_window_is_probed(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    script_send(t->connection, 0, 1000);
    expect(t, ". 1+1000");
    inject(t, ". 1 ack 1001 win 0");
    script_send(t->connection, 1000, 1000);
    expect_nothing(t);
    uint64_t before_us = t->now_us, interval_us = 0;
    for (unsigned i = 0; i < 12; i++) {
        while (!t->queue_count)
            script_wait(t, MILLISECOND);
        expect(t, ". 1000 ack 1");
        assert_true(t->last_us - before_us >= interval_us);
        interval_us = t->last_us - before_us;
        before_us = t->last_us;
        inject(t, ". 1 ack 1001 win 0");
    }
    assert_true(interval_us >= 60ull * SECOND);
    inject(t, ". 1 ack 1001 win 1000");
    expect(t, ". 1001+1000");
    script_end(t);
}

/* RFC 9293, 3.8.6 (MUST-34, SHLD-17, MUST-35, MUST-37): a window that shrinks to zero below what is
 * out is probed; the connection lasts while that is answered. */
static void test_shrunken_window_is_no_timeout(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    script_send(t->connection, 0, 2000);
    expect(t, ". 1+1000");
    expect(t, ". 1001+1000");
    inject(t, ". 1 ack 1001 win 0");
    for (unsigned i = 0; i < 300; i++) {
        script_wait(t, SECOND);
        if (peer_skip(t))
            inject(t, ". 1 ack 1001 win 0");
    }
    assert_int_equal(script_state(t->connection), TCPCT_ESTABLISHED);
    script_end(t);
}

/* The same when only the FIN is left (RFC 9293, 3.8.6.1). */
static void test_closed_window_and_fin_is_no_timeout(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    inject(t, ". 1 ack 1 win 0");
    assert_int_equal(tcpct_shutdown(t->connection), TCPCT_OK);
    for (unsigned i = 0; i < 300; i++) {
        script_wait(t, SECOND);
        if (peer_skip(t))
            inject(t, ". 1 ack 1 win 0");
    }
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_OK);
    script_end(t);
}

/* ---- ECN ----------------------------------------------------------------------------------- */

static const struct tcpct_config ecn_config = { .ecn = true };

/* RFC 3168, 6.1.4 and 6.1.5: new data is ECN-capable; acknowledgments and retransmissions are not. */
static void test_ect_on_new_data_only(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, &ecn_config);
    assert_true(peer_info(t).ecn);
    assert_int_equal(t->last.traffic_class & ECN_MASK, 0);
    script_send(t->connection, 0, 1000);
    expect(t, ". 1+1000");
    assert_int_equal(t->last.traffic_class & ECN_MASK, ECN_CAPABLE);
    inject(t, ". 1+1 ack 1");
    script_wait(t, 40 * MILLISECOND);
    expect(t, ". 1001 ack 2");
    assert_int_equal(t->last.traffic_class & ECN_MASK, 0);
    script_wait(t, 1000 * MILLISECOND);
    while (t->queue_count) {
        struct tcpct_packet packet = { .data = t->queue[t->queue_first].bytes,
                                       .length = t->queue[t->queue_first].length };
        struct segment segment;
        t->queue_first = (t->queue_first + 1) % SCRIPT_QUEUE;
        t->queue_count--;
        assert_int_equal(segment_decode(&segment, &packet, NULL), SEGMENT_OK);
        assert_int_equal(segment.traffic_class & ECN_MASK, 0);
    }
    script_end(t);
}

/* RFC 3168, 6.1.2: ECE reduces once in a window, and the next new data says CWR. */
static void test_one_reduction_a_window(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, &ecn_config);
    script_send(t->connection, 0, 6000);
    for (unsigned i = 0; i < 6; i++)
        peer_skip(t);
    inject(t, ".E 1 ack 1001");
    uint32_t reduced = peer_info(t).cwnd;
    assert_in_range(reduced, 7000, 8400); /* RFC 9438, 4.6: 0.7 */
    inject(t, ".E 1 ack 2001");
    inject(t, ".E 1 ack 3001");
    assert_in_range(peer_info(t).cwnd, reduced, reduced + 500); /* it may grow */
    inject(t, ".E 1 ack 6001");
    script_send(t->connection, 6000, 2000);
    expect(t, ".W 6001+1000");
    script_end(t);
}

/* RFC 3168, 6.1.2: "reduces its congestion window for any reason": CWR after a loss as well. */
static void test_cwr_after_loss(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, &ecn_config);
    script_send(t->connection, 0, 6000);
    peer_skip(t);
    inject(t, ". 1 ack 1 <sack 1001-4001>");
    expect(t, ". 1+1000");
    inject(t, ". 1 ack 6001");
    script_send(t->connection, 6000, 2000);
    expect(t, ".W 6001+1000");
    script_end(t);
}

/* RFC 3168, 6.1.1.1: the answer to ECN-setup is ECE without CWR; anything else is no. */
static void test_ecn_is_refused(void **state)
{
    (void)state;
    static const char *const answers[] = { "S. 0 ack 1 <mss 1000>", "S.EW 0 ack 1 <mss 1000>" };
    for (unsigned i = 0; i < 2; i++) {
        struct script *t = script_connect(4, &ecn_config, &(struct tcpct_connect_options){ 0 });
        expect(t, "SEW 0");
        inject(t, answers[i]);
        expect(t, ". 1 ack 1");
        script_send(t->connection, 0, 100);
        expect(t, ". 1+100");
        assert_int_equal(t->last.traffic_class & ECN_MASK, 0);
        script_end(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nagle),
        TEST(sender_avoids_silly_windows),
        TEST(zero_window_is_probed),
        TEST(shrunken_window_is_no_timeout),
        TEST(closed_window_and_fin_is_no_timeout),
        TEST(ect_on_new_data_only),
        TEST(one_reduction_a_window),
        TEST(cwr_after_loss),
        TEST(ecn_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
