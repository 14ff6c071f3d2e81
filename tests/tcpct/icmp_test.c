/* icmp_test.c - errors that routers report, and whose are believed.
 */
#include "tcpct/icmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tcpct/checksum.h"
#include "tcpct/udp.h"
#include "tcpct/wire.h"
#include "tests/tcpct/peer.h"

#define PLAIN "mss 1460, sackOK"

enum { UNREACHABLE = 3, TOO_BIG = 4, UNREACHABLE6 = 1, TOO_BIG6 = 2 };

static struct script *sending(void)
{
    struct script *t = peer_connect(PLAIN, 20 * MILLISECOND, NULL);
    script_send(t->connection, 0, 2920);
    expect(t, ". 1+1460");
    expect(t, ". 1461+1460");
    return t;
}

/* RFC 1191, 3: what was too big is sent again in smaller segments, at once. */
static void test_too_big(void **state)
{
    (void)state;
    struct script *t = sending();
    assert_int_equal(peer_icmp(t, UNREACHABLE, TOO_BIG, 1040, 1), TCPCT_ACCEPTED);
    expect(t, ". 1+1000");
    expect(t, ". 1001+460");
    expect(t, ". 1461+1000");
    expect(t, ". 2461+460");
    script_end(t);
}

/* RFC 5927, 4.1: SND.UNA =< SEG.SEQ < SND.NXT, else it is ignored. */
static void test_quoted_sequence(void **state)
{
    (void)state;
    static const uint32_t wrong[] = { 0, 2921, 2922, 500000 };
    struct script *t = sending();
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(peer_icmp(t, UNREACHABLE, TOO_BIG, 1040, wrong[i]), TCPCT_UNACCEPTABLE);
        expect_nothing(t);
    }
    assert_int_equal(peer_icmp(t, UNREACHABLE, TOO_BIG, 1040, 2920), TCPCT_ACCEPTED);
    script_end(t);
}

/* RFC 8201, 4: less than 1280 "must" be discarded. */
static void test_minimum_of_ipv6(void **state)
{
    (void)state;
    struct script *t = peer_connect6("mss 1440, sackOK", 20 * MILLISECOND);
    script_send(t->connection, 0, 1440);
    expect(t, ". 1+1440");
    peer_icmp(t, TOO_BIG6, 0, 1279, 1);
    expect_nothing(t);
    peer_icmp(t, TOO_BIG6, 0, 1280, 1);
    expect(t, ". 1+1220");
    expect(t, ". 1221+220");
    script_end(t);
}

/* RFC 9293, 3.9.2.2: soft errors never abort (MUST-56), not in SYN-SENT either; Source Quench is
 * ignored (MUST-55). Of hard ones, established connections survive all (RFC 5927, 5.2). */
static void test_soft_errors(void **state)
{
    (void)state;
    static const uint8_t soft[][2] = {
        { 3, 0 }, { 3, 1 }, { 3, 5 }, { 11, 0 }, { 12, 0 }, { 4, 0 }
    };
    for (unsigned i = 0; i < sizeof(soft) / sizeof(soft[0]); i++) {
        struct script *t = script_connect(4, NULL, &(struct tcpct_connect_options){ 0 });
        expect(t, "S 0");
        peer_icmp(t, soft[i][0], soft[i][1], 0, 0);
        assert_int_equal(tcpct_connection_error(t->connection), TCPCT_OK);
        script_end(t);
    }
}

static void test_hard_errors(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, &(struct tcpct_connect_options){ 0 });
    expect(t, "S 0");
    peer_icmp(t, UNREACHABLE, 3, 0, 0);
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_REFUSED);
    t = (script_end(t), sending());
    peer_icmp(t, UNREACHABLE, 3, 0, 1);
    assert_int_equal(script_state(t->connection), TCPCT_ESTABLISHED);
    script_end(t);
}

/* An Echo of `size` bytes in all; the verdict, and the reply. */
static enum tcpct_verdict echo(struct script *t, size_t size, uint16_t spoil,
                               struct tcpct_packet *reply)
{
    static uint8_t bytes[2000];
    bool v6 = t->stack_address.family == 6;
    const struct ip_header ip = {
        .source = t->peer_address,
        .destination = t->stack_address,
        .protocol = v6 ? IP_PROTOCOL_ICMPV6 : IP_PROTOCOL_ICMP,
        .hop_limit = 64,
    };
    size_t header = ip_encode(&ip, bytes, size);
    uint8_t *message = bytes + header;
    for (size_t i = 0; i < size; i++)
        message[i] = (uint8_t)i;
    message[0] = v6 ? 128 : 8;
    message[1] = 0;
    wire_put16(message + 2, 0);
    uint32_t sum = v6 ? ip_pseudo_sum(&ip.source, &ip.destination, ip.protocol, size) : 0;
    wire_put16(message + 2, spoil ^ (uint16_t)~checksum_fold(checksum_add(sum, message, size)));
    const struct tcpct_packet packet = { .data = bytes, .length = header + size };
    return tcpct_input(t->host.stack, &packet, reply, t->now_us);
}

