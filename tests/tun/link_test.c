/* link_test.c - the link under virtual time: when packets arrive, and which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tun/frames.h"
#include "tun/link.h"

#define A_TO_B paths[LINK_A_TO_B]

static struct link *make(const struct link_config *config)
{
    struct link *link = link_create(config);
    assert_non_null(link);
    return link;
}

/* Packets of `size` bytes that begin with a number. */
static void enter(struct link *link, uint32_t number, size_t size, uint64_t now_us)
{
    uint8_t bytes[1500] = { 0 };
    memcpy(bytes, &number, sizeof number);
    link_packet_in(link, LINK_A_TO_B, &(struct tcpct_packet){ .data = bytes, .length = size },
                   now_us);
}

/* The number of the packet that arrives, or -1. */
static int64_t arrival(struct link *link, uint64_t now_us)
{
    struct tcpct_packet packet;
    if (!link_packet_out(link, LINK_A_TO_B, &packet, now_us))
        return -1;
    uint32_t number;
    memcpy(&number, packet.data, sizeof number);
    return number;
}

static const struct link_counters *counters(const struct link *link)
{
    return link_counters(link, LINK_A_TO_B);
}

static void a_perfect_wire(void **state)
{
    (void)state;
    struct link *link = make(&(struct link_config){ 0 });
    assert_true(link_deadline(link) == TCPCT_NEVER);
    for (uint32_t i = 0; i < 100; i++)
        enter(link, i, 100, 5);
    assert_true(link_deadline(link) == 5);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(arrival(link, 5), i);
    assert_int_equal(arrival(link, 5), -1);
    assert_true(link_deadline(link) == TCPCT_NEVER);
    assert_int_equal(counters(link)->packets_in, 100);
    assert_int_equal(counters(link)->packets_out, 100);
    assert_int_equal(counters(link)->bytes_out, 10000);
    link_destroy(link);
}

static void delay_is_exact(void **state)
{
    (void)state;
    struct link *link = make(&(struct link_config){ .A_TO_B.delay_us = 10000 });
    for (uint32_t i = 0; i < 50; i++)
        enter(link, i, 40 + i, 1000 + 7 * i);
    for (uint32_t i = 0; i < 50; i++) {
        uint64_t due_us = 11000 + 7 * i;
        assert_true(link_deadline(link) == due_us);
        assert_int_equal(arrival(link, due_us - 1), -1);
        assert_int_equal(arrival(link, due_us), i);
    }
    link_destroy(link);
}

static void directions_are_apart(void **state)
{
    (void)state;
    struct link *link = make(&(struct link_config){
        .paths = { { .delay_us = 300 }, { .delay_us = 200, .rate = 8000000 } } });
    uint8_t bytes[64] = "to A";
    struct tcpct_packet packet = { .data = bytes, .length = 50, .size = sizeof bytes };
    link_packet_in(link, LINK_B_TO_A, &packet, 0);
    enter(link, 7, 1500, 0);
    assert_true(link_deadline(link) == 250); /* 50 bytes at 1 byte a microsecond, and 200 */
    assert_int_equal(arrival(link, 299), -1);
    assert_true(link_packet_out(link, LINK_B_TO_A, &packet, 250));
    assert_int_equal(packet.length, 50);
    assert_string_equal((char *)packet.data, "to A");
    assert_int_equal(arrival(link, 300), 7);
    assert_int_equal(link_counters(link, LINK_B_TO_A)->packets_out, 1);
    link_destroy(link);
}

/* At a rate that divides nothing, packet k has arrived exactly when its last bit can have. */
static void rate_is_exact(void **state)
{
    (void)state;
    const uint64_t rate = 7000003, size = 1237, bits = 8 * size;
    struct link *link = make(&(struct link_config){ .A_TO_B = { .rate = rate, .delay_us = 500 } });
    for (uint32_t i = 0; i < 10000; i++)
        enter(link, i, size, 0);
    for (uint32_t i = 0; i < 10000; i++) {
        uint64_t sent_ns = (uint64_t)((__uint128_t)(i + 1) * bits * 1000000000 / rate);
        uint64_t due_us = 500 + (sent_ns + 999) / 1000;
        assert_true(link_deadline(link) == due_us);
        assert_int_equal(arrival(link, due_us - 1), -1);
        assert_int_equal(arrival(link, due_us), i);
    }
    enter(link, 1, 1000, 1000000000); /* after idling the rate begins anew */
    assert_true(link_deadline(link) == 1000000000 + 500 + 1143);
    link_destroy(link);
}

