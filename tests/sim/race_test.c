/* race_test.c - a restart without answer, and the exchange that races with it: whoever is answered
 * first, the application gets one answer; and a pair that is renewed before it is too old. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/seq.h"
#include "tcpct/wire.h"
#include "tests/sim/asking.h"

#define MS ((uint64_t)1000)
#define SECOND ((uint64_t)1000000)

static struct answerer answerer;
static struct sim *sim;
static struct sim_host *client, *server;

/* What becomes of the packets of one host from its `first` on; `count` of them. */
static struct fate {
    const struct sim_host *of;
    uint64_t first, count;
    uint64_t delay_us; /* 0: they are lost */
    uint64_t resets;   /* that the client has sent */
} fate;

static void filter(void *context, struct sim_packet *packet)
{
    (void)context;
    fate.resets += packet->from == client && packet->segment->flags & SEGMENT_RST;
    if (packet->from != fate.of || packet->number - fate.first >= fate.count)
        return;
    if (fate.delay_us)
        packet->delay_us = fate.delay_us;
    else
        packet->copies = 0;
}

/* Three questions, so that the path is known. */
static void begin(const struct sim_config *config)
{
    sim = asking_begin(config);
    client = &sim->hosts[0];
    server = &sim->hosts[1];
    answerer = (struct answerer){ .listener = NULL };
    fate = (struct fate){ .of = NULL };
    sim->filter = filter;
    answer_questions(server, &answerer, NULL);
    for (uint32_t id = 0; id < 3; id++)
        ask(sim, client, server, id, 3000, NULL);
}

static void end(void)
{
    sim_run(sim, 200 * SECOND);
    assert_int_equal(sim_connections(sim), 0);
    sim_end(sim);
}

static void harm(const struct sim_host *host, uint64_t count, uint64_t delay_us)
{
    fate = (struct fate){
        .of = host, .first = host->packets_sent, .count = count, .delay_us = delay_us
    };
}

static void test_opening_is_lost(void **state)
{
    (void)state;
    begin(NULL);
    harm(client, 1, 0);
    struct question question = ask(sim, client, server, 3, 3000, NULL);
    assert_false(question.restarted);
    assert_int_equal(answerer.executed[3], 1);
    assert_int_equal(COUNTER(client, restarts_late), 1);
    assert_int_equal(COUNTER(client, restarts_lost), 1);
    assert_true(ask(sim, client, server, 4, 3000, NULL).restarted);
    end();
}

/* All that the Responder says at first: its answer is executed twice, and read once. */
static void test_answer_is_lost(void **state)
{
    (void)state;
    begin(NULL);
    harm(server, 3, 0);
    struct question question = ask(sim, client, server, 3, 3000, NULL);
    assert_int_equal(question.got, 3000);
    assert_int_equal(answerer.executed[3], 2);
    end();
}

/* The restart's answer is late, but before the exchange's: the exchange is over. */
static void test_restart_is_late_and_wins(void **state)
{
    (void)state;
    begin(NULL);
    harm(server, 3, 30 * MS);
    struct question question = ask(sim, client, server, 3, 3000, NULL);
    assert_true(question.restarted);
    assert_int_equal(question.got, 3000);
    assert_int_equal(answerer.executed[3], 1);
    assert_int_equal(COUNTER(client, restarts_late), 1);
    assert_int_equal(COUNTER(client, restarts_lost), 0);
    end();
}

/* Both are answered, the exchange first: what comes for the restart is reset, and not read. */
static void test_exchange_wins(void **state)
{
    (void)state;
    begin(NULL);
    harm(server, 3, 40 * MS);
    fate.count = 3; /* the restart's answer; the <SYN,ACK(SYN)> is not among them */
    struct question question = ask(sim, client, server, 3, 3000, NULL);
    assert_false(question.restarted);
    assert_int_equal(question.got, 3000);
    assert_int_equal(answerer.executed[3], 2);
    assert_int_equal(COUNTER(client, restarts_lost), 1);
    assert_true(fate.resets > 0);
    end();
}

