/* open_test.c - how connections begin under RFC 6013, segment by segment: the cookie exchange (4),
 * accelerated open (6), what is discarded, and plain TCP beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/script.h"

enum { MILLISECOND = 1000, SECOND = 1000000 };

#define SYN "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>"
#define OPENING ". 1 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>"

static const char request[] = "what is the answer?";
static const char answer[] = "forty-two, as everybody knows";

/* Answers our request if the answer fits; counts how often it was asked. */
static size_t give_answer(const void *context, const struct tcpct_request *given, uint8_t *to,
                          size_t room)
{
    unsigned *asked = *(unsigned *const *)context;
    ++*asked;
    if (given->size != sizeof(request) || memcmp(given->bytes, request, sizeof(request)) != 0 ||
        room < sizeof(answer))
        return 0;
    memcpy(to, answer, sizeof(answer));
    return sizeof(answer);
}

static unsigned asked;
static unsigned *const asked_context = &asked;

static struct script *listen_with(struct tcpct_parameters parameters)
{
    struct tcpct_listen_options options = { .parameters = parameters,
                                            .answer = give_answer,
                                            .answer_context = &asked_context };
    asked = 0;
    return script_listen(4, NULL, &options);
}

static struct script *connect_with(struct tcpct_parameters parameters, const char *bytes,
                                   size_t size)
{
    return script_connect(4, NULL,
                          &(struct tcpct_connect_options){ .parameters = parameters,
                                                           .request = (const uint8_t *)bytes,
                                                           .request_size = size });
}

static void expect_event(struct script *t, unsigned flags)
{
    struct tcpct_event event;
    assert_true(tcpct_event(t->host.stack, &event));
    assert_int_equal(event.flags, flags);
}

static void expect_no_event(struct script *t)
{
    struct tcpct_event event;
    assert_false(tcpct_event(t->host.stack, &event));
}

static size_t connections(const struct script *t)
{
    return tcpct_connection_count(t->host.stack);
}

/* ---- the Responder ------------------------------------------------------------------------- */

/* 4.2, 4.4: no state for a <SYN>; the state comes with the opening, which the Responder answers
 * with both Timestamps and Cookie-Pair, and SYN options (2.5). */
static void responder_opens(unsigned family, const char *mss)
{
    char text[128];
    struct script *t = script_listen(family, NULL, NULL);
    size_t blocks = t->host.memory.blocks, bytes = t->host.memory.bytes;
    inject_verdict(t, SYN, TCPCT_REPLIED);
    snprintf(text, sizeof(text),
             "S. 0 ack 1 win 65535 <mss %s, sackOK, ts ecr 100, wscale 5, cookie>", mss);
    expect(t, text);
    assert_int_equal(connections(t), 0);
    assert_int_equal(t->host.memory.blocks, blocks);
    assert_int_equal(t->host.memory.bytes, bytes);
    expect_no_event(t);
    inject_verdict(t, ". 1+100 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>", TCPCT_ACCEPTED);
    assert_int_equal(connections(t), 1);
    expect_event(t, TCPCT_EVENT_ACCEPT);
    struct tcpct_connection *connection = script_accept(t);
    script_receive(connection, 0, 100);
    script_send(connection, 0, 200);
    snprintf(text, sizeof(text), ". 1+200 ack 101 <mss %s, sackOK, tsx ecr 101, wscale 5, pair>",
             mss);
    expect(t, text);
    expect_nothing(t);
    inject(t, ". 101 ack 201 <ts 102>");
    script_send(connection, 200, 10);
    expect(t, ". 201+10 ack 101 <ts ecr 102>"); /* 8.2: no extension is needed any more */
    struct tcpct_info info;
    tcpct_connection_info(connection, &info);
    assert_true(info.cookies);
    assert_false(info.initiator);
    tcpct_abort(connection);
    expect(t, "R. 211 ack 101 <tsx, pair>");
    assert_int_equal(connections(t), 0);
    script_end(t);
}

static void test_responder_opens(void **state)
{
    (void)state;
    responder_opens(4, "1460");
    responder_opens(6, "1440");
}

