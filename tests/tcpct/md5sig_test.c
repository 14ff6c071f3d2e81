/* md5sig_test.c - signatures over both IPs, and the table of keys. The digests that are expected
 * were computed with another implementation of RFC 2385 and MD5 (Python's hashlib).
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "tcpct/md5sig.h"

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void *refuse(void *context, size_t size)
{
    (void)context;
    (void)size;
    return NULL;
}

static const char secret[] = "a key of the operator";
static unsigned freed_with_secret;

static bool has_secret(const void *block)
{
    return memmem(block, malloc_usable_size((void *)block), secret, sizeof secret - 1) != NULL;
}

static void release(void *context, void *block)
{
    (void)context;
    if (block != NULL)
        freed_with_secret += has_secret(block);
    free(block);
}

static struct memory memory = { .allocate = allocate, .release = release };
static struct md5sig *md5sig;

static int setup(void **state)
{
    (void)state;
    return md5sig_create(&md5sig, &memory);
}

static int teardown(void **state)
{
    (void)state;
    md5sig_destroy(md5sig, &memory);
    return 0;
}

static struct tcpct_address address(unsigned family, uint8_t last)
{
    if (family == 4)
        return (struct tcpct_address){ 4, { 192, 0, 2, last } };
    return (struct tcpct_address){ 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = last } };
}

static const struct md5_key *a_key(unsigned family)
{
    struct tcpct_address peer = address(family, 2);
    assert_true(md5sig_set(md5sig, &peer, secret, sizeof secret - 1));
    return md5sig_find(md5sig, &peer);
}

/* A segment with data, to be encoded into `packet`. */
static struct segment a_segment(unsigned family, const struct md5_key *key)
{
    return (struct segment){
        .source = address(family, 1),
        .destination = address(family, 2),
        .source_port = 40000,
        .destination_port = 179,
        .seq = 0x01020304,
        .ack = 0x05060708,
        .flags = SEGMENT_ACK | SEGMENT_PSH,
        .hop_limit = 64,
        .window = 8192,
        .options = { .present = OPTION_TIMESTAMPS | OPTION_MD5,
                     .timestamp_size = 4,
                     .timestamp_value = 1000,
                     .timestamp_echo = 2000 },
        .data = (const uint8_t *)"hello",
        .data_size = 5,
        .key = key,
    };
}

static uint8_t bytes[1500];

static struct tcpct_packet encoded(struct segment segment, bool partial_checksum)
{
    struct tcpct_packet packet = { .data = bytes, .size = sizeof bytes };
    assert_true(md5sig_encode(md5sig, &segment, &packet, partial_checksum));
    return packet;
}

static struct segment decoded(const struct tcpct_packet *packet)
{
    struct segment segment;
    assert_int_equal(segment_decode(&segment, packet, NULL), SEGMENT_OK);
    return segment;
}

/* RFC 2385, 2.0: pseudo-header, header without options and with a checksum of zero, data, key. */
static void known_digests(void **state)
{
    (void)state;
    static const struct {
        unsigned family;
        uint8_t digest[MD5SIG_DIGEST_SIZE];
    } known[] = {
        { 4,
          { 0x46, 0x45, 0x01, 0x51, 0xb9, 0xf1, 0x0a, 0x16, 0xc7, 0x45, 0x24, 0x69, 0x9d, 0xd1,
            0x3d, 0xd3 } },
        { 6,
          { 0x41, 0x15, 0x13, 0x32, 0xe8, 0x9b, 0x46, 0x1a, 0x89, 0x61, 0x81, 0x87, 0x69, 0xb2,
            0x40, 0x3f } },
    };
    for (unsigned i = 0; i < 2; i++) {
        const struct md5_key *key = a_key(known[i].family);
        for (unsigned partial = 0; partial < 2; partial++) { /* the checksum does not matter */
            struct tcpct_packet packet = encoded(a_segment(known[i].family, key), partial);
            struct segment got = decoded(&packet);
            assert_int_equal(got.options.present, OPTION_TIMESTAMPS | OPTION_MD5);
            assert_memory_equal(got.options.md5_digest, known[i].digest, MD5SIG_DIGEST_SIZE);
            assert_memory_equal(got.data, "hello", 5);
            assert_true(md5sig_verify(md5sig, key, &packet, &got));
        }
    }
}

