/* crowd_test.c - many connections, one after the other and all at once, that do anything an
 * application may do: afterwards no connection is left and all memory is back.
 *
 * All at once are CROWD_SIZE connections (10000) for CROWD_MINUTES of virtual time (10): at both
 * ends somebody writes, reads slowly, stops reading, closes, half-closes or aborts, and whoever has
 * left is replaced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/tcb.h"
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

/* ---- all at once --------------------------------------------------------------------------- */

enum {
    TURN_US = SECOND / 10,
    CONNECTS_A_TURN = 500,
    IDLE_TURNS = 600, /* between two operations on a connection, about */
    ACCEPTED_MAX = 200000,
};

struct member {
    struct stream stream; /* the Initiator's end; host NULL: it has left */
    struct stream *other; /* the Responder's; NULL: not accepted */
    struct member **place;
};

static struct crowd {
    struct sim *sim;
    struct generator dice;
    struct member *members;
    uint32_t size, joined;
    struct stream_server server;
    struct member *at_port[2][UINT16_MAX + 1]; /* by family: who had the Initiator's port last */
    bool ending;
    uint32_t lives, resets, timeouts;
    uint32_t most; /* connections at once, at one host */
} crowd;

static void plan_as_it_comes(struct stream *stream, const struct tcpct_info *info)
{
    struct member *member = crowd.at_port[info->remote.family == 6][info->remote_port];
    if (member)
        member->other = stream;
    stream->to_get = UINT64_MAX;
    stream->close = crowd.ending ? STREAM_FOLLOW : STREAM_STAY;
    tcpct_option_set(stream->connection, TCPCT_OPTION_KEEPALIVE, MINUTE);
}

static void join(struct member *member)
{
    uint32_t dice = (uint32_t)generate(&crowd.dice);
    const struct tcpct_connect_options options = {
        .parameters.cookie_desired = (uint8_t)(dice & 1 ? 16 : 0),
    };
    unsigned family = dice & 2 ? 6 : 4;
    *member = (struct member){ .stream = { .to_get = UINT64_MAX, .close = STREAM_STAY } };
    stream_connect(&member->stream, &crowd.sim->hosts[0], &crowd.sim->hosts[1], family, &options);
    tcpct_option_set(member->stream.connection, TCPCT_OPTION_KEEPALIVE, MINUTE);
    member->place = &crowd.at_port[family == 6][member->stream.seed_out / 2];
    *member->place = member;
    crowd.lives++;
}

/* Something that an application may do at any time, most often a little writing. */
static void operate(struct stream *stream)
{
    uint32_t dice = generate_below(&crowd.dice, 32), value = generate_below(&crowd.dice, 1 << 20);
    struct tcpct_connection *connection = stream->connection;
    bool may_send = stream->connected && !stream->shut && stream->close == STREAM_STAY;
    switch (dice) {
    case 0:
        stream->close = value & 1 ? STREAM_SHUTDOWN : STREAM_FOLLOW;
        break;
    case 1:
        tcpct_abort(connection);
        stream->connection = NULL;
        stream->done = true;
        return;
    case 2: /* reads slowly */
        stream->read_size = 1 + value % 5000;
        stream->read_pause_us = value % 20 * SECOND;
        break;
    case 3:
        stream->read_size = 0;
        stream->read_pause_us = 0;
        break;
    case 4:
        tcpct_option_set(connection, TCPCT_OPTION_NODELAY, value & 1);
        tcpct_option_set(connection, TCPCT_OPTION_DSCP, value >> 1 & 63);
        break;
    case 5:
        tcpct_option_set(connection, TCPCT_OPTION_USER_TIMEOUT, (200 + value % 900) * 1000000ull);
        break;
    case 6:
        if (may_send)
            tcpct_urgent(connection);
        break;
    case 7:
        stream->to_send += may_send ? value % 60000 : 0;
        break;
    default:
        stream->to_send += may_send ? value % 1000 : 0;
        break;
    }
    if (stream->connected)
        stream_advance(stream);
}

/* The connection has ended. What the other end sent has arrived; what it got will be seen there. */
static void leave(struct member *member)
{
    struct stream *stream = &member->stream, *other = member->other;
    crowd.resets += stream->error == TCPCT_ERROR_RESET;
    crowd.timeouts += stream->error == TCPCT_ERROR_TIMEOUT;
    if (stream->error) {
        assert_true(stream->error == TCPCT_ERROR_RESET || stream->error == TCPCT_ERROR_TIMEOUT);
    } else if (stream->end_seen) {
        assert_true(other && other->shut);
        assert_int_equal(stream->got, other->sent);
        other->to_get = stream->sent;
    }
    stream->host = NULL;
    if (*member->place == member) /* its port may have been used again before all was read */
        *member->place = NULL;
}

static void operate_on_some(void)
{
    for (uint32_t i = 0; i < crowd.joined / IDLE_TURNS; i++) {
        struct stream *one = &crowd.members[generate_below(&crowd.dice, crowd.joined)].stream;
        if (one->host && !one->done)
            operate(one);
        uint32_t count = (uint32_t)crowd.server.count;
        for (unsigned tries = 0; count && tries < 16; tries++) {
            struct stream *other = &crowd.server.streams[generate_below(&crowd.dice, count)];
            if (other->done)
                continue;
            operate(other);
            break;
        }
    }
}

