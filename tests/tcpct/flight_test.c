/* flight_test.c - the records of what is outstanding, and the sums over them. */
#include "tcpct/flight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

/* The invariant of flight.h, and that records follow each other without a gap. */
static void check(const struct flight *flight, uint32_t una, uint32_t nxt)
{
    uint32_t in_flight = 0, lost = 0, sacked = 0, seq = una;
    for (uint32_t i = 0; i < flight->count; i++) {
        const struct sent *sent = flight_at(flight, i);
        assert_int_equal(sent->seq, seq);
        seq = sent->end;
        assert_false((sent->flags & SENT_SACKED) && (sent->flags & SENT_LOST));
        uint32_t *sum = sent->flags & SENT_SACKED ? &sacked
                        : sent->flags & SENT_LOST ? &lost
                                                  : &in_flight;
        *sum += sent->end - sent->seq;
    }
    assert_int_equal(seq, nxt);
    assert_int_equal(flight->in_flight, in_flight);
    assert_int_equal(flight->lost, lost);
    assert_int_equal(flight->sacked, sacked);
}

static void random_step(struct flight *flight, struct memory *memory, struct generator *generator,
                        uint32_t *una, uint32_t *nxt)
{
    uint32_t size = 1 + generate_below(generator, 1460);
    uint32_t index = flight->count ? generate_below(generator, flight->count) : 0;
    if (flight->count && generate_below(generator, 8) == 0)
        assert_true(flight_reserve(flight, memory));
    struct sent *sent = flight->count ? flight_at(flight, index) : NULL;
    unsigned what = generate_below(generator, 8);
    if (what < 3 || !sent) {
        assert_true(flight_reserve(flight, memory));
        flight_add(flight, *nxt, *nxt + size, *nxt);
        *nxt += size;
    } else if (what == 3 && sent->end - sent->seq > 1 && flight->count < flight->capacity) {
        assert_true(flight_split(
            flight, index, sent->seq + 1 + generate_below(generator, sent->end - sent->seq - 1)));
    } else if (what == 4 && !(sent->flags & SENT_SACKED)) {
        flight_mark_lost(flight, index);
    } else if (what == 5) {
        flight_mark_sacked(flight, index);
    } else if (what == 6 && (sent->flags & SENT_LOST)) {
        flight_resent(flight, index, *nxt);
        assert_true(sent->flags & SENT_RETRANSMITTED);
    } else if (what == 7 && flight_at(flight, 0)->end - *una > 1 && size % 2) {
        flight_trim(flight, ++*una);
    } else if (what == 7) {
        *una = flight_at(flight, 0)->end;
        flight_pop(flight);
    }
}

static void test_sums(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct generator generator = { seed };
        struct memory memory = memory_of(1 << 22);
        struct flight flight = { 0 };
        uint32_t una = 0xffff0000u, nxt = una;
        for (unsigned i = 0; i < 600; i++) {
            random_step(&flight, &memory, &generator, &una, &nxt);
            check(&flight, una, nxt);
        }
        flight_clear(&flight);
        assert_int_equal(flight.count + flight.in_flight + flight.lost + flight.sacked, 0);
        flight_free(&flight, &memory);
        assert_int_equal(memory.used, 0);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    struct memory memory = memory_of(0);
    struct flight flight = { 0 };
    uint32_t seq = 0;
    while (flight_reserve(&flight, &memory)) {
        flight_add(&flight, seq, seq + 10, 1);
        seq += 10;
        assert_true(flight.count < 1000);
    }
    check(&flight, 0, seq);
    while (flight.count < flight.capacity)
        assert_true(flight_split(&flight, 0, flight_at(&flight, 0)->seq + 1));
    assert_false(flight_split(&flight, flight.count - 1, seq - 1));
    check(&flight, 0, seq);
    flight_free(&flight, &memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
