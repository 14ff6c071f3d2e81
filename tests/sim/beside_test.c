/* beside_test.c - a Cookie exchange beside a TCB of the same endpoints, segment by segment: what the
 * TCB does meanwhile, when it is replaced, and by which timestamps the two are told apart (RFC 6013,
 * 4.1 to 4.5, 5.1, 5.2, 13).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/seq.h"
#include "tcpct/tcb.h"
#include "tests/tcpct/peer.h"

#define SYN "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>"
#define OPENING ". 1+10 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>"

/* What an Initiator knows after an exchange. */
struct exchange {
    uint32_t irs, timestamp;
    uint8_t cookie[COOKIE_SIZE_MAX];
};

static struct exchange exchange(struct script *t, const char *syn)
{
    inject_verdict(t, syn, TCPCT_REPLIED);
    expect(t, "S. 0");
    struct exchange made = { .irs = t->irs, .timestamp = t->stack_timestamp };
    memcpy(made.cookie, t->stack_cookie, COOKIE_SIZE_MAX);
    return made;
}

/* The script's pair is that of this exchange. */
static void use(struct script *t, const struct exchange *made)
{
    t->irs = made->irs;
    t->stack_timestamp = made->timestamp;
    memcpy(t->stack_cookie, made->cookie, COOKIE_SIZE_MAX);
}

/* ---- the Responder -------------------------------------------------------------------------- */

/* 4.2: "If the TCB exists from a prior (or ongoing) connection, the timestamp MUST be incremented":
 * although its low bits carry the options of the <SYN>, and however fast exchanges follow. */
static void test_timestamp_is_incremented(void **state)
{
    (void)state;
    static const char *const syns[] = {
        "S 7000 <mss 1460, sackOK, ts 200, wscale 7, cookie>",
        "S 8000 <mss 1460, ts 300, cookie>",
        "S 9000 <mss 1460, ts 400, wscale 0, cookie>",
    };
    static const char *const openings[] = {
        ". 7001+10 ack 1 <tsx 201, pair, mss 1460, sackOK, wscale 7>",
        ". 8001+10 ack 1 <tsx 301, pair, mss 1460>",
        ". 9001+10 ack 1 <tsx 401, pair, mss 1460, wscale 0>",
    };
    for (unsigned start = 0; start < 64; start++) { /* any phase of the low bits */
        struct script *t = script_listen(4, NULL, NULL);
        script_wait(t, start * MILLISECOND);
        exchange(t, SYN);
        inject_verdict(t, OPENING, TCPCT_ACCEPTED);
        struct tcpct_connection *connection = script_accept(t);
        script_send(connection, 0, 5);
        expect(t, ". 1+5");
        for (unsigned i = 0; i < 3; i++) {
            uint32_t latest = t->stack_timestamp;
            exchange(t, syns[i]);
            uint32_t incremented = t->stack_timestamp;
            assert_true(seq_lt(latest, incremented));
            inject_verdict(t, openings[i], TCPCT_ACCEPTED);
            connection = script_accept(t);
            script_receive(connection, 7000 + 1000 * i, 10);
            script_send(connection, 0, 5);
            expect(t, ". 1+5"); /* and nothing goes back, or PAWS would discard it */
            assert_true(seq_leq(incremented, t->stack_timestamp));
        }
        script_end(t);
    }
}

/* ---- openings again ------------------------------------------------------------------------- */

/* 13, 4.4: the Initiator sent its <SYN> twice, and its opening with either pair: that is one
 * connection, and the data is taken once; but an opening with a newer TS Value is another. */
