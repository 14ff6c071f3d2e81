/* record_test.c - what a record leaves out, and the order of its words; whether ldns reads it or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/record.h"

static struct record record;

/* As ldns writes it. */
static char *record_text(void)
{
    static uint8_t wire[NAME_SIZE_MAX + 10 + UINT16_MAX];
    size_t at = record.owner_size, position = 0;
    ldns_rr *rr = NULL;
    memcpy(wire, record.owner, at);
    dns_put16(wire + at, record.type);
    dns_put16(wire + at + 2, DNS_CLASS_IN);
    dns_put32(wire + at + 4, record.ttl);
    dns_put16(wire + at + 8, record.size);
    memcpy(wire + at + 10, record.data, record.size);
    assert_int_equal(ldns_wire2rr(&rr, wire, at + 10 + record.size, &position, LDNS_SECTION_ANSWER),
                     LDNS_STATUS_OK);
    char *text = ldns_rr2str(rr);
    ldns_rr_free(rr);
    return text;
}

static void defaults(void **state)
{
    (void)state;
    static const struct {
        const char *entry, *expected;
    } cases[] = {
        { "a A 192.0.2.1", "a.x.\t60\tIN\tA\t192.0.2.1\n" },
        { " A 192.0.2.1", "a.x.\t60\tIN\tA\t192.0.2.1\n" },
        { "b.y. 5 A 192.0.2.1", "b.y.\t5\tIN\tA\t192.0.2.1\n" },
        { " in A 192.0.2.1", "b.y.\t5\tIN\tA\t192.0.2.1\n" }, /* the last TTL (RFC 1035, 5.1) */
        { "@ IN 1m A 192.0.2.1", "x.\t60\tIN\tA\t192.0.2.1\n" },
        { "@ 1h30m IN A 192.0.2.1", "x.\t5400\tIN\tA\t192.0.2.1\n" },
        { "@  CLASS1   7   A 192.0.2.1", "x.\t7\tIN\tA\t192.0.2.1\n" },
        { "@ 8 CLASS1 A 192.0.2.1", "x.\t8\tIN\tA\t192.0.2.1\n" },
        { "in A 192.0.2.1", "in.x.\t8\tIN\tA\t192.0.2.1\n" },
        { "a IPSECKEY 1 3 2 g AQID", "a.x.\t8\tIN\tIPSECKEY\t1 3 2 g.x. AQID\n" },
        { "a IPSECKEY 1 3 2 g. AQID", "a.x.\t8\tIN\tIPSECKEY\t1 3 2 g. AQID\n" },
        { "a IPSECKEY 1 1 2 192.0.2.1 AQID", "a.x.\t8\tIN\tIPSECKEY\t1 1 2 192.0.2.1 AQID\n" },
        { "a IPSECKEY \\# 7 010302 01670001", "a.x.\t8\tIN\tIPSECKEY\t1 3 2 g. AQ==\n" },
        { "A\\100 A 192.0.2.1", "ad.x.\t8\tIN\tA\t192.0.2.1\n" },
        { " A 192.0.2.2", "ad.x.\t8\tIN\tA\t192.0.2.2\n" },
        { " HINFO a b", "ad.x.\t8\tIN\tHINFO\t\"a\" \"b\"\n" },
        { "B A 192.0.2.1", "b.x.\t8\tIN\tA\t192.0.2.1\n" },
        { "a MX 1 @", "a.x.\t8\tIN\tMX\t1 x.\n" },
    };
    struct record_defaults made = { .ttl = 60 };
    char error[256];
    made.origin = ldns_dname_new_frm_str("x.");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char entry[128];
        snprintf(entry, sizeof entry, "%s", cases[i].entry);
        if (!record_parse(&record, &made, entry, error, sizeof error))
            fail_msg("%s: %s", cases[i].entry, error);
        char *text = record_text();
        assert_string_equal(text, cases[i].expected);
        free(text);
    }
    ldns_rdf_deep_free(made.origin);
}

/* Strings of 256 bytes on the wire, one more than a record holds. */
static void too_much(void **state)
{
    (void)state;
    enum { STRINGS = 256, STRING = 255 };
    char *entry = malloc(16 + STRINGS * (STRING + 1)), error[256];
    char *out = entry + sprintf(entry, "a. TXT");
    struct record_defaults none = { .ttl = 60 };
    for (unsigned i = 0; i < STRINGS; i++) {
        if (i == STRINGS - 1) {
            if (!record_parse(&record, &none, entry, error, sizeof error))
                fail_msg("%s", error);
            assert_int_equal(record.size, (STRINGS - 1) * (STRING + 1));
        }
        *out++ = ' ';
        memset(out, 'a', STRING);
        out += STRING;
        *out = '\0';
    }
    assert_false(record_parse(&record, &none, entry, error, sizeof error));
    assert_string_equal(error, "this record has more than 65535 characters");
    free(entry);
}

static void words(void **state)
{
    (void)state;
    assert_true(word_is_number("12a", 2));
    assert_false(word_is_number("12a", 3));
    assert_false(word_is_number("", 0));
    assert_true(word_is("abc", 2, "AB"));
    assert_false(word_is("abc", 3, "AB"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(too_much),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
