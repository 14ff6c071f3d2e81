/* lab_file_test.c - what a lab file may say, and what it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tools/lab_file.h"

static char error[LAB_ERROR_SIZE];

static struct lab_file *read_good(const char *text)
{
    struct lab_file *file = lab_file_read("test.lab", text, error);
    if (file == NULL)
        fail_msg("%s", error);
    return file;
}

static const char whole[] = "# a comment\n"
                            "title Two words\n"
                            "about\n"
                            "    First line,\n"
                            "    second.\n"
                            "\n"
                            "    Another paragraph.\n"
                            "set  delay 10ms   # one way\n"
                            "set  empty \"\"\n"
                            "label delay the delay\n"
                            "host client 10.60.1.0/24 fd60:1::/64\n"
                            "host server 10.60.2.0/24\n"
                            "link client server --delay $delay\n"
                            "run server\n"
                            "\tfirst\n"
                            "\t  second # not a comment of ours\n"
                            "part one The first\n"
                            "vary size 1 2 3\n"
                            "quick size 2\n"
                            "quick delay 1ms\n"
                            "measure client \"two words\" skip=2 uncaptured sum\n"
                            "  measure it\n"
                            "table a b\n"
                            "lines size a log=x log=y \"A picture\"\n"
                            "cdf a\n"
                            "part two\tThe second\n"
                            "host third 10.60.3.0/24\n"
                            "link third server\n";

static const char *setting(const struct lab_file *file, const char *name)
{
    for (size_t i = 0; i < file->setting_count; i++)
        if (strcmp(file->settings[i].name, name) == 0)
            return file->settings[i].values[0];
    return NULL;
}

static void reads(void **state)
{
    (void)state;
    struct lab_file *file = read_good(whole);
    const struct lab_part *one = &file->parts[0], *two = &file->parts[1];
    assert_string_equal(file->title, "Two words");
    assert_string_equal(file->about, "First line,\nsecond.\n\nAnother paragraph.");
    assert_string_equal(setting(file, "delay"), "10ms");
    assert_string_equal(setting(file, "empty"), "");
    assert_null(setting(file, "size"));
    assert_string_equal(lab_file_label(file, "delay"), "the delay");
    assert_string_equal(lab_file_label(file, "size"), "size");
    assert_int_equal(file->part_count, 2);
    assert_string_equal(one->title, "The first");
    assert_int_equal(one->host_count, 2);
    assert_string_equal(one->hosts[0].prefixes[1], "fd60:1::/64");
    assert_string_equal(one->links[0].flags, "--delay $delay");
    assert_string_equal(one->programs[0].shell, "first\n  second # not a comment of ours");
    assert_int_equal(one->programs[0].host, 1);
    assert_int_equal(one->variables[0].count, 3);
    assert_string_equal(one->measures[0].label, "two words");
    assert_int_equal(one->measures[0].skip, 2);
    assert_true(one->measures[0].sum && one->measures[0].uncaptured);
    assert_int_equal(one->figure_count, 3);
    assert_int_equal(one->figures[0].name_count, 2);
    assert_true(one->figures[1].x_log && one->figures[1].y_log);
    assert_string_equal(one->figures[1].title, "A picture");
    assert_string_equal(two->name, "two");
    assert_int_equal(two->host_count, 3);
    assert_int_equal(two->link_count, 2);
    assert_int_equal(two->program_count, 1);
    assert_int_equal(two->variable_count, 0);
    lab_file_free(file);
}

static void changes(void **state)
{
    (void)state;
    struct lab_file *file = read_good(whole);
    lab_file_quicken(file);
    assert_int_equal(file->parts[0].variables[0].count, 1);
    assert_string_equal(setting(file, "delay"), "1ms");
    assert_true(lab_file_set(file, "delay=7ms", error));
    assert_string_equal(setting(file, "delay"), "7ms");
    assert_true(lab_file_set(file, "size=8,9", error));
    assert_int_equal(file->parts[0].variables[0].count, 2);
    assert_string_equal(file->parts[0].variables[0].values[1], "9");
    assert_true(lab_file_set(file, "empty=a=b", error));
    assert_string_equal(setting(file, "empty"), "a=b");
    assert_false(lab_file_set(file, "other=1", error));
    assert_non_null(strstr(error, "no parameter \"other\""));
    assert_false(lab_file_set(file, "delay", error));
    assert_true(lab_file_set(file, "delay=1,2", error));
    assert_string_equal(setting(file, "delay"), "1,2");
    lab_file_free(file);
}

static void without_parts(void **state)
{
    (void)state;
    struct lab_file *file = read_good("set a 1\nset a 2\n");
    assert_int_equal(file->part_count, 1);
    assert_int_equal(file->setting_count, 1);
    assert_string_equal(setting(file, "a"), "2");
    lab_file_free(file);
}

static void refuses(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        { "colour red\n", "line 1: there is no keyword \"colour\"" },
        { "\nset a\n", "line 2: set takes" },
        { "set 1a 2\n", "\"1a\" is no name" },
        { "host a.b 10.0.0.0/8\n", "no host's name" },
        { "host a 10.0.0/8\n", "is no prefix" },
        { "host a 10.0.0.0/8\nlink a b\n", "line 2: there is no host \"b\"" },
        { "host a 10.0.0.0/8\nlink a a\n", "two ends" },
        { "host a 10.0.0.0/8\nrun a\nset b 1\n", "line 2: indented lines must follow run" },
        { "set a 1\n   more\n", "no indented lines may follow set" },
        { "   more\n", "belongs to nothing" },
        { "title \"a\n", "quote is not closed" },
        { "host a 10.0.0.0/8\nmeasure a b skip=x\n  c\n", "skip=NUMBER" },
        { "lines x\n", "lines takes" },
        { "lines x log=y\n", "what is to be shown" },
        { "include /nonexistent/file\n", "cannot read" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_null(lab_file_read("test.lab", bad[i][0], error));
        if (strstr(error, bad[i][1]) == NULL)
            fail_msg("\"%s\" gives \"%s\"", bad[i][0], error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(changes),
        cmocka_unit_test(without_parts),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
