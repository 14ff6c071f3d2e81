/* chaos_test.c - what a server says of itself: class CH (RFC 4892) and NSID (RFC 5001). */
#include "dns/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"

static struct dns_zones *zones;
static uint8_t reply[DNS_MESSAGE_SIZE_MAX];
static size_t reply_size;
static struct dns_channel channel;

static const char *ask(const char *question, unsigned flags, size_t room)
{
    uint8_t query[512];
    size_t size = case_query(query, question, flags);
    dns_put16(query + size - (flags & CASE_EDNS ? DNS_OPT_SIZE : 0) - 2, DNS_CLASS_CH);
    reply_size = dns_reply(zones, &channel, query, size, reply, room);
    return case_text(reply, reply_size);
}
#define expect(question, expected) assert_string_equal(ask(question, 0, sizeof reply), expected)

static void nothing_is_told(void **state)
{
    (void)state;
    channel = (struct dns_channel){ 0 };
    expect("version.bind. TXT", "REFUSED");
    expect("id.server. TXT", "REFUSED");
    channel.texts.version = "one";
    expect("id.server. TXT", "REFUSED");
    expect("hostname.bind. TXT", "REFUSED");
    channel.texts = (struct chaos_texts){ .identity = "two" };
    expect("version.server. TXT", "REFUSED");
}

static void told(void **state)
{
    (void)state;
    channel = (struct dns_channel){ .texts = { "one 1.0", "two" } };
    expect("version.bind. TXT", "NOERROR, an version.bind. TXT \"one 1.0\"");
    expect("Version.Server. TXT", "NOERROR, an Version.Server. TXT \"one 1.0\"");
    expect("hostname.bind. TXT", "NOERROR, an hostname.bind. TXT \"two\"");
    expect("id.server. ANY", "NOERROR, an id.server. TXT \"two\"");
    assert_int_equal(dns_get16(reply + reply_size - 12), DNS_CLASS_CH);
    assert_int_equal(dns_get32(reply + reply_size - 10), 0); /* its TTL */
    expect("id.server. A", "REFUSED");
    expect("ns.x. A", "REFUSED");
    expect("a.version.bind. TXT", "REFUSED");
    expect("version.binds. TXT", "REFUSED");
    uint8_t query[512]; /* and not in class IN */
    size_t size = case_query(query, "version.bind. TXT", 0);
    size = dns_reply(zones, &channel, query, size, reply, sizeof reply);
    assert_string_equal(case_text(reply, size), "REFUSED");
}

/* A <SYN,ACK(SYN)> that is too small is not sent at all. */
static void room(void **state)
{
    (void)state;
    channel = (struct dns_channel){ .texts = { "one 1.0", NULL } };
    ask("version.bind. TXT", CASE_EDNS, sizeof reply);
    size_t whole = reply_size;
    assert_memory_equal(ask("version.bind. TXT", CASE_EDNS, whole), "NOERROR edns, an", 16);
    for (size_t size = 0; size < whole; size++)
        assert_string_equal(ask("version.bind. TXT", CASE_EDNS, size), "nothing");
}

/* Over each transport to whoever asks, in any class, and even in an error (RFC 5001, 2.2). */
static void nsid(void **state)
{
    (void)state;
    static const uint8_t asked[] = { 0, EDNS_NSID, 0, 0 }, told_[] = "\0\3\0\3two";
    uint8_t query[512];
    struct dns_question question = {
        .name = (const uint8_t *)"\2ns\1x", .type = DNS_A, .class = DNS_CLASS_IN, .edns = true
    };
    for (unsigned i = 0; i < 16; i++) {
        question.options = asked;
        question.options_size = i & 1 ? sizeof asked : 0;
        question.class = i & 2 ? 4 : DNS_CLASS_IN;
        channel = (struct dns_channel){ .transport = i & 4 ? DNS_DATAGRAM : DNS_STREAM };
        channel.texts.identity = i & 8 ? "two" : NULL;
        size_t size = dns_query_write(query, sizeof query, &question);
        size = dns_reply(zones, &channel, query, size, reply, sizeof reply);
        assert_true(size > 0);
        bool found = memmem(reply, size, told_, sizeof told_ - 1);
        assert_int_equal(found, (i & 9) == 9);
        assert_memory_equal(case_text(reply, size), i & 2 ? "REFUSED edns" : "NOERROR aa edns", 12);
    }
}

/* A reply of 512 bytes holds the longest of all. */
static void longest(void **state)
{
    (void)state;
    static const char text[] = "0123456789012345678901234567890123456789012345678901234567890123";
    static const uint8_t asked[] = "\0\3\0\0\0\13\0\0\0\12\0\10abcdefgh";
    static const uint8_t secret[][DNS_COOKIE_SECRET_SIZE] = { { 1 } };
    static const struct tcpct_address client = { 4, { 192, 0, 2, 99 } };
    uint8_t name[NAME_SIZE_MAX], query[512];
    for (unsigned i = 0; i < NAME_SIZE_MAX - 1; i++)
        name[i] = i % 2 ? 'a' : 1;
    name[NAME_SIZE_MAX - 1] = 0;
    struct dns_cookies *cookies = dns_cookies_create(secret, 1);
    channel =
        (struct dns_channel){ .transport = DNS_DATAGRAM,
                              .cookies = cookies,
                              .client = &client,
                              .texts = { .identity = text + sizeof text - 1 - CHAOS_TEXT_MAX } };
    struct dns_question question = { .name = name,
                                     .type = DNS_A,
                                     .class = 4,
                                     .edns = true,
                                     .options = asked,
                                     .options_size = sizeof asked - 1 };
    size_t size = dns_query_write(query, sizeof query, &question);
    size = dns_reply(zones, &channel, query, size, reply, 512);
    assert_string_equal(case_text(reply, size), "REFUSED edns");
    dns_cookies_destroy(cookies);
}

static int setup(void **state)
{
    (void)state;
    zones = case_zones("@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n", "x");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dns_zones_free(zones);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_told),
        cmocka_unit_test(told),
        cmocka_unit_test(room),
        cmocka_unit_test(nsid),
        cmocka_unit_test(longest),
    };
    return cmocka_run_group_tests_name("chaos", tests, setup, teardown);
}
