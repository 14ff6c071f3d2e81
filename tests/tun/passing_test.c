/* passing_test.c - what a box sees of a packet, and packets whose size it changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tun/frames.h"
#include "tun/passing.h"

static struct frame frame;

static struct passing look(const struct frame_fields *fields)
{
    frame_make(&frame, fields);
    struct passing passing = { .packet = &frame.packet };
    passing_look(&passing);
    return passing;
}

static void what_is_seen(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct passing passing = look(&(struct frame_fields){
            .family = family, .protocol = 6, .options_size = 8, .data_size = 9 });
        assert_true(passing.is_ip);
        assert_ptr_equal(passing.tcp, frame.bytes + frame_transport(&frame.packet));
        assert_int_equal(passing.header_size, 28);
        assert_int_equal(passing.data_size, 9);
        passing = look(&(struct frame_fields){ .family = family, .protocol = 17, .data_size = 9 });
        assert_true(passing.is_ip);
        assert_null(passing.tcp);
    }
}

static void what_is_not_sound(void **state)
{
    (void)state;
    struct passing passing =
        look(&(struct frame_fields){ .family = 4, .protocol = 6, .data_size = 9 });
    frame.bytes[30] ^= 1; /* of TCP: the checksum is wrong */
    passing_look(&passing);
    assert_true(passing.is_ip);
    assert_null(passing.tcp);
    frame.bytes[15] ^= 1; /* of IP */
    passing_look(&passing);
    assert_false(passing.is_ip);
}

static void sizes_change(void **state)
{
    (void)state;
    static const uint8_t options[12] = { 2, 4, 5, 180, 1, 1, 1, 1, 1, 1, 1, 1 };
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct passing passing = look(&(struct frame_fields){
            .family = family, .protocol = 6, .options_size = 4, .data_size = 100 });
        size_t length = frame.packet.length;
        assert_true(passing_replace_options(&passing, options, sizeof options));
        passing_finish(&passing);
        assert_int_equal(frame.packet.length, length + 8);
        assert_true(frame_is_right(&frame.packet));
        size_t payload = frame_payload(&frame.packet);
        assert_memory_equal(frame.bytes + payload - sizeof options, options, sizeof options);
        for (size_t i = 0; i < 100; i++)
            assert_int_equal(frame.bytes[payload + i], frame_data(i));

        passing_truncate(&passing, 10);
        passing_replace_options(&passing, options, 0);
        passing_finish(&passing);
        assert_int_equal(frame.packet.length, length - 4 - 90);
        assert_true(frame_is_right(&frame.packet));
    }
}

static void room_is_kept(void **state)
{
    (void)state;
    static const uint8_t options[40] = { 1 };
    struct passing passing =
        look(&(struct frame_fields){ .family = 4, .protocol = 6, .data_size = 100 });
    frame.packet.size = 150;
    assert_false(passing_replace_options(&passing, options, sizeof options));
    assert_false(passing.altered);
    assert_true(frame_is_right(&frame.packet));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_seen),
        cmocka_unit_test(what_is_not_sound),
        cmocka_unit_test(sizes_change),
        cmocka_unit_test(room_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
