/* datagrams_test.c - DNS over UDP, packet for packet. */
#include "dns/datagrams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/ip.h"
#include "tcpct/udp.h"
#include "tcpct/wire.h"
#include "tests/dns/dns_case.h"

enum { PORT = 53, NOW_US = 1000000 };

static const struct tcpct_address server4 = { 4, { 192, 0, 2, 53 } };
static const struct tcpct_address client4 = { 4, { 192, 0, 2, 1 } };
static const struct tcpct_address server6 = { 6, { 0x20, 1, 0xd, 0xb8, [15] = 0x53 } };
static const struct tcpct_address client6 = { 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } };

static struct dns_zones *zones;
static struct dns_server server;
static struct datagrams datagrams;
static struct tcpct_stack *stack;
static uint8_t reply_bytes[TCPCT_PACKET_SIZE];
static struct tcpct_packet reply;

static void fill_random(void *context, void *bytes, size_t size)
{
    (void)context;
    memset(bytes, 1, size);
}

static int setup(void **state)
{
    (void)state;
    char text[4000] = "@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n";
    for (unsigned i = 0; i < 5; i++) /* five times 216 bytes, and five more */
        sprintf(text + strlen(text), "five TXT %0200u\nten TXT %0200u\nten TXT %0200u\n", i, i,
                i + 100);
    const struct tcpct_config config = { .random = fill_random };
    zones = case_zones(text, "x");
    server = (struct dns_server){ .zones = zones };
    datagrams =
        (struct datagrams){ .server = &server,
                            .options = { .port = PORT, .size_max = DNS_UDP_SIZE, .mtu = 1500 } };
    assert_int_equal(tcpct_stack_create(&stack, &config, NOW_US), TCPCT_OK);
    tcpct_address_add(stack, &server4);
    tcpct_address_add(stack, &server6);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tcpct_stack_destroy(stack);
    dns_zones_free(zones);
    return 0;
}

/* A packet with that DNS message; static. */
static struct tcpct_packet packet_of(bool ipv6, const uint8_t *message, size_t size)
{
    static uint8_t bytes[2000];
    struct tcpct_packet packet = { .data = bytes, .size = sizeof bytes };
    struct udp_datagram query = { .source = ipv6 ? client6 : client4,
                                  .destination = ipv6 ? server6 : server4,
                                  .source_port = 4321,
                                  .destination_port = PORT };
    query.data = memcpy(bytes + udp_header_size(&query.source), message, size);
    query.size = size;
    udp_encode(&query, 64, &packet);
    return packet;
}

static struct tcpct_packet query_packet(bool ipv6, const char *question, unsigned flags)
{
    uint8_t query[512];
    return packet_of(ipv6, query, case_query(query, question, flags));
}

static bool give(const struct tcpct_packet *packet)
{
    reply = (struct tcpct_packet){ .data = reply_bytes, .size = sizeof reply_bytes };
    return datagrams_input(&datagrams, stack, packet, &reply, NOW_US);
}

/* The answer in the reply, whose packet must be sound, as text. */
static const char *answer_text(bool ipv6)
{
    struct udp_datagram answer;
    assert_int_equal(udp_decode(&answer, &reply), UDP_OK);
    assert_true(ip_address_equal(&answer.source, ipv6 ? &server6 : &server4));
    assert_true(ip_address_equal(&answer.destination, ipv6 ? &client6 : &client4));
    assert_int_equal(answer.source_port, PORT);
    assert_int_equal(answer.destination_port, 4321);
    return case_text(answer.data, answer.size);
}

static void answers(void **state)
{
    (void)state;
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        struct tcpct_packet packet = query_packet(ipv6, "ns.x. A", CASE_RD);
        assert_true(give(&packet));
        assert_string_equal(answer_text(ipv6), "NOERROR aa rd, an ns.x. A 192.0.2.1");
        packet = query_packet(ipv6, "ns.y. A", CASE_EDNS);
        assert_true(give(&packet));
        assert_string_equal(answer_text(ipv6), "REFUSED edns");
    }
    assert_int_equal(datagrams.counters.queries, 4);
    assert_int_equal(datagrams.counters.answers, 4);
}

