/* rows_test.c - JSON in; CSV and JSON out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rows.h"

static char *written(const struct rows *rows, void (*write)(const struct rows *, FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    write(rows, out);
    fclose(out);
    return text;
}

static void json_in(void **state)
{
    (void)state;
    struct rows *rows = rows_create();
    size_t row = rows_add(rows);
    double number;
    assert_true(
        rows_put_json(rows, row,
                      " {\"mode\": \"re\\\"start\", \"time_us\": 24500, \"ok\": true,"
                      "\"a\": {\"b\": {\"c\": -1.5e1}}, \"none\": null, \"list\": [1, \"]\", "
                      "[2]], \"last\":3}\n"));
    assert_string_equal(rows_get(rows, row, "mode"), "re\"start");
    assert_true(rows_get_number(rows, row, "time_ms", &number) && number == 24.5);
    assert_null(rows_get(rows, row, "time_us"));
    assert_string_equal(rows_get(rows, row, "ok"), "1");
    assert_true(rows_get_number(rows, row, "a.b.c", &number) && number == -15);
    assert_null(rows_get(rows, row, "none"));
    assert_null(rows_get(rows, row, "list"));
    assert_string_equal(rows_get(rows, row, "last"), "3");
    assert_true(rows_put_json(rows, row, "{}"));
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{\"a\"}",
        "{\"a\": }",
        "{\"a\": b}",
        "{\"a\": 1",
        "{\"a\": 1} 2",
        "{\"a\": \"b}",
        "{\"a\": [1}",
        "{a: 1}",
        "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(rows_put_json(rows, row, bad[i]));
    rows_destroy(rows);
}

static void numbers(void **state)
{
    (void)state;
    struct rows *rows = rows_create();
    size_t row = rows_add(rows);
    double number = 7;
    rows_put(rows, row, "delay", "10ms");
    rows_put(rows, row, "word", "ms");
    assert_true(rows_get_number(rows, row, "delay", &number) && number == 10);
    assert_false(rows_get_number(rows, row, "word", &number));
    assert_false(rows_get_number(rows, row, "nothing", &number));
    rows_destroy(rows);
}

static void files_out(void **state)
{
    (void)state;
    struct rows *rows = rows_create();
    size_t row = rows_add(rows);
    rows_put(rows, row, "a", "1.50");
    rows_put(rows, row, "b", "say \"x\", y");
    row = rows_add(rows);
    rows_put(rows, row, "b", "10ms");
    rows_put_number(rows, row, "c", 0.1);
    rows_put(rows, row, "a", "007");
    char *text = written(rows, rows_write_csv);
    assert_string_equal(text, "a,b,c\r\n1.50,\"say \"\"x\"\", y\",\r\n007,10ms,0.1\r\n");
    free(text);
    text = written(rows, rows_write_json);
    assert_string_equal(text, "[\n {\"a\": 1.50, \"b\": \"say \\\"x\\\", y\"},\n"
                              " {\"a\": \"007\", \"b\": \"10ms\", \"c\": 0.1}\n]\n");
    free(text);
    rows_destroy(rows);
}

static void removal(void **state)
{
    (void)state;
    struct rows *rows = rows_create();
    static const char *const values[] = { "0", "1", "2", "3" };
    for (size_t i = 0; i < 4; i++)
        rows_put(rows, rows_add(rows), "a", values[i]);
    rows_remove(rows, 1, 2);
    rows_remove(rows, 2, 0);
    assert_int_equal(rows_count(rows), 2);
    assert_string_equal(rows_get(rows, 0, "a"), "0");
    assert_string_equal(rows_get(rows, 1, "a"), "3");
    rows_destroy(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_in),
        cmocka_unit_test(numbers),
        cmocka_unit_test(files_out),
        cmocka_unit_test(removal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
