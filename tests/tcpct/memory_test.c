/* memory_test.c - the budget of buffers, and what is outside it. */
#include "tcpct/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int calls;

static void *allocate(void *context, size_t size)
{
    calls++;
    return *(bool *)context ? malloc(size) : NULL;
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static void test_budget(void **state)
{
    (void)state;
    bool works = true;
    struct memory memory = {
        .allocate = allocate, .release = release, .context = &works, .budget = 100
    };
    void *first = memory_buffer(&memory, 60);
    assert_non_null(first);
    calls = 0;
    assert_null(memory_buffer(&memory, 41)); /* the allocator is not even asked */
    assert_int_equal(calls, 0);
    assert_null(memory_buffer(&memory, SIZE_MAX));
    assert_int_equal(memory.refused, 2);
    void *second = memory_buffer(&memory, 40);
    assert_non_null(second);
    assert_int_equal(memory.used, 100);
    memory_buffer_free(&memory, first, 60);
    memory_buffer_free(&memory, second, 40);
    memory_buffer_free(&memory, NULL, 0);
    assert_int_equal(memory.used, 0);
}

static void give_back(void *owner, size_t size)
{
    struct memory *memory = owner;
    (void)size;
    memory->used -= 50;
}

static void test_reclaim(void **state)
{
    (void)state;
    bool works = true;
    struct memory memory = { .allocate = allocate,
                             .release = release,
                             .context = &works,
                             .used = 90,
                             .budget = 100,
                             .reclaim = give_back,
                             .owner = &memory };
    void *first = memory_buffer(&memory, 10); /* fits: nobody is asked */
    assert_int_equal(memory.used, 100);
    void *second = memory_buffer(&memory, 40);
    assert_int_equal(memory.used, 90);
    assert_null(memory_buffer(&memory, 70));
    assert_int_equal(memory.refused, 1);
    release(NULL, first);
    release(NULL, second);
}

static void test_allocator_says_no(void **state)
{
    (void)state;
    bool works = false;
    struct memory memory = {
        .allocate = allocate, .release = release, .context = &works, .budget = 100
    };
    assert_null(memory_buffer(&memory, 10));
    assert_int_equal(memory.used, 0);
    assert_int_equal(memory.refused, 1);
    assert_null(memory_zeroed(&memory, 10));
}

static void test_zeroed(void **state)
{
    (void)state;
    bool works = true;
    struct memory memory = { .allocate = allocate, .release = release, .context = &works };
    static const uint8_t zeros[1000];
    uint8_t *bytes = memory_zeroed(&memory, sizeof(zeros)); /* outside the budget */
    assert_non_null(bytes);
    assert_memory_equal(bytes, zeros, sizeof(zeros));
    memory_free(&memory, bytes);
    memory_free(&memory, NULL);
    assert_int_equal(memory.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_reclaim),
        cmocka_unit_test(test_allocator_says_no),
        cmocka_unit_test(test_zeroed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
