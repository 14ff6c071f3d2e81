/* header_test.c - what the headers say: what they take from the data, window, SACK, urgent data and DSCP. */
#include "tcpct/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

#define PLAIN "mss 1000, sackOK"

/* RFC 9293, 3.7.1; RFC 6691, 2: MSS is announced without regard to options, and both sides' options
 * come off the data. */
static void test_mss_excludes_options(void **state)
{
    (void)state;
    struct script *t = peer_connect("mss 1000, ts 100", 0, NULL);
    script_send(t->connection, 0, 2000);
    expect(t, ". 1+988");
    expect(t, ". 989+988");
    t = (script_end(t), peer_connect("mss 9000", 0, NULL));
    script_send(t->connection, 0, 2000);
    expect(t, ". 1+1460"); /* our device carries no more */
    script_end(t);
}

/* RFC 9293, 3.8.6.2.2 (MUST-39): the window is not opened by less than a segment or half the
 * buffer, whatever makes us send. */
static void test_receiver_avoids_silly_windows(void **state)
{
    (void)state;
    const struct tcpct_config config = { .receive_buffer_max = 4000 };
    struct script *t = peer_accept(PLAIN, &config);
    inject(t, ". 1+1000 ack 1");
    inject(t, ". 1001+1000 ack 1");
    inject(t, ". 2001+1000 ack 1");
    inject(t, ". 3001+1000 ack 1");
    peer_skip(t);
    script_receive(t->connection, 0, 100);
    expect_nothing(t);
    inject(t, ". 4000 ack 1"); /* a probe */
    expect(t, ". 1 ack 4001 win 0");
    script_receive(t->connection, 100, 3900);
    expect(t, ". 1 ack 4001 win 4000");
    script_end(t);
}

/* RFC 2018, 4: all acknowledgments below the highest byte received should have SACK: data must not
 * take its place. */
static void test_sack_on_data(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    inject(t, ". 101+100 ack 1");
    script_send(t->connection, 0, 100);
    script_wait(t, 0);
    bool told = false;
    while (t->queue_count) {
        struct script_packet *packet = &t->queue[t->queue_first++ % SCRIPT_QUEUE];
        struct tcpct_packet bytes = { .data = packet->bytes, .length = packet->length };
        struct segment segment;
        t->queue_count--;
        assert_int_equal(segment_decode(&segment, &bytes, NULL), SEGMENT_OK);
        told = told || segment.options.present & OPTION_SACK;
    }
    assert_true(told);
    script_end(t);
}

/* RFC 9293, 3.8.5 (MUST-30, MUST-31, MUST-62): the pointer is that of the byte after the urgent
 * data, in every segment below it; of more than it can say, as much as it can. */
static void test_urgent_data(void **state)
{
    (void)state;
    const struct tcpct_config config = { .offload_size_max = 60000 };
    struct script *t = peer_connect("mss 1000, sackOK", 0, &config);
    script_send(t->connection, 0, 1500);
    assert_int_equal(tcpct_urgent(t->connection), TCPCT_OK);
    script_send(t->connection, 1500, 500);
    expect(t, "U. 1+1000 urg 1500"); /* one at a time: offload would repeat the pointer */
    expect(t, "U. 1001+1000 urg 500");
    inject(t, ". 1 ack 1001");
    inject(t, ". 1 ack 2001");
    script_send(t->connection, 2000, 1000);
    expect(t, ". 2001+1000");
    script_send(t->connection, 3000, 90000);
    assert_int_equal(tcpct_urgent(t->connection), TCPCT_OK);
    expect(t, "U. 3001+1000 urg 65535");
    assert_int_equal(tcpct_shutdown(t->connection), TCPCT_OK);
    assert_int_equal(tcpct_urgent(t->connection), TCPCT_ERROR_CLOSED);
    script_end(t);
}

/* RFC 9293, 3.9.1.9 (MUST-48): the DSCP, from the <SYN> on, beside ECN. */
static void test_differentiated_services(void **state)
{
    (void)state;
    const struct tcpct_config config = { .ecn = true };
    struct script *t = script_connect(4, &config, &(struct tcpct_connect_options){ 0 });
    assert_int_equal(tcpct_option_set(t->connection, TCPCT_OPTION_DSCP, 64), TCPCT_ERROR_INVALID);
    assert_int_equal(tcpct_option_set(t->connection, TCPCT_OPTION_DSCP, 46), TCPCT_OK);
    expect(t, "SEW 0");
    assert_int_equal(t->last.traffic_class, 46 << 2);
    inject(t, "S.E 0 ack 1 <mss 1000>");
    expect(t, ". 1 ack 1");
    assert_int_equal(t->last.traffic_class, 46 << 2);
    script_send(t->connection, 0, 10);
    expect(t, ". 1+10");
    assert_int_equal(t->last.traffic_class, 46 << 2 | ECN_CAPABLE);
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mss_excludes_options), TEST(receiver_avoids_silly_windows), TEST(sack_on_data),
        TEST(urgent_data),          TEST(differentiated_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
