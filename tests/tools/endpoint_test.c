/* endpoint_test.c - the flags of every command with a stack, and an endpoint that they open. */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tools/run.h"
#include "tests/tun/namespace.h"
#include "tools/command.h"

static struct endpoint_options options;

/* A command that does nothing but read its flags. */
static int command(int argc, char **argv)
{
    static const struct option own[] = { { "own", no_argument, NULL, 1 } };
    struct option all[32];
    options = (struct endpoint_options){ .command = "try", .parameters = TCPCT_PARAMETERS_DEFAULT };
    endpoint_join_options(all, 32, own, 1);
    int value, status = 0;
    opterr = 0;
    optind = 1;
    while (status == 0 && (value = getopt_long(argc, argv, ":", all, NULL)) != -1) {
        if (value == '?' || value == ':')
            status = command_bad_option("try", argv, value);
        else if (value >= ENDPOINT_OPTION_FIRST)
            status = endpoint_option(&options, value, optarg);
    }
    return status != 0 ? status : endpoint_defaults(&options);
}

#define TRY(...) run_command(command, (const char *const[]){ "try", __VA_ARGS__, NULL })

static void assert_address(const struct tcpct_address *address, const char *expected)
{
    char text[46];
    assert_string_equal(address_text(address, text, sizeof text), expected);
}

static void defaults(void **state)
{
    (void)state;
    assert_int_equal(TRY("--own").status, 0);
    assert_string_equal(options.tun, "tcpct0");
    assert_int_equal(options.address_count, 1);
    assert_address(&options.addresses[0], "10.60.13.2");
    assert_int_equal(options.host_count, 1);
    assert_address(&options.hosts[0].address, "10.60.13.1");
    assert_int_equal(options.hosts[0].prefix_length, 24);
    assert_int_equal(options.parameters.cookie_desired, 16);
    assert_int_equal(options.trace_level, 0);
    assert_int_equal(options.mtu, 0);
    assert_false(options.no_offload);
    assert_null(options.capture);
    assert_null(options.user);

    assert_int_equal(TRY("--addr", "fd00::2").status, 0); /* then no default host either */
    assert_int_equal(options.address_count, 1);
    assert_int_equal(options.host_count, 0);
}

static void values_are_taken(void **state)
{
    (void)state;
    assert_int_equal(TRY("--tun", "t1", "--addr", "10.0.0.2", "--addr", "fd00::2", "--host",
                         "10.0.0.1/24", "--host", "fd00::1/64", "--mtu", "9000", "--trace", "2",
                         "--no-offload", "--capture", "f.pcap", "--user", "nobody", "--md5-key",
                         "f.keys")
                         .status,
                     0);
    assert_string_equal(options.tun, "t1");
    assert_int_equal(options.address_count, 2);
    assert_address(&options.addresses[1], "fd00::2");
    assert_int_equal(options.host_count, 2);
    assert_int_equal(options.hosts[1].prefix_length, 64);
    assert_int_equal(options.mtu, 9000);
    assert_int_equal(options.trace_level, 2);
    assert_true(options.no_offload);
    assert_string_equal(options.capture, "f.pcap");
    assert_string_equal(options.user, "nobody");
    assert_string_equal(options.md5_keys, "f.keys");

    assert_int_equal(TRY("--cookie-desired", "8", "--extend-ts", "64", "--in-always", "--out-never",
                         "--syn-data-limit", "496", "--syn-ack-data-limit", "1220")
                         .status,
                     0);
    assert_int_equal(options.parameters.cookie_desired, 8);
    assert_int_equal(options.parameters.extend_ts, 64);
    assert_true(options.parameters.in_always);
    assert_true(options.parameters.out_never);
    assert_int_equal(options.parameters.syn_data_limit, 496);
    assert_int_equal(options.parameters.syn_ack_data_limit, 1220);

    assert_int_equal(TRY("--extend-ts", "auto").status, 0);
    assert_int_equal(options.parameters.extend_ts, TCPCT_EXTEND_TS_AUTO);

    assert_int_equal(options.window, TCPCT_WINDOW_REMEMBERED);
    assert_int_equal(TRY("--restart-window", "careful").status, 0);
    assert_int_equal(options.window, TCPCT_WINDOW_CAREFUL);
    assert_int_equal(TRY("--restart-window", "initial").status, 0);
    assert_int_equal(options.window, TCPCT_WINDOW_INITIAL);
}

