/* option_edit_test.c - options as bytes: what is asked for happens, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tun/option_edit.h"

/* MSS 1460, SACK-permitted, timestamps, NOP, window scale, Cookie-less, kind 254: 28 bytes. */
static const uint8_t sample[] = { 2, 4, 5, 180, 4, 2, 8,   10, 0,   0, 0, 7, 0, 0,
                                  0, 9, 1, 3,   3, 7, 253, 2,  254, 4, 0, 9, 1, 1 };

static uint8_t edited[OPTIONS_SIZE_MAX];

static struct option_kinds kinds(unsigned one, unsigned other)
{
    struct option_kinds set = { { 0 } };
    option_kinds_add(&set, (uint8_t)one);
    option_kinds_add(&set, (uint8_t)other);
    return set;
}

#define ASSERT_EDITED(size, ...)                                \
    do {                                                        \
        static const uint8_t expected[] = { __VA_ARGS__ };      \
        assert_int_equal(size, sizeof expected);                \
        assert_memory_equal(edited, expected, sizeof expected); \
    } while (0)

static void nothing_asked_for(void **state)
{
    (void)state;
    const struct middlebox_way way = { 0 };
    assert_int_equal(option_edit_remove(&way, sample, sizeof sample, edited), sizeof sample);
    assert_memory_equal(edited, sample, sizeof sample);
    assert_int_equal(option_edit_remove(&way, sample, 0, edited), 0);
}

static void stripped(void **state)
{
    (void)state;
    struct middlebox_way way = { .strip = kinds(253, 254) };
    size_t size = option_edit_remove(&way, sample, sizeof sample, edited);
    ASSERT_EDITED(size, 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 3, 3, 7, 1, 1, 0, 0);
    way.strip = kinds(8, 4);
    size = option_edit_remove(&way, sample, sizeof sample, edited);
    ASSERT_EDITED(size, 2, 4, 5, 180, 1, 3, 3, 7, 253, 2, 254, 4, 0, 9, 1, 1);
}

static void blanked_and_zeroed(void **state)
{
    (void)state;
    struct middlebox_way way = { .blank = kinds(253, 254) };
    size_t size = option_edit_remove(&way, sample, sizeof sample, edited);
    ASSERT_EDITED(size, 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 3, 3, 7, 1, 1, 1, 1,
                  1, 1, 1, 1);
    way = (struct middlebox_way){ .zero = kinds(253, 254) };
    size = option_edit_remove(&way, sample, sizeof sample, edited);
    ASSERT_EDITED(size, 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 3, 3, 7, 253, 2, 254,
                  4, 0, 0, 1, 1);
}

/* Behind a malformed length everything stays; behind an EOL nothing is. */
static void wrong_lengths(void **state)
{
    (void)state;
    static const uint8_t malformed[] = { 253, 2, 8, 1, 253, 2, 3, 4 };
    static const uint8_t ended[] = { 253, 3, 9, 0, 253, 2, 3, 4 };
    const struct middlebox_way way = { .strip = kinds(253, 253) };
    size_t size = option_edit_remove(&way, malformed, sizeof malformed, edited);
    ASSERT_EDITED(size, 8, 1, 253, 2, 3, 4, 0, 0);
    assert_int_equal(option_edit_remove(&way, ended, sizeof ended, edited), 0);
    assert_int_equal(option_edit_reverse(malformed, sizeof malformed, edited), sizeof malformed);
    assert_memory_equal(edited, malformed, sizeof malformed);
}

static void reversed(void **state)
{
    (void)state;
    size_t size = option_edit_reverse(sample, sizeof sample, edited);
    ASSERT_EDITED(size, 254, 4, 0, 9, 253, 2, 3, 3, 7, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 4, 2, 2, 4, 5,
                  180, 0, 0, 0);
    assert_int_equal(option_edit_reverse(sample, 0, edited), 0);
}

static void copied(void **state)
{
    (void)state;
    static const uint8_t given[] = { 2, 4, 1, 1, 253, 4, 66, 67, 34, 2, 0, 0 };
    struct option_kinds set = kinds(253, 34);
    size_t size = option_edit_copy(&set, given, sizeof given, sample, 4, edited);
    ASSERT_EDITED(size, 2, 4, 5, 180, 253, 4, 66, 67, 34, 2, 0, 0);
    static const uint8_t own[] = { 253, 4, 88, 88, 2, 4, 5, 180 };
    size = option_edit_copy(&set, given, sizeof given, own, sizeof own, edited);
    ASSERT_EDITED(size, 253, 4, 66, 67, 2, 4, 5, 180, 34, 2, 0, 0);
}

static void a_copy_needs_room(void **state)
{
    (void)state;
    uint8_t full[40], given[20] = { 253, 18 };
    memset(full, 1, sizeof full);
    struct option_kinds set = kinds(253, 253);
    assert_int_equal(option_edit_copy(&set, given, sizeof given, full, sizeof full, edited), 40);
    assert_memory_equal(edited, full, sizeof full);
    assert_int_equal(option_edit_copy(&set, given, sizeof given, full, 20, edited), 40);
    assert_memory_equal(edited + 20, given, 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_asked_for),  cmocka_unit_test(stripped),
        cmocka_unit_test(blanked_and_zeroed), cmocka_unit_test(wrong_lengths),
        cmocka_unit_test(reversed),           cmocka_unit_test(copied),
        cmocka_unit_test(a_copy_needs_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
