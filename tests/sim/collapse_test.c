/* collapse_test.c - an idle plain connection becomes a record and comes back: what revives it, what is
 * answered from the record, what ends it, and that no byte is lost or doubled by it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/script.h"
#include "tests/sim/stream.h"

enum { SECOND = 1000000, RECORDS = 4 };
static const uint64_t HOUR = 3600ull * SECOND, DAY = 24 * 3600ull * SECOND;

static const struct tcpct_config usual = { .collapsed_max = RECORDS };

static void drain(struct script *t)
{
    struct tcpct_event event;
    while (tcpct_event(t->host.stack, &event)) {
    }
}

/* 100 bytes have come and 200 have gone, both by a peer with timestamps; the next is 101, and 201. */
static void exchange(struct script *t, struct tcpct_connection **connection)
{
    inject(t, "S 0 <mss 1460, sackOK, ts 100, wscale 7>");
    expect(t, "S. 0 ack 1 <sackOK, ts ecr 100, wscale 5, *>");
    inject(t, ". 1+100 ack 1 <ts 101>");
    *connection = script_accept(t);
    script_receive(*connection, 0, 100);
    script_send(*connection, 0, 200);
    expect(t, ". 1+200 ack 101 <ts ecr 101>");
    inject(t, ". 101 ack 201 <ts 102>");
    expect_nothing(t);
    drain(t);
}

static void *word(uintptr_t value)
{
    return (void *)value;
}

static void collapse(struct script *t, struct tcpct_connection *connection, uint64_t *id)
{
    size_t before = tcpct_collapsed_count(t->host.stack);
    assert_int_equal(tcpct_collapse(connection, word(77), id), TCPCT_OK);
    assert_int_equal(tcpct_collapsed_count(t->host.stack), before + 1);
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
}

static struct script *collapsed(unsigned family, const struct tcpct_config *config, uint64_t *id)
{
    struct tcpct_connection *connection;
    struct script *t = script_listen(family, config ? config : &usual, NULL);
    exchange(t, &connection);
    collapse(t, connection, id);
    return t;
}

static void still_collapsed(struct script *t)
{
    struct tcpct_event event;
    assert_int_equal(tcpct_collapsed_count(t->host.stack), 1);
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    assert_false(tcpct_event(t->host.stack, &event));
}

static struct tcpct_connection *revived(struct script *t, unsigned flags)
{
    struct tcpct_event event;
    assert_true(tcpct_event(t->host.stack, &event));
    assert_int_equal(event.flags, TCPCT_EVENT_REVIVED | flags);
    assert_ptr_equal(event.user, word(77));
    assert_int_equal(tcpct_collapsed_count(t->host.stack), 0);
    return event.connection;
}

/* ---- what revives ---------------------------------------------------------------------------- */

/* "A segment that passes PAWS and RFC 5961": data in the window. The peer notices nothing, and both
 * directions go on with numbers, windows and timestamps as they were. */
static void test_data_revives(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        struct script *t = collapsed(family, NULL, NULL);
        uint32_t before = t->stack_timestamp;
        script_wait(t, HOUR);
        expect_nothing(t);
        inject_verdict(t, ". 101+50 ack 201 <ts 3600102>", TCPCT_ACCEPTED);
        struct tcpct_connection *connection = revived(t, TCPCT_EVENT_READABLE);
        script_receive(connection, 100, 50);
        script_send(connection, 200, 2000);
        tcpct_option_set(connection, TCPCT_OPTION_NODELAY, 1);
        expect(t, family == 4 ? ". 201+1448 ack 151 <ts ecr 3600102>"
                              : ". 201+1428 ack 151 <ts ecr 3600102>");
        assert_int_equal(t->stack_timestamp - before, 3600000);
        expect(t, family == 4 ? "P. 1649+552 ack 151" : "P. 1629+572 ack 151");
        inject(t, ". 151 ack 2201 <ts 3600110>");
        assert_int_equal(script_state(connection), TCPCT_ESTABLISHED);
        tcpct_close(connection);
        expect(t, "F. 2201 ack 151");
        assert_int_equal(script_counters(t).revivals, 1);
        assert_int_equal(script_counters(t).collapses, 1);
        script_end(t);
    }
}

