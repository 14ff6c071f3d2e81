/* simultaneous_test.c - two Initiators whose <SYN>s cross: who becomes the Responder, what it sends,
 * and how its TCB becomes a connection (RFC 6013, 4.5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/seq.h"
#include "tcpct/tcb.h"
#include "tests/tcpct/peer.h"

#define THEIR_SYN "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>"
#define THEIR_OPENING ". 1+10 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>"

static const char request[] = "what is the answer?";

/* The stack has sent its <SYN>; the peer is an Initiator as well. */
static struct script *crossing(struct tcpct_connect_options options)
{
    options.parameters.cookie_desired = 16;
    options.parameters.syn_data_limit = 496;
    struct script *t = script_connect(4, NULL, &options);
    if (options.request_size)
        expect_data(t, "S 0", request, sizeof(request));
    else
        expect(t, "S 0");
    t->initiator = true;
    return t;
}

static struct script *crossing_ports(uint16_t port)
{
    return crossing((struct tcpct_connect_options){ .local_port = port });
}

/* 4.5, a: "The lesser TCP Port number becomes the Responder". "The Initiator silently discards the
 * simultaneous <SYN>. The Responder revises its Cookie option, and sends the <SYN,ACK(SYN)> as
 * usual, but without removing its existing TCB." */
static void test_lesser_port(void **state)
{
    (void)state;
    struct script *t = crossing_ports(SIM_PORT + 1);
    inject_verdict(t, THEIR_SYN, TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    script_end(t);

    static struct tcpct_connection before;
    uint8_t cookie[COOKIE_SIZE_MAX];
    t = crossing_ports(SIM_PORT - 1);
    before = *t->connection;
    memcpy(cookie, t->stack_cookie, sizeof(cookie));
    for (unsigned i = 0; i < 2; i++) { /* each retransmission is another original <SYN> */
        uint32_t latest = before.syn_timestamp_last;
        inject_verdict(t, THEIR_SYN, TCPCT_REPLIED);
        expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, wscale 5, cookie>");
        assert_memory_not_equal(cookie, t->stack_cookie, sizeof(cookie));
        assert_true(seq_lt(latest, t->stack_timestamp)); /* 4.2 */
        script_wait(t, 10 * MILLISECOND);
    }
    before.totals = t->connection->totals; /* two packets more */
    assert_in_range(t->connection->timestamp_offset - before.timestamp_offset, 0, 1);
    before.timestamp_offset = t->connection->timestamp_offset;
    assert_memory_equal(&before, t->connection, sizeof(before));
    assert_int_equal(script_counters(t).syn_cookie, 2);
    script_end(t);
}

/* 4.4, 4.5: the opening makes the TCB a Responder's connection: data goes both ways, its own
 * request first, and the close is a Responder's (5.2). */
static void test_opening(void **state)
{
    (void)state;
    struct script *t = crossing((struct tcpct_connect_options){
        .local_port = 52, .request = (const uint8_t *)request, .request_size = sizeof(request) });
    inject_verdict(t, THEIR_SYN, TCPCT_REPLIED);
    expect(t, "S. 0 ack 1");
    inject_verdict(t, THEIR_OPENING, TCPCT_ACCEPTED);
    assert_int_equal(script_state(t->connection), TCPCT_ESTABLISHED);
    struct tcpct_info info = peer_info(t);
    assert_true(info.cookies);
    assert_false(info.initiator);
    struct tcpct_event event;
    assert_true(tcpct_event(t->host.stack, &event));
    assert_ptr_equal(event.connection, t->connection);
    assert_int_equal(event.flags,
                     TCPCT_EVENT_CONNECTED | TCPCT_EVENT_READABLE | TCPCT_EVENT_WRITABLE);
    expect_data(t, ". 1 ack 11 <mss 1460, sackOK, tsx ecr 101, wscale 5, pair>", request,
                sizeof(request));
    script_receive(t->connection, 0, 10);
    inject_verdict(t, ". 11+10 ack 21 <ts 102>", TCPCT_ACCEPTED);
    script_receive(t->connection, 10, 10);
    tcpct_close(t->connection);
    expect(t, "F. 21 ack 21 <tsx ecr 102, pair>");
    inject_verdict(t, "F. 21 ack 22 <tsx 103, pair>", TCPCT_ACCEPTED);
    expect(t, ". 22 ack 22 <tsx ecr 103, pair>");
    assert_int_equal(tcpct_connection_count(t->host.stack), 0); /* no TIME-WAIT */
    script_wait(t, 100ull * SECOND);
    expect_nothing(t); /* nor is the <SYN> sent again */
    script_end(t);
}

/* 4.4: "An <ACK(SYN)> that fails to validate MUST be discarded". */
static void test_wrong_opening(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        ". 1 ack 1 <tsx 101, badpair, mss 1460>",
        ". 2 ack 1 <tsx 101, pair, mss 1460>",
        ". 1 ack 1 <tsx 101 ecr 4711, pair, mss 1460>",
        "F. 1 ack 1 <tsx 101, pair, mss 1460>", /* 6.3 */
        ". 1 ack 1 <ts 101, mss 1460>",
    };
    struct script *t = crossing_ports(52);
    inject(t, ". 1 ack 1 <tsx 101, pair, mss 1460>"); /* before there was an exchange */
    assert_int_equal(script_state(t->connection), TCPCT_SYN_SENT);
    inject_verdict(t, THEIR_SYN, TCPCT_REPLIED);
    expect(t, "S. 0 ack 1");
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        inject(t, wrong[i]);
        assert_int_not_equal(t->verdict, TCPCT_ACCEPTED);
        expect_nothing(t);
        assert_int_equal(script_state(t->connection), TCPCT_SYN_SENT);
    }
    inject_verdict(t, THEIR_OPENING, TCPCT_ACCEPTED);
    script_end(t);
}

