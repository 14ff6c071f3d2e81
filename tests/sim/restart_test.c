/* restart_test.c - a closed connection begins again: one round trip for a reliable answer of any size
 * that earlier ones earned, with nothing held at the server; for as long as its pair may be trusted;
 * with a Responder that knows nothing of restarts; and without the application's doing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/asking.h"
#include "tests/sim/script.h"

#define MS ((uint64_t)1000)
#define SECOND ((uint64_t)1000000)

static struct answerer answerer;
static struct sim *sim;
static struct sim_host *client, *server;

static void begin(const struct sim_config *given, const struct tcpct_listen_options *options)
{
    sim = asking_begin(given);
    client = &sim->hosts[0];
    server = &sim->hosts[1];
    answerer = (struct answerer){ .listener = NULL };
    answer_questions(server, &answerer, options);
}

static void end(void)
{
    sim_run(sim, 200 * SECOND);
    assert_int_equal(sim_connections(sim), 0);
    sim_end(sim);
}

/* 20 ms and 50 Mbit/s: 23,894 bytes take 3.9 ms on the wire, and a restart one round trip more. */
static void test_one_round_trip(void **state)
{
    (void)state;
    begin(NULL, NULL);
    struct question cold = ask(sim, client, server, 0, 23894, NULL);
    assert_false(cold.restarted);
    for (uint32_t id = 1; id <= 4; id++) {
        struct question again = ask(sim, client, server, id, 23894, NULL);
        assert_true(again.restarted);
        assert_int_equal(answerer.executed[id], 1);
        assert_true(answerer.last.restarted);
        assert_in_range(again.done_us - again.begun_us, 20 * MS, 25 * MS);
    }
    assert_int_equal(COUNTER(client, restarts), 4);
    assert_int_equal(COUNTER(server, restarts), 4);
    assert_int_equal(COUNTER(server, syn_cookie), 1);
    end();
}

/* Within 5 % of a round trip and what the bytes take at the bottleneck, with headers. */
static void take_one_round_trip(uint32_t size, unsigned family)
{
    const struct tcpct_connect_options options = {
        .remote = family == 6 ? server->ipv6 : server->ipv4,
        .parameters = TCPCT_PARAMETERS_DEFAULT,
        .restart = true,
    };
    for (uint32_t id = 0; id < 3; id++)
        ask(sim, client, server, id, size, &options);
    struct question last = ask(sim, client, server, 3, size, &options);
    uint64_t packets = size / 1400 + 2;
    uint64_t wire = 80 + size + packets * (family == 6 ? 72 : 52) + 80;
    uint64_t limit_us = (20 * MS + wire * 8 / 50) * 105 / 100;
    assert_true(last.restarted);
    if (last.done_us - last.begun_us > limit_us)
        fail_msg("%u bytes over IPv%u take %u us, not %u", size, family,
                 (unsigned)(last.done_us - last.begun_us), (unsigned)limit_us);
}

static void test_every_size(void **state)
{
    (void)state;
    const uint32_t sizes[] = {
        500, 1024, 1400, 2048, 4096, 8192, 14600, 16384, 24576, 32768, 65536
    };
    for (unsigned i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        begin(NULL, NULL);
        take_one_round_trip(sizes[i / 2], i % 2 ? 6 : 4);
        end();
    }
}

/* R7: two MSL. */
static void test_pair_is_not_trusted_for_ever(void **state)
{
    (void)state;
    begin(NULL, NULL);
    ask(sim, client, server, 0, 3000, NULL);
    sim_run(sim, 58 * SECOND);
    assert_true(ask(sim, client, server, 1, 3000, NULL).restarted);
    tcpct_remembered_flush(client->stack); /* what was renewed as well */
    ask(sim, client, server, 2, 3000, NULL);
    sim_run(sim, 60 * SECOND);
    assert_false(ask(sim, client, server, 3, 3000, NULL).restarted);
    end();
}

static void test_at_most_64(void **state)
{
    (void)state;
    begin(NULL, NULL);
    for (uint32_t id = 0; id <= 64; id++)
        assert_int_equal(ask(sim, client, server, id, 100, NULL).restarted, id > 0);
    assert_false(ask(sim, client, server, 65, 100, NULL).restarted);
    assert_true(ask(sim, client, server, 66, 100, NULL).restarted);
    end();
}

