/* codel_test.c - CoDel by the words of RFC 8289: nothing is dropped before waiting was too long for an
 * interval; then one packet, and the next ones ever sooner.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "tun/codel.h"

#define MS UINT64_C(1000000)

static const struct codel_config config = { .target_us = 5000, .interval_us = 100000 };
static struct codel codel;

/* A packet comes to the head each millisecond of [from, to), after waiting for so long. The times of the
 * drops go to `drops`; returns how many there were. A drop lets another packet come to the head. */
static unsigned pass(uint64_t from_ms, uint64_t to_ms, uint64_t waited_ms, uint64_t *drops)
{
    unsigned count = 0;
    for (uint64_t now_ms = from_ms; now_ms < to_ms; now_ms++) {
        struct codel_packet packet = { .waited_ns = waited_ms * MS };
        for (; codel_drops(&codel, &config, &packet, now_ms * MS); packet.dropped++)
            drops[count++] = now_ms;
    }
    return count;
}

static int begin(void **state)
{
    (void)state;
    codel = (struct codel){ 0 };
    return 0;
}

static void waiting_for_less_than_the_target_is_fine(void **state)
{
    (void)state;
    uint64_t drops[8];
    assert_int_equal(pass(0, 10000, 4, drops), 0);
}

/* 3.2: a burst that drains within an interval is no standing queue. */
static void a_burst_is_let_through(void **state)
{
    (void)state;
    uint64_t drops[8];
    for (uint64_t now_ms = 0; now_ms < 10000; now_ms += 100) {
        assert_int_equal(pass(now_ms, now_ms + 99, 50, drops), 0);
        assert_int_equal(pass(now_ms + 99, now_ms + 100, 4, drops), 0);
    }
}

/* 4.4: with less than a packet behind it, a link would run idle. */
static void the_last_packets_are_kept(void **state)
{
    (void)state;
    for (uint64_t now_ms = 0; now_ms < 10000; now_ms++)
        assert_false(codel_drops(
            &codel, &config, &(struct codel_packet){ .waited_ns = 500 * MS, .leaves_little = true },
            now_ms * MS));
}

/* 5.3: the n-th drop is an interval over the root of n before the next. */
static void drops_come_ever_sooner(void **state)
{
    (void)state;
    uint64_t drops[200];
    unsigned count = pass(0, 1000, 50, drops);
    assert_int_equal(drops[0], 100);
    double due_ms = 100;
    for (unsigned i = 1; i < count; i++) {
        due_ms += 100 / sqrt(i);
        assert_true((double)drops[i] >= due_ms && (double)drops[i] < due_ms + 1);
    }
    assert_int_equal(count, 27); /* the sum of 100 / sqrt(i) passes 900 with the 27th */
}

/* Once packets wait for less than the target, dropping is over; soon after, it begins where it was. */
static void dropping_ends_and_goes_on(void **state)
{
    (void)state;
    uint64_t drops[200];
    unsigned count = pass(0, 1000, 50, drops);
    assert_int_equal(pass(1000, 1001, 1, drops), 0);
    assert_int_equal(pass(1001, 1101, 50, drops), 0); /* an interval again */
    unsigned again = pass(1101, 1301, 50, drops);
    assert_int_equal(drops[0], 1101);
    assert_in_range(drops[1] - drops[0], 100 / sqrt(count), 100 / sqrt(count - 2) + 1);
    assert_in_range(again, 9, 12); /* about 5 in an interval, and ever more */

    assert_int_equal(pass(1301, 1302, 1, drops), 0);
    assert_true(pass(4000, 4300, 50, drops) > 1); /* 16 intervals later that is forgotten */
    assert_int_equal(drops[1] - drops[0], 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(waiting_for_less_than_the_target_is_fine, begin),
        cmocka_unit_test_setup(a_burst_is_let_through, begin),
        cmocka_unit_test_setup(the_last_packets_are_kept, begin),
        cmocka_unit_test_setup(drops_come_ever_sooner, begin),
        cmocka_unit_test_setup(dropping_ends_and_goes_on, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