/* The pair of an exchange that was not with this TCB opens nothing. */
static void test_older_pair(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject_verdict(t, THEIR_SYN, TCPCT_REPLIED);
    expect(t, "S. 0 ack 1");
    const struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                                   .remote = t->peer_address,
                                                   .local_port = SIM_PORT,
                                                   .remote_port = t->peer_port };
    assert_int_equal(tcpct_connect(t->host.stack, &options, &t->connection, t->now_us), TCPCT_OK);
    inject_verdict(t, THEIR_OPENING, TCPCT_BAD_COOKIE);
    assert_int_equal(script_state(t->connection), TCPCT_SYN_SENT);
    script_end(t);
}

/* The peer is no Initiator of this RFC, or decides otherwise: its <SYN,ACK(SYN)> is as good as
 * ever, since the TCB is still there. */
static void test_other_responds(void **state)
{
    (void)state;
    struct script *t = crossing_ports(52);
    const uint32_t syn_timestamp = t->stack_timestamp;
    inject_verdict(t, THEIR_SYN, TCPCT_REPLIED);
    expect(t, "S. 0 ack 1");
    t->stack_timestamp = syn_timestamp;
    inject_verdict(t, "S. 0 ack 1 <mss 1460, ts 120, cookie>", TCPCT_ACCEPTED);
    assert_int_equal(script_state(t->connection), TCPCT_ESTABLISHED);
    assert_true(peer_info(t).initiator);
    script_end(t);
}

/* Without a Cookie it is the simultaneous open of RFC 9293, 3.5. */
static void test_plain_syn(void **state)
{
    (void)state;
    struct script *t = crossing_ports(52);
    inject_verdict(t, "S 0 <mss 1460, ts 100>", TCPCT_ACCEPTED);
    expect(t, "S. 0 ack 1 <mss 1460, ts ecr 100>");
    inject_verdict(t, ". 1 ack 1 <ts 101>", TCPCT_ACCEPTED);
    assert_int_equal(script_state(t->connection), TCPCT_ESTABLISHED);
    script_end(t);
}

