/* middlebox_test.c - each behaviour alone, by what goes in and what comes out, IPv4 and IPv6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/checksum.h"
#include "tcpct/wire.h"
#include "tests/tun/boxed.h"

enum { S = SEGMENT_SYN, A = SEGMENT_ACK, F = SEGMENT_FIN, P = SEGMENT_PSH };
enum { COOKIE = OPTION_KIND_COOKIE, EXTENDED = OPTION_KIND_TIMESTAMPS_EXTENDED };

static struct boxed box;
static unsigned family;

static struct segment make(enum link_direction direction, uint8_t flags, uint32_t seq,
                           uint32_t data_size)
{
    return boxed_segment(direction, family, flags, seq, data_size);
}

static struct segment syn(uint32_t data_size)
{
    struct segment segment = make(LINK_A_TO_B, S, 100, data_size);
    segment.options = (struct tcp_options){ .present = OPTION_MSS | OPTION_TIMESTAMPS |
                                                       OPTION_SACK_PERMITTED | OPTION_COOKIE,
                                            .mss = 1460,
                                            .timestamp_size = 4,
                                            .timestamp_value = 77,
                                            .cookie_size = 8,
                                            .initiator_cookie = { 1, 2, 3, 4, 5, 6, 7, 8 } };
    return segment;
}

/* An opening: kind 254 and a pair in the extension. */
static struct segment opening(uint32_t data_size)
{
    struct segment segment = make(LINK_A_TO_B, A, 101, data_size);
    segment.ack = 501;
    segment.options =
        (struct tcp_options){ .present = OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR,
                              .timestamp_size = 4,
                              .timestamp_value = 78,
                              .timestamp_echo = 79,
                              .cookie_size = 8 };
    return segment;
}

static const struct middlebox_counters *counted(enum link_direction direction)
{
    return middlebox_counters(box.box, direction);
}

#define BEGIN(...) boxed_begin(&box, &(struct middlebox_config){ __VA_ARGS__ })

static void nothing_asked_for(void **state)
{
    (void)state;
    BEGIN(.seed = 1);
    struct segment segment = opening(100);
    const struct segment *out = boxed_pass(&box, LINK_A_TO_B, &segment);
    assert_true((out->options.present & OPTION_COOKIE_PAIR) != 0);
    assert_memory_equal(out->data, segment.data, 100);
    assert_int_equal(counted(LINK_A_TO_B)->altered + counted(LINK_A_TO_B)->blocked, 0);
    assert_true(middlebox_deadline(box.box) == TCPCT_NEVER);
    boxed_end(&box);
}

static void options_are_stripped(void **state)
{
    (void)state;
    BEGIN(.seed = 1);
    option_kinds_add(&box.ways[LINK_A_TO_B].strip, COOKIE);
    struct segment segment = syn(20);
    const struct segment *out = boxed_pass(&box, LINK_A_TO_B, &segment);
    assert_int_equal(out->options.present, segment.options.present & ~(uint32_t)OPTION_COOKIE);
    assert_int_equal(out->data_size, 20);
    assert_memory_equal(out->data, segment.data, 20);
    assert_int_equal(counted(LINK_A_TO_B)->altered, 1);

    segment = make(LINK_B_TO_A, S | A, 500, 0);
    segment.options = syn(0).options;
    out = boxed_pass(&box, LINK_B_TO_A, &segment); /* of the other direction */
    assert_true((out->options.present & OPTION_COOKIE) != 0);

    /* Without kind 254 the extension is data. */
    option_kinds_add(&box.ways[LINK_A_TO_B].strip, EXTENDED);
    segment = opening(30);
    out = boxed_pass(&box, LINK_A_TO_B, &segment);
    assert_int_equal(out->options.present, 0);
    assert_int_equal(out->data_size, 4 * EXTEND_MIN + 30);
    boxed_end(&box);
}

static void options_are_not_let_through(void **state)
{
    (void)state;
    BEGIN(.seed = 1);
    option_kinds_add(&box.ways[LINK_A_TO_B].drop, EXTENDED);
    struct segment segment = syn(20);
    boxed_pass(&box, LINK_A_TO_B, &segment);
    segment = opening(20);
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &segment), 0);
    boxed_end(&box);
}

