/* text_test.c - every number has a name.
 */
#include "tcpct/tcpct.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

static void test_names(void **state)
{
    (void)state;
    size_t counters = sizeof(struct tcpct_counters) / sizeof(uint64_t);
    assert_string_equal(tcpct_counter_name(0), "packets_in");
    assert_string_equal(tcpct_counter_name(counters - 1), "time_waits_cut");
    assert_null(tcpct_counter_name(counters));
    assert_string_equal(tcpct_state_text(TCPCT_SYN_RECEIVED), "SYN-RECEIVED");
    assert_string_equal(tcpct_state_text((enum tcpct_state)99), "unknown");
    assert_string_equal(tcpct_verdict_text(TCPCT_NO_RESOURCES), "no resources");
    assert_string_equal(tcpct_verdict_text(TCPCT_VERDICTS), "unknown");
    assert_string_equal(tcpct_error_text(TCPCT_ERROR_RESET), "the peer reset the connection");
    assert_string_equal(tcpct_error_text(1234), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
