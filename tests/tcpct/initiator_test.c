/* initiator_test.c - SYN-SENT (RFC 9293, 3.10.7.3).
 */
#include "tcpct/initiator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

/* First and second: an acknowledgment of what was not sent is reset, unless it is a reset; a reset
 * counts only with the right one. */
static void test_syn_sent(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, &(struct tcpct_connect_options){ 0 });
    expect(t, "S 0");
    inject_verdict(t, "S. 0 ack 2", TCPCT_REPLIED);
    expect(t, "R 2");
    inject_verdict(t, "R. 0 ack 2", TCPCT_UNACCEPTABLE);
    inject_verdict(t, "R 0", TCPCT_UNACCEPTABLE);
    assert_int_equal(script_state(t->connection), TCPCT_SYN_SENT);
    inject_verdict(t, "R. 0 ack 1", TCPCT_ACCEPTED);
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_REFUSED);
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(syn_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
