/* limits_test.c - what happens when a pool is full, the peer is not there, or somebody gives up:
 * a clear error at both ends, a count, and nothing left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/stream.h"

enum { SECOND = 1000000, MINUTE = 60 * SECOND, STREAMS = 64 };

static const struct link_path path = { .delay_us = 10000 };

/* Two hosts and a server; each test fills in the rest. */
struct setting {
    struct sim *sim;
    struct sim_host *client, *server_host;
    struct stream_server server;
    struct stream streams[STREAMS], accepted[STREAMS];
};

static struct stream planned; /* for each accepted connection */

static void plan(struct stream *stream, const struct tcpct_info *info)
{
    (void)info;
    stream->to_send = planned.to_send;
    stream->to_get = planned.to_get;
    stream->close = planned.close;
    stream->read_size = planned.read_size;
    stream->read_pause_us = planned.read_pause_us;
}

static void begin(struct setting *setting, const struct tcpct_config *client,
                  const struct tcpct_config *server, const struct tcpct_listen_options *options)
{
    const struct tcpct_config none = { 0 };
    memset(setting, 0, sizeof(*setting));
    setting->sim = sim_begin(
        &(struct sim_config){ .seed = 1,
                              .up = { path },
                              .down = { path },
                              .stacks = { client ? *client : none, server ? *server : none } });
    setting->client = &setting->sim->hosts[0];
    setting->server_host = &setting->sim->hosts[1];
    setting->server =
        (struct stream_server){ .plan = plan, .streams = setting->accepted, .max = STREAMS };
    planned = (struct stream){ .close = STREAM_STAY };
    stream_listen(setting->server_host, &setting->server, options);
}

static void open_stream(struct setting *setting, unsigned index, unsigned family, uint8_t cookie,
                        struct stream plan_of_it)
{
    setting->streams[index] = plan_of_it;
    stream_connect(&setting->streams[index], setting->client, setting->server_host, family,
                   &(struct tcpct_connect_options){ .parameters.cookie_desired = cookie });
}

static struct tcpct_counters counters_of(const struct sim_host *host)
{
    struct tcpct_counters counters;
    tcpct_counters(host->stack, &counters);
    return counters;
}

static bool nothing_left(const void *sim)
{
    return sim_connections(sim) == 0;
}

static void check_rest(struct setting *setting)
{
    assert_true(sim_until(setting->sim, nothing_left, setting->sim, 5 * MINUTE));
    sim_end(setting->sim);
}

static const struct stream short_talk = { .to_send = 100, .to_get = 100 };

static void end_all(struct setting *setting, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct stream *stream = &setting->streams[i];
        if (!stream->done)
            tcpct_abort(stream->connection);
        stream->done = true;
    }
    for (size_t i = 0; i < setting->server.count; i++) {
        struct stream *stream = &setting->accepted[i];
        if (!stream->done)
            tcpct_abort(stream->connection);
        stream->done = true;
    }
    sim_run(setting->sim, SECOND);
}

/* The Responder has room for four connections; six come. Two wait until there is room. */
static void test_responder_full(void **state)
{
    struct setting setting;
    (void)state;
    for (unsigned cookie = 0; cookie <= 16; cookie += 16) {
        begin(&setting, NULL, &(struct tcpct_config){ .connections_max = 4, .msl_us = SECOND },
              NULL);
        planned = (struct stream){ .to_send = 100, .to_get = 100, .close = STREAM_STAY };
        for (unsigned i = 0; i < 6; i++)
            open_stream(&setting, i, 4, (uint8_t)cookie, short_talk);
        sim_run(setting.sim, SECOND);
        assert_int_equal(setting.server.count, 4);
        assert_int_equal(tcpct_connection_count(setting.server_host->stack), 4);
        assert_true(counters_of(setting.server_host).connections_full >= 2);
        for (unsigned i = 0; i < 4; i++) {
            tcpct_close(setting.accepted[i].connection);
            setting.accepted[i].done = true;
        }
        planned.close = STREAM_FOLLOW;
        sim_run(setting.sim, MINUTE);
        for (unsigned i = 0; i < 6; i++)
            stream_check(&setting.streams[i]);
        check_rest(&setting);
    }
}

