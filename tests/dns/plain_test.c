/* plain_test.c - what is read without ldns is what ldns reads, and the rest is left to it. */
#include "dns/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct record plain, whole;

static struct record_defaults make_defaults(const char *origin)
{
    return (struct record_defaults){
        .origin = origin ? ldns_dname_new_frm_str(origin) : NULL,
        .ttl = 60,
        .owner_size = 3,
        .owner = "\1o",
    };
}

/* Whether the entry is plain. If it is, ldns must take it for the same. */
static bool is_plain(const struct record_defaults *defaults, const char *entry)
{
    char copy[4096], error[256];
    snprintf(copy, sizeof copy, "%s", entry);
    if (!plain_parse(&plain, defaults, entry))
        return false;
    if (!record_parse_any(&whole, defaults, copy, error, sizeof error))
        fail_msg("%s: %s", entry, error);
    assert_int_equal(plain.owner_size, whole.owner_size);
    assert_memory_equal(plain.owner, whole.owner, whole.owner_size);
    assert_int_equal(plain.ttl, whole.ttl);
    assert_int_equal(plain.type, whole.type);
    assert_int_equal(plain.size, whole.size);
    assert_memory_equal(plain.data, whole.data, whole.size);
    return true;
}

static void plain_entries(void **state)
{
    (void)state;
    static const char *const entries[] = {
        "a A 192.0.2.1",
        "a\t3600\tIN\tA\t192.0.2.1\t ",
        "A-b_9.*.C IN 2147483647 aaaa 2001:DB8::192.0.2.1",
        "in in ns IN",
        " AAAA ::",
        "\t0 A 0.0.0.0",
        "@ MX 65535 @",
        "@ mx 010 a.b.c.",
        "123 123 A 255.255.255.255",
        "* CNAME A.B.",
        "1.2.3 PTR Host",
        "_s._tcp SRV 1 2 3 h.",
        "a TXT a",
        "a TXT $a @ 'b' a=b,c:d/e",
        "a TXT \"a b\" c \"  d@$ \"",
        "a NS A",
        "ns NS MX",
        "a. A 1.2.3.4",
    };
    struct record_defaults defaults = make_defaults("Y.x.");
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (!is_plain(&defaults, entries[i]))
            fail_msg("%s", entries[i]);
    ldns_rdf_deep_free(defaults.origin);
}

static void others(void **state)
{
    (void)state;
    static const char *const entries[] = {
        "",
        "a",
        "a A",
        "a A ",
        "a A 192.0.2.1 b",
        "a A 192.0.2.256",
        "a A 192.0.2.1.example.com.of.a.name.that.is.longer.than.an.address",
        "a AAAA 1:2",
        "a 2147483648 A 192.0.2.1",
        "a 1h A 192.0.2.1",
        "a 00000000001 A 192.0.2.1",
        "a 1 2 A 192.0.2.1",
        "a IN IN A 192.0.2.1",
        "a CH A 192.0.2.1",
        "a CLASS1 A 192.0.2.1",
        "a TYPE1 \\# 4 01020304",
        "a A \\# 4 01020304",
        "a MX b",
        "a MX 65536 b",
        "a MX -1 b",
        "a MX 1",
        "a MX 1 .",
        ". A 192.0.2.1",
        "a. NS .",
        "a NS a..b",
        "a NS .a",
        "a NS a\\.b",
        "a NS a,b",
        "@a A 192.0.2.1",
        "a NS @a",
        "a NS \"a\"",
        "a TXT",
        "a TXT \"\"",
        "a TXT \"a",
        "a TXT a\"",
        "a TXT a\"b\"",
        "a TXT \"a\"b",
        "a TXT \"a\"\"b\"",
        "a TXT a\\;b",
        "a TXT \"a;b (c)\"",
        "a TXT \"\xc3\xa4\"",
        "a TXT \"\t\"",
        "a SOA a b 1 2 3 4 5",
    };
    struct record_defaults defaults = make_defaults("x.");
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (is_plain(&defaults, entries[i]))
            fail_msg("%s", entries[i]);
    ldns_rdf_deep_free(defaults.origin);
}

