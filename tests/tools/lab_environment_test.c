/* lab_environment_test.c - variables, what replaces them in a text, and the program on the PATH. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/lab_environment.h"

static void environment(void **state)
{
    (void)state;
    struct lab_environment all;
    char text[32];
    setenv("LAB_BUILD_TEST", "x=y", 1);
    lab_environment_begin(&all);
    assert_string_equal(lab_environment_get(&all, "LAB_BUILD_TEST"), "x=y");
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "name%d", i);
        lab_environment_set(&all, text, text + 4);
    }
    lab_environment_set(&all, "name7", "seven");
    assert_string_equal(lab_environment_get(&all, "name7"), "seven");
    assert_string_equal(lab_environment_get(&all, "name199"), "199");
    assert_null(lab_environment_get(&all, "name"));
    assert_null(all.entries[all.count]);

    assert_true(lab_expand(&all, "--a $name1 ${name2}ms $name7", text, sizeof text));
    assert_string_equal(text, "--a 1 2ms seven");
    assert_false(lab_expand(&all, "$nowhere", text, sizeof text));
    assert_false(lab_expand(&all, "0123456789012345678901234567890123456789", text, sizeof text));
    assert_false(lab_expand(&all, "01234567890123456789012345678$name7$name7", text, sizeof text));
    lab_environment_free(&all);
}

static void the_program_is_on_the_path(void **state)
{
    (void)state;
    struct lab_environment all;
    char folder[] = "/tmp/lab-environment-XXXXXX", program[sizeof folder + 16];
    assert_non_null(mkdtemp(folder));
    lab_environment_begin(&all);
    assert_int_equal(lab_add_program(&all, folder), 0);
    snprintf(program, sizeof program, "%s/bin/tcpct", folder);
    assert_int_equal(access(program, X_OK), 0);
    assert_memory_equal(lab_environment_get(&all, "PATH"), folder, strlen(folder));
    lab_remove_program(folder);
    assert_int_equal(rmdir(folder), 0);
    lab_environment_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environment),
        cmocka_unit_test(the_program_is_on_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
