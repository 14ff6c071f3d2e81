/* dump_picture_test.c - ladder and sequence plot of a transaction and its restart: well-formed, and with
 * everything that happened; congestion windows out of trace events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/tools/xml.h"
#include "tools/dump.h"

enum { F = SEGMENT_FIN, S = SEGMENT_SYN, A = SEGMENT_ACK, BEFORE_SACK = 11 };

static struct dump_event list[] = {
    { .time_us = 0, 1, DUMP_CLIENT, S, OPTION_COOKIE, 0, 0, 40, .state = { "SYN-SENT" } },
    { .time_us = 20000, 1, DUMP_SERVER, S | A, OPTION_COOKIE, 0, 1, 0 },
    { .time_us = 20000,
      1,
      DUMP_CLIENT,
      A,
      OPTION_COOKIE_PAIR,
      1,
      1,
      40,
      .notes = 1u << DUMP_NOTE_OPENING,
      .state = { "ESTABLISHED", "ESTABLISHED" } },
    { .time_us = 40000, 1, DUMP_SERVER, A, OPTION_COOKIE_PAIR, 1, 41, 1000 },
    { .time_us = 40001, 1, DUMP_SERVER, A, 0, 1001, 41, 1000 },
    { .time_us = 40002, 1, DUMP_SERVER, A, 0, 2001, 41, 1000 },
    { .time_us = 40003, 1, DUMP_SERVER, A, 0, 3001, 41, 1000 },
    { .time_us = 40004, 1, DUMP_CLIENT, A, 0, 41, 4001, 0 },
    { .time_us = 50000,
      1,
      DUMP_SERVER,
      F | A,
      OPTION_COOKIE_PAIR,
      4001,
      41,
      0,
      .state = { NULL, "FIN-WAIT-1" } },
    { .time_us = 60000,
      2,
      DUMP_CLIENT,
      A,
      OPTION_COOKIE_PAIR,
      1,
      1,
      40,
      .notes = 1u << DUMP_NOTE_RESTART },
    { .time_us = 80000, 2, DUMP_SERVER, A, OPTION_COOKIE_PAIR, 1, 41, 1000 },
    { .time_us = 80000,
      2,
      DUMP_CLIENT,
      A,
      0,
      41,
      1,
      0,
      .sack = { { 2001, 3001 } },
      .sack_count = 1 },
    { .time_us = 99000, 2, DUMP_SERVER, A, 0, 1, 41, 1000, .notes = 1u << DUMP_NOTE_AGAIN },
};

static const struct dump_summary summaries[2] = {
    { .number = 1,
      .mode = DUMP_COLD,
      .port = { 4000, 53 },
      .round_trips = 2,
      .answered_us = 40003,
      .address = { { 4, { 10, 0, 0, 1 } }, { 4, { 10, 0, 0, 2 } } } },
    { .number = 2,
      .mode = DUMP_RESTART,
      .port = { 4000, 53 },
      .round_trips = 1,
      .answered_us = 20000,
      .address = { { 4, { 10, 0, 0, 1 } }, { 4, { 10, 0, 0, 2 } } } },
};

static char *text;
static size_t size;

static void expect(const char *const *words)
{
    const char *error = xml_error(text);
    if (error)
        fail_msg("%s", error);
    for (; *words; words++)
        if (!strstr(text, *words))
            fail_msg("no \"%s\" in %s", *words, text);
    free(text);
    text = NULL;
}

static void test_ladder(void **state)
{
    (void)state;
    struct dump_events events = { 1, 2, list, sizeof list / sizeof list[0], 0 };
    FILE *out = open_memstream(&text, &size);
    dump_ladder(out, &events, summaries);
    fclose(out);
    static const char *const words[] = {
        "10.0.0.1 port 4000",
        "&lt;SYN&gt; Cookie, data 1:41 → SYN-SENT",
        "&lt;SYN,ACK(SYN)&gt; Cookie<",
        "&lt;ACK(SYN)&gt; Cookie-Pair, data 1:41",
        ">Cookie-Pair, data 1:1001<",
        ">3 segments, data 1001:4001<",
        "&lt;ACK&gt; 4001<",
        "&lt;FIN&gt; Cookie-Pair 41 → FIN-WAIT-1",
        "cold: 2 round trips, 40.0 ms",
        "restart: 1 round trip, 20.0 ms",
        "SACK 2001:3001",
        "data 1:1001 (again)",
        NULL,
    };
    expect(words);
}

static void test_sequence(void **state)
{
    (void)state;
    struct dump_events events = { 2, 2, list + 9, 4, 0 };
    const struct dump_cwnd cwnd[] = { { 60000, 900 }, { 80000, 1400 } };
    FILE *out = open_memstream(&text, &size);
    dump_sequence(out, &events, &summaries[1], DUMP_SERVER, cwnd, 2);
    fclose(out);
    static const char *const words[] = {
        "Data from 10.0.0.2 port 53 to 10.0.0.1 port 4000 (restart)",
        ">sent<",
        ">sent again<",
        ">SACK<",
        ">acknowledged + cwnd<",
        ">acknowledged<",
        "time (ms)",
        NULL,
    };
    expect(words);
    out = open_memstream(&text, &size);
    dump_sequence(out, &events, &summaries[1], DUMP_CLIENT, NULL, 0);
    fclose(out);
    assert_null(strstr(text, "cwnd"));
    assert_null(strstr(text, "again"));
    static const char *const less[] = { "Data from 10.0.0.1 port 4000", NULL };
    expect(less);
}

/* The trace's clock is another one: its first event stands for the first packet. */
static void test_trace(void **state)
{
    (void)state;
    char path[] = "/tmp/tcpct-trace-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    dprintf(file, "{\"time\":7.000000,\"local\":\"10.0.0.2:53\",\"remote\":\"10.0.0.9:4000\","
                  "\"event\":\"cwnd\",\"value\":1,\"note\":\"\"}\n"
                  "{\"time\":7.100000,\"local\":\"10.0.0.2:53\",\"remote\":\"10.0.0.1:4000\","
                  "\"event\":\"state\",\"from\":\"CLOSED\",\"to\":\"ESTABLISHED\",\"note\":\"\"}\n"
                  "{\"time\":7.150000,\"local\":\"10.0.0.2:53\",\"remote\":\"10.0.0.1:4000\","
                  "\"event\":\"cwnd\",\"value\":14600,\"note\":\"\"}\n"
                  "garbage\n"
                  "{\"time\":9.100000,\"local\":\"10.0.0.2:53\",\"remote\":\"10.0.0.1:4000\","
                  "\"event\":\"cwnd\",\"value\":3,\"note\":\"\"}\n");
    struct dump_cwnd *cwnd;
    size_t count;
    assert_true(dump_trace_read(path, &summaries[0], DUMP_SERVER, 20000, 90000, &cwnd, &count));
    assert_int_equal(count, 1);
    assert_int_equal(cwnd[0].time_us, 70000);
    assert_int_equal(cwnd[0].bytes, 14600);
    free(cwnd);
    close(file);
    unlink(path);
    assert_false(dump_trace_read(path, &summaries[0], DUMP_SERVER, 0, 1, &cwnd, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ladder),
        cmocka_unit_test(test_sequence),
        cmocka_unit_test(test_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
