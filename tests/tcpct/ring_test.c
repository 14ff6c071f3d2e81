/* ring_test.c - the byte ring against a plain array that does the same. */
#include "tcpct/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/seq.h"
#include "tests/tcpct/generate.h"

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static struct memory memory_of(size_t budget)
{
    return (struct memory){ .allocate = allocate, .release = release, .budget = budget };
}

/* Appends, drops, grows and writes beyond the end, at random; the model holds the same bytes. */
static void test_like_a_model(void **state)
{
    (void)state;
    enum { MODEL = 40000 };
    static uint8_t model[MODEL], bytes[MODEL];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct generator generator = { seed };
        struct memory memory = memory_of(1 << 20);
        struct ring ring = { 0 };
        uint32_t used = 0;
        for (unsigned i = 0; i < 2000; i++) {
            uint32_t size = generate_below(&generator, 3000);
            generate_bytes(&generator, bytes, size);
            if (used + size <= MODEL && generate_below(&generator, 3)) {
                if (generate_below(&generator, 4) == 0)
                    assert_true(ring_grow(&ring, &memory, used + size, used));
                uint32_t taken = ring_append(&ring, bytes, size);
                assert_int_equal(taken, min_u32(size, ring.capacity - used));
                memcpy(model + used, bytes, taken);
                used += taken;
            } else {
                size = min_u32(size, used);
                ring_drop(&ring, size);
                memmove(model, model + size, used - size);
                used -= size;
            }
            assert_int_equal(ring.used, used);
            uint32_t from = used ? generate_below(&generator, used) : 0;
            ring_get(&ring, from, bytes, used - from);
            assert_memory_equal(bytes, model + from, used - from);
        }
        ring_free(&ring, &memory);
        assert_int_equal(memory.used, 0);
    }
}

/* What was put beyond the end in order survives growing, and joins when the gap is filled. */
static void test_out_of_order(void **state)
{
    (void)state;
    struct memory memory = memory_of(1 << 20);
    struct ring ring = { 0 };
    uint8_t got[8];
    assert_true(ring_grow(&ring, &memory, 100, 0));
    ring_put(&ring, 4, (const uint8_t *)"EFGH", 4);
    assert_true(ring_grow(&ring, &memory, ring.capacity + 1, 8));
    assert_int_equal(ring_append(&ring, (const uint8_t *)"ABCD", 4), 4);
    ring.used += 4;
    ring_get(&ring, 0, got, 8);
    assert_memory_equal(got, "ABCDEFGH", 8);
    ring_free(&ring, &memory);
}

/* What wraps lies in two pieces. */
static void test_peek(void **state)
{
    struct memory memory = memory_of(1 << 20);
    struct ring ring = { 0 };
    uint8_t bytes[2048];
    const void *piece;
    (void)state;
    assert_int_equal(ring_peek(&ring, &piece), 0);
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i / 8);
    assert_true(ring_grow(&ring, &memory, sizeof(bytes), 0));
    ring_append(&ring, bytes, sizeof(bytes));
    ring_drop(&ring, 2000);
    ring_append(&ring, bytes, 100);
    assert_int_equal(ring_peek(&ring, &piece), 48);
    assert_memory_equal(piece, bytes + 2000, 48);
    ring_drop(&ring, 48);
    assert_int_equal(ring_peek(&ring, &piece), 100);
    assert_memory_equal(piece, bytes, 100);
    ring_free(&ring, &memory);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct memory memory = memory_of(3000);
    struct ring ring = { 0 };
    assert_int_equal(ring_append(&ring, (const uint8_t *)"x", 1), 0); /* it has no memory yet */
    ring_drop(&ring, 0);
    assert_true(ring_grow(&ring, &memory, 1, 0));
    assert_int_equal(ring_append(&ring, (const uint8_t *)"abc", 3), 3);
    struct ring before = ring;
    assert_false(ring_grow(&ring, &memory, 3001, 3));
    assert_memory_equal(&ring, &before, sizeof(ring));
    assert_int_equal(memory.refused, 1);
    ring_free(&ring, &memory);
    ring_free(&ring, &memory);
    assert_int_equal(memory.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like_a_model),
        cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_peek),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
