/* reply_test.c - the message around an answer: whom it is given, header, EDNS, cookies, length. */
#include "dns/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"

static const char zone_text[] = "@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\na A 192.0.2.2\n"
                                "big TXT " /* 600 bytes: more than 512, less than 1232 */
#define FIFTY "0123456789012345678901234567890123456789012345678 "
    FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY "\n";

static const struct tcpct_address client = { 4, { 192, 0, 2, 99 } };
static const uint8_t secret[][DNS_COOKIE_SECRET_SIZE] = { { 1 } };
enum { NOW_S = 1800000000 };

static struct dns_zones *zones;
static struct dns_cookies *cookies;

/* The reply, and its text. */
static uint8_t reply[DNS_MESSAGE_SIZE_MAX];
static size_t reply_size;

static const char *reply_by(const struct dns_channel *channel, const uint8_t *query, size_t size)
{
    reply_size = dns_reply(zones, channel, query, size, reply, sizeof reply);
    return case_text(reply, reply_size);
}

static const char *reply_to(const uint8_t *query, size_t size)
{
    return reply_by(&dns_any_stream, query, size);
}

static size_t query_with(uint8_t query[512], const char *name, uint16_t type, const char *options,
                         size_t options_size, uint16_t padded_size)
{
    struct dns_question question = { .name = (const uint8_t *)name,
                                     .id = 0x1234,
                                     .type = type,
                                     .class = DNS_CLASS_IN,
                                     .edns = true,
                                     .padded_size = padded_size,
                                     .options = (const uint8_t *)options,
                                     .options_size = options_size };
    return dns_query_write(query, 512, &question);
}

/* The option of the reply, or NULL; its OPT record is the last. */
static const uint8_t *option(uint16_t code, size_t *size)
{
    size_t at = DNS_HEADER_SIZE;
    while (at + DNS_OPT_SIZE <= reply_size &&
           !(memcmp(reply + at, "\0\0\51\4\320", 5) == 0 &&
             at + DNS_OPT_SIZE + dns_get16(reply + at + 9) == reply_size))
        at++;
    assert_in_range(at, DNS_HEADER_SIZE, reply_size - DNS_OPT_SIZE);
    for (at += DNS_OPT_SIZE; at < reply_size; at += 4u + *size) {
        *size = dns_get16(reply + at + 2);
        if (dns_get16(reply + at) == code)
            return reply + at + 4;
    }
    return NULL;
}

/* ---- flags and rcodes ------------------------------------------------------------------------ */

static void flags(void **state)
{
    (void)state;
    expect_answer(zones, "a.x. A", CASE_EDNS, "NOERROR aa edns, an a.x. A 192.0.2.2");
    expect_answer(zones, "a.x. A", CASE_DO, "NOERROR aa edns do, an a.x. A 192.0.2.2");
    expect_answer(zones, "a.x. A", CASE_CD, "NOERROR aa, an a.x. A 192.0.2.2");
    expect_answer(zones, "a.x. A", CASE_CD | CASE_DO | CASE_RD,
                  "NOERROR aa rd cd edns do, an a.x. A 192.0.2.2");
}

