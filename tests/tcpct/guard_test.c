/* guard_test.c - each exchange once, for a period at least; bounded; every part of it matters. */
#include "tcpct/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LIMIT = 1000, PERIOD = 700000000 };

static struct guard guard;
static struct memory memory;
static struct mac *mac;

static void *take(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void give(void *context, void *pointer)
{
    (void)context;
    free(pointer);
}

static int begin(void **state)
{
    const uint8_t key[MAC_KEY_SIZE] = { 1 };
    (void)state;
    memory = (struct memory){ .allocate = take, .release = give };
    mac = mac_create(key);
    return mac && guard_create(&guard, &memory, LIMIT, PERIOD, 0) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    guard_destroy(&guard, &memory);
    mac_destroy(mac);
    return 0;
}

static enum guard_verdict admit(uint16_t port, uint32_t isn, uint64_t now_us)
{
    const struct tcpct_address local = { 4, { 10, 0, 0, 1 } }, remote = { 4, { 10, 0, 0, 2 } };
    const struct cookie_endpoints endpoints = { &local, &remote, 53, port };
    return guard_admit(&guard, mac, &endpoints, isn, now_us);
}

static void once(void **state)
{
    (void)state;
    assert_int_equal(admit(1000, 7, 0), GUARD_ADMITTED);
    assert_int_equal(admit(1000, 7, 1), GUARD_KNOWN);
    assert_int_equal(admit(1001, 7, 2), GUARD_ADMITTED);
    assert_int_equal(admit(1000, 8, 2), GUARD_ADMITTED);
    assert_int_equal(admit(1000, 8, PERIOD - 1), GUARD_KNOWN);
}

/* Whenever it was admitted, it stays for a period and not for more than two. */
static void for_a_period(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 40; i++) {
        uint64_t at_us = (uint64_t)i * PERIOD * 3 + (uint64_t)i * (PERIOD / 40);
        assert_int_equal(admit(1, i, at_us), GUARD_ADMITTED);
        assert_int_equal(admit(1, i, at_us + PERIOD / 2), GUARD_KNOWN);
        assert_int_equal(admit(1, i, at_us + PERIOD), GUARD_KNOWN);
        assert_int_equal(admit(1, i, at_us + 2ull * PERIOD + 1), GUARD_ADMITTED);
    }
}

static void full_refuses(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < LIMIT; i++)
        assert_int_equal(admit(1, i, 5), GUARD_ADMITTED);
    assert_int_equal(admit(1, LIMIT, 5), GUARD_FULL);
    assert_int_equal(admit(1, 0, 5), GUARD_KNOWN);
    for (uint32_t i = 0; i < LIMIT; i++)
        assert_int_equal(admit(2, i, PERIOD), GUARD_ADMITTED);
    assert_int_equal(admit(2, LIMIT, PERIOD), GUARD_FULL);
    for (uint32_t i = 0; i < LIMIT; i++)
        assert_int_equal(admit(1, i, PERIOD), GUARD_KNOWN);
    assert_int_equal(admit(2, LIMIT, 2ull * PERIOD), GUARD_ADMITTED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = { TEST(once), TEST(for_a_period), TEST(full_refuses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
