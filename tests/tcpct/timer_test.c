/* timer_test.c - the lazy heap of timers against looking through all of them. */
#include "tcpct/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/generate.h"

enum { CONNECTIONS = 50 };

static struct tcpct_stack stack;
static struct tcpct_connection connections[CONNECTIONS];
static struct tcpct_connection *heap[CONNECTIONS];

static int setup(void **state)
{
    (void)state;
    memset(&stack, 0, sizeof(stack));
    memset(connections, 0, sizeof(connections));
    stack.heap = heap;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        connections[i].stack = &stack;
        connections[i].heap_index = UINT32_MAX;
        timer_stop_all(&connections[i]);
    }
    return 0;
}

static uint64_t next_of(const struct tcpct_connection *connection)
{
    uint64_t next = TCPCT_NEVER;
    for (unsigned i = 0; i < TIMERS; i++)
        if (connection->timers[i] < next)
            next = connection->timers[i];
    return next;
}

static uint64_t next_of_all(void)
{
    uint64_t next = TCPCT_NEVER;
    for (unsigned i = 0; i < CONNECTIONS; i++)
        if (next_of(&connections[i]) < next)
            next = next_of(&connections[i]);
    return next;
}

/* Every connection that is due comes up, and no other; the deadline is never too late. */
static void serve(uint64_t now_us)
{
    struct tcpct_connection *connection;
    while ((connection = timer_expired(&stack, now_us))) {
        assert_true(next_of(connection) <= now_us);
        for (unsigned i = 0; i < TIMERS; i++)
            if (connection->timers[i] <= now_us)
                timer_stop(connection, (enum timer)i);
        timer_again(connection);
    }
    assert_true(next_of_all() > now_us);
    assert_true(timer_deadline(&stack) > now_us);
    assert_true(timer_deadline(&stack) <= next_of_all());
}

static void test_like_a_list(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct generator generator = { seed };
        uint64_t now_us = 0;
        setup(NULL);
        for (unsigned i = 0; i < 3000; i++) {
            struct tcpct_connection *connection =
                &connections[generate_below(&generator, CONNECTIONS)];
            enum timer timer = (enum timer)generate_below(&generator, TIMERS);
            switch (generate_below(&generator, 5)) {
            case 0:
                timer_stop(connection, timer);
                assert_false(timer_is_set(connection, timer));
                break;
            case 1:
                timer_stop_all(connection);
                timer_forget(connection);
                timer_forget(connection);
                break;
            default:
                timer_set(connection, timer, now_us + 1 + generate_below(&generator, 1000));
                assert_true(timer_is_set(connection, timer));
                break;
            }
            assert_true(timer_deadline(&stack) <= next_of_all());
            now_us += generate_below(&generator, 20);
            serve(now_us);
        }
        serve(UINT64_MAX - 1);
        assert_int_equal(stack.heap_count, 0);
        assert_true(timer_deadline(&stack) == TCPCT_NEVER);
    }
}

/* Moving a timer on costs nothing: the heap is not touched until the old time comes. */
static void test_moved_on(void **state)
{
    (void)state;
    timer_set(&connections[0], TIMER_RETRANSMISSION, 100);
    timer_set(&connections[0], TIMER_RETRANSMISSION, 500);
    assert_int_equal(timer_deadline(&stack), 100);
    assert_null(timer_expired(&stack, 100));
    assert_int_equal(timer_deadline(&stack), 500);
    assert_ptr_equal(timer_expired(&stack, 500), &connections[0]);
    timer_stop_all(&connections[0]);
    timer_again(&connections[0]);
    assert_true(timer_deadline(&stack) == TCPCT_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_like_a_list, setup),
        cmocka_unit_test_setup(test_moved_on, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
