/* transfer_test.c - a whole zone in messages. */
#include "dns/transfer.h"

#include <ldns/ldns.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/reply.h"
#include "tests/dns/dns_case.h"

static const struct tcpct_address client = { 4, { 192, 0, 2, 1 } };
static uint8_t message[DNS_MESSAGE_SIZE_MAX];

static size_t query_for(uint8_t query[512], const char *question, const uint32_t *serial)
{
    size_t size = case_query(query, question, 0);
    if (serial) { /* an SOA in the authority section (RFC 1995, 3) */
        query[9] = 1;
        static const uint8_t head[] = { 0xc0, 12, 0, DNS_SOA, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0 };
        memcpy(query + size, head, sizeof head);
        dns_put32(query + size + 14, *serial);
        memset(query + size + 18, 0, 16);
        size += 34;
    }
    return size;
}

/* All records of a transfer; how many messages in *messages. */
static ldns_rr_list *transfer(const struct dns_zones *zones, const char *question,
                              const uint32_t *serial, unsigned *messages)
{
    uint8_t query[600];
    struct transfer transfer = { .zone = NULL };
    struct dns_channel channel = { .client = &client, .may_transfer = true, .transfer = &transfer };
    ldns_rr_list *all = ldns_rr_list_new();
    size_t size = query_for(query, question, serial);
    size = dns_reply(zones, &channel, query, size, message, sizeof message);
    for (*messages = 1;; ++*messages) {
        ldns_pkt *packet = NULL;
        assert_int_equal(ldns_wire2pkt(&packet, message, size), LDNS_STATUS_OK);
        assert_int_equal(ldns_pkt_id(packet), 0x1234);
        assert_true(ldns_pkt_aa(packet));
        assert_int_equal(ldns_pkt_qdcount(packet), 1);
        ldns_rr_list *records = ldns_rr_list_clone(ldns_pkt_answer(packet));
        ldns_rr_list_cat(all, records);
        ldns_rr_list_free(records);
        ldns_pkt_free(packet);
        if (!transfer.zone)
            return all;
        size = transfer_next(&transfer, message);
        assert_int_not_equal(size, 0);
    }
}

/* The zone as ldns reads it, its SOA before and behind. */
static ldns_rr_list *zone_records(const char *text)
{
    ldns_zone *zone = NULL;
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    ldns_rdf *origin = ldns_dname_new_frm_str("x.");
    assert_int_equal(ldns_zone_new_frm_fp(&zone, file, origin, 3600, LDNS_RR_CLASS_IN),
                     LDNS_STATUS_OK);
    fclose(file);
    ldns_rdf_deep_free(origin);
    ldns_rr_list *records = ldns_rr_list_clone(ldns_zone_rrs(zone));
    ldns_rr_list_push_rr(records, ldns_rr_clone(ldns_zone_soa(zone)));
    ldns_rr_list_push_rr(records, ldns_rr_clone(ldns_zone_soa(zone)));
    ldns_zone_deep_free(zone);
    return records;
}

static void expect_whole(const char *text, unsigned least_messages)
{
    struct dns_zones *zones = case_zones(text, "x");
    unsigned messages;
    ldns_rr_list *got = transfer(zones, "x. AXFR", NULL, &messages);
    ldns_rr_list *expected = zone_records(text);
    size_t count = ldns_rr_list_rr_count(got);
    assert_int_equal(ldns_rr_get_type(ldns_rr_list_rr(got, 0)), LDNS_RR_TYPE_SOA);
    assert_int_equal(ldns_rr_get_type(ldns_rr_list_rr(got, count - 1)), LDNS_RR_TYPE_SOA);
    assert_int_equal(count, ldns_rr_list_rr_count(expected));
    ldns_rr_list_sort(got);
    ldns_rr_list_sort(expected);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ldns_rr_compare(ldns_rr_list_rr(got, i), ldns_rr_list_rr(expected, i)), 0);
    assert_in_range(messages, least_messages, 2 * least_messages);
    ldns_rr_list_deep_free(got);
    ldns_rr_list_deep_free(expected);
    dns_zones_free(zones);
}

#define HEAD "$ORIGIN x.\n$TTL 60\n@ SOA ns host 7 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"