/* What a reordered path brings first: SACK was agreed and still is. */
static void test_later_data_revives(void **state)
{
    (void)state;
    struct script *t = collapsed(4, NULL, NULL);
    inject_verdict(t, ". 111+10 ack 201 <ts 200>", TCPCT_ACCEPTED);
    struct tcpct_connection *connection = revived(t, 0);
    expect(t, ". 201 ack 101 <ts ecr 102, sack 111-121>");
    inject(t, ". 101+10 ack 201 <ts 201>");
    script_receive(connection, 100, 20);
    script_end(t);
}

/* Without any options, as of a peer that has none. */
static void test_without_options(void **state)
{
    (void)state;
    struct tcpct_connection *connection;
    struct script *t = script_listen(4, &usual, NULL);
    inject(t, "S 0");
    expect(t, "S. 0 ack 1 <mss 1460>");
    inject(t, ". 1+100 ack 1");
    connection = script_accept(t);
    script_receive(connection, 0, 100);
    script_wait(t, SECOND);
    expect(t, ". 1 ack 101");
    drain(t);
    collapse(t, connection, NULL);
    inject(t, ". 100 ack 1");
    expect(t, ". 1 ack 101 win 65535 <>");
    inject(t, ". 101+10 ack 1 win 1000");
    connection = revived(t, TCPCT_EVENT_READABLE);
    script_receive(connection, 100, 10);
    script_send(connection, 0, 2000);
    expect(t, ". 1+536 ack 111 <>");
    script_end(t);
}

/* RFC 9293, 3.6: a FIN is answered, told, and followed by our own. */
static void test_fin_closes(void **state)
{
    (void)state;
    uint8_t byte;
    struct script *t = collapsed(6, NULL, NULL);
    inject_verdict(t, "F. 101 ack 201 <ts 200>", TCPCT_ACCEPTED);
    struct tcpct_connection *connection = revived(t, TCPCT_EVENT_READABLE);
    expect(t, ". 201 ack 102 <ts ecr 200>");
    assert_int_equal(tcpct_receive(connection, &byte, 1), TCPCT_ERROR_CLOSED);
    tcpct_close(connection);
    expect(t, "F. 201 ack 102");
    inject(t, ". 102 ack 202 <ts 201>");
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    script_end(t);
}

static void test_application_revives(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        uint64_t id, second;
        struct script *t = collapsed(family, NULL, &id);
        struct tcpct_connection *connection, *other;
        assert_int_equal(tcpct_revive(t->host.stack, id + 1, &connection), TCPCT_ERROR_CLOSED);
        assert_int_equal(tcpct_revive(t->host.stack, 0, &connection), TCPCT_ERROR_CLOSED);
        assert_int_equal(tcpct_revive(t->host.stack, UINT64_MAX, &connection), TCPCT_ERROR_CLOSED);
        script_wait(t, HOUR);
        assert_int_equal(tcpct_revive(t->host.stack, id, &connection), TCPCT_OK);
        assert_int_equal(tcpct_revive(t->host.stack, id, &other), TCPCT_ERROR_CLOSED);
        script_send(connection, 200, 100);
        expect(t, "P. 201+100 ack 101 <ts ecr 102>");
        inject(t, ". 101 ack 301 <ts 200>");
        expect_nothing(t);
        collapse(t, connection, &second);
        assert_int_equal(tcpct_revive(t->host.stack, id, &other), TCPCT_ERROR_CLOSED);
        inject(t, ". 101+10 ack 301 <ts 300>");
        script_receive(revived(t, TCPCT_EVENT_READABLE), 100, 10);
        script_end(t);
    }
}

