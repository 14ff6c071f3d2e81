/* example_test.c - the example program of tools/tcpct.3 compiles as it stands there, with every
 * warning, and prints what the page says that it prints.
 *
 * The page is read as troff would read it, as far as the two blocks need that: the program stands
 * between the last .EX and .EE, its output between the .nf before and .fi. The test runs in the
 * repository's top folder, after `make`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXT_SIZE = 65536 };

static const char page_path[] = "tools/tcpct.3";
static char folder[] = "/tmp/tcpct-example-XXXXXX"; /* for the program */

/* Adds a line of the page, with its escapes resolved. */
static void append_line(char *text, const char *line)
{
    size_t length = strlen(text);
    for (; *line; line++) {
        char letter = *line;
        if (letter == '\\') {
            letter = *++line;
            if (letter == '&') /* stands for nothing */
                continue;
            if (letter != '-' && letter != 'e')
                fail_msg("%s: the test knows no escape \\%c", page_path, letter);
            letter = letter == 'e' ? '\\' : letter;
        }
        assert_true(length + 2 < TEXT_SIZE);
        text[length++] = letter;
    }
    text[length] = '\0';
}

/* The text between the last line `begin` and the first line `end` after it, without requests. */
static void read_block(const char *begin, const char *end, char text[TEXT_SIZE])
{
    char line[256];
    bool inside = false;
    FILE *page = fopen(page_path, "r");
    if (page == NULL)
        fail_msg("%s is missing: run this in the repository's top folder", page_path);
    text[0] = '\0';
    while (fgets(line, sizeof line, page)) {
        if (strcmp(line, begin) == 0) {
            inside = true;
            text[0] = '\0';
        } else if (strcmp(line, end) == 0) {
            inside = false;
        } else if (inside && line[0] != '.') {
            append_line(text, line);
        }
    }
    fclose(page);
    assert_true(text[0] != '\0');
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

/* Runs a command of the shell; gives what it printed, errors included. */
static int run(const char *command, char text[TEXT_SIZE])
{
    FILE *output = tmpfile();
    assert_non_null(output);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (dup2(fileno(output), STDOUT_FILENO) >= 0 && dup2(fileno(output), STDERR_FILENO) >= 0)
            execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    rewind(output);
    text[fread(text, 1, TEXT_SIZE - 1, output)] = '\0';
    fclose(output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void compile_and_run(const char *library)
{
    static char text[TEXT_SIZE], expected[TEXT_SIZE], command[1024], path[256];
    read_block(".EX\n", ".EE\n", text);
    snprintf(path, sizeof path, "%s/example.c", folder);
    write_file(path, text);
    snprintf(command, sizeof command,
             "${CC:-cc} -std=c17 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes "
             "-Wconversion -Wno-sign-conversion -Werror -Itcpct -o %s/example %s %s -lcrypto",
             folder, path, library);
    if (run(command, text) != 0)
        fail_msg("%s", text);
    snprintf(command, sizeof command, "%s/example", folder);
    assert_int_equal(run(command, text), 0);
    read_block(".nf\n", ".fi\n", expected);
    assert_string_equal(text, expected);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    static const char *const names[] = { "/example.c", "/example" };
    char path[64];
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static void the_pages_example(void **state)
{
    (void)state;
    if (access("build/libtcpct.a", R_OK) != 0)
        fail_msg("build/libtcpct.a is missing: run make first");
    compile_and_run("build/libtcpct.a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pages_example),
    };
    return cmocka_run_group_tests_name("example", tests, make_folder, remove_folder);
}
