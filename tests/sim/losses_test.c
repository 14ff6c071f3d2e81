/* losses_test.c - transactions through every pattern of loss of their first packets, and with each
 * of their packets late, doubled, or back from the dead (losses.h).
 *
 * Subsets of the first eight packets (over IPv6: six). LOSSES_FULL=1 in the environment takes
 * all 4096 of the first twelve, for each scenario and family.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/losses.h"

enum { MILLISECOND = 1000, SECOND = 1000000 };

static const struct losses_scenario scenarios[] = {
    /* the whole transaction in the SYNs (6) */
    { "one round trip", CLOSE_INITIATOR, .in_syn = true, .request = 100, .answer = 200 },
    /* the answer is too large for that */
    { "data, I closes", CLOSE_INITIATOR, .in_syn = true, .request = 100, .answer = 4000 },
    { "data, R closes", CLOSE_RESPONDER, .in_syn = true, .request = 100, .answer = 4000 },
    { "data, both close", CLOSE_BOTH, .in_syn = true, .request = 100, .answer = 4000 },
    /* its first part fits (6.4) */
    { "first part, I closes", CLOSE_INITIATOR, .in_syn = true, .request = 100, .answer = 4000,
      .stable = true },
    { "first part, R closes", CLOSE_RESPONDER, .in_syn = true, .request = 100, .answer = 4000,
      .stable = true },
    { "first part, both close", CLOSE_BOTH, .in_syn = true, .request = 100, .answer = 4000,
      .stable = true },
    /* an answer in the SYN, and another request behind it */
    { "more, I closes", CLOSE_INITIATOR, .in_syn = true, .request = 100, .more = 300, .answer = 200,
      .last = 3000 },
    { "more, R closes", CLOSE_RESPONDER, .in_syn = true, .request = 100, .more = 300, .answer = 200,
      .last = 3000 },
    /* nothing in the SYNs */
    { "cold, I closes", CLOSE_INITIATOR, .request = 100, .answer = 1000 },
    { "cold, R closes", CLOSE_RESPONDER, .request = 100, .answer = 1000 },
    { "cold, both close", CLOSE_BOTH, .request = 100, .answer = 1000 },
    { "cold, I closes early", CLOSE_EARLY, .request = 3000, .answer = 4000 },
    { "cold, R closes early", CLOSE_PENDING, .request = 100, .more = 4000, .answer = 300 },
    /* a closed connection begins again, or an exchange races with it */
    { "restart, I closes", CLOSE_INITIATOR, .restart = true, .request = 100, .answer = 4000 },
    { "restart, R closes", CLOSE_RESPONDER, .restart = true, .request = 100, .answer = 4000 },
    { "restart, both close", CLOSE_BOTH, .restart = true, .request = 100, .answer = 300 },
    /* without cookies */
    { "plain, I closes", CLOSE_INITIATOR, .plain = true, .request = 100, .answer = 1000 },
    { "plain, R closes", CLOSE_RESPONDER, .plain = true, .request = 100, .answer = 1000 },
    { "plain, both close", CLOSE_BOTH, .plain = true, .request = 100, .answer = 1000 },
    { "plain, I closes early", CLOSE_EARLY, .plain = true, .request = 3000, .answer = 4000 },
    { "plain, R closes early", CLOSE_PENDING, .plain = true, .request = 100, .more = 4000,
      .answer = 300 },
};
enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

static bool full(void)
{
    return getenv("LOSSES_FULL");
}

/* Every subset of the first `depth` packets. The index has packet 0 in its highest bit, so that
 * what a run did not come to is skipped. */
static void lose_every_subset(const struct losses_scenario *scenario, unsigned depth,
                              unsigned family)
{
    for (uint32_t index = 0; index < 1u << depth;) {
        struct losses_fate fate = { 0 };
        for (unsigned i = 0; i < depth; i++)
            fate.lost |= (index >> (depth - 1 - i) & 1) << i;
        unsigned packets = losses_run(scenario, &fate, family);
        uint32_t alike = packets < depth ? 1u << (depth - packets) : 1;
        index = (index | (alike - 1)) + 1;
    }
}

static void test_every_subset_is_lost(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCENARIOS; i++)
        lose_every_subset(&scenarios[i], full() ? 12 : 8, 4);
    losses_verdict();
}

static void test_every_subset_is_lost_v6(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCENARIOS; i++)
        lose_every_subset(&scenarios[i], full() ? 12 : 6, 6);
    losses_verdict();
}

static const struct {
    unsigned overtaken;
    uint64_t late_us;
} lateness[] = {
    { 1, 30 * MILLISECOND },        { 2, 50 * MILLISECOND },        { 3, 300 * MILLISECOND },
    { UINT_MAX, 15 * MILLISECOND }, { UINT_MAX, 45 * MILLISECOND }, { UINT_MAX, 500 * MILLISECOND },
    { UINT_MAX, 5 * SECOND },  /* TIME-WAIT */
    { UINT_MAX, 50 * SECOND }, /* still */
    { UINT_MAX, 90 * SECOND }, /* nobody knows of it any more */
};

static void test_each_is_late(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCENARIOS * 2; i++)
        for (unsigned j = 0; j < sizeof(lateness) / sizeof(lateness[0]); j++) {
            struct losses_fate fate = { .chosen = true,
                                        .copied = i % 2,
                                        .overtaken = lateness[j].overtaken,
                                        .late_us = lateness[j].late_us };
            while (fate.packet < losses_run(&scenarios[i / 2], &fate, 4))
                fate.packet++;
        }
    losses_verdict();
}

static void test_antiques(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCENARIOS; i++)
        for (unsigned j = 0; j < 12; j++) {
            struct losses_fate fate = {
                .chosen = true, .copied = true, .antique = true, .overtaken = j
            };
            while (fate.packet < losses_run(&scenarios[i], &fate, 4))
                fate.packet++;
        }
    losses_verdict();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, sim_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_subset_is_lost),
        TEST(every_subset_is_lost_v6),
        TEST(each_is_late),
        TEST(antiques),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
