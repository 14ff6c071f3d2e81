/* trace_test.c - when packets leave that wait for the opportunities of a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tun/trace.h"

#define MS UINT64_C(1000000)

static uint32_t times[] = { 0, 3, 3, 10 };
static const struct trace trace = { .count = 4, .at_ms = times };

static void each_opportunity_takes_a_large_packet(void **state)
{
    (void)state;
    static const uint64_t expected_ms[] = { 0, 3, 3, 10, 10, 13, 13, 20, 20, 23 };
    struct trace_place place = { 0 };
    uint64_t at_ns = 0;
    for (size_t i = 0; i < sizeof expected_ms / sizeof *expected_ms; i++) {
        at_ns = trace_send(&trace, &place, at_ns, 1500);
        assert_int_equal(at_ns, expected_ms[i] * MS);
    }
}

static void small_packets_share_one(void **state)
{
    (void)state;
    static const uint64_t expected_ms[] = { 0, 0, 3, 3, 3, 3, 10 };
    struct trace_place place = { 0 };
    uint64_t at_ns = 0;
    for (size_t i = 0; i < sizeof expected_ms / sizeof *expected_ms; i++) {
        at_ns = trace_send(&trace, &place, at_ns, 750);
        assert_int_equal(at_ns, expected_ms[i] * MS);
    }
}

/* A part of a packet goes with one opportunity, the rest with the next. */
static void a_packet_may_take_several(void **state)
{
    (void)state;
    struct trace_place place = { 0 };
    assert_int_equal(trace_send(&trace, &place, 0, 1000), 0);
    assert_int_equal(trace_send(&trace, &place, 0, 1000), 3 * MS); /* 500 and 500 */
    assert_int_equal(trace_send(&trace, &place, 3 * MS, 1000), 3 * MS);
    assert_int_equal(trace_send(&trace, &place, 3 * MS, 9000),
                     20 * MS); /* six: 3, 10, 10, 13, 13, 20 */
}

static void what_is_not_used_is_lost(void **state)
{
    (void)state;
    struct trace_place place = { 0 };
    assert_int_equal(trace_send(&trace, &place, 1, 100), 3 * MS);
    assert_int_equal(trace_send(&trace, &place, 4 * MS, 100), 10 * MS);
    assert_int_equal(trace_send(&trace, &place, 12345 * MS + 1, 100), 12350 * MS);
    assert_int_equal(trace_send(&trace, &place, 12350 * MS, 1500),
                     12350 * MS); /* the next round's first */
    assert_int_equal(trace_send(&trace, &place, 20000 * MS, 1500), 20000 * MS);
}

static void soundness(void **state)
{
    (void)state;
    uint32_t falling[] = { 1, 3, 2 }, nothing[] = { 0, 0 };
    assert_true(trace_is_sound(&trace));
    assert_false(trace_is_sound(&(struct trace){ .count = 3, .at_ms = falling }));
    assert_false(trace_is_sound(&(struct trace){ .count = 2, .at_ms = nothing }));
    assert_false(trace_is_sound(&(struct trace){ .count = 0 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_opportunity_takes_a_large_packet),
        cmocka_unit_test(small_packets_share_one),
        cmocka_unit_test(a_packet_may_take_several),
        cmocka_unit_test(what_is_not_used_is_lost),
        cmocka_unit_test(soundness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
