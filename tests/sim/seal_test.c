/* seal_test.c - a Responder that remembers nothing: its clients keep what their paths can carry, and
 * restart in one round trip, also at another server with the same key; what is wrong with a seal costs no
 * more than the initial window, or an exchange. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/tcb.h"
#include "tests/sim/asking.h"

#define MS ((uint64_t)1000)
#define SECOND ((uint64_t)1000000)

enum { SIZE = 23894, BITS = 480 };

static const uint8_t keys[2 * TCPCT_SEAL_KEY_SIZE] =
    "the key of all these servers ...a later one, of the same ......";
static struct answerer answerer;
static struct sim *sim;
static struct sim_host *client, *server;
static uint32_t next_id;

static void begin_with(struct sim_config config, const struct tcpct_listen_options *options)
{
    config.seed = 5;
    config.stacks[0].keep_seals = true;
    config.stacks[1].seal_keys = keys;
    config.stacks[1].seal_key_count = 1;
    sim = asking_begin(&config);
    client = &sim->hosts[0];
    server = &sim->hosts[1];
    answerer = (struct answerer){ .listener = NULL };
    next_id = 0;
    answer_questions(server, &answerer, options);
}

static void begin(void)
{
    begin_with((struct sim_config){ .hosts = 0 }, NULL);
}

static void end(void)
{
    sim_run(sim, 200 * SECOND);
    assert_int_equal(sim_connections(sim), 0);
    sim_end(sim);
}

/* How long it takes; 20 ms and 50 Mbit/s. Before it the last <ACK(FIN)> arrives: its seal knows all. */
static uint64_t ask_one(bool restarted, const struct tcpct_connect_options *options)
{
    uint32_t id = next_id++;
    sim_run(sim, 20 * MS);
    struct question question = ask(sim, client, server, id, SIZE, options);
    assert_int_equal(question.error, TCPCT_OK);
    assert_int_equal(question.restarted, restarted);
    assert_int_equal(answerer.executed[id], 1);
    return question.done_us - question.begun_us;
}

#define assert_one_round_trip(us) assert_in_range(us, 20 * MS, 25 * MS)
#define assert_initial_window(us) assert_in_range(us, 40 * MS, 50 * MS)

/* The client's only seal. */
static struct remembered_seal *seal_of(unsigned family)
{
    const struct remember_table *table = &client->stack->remembered[1][family == 6];
    struct remembered *entry = remember_oldest(table);
    assert_non_null(entry);
    return remember_seal(table, entry);
}

static void another_server(const uint8_t *its_keys, unsigned count)
{
    sim->config.stacks[1].seal_keys = its_keys;
    sim->config.stacks[1].seal_key_count = count;
    sim_reboot(server);
    answer_questions(server, &answerer, NULL);
}

static void test_one_round_trip(void **state)
{
    (void)state;
    begin();
    ask_one(false, NULL);
    for (unsigned i = 1; i <= 4; i++) {
        assert_one_round_trip(ask_one(true, NULL));
        assert_true(answerer.last.restarted);
        assert_int_equal(COUNTER(server, seals_opened), i);
    }
    for (unsigned i = 0; i < 2; i++) /* not even a table */
        assert_null(server->stack->remembered[0][i].table.entries);
    assert_int_equal(COUNTER(server, syn_cookie), 1);
    assert_int_equal(COUNTER(server, openings_sealed), 0);
    end();
}

/* It has the key and nothing else: no secret, no entry. */
static void serve_another_server(unsigned family, uint8_t extend_ts)
{
    struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                             .restart = true };
    begin();
    options.parameters.extend_ts = extend_ts;
    options.remote = family == 6 ? server->ipv6 : server->ipv4;
    ask_one(false, &options);
    for (unsigned i = 0; i < 3; i++) {
        another_server(keys, 1);
        assert_one_round_trip(ask_one(true, &options));
        assert_true(answerer.last.restarted);
        assert_int_equal(COUNTER(server, openings_sealed), 1);
        assert_one_round_trip(ask_one(true, &options));
        assert_int_equal(COUNTER(server, openings_sealed), 2); /* it has not made the pair */
        assert_int_equal(COUNTER(server, syn_cookie), 0);
    }
    assert_int_equal(COUNTER(client, restarts_late), 0);
    end();
}

