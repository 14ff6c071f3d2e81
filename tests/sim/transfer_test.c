/* transfer_test.c - streams both ways through good and bad networks: every byte arrives, once and
 * in order, and afterwards nothing is left of the connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/stream.h"

enum { MEGABYTE = 1 << 20, SECOND = 1000000, MINUTE = 60 * SECOND };

static const struct link_path good_path = { .rate = 50000000, .delay_us = 10000 };
static const struct link_path bad_path = {
    .rate = 50000000,
    .delay_us = 10000,
    .loss = 0.05,
    .reorder = 0.1,
    .reorder_us = 3000,
    .duplicate = 0.02,
};

/* What one transfer looks like. */
struct scenario {
    unsigned family;
    bool cookies;
    struct link_path path;
    struct tcpct_config stacks[2]; /* of the Initiator and the Responder */
    uint64_t size_up, size_down;   /* bytes */
    enum stream_close initiator_close, responder_close;
    size_t read_size; /* of the Responder, and its pause */
    uint64_t read_pause_us;
    uint64_t limit_us;
    void (*filter)(void *context, struct sim_packet *packet);
};

static const struct scenario *planned;

static void plan(struct stream *stream, const struct tcpct_info *info)
{
    assert_int_equal(info->cookies, planned->cookies);
    stream->to_send = planned->size_down;
    stream->to_get = planned->size_up;
    stream->close = planned->responder_close;
    stream->read_size = planned->read_size;
    stream->read_pause_us = planned->read_pause_us;
}

static bool nothing_left(const void *sim)
{
    return sim_connections(sim) == 0;
}

/* After 2 MSL and some more all is gone, but for what a stack has from its beginning. */
static void check_rest(struct sim *sim)
{
    assert_true(sim_until(sim, nothing_left, sim, 5 * MINUTE));
}

static void transfer(const struct scenario *scenario, uint64_t seed)
{
    struct sim_config config = { .seed = seed,
                                 .up = { scenario->path },
                                 .down = { scenario->path },
                                 .stacks = { scenario->stacks[0], scenario->stacks[1] } };
    struct sim *sim = sim_begin(&config);
    struct stream accepted, stream = { .to_send = scenario->size_up,
                                       .to_get = scenario->size_down,
                                       .close = scenario->initiator_close };
    struct stream_server server = { .plan = plan, .streams = &accepted, .max = 1 };
    struct tcpct_connect_options options = { .parameters = { .cookie_desired =
                                                                 scenario->cookies ? 16 : 0 } };
    uint64_t limit_us = scenario->limit_us ? scenario->limit_us : 2 * (uint64_t)MINUTE;
    planned = scenario;
    sim->filter = scenario->filter;
    stream_listen(&sim->hosts[1], &server, NULL);
    stream_connect(&stream, &sim->hosts[0], &sim->hosts[1], scenario->family, &options);
    assert_true(sim_until(sim, stream_done, &stream, limit_us));
    assert_int_equal(server.count, 1);
    assert_true(sim_until(sim, stream_done, &accepted, limit_us));
    stream_check(&stream);
    stream_check(&accepted);
    check_rest(sim);
    sim_end(sim);
}

/* The scenario over both families, with cookies and without, for some seeds. */
static void transfer_all_ways(const struct scenario *from, uint64_t seeds)
{
    for (unsigned way = 0; way < 4; way++) {
        struct scenario scenario = *from;
        scenario.family = way & 1 ? 6 : 4;
        scenario.cookies = way & 2;
        for (uint64_t seed = 1; seed <= seeds; seed++)
            transfer(&scenario, seed + 100 * way);
    }
}

static void test_megabyte_without_loss(void **state)
{
    (void)state;
    transfer_all_ways(
        &(struct scenario){
            .path = good_path, .size_up = MEGABYTE, .size_down = MEGABYTE, .limit_us = 5 * SECOND },
        1);
}

/* Timestamps are echoed also after an end that is not acknowledged yet, which is what the reader's
 * buffer grows by: slow start, not that buffer, says how fast this goes. */
static void test_speed_after_the_readers_end(void **state)
{
    (void)state;
    transfer_all_ways(
        &(struct scenario){ .path = { .rate = 200000000, .delay_us = 10000, .queue_bytes = 500000 },
                            .size_up = 6 * MEGABYTE,
                            .limit_us = SECOND / 2 },
        1);
}

static void test_megabyte_through_loss(void **state)
{
    (void)state;
    transfer_all_ways(
        &(struct scenario){ .path = bad_path, .size_up = MEGABYTE, .size_down = MEGABYTE }, 3);
}

static void test_megabyte_up_through_loss(void **state)
{
    (void)state;
    transfer_all_ways(&(struct scenario){ .path = bad_path,
                                          .size_up = MEGABYTE,
                                          .responder_close = STREAM_FOLLOW },
                      2);
}

/* Peers without SACK, and without Timestamps: duplicate acknowledgments must do. */
static void strip_options(void *context, struct sim_packet *packet)
{
    struct tcp_options *options = &packet->segment->options;
    const uint32_t stripped = OPTION_SACK_PERMITTED | OPTION_TIMESTAMPS | OPTION_COOKIE;
    (void)context;
    if (!(packet->segment->flags & SEGMENT_SYN))
        return;
    options->present &= ~stripped;
    options->timestamp_size = 0;
    packet->altered = true;
}

