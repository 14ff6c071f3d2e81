/* exchange_test.c - messages are counted however the stream is cut. */
#include "dns/exchange.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Three messages: 3, 300 and 0 bytes. */
enum { STREAM_SIZE = 2 + 3 + 2 + 300 + 2 };
static const uint8_t stream[STREAM_SIZE] = { 0, 3, [5] = 1, [6] = 44 };

static void however_it_is_cut(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= STREAM_SIZE; piece++) {
        struct exchange exchange = { 0 };
        for (size_t at = 0; at < STREAM_SIZE; at += piece) {
            size_t size = STREAM_SIZE - at < piece ? STREAM_SIZE - at : piece;
            exchange_pass(&exchange.queries, stream + at, size);
            assert_false(exchange_is_complete(&exchange));
        }
        assert_int_equal(exchange.queries.messages, 3);
        for (size_t at = 0; at < STREAM_SIZE; at++) {
            assert_false(exchange_is_complete(&exchange));
            exchange_pass(&exchange.answers, stream + at, 1);
        }
        assert_true(exchange_is_complete(&exchange));
        exchange_pass(&exchange.queries, stream, 1);
        assert_false(exchange_is_complete(&exchange)); /* half of a length */
        exchange_pass(&exchange.queries, stream + 1, 1);
        assert_false(exchange_is_complete(&exchange));
    }
}

static void nothing_was_asked(void **state)
{
    (void)state;
    struct exchange exchange = { 0 };
    assert_false(exchange_is_complete(&exchange));
    exchange_pass(&exchange.answers, stream, 5);
    assert_false(exchange_is_complete(&exchange));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(however_it_is_cut),
        cmocka_unit_test(nothing_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
