/* segment_test.c - whole packets: values to bytes and back, checksums, truncation, discards. */
#include "tcpct/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/checksum.h"
#include "tcpct/wire.h"
#include "tests/tcpct/generate.h"

static uint8_t buffer[TCPCT_PACKET_SIZE];

static struct tcpct_packet empty_packet(void)
{
    return (struct tcpct_packet){ .data = buffer, .size = sizeof buffer };
}

/* Decodes a copy of exactly that size, so that a sanitizer sees any read beyond. The data of
 * `segment` is not there any more afterwards. */
static enum segment_verdict decode_copy(struct segment *segment, const struct tcpct_packet *packet,
                                        size_t size)
{
    struct tcpct_packet copy = *packet;

    copy.data = malloc(size > 0 ? size : 1);
    copy.length = size;
    memcpy(copy.data, packet->data, size);
    enum segment_verdict verdict = segment_decode(segment, &copy, NULL);
    free(copy.data);
    return verdict;
}

/* An opening (RFC 6013, 4.3) of either family with 11 bytes of data. */
static struct segment opening(uint8_t family)
{
    return (struct segment){
        .source = { family, { 10, 0, 0, 1 } },
        .destination = { family, { 10, 0, 0, 2 } },
        .source_port = 40000,
        .destination_port = 53,
        .seq = 0xfffffffe,
        .ack = 77,
        .flags = SEGMENT_ACK | SEGMENT_PSH,
        .hop_limit = 64,
        .window = 1000,
        .options = { .present = OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR | OPTION_MSS,
                     .mss = 1460,
                     .cookie_size = 16,
                     .timestamp_size = 4 },
        .data = (const uint8_t *)"hello world",
        .data_size = 11,
    };
}

static void mend_checksums(struct tcpct_packet *packet)
{
    uint8_t *bytes = packet->data;
    bool ipv4 = bytes[0] >> 4 == 4;
    size_t ip_size = ipv4 ? 20 : 40, tcp_size = packet->length - ip_size;
    struct ip_header header;

    if (ipv4) {
        wire_put16(bytes + 2, (uint16_t)packet->length);
        wire_put16(bytes + 10, 0);
        wire_put16(bytes + 10, (uint16_t)~checksum_fold(checksum_add(0, bytes, 20)));
    } else {
        wire_put16(bytes + 4, (uint16_t)tcp_size);
    }
    assert_int_equal(ip_decode(&header, bytes, packet->length, false), IP_OK);
    if (tcp_size < 18)
        return;
    wire_put16(bytes + ip_size + 16, 0);
    uint32_t sum = ip_pseudo_sum(&header.source, &header.destination, 6, tcp_size);
    wire_put16(bytes + ip_size + 16,
               (uint16_t)~checksum_fold(checksum_add(sum, bytes + ip_size, tcp_size)));
}

/* ---- round trips ----------------------------------------------------------------------------- */

static void random_segments_come_back(void **state)
{
    (void)state;
    struct generator generator = { 793 };
    uint8_t data[1500], again[TCPCT_PACKET_SIZE];

    generate_bytes(&generator, data, sizeof data);
    for (unsigned i = 0; i < 20000; i++) {
        struct segment segment, back;
        struct option_layout layout;
        struct tcpct_packet packet = empty_packet(),
                            second = { .data = again, .size = sizeof again };
        bool partial = generate_below(&generator, 2);

        generate_segment(&generator, &segment, data, generate_below(&generator, sizeof data));
        assert_true(segment_encode(&segment, &packet, partial));
        assert_int_equal(packet.partial_checksum, partial);
        assert_int_equal(packet.length, segment_header_size(&segment) + segment.data_size);
        assert_int_equal(segment_decode(&back, &packet, &layout), SEGMENT_OK);
        assert_true(segment_same(&segment, &back));
        assert_int_equal(back.packet_size, packet.length);
        assert_int_equal(back.options.ignored, 0);
        assert_int_equal(packet.header_size + back.extension_size, segment_header_size(&segment));
        assert_true(segment_encode_layout(&back, &layout, &second, partial));
        assert_int_equal(second.length, packet.length);
        assert_memory_equal(second.data, packet.data, packet.length);
    }
}

