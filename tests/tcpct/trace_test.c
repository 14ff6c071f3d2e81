/* trace_test.c - trace events as text: every kind, whole lines, cut to any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/tcpct.h"

static const struct tcpct_trace_event state_event = {
    .kind = TCPCT_TRACE_STATE,
    .now_us = 12000345,
    .local = { 4, { 10, 0, 0, 1 } },
    .remote = { 6, { 0xfd, [15] = 2 } },
    .local_port = 53,
    .remote_port = 40000,
    .note = "cookies",
    .from = TCPCT_SYN_SENT,
    .to = TCPCT_ESTABLISHED,
};

static void test_lines(void **state)
{
    (void)state;
    char text[256];
    size_t length = tcpct_trace_text(&state_event, text, sizeof(text));
    assert_string_equal(text, "12.000345 10.0.0.1:53 [fd00:0:0:0:0:0:0:2]:40000 state "
                              "SYN-SENT -> ESTABLISHED cookies");
    assert_int_equal(length, strlen(text));

    struct tcpct_trace_event event = { .kind = TCPCT_TRACE_CWND, .value = UINT64_MAX };
    tcpct_trace_text(&event, text, sizeof(text));
    assert_string_equal(text, "0.000000 - - cwnd 18446744073709551615");
}

static void test_cut(void **state)
{
    (void)state;
    char whole[256];
    size_t length = tcpct_trace_text(&state_event, whole, sizeof(whole));
    for (size_t size = 1; size <= length + 2; size++) {
        char *text = malloc(size); /* exactly, so that a sanitizer sees more */
        assert_non_null(text);
        size_t got = tcpct_trace_text(&state_event, text, size);
        assert_int_equal(got, size <= length ? size - 1 : length);
        assert_int_equal(strlen(text), got);
        assert_memory_equal(text, whole, got);
        free(text);
    }
}

/* Every kind, error, verdict, state and counter has a name of its own. */
static void test_names(void **state)
{
    (void)state;
    char one[256], other[256];
    for (int a = TCPCT_TRACE_STATE; a <= TCPCT_TRACE_RTT; a++)
        for (int b = TCPCT_TRACE_STATE; b < a; b++) {
            struct tcpct_trace_event event = { .kind = (enum tcpct_trace_kind)a };
            tcpct_trace_text(&event, one, sizeof(one));
            event.kind = (enum tcpct_trace_kind)b;
            tcpct_trace_text(&event, other, sizeof(other));
            assert_string_not_equal(one, other);
            assert_null(strstr(one, "(null)"));
        }
    for (int a = TCPCT_OK; a >= TCPCT_ERROR_EXTENSION; a--)
        for (int b = TCPCT_OK; b > a; b--)
            assert_string_not_equal(tcpct_error_text(a), tcpct_error_text(b));
    assert_non_null(tcpct_error_text(-1000));
    for (int a = 0; a < TCPCT_VERDICTS; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(tcpct_verdict_text((enum tcpct_verdict)a),
                                    tcpct_verdict_text((enum tcpct_verdict)b));
    assert_string_equal(tcpct_state_text(TCPCT_TIME_WAIT), "TIME-WAIT");
    const size_t counters = sizeof(struct tcpct_counters) / sizeof(uint64_t);
    for (size_t i = 0; i < counters; i++)
        assert_non_null(tcpct_counter_name(i));
    assert_null(tcpct_counter_name(counters));
    assert_string_equal(
        tcpct_counter_name(offsetof(struct tcpct_counters, memory_full) / sizeof(uint64_t)),
        "memory_full");
    assert_string_equal(
        tcpct_counter_name(offsetof(struct tcpct_counters, openings) / sizeof(uint64_t)),
        "openings");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
