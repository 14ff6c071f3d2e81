/* reply_test.c - resets where there is no connection (RFC 9293, 3.10.7.1).
 */
#include "tcpct/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

static void test_resets_of_closed(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    t->stack_port = 54;
    t->irs = 0;
    inject_verdict(t, ". 5+10 ack 77", TCPCT_REPLIED);
    expect(t, "R 77");
    inject_verdict(t, "S 5", TCPCT_REPLIED);
    expect(t, "R. 0 ack 6");
    inject_verdict(t, "PF 5+10", TCPCT_REPLIED);
    expect(t, "R. 0 ack 16");
    inject_verdict(t, "R 5", TCPCT_UNACCEPTABLE);
    inject_verdict(t, "R. 5 ack 1", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(resets_of_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
