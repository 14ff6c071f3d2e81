/* matrix_test.c - transfers through networks and by applications that are drawn: every byte
 * arrives, once and in order, or an end is told that its connection has failed; afterwards
 * neither stack has a connection or a buffer left. In a mild network (is_mild) none may fail.
 *
 * The draw is the seed's alone: both paths (rate, delay, queue, loss, bursts of loss, reordering,
 * duplication, corruption), an MTU that changes on the way, an outage, the family, how the
 * connection opens, what is sent, how it is read, and who closes. Thousands of runs are
 *
 *     MATRIX_SEED=1 MATRIX_RUNS=10000 build/asan/tests/sim/matrix_test
 *
 * The default is as many as `make check` has time for. A run that fails prints its seed, what was
 * drawn, and where the packets are (sim.h); MATRIX_SEED with that seed and MATRIX_RUNS=1 is the
 * same run again. MATRIX_VERBOSE=1 prints a line for each.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/tcb.h"
#include "tests/sim/stream.h"

enum {
    SECOND = 1000000,
    RUNS = 1500,
    LINK_PACKETS = 1024,
    ACCEPTED_MAX = 16,
    ALLOCATIONS_MAX = 64, /* of a stack in one run: none is for a packet */
};
static const uint64_t MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;

enum opening { OPEN_COOKIES, OPEN_PLAIN, OPEN_FAST, OPENINGS };
static const char *const opening_names[OPENINGS] = { "cookies", "plain", "fast open" };

/* What a run looks like. */
struct draw {
    unsigned family;
    enum opening opening;
    struct link_path up, down;
    uint16_t mtu[2]; /* towards the Initiator and the Responder, from `mtu_us` on; 0: stays */
    bool black_hole;
    uint64_t mtu_us, mtu_back_us;         /* 0: never back */
    uint64_t outage_us, outage_length_us; /* 0: none */
    struct tcpct_config stacks[2];
    struct stream initiator, responder; /* the plans */
    uint32_t request_size;
    bool nodelay;
    uint32_t syn_queue;
};

static struct draw drawn;
static bool fetching; /* a Fast Open cookie */
static struct sim *running;
static struct {
    unsigned runs, mild, timeouts, resets, refused, half;
    uint64_t packets, bytes;
} total;

/* ---- the draw ------------------------------------------------------------------------------ */

/* Between the two, and as often below their geometric mean as above it (roughly). */
static uint64_t scale(struct generator *generator, uint64_t least, uint64_t most)
{
    unsigned doublings = 0;
    while (least << doublings < most)
        doublings++;
    uint64_t base = least << generate_below(generator, doublings + 1);
    uint64_t value = base + generate(generator) % base;
    return value < most ? value : most;
}

static bool one_in(struct generator *generator, uint32_t count)
{
    return generate_below(generator, count) == 0;
}

static double fraction(struct generator *generator, double most)
{
    return most * generate_below(generator, 1001) / 1000;
}

static struct link_path draw_path(struct generator *generator)
{
    struct link_path path = {
        .rate = scale(generator, 64000, 1000000000),
        .delay_us = scale(generator, 1000, SECOND),
    };
    if (!one_in(generator, 4))
        path.queue_packets = (uint32_t)scale(generator, 2, 512);
    if (!one_in(generator, 3))
        path.loss = fraction(generator, one_in(generator, 3) ? 0.3 : 0.05);
    if (path.loss > 0 && one_in(generator, 3)) { /* in bursts of 2 to 21 packets */
        path.burst_leave = 1.0 / (2 + generate_below(generator, 20));
        path.burst_enter = path.loss * path.burst_leave;
        path.burst_loss = 1;
        path.loss = 0;
    }
    if (one_in(generator, 2)) {
        path.reorder = fraction(generator, 0.3);
        path.reorder_us = scale(generator, 100, 2 * path.delay_us);
    }
    if (one_in(generator, 2))
        path.duplicate = fraction(generator, 0.1);
    if (one_in(generator, 3))
        path.corrupt = fraction(generator, 0.05);
    return path;
}

