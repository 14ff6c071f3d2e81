/* generate_test.c - $GENERATE: what BIND's manual says that a template becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/generate.h"

static void templates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t number;
        const char *entry;
    } cases[] = {
        { "1-2 $ PTR host$.x.", 1, "1 PTR host1.x." },
        { " 0-9/3  a${0,3} A 192.0.2.$", 7, "a007 A 192.0.2.7" },
        { "0-9 a${10} A 192.0.2.${-1,0,d}", 9, "a19 A 192.0.2.8" },
        { "0-9 a${0,4,x} TXT \"${250,0,X} ${1,2,o}\"", 7, "a0007 TXT \"101 10\"" },
        { "0-9 ${0,7,n} PTR ${240,0,N}", 10, "a.0.0.0 PTR A.F" },
        { "0-9 ${0,8,n} A ${0,1,n}", 1, "1.0.0.0 A 1" },
        { "0-9 a\\$$ TXT $$ \\{", 3, "a\\$3 TXT $ \\{" },
        { "0-1 a$ TXT ${2147483647}", 1, "a1 TXT 2147483648" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct generate generate;
        char entry[64];
        assert_null(generate_parse(&generate, cases[i].text));
        assert_null(generate_expand(&generate, cases[i].number, entry, sizeof entry));
        assert_string_equal(entry, cases[i].entry);
    }
}

static void ranges(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "1",
                                       "1-",
                                       "-1-2 a",
                                       "1-2",
                                       "1-2/ a",
                                       "1-2/0 a",
                                       "1-2/-1 a",
                                       "3-2 a",
                                       "1-2147483648 a",
                                       "1-2a b",
                                       "1 - 2 a",
                                       "1-99999999999999999999 a" };
    struct generate generate;
    assert_null(generate_parse(&generate, "5-14/3 a"));
    assert_int_equal(generate_count(&generate), 4);
    assert_null(generate_parse(&generate, "0-2147483647 a"));
    assert_true(generate_count(&generate) == 2147483648);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!generate_parse(&generate, bad[i]))
            fail_msg("\"%s\" is taken", bad[i]);
}

static void places(void **state)
{
    (void)state;
    static const char *const bad[] = { "${",       "${}",       "${x}",   "${1",
                                       "${1,}",    "${1,2,}",   "${1,x}", "${1,2,q}",
                                       "${1,256}", "${1,2,d,}", "${-9}" };
    char entry[64];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct generate generate = { .start = 1, .stop = 1, .step = 1, .template = bad[i] };
        if (!generate_expand(&generate, 1, entry, sizeof entry))
            fail_msg("\"%s\" is taken", bad[i]);
    }
}

/* The room is never left, and just enough of it is enough. */
static void room(void **state)
{
    (void)state;
    struct generate generate = { .start = 1, .stop = 1, .step = 1, .template = "ab$c${0,5}\\d" };
    for (size_t size = 1; size < 20; size++) {
        char *entry = malloc(size);
        const char *error = generate_expand(&generate, 12, entry, size);
        assert_int_equal(error == NULL, size >= sizeof "ab12c00012\\d");
        free(entry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates),
        cmocka_unit_test(ranges),
        cmocka_unit_test(places),
        cmocka_unit_test(room),
    };
    return cmocka_run_group_tests_name("generate", tests, NULL, NULL);
}
