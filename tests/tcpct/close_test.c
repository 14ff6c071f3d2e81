/* close_test.c - the ends of connections: FIN, RST and TIME-WAIT.
 */
#include "tcpct/close.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

#define PLAIN "mss 1000, sackOK"

/* RFC 9293, 3.6, Figure 12, from the side that closes first. */
static void test_active_close(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    tcpct_shutdown(t->connection);
    expect(t, "F. 1 ack 1");
    assert_int_equal(script_state(t->connection), TCPCT_FIN_WAIT_1);
    inject(t, ". 1 ack 2");
    assert_int_equal(script_state(t->connection), TCPCT_FIN_WAIT_2);
    inject(t, ". 1+10 ack 2"); /* half-closed: the peer may go on (3.6, MUST-14) */
    script_receive(t->connection, 0, 10);
    peer_skip(t);
    inject(t, "F. 11 ack 2");
    expect(t, ". 2 ack 12");
    assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT);
    script_wait(t, 59ull * SECOND);
    assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT); /* 2 MSL (MUST-13) */
    script_wait(t, 2ull * SECOND);
    assert_int_equal(script_state(t->connection), TCPCT_CLOSED);
    script_end(t);
}

/* RFC 9293, 3.6, Figure 12, from the other side. */
static void test_passive_close(void **state)
{
    (void)state;
    uint8_t byte;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    inject(t, "F. 1+5 ack 1");
    expect(t, ". 1 ack 7");
    assert_int_equal(script_state(t->connection), TCPCT_CLOSE_WAIT);
    script_receive(t->connection, 0, 5);
    assert_int_equal(tcpct_receive(t->connection, &byte, 1), TCPCT_ERROR_CLOSED);
    script_send(t->connection, 0, 10);
    expect(t, ". 1+10 ack 7");
    tcpct_close(t->connection);
    expect(t, "F. 11 ack 7");
    inject(t, ". 7 ack 12");
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    script_end(t);
}

/* RFC 9293, 3.6, Figure 13. */
static void test_simultaneous_close(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    tcpct_shutdown(t->connection);
    expect(t, "F. 1 ack 1");
    inject(t, "F. 1 ack 1");
    expect(t, ". 2 ack 2");
    assert_int_equal(script_state(t->connection), TCPCT_CLOSING);
    inject(t, ". 2 ack 2");
    assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT);
    script_end(t);
}

/* RFC 9293, 3.10.7.4: FIN-WAIT-1 to TIME-WAIT when one segment has both. */
static void test_fin_with_acknowledgment_of_ours(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    tcpct_shutdown(t->connection);
    expect(t, "F. 1 ack 1");
    inject(t, "F. 1 ack 2");
    expect(t, ". 2 ack 2");
    assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT);
    script_end(t);
}

static struct script *waiting(const char *options, const char *fin)
{
    struct script *t = peer_accept(options, NULL);
    tcpct_shutdown(t->connection);
    expect(t, "F. 1 ack 1");
    inject(t, fin);
    expect(t, ". 2 ack 2");
    assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT);
    return t;
}

/* RFC 9293, 3.10.7.4: a FIN that comes again is acknowledged "and restart the 2 MSL timeout". */
static void test_time_wait_restarts(void **state)
{
    (void)state;
    struct script *t = waiting(PLAIN, "F. 1 ack 2");
    script_wait(t, 50ull * SECOND);
    inject(t, "F. 1 ack 2");
    expect(t, ". 2 ack 2");
    script_wait(t, 59ull * SECOND);
    assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT);
    script_wait(t, 2ull * SECOND);
    assert_int_equal(script_state(t->connection), TCPCT_CLOSED);
    script_end(t);
}

/* RFC 6191, 2: a <SYN> with a newer timestamp is answered, an older one acknowledged; but it is
 * the handshake that ends TIME-WAIT, since anybody can forge a <SYN>. */
static void test_time_wait_ends_by_timestamp(void **state)
{
    (void)state;
    struct script *t = waiting("mss 1000, sackOK, ts 100", "F. 1 ack 2 <ts 102>");
    inject(t, "S 500 <mss 1000, ts 99>");
    expect(t, ". 2 ack 2");
    assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT);
    inject_verdict(t, "S 500 <mss 1000, ts 103>", TCPCT_REPLIED);
    expect(t, "S. 0 ack 501");
    inject(t, ". 501 ack 5000 <ts 104>"); /* a guess */
    inject(t, ". 600 ack 1 <ts 104>");    /* for another <SYN> */
    inject(t, ". 501 ack 1 <ts 101>");    /* old */
    assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT);
    inject_verdict(t, ". 501 ack 1 <ts 105>", TCPCT_ACCEPTED);
    assert_int_equal(script_state(t->connection), TCPCT_CLOSED);
    assert_int_equal(script_state(script_accept(t)), TCPCT_ESTABLISHED);
    script_end(t);
}

/* RFC 6191, 2, all cases in which a <SYN> is answered: with timestamps in both, the greater one, or
 * an equal one and a higher sequence number; with timestamps in the new one only, always; else a
 * higher sequence number. */
static void test_time_wait_ends(void **state)
{
    (void)state;
    static const char with[] = "mss 1000, ts 100", without[] = "mss 1000";
    static const struct {
        const char *before, *syn;
        bool ends;
    } cases[] = {
        { with, "S 500 <mss 1000, ts 103>", true },
        { with, "S 4294967000 <mss 1000, ts 103>", true },
        { with, "S 500 <mss 1000, ts 102>", true },
        { with, "S 4294967000 <mss 1000, ts 102>", false },
        { with, "S 1 <mss 1000, ts 102>", false },
        { with, "S 500 <mss 1000, ts 101>", false },
        { with, "S 500 <mss 1000>", true },
        { with, "S 4294967000 <mss 1000>", false },
        { without, "S 4294967000 <mss 1000, ts 1>", true },
        { without, "S 500 <mss 1000>", true },
        { without, "S 4294967000 <mss 1000>", false },
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool timestamps = cases[i].before == with;
        struct script *t =
            waiting(cases[i].before, timestamps ? "F. 1 ack 2 <ts 102>" : "F. 1 ack 2");
        inject(t, cases[i].syn);
        assert_int_equal(t->verdict, cases[i].ends ? TCPCT_REPLIED : TCPCT_UNACCEPTABLE);
        assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT);
        script_end(t);
    }
}

