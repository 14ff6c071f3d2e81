/* secret_file_test.c - a file of keys: which lines are handed on, and who may read it. */
#include "tools/secret_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/secret_file_XXXXXX";
static char error[512], taken[512];

/* Refuses "bad", and puts the others one behind the other. */
static const char *take_line(void *context, char *line)
{
    (void)context;
    if (strcmp(line, "bad") == 0)
        return "it is bad";
    strncat(taken, line, sizeof taken - strlen(taken) - 1);
    strncat(taken, "|", sizeof taken - strlen(taken) - 1);
    return NULL;
}

static bool read_text(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
    taken[0] = error[0] = '\0';
    return secret_file_read(path, take_line, NULL, error, sizeof error);
}

static void lines(void **state)
{
    (void)state;
    assert_true(read_text("# key\n\none key\n two\n#\nlast", 0600));
    assert_string_equal(taken, "one key| two|last|");
    assert_true(read_text("", 0600));
    assert_string_equal(taken, "");
}

static void stops_at_what_is_wrong(void **state)
{
    char text[400];
    (void)state;
    assert_false(read_text("one\n\nbad\nthree\n", 0600));
    assert_string_equal(taken, "one|");
    assert_non_null(strstr(error, "line 3: it is bad"));
    snprintf(text, sizeof text, "one\n%0300d\n", 0);
    assert_false(read_text(text, 0600));
    assert_non_null(strstr(error, "line 2: the line is too long"));
}

static void private_ones_only(void **state)
{
    (void)state;
    assert_true(read_text("one", 0400));
    assert_false(read_text("one", 0640));
    assert_string_equal(taken, "");
    assert_non_null(strstr(error, "chmod 600"));
    assert_false(read_text("one", 0602));
    assert_false(secret_file_read("/nonexistent/x", take_line, NULL, error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/x: "));
}

static int setup(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(stops_at_what_is_wrong),
        cmocka_unit_test(private_ones_only),
    };
    return cmocka_run_group_tests_name("secret_file", tests, setup, teardown);
}