/* 4.5, b: "The lesser IP Address becomes the Responder". */
static void test_lesser_address(void **state)
{
    (void)state;
    struct script *t = crossing_ports(SIM_PORT);
    inject_verdict(t, THEIR_SYN, TCPCT_REPLIED); /* 10.0.0.1 and 10.0.0.2 */
    expect(t, "S. 0 ack 1 <cookie, *>");
    t->stack_address.bytes[3] = 3;
    assert_int_equal(tcpct_address_add(t->host.stack, &t->stack_address), TCPCT_OK);
    const struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                                   .local = t->stack_address,
                                                   .remote = t->peer_address,
                                                   .local_port = SIM_PORT,
                                                   .remote_port = SIM_PORT };
    assert_int_equal(tcpct_connect(t->host.stack, &options, &t->connection, t->now_us), TCPCT_OK);
    expect(t, "S 0");
    inject_verdict(t, THEIR_SYN, TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    script_end(t);
}

/* To ourselves: the same addresses and ports. */
static struct script *crossing_itself(void)
{
    struct script *t = crossing_ports(1000);
    t->peer_address = t->stack_address;
    t->peer_port = 2000;
    const struct tcpct_connect_options options = {
        .parameters = TCPCT_PARAMETERS_DEFAULT,
        .remote = t->stack_address,
        .local_port = 2000,
        .remote_port = 2000,
    };
    assert_int_equal(tcpct_connect(t->host.stack, &options, &t->connection, t->now_us), TCPCT_OK);
    expect(t, "S 0");
    return t;
}

/* 4.5, c: "The lesser Cookie becomes the Responder", compared as far as both go. */
static void test_lesser_cookie(void **state)
{
    (void)state;
    for (unsigned size = COOKIE_SIZE_MIN; size <= COOKIE_SIZE_MAX; size += 2) {
        struct script *t = crossing_itself();
        memset(t->cookie, 0, sizeof(t->cookie));
        t->cookie_size = (uint8_t)size;
        inject_verdict(t, THEIR_SYN, TCPCT_UNACCEPTABLE);
        expect_nothing(t);
        memset(t->cookie, 0xff, sizeof(t->cookie));
        inject_verdict(t, THEIR_SYN, TCPCT_REPLIED);
        expect(t, "S. 0 ack 1 <cookie, *>");
        script_end(t);
    }
    struct script *t = crossing_itself(); /* the beginning of ours: the shorter one is lesser */
    memcpy(t->cookie, t->stack_cookie, sizeof(t->cookie));
    t->cookie_size = 10;
    inject_verdict(t, THEIR_SYN, TCPCT_UNACCEPTABLE);
    script_end(t);
}

/* 4.5, d: "All of the above being equal" there is no other TCB to compare ours with: it is our own
 * <SYN>, come back. 4.5 and 4.3 take that for a reflection attack. */
static void test_all_equal(void **state)
{
    (void)state;
    struct script *t = crossing_itself();
    memcpy(t->cookie, t->stack_cookie, sizeof(t->cookie));
    inject_verdict(t, THEIR_SYN, TCPCT_BAD_COOKIE);
    expect_nothing(t);
    assert_int_equal(script_counters(t).reflections, 1);
    assert_int_equal(script_state(t->connection), TCPCT_SYN_SENT);
    script_end(t);
}

static unsigned logged;

static void count_log(void *context, const struct tcpct_trace_event *event)
{
    (void)context;
    logged += strcmp(event->note, "simultaneous open") == 0;
}

/* 4.5: "This is usually an indication of a Monkey in the Middle (MITM) reflection attack or a
 * seriously misconfigured network, and SHOULD be logged." */
static void test_log(void **state)
{
    (void)state;
    logged = 0;
    for (unsigned i = 0; i < 2; i++) {
        struct script *t = crossing_ports(i ? 54 : 52);
        t->host.stack->config.trace = count_log;
        inject(t, THEIR_SYN);
        assert_int_equal(logged, i + 1);
        script_end(t);
    }
}

/* ---- two stacks ----------------------------------------------------------------------------- */

enum { SIZE = 5000 };

struct side {
    struct tcpct_connection *connection;
    uint32_t got;
    struct tcpct_info info;
};

