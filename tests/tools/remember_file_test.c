/* remember_file_test.c - the file of --remember: private, locked, empty while it is in use, replaced at
 * the end; whatever is wrong with it is said in one sentence, and it is left as it was. */
#include "tools/remember_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tun/loop.h"

enum { PATH = 96, ERROR = 256 };
static char folder[PATH], path[PATH + 8];
static struct tcpct_stack *stack;
static char error[ERROR];

static int begin(void **state)
{
    const struct tcpct_config config = { .random = loop_random };
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/remember-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return tcpct_stack_create(&stack, &config, loop_clock_us());
}

static int end(void **state)
{
    (void)state;
    tcpct_stack_destroy(stack);
    unlink(path);
    return rmdir(folder); /* nothing else is left in it */
}

static bool opens(struct remember_file *file)
{
    *error = '\0';
    return remember_file_open(file, path, stack, error, sizeof error);
}

static struct stat status_of(void)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status;
}

static void write_file(const char *text, size_t size, mode_t mode)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, size), size);
    assert_int_equal(fchmod(descriptor, mode), 0);
    close(descriptor);
}

static void refused(const char *why)
{
    struct remember_file file;
    assert_false(opens(&file));
    assert_int_equal(file.descriptor, -1);
    if (!strstr(error, why))
        fail_msg("\"%s\" does not say \"%s\"", error, why);
}

static void is_made_and_replaced(void **state)
{
    struct remember_file file;
    (void)state;
    assert_true(opens(&file));
    assert_int_equal(status_of().st_mode & 07777, 0600);
    ino_t before = status_of().st_ino;
    assert_true(remember_file_save(&file, stack, error, sizeof error));
    struct stat status = status_of();
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(status.st_ino != before);
    assert_true(status.st_size > 0);
    assert_true(opens(&file));                /* what it holds is good */
    assert_int_equal(status_of().st_size, 0); /* in use */
    remember_file_close(&file);
    assert_true(opens(&file)); /* as after a run that was killed */
    remember_file_close(&file);
}

static void one_at_a_time(void **state)
{
    struct remember_file file;
    (void)state;
    assert_true(opens(&file));
    refused("another run is using it");
    assert_true(remember_file_save(&file, stack, error, sizeof error));
    assert_true(opens(&file));
    remember_file_close(&file);
}

static void damage(void **state)
{
    (void)state;
    write_file("not what it should be", 21, 0600);
    refused("damaged, or of another version");
    assert_int_equal(status_of().st_size, 21);
}

static void other_version(void **state)
{
    char bytes[ERROR];
    (void)state;
    size_t size = tcpct_remembered_export(stack, bytes, sizeof bytes, 1, 1);
    bytes[7] = 1;
    write_file(bytes, size, 0600);
    refused("of another version");
}

static void open_to_others(void **state)
{
    (void)state;
    write_file("", 0, 0640);
    refused("others have access");
    write_file("", 0, 0604);
    refused("others have access");
}

static void other_owner(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    write_file("", 0, 0600);
    assert_int_equal(chown(path, 1, 1), 0);
    refused("belongs to another user");
}

static void no_ordinary_file(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    refused("no ordinary file");
    unlink(path);
    assert_int_equal(symlink("/tmp/remember-elsewhere", path), 0);
    refused("cannot be opened");
}

static void cannot_be_kept(void **state)
{
    struct remember_file file;
    (void)state;
    assert_true(opens(&file));
    file.path = "/tmp/remember-no-such-folder/file";
    assert_false(remember_file_save(&file, stack, error, sizeof error));
    assert_non_null(strstr(error, "cannot be kept"));
    assert_int_equal(file.descriptor, -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(is_made_and_replaced), TEST(one_at_a_time),  TEST(damage),
        TEST(other_version),        TEST(open_to_others), TEST(other_owner),
        TEST(no_ordinary_file),     TEST(cannot_be_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
