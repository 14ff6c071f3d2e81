/* md5_keys_test.c - the file of --md5-key: what is taken from it, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tcpct/md5sig.h"
#include "tools/command.h"
#include "tools/md5_keys.h"

static struct tcpct_stack *stack;
static char path[] = "/tmp/md5-keys-XXXXXX";
static char error[512];

static void fill_random(void *context, void *bytes, size_t size)
{
    (void)context;
    memset(bytes, 7, size);
}

static int setup(void **state)
{
    const struct tcpct_config config = { .random = fill_random };
    (void)state;
    memset(path + sizeof path - 7, 'X', 6);
    int file = mkstemp(path);
    return file < 0 || close(file) != 0 || tcpct_stack_create(&stack, &config, 0) != TCPCT_OK;
}

static int teardown(void **state)
{
    (void)state;
    tcpct_stack_destroy(stack);
    return unlink(path);
}

static bool load(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    *error = '\0';
    return md5_keys_load(stack, path, error, sizeof error);
}

static void refused(const char *text, const char *place, const char *why)
{
    assert_false(load(text));
    if (strstr(error, path) == NULL || strstr(error, place) == NULL || strstr(error, why) == NULL)
        fail_msg("\"%s\" for \"%s\"", error, text);
}

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

/* Whether the stack has this key for this peer: then it takes, and resets, what that signed. */
static bool has_key(const char *peer, const char *key)
{
    static uint8_t bytes[TCPCT_REPLY_SIZE], reply_bytes[TCPCT_REPLY_SIZE];
    struct memory memory = { .allocate = allocate, .release = release };
    struct tcpct_packet packet = { .data = bytes, .size = sizeof bytes };
    struct tcpct_packet reply = { .data = reply_bytes, .size = sizeof reply_bytes };
    struct segment segment = {
        .source_port = 1, .destination_port = 2, .flags = SEGMENT_SYN, .options.present = OPTION_MD5
    };
    struct md5sig *md5sig;
    assert_true(address_parse(peer, &segment.source));
    address_parse(segment.source.family == 4 ? "192.0.2.9" : "2001:db8::9", &segment.destination);
    tcpct_address_add(stack, &segment.destination);
    assert_int_equal(md5sig_create(&md5sig, &memory), TCPCT_OK);
    assert_true(md5sig_set(md5sig, &segment.source, key, strlen(key)));
    segment.key = md5sig_find(md5sig, &segment.source);
    assert_true(md5sig_encode(md5sig, &segment, &packet, false));
    md5sig_destroy(md5sig, &memory);
    return tcpct_input(stack, &packet, &reply, 0) == TCPCT_REPLIED;
}

static void keys_are_read(void **state)
{
    (void)state;
    assert_true(load(""));
    assert_true(load("# peers\n\n192.0.2.1 a key\n2001:db8::1\t \tother # and all of this \n"
                     "192.0.2.2 !~"));
    assert_true(has_key("192.0.2.1", "a key"));
    assert_false(has_key("192.0.2.1", "a key\n"));
    assert_true(has_key("2001:db8::1", "other # and all of this "));
    assert_false(has_key("2001:db8::1", "other"));
    assert_true(has_key("192.0.2.2", "!~"));
}

#define KEY_10 "0123456789"
#define KEY_80 KEY_10 KEY_10 KEY_10 KEY_10 KEY_10 KEY_10 KEY_10 KEY_10

static void bad_lines_are_refused(void **state)
{
    (void)state;
    refused("192.0.2.1 key\nnonsense\n", "line 2", "ADDRESS KEY");
    refused("192.0.2.0/24 key\n", "line 1", "one peer");
    refused("224.0.0.1 key\n", "line 1", "one peer");
    refused("0.0.0.0 key\n", "line 1", "one peer");
    refused(" 192.0.2.3 key\n", "line 1", "one peer");
    refused("# none\n192.0.2.3\n", "line 2", "1 to 80");
    refused("192.0.2.3 \t \n", "line 1", "1 to 80");
    refused("192.0.2.3 key\r\n", "line 1", "printable");
    refused("192.0.2.3 k\xc3\xa9y\n", "line 1", "printable");
    refused("192.0.2.3 " KEY_80 "x\n", "line 1", "1 to 80");
    refused("192.0.2.3 " KEY_80 KEY_80 KEY_80 KEY_80 "\n", "line 1", "too long");
    refused("fd00::1 one\nfd00:0::1 two\n", "line 2", "already");
    assert_true(load("192.0.2.3 " KEY_80 "\n"));
}

static void too_many_are_refused(void **state)
{
    (void)state;
    char text[4096];
    size_t used = 0;
    for (int i = 1; i <= 64; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "192.0.2.%d key\n", i);
    assert_true(load(text));
    snprintf(text + used, sizeof text - used, "192.0.2.65 key\n");
    refused(text, "line 65", "64 keys");
}

/* Nobody but the owner may have access, not even to write. */
static void the_file_must_be_private(void **state)
{
    (void)state;
    assert_true(load("192.0.2.1 key\n"));
    for (mode_t bit = 1; bit <= 040; bit <<= 1) {
        assert_int_equal(chmod(path, 0600 | bit), 0);
        assert_false(md5_keys_load(stack, path, error, sizeof error));
        assert_non_null(strstr(error, "chmod 600"));
    }
    assert_int_equal(chmod(path, 0400), 0);
    assert_true(md5_keys_load(stack, path, error, sizeof error));
}

static void what_is_no_file_is_told(void **state)
{
    (void)state;
    assert_false(md5_keys_load(stack, "/nonexistent/keys", error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/keys"));
    assert_false(md5_keys_load(stack, "/", error, sizeof error));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_are_read),           TEST(bad_lines_are_refused),
        TEST(too_many_are_refused),    TEST(the_file_must_be_private),
        TEST(what_is_no_file_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
