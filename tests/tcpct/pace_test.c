/* pace_test.c - no burst above ten segments once there is a round trip, and none paced before.
 */
#include "tcpct/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

/* Lets cwnd grow to 40 segments of 1000 bytes, everything acknowledged. */
static void grow(struct script *t)
{
    char text[64];
    uint32_t at = 1;
    while (peer_info(t).cwnd < 40000) {
        script_send(t->connection, at - 1, 20000);
        script_wait(t, 100 * MILLISECOND);
        peer_skip(t);
        for (unsigned i = 0; i < 10; i++) {
            at += 2000;
            snprintf(text, sizeof(text), ". 1 ack %u", at);
            t->next = at - 1;
            inject(t, text);
        }
        script_wait(t, SECOND / 10);
        peer_skip(t);
    }
    t->next = at - 1;
}

static void test_burst(void **state)
{
    (void)state;
    struct script *t = peer_connect("mss 1000", 100 * MILLISECOND, NULL);
    grow(t);
    script_wait(t, 100 * MILLISECOND);
    script_send(t->connection, t->next, 30000);
    assert_in_range(peer_skip(t), 1, 10);
    script_wait(t, 100 * MILLISECOND);
    assert_in_range(peer_skip(t), 20, 29); /* the rest within one round trip */
    script_end(t);
}

/* RFC 6928, 2: the initial window at once; without an RTT nothing is paced. */
static void test_unpaced_without_rtt(void **state)
{
    (void)state;
    struct script *t = peer_accept("mss 1000", NULL);
    script_send(t->connection, 0, 20000);
    assert_int_equal(peer_skip(t), 10);
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(burst),
        TEST(unpaced_without_rtt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
