/* cookie_secrets_test.c - the file of --cookie-secret: what is taken from it, and what is refused. */
#include "tools/cookie_secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* RFC 9018, A.1. */
#define SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"
enum { NOW_S = 1559731985 };
static const struct tcpct_address client = { 4, { 198, 51, 100, 100 } };
static const uint8_t asked[] = { 0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57 };
static const uint8_t made[EDNS_COOKIE_SIZE] = { 0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57,
                                                0x01, 0,    0,    0,    0x5c, 0xf7, 0x9f, 0x11,
                                                0x1f, 0x81, 0x30, 0xc3, 0xee, 0xe2, 0x94, 0x80 };

static char path[] = "/tmp/cookie_secrets_XXXXXX";
static char error[512];
static struct dns_cookies *cookies;

/* Reads a file with this text and mode. */
static bool load(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
    error[0] = '\0';
    return cookie_secrets_load(&cookies, path, error, sizeof error);
}

static bool knows_cookie(void)
{
    uint8_t reply[EDNS_COOKIE_SIZE];
    return dns_cookies_answer(cookies, &client, made, sizeof made, NOW_S, reply);
}

static void first_makes_all_verify(void **state)
{
    uint8_t reply[EDNS_COOKIE_SIZE];
    (void)state;
    assert_true(load("# ours\n\n" SECRET "\n", 0600));
    dns_cookies_answer(cookies, &client, asked, sizeof asked, NOW_S, reply);
    assert_memory_equal(reply, made, sizeof made);
    assert_true(load("00000000000000000000000000000000\n" SECRET, 0400));
    dns_cookies_answer(cookies, &client, asked, sizeof asked, NOW_S, reply);
    assert_memory_not_equal(reply, made, sizeof made);
    assert_true(knows_cookie());
    assert_true(load("00000000000000000000000000000000\n", 0600));
    assert_false(knows_cookie());
}

static void refused(void **state)
{
    static const struct {
        const char *text;
        mode_t mode;
        const char *error;
    } cases[] = {
        { "", 0600, "there is no secret" },
        { "# nothing\n", 0600, "there is no secret" },
        { SECRET "0\n", 0600, "line 1: a secret has 32 hexadecimal digits" },
        { SECRET "\n\n" SECRET " \n", 0600, "line 3: a secret has 32" },
        { "g5e973e5a6b2a43f48e7dc849e37bfcf", 0600, "line 1: a secret has 32" },
        { SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n", 0600, "line 4: there may be 3" },
        { SECRET "\n", 0640, "chmod 600" },
        { SECRET "\n", 0604, "chmod 600" },
    };
    (void)state;
    assert_true(load(SECRET "\n", 0600));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(load(cases[i].text, cases[i].mode));
        assert_non_null(strstr(error, cases[i].error));
        assert_true(knows_cookie());
    }
    assert_false(cookie_secrets_load(&cookies, "/nonexistent/file", error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/file: "));
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
    dns_cookies_destroy(cookies);
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_makes_all_verify),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests_name("cookie_secrets", tests, setup, teardown);
}
