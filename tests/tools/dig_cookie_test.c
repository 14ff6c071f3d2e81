/* dig_cookie_test.c - what a reply to a DNS cookie means (RFC 7873, 5.3). */
#include "tools/dig_cookie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENT = EDNS_CLIENT_COOKIE_SIZE, HEAD = EDNS_OPTION_HEAD_SIZE };

static struct dig_cookie cookie;

/* A response with this code, without a question, and with these options unless they are NULL; what it
 * says. */
static bool accepted(unsigned rcode, const uint8_t *options, size_t size)
{
    uint8_t message[300] = { 0, 1, 0x80, rcode & 15 };
    size_t whole = DNS_HEADER_SIZE;
    if (options) {
        message[11] = 1;
        dns_put16(message + whole + 1, DNS_OPT);
        message[whole + 5] = (uint8_t)(rcode >> 4);
        dns_put16(message + whole + 9, (uint16_t)size);
        memcpy(message + whole + DNS_OPT_SIZE, options, size);
        whole += DNS_OPT_SIZE + size;
    }
    uint8_t *copy = malloc(whole); /* the sanitizer sees what is read beyond */
    memcpy(copy, message, whole);
    bool good = dig_cookie_accepted(&cookie, copy, whole);
    free(copy);
    return good;
}

/* A cookie option: our part, or with another bit, and a server's of some bytes. */
static size_t option(uint8_t *bytes, size_t server_size, bool ours)
{
    memcpy(bytes, cookie.option, HEAD + CLIENT);
    memset(bytes + HEAD + CLIENT, 's', server_size);
    dns_put16(bytes + 2, (uint16_t)(CLIENT + server_size));
    bytes[HEAD] ^= !ours;
    return HEAD + CLIENT + server_size;
}

static void drawn(void **state)
{
    (void)state;
    struct dig_cookie other;
    dig_cookie_draw(&cookie);
    dig_cookie_draw(&other);
    assert_int_equal(cookie.size, HEAD + CLIENT);
    assert_memory_equal(cookie.option, "\0\12\0\10", HEAD);
    assert_memory_not_equal(cookie.option + HEAD, other.option + HEAD, CLIENT);
}

static void grows(void **state)
{
    (void)state;
    uint8_t bytes[100] = "\0\3\0\1x"; /* behind another option */
    dig_cookie_draw(&cookie);
    size_t size = 5 + option(bytes + 5, 16, true);
    assert_true(accepted(DNS_NOERROR, bytes, size));
    assert_int_equal(cookie.size, HEAD + CLIENT);
    assert_true(accepted(7, bytes, size)); /* the lower bits of BADCOOKIE */
    assert_false(accepted(DNS_BADCOOKIE, bytes, size));
    assert_int_equal(cookie.size, HEAD + CLIENT + 16);
    assert_memory_equal(cookie.option, bytes + 5, cookie.size);
    size = option(bytes, 32, true); /* and again: a longer one */
    assert_false(accepted(DNS_BADCOOKIE, bytes, size));
    assert_int_equal(cookie.size, HEAD + DIG_COOKIE_SIZE_MAX);
}

/* None is taken that is not for us, or is none: then there is nothing to ask with again. */
static void others(void **state)
{
    (void)state;
    uint8_t bytes[100] = { 0 };
    dig_cookie_draw(&cookie);
    assert_true(accepted(DNS_BADCOOKIE, NULL, 0));
    assert_true(accepted(DNS_BADCOOKIE, bytes, 0));
    assert_true(accepted(DNS_BADCOOKIE, bytes, option(bytes, 16, false)));
    assert_true(accepted(DNS_BADCOOKIE, bytes, option(bytes, 0, true)));
    assert_true(accepted(DNS_BADCOOKIE, bytes, option(bytes, 33, true)));
    size_t size = option(bytes, 16, true);
    bytes[3]++; /* its length leaves the record */
    assert_true(accepted(DNS_BADCOOKIE, bytes, size));
    assert_int_equal(cookie.size, HEAD + CLIENT);
    cookie = (struct dig_cookie){ .size = 0 }; /* none was sent */
    assert_true(accepted(DNS_BADCOOKIE, bytes, option(bytes, 16, true)));
    assert_true(dig_cookie_accepted(&cookie, bytes, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn),
        cmocka_unit_test(grows),
        cmocka_unit_test(others),
    };
    return cmocka_run_group_tests_name("dig_cookie", tests, NULL, NULL);
}
