/* seal_keys_test.c - the file of --seal-key: what is taken from it, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/seal_keys.h"

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
#define OTHER "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct seal_keys keys;
static char path[] = "/tmp/seal-keys-XXXXXX";
static char error[512];

static int setup(void **state)
{
    (void)state;
    memset(path + sizeof path - 7, 'X', 6);
    int file = mkstemp(path);
    return file < 0 || close(file) != 0;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static bool load(const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    *error = '\0';
    return seal_keys_load(&keys, path, error, sizeof error);
}

static bool load_text(const char *text)
{
    return load(text, strlen(text));
}

static void refused(const char *text, const char *why)
{
    assert_false(load_text(text));
    if (strstr(error, path) == NULL || strstr(error, why) == NULL || strchr(error, '\n') != NULL)
        fail_msg("\"%s\" for \"%s\"", error, text);
}

static void hexadecimal(void **state)
{
    (void)state;
    const char *const texts[] = { HEX, HEX "\n", "# the key\n\n" HEX "\n\n" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(load_text(texts[i]));
        assert_int_equal(keys.count, 1);
        for (uint8_t at = 0; at < TCPCT_SEAL_KEY_SIZE; at++)
            assert_int_equal(keys.bytes[at], at);
    }
}

static void two_keys(void **state)
{
    (void)state;
    assert_true(load_text(OTHER "\n" HEX "\n"));
    assert_int_equal(keys.count, 2);
    assert_int_equal(keys.bytes[0], 0xff);
    assert_int_equal(keys.bytes[TCPCT_SEAL_KEY_SIZE], 0);
    assert_int_equal(keys.bytes[2 * TCPCT_SEAL_KEY_SIZE - 1], 0x1f);
}

static void raw(void **state)
{
    (void)state;
    const char bytes[] = "\n#2345678901234567890123456789\0z";
    assert_true(load(bytes, 32));
    assert_int_equal(keys.count, 1);
    assert_memory_equal(keys.bytes, bytes, 32);
}

static void what_is_no_key(void **state)
{
    (void)state;
    char huge[5000];
    memset(huge, 'a', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    const char *const texts[] = { "",
                                  "\n",
                                  "# nothing\n",
                                  "secret\n",
                                  HEX "0",
                                  HEX " \n",
                                  HEX "\n" OTHER "\n" HEX,
                                  HEX "\nmore\n",
                                  huge,
                                  "g" OTHER "\n",
                                  HEX "\r\n" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refused(texts[i], "a key is 32 bytes, or a line of 64 hexadecimal digits");
}

static void not_private(void **state)
{
    (void)state;
    const mode_t modes[] = { 0640, 0604, 0620, 0602, 0666 };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        refused(HEX, "chmod 600");
    }
    assert_int_equal(chmod(path, 0600), 0);
    assert_true(load_text(HEX));
}

static void not_there(void **state)
{
    (void)state;
    assert_false(seal_keys_load(&keys, "/nowhere/key", error, sizeof error));
    assert_string_equal(error, "/nowhere/key: the key cannot be read: No such file or directory");
    assert_false(seal_keys_load(&keys, "/tmp", error, sizeof error));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(hexadecimal),    TEST(two_keys),    TEST(raw),
        TEST(what_is_no_key), TEST(not_private), TEST(not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