static void data_may_be_in_place(void **state)
{
    (void)state;
    struct segment segment = opening(4);
    struct tcpct_packet packet = empty_packet();
    uint8_t expected[200];

    assert_true(segment_encode(&segment, &packet, false));
    memcpy(expected, buffer, packet.length);
    size_t header_size = segment_header_size(&segment);
    memset(buffer, 0xff, header_size); /* the data stays */
    segment.data = NULL;
    assert_true(segment_encode(&segment, &packet, false));
    assert_memory_equal(buffer, expected, packet.length);
    memset(buffer, 0xff, header_size);
    segment.data = buffer + header_size;
    assert_true(segment_encode(&segment, &packet, false));
    assert_memory_equal(buffer, expected, packet.length);
}

static void sequence_space(void **state)
{
    (void)state;
    assert_int_equal(segment_length(&(struct segment){ .flags = SEGMENT_ACK }), 0);
    assert_int_equal(segment_length(&(struct segment){ .flags = SEGMENT_SYN, .data_size = 9 }), 10);
    assert_int_equal(segment_length(&(struct segment){ .flags = SEGMENT_FIN, .data_size = 9 }), 10);
    assert_int_equal(segment_length(&(struct segment){ .flags = SEGMENT_SYN | SEGMENT_FIN }), 2);
}

static void the_extension_is_no_data(void **state)
{
    (void)state;
    struct segment segment = opening(6), back;
    struct tcpct_packet packet = empty_packet();

    assert_true(segment_encode(&segment, &packet, false));
    assert_int_equal(segment_decode(&back, &packet, NULL), SEGMENT_OK);
    assert_int_equal(back.extension_size, 8 + 36 + 4);
    assert_int_equal(packet.header_size, 40 + 24); /* as the data offset has it */
    assert_int_equal(back.data_size, 11);
    assert_int_equal(segment_length(&back), 11);
    assert_memory_equal(back.data, "hello world", 11);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct segment segment = opening(4);
    struct tcpct_packet packet = empty_packet();

    assert_true(segment_encode(&segment, &packet, false));
    size_t needed = packet.length;
    for (packet.size = 0; packet.size < needed; packet.size++) {
        packet.data = malloc(packet.size > 0 ? packet.size : 1);
        assert_false(segment_encode(&segment, &packet, false));
        free(packet.data);
    }
    packet = empty_packet();
    segment.data = NULL;
    segment.data_size = TCPCT_PACKET_SIZE;
    assert_false(segment_encode(&segment, &packet, false));
    segment.options.cookie_size = 7;
    segment.data_size = 0;
    assert_false(segment_encode(&segment, &packet, false));
    assert_int_equal(segment_header_size(&segment), 0);
}

/* ---- checksums ------------------------------------------------------------------------------- */

