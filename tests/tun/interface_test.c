/* interface_test.c - rtnetlink requests about the loopback interface of the test's own network. */
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/tun/namespace.h"
#include "tun/interface.h"

static int netlink;
static unsigned loopback;

static void open_netlink(void)
{
    if (!namespace_enter())
        skip();
    netlink = interface_open();
    assert_true(netlink >= 0);
    loopback = if_nametoindex("lo");
}

static int close_netlink(void **state)
{
    (void)state;
    close(netlink);
    return 0;
}

/* A line of /proc/self/net/`file` has all the words. */
static int has_line(const char *file, const char *const *words)
{
    char path[64], line[512];
    int found = 0;
    snprintf(path, sizeof path, "/proc/self/net/%s", file);
    FILE *lines = fopen(path, "re");
    assert_non_null(lines);
    while (!found && fgets(line, sizeof line, lines) != NULL) {
        found = 1;
        for (const char *const *word = words; *word != NULL; word++)
            found = found && strstr(line, *word) != NULL;
    }
    fclose(lines);
    return found;
}

static void addresses(void **state)
{
    (void)state;
    const struct tun_address four = { { 4, { 10, 77, 0, 1 } }, 32 };
    const struct tun_address six = { { 6, { 0xfd, 0x77, [15] = 1 } }, 128 };
    open_netlink();
    assert_int_equal(interface_add_address(netlink, loopback, &four), 0);
    assert_int_equal(interface_add_address(netlink, loopback, &four), 0); /* again: no error */
    assert_int_equal(interface_await_address(netlink, &four.address), 0);
    assert_int_equal(interface_add_address(netlink, loopback, &six), 0);
    assert_int_equal(interface_add_address(netlink, loopback, &six), 0);
    assert_int_equal(interface_await_address(netlink, &six.address), 0);
    assert_true(has_line("if_inet6",
                         (const char *const[]){ "fd770000000000000000000000000001", "lo", NULL }));
}

static void routes(void **state)
{
    (void)state;
    const struct tun_address four = { { 4, { 10, 78, 200, 9 } }, 20 }; /* its host bits are cut */
    const struct tun_address six = { { 6, { 0xfd, 0x78, [15] = 1 } }, 64 };
    open_netlink();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(interface_add_route(netlink, loopback, &four), 0);
        assert_int_equal(interface_add_route(netlink, loopback, &six), 0);
    }
    assert_true(has_line("route", (const char *const[]){ "lo\t00C04E0A\t", "\t00F0FFFF\t", NULL }));
    assert_true(has_line(
        "ipv6_route", (const char *const[]){ "fd780000000000000000000000000000 40", "lo", NULL }));
}

static void link_properties(void **state)
{
    (void)state;
    open_netlink();
    assert_int_equal(interface_set_mtu(netlink, loopback, 4321), 0);
    assert_int_equal(interface_set_queue(netlink, loopback, 77), 0);
    assert_int_equal(interface_up(netlink, loopback), 0);
    assert_int_equal(interface_disable_link_local(netlink, loopback), 0);
}

static void refusals_are_errors(void **state)
{
    (void)state;
    const struct tun_address good = { { 4, { 10, 79, 0, 1 } }, 32 };
    const struct tun_address bad = { { 4, { 10, 79, 0, 1 } }, 33 };
    open_netlink();
    assert_int_equal(interface_up(netlink, 12345), -ENODEV);
    assert_int_equal(interface_add_address(netlink, 12345, &good), -ENODEV);
    assert_true(interface_add_address(netlink, loopback, &bad) < 0);
    assert_true(interface_add_route(netlink, loopback, &bad) < 0);
    assert_int_equal(interface_add_address(-1, loopback, &good), -EBADF);
}

#define INTERFACE_TEST(test) cmocka_unit_test_teardown(test, close_netlink)

int main(void)
{
    const struct CMUnitTest tests[] = {
        INTERFACE_TEST(addresses),
        INTERFACE_TEST(routes),
        INTERFACE_TEST(link_properties),
        INTERFACE_TEST(refusals_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