static void odd_messages(void **state)
{
    (void)state;
    uint8_t query[512];
    size_t size = case_query(query, "a.x. A", CASE_EDNS);
    query[size - 5] = 1; /* EDNS version 1 */
    assert_string_equal(reply_to(query, size), "RCODE16 edns");
    query[size - 1] = 3; /* and what it may put into its record */
    memcpy(query + size, "abc", 3);
    assert_string_equal(reply_to(query, size + 3), "RCODE16 edns");
    query[size - 1] = 0;
    query[size - 5] = 0;
    query[size - 4] = 0x7f; /* unknown flags */
    assert_string_equal(reply_to(query, size), "NOERROR aa edns, an a.x. A 192.0.2.2");
    query[size - 1] = 6; /* an unknown option, cut off or whole */
    assert_string_equal(reply_to(query, size), "FORMERR");
    memcpy(query + size, "\377\360\0\2ab", 6);
    assert_string_equal(reply_to(query, size + 6), "NOERROR aa edns, an a.x. A 192.0.2.2");
    assert_string_equal(reply_to(query, size + 20), "NOERROR aa edns, an a.x. A 192.0.2.2");
    query[size + 3] = 9; /* its length leaves the record */
    assert_string_equal(reply_to(query, size + 6), "FORMERR edns");

    size = case_query(query, "a.x. A", CASE_RD);
    query[size - 1] = 4; /* class HS */
    assert_string_equal(reply_to(query, size), "REFUSED rd");
    query[size - 1] = 1;
    query[5] = 0;
    assert_string_equal(reply_to(query, size), "FORMERR");
    query[5] = 2;
    assert_string_equal(reply_to(query, size), "FORMERR");
    query[5] = 1;
    for (unsigned opcode = 1; opcode < 16; opcode++) {
        query[2] = (uint8_t)(opcode << 3 | 1); /* with RD */
        assert_string_equal(reply_to(query, size), "NOTIMPL");
        assert_int_equal(dns_get16(reply + 2), 0x8000 | opcode << 11 | 4);
    }
    query[2] = 0x80;
    assert_string_equal(reply_to(query, size), "nothing");
    query[2] = 0;
    assert_string_equal(reply_to(query, 11), "nothing");
    assert_string_equal(reply_to(query, 12), "FORMERR");
}

