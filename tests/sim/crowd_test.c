/* crowd_test.c - many connections, one after the other and all at once, that do anything an
 * application may do: afterwards no connection is left and all memory is back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/stream.h"

enum { SECOND = 1000000, MINUTE = 60 * SECOND, CROWD = 500 };

static struct stream streams[CROWD], accepted[2 * CROWD];

/* Both ends know the plan from the Initiator's port. */
static void plan_both(uint16_t port, struct stream *initiator, struct stream *responder)
{
    struct generator generator = { port };
    uint64_t up = generate_below(&generator, 8) ? generate_below(&generator, 3000) : 60000;
    uint64_t down = generate_below(&generator, 8) ? generate_below(&generator, 3000) : 60000;
    initiator->to_send = responder->to_get = up;
    initiator->to_get = responder->to_send = down;
    initiator->close = responder->close = STREAM_SHUTDOWN;
    switch (generate_below(&generator, 6)) {
    case 0:
        initiator->close = STREAM_FOLLOW;
        break;
    case 1:
        responder->close = STREAM_FOLLOW;
        break;
    case 2:
        initiator->close = STREAM_ABORT;
        break;
    case 3:
        responder->close = STREAM_ABORT;
        break;
    case 4:
        responder->read_size = 1 + generate_below(&generator, 5000);
        responder->read_pause_us = 1000;
        break;
    default:
        break;
    }
}

static void plan(struct stream *stream, const struct tcpct_info *info)
{
    struct stream other = { 0 };
    plan_both(info->remote_port, &other, stream);
}

static void connect_one(struct sim *sim, struct stream *stream)
{
    struct stream other = { 0 };
    uint32_t dice = (uint32_t)generate(&sim->hosts[0].random);
    struct tcpct_connect_options options = {
        .parameters.cookie_desired = (uint8_t)(dice & 1 ? 8 + (dice >> 8) % 5 * 2 : 0),
    };
    *stream = (struct stream){ .close = STREAM_STAY };
    stream_connect(stream, &sim->hosts[0], &sim->hosts[1], dice & 2 ? 6 : 4, &options);
    plan_both((uint16_t)(stream->seed_out / 2), stream, &other);
}

static bool nothing_left(const void *sim)
{
    return sim_connections(sim) == 0;
}

/* A reset is sent once, and whoever waits for data would never learn of a lost one. */
static void repeat_resets(void *context, struct sim_packet *packet)
{
    (void)context;
    if (packet->segment->flags & SEGMENT_RST)
        packet->copies = 5;
}

/* An abort may overtake data or be taken for the end, and the reset of one whose connection was
 * never known may be missing; anything else ends well. */
static void check(const struct stream *stream)
{
    assert_true(stream->done);
    if (stream->error) {
        assert_true(stream->error == TCPCT_ERROR_RESET || stream->error == TCPCT_ERROR_TIMEOUT);
        assert_true(stream->got <= stream->to_get);
    } else {
        assert_int_equal(stream->got, stream->to_get);
    }
}

static size_t memory_now(const struct sim *sim)
{
    return sim->hosts[0].memory.bytes + sim->hosts[1].memory.bytes;
}

static bool all_done(const void *context)
{
    const struct stream *one = context;
    for (unsigned i = 0; i < CROWD; i++)
        if (one[i].host && !one[i].done)
            return false;
    return true;
}

static struct sim *begin(uint64_t seed, struct stream_server *server)
{
    const struct link_path path = {
        .rate = 100000000,
        .delay_us = 2000,
        .loss = 0.02,
        .reorder = 0.05,
        .reorder_us = 1000,
        .duplicate = 0.01,
    };
    const struct tcpct_config config = { .msl_us = 2 * SECOND,
                                         .connections_max = 2000,
                                         .secret_interval_us = 9 * SECOND };
    struct sim *sim = sim_begin(&(struct sim_config){
        .seed = seed, .up = { path }, .down = { path }, .stacks = { config, config } });
    sim->filter = repeat_resets;
    memset(streams, 0, sizeof(streams));
    memset(accepted, 0, sizeof(accepted));
    *server = (struct stream_server){ .plan = plan, .streams = accepted, .max = 2 * CROWD };
    stream_listen(
        &sim->hosts[1], server,
        &(struct tcpct_listen_options){ .parameters = TCPCT_PARAMETERS_DEFAULT, .backlog = 1000 });
    return sim;
}

static void end(struct sim *sim, const struct stream_server *server)
{
    assert_true(sim_until(sim, nothing_left, sim, 10 * MINUTE));
    for (unsigned i = 0; i < CROWD; i++)
        if (streams[i].host)
            check(&streams[i]);
    for (size_t i = 0; i < server->count; i++)
        assert_true(server->streams[i].done);
    sim_end(sim);
}

static void test_one_after_the_other(void **state)
{
    struct stream_server server;
    (void)state;
    struct sim *sim = begin(1, &server);
    size_t after_first = 0;
    for (unsigned i = 0; i < CROWD; i++) {
        connect_one(sim, &streams[i]);
        assert_true(sim_until(sim, stream_done, &streams[i], 10 * MINUTE));
        if (i % 50 == 49) {
            assert_true(sim_until(sim, nothing_left, sim, 10 * MINUTE));
            sim_run(sim, MINUTE);
            if (i == 49)
                after_first = memory_now(sim);
            /* only pooled TCBs may have been added */
            assert_true(memory_now(sim) <= after_first + 64u * 4096);
        }
    }
    end(sim, &server);
}

static void test_all_at_once(void **state)
{
    struct stream_server server;
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct sim *sim = begin(seed, &server);
        for (unsigned i = 0; i < 200; i++)
            connect_one(sim, &streams[i]);
        assert_true(sim_until(sim, all_done, streams, 10 * MINUTE));
        assert_true(sim_until(sim, nothing_left, sim, 10 * MINUTE));
        size_t after_first = memory_now(sim);
        for (unsigned i = 200; i < 400; i++)
            connect_one(sim, &streams[i]);
        assert_true(sim_until(sim, all_done, streams, 10 * MINUTE));
        assert_true(sim_until(sim, nothing_left, sim, 10 * MINUTE));
        assert_true(memory_now(sim) <= after_first + 200u * 4096);
        end(sim, &server);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, sim_teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_after_the_other),
        TEST(all_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
