/* connect_test.c - the Initiator under RFC 6013, segment by segment: cookie exchange (4.1, 4.3),
 * accelerated open (6.1, 6.3), what it discards, and when it falls back to plain TCP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/script.h"

enum { MILLISECOND = 1000, SECOND = 1000000 };

#define SYN_ACK "S. 0 ack 1 <mss 1460, sackOK, ts 50, wscale 7, cookie>"

static const struct tcpct_parameters accelerated = { .cookie_desired = 14, .syn_data_limit = 496 };
static const char request[] = "what is the answer?";
static const char answer[] = "forty-two, as everybody knows";

static struct script *connect_with(struct tcpct_parameters parameters, const void *bytes,
                                   size_t size)
{
    return script_connect(4, NULL,
                          &(struct tcpct_connect_options){
                              .parameters = parameters, .request = bytes, .request_size = size });
}

static struct script *connect_plainly(void)
{
    return connect_with((struct tcpct_parameters){ 0 }, NULL, 0);
}

static void expect_event(struct script *t, unsigned flags)
{
    struct tcpct_event event;
    assert_true(tcpct_event(t->host.stack, &event));
    assert_int_equal(event.flags & flags, flags);
    assert_ptr_equal(event.connection, t->connection);
}

static struct tcpct_info info_of(const struct script *t)
{
    struct tcpct_info info;
    tcpct_connection_info(t->connection, &info);
    return info;
}

/* ---- the cookie exchange ------------------------------------------------------------------- */

static void connects(unsigned family, const char *syn, const char *opening)
{
    struct script *t = script_connect(family, NULL, NULL);
    expect(t, syn);
    inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
    expect_event(t, TCPCT_EVENT_CONNECTED);
    assert_true(info_of(t).cookies && info_of(t).initiator);
    assert_int_equal(script_state(t->connection), TCPCT_ESTABLISHED);
    script_send(t->connection, 0, 100);
    expect(t, opening);
    inject(t, ". 1+50 ack 101 <tsx 51, pair, mss 1460, sackOK, wscale 7>");
    expect_event(t, TCPCT_EVENT_READABLE);
    script_receive(t->connection, 0, 50);
    script_send(t->connection, 100, 10);
    expect(t, ". 101+10 ack 51 <ts ecr 51>"); /* 8.2 */
    tcpct_abort(t->connection);
    expect(t, "R. 111 ack 51 <tsx, pair>");
    script_end(t);
}

/* 4.3: all options of the <SYN> again, with Timestamps and Cookie-Pair. */
static void test_connects(void **state)
{
    (void)state;
    connects(4, "S 0 win 65535 <mss 1460, sackOK, ts ecr 0, wscale 5, cookie>",
             ". 1+100 ack 1 <mss 1460, sackOK, tsx ecr 50, wscale 5, pair>");
    connects(6, "S 0 win 65535 <mss 1440, sackOK, ts ecr 0, wscale 5, cookie>",
             ". 1+100 ack 1 <mss 1440, sackOK, tsx ecr 50, wscale 5, pair>");
}

/* A.1: a Cookie of 14 bytes "barely fits with the other recommended options"; one of 16 leaves no
 * room for the user timeout, which then is in the <ACK(SYN)> alone. */
static void test_user_timeout_in_syn(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {
        OPTION_KIND_MSS,        OPTION_KIND_USER_TIMEOUT, OPTION_KIND_SACK_PERMITTED,
        OPTION_KIND_TIMESTAMPS, OPTION_KIND_COOKIE,       OPTION_KIND_WINDOW_SCALE
    };
    for (uint8_t size = 8; size <= 16; size += 2) {
        struct script *t =
            script_connect(4, NULL,
                           &(struct tcpct_connect_options){ .parameters.cookie_desired = size,
                                                            .user_timeout_us = 300ull * SECOND });
        expect(t, size < 16 ? "S 0 <mss 1460, uto 300, sackOK, ts, cookie, wscale 5>"
                            : "S 0 <mss 1460, sackOK, ts, cookie, wscale 5>");
        const uint8_t *option = t->last_bytes + 40;
        for (unsigned i = 0; i < sizeof(kinds) && size < 16; i++, option += option[1])
            assert_int_equal(*option, kinds[i]);
        inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
        expect(t, ". 1 ack 1 <mss 1460, uto 300, sackOK, tsx, pair, wscale 5>");
        script_end(t);
    }
}

/* 4.1: "the Initiator is solely responsible for retransmission. ... the cookie and sequence have
 * not changed"; RFC 6298: after 1 s, then 2 s. */
