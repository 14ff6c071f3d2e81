/* name_test.c - domain names: sizes, order, keys, text. */
#include "dns/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t parse(uint8_t name[NAME_SIZE_MAX], const char *text)
{
    size_t size = name_parse(name, text);
    name_lower(name, name, size);
    return size;
}

static void sizes(void **state)
{
    (void)state;
    uint8_t name[300];
    assert_int_equal(name_size((const uint8_t *)"\0", 1), 1);
    assert_int_equal(name_size((const uint8_t *)"\3www\0", 5), 5);
    assert_int_equal(name_size((const uint8_t *)"\3www\0", 4), 0);
    assert_int_equal(name_size((const uint8_t *)"\3ww", 3), 0);
    assert_int_equal(name_size((const uint8_t *)"\300\14", 2), 0);
    assert_int_equal(name_size(name, 0), 0);
    memset(name, 1, sizeof name); /* labels of one byte */
    name[254] = 0;
    assert_int_equal(name_size(name, sizeof name), 255);
    assert_int_equal(name_labels(name), 127);
    name[254] = 1;
    name[256] = 0;
    assert_int_equal(name_size(name, sizeof name), 0);
}

static void text(void **state)
{
    (void)state;
    uint8_t name[NAME_SIZE_MAX];
    char out[NAME_TEXT_SIZE];
    static const char *const names[] = { ".",          "www.example.",
                                         "a\\.b.c.",   "\\000\\255x.y.",
                                         "*.example.", "_sip._tcp.example." };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_not_equal(name_parse(name, names[i]), 0);
        assert_string_equal(name_text(name, out), names[i]);
    }
    assert_int_equal(name_parse(name, "www.example"), 13);
    assert_int_equal(name_parse(name, "a..b"), 0);
}

/* The example of RFC 4034, 6.1. */
static void canonical_order(void **state)
{
    (void)state;
    static const char *const names[] = {
        "example.",         "a.example.",      "yljkjljk.a.example.",
        "Z.a.example.",     "zABC.a.EXAMPLE.", "z.example.",
        "\\001.z.example.", "*.z.example.",    "\\200.z.example."
    };
    enum { COUNT = sizeof names / sizeof *names };
    uint8_t keys[COUNT][NAME_KEY_SIZE_MAX], name[NAME_SIZE_MAX];
    size_t sizes_of[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        parse(name, names[i]);
        sizes_of[i] = name_key(keys[i], name);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++) {
            int order = name_key_compare(keys[i], sizes_of[i], keys[j], sizes_of[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
}

/* Zeros and ones within labels keep their order although a key uses them itself. */
static void order_of_low_bytes(void **state)
{
    (void)state;
    static const char *const names[] = { "x.",        "a.x.",           "\\000.a.x.",
                                         "a\\000.x.", "a\\000\\000.x.", "a\\000b.x.",
                                         "a\\001.x.", "a\\002.x." };
    uint8_t last[NAME_KEY_SIZE_MAX], key[NAME_KEY_SIZE_MAX], name[NAME_SIZE_MAX];
    size_t last_size = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        parse(name, names[i]);
        size_t size = name_key(key, name);
        if (i > 0)
            assert_true(name_key_compare(last, last_size, key, size) < 0);
        memcpy(last, key, size);
        last_size = size;
    }
}

static void below(void **state)
{
    (void)state;
    uint8_t name[NAME_SIZE_MAX], zone[NAME_SIZE_MAX];
    size_t zone_size = parse(zone, "example.");
    static const struct {
        const char *name;
        bool below;
    } cases[] = { { "example.", true },       { "a.b.example.", true },
                  { "aexample.", false },     { ".", false },
                  { "example.net.", false },  { "a.exampl.", false },
                  { "x\\007example.", false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = parse(name, cases[i].name);
        assert_int_equal(name_is_below(name, size, zone, zone_size), cases[i].below);
    }
}

static void hashes_differ(void **state)
{
    (void)state;
    uint8_t name[NAME_SIZE_MAX];
    uint64_t seen[200];
    char label[8];
    for (unsigned i = 0; i < 200; i++) {
        snprintf(label, sizeof label, "n%u.x", i);
        size_t size = parse(name, label);
        seen[i] = name_hash(name, size);
        assert_int_equal(seen[i], name_hash(name, size));
        for (unsigned j = 0; j < i; j++)
            assert_true(seen[i] != seen[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),           cmocka_unit_test(text),
        cmocka_unit_test(canonical_order), cmocka_unit_test(order_of_low_bytes),
        cmocka_unit_test(below),           cmocka_unit_test(hashes_differ),
    };
    return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
