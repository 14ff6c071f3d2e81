/* checksum_test.c - the fast checksum equals the plain one. */
#include "tcpct/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/generate.h"

/* As RFC 1071 words it: 16-bit words, end-around carry. */
static uint16_t plain(const uint8_t *bytes, size_t size)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i++) {
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

static void the_example_of_rfc_1071(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

    assert_int_equal(checksum_fold(checksum_add(0, bytes, sizeof bytes)), 0xddf2);
}

static void every_size_and_alignment(void **state)
{
    (void)state;
    struct generator generator = { 1 };
    uint8_t bytes[300];

    generate_bytes(&generator, bytes, sizeof bytes);
    for (size_t offset = 0; offset < 8; offset++)
        for (size_t size = 0; size <= sizeof bytes - 8; size++)
            assert_int_equal(checksum_fold(checksum_add(0, bytes + offset, size)),
                             plain(bytes + offset, size));
}

static void carries_are_kept(void **state)
{
    (void)state;
    uint8_t *bytes = malloc(65535);

    memset(bytes, 0xff, 65535);
    for (size_t size = 65500; size <= 65535; size++)
        assert_int_equal(checksum_fold(checksum_add(0, bytes, size)), plain(bytes, size));
    assert_int_equal(checksum_fold(0xffffffff), 0xffff);
    assert_int_equal(checksum_fold(0xfffeffff), 0xfffe);
    assert_int_equal(checksum_fold(0x0001ffff), 0x0001);
    free(bytes);
}

static void pieces_add_up(void **state)
{
    (void)state;
    struct generator generator = { 2 };
    uint8_t bytes[1000];

    generate_bytes(&generator, bytes, sizeof bytes);
    for (size_t cut = 0; cut < sizeof bytes; cut += 2) {
        uint32_t sum = checksum_add(0, bytes, cut);
        sum = checksum_add(sum, bytes + cut, sizeof bytes - 1 - cut);
        assert_int_equal(checksum_fold(sum), plain(bytes, sizeof bytes - 1));
    }
}

static void zero_and_nothing(void **state)
{
    (void)state;
    const uint8_t zeros[40] = { 0 };

    assert_int_equal(checksum_fold(checksum_add(0, zeros, sizeof zeros)), 0);
    assert_int_equal(checksum_add(0x12345, zeros, 0), 0x12345);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_1071), cmocka_unit_test(every_size_and_alignment),
        cmocka_unit_test(carries_are_kept),        cmocka_unit_test(pieces_add_up),
        cmocka_unit_test(zero_and_nothing),
    };
    return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
