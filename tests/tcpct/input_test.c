/* input_test.c - a segment that comes in: acceptability, timestamps, acknowledgments, SACK and
 * D-SACK, windows, urgent data and ECN at the receiver.
 */
#include "tcpct/input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

#define TIMESTAMPS "mss 1460, sackOK, ts 100, wscale 7"
#define PLAIN "mss 1000, sackOK"

/* ---- acceptability ------------------------------------------------------------------------- */

/* RFC 9293, 3.10.7.4, first: what is outside the window is answered by an acknowledgment. */
static void test_outside_the_window_is_acknowledged(void **state)
{
    (void)state;
    struct script *t = peer_accept(PLAIN, NULL);
    inject_verdict(t, ". 200001+10 ack 1", TCPCT_UNACCEPTABLE);
    expect(t, ". 1 ack 1");
    inject_verdict(t, ". 4294967290 ack 1", TCPCT_UNACCEPTABLE);
    expect(t, ". 1 ack 1");
    assert_int_equal(peer_info(t).unread, 0);
    script_end(t);
}

/* RFC 9293, 3.10.7.4: of a segment that begins below RCV.NXT the new part is taken. */
static void test_old_part_is_cut(void **state)
{
    (void)state;
    struct script *t = peer_accept(PLAIN, NULL);
    inject(t, ". 1+10 ack 1");
    inject_verdict(t, ". 5+20 ack 1", TCPCT_ACCEPTED);
    expect(t, ". 1 ack 25");
    script_receive(t->connection, 0, 24);
    script_end(t);
}

/* RFC 9293, 3.10.7.4, fifth: "if the ACK bit is off, drop the segment". */
static void test_without_ack_is_dropped(void **state)
{
    (void)state;
    struct script *t = peer_accept(PLAIN, NULL);
    inject_verdict(t, "P 1+10", TCPCT_UNACCEPTABLE);
    script_wait(t, SECOND);
    expect_nothing(t);
    assert_int_equal(peer_info(t).unread, 0);
    script_end(t);
}

/* RFC 5961, 5.2: an acknowledgment of what was never sent, or of what is older than any window, is
 * answered, and its data is not taken. */
static void test_acknowledgment_range(void **state)
{
    (void)state;
    struct script *t = peer_accept(PLAIN, NULL);
    inject_verdict(t, ". 1+10 ack 2", TCPCT_UNACCEPTABLE);
    expect(t, ". 1 ack 1");
    inject_verdict(t, ". 1+10 ack 4294901761", TCPCT_UNACCEPTABLE); /* 1 - 65536 */
    expect(t, ". 1 ack 1");
    assert_int_equal(peer_info(t).unread, 0);
    inject_verdict(t, ". 1+10 ack 4294901762", TCPCT_ACCEPTED); /* 1 - MAX.SND.WND */
    script_receive(t->connection, 0, 10);
    script_end(t);
}

/* RFC 5961, 3.2: exactly at RCV.NXT it resets, elsewhere in the window it is challenged, and
 * outside it is nothing. */
static void test_reset(void **state)
{
    (void)state;
    struct script *t = peer_accept(PLAIN, NULL);
    inject_verdict(t, "R 0", TCPCT_UNACCEPTABLE);
    inject_verdict(t, "R 200000", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    inject_verdict(t, "R 2", TCPCT_UNACCEPTABLE);
    expect(t, ". 1 ack 1");
    assert_int_equal(script_state(t->connection), TCPCT_ESTABLISHED);
    inject_verdict(t, "R 1", TCPCT_ACCEPTED);
    expect_nothing(t);
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_RESET);
    script_end(t);
}

/* RFC 5961, 4.2: a <SYN>, wherever it is, is challenged and changes nothing. */
static void test_syn_is_challenged(void **state)
{
    (void)state;
    static const char *const syns[] = { "S 5", "S 0", "S 500000", "S. 5 ack 1" };
    struct script *t = peer_accept(PLAIN, NULL);
    for (unsigned i = 0; i < sizeof(syns) / sizeof(syns[0]); i++) {
        inject_verdict(t, syns[i], TCPCT_UNACCEPTABLE);
        expect(t, ". 1 ack 1");
    }
    assert_int_equal(script_state(t->connection), TCPCT_ESTABLISHED);
    script_end(t);
}

