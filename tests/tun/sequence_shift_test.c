/* sequence_shift_test.c - what is added follows from connection and seed, and comes off on the way back;
 * middlebox_test.c has the acknowledgments and SACK of a whole exchange. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tcpct/wire.h"
#include "tests/tun/boxed.h"
#include "tun/sequence_shift.h"

static uint8_t bytes[BOXED_SIZE];

/* Shifts a segment with sequence number `seq` and acknowledgment number `ack`. */
static struct passing shifted(enum link_direction direction, unsigned family, uint32_t seq,
                              uint32_t ack, uint16_t remote_port, uint64_t seed)
{
    static struct tcpct_packet packet;
    struct segment segment = boxed_segment(direction, family, SEGMENT_ACK, seq, 10);
    segment.ack = ack;
    if (direction == LINK_A_TO_B)
        segment.destination_port = remote_port;
    else
        segment.source_port = remote_port;
    packet = (struct tcpct_packet){ .data = bytes, .size = sizeof bytes };
    assert_true(segment_encode(&segment, &packet, false));
    struct passing passing = { .direction = direction, .packet = &packet };
    passing_look(&passing);
    assert_non_null(passing.tcp);
    sequence_shift(&passing, seed);
    assert_true(passing.altered);
    return passing;
}

static uint32_t seq_of(const struct passing *passing)
{
    return wire_get32(passing->tcp + TCP_SEQ);
}

static void it_follows_from_the_connection(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        struct passing passing = shifted(LINK_A_TO_B, family, 100, 0, 53, 1);
        uint32_t added = seq_of(&passing) - 100;
        passing = shifted(LINK_A_TO_B, family, UINT32_MAX, 0, 53, 1);
        assert_int_equal(seq_of(&passing), UINT32_MAX + added); /* it wraps */
        passing = shifted(LINK_A_TO_B, family, 100, 0, 54, 1);
        assert_int_not_equal(seq_of(&passing) - 100, added);
        passing = shifted(LINK_A_TO_B, family, 100, 0, 53, 2);
        assert_int_not_equal(seq_of(&passing) - 100, added);
    }
}

static void it_comes_off_on_the_way_back(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        struct passing ahead = shifted(LINK_A_TO_B, family, 100, 0, 53, 1);
        uint32_t seen = seq_of(&ahead);
        struct passing back = shifted(LINK_B_TO_A, family, 7000, seen, 53, 1);
        assert_int_equal(wire_get32(back.tcp + TCP_ACK), 100);
        assert_int_not_equal(seq_of(&back) - 7000, seen - 100); /* each direction has its own */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_follows_from_the_connection),
        cmocka_unit_test(it_comes_off_on_the_way_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