static void test_opening_with_another_pair(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        bool same;
    } cases[] = {
        { OPENING, OPENING, true },
        { OPENING, ". 1+20 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>", true },
        { ". 1 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>",
          ". 1+20 ack 1 <tsx 102, pair, mss 1460, sackOK, wscale 7>", true },
        { ". 1+10 ack 1 <ts 101>", OPENING, true }, /* the first went without its pair */
        { ". 1+10 ack 1 <ts 101>", ". 1+20 ack 1 <tsx 900, pair, mss 1460, sackOK>", true },
        { OPENING, ". 1+20 ack 1 <tsx 102, pair, mss 1460, sackOK, wscale 7>", false },
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct script *t = script_listen(4, NULL, NULL);
        const struct exchange first = exchange(t, SYN);
        script_wait(t, 200 * MILLISECOND);
        const struct exchange second =
            exchange(t, "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>");
        assert_int_not_equal(first.timestamp, second.timestamp);
        assert_memory_not_equal(first.cookie, second.cookie, COOKIE_SIZE_MAX);
        use(t, &first);
        inject_verdict(t, cases[i].first, TCPCT_ACCEPTED);
        struct tcpct_connection *connection = script_accept(t);
        use(t, &second);
        inject(t, cases[i].second);
        assert_int_equal(tcpct_connection_error(connection),
                         cases[i].same ? TCPCT_OK : TCPCT_ERROR_RESET);
        struct tcpct_connection *other = tcpct_accept(t->listener);
        assert_int_equal(other == NULL, cases[i].same);
        uint32_t size = strstr(cases[i].second, "+20") ? 20 : 10;
        script_receive(cases[i].same ? connection : other, 0, size);
        script_end(t);
    }
}

/* ---- the Initiator -------------------------------------------------------------------------- */

#define SYN_ACK "S. 0 ack 1 <mss 1460, sackOK, ts 50, wscale 7, cookie>"

/* Both ends of a conversation, as the script knows them. */
struct conversation {
    uint32_t iss, irs, next, timestamp;
    uint8_t cookie[COOKIE_SIZE_MAX], stack_cookie[COOKIE_SIZE_MAX];
};

static struct conversation leave(const struct script *t)
{
    struct conversation left = { t->iss, t->irs, t->next, t->stack_timestamp, { 0 }, { 0 } };
    memcpy(left.cookie, t->cookie, COOKIE_SIZE_MAX);
    memcpy(left.stack_cookie, t->stack_cookie, COOKIE_SIZE_MAX);
    return left;
}

static void take_up(struct script *t, const struct conversation *left)
{
    t->iss = left->iss;
    t->irs = left->irs;
    t->next = left->next;
    t->stack_timestamp = left->timestamp;
    memcpy(t->cookie, left->cookie, COOKIE_SIZE_MAX);
    memcpy(t->stack_cookie, left->stack_cookie, COOKIE_SIZE_MAX);
}

static const struct tcpct_connect_options from_a_port = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                                          .local_port = 40000 };

/* The stack has connected, and ten bytes went each way. */
static struct script *connected(void)
{
    struct script *t = script_connect(4, NULL, &from_a_port);
    expect(t, "S 0");
    inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
    script_send(t->connection, 0, 10);
    expect(t, ". 1+10 ack 1 <tsx ecr 50, pair, *>");
    inject_verdict(t, ". 1+10 ack 11 <tsx 51, pair, mss 1460, sackOK, wscale 7>", TCPCT_ACCEPTED);
    script_receive(t->connection, 0, 10);
    script_wait(t, 100 * MILLISECOND);
    expect(t, ". 11 ack 11 <ts ecr 51>");
    return t;
}

static int connect_again(struct script *t, struct tcpct_connect_options options,
                         struct tcpct_connection **connection)
{
    options.remote = t->peer_address;
    options.remote_port = t->peer_port;
    return tcpct_connect(t->host.stack, &options, connection, t->now_us);
}

/* Begins a new exchange; its <SYN> is the next thing that the stack sends, with a timestamp beyond
 * all of the other connection. The peer will answer with other numbers. */
static struct tcpct_connection *begins_again(struct script *t)
{
    struct tcpct_connection *new;
    const uint32_t latest = t->stack_timestamp;
    assert_int_equal(connect_again(t, from_a_port, &new), TCPCT_OK);
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5, cookie>");
    assert_true(seq_lt(latest, t->stack_timestamp));
    t->iss += 5000000;
    t->cookie[0] ^= 0xff;
    return new;
}

