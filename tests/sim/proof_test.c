/* proof_test.c - whoever has recorded an opening gets one flight sent to the address that it came
 * from, however often and with whatever TS Value it comes again: until an acknowledgment proves that
 * somebody is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/asking.h"

#define MS ((uint64_t)1000)
#define SECOND ((uint64_t)1000000)
enum { ANSWER = 23894, WIRE = ANSWER + 20 * 100, SEGMENT = 1500 };

static struct answerer answerer;
static struct sim *sim;
static struct sim_host *client, *server;

/* The last opening that the client sent. */
static struct {
    uint8_t bytes[2048];
    size_t length;
} recorded;

static void record(void *context, struct sim_packet *packet)
{
    const struct segment *segment = packet->segment;
    (void)context;
    if (packet->from != client || segment->flags & SEGMENT_SYN ||
        !(segment->options.present & OPTION_MSS))
        return;
    struct tcpct_packet copy = { .data = recorded.bytes, .size = sizeof(recorded.bytes) };
    assert_true(segment_encode(segment, &copy, false));
    recorded.length = copy.length;
}

static void begin(const struct sim_config *config)
{
    sim = asking_begin(config);
    client = &sim->hosts[0];
    server = &sim->hosts[1];
    answerer = (struct answerer){ .listener = NULL };
    answer_questions(server, &answerer, NULL);
    sim->filter = record;
}

static void end(void)
{
    sim_run(sim, 400 * SECOND);
    assert_int_equal(sim_connections(sim), 0);
    sim_end(sim);
}

/* The recording, so much later by its own account. */
static enum tcpct_verdict replay(uint32_t later)
{
    uint8_t bytes[2048];
    struct segment segment;
    struct tcpct_packet packet = { .data = recorded.bytes,
                                   .length = recorded.length,
                                   .size = recorded.length };
    assert_int_equal(segment_decode(&segment, &packet, NULL), SEGMENT_OK);
    segment.options.timestamp_value += later;
    packet = (struct tcpct_packet){ .data = bytes, .size = sizeof(bytes) };
    assert_true(segment_encode(&segment, &packet, false));
    return sim_input(server, &packet);
}

/* Replays it many times; returns the bytes that the server sends. */
static uint64_t replay_often(uint32_t first)
{
    uint64_t before = COUNTER(server, bytes_out);
    for (uint32_t i = 0; i < 50; i++) {
        replay(first + i * 100000);
        sim_run(sim, i * 3 * MS);
    }
    sim_run(sim, 300 * SECOND);
    return COUNTER(server, bytes_out) - before;
}

static void test_one_flight(void **state)
{
    (void)state;
    begin(NULL);
    for (uint32_t id = 0; id < 3; id++)
        ask(sim, client, server, id, ANSWER, NULL);
    client->unplugged = true;
    assert_in_range(replay_often(1000000), ANSWER, WIRE + 3 * SEGMENT);
    assert_int_equal(answerer.executed[2], 2);
    assert_int_equal(COUNTER(server, restarts_unproved), 1);
    assert_int_equal(COUNTER(server, restarts_refused), 49);
    assert_int_equal(tcpct_connection_count(server->stack), 0);
    client->unplugged = false; /* its owner comes again, with the same pair or another */
    assert_int_equal(ask(sim, client, server, 3, ANSWER, NULL).got, ANSWER);
    end();
}

/* The same or an earlier TS Value gets nothing at all. */
static void test_old_ones(void **state)
{
    (void)state;
    begin(NULL);
    for (uint32_t id = 0; id < 3; id++)
        ask(sim, client, server, id, ANSWER, NULL);
    uint64_t before = COUNTER(server, bytes_out);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(replay(0u - i * 100000), TCPCT_UNACCEPTABLE);
    assert_int_equal(COUNTER(server, bytes_out), before);
    assert_int_equal(COUNTER(server, restarts_old), 50);
    end();
}

