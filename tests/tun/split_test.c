/* split_test.c - coalesced packets cut as a network card cuts them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tun/frames.h"
#include "tun/split.h"

enum { FIN = 1, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };
enum { SEGMENTS_MAX = 8 };

static struct frame frame;
static uint8_t bytes[SEGMENTS_MAX][TCPCT_PACKET_SIZE];
static struct tcpct_packet segments[SEGMENTS_MAX];

static size_t cut(void)
{
    struct split split;
    size_t count = 0;
    split_begin(&split, &frame.packet);
    for (;;) {
        assert_true(count < SEGMENTS_MAX);
        segments[count] = (struct tcpct_packet){ .data = bytes[count], .size = TCPCT_PACKET_SIZE };
        if (!split_next(&split, &segments[count]))
            break;
        count++;
    }
    return count;
}

static uint32_t seq_of(const struct tcpct_packet *packet)
{
    const uint8_t *at = packet->data + frame_transport(packet) + 4;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint8_t flags_of(const struct tcpct_packet *packet)
{
    return packet->data[frame_transport(packet) + 13];
}

static unsigned urgent_of(const struct tcpct_packet *packet)
{
    const uint8_t *at = packet->data + frame_transport(packet) + 18;
    return (unsigned)at[0] << 8 | at[1];
}

/* Every segment is a sound packet, in sequence, and the data is complete. */
static void assert_in_sequence(size_t count, uint32_t seq, size_t data_size)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const struct tcpct_packet *segment = &segments[i];
        size_t payload = frame_payload(segment);
        assert_true(frame_is_right(segment));
        assert_false(segment->partial_checksum);
        assert_int_equal(segment->segment_size, 0);
        assert_int_equal(seq_of(segment), (uint32_t)(seq + at));
        for (; payload < segment->length; payload++, at++)
            assert_int_equal(segment->data[payload], frame_data(at));
    }
    assert_int_equal(at, data_size);
}

static void ipv4_with_options(void **state)
{
    (void)state;
    frame_make(&frame, &(struct frame_fields){ .family = 4,
                                               .protocol = 6,
                                               .options_size = 12,
                                               .flags = FIN | PSH | ACK | ECE | CWR,
                                               .seq = 0xfffffe00, /* it wraps */
                                               .identification = 0xffff,
                                               .data_size = 2501 });
    frame_offload(&frame, 1000);
    assert_int_equal(cut(), 3);
    assert_in_sequence(3, 0xfffffe00, 2501);
    assert_int_equal(segments[0].length, 20 + 32 + 1000);
    assert_int_equal(segments[2].length, 20 + 32 + 501);
    assert_int_equal(flags_of(&segments[0]), ACK | ECE | CWR);
    assert_int_equal(flags_of(&segments[1]), ACK | ECE);
    assert_int_equal(flags_of(&segments[2]), FIN | PSH | ACK | ECE);
    assert_memory_equal(segments[0].data + 4, "\xff\xff", 2);
    assert_memory_equal(segments[1].data + 4, "\x00\x00", 2);
    assert_memory_equal(segments[2].data + 4, "\x00\x01", 2);
}

static void ipv6(void **state)
{
    (void)state;
    for (size_t extensions = 0; extensions <= 16; extensions += 8) {
        frame_make(&frame, &(struct frame_fields){ .family = 6,
                                                   .protocol = 6,
                                                   .options_size = 20,
                                                   .extensions_size = extensions,
                                                   .flags = PSH | ACK,
                                                   .seq = 5,
                                                   .data_size = 4 * 1208 });
        frame_offload(&frame, 1208);
        assert_int_equal(cut(), 4);
        assert_in_sequence(4, 5, 4 * 1208);
        assert_int_equal(segments[3].length, 40 + extensions + 40 + 1208);
        assert_int_equal(flags_of(&segments[2]), ACK);
        assert_int_equal(flags_of(&segments[3]), PSH | ACK);
    }
}

static void largest_packet(void **state)
{
    (void)state;
    frame_make(&frame,
               &(struct frame_fields){
                   .family = 4, .protocol = 6, .flags = ACK, .data_size = TCPCT_PACKET_SIZE - 40 });
    frame_offload(&frame, 16384);
    assert_int_equal(cut(), 4);
    assert_in_sequence(4, 0, TCPCT_PACKET_SIZE - 40);
}

/* The urgent pointer counts from each segment's own sequence number. */
static void urgent_pointer(void **state)
{
    (void)state;
    frame_make(
        &frame,
        &(struct frame_fields){
            .family = 4, .protocol = 6, .flags = URG | ACK, .urgent = 150, .data_size = 300 });
    frame_offload(&frame, 100);
    assert_int_equal(cut(), 3);
    assert_in_sequence(3, 0, 300);
    assert_int_equal(flags_of(&segments[0]), URG | ACK);
    assert_int_equal(urgent_of(&segments[0]), 150);
    assert_int_equal(flags_of(&segments[1]), URG | ACK);
    assert_int_equal(urgent_of(&segments[1]), 50);
    assert_int_equal(flags_of(&segments[2]), ACK);
    assert_int_equal(urgent_of(&segments[2]), 0);
}

