/* closing_test.c - Accelerated Close (RFC 6013, 5), sentence by sentence, for both parties.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/script.h"

enum { MILLISECOND = 1000, SECOND = 1000000 };

/* A connection with cookies, in which 100 bytes went each way. The peer is at 101, so is the stack;
 * what the peer sends from now on has a TS Value above 200. */
static struct script *responder(struct tcpct_connection **connection)
{
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>");
    expect(t, "S. 0 ack 1");
    inject(t, ". 1+100 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>");
    *connection = script_accept(t);
    script_receive(*connection, 0, 100);
    script_send(*connection, 0, 100);
    expect(t, ". 1+100 ack 101 <tsx ecr 101, pair, *>");
    inject(t, ". 101 ack 101 <ts 102>");
    expect_nothing(t);
    return t;
}

static struct script *initiator(struct tcpct_connection **connection)
{
    struct script *t = script_connect(4, NULL, NULL);
    *connection = t->connection;
    expect(t, "S 0");
    inject(t, "S. 0 ack 1 <mss 1460, sackOK, ts 100, wscale 7, cookie>");
    script_send(*connection, 0, 100);
    expect(t, ". 1+100 ack 1 <tsx ecr 100, pair, *>");
    inject(t, ". 1+100 ack 101 <tsx 101, pair, mss 1460, sackOK, wscale 7>");
    script_receive(*connection, 0, 100);
    script_wait(t, 50 * MILLISECOND);
    expect(t, ". 101 ack 101 <ts ecr 101>");
    return t;
}

typedef struct script *party_function(struct tcpct_connection **connection);
static party_function *const parties[] = { responder, initiator };

static size_t connections(const struct script *t)
{
    return tcpct_connection_count(t->host.stack);
}

static bool is_at_end(struct tcpct_connection *connection)
{
    uint8_t byte;
    return tcpct_receive(connection, &byte, 1) == TCPCT_ERROR_CLOSED;
}

/* ---- 5 ------------------------------------------------------------------------------------- */

/* "This <FIN> SHOULD be sent with the final data segment. This segment contains both Timestamps and
 * Cookie-Pair options." Also when it is sent again. */
static void test_fin_goes_with_data(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct tcpct_connection *connection;
        struct script *t = parties[i](&connection);
        script_send(connection, 100, 200);
        tcpct_close(connection);
        expect(t, "F. 101+200 ack 101 <tsx, pair>");
        script_wait(t, 2 * SECOND);
        expect(t, "F. 101+200 ack 101 <tsx, pair>");
        script_end(t);
    }
}

/* 6.3: an "<ACK(SYN),FIN> with the Cookie-Pair option and no segment data is never required", and
 * would be discarded: the FIN waits until the opening is answered. */
static void test_fin_of_empty_opening(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    inject(t, "S. 0 ack 1 <mss 1460, sackOK, ts 100, wscale 7, cookie>");
    tcpct_shutdown(t->connection);
    expect(t, ". 1 ack 1 <tsx ecr 100, pair, *>");
    expect_nothing(t);
    inject(t, ". 1+10 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>");
    expect(t, "F. 1 ack 11 <tsx, pair, *>");
    script_end(t);

    t = script_connect(4, NULL, NULL); /* with data it goes at once */
    expect(t, "S 0");
    inject(t, "S. 0 ack 1 <mss 1460, sackOK, ts 100, wscale 7, cookie>");
    script_send(t->connection, 0, 10);
    tcpct_shutdown(t->connection);
    expect(t, "F. 1+10 ack 1 <tsx ecr 100, pair, *>");
    script_end(t);
}

/* The pair takes room: what would fill a segment without it leaves some data for the FIN's. */
static void test_fin_of_full_segment(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct tcpct_connection *connection;
        struct script *t = parties[i](&connection);
        script_send(connection, 100, 1448);
        tcpct_close(connection);
        expect(t, ". 101+1412 ack 101 <ts>");
        expect(t, "F. 1513+36 ack 101 <tsx, pair>");
        script_end(t);
    }
}

