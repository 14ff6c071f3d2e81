/* options_encode_test.c - RFC 6013's own examples byte for byte, what goes together and what does
 * not, and random options through the codec and back.
 */
#include "tcpct/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/generate.h"

enum { ROOM = OPTIONS_SIZE_MAX + EXTENSION_SIZE_MAX };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define COOKIE_14 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd
#define OTHER_14 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd

static const uint8_t cookie_14[] = { COOKIE_14 };
static const uint8_t other_14[] = { OTHER_14 };

/* A.1, <SYN>: MSS 1460, UTO 300 s, SackOK, TS 0x01020304/0, Cookie, wscale 7, EOL. */
static const uint8_t a1[] = {
    2,   4,  0x05,      0xb4,                                     /* MSS */
    28,  4,  0x01,      0x2c,                                     /* UTO */
    4,   2,  8,         10,   0x01, 0x02, 0x03, 0x04, 0, 0, 0, 0, /* SackOK, TS */
    253, 16, COOKIE_14,                                           /* Cookie */
    3,   3,  7,         0,                                        /* wscale, EOL */
};

/* A.2, <ACK(SYN)> with Sack; the first 4 bytes stand in the header. */
static const uint8_t a2[] = {
    254,  4,    16,   1,                                     /* TSX: Extend 16, Size 1 */
    0x01, 0x02, 0x03, 0x04, 0x05,      0x06,     0x07, 0x08, /* TS Value, TS Echo Reply */
    1,    1,    253,  30,   COOKIE_14, OTHER_14,             /* Cookie-Pair */
    2,    4,    0x05, 0xb4,                                  /* MSS */
    28,   4,    0x81, 0x2c,                                  /* UTO */
    1,    1,    5,    10,   0,         0,        0x10, 0x01, 0, 0, 0x20, 0x01, /* Sack */
    3,    3,    7,    0,                                                       /* wscale, EOL */
};

/* A.3, <ACK(SYN)> with 64-bit timestamps. */
static const uint8_t a3[] = {
    254,  4,    15,   2,                                     /* TSX: Extend 15, Size 2 */
    0xf0, 0xf1, 0xf2, 0xf3, 0x01,      0x02,     0x03, 0x04, /* TS Value */
    0xe0, 0xe1, 0xe2, 0xe3, 0x05,      0x06,     0x07, 0x08, /* TS Echo Reply */
    4,    2,    253,  30,   COOKIE_14, OTHER_14,             /* SackOK, Cookie-Pair */
    2,    4,    0x05, 0xb4,                                  /* MSS */
    28,   4,    0x01, 0x2c,                                  /* UTO */
    3,    3,    7,    0,                                     /* wscale, EOL */
};

/* ---- Appendix A ---------------------------------------------------------------------------- */

/* Both ways of encoding give `bytes` again. */
static void assert_encodes(const struct tcp_options *options, const struct option_layout *layout,
                           const uint8_t *bytes, size_t header_size, size_t size)
{
    uint8_t out[ROOM];
    size_t header, extension;

    assert_true(options_encode(options, out, size, &header, &extension));
    assert_int_equal(header, header_size);
    assert_int_equal(header + extension, size);
    assert_memory_equal(out, bytes, size);
    assert_true(options_size(options, &header, &extension));
    assert_int_equal(header, header_size);
    assert_int_equal(header + extension, size);
    memset(out, 0, sizeof out);
    assert_int_equal(options_encode_layout(options, layout, out, size), size);
    assert_memory_equal(out, bytes, size);
    for (size_t room = 0; room < size; room++) {
        assert_false(options_encode(options, out, room, &header, &extension));
        assert_int_equal(options_encode_layout(options, layout, out, room), 0);
    }
}

static void example_a1(void **state)
{
    (void)state;
    struct tcp_options options;
    struct option_layout layout;
    size_t extension_size;

    assert_int_equal(sizeof a1, 40);
    assert_int_equal(decode_options(&options, a1, 40, 40, &extension_size, &layout), OPTIONS_OK);
    assert_int_equal(extension_size, 0);
    assert_int_equal(options.present, OPTION_MSS | OPTION_USER_TIMEOUT | OPTION_SACK_PERMITTED |
                                          OPTION_TIMESTAMPS | OPTION_COOKIE | OPTION_WINDOW_SCALE);
    assert_int_equal(options.ignored, 0);
    assert_int_equal(options.mss, 1460);
    assert_int_equal(options.user_timeout, 300);
    assert_int_equal(options.timestamp_size, 4);
    assert_int_equal(options.timestamp_value, 0x01020304);
    assert_int_equal(options.timestamp_echo, 0);
    assert_int_equal(options.cookie_size, 14);
    assert_memory_equal(options.initiator_cookie, cookie_14, 14);
    assert_int_equal(options.window_scale, 7);
    assert_encodes(&options, &layout, a1, 40, 40);
}

