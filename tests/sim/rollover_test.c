/* rollover_test.c - secrets change while many exchanges are under way: no handshake is lost, and
 * every cookie that may still come is verified (RFC 6013, 3.5.3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/stream.h"

enum {
    MILLISECOND = 1000,
    SECOND = 1000000,
    MSL = 2 * SECOND,
    EXCHANGES = 2400,
    SPACING = 25 * MILLISECOND, /* a minute in all */
    INTERVAL = 9 * SECOND,
};

static struct stream streams[EXCHANGES], accepted[EXCHANGES];

static void plan(struct stream *stream, const struct tcpct_info *info)
{
    (void)info;
    stream->to_get = 100;
    stream->to_send = 300;
    stream->close = STREAM_FOLLOW;
}

static bool all_done(const void *context)
{
    (void)context;
    for (unsigned i = 0; i < EXCHANGES; i++)
        if (!streams[i].done)
            return false;
    return true;
}

static void connect_one(struct sim *sim, unsigned i)
{
    const struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT };
    streams[i] = (struct stream){ .to_send = 100, .to_get = 300 };
    stream_connect(&streams[i], &sim->hosts[0], &sim->hosts[1], i % 2 ? 6 : 4, &options);
}

/* With a round trip of this length, nothing being lost. */
static void roll(uint64_t delay_us)
{
    const struct link_path path = { .delay_us = delay_us };
    const struct tcpct_config config = { .msl_us = MSL,
                                         .connections_max = 2 * EXCHANGES,
                                         .secret_interval_us = INTERVAL };
    struct sim *sim = sim_begin(&(struct sim_config){
        .seed = 1, .up = { path }, .down = { path }, .stacks = { config, config } });
    struct stream_server server = { .plan = plan, .streams = accepted, .max = EXCHANGES };
    struct tcpct_counters counters;
    stream_listen(&sim->hosts[1], &server,
                  &(struct tcpct_listen_options){ .parameters = TCPCT_PARAMETERS_DEFAULT,
                                                  .backlog = EXCHANGES });
    for (unsigned i = 0; i < EXCHANGES; i++) {
        connect_one(sim, i);
        sim_run(sim, SPACING);
    }
    assert_true(sim_until(sim, all_done, NULL, 60ull * SECOND));
    for (unsigned i = 0; i < EXCHANGES; i++)
        stream_check(&streams[i]);
    tcpct_counters(sim->hosts[1].stack, &counters);
    assert_int_equal(server.count, EXCHANGES);
    assert_int_equal(counters.openings, EXCHANGES);
    assert_int_equal(counters.openings_plain, 0);
    assert_int_equal(counters.verdicts[TCPCT_BAD_COOKIE], 0);
    assert_true(counters.secrets_made >= 6);
    /* at each rollover those under way were still good */
    assert_true(counters.openings_secondary >= 5 * (2 * delay_us / SPACING) / 2);
    sim_end(sim);
}

static void test_short_round_trip(void **state)
{
    (void)state;
    roll(100ull * MILLISECOND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, sim_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_short_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