/* RFC 8914: whoever understands EDNS is told why. */
static void extended_errors(void **state)
{
    (void)state;
    static const struct {
        const char *question;
        uint16_t class;
        int error;
    } cases[] = {
        { "a.y. A", 1, EDNS_ERROR_NOT_AUTHORITATIVE },
        { "x. AXFR", 1, EDNS_ERROR_PROHIBITED },
        { "x. IXFR", 1, EDNS_ERROR_PROHIBITED },
        { "a.x. A", 4, EDNS_ERROR_NOT_SUPPORTED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t query[512];
        size_t size = case_query(query, cases[i].question, CASE_EDNS), length;
        dns_put16(query + size - DNS_OPT_SIZE - 2, cases[i].class);
        assert_string_equal(reply_to(query, size), "REFUSED edns");
        const uint8_t *error = option(EDNS_EXTENDED_ERROR, &length);
        assert_non_null(error);
        assert_int_equal(length, 2);
        assert_int_equal(dns_get16(error), cases[i].error);
    }
}

/* ---- options ---------------------------------------------------------------------------------- */

/* Told over streams only, and only if asked for (RFC 7828, 3.3). */
static void keepalive(void **state)
{
    (void)state;
    uint8_t query[512];
    size_t length, size = query_with(query, "\1a\1x", DNS_A, "\0\13\0\0", 4, 0);
    struct dns_channel channel = { .keepalive = 100 };
    reply_by(&channel, query, size);
    const uint8_t *timeout = option(EDNS_KEEPALIVE, &length);
    assert_non_null(timeout);
    assert_int_equal(length, 2);
    assert_int_equal(dns_get16(timeout), 100);
    channel.transport = DNS_DATAGRAM;
    reply_by(&channel, query, size);
    assert_null(option(EDNS_KEEPALIVE, &length));
    channel.transport = DNS_STREAM;
    size = query_with(query, "\1a\1x", DNS_A, NULL, 0, 0);
    reply_by(&channel, query, size);
    assert_null(option(EDNS_KEEPALIVE, &length));
}

static void padding(void **state)
{
    (void)state;
    uint8_t query[512];
    struct dns_channel channel = { .pads = true };
    size_t size = query_with(query, "\1a\1x", DNS_A, NULL, 0, 128);
    reply_by(&channel, query, size);
    assert_int_equal(reply_size, 468);
    size = query_with(query, "\3big\1x", DNS_TXT, NULL, 0, 128);
    reply_by(&channel, query, size);
    assert_int_equal(reply_size, 2 * 468);
    size = query_with(query, "\3big\1x", DNS_TXT, NULL, 0, 0);
    reply_by(&channel, query, size);
    assert_in_range(reply_size, 600, 700);
    channel.pads = false;
    size = query_with(query, "\1a\1x", DNS_A, NULL, 0, 128);
    reply_by(&channel, query, size);
    assert_in_range(reply_size, 30, 100);
}

/* ---- cookies ------------------------------------------------------------------------------------ */

static struct dns_channel cookie_channel(bool required)
{
    return (struct dns_channel){ .transport = DNS_DATAGRAM,
                                 .cookies = cookies,
                                 .client = &client,
                                 .now_s = NOW_S,
                                 .cookies_required = required };
}

/* A query for `name` with a cookie option: of the client only, or with the last reply's. */
static size_t query_with_cookie(uint8_t query[512], const char *name, bool learned)
{
    char options[4 + EDNS_COOKIE_SIZE] = "\0\12\0\10abcdefgh";
    size_t length = 8;
    if (learned) {
        memcpy(options + 4, option(EDNS_COOKIE, &length), EDNS_COOKIE_SIZE);
        options[3] = (char)length;
    }
    return query_with(query, name, DNS_A, options, 4 + length, 0);
}

static void cookie_is_given(void **state)
{
    (void)state;
    uint8_t query[512];
    size_t length;
    struct dns_channel channel = cookie_channel(false);
    reply_by(&channel, query, query_with_cookie(query, "\1a\1x", false));
    assert_int_equal(reply[3] & 15, DNS_NOERROR);
    const uint8_t *cookie = option(EDNS_COOKIE, &length);
    assert_non_null(cookie);
    assert_int_equal(length, EDNS_COOKIE_SIZE);
    assert_memory_equal(cookie, "abcdefgh\1\0\0\0", 12);
    channel.cookies = NULL;
    reply_by(&channel, query, query_with_cookie(query, "\1a\1x", false));
    assert_null(option(EDNS_COOKIE, &length));
}

static void cookie_is_required(void **state)
{
    (void)state;
    uint8_t query[512];
    struct dns_channel channel = cookie_channel(true);
    static const char answer[] = "NOERROR aa edns, an a.x. A 192.0.2.2";
    size_t size = query_with_cookie(query, "\1a\1x", false);
    assert_string_equal(reply_by(&channel, query, size), "RCODE23 edns");
    size = query_with_cookie(query, "\1a\1x", true);
    assert_string_equal(reply_by(&channel, query, size), answer);
    size = query_with_cookie(query, "\1a\1x", true); /* the one that came with the answer */
    query[size - 1] ^= 1;
    assert_string_equal(reply_by(&channel, query, size), "RCODE23 edns");
    size = case_query(query, "a.x. A", CASE_EDNS);
    assert_string_equal(reply_by(&channel, query, size), "NOERROR tc edns");
    size = case_query(query, "a.x. A", 0);
    assert_string_equal(reply_by(&channel, query, size), "NOERROR tc");
    channel.transport = DNS_STREAM; /* proves the address better */
    assert_string_equal(reply_by(&channel, query, size), "NOERROR aa, an a.x. A 192.0.2.2");
    size = query_with_cookie(query, "\1a\1x", false);
    assert_string_equal(reply_by(&channel, query, size), answer);
}

/* Beyond the limit: a cookie to whoever knows cookies, TC to who does not, or nothing; all is answered
 * that has a good cookie, and over streams (RFC 7873, 5.2.3). */
static void limited(void **state)
{
    (void)state;
    static const char answer[] = "NOERROR aa edns, an a.x. A 192.0.2.2";
    const struct rate_limit_options options = { .rate = 1, .slip = 2, .entries = 4 };
    uint8_t query[512], known[512];
    struct dns_channel channel = cookie_channel(false);
    struct rate_limit *limit = rate_limit_create(&options, secret[0]);
    channel.rate_limit = limit;
    size_t size = query_with_cookie(query, "\1a\1x", false);
    assert_string_equal(reply_by(&channel, query, size), answer);
    assert_string_equal(reply_by(&channel, query, size), "RCODE23 edns");
    size_t known_size = query_with_cookie(known, "\1a\1x", true);
    assert_string_equal(reply_by(&channel, query, size), "nothing");
    for (unsigned i = 0; i < 10; i++)
        assert_string_equal(reply_by(&channel, known, known_size), answer);
    assert_int_equal(rate_limit_counters(limit)->passed, 1);
    size = case_query(query, "a.x. A", CASE_EDNS);
    assert_string_equal(reply_by(&channel, query, size), "NOERROR tc edns");
    assert_string_equal(reply_by(&channel, query, size), "nothing");
    query[2] = 0x28; /* UPDATE */
    assert_string_equal(reply_by(&channel, query, size), "NOTIMPL");
    assert_string_equal(reply_by(&channel, query, size), "nothing");
    query[2] = 0;
    channel.transport = DNS_STREAM;
    assert_string_equal(reply_by(&channel, query, size), answer);
    channel.transport = DNS_DATAGRAM;
    channel.now_us = 1000000;
    assert_string_equal(reply_by(&channel, query, size), answer);
    rate_limit_destroy(limit);
}

/* A query for nothing but a cookie (RFC 7873, 5.4). */
static void cookie_only(void **state)
{
    (void)state;
    uint8_t query[512], empty[512];
    struct dns_channel channel = cookie_channel(false);
    for (unsigned i = 0; i < 3; i++) {
        size_t size = query_with_cookie(query, "", i > 0);
        memcpy(empty, query, DNS_HEADER_SIZE);
        memcpy(empty + DNS_HEADER_SIZE, query + DNS_HEADER_SIZE + 5, size - DNS_HEADER_SIZE - 5);
        empty[5] = 0;
        if (i == 2)
            empty[size - 5 - 1] ^= 1;
        assert_string_equal(reply_by(&channel, empty, size - 5),
                            i < 2 ? "NOERROR edns" : "RCODE23 edns");
        assert_int_equal(dns_get16(reply + 4), 0);
    }
    channel.cookies = NULL;
    size_t size = query_with_cookie(query, "", true);
    memmove(query + DNS_HEADER_SIZE, query + DNS_HEADER_SIZE + 5, size - DNS_HEADER_SIZE - 5);
    query[5] = 0;
    assert_string_equal(reply_by(&channel, query, size - 5), "FORMERR edns");
}

/* ---- length ------------------------------------------------------------------------------------- */

/* The least of what the client takes, what is configured and the room there is. */
static void datagrams(void **state)
{
    (void)state;
    uint8_t query[512];
    struct dns_channel channel = { .transport = DNS_DATAGRAM };
    size_t size = case_query(query, "big.x. TXT", 0);
    assert_string_equal(reply_by(&channel, query, size), "NOERROR aa tc");
    size = case_query(query, "big.x. TXT", CASE_EDNS);
    assert_memory_equal(reply_by(&channel, query, size), "NOERROR aa edns, an big.x. TXT", 30);
    size_t whole = reply_size;
    channel.udp_size = (uint16_t)whole;
    reply_by(&channel, query, size);
    assert_int_equal(reply_size, whole);
    channel.udp_size = (uint16_t)(whole - 1);
    assert_string_equal(reply_by(&channel, query, size), "NOERROR aa tc edns");
    channel.udp_size = 4096;
    dns_put16(query + size - DNS_OPT_SIZE + 3, (uint16_t)(whole - 1));
    assert_string_equal(reply_by(&channel, query, size), "NOERROR aa tc edns");
    dns_put16(query + size - DNS_OPT_SIZE + 3, 100); /* then 512 is meant (RFC 6891, 6.2.3) */
    assert_string_equal(reply_by(&channel, query, size), "NOERROR aa tc edns");
    size = case_query(query, "a.x. A", CASE_EDNS);
    dns_put16(query + size - DNS_OPT_SIZE + 3, 0);
    assert_string_equal(reply_by(&channel, query, size), "NOERROR aa edns, an a.x. A 192.0.2.2");
}

static int setup(void **state)
{
    (void)state;
    zones = case_zones(zone_text, "x");
    cookies = dns_cookies_create(secret, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dns_zones_free(zones);
    dns_cookies_destroy(cookies);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags),
        cmocka_unit_test(odd_messages),
        cmocka_unit_test(extended_errors),
        cmocka_unit_test(keepalive),
        cmocka_unit_test(padding),
        cmocka_unit_test(cookie_is_given),
        cmocka_unit_test(cookie_is_required),
        cmocka_unit_test(limited),
        cmocka_unit_test(cookie_only),
        cmocka_unit_test(datagrams),
    };
    return cmocka_run_group_tests_name("reply", tests, setup, teardown);
}