/* RFC 5961, 7: challenges are limited, in each second. */
static void test_challenges_are_limited(void **state)
{
    (void)state;
    struct script *t = peer_accept(PLAIN, NULL);
    unsigned sent = 0;
    for (unsigned i = 0; i < 1500; i++) {
        inject(t, "R 2");
        sent += peer_skip(t);
    }
    assert_in_range(sent, 500, 1000);
    assert_int_equal(script_counters(t).challenges_withheld, 1500 - sent);
    script_wait(t, SECOND);
    inject(t, "R 2");
    assert_int_equal(peer_skip(t), 1);
    script_end(t);
}

/* RFC 9293, 3.8.6 and 3.10.7.4: with a closed window no data is taken, but acknowledgments are
 * ("special allowance"), and resets must be (MUST-66). */
static struct script *closed_window(void)
{
    const struct tcpct_config config = { .receive_buffer_max = 4000 };
    struct script *t = peer_accept(PLAIN, &config);
    for (unsigned i = 0; i < 4; i++) {
        static const char *const data[] = { ". 1+1000 ack 1", ". 1001+1000 ack 1",
                                            ". 2001+1000 ack 1", ". 3001+1000 ack 1" };
        inject(t, data[i]);
    }
    expect(t, ". 1 ack 2001 win 2000");
    expect(t, ". 1 ack 4001 win 0");
    return t;
}

static void test_closed_window_takes_acknowledgments(void **state)
{
    (void)state;
    struct script *t = closed_window();
    script_send(t->connection, 0, 100);
    expect(t, ". 1+100 ack 4001 win 0");
    inject(t, ". 4001+1 ack 101");
    assert_int_equal(peer_info(t).flight, 0);
    expect(t, ". 101 ack 4001 win 0");
    script_end(t);
}

static void test_closed_window_takes_resets(void **state)
{
    (void)state;
    struct script *t = closed_window();
    inject_verdict(t, "R 4001", TCPCT_ACCEPTED);
    assert_int_equal(script_state(t->connection), TCPCT_CLOSED);
    script_end(t);
}

/* ---- timestamps ---------------------------------------------------------------------------- */

/* RFC 7323, 5.3, R1: older than TS.Recent: acknowledged, not taken. */
static void test_paws(void **state)
{
    (void)state;
    struct script *t = peer_accept(TIMESTAMPS, NULL);
    inject(t, ". 1+10 ack 1 <ts 200>");
    inject_verdict(t, ". 11+10 ack 1 <ts 199>", TCPCT_UNACCEPTABLE);
    expect(t, ". 1 ack 11 <ts ecr 200>");
    assert_int_equal(peer_info(t).unread, 10);
    inject_verdict(t, ". 11+10 ack 1 <ts 200>", TCPCT_ACCEPTED);
    script_receive(t->connection, 0, 20);
    script_end(t);
}

/* RFC 7323, 5.3, R1: a reset is not subject to PAWS. */
static void test_paws_spares_resets(void **state)
{
    (void)state;
    struct script *t = peer_accept(TIMESTAMPS, NULL);
    inject_verdict(t, "R 1 <ts 50>", TCPCT_ACCEPTED);
    t = (script_end(t), peer_accept(TIMESTAMPS, NULL));
    inject_verdict(t, "R 1", TCPCT_ACCEPTED);
    assert_int_equal(script_state(t->connection), TCPCT_CLOSED);
    script_end(t);
}

/* RFC 7323, 5.5: after 24 days TS.Recent is no longer believed. */
static void test_paws_expires(void **state)
{
    (void)state;
    struct script *t = peer_accept(TIMESTAMPS, NULL);
    inject(t, ". 1+10 ack 1 <ts 200>");
    script_wait(t, 24ull * 86400 * SECOND - 1);
    inject_verdict(t, ". 11+10 ack 1 <ts 10>", TCPCT_UNACCEPTABLE);
    script_wait(t, 1);
    inject_verdict(t, ". 11+10 ack 1 <ts 10>", TCPCT_ACCEPTED);
    script_receive(t->connection, 0, 20);
    script_end(t);
}

/* RFC 7323, 3.2: "If a non-<RST> segment is received without a TSopt, a TCP SHOULD silently drop
 * the segment." */
static void test_missing_timestamp(void **state)
{
    (void)state;
    struct script *t = peer_accept(TIMESTAMPS, NULL);
    inject_verdict(t, ". 1+10 ack 1", TCPCT_UNACCEPTABLE);
    script_wait(t, SECOND);
    expect_nothing(t);
    assert_int_equal(peer_info(t).unread, 0);
    script_end(t);
}