/* Every bit but those that nothing covers: IPv6's traffic class, flow label and hop limit. */
static void every_flipped_bit_is_seen(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct segment segment = opening(family), back;
        struct tcpct_packet packet = empty_packet();

        assert_true(segment_encode(&segment, &packet, false));
        assert_int_equal(segment_decode(&back, &packet, NULL), SEGMENT_OK);
        for (size_t bit = 0; bit < 8 * packet.length; bit++) {
            if (family == 6 && ((bit >= 4 && bit < 32) || bit / 8 == 7))
                continue;
            buffer[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
            assert_int_not_equal(segment_decode(&back, &packet, NULL), SEGMENT_OK);
            buffer[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        }
    }
}

static void a_bad_checksum_leaves_the_header(void **state)
{
    (void)state;
    struct segment segment = opening(4), back = { 0 };
    struct tcpct_packet packet = empty_packet();

    assert_true(segment_encode(&segment, &packet, false));
    buffer[packet.length - 1] ^= 1;
    assert_int_equal(segment_decode(&back, &packet, NULL), SEGMENT_BAD_CHECKSUM);
    assert_true(ip_address_equal(&back.source, &segment.source));
    assert_int_equal(back.destination_port, 53);
    assert_int_equal(back.seq, 0xfffffffe);
    assert_int_equal(back.ack, 77);
    assert_int_equal(back.flags, SEGMENT_ACK | SEGMENT_PSH);
    packet.partial_checksum = true; /* the device vouches for it */
    assert_int_equal(segment_decode(&back, &packet, NULL), SEGMENT_OK);
}

/* What a device does with a partial checksum: sum from the TCP header on, complement, store. */
static void a_partial_checksum_can_be_completed(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct segment segment = opening(family), back;
        struct tcpct_packet packet = empty_packet();
        size_t ip_size = ip_header_size(&segment.source);

        assert_true(segment_encode(&segment, &packet, true));
        assert_int_equal(wire_get16(buffer + ip_size + 16),
                         checksum_fold(ip_pseudo_sum(&segment.source, &segment.destination, 6,
                                                     packet.length - ip_size)));
        uint32_t sum = checksum_add(0, buffer + ip_size, packet.length - ip_size);
        wire_put16(buffer + ip_size + 16, (uint16_t)~checksum_fold(sum));
        packet.partial_checksum = false;
        assert_int_equal(segment_decode(&back, &packet, NULL), SEGMENT_OK);
    }
}

/* ---- coalesced ------------------------------------------------------------------------------- */

static void a_coalesced_segment_stands_for_several(void **state)
{
    (void)state;
    static uint8_t data[40000];

    for (uint8_t family = 4; family <= 6; family += 2) {
        struct segment segment = opening(family), back;
        struct tcpct_packet packet = empty_packet();

        segment.data = data;
        segment.data_size = sizeof data;
        segment.segment_size = 1400;
        assert_false(segment_encode(&segment, &packet, true)); /* with an extension: never */
        segment.options = (struct tcp_options){ .present = OPTION_TIMESTAMPS, .timestamp_size = 4 };
        assert_true(segment_encode(&segment, &packet, true));
        assert_int_equal(packet.segment_size, 1400);
        assert_int_equal(packet.length, packet.header_size + sizeof data);
        assert_int_equal(segment_decode(&back, &packet, NULL), SEGMENT_OK);
        assert_true(segment_same(&segment, &back));
        /* Its length field may say nothing. */
        wire_put16(buffer + (family == 4 ? 2 : 4), 0);
        assert_int_equal(segment_decode(&back, &packet, NULL), SEGMENT_OK);
        assert_int_equal(back.data_size, sizeof data);
        packet.segment_size = 0;
        assert_int_not_equal(segment_decode(&back, &packet, NULL), SEGMENT_OK);
    }
}

/* ---- what is refused ------------------------------------------------------------------------- */

/* Cut anywhere: as the network might (the IP length says more), and with an IP header that agrees
 * and right checksums, so that it is the TCP header, options and extension that are cut. */
static void every_prefix_is_harmless(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct segment segment = opening(family), back;
        struct tcpct_packet packet = empty_packet();
        size_t ip_size = ip_header_size(&segment.source);

        assert_true(segment_encode(&segment, &packet, false));
        size_t whole = packet.length, headers = whole - segment.data_size;
        for (size_t size = 0; size < whole; size++)
            assert_int_equal(decode_copy(&back, &packet, size), SEGMENT_BAD_IP);
        for (size_t size = whole; size-- > ip_size;) {
            packet.length = size;
            mend_checksums(&packet);
            enum segment_verdict verdict = decode_copy(&back, &packet, size);
            if (size >= headers)
                assert_int_equal(verdict, SEGMENT_OK);
            else if (size >= ip_size + 24)
                assert_int_equal(verdict, SEGMENT_BAD_EXTEND);
            else
                assert_int_equal(verdict, SEGMENT_TRUNCATED);
        }
    }
}

