/* wire_test.c - the cursor reads, writes, and stays failed. */
#include "tcpct/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void reads_in_network_order(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    struct wire wire = wire_reader(bytes, sizeof bytes);
    uint8_t rest[2];

    assert_int_equal(wire_read8(&wire), 0x01);
    assert_int_equal(wire_read16(&wire), 0x0203);
    assert_int_equal(wire_read32(&wire), 0x04050607);
    assert_int_equal(wire_left(&wire), 2);
    wire_read(&wire, rest, 2);
    assert_memory_equal(rest, bytes + 7, 2);
    assert_int_equal(wire_left(&wire), 0);
    assert_false(wire.failed);
}

static void reads_of_high_bytes_do_not_extend_a_sign(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 0xff, 0xfe, 0xfd, 0xfc };

    assert_int_equal(wire_get16(bytes), 0xfffe);
    assert_int_equal(wire_get32(bytes), 0xfffefdfc);
}

static void a_failed_read_gives_zeros_and_stays(void **state)
{
    (void)state;
    uint8_t *bytes = malloc(3); /* exactly: a sanitizer sees any read beyond */
    memset(bytes, 0xaa, 3);
    struct wire wire = wire_reader(bytes, 3);
    uint8_t out[4] = { 1, 1, 1, 1 };

    assert_int_equal(wire_read32(&wire), 0);
    assert_true(wire.failed);
    assert_int_equal(wire_left(&wire), 0);
    assert_int_equal(wire_read8(&wire), 0); /* there would be a byte */
    wire_read(&wire, out, 4);
    assert_memory_equal(out, "\0\0\0\0", 4);
    assert_null(wire_skip(&wire, 0));
    free(bytes);
}

static void writes_in_network_order(void **state)
{
    (void)state;
    uint8_t bytes[12];
    struct wire wire = wire_writer(bytes, sizeof bytes);

    wire_write8(&wire, 0x01);
    wire_write16(&wire, 0x0203);
    wire_write32(&wire, 0x04050607);
    wire_write(&wire, "ab", 2);
    wire_fill(&wire, 0xee, 3);
    assert_false(wire.failed);
    assert_int_equal(wire.position, 12);
    assert_memory_equal(bytes, "\1\2\3\4\5\6\7ab\xee\xee\xee", 12);
}

static void a_write_past_the_end_writes_nothing(void **state)
{
    (void)state;
    uint8_t *bytes = calloc(1, 3);
    struct wire wire = wire_writer(bytes, 3);

    wire_write32(&wire, 0xffffffff);
    assert_true(wire.failed);
    wire_write8(&wire, 0xff);
    wire_write(&wire, "x", 1);
    wire_fill(&wire, 0xff, 1);
    assert_null(wire_claim(&wire, 1));
    assert_memory_equal(bytes, "\0\0\0", 3);
    free(bytes);
}

static void a_huge_size_does_not_wrap(void **state)
{
    (void)state;
    uint8_t bytes[4] = { 0 };
    struct wire wire = wire_writer(bytes, sizeof bytes);

    wire_write8(&wire, 1);
    wire_fill(&wire, 0xff, SIZE_MAX);
    assert_true(wire.failed);
    assert_memory_equal(bytes, "\1\0\0\0", 4);
}

static void a_reader_refuses_writes(void **state)
{
    (void)state;
    const uint8_t bytes[4] = { 0 };
    struct wire wire = wire_reader(bytes, sizeof bytes);

    wire_write8(&wire, 1);
    assert_true(wire.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_in_network_order),
        cmocka_unit_test(reads_of_high_bytes_do_not_extend_a_sign),
        cmocka_unit_test(a_failed_read_gives_zeros_and_stays),
        cmocka_unit_test(writes_in_network_order),
        cmocka_unit_test(a_write_past_the_end_writes_nothing),
        cmocka_unit_test(a_huge_size_does_not_wrap),
        cmocka_unit_test(a_reader_refuses_writes),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
