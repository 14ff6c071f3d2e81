/* command_test.c - errors in one sentence, and files that are written again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/tools/run.h"
#include "tools/command.h"

static int complain(int argc, char **argv)
{
    return command_error(argv[0][0] != '\0' ? argv[0] : NULL, 40 + argc, "%s is %d", "it", 7);
}

static void errors(void **state)
{
    (void)state;
    struct run run = run_command(complain, (const char *const[]){ "dig", NULL });
    assert_int_equal(run.status, 41);
    assert_string_equal(run.error, "tcpct dig: it is 7\n");
    assert_string_equal(run.out, "");
    run = run_command(complain, (const char *const[]){ "", NULL });
    assert_string_equal(run.error, "tcpct: it is 7\n");
}

static void files_are_written_again(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    fputs("a long first text", file);
    fflush(file);
    command_rewrite(file);
    fputs("short", file);
    rewind(file);
    char text[64] = "";
    assert_non_null(fgets(text, sizeof text, file));
    assert_string_equal(text, "short");
    fclose(file);

    int ends[2]; /* what cannot be emptied just goes on */
    assert_int_equal(pipe(ends), 0);
    file = fdopen(ends[1], "w");
    fputs("one ", file);
    fflush(file);
    command_rewrite(file);
    fputs("two", file);
    fclose(file);
    assert_int_equal(read(ends[0], text, sizeof text), 7);
    assert_memory_equal(text, "one two", 7);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(files_are_written_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
