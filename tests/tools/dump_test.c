/* `tcpct dump` on whole files: link types, the recorded captures, and files that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/tools/run.h"
#include "tools/command.h"

#define DUMP(...) run_command(command_dump, (const char *const[]){ "dump", __VA_ARGS__, NULL })

static char path[] = "/tmp/tcpct-dump-XXXXXX";

/* A <SYN> from 10.0.0.1:4000 to 10.0.0.2:53 with sequence number 5. */
static const uint8_t syn[40] = { 0x45, 0, 0, 40, 0, 0, 0x40, 0,    64,  6, 0x26, 0xce, 10,
                                 0,    0, 1, 10, 0, 0, 2,    0x0f, 160, 0, 53,   0,    0,
                                 0,    5, 0, 0,  0, 0, 0x50, 2,    4,   0, 0x88, 0x06 };

static int make_path(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

/* Writes one packet, `header` and then the <SYN>. */
static void write_capture(int link_type, const uint8_t *header, size_t header_size)
{
    uint8_t bytes[100];
    memcpy(bytes, header, header_size);
    memcpy(bytes + header_size, syn, sizeof syn);
    const struct pcap_pkthdr record = { .caplen = (bpf_u_int32)(header_size + sizeof syn),
                                        .len = (bpf_u_int32)(header_size + sizeof syn) };
    pcap_t *pcap = pcap_open_dead(link_type, 65535);
    pcap_dumper_t *dumper = pcap_dump_open(pcap, path);
    assert_non_null(dumper);
    pcap_dump((u_char *)dumper, &record, bytes);
    pcap_dump_close(dumper);
    pcap_close(pcap);
}

static void test_link_types(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int type;
        size_t size;
        uint8_t header[24];
    } links[] = {
        { "raw", DLT_RAW, 0, { 0 } },
        { "Ethernet", DLT_EN10MB, 14, { [12] = 0x08 } },
        { "Ethernet, two tags", DLT_EN10MB, 22, { [12] = 0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 0x08 } },
        { "null", DLT_NULL, 4, { 2 } },
        { "cooked", DLT_LINUX_SLL, 16, { [14] = 0x08 } },
        { "cooked 2", DLT_LINUX_SLL2, 20, { 0x08 } },
    };
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        write_capture(links[i].type, links[i].header, links[i].size);
        struct run run = DUMP(path);
        if (run.status != 0 || strcmp(run.out, "   0.000000 10.0.0.1.4000 > 10.0.0.2.53 S seq 0 "
                                               "win 1024 data 0  -- client SYN-SENT\n") != 0)
            fail_msg("%s: status %d, %s", links[i].name, run.status, run.out);
    }
}

static void test_other_traffic_is_passed_over(void **state)
{
    (void)state;
    const uint8_t arp[14] = { [12] = 0x08, 0x06 };
    write_capture(DLT_EN10MB, arp, sizeof arp);
    struct run run = DUMP(path);
    assert_int_equal(run.status, 0);
    assert_string_equal(run.out, "");
}

static void test_recorded_capture(void **state)
{
    (void)state;
    struct run run = DUMP("--summary", "tests/pcaps/v4-c16.pcap");
    assert_int_equal(run.status, 0);
    assert_string_equal(run.out, "10.13.0.11.45764 > 10.13.0.12.7002  cold  packets 6 + 4  bytes "
                                 "345 + 241  data 5 + 5  round trips 2  4.937 ms\n");
    run = DUMP("--summary", "--json", "tests/pcaps/v6-plain.pcap");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "\"mode\":\"plain\""));
    run = DUMP("tests/pcaps/v4-c8.pcap");
    assert_non_null(strstr(run.out, "cookie 8dc658b5fc8a4d9b,wscale 4>"));
}

/* ---- tests/pcaps/DECODE.txt, packet for packet ---------------------------------------------- */

/* NOLINTBEGIN(cert-err34-c): a number that is out of range is seen when the texts are compared. */
/* An option in DECODE.txt's words, as text and as JSON must have it. */
static bool translate(const char *word, char text[100], char json[100])
{
    unsigned a, b;
    char hex[40];
    if (sscanf(word, "MSS=%u", &a) == 1) {
        snprintf(text, 100, "mss %u", a);
        snprintf(json, 100, "\"mss\":%u", a);
    } else if (sscanf(word, "TS=%u/%u", &a, &b) == 2) {
        snprintf(text, 100, "TS32 %u/%u", a, b);
        snprintf(json, 100, "{\"bits\":32,\"value\":%u,\"echo\":%u}", a, b);
    } else if (sscanf(word, "WS=%u", &a) == 1) {
        snprintf(text, 100, "wscale %u", a);
        snprintf(json, 100, "\"window_scale\":%u", a);
    } else if (sscanf(word, "COOKIE[%u]=%39s", &a, hex) == 2) {
        assert_int_equal(strlen(hex), 2 * (a - 2));
        snprintf(text, 100, "cookie %s", hex);
        snprintf(json, 100, "\"cookie\":\"%s\"", hex);
    } else if (strcmp(word, "SACKOK") == 0) {
        snprintf(text, 100, "sackOK");
        snprintf(json, 100, "\"sack_permitted\":true");
    } else if (sscanf(word, "win=%u", &a) == 1) {
        snprintf(text, 100, "win %u", a);
        snprintf(json, 100, "\"window\":%u", a);
    } else if (sscanf(word, "len=%u", &a) == 1) {
        snprintf(text, 100, "data %u", a);
        snprintf(json, 100, "\"data\":%u", a);
    } else {
        return false;
    }
    return true;
}
/* NOLINTEND(cert-err34-c) */