static void test_another_server(void **state)
{
    (void)state;
    serve_another_server(4, 32);
    serve_another_server(6, 32);
}

static void test_another_server_with_wide_timestamps(void **state)
{
    (void)state;
    serve_another_server(4, 64);
    serve_another_server(6, 128);
}

/* One that has another key, or none, is as one that was started again: an exchange takes its place. */
static void test_server_without_the_key(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        begin();
        ask_one(false, NULL);
        ask_one(true, NULL);
        another_server(i ? NULL : keys + TCPCT_SEAL_KEY_SIZE, 1);
        assert_in_range(ask_one(false, NULL), 60 * MS, 110 * MS);
        assert_int_equal(COUNTER(server, seals_ignored) > 0, i == 0);
        assert_int_equal(COUNTER(server, openings_sealed), 0);
        end();
    }
}

/* A new key is given to all before it makes seals, and the old one is kept for two MSL. */
static void test_key_is_replaced(void **state)
{
    (void)state;
    uint8_t both[2 * TCPCT_SEAL_KEY_SIZE];
    memcpy(both, keys + TCPCT_SEAL_KEY_SIZE, TCPCT_SEAL_KEY_SIZE);
    memcpy(both + TCPCT_SEAL_KEY_SIZE, keys, TCPCT_SEAL_KEY_SIZE);
    begin();
    ask_one(false, NULL);
    another_server(keys, 2);
    assert_one_round_trip(ask_one(true, NULL));
    another_server(both, 2);
    assert_one_round_trip(ask_one(true, NULL));
    another_server(keys, 2);
    assert_one_round_trip(ask_one(true, NULL));
    another_server(both, 1);
    assert_false(ask_one(false, NULL) < 60 * MS);
    end();
}

/* Of the pair's own server: what is wrong is ignored, and the restart begins with the initial window. */
static void test_altered(void **state)
{
    (void)state;
    begin();
    ask_one(false, NULL);
    for (unsigned bit = 0; bit < BITS; bit += 17) {
        sim_run(sim, 20 * MS);
        struct remembered_seal *seal = seal_of(4);
        assert_int_equal(seal->size, BITS / 8);
        seal->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_initial_window(ask_one(true, NULL));
        assert_int_equal(COUNTER(server, seals_ignored), bit / 17 + 1);
    }
    assert_int_equal(COUNTER(server, seals_opened), 0);
    assert_one_round_trip(ask_one(true, NULL));
    end();
}

static void test_truncated(void **state)
{
    (void)state;
    begin();
    ask_one(false, NULL);
    for (unsigned size = 33; size <= SEAL_SIZE_MAX; size++) {
        if (size == BITS / 8)
            continue;
        sim_run(sim, 20 * MS);
        seal_of(4)->size = (uint8_t)size;
        assert_initial_window(ask_one(true, NULL));
    }
    assert_int_equal(COUNTER(server, seals_ignored), SEAL_SIZE_MAX - 33);
    end();
}

/* Nobody has the pair of another connection by its seal. */
static void test_of_another_connection(void **state)
{
    (void)state;
    struct remembered_seal first;
    struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                             .restart = true,
                                             .local_port = 50001 };
    begin();
    ask_one(false, &options);
    sim_run(sim, 20 * MS);
    first = *seal_of(4);
    tcpct_remembered_flush(client->stack);
    options.local_port = 50002;
    ask_one(false, &options);
    sim_run(sim, 20 * MS);
    *seal_of(4) = first;
    assert_initial_window(ask_one(true, &options));
    assert_int_equal(COUNTER(server, seals_ignored), 1);
    end();
}

