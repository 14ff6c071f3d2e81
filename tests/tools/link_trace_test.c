/* link_trace_test.c - files of delivery opportunities, sound and unsound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/link_trace.h"

static char folder[] = "/tmp/link-trace-XXXXXX";
static char name[sizeof folder + 16];

static bool load(const char *file, const char *text, struct trace *trace)
{
    snprintf(name, sizeof name, "%s/%s", folder, file);
    FILE *out = fopen(name, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    bool good = link_trace_load(name, trace);
    unlink(name);
    return good;
}

static void a_file_is_read_once(void **state)
{
    (void)state;
    struct trace trace, again;
    assert_true(load("a", "0\n3\r\n3\n10\n", &trace));
    assert_int_equal(trace.count, 4);
    assert_int_equal(trace.at_ms[1], 3);
    assert_int_equal(trace.at_ms[3], 10);
    assert_true(link_trace_load(name, &again)); /* though it is gone */
    assert_ptr_equal(trace.at_ms, again.at_ms);
    static char long_text[6001];
    for (size_t i = 0; i < sizeof long_text - 1; i++)
        long_text[i] = i % 2 == 0 ? '7' : '\n';
    assert_true(load("b", long_text, &trace));
    assert_int_equal(trace.count, 3000);
    assert_int_equal(trace.at_ms[2999], 7);
}

static void unsound_files(void **state)
{
    (void)state;
    struct trace trace;
    static const char *const texts[] = { "",
                                         "0\n",
                                         "5\n4\n",
                                         "1\n\n2\n",
                                         "1ms\n",
                                         "-1\n",
                                         "4294967296\n",
                                         "1 2\n",
                                         "0000000000000000000000000000000000000000001\n" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(load("c", texts[i], &trace));
    assert_false(link_trace_load("/nowhere/trace", &trace));
}

static void their_number_is_bounded(void **state)
{
    (void)state;
    struct trace trace;
    char file[16];
    unsigned good = 0;
    for (int i = 0; i < LINK_TRACES_MAX + 5; i++) {
        snprintf(file, sizeof file, "d%d", i);
        good += load(file, "1\n", &trace);
    }
    assert_in_range(good, 1, LINK_TRACES_MAX);
    assert_false(load("e", "1\n", &trace));
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int end(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_once),
        cmocka_unit_test(unsound_files),
        cmocka_unit_test(their_number_is_bounded),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