/* Where the entry is lost, it is the initial window, as for any new connection. */
static void test_without_entry(void **state)
{
    (void)state;
    begin(NULL);
    for (uint32_t id = 0; id < 3; id++)
        ask(sim, client, server, id, ANSWER, NULL);
    tcpct_remembered_flush(server->stack);
    client->unplugged = true;
    assert_in_range(replay_often(1000000), 10000, 14600 + 30 * SEGMENT);
    assert_int_equal(answerer.executed[2], 2);
    end();
}

/* While a TCB is there that nobody has acknowledged, and after it is proved. */
static void test_tcb_is_replaced_only_if_proved(void **state)
{
    (void)state;
    begin(NULL);
    static struct question question;
    ask(sim, client, server, 0, ANSWER, NULL);
    ask_begin(&question, client, server, 1, 60000, NULL);
    sim_run(sim, 15 * MS); /* its answer is on its way */
    assert_int_equal(replay(1000000), TCPCT_UNACCEPTABLE);
    sim_run(sim, 21 * MS); /* and in part acknowledged */
    assert_int_equal(tcpct_connection_count(server->stack), 1);
    assert_int_equal(replay(1000000), TCPCT_ACCEPTED);
    sim_turn(sim);
    assert_int_equal(answerer.executed[1], 2);
    tcpct_abort(question.connection); /* its answer ends there, and it cannot know */
    end();
}

/* What may be out unproved is bounded for each prefix: then the initial window must do. */
static void test_budget(void **state)
{
    (void)state;
    struct sim_config config = { .seed = 5 };
    config.stacks[1].memory_budget = 1 << 20;
    begin(&config);
    for (uint32_t id = 0; id < 3; id++)
        ask(sim, client, server, id, ANSWER, NULL);
    struct question question = ask(sim, client, server, 3, ANSWER, NULL);
    assert_true(question.restarted);
    assert_in_range(question.done_us - question.begun_us, 40 * MS, 50 * MS);
    assert_true(COUNTER(server, unproved_full) > 0);
    end();
}

/* ... and given back by proof and by the end: 200 restarts in a row do not use it up. */
static void test_budget_is_given_back(void **state)
{
    (void)state;
    struct sim_config config = { .seed = 5 };
    config.stacks[1].memory_budget = 1 << 22; /* 64 KB for a prefix */
    begin(&config);
    for (uint32_t id = 0; id < 200; id++)
        ask(sim, client, server, id, ANSWER, NULL);
    assert_int_equal(COUNTER(server, unproved_full), 0);
    end();
}

/* Tail probe, two timeouts, and no more; the probe after twice the remembered SRTT. */
static uint64_t sent_us[64];
static unsigned sent_count;

static void note_times(void *context, struct sim_packet *packet)
{
    record(context, packet);
    if (packet->from == server && packet->segment->data_size && sent_count < 64)
        sent_us[sent_count++] = sim->now_us;
}

static void test_probe_and_timeouts(void **state)
{
    (void)state;
    begin(NULL);
    for (uint32_t id = 0; id < 3; id++)
        ask(sim, client, server, id, 4000, NULL);
    sim->filter = note_times;
    sent_count = 0;
    client->unplugged = true;
    uint64_t begun_us = sim->now_us;
    replay(1000000);
    sim_run(sim, 300 * SECOND);
    assert_int_equal(sent_count, 3 + 1 + 2); /* three segments, a probe, two timeouts */
    assert_in_range(sent_us[3] - begun_us, 40 * MS, 50 * MS);
    assert_in_range(sent_us[4] - sent_us[3], 150 * MS, 400 * MS);
    client->unplugged = false;
    end();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, sim_teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_flight),
        TEST(old_ones),
        TEST(without_entry),
        TEST(tcb_is_replaced_only_if_proved),
        TEST(budget),
        TEST(budget_is_given_back),
        TEST(probe_and_timeouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