/* The server's MSL is 5 s: its seals live for 10 s, while its clients trust the pair for 60 s. */
static void test_expiry(void **state)
{
    (void)state;
    struct sim_config config = { .hosts = 0 };
    config.stacks[1].msl_us = 5 * SECOND;
    begin_with(config, NULL);
    ask_one(false, NULL);
    sim_run(sim, 9 * SECOND);
    assert_one_round_trip(ask_one(true, NULL));
    sim_run(sim, 11 * SECOND);
    assert_initial_window(ask_one(true, NULL)); /* the secret lives for a little longer */
    assert_int_equal(COUNTER(server, seals_expired), 1);
    end();
}

/* A seal is good for one opening at each server: whoever has recorded it gets nothing there. */
static void test_used_once(void **state)
{
    (void)state;
    begin();
    ask_one(false, NULL);
    sim_run(sim, 20 * MS);
    struct remembered_seal seal = *seal_of(4);
    assert_one_round_trip(ask_one(true, NULL));
    sim_run(sim, 20 * MS);
    *seal_of(4) = seal;
    assert_false(ask_one(false, NULL) < 60 * MS);
    assert_int_equal(COUNTER(server, seals_spent) > 0, true);
    sim_run(sim, 20 * MS);
    seal = *seal_of(4);
    another_server(keys, 1);
    assert_one_round_trip(ask_one(true, NULL));
    sim_run(sim, 20 * MS);
    *seal_of(4) = seal;
    assert_false(ask_one(false, NULL) < 60 * MS);
    assert_int_equal(COUNTER(server, seals_spent) > 0, true);
    end();
}

/* An opening that was recorded is executed once more by each server that has not seen its seal, and by no
 * other; a TCB of the same pair that has proved nothing stands against it, as without seals. */
static uint8_t recorded_bytes[2048];
static struct tcpct_packet recorded = { .data = recorded_bytes, .size = sizeof(recorded_bytes) };

static void record(void *context, struct sim_packet *packet)
{
    (void)context;
    if (packet->from == client && recorded.length == 0 &&
        packet->segment->options.present & OPTION_SEAL)
        assert_true(segment_encode(packet->segment, &recorded, false));
}

static void test_recorded(void **state)
{
    (void)state;
    begin();
    ask_one(false, NULL);
    recorded.length = 0;
    sim->filter = record;
    ask_one(true, NULL);
    sim_run(sim, SECOND);
    assert_int_equal(sim_input(server, &recorded), TCPCT_UNACCEPTABLE);
    assert_int_equal(COUNTER(server, seals_spent), 1);
    assert_int_equal(answerer.executed[1], 1);
    another_server(keys, 1);
    assert_int_equal(sim_input(server, &recorded), TCPCT_ACCEPTED);
    sim_input(server, &recorded); /* it meets its TCB, which has its data */
    sim_run(sim, 100 * MS);
    assert_int_equal(answerer.executed[1], 2);
    assert_int_equal(COUNTER(server, openings_sealed), 1);
    sim_run(sim, 62 * SECOND);
    another_server(keys, 1);
    assert_int_equal(sim_input(server, &recorded), TCPCT_BAD_COOKIE);
    assert_int_equal(COUNTER(server, seals_expired), 1);
    assert_int_equal(answerer.executed[1], 2);
    end();
}

/* Who keeps no seals gets them for nothing: its restarts begin with the initial window. */
static void test_client_without_seals(void **state)
{
    (void)state;
    begin();
    sim->config.stacks[0].keep_seals = false;
    sim_reboot(client);
    ask_one(false, NULL);
    assert_initial_window(ask_one(true, NULL));
    assert_int_equal(COUNTER(server, seals_made) > 0, true);
    assert_int_equal(COUNTER(server, seals_opened), 0);
    end();
}

