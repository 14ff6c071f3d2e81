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

/* RFC 4821, 7.7: timeouts in a row may mean that large packets vanish. */
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
    expect(t, ". 1+1240");
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plateau),
        TEST(minimum),
        TEST(raised_after_ten_minutes),
        TEST(black_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