static void queue_drops_the_tail(void **state)
{
    (void)state;
    for (int by_packets = 0; by_packets < 2; by_packets++) {
        struct link_config config = { .A_TO_B.rate = 8000000 }; /* 1 byte a microsecond */
        if (by_packets)
            config.A_TO_B.queue_packets = 3;
        else
            config.A_TO_B.queue_bytes = 3000;
        struct link *link = make(&config);
        for (uint32_t i = 0; i < 5; i++)
            enter(link, i, 1000, 0);
        assert_int_equal(counters(link)->queue_drops, 2);
        enter(link, 5, 1000, 999);
        assert_int_equal(counters(link)->queue_drops, 3);
        assert_int_equal(counters(link)->queue_max, 3000);
        enter(link, 6, 1000, 1000); /* the first has left */
        assert_int_equal(counters(link)->queue_drops, 3);
        assert_int_equal(arrival(link, 1000), 0);
        assert_int_equal(arrival(link, 2000), 1);
        assert_int_equal(arrival(link, 3000), 2);
        assert_int_equal(arrival(link, 3999), -1);
        assert_int_equal(arrival(link, 4000), 6);
        assert_true(link_deadline(link) == TCPCT_NEVER);
        link_destroy(link);
    }
}

static void idle_bottleneck_takes_any_packet(void **state)
{
    (void)state;
    struct link *link =
        make(&(struct link_config){ .A_TO_B = { .rate = 8000000, .queue_bytes = 100 } });
    enter(link, 1, 1500, 0);
    enter(link, 2, 40, 1499);
    enter(link, 3, 1500, 1500);
    assert_int_equal(arrival(link, 1500), 1);
    assert_int_equal(arrival(link, 3000), 3);
    assert_int_equal(counters(link)->queue_drops, 1);
    link_destroy(link);
}

enum { MANY = 100000 };

/* Sends MANY packets, one a microsecond; arrived[i] says how often packet i came. */
static void send_many(const struct link_config *config, uint8_t *arrived, struct link_counters *sum)
{
    struct link *link = make(config);
    memset(arrived, 0, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        enter(link, i, 40, i);
        for (int64_t number; (number = arrival(link, i)) >= 0;)
            arrived[number % MANY]++; /* a corrupted number may be any */
    }
    *sum = *counters(link);
    link_destroy(link);
}

/* Five standard deviations of a binomial distribution. */
static void assert_binomial(uint64_t count, double probability)
{
    double mean = MANY * probability, variance = mean * (1 - probability);
    double distance = (double)count - mean;
    assert_true(distance * distance <= 25 * variance);
}

static void chance_is_fair_and_repeatable(void **state)
{
    (void)state;
    static uint8_t once[MANY], again[MANY], other[MANY];
    struct link_counters sum, sum_again, sum_other;
    struct link_config config = { .seed = 42,
                                  .A_TO_B = { .loss = 0.01, .duplicate = 0.02, .corrupt = 0.005 } };
    send_many(&config, once, &sum);
    send_many(&config, again, &sum_again);
    assert_binomial(sum.lost, 0.01);
    assert_binomial(sum.duplicated, 0.02 * 0.99);
    assert_binomial(sum.corrupted, 0.005 * 0.99);
    assert_memory_equal(once, again, MANY);
    assert_memory_equal(&sum, &sum_again, sizeof sum);
    assert_int_equal(sum.packets_out, MANY - sum.lost + sum.duplicated);

    config.seed = 43;
    send_many(&config, other, &sum_other);
    assert_memory_not_equal(once, other, MANY);
    assert_binomial(sum_other.lost, 0.01);
}

static void dice_of_stages_are_apart(void **state)
{
    (void)state;
    static uint8_t once[MANY], other[MANY];
    struct link_counters sum;
    send_many(&(struct link_config){ .seed = 1, .A_TO_B = { .loss = 0.1 } }, once, &sum);
    send_many(&(struct link_config){ .seed = 1, .A_TO_B = { .loss = 0.1, .duplicate = 0.1 } },
              other, &sum);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(once[i] > 0, other[i] > 0);
}

