/* peers_test.c - the table of peers: found by address, bounded, the longest unused gives way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/peers.h"

static struct tcpct_address address(unsigned number)
{
    return (struct tcpct_address){ .family = 4, .bytes = { 10, 0, 1, (uint8_t)number } };
}

static void oldest_gives_way(void **state)
{
    (void)state;
    struct tcpct_stack *stack = calloc(1, sizeof *stack);
    for (unsigned i = 0; i < PEERS_MAX; i++) {
        struct tcpct_address peer = address(i);
        assert_null(peers_find(stack, &peer));
        peers_use(stack, &peer, 100 + i)->plain_until_us = i;
    }
    struct tcpct_address first = address(0), second = address(1), last = address(PEERS_MAX);
    assert_int_equal(peers_use(stack, &first, 1000)->plain_until_us, 0); /* used again */
    assert_int_equal(peers_use(stack, &last, 1001)->plain_until_us, 0);
    assert_null(peers_find(stack, &second));
    assert_non_null(peers_find(stack, &first));
    for (unsigned i = 2; i < PEERS_MAX; i++) {
        struct tcpct_address peer = address(i);
        assert_int_equal(peers_find(stack, &peer)->plain_until_us, i);
    }
    free(stack);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(oldest_gives_way) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
