/* timestamps_test.c - prefixes that count on when the low 32 bits begin again, and the choice of a
 * size. How two ends agree is in tests/sim/timestamps_test.c.
 */
#include "tcpct/timestamps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/generate.h"

#define MS ((uint64_t)1000)
#define ROUND ((uint64_t)1 << 32)

static struct generator generator = { 3 };

static void draw(void *context, void *bytes, size_t size)
{
    (void)context;
    generate_bytes(&generator, bytes, size);
}

static struct tcpct_stack stack;

static int begin(void **state)
{
    (void)state;
    stack = (struct tcpct_stack){ .config = { .random = draw, .msl_us = 30000 * MS } };
    return isn_keys_create(&stack.isn_keys, draw, NULL) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    isn_keys_destroy(&stack.isn_keys);
    return 0;
}

static struct tcpct_connection initiator(uint64_t offset, uint8_t size)
{
    struct tcpct_connection connection = {
        .stack = &stack,
        .endpoints = { .local = { 4, { 10, 0, 0, 1 } }, .remote = { 4, { 10, 0, 0, 2 } } },
        .pair = { .size = 16 },
        .timestamp_offset = offset,
    };
    timestamps_propose(&connection, size);
    return connection;
}

static struct tcp_options sent(const struct tcpct_connection *connection, uint64_t now_us)
{
    struct tcp_options options = { .present = OPTION_TIMESTAMPS,
                                   .timestamp_size = 4,
                                   .timestamp_value = tcb_timestamp(connection, now_us),
                                   .timestamp_echo = connection->ts_recent };
    timestamps_widen(connection, &options, now_us);
    return options;
}

/* A whole timestamp less another, which is below 2^64. */
static uint64_t difference(const struct tcp_options *a, const struct tcp_options *b)
{
    uint64_t low_a = (uint64_t)wire_get32(a->timestamp_value_prefix + 8) << 32 | a->timestamp_value;
    uint64_t low_b = (uint64_t)wire_get32(b->timestamp_value_prefix + 8) << 32 | b->timestamp_value;
    return low_a - low_b;
}

/* The prefix counts the rounds of the low 32 bits: whole timestamps are our clock. */
static void prefixes_count(void **state)
{
    (void)state;
    const uint64_t times[] = { 1, 99, 100, 101, ROUND, ROUND + 100, 3 * ROUND + 7 };
    struct tcpct_connection connection = initiator(ROUND - 100, 16);
    struct tcp_options first = sent(&connection, 0);
    assert_int_equal(first.timestamp_size, 16);
    assert_int_equal(first.present, OPTION_TIMESTAMPS_EXTENDED);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct tcp_options later = sent(&connection, times[i] * MS);
        assert_int_equal(difference(&later, &first), times[i]);
    }
}

/* A carry runs through the whole prefix. */
static void carries(void **state)
{
    (void)state;
    static const uint8_t ones[12] = { 1, 2, 3, 4, 5, 6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    static const uint8_t next[12] = { 1, 2, 3, 4, 5, 7, 0, 0, 0, 0, 0, 0 };
    struct tcp_options opening = { .timestamp_size = 16, .timestamp_echo = UINT32_MAX };
    memcpy(opening.timestamp_echo_prefix, ones, 12);
    struct tcpct_connection responder = { .stack = &stack,
                                          .parameters = { .extend_ts = 128 },
                                          .timestamp_offset = UINT32_MAX };
    timestamps_agree(&responder, &opening, 0);
    struct tcp_options first = sent(&responder, 0), second = sent(&responder, 1 * MS);
    assert_memory_equal(first.timestamp_value_prefix, ones, 12);
    assert_memory_equal(second.timestamp_value_prefix, next, 12);
}

/* What each sends is acceptable to the other, at any time, also when either's low bits begin again;
 * a wrong echo is not, and an older value is not. */
static void ends_understand_each_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t now_us = 0;
        uint8_t size = i % 2 ? 8 : 16;
        struct tcpct_connection a = initiator(ROUND - generate_below(&generator, 3000), size), b;
        a.ts_recent = (uint32_t)(0 - generate_below(&generator, 3000));
        b = (struct tcpct_connection){ .stack = &stack,
                                       .parameters = { .extend_ts = TCPCT_EXTEND_TS_AUTO },
                                       .timestamp_offset = a.ts_recent };
        struct tcp_options options = sent(&a, now_us), old = options;
        timestamps_agree(&b, &options, now_us);
        b.ts_recent = options.timestamp_value;
        for (unsigned step = 0; step < 10; step++) {
            struct tcpct_connection *from = step % 2 ? &a : &b, *to = step % 2 ? &b : &a;
            now_us += generate_below(&generator, 1000) * MS;
            options = sent(from, now_us);
            assert_int_equal(options.timestamp_size, size);
            assert_true(timestamps_fit(to, &options, now_us));
            assert_false(timestamps_are_old(to, &options, now_us));
            struct tcp_options wrong = options;
            wrong.timestamp_echo_prefix[11] ^= (uint8_t)(1u << generate_below(&generator, 8));
            assert_false(timestamps_fit(to, &wrong, now_us));
            wrong = options;
            wrong.timestamp_size = 4;
            to->timestamps_settled = true;
            assert_false(timestamps_fit(to, &wrong, now_us));
            timestamps_take(to, &options, now_us);
            if (to == &b && options.timestamp_value != old.timestamp_value)
                assert_true(timestamps_are_old(&b, &old, now_us));
        }
    }
}

