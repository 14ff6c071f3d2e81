/* handshake_test.c - SYN-RECEIVED: simultaneous open, and listeners that speak first.
 */
#include "tcpct/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

#define PLAIN "mss 1000, sackOK"

static struct script *crossing(void)
{
    struct script *t = script_connect(4, NULL, &(struct tcpct_connect_options){ 0 });
    expect(t, "S 0");
    inject_verdict(t, "S 0 <mss 1000, sackOK>", TCPCT_ACCEPTED);
    expect(t, "S. 0 ack 1");
    assert_int_equal(script_state(t->connection), TCPCT_SYN_RECEIVED);
    return t;
}

/* RFC 9293, 3.5, Figure 8: the peer's <SYN,ACK> ends it, and provokes no other. */
static void test_simultaneous_open(void **state)
{
    (void)state;
    struct script *t = crossing();
    inject(t, "S. 0 ack 1 <mss 1000, sackOK>");
    script_wait(t, 0);
    while (t->queue_count) {
        t->queue_count--;
        struct script_packet *packet = &t->queue[t->queue_first++ % SCRIPT_QUEUE];
        struct tcpct_packet bytes = { .data = packet->bytes, .length = packet->length };
        struct segment segment;
        assert_int_equal(segment_decode(&segment, &bytes, NULL), SEGMENT_OK);
        assert_int_equal(segment.flags & SEGMENT_SYN, 0);
    }
    inject(t, ". 1 ack 1");
    assert_int_equal(script_state(t->connection), TCPCT_ESTABLISHED);
    script_end(t);
}

/* RFC 9293, 3.10.2 and 3.10.4: in SYN-RECEIVED data is queued, and so is the end. */
static void test_send_in_syn_received(void **state)
{
    (void)state;
    struct script *t = crossing();
    script_send(t->connection, 0, 10);
    assert_int_equal(tcpct_shutdown(t->connection), TCPCT_OK);
    expect_nothing(t);
    inject(t, ". 1 ack 1");
    expect(t, "F. 1+10 ack 1");
    script_end(t);
}

/* RFC 9293, 3.10.7.4: an acknowledgment that is wrong is reset; the state stays. */
static void test_wrong_acknowledgment(void **state)
{
    (void)state;
    struct script *t = crossing();
    inject(t, ". 1 ack 0");
    expect(t, "R 0");
    assert_int_equal(script_state(t->connection), TCPCT_SYN_RECEIVED);
    inject(t, "R 1");
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_REFUSED);
    script_end(t);
}

/* tcpct_listen_options.syn_queue: the <SYN,ACK> is sent again (RFC 6298, 2.1), the connection is
 * told when it is made, and a second <SYN> finds the same. */
static void test_queue_repeats_syn_ack(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, &(struct tcpct_listen_options){ .syn_queue = 2 });
    inject_verdict(t, "S 0 <mss 1000, sackOK>", TCPCT_ACCEPTED);
    expect(t, "S. 0 ack 1 <mss 1460, sackOK>");
    uint64_t sent_us = t->last_us;
    script_wait(t, 3100 * MILLISECOND);
    expect(t, "S. 0 ack 1");
    assert_int_equal(t->last_us - sent_us, SECOND);
    expect(t, "S. 0 ack 1");
    assert_int_equal(t->last_us - sent_us, 3 * SECOND);
    inject(t, "S 0 <mss 1000, sackOK>");
    expect(t, "S. 0 ack 1");
    assert_null(tcpct_accept(t->listener));
    inject(t, ". 1 ack 1");
    struct tcpct_connection *connection = script_accept(t);
    script_send(connection, 0, 10);
    expect(t, ". 1+10 ack 1");
    script_end(t);
}

/* It is bounded: what finds it full is answered without state, and can be made all the same. */
static void test_queue_is_bounded(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, &(struct tcpct_listen_options){ .syn_queue = 2 });
    for (unsigned i = 0; i < 5; i++) {
        inject(t, "S 0 <mss 1000>");
        expect(t, "S. 0 ack 1");
        t->peer_port++;
    }
    assert_int_equal(tcpct_connection_count(t->host.stack), 2);
    t->peer_port--;
    inject_verdict(t, ". 1 ack 1", TCPCT_ACCEPTED);
    script_accept(t);
    script_wait(t, 400ull * SECOND);
    assert_int_equal(tcpct_connection_count(t->host.stack), 1); /* given up */
    script_end(t);
}

/* RFC 9293, 3.10.7.4: a reset returns to LISTEN: the place is free again. */
static void test_reset_frees_the_queue(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, &(struct tcpct_listen_options){ .syn_queue = 1 });
    for (unsigned i = 0; i < 3; i++) {
        inject_verdict(t, "S 0 <mss 1000>", TCPCT_ACCEPTED);
        expect(t, "S. 0 ack 1");
        inject_verdict(t, "R 1", TCPCT_ACCEPTED);
        assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    }
    script_end(t);
}

/* RFC 6298, (5.7): after a <SYN> had to be repeated, data begins with an RTO of 3 s, unless an echo
 * tells the round trip (RFC 7323, 4). */
static void test_rto_after_lost_syn(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, &(struct tcpct_connect_options){ 0 });
    expect(t, "S 0");
    script_wait(t, 1100 * MILLISECOND);
    expect(t, "S 0");
    inject(t, "S. 0 ack 1 <mss 1000, sackOK>");
    expect(t, ". 1 ack 1");
    assert_int_equal(peer_info(t).rto_us, 3 * SECOND);
    script_end(t);
}

/* RFC 9293, 3.8.3 (MUST-23): a <SYN> is repeated for at least 3 minutes, unless the application
 * set its own limit. */
static void test_syn_for_three_minutes(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, &(struct tcpct_connect_options){ 0 });
    script_wait(t, 179ull * SECOND);
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_OK);
    script_wait(t, 200ull * SECOND);
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_TIMEOUT);
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(simultaneous_open),     TEST(send_in_syn_received),  TEST(wrong_acknowledgment),
        TEST(queue_repeats_syn_ack), TEST(queue_is_bounded),      TEST(reset_frees_the_queue),
        TEST(rto_after_lost_syn),    TEST(syn_for_three_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
