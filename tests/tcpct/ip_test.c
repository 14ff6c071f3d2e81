/* ip_test.c - IPv4 and IPv6 headers: values, lengths, extension headers, fragments. */
#include "tcpct/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/checksum.h"
#include "tcpct/wire.h"

static const struct ip_header ipv4 = {
    .source = { 4, { 192, 0, 2, 1 } },
    .destination = { 4, { 198, 51, 100, 2 } },
    .protocol = IP_PROTOCOL_TCP,
    .traffic_class = 0x12,
    .hop_limit = 64,
    .identification = 0xbeef,
};

static const struct ip_header ipv6 = {
    .source = { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } },
    .destination = { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } },
    .protocol = IP_PROTOCOL_TCP,
    .traffic_class = 0x12,
    .hop_limit = 63,
    .flow_label = 0xabcde,
};

static void mend_checksum(uint8_t *bytes)
{
    size_t size = 4u * (bytes[0] & 15);
    wire_put16(bytes + 10, 0);
    wire_put16(bytes + 10, (uint16_t)~checksum_fold(checksum_add(0, bytes, size)));
}

/* Decodes a copy of exactly `size` bytes, so that a sanitizer sees any read beyond. */
static enum ip_verdict decode(struct ip_header *header, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (size > 0)
        memcpy(copy, bytes, size);
    enum ip_verdict verdict = ip_decode(header, copy, size, false);
    free(copy);
    return verdict;
}

static void round_trip(const struct ip_header *header, size_t header_size)
{
    uint8_t bytes[200] = { 0 };
    struct ip_header back;

    assert_int_equal(ip_header_size(&header->source), header_size);
    assert_int_equal(ip_encode(header, bytes, 100), header_size);
    assert_int_equal(decode(&back, bytes, header_size + 100), IP_OK);
    assert_true(ip_address_equal(&back.source, &header->source));
    assert_true(ip_address_equal(&back.destination, &header->destination));
    assert_int_equal(back.protocol, header->protocol);
    assert_int_equal(back.traffic_class, header->traffic_class);
    assert_int_equal(back.hop_limit, header->hop_limit);
    assert_int_equal(back.identification, header->identification);
    assert_int_equal(back.flow_label, header->flow_label);
    assert_true(back.dont_fragment);
    assert_int_equal(back.header_size, header_size);
    assert_int_equal(back.payload_size, 100);
    /* What follows the datagram is not of it. */
    assert_int_equal(decode(&back, bytes, header_size + 130), IP_OK);
    assert_int_equal(back.payload_size, 100);
    for (size_t size = 0; size < header_size + 100; size++)
        assert_int_equal(decode(&back, bytes, size), IP_TRUNCATED);
}

static void both_families_round_trip(void **state)
{
    (void)state;
    round_trip(&ipv4, 20);
    round_trip(&ipv6, 40);
}

static void other_versions_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[60] = { 0 };
    struct ip_header header;

    for (unsigned version = 0; version < 16; version++) {
        bytes[0] = (uint8_t)(version << 4);
        if (version != 4 && version != 6)
            assert_int_equal(decode(&header, bytes, sizeof bytes), IP_BAD_VERSION);
    }
}