/* On average. */
static double loss_of(const struct link_path *path)
{
    return path->burst_leave > 0 ? path->burst_enter / path->burst_leave : path->loss;
}

static void draw_network(struct generator *generator, struct draw *draw)
{
    draw->up = draw_path(generator);
    draw->down = one_in(generator, 2) ? draw->up : draw_path(generator);
    uint32_t least = draw->family == 6 ? 1280 : 576;
    if (one_in(generator, 3)) {
        for (unsigned i = 0; i < 2; i++)
            if (!one_in(generator, 3))
                draw->mtu[i] = (uint16_t)(least + generate_below(generator, 1501 - least));
        draw->black_hole = one_in(generator, 3);
        draw->mtu_us = one_in(generator, 2) ? 0 : scale(generator, 1000, 30 * SECOND);
        if (one_in(generator, 3))
            draw->mtu_back_us = draw->mtu_us + scale(generator, SECOND, 10 * MINUTE);
    }
    if (one_in(generator, 8)) {
        draw->outage_us = scale(generator, 1000, 30 * SECOND);
        draw->outage_length_us =
            scale(generator, 10000, one_in(generator, 4) ? 200 * SECOND : 20 * SECOND);
    }
}

static void draw_stack(struct generator *generator, struct tcpct_config *config)
{
    config->ecn = one_in(generator, 3);
    config->checksum_offload = one_in(generator, 3);
    if (one_in(generator, 4))
        config->offload_size_max = (uint32_t)scale(generator, 4000, TCPCT_PACKET_SIZE);
    if (one_in(generator, 4))
        config->mtu = (uint16_t)(1280 + generate_below(generator, 221));
    if (one_in(generator, 3))
        config->send_buffer_max = (uint32_t)scale(generator, 500, 1 << 20);
    if (one_in(generator, 3))
        config->receive_buffer_max = (uint32_t)scale(generator, 500, 1 << 20);
}

static uint64_t draw_size(struct generator *generator, const struct draw *draw)
{
    bool hard = loss_of(&draw->up) > 0.08 || loss_of(&draw->down) > 0.08;
    switch (generate_below(generator, 8)) {
    case 0:
        return 0;
    case 1:
        return scale(generator, 1, 3000);
    case 2:
        return scale(generator, 1000, hard ? 100000 : 1000000);
    default:
        return scale(generator, 1000, hard ? 30000 : 150000);
    }
}

static void draw_reader(struct generator *generator, struct stream *stream)
{
    if (!one_in(generator, 5))
        return;
    stream->read_size = (size_t)scale(generator, 500, 8192);
    stream->read_pause_us = scale(generator, 100, SECOND / 2);
}

static void draw_application(struct generator *generator, struct draw *draw)
{
    struct stream *initiator = &draw->initiator, *responder = &draw->responder;
    initiator->to_send = responder->to_get = draw_size(generator, draw);
    responder->to_send = initiator->to_get = draw_size(generator, draw);
    if (one_in(generator, 3)) /* one way */
        initiator->to_send = responder->to_get = 0;
    draw_reader(generator, initiator);
    draw_reader(generator, responder);
    switch (generate_below(generator, 4)) {
    case 0:
        initiator->close = STREAM_FOLLOW;
        break;
    case 1:
        responder->close = STREAM_FOLLOW;
        break;
    default: /* each when it has sent all: a half-close if the other goes on */
        break;
    }
    uint32_t limit = one_in(generator, 2) ? 400 : 4000;
    if (initiator->to_send && (draw->opening == OPEN_FAST || one_in(generator, 4)))
        draw->request_size =
            1 + generate_below(generator,
                               (uint32_t)(initiator->to_send < limit ? initiator->to_send : limit));
    if (draw->request_size > draw->stacks[0].send_buffer_max && draw->stacks[0].send_buffer_max)
        draw->request_size = 0;
    draw->nodelay = one_in(generator, 3);
    /* Without cookies a lost <ACK(SYN)> is made good by data or FIN only (tcpct.h, syn_queue). */
    bool speaks = initiator->to_send || initiator->close == STREAM_SHUTDOWN;
    draw->syn_queue = !speaks || one_in(generator, 3) ? 8 : 0;
}