/* Each step of delay between those two, and each number of packets: always one answer. */
static void test_every_finish(void **state)
{
    (void)state;
    begin(NULL);
    uint32_t id = 3;
    for (uint64_t delay_us = 500; delay_us < 70 * MS; delay_us += 3500)
        for (uint64_t count = 1; count <= 4; count++) {
            ask(sim, client, server, id, 3000, NULL);
            ask(sim, client, server, id + 1, 3000, NULL);
            harm(server, count, delay_us);
            struct question question = ask(sim, client, server, id + 2, 3000, NULL);
            assert_int_equal(question.error, TCPCT_OK);
            assert_int_equal(question.got, 3000);
            assert_in_range(answerer.executed[id + 2], 1, 2);
            id += 3;
        }
    assert_true(COUNTER(client, restarts_late) > COUNTER(client, restarts_lost));
    assert_true(COUNTER(client, restarts_lost) > 0);
    end();
}

/* A large request goes on where it was, in either case. */
static void test_large_request(void **state)
{
    (void)state;
    begin(NULL);
    harm(client, 1, 0);
    static struct question question;
    ask_begin(&question, client, server, 3, 30000, NULL);
    assert_true(sim_until(sim, question_over, &question, 10 * SECOND));
    assert_int_equal(question.got, 30000);
    assert_false(question.restarted);
    end();
}

/* The application gives up while both are under way. */
static void test_aborted(void **state)
{
    (void)state;
    begin(NULL);
    client->unplugged = true;
    static struct question question;
    ask_begin(&question, client, server, 3, 3000, NULL);
    sim_run(sim, 100 * MS);
    assert_int_equal(tcpct_connection_count(client->stack), 2);
    tcpct_abort(question.connection);
    sim_turn(sim);
    assert_int_equal(tcpct_connection_count(client->stack), 0);
    client->unplugged = false;
    end();
}

/* Nobody is there any more: both end with the user timeout. */
static void test_nobody_answers(void **state)
{
    (void)state;
    begin(NULL);
    client->unplugged = true;
    struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                             .restart = true,
                                             .user_timeout_us = 20 * SECOND };
    struct question question = ask(sim, client, server, 3, 3000, &options);
    assert_int_equal(question.error, TCPCT_ERROR_TIMEOUT);
    assert_in_range(question.done_us - question.begun_us, 20 * SECOND, 21 * SECOND);
    client->unplugged = false;
    end();
}

/* No TCB is left for it: the exchange takes the restart's place. */
static void test_no_room_for_two(void **state)
{
    (void)state;
    struct sim_config config = { .seed = 5 };
    config.stacks[0].connections_max = 2;
    sim = asking_begin(&config);
    client = &sim->hosts[0];
    server = &sim->hosts[1];
    answerer = (struct answerer){ .listener = NULL };
    answer_questions(server, &answerer, NULL);
    sim->filter = filter;
    struct tcpct_connection *other;
    struct tcpct_connect_options elsewhere = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                               .remote = { 4, { 10, 0, 0, 99 } },
                                               .remote_port = 53 };
    assert_int_equal(tcpct_connect(client->stack, &elsewhere, &other, sim->now_us), TCPCT_OK);
    for (uint32_t id = 0; id < 3; id++)
        ask(sim, client, server, id, 3000, NULL);
    harm(client, 1, 0);
    struct question question = ask(sim, client, server, 3, 3000, NULL);
    assert_false(question.restarted);
    assert_int_equal(question.got, 3000);
    assert_int_equal(answerer.executed[3], 1);
    tcpct_abort(other);
    end();
}

/* Whether a restart is tried for the next question, and if so, lost. */
static bool lost_again(uint32_t *id)
{
    uint64_t tried = COUNTER(client, restarts);
    harm(client, 1, 0);
    assert_false(ask(sim, client, server, (*id)++, 3000, NULL).restarted);
    return COUNTER(client, restarts) > tried;
}

/* R6: two in a row, and there is no restart for ten seconds; each further one doubles that, up to five
 * minutes. One that is answered ends it. */
static void test_path_that_refuses_restarts(void **state)
{
    (void)state;
    static const uint64_t shunned_s[] = { 10, 20, 40, 80, 160, 300, 300 };
    uint32_t id = 3;
    begin(NULL);
    assert_true(lost_again(&id));
    for (unsigned i = 0; i < sizeof(shunned_s) / sizeof(shunned_s[0]); i++) {
        assert_true(lost_again(&id));
        uint64_t end_us = sim->now_us + shunned_s[i] * SECOND;
        while (sim->now_us + 3 * SECOND < end_us) {
            assert_false(lost_again(&id)); /* but a pair is fetched */
            sim_run(sim, min_u64(20 * SECOND, end_us - sim->now_us - 2 * SECOND));
        }
        sim_run(sim, 3 * SECOND);
    }
    sim->filter = NULL;
    assert_true(ask(sim, client, server, id++, 3000, NULL).restarted);
    sim->filter = filter;
    assert_true(lost_again(&id));
    assert_true(lost_again(&id));
    sim_run(sim, 9 * SECOND);
    assert_false(lost_again(&id));
    sim_run(sim, 2 * SECOND);
    assert_true(lost_again(&id));
    end();
}

