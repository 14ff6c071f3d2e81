/* edns_test.c - the options of queries, and the OPT records of replies. */
#include "dns/edns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TAKE(query, text) take(query, text, sizeof(text) - 1)

static bool take(struct dns_query *query, const char *options, size_t size)
{
    *query = (struct dns_query){ 0 };
    uint8_t *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, options, size);
    bool good = edns_take_options(query, copy, size);
    free(copy); /* the sanitizer sees what is read beyond */
    return good;
}

static void known_options(void **state)
{
    (void)state;
    struct dns_query query;
    assert_true(TAKE(&query, ""));
    assert_null(query.cookie);
    assert_true(TAKE(&query, "\0\13\0\0"));
    assert_true(query.keepalive);
    assert_true(TAKE(&query, "\0\13\0\2\1\0")); /* with a timeout, which it ought not to have */
    assert_true(query.keepalive);
    assert_true(TAKE(&query, "\0\14\0\3\0\0\0"));
    assert_true(query.padded);
    assert_true(TAKE(&query, "\377\376\0\1x\0\12\0\10abcdefgh\0\3\0\0"));
    assert_int_equal(query.cookie_size, 8);
    assert_false(query.keepalive || query.padded);
}

/* Lengths: 8, or 16 to 40 (RFC 7873, 5.2.2). */
static void cookie_lengths(void **state)
{
    (void)state;
    struct dns_query query;
    char option[400] = "\0\12";
    for (size_t size = 0; size < 300; size++) {
        dns_put16((uint8_t *)option + 2, (uint16_t)size);
        bool good = take(&query, option, size + 4);
        assert_int_equal(good, size == 8 || (size >= 16 && size <= 40));
        assert_int_equal(query.cookie_size, good ? size : 0);
    }
}

/* "Only the first (the one closest to the DNS header) is considered" (RFC 7873, 5.2). */
static void first_cookie(void **state)
{
    (void)state;
    struct dns_query query;
    static const uint8_t two[] = "\0\12\0\10abcdefgh\0\12\0\1x";
    query = (struct dns_query){ 0 };
    assert_true(edns_take_options(&query, two, sizeof two - 1));
    assert_ptr_equal(query.cookie, two + 4);
    assert_int_equal(query.cookie_size, 8);
}

static void cut_options(void **state)
{
    (void)state;
    struct dns_query query;
    static const char options[] = "\0\13\0\0\0\14\0\3abc\377\1\0\2de";
    for (size_t size = 0; size < sizeof options; size++)
        assert_int_equal(take(&query, options, size),
                         size == 0 || size == 4 || size == 11 || size == 17);
}

/* ---- replies -------------------------------------------------------------------------------- */

static void bare(void **state)
{
    (void)state;
    uint8_t message[64];
    struct edns_reply reply = { .error = EDNS_ERROR_NONE, .rcode = DNS_BADVERS, .dnssec_ok = true };
    assert_int_equal(edns_reply_size(&reply), 11);
    assert_int_equal(edns_reply_write(&reply, message, 20, sizeof message), 31);
    assert_memory_equal(message + 20, "\0\0\51\4\320\1\0\200\0\0\0", 11);
}

static void options(void **state)
{
    (void)state;
    uint8_t message[64];
    struct edns_reply reply = { .error = EDNS_ERROR_NOT_AUTHORITATIVE,
                                .has_cookie = true,
                                .has_keepalive = true,
                                .keepalive = 0x1234 };
    memcpy(reply.cookie, "abcdefghijklmnopqrstuvwx", EDNS_COOKIE_SIZE);
    assert_int_equal(edns_reply_size(&reply), 11 + 28 + 6 + 6);
    assert_int_equal(edns_reply_write(&reply, message, 0, sizeof message), 11 + 28 + 6 + 6);
    assert_memory_equal(message + 9,
                        "\0\50\0\12\0\30abcdefghijklmnopqrstuvwx\0\13\0\2\x12\x34\0\17\0\2\0\24",
                        2 + 28 + 6 + 6);
}

/* To a multiple of the block, or as far as there is room (RFC 8467, 4.1; RFC 7830, 4). */
static void padding(void **state)
{
    (void)state;
    static uint8_t message[2048];
    struct edns_reply reply = { .error = EDNS_ERROR_NONE, .padded_to = EDNS_PADDING_BLOCK };
    for (size_t at = 12; at < 1000; at++) {
        memset(message, 0xff, sizeof message);
        size_t size = edns_reply_write(&reply, message, at, sizeof message);
        assert_int_equal(size, (at + 15 + 467) / 468 * 468);
        assert_int_equal(dns_get16(message + at + 9), size - at - 11);
        assert_int_equal(dns_get16(message + at + 11), EDNS_PADDING);
        for (size_t i = at + 15; i < size; i++)
            assert_int_equal(message[i], 0);
    }
    assert_int_equal(edns_reply_write(&reply, message, 100, 300), 300);
    assert_int_equal(edns_reply_write(&reply, message, 100, 115), 115);
    assert_int_equal(edns_reply_write(&reply, message, 100, 114), 111);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_options), cmocka_unit_test(cookie_lengths),
        cmocka_unit_test(first_cookie),  cmocka_unit_test(cut_options),
        cmocka_unit_test(bare),          cmocka_unit_test(options),
        cmocka_unit_test(padding),
    };
    return cmocka_run_group_tests_name("edns", tests, NULL, NULL);
}