/* A connection that we made, to a peer without cookies. */
static void test_ours(void **state)
{
    (void)state;
    const struct tcpct_connect_options options = { .user = word(3) };
    struct script *t = script_connect(4, &usual, &options);
    struct tcpct_event event;
    expect(t, "S 0");
    inject(t, "S. 0 ack 1 <mss 1000, sackOK, ts 100, wscale 2>");
    expect(t, ". 1 ack 1");
    assert_true(tcpct_event(t->host.stack, &event));
    collapse(t, t->connection, NULL);
    const struct tcpct_connect_options same = { .remote = t->peer_address,
                                                .local_port = t->stack_port,
                                                .remote_port = t->peer_port };
    assert_int_equal(tcpct_connect(t->host.stack, &same, &t->connection, t->now_us),
                     TCPCT_ERROR_IN_USE);
    inject(t, "S. 0 ack 1 <mss 1000, sackOK, ts 101, wscale 2>"); /* sent again: RFC 5961, 4 */
    expect(t, ". 1 ack 1 <ts ecr 100>");
    still_collapsed(t);
    inject(t, ". 1+10 ack 1 <ts 200>");
    t->connection = revived(t, TCPCT_EVENT_READABLE);
    script_send(t->connection, 0, 2000);
    expect(t, ". 1+988 ack 11");
    script_end(t);
}

/* RFC 2385: the record answers with signatures, and takes nothing without. */
static void test_signed(void **state)
{
    (void)state;
    script_use_key("secret");
    struct script *t = script_listen(4, &usual, NULL);
    inject(t, "S 0 <mss 1460, sackOK, ts 100, wscale 7, md5>");
    expect(t, "S. 0 ack 1");
    inject(t, ". 1+100 ack 1 <ts 101, md5>");
    struct tcpct_connection *connection = script_accept(t);
    script_receive(connection, 0, 100);
    script_wait(t, SECOND);
    expect(t, ". 1 ack 101 <ts ecr 101, md5>");
    drain(t);
    collapse(t, connection, NULL);
    inject_verdict(t, ". 101+10 ack 1 <ts 102>", TCPCT_BAD_SIGNATURE);
    inject_verdict(t, "R 101", TCPCT_BAD_SIGNATURE);
    still_collapsed(t);
    inject(t, ". 100 ack 1 <ts 102, md5>");
    expect(t, ". 1 ack 101 <ts ecr 102, md5>");
    inject(t, ". 101+10 ack 1 <ts 103, md5>");
    script_receive(revived(t, TCPCT_EVENT_READABLE), 100, 10);
    script_end(t);
}

/* RFC 2385 comes late: not while a record with that peer is unsigned. */
static void test_key_comes_late(void **state)
{
    (void)state;
    struct script *t = collapsed(4, NULL, NULL);
    assert_int_equal(tcpct_md5_key_set(t->host.stack, &t->peer_address, "key", 3),
                     TCPCT_ERROR_IN_USE);
    script_end(t);
}

/* ---- what is answered from the record ---------------------------------------------------------- */

/* RFC 9293, 3.8.4: with a byte or without, and as often as they come. */
static void test_keep_alive(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        struct script *t = collapsed(family, NULL, NULL);
        inject_verdict(t, ". 100 ack 201 <ts 200>", TCPCT_REPLIED);
        expect(t, ". 201 ack 101 win 4096 <ts ecr 200>");
        inject_verdict(t, ". 100+1 ack 201 <ts 201>", TCPCT_REPLIED);
        expect(t, ". 201 ack 101 win 4096 <ts ecr 201>");
        for (unsigned i = 0; i < 2000; i++) {
            inject(t, ". 100 ack 201 <ts 202>");
            expect(t, ". 201 ack 101");
        }
        still_collapsed(t);
        assert_int_equal(script_counters(t).collapsed_keepalives, 2002);
        inject(t, ". 100 ack 200 <ts 203>"); /* it would be behind */
        inject(t, ". 100 ack 202 <ts 203>"); /* it cannot be */
        still_collapsed(t);
        script_end(t);
    }
}

