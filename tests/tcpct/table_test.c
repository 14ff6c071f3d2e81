/* table_test.c - entries of a fixed number: found by hash, in the order of use, used again; and how
 * the hash spreads them. What is built on it is tested with it (remember_test.c, collapse_test.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/table.h"
#include "tests/tcpct/generate.h"

struct item {
    struct table_entry entry;
    uint32_t key;
};

static void *take(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void give(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static struct memory memory = { .allocate = take, .release = give };

/* Keys share buckets: the hash is a quarter of the key. */
static struct item *find(const struct table *table, uint32_t key)
{
    struct table_entry *entry = table_first(table, key / 4);
    while (entry && ((struct item *)entry)->key != key)
        entry = table_next(table, entry);
    return (struct item *)entry;
}

static void a_table_of_nothing(void **state)
{
    (void)state;
    struct table table;
    assert_true(table_create(&table, &memory, sizeof(struct item), 0));
    assert_true(table_is_full(&table));
    assert_null(table_first(&table, 7));
    assert_null(table_oldest(&table));
    table_destroy(&table, &memory);
}

/* Against a plain list of when each key was last used. */
enum { KEYS = 60, LIMIT = 20, STEPS = 20000 };

static void behaves_as_a_list_would(void **state)
{
    (void)state;
    struct table table;
    struct generator random;
    uint32_t used_at[KEYS] = { 0 }, count = 0;
    random = (struct generator){ .state = 3 };
    assert_true(table_create(&table, &memory, sizeof(struct item), LIMIT));
    for (uint32_t step = 1; step <= STEPS; step++) {
        uint32_t key = generate_below(&random, KEYS), oldest = 0;
        struct item *item = find(&table, key);
        assert_int_equal(item != NULL, used_at[key] != 0);
        for (uint32_t i = 0; i < KEYS; i++)
            if (used_at[i] && (!oldest || used_at[i] < oldest))
                oldest = used_at[i];
        struct item *last = (struct item *)table_oldest(&table);
        assert_int_equal(last ? used_at[last->key] : 0, oldest);
        if (item && generate_below(&random, 2)) {
            table_remove(&table, &item->entry, key / 4);
            used_at[key] = 0;
            count--;
        } else if (item) {
            table_touch(&table, &item->entry);
            used_at[key] = step;
        } else if (!table_is_full(&table)) {
            item = (struct item *)table_add(&table, key / 4);
            assert_int_equal(item->key, 0); /* wiped */
            item->key = key;
            used_at[key] = step;
            count++;
            assert_ptr_equal(table_at(&table, table_index(&table, &item->entry)), item);
        }
        assert_int_equal(table.count, count);
        assert_int_equal(table_is_full(&table), count == LIMIT);
    }
    table_destroy(&table, &memory);
}

/* Of a million keys in as many buckets a key is the 1.5th of its bucket, on the average, if they are
 * spread by chance. */
static double place_in_bucket(uint32_t seed, unsigned words, unsigned varies, unsigned shift)
{
    enum { ITEMS = 1 << 20 };
    static uint16_t counts[ITEMS];
    double places = 0;
    memset(counts, 0, sizeof(counts));
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t hash = seed;
        for (unsigned word = 0; word < words; word++) {
            uint32_t value = word == varies ? i << shift : 0xfd00;
            const uint8_t bytes[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16),
                                       (uint8_t)(value >> 8), (uint8_t)value };
            memcpy(&value, bytes, sizeof(value));
            hash = hash_mix(hash, value);
        }
        places += ++counts[hash % ITEMS];
    }
    return places / ITEMS;
}

/* Words in network order: neighbouring hosts, and neighbouring networks; of an IPv6 address, each. */
static void neighbours_are_spread(void **state)
{
    (void)state;
    struct generator random = { .state = 5 };
    uint32_t seed = generate_below(&random, UINT32_MAX);
    for (unsigned words = 1; words <= 5; words += 4)
        for (unsigned varies = 0; varies < words; varies++)
            for (unsigned shift = 0; shift <= 12; shift += 12)
                assert_true(place_in_bucket(seed, words, varies, shift) < 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_nothing),
        cmocka_unit_test(behaves_as_a_list_would),
        cmocka_unit_test(neighbours_are_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
