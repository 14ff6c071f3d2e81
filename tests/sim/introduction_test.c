/* introduction_test.c - what stands beside Timestamps and Cookie-Pair: SYN-only options renewed
 * (RFC 6013, 2.5), and the short Sack for the first part of an answer (6.3, 6.4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/script.h"

enum { SECOND = 1000000, MILLISECOND = 1000 };

#define SYN "S 0+200 <mss 1460, sackOK, ts 100, wscale 7, cookie>"
#define SYN_ACK "S. 0 ack 1 <mss 1460, sackOK, ts 50, wscale 7, cookie>"

static struct tcpct_info info_of(const struct tcpct_connection *connection)
{
    struct tcpct_info info;
    tcpct_connection_info(connection, &info);
    return info;
}

/* An Initiator whose opening of 10 bytes was acknowledged. */
static struct script *connected(void)
{
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    inject(t, SYN_ACK);
    script_send(t->connection, 0, 10);
    expect(t, ". 1+10 ack 1 <tsx ecr 50, pair, *>");
    inject(t, ". 1 ack 11 <tsx 60, pair, mss 1460, sackOK, wscale 7>");
    return t;
}

/* "the Initiator MAY propose SYN-only options -- such as MSS -- anytime"; "sent without data MUST be
 * retransmitted with successive segments until sent with data (or <FIN>), and an <ACK> is
 * received." */
static void test_initiator_renews(void **state)
{
    (void)state;
    struct script *t = connected();
    assert_int_equal(tcpct_option_set(t->connection, TCPCT_OPTION_MSS, 1461), TCPCT_ERROR_INVALID);
    assert_int_equal(tcpct_option_set(t->connection, TCPCT_OPTION_MSS, 127), TCPCT_ERROR_INVALID);
    assert_int_equal(tcpct_option_set(t->connection, TCPCT_OPTION_MSS, 900), TCPCT_OK);
    script_wait(t, 0);
    expect(t, ". 11 ack 1 <tsx ecr 60, pair, mss 900, sackOK, wscale 5>");
    inject(t, ". 1+10 ack 11 <ts 61>"); /* not an answer */
    script_wait(t, 50 * MILLISECOND);
    expect(t, ". 11 ack 11 <tsx ecr 61, pair, mss 900, sackOK, wscale 5>");
    script_send(t->connection, 10, 10);
    expect(t, ". 11+10 ack 11 <tsx ecr 61, pair, mss 900, sackOK, wscale 5>");
    script_wait(t, SECOND); /* lost: sent again with all of it */
    expect(t, ". 11+10 ack 11 <tsx ecr 61, pair, mss 900, sackOK, wscale 5>");
    t->queue_first = t->queue_count = 0;
    inject(t, ". 11 ack 21 <tsx 62, pair, mss 1000>"); /* and it takes effect here */
    assert_int_equal(info_of(t->connection).mss, 1000);
    script_send(t->connection, 20, 10);
    expect(t, ". 21+10 ack 11 <ts ecr 62>");
    script_end(t);
}

/* The user timeout is such an option (RFC 5482). */
static void test_user_timeout_is_announced(void **state)
{
    (void)state;
    struct script *t = connected();
    assert_int_equal(tcpct_option_set(t->connection, TCPCT_OPTION_USER_TIMEOUT, 200ull * SECOND),
                     TCPCT_OK);
    script_wait(t, 0);
    expect(t, ". 11 ack 1 <tsx ecr 60, pair, mss 1460, uto 200, sackOK, wscale 5>");
    script_end(t);
}

static size_t long_answer(const void *context, const struct tcpct_request *given, uint8_t *answer,
                          size_t room)
{
    (void)context, (void)given;
    for (size_t i = 0; i < room; i++)
        answer[i] = script_byte((uint32_t)i);
    return 2000;
}

static struct script *listen_stable(bool stable)
{
    return script_listen(4, NULL,
                         &(struct tcpct_listen_options){
                             .parameters = { .cookie_desired = 16, .syn_ack_data_limit = 1220 },
                             .answer = long_answer,
                             .answers_stable = stable });
}

static struct script *opened(const char *opening, bool stable)
{
    struct script *t = listen_stable(stable);
    inject(t, SYN);
    expect(t, stable ? "S. 0+760 ack 1 <mss 1460, sackOK, ts ecr 100, wscale 5, cookie>"
                     : "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, wscale 5, cookie>");
    inject(t, opening);
    t->connection = script_accept(t);
    return t;
}

/* "The Responder acknowledges using a subsequent <ACK> segment containing both Timestamps and
 * Cookie-Pair options"; "They take effect upon receipt." */