static void options_are_blanked_or_reordered(void **state)
{
    (void)state;
    BEGIN(.seed = 1);
    option_kinds_add(&box.ways[LINK_A_TO_B].blank, COOKIE);
    box.ways[LINK_A_TO_B].reorder_options = true;
    struct segment segment = syn(20);
    const struct segment *out = boxed_pass(&box, LINK_A_TO_B, &segment);
    assert_int_equal(out->options.present, segment.options.present & ~(uint32_t)OPTION_COOKIE);
    assert_int_equal(out->options.mss, 1460);
    assert_memory_equal(out->data, segment.data, 20);
    boxed_end(&box);
}

static void options_are_copied(void **state)
{
    (void)state;
    struct middlebox_config config = { 0 };
    option_kinds_add(&config.copy, COOKIE);
    boxed_begin(&box, &config);
    struct segment segment = syn(0), answer = make(LINK_B_TO_A, S | A, 500, 0);
    boxed_pass(&box, LINK_A_TO_B, &segment);
    answer.options = (struct tcp_options){ .present = OPTION_MSS, .mss = 1000 };
    const struct segment *out = boxed_pass(&box, LINK_B_TO_A, &answer);
    assert_int_equal(out->options.present, OPTION_MSS | OPTION_COOKIE);
    assert_int_equal(out->options.mss, 1000);
    assert_memory_equal(out->options.initiator_cookie, segment.options.initiator_cookie, 8);
    answer.destination_port++; /* a connection whose <SYN> was not seen */
    out = boxed_pass(&box, LINK_B_TO_A, &answer);
    assert_int_equal(out->options.present, OPTION_MSS);
    boxed_end(&box);
}

static void syn_data(void **state)
{
    (void)state;
    BEGIN(.seed = 1);
    struct segment with = syn(50), without = syn(0);
    box.ways[LINK_A_TO_B].strip_syn_data = true;
    assert_int_equal(boxed_pass(&box, LINK_A_TO_B, &with)->data_size, 0);
    box.ways[LINK_A_TO_B].drop_syn_data = true;
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &with), 0);
    boxed_pass(&box, LINK_A_TO_B, &without);
    with = opening(50);
    assert_int_equal(boxed_pass(&box, LINK_A_TO_B, &with)->data_size, 50);
    assert_int_equal(counted(LINK_A_TO_B)->blocked, 1);
    boxed_end(&box);
}

static void sequence_numbers_are_shifted(void **state)
{
    (void)state;
    BEGIN(.shift_sequence = true, .seed = 9);
    struct segment ahead = make(LINK_A_TO_B, A, 0xfffffff0, 10);
    struct segment back = make(LINK_B_TO_A, A, 7000, 10);
    ahead.ack = 7000;
    uint32_t seq = boxed_pass(&box, LINK_A_TO_B, &ahead)->seq;
    uint32_t ack = box.out[0].segment.ack;
    assert_int_not_equal(seq, ahead.seq);
    assert_int_not_equal(ack, ahead.ack);

    /* What comes back is about the shifted numbers, and is shifted back. */
    back.ack = seq + 10;
    back.seq = ack;
    back.options = (struct tcp_options){ .present = OPTION_SACK,
                                         .sack_count = 1,
                                         .sack = { { seq + 20, seq + 30 } } };
    const struct segment *out = boxed_pass(&box, LINK_B_TO_A, &back);
    assert_int_equal(out->ack, ahead.seq + 10);
    assert_int_equal(out->seq, 7000);
    assert_int_equal(out->options.sack[0].start, ahead.seq + 20);
    assert_int_equal(out->options.sack[0].end, ahead.seq + 30);
    boxed_end(&box);
}

static void inbound_syns_are_refused(void **state)
{
    (void)state;
    BEGIN(.firewall = true);
    struct segment inbound = make(LINK_B_TO_A, S, 1, 0), outbound = syn(0);
    struct segment answer = make(LINK_B_TO_A, S | A, 1, 0);
    assert_int_equal(boxed_send(&box, LINK_B_TO_A, &inbound), 0);
    boxed_pass(&box, LINK_A_TO_B, &outbound);
    boxed_pass(&box, LINK_B_TO_A, &answer);
    assert_int_equal(counted(LINK_B_TO_A)->blocked, 1);
    boxed_end(&box);
}

static void idle_connections_are_forgotten(void **state)
{
    (void)state;
    BEGIN(.forget_us = 1000);
    struct segment first = syn(0), answer = make(LINK_B_TO_A, A, 1, 0), later = opening(5);
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &later), 0);
    boxed_pass(&box, LINK_A_TO_B, &first);
    box.now_us += 1000;
    boxed_pass(&box, LINK_B_TO_A, &answer);
    box.now_us += 1000;
    boxed_pass(&box, LINK_A_TO_B, &later);
    box.now_us += 1001;
    assert_int_equal(boxed_send(&box, LINK_B_TO_A, &answer), 0);
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &later), 0);
    boxed_pass(&box, LINK_A_TO_B, &first);
    boxed_pass(&box, LINK_A_TO_B, &later);
    boxed_end(&box);
}