static void ipv4_checksum_covers_every_bit(void **state)
{
    (void)state;
    uint8_t bytes[20];
    struct ip_header header;

    ip_encode(&ipv4, bytes, 0);
    for (unsigned bit = 32; bit < 160; bit++) { /* the first bits make other verdicts */
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(decode(&header, bytes, sizeof bytes), IP_BAD_CHECKSUM);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void ipv4_options_are_skipped(void **state)
{
    (void)state;
    uint8_t bytes[44] = { 0 };
    struct ip_header header;

    ip_encode(&ipv4, bytes, 24);
    bytes[0] = 0x46;
    mend_checksum(bytes);
    assert_int_equal(decode(&header, bytes, sizeof bytes), IP_OK);
    assert_int_equal(header.header_size, 24);
    assert_int_equal(header.payload_size, 20);
}

static void ipv4_bad_lengths(void **state)
{
    (void)state;
    uint8_t bytes[40] = { 0 };
    struct ip_header header;

    ip_encode(&ipv4, bytes, 20);
    bytes[0] = 0x44; /* below 5 words */
    mend_checksum(bytes);
    assert_int_equal(decode(&header, bytes, sizeof bytes), IP_BAD_HEADER);
    bytes[0] = 0x45;
    wire_put16(bytes + 2, 19); /* total below the header */
    mend_checksum(bytes);
    assert_int_equal(decode(&header, bytes, sizeof bytes), IP_BAD_HEADER);
    wire_put16(bytes + 2, 41);
    mend_checksum(bytes);
    assert_int_equal(decode(&header, bytes, sizeof bytes), IP_TRUNCATED);
}

static void ipv4_fragments_are_told(void **state)
{
    (void)state;
    const uint16_t fields[] = { 0x2000, 0x0001, 0x3fff, 0x6000 };
    uint8_t bytes[40] = { 0 };
    struct ip_header header;

    ip_encode(&ipv4, bytes, 20);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        wire_put16(bytes + 6, fields[i]);
        mend_checksum(bytes);
        assert_int_equal(decode(&header, bytes, sizeof bytes), IP_IS_FRAGMENT);
    }
    wire_put16(bytes + 6, 0);
    mend_checksum(bytes);
    assert_int_equal(decode(&header, bytes, sizeof bytes), IP_OK);
    assert_false(header.dont_fragment);
}

static void a_coalesced_buffer_has_its_own_length(void **state)
{
    (void)state;
    uint8_t *bytes = calloc(1, 40060);
    struct ip_header header;

    ip_encode(&ipv4, bytes, 40040);
    wire_put16(bytes + 2, 0); /* and so a wrong checksum, too */
    assert_int_equal(ip_decode(&header, bytes, 40060, true), IP_OK);
    assert_int_equal(header.payload_size, 40040);
    assert_int_equal(decode(&header, bytes, 40060), IP_BAD_HEADER);
    ip_encode(&ipv6, bytes, 40020);
    assert_int_equal(ip_decode(&header, bytes, 40060, true), IP_OK);
    assert_int_equal(header.payload_size, 40020);
    wire_put16(bytes + 4, 0);
    assert_int_equal(ip_decode(&header, bytes, 40060, true), IP_OK);
    assert_int_equal(header.payload_size, 40020);
    free(bytes);
}

/* An IPv6 packet whose payload is `size` bytes of extension headers and 20 bytes of TCP. */
static enum ip_verdict with_extensions(struct ip_header *header, uint8_t next,
                                       const uint8_t *extensions, size_t size)
{
    uint8_t bytes[200] = { 0 };
    struct ip_header first = ipv6;

    first.protocol = next;
    ip_encode(&first, bytes, size + 20);
    memcpy(bytes + 40, extensions, size);
    return decode(header, bytes, 40 + size + 20);
}

static void ipv6_extension_headers_are_skipped(void **state)
{
    (void)state;
    const uint8_t chain[] = {
        60, 0,  1,  4,  0,  0,  0,  0,                                     /* hop-by-hop */
        43, 1,  1,  12, 0,  0,  0,  0, 0,  0,  0,  0,  0,  0,  0,  0,      /* destination options */
        44, 2,  4,  0,  0,  0,  0,  0, 10, 11, 12, 13, 14, 15, 16, 17, 18, /* routing, used up */
        19, 20, 21, 22, 23, 24, 25,                                        /* ... */
        6,  0,  0,  0,  1,  2,  3,  4,                                     /* an atomic fragment */
    };
    struct ip_header header;

    assert_int_equal(with_extensions(&header, 0, chain, sizeof chain), IP_OK);
    assert_int_equal(header.protocol, IP_PROTOCOL_TCP);
    assert_int_equal(header.header_size, 40 + sizeof chain);
    assert_int_equal(header.payload_size, 20);
}

static void ipv6_extension_headers_that_end_it(void **state)
{
    (void)state;
    const uint8_t routing[] = { 6, 0, 4, 1, 0, 0, 0, 0 };
    const uint8_t fragment[] = { 6, 0, 0, 8, 0, 0, 0, 1 };
    const uint8_t first_fragment[] = { 6, 0, 0, 1, 0, 0, 0, 1 };
    const uint8_t late_hop_by_hop[] = { 0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0 };
    const uint8_t too_long[] = { 6, 200, 1, 4, 0, 0, 0, 0 };
    const uint8_t other[] = { 17, 0, 1, 4, 0, 0, 0, 0 };
    struct ip_header header;

    assert_int_equal(with_extensions(&header, 43, routing, 8), IP_BAD_HEADER);
    assert_int_equal(with_extensions(&header, 44, fragment, 8), IP_IS_FRAGMENT);
    assert_int_equal(with_extensions(&header, 44, first_fragment, 8), IP_IS_FRAGMENT);
    assert_int_equal(with_extensions(&header, 60, late_hop_by_hop, 16), IP_BAD_HEADER);
    assert_int_equal(with_extensions(&header, 60, too_long, 8), IP_BAD_HEADER);
    assert_int_equal(with_extensions(&header, 60, other, 8), IP_OK);
    assert_int_equal(header.protocol, IP_PROTOCOL_UDP);
    assert_int_equal(with_extensions(&header, 59, other, 8), IP_OK); /* no next header */
    assert_int_equal(header.protocol, 59);
}

static void the_pseudo_header_sums(void **state)
{
    (void)state;
    /* 192.0.2.1, 198.51.100.2, 6, 100 */
    uint32_t sum = 0xc000 + 0x0201 + 0xc633 + 0x6402 + 6 + 100;
    assert_int_equal(checksum_fold(ip_pseudo_sum(&ipv4.source, &ipv4.destination, 6, 100)),
                     checksum_fold(sum));
    sum = 2 * (0x2001 + 0x0db8) + 1 + 2 + 6 + 1 + 4464; /* 70000 = 65536 + 4464 */
    assert_int_equal(checksum_fold(ip_pseudo_sum(&ipv6.source, &ipv6.destination, 6, 70000)),
                     checksum_fold(sum));
}

static void unusable_addresses(void **state)
{
    (void)state;
    const struct tcpct_address bad[] = {
        { 4, { 0 } },
        { 4, { 224, 0, 0, 1 } },
        { 4, { 239, 255, 1, 1 } },
        { 4, { 255, 255, 255, 255 } },
        { 6, { 0 } },
        { 6, { 0xff, 2, [15] = 1 } },
        { 0, { 1 } },
    };
    const struct tcpct_address good[] = {
        { 4, { 10, 0, 0, 1 } },
        { 4, { 223, 255, 255, 255 } },
        { 6, { [15] = 1 } },
        { 6, { 0xfe, 0x80 } },
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_true(ip_address_is_unusable(&bad[i]));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_false(ip_address_is_unusable(&good[i]));
    assert_false(ip_address_equal(&good[0], &good[1]));
    assert_false(ip_address_equal(&bad[0], &bad[4]));
    assert_true(ip_address_equal(&good[3], &good[3]));
}

static void verdicts_have_texts(void **state)
{
    (void)state;
    for (int verdict = IP_OK; verdict <= IP_IS_FRAGMENT; verdict++)
        assert_string_not_equal(ip_verdict_text((enum ip_verdict)verdict), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_families_round_trip),
        cmocka_unit_test(other_versions_are_refused),
        cmocka_unit_test(ipv4_checksum_covers_every_bit),
        cmocka_unit_test(ipv4_options_are_skipped),
        cmocka_unit_test(ipv4_bad_lengths),
        cmocka_unit_test(ipv4_fragments_are_told),
        cmocka_unit_test(a_coalesced_buffer_has_its_own_length),
        cmocka_unit_test(ipv6_extension_headers_are_skipped),
        cmocka_unit_test(ipv6_extension_headers_that_end_it),
        cmocka_unit_test(the_pseudo_header_sums),
        cmocka_unit_test(unusable_addresses),
        cmocka_unit_test(verdicts_have_texts),
    };
    return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}