/* "Any <FIN> bearing segment SHOULD terminate delayed <ACK>." */
static void test_fin_ends_delayed_ack(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct tcpct_connection *connection;
        struct script *t = parties[i](&connection);
        inject(t, ". 101+10 ack 101 <ts 201>");
        expect_nothing(t);
        inject(t, "F. 111+10 ack 101 <tsx 202, pair>");
        expect(t, ". 101 ack 122 <tsx, pair>");
        script_end(t);

        t = parties[i](&connection);
        inject(t, "F. 101 ack 101 <tsx 201, pair>");
        expect(t, ". 101 ack 102 <tsx ecr 201, pair>");
        assert_true(is_at_end(connection));
        script_end(t);

        t = parties[i](&connection); /* ours as well */
        inject(t, ". 101+10 ack 101 <ts 201>");
        expect_nothing(t);
        tcpct_shutdown(connection);
        expect(t, "F. 101 ack 111 <tsx ecr 201, pair>");
        script_wait(t, 50 * MILLISECOND);
        while (t->queue_count) /* nothing but the FIN again */
            expect(t, "F. 101 ack 111 <tsx ecr 201, pair>");
        script_end(t);
    }
}

/* "In general, <FIN> is treated as advisory": one without the pair, with another, or with a TS Echo
 * Reply that we did not send, ends nothing. */
static void test_fin_without_pair_is_ignored(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct tcpct_connection *connection;
        struct script *t = parties[i](&connection);
        inject_verdict(t, "F. 101+10 ack 101 <ts 201>", TCPCT_ACCEPTED); /* its data is good */
        expect(t, ". 101 ack 111 <ts ecr 201>");
        inject_verdict(t, "F. 111 ack 101 <tsx 202, badpair>", TCPCT_BAD_COOKIE);
        expect_nothing(t);
        inject(t, "F. 111 ack 101 <tsx 203 ecr 1, pair>");
        expect_nothing(t); /* what echoes nothing of this incarnation is not for it */
        assert_int_equal(script_state(connection), TCPCT_ESTABLISHED);
        script_receive(connection, 100, 10);
        assert_false(is_at_end(connection));
        inject(t, "F. 111 ack 101 <tsx 204, pair>");
        expect(t, ". 101 ack 112 <tsx ecr 204, pair>");
        assert_true(is_at_end(connection));
        script_end(t);
    }
}

/* ---- 5.1, 5.2 ------------------------------------------------------------------------------ */

/* "unless there is additional data pending. In the latter case, the <FIN> is ignored until the data
 * has been processed and acknowledged": data that is not acknowledged, that has not left, or that
 * is missing. The application sees the end at once. */
static void test_fin_waits_for_our_data(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct tcpct_connection *connection;
        struct script *t = parties[i](&connection);
        script_send(connection, 100, 10);
        expect(t, ". 101+10 ack 101");
        inject(t, "F. 101+20 ack 101 <tsx 201, pair>");
        expect(t, ". 111 ack 121");
        script_receive(connection, 100, 20);
        assert_true(is_at_end(connection));
        assert_int_equal(script_state(connection), TCPCT_ESTABLISHED);
        inject(t, ". 122 ack 111 <ts 202>"); /* now it is, and the FIN comes again */
        t->queue_count = 0;
        inject(t, "F. 101+20 ack 111 <tsx 203, pair>");
        expect(t, ". 111 ack 122 <tsx ecr 203, pair>");
        assert_int_equal(script_state(connection), TCPCT_CLOSE_WAIT);
        script_end(t);
    }
}

static void test_fin_waits_for_unsent_data(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct tcpct_connection *connection;
        struct script *t = parties[i](&connection);
        inject(t, ". 101 ack 101 win 0 <ts 201>");
        script_send(connection, 100, 10);
        inject(t, "F. 101 ack 101 win 0 <tsx 202, pair>");
        expect(t, ". 101 ack 101"); /* the FIN is not acknowledged */
        assert_int_equal(script_state(connection), TCPCT_ESTABLISHED);
        inject(t, ". 102 ack 101 <ts 203>");
        expect(t, ". 101+10 ack 101");
        inject(t, "F. 101 ack 111 <tsx 204, pair>");
        expect(t, ". 111 ack 102 <tsx, pair>");
        assert_int_equal(script_state(connection), TCPCT_CLOSE_WAIT);
        script_end(t);
    }
}

