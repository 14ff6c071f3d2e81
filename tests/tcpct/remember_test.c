/* remember_test.c - the table of what stays: found by endpoints, bounded in all and for each pair of
 * addresses, the longest unused gives way, and small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/remember.h"
#include "tests/tcpct/generate.h"

static void *take(void *context, size_t size)
{
    *(size_t *)context += size;
    return malloc(size);
}

static void give(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static struct remember_key key(uint8_t family, unsigned host, unsigned port)
{
    struct remember_key made = { .remote = { .family = family },
                                 .local_port = 53,
                                 .remote_port = (uint16_t)(50000 + port) };
    made.remote.bytes[0] = 10;
    made.remote.bytes[2] = (uint8_t)(host >> 8);
    made.remote.bytes[family == 4 ? 3 : 15] = (uint8_t)host;
    return made;
}

static void begin(struct remember_table *table, struct memory *memory, size_t *bytes,
                  uint8_t family, unsigned with, uint32_t limit)
{
    *bytes = 0;
    *memory = (struct memory){ .allocate = take, .release = give, .context = bytes };
    assert_true(remember_create(table, memory, family, with, limit, 7));
}

/* With its share of the index, which is filled to the last entry. */
static void is_small(void **state)
{
    (void)state;
    const struct {
        uint8_t family;
        unsigned with;
        size_t most;
    } kinds[] = {
        { 4, 0, 64 }, { 4, REMEMBER_PAIR, 128 }, { 4, REMEMBER_PAIR | REMEMBER_SEAL, 192 },
        { 6, 0, 96 }, { 6, REMEMBER_PAIR, 160 }, { 6, REMEMBER_PAIR | REMEMBER_SEAL, 224 }
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct remember_table table;
        struct memory memory;
        size_t bytes;
        begin(&table, &memory, &bytes, kinds[i].family, kinds[i].with, 65536);
        assert_in_range((bytes - 1) / 65536, 40, kinds[i].most);
        remember_destroy(&table, &memory);
    }
}

static void nothing_is_remembered_without_room(void **state)
{
    (void)state;
    struct remember_table table;
    struct memory memory;
    size_t bytes;
    begin(&table, &memory, &bytes, 4, false, 0);
    struct remember_key a = key(4, 1, 1);
    assert_null(remember_use(&table, &a));
    assert_null(remember_find(&table, &a));
    assert_null(remember_first(&table, &a));
    remember_destroy(&table, &memory);
}

static void longest_unused_gives_way(void **state)
{
    (void)state;
    struct remember_table table;
    struct memory memory;
    size_t bytes;
    begin(&table, &memory, &bytes, 6, true, 3);
    struct remember_key a = key(6, 1, 1), b = key(6, 2, 1), c = key(6, 3, 1), d = key(6, 4, 1);
    remember_use(&table, &a)->timestamp = 1;
    remember_use(&table, &b)->timestamp = 2;
    remember_use(&table, &c)->timestamp = 3;
    assert_int_equal(remember_use(&table, &a)->timestamp, 1);
    assert_int_equal(remember_use(&table, &d)->timestamp, 0);
    assert_null(remember_find(&table, &b));
    remember_forget(&table, remember_find(&table, &a));
    assert_null(remember_find(&table, &a));
    assert_int_equal(remember_use(&table, &b)->timestamp, 0); /* in the place of a */
    assert_int_equal(remember_find(&table, &c)->timestamp, 3);
    remember_flush(&table);
    assert_null(remember_find(&table, &c));
    assert_null(remember_find(&table, &d));
    remember_destroy(&table, &memory);
}

static void one_address_cannot_push_out_the_others(void **state)
{
    (void)state;
    struct remember_table table;
    struct memory memory;
    size_t bytes;
    begin(&table, &memory, &bytes, 4, false, REMEMBER_PER_ADDRESS + 2);
    struct remember_key other = key(4, 99, 1);
    assert_non_null(remember_use(&table, &other));
    for (unsigned i = 0; i < 1000; i++) {
        struct remember_key one = key(4, 1, i);
        assert_non_null(remember_use(&table, &one));
    }
    assert_non_null(remember_find(&table, &other));
    struct remember_key last = key(4, 1, 999);
    unsigned count = 0;
    for (struct remembered *i = remember_first(&table, &last); i; i = remember_next(&table, i))
        assert_int_equal(i->remote_port, 50999 - count++);
    assert_int_equal(count, REMEMBER_PER_ADDRESS);
    remember_destroy(&table, &memory);
}

/* Against a plain list: random use, look-up and forgetting. */
enum { HOSTS = 40, PORTS = 4, LIMIT = 50, STEPS = 20000 };

static void behaves_as_a_list_would(void **state)
{
    (void)state;
    struct remember_table table;
    struct memory memory;
    size_t bytes;
    struct generator random;
    uint32_t used_at[HOSTS][PORTS] = { { 0 } };
    unsigned count = 0;
    random = (struct generator){ .state = 11 };
    begin(&table, &memory, &bytes, 4, true, LIMIT);
    for (uint32_t step = 1; step <= STEPS; step++) {
        unsigned host = generate_below(&random, HOSTS), port = generate_below(&random, PORTS);
        struct remember_key chosen = key(4, host, port);
        struct remembered *entry = remember_find(&table, &chosen);
        assert_int_equal(entry != NULL, used_at[host][port] != 0);
        if (entry) {
            assert_int_equal(entry->timestamp, host * PORTS + port);
            assert_int_equal(remember_pair(&table, entry)->iss, host);
        }
        if (entry && generate_below(&random, 4) == 0) {
            remember_forget(&table, entry);
            used_at[host][port] = 0;
            count--;
            continue;
        }
        if (!entry && count == LIMIT) {
            uint32_t *oldest = NULL;
            for (uint32_t *i = used_at[0]; i < used_at[0] + sizeof(used_at) / sizeof(*i); i++)
                if (*i && (!oldest || *i < *oldest))
                    oldest = i;
            assert_non_null(oldest);
            *oldest = 0;
            count--;
        }
        count += entry == NULL;
        entry = remember_use(&table, &chosen);
        entry->timestamp = host * PORTS + port;
        remember_pair(&table, entry)->iss = host;
        used_at[host][port] = step;
    }
    remember_destroy(&table, &memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_small),
        cmocka_unit_test(nothing_is_remembered_without_room),
        cmocka_unit_test(longest_unused_gives_way),
        cmocka_unit_test(one_address_cannot_push_out_the_others),
        cmocka_unit_test(behaves_as_a_list_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
