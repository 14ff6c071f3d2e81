/* cookies_test.c - DNS server cookies, with the vectors of RFC 9018, appendix A. */
#include "dns/cookies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t secret[][DNS_COOKIE_SECRET_SIZE] = {
    { 0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f, 0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37, 0xbf,
      0xcf },
    { 0xdd, 0x3b, 0xdf, 0x93, 0x44, 0xb6, 0x78, 0xb1, 0x85, 0xa6, 0xf5, 0xcb, 0x60, 0xfc, 0xa7,
      0x15 },
    { 0x44, 0x55, 0x36, 0xbc, 0xd2, 0x51, 0x32, 0x98, 0x07, 0x5a, 0x5d, 0x37, 0x96, 0x63, 0xc9,
      0x62 },
};
static const struct tcpct_address a1 = { 4, { 198, 51, 100, 100 } };
static const struct tcpct_address a3 = { 4, { 203, 0, 113, 203 } };
static const struct tcpct_address a4 = {
    6, { 0x20, 1, 0xd, 0xb8, 2, 0x20, 0, 1, 0x59, 0xde, 0xd0, 0xf4, 0x87, 0x69, 0x82, 0xb8 }
};
static const char a1_cookie[] = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
static const char a4_cookie[] = "22681ab97d52c298010000005cf7c57926556bd0934c72f8";

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        const char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return size;
}

/* Asks with the first `size` bytes of a cookie; true if it was good. The reply's as text. */
static char answered[2 * EDNS_COOKIE_SIZE + 1];
static bool ask(const struct dns_cookies *cookies, const struct tcpct_address *client,
                const char *cookie, size_t size, uint32_t now_s)
{
    uint8_t bytes[64] = { 0 }, reply[EDNS_COOKIE_SIZE];
    from_hex(cookie, bytes);
    bool good = dns_cookies_answer(cookies, client, bytes, size, now_s, reply);
    for (size_t i = 0; i < sizeof reply; i++)
        snprintf(answered + 2 * i, 3, "%02x", reply[i]);
    return good;
}

static void learning(void **state)
{
    (void)state;
    struct dns_cookies *cookies = dns_cookies_create(secret, 1);
    assert_false(ask(cookies, &a1, a1_cookie, 8, 1559731985));
    assert_string_equal(answered, a1_cookie);
    dns_cookies_destroy(cookies);
}

static void renewing(void **state)
{
    (void)state;
    struct dns_cookies *cookies = dns_cookies_create(secret, 1);
    assert_true(ask(cookies, &a1, a1_cookie, 24, 1559731985 + 1800));
    assert_string_equal(answered, a1_cookie);
    assert_true(ask(cookies, &a1, a1_cookie, 24, 1559734385));
    assert_string_equal(answered, "2464c4abcf10c957010000005cf7a871d4a564a1442aca77");
    dns_cookies_destroy(cookies);
}

/* Reserved bytes are hashed as they came, and zero in what is made. (A.3 shows this cookie as good
 * when it is almost two hours old, against 4.3.) */
static void reserved_bytes(void **state)
{
    (void)state;
    static const char cookie[] = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5";
    struct dns_cookies *cookies = dns_cookies_create(secret, 1);
    assert_true(ask(cookies, &a3, cookie, 24, 1559727985 + 3600));
    assert_false(ask(cookies, &a3, cookie, 24, 1559734700));
    assert_string_equal(answered, "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e");
    dns_cookies_destroy(cookies);
}

static void rolled_over(void **state)
{
    (void)state;
    struct dns_cookies *cookies = dns_cookies_create(secret + 1, 1);
    assert_true(ask(cookies, &a4, a4_cookie, 24, 1559741961));
    assert_true(dns_cookies_roll(cookies, secret[2]));
    assert_true(ask(cookies, &a4, a4_cookie, 24, 1559741817 + 1801));
    assert_false(ask(cookies, &a4, a4_cookie, 8, 1559741961));
    assert_string_equal(answered, "22681ab97d52c298010000005cf7c609a6bb79d16625507a");
    assert_true(dns_cookies_roll(cookies, secret[0])); /* the second from now on */
    assert_true(
        ask(cookies, &a4, "22681ab97d52c298010000005cf7c609a6bb79d16625507a", 24, 1559741961));
    assert_false(ask(cookies, &a4, a4_cookie, 24, 1559741961));
    dns_cookies_destroy(cookies);
}

/* Several servers: what the others make already, or still, is known. */
static void shared(void **state)
{
    (void)state;
    struct dns_cookies *cookies = dns_cookies_create(secret, 3);
    assert_true(ask(cookies, &a4, a4_cookie, 24, 1559741961));
    assert_true(ask(cookies, &a1, a1_cookie, 24, 1559731985));
    assert_true(dns_cookies_set(cookies, secret + 1, 1));
    assert_true(ask(cookies, &a4, a4_cookie, 24, 1559741961));
    assert_false(ask(cookies, &a1, a1_cookie, 24, 1559731985));
    dns_cookies_destroy(cookies);
}

/* "A 1-hour period in the past and a 5-minute period into the future" (RFC 9018, 4.3), also where
 * the seconds wrap. */
static void times(void **state)
{
    (void)state;
    struct dns_cookies *cookies = dns_cookies_create(secret, 1);
    for (uint32_t made_s = 1559731985, i = 0; i < 2; i++, made_s = UINT32_MAX - 100) {
        char cookie[sizeof answered];
        ask(cookies, &a1, a1_cookie, 8, made_s);
        memcpy(cookie, answered, sizeof cookie);
        assert_true(ask(cookies, &a1, cookie, 24, made_s + 3600));
        assert_false(ask(cookies, &a1, cookie, 24, made_s + 3601));
        assert_true(ask(cookies, &a1, cookie, 24, made_s - 300));
        assert_false(ask(cookies, &a1, cookie, 24, made_s - 301));
    }
    dns_cookies_destroy(cookies);
}

static void forged(void **state)
{
    (void)state;
    struct dns_cookies *cookies = dns_cookies_create(secret, 1);
    char cookie[] = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
    assert_false(ask(cookies, &a3, cookie, 24, 1559731985)); /* another client's */
    for (size_t size = 16; size <= 40; size++)
        assert_int_equal(ask(cookies, &a1, cookie, size, 1559731985), size == 24);
    for (size_t i = 0; i < 48; i++) {
        char digit = cookie[i];
        cookie[i] = digit == '0' ? '1' : '0';
        assert_false(ask(cookies, &a1, cookie, 24, 1559731985));
        cookie[i] = digit;
    }
    dns_cookies_destroy(cookies);
    dns_cookies_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learning),    cmocka_unit_test(renewing), cmocka_unit_test(reserved_bytes),
        cmocka_unit_test(rolled_over), cmocka_unit_test(shared),   cmocka_unit_test(times),
        cmocka_unit_test(forged),
    };
    return cmocka_run_group_tests_name("cookies", tests, NULL, NULL);
}
