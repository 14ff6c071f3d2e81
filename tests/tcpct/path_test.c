/* path_test.c - the path MTU of a connection: plateaus, minimum, black holes, and up again.
 */
#include "tcpct/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

#define PLAIN "mss 1460, sackOK"

enum { UNREACHABLE = 3, TOO_BIG = 4 };

static uint32_t segment_after(struct script *t, uint32_t mtu)
{
    script_send(t->connection, 0, 1460);
    peer_skip(t);
    peer_icmp(t, UNREACHABLE, TOO_BIG, mtu, 1);
    script_wait(t, 0);
    assert_true(t->queue_count > 0);
    struct script_packet *packet = &t->queue[t->queue_first];
    return (uint32_t)packet->length;
}

/* RFC 1191, 5 and 7.1: a router that tells no MTU: the next plateau. */
static void test_plateau(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 20 * MILLISECOND, NULL);
    assert_int_equal(segment_after(t, 0), 1492);
    script_end(t);
}

/* RFC 1191, 3: never above what there was, never below the minimum. */
static void test_minimum(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 20 * MILLISECOND, NULL);
    assert_int_equal(segment_after(t, 68), 552);
    t = (script_end(t), peer_connect(PLAIN, 20 * MILLISECOND, NULL));
    script_send(t->connection, 0, 1460);
    peer_skip(t);
    peer_icmp(t, UNREACHABLE, TOO_BIG, 9000, 1);
    expect_nothing(t);
    script_end(t);
}

/* RFC 1191, 6.3: ten minutes later the larger size is tried again. */
static void test_raised_after_ten_minutes(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 20 * MILLISECOND, NULL);
    tcpct_option_set(t->connection, TCPCT_OPTION_NODELAY, 1);
    assert_int_equal(segment_after(t, 1040), 1040);
    peer_skip(t);
    inject(t, ". 1 ack 1461");
    script_wait(t, 599ull * SECOND);
    script_send(t->connection, 1460, 1460);
    expect(t, ". 1461+1000");
    peer_skip(t);
    inject(t, ". 1 ack 2921");
    script_wait(t, SECOND);
    script_send(t->connection, 2920, 1460);
    expect(t, ". 2921+1460");
    script_end(t);
}

/* RFC 4821, 7.7: timeouts in a row may mean that large packets vanish; first what is likely to work,
 * then what every path carries. The retransmission timer begins again with each size. */
static void test_black_hole(void **state)
{
    (void)state;
    struct script *t = peer_connect("mss 1460", 20 * MILLISECOND, NULL);
    script_send(t->connection, 0, 1460);
    expect(t, ". 1+1460");
    script_wait(t, 250 * MILLISECOND);
    expect(t, ". 1+1460");
    script_wait(t, 500 * MILLISECOND);
    expect(t, ". 1+1460");
    script_wait(t, SECOND);
    expect(t, ". 1+984");
    peer_skip(t);
    script_wait(t, 250 * MILLISECOND);
    expect(t, ". 1+512");
    peer_skip(t);
    script_wait(t, 500 * MILLISECOND);
    expect(t, ". 1+512"); /* and no less */
    peer_skip(t);
    script_end(t);
}

/* A path dead to small segments too is no black hole. */
static void test_small_segment_is_no_sign(void **state)
{
    (void)state;
    struct script *t = peer_connect("mss 1460", 20 * MILLISECOND, NULL);
    script_send(t->connection, 0, 500);
    script_wait(t, 10 * (uint64_t)SECOND);
    assert_int_equal(t->connection->path.mtu, 0);
    peer_skip(t);
    script_end(t);
}

/* A connection that has fallen to 1024, has much to send, and a window for it. */
static struct script *in_black_hole(void)
{
    struct script *t = peer_connect(PLAIN, 20 * MILLISECOND, NULL);
    script_send(t->connection, 0, 1460);
    script_wait(t, 1450 * MILLISECOND);
    assert_int_equal(t->connection->path.mtu, 1024);
    peer_skip(t);
    inject(t, ". 1 ack 1461");
    t->connection->congestion.cwnd = 20000;
    tcpct_option_set(t->connection, TCPCT_OPTION_NODELAY, 1);
    script_wait(t, 2 * (uint64_t)SECOND);
    return t;
}

/* RFC 4821, 7.3: halfway to what failed. 7.6.1: what has arrived is the new size. */
static void test_probe_arrives(void **state)
{
    (void)state;
    struct script *t = in_black_hole();
    script_send(t->connection, 1460, 12000);
    expect(t, ". 1461+1222");
    expect(t, ". 2683+984");
    peer_skip(t);
    inject(t, ". 1 ack 13461");
    assert_int_equal(t->connection->path.mtu, 1262);
    script_wait(t, 100 * MILLISECOND);
    script_send(t->connection, 13460, 12000);
    expect(t, ". 13461+1341");
    expect(t, ". 14802+1222");
    script_end(t);
}

