/* nat_test.c - addresses and ports rewritten there and back, in ICMP's quotations too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/checksum.h"
#include "tcpct/wire.h"
#include "tests/tun/boxed.h"
#include "tests/tun/frames.h"

enum { S = SEGMENT_SYN, A = SEGMENT_ACK };

static struct boxed box;
static const struct tcpct_address outsides[2] = { { 4, { 198, 51, 100, 7 } },
                                                  { 6, { 0x20, 1, 0xd, 0xb8, [15] = 7 } } };

static void begin(uint64_t forget_us)
{
    boxed_begin(&box, &(struct middlebox_config){ .nat = { outsides[0], outsides[1] },
                                                  .forget_us = forget_us });
}

/* Sends from inside; the port that it has outside. */
static uint16_t outside_port(const struct segment *segment)
{
    const struct segment *out = boxed_pass(&box, LINK_A_TO_B, segment);
    assert_true(ip_address_equal(&out->source, &outsides[out->source.family == 6]));
    assert_true(ip_address_equal(&out->destination, &segment->destination));
    assert_int_equal(out->destination_port, segment->destination_port);
    assert_int_equal(out->seq, segment->seq);
    assert_int_equal(out->data_size, segment->data_size);
    return out->source_port;
}

/* An answer to that port, as it comes from outside. */
static struct segment answer_to(unsigned family, uint16_t port)
{
    struct segment answer = boxed_segment(LINK_B_TO_A, family, A, 500, 20);
    answer.destination = outsides[family == 6];
    answer.destination_port = port;
    return answer;
}

static void there_and_back(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        begin(0);
        struct segment segment = boxed_segment(LINK_A_TO_B, family, S, 1, 30);
        uint16_t port = outside_port(&segment);
        assert_int_equal(outside_port(&segment), port);
        struct segment answer = answer_to(family, port);
        const struct segment *out = boxed_pass(&box, LINK_B_TO_A, &answer);
        assert_true(ip_address_equal(&out->destination, &boxed_inside[family == 6]));
        assert_int_equal(out->destination_port, BOXED_INSIDE_PORT);
        assert_int_equal(out->source_port, BOXED_REMOTE_PORT);

        segment.source_port++;
        assert_int_not_equal(outside_port(&segment), port);
        boxed_end(&box);
    }
}

static void unknown_ones_are_blocked(void **state)
{
    (void)state;
    begin(0);
    struct segment segment = boxed_segment(LINK_A_TO_B, 4, S, 1, 0);
    uint16_t port = outside_port(&segment);
    struct segment answer = answer_to(4, (uint16_t)(port + 1));
    assert_int_equal(boxed_send(&box, LINK_B_TO_A, &answer), 0);
    answer = answer_to(4, port);
    answer.source_port++; /* another remote end */
    assert_int_equal(boxed_send(&box, LINK_B_TO_A, &answer), 0);
    answer = boxed_segment(LINK_B_TO_A, 4, A, 1, 0); /* to the inside address itself */
    answer.destination_port = port;
    assert_int_equal(boxed_send(&box, LINK_B_TO_A, &answer), 0);
    boxed_end(&box);
}

static void mappings_end(void **state)
{
    (void)state;
    begin(1000);
    struct segment segment = boxed_segment(LINK_A_TO_B, 4, S, 1, 0);
    uint16_t port = outside_port(&segment);
    box.now_us += 1001;
    struct segment answer = answer_to(4, port);
    assert_int_equal(boxed_send(&box, LINK_B_TO_A, &answer), 0);
    assert_int_not_equal(outside_port(&segment), port); /* as if it were another connection */
    boxed_end(&box);
}

static void ports_wrap(void **state)
{
    (void)state;
    begin(0);
    struct segment segment = boxed_segment(LINK_A_TO_B, 4, S, 1, 0);
    uint16_t first = outside_port(&segment);
    for (unsigned i = 0; i < 65536; i++) {
        struct segment other = segment;
        other.source_port = (uint16_t)i;
        uint16_t port = outside_port(&other);
        assert_true(port >= 20000);
        assert_true(other.source_port == segment.source_port || port != first);
        box.now_us++;
        outside_port(&segment); /* stays in use */
    }
    boxed_end(&box);
}

static void udp_too(void **state)
{
    (void)state;
    static struct frame frame;
    begin(0);
    frame_make(&frame, &(struct frame_fields){ .family = 4, .protocol = 17, .data_size = 33 });
    assert_int_equal(boxed_send_packet(&box, LINK_A_TO_B, &frame.packet), 1);
    assert_true(frame_is_right(&box.out[0].packet));
    assert_memory_equal(box.out[0].bytes + 12, outsides[0].bytes, 4);
    assert_int_equal(wire_get16(box.out[0].bytes + 22), 2000);
    boxed_end(&box);
}

