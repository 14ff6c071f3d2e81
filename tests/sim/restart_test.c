/* restart_test.c - a closed connection begins again: one round trip for a reliable answer of any size
 * that earlier ones earned, with nothing held at the server; and a Cookie exchange when it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/asking.h"

#define MS ((uint64_t)1000)
#define SECOND ((uint64_t)1000000)

static struct sim *begin(void **state, const struct sim_config *given)
{
    struct sim_config config = { .seed = 5 };
    if (given)
        config = *given;
    for (unsigned i = 0; i < 2 && config.up[0].rate == 0; i++) {
        struct link_path path = { .rate = 50000000, .delay_us = 10 * MS, .queue_packets = 1000 };
        config.up[0] = config.down[0] = path;
    }
    return *state = sim_begin(&config);
}

static uint64_t counter(const struct sim_host *host, size_t offset)
{
    struct tcpct_counters counters;
    uint64_t value;
    tcpct_counters(host->stack, &counters);
    memcpy(&value, (const char *)&counters + offset, sizeof(value));
    return value;
}
#define COUNTER(host, name) counter(host, offsetof(struct tcpct_counters, name))

/* 20 ms and 50 Mbit/s: 23,894 bytes take 3.9 ms on the wire, and a restart one round trip more. */
static void test_one_round_trip(void **state)
{
    struct answerer answerer = { 0 };
    struct sim *sim = begin(state, NULL);
    struct sim_host *client = &sim->hosts[0], *server = &sim->hosts[1];
    answer_questions(server, &answerer, NULL);
    struct question cold = ask(sim, client, server, 0, 23894, NULL);
    assert_false(cold.restarted);
    print_message("cold: %u us\n", (unsigned)(cold.done_us - cold.begun_us));
    for (uint32_t id = 1; id <= 4; id++) {
        struct question again = ask(sim, client, server, id, 23894, NULL);
        print_message("restart: %u us\n", (unsigned)(again.done_us - again.begun_us));
        assert_true(again.restarted);
        assert_int_equal(answerer.executed[id], 1);
        assert_true(answerer.last.restarted);
        assert_in_range(again.done_us - again.begun_us, 20 * MS, 25 * MS);
    }
    assert_int_equal(COUNTER(client, restarts), 4);
    assert_int_equal(COUNTER(server, restarts), 4);
    assert_int_equal(COUNTER(server, syn_cookie), 1);
    sim_run(sim, 120 * SECOND);
    assert_int_equal(sim_connections(sim), 0);
    sim_end(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_one_round_trip, sim_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
