/* rate_limit_test.c - leaky buckets of prefixes, in virtual time. */
#include "dns/rate_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/generate.h"

static const uint64_t second_us = 1000000;
static const uint8_t key[RATE_LIMIT_KEY_SIZE] = { 1 };
static const struct tcpct_address a = { 4, { 192, 0, 2, 1 } };

static struct rate_limit *create(uint32_t rate, uint32_t slip, uint32_t entries)
{
    const struct rate_limit_options options = { rate, slip, entries };
    struct rate_limit *limit = rate_limit_create(&options, key);
    assert_non_null(limit);
    return limit;
}

/* Of so many queries at once, those that pass. */
static unsigned pass(struct rate_limit *limit, const struct tcpct_address *client, unsigned queries,
                     uint64_t now_us)
{
    unsigned passed = 0;
    while (queries-- > 0)
        passed += rate_limit_take(limit, client, now_us) == RATE_PASS;
    return passed;
}

/* A second's answers at once, then as many as have run out of the bucket. */
static void rates(void **state)
{
    (void)state;
    static const uint32_t some[] = { 1, 2, 7, 200, 333333, RATE_LIMIT_MAX };
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        struct rate_limit *limit = create(some[i], 2, 4);
        uint64_t now_us = 5;
        assert_in_range(pass(limit, &a, some[i] + some[i] / 100 + 3, now_us), some[i],
                        some[i] + some[i] / 1000);
        assert_int_equal(pass(limit, &a, 1, now_us), 0);
        now_us += second_us / some[i] + 1;
        assert_in_range(pass(limit, &a, 5, now_us), 1, 2);
        now_us += second_us;
        assert_in_range(pass(limit, &a, some[i] + some[i] / 100 + 3, now_us), some[i],
                        some[i] + some[i] / 1000);
        rate_limit_destroy(limit);
    }
}

/* Ten times the rate for a minute gets the rate, and no more. */
static void lasting(void **state)
{
    (void)state;
    struct rate_limit *limit = create(100, 2, 4);
    unsigned passed = 0;
    for (uint64_t now_us = 0; now_us < 60 * second_us; now_us += 1000)
        passed += pass(limit, &a, 1, now_us);
    assert_in_range(passed, 60 * 100, 60 * 100 + 100);
    rate_limit_destroy(limit);
}

static void slips(void **state)
{
    (void)state;
    for (uint32_t slip = 0; slip < 4; slip++) {
        struct rate_limit *limit = create(1, slip, 4);
        assert_int_equal(rate_limit_take(limit, &a, 0), RATE_PASS);
        for (unsigned i = 0; i < 30; i++)
            assert_int_equal(rate_limit_take(limit, &a, 0),
                             slip > 0 && i % slip == 0 ? RATE_SLIP : RATE_DROP);
        const struct rate_limit_counters *counters = rate_limit_counters(limit);
        assert_int_equal(counters->passed, 1);
        assert_int_equal(counters->slipped, slip ? 30 / slip : 0);
        assert_int_equal(counters->slipped + counters->dropped, 30);
        rate_limit_destroy(limit);
    }
}

/* One bucket for an IPv4 /24 or IPv6 /56, another for each of the rest. */
static void prefixes(void **state)
{
    (void)state;
    struct rate_limit *limit = create(10, 2, 1024);
    struct tcpct_address other = a;
    assert_int_equal(pass(limit, &a, 6, 0), 6);
    other.bytes[3] = 254;
    assert_int_equal(pass(limit, &other, 6, 0), 4);
    for (unsigned i = 0; i < 24; i++) {
        other = a;
        other.bytes[i / 8] ^= (uint8_t)(0x80 >> i % 8);
        assert_int_equal(pass(limit, &other, 12, 0), 10);
    }
    const struct tcpct_address b = { 6, { 192, 0, 2, 1, 0, 0, 0, 1 } };
    assert_int_equal(pass(limit, &b, 6, 0), 6);
    other = b;
    other.bytes[7] = other.bytes[15] = 255;
    assert_int_equal(pass(limit, &other, 6, 0), 4);
    for (unsigned i = 0; i < 56; i++) {
        other = b;
        other.bytes[i / 8] ^= (uint8_t)(0x80 >> i % 8);
        assert_int_equal(pass(limit, &other, 12, 0), 10);
    }
    rate_limit_destroy(limit);
}

/* In a full table somebody's bucket is forgotten, and never an honest client refused for it. Buckets that
 * have run empty are forgotten for nothing. */
static void full(void **state)
{
    (void)state;
    enum { ENTRIES = 64, CLIENTS = 100000 };
    struct rate_limit *limit = create(1000, 2, ENTRIES);
    const struct rate_limit_counters *counters = rate_limit_counters(limit);
    struct generator random = { 1 };
    struct tcpct_address client = { .family = 6 };
    for (uint64_t i = 0; i < CLIENTS; i++) { /* ten of them in the millisecond of one's answer */
        generate_bytes(&random, client.bytes, 16);
        assert_int_equal(rate_limit_take(limit, &client, i * 100), RATE_PASS);
    }
    assert_in_range(counters->evicted, 1, CLIENTS / 50); /* four of the ten in one of 16 sets */
    uint64_t evicted = counters->evicted;
    for (uint64_t i = 0; i < CLIENTS; i++) {
        generate_bytes(&random, client.bytes, 16);
        assert_int_equal(rate_limit_take(limit, &client, CLIENTS * 100 + i), RATE_PASS);
    }
    assert_in_range(counters->evicted, evicted + CLIENTS / 2, evicted + CLIENTS);
    rate_limit_destroy(limit);
}

static void names(void **state)
{
    (void)state;
    size_t count = 0;
    while (rate_limit_counter_name(count))
        count++;
    assert_int_equal(count, sizeof(struct rate_limit_counters) / sizeof(uint64_t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates),    cmocka_unit_test(lasting), cmocka_unit_test(slips),
        cmocka_unit_test(prefixes), cmocka_unit_test(full),    cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("rate_limit", tests, NULL, NULL);
}