static enum segment_verdict decode_mended(struct tcpct_packet *packet)
{
    struct segment segment;

    mend_checksums(packet);
    return segment_decode(&segment, packet, NULL);
}

static void each_reason_has_its_verdict(void **state)
{
    (void)state;
    struct segment segment = opening(4);
    struct tcpct_packet packet = empty_packet();

    assert_true(segment_encode(&segment, &packet, false));
    assert_int_equal(decode_mended(&packet), SEGMENT_OK);
    buffer[9] = IP_PROTOCOL_UDP;
    assert_int_equal(decode_mended(&packet), SEGMENT_NOT_TCP);
    buffer[9] = IP_PROTOCOL_TCP;
    buffer[10] ^= 1;
    assert_int_equal(segment_decode(&segment, &packet, NULL), SEGMENT_IP_CHECKSUM);
    buffer[6] = 0x20;
    wire_put16(buffer + 10, 0);
    wire_put16(buffer + 10, (uint16_t)~checksum_fold(checksum_add(0, buffer, 20)));
    assert_int_equal(segment_decode(&segment, &packet, NULL), SEGMENT_IP_FRAGMENT);
    buffer[6] = 0x40;
    buffer[32] = 0x40; /* data offset 4 */
    assert_int_equal(decode_mended(&packet), SEGMENT_TRUNCATED);
    buffer[32] = 0xf0;
    packet.length = 20 + 59;
    assert_int_equal(decode_mended(&packet), SEGMENT_TRUNCATED);
    packet.length = 20 + 24 + 48 + 11;
    buffer[32] = 0x60;
    assert_int_equal(decode_mended(&packet), SEGMENT_OK);
    buffer[42] = 8; /* Extend */
    assert_int_equal(decode_mended(&packet), SEGMENT_BAD_EXTEND);
    buffer[42] = 15;
    assert_int_equal(decode_mended(&packet), SEGMENT_BAD_EXTEND);
    buffer[42] = 12;
    buffer[43] = 3; /* Size */
    assert_int_equal(decode_mended(&packet), SEGMENT_BAD_EXTEND);
    buffer[43] = 1;
    buffer[44 + 44] = 253; /* Cookie-less in MSS' place */
    buffer[44 + 45] = 2;
    buffer[44 + 46] = 0;
    assert_int_equal(decode_mended(&packet), SEGMENT_BAD_OPTIONS);
    buffer[44 + 44] = 2; /* MSS with a bad length and no end: ignored */
    buffer[44 + 45] = 77;
    assert_int_equal(decode_mended(&packet), SEGMENT_OK);
    assert_int_equal(segment_decode(&segment, &packet, NULL), SEGMENT_OK);
    assert_int_equal(segment.options.present, OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR);
    assert_int_equal(segment.options.ignored, 1);
}

static void verdicts_have_texts(void **state)
{
    (void)state;
    for (int verdict = SEGMENT_OK; verdict <= SEGMENT_BAD_EXTEND; verdict++)
        assert_string_not_equal(segment_verdict_text((enum segment_verdict)verdict), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_segments_come_back),
        cmocka_unit_test(data_may_be_in_place),
        cmocka_unit_test(sequence_space),
        cmocka_unit_test(the_extension_is_no_data),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(a_bad_checksum_leaves_the_header),
        cmocka_unit_test(a_partial_checksum_can_be_completed),
        cmocka_unit_test(a_coalesced_segment_stands_for_several),
        cmocka_unit_test(every_prefix_is_harmless),
        cmocka_unit_test(each_reason_has_its_verdict),
        cmocka_unit_test(verdicts_have_texts),
    };
    return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