static void example_a2(void **state)
{
    (void)state;
    struct tcp_options options;
    struct option_layout layout;
    size_t extension_size;

    assert_int_equal(sizeof a2, 4 + 4 * 16);
    assert_int_equal(decode_options(&options, a2, 4, sizeof a2, &extension_size, &layout),
                     OPTIONS_OK);
    assert_int_equal(extension_size, 64);
    assert_int_equal(options.present, OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR | OPTION_MSS |
                                          OPTION_USER_TIMEOUT | OPTION_SACK |
                                          OPTION_SACK_PERMITTED |
                                          OPTION_WINDOW_SCALE); /* "Sack implies SackOK." */
    assert_int_equal(options.timestamp_size, 4);
    assert_int_equal(options.timestamp_value, 0x01020304);
    assert_int_equal(options.timestamp_echo, 0x05060708);
    assert_int_equal(options.cookie_size, 14);
    assert_memory_equal(options.initiator_cookie, cookie_14, 14);
    assert_memory_equal(options.responder_cookie, other_14, 14);
    assert_int_equal(options.mss, 1460);
    assert_int_equal(options.user_timeout, 0x812c);
    assert_int_equal(options.sack_count, 1);
    assert_int_equal(options.sack[0].start, 0x1001);
    assert_int_equal(options.sack[0].end, 0x2001);
    assert_int_equal(options.window_scale, 7);
    assert_encodes(&options, &layout, a2, 4, sizeof a2);
}

static void example_a3(void **state)
{
    (void)state;
    struct tcp_options options;
    struct option_layout layout;
    size_t extension_size;

    assert_int_equal(sizeof a3, 4 + 4 * 15);
    assert_int_equal(decode_options(&options, a3, 4, sizeof a3, &extension_size, &layout),
                     OPTIONS_OK);
    assert_int_equal(extension_size, 60);
    assert_int_equal(options.present, OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR | OPTION_MSS |
                                          OPTION_USER_TIMEOUT | OPTION_SACK_PERMITTED |
                                          OPTION_WINDOW_SCALE);
    assert_int_equal(options.timestamp_size, 8);
    assert_int_equal(options.timestamp_value, 0x01020304);
    assert_int_equal(options.timestamp_echo, 0x05060708);
    assert_memory_equal(options.timestamp_value_prefix, "\0\0\0\0\0\0\0\0\xf0\xf1\xf2\xf3", 12);
    assert_memory_equal(options.timestamp_echo_prefix, "\0\0\0\0\0\0\0\0\xe0\xe1\xe2\xe3", 12);
    assert_memory_equal(options.initiator_cookie, cookie_14, 14);
    assert_memory_equal(options.responder_cookie, other_14, 14);
    assert_encodes(&options, &layout, a3, 4, sizeof a3);
}

/* ---- sizes -------------------------------------------------------------------------------- */

static void a_short_extension_is_padded(void **state)
{
    (void)state;
    const struct tcp_options options = { .present = OPTION_TIMESTAMPS_EXTENDED,
                                         .timestamp_size = 4,
                                         .timestamp_value = 0x01020304,
                                         .timestamp_echo = 0x05060708 };
    const uint8_t expected[40] = { 254, 4, 9, 1, 1, 2, 3, 4, 5, 6, 7, 8 };
    uint8_t bytes[ROOM];
    size_t header_size, extension_size;

    memset(bytes, 0xff, sizeof bytes);
    assert_true(options_encode(&options, bytes, sizeof bytes, &header_size, &extension_size));
    assert_int_equal(header_size, 4);
    assert_int_equal(extension_size, 36);
    assert_memory_equal(bytes, expected, 40);
}

static void the_most_sack_blocks(void **state)
{
    (void)state;
    struct tcp_options options = { .present = OPTION_TIMESTAMPS_EXTENDED | OPTION_SACK,
                                   .timestamp_size = 16,
                                   .sack_count = SACK_BLOCKS_MAX },
                       back;
    uint8_t bytes[ROOM];
    size_t header_size, extension_size, again;

    for (unsigned i = 0; i < SACK_BLOCKS_MAX; i++)
        options.sack[i] = (struct sack_block){ 1000 * i, 1000 * i + 500 };
    assert_true(options_encode(&options, bytes, sizeof bytes, &header_size, &extension_size));
    assert_int_equal(
        decode_options(&back, bytes, header_size, header_size + extension_size, &again, NULL),
        OPTIONS_OK);
    assert_int_equal(again, extension_size);
    assert_true(options_same(&options, &back));
}

/* ---- what does not go ------------------------------------------------------------------------ */

