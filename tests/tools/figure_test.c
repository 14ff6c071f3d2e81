/* figure_test.c - medians in tables, and which points a picture gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/tools/xml.h"
#include "tools/figure.h"

static const char lab[] = "host a 10.0.0.0/24\n"
                          "vary size 1 2\n"
                          "vary seed 1 2\n"
                          "measure a one\n  x\n"
                          "measure a two\n  x\n"
                          "label time_ms ms\n"
                          "table time_ms\n"
                          "table time_ms word\n"
                          "lines size time_ms\n"
                          "bars way time_ms\n"
                          "cdf time_ms\n";

static void add(struct rows *rows, const char *size, const char *seed, const char *way, double time)
{
    size_t row = rows_add(rows);
    rows_put(rows, row, "size", size);
    rows_put(rows, row, "seed", seed);
    rows_put(rows, row, "way", way);
    rows_put_number(rows, row, "time_ms", time);
    rows_put(rows, row, "word", "yes");
}

static char *read_file(const char *folder, const char *name)
{
    char path[256], *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "r");
    if (in == NULL)
        fail_msg("there is no %s", path);
    assert_true(getdelim(&text, &size, '\0', in) > 0);
    fclose(in);
    unlink(path);
    return text;
}

static void tables_and_pictures(void **state)
{
    (void)state;
    static const char *const pictures[] = { "all-time_ms-by-size.svg",
                                            "all-time_ms-bars-by-way-1.svg",
                                            "all-time_ms-bars-by-way-2.svg",
                                            "all-time_ms-1-cdf.svg", "all-time_ms-2-cdf.svg" };
    char error[LAB_ERROR_SIZE], folder[] = "/tmp/figure_test-XXXXXX";
    char *text = NULL, *html = NULL;
    size_t text_size, html_size;
    struct lab_file *file = lab_file_read("test.lab", lab, error);
    struct rows *rows = rows_create();
    assert_non_null(file);
    assert_non_null(mkdtemp(folder));
    add(rows, "1", "1", "one", 10);
    add(rows, "1", "2", "one", 30); /* another seed: samples of the same point */
    add(rows, "1", "1", "one", 11);
    add(rows, "2", "1", "one", 40);
    add(rows, "2", "1", "two", 1.5);
    const struct figure_output output = { open_memstream(&text, &text_size),
                                          open_memstream(&html, &html_size), folder };
    assert_int_equal(figures_write(file, file->parts, rows, &output), 0);
    fclose(output.text);
    fclose(output.html);
    assert_non_null(strstr(text, "ms:\nsize  one  two\n1      11    -\n2      40  1.5\n"));
    assert_non_null(
        strstr(text, "size        ms  word\n1     one   11   yes\n1     two    -     -\n"));
    assert_non_null(strstr(html, "<td title=\"10 to 30, 3 samples\">11</td>"));
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        char *picture = read_file(folder, pictures[i]);
        assert_null(xml_error(picture));
        free(picture);
    }
    assert_int_equal(rmdir(folder), 0);
    free(text);
    free(html);
    rows_destroy(rows);
    lab_file_free(file);
}

static void points(void **state)
{
    (void)state;
    const struct lab_variable variables[] = { { .name = "a", .count = 2 },
                                              { .name = "b", .count = 3 } };
    size_t places[2] = { 0 }, seen = 1;
    while (figure_next_point(variables, 2, places)) {
        assert_int_equal(places[0] * 3 + places[1], seen);
        seen++;
    }
    assert_int_equal(seen, 6);
    assert_true(places[0] == 0 && places[1] == 0);
    assert_false(figure_next_point(variables, 0, places));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(tables_and_pictures),
                                        cmocka_unit_test(points) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
