/* seq_test.c - arithmetic modulo 2^32, also where it wraps. */
#include "tcpct/seq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_order(void **state)
{
    (void)state;
    static const uint32_t bases[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };
    for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        uint32_t a = bases[i], b = a + 100, far = a + 0x7fffffff;
        assert_true(seq_lt(a, b) && !seq_lt(b, a) && !seq_lt(a, a));
        assert_true(seq_leq(a, b) && !seq_leq(b, a) && seq_leq(a, a));
        assert_true(seq_lt(a, far) && !seq_lt(far, a));
        assert_int_equal(seq_max(a, b), b);
        assert_int_equal(seq_max(b, a), b);
        assert_int_equal(seq_min(a, b), a);
        assert_int_equal(seq_min(b, a), a);
    }
}

static void test_within(void **state)
{
    (void)state;
    assert_true(seq_within(5, 5, 6));
    assert_false(seq_within(6, 5, 6));
    assert_false(seq_within(4, 5, 6));
    assert_false(seq_within(5, 5, 5)); /* empty */
    assert_true(seq_within(3, 0xfffffff0, 10));
    assert_true(seq_within(0xfffffff0, 0xfffffff0, 10));
    assert_false(seq_within(10, 0xfffffff0, 10));
    assert_false(seq_within(0xffffffef, 0xfffffff0, 10));
}

static void test_least_and_most(void **state)
{
    (void)state;
    assert_int_equal(min_u32(0, UINT32_MAX), 0);
    assert_int_equal(max_u32(0, UINT32_MAX), UINT32_MAX);
    assert_true(min_u64(1, UINT64_MAX) == 1 && max_u64(1, UINT64_MAX) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_within),
        cmocka_unit_test(test_least_and_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
