/* export_test.c - what an Initiator remembers goes on in another stack: with the same numbers and later
 * TS Values, whatever either stack's clock says; damage is found, wherever it is; and a clock that
 * was set back makes nothing of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/tcb.h"
#include "tests/sim/asking.h"

#define MS ((uint64_t)1000)
#define SECOND ((uint64_t)1000000)
enum { ROOM = 65536 };

static const uint64_t wall_us = 1800000000ull * SECOND;
static struct answerer answerer;
static struct sim *sim;
static struct sim_host *client, *server;
static uint8_t bytes[ROOM];
static uint32_t last_value; /* the TS Value of the last opening */

static void watch(void *context, struct sim_packet *packet)
{
    const struct tcp_options *options = &packet->segment->options;
    (void)context;
    if (packet->from == client && options->present & OPTION_TIMESTAMPS_EXTENDED)
        last_value = options->timestamp_value;
}

static void begin(void)
{
    sim = asking_begin(NULL);
    client = &sim->hosts[0];
    server = &sim->hosts[1];
    answerer = (struct answerer){ .listener = NULL };
    answer_questions(server, &answerer, NULL);
    sim->filter = watch;
    for (uint32_t id = 0; id < 3; id++)
        ask(sim, client, server, id, 3000, NULL);
}

static size_t export(void)
{
    return tcpct_remembered_export(client->stack, bytes, sizeof(bytes), wall_us, sim->now_us);
}

static int import_at(size_t size, uint64_t wall_clock_us)
{
    return tcpct_remembered_import(client->stack, bytes, size, wall_clock_us, sim->now_us);
}

static void end(void)
{
    sim_run(sim, 400 * SECOND);
    assert_int_equal(sim_connections(sim), 0);
    sim_end(sim);
}

static void test_goes_on(void **state)
{
    (void)state;
    begin();
    size_t size = export();
    assert_int_equal(tcpct_remembered_export(client->stack, bytes, size - 1, 0, 0), size);
    uint32_t before = last_value;
    sim_reboot(client);
    assert_int_equal(import_at(size, wall_us + 10 * MS), TCPCT_OK);
    struct question question = ask(sim, client, server, 3, 3000, NULL);
    assert_true(question.restarted);
    assert_in_range(question.done_us - question.begun_us, 20 * MS, 21 * MS);
    assert_true((int32_t)(last_value - before) > 0);
    assert_int_equal(answerer.executed[3], 1);
    assert_true(ask(sim, client, server, 4, 3000, NULL).restarted);
    end();
}

/* Many runs, one after the other, each with the file of the one before. */
static void test_many_runs(void **state)
{
    (void)state;
    begin();
    for (uint32_t id = 3; id < 40; id++) {
        size_t size = export();
        sim_reboot(client);
        assert_int_equal(import_at(size, wall_us), TCPCT_OK);
        uint32_t before = last_value;
        assert_true(ask(sim, client, server, id, 3000, NULL).restarted);
        assert_true((int32_t)(last_value - before) > 0);
    }
    end();
}

/* The other stack's clock begins at zero, or far ahead: TS Values do not care. */
static void test_other_clock(void **state)
{
    (void)state;
    const uint64_t clocks_us[] = { 5 * SECOND, 86400 * SECOND, 86400000 * SECOND };
    begin();
    size_t size = export();
    sim_run(sim, 200 * SECOND);
    sim_end(sim);
    uint64_t least = 0;
    for (unsigned i = 0; i < 3; i++) {
        sim = sim_begin(&(struct sim_config){ .seed = 7, .start_us = clocks_us[i] });
        client = &sim->hosts[0];
        assert_int_equal(import_at(size, wall_us + 3 * SECOND), TCPCT_OK);
        const struct remember_key key = { .remote = sim->hosts[1].ipv4 };
        const struct remember_table *table = &client->stack->remembered[1][0];
        struct remembered *entry = remember_first(table, &key);
        assert_non_null(entry);
        const struct remembered_pair *pair = remember_pair(table, entry);
        uint64_t value = (uint32_t)(sim->now_us / 1000 + pair->timestamp_offset);
        least = i ? least : value;
        assert_int_equal(value, least);
        assert_int_equal(pair->trusted_s - sim->now_us / SECOND, 57);
        assert_int_equal((uint32_t)(sim->now_us / SECOND) - entry->path.taken_s, 3);
        sim_end(sim);
    }
}

static void test_too_late(void **state)
{
    (void)state;
    begin();
    size_t size = export();
    sim_reboot(client);
    assert_int_equal(import_at(size, wall_us + 61 * SECOND), TCPCT_OK);
    assert_false(ask(sim, client, server, 3, 3000, NULL).restarted);
    end();
}

static void test_clock_was_set_back(void **state)
{
    (void)state;
    begin();
    size_t size = export();
    sim_reboot(client);
    assert_int_equal(import_at(size, wall_us - 1), TCPCT_OK);
    assert_int_equal(tcpct_remembered_export(client->stack, NULL, 0, 0, 0), 20 + 16);
    assert_false(ask(sim, client, server, 3, 3000, NULL).restarted);
    end();
}

/* Each bit, and each length. */
static void test_damage(void **state)
{
    (void)state;
    begin();
    size_t size = export();
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(import_at(size, wall_us), TCPCT_ERROR_INVALID);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t length = 0; length < size; length++)
        assert_int_equal(import_at(length, wall_us), TCPCT_ERROR_INVALID);
    assert_int_equal(import_at(size, wall_us), TCPCT_OK);
    end();
}

/* What is of no use is left out: an address that is not ours. What is: both families, in their order. */
static void test_both_families(void **state)
{
    (void)state;
    begin();
    struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                             .restart = true,
                                             .remote = server->ipv6 };
    ask(sim, client, server, 3, 3000, &options);
    size_t size = export();
    sim_reboot(client);
    assert_int_equal(import_at(size, wall_us), TCPCT_OK);
    assert_true(ask(sim, client, server, 4, 3000, &options).restarted);
    assert_true(ask(sim, client, server, 5, 3000, NULL).restarted);
    assert_int_equal(tcpct_remembered_import(server->stack, bytes, size, wall_us, sim->now_us),
                     TCPCT_OK);
    assert_int_equal(tcpct_remembered_export(server->stack, NULL, 0, 0, 0), 20 + 16);
    end();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, sim_teardown)
    const struct CMUnitTest tests[] = {
        TEST(goes_on),       TEST(many_runs),          TEST(other_clock),
        TEST(too_late),      TEST(clock_was_set_back), TEST(damage),
        TEST(both_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