static void certainty(void **state)
{
    (void)state;
    static uint8_t arrived[MANY];
    struct link_counters sum;
    send_many(&(struct link_config){ .A_TO_B.loss = 1 }, arrived, &sum);
    assert_int_equal(sum.lost, MANY);
    assert_int_equal(sum.packets_out, 0);
    send_many(&(struct link_config){ .A_TO_B.duplicate = 1 }, arrived, &sum);
    assert_int_equal(sum.packets_out, 2 * MANY);
}

static void reordered_packets_come_later(void **state)
{
    (void)state;
    struct link *link = make(&(struct link_config){
        .seed = 3, .A_TO_B = { .delay_us = 1000, .reorder = 0.1, .reorder_us = 250 } });
    uint32_t late = 0, overtaken = 0;
    int64_t highest = -1;
    for (uint64_t now_us = 0; now_us < 10001250 / 10; now_us++) {
        if (now_us % 100 == 0 && now_us < 990000)
            enter(link, (uint32_t)(now_us / 100), 40, now_us);
        for (int64_t number; (number = arrival(link, now_us)) >= 0;) {
            uint64_t took_us = now_us - 100 * (uint64_t)number;
            assert_true(took_us == 1000 || took_us == 1250);
            late += took_us == 1250;
            overtaken += number < highest;
            highest = number > highest ? number : highest;
        }
    }
    assert_int_equal(counters(link)->packets_out, 9900);
    assert_int_equal(counters(link)->reordered, late);
    assert_true(late > 800 && late < 1200);
    assert_true(overtaken > late / 2); /* unless the two behind it are late as well */
    link_destroy(link);
}

static void corruption_flips_one_bit(void **state)
{
    (void)state;
    struct link *link = make(&(struct link_config){ .A_TO_B.corrupt = 1 });
    for (size_t i = 0; i < 1000; i++) {
        uint8_t bytes[61] = { 0 };
        struct tcpct_packet packet = { .data = bytes, .length = 61, .size = sizeof bytes };
        link_packet_in(link, LINK_A_TO_B, &packet, 0);
        assert_true(link_packet_out(link, LINK_A_TO_B, &packet, 0));
        int ones = 0;
        for (size_t j = 0; j < sizeof bytes; j++)
            ones += __builtin_popcount(packet.data[j]);
        assert_int_equal(ones, 1);
    }
    link_destroy(link);
}

static void coalesced_packets_enter_as_segments(void **state)
{
    (void)state;
    static struct frame frame;
    struct link *link = make(&(struct link_config){ .A_TO_B.rate = 8000000 });
    frame_make(&frame, &(struct frame_fields){ .family = 6, .protocol = 6, .data_size = 3000 });
    frame_offload(&frame, 1400);
    link_packet_in(link, LINK_A_TO_B, &frame.packet, 0);
    assert_int_equal(counters(link)->packets_in, 3);
    assert_int_equal(counters(link)->bytes_in, 3 * 60 + 3000);
    struct tcpct_packet packet;
    for (uint64_t due_us = 1460; due_us <= 2920; due_us += 1460) {
        assert_true(link_deadline(link) == due_us);
        assert_true(link_packet_out(link, LINK_A_TO_B, &packet, due_us));
        assert_int_equal(packet.length, 1460);
        assert_true(frame_is_right(&packet));
    }
    assert_true(link_packet_out(link, LINK_A_TO_B, &packet, 3180));
    assert_true(frame_is_right(&packet));
    link_destroy(link);
}

static void room_is_bounded(void **state)
{
    (void)state;
    struct link *link = make(&(struct link_config){
        .packets_max = 4, .packet_size_max = 100, .A_TO_B = { .delay_us = 10, .rate = 8000000 } });
    for (int round = 0; round < 3; round++) {
        uint64_t now_us = 10000u * (uint64_t)round;
        for (uint32_t i = 0; i < 6; i++)
            enter(link, i, 100, now_us);
        assert_int_equal(counters(link)->no_room, 3 * round + 2);
        for (uint32_t i = 0; i < 4; i++)
            assert_int_equal(arrival(link, now_us + 5000), i);
        assert_int_equal(arrival(link, now_us + 5000), -1);
        enter(link, 0, 101, now_us + 5000);
        assert_int_equal(counters(link)->no_room, 3 * round + 3);
    }
    enter(link, 0, 0, 50000); /* a packet of no bytes is none */
    assert_true(link_deadline(link) == TCPCT_NEVER);
    link_destroy(link);
    link_destroy(NULL);
}