static void test_syn_is_repeated(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0 <mss 1460, sackOK, ts, wscale 5, cookie>");
    uint64_t first_us = t->last_us;
    uint32_t isn = t->last.seq;
    uint8_t cookie[16];
    memcpy(cookie, t->last.options.initiator_cookie, 16);
    script_wait(t, 3500 * MILLISECOND);
    for (unsigned i = 0; i < 2; i++) {
        expect(t, "S 0 <mss 1460, sackOK, ts, wscale 5, cookie>");
        assert_int_equal(t->last.seq, isn);
        assert_memory_equal(t->last.options.initiator_cookie, cookie, 16);
        assert_int_equal(t->last_us - first_us, (i ? 3 : 1) * SECOND);
    }
    inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
    expect(t, ". 1 ack 1 <tsx ecr 50, pair, *>");
    script_end(t);
}

/* The opening is repeated too, exactly, but for its Timestamps Value at most (4.4: its numbers
 * are what the cookie was made for). */
static void test_opening_is_repeated(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    inject(t, SYN_ACK);
    script_send(t->connection, 0, 1404 + 1448);
    expect(t, ". 1+1404 ack 1 <tsx ecr 50, pair, mss 1460, sackOK, wscale 5>");
    uint32_t timestamp = t->last.options.timestamp_value;
    expect(t, ". 1405+1448 ack 1 <ts ecr 50>"); /* "without awaiting an <ACK>" (6.3) */
    script_wait(t, 1100 * MILLISECOND);
    expect(t, ". 1+1404 ack 1 <tsx ecr 50, pair, mss 1460, sackOK, wscale 5>");
    assert_int_equal(t->last.options.timestamp_value, timestamp);
    script_end(t);
}

/* Without data the opening is repeated until something is heard. */
static void test_empty_opening_is_repeated(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    inject(t, SYN_ACK);
    expect(t, ". 1 ack 1 <tsx ecr 50, pair, mss 1460, sackOK, wscale 5>");
    script_wait(t, 1100 * MILLISECOND);
    expect(t, ". 1 ack 1 <tsx ecr 50, pair, mss 1460, sackOK, wscale 5>");
    t->queue_count = 0;
    inject(t, ". 1 ack 1 <tsx 60, pair, mss 1460>");
    script_wait(t, 10ull * SECOND);
    expect_nothing(t);
    script_end(t);
}

/* 4.3: the acknowledgment, the echo and the cookie are validated; 3.1: the Responder's cookie has
 * the size of ours. */
static void test_bad_syn_ack_is_discarded(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    inject_verdict(t, "S. 0 ack 1 <mss 1460, ts 50 ecr 12345, cookie>", TCPCT_UNACCEPTABLE);
    t->cookie_size = 8;
    inject_verdict(t, SYN_ACK, TCPCT_BAD_COOKIE);
    t->cookie_size = 16;
    inject_verdict(t, "S. 0 ack 1 <mss 1460, cookie>", TCPCT_BAD_COOKIE); /* no Timestamps */
    expect_nothing(t);
    inject_verdict(t, "S. 0 ack 2 <mss 1460, ts 50, cookie>", TCPCT_REPLIED);
    expect(t, "R 2"); /* RFC 9293, 3.10.7.3 */
    assert_int_equal(script_state(t->connection), TCPCT_SYN_SENT);
    inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
    script_end(t);
}

/* 4.3: "A Responder Cookie identical to the Initiator Cookie MUST be discarded ... and SHOULD be
 * logged." The connection goes on, and in the end without cookies. */
static void test_reflection(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    inject_verdict(t, "S. 0 ack 1 <mss 1460, sackOK, ts 50, mirror>", TCPCT_BAD_COOKIE);
    expect_nothing(t);
    assert_int_equal(script_counters(t).reflections, 1);
    assert_int_equal(script_state(t->connection), TCPCT_SYN_SENT);
    inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
    script_end(t);
}

/* 2.2: "It is usually better that data arrive slowly, than not at all." A path that swallows data
 * in a <SYN>, or Cookies, is offered less and less. */
static void test_falls_back_to_plain(void **state)
{
    (void)state;
    struct script *t = connect_with(accelerated, request, sizeof(request));
    script_wait(t, 20ull * SECOND);
    expect_data(t, "S 0 <cookie, *>", request, sizeof(request));
    expect_data(t, "S 0 <cookie, *>", request, sizeof(request));
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5, cookie>");
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5, cookie>");
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5>");
    inject_verdict(t, "S. 0 ack 1 <mss 1460, sackOK, ts 50, wscale 7>", TCPCT_ACCEPTED);
    expect_data(t, ". 1 ack 1 <ts ecr 50>", request, sizeof(request));
    script_end(t);
}

