/* address_test.c - addresses from text and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/command.h"

static void there_and_back(void **state)
{
    (void)state;
    static const char *const texts[] = { "0.0.0.0",
                                         "10.60.13.2",
                                         "255.255.255.255",
                                         "::",
                                         "2001:db8::1",
                                         "fe80::1:2:3:4",
                                         "1111:2222:3333:4444:5555:6666:7777:8888" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tcpct_address address;
        char text[46];
        assert_true(address_parse(texts[i], &address));
        assert_int_equal(address.family, strchr(texts[i], ':') ? 6 : 4);
        assert_string_equal(address_text(&address, text, sizeof text), texts[i]);
    }
    struct tcpct_address address = { 0 };
    assert_true(address_parse("1.2.3.4", &address));
    static const uint8_t expected[16] = { 1, 2, 3, 4 };
    assert_memory_equal(address.bytes, expected, 16); /* the unused bytes are zero */
    char small[4];
    assert_string_equal(address_text(&address, small, sizeof small), "");
}

static void prefixes(void **state)
{
    (void)state;
    struct tun_address prefix;
    assert_true(address_parse_prefix("10.1.2.3/24", &prefix));
    assert_int_equal(prefix.prefix_length, 24);
    assert_int_equal(prefix.address.bytes[3], 3); /* the host's part stays */
    assert_true(address_parse_prefix("10.1.2.3/0", &prefix));
    assert_true(address_parse_prefix("::/128", &prefix));
    assert_int_equal(prefix.address.family, 6);
    assert_int_equal(prefix.prefix_length, 128);
}

static void nonsense(void **state)
{
    (void)state;
    static const char *const texts[] = { "",         "1.2.3",     "1.2.3.4.5",  "256.1.1.1",
                                         "1.2.3.4 ", "localhost", ":",          ":::",
                                         "1::2::3",  "12345::",   "fe80::1%lo", "1.2.3.4/24" };
    struct tcpct_address address = { .family = 99 };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(address_parse(texts[i], &address));
    assert_int_equal(address.family, 99);
    static const char *const prefixes_[] = {
        "",
        "/",
        "1.2.3.4",
        "1.2.3.4/",
        "1.2.3.4/33",
        "1.2.3.4/-1",
        "1.2.3.4/2x",
        "::/129",
        "/24",
        "1.2.3.4/24/24",
        "1111111111:2222222222:3333333333:4444444444:5555555555:6666/3",
    };
    struct tun_address prefix = { .prefix_length = 99 };
    for (size_t i = 0; i < sizeof prefixes_ / sizeof *prefixes_; i++)
        assert_false(address_parse_prefix(prefixes_[i], &prefix));
    assert_int_equal(prefix.prefix_length, 99);
}

static void ports(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint16_t fallback, port; /* port 0: refused */
        const char *address;
    } cases[] = {
        { "192.0.2.1:80", 0, 80, "192.0.2.1" },
        { "192.0.2.1", 53, 53, "192.0.2.1" },
        { "192.0.2.1", 0, 0, NULL },
        { "192.0.2.1:", 53, 0, NULL },
        { "192.0.2.1:0", 53, 0, NULL },
        { "192.0.2.1:65536", 53, 0, NULL },
        { "[2001:db8::1]:80", 0, 80, "2001:db8::1" },
        { "[2001:db8::1]", 53, 53, "2001:db8::1" },
        { "2001:db8::1", 53, 53, "2001:db8::1" },
        { "[2001:db8::1", 53, 0, NULL },
        { "[2001:db8::1]80", 53, 0, NULL },
        { "[]:80", 53, 0, NULL },
        { ":80", 53, 0, NULL },
        { "", 53, 0, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct socket_name name = { .port = 1 };
        char text[46];
        bool good = address_parse_port(cases[i].text, cases[i].fallback, &name);
        assert_int_equal(good, cases[i].port != 0);
        assert_int_equal(name.port, good ? cases[i].port : 1);
        if (good)
            assert_string_equal(address_text(&name.address, text, sizeof text), cases[i].address);
    }
    struct socket_name name;
    assert_true(address_resolve_port("127.0.0.1:80", 0, &name));
    assert_false(address_resolve_port("127.0.0.1", 0, &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(nonsense),
        cmocka_unit_test(ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