/* 4.1: "Sending the <SYN> SHOULD NOT affect any existing TCB. ... The new TCB information SHOULD be
 * temporarily cached until a valid matching <SYN,ACK(SYN)> arrives. Then, any old TCB values are
 * replaced." */
static void test_new_exchange_while_connected(void **state)
{
    (void)state;
    static const char *const invalid[] = {
        "S. 0 ack 2 <mss 1460, ts 60, cookie>",
        "S. 0 ack 1 <mss 1460, ts 60 ecr 5, cookie>",
        "S. 0 ack 1 <mss 1460, ts 60, mirror>",
        "S. 0 ack 1 <mss 1460, cookie>",
        "S. 0 ack 1 <mss 1460>",
        "S 0 <mss 1460, ts 60, cookie>",
        "S 0 <mss 1460>",
        "R 0",
        "R 1 <ts 60>",
        ". 1 ack 1 <ts 60>",
        ". 1 ack 1 <tsx 60, pair, mss 1460>",
        "F. 1 ack 1 <tsx 60, pair>",
    };
    static struct tcpct_connection before;
    struct script *t = connected();
    struct tcpct_connection *old = t->connection;
    before = *old;
    struct conversation first = leave(t);
    struct tcpct_connection *new = begins_again(t);
    assert_memory_equal(&before, old, sizeof(before));
    const struct conversation second = leave(t);
    for (unsigned i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        inject(t, invalid[i]);
        assert_int_not_equal(t->verdict, TCPCT_ACCEPTED);
        assert_int_equal(script_state(old), TCPCT_ESTABLISHED);
        assert_int_equal(old->rcv_nxt, before.rcv_nxt);
        assert_int_equal(script_state(new), TCPCT_SYN_SENT);
        peer_skip(t);
    }
    take_up(t, &first); /* goes on meanwhile */
    inject_verdict(t, ". 11+20 ack 11 <ts 61>", TCPCT_ACCEPTED);
    script_receive(old, 10, 20);
    script_send(old, 10, 5);
    expect(t, ". 11+5 ack 31 <ts ecr 61>");
    take_up(t, &second);
    inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
    assert_int_equal(script_state(new), TCPCT_ESTABLISHED);
    assert_int_equal(script_state(old), TCPCT_CLOSED);
    assert_int_equal(tcpct_connection_error(old), TCPCT_ERROR_RESET);
    tcpct_close(old);
    assert_int_equal(tcpct_connection_count(t->host.stack), 1);
    script_send(new, 0, 10);
    expect(t, ". 1+10 ack 1 <tsx ecr 50, pair, *>");
    inject_verdict(t, ". 1+10 ack 11 <tsx 62, pair, mss 1460>", TCPCT_ACCEPTED);
    take_up(t, &first); /* drained */
    inject(t, ". 31+10 ack 16 <ts 62>");
    inject_verdict(t, "F. 31 ack 16 <tsx 62, pair>", TCPCT_BAD_COOKIE);
    inject_verdict(t, "R. 31 ack 16 <tsx 62, pair>", TCPCT_BAD_COOKIE);
    script_receive(new, 0, 10);
    assert_int_equal(script_state(new), TCPCT_ESTABLISHED);
    script_end(t);
}

/* One that fails leaves the connection as it is. */
static void test_new_exchange_fails(void **state)
{
    (void)state;
    struct script *t = connected();
    struct tcpct_connection *old = t->connection, *new, *third;
    const struct conversation first = leave(t);
    new = begins_again(t);
    assert_int_equal(connect_again(t, from_a_port, &third), TCPCT_ERROR_IN_USE); /* one at a time */
    inject_verdict(t, "R. 0 ack 1", TCPCT_ACCEPTED);
    assert_int_equal(tcpct_connection_error(new), TCPCT_ERROR_REFUSED);
    tcpct_close(new);
    take_up(t, &first);
    inject_verdict(t, ". 11+20 ack 11 <ts 61>", TCPCT_ACCEPTED);
    script_receive(old, 10, 20);

    new = begins_again(t);
    tcpct_abort(new); /* given up */
    take_up(t, &first);
    inject_verdict(t, ". 31+20 ack 11 <ts 62>", TCPCT_ACCEPTED);
    script_receive(old, 30, 20);
    script_end(t);

    /* Plain TCP has no such thing. */
    const struct tcpct_connect_options plainly = { .local_port = 40000 };
    t = connected();
    assert_int_equal(connect_again(t, plainly, &new), TCPCT_ERROR_IN_USE);
    script_end(t);
    t = script_connect(4, NULL, &plainly);
    expect(t, "S 0");
    inject_verdict(t, "S. 0 ack 1 <mss 1460>", TCPCT_ACCEPTED);
    assert_int_equal(connect_again(t, from_a_port, &new), TCPCT_ERROR_IN_USE);
    script_end(t);
}

