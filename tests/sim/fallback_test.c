/* fallback_test.c - what becomes of an exchange whose header extension does not get through (RFC
 * 6013, 2.2 and 2.4): "It is usually better that data arrive slowly, than not at all."
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/wire.h"
#include "tests/sim/script.h"

enum { SECOND = 1000000 };

#define SYN_ACK "S. 0 ack 1 <mss 1460, sackOK, ts 50, wscale 7, cookie>"
#define OPENING ". 1+100 ack 1 <tsx ecr 50, pair, mss 1460, sackOK, wscale 5>"
#define PLAINLY ". 1+100 ack 1 <ts ecr 50>"

static struct tcpct_info info_of(const struct script *t)
{
    struct tcpct_info info;
    tcpct_connection_info(t->connection, &info);
    return info;
}

/* An Initiator with an opening of 100 bytes that nobody answers. */
static struct script *open_unanswered(void)
{
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0");
    inject(t, SYN_ACK);
    script_send(t->connection, 0, 100);
    return t;
}

/* Closes the connection and begins another one to the same peer, whose <SYN> is `syn`. */
static void connect_again(struct script *t, const char *syn)
{
    struct tcpct_connection *again;
    struct tcpct_connect_options options = { .remote = t->peer_address,
                                             .remote_port = SIM_PORT,
                                             .parameters = TCPCT_PARAMETERS_DEFAULT };
    tcpct_abort(t->connection);
    script_wait(t, 0);
    t->queue_first = t->queue_count = 0;
    assert_int_equal(tcpct_connect(t->host.stack, &options, &again, t->now_us), TCPCT_OK);
    t->connection = again;
    script_wait(t, 0);
    expect(t, syn);
}

/* The fourth opening goes without its extension, then each second one. */
static void opens_plainly(struct script *t)
{
    for (unsigned i = 0; i < 3; i++)
        expect(t, OPENING);
    expect(t, PLAINLY);
}

static void test_path_without_extensions(void **state)
{
    (void)state;
    struct script *t = open_unanswered();
    script_wait(t, 16ull * SECOND);
    opens_plainly(t);
    inject(t, ". 1 ack 101 <ts 60>");
    assert_false(info_of(t).cookies);
    script_wait(t, SECOND);
    t->queue_first = t->queue_count = 0;
    tcpct_shutdown(t->connection);
    script_wait(t, 0);
    expect(t, "F. 101 ack 1 <ts ecr 60>");
    connect_again(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5>");
    script_end(t);
}

/* Alternating, so that a path that only loses much keeps its cookies, and a listener that requires
 * them (TCPCT_IN_ALWAYS) is reached in the end. */
static void test_openings_alternate(void **state)
{
    (void)state;
    struct script *t = open_unanswered();
    script_wait(t, 60ull * SECOND);
    opens_plainly(t);
    expect(t, OPENING);
    expect(t, PLAINLY);
    t->queue_first = t->queue_count = 0;
    inject(t, ". 1 ack 101 <tsx 60, pair, mss 1460, sackOK, wscale 7>");
    assert_true(info_of(t).cookies);
    script_end(t);
}

/* A segment that is not the Responder's first says nothing of the pair. */
static void test_only_the_first_segment_tells(void **state)
{
    (void)state;
    struct script *t = open_unanswered();
    script_wait(t, 16ull * SECOND);
    opens_plainly(t);
    t->queue_first = t->queue_count = 0;
    inject(t, ". 11+10 ack 101 <ts 61>");
    assert_true(info_of(t).cookies);
    inject(t, ". 1+10 ack 101 <tsx 60, pair, mss 1460, sackOK, wscale 7>");
    assert_true(info_of(t).cookies);
    script_receive(t->connection, 0, 10);
    script_end(t);
}

/* But the acknowledgment of our FIN would have the pair, if there were one (5). */
static void test_the_end_tells(void **state)
{
    (void)state;
    struct script *t = open_unanswered();
    script_wait(t, 16ull * SECOND);
    opens_plainly(t);
    t->queue_first = t->queue_count = 0;
    inject(t, ". 11+10 ack 101 <ts 61>");
    tcpct_shutdown(t->connection);
    script_wait(t, 0);
    assert_true(info_of(t).cookies);
    inject(t, ". 21 ack 102 <ts 62>");
    assert_false(info_of(t).cookies);
    assert_int_equal(script_state(t->connection), TCPCT_FIN_WAIT_2);
    t->queue_first = t->queue_count = 0;
    script_end(t);
}

/* Linux 3.8, and a proxy that splits: the acknowledgment is too high by the extension. */
static void test_extension_is_swallowed(void **state)
{
    (void)state;
    struct script *t = open_unanswered();
    expect(t, OPENING);
    unsigned extension = t->last.extension_size;
    char text[64];
    snprintf(text, sizeof text, ". 1 ack %u <ts 60>", 101 + extension);
    inject_verdict(t, text, TCPCT_REPLIED);
    snprintf(text, sizeof text, "R %u <ts>", 101 + extension);
    expect(t, text);
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_EXTENSION);
    assert_int_equal(script_counters(t).extensions_swallowed, 1);
    connect_again(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5>");
    script_end(t);
}

/* An ordinary acknowledgment is none of these. */
static void test_other_acknowledgments(void **state)
{
    (void)state;
    struct script *t = open_unanswered();
    expect(t, OPENING);
    inject(t, ". 1 ack 140 <ts 60>"); /* RFC 5961, 5.2 */
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_OK);
    script_end(t);
}

