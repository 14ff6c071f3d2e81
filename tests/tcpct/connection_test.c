/* connection_test.c - keep-alives, the user timeout, and idle connections.
 */
#include "tcpct/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

#define PLAIN "mss 1000, sackOK"

/* RFC 9293, 3.8.4: off by default (MUST-25); one probe unanswered ends nothing (MUST-29). */
static void test_keepalive(void **state)
{
    (void)state;
    const uint64_t idle_us = 7200ull * SECOND;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    script_wait(t, 20000ull * SECOND);
    expect_nothing(t);
    assert_int_equal(tcpct_option_set(t->connection, TCPCT_OPTION_KEEPALIVE, idle_us), TCPCT_OK);
    script_wait(t, idle_us - 1);
    expect_nothing(t);
    script_wait(t, 1);
    expect(t, ". 0 ack 1"); /* SEG.SEQ = SND.NXT-1 */
    script_wait(t, 80ull * SECOND);
    expect(t, ". 0 ack 1");
    inject(t, ". 1 ack 1");
    script_wait(t, idle_us - 1);
    expect_nothing(t);
    script_wait(t, 1000ull * SECOND);
    assert_in_range(peer_skip(t), 5, 20);
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_TIMEOUT);
    script_end(t);
}

/* RFC 9293, 3.8.3 (MUST-21): the application sets R2; RFC 5482, 3: what it set is announced. */
static void test_user_timeout(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    const uint64_t timeout_us = 150ull * SECOND;
    assert_int_equal(tcpct_option_set(t->connection, TCPCT_OPTION_USER_TIMEOUT, timeout_us),
                     TCPCT_OK);
    script_send(t->connection, 0, 1000);
    script_wait(t, timeout_us - 1);
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_OK);
    script_wait(t, 1);
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_TIMEOUT);
    script_end(t);
}

/* RFC 5681, 4.1; RFC 7661, 4.4.3: a window that was not used for longer than any validated period
 * is not sent at once: at most IW10 (RFC 6928) after ten minutes of silence. */
static void test_idle_window_is_given_up(void **state)
{
    (void)state;
    char text[64];
    struct script *t = peer_connect(PLAIN, 100 * MILLISECOND, NULL);
    uint32_t at = 1;
    for (unsigned i = 0; i < 5; i++) {
        script_send(t->connection, at - 1, 60000);
        for (unsigned j = 0; j < 6; j++) {
            script_wait(t, 100 * MILLISECOND);
            peer_skip(t);
            snprintf(text, sizeof(text), ". 1 ack %u", at += 10000);
            inject(t, text);
        }
    }
    assert_true(peer_info(t).cwnd > 14600);
    script_wait(t, 3600ull * SECOND);
    script_send(t->connection, at - 1, 1000);
    peer_skip(t);
    assert_in_range(peer_info(t).cwnd, 1000, 14600);
    script_end(t);
}

/* RFC 9293, 3.10.5: ABORT resets. */
static void test_abort(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    tcpct_abort(t->connection);
    expect(t, "R. 1 ack 1");
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    script_end(t);
}

/* Data may be read where it is, and dropped. */
static void test_peek(void **state)
{
    const void *bytes;
    (void)state;
    struct script *t = peer_accept("mss 1460, sackOK", NULL);
    assert_int_equal(tcpct_peek(t->connection, &bytes), 0);
    inject(t, ". 1+10 ack 1");
    assert_int_equal(tcpct_peek(t->connection, &bytes), 10);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(((const uint8_t *)bytes)[i], script_byte(i));
    assert_int_equal(tcpct_receive(t->connection, NULL, 4), 4);
    assert_int_equal(tcpct_peek(t->connection, &bytes), 6);
    script_receive(t->connection, 4, 6);
    assert_int_equal(tcpct_peek(t->connection, &bytes), 0);
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(peek), TEST(keepalive), TEST(user_timeout), TEST(idle_window_is_given_up), TEST(abort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