static void draw_run(uint64_t seed, struct draw *draw)
{
    struct generator generator = { seed * UINT64_C(0xd1342543de82ef95) };
    *draw = (struct draw){ .family = one_in(&generator, 2) ? 6 : 4,
                           .opening = (enum opening)generate_below(&generator, OPENINGS) };
    draw_network(&generator, draw);
    draw_stack(&generator, &draw->stacks[0]);
    draw_stack(&generator, &draw->stacks[1]);
    draw_application(&generator, draw);
}

/* Where a user timeout of 100 s is enough, unless something is wrong with us: a segment and its
 * acknowledgment are lost together one time in ten, and no link fails for long. Bursts of loss are
 * counted in packets, and so outlast many tries of one that sends little. */
static bool is_mild(const struct draw *draw)
{
    const struct link_path *const paths[] = { &draw->up, &draw->down };
    for (unsigned i = 0; i < 2; i++)
        if (paths[i]->burst_leave > 0 || paths[i]->loss + paths[i]->corrupt > 0.05 ||
            paths[i]->delay_us > SECOND / 4)
            return false;
    return draw->outage_length_us <= 20 * (uint64_t)SECOND;
}

static void print_path(const char *name, const struct link_path *path)
{
    print_error("  %s: %" PRIu64 " bit/s, queue %u, delay %" PRIu64 " us, loss %.1f %%%s, "
                "reorder %.1f %% by %" PRIu64 " us, duplicate %.1f %%, corrupt %.1f %%\n",
                name, path->rate, path->queue_packets, path->delay_us, 100 * loss_of(path),
                path->burst_loss > 0 ? " in bursts" : "", 100 * path->reorder, path->reorder_us,
                100 * path->duplicate, 100 * path->corrupt);
}

static void print_end(const char *name, const struct stream *stream,
                      const struct tcpct_config *stack)
{
    print_error("  %s: sends %" PRIu64 ", %s, reads %zu each %" PRIu64 " us, buffers %u %u, "
                "MTU %u, offload %u%s%s\n",
                name, stream->to_send, stream->close == STREAM_FOLLOW ? "follows" : "shuts down",
                stream->read_size, stream->read_pause_us, stack->send_buffer_max,
                stack->receive_buffer_max, stack->mtu, stack->offload_size_max,
                stack->checksum_offload ? " and checksums" : "", stack->ecn ? ", ECN" : "");
}

static void print_draw(const struct draw *draw)
{
    print_error("  IPv%u, %s, request %u%s%s\n", draw->family, opening_names[draw->opening],
                draw->request_size, draw->nodelay ? ", no Nagle" : "",
                draw->syn_queue ? ", SYN queue" : "");
    print_path("up", &draw->up);
    print_path("down", &draw->down);
    print_error("  MTU %u %u%s at %" PRIu64 " us, back at %" PRIu64 "; outage at %" PRIu64
                " for %" PRIu64 "\n",
                draw->mtu[0], draw->mtu[1], draw->black_hole ? " (black hole)" : "", draw->mtu_us,
                draw->mtu_back_us, draw->outage_us, draw->outage_length_us);
    print_end("Initiator", &draw->initiator, &draw->stacks[0]);
    print_end("Responder", &draw->responder, &draw->stacks[1]);
}

/* ---- a run --------------------------------------------------------------------------------- */