/* RFC 6191, 2; RFC 9293, 3.6.1: without timestamps, a higher sequence number does. */
static void test_time_wait_ends_by_sequence(void **state)
{
    (void)state;
    struct script *t = waiting(PLAIN, "F. 1 ack 2");
    inject(t, "S 4294967000 <mss 1000>");
    expect(t, ". 2 ack 2");
    inject_verdict(t, "S 5 <mss 1000>", TCPCT_REPLIED);
    expect(t, "S. 0 ack 6");
    assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT);
    inject_verdict(t, ". 6 ack 1", TCPCT_ACCEPTED);
    assert_int_equal(script_state(t->connection), TCPCT_CLOSED);
    script_end(t);
}

/* RFC 9293, 3.10.7.4: only the FIN itself restarts TIME-WAIT, not any segment with FIN. */
static void test_time_wait_is_not_prolonged(void **state)
{
    (void)state;
    struct script *t = waiting(PLAIN, "F. 1 ack 2");
    script_wait(t, 50ull * SECOND);
    inject(t, "F. 0 ack 2");
    inject(t, "F. 100000 ack 2");
    script_wait(t, 11ull * SECOND);
    assert_int_equal(script_state(t->connection), TCPCT_CLOSED);
    script_end(t);
}

static struct script *waiting_at_queue(void)
{
    struct script *t = script_listen(4, NULL, &(struct tcpct_listen_options){ .syn_queue = 9 });
    inject(t, "S 0 <mss 1000>");
    expect(t, "S. 0 ack 1");
    inject(t, ". 1 ack 1");
    t->connection = script_accept(t);
    tcpct_shutdown(t->connection);
    expect(t, "F. 1 ack 1");
    inject(t, "F. 1 ack 2");
    expect(t, ". 2 ack 2");
    return t;
}

/* RFC 9293, 3.6.1; RFC 6191: where half-made connections are kept (tcpct_listen_options.syn_queue),
 * one is kept beside TIME-WAIT, which it ends when it is made. */
static void test_time_wait_beside_half_made(void **state)
{
    (void)state;
    struct script *t = waiting_at_queue();
    const uint32_t irs = t->irs;

    inject_verdict(t, "S 5 <mss 1000>", TCPCT_ACCEPTED); /* forged: it will be reset */
    expect(t, "S. 0 ack 6");
    inject_verdict(t, "R 6", TCPCT_ACCEPTED);
    assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT);
    assert_int_equal(tcpct_connection_count(t->host.stack), 1);

    inject_verdict(t, "S 5 <mss 1000>", TCPCT_ACCEPTED);
    expect(t, "S. 0 ack 6");
    script_wait(t, 1100 * MILLISECOND);
    expect(t, "S. 0 ack 6"); /* the application speaks first: nothing else would bring it back */
    const uint32_t new_irs = t->irs;
    t->irs = irs;
    inject(t, "F. 1 ack 2"); /* still for TIME-WAIT */
    expect(t, ". 2 ack 2");
    t->irs = new_irs;
    inject_verdict(t, ". 6 ack 4711", TCPCT_UNACCEPTABLE); /* a guess */
    peer_skip(t);
    assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT);
    inject_verdict(t, ". 6 ack 1", TCPCT_ACCEPTED);
    assert_int_equal(script_state(t->connection), TCPCT_CLOSED);
    assert_int_equal(script_state(script_accept(t)), TCPCT_ESTABLISHED);
    script_end(t);

    t = waiting_at_queue(); /* one is kept; another <SYN> is answered without state */
    inject_verdict(t, "S 5 <mss 1000>", TCPCT_ACCEPTED);
    expect(t, "S. 0 ack 6");
    inject_verdict(t, "S 9 <mss 1000>", TCPCT_REPLIED);
    expect(t, "S. 0 ack 10");
    inject_verdict(t, ". 10 ack 1", TCPCT_ACCEPTED);
    assert_int_equal(script_state(t->connection), TCPCT_CLOSED);
    tcpct_close(t->connection);
    assert_int_equal(script_state(script_accept(t)), TCPCT_ESTABLISHED);
    assert_int_equal(tcpct_connection_count(t->host.stack), 1);
    script_end(t);
}

/* RFC 9293, 3.6.1; RFC 1122, 4.2.2.13: what comes for nobody, or stays unread, resets. */
static void test_lost_data_resets(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    inject(t, ". 1+10 ack 1");
    tcpct_close(t->connection);
    expect(t, "R. 1");
    t = (script_end(t), peer_connect(PLAIN, 0, NULL));
    tcpct_close(t->connection);
    expect(t, "F. 1 ack 1");
    inject(t, ". 1+10 ack 2");
    expect(t, "R. 2");
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(active_close),
        TEST(passive_close),
        TEST(simultaneous_close),
        TEST(fin_with_acknowledgment_of_ours),
        TEST(time_wait_restarts),
        TEST(time_wait_ends),
        TEST(time_wait_ends_by_timestamp),
        TEST(time_wait_ends_by_sequence),
        TEST(time_wait_is_not_prolonged),
        TEST(time_wait_beside_half_made),
        TEST(lost_data_resets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