/* RFC 7323, 4.3 (A): of two segments that one acknowledgment covers, the first is echoed. */
static void test_echo_of_delayed_acknowledgment(void **state)
{
    (void)state;
    struct script *t = peer_accept(TIMESTAMPS, NULL);
    inject(t, ". 1+1000 ack 1 <ts 201>");
    inject(t, ". 1001+1000 ack 1 <ts 202>");
    expect(t, ". 1 ack 2001 <ts ecr 201>");
    script_end(t);
}

/* RFC 7323, 4.3 (B, C): beside a hole the last segment in sequence is echoed; the segment that
 * fills it is itself. */
static void test_echo_around_a_hole(void **state)
{
    (void)state;
    struct script *t = peer_accept(TIMESTAMPS, NULL);
    inject(t, ". 1+100 ack 1 <ts 201>");
    inject(t, ". 201+100 ack 1 <ts 203>");
    expect(t, ". 1 ack 101 <ts ecr 201, *>");
    inject(t, ". 301+100 ack 1 <ts 204>");
    expect(t, ". 1 ack 101 <ts ecr 201, *>");
    inject(t, ". 101+100 ack 1 <ts 205>");
    expect(t, ". 1 ack 401 <ts ecr 205>");
    script_end(t);
}

/* ---- windows ------------------------------------------------------------------------------- */

/* RFC 7323, 2.2 and 2.3: the window of <SYN,ACK> is not scaled, all others are; 14 is the most. */
static void test_window_scaling(void **state)
{
    (void)state;
    struct script *t = peer_connect("mss 1000, sackOK, wscale 3", 0, NULL);
    assert_int_equal(peer_info(t).send_window, 65535);
    inject(t, ". 1 ack 1 win 1000");
    assert_int_equal(peer_info(t).send_window, 8000);
    script_end(t);
    t = peer_connect("mss 1000, wscale 15", 0, NULL);
    inject(t, ". 1 ack 1 win 1");
    assert_int_equal(peer_info(t).send_window, 1 << 14);
    script_end(t);
    t = peer_connect("mss 1000", 0, NULL); /* both sides or none */
    inject(t, ". 1 ack 1 win 1000");
    assert_int_equal(peer_info(t).send_window, 1000);
    script_end(t);
}

/* RFC 9293, 3.10.7.4, fifth: SND.WL1 and SND.WL2 keep an old segment from changing the window. */
static void test_old_segment_keeps_window(void **state)
{
    (void)state;
    struct script *t = peer_accept(PLAIN, NULL);
    script_send(t->connection, 0, 100);
    expect(t, ". 1+100");
    inject(t, ". 1+10 ack 101 win 5000");
    assert_int_equal(peer_info(t).send_window, 5000);
    inject(t, ". 5 ack 101 win 100"); /* older in sequence: outside the window as well */
    inject(t, ". 11 ack 1 win 100");  /* older in acknowledgment */
    assert_int_equal(peer_info(t).send_window, 5000);
    inject(t, ". 11 ack 101 win 6000");
    assert_int_equal(peer_info(t).send_window, 6000);
    script_end(t);
}

/* ---- acknowledging ------------------------------------------------------------------------- */

/* RFC 9293, 3.8.6.3; RFC 5681, 4.2: delayed by less than 0.5 s (MUST-40), at least every second
 * full segment (SHLD-19). */
static void test_delayed_acknowledgments(void **state)
{
    (void)state;
    struct script *t = peer_accept(PLAIN, NULL);
    inject(t, ". 1+1000 ack 1");
    expect_nothing(t);
    script_wait(t, 499 * MILLISECOND);
    expect(t, ". 1 ack 1001");
    for (unsigned i = 0; i < 3; i++) {
        char text[64];
        snprintf(text, sizeof(text), ". %u+1000 ack 1", 1001 + 2000 * i);
        inject(t, text);
        expect_nothing(t);
        snprintf(text, sizeof(text), ". %u+1000 ack 1", 2001 + 2000 * i);
        inject(t, text);
        snprintf(text, sizeof(text), ". 1 ack %u", 3001 + 2000 * i);
        expect(t, text);
    }
    script_end(t);
}

