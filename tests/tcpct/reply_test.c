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

/* RFC 9293, 3.9.2 (MUST-49): the TTL is configured, also of what has no TCB. */
static void test_hop_limit(void **state)
{
    (void)state;
    struct script *t = script_listen(4, &(struct tcpct_config){ .hop_limit = 7 }, NULL);
    inject(t, "S 0 <mss 1000>");
    expect(t, "S. 0 ack 1");
    assert_int_equal(t->last.hop_limit, 7);
    inject(t, ". 1 ack 1");
    script_send(script_accept(t), 0, 10);
    expect(t, ". 1+10 ack 1");
    assert_int_equal(t->last.hop_limit, 7);
    inject(t, "R 1");
    inject(t, ". 70000 ack 70000");
    expect(t, "R 70000");
    assert_int_equal(t->last.hop_limit, 7);
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(resets_of_closed),
        TEST(hop_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