/* As a network card: options on every piece, FIN and PSH on the last. */
static void segments_are_cut(void **state)
{
    (void)state;
    BEGIN(.seed = 1);
    box.ways[LINK_A_TO_B].split = 100;
    struct segment segment = make(LINK_A_TO_B, A | P | F, 1000, 250);
    segment.options = (struct tcp_options){ .present = OPTION_TIMESTAMPS, .timestamp_size = 4 };
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &segment), 3);
    for (unsigned i = 0; i < 3; i++) {
        const struct segment *piece = &box.out[i].segment;
        assert_int_equal(box.out[i].verdict, SEGMENT_OK);
        assert_int_equal(piece->seq, 1000 + 100 * i);
        assert_int_equal(piece->data_size, i < 2 ? 100 : 50);
        assert_int_equal(piece->data[0], (1000 + 100 * i) % 256);
        assert_int_equal(piece->flags, i < 2 ? A : A | P | F);
        assert_int_equal(piece->options.present, OPTION_TIMESTAMPS);
    }
    segment = syn(200); /* a <SYN> is never cut */
    boxed_pass(&box, LINK_A_TO_B, &segment);
    segment = make(LINK_A_TO_B, A, 1000, 100);
    boxed_pass(&box, LINK_A_TO_B, &segment);
    boxed_end(&box);
}

static void segments_are_joined(void **state)
{
    (void)state;
    BEGIN(.seed = 1);
    box.ways[LINK_A_TO_B].coalesce = true;
    struct segment one = make(LINK_A_TO_B, A, 1000, 100), two = make(LINK_A_TO_B, A | P, 1100, 50);
    two.ack = 9;
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &one), 0);
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &two), 0);
    uint64_t due_us = middlebox_deadline(box.box);
    assert_true(due_us == box.now_us + 1000);
    assert_int_equal(boxed_wait(&box, due_us - 1), 0);
    assert_int_equal(boxed_wait(&box, due_us + 500), 1);
    assert_true(box.out[0].at_us == due_us);
    const struct segment *out = &box.out[0].segment;
    assert_int_equal(box.out[0].verdict, SEGMENT_OK);
    assert_int_equal(out->data_size, 150);
    for (unsigned i = 0; i < 150; i++)
        assert_int_equal(out->data[i], (1000 + i) % 256);
    assert_int_equal(out->ack, 9);
    assert_int_equal(out->flags, A | P);
    assert_true(middlebox_deadline(box.box) == TCPCT_NEVER);
    boxed_end(&box);
}

/* What does not follow, is full, or is an end, sends what waits ahead of it. */
static void what_is_not_joined(void **state)
{
    (void)state;
    BEGIN(.seed = 1);
    box.ways[LINK_A_TO_B].coalesce = true;
    struct segment others[] = {
        make(LINK_A_TO_B, A, 1101, 10),     make(LINK_A_TO_B, A, 1100, 1400),
        make(LINK_A_TO_B, A, 1100, 10),     make(LINK_A_TO_B, A, 1100, 10),
        make(LINK_A_TO_B, A | F, 1100, 10), make(LINK_A_TO_B, A, 1100, 0),
    };
    others[2].source_port++;
    others[3].options = (struct tcp_options){ .present = OPTION_TIMESTAMPS, .timestamp_size = 4 };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct segment first = make(LINK_A_TO_B, A, 1000, 100);
        assert_int_equal(boxed_send(&box, LINK_A_TO_B, &first), 0);
        bool held = i < 4;
        assert_int_equal(boxed_send(&box, LINK_A_TO_B, &others[i]), held ? 1 : 2);
        assert_int_equal(box.out[0].segment.data_size, 100);
        assert_int_equal(boxed_wait(&box, box.now_us + 1000), held ? 1 : 0);
    }
    boxed_end(&box);
}

/* By sequence numbers, what follows an extension does not: its bytes have none. */
static void extensions_are_not_joined(void **state)
{
    (void)state;
    BEGIN(.seed = 1);
    box.ways[LINK_A_TO_B].coalesce = true;
    struct segment first = opening(100), second = opening(100);
    second.seq += 100;
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &first), 0);
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &second), 1);
    assert_true((box.out[0].segment.options.present & OPTION_COOKIE_PAIR) != 0);
    boxed_end(&box);
}

