/* record_test.c - what a record leaves out, and the order of its words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/record.h"

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
        { "a MX 1 @", "a.x.\t8\tIN\tMX\t1 x.\n" },
    };
    struct record_defaults made = { .ttl = 60 };
    char error[256];
    made.origin = ldns_dname_new_frm_str("x.");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char entry[128];
        snprintf(entry, sizeof entry, "%s", cases[i].entry);
        ldns_rr *rr = record_parse(&made, entry, error, sizeof error);
        if (!rr)
            fail_msg("%s: %s", cases[i].entry, error);
        char *text = ldns_rr2str(rr);
        assert_string_equal(text, cases[i].expected);
        free(text);
        ldns_rr_free(rr);
    }
    record_defaults_release(&made);
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
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
