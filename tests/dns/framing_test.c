/* framing_test.c - DNS messages cut out of a stream, however the stream is cut. */
#include "dns/framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Three messages: 12, 700 and 13 bytes, filled with their number. */
static size_t make_stream(uint8_t stream[1024])
{
    static const uint16_t sizes[] = { 12, 700, 13 };
    size_t at = 0;
    for (unsigned i = 0; i < 3; i++) {
        dns_put16(stream + at, sizes[i]);
        memset(stream + at + 2, (int)i + 1, sizes[i]);
        at += 2u + sizes[i];
    }
    return at;
}

/* Hands in at most `piece` bytes a time, the first piece of `first`; returns the messages got. */
static unsigned feed(const uint8_t *stream, size_t size, size_t first, size_t piece)
{
    static const size_t sizes[] = { 12, 700, 13 };
    struct framing framing;
    unsigned count = 0;
    size_t next = first;
    framing_begin(&framing);
    while (size > 0) {
        uint8_t *space;
        size_t room = framing_space(&framing, &space);
        assert_true(room > 0);
        size_t now = next < room ? next : room;
        now = now < size ? now : size;
        memcpy(space, stream, now);
        framing_add(&framing, now);
        stream += now;
        size -= now;
        next = piece;
        const uint8_t *message = NULL;
        size_t length = 0;
        enum framing_verdict verdict;
        while ((verdict = framing_next(&framing, &message, &length)) == FRAMING_MESSAGE) {
            assert_int_equal(length, sizes[count++ % 3]);
            for (size_t i = 0; i < length; i++)
                assert_int_equal(message[i], count);
        }
        assert_int_equal(verdict, FRAMING_MORE);
    }
    assert_true(framing_is_empty(&framing));
    assert_ptr_equal(framing.bytes, framing.own); /* nothing is kept between messages */
    framing_release(&framing);
    return count;
}

static void every_split(void **state)
{
    (void)state;
    uint8_t stream[1024] = { 0 };
    size_t size = make_stream(stream);
    for (size_t split = 1; split <= size; split++)
        assert_int_equal(feed(stream, size, split, size), 3);
    for (size_t piece = 1; piece <= 600; piece++)
        assert_int_equal(feed(stream, size, piece, piece), 3);
}

static void largest(void **state)
{
    (void)state;
    struct framing framing;
    const uint8_t *message;
    uint8_t *space;
    size_t size, total = 0;
    framing_begin(&framing);
    framing_space(&framing, &space);
    dns_put16(space, 65535);
    framing_add(&framing, 2);
    while (framing_next(&framing, &message, &size) == FRAMING_MORE) {
        size_t room = framing_space(&framing, &space);
        assert_true(room > 0 && room <= 65535);
        memset(space, 7, room);
        framing_add(&framing, room);
        total += room;
    }
    assert_int_equal(size, 65535);
    assert_int_equal(total, 65535);
    framing_release(&framing);
}

static void too_short(void **state)
{
    (void)state;
    for (unsigned length = 0; length < DNS_HEADER_SIZE; length++) {
        struct framing framing;
        const uint8_t *message;
        uint8_t *space;
        size_t size;
        framing_begin(&framing);
        framing_space(&framing, &space);
        dns_put16(space, (uint16_t)length);
        framing_add(&framing, 2);
        assert_int_equal(framing_next(&framing, &message, &size), FRAMING_TOO_SHORT);
        framing_release(&framing);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split),
        cmocka_unit_test(largest),
        cmocka_unit_test(too_short),
    };
    return cmocka_run_group_tests_name("framing", tests, NULL, NULL);
}
