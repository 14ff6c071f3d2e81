/* order_test.c - zone text in canonical order, compared with a plain sort by whole keys. */
#include "dns/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct zone_text read_text(const char *lines)
{
    struct zone_text text;
    char error[256];
    FILE *file = fmemopen((void *)(uintptr_t)lines, strlen(lines), "r");
    assert_non_null(file);
    if (!zone_text_read(&text, file, "test", (const uint8_t *)"\1x", error, sizeof error))
        fail_msg("%s", error);
    fclose(file);
    return text;
}

static int compare_names(const struct zone_text *text, size_t a, size_t b)
{
    uint8_t key[NAME_KEY_SIZE_MAX], other[NAME_KEY_SIZE_MAX];
    size_t size = name_key(key, text->bytes + text->owners[a].name + 1);
    size_t other_size = name_key(other, text->bytes + text->owners[b].name + 1);
    return name_key_compare(key, size, other, other_size);
}

/* RFC 4034, 6.1, and bytes that need care in a key. */
static void order_of_the_rfc(void **state)
{
    (void)state;
    struct zone_text text = read_text("z.example A 192.0.2.1\n"
                                      "\\200.z.example A 192.0.2.1\n"
                                      "example A 192.0.2.1\n"
                                      "zABC.a.EXAMPLE A 192.0.2.1\n"
                                      "*.z.example A 192.0.2.1\n"
                                      "Z.a.example A 192.0.2.1\n"
                                      "\\001.z.example A 192.0.2.1\n"
                                      "yljkjljk.a.example A 192.0.2.1\n"
                                      "a.example A 192.0.2.1\n");
    static const char *const names[] = { "example",         "a.example",      "yljkjljk.a.example",
                                         "Z.a.example",     "zABC.a.EXAMPLE", "z.example",
                                         "\\001.z.example", "*.z.example",    "\\200.z.example" };
    assert_true(zone_text_sort(&text));
    assert_int_equal(text.owner_count, sizeof names / sizeof *names);
    for (size_t i = 0; i < text.owner_count; i++) {
        uint8_t name[NAME_SIZE_MAX], lower[NAME_SIZE_MAX];
        char absolute[64];
        snprintf(absolute, sizeof absolute, "%s.x.", names[i]);
        size_t size = name_parse(name, absolute);
        name_lower(lower, name, size);
        assert_memory_equal(text.bytes + text.owners[i].name + 1, lower, size);
    }
    zone_text_release(&text);
}

/* Names of few characters, so that many are equal, or the beginnings of others. */
static void random_names(void **state)
{
    (void)state;
    static const char *const parts[] = { "a", "b.", "\\000", "\\001", "aaaaaaa.", "aaaaaaaa" };
    uint64_t random = 1;
    for (unsigned round = 0; round < 100; round++) {
        enum { LINES = 60 };
        char lines[LINES * 64], *out = lines;
        for (unsigned i = 0; i < LINES; i++) {
            for (unsigned left = 1 + (random >> 60) % 4; left > 0; left--) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                out += sprintf(out, "%s", parts[(random >> 40) % 6]);
            }
            out += sprintf(out, "z A 192.0.2.%u\n", (unsigned)(random >> 50) % 3);
        }
        struct zone_text text = read_text(lines);
        assert_true(zone_text_sort(&text));
        for (size_t i = 1; i < text.owner_count; i++)
            assert_true(compare_names(&text, i - 1, i) < 0);
        for (size_t i = 0; i < text.owner_count; i++) {
            const struct zone_owner *owner = &text.owners[i];
            for (uint32_t j = 1; j < owner->count; j++)
                assert_true(text.bytes[text.records[owner->first + j - 1].rdata + 3] <
                            text.bytes[text.records[owner->first + j].rdata + 3]);
        }
        zone_text_release(&text);
    }
}

/* The records of a name that stands in several places are together, in order, and none is there twice; of
 * equal ones the first stays. */
static void records_of_a_name(void **state)
{
    (void)state;
#define SIGNATURE(type) "a RRSIG " type " 8 2 5 20300101000000 20200101000000 1 x. AAAA\n"
    struct zone_text text = read_text(
        "a MX 1 b\n" SIGNATURE("MX") "a 7 A 192.0.2.9\n"
                                     "b A 192.0.2.1\n" SIGNATURE("A") "a 8 A 192.0.2.9\n"
                                                                      "a A 192.0.2.10\na MX 1 b\n");
    assert_true(zone_text_sort(&text));
    assert_int_equal(text.owner_count, 2);
    const struct zone_owner *owner = &text.owners[0];
    static const struct {
        uint16_t set_type, type;
        uint32_t line;
    } expected[] = { { DNS_A, DNS_A, 3 },
                     { DNS_A, DNS_A, 7 },
                     { DNS_A, DNS_RRSIG, 5 },
                     { DNS_MX, DNS_MX, 1 },
                     { DNS_MX, DNS_RRSIG, 2 } };
    assert_int_equal(owner->count, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct zone_record *record = &text.records[owner->first + i];
        assert_int_equal(record->set_type, expected[i].set_type);
        assert_int_equal(record->type, expected[i].type);
        assert_int_equal(record->line, expected[i].line);
    }
    assert_int_equal(text.owners[1].count, 1);
    zone_text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_the_rfc),
        cmocka_unit_test(random_names),
        cmocka_unit_test(records_of_a_name),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