/* A Responder without cookies: plain TCP from there on. */
static void test_plain_responder(void **state)
{
    (void)state;
    struct script *t = connect_with(TCPCT_PARAMETERS_DEFAULT, request, sizeof(request));
    expect(t, "S 0 <mss 1460, sackOK, ts, wscale 5, cookie>"); /* the default limit is 0 (12) */
    inject_verdict(t, "S. 0 ack 1 <mss 1460, sackOK, ts 50, wscale 7>", TCPCT_ACCEPTED);
    expect_data(t, ". 1 ack 1 <ts ecr 50>", request, sizeof(request));
    assert_false(info_of(t).cookies);
    script_end(t);

    t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    inject_verdict(t, "S. 0 ack 1 <>", TCPCT_ACCEPTED);
    script_send(t->connection, 0, 1000);
    expect(t, ". 1+536 ack 1 <>"); /* RFC 9293, 3.7.1: the default MSS */
    script_end(t);
}

static void test_plain_by_choice(void **state)
{
    (void)state;
    struct script *t = connect_plainly();
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5>");
    inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED); /* an option we did not send: ignored */
    expect(t, ". 1 ack 1 <ts ecr 50>");
    script_end(t);
}

/* 13: "each incoming <SYN,ACK(SYN)> replaces the Responder cookie", until one has proved right. */
static void test_syn_ack_replaces_cookie(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    inject_verdict(t, "S. 0 ack 1 <mss 1460, sackOK, ts 50, wscale 7, cookie>", TCPCT_ACCEPTED);
    expect(t, ". 1 ack 1 <tsx ecr 50, pair, *>");
    t->cookie[0] ^= 0xff;
    t->iss += 1000;
    inject_verdict(t, "S. 0 ack 1 <mss 1460, sackOK, ts 60 ecr 1, wscale 7, cookie>",
                   TCPCT_UNACCEPTABLE); /* not for a <SYN> of ours */
    script_end(t);

    t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    uint32_t syn_timestamp = t->stack_timestamp;
    inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
    expect(t, ". 1 ack 1 <tsx ecr 50, pair, *>");
    t->cookie[0] ^= 0xff;
    t->iss += 1000;
    t->stack_timestamp = syn_timestamp;
    inject_verdict(t, "S. 0 ack 1 <mss 1460, sackOK, ts 60, wscale 7, cookie>", TCPCT_ACCEPTED);
    script_wait(t, 1100 * MILLISECOND);
    expect(t, ". 1 ack 1 <tsx ecr 60, pair, *>");
    t->cookie[0] ^= 0xff; /* neither is known to be right */
    t->iss -= 1000;
    expect(t, ". 1 ack 1 <tsx ecr 50, pair, *>");
    t->cookie[0] ^= 0xff;
    t->iss += 1000;
    t->queue_count = 0;
    inject_verdict(t, ". 1 ack 1 <tsx 70, pair, mss 1460, sackOK, wscale 7>", TCPCT_ACCEPTED);
    script_send(t->connection, 0, 10);
    expect(t, "P. 1+10 ack 1 <tsx ecr 60, pair, *>"); /* it was the second */
    script_end(t);
}

/* ---- accelerated open ---------------------------------------------------------------------- */

/* 6.1, 6.3: the request in the <SYN>, the answer in the <SYN,ACK(SYN)>, and nothing more when the
 * application closes in the same turn. */
