/* source_test.c - whether files have changed since they were read. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dns/source.h"

static char path[] = "/tmp/source-test-XXXXXX";

/* Sets the time of the last change, in seconds. */
static void date(time_t when)
{
    const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool unchanged_after(void (*change)(void))
{
    struct source_files sources = { 0 };
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(source_files_add(&sources, path, file));
    fclose(file);
    change();
    bool unchanged = source_files_unchanged(&sources);
    source_files_release(&sources);
    return unchanged;
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void nothing(void)
{
}

static void longer(void)
{
    write_text("abc");
    date(1000000);
}

static void same_size(void)
{
    write_text("xyz");
    date(1000001);
}

static void gone(void)
{
    unlink(path);
}

static void changes(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_text("ab");
    assert_false(unchanged_after(nothing)); /* too fresh to be sure */
    date(1000000);
    assert_true(unchanged_after(nothing));
    assert_false(unchanged_after(longer));
    assert_false(unchanged_after(same_size));
    assert_false(unchanged_after(gone));
}

/* What is no regular file is read again each time. */
static void no_file(void **state)
{
    (void)state;
    struct source_files sources = { 0 };
    char text[] = "a";
    FILE *file = fmemopen(text, 1, "r");
    assert_true(source_files_unchanged(&sources));
    assert_true(source_files_add(&sources, "memory", file));
    assert_false(source_files_unchanged(&sources));
    fclose(file);
    source_files_release(&sources);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes),
        cmocka_unit_test(no_file),
    };
    return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