/* Whatever one side has forgotten, the answer comes. */
static void test_either_side_forgets(void **state)
{
    (void)state;
    begin(NULL, NULL);
    ask(sim, client, server, 0, 3000, NULL);
    tcpct_remembered_flush(client->stack);
    assert_false(ask(sim, client, server, 1, 3000, NULL).restarted);
    tcpct_remembered_flush(server->stack);
    assert_true(ask(sim, client, server, 2, 3000, NULL).restarted); /* 4.4 needs no more */
    assert_false(answerer.last.restarted);                          /* as far as it knows */
    assert_true(ask(sim, client, server, 3, 3000, NULL).restarted);
    assert_true(answerer.last.restarted);
    end();
}

/* The table of the Responder holds fewer than there are: the longest unused has gone. */
static void test_eviction(void **state)
{
    (void)state;
    struct sim_config config = { .seed = 5 };
    config.stacks[1].remembered_max = 3;
    begin(&config, NULL);
    struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                             .restart = true };
    for (uint32_t id = 0; id < 5; id++) {
        options.local_port = (uint16_t)(50000 + id);
        ask(sim, client, server, id, 100, &options);
    }
    for (uint32_t id = 5; id-- > 0;) {
        options.local_port = (uint16_t)(50000 + id);
        assert_true(ask(sim, client, server, 10 + id, 100, &options).restarted);
        assert_int_equal(answerer.last.restarted, id >= 2);
    }
    end();
}

/* All secrets are lost: the opening fails, and an exchange takes its place. */
static void test_responder_reboots(void **state)
{
    (void)state;
    begin(NULL, NULL);
    for (uint32_t id = 0; id < 3; id++)
        ask(sim, client, server, id, 23894, NULL);
    sim_reboot(server);
    answer_questions(server, &answerer, NULL);
    struct question question = ask(sim, client, server, 3, 23894, NULL);
    assert_false(question.restarted);
    assert_int_equal(answerer.executed[3], 1);
    assert_int_equal(COUNTER(client, restarts_lost), 1);
    /* SRTT + 4 RTTVAR, the exchange, and slow start */
    assert_in_range(question.done_us - question.begun_us, 60 * MS, 110 * MS);
    assert_true(ask(sim, client, server, 4, 23894, NULL).restarted);
    end();
}

/* ---- with the same handle -------------------------------------------------------------------- */

struct asker {
    struct tcpct_connection *connection;
    unsigned connected, ends;
    uint32_t got;
};

static void serve_asker(struct sim_host *host, const struct tcpct_event *event)
{
    struct asker *asker = event->user;
    uint8_t bytes[4096];
    ptrdiff_t got;
    (void)host;
    assert_ptr_equal(event->connection, asker->connection);
    assert_false(event->flags & TCPCT_EVENT_ERROR);
    asker->connected += (event->flags & TCPCT_EVENT_CONNECTED) != 0;
    while ((got = tcpct_receive(asker->connection, bytes, sizeof(bytes))) > 0)
        asker->got += (uint32_t)got;
    asker->ends += got == TCPCT_ERROR_CLOSED;
}

static void send_question(struct asker *asker, uint32_t id, uint32_t size)
{
    uint8_t bytes[QUESTION_SIZE] = {
        0, 0, 0, (uint8_t)id, 0, 0, (uint8_t)(size >> 8), (uint8_t)size
    };
    asker->got = 0;
    assert_int_equal(tcpct_send(asker->connection, bytes, sizeof(bytes)), sizeof(bytes));
    sim_run(sim, 150 * MS);
    assert_int_equal(asker->got, size);
    assert_int_equal(answerer.executed[id], 1);
}

static bool is_restarted(const struct asker *asker)
{
    struct tcpct_info info;
    tcpct_connection_info(asker->connection, &info);
    return info.restarted;
}