static void test_transaction_in_one_round_trip(void **state)
{
    (void)state;
    struct script *t = connect_with(accelerated, request, sizeof(request));
    uint8_t bytes[100];
    expect_data(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5, cookie>", request, sizeof(request));
    assert_int_equal(t->last.flags & (SEGMENT_PSH | SEGMENT_FIN), 0);
    inject_data(t, "S. 0 ack 21 <mss 1460, sackOK, ts 50, wscale 7, cookie>", answer,
                sizeof(answer));
    assert_int_equal(t->verdict, TCPCT_ACCEPTED);
    expect_event(t, TCPCT_EVENT_CONNECTED | TCPCT_EVENT_READABLE);
    assert_true(info_of(t).syn_data_sent && info_of(t).syn_ack_data_taken);
    assert_int_equal(tcpct_receive(t->connection, bytes, sizeof(bytes)), sizeof(answer));
    assert_memory_equal(bytes, answer, sizeof(answer));
    tcpct_close(t->connection);
    expect_nothing(t);
    assert_int_equal(tcpct_connection_count(t->host.stack), 1); /* TIME-WAIT */
    script_wait(t, 61ull * SECOND);
    expect_nothing(t);
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    script_end(t);
}

/* 6.3: "Otherwise, original <SYN> data is retransmitted in <ACK(SYN)>, as its processing is
 * optional"; the numbers are those of the <SYN> plus one, a short Sack covers the answer. */
static void test_transaction_goes_on(void **state)
{
    (void)state;
    struct script *t = connect_with(accelerated, request, sizeof(request));
    expect_data(t, "S 0", request, sizeof(request));
    inject(t, "S. 0+100 ack 21 <mss 1460, sackOK, ts 50, wscale 7, cookie>");
    script_receive(t->connection, 0, 100);
    expect_data(t, ". 1 ack 1 <mss 1460, sackOK, tsx ecr 50, wscale 5, pair, sack 1-101>", request,
                sizeof(request));
    /* "only additional unacknowledged response data is sent" (6.4) */
    inject(t, ". 101+50 ack 21 <tsx 51, pair, mss 1460, sackOK, wscale 7>");
    script_receive(t->connection, 100, 50);
    script_wait(t, 50 * MILLISECOND);
    expect(t, ". 21 ack 151 <ts ecr 51>");
    script_end(t);
}

/* The answer came, but not all: at-most-once, also if the Responder begins again (6.3, 6.4). */
static void test_answer_again(void **state)
{
    (void)state;
    struct script *t = connect_with(accelerated, request, sizeof(request));
    expect_data(t, "S 0", request, sizeof(request));
    inject(t, "S. 0+100 ack 21 <mss 1460, ts 50, wscale 7, cookie>");
    script_receive(t->connection, 0, 100);
    expect_data(t, ". 1 ack 1 <mss 1460, tsx ecr 50, wscale 5, pair>", request, sizeof(request));
    inject(t, ". 1+200 ack 21 <tsx 51, pair, mss 1460, wscale 7>");
    script_receive(t->connection, 100, 100);
    script_end(t);
}

/* 6.2: the Responder did not take the data. */
static void test_data_not_taken(void **state)
{
    (void)state;
    struct script *t = connect_with(accelerated, request, sizeof(request));
    expect_data(t, "S 0", request, sizeof(request));
    inject(t, SYN_ACK);
    expect_data(t, ". 1 ack 1 <mss 1460, sackOK, tsx ecr 50, wscale 5, pair>", request,
                sizeof(request));
    tcpct_close(t->connection);
    script_end(t);
}

/* 6.1: "If the data will not entirely fit within the initial segment, data MUST NOT be sent until
 * after the Responder's <SYN,ACK(SYN)>". */
static void test_syn_data_limits(void **state)
{
    (void)state;
    uint8_t bytes[497] = { 0 };
    struct script *t = connect_with(accelerated, bytes, 497);
    expect_data(t, "S 0", "", 0);
    inject(t, SYN_ACK);
    expect_data(t, ". 1 ack 1 <tsx, pair, *>", bytes, 497);
    script_end(t);

    t = connect_with(accelerated, bytes, 496);
    expect_data(t, "S 0", bytes, 496);
    assert_true(t->last.packet_size <= 20 + 20 + 536); /* RFC 1122, 4.2.2.6 */
    script_end(t);

    struct tcpct_parameters more = { .cookie_desired = 8, .syn_data_limit = 600 };
    t = connect_with(more, bytes, 497); /* no limit of the application's allows more */
    expect_data(t, "S 0", "", 0);
    script_end(t);

    struct tcpct_parameters ten = { .cookie_desired = 8, .syn_data_limit = 10 };
    t = connect_with(ten, bytes, 11);
    expect_data(t, "S 0", "", 0);
    script_end(t);
    t = connect_with(ten, bytes, 10);
    expect_data(t, "S 0", bytes, 10);
    script_end(t);
}

/* A plain Responder may acknowledge the data of the <SYN> as RFC 9293 allows, or not. */
static void test_plain_responder_and_syn_data(void **state)
{
    (void)state;
    struct script *t = connect_with(accelerated, request, sizeof(request));
    expect_data(t, "S 0", request, sizeof(request));
    inject_verdict(t, "S. 0 ack 1 <mss 1460, ts 50>", TCPCT_ACCEPTED);
    expect_data(t, ". 1 ack 1 <ts ecr 50>", request, sizeof(request));
    script_end(t);

    t = connect_with(accelerated, request, sizeof(request));
    expect_data(t, "S 0", request, sizeof(request));
    inject_verdict(t, "S. 0 ack 21 <mss 1460, ts 50>", TCPCT_ACCEPTED);
    expect(t, ". 21 ack 1 <ts ecr 50>");
    script_end(t);

    /* RFC 7413, 4.2.2: a part of the data is taken; the rest follows. */
    t = connect_with(accelerated, request, sizeof(request));
    expect_data(t, "S 0", request, sizeof(request));
    inject_verdict(t, "S. 0 ack 8 <mss 1460, ts 50>", TCPCT_ACCEPTED);
    expect_data(t, ". 8 ack 1 <ts ecr 50>", request + 7, sizeof(request) - 7);
    script_end(t);
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void test_reset_answers_syn(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    inject_verdict(t, "R. 0 ack 7", TCPCT_UNACCEPTABLE); /* RFC 9293, 3.10.7.3 */
    inject_verdict(t, "R 0", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    inject_verdict(t, "R. 0 ack 1", TCPCT_ACCEPTED);
    expect_event(t, TCPCT_EVENT_ERROR);
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_REFUSED);
    tcpct_close(t->connection);
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    script_end(t);
}

/* 7: "A <RST> without a matching Cookie-Pair option ... has no effect"; nor has one that answers
 * a segment which overtook the opening: no state has been confirmed by then. */
static void test_reset_after_opening(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    inject(t, SYN_ACK);
    script_send(t->connection, 0, 2000);
    tcpct_shutdown(t->connection);
    expect(t, ". 1+1404 ack 1");
    t->queue_count = 0;
    inject_verdict(t, "R 1 <tsx 51, badpair>", TCPCT_BAD_COOKIE);
    inject_verdict(t, "R 1 <ts 51>", TCPCT_UNACCEPTABLE);
    inject_verdict(t, "R 1", TCPCT_UNACCEPTABLE);
    inject_verdict(t, "R 1 <tsx 51, pair>", TCPCT_UNACCEPTABLE);
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_OK);
    inject_verdict(t, ". 1 ack 1405 <tsx 52, pair>", TCPCT_ACCEPTED);
    inject_verdict(t, "R 2 <tsx 51, pair>", TCPCT_UNACCEPTABLE); /* not at RCV.NXT */
    inject_verdict(t, "R 1 <tsx 53 ecr 12345, pair>",
                   TCPCT_UNACCEPTABLE); /* echoes nothing of ours */
    inject(t, "F. 1 ack 1405 <tsx 53 ecr 12345, pair>");
    assert_int_equal(script_state(t->connection), TCPCT_FIN_WAIT_1);
    inject_verdict(t, "R 1 <tsx 53, pair>", TCPCT_ACCEPTED);
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_RESET);
    script_end(t);
}