static void serve(struct sim_host *host, const struct tcpct_event *event)
{
    struct side *side = host->application;
    uint8_t bytes[SIZE];
    ptrdiff_t got;
    if (!side->connection || event->connection != side->connection)
        return;
    if (event->flags & TCPCT_EVENT_CONNECTED) {
        tcpct_connection_info(side->connection, &side->info);
        for (uint32_t i = 0; i < SIZE; i++)
            bytes[i] = script_byte(i + host->index);
        assert_int_equal(tcpct_send(side->connection, bytes, SIZE), SIZE);
        tcpct_shutdown(side->connection);
    }
    while ((got = tcpct_receive(side->connection, bytes, SIZE)) > 0)
        for (ptrdiff_t i = 0; i < got; i++)
            assert_int_equal(bytes[i], script_byte(side->got++ + !host->index));
    if (got == TCPCT_ERROR_CLOSED) {
        tcpct_close(side->connection);
        side->connection = NULL;
    }
    assert_true(got == 0 || got == TCPCT_ERROR_CLOSED);
}

/* A translator on the path: what each side takes for the other's port, and its own. */
struct translation {
    uint16_t port[2], seen[2];
};

static void translate(void *context, struct sim_packet *packet)
{
    const struct translation *translation = context;
    unsigned from = packet->from->index;
    packet->segment->source_port = translation->seen[from];
    packet->segment->destination_port = translation->port[!from];
    packet->altered = true;
}

/* Two Initiators meet, and whatever is lost or late, both send all that they have. On a good path
 * they have cookies, and one is the Responder. */
static void meet(uint64_t seed, double loss, struct translation *translation)
{
    static const struct translation none = { { 1000, 1001 }, { 1000, 1001 } };
    const struct link_path path = { .delay_us = 10 * MILLISECOND,
                                    .loss = loss,
                                    .reorder = loss,
                                    .reorder_us = 30 * MILLISECOND,
                                    .duplicate = loss };
    struct sim *sim =
        sim_begin(&(struct sim_config){ .seed = seed, .up = { path }, .down = { path } });
    struct side sides[2] = { 0 };
    const struct translation *ports = translation ? translation : &none;
    if (translation) {
        sim->filter = translate;
        sim->filter_context = translation;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct sim_host *host = &sim->hosts[i];
        host->application = &sides[i];
        host->serve = serve;
        const struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                                       .remote = sim->hosts[!i].ipv4,
                                                       .local_port = ports->port[i],
                                                       .remote_port = ports->seen[!i] };
        assert_int_equal(tcpct_connect(host->stack, &options, &sides[i].connection, sim->now_us),
                         TCPCT_OK);
    }
    sim_run(sim, 300ull * SECOND);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(sides[i].got, SIZE);
        assert_null(sides[i].connection);
        assert_true(loss > 0 || translation ||
                    (sides[i].info.cookies && sides[i].info.initiator == (i == 1)));
    }
    assert_int_equal(sim_connections(sim), 0);
    sim_end(sim);
}

static void test_two_initiators(void **state)
{
    (void)state;
    meet(1, 0, NULL);
    for (uint64_t seed = 1; seed <= 100; seed++)
        meet(seed, 0.1, NULL);
}

/* Behind a translator each may think itself the lesser, or the greater: they meet all the same, in
 * the end as plain TCP. */
static void test_translated_ports(void **state)
{
    (void)state;
    static struct translation both_lesser = { { 1000, 1500 }, { 3000, 2000 } };
    static struct translation both_greater = { { 3000, 2000 }, { 1000, 1500 } };
    for (uint64_t seed = 1; seed <= 20; seed++) {
        meet(seed, seed > 1 ? 0.05 : 0, &both_lesser);
        meet(seed, seed > 1 ? 0.05 : 0, &both_greater);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lesser_port),
        TEST(opening),
        TEST(wrong_opening),
        TEST(older_pair),
        TEST(other_responds),
        TEST(plain_syn),
        TEST(lesser_address),
        TEST(lesser_cookie),
        TEST(all_equal),
        TEST(log),
        cmocka_unit_test_teardown(test_two_initiators, sim_teardown),
        cmocka_unit_test_teardown(test_translated_ports, sim_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
