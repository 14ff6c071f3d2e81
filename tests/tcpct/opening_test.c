/* opening_test.c - segments without a TCB that prove nothing. */
#include "tcpct/opening.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

/* RFC 9293, 3.10.7.2: in LISTEN a reset is ignored, an acknowledgment reset. */
static void test_listen_resets(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject_verdict(t, "R 5", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    inject_verdict(t, ". 5 ack 77", TCPCT_REPLIED);
    expect(t, "R 77");
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(listen_resets) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