static void one_segment_is_enough(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 100; size += 50) {
        frame_make(&frame,
                   &(struct frame_fields){
                       .family = 4, .protocol = 6, .flags = FIN | PSH | ACK, .data_size = size });
        frame_offload(&frame, 100);
        assert_int_equal(cut(), 1);
        assert_in_sequence(1, 0, size);
        assert_int_equal(flags_of(&segments[0]), FIN | PSH | ACK);
    }
}

static void partial_checksums_are_completed(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        const struct frame_fields fields = { .family = i & 1 ? 4 : 6,
                                             .protocol = i & 2 ? 6 : 17,
                                             .extensions_size = i == 0 ? 8 : 0,
                                             .flags = ACK,
                                             .data_size = i & 4 ? 333 : 0 };
        frame_make(&frame, &fields);
        static uint8_t whole[TCPCT_PACKET_SIZE];
        memcpy(whole, frame.bytes, frame.packet.length);
        frame_offload(&frame, 0);
        assert_int_equal(cut(), 1);
        assert_int_equal(segments[0].length, frame.packet.length);
        assert_memory_equal(bytes[0], whole, frame.packet.length);
    }
}

/* A UDP checksum that comes out as zero is sent as 0xffff (RFC 768). */
static void udp_checksum_is_never_zero(void **state)
{
    (void)state;
    frame_make(&frame, &(struct frame_fields){ .family = 4, .protocol = 17, .data_size = 2 });
    uint8_t *checksum = frame.bytes + 20 + 6, *data = frame.bytes + 20 + 8;
    unsigned sum = ((unsigned)checksum[0] << 8 | checksum[1]) + ((unsigned)data[0] << 8 | data[1]);
    sum = (sum & 0xffff) + (sum >> 16); /* the data that uses up the whole checksum */
    data[0] = (uint8_t)(sum >> 8);
    data[1] = (uint8_t)sum;
    frame_offload(&frame, 0);
    assert_int_equal(cut(), 1);
    assert_memory_equal(bytes[0] + 26, "\xff\xff", 2);
    assert_true(frame_is_right(&segments[0]));
}

static void ordinary_packets_stay(void **state)
{
    (void)state;
    frame_make(&frame, &(struct frame_fields){ .family = 4, .protocol = 6, .data_size = 99 });
    frame.bytes[20 + 16] ^= 1; /* a wrong checksum that is not ours to mend */
    assert_int_equal(cut(), 1);
    assert_int_equal(segments[0].length, frame.packet.length);
    assert_memory_equal(bytes[0], frame.bytes, frame.packet.length);
}

/* What cannot be understood comes out once, as it is. */
static void unsound_packets_stay(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint8_t value;
    } damages[] = {
        { 0, 0x55 },       /* no version */
        { 0, 0x41 },       /* an IPv4 header of 4 bytes */
        { 6, 0x20 },       /* a fragment */
        { 9, 50 },         /* neither TCP nor UDP */
        { 20 + 12, 0x40 }, /* a TCP header of 16 bytes */
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        frame_make(&frame, &(struct frame_fields){ .family = 4, .protocol = 6, .data_size = 20 });
        frame_offload(&frame, 10);
        frame.packet.partial_checksum = false;
        frame.bytes[damages[i].offset] = damages[i].value;
        assert_int_equal(cut(), 1);
        assert_int_equal(segments[0].length, frame.packet.length);
        assert_memory_equal(bytes[0], frame.bytes, frame.packet.length);
    }
    frame_make(&frame, &(struct frame_fields){ .family = 4, .protocol = 6 });
    frame_offload(&frame, 10);
    frame.bytes[20 + 12] = 0xf0; /* a TCP header past the end */
    assert_int_equal(cut(), 1);
    for (size_t length = 0; length < 40; length++) { /* and truncated ones */
        frame.packet.length = length;
        assert_int_equal(cut(), 1);
        assert_int_equal(segments[0].length, length);
    }
}

static void too_little_room(void **state)
{
    (void)state;
    frame_make(&frame, &(struct frame_fields){ .family = 4, .protocol = 6, .data_size = 300 });
    for (int coalesced = 0; coalesced < 2; coalesced++) {
        if (coalesced)
            frame_offload(&frame, 200);
        struct split split;
        struct tcpct_packet small = { .data = bytes[0], .size = 239 };
        split_begin(&split, &frame.packet);
        assert_false(split_next(&split, &small));
        assert_false(split_next(&split, &small));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_with_options),
        cmocka_unit_test(ipv6),
        cmocka_unit_test(largest_packet),
        cmocka_unit_test(urgent_pointer),
        cmocka_unit_test(one_segment_is_enough),
        cmocka_unit_test(partial_checksums_are_completed),
        cmocka_unit_test(udp_checksum_is_never_zero),
        cmocka_unit_test(ordinary_packets_stay),
        cmocka_unit_test(unsound_packets_stay),
        cmocka_unit_test(too_little_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