/* One after the other, faster than TIME-WAIT ends: the oldest of them makes room. */
static void test_time_wait_makes_room(void **state)
{
    struct setting setting;
    (void)state;
    for (unsigned cookie = 0; cookie <= 16; cookie += 16) {
        begin(&setting, &(struct tcpct_config){ .connections_max = 2 }, NULL, NULL);
        planned = (struct stream){ .to_send = 100, .to_get = 100, .close = STREAM_FOLLOW };
        for (unsigned i = 0; i < 6; i++) {
            open_stream(&setting, i, i % 2 ? 4 : 6, (uint8_t)cookie, short_talk);
            sim_run(setting.sim, SECOND);
            stream_check(&setting.streams[i]);
        }
        assert_int_equal(tcpct_connection_count(setting.client->stack), 2);
        assert_int_equal(counters_of(setting.client).time_waits_cut, 4);
        assert_int_equal(counters_of(setting.client).connections_full, 0);
        check_rest(&setting);
    }
}

/* The Initiator's table is full: tcpct_connect says so, and works again afterwards. */
static void test_initiator_full(void **state)
{
    struct setting setting;
    struct tcpct_connection *connection;
    (void)state;
    begin(&setting, &(struct tcpct_config){ .connections_max = 2 }, NULL, NULL);
    planned = (struct stream){ .to_send = 100, .to_get = 100, .close = STREAM_FOLLOW };
    open_stream(&setting, 0, 4, 16, short_talk);
    open_stream(&setting, 1, 6, 16, short_talk);
    struct tcpct_connect_options options = { .remote = setting.server_host->ipv4,
                                             .remote_port = SIM_PORT };
    assert_int_equal(
        tcpct_connect(setting.client->stack, &options, &connection, setting.sim->now_us),
        TCPCT_ERROR_MEMORY);
    assert_int_equal(counters_of(setting.client).connections_full, 1);
    sim_run(setting.sim, 3 * MINUTE);
    open_stream(&setting, 2, 4, 16, short_talk);
    sim_run(setting.sim, SECOND);
    for (unsigned i = 0; i < 3; i++)
        stream_check(&setting.streams[i]);
    check_rest(&setting);
}

/* Connections that nobody accepts: the backlog bounds them, and the rest waits. */
static void test_backlog_full(void **state)
{
    struct setting setting;
    (void)state;
    for (unsigned cookie = 0; cookie <= 16; cookie += 16) {
        struct tcpct_listen_options listen = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                               .backlog = 3 };
        begin(&setting, NULL, NULL, &listen);
        setting.server_host->serve = NULL; /* asleep */
        for (unsigned i = 0; i < 5; i++)
            open_stream(&setting, i, 4, (uint8_t)cookie, short_talk);
        sim_run(setting.sim, SECOND);
        assert_int_equal(tcpct_connection_count(setting.server_host->stack), 3);
        assert_true(counters_of(setting.server_host).backlog_full >= 2);
        setting.server_host->serve = setting.client->serve;
        planned = (struct stream){ .to_send = 100, .to_get = 100, .close = STREAM_FOLLOW };
        sim_run(setting.sim, MINUTE);
        for (unsigned i = 0; i < 5; i++)
            stream_check(&setting.streams[i]);
        check_rest(&setting);
    }
}

/* A listener that closes aborts what waits in its backlog. */
static void test_listener_closes(void **state)
{
    struct setting setting;
    (void)state;
    begin(&setting, NULL, NULL, NULL);
    setting.server_host->serve = NULL;
    open_stream(&setting, 0, 4, 0, (struct stream){ .to_send = 10, .to_get = 10 });
    sim_run(setting.sim, SECOND / 2);
    assert_int_equal(tcpct_connection_count(setting.server_host->stack), 1);
    tcpct_listener_close(setting.server.listener);
    sim_run(setting.sim, SECOND);
    assert_true(setting.streams[0].done);
    assert_int_equal(setting.streams[0].error, TCPCT_ERROR_RESET);
    assert_int_equal(sim_connections(setting.sim), 0);
    check_rest(&setting);
}

/* The memory of all connections together is bounded; what does not fit arrives later. */
static void test_memory_budget(void **state)
{
    struct setting setting;
    enum { BUDGET = 200000, COUNT = 20, SIZE = 60000 };
    (void)state;
    begin(&setting, NULL, &(struct tcpct_config){ .memory_budget = BUDGET }, NULL);
    planned = (struct stream){
        .to_get = SIZE, .close = STREAM_FOLLOW, .read_size = 4000, .read_pause_us = 20000
    };
    size_t before = setting.server_host->memory.bytes;
    for (unsigned i = 0; i < COUNT; i++)
        open_stream(&setting, i, 4, i % 2 ? 16 : 0, (struct stream){ .to_send = SIZE });
    sim_run(setting.sim, SECOND);
    assert_true(counters_of(setting.server_host).memory_full > 0);
    sim_run(setting.sim, 3 * MINUTE);
    for (unsigned i = 0; i < COUNT; i++)
        stream_check(&setting.streams[i]);
    /* TCBs are pooled beside the budget. */
    assert_true(setting.server_host->memory.bytes_highest < before + BUDGET + COUNT * 4096);
    check_rest(&setting);
}

