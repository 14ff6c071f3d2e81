/* flows_test.c - the table of connections: found from both sides, forgotten, bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tun/flows.h"

static struct flows flows;

static struct flow_key key_of(uint16_t inside_port)
{
    return (struct flow_key){ .inside = { 4, { 10, 0, 0, 1 } },
                              .remote = { 4, { 192, 0, 2, 1 } },
                              .inside_port = inside_port,
                              .remote_port = 53,
                              .protocol = 6 };
}

static void begin(uint64_t idle_us)
{
    memset(&flows, 0, sizeof flows);
    flows.idle_us = idle_us;
}

static void found_by_all_of_the_key(void **state)
{
    (void)state;
    begin(1000);
    struct flow_key key = key_of(1), other;
    assert_null(flows_find(&flows, &key, 0));
    struct flow *flow = flows_add(&flows, &key, 0);
    assert_ptr_equal(flows_find(&flows, &key, 0), flow);
    other = key, other.inside_port++;
    assert_null(flows_find(&flows, &other, 0));
    other = key, other.remote_port++;
    assert_null(flows_find(&flows, &other, 0));
    other = key, other.inside.bytes[3]++;
    assert_null(flows_find(&flows, &other, 0));
    other = key, other.remote.bytes[3]++;
    assert_null(flows_find(&flows, &other, 0));
    other = key, other.protocol = 17;
    assert_null(flows_find(&flows, &other, 0));
}

static void found_from_outside(void **state)
{
    (void)state;
    begin(1000);
    struct flow_key key = key_of(1), outside = key_of(20000);
    struct flow *flow = flows_add(&flows, &key, 0);
    assert_null(flows_find_outside(&flows, &outside, 0));
    assert_false(flows_port_is_taken(&flows, &outside));
    flow->outside_port = 20000;
    assert_ptr_equal(flows_find_outside(&flows, &outside, 0), flow);
    assert_true(flows_port_is_taken(&flows, &outside));
    outside.remote_port++; /* towards another end the port is free */
    assert_null(flows_find_outside(&flows, &outside, 0));
    assert_false(flows_port_is_taken(&flows, &outside));
}

static void forgotten_when_idle(void **state)
{
    (void)state;
    begin(1000);
    struct flow_key key = key_of(1);
    flows_add(&flows, &key, 0);
    for (uint64_t now_us = 1000; now_us <= 5000; now_us += 1000)
        assert_non_null(flows_find(&flows, &key, now_us));
    assert_null(flows_find(&flows, &key, 6001));
    assert_null(flows_find(&flows, &key, 6001));
}

static void the_oldest_makes_room(void **state)
{
    (void)state;
    begin(UINT64_MAX);
    for (unsigned i = 0; i < FLOWS_MAX; i++) {
        struct flow_key key = key_of((uint16_t)i);
        flows_add(&flows, &key, i);
    }
    struct flow_key first = key_of(0), second = key_of(1), more = key_of(FLOWS_MAX);
    assert_non_null(flows_find(&flows, &first, FLOWS_MAX));
    flows_add(&flows, &more, FLOWS_MAX + 1);
    assert_non_null(flows_find(&flows, &first, FLOWS_MAX + 1));
    assert_non_null(flows_find(&flows, &more, FLOWS_MAX + 1));
    assert_null(flows_find(&flows, &second, FLOWS_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_by_all_of_the_key),
        cmocka_unit_test(found_from_outside),
        cmocka_unit_test(forgotten_when_idle),
        cmocka_unit_test(the_oldest_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