/* 7.6.2: the loss of a probe alone is no sign of congestion; the next is smaller, and not at once. */
static void test_probe_is_lost(void **state)
{
    (void)state;
    struct script *t = in_black_hole();
    script_send(t->connection, 1460, 12000);
    expect(t, ". 1461+1222");
    peer_skip(t);
    uint32_t cwnd = t->connection->congestion.cwnd;
    inject(t, ". 1 ack 1461 <sack 2683-13461>");
    script_wait(t, 10 * MILLISECOND);
    expect(t, ". 1461+984");
    expect(t, ". 2445+238");
    assert_true(t->connection->congestion.cwnd >= cwnd);
    inject(t, ". 1 ack 13461");
    script_send(t->connection, 13460, 6000);
    expect(t, ". 13461+984");
    peer_skip(t);
    inject(t, ". 1 ack 19461");
    script_wait(t, 2 * (uint64_t)SECOND);
    script_send(t->connection, 19460, 12000);
    expect(t, ". 19461+1103");
    script_end(t);
}

/* 7.6.4: lost beside others, it says nothing. */
static void test_probe_is_inconclusive(void **state)
{
    (void)state;
    struct script *t = in_black_hole();
    script_send(t->connection, 1460, 12000);
    expect(t, ". 1461+1222");
    peer_skip(t);
    inject(t, ". 1 ack 1461 <sack 3667-13461>");
    script_wait(t, 10 * MILLISECOND);
    assert_int_equal(t->connection->recovery.phase, RECOVERY_FAST);
    assert_int_equal(t->connection->path.too_large, 1500);
    assert_int_equal(t->connection->path.probe, 0);
    peer_skip(t);
    script_end(t);
}

/* The path MTU with which another connection to that host would begin. */
static uint32_t next_mtu(struct script *t, const struct tcpct_address *remote)
{
    struct tcpct_connection *next;
    const struct tcpct_connect_options options = { .remote = *remote, .remote_port = 80 };
    assert_int_equal(tcpct_connect(t->host.stack, &options, &next, t->now_us), TCPCT_OK);
    uint32_t mtu = path_mtu(next, t->now_us);
    tcpct_abort(next);
    return mtu;
}

/* RFC 8201, 5.2: a path MTU is that of all connections to that host, of no other, and (5.3) for ten
 * minutes. */
static void test_known_to_others(void **state)
{
    (void)state;
    struct script *t = in_black_hole();
    struct tcpct_address other = t->peer_address;
    other.bytes[3] ^= 1;
    assert_int_equal(next_mtu(t, &t->peer_address), 1024);
    assert_int_equal(next_mtu(t, &other), 1500);
    script_send(t->connection, 1460, 12000);
    expect(t, ". 1461+1222");
    peer_skip(t);
    inject(t, ". 1 ack 13461");
    assert_int_equal(next_mtu(t, &t->peer_address), 1262); /* what a probe has found */
    script_wait(t, 596ull * SECOND);
    assert_int_equal(next_mtu(t, &t->peer_address), 1262);
    script_wait(t, 4ull * SECOND);
    assert_int_equal(next_mtu(t, &t->peer_address), 1500);
    script_end(t);
}

/* Whoever does not answer at all has shown nothing of the path. */
static void test_silence_is_not_known(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 20 * MILLISECOND, NULL);
    script_send(t->connection, 0, 1460);
    script_wait(t, 1450 * MILLISECOND);
    assert_int_equal(t->connection->path.mtu, 1024);
    assert_int_equal(next_mtu(t, &t->peer_address), 1500);
    peer_skip(t);
    inject(t, ". 1 ack 1461");
    assert_int_equal(next_mtu(t, &t->peer_address), 1024);
    script_end(t);
}

/* Of more hosts than there is room for, what would be forgotten first goes. */
static void test_known_are_bounded(void **state)
{
    (void)state;
    struct script *t = in_black_hole();
    struct tcpct_stack *stack = t->host.stack;
    for (unsigned i = 0; i < PATHS_MAX; i++)
        stack->paths[i] = (struct path_known){ .remote = { 4, { 10, 9, 9, (uint8_t)i } },
                                               .mtu = 1024,
                                               .until_us = t->now_us + (64 - i) * 1000000ull };
    script_send(t->connection, 1460, 12000);
    peer_skip(t);
    inject(t, ". 1 ack 13461");
    assert_int_equal(next_mtu(t, &t->peer_address), 1262);
    assert_int_equal(next_mtu(t, &stack->paths[0].remote), 1024);
    assert_true(ip_address_equal(&stack->paths[PATHS_MAX - 1].remote, &t->peer_address));
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plateau),
        TEST(minimum),
        TEST(raised_after_ten_minutes),
        TEST(black_hole),
        TEST(small_segment_is_no_sign),
        TEST(probe_arrives),
        TEST(probe_is_lost),
        TEST(probe_is_inconclusive),
        TEST(known_to_others),
        TEST(silence_is_not_known),
        TEST(known_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