/* 1232 bytes, and what the device carries. */
static void truncates(void **state)
{
    (void)state;
    datagrams.counters = (struct datagrams_counters){ 0 };
    struct tcpct_packet packet = query_packet(true, "ten.x. TXT", CASE_EDNS);
    assert_true(give(&packet));
    assert_string_equal(answer_text(true), "NOERROR aa tc edns");
    packet = query_packet(true, "five.x. TXT", CASE_EDNS);
    assert_true(give(&packet));
    assert_memory_equal(answer_text(true), "NOERROR aa edns, an", 19);
    datagrams.options.mtu = (uint16_t)reply.length;
    assert_true(give(&packet));
    assert_memory_equal(answer_text(true), "NOERROR aa edns, an", 19);
    datagrams.options.mtu--;
    assert_true(give(&packet));
    assert_string_equal(answer_text(true), "NOERROR aa tc edns");
    datagrams.options.mtu = 1500;
    packet = query_packet(true, "five.x. TXT", 0);
    assert_true(give(&packet));
    assert_string_equal(answer_text(true), "NOERROR aa tc");
    assert_int_equal(datagrams.counters.truncated, 3);
}

static void nobody_answers(void **state)
{
    (void)state;
    uint8_t query[512];
    datagrams.counters = (struct datagrams_counters){ 0 };
    size_t size = case_query(query, "ns.x. A", 0);
    query[2] |= 0x80; /* a response: two servers must not talk to each other forever */
    struct tcpct_packet packet = packet_of(false, query, size);
    assert_false(give(&packet));
    packet = packet_of(false, query, 0);
    assert_false(give(&packet));
    assert_int_equal(datagrams.counters.dropped, 2);
    query[2] = 0;
    packet = packet_of(false, query, size);
    packet.data[packet.length - 1] ^= 1;
    assert_false(give(&packet));
    assert_int_equal(datagrams.counters.bad_checksums, 1);
    packet = packet_of(true, query, size);
    wire_put16(packet.data + 44, (uint16_t)(size + 9));
    assert_false(give(&packet));
    assert_int_equal(datagrams.counters.malformed, 1);
    packet = packet_of(true, query, size);
    packet.data[8] = 0xff; /* from a group */
    packet.partial_checksum = true;
    assert_false(give(&packet));
    packet = packet_of(true, query, size);
    packet.data[39] ^= 1; /* to somebody else */
    packet.partial_checksum = true;
    assert_false(give(&packet));
    packet = packet_of(true, query, size);
    wire_put16(packet.data + 40, 0); /* from no port */
    packet.partial_checksum = true;
    assert_false(give(&packet));
    assert_int_equal(datagrams.counters.dropped, 4);
    assert_int_equal(datagrams.counters.answers, 0);
}

static void other_ports(void **state)
{
    (void)state;
    struct tcpct_packet packet = query_packet(true, "ns.x. A", 0);
    packet.partial_checksum = true;
    wire_put16(packet.data + 42, PORT + 1);
    assert_true(give(&packet));
    assert_int_equal(reply.data[6], IP_PROTOCOL_ICMPV6);
    assert_int_equal(reply.length, 48 + packet.length);
}

/* Each byte of some queries changed, and each length of them: an answer, or none. */
static void spoiled(void **state)
{
    (void)state;
    static const char *const questions[] = { "ns.x. A", "five.x. TXT", "x. ANY", "y. AXFR" };
    datagrams.counters = (struct datagrams_counters){ 0 };
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        uint8_t query[512];
        size_t size = case_query(query, questions[i], CASE_DO);
        for (size_t at = 0; at < size; at++) {
            for (unsigned mask = 1; mask < 256; mask += 2) {
                query[at] ^= (uint8_t)mask;
                struct tcpct_packet packet = packet_of(i % 2, query, size);
                if (give(&packet))
                    answer_text(i % 2);
                query[at] ^= (uint8_t)mask;
            }
            struct tcpct_packet packet = packet_of(i % 2, query, at);
            assert_int_equal(give(&packet), at >= DNS_HEADER_SIZE);
        }
    }
    const struct datagrams_counters *counters = &datagrams.counters;
    assert_int_equal(counters->queries, counters->answers + counters->dropped);
}

static void counter_names(void **state)
{
    (void)state;
    size_t count = 0;
    while (datagrams_counter_name(count))
        count++;
    assert_int_equal(count, sizeof(struct datagrams_counters) / sizeof(uint64_t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),        cmocka_unit_test(truncates),
        cmocka_unit_test(nobody_answers), cmocka_unit_test(other_ports),
        cmocka_unit_test(spoiled),        cmocka_unit_test(counter_names),
    };
    return cmocka_run_group_tests_name("datagrams", tests, setup, teardown);
}