static void plan(struct stream *stream, const struct tcpct_info *info)
{
    static const struct stream nothing = { .close = STREAM_FOLLOW };
    const struct stream *from = fetching ? &nothing : &drawn.responder;
    (void)info;
    stream->to_send = from->to_send;
    stream->to_get = from->to_get;
    stream->close = from->close;
    stream->read_size = from->read_size;
    stream->read_pause_us = from->read_pause_us;
    tcpct_option_set(stream->connection, TCPCT_OPTION_KEEPALIVE, MINUTE);
}

static void set_mtu(void *context)
{
    struct sim *sim = context;
    for (unsigned i = 0; i < 2; i++) {
        sim->hosts[i].mtu = drawn.mtu[i];
        sim->hosts[i].black_hole = drawn.black_hole;
    }
}

static void clear_mtu(void *context)
{
    struct sim *sim = context;
    sim->hosts[0].mtu = sim->hosts[1].mtu = 0;
}

static void unplug(void *context)
{
    ((struct sim *)context)->hosts[0].unplugged = true;
}

static void plug_in(void *context)
{
    ((struct sim *)context)->hosts[0].unplugged = false;
}

static struct sim *begin(uint64_t seed)
{
    struct sim *sim =
        sim_begin(&(struct sim_config){ .seed = seed,
                                        .up = { drawn.up },
                                        .down = { drawn.down },
                                        .stacks = { drawn.stacks[0], drawn.stacks[1] },
                                        .link_packets = LINK_PACKETS });
    sim_after(sim, drawn.mtu_us, set_mtu, sim);
    if (drawn.mtu_back_us)
        sim_after(sim, drawn.mtu_back_us, clear_mtu, sim);
    if (drawn.outage_length_us) {
        sim_after(sim, drawn.outage_us, unplug, sim);
        sim_after(sim, drawn.outage_us + drawn.outage_length_us, plug_in, sim);
    }
    return sim;
}

static bool nothing_left(const void *sim)
{
    return sim_connections(sim) == 0;
}

static struct tcpct_connect_options connect_options(uint16_t port)
{
    bool cookies = drawn.opening == OPEN_COOKIES;
    return (struct tcpct_connect_options){
        .local_port = port,
        .request_size = drawn.request_size,
        .fast_open = drawn.opening == OPEN_FAST,
        .parameters = { .cookie_desired = cookies ? 16 : 0,
                        .syn_data_limit = cookies || drawn.opening == OPEN_FAST ? 496 : 0 },
    };
}

/* Fast Open needs a cookie from an earlier connection, which may fail. */
static void fetch_cookie(struct sim *sim)
{
    struct tcpct_connect_options options = connect_options(0);
    struct stream stream = { .close = STREAM_SHUTDOWN };
    fetching = true;
    options.request_size = 0;
    stream_connect(&stream, &sim->hosts[0], &sim->hosts[1], drawn.family, &options);
    assert_true(sim_until(sim, stream_done, &stream, HOUR));
    assert_true(sim_until(sim, nothing_left, sim, HOUR));
    fetching = false;
}

/* Errors that an end may be told of: its own user timeout, and what follows from the other's. */
static void check_end(const struct stream *stream, uint64_t begun_us)
{
    assert_true(stream->done);
    switch (stream->error) {
    case TCPCT_OK:
        assert_int_equal(stream->sent, stream->to_send);
        assert_int_equal(stream->got, stream->to_get);
        break;
    case TCPCT_ERROR_TIMEOUT:
        assert_true(stream->done_us - begun_us >= 100 * (uint64_t)SECOND);
        total.timeouts++;
        break;
    case TCPCT_ERROR_RESET:
        total.resets++;
        break;
    case TCPCT_ERROR_REFUSED:
        total.refused++;
        break;
    default:
        fail_msg("error: %s", tcpct_error_text(stream->error));
    }
}

