/* udp_test.c - UDP datagrams in packets. */
#include "tcpct/udp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/ip.h"
#include "tcpct/wire.h"

static const struct tcpct_address v4[] = { { 4, { 192, 0, 2, 1 } }, { 4, { 198, 51, 100, 2 } } };
static const struct tcpct_address v6[] = { { 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } },
                                           { 6, { 0x20, 1, 0xd, 0xb8, [15] = 2 } } };

/* A packet of `size` bytes of data, in memory of exactly its length. */
static struct tcpct_packet make(bool ipv6, size_t size)
{
    const struct tcpct_address *ends = ipv6 ? v6 : v4;
    size_t length = udp_header_size(&ends[0]) + size;
    struct tcpct_packet packet = { .data = malloc(length), .size = length };
    uint8_t *data = packet.data + udp_header_size(&ends[0]);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i + size);
    const struct udp_datagram datagram = { .source = ends[0],
                                           .destination = ends[1],
                                           .source_port = 5353,
                                           .destination_port = 53,
                                           .data = data,
                                           .size = size };
    udp_encode(&datagram, 64, &packet);
    assert_int_equal(packet.length, length);
    return packet;
}

static void round_trip(void **state)
{
    (void)state;
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        for (size_t size = 0; size < 1300; size += size < 20 ? 1 : 77) {
            struct tcpct_packet packet = make(ipv6, size);
            struct udp_datagram datagram;
            assert_int_equal(udp_decode(&datagram, &packet), UDP_OK);
            assert_true(ip_address_equal(&datagram.source, ipv6 ? &v6[0] : &v4[0]));
            assert_true(ip_address_equal(&datagram.destination, ipv6 ? &v6[1] : &v4[1]));
            assert_int_equal(datagram.source_port, 5353);
            assert_int_equal(datagram.destination_port, 53);
            assert_int_equal(datagram.size, size);
            assert_ptr_equal(datagram.data, packet.data + packet.length - size);
            free(packet.data);
        }
    }
}

/* Each bit of the datagram counts, and so do the addresses. */
static void checksum(void **state)
{
    (void)state;
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        struct tcpct_packet packet = make(ipv6, 11);
        struct udp_datagram datagram;
        size_t header = ip_header_size(ipv6 ? &v6[0] : &v4[0]);
        for (size_t i = header; i < packet.length; i++) {
            packet.data[i] ^= 0x10;
            assert_int_not_equal(udp_decode(&datagram, &packet), UDP_OK);
            packet.data[i] ^= 0x10;
        }
        if (ipv6) {
            packet.data[9] ^= 1;
            assert_int_equal(udp_decode(&datagram, &packet), UDP_BAD_CHECKSUM);
        }
        packet.partial_checksum = true; /* the kernel says that it is right */
        packet.data[packet.length - 1] ^= 1;
        assert_int_equal(udp_decode(&datagram, &packet), UDP_OK);
        free(packet.data);
    }
}

/* None over IPv4 (RFC 768), never none over IPv6 (RFC 8200, 8.1). A sum of zero is sent as ffff. */
static void no_checksum(void **state)
{
    (void)state;
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        struct tcpct_packet packet = make(ipv6, 2);
        struct udp_datagram datagram;
        uint8_t *udp = packet.data + ip_header_size(ipv6 ? &v6[0] : &v4[0]);
        wire_put16(udp + 6, 0);
        assert_int_equal(udp_decode(&datagram, &packet), ipv6 ? UDP_MALFORMED : UDP_OK);
        wire_put16(udp + 8, 0);
        /* The data become what the checksum was for zeros: then the sum is zero. */
        const struct udp_datagram zero = { .source = ipv6 ? v6[0] : v4[0],
                                           .destination = ipv6 ? v6[1] : v4[1],
                                           .source_port = 1,
                                           .destination_port = 2,
                                           .data = udp + 8,
                                           .size = 2 };
        udp_encode(&zero, 64, &packet);
        wire_put16(udp + 8, wire_get16(udp + 6));
        udp_encode(&zero, 64, &packet);
        assert_int_equal(wire_get16(udp + 6), 0xffff);
        assert_int_equal(udp_decode(&datagram, &packet), UDP_OK);
        free(packet.data);
    }
}

static void lengths(void **state)
{
    (void)state;
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        struct tcpct_packet packet = make(ipv6, 12);
        struct udp_datagram datagram;
        uint8_t *udp = packet.data + ip_header_size(ipv6 ? &v6[0] : &v4[0]);
        packet.partial_checksum = true;
        for (uint16_t length = 0; length < 40; length++) {
            wire_put16(udp + 4, length);
            bool good = length >= 8 && length <= 20; /* bytes behind it are ignored */
            assert_int_equal(udp_decode(&datagram, &packet), good ? UDP_OK : UDP_MALFORMED);
            if (good)
                assert_int_equal(datagram.size, length - 8);
        }
        for (size_t length = 0; length < packet.length; length++) {
            struct tcpct_packet cut = { .data = malloc(length + 1), .length = length };
            memcpy(cut.data, packet.data, length);
            assert_int_equal(udp_decode(&datagram, &cut), UDP_MALFORMED);
            free(cut.data);
        }
        free(packet.data);
    }
}

static void other_protocols(void **state)
{
    (void)state;
    struct tcpct_packet packet = make(true, 12);
    struct udp_datagram datagram;
    packet.data[6] = IP_PROTOCOL_TCP;
    assert_int_equal(udp_decode(&datagram, &packet), UDP_OTHER);
    free(packet.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),      cmocka_unit_test(checksum),
        cmocka_unit_test(no_checksum),     cmocka_unit_test(lengths),
        cmocka_unit_test(other_protocols),
    };
    return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