static void joined_and_cut(void **state)
{
    (void)state;
    BEGIN(.seed = 1);
    box.ways[LINK_A_TO_B] = (struct middlebox_way){ .coalesce = true, .split = 60 };
    struct segment one = make(LINK_A_TO_B, A, 1000, 50);
    boxed_send(&box, LINK_A_TO_B, &one);
    struct segment two = make(LINK_A_TO_B, A, 1050, 50);
    boxed_send(&box, LINK_A_TO_B, &two);
    assert_int_equal(boxed_wait(&box, box.now_us + 1000), 2);
    assert_int_equal(box.out[0].segment.data_size, 60);
    assert_int_equal(box.out[1].segment.data_size, 40);
    assert_int_equal(box.out[1].segment.data[0], 1060 % 256);
    boxed_end(&box);
}

static void a_smaller_mtu_is_told(void **state)
{
    (void)state;
    BEGIN(.seed = 1);
    box.ways[LINK_A_TO_B].mtu = 1280;
    struct segment large = make(LINK_A_TO_B, A, 1000, 1400), small = make(LINK_A_TO_B, A, 1, 1200);
    boxed_pass(&box, LINK_A_TO_B, &small);
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &large), 1);
    const struct boxed_packet *out = &box.out[0];
    struct ip_header ip;
    assert_int_equal(out->direction, LINK_B_TO_A);
    assert_int_equal(ip_decode(&ip, out->bytes, out->packet.length, false), IP_OK);
    assert_true(ip_address_equal(&ip.destination, &large.source));
    const uint8_t *message = out->bytes + ip.header_size;
    uint32_t sum = family == 6 ? ip_pseudo_sum(&ip.source, &ip.destination, IP_PROTOCOL_ICMPV6,
                                               ip.payload_size)
                               : 0;
    assert_int_equal(checksum_fold(checksum_add(sum, message, ip.payload_size)), 0xffff);
    assert_int_equal(message[0], family == 6 ? 2 : 3);
    assert_int_equal(message[1], family == 6 ? 0 : 4);
    assert_int_equal(wire_get16(message + 6), 1280);
    assert_int_equal(out->packet.length, family == 6 ? 1280 : 576);
    assert_int_equal(wire_get32(message + 8 + (family == 6 ? 40 : 20) + 4), 1000);

    box.ways[LINK_A_TO_B].mtu_silent = true;
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &large), 0);
    assert_int_equal(counted(LINK_A_TO_B)->blocked, 2);
    assert_int_equal(counted(LINK_A_TO_B)->answered, 1);
    boxed_end(&box);
}

/* A wrong checksum is not made right. */
static void wrong_checksums_pass(void **state)
{
    (void)state;
    BEGIN(.shift_sequence = true);
    uint8_t bytes[BOXED_SIZE];
    struct tcpct_packet packet = { .data = bytes, .size = sizeof bytes };
    struct segment segment = make(LINK_A_TO_B, A, 1, 100);
    assert_true(segment_encode(&segment, &packet, false));
    bytes[packet.length - 1] ^= 1;
    assert_int_equal(boxed_send_packet(&box, LINK_A_TO_B, &packet), 1);
    assert_memory_equal(box.out[0].bytes, bytes, packet.length);
    boxed_end(&box);
}

static unsigned four = 4, six = 6;

static int take_family(void **state)
{
    family = *(const unsigned *)*state;
    return 0;
}

#define BOTH(test)                                      \
    { #test ", IPv4", test, take_family, NULL, &four }, \
    {                                                   \
#test ", IPv6", test, take_family, NULL, &six   \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(nothing_asked_for),
        BOTH(options_are_stripped),
        BOTH(options_are_not_let_through),
        BOTH(options_are_blanked_or_reordered),
        BOTH(options_are_copied),
        BOTH(syn_data),
        BOTH(sequence_numbers_are_shifted),
        BOTH(inbound_syns_are_refused),
        BOTH(idle_connections_are_forgotten),
        BOTH(segments_are_cut),
        BOTH(segments_are_joined),
        BOTH(what_is_not_joined),
        BOTH(extensions_are_not_joined),
        BOTH(joined_and_cut),
        BOTH(a_smaller_mtu_is_told),
        BOTH(wrong_checksums_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