/* ---- ICMP -------------------------------------------------------------------------------------- */

static uint8_t error_bytes[BOXED_SIZE];

/* An ICMP error that quotes the packet, from a router. */
static struct tcpct_packet error_about(const struct tcpct_packet *quoted,
                                       const struct tcpct_address *source,
                                       const struct tcpct_address *destination)
{
    bool v6 = source->family == 6;
    struct ip_header ip = { .source = *source,
                            .destination = *destination,
                            .protocol = v6 ? IP_PROTOCOL_ICMPV6 : IP_PROTOCOL_ICMP,
                            .hop_limit = 64 };
    size_t size = 8 + quoted->length;
    uint8_t *message = error_bytes + ip_encode(&ip, error_bytes, size);
    memset(message, 0, 8);
    message[0] = v6 ? 2 : 3;
    message[1] = v6 ? 0 : 4;
    memcpy(message + 8, quoted->data, quoted->length);
    uint32_t sum = v6 ? ip_pseudo_sum(source, destination, IP_PROTOCOL_ICMPV6, size) : 0;
    wire_put16(message + 2, (uint16_t)~checksum_fold(checksum_add(sum, message, size)));
    return (struct tcpct_packet){ .data = error_bytes,
                                  .length = ip_header_size(source) + size,
                                  .size = sizeof error_bytes };
}

/* The quotation in the only packet that came out, after its checksums are found right. */
static const uint8_t *quotation(const struct tcpct_address *to, struct ip_header *quoted)
{
    const struct boxed_packet *out = &box.out[0];
    struct ip_header ip;
    assert_int_equal(box.count, 1);
    assert_int_equal(ip_decode(&ip, out->bytes, out->packet.length, false), IP_OK);
    assert_true(ip_address_equal(&ip.destination, to));
    const uint8_t *message = out->bytes + ip.header_size;
    uint32_t sum = ip.source.family == 6 ? ip_pseudo_sum(&ip.source, &ip.destination,
                                                         IP_PROTOCOL_ICMPV6, ip.payload_size)
                                         : 0;
    assert_int_equal(checksum_fold(checksum_add(sum, message, ip.payload_size)), 0xffff);
    assert_int_equal(ip_decode(quoted, message + 8, ip.payload_size - 8, false), IP_OK);
    return message + 8 + quoted->header_size;
}

static void errors_from_outside(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        begin(0);
        bool v6 = family == 6;
        struct segment segment = boxed_segment(LINK_A_TO_B, family, S, 1, 30);
        outside_port(&segment);
        struct boxed_packet sent = box.out[0];
        sent.packet.data = sent.bytes;
        struct tcpct_packet error = error_about(&sent.packet, &boxed_remote[v6], &outsides[v6]);
        assert_int_equal(boxed_send_packet(&box, LINK_B_TO_A, &error), 1);
        struct ip_header quoted;
        const uint8_t *tcp = quotation(&boxed_inside[v6], &quoted);
        assert_true(ip_address_equal(&quoted.source, &boxed_inside[v6]));
        assert_int_equal(wire_get16(tcp), BOXED_INSIDE_PORT);

        wire_put16(sent.bytes + ip_header_size(&outsides[v6]), 9); /* about another connection */
        error = error_about(&sent.packet, &boxed_remote[v6], &outsides[v6]);
        assert_int_equal(boxed_send_packet(&box, LINK_B_TO_A, &error), 0);
        boxed_end(&box);
    }
}

static void errors_from_inside(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        begin(0);
        bool v6 = family == 6;
        struct segment segment = boxed_segment(LINK_A_TO_B, family, S, 1, 30);
        uint16_t port = outside_port(&segment);
        struct segment answer = answer_to(family, port);
        boxed_pass(&box, LINK_B_TO_A, &answer);
        struct boxed_packet got = box.out[0];
        got.packet.data = got.bytes;
        struct tcpct_packet error = error_about(&got.packet, &boxed_inside[v6], &boxed_remote[v6]);
        assert_int_equal(boxed_send_packet(&box, LINK_A_TO_B, &error), 1);
        struct ip_header quoted;
        const uint8_t *tcp = quotation(&boxed_remote[v6], &quoted);
        assert_true(ip_address_equal(&quoted.destination, &outsides[v6]));
        assert_int_equal(wire_get16(tcp + 2), port);
        boxed_end(&box);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(unknown_ones_are_blocked),
        cmocka_unit_test(mappings_end),
        cmocka_unit_test(ports_wrap),
        cmocka_unit_test(udp_too),
        cmocka_unit_test(errors_from_outside),
        cmocka_unit_test(errors_from_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