/* Usage errors are one sentence that names the flag. */
static void bad_values_are_refused(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        { "--addr", "10.0.0" },
        { "--addr", "0.0.0.0" },
        { "--addr", "224.0.0.1" },
        { "--addr", "ff02::1" },
        { "--addr", "10.0.0.1/24" },
        { "--host", "10.0.0.1" },
        { "--host", "10.0.0.1/33" },
        { "--host", "::/0" },
        { "--mtu", "575" },
        { "--mtu", "65536" },
        { "--mtu", "big" },
        { "--trace", "3" },
        { "--trace", "-1" },
        { "--tun", "" },
        { "--capture", "" },
        { "--user", "" },
        { "--md5-key", "" },
        { "--cookie-desired", "7" },
        { "--cookie-desired", "9" },
        { "--cookie-desired", "18" },
        { "--extend-ts", "0" },
        { "--extend-ts", "65" },
        { "--syn-data-limit", "497" },
        { "--syn-ack-data-limit", "1221" },
        { "--restart-window", "whole" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct run run = TRY(bad[i][0], bad[i][1]);
        assert_int_equal(run.status, EXIT_USAGE);
        assert_non_null(strstr(run.error, bad[i][0]));
        assert_ptr_equal(strchr(run.error, '\n'), run.error + strlen(run.error) - 1);
        assert_int_equal(strncmp(run.error, "tcpct try: ", 11), 0);
    }
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    static const char *const lines[][5] = {
        { "given twice", "--tun", "a", "--tun", "b" },
        { "given twice", "--no-offload", "--no-offload" },
        { "given twice", "--addr", "10.0.0.2", "--addr", "10.0.0.2" },
        { "given twice", "--host", "10.0.0.1/24", "--host", "10.0.0.1/8" },
        { "must differ", "--addr", "10.0.0.2", "--host", "10.0.0.2/24" },
        { "--addr", "--host", "10.0.0.2/24" },
        { "--mtu needs a value", "--mtu" },
        { "unknown", "--nonsense" },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct run run = TRY(lines[i][1], lines[i][2], lines[i][3], lines[i][4]);
        assert_int_equal(run.status, EXIT_USAGE);
        if (strstr(run.error, lines[i][0]) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", lines[i][0], run.error);
    }
}

static void too_many_addresses(void **state)
{
    (void)state;
    char text[32];
    options = (struct endpoint_options){ .command = "try" };
    int addr = -1;
    for (size_t i = 0; i < endpoint_long_option_count; i++)
        if (strcmp(endpoint_long_options[i].name, "addr") == 0)
            addr = endpoint_long_options[i].val;
    for (int i = 0; i <= ENDPOINT_ADDRESSES_MAX; i++) {
        snprintf(text, sizeof text, "10.0.1.%d", i + 1);
        assert_int_equal(endpoint_option(&options, addr, text),
                         i < ENDPOINT_ADDRESSES_MAX ? 0 : EXIT_USAGE);
    }
}

/* Every flag is described. */
static void usage_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < endpoint_long_option_count; i++) {
        char flag[64];
        snprintf(flag, sizeof flag, "  --%s", endpoint_long_options[i].name);
        assert_non_null(strstr(endpoint_usage, flag));
    }
}

/* ---- opening -------------------------------------------------------------------------------- */

/* Opens an endpoint with defaults; meanwhile a second one must fail. */
static int open_twice(int argc, char **argv)
{
    struct endpoint first, second;
    struct tcpct_config config = { 0 }, other = { 0 };
    int status = command(argc, argv);
    if (status == 0)
        status = endpoint_open(&first, &options, &config);
    if (status != 0)
        return status;
    bool good = first.device != NULL && first.stack != NULL && first.capture != NULL &&
                config.random == loop_random && config.mtu == 1400 && config.trace != NULL &&
                config.checksum_offload == tun_device_checksum_offload(first.device) &&
                tcpct_deadline(first.stack) > 0;
    status = endpoint_open(&second, &options, &other);
    good = good && second.device == NULL && second.stack == NULL && second.capture == NULL;
    endpoint_close(&first);
    return good ? status : 100;
}

static void an_endpoint_opens(void **state)
{
    (void)state;
    if (!namespace_enter())
        skip();
    struct run run =
        run_command(open_twice, (const char *const[]){ "try", "--mtu", "1400", "--trace", "1",
                                                       "--capture", "/dev/null", NULL });
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "another program has it open"));
}

static int open_once(int argc, char **argv)
{
    struct endpoint endpoint;
    struct tcpct_config config = { 0 };
    int status = command(argc, argv);
    if (status == 0)
        status = endpoint_open(&endpoint, &options, &config);
    if (status != 0)
        return status;
    status = endpoint_drop_privileges(&options);
    endpoint_close(&endpoint);
    return status;
}

static void failures_are_told(void **state)
{
    (void)state;
    if (!namespace_enter())
        skip();
    struct run run = run_command(
        open_once, (const char *const[]){ "try", "--capture", "/nonexistent/f.pcap", NULL });
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "/nonexistent/f.pcap"));
    run = run_command(open_once, (const char *const[]){ "try", "--user", "no-such-user", NULL });
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "no-such-user"));
    run = run_command(open_once,
                      (const char *const[]){ "try", "--md5-key", "/nonexistent/f.keys", NULL });
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "/nonexistent/f.keys"));
    run = run_command(open_once, (const char *const[]){ "try", "--tun", "lo", NULL });
    assert_int_equal(run.status, 1);
    run = run_command(open_once, (const char *const[]){ "try", "--own", NULL });
    assert_int_equal(run.status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(values_are_taken),
        cmocka_unit_test(bad_values_are_refused),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(too_many_addresses),
        cmocka_unit_test(usage_is_complete),
        cmocka_unit_test(an_endpoint_opens),
        cmocka_unit_test(failures_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