/* 5.1: "Upon arrival of more data prompting a new Cookie exchange, the Initiator SHOULD NOT send a
 * final <ACK(FIN)> and/or SHOULD NOT wait the remaining TIME-WAIT interval. Any existing TSoffset
 * SHOULD be incremented." */
static void test_more_data_after_initiator_close(void **state)
{
    (void)state;
    for (unsigned seconds = 0; seconds < 50; seconds += 7) {
        struct script *t = connected();
        struct tcpct_connection *old = t->connection;
        tcpct_shutdown(old);
        expect(t, "F. 11 ack 11 <tsx, pair>");
        inject_verdict(t, "F. 11 ack 12 <tsx 52, pair>", TCPCT_ACCEPTED);
        assert_int_equal(script_state(old), TCPCT_TIME_WAIT);
        if (seconds) {
            expect(t, ". 12 ack 12 <tsx ecr 52, pair>");
            script_wait(t, seconds * SECOND);
        }
        const uint64_t tsoffset = old->timestamp_offset;
        struct tcpct_connection *new = begins_again(t);
        assert_int_not_equal(new->timestamp_offset, tsoffset);
        expect_nothing(t);
        assert_int_equal(script_state(old), TCPCT_TIME_WAIT);
        inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
        assert_int_equal(script_state(old), TCPCT_CLOSED);
        assert_int_equal(tcpct_connection_error(old), TCPCT_OK);
        tcpct_close(old);
        assert_int_equal(tcpct_connection_count(t->host.stack), 1);
        script_end(t);
    }
}

/* 5.2: "... SHOULD NOT send a <FIN,ACK(FIN)>". If the exchange comes to nothing, it is sent. */
static void test_more_data_after_responder_close(void **state)
{
    (void)state;
    for (unsigned answered = 0; answered < 2; answered++) {
        struct script *t = connected();
        inject_verdict(t, "F. 11 ack 11 <tsx 52, pair>", TCPCT_ACCEPTED);
        assert_int_equal(script_state(t->connection), TCPCT_CLOSE_WAIT);
        tcpct_close(t->connection);
        struct conversation first = leave(t);
        struct tcpct_connection *new = begins_again(t);
        const struct conversation second = leave(t);
        take_up(t, &first);
        inject(t, "F. 11 ack 11 <tsx 53, pair>"); /* again */
        expect_nothing(t);
        take_up(t, &second);
        if (answered) {
            inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
            assert_int_equal(tcpct_connection_count(t->host.stack), 1);
            expect(t, ". 1 ack 1 <tsx ecr 50, pair, *>");
            expect_nothing(t);
        } else {
            tcpct_close(new);
            take_up(t, &first);
            expect(t, "F. 11 ack 12 <tsx ecr 52, pair>");
        }
        script_end(t);
    }
}

/* 5.1: "unless there is additional data pending": what is still to be delivered is. */
static void test_pending_data_beside_an_exchange(void **state)
{
    (void)state;
    struct script *t = connected();
    inject_verdict(t, "F. 11 ack 11 <tsx 52, pair>", TCPCT_ACCEPTED);
    const struct conversation first = leave(t);
    begins_again(t);
    script_send(t->connection, 10, 30);
    tcpct_close(t->connection);
    take_up(t, &first);
    expect(t, "F. 11+30 ack 12 <tsx ecr 52, pair>");
    script_end(t);
}