static void combinations_that_cannot_be_encoded(void **state)
{
    (void)state;
    static const struct tcp_options impossible[] = {
        { .present = OPTION_TIMESTAMPS | OPTION_TIMESTAMPS_EXTENDED, .timestamp_size = 4 },
        { .present = OPTION_COOKIE | OPTION_COOKIE_LESS, .cookie_size = 8 },
        { .present = OPTION_COOKIE_PAIR, .cookie_size = 8 },
        { .present = OPTION_COOKIE | OPTION_TIMESTAMPS_EXTENDED,
          .timestamp_size = 4,
          .cookie_size = 8 },
        { .present = OPTION_COOKIE_PAIR | OPTION_COOKIE_LESS | OPTION_TIMESTAMPS_EXTENDED,
          .timestamp_size = 4,
          .cookie_size = 8 },
        { .present = OPTION_COOKIE, .cookie_size = 6 },
        { .present = OPTION_COOKIE, .cookie_size = 9 },
        { .present = OPTION_COOKIE, .cookie_size = 18 },
        { .present = OPTION_COOKIE, .cookie_size = 0 },
        { .present = OPTION_TIMESTAMPS_EXTENDED, .timestamp_size = 0 },
        { .present = OPTION_TIMESTAMPS_EXTENDED, .timestamp_size = 12 },
        { .present = OPTION_SACK, .sack_count = 0 },
        { .present = OPTION_SACK, .sack_count = 32 },
        { .present = OPTION_FAST_OPEN, .fast_open_size = 2 },
        { .present = OPTION_FAST_OPEN, .fast_open_size = 18 },
        { .present = OPTION_AUTHENTICATION },
        /* These would be well, but need more than 40 bytes. */
        { .present = OPTION_MSS | OPTION_USER_TIMEOUT | OPTION_SACK_PERMITTED | OPTION_TIMESTAMPS |
                     OPTION_COOKIE | OPTION_WINDOW_SCALE,
          .cookie_size = 16 },
        { .present = OPTION_TIMESTAMPS | OPTION_SACK, .sack_count = 4 },
    };
    uint8_t bytes[ROOM];
    size_t header_size, extension_size;

    for (size_t i = 0; i < COUNT(impossible); i++) {
        assert_false(
            options_encode(&impossible[i], bytes, sizeof bytes, &header_size, &extension_size));
        assert_false(options_size(&impossible[i], &header_size, &extension_size));
    }
}

static void common_headers(void **state)
{
    (void)state;
    static const struct {
        struct tcp_options options;
        uint8_t size, bytes[40];
    } cases[] = {
        { { .present = OPTION_TIMESTAMPS, .timestamp_value = 1, .timestamp_echo = 2 },
          12,
          { 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2 } },
        { { .present = OPTION_TIMESTAMPS | OPTION_SACK,
            .timestamp_value = 1,
            .timestamp_echo = 2,
            .sack_count = 1,
            .sack = { { 3, 4 } } },
          24,
          { 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 10, 0, 0, 0, 3, 0, 0, 0, 4 } },
        { { .present = OPTION_MSS | OPTION_SACK_PERMITTED | OPTION_WINDOW_SCALE,
            .mss = 1460,
            .window_scale = 4 },
          12,
          { 2, 4, 5, 180, 1, 1, 4, 2, 3, 3, 4, 0 } },
        { { .present = OPTION_MSS | OPTION_SACK_PERMITTED | OPTION_TIMESTAMPS |
                       OPTION_WINDOW_SCALE | OPTION_FAST_OPEN,
            .mss = 1460,
            .window_scale = 4 },
          24,
          { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 4, 34, 2 } },
        { { .present = OPTION_TIMESTAMPS | OPTION_MD5 },
          32,
          { 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 19, 18 } },
        { { .present = OPTION_COOKIE_LESS }, 4, { 253, 2 } },
        { { .present = 0 }, 0, { 0 } },
    };
    uint8_t bytes[ROOM];
    size_t header_size, extension_size;

    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(
            options_encode(&cases[i].options, bytes, sizeof bytes, &header_size, &extension_size));
        assert_int_equal(header_size, cases[i].size);
        assert_int_equal(extension_size, 0);
        assert_memory_equal(bytes, cases[i].bytes, header_size);
    }
}

/* ---- generative ------------------------------------------------------------------------------ */

static void random_options_come_back(void **state)
{
    (void)state;
    struct generator generator = { 6013 };

    for (unsigned i = 0; i < 20000; i++) {
        struct tcp_options options, back;
        struct option_layout layout;
        uint8_t bytes[ROOM], again[ROOM];
        size_t header_size, extension_size, found;

        generate_options(&generator, &options);
        assert_true(options_encode(&options, bytes, sizeof bytes, &header_size, &extension_size));
        assert_int_equal(header_size % 4, 0);
        assert_int_equal(extension_size % 4, 0);
        size_t size = header_size + extension_size;
        assert_int_equal(decode_options(&back, bytes, header_size, size, &found, &layout),
                         OPTIONS_OK);
        assert_int_equal(found, extension_size);
        assert_int_equal(back.ignored, 0);
        assert_true(options_same(&options, &back));
        assert_int_equal(options_encode_layout(&back, &layout, again, ROOM), size);
        assert_memory_equal(again, bytes, size);
    }
}

