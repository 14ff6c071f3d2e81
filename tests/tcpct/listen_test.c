/* listen_test.c - what a <SYN> is answered that nothing is kept of. */
#include "tcpct/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

/* RFC 7323, 2.2: what is offered must be kept to: without Timestamps nothing could remember the
 * scale, so it is not answered. */
static void test_no_scale_that_is_forgotten(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, "S 0 <mss 1000, wscale 7>");
    expect(t, "S. 0 ack 1");
    bool offered = t->last.options.present & OPTION_WINDOW_SCALE;
    inject(t, ". 1 ack 1 win 100");
    t->connection = script_accept(t);
    assert_int_equal(peer_info(t).send_window, offered ? 12800 : 100);
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(no_scale_that_is_forgotten) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