/* PAWS over all bits: also after a pause that 32 bits cannot measure; but not after any. */
static void old_is_old(void **state)
{
    (void)state;
    struct tcpct_connection to = initiator(0, 8);
    to.recent_prefix.low = 5;
    to.ts_recent = 1000;
    static const struct {
        uint32_t prefix, value;
        bool old;
    } values[] = {
        { 5, 999, true },  { 5, 1000, false }, { 5, 0xffffffff, false }, { 6, 0, false },
        { 4, 2000, true }, { 100, 0, false },  { 1 << 17, 0, true },
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct tcp_options options = { .timestamp_size = 8, .timestamp_value = values[i].value };
        wire_put32(options.timestamp_value_prefix + 8, values[i].prefix);
        assert_int_equal(timestamps_are_old(&to, &options, 0), values[i].old);
    }
}

/* Prefixes are random: those of echoes new for each incarnation, our own for each exchange. */
static void prefixes_are_random(void **state)
{
    (void)state;
    struct tcpct_connection a = initiator(0, 16), again = initiator(0, 16),
                            other = initiator(0, 16);
    assert_int_equal(a.prefix.high, again.prefix.high);
    assert_int_equal(a.prefix.low, again.prefix.low);
    assert_int_not_equal(a.recent_prefix.high, again.recent_prefix.high);
    assert_int_not_equal(a.recent_prefix.low, again.recent_prefix.low);
    other.pair.initiator[3] ^= 1;
    timestamps_propose(&other, 16);
    assert_int_not_equal(a.prefix.high, other.prefix.high);
    assert_int_not_equal(a.prefix.low, other.prefix.low);
    other = initiator(0, 16);
    other.endpoints.local_port++;
    timestamps_propose(&other, 16);
    assert_int_not_equal(a.prefix.high, other.prefix.high);
}

/* 12: values of the parameter; 4.3: "or automatically based on its analysis of the bandwidth-delay
 * product": 64 bits where 2^31 bytes pass within two MSL (60 s), which is from 287 Mbit/s on. */
static void sizes_are_chosen(void **state)
{
    (void)state;
    static const struct {
        uint8_t parameter;
        uint32_t rate, window, srtt_us;
        uint8_t size;
    } cases[] = {
        { 0, 1000000, 0, 0, 4 },
        { 32, 1000000, 0, 0, 4 },
        { 64, 0, 0, 0, 8 },
        { 128, 0, 0, 0, 16 },
        { TCPCT_EXTEND_TS_AUTO, 0, 0, 0, 4 },
        { TCPCT_EXTEND_TS_AUTO, 35000, 0, 20000, 4 },
        { TCPCT_EXTEND_TS_AUTO, 36000, 0, 20000, 8 },
        { TCPCT_EXTEND_TS_AUTO, 0, 700000, 20000, 4 }, /* 35,000 bytes a millisecond */
        { TCPCT_EXTEND_TS_AUTO, 0, 720000, 20000, 8 },
        { TCPCT_EXTEND_TS_AUTO, 0, 720000, 40000, 4 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tcpct_connection connection = initiator(0, 4);
        struct path_state path = { .rate = cases[i].rate, .window = cases[i].window };
        connection.parameters.extend_ts = cases[i].parameter;
        connection.rtt.srtt_us = cases[i].srtt_us;
        assert_int_equal(timestamps_choose(&connection, &path), cases[i].size);
    }
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(timestamps_parameter_valid((uint8_t)i),
                         i == 0 || i == TCPCT_EXTEND_TS_AUTO || i == 32 || i == 64 || i == 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefixes_count),
        cmocka_unit_test(carries),
        cmocka_unit_test(ends_understand_each_other),
        cmocka_unit_test(old_is_old),
        cmocka_unit_test(prefixes_are_random),
        cmocka_unit_test(sizes_are_chosen),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