/* Every bit that it covers: all but the checksum, the options and the length of the header. */
static void every_bit_is_covered(void **state)
{
    (void)state;
    const struct md5_key *key = a_key(4);
    struct tcpct_packet packet = encoded(a_segment(4, key), true);
    const struct segment sent = decoded(&packet);
    for (size_t bit = 8 * IPV4_HEADER_SIZE; bit < 8 * packet.length; bit++) {
        size_t in_tcp = bit / 8 - IPV4_HEADER_SIZE;
        bool option = in_tcp >= TCP_HEADER_SIZE && in_tcp < 52;
        bool checksum = in_tcp == 16 || in_tcp == 17, offset = in_tcp == 12;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (!offset) /* another beginning of the data: malformed or not, nothing is expected */
            assert_int_equal(md5sig_verify(md5sig, key, &packet, &sent), option || checksum);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(md5sig_verify(md5sig, key, &packet, &sent));
    struct segment forged = sent;
    forged.options.md5_digest[7] ^= 1;
    assert_false(md5sig_verify(md5sig, key, &packet, &forged));
    forged = sent;
    forged.options.present &= ~(uint32_t)OPTION_MD5;
    assert_false(md5sig_verify(md5sig, key, &packet, &forged));
}

/* The addresses are in the pseudo-header, and a header extension counts as data. */
static void addresses_and_extension_are_covered(void **state)
{
    (void)state;
    const struct md5_key *key = a_key(6);
    struct segment segment = a_segment(6, key);
    segment.options.present = OPTION_TIMESTAMPS_EXTENDED | OPTION_MD5;
    struct tcpct_packet packet = encoded(segment, true);
    const struct segment sent = decoded(&packet);
    assert_int_equal(sent.extension_size, 36);
    assert_true(md5sig_verify(md5sig, key, &packet, &sent));
    for (size_t at = 8; at < packet.length; at++) {
        bool option = at >= 60 && at < 60 + 24;
        if (at >= 40 && !option && at < 60 + 24)
            continue; /* the fixed header is seen to above */
        bytes[at] ^= 0x10;
        assert_int_equal(md5sig_verify(md5sig, key, &packet, &sent), option);
        bytes[at] ^= 0x10;
    }
}

/* Each segment has a digest of its own: none of several together, and no offload. */
static void coalesced_segments_have_none(void **state)
{
    (void)state;
    const struct md5_key *key = a_key(4);
    struct segment segment = a_segment(4, key);
    struct tcpct_packet packet = encoded(segment, true);
    struct segment got = decoded(&packet);
    packet.segment_size = got.segment_size = 5;
    assert_false(md5sig_verify(md5sig, key, &packet, &got));
    segment.segment_size = 2;
    assert_false(md5sig_encode(md5sig, &segment, &packet, true));
}

static void what_is_no_segment_has_no_digest(void **state)
{
    (void)state;
    const struct md5_key *key = a_key(4);
    uint8_t digest[MD5SIG_DIGEST_SIZE];
    struct tcpct_packet packet = encoded(a_segment(4, key), true);
    size_t length = packet.length;
    for (packet.length = 0; packet.length < length; packet.length++)
        assert_false(md5sig_digest(md5sig, key, &packet, digest));
    assert_true(md5sig_digest(md5sig, key, &packet, digest));
    bytes[IPV4_HEADER_SIZE + 12] = 0xf0; /* a header of 60 bytes, where there are 57 */
    assert_false(md5sig_digest(md5sig, key, &packet, digest));
}

/* A segment without a key is encoded as always. */
static void without_a_key(void **state)
{
    (void)state;
    struct segment segment = a_segment(4, NULL);
    segment.options.present = OPTION_TIMESTAMPS;
    struct tcpct_packet packet = encoded(segment, false);
    struct segment got = decoded(&packet);
    assert_int_equal(got.options.present, OPTION_TIMESTAMPS);
    assert_null(got.key);
    assert_null(md5sig_find(NULL, &segment.source));
}

static void the_table_is_bounded(void **state)
{
    (void)state;
    struct tcpct_address peer;
    for (unsigned i = 0; i < MD5SIG_KEYS_MAX; i++) {
        peer = address(i % 2 ? 4 : 6, (uint8_t)i);
        assert_true(md5sig_set(md5sig, &peer, "first", 5));
    }
    const struct md5_key *key = md5sig_find(md5sig, &peer);
    assert_true(md5sig_set(md5sig, &peer, "later", 5)); /* another key for the same */
    assert_ptr_equal(md5sig_find(md5sig, &peer), key);
    assert_memory_equal(key->bytes, "later", 5);
    peer = address(4, 200);
    assert_false(md5sig_set(md5sig, &peer, "first", 5));
    assert_null(md5sig_find(md5sig, &peer));
    peer = address(6, 1); /* as 192.0.2.1 in its last byte */
    assert_null(md5sig_find(md5sig, &peer));
}

static void keys_are_wiped(void **state)
{
    (void)state;
    struct tcpct_address peer = address(4, 2);
    a_key(4);
    assert_true(has_secret(md5sig));
    assert_true(md5sig_set(md5sig, &peer, "b", 1)); /* a shorter one leaves nothing of it */
    assert_false(memmem(md5sig, malloc_usable_size(md5sig), secret + 1, sizeof secret - 2) != NULL);
    a_key(4);
    freed_with_secret = 0;
    md5sig_destroy(md5sig, &memory);
    md5sig = NULL;
    assert_int_equal(freed_with_secret, 0);
}

static void no_memory(void **state)
{
    (void)state;
    struct memory none = { .allocate = refuse, .release = release };
    struct md5sig *other = NULL;
    assert_int_equal(md5sig_create(&other, &none), TCPCT_ERROR_MEMORY);
    assert_null(other);
}

/* Where only FIPS-approved algorithms may be used. */
static void openssl_refuses_md5(void **state)
{
    (void)state;
    struct md5sig *other = NULL;
    assert_int_equal(EVP_set_default_properties(NULL, "fips=yes"), 1);
    int error = md5sig_create(&other, &memory);
    assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
    assert_int_equal(error, TCPCT_ERROR_NO_MD5);
    assert_null(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(known_digests),
        TEST(every_bit_is_covered),
        TEST(addresses_and_extension_are_covered),
        TEST(coalesced_segments_have_none),
        TEST(what_is_no_segment_has_no_digest),
        TEST(without_a_key),
        TEST(the_table_is_bounded),
        TEST(keys_are_wiped),
        TEST(no_memory),
        TEST(openssl_refuses_md5),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
