/* lab_process_test.c - programs that end by themselves, are ended, or leave something behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/lab_process.h"

static char log_path[] = "/tmp/lab_process_test-XXXXXX";

static struct process_options shell(char *text)
{
    static char *words[4];
    words[0] = (char *)"sh";
    words[1] = (char *)"-c";
    words[2] = text;
    return (struct process_options){
        .name = "a test", .words = words, .environment = environ, .log = log_path, .bound = true
    };
}

static void by_itself(void **state)
{
    (void)state;
    struct process_options options = shell((char *)"exit 7");
    assert_int_equal(process_run(&options, 20000), 7);
    options = shell((char *)"kill -KILL $$");
    assert_int_equal(process_run(&options, 20000), 128 + SIGKILL);
    options = shell((char *)"sleep 1000");
    assert_int_equal(process_run(&options, 50), -2); /* it is ended */
    char *none[] = { (char *)"/nonexistent/program", NULL };
    options.words = none;
    assert_int_equal(process_run(&options, 20000), 127);
}

static void ready(void **state)
{
    (void)state;
    struct process_options options = shell((char *)"echo not yet; echo ready now; sleep 1000");
    pid_t pid = process_start(&options);
    assert_int_equal(process_wait_ready(pid, &options), 0);
    process_end(pid);
    assert_int_equal(kill(-pid, 0), -1);
    options = shell((char *)"exit 3");
    pid = process_start(&options);
    assert_int_equal(process_wait_ready(pid, &options), 3);
    options = shell((char *)"exit 0");
    pid = process_start(&options);
    assert_int_equal(process_wait_ready(pid, &options), 1);
}

/* However soon: a process that has only just been started ends as any other. */
static void at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct process_options options = shell((char *)"sleep 1000 & wait");
        pid_t pid = process_start(&options);
        process_end(pid);
        assert_true(kill(pid, 0) == -1 && errno == ESRCH);
        assert_true(kill(-pid, 0) == -1 && errno == ESRCH);
    }
}

/* What a program started ends with it, also if the program has ended before. */
static void leftovers(void **state)
{
    (void)state;
    struct process_options options = shell((char *)"sleep 1000 & echo ready; wait");
    pid_t pid = process_start(&options);
    assert_int_equal(process_wait_ready(pid, &options), 0);
    process_end(pid);
    assert_true(kill(-pid, 0) == -1 && errno == ESRCH);
    options = shell((char *)"sleep 1000 & echo ready");
    pid = process_start(&options);
    assert_int_equal(process_wait_ready(pid, &options), 0);
    process_end(pid);
    assert_true(kill(-pid, 0) == -1 && errno == ESRCH);
}

static void another(void **state)
{
    (void)state;
    struct process_options options = shell((char *)"echo ready; sleep 1000");
    pid_t pid = process_start(&options);
    unsigned long long started_at = process_started_at(pid);
    assert_int_equal(process_wait_ready(pid, &options), 0);
    assert_true(started_at > 0);
    assert_true(process_end_other(pid, started_at + 1)); /* a number that passed to another */
    assert_int_equal(kill(pid, 0), 0);
    assert_true(process_end_other(pid, started_at));
    assert_int_equal(kill(pid, 0), -1);
    assert_true(process_end_other(pid, started_at));
    assert_int_equal(process_started_at(pid), 0);
}

static void interrupted(void **state)
{
    (void)state;
    struct process_options options = shell((char *)"sleep 1000");
    pid_t pid = process_start(&options);
    raise(SIGTERM);
    assert_int_equal(process_interrupted(), SIGTERM);
    assert_int_equal(process_wait(pid, 20000), -1);
    assert_int_equal(process_wait_ready(pid, &options), -1);
    process_end(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_itself), cmocka_unit_test(ready),   cmocka_unit_test(leftovers),
        cmocka_unit_test(another),   cmocka_unit_test(at_once), cmocka_unit_test(interrupted),
    };
    close(mkstemp(log_path));
    process_catch_interrupts();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(log_path);
    return failed;
}