/* Buffers that stand empty are taken from idle connections when the budget is at its end. */
static void test_idle_give_back(void **state)
{
    struct setting setting;
    enum { BUDGET = 300000, COUNT = 40, SIZE = 10000, MORE = 200000 };
    (void)state;
    begin(&setting, &(struct tcpct_config){ .memory_budget = BUDGET },
          &(struct tcpct_config){ .memory_budget = BUDGET }, NULL);
    planned = (struct stream){ .to_send = SIZE, .to_get = SIZE + MORE, .close = STREAM_STAY };
    for (unsigned i = 0; i < COUNT; i++) {
        open_stream(&setting, i, i % 4 < 2 ? 4 : 6, i % 2 ? 16 : 0,
                    (struct stream){ .to_send = SIZE, .to_get = SIZE, .close = STREAM_STAY });
        sim_run(setting.sim, SECOND);
        assert_int_equal(setting.streams[i].got, SIZE);
    }
    for (unsigned i = 0; i < COUNT; i += COUNT - 1) {
        setting.streams[i].to_send += MORE;
        stream_advance(&setting.streams[i]);
    }
    sim_run(setting.sim, 10 * SECOND);
    assert_int_equal(setting.accepted[0].got, SIZE + MORE);
    assert_int_equal(setting.accepted[COUNT - 1].got, SIZE + MORE);
    assert_int_equal(counters_of(setting.client).memory_full, 0);
    assert_int_equal(counters_of(setting.server_host).memory_full, 0);
    end_all(&setting, COUNT);
    check_rest(&setting);
}

/* The allocator itself says no, after each number of allocations: nothing breaks, and what was
 * taken is returned (sim_end looks). */
static void test_allocator_fails(void **state)
{
    struct setting setting;
    (void)state;
    for (unsigned allowed = 0; allowed < 12; allowed++) {
        begin(&setting, NULL, NULL, NULL);
        planned = (struct stream){ .to_send = 5000, .to_get = 5000, .close = STREAM_FOLLOW };
        struct stream talk = { .to_send = 5000, .to_get = 5000 };
        open_stream(&setting, 0, 4, 16, talk);
        setting.server_host->memory.fail_after = allowed;
        sim_run(setting.sim, SECOND);
        setting.server_host->memory.fail_after = UINT64_MAX;
        sim_run(setting.sim, 2 * MINUTE);
        assert_true(setting.streams[0].done);
        end_all(&setting, 1);
        check_rest(&setting);
    }
}

/* Creating a stack fails at each allocation without a leak. */
static void test_create_fails(void **state)
{
    (void)state;
    struct sim_host host = { .random.state = 1 };
    for (unsigned allowed = 0;; allowed++) {
        struct tcpct_stack *stack = NULL;
        struct tcpct_config config = sim_stack_config(&host, &(struct tcpct_config){ 0 });
        host.memory.fail_after = allowed;
        int error = tcpct_stack_create(&stack, &config, 0);
        if (error == TCPCT_OK) {
            assert_true(allowed > 1);
            tcpct_stack_destroy(stack);
            assert_int_equal(host.memory.blocks, 0);
            return;
        }
        assert_int_equal(error, TCPCT_ERROR_MEMORY);
        assert_int_equal(host.memory.blocks, 0);
    }
}

/* Abort: the peer of a plain connection learns of it (RFC 9293, 3.10.5), and so does that of one
 * with cookies, since the RST has the Cookie-Pair (RFC 6013, 7). */
static void test_abort(void **state)
{
    struct setting setting;
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        begin(&setting, NULL, NULL, NULL);
        planned = (struct stream){ .to_get = 5000,
                                   .to_send = 5000,
                                   .close = way & 1 ? STREAM_ABORT : STREAM_STAY };
        open_stream(&setting, 0, 4, way & 2 ? 16 : 0,
                    (struct stream){ .to_send = 5000,
                                     .to_get = 5000,
                                     .close = way & 1 ? STREAM_STAY : STREAM_ABORT });
        sim_run(setting.sim, SECOND);
        const struct stream *left = way & 1 ? &setting.streams[0] : &setting.accepted[0];
        assert_true(left->done);
        assert_int_equal(left->error, TCPCT_ERROR_RESET);
        assert_true(left->got > 0);
        assert_int_equal(sim_connections(setting.sim), 0);
        check_rest(&setting);
    }
}

