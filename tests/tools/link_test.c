/* link_test.c - `tcpct link`: its flags, and packets of the kernel's that pass it in a network
 * of the test's own. What a link does to packets is tested in tests/tun/link_test.c.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "tests/tools/run.h"
#include "tests/tun/namespace.h"
#include "tools/link_options.h"

#define LINK(...) run_command(command_link, (const char *const[]){ "link", __VA_ARGS__, NULL })

static void usage_errors(void **state)
{
    (void)state;
    static const char *const lines[][6] = {
        { "two ends", "--a", "x" },
        { "--delay takes", "--a", "x", "--delay", "10" },
        { "--delay-ab takes", "--delay-ab", "2000s" },
        { "--rate takes", "--rate", "1mb" },
        { "--rate takes", "--rate", "1001gbit" },
        { "--queue takes", "--queue", "12" },
        { "--queue takes", "--queue", "0packets" },
        { "--queue takes", "--queue", "9999999999packets" },
        { "--loss takes", "--loss", "101%" },
        { "--corrupt takes", "--corrupt", "1" },
        { "--duplicate takes", "--duplicate", "x" },
        { "--reorder takes", "--reorder", "-1%" },
        { "--reorder-by takes", "--reorder-by", "5" },
        { "--seed takes", "--seed", "x" },
        { "--mtu takes", "--mtu", "100" },
        { "--spin takes", "--spin", "2s" },
        { "--host-a takes", "--host-a", "10.0.0.1" },
        { "--route-b takes", "--route-b", "10.0.0.0/40" },
        { "given twice", "--a", "x", "--a", "y" },
        { "given twice", "--loss", "1%", "--loss", "1%" },
        { "--nat takes an address", "--nat", "10.0.0.0/8" },
        { "one address of each family", "--nat", "10.0.0.1", "--nat", "10.0.0.2" },
        { "--copy-options takes", "--copy-options", "1" },
        { "--forget takes", "--forget", "0s" },
        { "--at takes", "--at", "5" },
        { "order of time", "--at", "5s", "--at", "4s" },
        { "is no change", "--at", "5s", "rate" },
        { "is no change", "--at", "5s", "seed=7" },
        { "rate-ab takes", "--at", "5s", "rate-ab=x" },
        { "no-such-file", "--a", "x", "--b=y", "--settings=/no-such-file" },
        { "needs a value", "--loss" },
        { "unknown", "--nonsense" },
        { "not an option", "word" },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct run run = LINK(lines[i][1], lines[i][2], lines[i][3], lines[i][4]);
        assert_int_not_equal(run.status, 0);
        if (strstr(run.error, lines[i][0]) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", lines[i][0], run.error);
    }
    struct run run = LINK("--help");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "--reorder-by"));
}

static struct link_options parsed;

static int parse(int argc, char **argv)
{
    return link_options_parse(&parsed, argc, argv);
}

#define PARSE(...) \
    run_command(parse, (const char *const[]){ "link", "--a", "x", "--b", "y@n", __VA_ARGS__, NULL })

static void values_are_taken(void **state)
{
    (void)state;
    const struct link_path *ab = &parsed.config.paths[LINK_A_TO_B];
    const struct link_path *ba = &parsed.config.paths[LINK_B_TO_A];
    assert_int_equal(PARSE(NULL).status, 0);
    assert_string_equal(parsed.sides[1].name, "y@n");
    assert_int_equal(ab->delay_us + ab->rate, 0);
    assert_int_equal(ba->queue_bytes, 256000);

    assert_int_equal(PARSE("--delay", "10ms", "--delay-ba", "1.5ms", "--rate", "50mbit",
                           "--queue-ab", "100packets", "--queue-ba", "64kib")
                         .status,
                     0);
    assert_int_equal(ab->delay_us, 10000);
    assert_int_equal(ba->delay_us, 1500);
    assert_int_equal(ab->rate, 50000000);
    assert_int_equal(ba->rate, 50000000);
    assert_int_equal(ab->queue_packets, 100);
    assert_int_equal(ab->queue_bytes, 0);
    assert_int_equal(ba->queue_packets, 0);
    assert_int_equal(ba->queue_bytes, 65536);

    assert_int_equal(PARSE("--loss", "1%", "--corrupt-ab", "2%", "--duplicate-ba", "3%",
                           "--reorder", "4%", "--reorder-by", "9ms", "--queue", "0")
                         .status,
                     0);
    assert_true(ab->loss == 0.01 && ba->loss == 0.01);
    assert_true(ab->corrupt == 0.02 && ba->corrupt == 0);
    assert_true(ab->duplicate == 0 && ba->duplicate == 0.03);
    assert_true(ab->reorder == 0.04 && ba->reorder == 0.04);
    assert_int_equal(ab->reorder_us, 9000);
    assert_int_equal(ab->queue_bytes + ab->queue_packets, 0);

    assert_int_equal(PARSE("--seed", "7", "--mtu", "9000", "--spin", "5us", "--host-a",
                           "10.0.0.1/32", "--host-b", "fd00::1/64", "--route-a", "10.1.0.0/16",
                           "--route-a", "10.2.0.0/16", "--route-b", "::/0")
                         .status,
                     0);
    assert_int_equal(parsed.config.seed, 7);
    assert_int_equal(parsed.mtu, 9000);
    assert_int_equal(parsed.spin_least_us, 5);
    assert_int_equal(parsed.spin_most_us, 5);
    assert_int_equal(parsed.sides[0].host_count, 1);
    assert_int_equal(parsed.sides[0].route_count, 2);
    assert_int_equal(parsed.sides[1].host_count, 1);
    assert_int_equal(parsed.sides[1].route_count, 1);
}

static void boxes_are_taken(void **state)
{
    (void)state;
    const struct middlebox_config *box = &parsed.config.box;
    assert_int_equal(PARSE(NULL).status, 0);
    assert_false(box->shift_sequence || box->firewall || box->proxy);
    assert_int_equal(PARSE("--nat", "10.60.1.200", "--nat", "fd60:1::200", "--copy-options",
                           "253,254", "--forget", "30s", "--shift-sequence", "--firewall",
                           "--proxy")
                         .status,
                     0);
    assert_true(box->shift_sequence && box->firewall && box->proxy);
    assert_true(box->nat[0].family == 4 && box->nat[1].family == 6);
    assert_true(option_kinds_has(&box->copy, 253) && option_kinds_has(&box->copy, 254));
    assert_int_equal(box->forget_us, 30000000);
}

static void changes_are_taken(void **state)
{
    (void)state;
    assert_int_equal(
        PARSE("--at", "5s", "rate=1mbit", "delay-ab=20ms", "--at", "6s", "--loss", "1%", "loss=2%")
            .status,
        0);
    assert_int_equal(parsed.change_count, 3);
    assert_true(parsed.changes[0].at_us == 5000000 && parsed.changes[1].at_us == 5000000);
    assert_true(parsed.changes[2].at_us == 6000000);
    assert_string_equal(parsed.changes[2].text, "loss=2%");
    assert_true(parsed.config.paths[0].loss == 0.01);
}

static void settings_are_read(void **state)
{
    (void)state;
    char name[] = "/tmp/tcpct-settings-XXXXXX", flag[64];
    int fd = mkstemp(name);
    static const char text[] = "# of the line\n\ndelay=7ms # both\nloss-ba=3%\ncoalesce=on";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    snprintf(flag, sizeof flag, "--settings=%s", name);
    assert_int_equal(PARSE(flag, "--delay", "1ms").status, 0);
    assert_int_equal(parsed.config.paths[0].delay_us, 7000);
    assert_true(parsed.config.paths[0].loss == 0 && parsed.config.paths[1].loss == 0.03);
    assert_true(parsed.config.paths[0].box.coalesce);
    unlink(name);
}

/* ---- forwarding ----------------------------------------------------------------------------- */