/* R4, for a client that asks again in the turn in which it reads the end of a short answer: as nothing has
 * acknowledged that, the same pair would be refused. */
static struct again {
    struct tcpct_connection *connection;
    unsigned left;
    uint32_t id, size, got;
    unsigned restarted;
} again;

static void ask_again(struct sim_host *host)
{
    uint8_t bytes[QUESTION_SIZE];
    const struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                                   .restart = true,
                                                   .remote = server->ipv4,
                                                   .remote_port = SIM_PORT,
                                                   .request = bytes,
                                                   .request_size = sizeof(bytes) };
    wire_put32(bytes, again.id++);
    wire_put32(bytes + 4, again.size);
    again.got = 0;
    assert_int_equal(tcpct_connect(host->stack, &options, &again.connection, sim->now_us),
                     TCPCT_OK);
}

static void serve_again(struct sim_host *host, const struct tcpct_event *event)
{
    uint8_t bytes[4096];
    struct tcpct_info info;
    ptrdiff_t got;
    if (event->connection != again.connection || !(event->flags & TCPCT_EVENT_READABLE))
        return;
    while ((got = tcpct_receive(again.connection, bytes, sizeof(bytes))) > 0)
        again.got += (uint32_t)got;
    if (got != TCPCT_ERROR_CLOSED)
        return;
    assert_int_equal(again.got, again.size);
    tcpct_connection_info(again.connection, &info);
    again.restarted += info.restarted;
    tcpct_close(again.connection);
    again.connection = NULL;
    if (--again.left)
        ask_again(host);
}

static bool again_over(const void *context)
{
    (void)context;
    return again.left == 0;
}

static void test_again_at_once(void **state)
{
    (void)state;
    for (uint32_t size = 300; size <= 30000; size *= 10) {
        begin(NULL);
        again = (struct again){ .left = 20, .id = 3, .size = size };
        client->serve = serve_again;
        ask_again(client);
        assert_true(sim_until(sim, again_over, NULL, 20 * SECOND));
        assert_true(again.restarted >= 19); /* by two pairs in turn, once there are two */
        assert_int_equal(COUNTER(client, restarts_lost), 0);
        assert_int_equal(COUNTER(server, restarts_refused), 0);
        end();
    }
}

/* One that asks every ten seconds never waits for an exchange, although each pair is good for a
 * minute only. */
static void test_renewal(void **state)
{
    (void)state;
    begin(NULL);
    for (uint32_t id = 3; id < 63; id++) {
        sim_run(sim, 10 * SECOND);
        struct question question = ask(sim, client, server, id, 3000, NULL);
        assert_true(question.restarted);
        assert_in_range(question.done_us - question.begun_us, 20 * MS, 21 * MS);
    }
    assert_in_range(COUNTER(client, renewals), 12, 20);
    assert_int_equal(COUNTER(client, renewals) + 1, COUNTER(server, syn_cookie));
    end();
}

/* The exchange that renews is lost: it is asked for again, a while later. */
static void test_renewal_is_lost(void **state)
{
    (void)state;
    begin(NULL);
    sim_run(sim, 35 * SECOND);
    harm(client, 2, 0);
    fate.first++; /* the opening passes, the <SYN> beside it does not, nor the FIN at first */
    assert_true(ask(sim, client, server, 3, 3000, NULL).restarted);
    sim_run(sim, 10 * SECOND);
    assert_true(ask(sim, client, server, 4, 3000, NULL).restarted);
    assert_int_equal(COUNTER(client, renewals), 1);
    sim_run(sim, 30 * SECOND);
    ask(sim, client, server, 5, 3000, NULL);
    assert_true(ask(sim, client, server, 6, 3000, NULL).restarted);
    end();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, sim_teardown)
    const struct CMUnitTest tests[] = {
        TEST(opening_is_lost),
        TEST(answer_is_lost),
        TEST(restart_is_late_and_wins),
        TEST(exchange_wins),
        TEST(every_finish),
        TEST(large_request),
        TEST(aborted),
        TEST(nobody_answers),
        TEST(no_room_for_two),
        TEST(again_at_once),
        TEST(path_that_refuses_restarts),
        TEST(renewal),
        TEST(renewal_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
