/* boxed.c - see boxed.h. */
#include "tests/tun/boxed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

const struct tcpct_address boxed_inside[2] = { { 4, { 10, 0, 0, 1 } }, { 6, { 0xfd, [15] = 1 } } };
const struct tcpct_address boxed_remote[2] = { { 4, { 192, 0, 2, 1 } },
                                               { 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } } };

void boxed_begin(struct boxed *boxed, const struct middlebox_config *config)
{
    struct middlebox_config sized = *config;
    sized.packet_size_max = BOXED_SIZE;
    memset(boxed, 0, sizeof *boxed);
    boxed->now_us = 1000000;
    boxed->box = middlebox_create(
        &sized, (const struct middlebox_way *const[]){ &boxed->ways[0], &boxed->ways[1] });
    assert_non_null(boxed->box);
}

void boxed_end(struct boxed *boxed)
{
    middlebox_destroy(boxed->box);
}

struct segment boxed_segment(enum link_direction direction, unsigned family, uint8_t flags,
                             uint32_t seq, uint32_t data_size)
{
    static uint8_t pattern[BOXED_SIZE + 256];
    for (unsigned i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)i;
    struct segment segment = { .source = boxed_inside[family == 6],
                               .destination = boxed_remote[family == 6],
                               .source_port = BOXED_INSIDE_PORT,
                               .destination_port = BOXED_REMOTE_PORT,
                               .seq = seq,
                               .flags = flags,
                               .hop_limit = 64,
                               .window = 1000,
                               .data = pattern + seq % 256,
                               .data_size = data_size };
    if (direction == LINK_B_TO_A) {
        segment.source = boxed_remote[family == 6];
        segment.destination = boxed_inside[family == 6];
        segment.source_port = BOXED_REMOTE_PORT;
        segment.destination_port = BOXED_INSIDE_PORT;
    }
    return segment;
}

static void record(void *context, enum link_direction direction, const struct tcpct_packet *packet,
                   uint64_t at_us)
{
    struct boxed *boxed = context;
    assert_true(boxed->count < BOXED_MAX && packet->length <= BOXED_SIZE);
    struct boxed_packet *out = &boxed->out[boxed->count++];
    *out = (struct boxed_packet){ .direction = direction, .at_us = at_us };
    memcpy(out->bytes, packet->data, packet->length);
    out->packet =
        (struct tcpct_packet){ .data = out->bytes, .length = packet->length, .size = BOXED_SIZE };
    out->verdict = segment_decode(&out->segment, &out->packet, NULL);
}

size_t boxed_send_packet(struct boxed *boxed, enum link_direction direction,
                         const struct tcpct_packet *packet)
{
    static uint8_t bytes[BOXED_SIZE];
    struct tcpct_packet copy = { .data = bytes, .length = packet->length, .size = sizeof bytes };
    memcpy(bytes, packet->data, packet->length);
    boxed->count = 0;
    middlebox_input(boxed->box, direction, &copy, boxed->now_us, record, boxed);
    return boxed->count;
}

size_t boxed_send(struct boxed *boxed, enum link_direction direction, const struct segment *segment)
{
    static uint8_t bytes[BOXED_SIZE];
    struct tcpct_packet packet = { .data = bytes, .size = sizeof bytes };
    assert_true(segment_encode(segment, &packet, false));
    return boxed_send_packet(boxed, direction, &packet);
}

size_t boxed_wait(struct boxed *boxed, uint64_t now_us)
{
    boxed->now_us = now_us;
    boxed->count = 0;
    middlebox_tick(boxed->box, now_us, record, boxed);
    return boxed->count;
}

const struct segment *boxed_pass(struct boxed *boxed, enum link_direction direction,
                                 const struct segment *segment)
{
    assert_int_equal(boxed_send(boxed, direction, segment), 1);
    assert_int_equal(boxed->out[0].direction, direction);
    assert_int_equal(boxed->out[0].verdict, SEGMENT_OK);
    return &boxed->out[0].segment;
}
