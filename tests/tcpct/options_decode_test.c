/* options_decode_test.c - every rule that ignores, infers or discards. */
#include "tcpct/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/generate.h"

enum { ROOM = OPTIONS_SIZE_MAX + EXTENSION_SIZE_MAX };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Options that are all in the header. */
static enum options_verdict decode(struct tcp_options *options, const uint8_t *bytes, size_t size)
{
    size_t extension_size;

    enum options_verdict verdict =
        decode_options(options, bytes, size, size, &extension_size, NULL);
    if (verdict == OPTIONS_OK)
        assert_int_equal(extension_size, 0);
    return verdict;
}

/* Options in an extension of `size` bytes, after a pair of 32-bit timestamps. */
static enum options_verdict decode_extended(struct tcp_options *options, const uint8_t *bytes,
                                            size_t size)
{
    uint8_t all[ROOM] = { 254, 4, 0, 1 };
    size_t total = 8 + size > 36 ? (8 + size + 3) / 4 * 4 : 36, extension_size;

    all[2] = (uint8_t)(total / 4);
    memcpy(all + 12, bytes, size);
    return decode_options(options, all, 4, 4 + total, &extension_size, NULL);
}

#define DECODE(options, ...) \
    decode(options, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
#define DECODE_EXTENDED(options, ...)                          \
    decode_extended(options, (const uint8_t[]){ __VA_ARGS__ }, \
                    sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* ---- lengths: ignored (3.1 to 3.3) ----------------------------------------------------------- */

/* The kind alone with every length: which bits come out? */
static void every_length_of_every_kind(void **state)
{
    (void)state;
    static const struct {
        uint8_t kind;
        uint32_t bit;
        uint64_t lengths; /* bit n: length n is valid */
    } kinds[] = {
        { 2, OPTION_MSS, 1 << 4 },
        { 3, OPTION_WINDOW_SCALE, 1 << 3 },
        { 4, OPTION_SACK_PERMITTED, 1 << 2 },
        { 5, OPTION_SACK, 1 << 10 | 1 << 18 | 1 << 26 | 1ull << 34 },
        { 8, OPTION_TIMESTAMPS, 1 << 10 },
        { 19, OPTION_MD5, 1 << 18 },
        { 28, OPTION_USER_TIMEOUT, 1 << 4 },
        { 29, OPTION_AUTHENTICATION, 0x1fffffffff0 },
        { 34, OPTION_FAST_OPEN,
          1 << 2 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 12 | 1 << 14 | 1 << 16 | 1 << 18 },
        { 253, OPTION_COOKIE, 1 << 10 | 1 << 12 | 1 << 14 | 1 << 16 | 1 << 18 },
    };
    struct tcp_options options;

    for (size_t i = 0; i < COUNT(kinds); i++)
        for (uint8_t length = 2; length <= 40; length++) {
            uint8_t bytes[40] = { kinds[i].kind, length };
            bool valid = (kinds[i].lengths >> length & 1) != 0;
            assert_int_equal(decode(&options, bytes, length), OPTIONS_OK);
            if (kinds[i].kind == 253 && length == 2) {
                assert_int_equal(options.present, OPTION_COOKIE_LESS);
                continue;
            }
            assert_int_equal(options.present, valid ? kinds[i].bit : 0);
            assert_int_equal(options.ignored, valid ? 0 : 1);
        }
}

static void lengths_of_a_pair(void **state)
{
    (void)state;
    struct tcp_options options;

    for (uint8_t length = 3; length < 60; length++) {
        uint8_t bytes[60] = { 253, length };
        bool valid = length >= 18 && length <= 34 && length % 4 == 2;
        bool seal = length > 34;
        assert_int_equal(decode_extended(&options, bytes, length), OPTIONS_OK);
        assert_int_equal(options.present, OPTION_TIMESTAMPS_EXTENDED |
                                              (valid ? OPTION_COOKIE_PAIR : 0) |
                                              (seal ? OPTION_SEAL : 0));
        assert_int_equal(options.ignored, valid || seal ? 0 : 1);
        if (valid)
            assert_int_equal(options.cookie_size, (length - 2) / 2);
    }
}

/* Longer than a pair (3.2); what no seal can be is ignored. */
static void lengths_of_a_seal(void **state)
{
    (void)state;
    struct tcp_options options;

    for (unsigned length = 35; length < 256; length++) {
        uint8_t bytes[256] = { 253, (uint8_t)length, 7 };
        bool valid = length <= 65;
        bytes[length - 1] = 9;
        assert_int_equal(decode_extended(&options, bytes, length), OPTIONS_OK);
        assert_int_equal(options.present, OPTION_TIMESTAMPS_EXTENDED | (valid ? OPTION_SEAL : 0));
        assert_int_equal(options.ignored, valid ? 0 : 1);
        if (!valid)
            continue;
        assert_int_equal(options.seal_size, length - 2);
        assert_memory_equal(options.seal, bytes + 2, length - 2);
    }
}

static void a_bad_length_leaves_the_rest(void **state)
{
    (void)state;
    struct tcp_options options;

    assert_int_equal(DECODE(&options, 2, 5, 0, 0, 0, 253, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3, 3, 5),
                     OPTIONS_OK);
    assert_int_equal(options.present, OPTION_WINDOW_SCALE);
    assert_int_equal(options.ignored, 2);
    assert_int_equal(options.window_scale, 5);
    /* An ignored one is no duplicate. */
    assert_int_equal(DECODE(&options, 253, 9, 1, 2, 3, 4, 5, 6, 7, 253, 10, 1, 2, 3, 4, 5, 6, 7, 8),
                     OPTIONS_OK);
    assert_int_equal(options.present, OPTION_COOKIE);
}

static void a_length_past_the_end(void **state)
{
    (void)state;
    struct tcp_options options;
    struct option_layout layout;
    size_t extension_size;
    uint8_t out[ROOM];
    const uint8_t extended[40] = { 254, 4, 9, 1, [12] = 2, 4, 5, 6, 3, 99 };

    assert_int_equal(DECODE(&options, 2, 4, 5, 180, 8, 10, 1, 2), OPTIONS_MALFORMED);
    assert_int_equal(options.present, OPTION_MSS);
    assert_int_equal(options.ignored, 1);
    assert_int_equal(DECODE(&options, 2, 4, 5, 180, 8), OPTIONS_MALFORMED);
    assert_int_equal(DECODE(&options, 4, 2, 8, 0, 2, 4, 1, 1), OPTIONS_MALFORMED);
    assert_int_equal(options.present, OPTION_SACK_PERMITTED);
    assert_int_equal(DECODE(&options, 99, 1, 2, 4, 1, 1), OPTIONS_MALFORMED);
    assert_int_equal(options.present, 0);

    assert_int_equal(decode_options(&options, extended, 4, 40, &extension_size, &layout),
                     OPTIONS_MALFORMED);
    assert_int_equal(extension_size, 36);
    assert_int_equal(options.present, OPTION_TIMESTAMPS_EXTENDED | OPTION_MSS);
    assert_int_equal(options_encode_layout(&options, &layout, out, ROOM), 40);
    assert_memory_equal(out, extended, 40);
}

static void unknown_kinds_are_skipped(void **state)
{
    (void)state;
    struct tcp_options options;

    /* T/TCP (8.3) among them. */
    assert_int_equal(DECODE(&options, 11, 6, 1, 2, 3, 4, 12, 6, 1, 2, 3, 4, 13, 6, 1, 2, 3, 4, 200,
                            2, 77, 3, 9, 2, 4, 1, 2),
                     OPTIONS_OK);
    assert_int_equal(options.present, OPTION_MSS);
    assert_int_equal(options.ignored, 0);
}

static void end_of_list_ends_it(void **state)
{
    (void)state;
    struct tcp_options options;

    assert_int_equal(DECODE(&options, 1, 1, 0, 2, 4, 1, 2), OPTIONS_OK);
    assert_int_equal(options.present, 0);
    assert_int_equal(decode(&options, NULL, 0), OPTIONS_OK);
    assert_int_equal(options.present, 0);
    /* Kind 254 before the end counts, and the extension with it. */
    assert_int_equal(DECODE_EXTENDED(&options, 2, 4, 1, 2, 0, 3, 3, 1), OPTIONS_OK);
    assert_int_equal(options.present, OPTION_TIMESTAMPS_EXTENDED | OPTION_MSS);
}

/* ---- duplicates: discarded (3, 3.4) ---------------------------------------------------------- */

static void duplicates_are_told(void **state)
{
    (void)state;
    struct tcp_options options;

    assert_int_equal(
        DECODE(&options, 253, 10, 1, 2, 3, 4, 5, 6, 7, 8, 253, 10, 1, 2, 3, 4, 5, 6, 7, 8),
        OPTIONS_DUPLICATE);
    assert_int_equal(DECODE(&options, 253, 10, 1, 2, 3, 4, 5, 6, 7, 8, 253, 2), OPTIONS_DUPLICATE);
    assert_int_equal(DECODE(&options, 253, 2, 253, 2), OPTIONS_DUPLICATE);
    assert_int_equal(DECODE(&options, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2),
                     OPTIONS_DUPLICATE);
    assert_int_equal(DECODE(&options, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 254, 4, 9, 1),
                     OPTIONS_DUPLICATE);
    assert_int_equal(DECODE(&options, 254, 4, 9, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2),
                     OPTIONS_DUPLICATE);
    assert_int_equal(DECODE(&options, 254, 4, 9, 1, 254, 4, 9, 1), OPTIONS_DUPLICATE);
    assert_int_equal(DECODE_EXTENDED(&options, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2), OPTIONS_DUPLICATE);
    assert_int_equal(DECODE_EXTENDED(&options, 254, 4, 9, 1), OPTIONS_DUPLICATE);
    assert_int_equal(DECODE_EXTENDED(&options, 253, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                                     14, 15, 16, 253, 2),
                     OPTIONS_DUPLICATE);
    assert_int_equal(DECODE_EXTENDED(&options, 253, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                                     14, 15, 16, 253, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                                     14, 15, 16),
                     OPTIONS_DUPLICATE);
}

static void a_cookie_before_and_a_pair_after(void **state)
{
    (void)state;
    struct tcp_options options;
    size_t extension_size;
    /* Length 18 either way: a Cookie of 16 before kind 254, a pair of 8 and 8 after it. */
    uint8_t bytes[4 + 20 + 36] = { 254, 4, 9, 1, 253, 18, 1, 2 };
    assert_int_equal(decode_options(&options, bytes, 24, 60, &extension_size, NULL), OPTIONS_OK);
    assert_int_equal(options.present, OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR);
    assert_int_equal(options.cookie_size, 8);

    const uint8_t before[4 + 20 + 36] = { 253, 18, 1, 2, [18] = 1, 1, 254, 4, 9, 1 };
    assert_int_equal(decode_options(&options, before, 24, 60, &extension_size, NULL), OPTIONS_OK);
    assert_int_equal(options.present, OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE);
    assert_int_equal(options.cookie_size, 16);

    uint8_t both[4 + 20 + 36];
    memcpy(both, before, sizeof both);
    both[24 + 8] = 253;
    both[24 + 9] = 18;
    assert_int_equal(decode_options(&options, both, 24, 60, &extension_size, NULL),
                     OPTIONS_DUPLICATE);
}

static void of_others_the_first_counts(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 2, 4, 0, 1, 2, 4, 0, 2, 3, 3, 1, 3, 3, 2, 1, 0 };
    struct tcp_options options;
    struct option_layout layout;
    size_t extension_size;
    uint8_t out[ROOM];

    assert_int_equal(decode_options(&options, bytes, 16, 16, &extension_size, &layout), OPTIONS_OK);
    assert_int_equal(options.mss, 1);
    assert_int_equal(options.window_scale, 1);
    assert_int_equal(options_encode_layout(&options, &layout, out, ROOM), 16);
    assert_memory_equal(out, bytes, 16);
}

static void signed_segments_have_no_cookie(void **state)
{
    (void)state;
    struct tcp_options options;

    assert_int_equal(DECODE(&options, 253, 10, 1, 2, 3, 4, 5, 6, 7, 8, 19, 18, 0, 0, 0, 0, 0, 0, 0,
                            0, 0, 0, 0, 0, 0, 0, 0, 0),
                     OPTIONS_OK);
    assert_int_equal(options.present, OPTION_MD5);
    assert_int_equal(options.ignored, 1);
    assert_int_equal(DECODE(&options, 29, 4, 1, 2, 253, 10, 1, 2, 3, 4, 5, 6, 7, 8), OPTIONS_OK);
    assert_int_equal(options.present, OPTION_AUTHENTICATION);
    /* Cookie-less is what they use instead (8.4). */
    assert_int_equal(DECODE(&options, 29, 4, 1, 2, 253, 2), OPTIONS_OK);
    assert_int_equal(options.present, OPTION_AUTHENTICATION | OPTION_COOKIE_LESS);
}

/* ---- Extend (3.4) ---------------------------------------------------------------------------- */

static void every_extend_value(void **state)
{
    (void)state;
    uint8_t bytes[4 + 4 * 20] = { 254, 4, 0, 1 };
    struct tcp_options options;
    size_t extension_size;

    for (unsigned extend = 0; extend < 256; extend++) {
        bytes[2] = (uint8_t)extend;
        enum options_verdict verdict =
            decode_options(&options, bytes, 4, sizeof bytes, &extension_size, NULL);
        bool valid = extend >= 9 && extend <= 20;
        assert_int_equal(verdict, valid ? OPTIONS_OK : OPTIONS_BAD_EXTEND);
        assert_int_equal(extension_size, valid ? 4 * extend : 0);
    }
}

static void every_size_of_timestamps(void **state)
{
    (void)state;
    uint8_t bytes[4 + 36] = { 254, 4, 9, 0 };
    struct tcp_options options;
    size_t extension_size;

    for (unsigned i = 0; i < 36; i++)
        bytes[4 + i] = i < 32 ? (uint8_t)(0x80 + i) : 0;
    for (unsigned size = 0; size < 256; size++) {
        unsigned code = size & 7; /* the upper five bits are reserved: not looked at */
        bool valid = code == 1 || code == 2 || code == 4;
        bytes[3] = (uint8_t)size;
        enum options_verdict verdict =
            decode_options(&options, bytes, 4, sizeof bytes, &extension_size, NULL);
        /* (After smaller timestamps, what is left of the counting bytes are unknown options.) */
        assert_int_equal(verdict == OPTIONS_BAD_EXTEND, !valid);
        if (valid)
            assert_int_equal(options.timestamp_size, 4 * code);
    }
    bytes[3] = 4;
    assert_int_equal(decode_options(&options, bytes, 4, sizeof bytes, &extension_size, NULL),
                     OPTIONS_OK);
    assert_memory_equal(options.timestamp_value_prefix, bytes + 4, 12);
    assert_int_equal(options.timestamp_value, 0x8c8d8e8f);
    assert_memory_equal(options.timestamp_echo_prefix, bytes + 20, 12);
    assert_int_equal(options.timestamp_echo, 0x9c9d9e9f);
}

static void the_largest_extension(void **state)
{
    (void)state;
    uint8_t bytes[4 + EXTENSION_SIZE_MAX] = { 254, 4, 255, 1, [12] = 99, 255, [267] = 2, 4, 1, 2 };
    struct tcp_options options;
    size_t extension_size;

    assert_int_equal(decode_options(&options, bytes, 4, sizeof bytes, &extension_size, NULL),
                     OPTIONS_OK);
    assert_int_equal(extension_size, EXTENSION_SIZE_MAX);
    assert_int_equal(options.mss, 0x0102);
}

static void verdicts_have_texts(void **state)
{
    (void)state;
    for (int verdict = OPTIONS_OK; verdict <= OPTIONS_BAD_EXTEND; verdict++)
        assert_string_not_equal(options_verdict_text((enum options_verdict)verdict), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_of_every_kind),
        cmocka_unit_test(lengths_of_a_pair),
        cmocka_unit_test(lengths_of_a_seal),
        cmocka_unit_test(a_bad_length_leaves_the_rest),
        cmocka_unit_test(a_length_past_the_end),
        cmocka_unit_test(unknown_kinds_are_skipped),
        cmocka_unit_test(end_of_list_ends_it),
        cmocka_unit_test(duplicates_are_told),
        cmocka_unit_test(a_cookie_before_and_a_pair_after),
        cmocka_unit_test(of_others_the_first_counts),
        cmocka_unit_test(signed_segments_have_no_cookie),
        cmocka_unit_test(every_extend_value),
        cmocka_unit_test(every_size_of_timestamps),
        cmocka_unit_test(the_largest_extension),
        cmocka_unit_test(verdicts_have_texts),
    };
    return cmocka_run_group_tests_name("options_decode", tests, NULL, NULL);
}