/* 3.1: every size of cookie, and the Responder's has the size of the Initiator's. */
static void test_every_cookie_size(void **state)
{
    (void)state;
    for (uint8_t size = 8; size <= 16; size += 2) {
        struct script *t = script_listen(4, NULL, NULL);
        t->cookie_size = size;
        inject(t, "S 0 <mss 1460, ts 100, cookie>");
        expect(t, "S. 0 ack 1 <mss 1460, ts ecr 100, cookie>");
        inject_verdict(t, ". 1+1 ack 1 <tsx 101, pair, mss 1460>", TCPCT_ACCEPTED);
        script_wait(t, 50 * MILLISECOND);
        expect(t, ". 1 ack 2 <tsx ecr 101, pair, mss 1460>");
        script_end(t);

        t = connect_with((struct tcpct_parameters){ .cookie_desired = size }, NULL, 0);
        expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5, cookie>");
        inject(t, "S. 0 ack 1 <mss 1460, ts 50, cookie>");
        expect(t, ". 1 ack 1 <tsx ecr 50, pair, mss 1460, *>");
        script_end(t);
    }
}

/* 4.4: "An <ACK(SYN)> that fails to validate MUST be discarded": silently, whatever is wrong. */
static void test_wrong_opening_is_discarded(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        ". 1 ack 1 <tsx 101, badpair, mss 1460, sackOK, wscale 7>",
        ". 2 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>",          /* SEG.SEQ */
        ". 1 ack 2 <tsx 101, pair, mss 1460, sackOK, wscale 7>",          /* SEG.ACK */
        ". 1 ack 1 <tsx 101 ecr 4711, pair, mss 1460, sackOK, wscale 7>", /* our timestamp */
    };
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        inject_verdict(t, wrong[i], TCPCT_BAD_COOKIE);
        expect_nothing(t);
        assert_int_equal(connections(t), 0);
    }
    t->peer_port++;
    inject_verdict(t, OPENING, TCPCT_BAD_COOKIE); /* 3.5: it depends on the parties */
    t->peer_port--;
    inject_verdict(t, OPENING, TCPCT_ACCEPTED);
    assert_int_equal(script_counters(t).openings, 1);
    script_end(t);
}

/* 6.3: "<ACK(SYN),FIN> with the Cookie-Pair option and no segment data ... MUST be silently
 * discarded". */