/* A tenth of a second: who has left is replaced. */
static void turn(void)
{
    uint32_t until = crowd.joined + CONNECTS_A_TURN;
    for (uint32_t i = 0; i < crowd.joined; i++) {
        struct member *member = &crowd.members[i];
        if (member->stream.host && member->stream.done)
            leave(member);
        if (!member->stream.host && !crowd.ending)
            join(member);
    }
    for (; crowd.joined < crowd.size && crowd.joined < until && !crowd.ending; crowd.joined++)
        join(&crowd.members[crowd.joined]);
    if (!crowd.ending)
        operate_on_some();
    sim_run(crowd.sim, TURN_US);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t count = (uint32_t)tcpct_connection_count(crowd.sim->hosts[i].stack);
        crowd.most = count > crowd.most ? count : crowd.most;
    }
}

static void finish(struct stream *stream, enum stream_close close)
{
    if (stream->done || !stream->host)
        return;
    stream->read_size = 0;
    stream->read_pause_us = 0;
    if (stream->close == STREAM_STAY || close == STREAM_SHUTDOWN)
        stream->close = close;
    if (stream->connected)
        stream_advance(stream);
}

static void all_finish(void)
{
    crowd.ending = true;
    for (uint32_t i = 0; i < crowd.joined; i++)
        finish(&crowd.members[i].stream, STREAM_SHUTDOWN);
    for (size_t i = 0; i < crowd.server.count; i++)
        finish(&crowd.server.streams[i], STREAM_FOLLOW);
    for (uint64_t us = 0; us < 20 * MINUTE && sim_connections(crowd.sim); us += TURN_US)
        turn();
    turn();
    assert_int_equal(sim_connections(crowd.sim), 0);
    for (size_t i = 0; i < crowd.server.count; i++) {
        const struct stream *other = &crowd.server.streams[i];
        assert_true(other->done);
        if (other->to_get != UINT64_MAX && other->end_seen && !other->error)
            assert_int_equal(other->got, other->to_get);
    }
}

static uint32_t number_of(const char *variable, uint32_t otherwise)
{
    const char *text = getenv(variable);
    return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

static struct sim *gather(void)
{
    const struct link_path path = { .rate = 1000000000,
                                    .delay_us = 20000,
                                    .loss = 0.01,
                                    .reorder = 0.01,
                                    .reorder_us = 1000,
                                    .duplicate = 0.005 };
    crowd = (struct crowd){ .size = number_of("CROWD_SIZE", 10000), .dice.state = 1 };
    const struct tcpct_config config = { .msl_us = 2 * SECOND,
                                         .connections_max = 2 * crowd.size,
                                         .secret_interval_us = 90 * SECOND };
    struct sim *sim = sim_begin(&(struct sim_config){
        .seed = 1, .up = { path }, .down = { path }, .stacks = { config, config } });
    sim->filter = repeat_resets;
    crowd.members = calloc(crowd.size, sizeof(*crowd.members));
    crowd.server = (struct stream_server){ .plan = plan_as_it_comes,
                                           .streams = calloc(ACCEPTED_MAX, sizeof(struct stream)),
                                           .max = ACCEPTED_MAX };
    assert_true(crowd.members && crowd.server.streams);
    stream_listen(&sim->hosts[1], &crowd.server,
                  &(struct tcpct_listen_options){ .parameters = TCPCT_PARAMETERS_DEFAULT,
                                                  .backlog = 1000,
                                                  .syn_queue = crowd.size });
    return sim;
}

/* Afterwards each host has what it began with, and TCBs that are kept for other connections. */
static void test_all_at_once(void **state)
{
    uint32_t minutes = number_of("CROWD_MINUTES", 10);
    struct sim *sim = gather();
    struct sim_memory before[2];
    (void)state;
    crowd.sim = sim;
    for (unsigned i = 0; i < 2; i++)
        before[i] = sim->hosts[i].memory;
    for (uint64_t us = 0; us < minutes * (uint64_t)MINUTE; us += TURN_US)
        turn();
    all_finish();
    assert_int_equal(crowd.timeouts, 0);
    for (unsigned i = 0; i < 2; i++) {
        const struct sim_memory *after = &sim->hosts[i].memory;
        size_t kept = after->blocks - before[i].blocks;
        assert_int_equal(sim->hosts[i].stack->memory.used, 0);
        assert_int_equal(after->bytes - before[i].bytes, kept * sizeof(struct tcpct_connection));
    }
    print_message("%u minutes, %u connections, %u at once, %u reset, %u timed out, %llu packets\n",
                  minutes, crowd.lives, crowd.most, crowd.resets, crowd.timeouts,
                  (unsigned long long)sim->hosts[0].packets_sent +
                      (unsigned long long)sim->hosts[1].packets_sent);
    free(crowd.members);
    free(crowd.server.streams);
    sim_end(sim);
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