/* Reads from the link's standard output until `end` has come. */
static void read_until(int output, char *text, size_t size, const char *end)
{
    size_t length = 0;
    struct pollfd wait = { .fd = output, .events = POLLIN };
    do {
        assert_true(length + 1 < size && poll(&wait, 1, 10000) == 1);
        ssize_t got = read(output, text + length, size - 1 - length);
        assert_true(got > 0);
        length += (size_t)got;
        text[length] = '\0';
    } while (strstr(text, end) == NULL);
}

/* In the namespace: a link from left to right, with up to eight more words. */
static pid_t start(int *output, char *const more[])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *argv[20] = { "link",      "--a",         "left",     "--b",         "right",
                           "--route-a", "10.5.0.0/16", "--host-a", "10.4.0.1/32", "--stats",
                           "-" };
        int count = 11;
        for (; more != NULL && more[count - 11] != NULL; count++)
            argv[count] = more[count - 11];
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        int status = command_link(count, argv);
        fflush(stdout);
        _exit(status);
    }
    close(ends[1]);
    *output = ends[0];
    return child;
}

static void end(pid_t link, int output)
{
    char text[4096];
    kill(link, SIGTERM);
    read_until(output, text, sizeof text, "}}\n");
    int status;
    assert_int_equal(waitpid(link, &status, 0), link);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(output);
}