/* A router's message is for the connection that it quotes. */
static void test_errors_beside_an_exchange(void **state)
{
    (void)state;
    enum { UNREACHABLE = 3, TOO_BIG = 4 };
    struct script *t = connected();
    const struct conversation first = leave(t);
    begins_again(t);
    take_up(t, &first);
    script_send(t->connection, 10, 1000);
    expect(t, ". 11+1000");
    assert_int_equal(peer_icmp(t, UNREACHABLE, TOO_BIG, 900, 11), TCPCT_ACCEPTED);
    assert_int_equal(t->connection->path.mtu, 900);
    script_end(t);
}

/* 13: "each incoming <SYN,ACK(SYN)> replaces the Responder cookie": one without a Cookie has none to
 * replace it with, and one with a Cookie is too late where the first had none. */
static void test_second_syn_ack(void **state)
{
    (void)state;
    static const char *const without[] = { "S. 0 ack 1 <mss 1460, ts 60>", "S. 0 ack 1 <mss 1460>",
                                           "SF. 0 ack 1 <mss 1460, ts 60, cookie>",
                                           "S. 0+5 ack 1 <mss 1460, ts 60, cookie>" };
    for (unsigned i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        struct script *t = script_connect(4, NULL, NULL);
        expect(t, "S 0");
        const struct conversation exchange = leave(t);
        inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
        expect(t, ". 1 ack 1 <tsx ecr 50, pair, *>");
        t->iss += 1000;
        t->cookie[0] ^= 0xff;
        t->stack_timestamp = exchange.timestamp;
        inject_verdict(t, without[i], TCPCT_UNACCEPTABLE);
        take_up(t, &exchange);
        script_wait(t, 4ull * SECOND);
        expect(t, ". 1 ack 1 <tsx ecr 50, pair, *>");
        expect(t, ". 1 ack 1 <tsx ecr 50, pair, *>");
        script_end(t);
    }
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    inject_verdict(t, "S. 0 ack 1 <mss 1460, sackOK, ts 50, wscale 7>", TCPCT_ACCEPTED);
    expect(t, ". 1 ack 1 <ts ecr 50>");
    inject_verdict(t, "S. 0 ack 1 <mss 1460, sackOK, ts 60, wscale 7, cookie>", TCPCT_UNACCEPTABLE);
    expect(t, ". 1 ack 1 <ts ecr 50>"); /* RFC 5961, 4.2 */
    script_send(t->connection, 0, 10);
    expect(t, ". 1+10 ack 1 <ts ecr 50>");
    assert_false(peer_info(t).cookies);
    script_end(t);
}

/* ---- two stacks ----------------------------------------------------------------------------- */

enum { EXCHANGES = 12, STREAM_SIZE = 3000, CLIENT_PORT = 40000 };

/* One end of a connection. The server learns the number of its stream from the first byte. */
struct end {
    struct tcpct_connection *connection; /* NULL: given back */
    uint32_t number, got;
};

struct storm {
    struct sim *sim;
    struct end clients[EXCHANGES], servers[EXCHANGES];
    unsigned accepted, replaced;
};

static uint8_t stream_byte(uint32_t number, uint32_t offset)
{
    return offset ? (uint8_t)(offset * 31 + number * 17) : (uint8_t)number;
}

static void over(struct end *end)
{
    tcpct_close(end->connection);
    end->connection = NULL;
}

/* What comes is of one stream, in order. */
static ptrdiff_t read_stream(struct end *end, uint8_t *bytes, size_t size, bool learn)
{
    ptrdiff_t got = tcpct_receive(end->connection, bytes, size);
    for (uint32_t i = 0; got > 0 && i < (uint32_t)got; i++, end->got++) {
        if (learn && end->got == 0)
            end->number = bytes[i];
        assert_int_equal(bytes[i], stream_byte(end->number, end->got));
    }
    return got;
}

