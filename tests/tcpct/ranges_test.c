/* ranges_test.c - ranges out of order against a bitmap that does the same. */
#include "tcpct/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/generate.h"

enum { SPACE = 400, BASE = 0xffffff00u }; /* wraps in the middle */

/* Disjoint, not adjacent, and together exactly what the bitmap has. */
static void compare(const struct ranges *ranges, const bool *there)
{
    bool seen[SPACE + 2] = { false };
    for (unsigned i = 0; i < ranges->count; i++) {
        uint32_t start = ranges->item[i].start - BASE, end = ranges->item[i].end - BASE;
        assert_true(start < end && end <= SPACE);
        for (uint32_t k = start; k < end; k++) {
            assert_true(there[k] && !seen[k]);
            seen[k] = true;
        }
        assert_true(start == 0 || !there[start - 1]);
        assert_true(end == SPACE || !there[end]);
    }
    for (uint32_t k = 0; k < SPACE; k++)
        assert_int_equal(seen[k], there[k]);
}

static void test_like_a_bitmap(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct generator generator = { seed };
        struct ranges ranges = { 0 };
        bool there[SPACE] = { false };
        for (unsigned i = 0; i < 60; i++) {
            uint32_t start = generate_below(&generator, SPACE - 20);
            uint32_t end = start + 1 + generate_below(&generator, 20);
            if (!ranges_add(&ranges, BASE + start, BASE + end)) {
                assert_int_equal(ranges.count, RANGES_MAX);
                compare(&ranges, there);
                continue;
            }
            memset(there + start, true, end - start);
            compare(&ranges, there);
            assert_true(ranges.item[0].start - BASE <= start); /* the most recent is first */
            assert_true(ranges.item[0].end - BASE >= end);
            assert_true(ranges_contain(&ranges, BASE + start, BASE + end));
        }
        uint32_t next = generate_below(&generator, SPACE), reached = next;
        while (reached < SPACE && there[reached])
            reached++;
        memset(there, false, reached);
        assert_int_equal(ranges_advance(&ranges, BASE + next), BASE + reached);
        for (unsigned i = 0; i < ranges.count; i++)
            assert_true(ranges.item[i].start - BASE > reached);
        compare(&ranges, there);
    }
}

/* RFC 2018, 4: the block that has the most recent segment comes first, then the others in the
 * order in which they were last reported. */
static void test_order(void **state)
{
    (void)state;
    struct ranges ranges = { 0 };
    ranges_add(&ranges, 10, 20);
    ranges_add(&ranges, 50, 60);
    ranges_add(&ranges, 30, 40);
    ranges_add(&ranges, 20, 22); /* joins the first */
    assert_int_equal(ranges.count, 3);
    assert_int_equal(ranges.item[0].start, 10);
    assert_int_equal(ranges.item[0].end, 22);
    assert_int_equal(ranges.item[1].start, 30);
    assert_int_equal(ranges.item[2].start, 50);
    assert_int_equal(ranges_highest(&ranges, 5), 60);
    assert_int_equal(ranges_highest(&ranges, 70), 70);
    assert_false(ranges_contain(&ranges, 35, 45));
}

static void test_full(void **state)
{
    (void)state;
    struct ranges ranges = { 0 };
    for (uint32_t i = 0; i < RANGES_MAX; i++)
        assert_true(ranges_add(&ranges, 10 * i, 10 * i + 5));
    struct ranges before = ranges;
    assert_false(ranges_add(&ranges, 1000, 1005));
    assert_memory_equal(&ranges, &before, sizeof(ranges));
    assert_true(ranges_add(&ranges, 5, 10)); /* what joins needs no room */
    assert_int_equal(ranges.count, RANGES_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like_a_bitmap),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
