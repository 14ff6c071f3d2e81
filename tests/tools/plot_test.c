/* plot_test.c - axes, where values land, and that the picture is well-formed XML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tools/xml.h"
#include "tools/plot.h"
#include "tools/svg.h"

static char *draw(const struct plot *plot)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    plot_write(out, plot);
    fclose(out);
    assert_null(xml_error(text));
    return text;
}

static size_t count(const char *text, const char *what)
{
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        found++;
    return found;
}

static void axes(void **state)
{
    (void)state;
    struct plot_axis axis;
    plot_axis_make(&axis, 3, 88, false);
    assert_true(axis.low == 0 && axis.high == 100 && axis.tick_count == 6);
    assert_true(axis.ticks[1] == 20);
    assert_true(fabs(plot_axis_place(&axis, 25) - 0.25) < 1e-9);
    plot_axis_make(&axis, -3, 4, false);
    assert_true(axis.low == -4 && axis.high == 4);
    plot_axis_make(&axis, 5, 5, false);
    assert_true(axis.low == 0 && axis.high >= 5);
    plot_axis_make(&axis, 512, 65536, true);
    assert_true(axis.low == 500 && axis.high == 100000);
    assert_true(axis.ticks[0] == 500 && axis.ticks[1] == 1000 && axis.ticks[2] == 2000);
    assert_true(axis.ticks[axis.tick_count - 1] == 100000);
    assert_true(fabs(plot_axis_place(&axis, sqrt(500.0 * 100000)) - 0.5) < 1e-9);
    plot_axis_make(&axis, 1, 1e9, true);
    assert_int_equal(axis.tick_count, 10);
    plot_axis_make(&axis, 20, 20, true);
    assert_true(axis.low == 20 && axis.high == 50);
}

static void numbers(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(plot_number(0.5, text, sizeof text), "0.5");
    assert_string_equal(plot_number(9999, text, sizeof text), "9999");
    assert_string_equal(plot_number(50000, text, sizeof text), "50k");
    assert_string_equal(plot_number(2e6, text, sizeof text), "2M");
}

/* The plot area is 490 wide and 280 high, from (70, 320): a value in the middle of both axes is at
 * (315, 180). */
static void lines(void **state)
{
    (void)state;
    const double x[] = { 0, 50, 100, 70 }, y[] = { 0, 5, 10, NAN };
    const struct plot_series series[] = { { "a & <b>", x, y, 4 }, { "nothing", x, y, 0 } };
    char *text = draw(&(struct plot){ .kind = PLOT_LINES,
                                      .title = "\"quoted\"",
                                      .x_label = "x",
                                      .y_label = "y",
                                      .series = series,
                                      .series_count = 2 });
    assert_non_null(strstr(text, "points=\"70.0,320.0 315.0,180.0 560.0,40.0 \""));
    assert_non_null(strstr(text, ">a &amp; &lt;b&gt;</text>"));
    assert_non_null(strstr(text, "prefers-color-scheme:dark"));
    assert_int_equal(count(text, "class=\"mark s0\""), 4); /* three points and the legend */
    free(text);
}

static void logarithmic(void **state)
{
    (void)state;
    const double x[] = { 1, 10, 0, 100 }, y[] = { 1, 10, 10, 100 };
    const struct plot_series series[] = { { "a", x, y, 4 } };
    char *text = draw(&(struct plot){ .kind = PLOT_LINES,
                                      .title = "t",
                                      .x_label = "x",
                                      .y_label = "y",
                                      .x_log = true,
                                      .y_log = true,
                                      .series = series,
                                      .series_count = 1 });
    assert_non_null(strstr(text, "points=\"70.0,320.0 315.0,180.0 560.0,40.0 \""));
    free(text);
}

static void bars(void **state)
{
    (void)state;
    const char *const categories[] = { "one", "two" };
    const double x[] = { 0, 1 }, a[] = { 10, 5 }, b[] = { 0, 2 };
    const struct plot_series series[] = { { "a", x, a, 2 }, { "b", x, b, 2 } };
    char *text = draw(&(struct plot){ .kind = PLOT_BARS,
                                      .title = "t",
                                      .x_label = "x",
                                      .y_label = "y",
                                      .series = series,
                                      .series_count = 2,
                                      .categories = categories,
                                      .category_count = 2 });
    assert_int_equal(count(text, "class=\"bar s0\""), 2);
    assert_int_equal(count(text, "class=\"bar s1\""), 2);
    assert_non_null(strstr(text, "y=\"180.0\" width=\"90.2\" height=\"140.0\" class=\"bar s0\""));
    assert_non_null(strstr(text, "x=\"192.5\" y=\"336.0\" text-anchor=\"middle\">one<"));
    free(text);
}

static void distribution(void **state)
{
    (void)state;
    const double x[] = { 10, 0, 5, 5 };
    const char *const categories[] = { "none of these" };
    const struct plot_series series[] = { { "a", x, NULL, 4 } };
    char *text = draw(&(struct plot){ .kind = PLOT_CDF,
                                      .categories = categories,
                                      .category_count = 1,
                                      .title = "t",
                                      .x_label = "x",
                                      .series = series,
                                      .series_count = 1 });
    assert_non_null(strstr(text, "points=\"70.0,320.0 70.0,250.0 315.0,250.0 315.0,180.0 "));
    assert_non_null(strstr(text, "560.0,40.0 \""));
    assert_null(strstr(text, "none of these"));
    free(text);
}

static void empty(void **state)
{
    (void)state;
    free(draw(&(struct plot){ .kind = PLOT_LINES, .title = "", .x_label = "", .y_label = "" }));
    free(draw(&(struct plot){
        .kind = PLOT_LINES, .title = "\x01", .x_label = "", .y_label = "", .x_log = true }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axes),        cmocka_unit_test(numbers), cmocka_unit_test(lines),
        cmocka_unit_test(logarithmic), cmocka_unit_test(bars),    cmocka_unit_test(distribution),
        cmocka_unit_test(empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