static void check_rest(struct sim *sim, const uint64_t blocks[2])
{
    assert_true(sim_until(sim, nothing_left, sim, HOUR));
    for (unsigned i = 0; i < 2; i++) {
        const struct sim_host *host = &sim->hosts[i];
        assert_int_equal(host->stack->memory.used, 0);
        assert_true(host->memory.blocks <= blocks[i] + 2); /* TCBs, kept for the next */
        assert_true(host->memory.allocations <= blocks[i] + ALLOCATIONS_MAX);
        total.packets += host->packets_sent;
    }
}

static void run(uint64_t seed)
{
    struct stream accepted[ACCEPTED_MAX], stream;
    struct stream_server server = { .plan = plan, .streams = accepted, .max = ACCEPTED_MAX };
    draw_run(seed, &drawn);
    struct sim *sim = running = begin(seed);
    stream_listen(&sim->hosts[1], &server,
                  &(struct tcpct_listen_options){ .parameters = TCPCT_PARAMETERS_DEFAULT,
                                                  .syn_queue = drawn.syn_queue,
                                                  .fast_open_queue = 8 });
    const uint64_t blocks[2] = { sim->hosts[0].memory.blocks, sim->hosts[1].memory.blocks };
    if (drawn.opening == OPEN_FAST)
        fetch_cookie(sim);
    uint64_t begun_us = sim->now_us;
    size_t before = server.count;
    struct tcpct_connect_options options =
        connect_options((uint16_t)(50000 + generate_below(&sim->hosts[0].random, 10000)));
    stream = drawn.initiator;
    stream_connect(&stream, &sim->hosts[0], &sim->hosts[1], drawn.family, &options);
    tcpct_option_set(stream.connection, TCPCT_OPTION_NODELAY, drawn.nodelay);
    tcpct_option_set(stream.connection, TCPCT_OPTION_KEEPALIVE, MINUTE);
    assert_true(sim_until(sim, stream_done, &stream, 6 * HOUR));
    check_end(&stream, begun_us);
    bool complete = false;
    for (size_t i = before; i < server.count; i++) {
        assert_true(sim_until(sim, stream_done, &accepted[i], HOUR));
        check_end(&accepted[i], begun_us);
        complete = complete || (accepted[i].error == TCPCT_OK && accepted[i].got == stream.sent);
        total.bytes += accepted[i].got;
    }
    /* A <SYN> with Fast Open data may come twice (RFC 7413, 2.1). */
    if (drawn.opening != OPEN_FAST)
        assert_true(server.count <= 1);
    if (is_mild(&drawn)) {
        assert_int_equal(stream.error, TCPCT_OK);
        assert_true(complete);
        total.mild++;
    }
    total.half += stream.error == TCPCT_OK && !complete;
    if (getenv("MATRIX_VERBOSE"))
        print_message("%" PRIu64 " %s: %s, %s, %" PRIu64 " ms\n", seed,
                      opening_names[drawn.opening], tcpct_error_text(stream.error),
                      server.count > before ? tcpct_error_text(accepted[before].error) : "none",
                      (sim->now_us - begun_us) / 1000);
    check_rest(sim, blocks);
    total.bytes += stream.got;
    sim_end(sim);
    running = NULL;
}

static uint64_t number(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_matrix(void **state)
{
    uint64_t first = number("MATRIX_SEED", 1), runs = number("MATRIX_RUNS", RUNS);
    (void)state;
    for (uint64_t seed = first; seed < first + runs; seed++) {
        run(seed);
        total.runs++;
    }
    print_message("%u runs (%u mild), %" PRIu64 " packets, %" PRIu64 " bytes; ends with a timeout "
                  "%u, reset %u, refused %u, half %u\n",
                  total.runs, total.mild, total.packets, total.bytes, total.timeouts, total.resets,
                  total.refused, total.half);
}

static int teardown(void **state)
{
    if (running) {
        print_error("again with MATRIX_RUNS=1 MATRIX_SEED=%" PRIu64 "\n", running->config.seed);
        print_draw(&drawn);
    }
    running = NULL;
    return sim_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(test_matrix, teardown) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