/* The application sends on a connection that is over: it begins again, or is made anew. */
static void test_transparent(void **state)
{
    (void)state;
    struct asker asker = { 0 };
    begin(NULL, NULL);
    struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                             .remote = server->ipv4,
                                             .remote_port = SIM_PORT,
                                             .restart = true,
                                             .user = &asker };
    client->serve = serve_asker;
    assert_int_equal(tcpct_connect(client->stack, &options, &asker.connection, sim->now_us),
                     TCPCT_OK);
    send_question(&asker, 0, 3000);
    assert_false(is_restarted(&asker));
    for (uint32_t id = 1; id < 4; id++) {
        assert_int_equal(tcpct_connection_count(server->stack), 0);
        send_question(&asker, id, 3000);
        assert_true(is_restarted(&asker));
    }
    sim_run(sim, 100 * SECOND); /* its pair is not trusted any more */
    assert_int_equal(sim_connections(sim), 1);
    send_question(&asker, 4, 3000);
    assert_false(is_restarted(&asker));
    assert_int_equal(asker.connected, 5);
    assert_true(asker.ends >= 5);
    tcpct_close(asker.connection);
    end();
}

/* Before the end is read it goes on in sequence: no other incarnation, and no other question lost. */
static void test_continues_in_sequence(void **state)
{
    (void)state;
    struct script *t = script_connect(
        4, NULL,
        &(struct tcpct_connect_options){ .parameters = TCPCT_PARAMETERS_DEFAULT, .restart = true });
    expect(t, "S 0");
    inject(t, "S. 0 ack 1 <mss 1460, sackOK, ts 50, wscale 7, cookie>");
    script_send(t->connection, 0, 10);
    expect(t, ". 1+10 ack 1 <tsx ecr 50, pair, mss 1460, sackOK, wscale 5>");
    inject(t, "F. 1+20 ack 11 <tsx 60, pair, mss 1460, sackOK, wscale 7>");
    script_receive(t->connection, 0, 20);
    script_send(t->connection, 10, 10); /* the end is there, but not read */
    script_wait(t, 0);
    expect(t, ". 11+10");
    script_end(t);
}

/* ---- a Responder that knows no more than 4.4 ------------------------------------------------- */

static void test_responder_true_to_the_letter(void **state)
{
    (void)state;
    uint8_t byte;
    struct script *t = script_connect(
        4, NULL,
        &(struct tcpct_connect_options){ .parameters = TCPCT_PARAMETERS_DEFAULT, .restart = true });
    expect(t, "S 0");
    inject(t, "S. 0 ack 1 <mss 1460, sackOK, ts 50, wscale 7, cookie>");
    script_send(t->connection, 0, 10);
    expect(t, ". 1+10 ack 1 <tsx ecr 50, pair, mss 1460, sackOK, wscale 5>");
    uint32_t before = t->last.options.timestamp_value;
    inject(t, "F. 1+20 ack 11 <tsx 60, pair, mss 1460, sackOK, wscale 7>");
    script_receive(t->connection, 0, 20);
    assert_int_equal(tcpct_receive(t->connection, &byte, 1), TCPCT_ERROR_CLOSED);
    script_wait(t, 0);
    expect(t, "F. 11 ack 22 <tsx ecr 60, pair>");
    inject(t, ". 22 ack 12 <tsx 61, pair>");
    assert_int_equal(script_state(t->connection), TCPCT_TIME_WAIT);
    script_wait(t, SECOND);
    t->next = 1;
    script_send(t->connection, 0, 10);
    expect(t, ". 1+10 ack 1 <tsx ecr 50, pair, mss 1460, sackOK, wscale 5>");
    assert_in_range(t->last.options.timestamp_value - before, 1000, 1000 + (1 << 24));
    /* what of the first incarnation still comes says nothing, and gets no answer */
    char late[96];
    snprintf(late, sizeof(late), ". 1+20 ack 11 <ts 62 ecr %u>", before);
    inject_verdict(t, late, TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    inject(t, "F. 1+30 ack 11 <tsx 1060, pair, mss 1460, sackOK, wscale 7>");
    script_receive(t->connection, 0, 30);
    script_end(t);
}

int main(void)
{
#define SIM(name) cmocka_unit_test_teardown(test_##name, sim_teardown)
#define SCRIPT(name) cmocka_unit_test_teardown(test_##name, script_teardown)
    const struct CMUnitTest tests[] = {
        SIM(one_round_trip),
        SIM(every_size),
        SIM(pair_is_not_trusted_for_ever),
        SIM(at_most_64),
        SIM(either_side_forgets),
        SIM(eviction),
        SIM(responder_reboots),
        SIM(transparent),
        SCRIPT(continues_in_sequence),
        SCRIPT(responder_true_to_the_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
