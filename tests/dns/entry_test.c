/* entry_test.c - zone text cut into entries and words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/entry.h"

static void entries(void **state)
{
    (void)state;
    static const char text[] = "a b ; c\n\nd ( e ; f\n g \"h;(\" )\ti\\;\r\nj";
    static const struct {
        uint32_t line;
        const char *text;
    } expected[] = { { 1, "a b " }, { 2, "" }, { 3, "d   e   g \"h;(\"  \ti\\; " }, { 5, "j" } };
    struct entry_reader reader = { .line = 1, .text = malloc(ENTRY_SIZE_MAX) };
    reader.file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    for (size_t i = 0; i < 4; i++) {
        assert_false(reader.ended);
        assert_true(entry_read(&reader));
        assert_string_equal(reader.text, expected[i].text);
        assert_int_equal(reader.entry_line, expected[i].line);
    }
    assert_true(reader.ended);
    fclose(reader.file);
    free(reader.text);
}

static void words(void **state)
{
    (void)state;
    const char *at = "  a\\ b\t\"c d\"e \"\\\" f\"  ", *word;
    static const char *const expected[] = { "a\\ b", "\"c d\"e", "\"\\\" f\"", "" };
    for (size_t i = 0; i < 4; i++) {
        size_t size = entry_word(&at, &word);
        assert_int_equal(size, strlen(expected[i]));
        assert_memory_equal(word, expected[i], size);
    }
}

/* An entry may fill its buffer, and no more. */
static void longest(void **state)
{
    (void)state;
    struct entry_reader reader = { .line = 1, .text = malloc(ENTRY_SIZE_MAX) };
    for (size_t more = 0; more < 2; more++) {
        size_t size = ENTRY_SIZE_MAX - 1 + more;
        char *text = malloc(size);
        memset(text, 'a', size);
        reader.file = fmemopen(text, size, "r");
        assert_int_equal(entry_read(&reader), more == 0);
        if (more == 0)
            assert_int_equal(strlen(reader.text), size);
        else
            assert_string_equal(reader.error, "this record has more than 262143 characters");
        fclose(reader.file);
        free(text);
    }
    free(reader.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries),
        cmocka_unit_test(words),
        cmocka_unit_test(longest),
    };
    return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