static void test_responder_acknowledges(void **state)
{
    (void)state;
    struct script *t = opened(". 1+10 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>", false);
    expect(t, ". 1 ack 11 <tsx ecr 101, pair, mss 1460, sackOK, wscale 5>");
    script_send(t->connection, 0, 10);
    expect(t, ". 1+10 ack 11 <tsx ecr 101, pair, mss 1460, sackOK, wscale 5>");
    inject(t, ". 11 ack 11 <ts 102>");
    inject_verdict(t, ". 11 ack 11 win 1000 <tsx 103, pair, mss 700, wscale 3>", TCPCT_ACCEPTED);
    assert_int_equal(info_of(t->connection).mss, 700);
    assert_int_equal(info_of(t->connection).send_window, 8000);
    expect(t, ". 11 ack 11 <tsx ecr 103, pair, mss 1460, sackOK, wscale 5>");
    inject(t, ". 11 ack 11 <ts 104, mss 300>"); /* without the pair: nothing */
    assert_int_equal(info_of(t->connection).mss, 700);
    script_end(t);
}

/* 6.4: "with a short Sack covering earlier response data, only additional unacknowledged response
 * data is sent." */
static void test_first_part_is_not_repeated(void **state)
{
    (void)state;
    struct script *t =
        opened(". 1+200 ack 1 <tsx 101, pair, mss 1460, sackOK, sack 1-761, wscale 7>", true);
    script_send(t->connection, 0, 2000);
    expect(t, ". 761+1240 ack 201 <tsx ecr 101, pair, mss 1460, sackOK, wscale 5>");
    inject(t, ". 201 ack 2001 <ts 102>");
    assert_int_equal(info_of(t->connection).flight, 0);
    tcpct_shutdown(t->connection);
    expect(t, "F. 2001 ack 201 <tsx ecr 102, pair>");
    script_end(t);
}

/* A retransmitted opening is answered by what follows the part as well. */
static void test_opening_again(void **state)
{
    (void)state;
    struct script *t =
        opened(". 1+200 ack 1 <tsx 101, pair, mss 1460, sackOK, sack 1-761, wscale 7>", true);
    script_send(t->connection, 0, 100); /* within the part */
    script_wait(t, 0);
    expect(t, ". 761 ack 201 <tsx ecr 101, pair, mss 1460, sackOK, wscale 5>");
    inject(t, ". 1+200 ack 1 <tsx 101, pair, mss 1460, sackOK, sack 1-761, wscale 7>");
    script_send(t->connection, 100, 684);
    expect(t, ". 761+24 ack 201 <tsx ecr 101, pair, mss 1460, sackOK, sack 1-201, wscale 5>");
    script_end(t);
}

/* One without data as well, though nothing else would be said: its answer was lost. */
static void test_bare_opening_again(void **state)
{
    (void)state;
#define BARE_OPENING ". 1 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>"
    struct script *t = opened(BARE_OPENING, false);
    for (unsigned i = 0; i < 3; i++) {
        expect(t, ". 1 ack 1 <tsx ecr 101, pair, mss 1460, sackOK, wscale 5>");
        expect_nothing(t);
        inject(t, BARE_OPENING);
    }
    script_end(t);
}

static void everything_is_sent(const char *opening, bool stable)
{
    struct script *t = opened(opening, stable);
    script_send(t->connection, 0, 700);
    expect(t, ". 1+700 ack 201 <tsx ecr 101, pair, mss 1460, sackOK, wscale 5>");
    script_end(t);
}

/* Any other block there is ignored, and every block of a listener that sent no part. */
static void test_other_blocks(void **state)
{
    (void)state;
#define OPENING_WITH(sack) ". 1+200 ack 1 <tsx 101, pair, mss 1460, sackOK" sack ", wscale 7>"
    everything_is_sent(OPENING_WITH(""), true);
    everything_is_sent(OPENING_WITH(", sack 2-761"), true);
    everything_is_sent(OPENING_WITH(", sack 1-1"), true);
    everything_is_sent(OPENING_WITH(", sack 1-1222"), true);
    everything_is_sent(OPENING_WITH(", sack 4294967000-2"), true);
    everything_is_sent(OPENING_WITH(", sack 1-761"), false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, script_teardown)
    const struct CMUnitTest tests[] = {
        TEST(initiator_renews),       TEST(user_timeout_is_announced),
        TEST(responder_acknowledges), TEST(first_part_is_not_repeated),
        TEST(opening_again),          TEST(bare_opening_again),
        TEST(other_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