/* Without an owner or an origin before it, a record that needs one is none. */
static void without_defaults(void **state)
{
    (void)state;
    struct record_defaults none = { .ttl = 60 };
    assert_false(is_plain(&none, " A 192.0.2.1"));
    assert_false(is_plain(&none, "a A 192.0.2.1"));
    assert_false(is_plain(&none, "@ A 192.0.2.1"));
    assert_false(is_plain(&none, "a. NS b"));
    assert_true(is_plain(&none, "a. NS b."));
}

/* Around every limit: labels of 62 to 65, strings of 253 to 257, names of 120 to 260 bytes. */
static void sizes(void **state)
{
    (void)state;
    char entry[1024], letters[300];
    struct record_defaults defaults =
        make_defaults("aaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.c.");
    memset(letters, 'l', sizeof letters);
    for (int size = 62; size <= 65; size++) {
        snprintf(entry, sizeof entry, "a NS %.*s", size, letters);
        assert_int_equal(is_plain(&defaults, entry), size <= LABEL_SIZE_MAX);
        snprintf(entry, sizeof entry, "%.*s.b.c. A 1.2.3.4", size, letters);
        assert_int_equal(is_plain(&defaults, entry), size <= LABEL_SIZE_MAX);
    }
    for (int size = 253; size <= 257; size++)
        for (int quoted = 0; quoted < 2; quoted++) {
            const char *mark = quoted ? "\"" : "";
            snprintf(entry, sizeof entry, "a TXT %s%.*s%s", mark, size, letters, mark);
            assert_int_equal(is_plain(&defaults, entry), size <= 255);
        }
    for (size_t i = 0; i < sizeof letters; i += 2)
        letters[i] = '.';
    unsigned accepted = 0;
    for (int size = 119; size < 260; size += 2) {
        snprintf(entry, sizeof entry, "a NS n%.*s", size - 1, letters);
        accepted += is_plain(&defaults, entry);
        snprintf(entry, sizeof entry, "n%.*s A 1.2.3.4", size, letters);
        accepted += is_plain(&defaults, entry);
    }
    assert_true(accepted > 30);
    ldns_rdf_deep_free(defaults.origin);
}

/* Entries of words drawn at random, of which some are plain. */
static void drawn(void **state)
{
    (void)state;
    enum { ENTRIES = 50000, WORDS_MAX = 7 };
    static const char *const words[] = {
        "a", "B.c", "@", "x.", "IN", "A",   "AAAA",      "MX",  "NS",  "TXT",   "PTR", "SRV",
        "0", "60",  "7", "1h", ".",  "::1", "192.0.2.1", "*.d", "-",   "a-",    "$a",  "\"q r\"",
        "'", "1.2", "_", "CH", "ns", "in",  "65536",     "\"",  "txt", "CNAME", "007",
    };
    struct record_defaults defaults = make_defaults("x.");
    uint64_t random = 1;
    unsigned accepted = 0;
    for (unsigned i = 0; i < ENTRIES; i++) {
        char entry[256] = "", *out = entry;
        for (unsigned left = 2 + (unsigned)(random >> 50) % (WORDS_MAX - 1); left > 0; left--) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            if (out != entry || (random >> 34) % 4 == 0)
                *out++ = (random >> 33) % 8 ? ' ' : '\t';
            out += sprintf(out, "%s", words[(random >> 40) % (sizeof words / sizeof *words)]);
        }
        accepted += is_plain(&defaults, entry);
    }
    if (accepted < ENTRIES / 100)
        fail_msg("%u of %d", accepted, ENTRIES);
    ldns_rdf_deep_free(defaults.origin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_entries),
        cmocka_unit_test(others),
        cmocka_unit_test(without_defaults),
        cmocka_unit_test(sizes),
        cmocka_unit_test(drawn),
    };
    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