/* What one server has admitted the others do not know: where that counts there are no seals. */
static void test_guarded(void **state)
{
    (void)state;
    const struct tcpct_listen_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                                  .guard = 100 };
    begin_with((struct sim_config){ .hosts = 0 }, &options);
    ask_one(false, NULL);
    assert_int_equal(COUNTER(server, seals_made), 0);
    assert_int_equal(seal_of(4)->size, 0);
    end();
    begin();
    ask_one(false, NULL);
    sim_reboot(server);
    answer_questions(server, &answerer, &options);
    ask_one(false, NULL);
    assert_int_equal(COUNTER(server, openings_sealed), 0);
    end();
}

/* Of several pairs between two addresses only one has a seal, as only one has a window. */
static void test_one_at_a_time(void **state)
{
    (void)state;
    struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                             .restart = true };
    begin();
    for (unsigned i = 0; i < 3; i++) {
        options.local_port = (uint16_t)(50000 + i);
        ask_one(false, &options);
    }
    const struct remember_table *table = &client->stack->remembered[1][0];
    sim_run(sim, 20 * MS);
    unsigned seals = 0, entries = 0;
    for (struct remembered *i = remember_oldest(table); i; i = remember_newer(table, i)) {
        entries++;
        seals += remember_seal(table, i)->size > 0;
    }
    assert_int_equal(entries, 3);
    assert_int_equal(seals, 1);
    end();
}

/* Whichever packet is lost, the answers come; and when all is over, the next is a restart with its window. */
static void lose(void *context, struct sim_packet *packet)
{
    unsigned *left = context;
    if ((*left)-- == 0)
        packet->copies = 0;
}

static void test_each_packet_lost(void **state)
{
    (void)state;
    for (unsigned lost = 0; lost < 75; lost++) {
        unsigned left = lost;
        begin();
        sim->filter = lose;
        sim->filter_context = &left;
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(ask(sim, client, server, next_id++, SIZE, NULL).error, TCPCT_OK);
        assert_true(left > lost); /* it was lost */
        sim->filter = NULL;
        for (unsigned i = 0; i < 3; i++) { /* retreats are over */
            sim_run(sim, SECOND);
            ask(sim, client, server, next_id++, SIZE, NULL);
        }
        sim_run(sim, SECOND);
        assert_one_round_trip(ask_one(true, NULL));
        end();
    }
}

/* The next process of the client returns it. */
static void test_from_one_process_to_the_next(void **state)
{
    (void)state;
    static uint8_t bytes[1024];
    begin();
    ask_one(false, NULL);
    sim_run(sim, 20 * MS);
    size_t size = tcpct_remembered_export(client->stack, bytes, sizeof(bytes), SECOND, sim->now_us);
    assert_in_range(size, 1, sizeof(bytes));
    sim_reboot(client);
    assert_int_equal(tcpct_remembered_import(client->stack, bytes, size, SECOND, sim->now_us),
                     TCPCT_OK);
    assert_one_round_trip(ask_one(true, NULL));
    /* one that keeps none takes the rest */
    sim_run(sim, 20 * MS);
    size = tcpct_remembered_export(client->stack, bytes, sizeof(bytes), SECOND, sim->now_us);
    sim->config.stacks[0].keep_seals = false;
    sim_reboot(client);
    assert_int_equal(tcpct_remembered_import(client->stack, bytes, size, SECOND, sim->now_us),
                     TCPCT_OK);
    assert_initial_window(ask_one(true, NULL));
    end();
}

int main(void)
{
#define SIM(name) cmocka_unit_test_teardown(test_##name, sim_teardown)
    const struct CMUnitTest tests[] = {
        SIM(one_round_trip),
        SIM(another_server),
        SIM(another_server_with_wide_timestamps),
        SIM(server_without_the_key),
        SIM(key_is_replaced),
        SIM(altered),
        SIM(truncated),
        SIM(of_another_connection),
        SIM(expiry),
        SIM(used_once),
        SIM(recorded),
        SIM(client_without_seals),
        SIM(guarded),
        SIM(one_at_a_time),
        SIM(each_packet_lost),
        SIM(from_one_process_to_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