/* RFC 9293, 3.10.7.1 and 3.10.7.3: a port where nobody listens refuses. */
static void test_refused(void **state)
{
    struct setting setting;
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        begin(&setting, NULL, NULL, NULL);
        tcpct_listener_close(setting.server.listener);
        open_stream(&setting, 0, way & 1 ? 6 : 4, way & 2 ? 16 : 0, short_talk);
        assert_true(sim_until(setting.sim, stream_done, &setting.streams[0], SECOND / 10));
        assert_int_equal(setting.streams[0].error, TCPCT_ERROR_REFUSED);
        check_rest(&setting);
    }
}

static void drop_all(void *context, struct sim_packet *packet)
{
    (void)context;
    packet->copies = 0;
}

/* RFC 9293, 3.8.3: the link dies during a transfer; both ends give up after the user timeout and
 * not before. */
static void test_dead_link(void **state)
{
    struct setting setting;
    (void)state;
    for (unsigned cookie = 0; cookie <= 16; cookie += 16) {
        const struct tcpct_config config = { .user_timeout_us = 30ull * SECOND };
        begin(&setting, &config, &config, NULL);
        planned = (struct stream){ .to_send = 1u << 30, .to_get = 1u << 30 };
        open_stream(&setting, 0, 4, (uint8_t)cookie, planned);
        sim_run(setting.sim, SECOND);
        setting.sim->filter = drop_all;
        sim_run(setting.sim, 28ull * SECOND);
        assert_false(setting.streams[0].done);
        assert_false(setting.accepted[0].done);
        sim_run(setting.sim, 4ull * SECOND);
        assert_true(setting.streams[0].done && setting.accepted[0].done);
        assert_int_equal(setting.streams[0].error, TCPCT_ERROR_TIMEOUT);
        assert_int_equal(setting.accepted[0].error, TCPCT_ERROR_TIMEOUT);
        assert_int_equal(sim_connections(setting.sim), 0);
        check_rest(&setting);
    }
}

/* Nobody answers the <SYN>. */
static void test_connect_times_out(void **state)
{
    struct setting setting;
    (void)state;
    begin(&setting, NULL, NULL, NULL);
    setting.sim->filter = drop_all;
    open_stream(&setting, 0, 4, 16, short_talk);
    sim_run(setting.sim, 179ull * SECOND); /* RFC 9293, 3.8.3: three minutes */
    assert_false(setting.streams[0].done);
    sim_run(setting.sim, 2ull * SECOND);
    assert_true(setting.streams[0].done);
    assert_int_equal(setting.streams[0].error, TCPCT_ERROR_TIMEOUT);
    assert_true(setting.client->packets_sent >= 6); /* RFC 6298: about 1 s, doubling */
    assert_true(setting.client->packets_sent <= 10);
    assert_int_equal(setting.accepted[0].done, false);
    check_rest(&setting);
}

/* A peer that keeps its window closed is alive: no timeout while it answers probes (RFC 9293,
 * 3.8.6.1: the connection stays open as long as probes are acknowledged). */
static void test_closed_window_is_no_timeout(void **state)
{
    struct setting setting;
    (void)state;
    const struct tcpct_config sender = { .user_timeout_us = 10ull * SECOND };
    begin(&setting, &sender, &(struct tcpct_config){ .receive_buffer_max = 4096 }, NULL);
    planned = (struct stream){
        .to_get = 10000, .close = STREAM_FOLLOW, .read_size = 100, .read_pause_us = 5ull * MINUTE
    };
    open_stream(&setting, 0, 4, 16, (struct stream){ .to_send = 10000 });
    sim_run(setting.sim, 4ull * MINUTE);
    assert_false(setting.streams[0].done);
    setting.accepted[0].read_size = setting.accepted[0].read_pause_us = 0;
    sim_run(setting.sim, 7ull * MINUTE);
    stream_check(&setting.streams[0]);
    check_rest(&setting);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, sim_teardown)
    const struct CMUnitTest tests[] = {
        TEST(responder_full),
        TEST(initiator_full),
        TEST(time_wait_makes_room),
        TEST(backlog_full),
        TEST(listener_closes),
        TEST(memory_budget),
        TEST(allocator_fails),
        TEST(idle_give_back),
        TEST(allocator_fails),
        TEST(create_fails),
        TEST(abort),
        TEST(refused),
        TEST(dead_link),
        TEST(connect_times_out),
        TEST(closed_window_is_no_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