/* 4.5: "The Initiator silently discards the simultaneous <SYN>", whoever sent it, and goes on with
 * its own exchange. */
static void test_simultaneous_syn_is_discarded(void **state)
{
    (void)state;
    static const char *const syns[] = { "S 900 <mss 1460, ts 100, cookie>", "S 900 <mss 1460>" };
    for (unsigned i = 0; i < 2; i++) {
        struct script *t = script_connect(4, NULL, NULL);
        expect(t, "S 0");
        inject_verdict(t, syns[i], TCPCT_UNACCEPTABLE);
        expect_nothing(t);
        inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
        assert_true(info_of(t).cookies);
        script_end(t);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, script_teardown)
    const struct CMUnitTest tests[] = {
        TEST(connects),
        TEST(user_timeout_in_syn),
        TEST(syn_is_repeated),
        TEST(opening_is_repeated),
        TEST(empty_opening_is_repeated),
        TEST(bad_syn_ack_is_discarded),
        TEST(reflection),
        TEST(falls_back_to_plain),
        TEST(plain_responder),
        TEST(plain_by_choice),
        TEST(syn_ack_replaces_cookie),
        TEST(transaction_in_one_round_trip),
        TEST(transaction_goes_on),
        TEST(answer_again),
        TEST(data_not_taken),
        TEST(syn_data_limits),
        TEST(plain_responder_and_syn_data),
        TEST(reset_answers_syn),
        TEST(reset_after_opening),
        TEST(simultaneous_syn_is_discarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