static void test_fin_waits_for_missing_data(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct tcpct_connection *connection;
        struct script *t = parties[i](&connection);
        inject(t, "F. 111+10 ack 101 <tsx 201, pair>");
        expect(t, ". 101 ack 101 <ts, sack 111-121>");
        assert_false(is_at_end(connection));
        inject(t, ". 101+10 ack 101 <ts 202>");
        expect(t, ". 101 ack 121 <ts ecr 202>");
        assert_int_equal(script_state(connection), TCPCT_ESTABLISHED);
        inject(t, "F. 111+10 ack 101 <tsx 203, pair>");
        expect(t, ". 101 ack 122 <tsx, pair>");
        script_receive(connection, 100, 20);
        assert_true(is_at_end(connection));
        script_end(t);
    }
}

/* 5.1: "Upon receipt of the Initiator <ACK(FIN)> (and verification of the Timestamps and Cookie-Pair
 * options), the Responder removes its TCB." */
static void test_initiator_closes_us(void **state)
{
    (void)state;
    struct tcpct_connection *connection;
    struct script *t = responder(&connection);
    inject(t, "F. 101 ack 101 <tsx 201, pair>");
    tcpct_close(connection);
    expect(t, "F. 101 ack 102 <tsx ecr 201, pair>");
    inject(t, ". 102 ack 102 <ts 202>"); /* without the pair it acknowledges no FIN */
    assert_int_equal(connections(t), 1);
    inject_verdict(t, ". 102 ack 102 <tsx 203, pair>", TCPCT_ACCEPTED);
    expect_nothing(t);
    assert_int_equal(connections(t), 0);
    script_end(t);
}

/* 5.1: "the Initiator sends its final <ACK(FIN)> ... The Initiator enters TIME-WAIT state. This
 * segment contains both Timestamps and Cookie-Pair options." */
static void test_we_close_as_initiator(void **state)
{
    (void)state;
    struct tcpct_connection *connection;
    struct script *t = initiator(&connection);
    tcpct_shutdown(connection);
    expect(t, "F. 101 ack 101 <tsx, pair>");
    inject(t, "F. 101+10 ack 102 <tsx 201, pair>");
    expect(t, ". 102 ack 112 <tsx ecr 201, pair>");
    assert_int_equal(script_state(connection), TCPCT_TIME_WAIT);
    script_receive(connection, 100, 10);
    tcpct_close(connection);
    inject(t, "F. 101+10 ack 102 <tsx 202, pair>"); /* the final one was lost */
    expect(t, ". 102 ack 112 <tsx, pair, sack 101-111, *>");
    script_wait(t, 59ull * SECOND); /* 2 MSL */
    assert_int_equal(connections(t), 1);
    script_wait(t, 2ull * SECOND);
    assert_int_equal(connections(t), 0);
    script_end(t);
}

/* 5.2: "the Responder sends its final <ACK(FIN)> and removes its TCB. This segment contains both
 * Timestamps and Cookie-Pair options. If the Responder's final <ACK(FIN)> is lost, the Responder is
 * likely to send a <RST> ... SHOULD copy both Timestamps and Cookie-Pair options." */
static void test_we_close_as_responder(void **state)
{
    (void)state;
    struct tcpct_connection *connection;
    struct script *t = responder(&connection);
    tcpct_close(connection);
    expect(t, "F. 101 ack 101 <tsx, pair>");
    inject(t, "F. 101 ack 102 <tsx 201, pair>");
    expect(t, ". 102 ack 102 <tsx ecr 201, pair>");
    assert_int_equal(connections(t), 0);
    inject(t, "F. 101 ack 102 <tsx 202, pair>");
    expect(t, "R 102 <tsx ecr 202, pair>");
    script_end(t);
}

/* 5.2: "Upon receipt of the Responder's final <ACK(FIN)> ... the Initiator enters TIME-WAIT state";
 * also when the RST comes in its place. */
