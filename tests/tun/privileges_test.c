/* privileges_test.c - in child processes, since what is given up is gone. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tun/privileges.h"

/* Runs `body` in a child; its status. */
static int in_child(int (*body)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(body());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The hexadecimal value of a line of /proc/self/status is zero. */
static int is_zero(const char *name)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    size_t length = strlen(name);
    int zero = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, length) == 0)
            zero = strspn(line + length, ":\t0\n") == strlen(line + length);
    if (file != NULL)
        fclose(file);
    return zero;
}

static int become_nobody(void)
{
    char error[256] = "";
    if (privileges_drop("nobody", error, sizeof error) != 0)
        return 1;
    uid_t real, effective, saved;
    if (getresuid(&real, &effective, &saved) != 0 || real != effective || real != saved ||
        real == 0 || getgid() == 0 || getgroups(0, NULL) > 1)
        return 2;
    static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd" };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (!is_zero(sets[i]))
            return 10 + (int)i;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 3;
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
        return 4;
    return privileges_drop("nobody", error, sizeof error) == 0 ? 0 : 5; /* twice is no harm */
}

static void root_becomes_nobody(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(become_nobody), 0);
}

static int become_root_again(void)
{
    char error[256] = "";
    if (privileges_drop("65534", error, sizeof error) != 0)
        return 1;
    if (privileges_drop("root", error, sizeof error) == 0)
        return 2;
    return strstr(error, "cannot become user root") != NULL ? 0 : 3;
}

static void there_is_no_way_back(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(become_root_again), 0);
}

static void unknown_users_are_named(void **state)
{
    (void)state;
    static const char *const names[] = { "no-such-user",         "",   "4294967295",
                                         "99999999999999999999", "-1", "12 " };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char error[256] = "";
        assert_int_equal(privileges_drop(names[i], error, sizeof error), -1);
        assert_non_null(strstr(error, "there is no user"));
        assert_non_null(strstr(error, names[i]));
    }
}

static int harden(void)
{
    struct rlimit limit;
    privileges_harden_memory();
    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 ? 0 : 1;
}

static void no_core_is_dumped(void **state)
{
    (void)state;
    assert_int_equal(in_child(harden), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_becomes_nobody),
        cmocka_unit_test(there_is_no_way_back),
        cmocka_unit_test(unknown_users_are_named),
        cmocka_unit_test(no_core_is_dumped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