/* A window update is taken without a connection, an old one is not. */
static void test_window_update(void **state)
{
    (void)state;
    uint64_t id;
    struct tcpct_connection *connection;
    struct script *t = collapsed(4, NULL, &id);
    inject_verdict(t, ". 101 ack 201 win 20 <ts 200>", TCPCT_ACCEPTED);
    inject_verdict(t, ". 101 ack 200 win 99 <ts 200>", TCPCT_ACCEPTED);
    expect_nothing(t);
    still_collapsed(t);
    assert_int_equal(tcpct_revive(t->host.stack, id, &connection), TCPCT_OK);
    script_send(connection, 200, 5000);
    expect(t, ". 201+1448 ack 101 <ts ecr 200>"); /* of 20 << 7 */
    expect_nothing(t);
    script_end(t);
}

/* RFC 7323, 5.3, R1: what is old is acknowledged and dropped; 5.5: for 24 days. 3.2: nothing comes
 * without timestamps. */
static void test_old_duplicates(void **state)
{
    (void)state;
    struct script *t = collapsed(4, NULL, NULL);
    inject_verdict(t, ". 101+50 ack 201 <ts 99>", TCPCT_REPLIED);
    expect(t, ". 201 ack 101 <ts ecr 102>");
    inject_verdict(t, "F. 101 ack 201 <ts 99>", TCPCT_REPLIED);
    expect(t, ". 201 ack 101 <ts ecr 102>");
    inject_verdict(t, ". 100 ack 201 <ts 99>", TCPCT_REPLIED);
    expect(t, ". 201 ack 101 <ts ecr 102>");
    inject_verdict(t, ". 1+100 ack 1 <ts 102>", TCPCT_REPLIED);
    expect(t, ". 201 ack 101 <ts ecr 102>");
    inject_verdict(t, ". 101+50 ack 201", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    still_collapsed(t);
    script_wait(t, 25 * DAY);
    inject_verdict(t, ". 101+50 ack 201 <ts 99>", TCPCT_ACCEPTED);
    script_receive(revived(t, TCPCT_EVENT_READABLE), 100, 50);
    script_end(t);
}

/* RFC 5961, 3.2. */
static void test_reset(void **state)
{
    (void)state;
    struct script *t = collapsed(4, NULL, NULL);
    inject_verdict(t, "R 100", TCPCT_UNACCEPTABLE);
    inject_verdict(t, "R 200000", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    inject_verdict(t, "R 102", TCPCT_REPLIED);
    expect(t, ". 201 ack 101 <ts ecr 102>");
    still_collapsed(t);
    inject_verdict(t, "R 101", TCPCT_ACCEPTED);
    expect_nothing(t);
    assert_int_equal(tcpct_collapsed_count(t->host.stack), 0);
    assert_int_equal(script_counters(t).collapsed_reset, 1);
    script_end(t);
}

/* RFC 5961, 4.2, whatever its number, with timestamps or not. The peer that has started anew resets
 * the record by the answer to the challenge, and connects. */
static void test_syn(void **state)
{
    (void)state;
    struct script *t = collapsed(4, NULL, NULL);
    inject_verdict(t, "S 101", TCPCT_REPLIED);
    expect(t, ". 201 ack 101 <ts ecr 102>");
    inject_verdict(t, "S 90000 <mss 1460, ts 1>", TCPCT_REPLIED);
    expect(t, ". 201 ack 101 <ts ecr 102>");
    still_collapsed(t);
    inject(t, "R 101");
    inject_verdict(t, "S 90000 <mss 1460, ts 1>", TCPCT_REPLIED);
    expect(t, "S. 0");
    script_end(t);
}

/* RFC 5961, 5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT; and 7: not more than so many. */
static void test_blind_data(void **state)
{
    (void)state;
    struct script *t = collapsed(4, NULL, NULL);
    inject_verdict(t, ". 101+10 ack 202 <ts 200>", TCPCT_REPLIED);
    expect(t, ". 201 ack 101");
    inject_verdict(t, ". 101+10 ack 4286578608 <ts 200>", TCPCT_REPLIED); /* 201 - (65536 << 7) */
    expect(t, ". 201 ack 101");
    inject_verdict(t, "P 101+10 <ts 200>", TCPCT_UNACCEPTABLE); /* RFC 9293, 3.10.7.4, fifth */
    expect_nothing(t);
    for (unsigned i = 0; i < 2000; i++) {
        inject(t, ". 101+10 ack 202 <ts 200>");
        if (t->verdict == TCPCT_REPLIED)
            expect(t, ". 201 ack 101");
    }
    assert_true(script_counters(t).challenges_withheld >= 1000);
    still_collapsed(t);
    inject_verdict(t, ". 101+10 ack 150 <ts 200>", TCPCT_ACCEPTED); /* an old one may be */
    revived(t, TCPCT_EVENT_READABLE);
    script_end(t);
}

/* RFC 6013, 4.2 and 4.4: a new exchange begins beside a record, as beside a TCB: its TS Value is above
 * all that the record sent, and the record stays until the opening. */
static void test_exchange_beside(void **state)
{
    (void)state;
    struct script *t = collapsed(4, NULL, NULL);
    script_wait(t, 10 * SECOND);
    inject(t, ". 100 ack 201 <ts 10000>");
    expect(t, ". 201 ack 101");
    uint32_t before = t->stack_timestamp;
    script_wait(t, 10 * SECOND);
    t->iss += 100000;
    inject_verdict(t, "S 0 <mss 1460, sackOK, ts 20000, cookie>", TCPCT_REPLIED);
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 20000, cookie>");
    assert_true(t->stack_timestamp - before > 10000);
    still_collapsed(t);
    inject_verdict(t, ". 1+10 ack 1 <tsx 20001, badpair, mss 1460, sackOK>", TCPCT_BAD_COOKIE);
    still_collapsed(t);
    inject_verdict(t, ". 1+10 ack 1 <tsx 20001, pair, mss 1460, sackOK>", TCPCT_ACCEPTED);
    assert_int_equal(tcpct_collapsed_count(t->host.stack), 0);
    script_receive(script_accept(t), 0, 10);
    script_end(t);
}

/* ---- what ends a record -------------------------------------------------------------------------- */

static void test_eviction(void **state)
{
    (void)state;
    const struct tcpct_config two = { .collapsed_max = 2, .connections_max = 1 };
    struct tcpct_connection *connection;
    struct script *t = script_listen(4, &two, NULL);
    uint32_t irs[3];
    for (uint16_t i = 0; i < 3; i++) {
        t->peer_port = (uint16_t)(40000 + i);
        if (i == 2) { /* the first is heard of again: the second has to go */
            t->peer_port = 40000;
            t->irs = irs[0];
            inject_verdict(t, ". 100 ack 201 <ts 103>", TCPCT_REPLIED);
            expect(t, ". 201 ack 101");
            t->peer_port = 40002;
        }
        exchange(t, &connection);
        irs[i] = t->irs;
        assert_int_equal(tcpct_collapse(connection, word(77), NULL), TCPCT_OK);
    }
    assert_int_equal(tcpct_collapsed_count(t->host.stack), 2);
    assert_int_equal(script_counters(t).collapsed_evicted, 1);
    assert_int_equal(tcpct_connection_count(t->host.stack), 1);
    t->irs = irs[1];
    expect(t, "R. 201 ack 101 <ts ecr 102>");
    assert_int_equal(t->last.destination_port, 40001);
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    script_end(t);
}

static void test_expiry(void **state)
{
    (void)state;
    const struct tcpct_config aging = { .collapsed_max = 2, .collapsed_age_us = 60 * SECOND };
    struct script *t = collapsed(6, &aging, NULL);
    script_wait(t, 50 * SECOND);
    inject(t, ". 100 ack 201 <ts 50000>");
    expect(t, ". 201 ack 101");
    script_wait(t, 59 * SECOND);
    still_collapsed(t);
    expect_nothing(t);
    script_wait(t, 3 * SECOND);
    expect(t, "R. 201 ack 101 <ts ecr 50000>");
    assert_int_equal(tcpct_collapsed_count(t->host.stack), 0);
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    assert_int_equal(script_counters(t).collapsed_expired, 1);
    assert_int_equal(script_counters(t).resets_sent, 1);
    script_end(t);
}

/* There is no room for a TCB: the record stays, and the peer sends its data again. */
static void test_no_room(void **state)
{
    (void)state;
    const struct tcpct_config one = { .collapsed_max = 2, .connections_max = 1 };
    struct script *t = collapsed(4, &one, NULL);
    struct tcpct_connection *connection;
    uint32_t irs = t->irs;
    t->peer_port++;
    exchange(t, &connection);
    t->peer_port--;
    t->irs = irs;
    inject_verdict(t, ". 101+10 ack 201 <ts 200>", TCPCT_NO_RESOURCES);
    assert_int_equal(tcpct_collapsed_count(t->host.stack), 1);
    assert_int_equal(script_counters(t).connections_full, 1);
    tcpct_abort(connection);
    script_wait(t, 1);
    inject_verdict(t, ". 101+10 ack 201 <ts 201>", TCPCT_ACCEPTED);
    script_receive(revived(t, TCPCT_EVENT_READABLE), 100, 10);
    script_end(t);
}

/* ---- what does not collapse ---------------------------------------------------------------------- */

static void refused(struct tcpct_connection *connection)
{
    assert_int_equal(tcpct_collapse(connection, NULL, NULL), TCPCT_ERROR_INVALID);
}

static void test_not_idle(void **state)
{
    (void)state;
    struct tcpct_connection *connection;
    struct script *t = script_listen(4, &usual, NULL);
    exchange(t, &connection);
    inject(t, ". 101+10 ack 201 <ts 200>");
    refused(connection); /* unread */
    drain(t);
    script_receive(connection, 100, 10);
    refused(connection); /* not acknowledged by us */
    script_wait(t, SECOND);
    expect(t, ". 201 ack 111");
    inject(t, ". 121+10 ack 201 <ts 201>");
    expect(t, ". 201 ack 111");
    refused(connection); /* something is missing */
    inject(t, ". 111+10 ack 201 <ts 202>");
    drain(t);
    script_receive(connection, 110, 20);
    expect(t, ". 201 ack 131");
    script_send(connection, 200, 10);
    refused(connection); /* unsent */
    expect(t, "P. 201+10 ack 131");
    refused(connection); /* not acknowledged by the peer */
    inject(t, ". 131 ack 211 <ts 203>");
    tcpct_option_set(connection, TCPCT_OPTION_KEEPALIVE, SECOND);
    script_wait(t, SECOND);
    expect(t, ". 210 ack 131");
    refused(connection); /* nobody knows whether the peer is there */
    inject(t, ". 131 ack 211 <ts 1204>");
    inject(t, "F. 131 ack 211 <ts 1205>");
    expect(t, ". 211 ack 132");
    drain(t);
    refused(connection); /* half closed */
    script_end(t);
}

static void test_never(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    struct tcpct_connection *connection;
    exchange(t, &connection);
    refused(connection); /* there is no table */
    script_end(t);

    t = script_listen(4, &usual, NULL);
    inject(t, "S 0 <mss 1460, sackOK, ts 100, cookie>");
    expect(t, "S. 0 ack 1");
    inject(t, ". 1+10 ack 1 <tsx 101, pair, mss 1460, sackOK>");
    connection = script_accept(t);
    script_receive(connection, 0, 10);
    script_wait(t, SECOND);
    inject(t, ". 11 ack 1 <ts 1200>");
    drain(t);
    refused(connection); /* it has cookies: to close it costs nothing */
    expect(t, ". 1 ack 11 <tsx, pair, *>");
    script_end(t);
}

/* ---- the profile --------------------------------------------------------------------------------- */

static bool told_idle(struct script *t)
{
    struct tcpct_event event;
    bool told = false;
    while (tcpct_event(t->host.stack, &event))
        told |= event.flags == TCPCT_EVENT_IDLE;
    return told;
}

static const struct tcpct_config watching = { .collapsed_max = RECORDS,
                                              .collapse_after_us = 10 * SECOND };

static void test_idle_is_told(void **state)
{
    (void)state;
    struct tcpct_connection *connection;
    struct script *t = script_listen(4, &watching, NULL);
    exchange(t, &connection);
    script_wait(t, 9 * SECOND);
    assert_false(told_idle(t));
    inject(t, ". 100 ack 201 <ts 9000>"); /* a keep-alive is no activity */
    expect(t, ". 201 ack 101");
    script_wait(t, SECOND);
    assert_true(told_idle(t));
    script_wait(t, HOUR);
    assert_false(told_idle(t)); /* once */
    inject(t, ". 101+10 ack 201 <ts 4000000>");
    assert_false(told_idle(t));
    script_wait(t, 15 * SECOND); /* it is not idle: the data is unread */
    assert_false(told_idle(t));
    script_receive(connection, 100, 10);
    script_wait(t, 10 * SECOND);
    assert_true(told_idle(t));
    script_end(t);
}

/* Also who connects and says nothing, whether half-made connections are kept or not. */
static void test_silence_is_told(void **state)
{
    (void)state;
    for (unsigned queue = 0; queue < 2; queue++) {
        const struct tcpct_listen_options options = { .syn_queue = queue };
        struct script *t = script_listen(4, &watching, &options);
        inject(t, "S 0 <mss 1460, ts 100>");
        expect(t, "S. 0 ack 1");
        inject(t, ". 1 ack 1 <ts 101>");
        struct tcpct_connection *connection = script_accept(t);
        script_wait(t, 10 * SECOND);
        assert_true(told_idle(t));
        assert_int_equal(tcpct_collapse(connection, NULL, NULL), TCPCT_OK);
        script_end(t);
    }
}

/* A round: collapse, and after some time data from the peer. */
static uint32_t round_trip(struct script *t, struct tcpct_connection **connection, uint32_t seq,
                           uint64_t away_us)
{
    char text[64];
    assert_int_equal(tcpct_collapse(*connection, word(77), NULL), TCPCT_OK);
    script_wait(t, away_us);
    snprintf(text, sizeof(text), ". %u+10 ack 201 <ts %u>", seq, (uint32_t)(t->now_us / 1000));
    inject(t, text);
    *connection = revived(t, TCPCT_EVENT_READABLE);
    script_receive(*connection, seq - 1, 10);
    script_wait(t, SECOND);
    snprintf(text, sizeof(text), ". 201 ack %u", seq + 10);
    expect(t, text);
    return seq + 10;
}

/* Who soon comes back is kept active for eight times as long, unless there is no room for that. */
static void test_kept_active(void **state)
{
    (void)state;
    struct tcpct_connection *connection;
    struct script *t = script_listen(4, &watching, NULL);
    uint32_t seq = 101;
    exchange(t, &connection);
    assert_false(told_idle(t));
    for (unsigned i = 0; i < 8; i++)
        seq = round_trip(t, &connection, seq, 12 * SECOND);
    script_wait(t, 70 * SECOND);
    assert_false(told_idle(t));
    script_wait(t, 10 * SECOND);
    assert_true(told_idle(t));
    for (unsigned i = 0; i < 8; i++)
        seq = round_trip(t, &connection, seq, 300 * SECOND);
    script_wait(t, 10 * SECOND);
    assert_true(told_idle(t));
    script_end(t);
}

/* Who never comes back is not bothered with, but for one in sixteen. */
static void test_ignored(void **state)
{
    (void)state;
    struct tcpct_connection *connection;
    struct script *t = script_listen(4, &usual, NULL);
    unsigned made = 0;
    for (uint16_t i = 0; i < 40; i++) {
        t->peer_port = (uint16_t)(40000 + i);
        t->next = 0;
        exchange(t, &connection);
        drain(t);
        int error = tcpct_collapse(connection, word(77), NULL);
        if (error) {
            assert_int_equal(error, TCPCT_ERROR_MEMORY);
            assert_true(i >= 8);
            tcpct_abort(connection);
            expect(t, "R. 201 ack 101");
        } else {
            made++;
            inject_verdict(t, "R 101", TCPCT_ACCEPTED);
        }
    }
    assert_int_equal(made, 8 + 2);
    assert_int_equal(script_counters(t).collapses_refused, 30);
    script_end(t);
}

/* ---- any time, any number of times ---------------------------------------------------------------- */

enum { PAIRS = 6, STEPS = 300 };

static void plan_to_get(struct stream *stream, const struct tcpct_info *info)
{
    (void)info;
    stream->close = STREAM_STAY;
    stream->to_get = UINT64_MAX;
}

struct run {
    struct sim *sim;
    struct generator random;
    struct stream ends[2][PAIRS];
    struct stream_server server;
};

static void begin(struct run *run, uint64_t seed)
{
    static const struct link_path bad = { .rate = 50000000,
                                          .delay_us = 10000,
                                          .loss = 0.03,
                                          .reorder = 0.1,
                                          .reorder_us = 3000,
                                          .duplicate = 0.03 };
    const struct tcpct_config stack = { .collapsed_max = PAIRS, .collapse_always = true };
    const struct sim_config config = {
        .seed = seed, .up = { bad }, .down = { bad }, .stacks = { stack, stack }
    };
    const struct tcpct_connect_options plain = { .local_port = 0 };
    *run = (struct run){ .sim = sim_begin(&config), .random = { .state = seed } };
    run->server =
        (struct stream_server){ .plan = plan_to_get, .streams = run->ends[1], .max = PAIRS };
    stream_listen(&run->sim->hosts[1], &run->server, NULL);
    for (unsigned i = 0; i < PAIRS; i++) {
        struct stream *stream = &run->ends[0][i];
        *stream = (struct stream){ .close = STREAM_STAY, .to_send = 10, .to_get = UINT64_MAX };
        stream_connect(stream, &run->sim->hosts[0], &run->sim->hosts[1], i % 2 ? 6 : 4, &plain);
        while (run->server.count <= i)
            sim_run(run->sim, SECOND);
    }
}

static void finish(struct run *run)
{
    for (unsigned i = 0; i < PAIRS; i++) {
        struct stream *a = &run->ends[0][i], *b = &run->ends[1][i];
        a->to_get = b->to_send;
        b->to_get = a->to_send;
        stream_end(a);
        stream_end(b);
        assert_true(sim_until(run->sim, stream_done, a, 600ull * SECOND));
        assert_true(sim_until(run->sim, stream_done, b, 600ull * SECOND));
        stream_check(a);
        stream_check(b);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct tcpct_counters counters;
        tcpct_counters(run->sim->hosts[i].stack, &counters);
        assert_int_equal(tcpct_collapsed_count(run->sim->hosts[i].stack), 0);
        assert_int_equal(counters.revivals, counters.collapses);
    }
    sim_end(run->sim);
}

/* Bursts both ways through a bad network, with pauses in which either end collapses, or does not, and
 * whichever of the two has more to say comes back. */
static void test_transfers(void **state)
{
    (void)state;
    unsigned collapses = 0, asked = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        static struct run run;
        begin(&run, seed);
        for (unsigned i = 0; i < STEPS; i++) {
            struct stream *stream =
                &run.ends[generate_below(&run.random, 2)][generate_below(&run.random, PAIRS)];
            bool was = stream->collapsed;
            switch (generate_below(&run.random, 4)) {
            case 0:
                asked += was;
                stream_more(stream, generate_below(&run.random, 40000));
                break;
            case 1:
                collapses += stream_collapse(stream);
                break;
            default:
                sim_run(run.sim, generate_below(&run.random, SECOND / 2));
            }
        }
        finish(&run);
    }
    assert_true(collapses > 500);
    assert_true(asked > 100);
}

#define TEST(name) cmocka_unit_test_teardown(test_##name, script_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(data_revives),
        TEST(later_data_revives),
        TEST(without_options),
        TEST(fin_closes),
        TEST(application_revives),
        TEST(ours),
        TEST(signed),
        TEST(key_comes_late),
        TEST(keep_alive),
        TEST(window_update),
        TEST(old_duplicates),
        TEST(reset),
        TEST(syn),
        TEST(blind_data),
        TEST(exchange_beside),
        TEST(eviction),
        TEST(expiry),
        TEST(no_room),
        TEST(not_idle),
        TEST(never),
        TEST(idle_is_told),
        TEST(silence_is_told),
        TEST(kept_active),
        TEST(ignored),
        cmocka_unit_test_teardown(test_transfers, sim_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