static void test_responder_closes_us(void **state)
{
    (void)state;
    static const char *const last[] = { ". 102 ack 102 <tsx 202, pair>", "R 102 <tsx 202, pair>" };
    for (unsigned i = 0; i < 2; i++) {
        struct tcpct_connection *connection;
        struct script *t = initiator(&connection);
        inject(t, "F. 101 ack 101 <tsx 201, pair>");
        tcpct_close(connection);
        expect(t, "F. 101 ack 102 <tsx ecr 201, pair>");
        inject(t, ". 102 ack 102 <ts 201>");
        script_wait(t, SECOND);
        assert_true(t->queue_count > 0); /* the FIN again: it is not acknowledged */
        t->queue_count = 0;
        inject_verdict(t, last[i], TCPCT_ACCEPTED);
        expect_nothing(t);
        script_wait(t, 59ull * SECOND);
        assert_int_equal(connections(t), 1);
        script_wait(t, 2ull * SECOND);
        assert_int_equal(connections(t), 0);
        script_end(t);
    }
}

/* A late duplicate of our opening may make a connection at a Responder that has forgotten ours (4.4).
 * What it sends meets TIME-WAIT, has our pair, and cannot be of ours: no TCB matches it, and the
 * RST has Timestamps and pair (7). Ours is not touched. */
static void test_time_wait_resets_a_ghost(void **state)
{
    (void)state;
    static const char *const ghosts[][2] = {
        { ". 1+100 ack 101 <tsx 300, pair, mss 1460, sackOK, wscale 7>",
          "R 101 <tsx ecr 300, pair>" },
        { "F. 101 ack 101 <tsx 300, pair>", "R 101 <tsx ecr 300, pair>" },   /* without our FIN */
        { ". 102+50 ack 102 <tsx 300, pair>", "R 102 <tsx ecr 300, pair>" }, /* behind the end */
    };
    struct tcpct_connection *connection;
    struct script *t = initiator(&connection);
    tcpct_shutdown(connection);
    expect(t, "F. 101 ack 101 <tsx, pair>");
    inject(t, "F. 101 ack 102 <tsx 201, pair>");
    expect(t, ". 102 ack 102 <tsx ecr 201, pair>");
    tcpct_close(connection);
    for (unsigned i = 0; i < 3; i++) {
        inject_verdict(t, ghosts[i][0], TCPCT_REPLIED);
        expect(t, ghosts[i][1]);
        assert_int_equal(connections(t), 1);
    }
    inject(t, "F. 101 ack 102 <tsx 301, pair>"); /* the FIN of ours is acknowledged as ever */
    expect(t, ". 102 ack 102 <tsx, pair>");
    script_end(t);
}

/* Two ends that each hold the other's empty segment for old would answer it without end: in
 * TIME-WAIT only what occupies sequence numbers is answered. */
static void test_time_wait_ignores_empty_segments(void **state)
{
    (void)state;
    struct tcpct_connection *connection;
    struct script *t = initiator(&connection);
    tcpct_shutdown(connection);
    expect(t, "F. 101 ack 101 <tsx, pair>");
    inject(t, "F. 101 ack 102 <tsx 201, pair>");
    expect(t, ". 102 ack 102 <tsx ecr 201, pair>");
    tcpct_close(connection);
    inject_verdict(t, ". 1 ack 102 <ts 202>", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    script_end(t);
}

/* Both at once (RFC 9293, 3.6): each FIN acknowledges all but the other. Still only the Initiator
 * waits. */
static void test_crossing_fins(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct tcpct_connection *connection;
        struct script *t = parties[i](&connection);
        tcpct_close(connection);
        expect(t, "F. 101 ack 101 <tsx, pair>");
        inject(t, "F. 101 ack 101 <tsx 201, pair>");
        expect(t, ". 102 ack 102 <tsx ecr 201, pair>");
        inject(t, ". 102 ack 102 <tsx 202, pair>");
        expect_nothing(t);
        assert_int_equal(connections(t), i); /* the Initiator's TIME-WAIT */
        script_end(t);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, script_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fin_goes_with_data),
        TEST(test_fin_of_empty_opening),
        TEST(test_fin_of_full_segment),
        TEST(test_fin_ends_delayed_ack),
        TEST(test_fin_without_pair_is_ignored),
        TEST(test_fin_waits_for_our_data),
        TEST(test_fin_waits_for_unsent_data),
        TEST(test_fin_waits_for_missing_data),
        TEST(test_initiator_closes_us),
        TEST(test_we_close_as_initiator),
        TEST(test_we_close_as_responder),
        TEST(test_responder_closes_us),
        TEST(test_time_wait_resets_a_ghost),
        TEST(test_time_wait_ignores_empty_segments),
        TEST(test_crossing_fins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