static void test_without_options(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++)
        transfer(&(struct scenario){ .family = seed & 1 ? 4 : 6,
                                     .path = bad_path,
                                     .size_up = MEGABYTE / 2,
                                     .size_down = MEGABYTE / 2,
                                     .filter = strip_options,
                                     .limit_us = 10 * (uint64_t)MINUTE },
                 seed);
}

/* A queue much smaller than the window: loss by congestion only. */
static void test_small_queue(void **state)
{
    (void)state;
    transfer_all_ways(
        &(struct scenario){ .path = { .rate = 10000000, .delay_us = 20000, .queue_packets = 20 },
                            .size_down = MEGABYTE,
                            .initiator_close = STREAM_FOLLOW },
        2);
}

/* One bit in a hundred packets: the checksums find it (RFC 9293, 3.1). */
static void test_corruption(void **state)
{
    (void)state;
    struct link_path path = good_path;
    path.corrupt = 0.01;
    transfer_all_ways(
        &(struct scenario){ .path = path, .size_up = MEGABYTE / 2, .size_down = MEGABYTE / 2 }, 2);
}

/* RFC 9293, 3.8.6.1: a window that stays closed is probed, and opens again. */
static void test_slow_reader(void **state)
{
    (void)state;
    transfer_all_ways(&(struct scenario){ .path = good_path,
                                          .stacks = { [1] = { .receive_buffer_max = 4096 } },
                                          .size_up = 40000,
                                          .responder_close = STREAM_FOLLOW,
                                          .read_size = 1000,
                                          .read_pause_us = 500000 },
                      1);
}

/* The same through loss: also the segment that opens the window may be lost. */
static void test_slow_reader_through_loss(void **state)
{
    (void)state;
    transfer_all_ways(&(struct scenario){ .path = bad_path,
                                          .stacks = { [1] = { .receive_buffer_max = 4096 } },
                                          .size_up = 40000,
                                          .responder_close = STREAM_FOLLOW,
                                          .read_size = 4000,
                                          .read_pause_us = 2 * SECOND },
                      3);
}

static void test_tiny_buffers(void **state)
{
    (void)state;
    const struct tcpct_config tiny = { .send_buffer_max = 600, .receive_buffer_max = 700 };
    transfer_all_ways(
        &(struct scenario){
            .path = bad_path, .stacks = { tiny, tiny }, .size_up = 20000, .size_down = 20000 },
        2);
}

static void test_small_mtu(void **state)
{
    (void)state;
    const struct tcpct_config small = { .mtu = 576 };
    transfer_all_ways(
        &(struct scenario){
            .path = bad_path, .stacks = { small, { 0 } }, .size_up = 100000, .size_down = 100000 },
        1);
}

/* Segmentation offload: buffers leave whole and are cut on the link. */
static void test_offload(void **state)
{
    (void)state;
    const struct tcpct_config offload = { .offload_size_max = 65535, .checksum_offload = true };
    transfer_all_ways(&(struct scenario){ .path = bad_path,
                                          .stacks = { offload, offload },
                                          .size_up = MEGABYTE,
                                          .size_down = MEGABYTE },
                      1);
}

/* Half-close: one direction ends long before the other (RFC 9293, 3.6, case 1). */
static void test_half_close(void **state)
{
    (void)state;
    transfer_all_ways(&(struct scenario){ .path = good_path,
                                          .size_up = 1000,
                                          .size_down = MEGABYTE,
                                          .responder_close = STREAM_FOLLOW },
                      1);
    transfer_all_ways(&(struct scenario){ .path = good_path,
                                          .size_up = MEGABYTE,
                                          .size_down = 1000,
                                          .initiator_close = STREAM_FOLLOW },
                      1);
}

/* Closes from either side and from both at once, of connections with little data, where each
 * segment of the close may be the one that is lost. */
static void test_closes(void **state)
{
    (void)state;
    for (unsigned closes = 0; closes < 3; closes++)
        transfer_all_ways(
            &(struct scenario){ .path = bad_path,
                                .size_up = 300,
                                .size_down = 300,
                                .initiator_close = closes == 1 ? STREAM_FOLLOW : STREAM_SHUTDOWN,
                                .responder_close = closes == 2 ? STREAM_FOLLOW : STREAM_SHUTDOWN,
                                .limit_us = 30 * SECOND },
            15);
}

static void test_empty(void **state)
{
    (void)state;
    transfer_all_ways(&(struct scenario){ .path = bad_path, .limit_us = 30 * SECOND }, 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, sim_teardown)
    const struct CMUnitTest tests[] = {
        TEST(megabyte_without_loss),
        TEST(speed_after_the_readers_end),
        TEST(megabyte_through_loss),
        TEST(megabyte_up_through_loss),
        TEST(without_options),
        TEST(small_queue),
        TEST(corruption),
        TEST(slow_reader),
        TEST(slow_reader_through_loss),
        TEST(tiny_buffers),
        TEST(small_mtu),
        TEST(offload),
        TEST(half_close),
        TEST(closes),
        TEST(empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