/* Encoding by a layout takes the values from the struct: with others than the layout's, the
 * decoder finds the others. */
static void a_layout_holds_no_values(void **state)
{
    (void)state;
    struct tcp_options options, changed, back;
    struct option_layout layout;
    size_t extension_size;
    uint8_t bytes[ROOM];

    decode_options(&options, a3, 4, sizeof a3, &extension_size, &layout);
    changed = options;
    changed.mss = 9000;
    changed.user_timeout = 17;
    changed.window_scale = 3;
    changed.timestamp_value = 99;
    changed.timestamp_echo_prefix[11] = 1;
    changed.responder_cookie[13] = 1;
    assert_int_equal(options_encode_layout(&changed, &layout, bytes, ROOM), sizeof a3);
    decode_options(&back, bytes, 4, sizeof a3, &extension_size, NULL);
    assert_true(options_same(&back, &changed));

    /* What the layout has no place for. */
    changed = options;
    changed.present |= OPTION_MD5;
    assert_int_equal(options_encode_layout(&changed, &layout, bytes, ROOM), 0);
    changed = options;
    changed.cookie_size = 16;
    assert_int_equal(options_encode_layout(&changed, &layout, bytes, ROOM), 0);
    changed = options;
    changed.timestamp_size = 4;
    assert_int_equal(options_encode_layout(&changed, &layout, bytes, ROOM), 0);
}

/* Chains of mostly good options, with a bad length here and there. */
static void generate_chain(struct generator *generator, uint8_t *bytes, size_t size)
{
    static const uint8_t kinds[] = { 0, 1, 1, 2, 3, 4, 5, 8, 11, 19, 28, 29, 34, 253, 253, 254 };
    static const uint8_t lengths[] = { 4, 2, 2, 4, 3, 2, 10, 10, 6, 18, 4, 16, 2, 10, 18, 4 };

    generate_bytes(generator, bytes, size);
    for (size_t at = 0; at + 3 < size;) {
        uint32_t choice = generate_below(generator, sizeof kinds);
        if (kinds[choice] == 0 && generate_below(generator, 4) != 0)
            continue;
        bytes[at] = kinds[choice];
        if (kinds[choice] <= 1) {
            at++;
            continue;
        }
        bytes[at + 1] = lengths[choice];
        if (generate_below(generator, 16) == 0)
            bytes[at + 1] = (uint8_t)generate_below(generator, 40);
        if (kinds[choice] == 254) {
            bytes[at + 2] = (uint8_t)(8 + generate_below(generator, 40));
            bytes[at + 3] = (uint8_t)(1 << generate_below(generator, 3));
        }
        at += bytes[at + 1] + (bytes[at + 1] == 0);
    }
}

static void random_bytes_do_no_harm(void **state)
{
    (void)state;
    struct generator generator = { 253254 };
    unsigned verdicts[4] = { 0 };

    for (unsigned i = 0; i < 50000; i++) {
        struct tcp_options options;
        struct option_layout layout;
        uint8_t bytes[40 + 200], out[ROOM];
        size_t header_size = 4 * generate_below(&generator, 11);
        size_t size = header_size + generate_below(&generator, 200), extension_size;

        generate_chain(&generator, bytes, size);
        enum options_verdict verdict =
            decode_options(&options, bytes, header_size, size, &extension_size, &layout);
        verdicts[verdict]++;
        if (verdict != OPTIONS_OK && verdict != OPTIONS_MALFORMED)
            continue;
        assert_int_equal(options_encode_layout(&options, &layout, out, ROOM),
                         header_size + extension_size);
        assert_memory_equal(out, bytes, header_size + extension_size);
    }
    for (unsigned i = 0; i < 4; i++)
        assert_true(verdicts[i] > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_a1),
        cmocka_unit_test(example_a2),
        cmocka_unit_test(example_a3),
        cmocka_unit_test(a_short_extension_is_padded),
        cmocka_unit_test(the_most_sack_blocks),
        cmocka_unit_test(combinations_that_cannot_be_encoded),
        cmocka_unit_test(common_headers),
        cmocka_unit_test(random_options_come_back),
        cmocka_unit_test(a_layout_holds_no_values),
        cmocka_unit_test(random_bytes_do_no_harm),
    };
    return cmocka_run_group_tests_name("options_encode", tests, NULL, NULL);
}
