/* demux_test.c - from endpoints to connections and listeners. */
#include "tcpct/demux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BUCKETS = 16, CONNECTIONS = 200 };

static struct tcpct_address address(unsigned family, uint8_t last)
{
    if (family == 6)
        return (struct tcpct_address){ 6, { 0xfd, [15] = last } };
    return (struct tcpct_address){ 4, { 10, 0, 0, last } };
}

/* Each differs from the one before in one thing. */
static struct endpoints endpoints(unsigned number)
{
    unsigned family = number & 1 ? 6 : 4;
    return (struct endpoints){
        .local = address(family, (uint8_t)(1 + (number >> 1 & 1))),
        .remote = address(family, (uint8_t)(1 + (number >> 2 & 3))),
        .local_port = (uint16_t)(53 + (number >> 4 & 1)),
        .remote_port = (uint16_t)(1000 + (number >> 5)),
    };
}

static void test_connections(void **state)
{
    (void)state;
    static struct tcpct_connection connections[CONNECTIONS];
    static struct tcpct_connection *buckets[BUCKETS];
    struct tcpct_stack stack = { .buckets = buckets, .bucket_mask = BUCKETS - 1, .bucket_seed = 7 };
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct endpoints at = endpoints(i);
        assert_null(demux_find(&stack, &at));
        connections[i].endpoints = at;
        demux_add(&stack, &connections[i]);
    }
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < CONNECTIONS; i++) {
            struct endpoints at = endpoints(i);
            bool removed = round && i % 3;
            assert_ptr_equal(demux_find(&stack, &at), removed ? NULL : &connections[i]);
        }
        for (unsigned i = 0; i < CONNECTIONS && !round; i++)
            if (i % 3)
                demux_remove(&stack, &connections[i]);
    }
}

/* No bucket holds nearly all, whatever an attacker chooses: the seed is random. */
static void test_spreads(void **state)
{
    (void)state;
    static struct tcpct_connection connections[1024];
    static struct tcpct_connection *buckets[1024];
    for (uint32_t seed = 1; seed < 50; seed++) {
        struct tcpct_stack stack = { .buckets = buckets, .bucket_mask = 1023, .bucket_seed = seed };
        memset(buckets, 0, sizeof(buckets));
        unsigned longest = 0;
        for (unsigned i = 0; i < 1024; i++) {
            connections[i].endpoints = endpoints(32 * i);
            demux_add(&stack, &connections[i]);
        }
        for (unsigned i = 0; i < 1024; i++) {
            unsigned length = 0;
            for (const struct tcpct_connection *at = buckets[i]; at; at = at->hash_next)
                length++;
            longest = length > longest ? length : longest;
        }
        assert_true(longest <= 32);
    }
}

static void test_listeners(void **state)
{
    (void)state;
    struct tcpct_listener exact = { .options = { .address = address(4, 1), .port = 53 } };
    struct tcpct_listener any = { .options = { .port = 53 }, .next = &exact };
    struct tcpct_stack stack = { .listeners = &any };
    struct tcpct_address one = address(4, 1), other = address(4, 2), six = address(6, 1);
    for (unsigned order = 0; order < 2; order++) {
        assert_ptr_equal(demux_listener(&stack, &one, 53), &exact);
        assert_ptr_equal(demux_listener(&stack, &other, 53), &any);
        assert_ptr_equal(demux_listener(&stack, &six, 53), &any);
        assert_null(demux_listener(&stack, &one, 54));
        any.next = NULL;
        exact.next = &any;
        stack.listeners = &exact;
    }
}

static void test_endpoints(void **state)
{
    (void)state;
    const struct segment segment = { .source = address(4, 9),
                                     .destination = address(4, 1),
                                     .source_port = 1234,
                                     .destination_port = 53 };
    struct endpoints at = demux_endpoints(&segment);
    assert_true(ip_address_equal(&at.local, &segment.destination));
    assert_true(ip_address_equal(&at.remote, &segment.source));
    assert_int_equal(at.local_port, 53);
    assert_int_equal(at.remote_port, 1234);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_spreads),
        cmocka_unit_test(test_listeners),
        cmocka_unit_test(test_endpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