/* A Cookie was lost with its <SYN> each time: the next connection does not offer it. */
static void test_path_without_cookies(void **state)
{
    (void)state;
    struct script *t = script_connect(4, NULL, NULL);
    expect(t, "S 0 <mss 1460, sackOK, ts, wscale 5, cookie>");
    script_wait(t, 20ull * SECOND);
    for (unsigned i = 0; i < 3; i++)
        expect(t, "S 0 <mss 1460, sackOK, ts, wscale 5, cookie>");
    expect(t, "S 0 <mss 1460, sackOK, ts, wscale 5>");
    inject(t, "S. 0 ack 1 <mss 1460, sackOK, ts 50, wscale 7>");
    connect_again(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5>");
    script_wait(t, 301ull * SECOND);
    connect_again(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5, cookie>");
    script_end(t);
}

/* ---- the Responder ------------------------------------------------------------------------- */

static struct script *exchange(bool in_always)
{
    struct script *t =
        script_listen(4, NULL,
                      &(struct tcpct_listen_options){
                          .parameters = { .cookie_desired = 16, .in_always = in_always } });
    inject(t, "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>");
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, wscale 5, cookie>");
    return t;
}

/* It goes on as plain TCP: cookies were exchanged, but the opening has no pair. */
static void test_opening_without_pair(void **state)
{
    (void)state;
    struct script *t = exchange(false);
    inject_verdict(t, ". 1+10 ack 1 <ts 101>", TCPCT_ACCEPTED);
    script_wait(t, SECOND);
    expect(t, ". 1 ack 11 <ts ecr 101>");
    t->connection = script_accept(t);
    assert_false(info_of(t).cookies);
    assert_int_equal(script_counters(t).openings_plain, 1);
    script_receive(t->connection, 0, 10);
    script_end(t);
}

/* The Initiator alternates: an opening with its pair is this connection's as well. */
static void test_opening_after_one_without_pair(void **state)
{
    (void)state;
    struct script *t = exchange(false);
    inject_verdict(t, ". 1+10 ack 1 <ts 105>", TCPCT_ACCEPTED);
    t->connection = script_accept(t);
    inject(t, ". 1+10 ack 1 <tsx 106, pair, mss 1460, sackOK, wscale 7>");
    inject(t, ". 1+10 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>");
    assert_int_equal(script_state(t->connection), TCPCT_ESTABLISHED);
    assert_int_equal(tcpct_connection_count(t->host.stack), 1);
    script_receive(t->connection, 0, 10);
    script_end(t);
}

/* It goes on as plain TCP unless the listener requires them. */
static void test_opening_without_pair_is_refused(void **state)
{
    (void)state;
    struct script *t = exchange(true);
    inject_verdict(t, ". 1+10 ack 1 <ts 101>", TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    script_end(t);
}

/* Kind 254 became NOPs on the way, and the extension would be read as data. */
static void blanked(unsigned timestamp_size)
{
    struct script *t = exchange(false);
    uint8_t data[128] = { 0 };
    size_t size = (size_t)2 * timestamp_size;
    wire_put32(data + size - 4, t->stack_timestamp);
    data[size] = data[size + 1] = 1;
    data[size + 2] = 253;
    data[size + 3] = 34;
    memcpy(data + size + 4, t->cookie, 16);
    memcpy(data + size + 20, t->stack_cookie, 16);
    inject_data(t, ". 1+128 ack 1", data, sizeof data);
    assert_int_equal(t->verdict, TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    assert_int_equal(script_counters(t).extensions_blanked, 1);
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    wire_put32(data + size - 4, t->stack_timestamp ^ 0x40000000); /* ordinary data */
    inject_data(t, ". 1+128 ack 1", data, sizeof data);
    assert_int_equal(t->verdict, TCPCT_ACCEPTED);
    script_end(t);
}

static void test_extension_is_blanked(void **state)
{
    (void)state;
    blanked(4);
    blanked(8);
    blanked(16);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, script_teardown)
    const struct CMUnitTest tests[] = {
        TEST(path_without_extensions),      TEST(openings_alternate),
        TEST(only_the_first_segment_tells), TEST(the_end_tells),
        TEST(extension_is_swallowed),       TEST(other_acknowledgments),
        TEST(path_without_cookies),         TEST(opening_after_one_without_pair),
        TEST(opening_without_pair),         TEST(opening_without_pair_is_refused),
        TEST(extension_is_blanked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
