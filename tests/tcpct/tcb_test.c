/* tcb_test.c - what is taken of the peer's options: MSS, and User Timeout (RFC 5482).
 */
#include "tcpct/tcb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

/* 3.1: the peer's is taken between 100 s and an hour; 3: not if the application set its own. */
static void test_peer_timeout(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t us;
    } cases[] = {
        { ". 1 ack 1 <uto 200>", 200ull * SECOND },
        { ". 1 ack 1 <uto 5>", 100ull * SECOND },
        { ". 1 ack 1 <uto 32770>", 120ull * SECOND }, /* 2 minutes */
        { ". 1 ack 1 <uto 40000>", 3600ull * SECOND },
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct script *t = peer_connect("mss 1000", 0, NULL);
        inject(t, cases[i].text);
        script_send(t->connection, 0, 10);
        script_wait(t, cases[i].us - 1);
        assert_int_equal(tcpct_connection_error(t->connection), TCPCT_OK);
        script_wait(t, 1);
        assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_TIMEOUT);
        script_end(t);
    }
}

/* RFC 9293, 3.7.1 (MUST-15): without the option 536 over IPv4, 1220 over IPv6. */
static void test_mss_default(void **state)
{
    (void)state;
    struct script *t = peer_connect("sackOK", 0, NULL);
    assert_int_equal(peer_info(t).mss, 536);
    t = (script_end(t), peer_connect6("sackOK", 0));
    assert_int_equal(peer_info(t).mss, 1220);
    script_end(t);
}

/* An announced MSS below 128 is taken for 128: the options would leave no room for data. */
static void test_small_mss(void **state)
{
    (void)state;
    static const uint16_t announced[] = { 0, 1, 64, 127, 128, 129 };
    for (unsigned i = 0; i < sizeof(announced) / sizeof(announced[0]); i++) {
        char options[32];
        uint16_t mss = announced[i] < 128 ? 128 : announced[i];
        snprintf(options, sizeof(options), "mss %u", announced[i]);
        struct script *t = peer_connect(options, 0, NULL);
        assert_int_equal(peer_info(t).mss, mss);
        script_send(t->connection, 0, 300);
        char text[32];
        snprintf(text, sizeof(text), ". 1+%u ack 1", mss);
        expect(t, text);
        script_end(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(peer_timeout),
        TEST(mss_default),
        TEST(small_mss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