static void small(void **state)
{
    (void)state;
    expect_whole(HEAD, 1);
    /* Names within: of the zone, of the owner, others; glue; a wildcard; signatures. */
    expect_whole(
        HEAD
        "@ RRSIG SOA 13 1 60 20900101000000 20260101000000 1 x. AAAA\n@ MX 1 @\n@ MX 2 ns\na.b.c MX 3 a.b.c\na.b.c MX 4 elsewhere.y.\n"
        "s NS ns.s\nns.s AAAA 2001:db8::1\n* CNAME ns\nd DNAME @\n"
        "ns RRSIG A 13 2 60 20900101000000 20260101000000 1 x. AAAA\n"
        "ns NSEC s.x. A RRSIG NSEC\n",
        1);
}

/* One set of 100 KB, which no answer could hold, and 300 KB of others. */
static void large(void **state)
{
    (void)state;
    char *text = malloc(1000000);
    char *out = text + sprintf(text, HEAD);
    for (unsigned i = 0; i < 500; i++)
        out += sprintf(out, "big TXT %0200u\n", i);
    for (unsigned i = 0; i < 2000; i++)
        out += sprintf(out,
                       "a%u.longer-than-a-few-letters MX 1 a%u.longer-than-a-few-letters\n"
                       "a%u.longer-than-a-few-letters TXT %099u\n",
                       i, i, i, i);
    expect_whole(text, (unsigned)(500 * 216 + 2000 * (60 + 120)) / 17500);
    free(text);
}

static size_t count_of(const struct dns_zones *zones, const char *question, uint32_t serial)
{
    unsigned messages;
    ldns_rr_list *got = transfer(zones, question, &serial, &messages);
    size_t count = ldns_rr_list_rr_count(got);
    ldns_rr_list_deep_free(got);
    return count;
}

/* RFC 1995, 4: the whole zone, or the SOA alone if the client's serial, 7 here, is not older. */
static void incremental(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(HEAD, "x");
    assert_int_equal(count_of(zones, "x. IXFR", 6), 4);
    assert_int_equal(count_of(zones, "x. IXFR", 7), 1);
    assert_int_equal(count_of(zones, "x. IXFR", 8), 1);
    assert_int_equal(count_of(zones, "x. IXFR", 7 + 0x80000001u), 4);
    assert_int_equal(count_of(zones, "x. AXFR", 7), 4);

    uint8_t query[600];
    const struct dns_channel datagram = { .transport = DNS_DATAGRAM, .may_transfer = true };
    size_t size = dns_reply(zones, &datagram, query, query_for(query, "x. IXFR", NULL), message,
                            sizeof message);
    assert_string_equal(case_text(message, size), "NOERROR aa, an x. SOA ns.x. host.x. 7 2 3 4 5");
    size = dns_reply(zones, &datagram, query, query_for(query, "x. AXFR", NULL), message,
                     sizeof message);
    assert_string_equal(case_text(message, size), "REFUSED");
    dns_zones_free(zones);
}

static void refused(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(HEAD, "x");
    uint8_t query[600];
    struct transfer transfer = { .zone = NULL };
    struct dns_channel channel = { .client = &client, .transfer = &transfer };
    size_t size = dns_reply(zones, &channel, query, query_for(query, "x. AXFR", NULL), message,
                            sizeof message);
    assert_string_equal(case_text(message, size), "REFUSED");
    channel.may_transfer = true;
    size = dns_reply(zones, &channel, query, query_for(query, "ns.x. AXFR", NULL), message,
                     sizeof message);
    assert_string_equal(case_text(message, size), "NOTAUTH");
    size = dns_reply(zones, &channel, query, query_for(query, "y. AXFR", NULL), message,
                     sizeof message);
    assert_string_equal(case_text(message, size), "NOTAUTH");
    channel.transfer = NULL; /* as in a <SYN> */
    assert_int_equal(dns_reply(zones, &channel, query, query_for(query, "x. AXFR", NULL), message,
                               sizeof message),
                     0);
    assert_null(transfer.zone);
    dns_zones_free(zones);
}

/* A zone that is replaced meanwhile stays until its transfer has ended. */
static void replaced(void **state)
{
    (void)state;
    uint8_t query[600];
    struct dns_zones *zones = case_zones(HEAD, "x");
    struct dns_query parsed;
    struct transfer transfer;
    assert_int_equal(dns_query_parse(&parsed, query, query_for(query, "x. AXFR", NULL)),
                     DNS_QUERY_GOOD);
    transfer_begin(&transfer, zones->zones[0], &parsed);
    dns_zones_free(zones);
    assert_int_not_equal(transfer_next(&transfer, message), 0);
    assert_null(transfer.zone);
    transfer_end(&transfer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small),   cmocka_unit_test(large),    cmocka_unit_test(incremental),
        cmocka_unit_test(refused), cmocka_unit_test(replaced),
    };
    return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