static void test_bare_fin_does_not_open(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    inject_verdict(t, "F. 1 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    assert_int_equal(connections(t), 0);
    script_end(t);
}

/* 6.1: "Initiator <SYN,FIN> with the Cookie option ... SHOULD be silently discarded". */
static void test_syn_fin_is_discarded(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject_verdict(t, "SF 0 <mss 1460, ts 100, cookie>", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    script_end(t);
}

/* 3: segments with mutually exclusive options are silently discarded; so is 3.4's pair of
 * Timestamps (the codec's tests have the rest). */
static void test_exclusive_options(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    /* a Cookie beside MD5 is ignored (8.4): plain TCP */
    inject_verdict(t, "S 0 <mss 1460, cookie, md5>", TCPCT_REPLIED);
    expect(t, "S. 0 ack 1 <mss 1460>");
    script_end(t);
}

/* 4.1, 4.2: "each retransmission appears to the Responder as another original <SYN>"; every one
 * is answered alike, and a pair of any of them opens. */
static void test_syn_again(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    uint32_t isn = t->irs;
    script_wait(t, 1500 * MILLISECOND);
    inject(t, "S 0 <mss 1460, sackOK, ts 1600, wscale 7, cookie>");
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 1600, wscale 5, cookie>");
    assert_int_equal(connections(t), 0);
    inject_verdict(t, ". 1 ack 1 <tsx 1601, pair, mss 1460, sackOK, wscale 7>", TCPCT_ACCEPTED);
    (void)isn;
    script_end(t);
}

/* An opening comes twice: one connection. */
static void test_opening_again(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    inject(t, ". 1+10 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>");
    inject(t, ". 1+10 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>");
    expect(t, ". 1 ack 11 <tsx ecr 101, pair, *>");
    expect(t, ". 1 ack 11 <tsx ecr 101, pair, *>");
    assert_int_equal(connections(t), 1);
    assert_int_equal(script_counters(t).openings, 1);
    struct tcpct_connection *connection = script_accept(t);
    script_receive(connection, 0, 10);
    script_end(t);
}

/* 12, TCPCT_IN_ALWAYS: "Silently discard any incoming <SYN> that is missing the Cookie option." */
static void test_in_always(void **state)
{
    (void)state;
    struct script *t =
        listen_with((struct tcpct_parameters){ .cookie_desired = 16, .in_always = true });
    inject_verdict(t, "S 0 <mss 1460, sackOK, ts 100, wscale 7>", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    inject_verdict(t, SYN, TCPCT_REPLIED);
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, wscale 5, cookie>");
    /* D2: and no way round it */
    inject(t, ". 1+10 ack 1 <ts 101>");
    expect_nothing(t);
    assert_int_equal(connections(t), 0);
    script_end(t);
}

/* 12, TCPCT_OUT_NEVER: "Refuse to send (override) the Cookie option." */
static void test_out_never(void **state)
{
    (void)state;
    const struct tcpct_parameters never = { .cookie_desired = 16, .out_never = true };
    struct script *t = listen_with(never);
    inject(t, SYN);
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, wscale 5>");
    script_end(t);
    t = connect_with(never, NULL, 0);
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5>");
    script_end(t);
}

/* The next scene of one stack: the peer speaks to another port, from another. */
static void turn_to(struct script *t, uint16_t stack_port)
{
    t->stack_port = stack_port;
    t->peer_port++;
    t->stack_timestamp = t->next = 0;
}

/* 12: "configurable, separately for each port": five listeners of one stack. */
static void test_parameters_of_each_listener(void **state)
{
    (void)state;
    static const struct tcpct_parameters others[] = {
        { .cookie_desired = 16, .in_always = true },
        { .cookie_desired = 16, .out_never = true },
        { .cookie_desired = 16, .syn_ack_data_limit = 1220 },
        { .cookie_desired = 16, .extend_ts = 64 },
    };
    struct script *t = listen_with((struct tcpct_parameters){ .cookie_desired = 16 });
    struct tcpct_listener *listeners[4];
    for (unsigned i = 0; i < 4; i++) {
        const struct tcpct_listen_options options = { .port = (uint16_t)(60 + i),
                                                      .parameters = others[i],
                                                      .answer = give_answer,
                                                      .answer_context = &asked_context };
        assert_int_equal(tcpct_listen(t->host.stack, &options, &listeners[i]), TCPCT_OK);
    }
    inject_data(t, SYN, request, sizeof(request));
    expect(t, "S. 0 ack 1 <cookie, *>");
    turn_to(t, SIM_PORT);
    inject(t, "S 0 <mss 1460, ts 100>");
    expect(t, "S. 0 ack 1 <mss 1460, ts>");
    turn_to(t, 60);
    inject_verdict(t, "S 0 <mss 1460, ts 100>", TCPCT_UNACCEPTABLE);
    turn_to(t, 61);
    inject_data(t, SYN, request, sizeof(request));
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts, wscale 5>");
    assert_int_equal(asked, 0);
    turn_to(t, 62);
    inject_data(t, SYN, request, sizeof(request));
    expect_data(t, "S. 0 ack 21 <cookie, *>", answer, sizeof(answer));
    turn_to(t, SIM_PORT);
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    inject(t, ". 1+5 ack 1 <tsx64 101, pair, mss 1460>");
    script_wait(t, 50 * MILLISECOND);
    expect(t, ". 1 ack 6 <tsx, pair, *>");
    turn_to(t, 63);
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    inject(t, ". 1+5 ack 1 <tsx64 101, pair, mss 1460>");
    script_wait(t, 50 * MILLISECOND);
    expect(t, ". 1 ack 6 <tsx64, pair, *>");
    script_end(t);
}

/* 12: "... or connection": of one stack, each with its own. */
static void test_parameters_of_each_connection(void **state)
{
    (void)state;
    static const struct {
        struct tcpct_parameters parameters;
        const char *syn;
        unsigned data; /* bytes in the <SYN> */
    } cases[] = {
        { { .cookie_desired = 16 }, "S 0 <mss 1460, sackOK, ts, wscale 5, cookie>", 0 },
        { { .cookie_desired = 8 }, "S 0 <mss 1460, sackOK, ts, wscale 5, cookie>", 0 },
        { { .cookie_desired = 0 }, "S 0 <mss 1460, sackOK, ts, wscale 5>", 0 },
        { { .cookie_desired = 16, .out_never = true }, "S 0 <mss 1460, sackOK, ts, wscale 5>", 0 },
        { { .cookie_desired = 14, .syn_data_limit = 496 },
          "S 0 <mss 1460, sackOK, ts, wscale 5, cookie>",
          sizeof(request) },
        { { .cookie_desired = 10, .syn_data_limit = sizeof(request) - 1 },
          "S 0 <mss 1460, sackOK, ts, wscale 5, cookie>",
          0 },
    };
    struct script *t = connect_with((struct tcpct_parameters){ .cookie_desired = 16 }, NULL, 0);
    expect(t, "S 0 <cookie, *>");
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct tcpct_connect_options options = { .remote = t->peer_address,
                                                       .remote_port = SIM_PORT,
                                                       .parameters = cases[i].parameters,
                                                       .request = (const uint8_t *)request,
                                                       .request_size = sizeof(request) };
        struct tcpct_connection *connection;
        assert_int_equal(tcpct_connect(t->host.stack, &options, &connection, t->now_us), TCPCT_OK);
        t->cookie_size = cases[i].parameters.cookie_desired;
        expect_data(t, cases[i].syn, request, cases[i].data);
    }
    script_end(t);
}

/* 3: Timestamps are required: a Cookie without them is not answered by one. */
static void test_cookie_needs_timestamps(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, "S 0 <mss 1460, cookie>");
    expect(t, "S. 0 ack 1 <mss 1460>");
    script_end(t);
}

/* 3.4: 64 and 128-bit timestamps "MUST be recognized"; 4.4: the Responder "MAY refuse ... by
 * returning the least significant bits in a smaller" one. */
static void test_larger_timestamps(void **state)
{
    (void)state;
    static const char *const openings[] = {
        ". 1+5 ack 1 <tsx64 101, pair, mss 1460>",
        ". 1+5 ack 1 <tsx128 101, pair, mss 1460>",
    };
    for (unsigned i = 0; i < 2; i++) {
        struct script *t = script_listen(4, NULL, NULL);
        inject(t, "S 0 <mss 1460, ts 100, cookie>");
        expect(t, "S. 0 ack 1");
        inject_verdict(t, openings[i], TCPCT_ACCEPTED);
        script_wait(t, 50 * MILLISECOND);
        expect(t, ". 1 ack 6 <tsx ecr 101, pair, mss 1460>");
        script_end(t);
    }
}

/* 7: without a TCB a reset, with Timestamps and Cookie-Pair copied, for what is no opening. */
static void test_reset_without_tcb(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    inject_verdict(t, "F. 500 ack 300 <tsx 200 ecr 77, pair>", TCPCT_REPLIED);
    expect(t, "R 300 <tsx 77 ecr 200, pair>");
    t->stack_port = 54; /* where nobody listens; "The Cookie option ... MUST NOT be copied" */
    inject_verdict(t, SYN, TCPCT_REPLIED);
    struct segment *last = &t->last;
    t->irs = 0;
    expect(t, "R. 0 ack 1 <ts ecr 100>");
    assert_int_equal(last->seq, 0);
    script_end(t);
}

/* ---- rollover of secrets ------------------------------------------------------------------- */

/* 3.5.3: pairs outlive one change of the secret, and die after the second state is over. */
static void test_secret_rollover(void **state)
{
    (void)state;
    const struct tcpct_config config = { .msl_us = 10ull * SECOND,
                                         .secret_interval_us = 60ull * SECOND };
    struct script *t = script_listen(4, &config, NULL);
    /* The first secret is replaced after one MSL. */
    script_wait(t, 9ull * SECOND);
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    script_wait(t, 2ull * SECOND);
    assert_int_equal(script_counters(t).secrets_made, 2);
    inject_verdict(t, OPENING, TCPCT_ACCEPTED);
    assert_int_equal(script_counters(t).openings_secondary, 1);
    tcpct_abort(script_accept(t));
    expect(t, "R. 1 ack 1 <tsx, pair, *>");
    /* The next exchange uses the new one, which makes the old one Secondary for 2 MSL. */
    t->peer_port++;
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    inject_verdict(t, OPENING, TCPCT_ACCEPTED);
    assert_int_equal(script_counters(t).openings_secondary, 1);
    script_end(t);
}

/* An opening that comes too late, after its secret is gone, is discarded. */
static void test_secret_expires(void **state)
{
    (void)state;
    const struct tcpct_config config = { .msl_us = SECOND, .secret_interval_us = 4ull * SECOND };
    struct script *t = script_listen(4, &config, NULL);
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    script_wait(t, 12ull * SECOND);
    inject_verdict(t, OPENING, TCPCT_BAD_COOKIE);
    expect_nothing(t);
    script_end(t);
}

/* ---- accelerated open: the Responder ------------------------------------------------------- */

static const struct tcpct_parameters accelerated = { .cookie_desired = 16,
                                                     .syn_data_limit = 496,
                                                     .syn_ack_data_limit = 1220 };

/* 6.2: the answer in the <SYN,ACK(SYN)>, its Acknowledgment Number covering the data; no <PSH>;
 * nothing kept. */
static void test_answer_in_syn_ack(void **state)
{
    (void)state;
    struct script *t = listen_with(accelerated);
    size_t bytes = t->host.memory.bytes;
    inject_data(t, SYN, request, sizeof(request));
    assert_int_equal(t->verdict, TCPCT_REPLIED);
    expect_data(t, "S. 0 ack 21 <mss 1460, sackOK, ts ecr 100, wscale 5, cookie>", answer,
                sizeof(answer));
    assert_int_equal(t->last.flags & (SEGMENT_PSH | SEGMENT_FIN), 0);
    assert_int_equal(connections(t), 0);
    assert_int_equal(t->host.memory.bytes, bytes);
    assert_int_equal(script_counters(t).syn_answered, 1);
    /* "Arrival of an Initiator's retransmission appears to be an original <SYN>." */
    inject_data(t, SYN, request, sizeof(request));
    expect_data(t, "S. 0 ack 21", answer, sizeof(answer));
    assert_int_equal(asked, 2);
    script_end(t);
}

/* As much as there is room for. */
static size_t give_all(const void *context, const struct tcpct_request *given, uint8_t *to,
                       size_t room)
{
    (void)context;
    (void)given;
    memset(to, 'x', room);
    return room;
}

/* 6.2, 13 and RFC 9000, 8.1: the room for an answer is the least of what came, three times, counted
 * in whole packets; of 1280 bytes of IP; of the peer's MSS; and of the listener's limit. */
static void test_room_for_answers(void **state)
{
    (void)state;
    static const struct {
        unsigned family;
        const char *syn;
        uint16_t limit;
        uint32_t room;
    } cases[] = {
        { 4, "S 0+1 <mss 1460, sackOK, ts 100, wscale 7, cookie>", 1220, 3 * (80 + 1) - 80 },
        { 4, "S 0+100 <mss 1460, sackOK, ts 100, wscale 7, cookie>", 1220, 3 * (80 + 100) - 80 },
        { 4, "S 0+100 <mss 1460, ts 100, cookie>", 1220, 3 * (76 + 100) - 76 },
        { 4, "S 0+496 <mss 1460, sackOK, ts 100, wscale 7, cookie>", 1220, 1280 - 80 },
        { 4, "S 0+496 <mss 500, sackOK, ts 100, wscale 7, cookie>", 1220, 500 - 40 },
        { 4, "S 0+496 <mss 1460, sackOK, ts 100, wscale 7, cookie>", 99, 99 },
        { 6, "S 0+1 <mss 1440, sackOK, ts 100, wscale 7, cookie>", 1220, 3 * (100 + 1) - 100 },
        { 6, "S 0+496 <mss 1440, sackOK, ts 100, wscale 7, cookie>", 1220, 1280 - 100 },
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tcpct_listen_options options = { .parameters = accelerated, .answer = give_all };
        options.parameters.syn_ack_data_limit = cases[i].limit;
        struct script *t = script_listen(cases[i].family, NULL, &options);
        static uint8_t expected[1280];
        memset(expected, 'x', sizeof(expected));
        inject_verdict(t, cases[i].syn, TCPCT_REPLIED);
        expect_data(t, "S. 0", expected, cases[i].room);
        script_end(t);
    }
}

/* 6.2: "If the initial data is not accepted, the Acknowledgment Number will be the received
 * Sequence Number plus one". */
static void test_data_not_accepted(void **state)
{
    (void)state;
    struct script *t = listen_with(accelerated);
    inject_data(t, SYN, "something else", 14);
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, wscale 5, cookie>");
    inject_data(t, OPENING, "something else", 14); /* sent again in the <ACK(SYN)> (6.3) */
    assert_int_equal(t->verdict, TCPCT_ACCEPTED);
    uint8_t bytes[20];
    assert_int_equal(tcpct_receive(script_accept(t), bytes, sizeof(bytes)), 14);
    assert_memory_equal(bytes, "something else", 14);
    script_end(t);
}

/* 12: the default limit is 0, and the amplification rule (D4) is three times what came. */
static void test_answer_limits(void **state)
{
    (void)state;
    struct script *t = listen_with(TCPCT_PARAMETERS_DEFAULT);
    inject_data(t, SYN, request, sizeof(request));
    expect(t, "S. 0 ack 1");
    assert_int_equal(asked, 0);
    script_end(t);

    struct tcpct_parameters small = accelerated;
    small.syn_ack_data_limit = sizeof(answer) - 1;
    t = listen_with(small);
    inject_data(t, SYN, request, sizeof(request));
    expect(t, "S. 0 ack 1");
    script_end(t);

    t = listen_with(accelerated); /* a plain <SYN> is no place for data */
    inject_data(t, "S 0 <mss 1460, ts 100>", request, sizeof(request));
    expect(t, "S. 0 ack 1");
    assert_int_equal(asked, 0);
    script_end(t);

    t = listen_with(accelerated); /* the peer's MSS is too small */
    inject_data(t, "S 0 <mss 40, ts 100, cookie>", request, sizeof(request));
    expect(t, "S. 0 ack 1");
    script_end(t);
}

/* ---- plain TCP ----------------------------------------------------------------------------- */

/* D2: the ISN is the cookie: no state until the <ACK(SYN)>, options recalled from the echo. */
static void test_plain(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject_verdict(t, "S 0 <mss 1400, sackOK, ts 100, wscale 7>", TCPCT_REPLIED);
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, wscale 5>");
    assert_int_equal(connections(t), 0);
    inject_verdict(t, ". 1 ack 1 win 1000 <ts 101>", TCPCT_ACCEPTED);
    assert_int_equal(connections(t), 1);
    assert_int_equal(script_counters(t).openings_plain, 1);
    struct tcpct_connection *connection = script_accept(t);
    struct tcpct_info info;
    tcpct_connection_info(connection, &info);
    assert_false(info.cookies);
    assert_int_equal(info.send_window, 1000 << 7);
    assert_in_range(info.mss, 1200, 1400);
    inject(t, ". 1+10 ack 1 <ts 102>");
    script_send(connection, 0, 20);
    expect(t, ". 1+20 ack 11 <ts ecr 102>");
    script_end(t);
}

static void test_plain_without_options(void **state)
{
    (void)state;
    struct script *t = script_listen(6, NULL, NULL);
    inject(t, "S 0 <>");
    expect(t, "S. 0 ack 1 <mss 1440>");
    inject_verdict(t, ". 1+10 ack 1 <>", TCPCT_ACCEPTED); /* the <ACK> may have data */
    script_wait(t, 50 * MILLISECOND);
    expect(t, ". 1 ack 11 <>");
    struct tcpct_info info;
    tcpct_connection_info(script_accept(t), &info);
    assert_int_equal(info.mss, 1220); /* RFC 9293, 3.7.1: the default of IPv6 */
    script_end(t);
}

/* A guess is not a connection; bare acknowledgments are reset (RFC 9293, 3.10.7.2), data that
 * may have overtaken the <ACK> is not (D2). */
static void test_plain_guess(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, "S 0 <mss 1460>");
    expect(t, "S. 0 ack 1 <mss 1460>");
    inject_verdict(t, ". 1 ack 100", TCPCT_REPLIED);
    expect(t, "R 100");
    inject_verdict(t, ". 1+10 ack 100", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    inject_verdict(t, ". 11+10 ack 1", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    assert_int_equal(connections(t), 0);
    script_wait(t, 130ull * SECOND); /* too late */
    inject_verdict(t, ". 1+10 ack 1", TCPCT_UNACCEPTABLE);
    assert_int_equal(connections(t), 0);
    script_end(t);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, script_teardown)
    const struct CMUnitTest tests[] = {
        TEST(responder_opens),
        TEST(every_cookie_size),
        TEST(wrong_opening_is_discarded),
        TEST(bare_fin_does_not_open),
        TEST(syn_fin_is_discarded),
        TEST(exclusive_options),
        TEST(syn_again),
        TEST(opening_again),
        TEST(in_always),
        TEST(out_never),
        TEST(parameters_of_each_listener),
        TEST(parameters_of_each_connection),
        TEST(cookie_needs_timestamps),
        TEST(larger_timestamps),
        TEST(reset_without_tcb),
        TEST(secret_rollover),
        TEST(secret_expires),
        TEST(answer_in_syn_ack),
        TEST(room_for_answers),
        TEST(data_not_accepted),
        TEST(answer_limits),
        TEST(plain),
        TEST(plain_without_options),
        TEST(plain_guess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