static void a_change_holds_from_now_on(void **state)
{
    (void)state;
    struct link *link = make(&(struct link_config){ .A_TO_B.delay_us = 1000 });
    enter(link, 1, 100, 0);
    assert_true(link_change(link, LINK_A_TO_B, &(struct link_path){ .delay_us = 100 }));
    enter(link, 2, 100, 10);
    assert_int_equal(arrival(link, 110), 2);
    assert_int_equal(arrival(link, 999), -1);
    assert_int_equal(arrival(link, 1000), 1);
    assert_false(link_change(link, LINK_A_TO_B, &(struct link_path){ .loss = 2 }));
    link_destroy(link);
}

/* A slower rate holds for what comes in from now on. */
static void a_rate_may_change(void **state)
{
    (void)state;
    struct link *link = make(&(struct link_config){ .A_TO_B.rate = 8000000 });
    enter(link, 1, 1000, 0);
    link_change(link, LINK_A_TO_B, &(struct link_path){ .rate = 800000 });
    enter(link, 2, 1000, 0);
    assert_int_equal(arrival(link, 1000), 1);
    assert_true(link_deadline(link) == 11000);
    link_destroy(link);
}

/* What a box makes of packets, and its answers, travel as packets do. */
static void a_box_is_in_the_link(void **state)
{
    (void)state;
    static struct frame frame;
    struct link *link = make(&(struct link_config){
        .paths = { { .delay_us = 100, .box.mtu = 1000, .box.coalesce = true },
                   { .delay_us = 200 } } });
    frame_make(&frame, &(struct frame_fields){ .family = 4, .protocol = 6, .data_size = 1000 });
    link_packet_in(link, LINK_A_TO_B, &frame.packet, 0);
    assert_true(link_deadline(link) == 200); /* the answer */
    assert_int_equal(link_box_counters(link, LINK_A_TO_B)->answered, 1);
    struct tcpct_packet packet;
    assert_true(link_packet_out(link, LINK_B_TO_A, &packet, 200));
    assert_int_equal(packet.length, 576);

    frame_make(&frame, &(struct frame_fields){ .family = 4, .protocol = 6, .data_size = 100 });
    link_packet_in(link, LINK_A_TO_B, &frame.packet, 1000);
    assert_true(link_deadline(link) == 2000); /* it waits for another */
    assert_false(link_packet_out(link, LINK_A_TO_B, &packet, 2000));
    assert_true(link_deadline(link) == 2100);
    assert_true(link_packet_out(link, LINK_A_TO_B, &packet, 2100));
    assert_true(frame_is_right(&packet));
    link_destroy(link);
}

static void unsound_configurations(void **state)
{
    (void)state;
    const struct link_path paths[] = {
        { .rate = UINT64_C(1000000000001) },
        { .delay_us = 1000000001 },
        { .reorder_us = 1000000001 },
        { .loss = -0.1 },
        { .loss = 1.1 },
        { .corrupt = __builtin_nan("") },
        { .duplicate = 2 },
        { .reorder = 2 },
        { .jitter_us = 1000000001 },
        { .burst_enter = 1.1 },
        { .burst_leave = -1 },
        { .burst_loss = 2 },
        { .drop_count = LINK_DROPS_MAX + 1 },
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct link_config config = { 0 };
        config.paths[i % 2] = paths[i];
        assert_null(link_create(&config));
    }
    assert_null(link_create(&(struct link_config){ .packet_size_max = 65536 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_perfect_wire),
        cmocka_unit_test(delay_is_exact),
        cmocka_unit_test(directions_are_apart),
        cmocka_unit_test(rate_is_exact),
        cmocka_unit_test(queue_drops_the_tail),
        cmocka_unit_test(idle_bottleneck_takes_any_packet),
        cmocka_unit_test(chance_is_fair_and_repeatable),
        cmocka_unit_test(dice_of_stages_are_apart),
        cmocka_unit_test(certainty),
        cmocka_unit_test(reordered_packets_come_later),
        cmocka_unit_test(corruption_flips_one_bit),
        cmocka_unit_test(coalesced_packets_enter_as_segments),
        cmocka_unit_test(room_is_bounded),
        cmocka_unit_test(a_change_holds_from_now_on),
        cmocka_unit_test(a_rate_may_change),
        cmocka_unit_test(a_box_is_in_the_link),
        cmocka_unit_test(unsound_configurations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