/* The data of each is its number. */
static void send_packets(uint32_t count)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
    inet_pton(AF_INET, "10.5.0.1", &to.sin_addr);
    const struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(9999) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof from), 0);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(sendto(fd, &i, 4, 0, (struct sockaddr *)&to, sizeof to), 4);
    close(fd);
}

static void packets_pass(void **state)
{
    (void)state;
    if (!namespace_enter())
        skip();
    int output;
    char text[4096];
    pid_t link = start(&output, NULL);
    read_until(output, text, sizeof text, "\n");
    assert_string_equal(text, "ready left right\n");

    send_packets(3);
    do { /* the counters, until the last packet has passed */
        kill(link, SIGUSR1);
        read_until(output, text, sizeof text, "}}\n");
    } while (strstr(text, "\"packets_out\": 3, \"bytes_out\": 96,") == NULL);
    assert_non_null(strstr(text, "{\"a_to_b\": {\"packets_in\": 3, \"bytes_in\": 96,"));

    assert_non_null(strstr(text, "\"write_failures\": 0"));
    end(link, output);
}

/* Sends a packet at a time until this counter of A to B has grown by three. */
static void send_until(pid_t link, int output, const char *name)
{
    char text[4096], label[32];
    unsigned long long first = 0, now;
    bool begun = false;
    snprintf(label, sizeof label, "\"%s\": ", name);
    do {
        send_packets(1);
        kill(link, SIGUSR1);
        read_until(output, text, sizeof text, "}}\n");
        const char *at = strstr(text, label);
        assert_non_null(at);
        now = strtoull(at + strlen(label), NULL, 10);
        first = begun ? first : now;
        begun = true;
    } while (now < first + 3);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void changes_are_made(void **state)
{
    (void)state;
    if (!namespace_enter())
        skip();
    int output;
    char text[4096], name[] = "/tmp/tcpct-settings-XXXXXX";
    close(mkstemp(name));
    write_file(name, "loss=100%\n");
    pid_t link = start(&output, (char *[]){ "--settings", name, NULL });
    read_until(output, text, sizeof text, "\n");
    send_until(link, output, "lost");
    write_file(name, "loss=0\n");
    kill(link, SIGHUP);
    send_until(link, output, "packets_out");
    write_file(name, "loss=100%\nnonsense\n"); /* nothing of it is used */
    kill(link, SIGHUP);
    send_until(link, output, "packets_out");
    unlink(name);
    end(link, output);

    link = start(&output, (char *[]){ "--at=100ms", "loss=100%", NULL });
    read_until(output, text, sizeof text, "\n");
    send_until(link, output, "lost");
    end(link, output);
}

static int compare_packets(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

enum { SENT = 300, RECORDED_MAX = 2 * SENT };

/* The packets of a capture, but for the kernel's identification, and with it the header's checksum. */
static size_t read_capture(const char *name, uint8_t packets[RECORDED_MAX][32])
{
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    size_t count = 0;
    pcap_t *capture = pcap_open_offline(name, error);
    assert_non_null(capture);
    while (pcap_next_ex(capture, &header, &bytes) == 1) {
        assert_true(count < RECORDED_MAX && header->caplen == sizeof packets[0]);
        uint8_t *packet = packets[count++];
        memcpy(packet, bytes, sizeof packets[0]);
        memset(packet + 4, 0, 2);
        memset(packet + 10, 0, 2);
    }
    pcap_close(capture);
    return count;
}

/* What comes of SENT numbered packets on a bad link with this seed, from its capture. */
static size_t pass_with(char *seed, uint8_t packets[RECORDED_MAX][32])
{
    char name[] = "/tmp/tcpct-link-XXXXXX", settings[] = "/tmp/tcpct-settings-XXXXXX", text[4096];
    int output;
    close(mkstemp(name));
    close(mkstemp(settings));
    write_file(settings, "loss=10%\nburst-enter=2%\nburst-leave=30%\nduplicate=5%\ncorrupt=5%\n"
                         "reorder=10%\nreorder-by=200ms\n");
    pid_t link = start(
        &output, (char *[]){ "--seed", seed, "--capture", name, "--settings", settings, NULL });
    read_until(output, text, sizeof text, "\n");
    send_packets(SENT);
    unsigned long long in, out, lost, twice;
    do {
        kill(link, SIGUSR1);
        read_until(output, text, sizeof text, "}}\n");
        in = strtoull(strstr(text, "\"packets_in\": ") + 14, NULL, 10);
        out = strtoull(strstr(text, "\"packets_out\": ") + 15, NULL, 10);
        lost = strtoull(strstr(text, "\"lost\": ") + 8, NULL, 10);
        twice = strtoull(strstr(text, "\"duplicated\": ") + 14, NULL, 10);
    } while (in < SENT || out + lost < in + twice);
    end(link, output);
    size_t count = read_capture(name, packets);
    unlink(name);
    unlink(settings);
    return count;
}

/* tcpct-link(1): "With the same seed the same packets of a direction, counted from the first, meet
 * the same fate": two captures hold the same packets, lost, doubled and corrupted alike. */
static void the_same_seed_does_the_same(void **state)
{
    (void)state;
    static uint8_t first[RECORDED_MAX][32], second[RECORDED_MAX][32];
    if (!namespace_enter())
        skip();
    size_t count = pass_with("7", first);
    assert_in_range(count, SENT / 2, SENT - 1);
    assert_int_equal(pass_with("7", second), count);
    qsort(first, count, sizeof first[0],
          compare_packets); /* the delayed ones: when, is the clock's */
    qsort(second, count, sizeof second[0], compare_packets);
    assert_memory_equal(first, second, count * sizeof first[0]);
    size_t other = pass_with("8", second);
    qsort(second, other, sizeof second[0], compare_packets);
    assert_true(other != count || memcmp(first, second, count * sizeof first[0]) != 0);
}

static void failures_are_told(void **state)
{
    (void)state;
    if (!namespace_enter())
        skip();
    struct run run = LINK("--a", "left", "--b", "left");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "another program has it open"));
    run = LINK("--a", "left", "--b", "right@no-such-namespace");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "no-such-namespace"));
    run = LINK("--a", "left", "--b", "right", "--capture", "/nonexistent/f.pcap");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "/nonexistent/f.pcap"));
    run = LINK("--a", "left", "--b", "right", "--stats", "/nonexistent/stats");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "/nonexistent/stats"));
    run = LINK("--a", "left", "--b", "right", "--user", "no-such-user");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "no-such-user"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_errors),
        cmocka_unit_test(values_are_taken),
        cmocka_unit_test(boxes_are_taken),
        cmocka_unit_test(changes_are_taken),
        cmocka_unit_test(settings_are_read),
        cmocka_unit_test(packets_pass),
        cmocka_unit_test(the_same_seed_does_the_same),
        cmocka_unit_test(changes_are_made),
        cmocka_unit_test(failures_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