/* RFC 792 and RFC 4443, 4.2: an Echo comes back as Echo Reply with all that it had. */
static void test_echo(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        uint8_t room[TCPCT_REPLY_SIZE];
        struct tcpct_packet reply = { .data = room, .size = sizeof(room) };
        struct script *t = script_listen(family, NULL, NULL);
        assert_int_equal(echo(t, 72, 0, &reply), TCPCT_REPLIED);
        struct ip_header ip;
        assert_int_equal(ip_decode(&ip, room, reply.length, false), IP_OK);
        assert_int_equal(ip.payload_size, 72);
        assert_memory_equal(&ip.source, &t->stack_address, sizeof(ip.source));
        assert_memory_equal(&ip.destination, &t->peer_address, sizeof(ip.source));
        const uint8_t *message = room + ip.header_size;
        assert_int_equal(message[0], family == 6 ? 129 : 0);
        assert_int_equal(message[1], 0);
        for (uint8_t i = 4; i < 72; i++)
            assert_int_equal(message[i], i);
        uint32_t sum =
            family == 6 ? ip_pseudo_sum(&ip.source, &ip.destination, ip.protocol, 72) : 0;
        assert_int_equal(checksum_fold(checksum_add(sum, message, 72)), 0xffff);
        assert_int_not_equal(echo(t, 72, 1, &reply), TCPCT_REPLIED); /* a bad checksum */
        assert_int_equal(reply.length, 0);
        assert_int_equal(echo(t, TCPCT_REPLY_SIZE, 0, &reply), TCPCT_NO_RESOURCES);
        assert_int_equal(reply.length, 0);
        script_end(t);
    }
}

/* RFC 792 and RFC 4443, 3.1: a datagram to a port of nobody's comes back, with as much of it as an
 * error may hold; to nobody's address, from a group, or of another protocol, it does not. */
static void test_unreachable(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        static uint8_t bytes[1500], room[TCPCT_REPLY_SIZE];
        struct script *t = script_listen(family, NULL, &(struct tcpct_listen_options){ 0 });
        struct tcpct_packet packet = { .data = bytes, .size = sizeof(bytes) };
        struct tcpct_packet reply = { .data = room, .size = sizeof(room) };
        struct udp_datagram datagram = { .source = t->peer_address,
                                         .destination = t->stack_address,
                                         .destination_port = 9,
                                         .size = 1400 };
        datagram.data = bytes + udp_header_size(&datagram.source);
        udp_encode(&datagram, 64, &packet);
        assert_true(tcpct_unreachable(t->host.stack, &packet, &reply, t->now_us));
        struct ip_header ip;
        assert_int_equal(ip_decode(&ip, reply.data, reply.length, false), IP_OK);
        assert_int_equal(reply.length, family == 4 ? 576 : 1280);
        assert_true(ip_address_equal(&ip.destination, &t->peer_address));
        const uint8_t *message = reply.data + ip.header_size;
        assert_int_equal(message[0], family == 4 ? UNREACHABLE : 1);
        assert_int_equal(message[1], family == 4 ? 3 : 4);
        uint32_t sum =
            family == 4 ? 0
                        : ip_pseudo_sum(&ip.source, &ip.destination, ip.protocol, ip.payload_size);
        assert_int_equal(checksum_fold(checksum_add(sum, message, ip.payload_size)), 0xffff);
        assert_memory_equal(message + 8, bytes, ip.payload_size - 8);

        datagram.destination.bytes[3] ^= 1;
        udp_encode(&datagram, 64, &packet);
        assert_false(tcpct_unreachable(t->host.stack, &packet, &reply, t->now_us));
        datagram.destination = t->stack_address;
        datagram.source.bytes[0] = family == 4 ? 224 : 0xff;
        udp_encode(&datagram, 64, &packet);
        assert_false(tcpct_unreachable(t->host.stack, &packet, &reply, t->now_us));
        script_end(t);
    }
}

/* RFC 4443, 2.4 (f): not without limit. */
static void test_unreachable_is_limited(void **state)
{
    (void)state;
    static uint8_t bytes[100], room[TCPCT_REPLY_SIZE];
    struct script *t = script_listen(6, NULL, &(struct tcpct_listen_options){ 0 });
    struct tcpct_packet packet = { .data = bytes, .size = sizeof(bytes) };
    struct tcpct_packet reply = { .data = room, .size = sizeof(room) };
    struct udp_datagram datagram = { .source = t->peer_address, .destination = t->stack_address };
    datagram.data = bytes + udp_header_size(&datagram.source);
    udp_encode(&datagram, 64, &packet);
    for (unsigned second = 1; second <= 2; second++) {
        for (unsigned i = 0; i < 1000; i++)
            tcpct_unreachable(t->host.stack, &packet, &reply, t->now_us + second * 1000000);
        struct tcpct_counters counters;
        tcpct_counters(t->host.stack, &counters);
        assert_int_equal(counters.unreachables_sent, second * 100);
    }
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(too_big),         TEST(quoted_sequence),
        TEST(minimum_of_ipv6), TEST(soft_errors),
        TEST(hard_errors),     TEST(echo),
        TEST(unreachable),     TEST(unreachable_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