static void storm_server(struct sim_host *host, const struct tcpct_event *event)
{
    struct storm *storm = host->application;
    uint8_t bytes[4096];
    if (event->flags & TCPCT_EVENT_ACCEPT) {
        struct end *end = &storm->servers[storm->accepted++];
        end->connection = tcpct_accept(event->listener);
        tcpct_set_user(end->connection, end);
        return;
    }
    struct end *end = event->user;
    ptrdiff_t got;
    while ((got = read_stream(end, bytes, sizeof(bytes), true)) > 0)
        tcpct_send(end->connection, bytes, (size_t)got);
    storm->replaced += tcpct_connection_error(end->connection) == TCPCT_ERROR_RESET;
    if (got < 0)
        over(end);
}

static void storm_client(struct sim_host *host, const struct tcpct_event *event)
{
    struct end *end = event->user;
    uint8_t bytes[STREAM_SIZE];
    (void)host;
    if (event->flags & TCPCT_EVENT_CONNECTED) {
        for (uint32_t i = 0; i < STREAM_SIZE; i++)
            bytes[i] = stream_byte(end->number, i);
        tcpct_send(end->connection, bytes, STREAM_SIZE);
    }
    ptrdiff_t got;
    while ((got = read_stream(end, bytes, sizeof(bytes), false)) > 0)
        continue;
    if (got < 0 || end->got == STREAM_SIZE)
        over(end);
}

/* The client begins one exchange after the other from the same port, at any moment of the connection
 * before: no byte goes astray, and the last one is whole. */
static unsigned storm(uint64_t seed)
{
    const struct link_path path = { .delay_us = 10 * MILLISECOND,
                                    .loss = seed % 3 ? 0.03 * (double)(seed % 3) : 0,
                                    .duplicate = 0.02,
                                    .reorder = 0.05,
                                    .reorder_us = 15 * MILLISECOND };
    struct storm storm = { .sim = sim_begin(&(struct sim_config){
                               .seed = seed, .up = { path }, .down = { path } }) };
    struct sim_host *client = &storm.sim->hosts[0], *server = &storm.sim->hosts[1];
    struct generator chance = { seed };
    struct tcpct_listener *listener;
    struct tcpct_listen_options listen = { .port = SIM_PORT,
                                           .parameters = TCPCT_PARAMETERS_DEFAULT };
    client->serve = storm_client;
    server->serve = storm_server;
    server->application = &storm;
    assert_int_equal(tcpct_listen(server->stack, &listen, &listener), TCPCT_OK);
    for (uint32_t i = 0; i < EXCHANGES; i++) {
        struct end *end = &storm.clients[i];
        const struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                                       .remote = server->ipv4,
                                                       .remote_port = SIM_PORT,
                                                       .local_port = CLIENT_PORT,
                                                       .user = end };
        end->number = i;
        if (i && end[-1].connection && generate(&chance) % 3 == 0) /* its FIN may be under way */
            over(&end[-1]);
        while (tcpct_connect(client->stack, &options, &end->connection, storm.sim->now_us) ==
               TCPCT_ERROR_IN_USE) /* the exchange before is under way */
            sim_run(storm.sim, 10 * MILLISECOND);
        sim_run(storm.sim, generate(&chance) % (150 * MILLISECOND));
    }
    sim_run(storm.sim, 400ull * SECOND);
    assert_int_equal(storm.clients[EXCHANGES - 1].got, STREAM_SIZE);
    assert_int_equal(sim_connections(storm.sim), 0);
    sim_end(storm.sim);
    return storm.replaced;
}

static void test_exchange_after_exchange(void **state)
{
    unsigned replaced = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++)
        replaced += storm(seed);
    assert_true(replaced > 60); /* it did happen while data was under way */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(timestamp_is_incremented),
        TEST(opening_with_another_pair),
        TEST(new_exchange_while_connected),
        TEST(new_exchange_fails),
        TEST(more_data_after_initiator_close),
        TEST(more_data_after_responder_close),
        TEST(pending_data_beside_an_exchange),
        TEST(errors_beside_an_exchange),
        TEST(second_syn_ack),
        cmocka_unit_test_teardown(test_exchange_after_exchange, sim_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
