/* message_test.c - queries parsed and written. */
#include "dns/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t name[] = "\3wWw\7Example";

static size_t write_query(uint8_t *message, bool edns, uint16_t padded_size)
{
    struct dns_question question = {
        .name = name,
        .id = 0xabcd,
        .flags = DNS_FLAG_RD,
        .type = DNS_AAAA,
        .class = 1,
        .edns = edns,
        .dnssec_ok = edns,
        .padded_size = padded_size,
    };
    return dns_query_write(message, 512, &question);
}

static void written_and_parsed(void **state)
{
    (void)state;
    uint8_t message[512];
    struct dns_query query;
    size_t size = write_query(message, false, 0);
    assert_int_equal(size, 12 + 13 + 4);
    assert_int_equal(dns_query_parse(&query, message, size), DNS_QUERY_GOOD);
    assert_int_equal(query.id, 0xabcd);
    assert_int_equal(query.flags, DNS_FLAG_RD);
    assert_int_equal(query.type, DNS_AAAA);
    assert_int_equal(query.class, 1);
    assert_int_equal(query.name_size, 13);
    assert_int_equal(query.labels, 2);
    assert_int_equal(query.label_at[1], 4);
    assert_int_equal(query.label_at[2], 12);
    assert_memory_equal(query.lower, "\3www\7example", 13);
    assert_false(query.edns);
    assert_int_equal(query.udp_size, 512);
}

static void edns(void **state)
{
    (void)state;
    uint8_t message[512];
    struct dns_query query;
    size_t size = write_query(message, true, 0);
    assert_int_equal(dns_query_parse(&query, message, size), DNS_QUERY_GOOD);
    assert_true(query.edns);
    assert_true(query.dnssec_ok);
    assert_int_equal(query.udp_size, 1232);
    message[size - 5] = 7; /* version */
    dns_put16(message + size - 8, 100);
    assert_int_equal(dns_query_parse(&query, message, size), DNS_QUERY_GOOD);
    assert_int_equal(query.edns_version, 7);
    assert_int_equal(query.udp_size, 512); /* RFC 6891, 6.2.3 */
}

static void padding(void **state)
{
    (void)state;
    uint8_t message[512];
    struct dns_query query;
    assert_int_equal(write_query(message, true, 468), 468);
    assert_int_equal(dns_query_parse(&query, message, 468), DNS_QUERY_GOOD);
    assert_true(query.dnssec_ok);
    assert_int_equal(write_query(message, true, 44), 44); /* an empty option */
    assert_int_equal(write_query(message, true, 43), 40); /* no room for one */
    assert_int_equal(write_query(message, true, 513), 0);
}

/* Every prefix of a query is refused, and none is read past its end. */
static void truncated(void **state)
{
    (void)state;
    uint8_t message[512];
    struct dns_query query;
    size_t size = write_query(message, true, 100);
    for (size_t i = 0; i < size; i++) {
        uint8_t *copy = malloc(i > 0 ? i : 1);
        memcpy(copy, message, i);
        assert_int_equal(dns_query_parse(&query, copy, i),
                         i < DNS_HEADER_SIZE ? DNS_QUERY_DROPPED : DNS_QUERY_MALFORMED);
        free(copy);
    }
}

static void refused(void **state)
{
    (void)state;
    uint8_t message[600];
    struct dns_query query;
    size_t size = write_query(message, true, 0);
    message[2] |= 0x80; /* a response */
    assert_int_equal(dns_query_parse(&query, message, size), DNS_QUERY_DROPPED);
    message[2] = 4 << 3; /* NOTIFY */
    assert_int_equal(dns_query_parse(&query, message, size), DNS_QUERY_UNKNOWN);
    assert_int_equal(query.opcode, 4);
    message[2] = 0;
    for (unsigned count = 0; count < 3; count++) {
        message[5] = (uint8_t)count;
        assert_int_equal(dns_query_parse(&query, message, size),
                         count == 1 ? DNS_QUERY_GOOD : DNS_QUERY_MALFORMED);
    }
    message[5] = 1;
    message[12] = 0xc0; /* a compressed question */
    assert_int_equal(dns_query_parse(&query, message, size), DNS_QUERY_MALFORMED);
    message[12] = 3;
    memcpy(message + size, message + size - DNS_OPT_SIZE, DNS_OPT_SIZE);
    message[11] = 2; /* two OPT records: RFC 6891, 6.1.1 */
    assert_int_equal(dns_query_parse(&query, message, size + DNS_OPT_SIZE), DNS_QUERY_MALFORMED);
    message[11] = 1; /* then the second is only trailing bytes */
    assert_int_equal(dns_query_parse(&query, message, size + DNS_OPT_SIZE), DNS_QUERY_GOOD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_parsed), cmocka_unit_test(edns),    cmocka_unit_test(padding),
        cmocka_unit_test(truncated),          cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