/* RFC 5681, 4.2: out of order, and what fills a hole, at once. */
static void test_immediate_acknowledgments(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    inject(t, ". 101+100 ack 1");
    expect(t, ". 1 ack 1 <sack 101-201>");
    inject(t, ". 301+100 ack 1");
    expect(t, ". 1 ack 1 <sack 301-401 101-201>");
    inject(t, ". 1+100 ack 1"); /* fills a part */
    expect(t, ". 1 ack 201 <sack 301-401>");
    inject(t, ". 201+100 ack 1");
    expect(t, ". 1 ack 401 <>");
    script_end(t);
}

/* RFC 2018, 4: the first block has the segment that came last, the others those reported before,
 * most recent first; four blocks, or three beside timestamps. */
static void test_order_of_sack_blocks(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    inject(t, ". 101+100 ack 1");
    inject(t, ". 501+100 ack 1");
    inject(t, ". 301+100 ack 1");
    peer_skip(t);
    inject(t, ". 201+50 ack 1");
    expect(t, ". 1 ack 1 <sack 101-251 301-401 501-601>");
    inject(t, ". 701+100 ack 1");
    inject(t, ". 901+100 ack 1");
    peer_skip(t);
    inject(t, ". 601+1 ack 1");
    expect(t, ". 1 ack 1 <sack 501-602 901-1001 701-801 101-251>");
    script_end(t);
    t = peer_accept(TIMESTAMPS, NULL);
    inject(t, ". 101+100 ack 1 <ts 101>");
    inject(t, ". 301+100 ack 1 <ts 101>");
    inject(t, ". 501+100 ack 1 <ts 101>");
    peer_skip(t);
    inject(t, ". 701+100 ack 1 <ts 101>");
    expect(t, ". 1 ack 1 <sack 701-801 501-601 301-401, ts>");
    script_end(t);
}

/* RFC 2018, 2: no SACK without SACK-Permitted. */
static void test_no_sack_unless_permitted(void **state)
{
    (void)state;
    struct script *t = peer_accept("mss 1000", NULL);
    inject(t, ". 101+100 ack 1");
    expect(t, ". 1 ack 1 <>");
    script_end(t);
}

/* RFC 2883, 4.1: a segment below the cumulative acknowledgment comes twice. */
static void test_dsack_below(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    inject(t, ". 1+100 ack 1");
    inject(t, ". 101+100 ack 1");
    expect(t, ". 1 ack 201");
    inject(t, ". 1+100 ack 1");
    expect(t, ". 1 ack 201 <sack 1-101>");
    inject(t, ". 401+100 ack 1"); /* told once */
    expect(t, ". 1 ack 201 <sack 401-501>");
    inject(t, ". 101+100 ack 1"); /* 4.1.2: before the blocks of SACK */
    expect(t, ". 1 ack 201 <sack 101-201 401-501>");
    script_end(t);
}

/* RFC 2883, 4.2: a part of a block comes twice: the second block is the larger one. */
static void test_dsack_within_a_block(void **state)
{
    (void)state;
    struct script *t = peer_connect(PLAIN, 0, NULL);
    inject(t, ". 901+100 ack 1");
    inject(t, ". 101+100 ack 1");
    inject(t, ". 201+100 ack 1");
    inject(t, ". 701+100 ack 1");
    peer_skip(t);
    inject(t, ". 101+100 ack 1");
    expect(t, ". 1 ack 1 <sack 101-201 101-301 701-801 901-1001>");
    script_end(t);
}

/* ---- urgent data --------------------------------------------------------------------------- */

static bool told_urgent(struct script *t)
{
    struct tcpct_event event;
    bool told = false;
    while (tcpct_event(t->host.stack, &event))
        told = told || event.flags & TCPCT_EVENT_URGENT;
    return told;
}

/* RFC 6093, 6: urgent data is taken in line. RFC 9293, 3.8.5: it is told when it begins and when its
 * end moves on (MUST-32), and how much is left (MUST-33). */
static void test_urgent_data_in_line(void **state)
{
    (void)state;
    struct script *t = peer_accept(PLAIN, NULL);
    inject(t, ". 1+10 ack 1");
    assert_false(told_urgent(t));
    inject_verdict(t, "U. 11+10 ack 1 urg 15", TCPCT_ACCEPTED); /* 25 is the first that is not */
    assert_true(told_urgent(t));
    assert_int_equal(peer_info(t).urgent, 25);
    inject(t, "U. 21+10 ack 1 urg 5"); /* the same end */
    assert_false(told_urgent(t));
    script_receive(t->connection, 0, 24);
    assert_int_equal(peer_info(t).urgent, 1);
    inject(t, "U. 31+10 ack 1 urg 9");
    assert_true(told_urgent(t));
    assert_int_equal(peer_info(t).urgent, 15);
    script_receive(t->connection, 24, 16);
    assert_int_equal(peer_info(t).urgent, 0);
    inject(t, "U. 41 ack 1 urg 0"); /* points at nothing */
    assert_false(told_urgent(t));
    script_end(t);
}

