/* beside_test.c - a Cookie exchange beside a TCB of the same endpoints, segment by segment: what the
 * TCB does meanwhile, when it is replaced, and by which timestamps the two are told apart (RFC 6013,
 * 4.1 to 4.5, 5.1, 5.2, 13).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/seq.h"
#include "tcpct/tcb.h"
#include "tests/tcpct/peer.h"

#define SYN "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>"
#define OPENING ". 1+10 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>"

/* What an Initiator knows after an exchange. */
struct exchange {
    uint32_t irs, timestamp;
    uint8_t cookie[COOKIE_SIZE_MAX];
};

static struct exchange exchange(struct script *t, const char *syn)
{
    inject_verdict(t, syn, TCPCT_REPLIED);
    expect(t, "S. 0");
    struct exchange made = { .irs = t->irs, .timestamp = t->stack_timestamp };
    memcpy(made.cookie, t->stack_cookie, COOKIE_SIZE_MAX);
    return made;
}

/* The script's pair is that of this exchange. */
static void use(struct script *t, const struct exchange *made)
{
    t->irs = made->irs;
    t->stack_timestamp = made->timestamp;
    memcpy(t->stack_cookie, made->cookie, COOKIE_SIZE_MAX);
}

/* ---- the Responder -------------------------------------------------------------------------- */

/* 4.2: "If the TCB exists from a prior (or ongoing) connection, the timestamp MUST be incremented":
 * although its low bits carry the options of the <SYN>, and however fast exchanges follow. */
static void test_timestamp_is_incremented(void **state)
{
    (void)state;
    static const char *const syns[] = {
        "S 7000 <mss 1460, sackOK, ts 200, wscale 7, cookie>",
        "S 8000 <mss 1460, ts 300, cookie>",
        "S 9000 <mss 1460, ts 400, wscale 0, cookie>",
    };
    static const char *const openings[] = {
        ". 7001+10 ack 1 <tsx 201, pair, mss 1460, sackOK, wscale 7>",
        ". 8001+10 ack 1 <tsx 301, pair, mss 1460>",
        ". 9001+10 ack 1 <tsx 401, pair, mss 1460, wscale 0>",
    };
    for (unsigned start = 0; start < 64; start++) { /* any phase of the low bits */
        struct script *t = script_listen(4, NULL, NULL);
        script_wait(t, start * MILLISECOND);
        exchange(t, SYN);
        inject_verdict(t, OPENING, TCPCT_ACCEPTED);
        struct tcpct_connection *connection = script_accept(t);
        script_send(connection, 0, 5);
        expect(t, ". 1+5");
        for (unsigned i = 0; i < 3; i++) {
            uint32_t latest = t->stack_timestamp;
            exchange(t, syns[i]);
            uint32_t incremented = t->stack_timestamp;
            assert_true(seq_lt(latest, incremented));
            inject_verdict(t, openings[i], TCPCT_ACCEPTED);
            connection = script_accept(t);
            script_receive(connection, 7000 + 1000 * i, 10);
            script_send(connection, 0, 5);
            expect(t, ". 1+5"); /* and nothing goes back, or PAWS would discard it */
            assert_true(seq_leq(incremented, t->stack_timestamp));
        }
        script_end(t);
    }
}

/* ---- openings again ------------------------------------------------------------------------- */

/* 13, 4.4: the Initiator sent its <SYN> twice, and its opening with either pair: that is one
 * connection, and the data is taken once; but an opening with a newer TS Value is another. */
static void test_opening_with_another_pair(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        bool same;
    } cases[] = {
        { OPENING, OPENING, true },
        { OPENING, ". 1+20 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>", true },
        { ". 1 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>",
          ". 1+20 ack 1 <tsx 102, pair, mss 1460, sackOK, wscale 7>", true },
        { ". 1+10 ack 1 <ts 101>", OPENING, true }, /* the first went without its pair */
        { ". 1+10 ack 1 <ts 101>", ". 1+20 ack 1 <tsx 900, pair, mss 1460, sackOK>", true },
        { OPENING, ". 1+20 ack 1 <tsx 102, pair, mss 1460, sackOK, wscale 7>", false },
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct script *t = script_listen(4, NULL, NULL);
        const struct exchange first = exchange(t, SYN);
        script_wait(t, 200 * MILLISECOND);
        const struct exchange second =
            exchange(t, "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>");
        assert_int_not_equal(first.timestamp, second.timestamp);
        assert_memory_not_equal(first.cookie, second.cookie, COOKIE_SIZE_MAX);
        use(t, &first);
        inject_verdict(t, cases[i].first, TCPCT_ACCEPTED);
        struct tcpct_connection *connection = script_accept(t);
        use(t, &second);
        inject(t, cases[i].second);
        assert_int_equal(tcpct_connection_error(connection),
                         cases[i].same ? TCPCT_OK : TCPCT_ERROR_RESET);
        struct tcpct_connection *other = tcpct_accept(t->listener);
        assert_int_equal(other == NULL, cases[i].same);
        uint32_t size = strstr(cases[i].second, "+20") ? 20 : 10;
        script_receive(cases[i].same ? connection : other, 0, size);
        script_end(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(timestamp_is_incremented),
        TEST(opening_with_another_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