static void check_line(char *expected, const char *text, const char *json)
{
    char *save = NULL, as_text[100], as_json[100];
    unsigned found = 0;
    bool cookie = strstr(expected, "COOKIE") != NULL;
    if ((strstr(text, "cookie") != NULL) != cookie || (strstr(json, "cookie") != NULL) != cookie)
        fail_msg("%s is not %s", text, expected);
    for (char *word = strtok_r(expected, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        if (strncmp(word, "opt(", 4) == 0)
            word = strchr(word, '=') + 1;
        if (!translate(word, as_text, as_json))
            continue;
        if (!strstr(text, as_text) || !strstr(json, as_json))
            fail_msg("neither \"%s\" in %s nor %s in %s", as_text, text, as_json, json);
        found++;
    }
    assert_in_range(found, 2, 7);
}

/* The next line of `*text`, which it leaves behind. */
static char *next_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');
    assert_non_null(end);
    *end = '\0';
    *text = end + 1;
    return line;
}

static void test_every_recorded_capture(void **state)
{
    static struct run text, json;
    char line[1000], name[64], file[80], *in_text = text.out, *in_json = json.out;
    unsigned packets = 0;
    (void)state;
    FILE *decode = fopen("tests/pcaps/DECODE.txt", "r");
    assert_non_null(decode);
    while (fgets(line, sizeof line, decode)) {
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "### %63s", name) != 1) {
            check_line(line, next_line(&in_text), next_line(&in_json));
            packets++;
            continue;
        }
        assert_string_equal(in_text, "");
        assert_string_equal(in_json, "");
        snprintf(file, sizeof file, "tests/%s", name);
        text = DUMP(file);
        json = DUMP("--json", file);
        in_text = text.out;
        in_json = json.out;
    }
    fclose(decode);
    assert_string_equal(in_text, "");
    assert_int_equal(packets, 98);
}

static void test_what_is_no_capture(void **state)
{
    (void)state;
    struct run run = DUMP("/nonexistent.pcap");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "/nonexistent.pcap"));
    run = DUMP("Makefile");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "cannot read Makefile as a capture"));
    write_capture(DLT_USB_LINUX, syn, 0);
    run = DUMP(path);
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "link type"));
    write_capture(DLT_RAW, syn, 0);
    assert_int_equal(truncate(path, 24 + 16 + 30), 0);
    run = DUMP(path);
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "ends in the middle"));
}

/* The next generation: a section header, an interface of raw IP, one packet. */
static void test_pcapng(void **state)
{
    (void)state;
    static const uint32_t before[] = {
        0x0a0d0d0a,      28, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX, 28, 1, 20, DLT_RAW, 0, 20, 6,
        32 + sizeof syn, 0,  0,          0, sizeof syn, sizeof syn
    };
    static const uint32_t after = 32 + sizeof syn;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(before, sizeof before, 1, file), 1);
    assert_int_equal(fwrite(syn, sizeof syn, 1, file), 1);
    assert_int_equal(fwrite(&after, sizeof after, 1, file), 1);
    fclose(file);
    struct run run = DUMP(path);
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "10.0.0.1.4000 > 10.0.0.2.53 S seq 0"));
}

static void test_pictures(void **state)
{
    (void)state;
    struct run run = DUMP("--ladder", "tests/pcaps/v4-c16.pcap");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "&lt;SYN,ACK(SYN)&gt; Cookie"));
    run = DUMP("--sequence=client", "--connection", "1", "tests/pcaps/v4-c16.pcap");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "Data from 10.13.0.11 port 45764"));
    run = DUMP("--ladder", "--connection", "2-3", "tests/pcaps/v4-c16.pcap");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.error, "no connection 2"));
    run = DUMP("--sequence", "--cwnd", "/nonexistent", "tests/pcaps/v4-c16.pcap");
    assert_int_equal(run.status, 1);
}

static void test_usage(void **state)
{
    (void)state;
    static const char *const wrong[][4] = {
        { "--ladder", "--summary", "a" }, { "--ladder", "--json", "a" },
        { "--live", "--summary", "a" },   { "--cwnd", "x", "a" },
        { "--sequence=left", "a" },       { "--sequence", "--connection=1-2", "a" },
        { "--connection=0", "a" },        { "--connection=2-1", "a" },
        { "--connection=1-99", "a" },     { "--connection=1x", "a" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *const words[] = { "dump", wrong[i][0], wrong[i][1], wrong[i][2], NULL };
        struct run run = run_command(command_dump, words);
        if (run.status != EXIT_USAGE || !strstr(run.error, "tcpct dump: "))
            fail_msg("%s %s: status %d: %s", wrong[i][0], wrong[i][1], run.status, run.error);
    }
    assert_int_equal(DUMP(NULL).status, EXIT_USAGE);
    assert_int_equal(DUMP("one.pcap", "two.pcap").status, EXIT_USAGE);
    assert_int_equal(DUMP("--what", "one.pcap").status, EXIT_USAGE);
    struct run run = DUMP("--help");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "usage: tcpct dump"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_link_types),
        cmocka_unit_test(test_other_traffic_is_passed_over),
        cmocka_unit_test(test_recorded_capture),
        cmocka_unit_test(test_every_recorded_capture),
        cmocka_unit_test(test_what_is_no_capture),
        cmocka_unit_test(test_pcapng),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_usage),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