/* RFC 9293, 3.8.6 (MUST-66): URG is seen even when the window is closed. */
static void test_closed_window_takes_urgent(void **state)
{
    (void)state;
    struct script *t = closed_window();
    assert_false(told_urgent(t));
    inject(t, "U. 4001+1 ack 1 urg 1");
    assert_true(told_urgent(t));
    assert_int_equal(peer_info(t).urgent, 4001);
    script_end(t);
}

/* ---- ECN ----------------------------------------------------------------------------------- */

static struct script *ecn_accepted(void)
{
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, "SEW 0 <mss 1000, sackOK, ts 100>");
    expect(t, "S.E 0 ack 1");
    inject(t, ". 1 ack 1 <ts 101>");
    t->connection = script_accept(t);
    assert_true(peer_info(t).ecn);
    return t;
}

/* RFC 3168, 6.1.3: after CE every acknowledgment says ECE, until CWR comes; and CE with CWR begins
 * anew. */
static void test_ce_is_echoed_until_cwr(void **state)
{
    (void)state;
    struct script *t = ecn_accepted();
    peer_inject_marked(t, ". 1+100 ack 1 <ts 102>", ECN_CAPABLE);
    peer_inject_marked(t, ". 101+100 ack 1 <ts 102>", ECN_CAPABLE);
    expect(t, ". 1 ack 201");
    peer_inject_marked(t, ". 201+100 ack 1 <ts 102>", ECN_EXPERIENCED);
    peer_inject_marked(t, ". 301+100 ack 1 <ts 102>", ECN_CAPABLE);
    expect(t, ".E 1 ack 401");
    peer_inject_marked(t, ". 401+100 ack 1 <ts 102>", ECN_CAPABLE);
    peer_inject_marked(t, ". 501+100 ack 1 <ts 102>", ECN_CAPABLE);
    expect(t, ".E 1 ack 601");
    peer_inject_marked(t, ".W 601+100 ack 1 <ts 102>", ECN_CAPABLE);
    peer_inject_marked(t, ". 701+100 ack 1 <ts 102>", ECN_CAPABLE);
    expect(t, ". 1 ack 801");
    peer_inject_marked(t, ".W 801+100 ack 1 <ts 102>", ECN_EXPERIENCED);
    peer_inject_marked(t, ". 901+100 ack 1 <ts 102>", ECN_CAPABLE);
    expect(t, ".E 1 ack 1001");
    script_end(t);
}

/* RFC 3168, 6.1: unless it was agreed, CE says nothing. */
static void test_ce_unless_agreed(void **state)
{
    (void)state;
    struct script *t = peer_accept(PLAIN, NULL);
    peer_inject_marked(t, ". 1+100 ack 1", ECN_EXPERIENCED);
    peer_inject_marked(t, ". 101+100 ack 1", ECN_EXPERIENCED);
    expect(t, ". 1 ack 201");
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(outside_the_window_is_acknowledged),
        TEST(old_part_is_cut),
        TEST(without_ack_is_dropped),
        TEST(acknowledgment_range),
        TEST(reset),
        TEST(syn_is_challenged),
        TEST(challenges_are_limited),
        TEST(closed_window_takes_acknowledgments),
        TEST(closed_window_takes_resets),
        TEST(paws),
        TEST(paws_spares_resets),
        TEST(paws_expires),
        TEST(missing_timestamp),
        TEST(echo_of_delayed_acknowledgment),
        TEST(echo_around_a_hole),
        TEST(window_scaling),
        TEST(old_segment_keeps_window),
        TEST(delayed_acknowledgments),
        TEST(immediate_acknowledgments),
        TEST(order_of_sack_blocks),
        TEST(no_sack_unless_permitted),
        TEST(dsack_below),
        TEST(dsack_within_a_block),
        TEST(urgent_data_in_line),
        TEST(closed_window_takes_urgent),
        TEST(ce_is_echoed_until_cwr),
        TEST(ce_unless_agreed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
