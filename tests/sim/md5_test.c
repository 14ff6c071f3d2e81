/* md5_test.c - TCP MD5 signatures (RFC 2385), segment by segment, and what RFC 6013 says of them:
 * no Cookie, but the Cookie-less option (3.3, 8.4). `expect` verifies every signature.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/stream.h"
#include "tests/tcpct/peer.h"

enum { MINUTE = 60 * SECOND };

static const char key[] = "a key of the operator";

#define SYN "S 0 <mss 1460, sackOK, ts 100, md5, cookieless, wscale 7>"

static struct script *listen_signed(unsigned family, const struct tcpct_listen_options *options)
{
    script_use_key(key);
    return script_listen(family, NULL, options);
}

static struct script *connect_signed(unsigned family, const struct tcpct_config *config,
                                     const struct tcpct_connect_options *options)
{
    script_use_key(key);
    return script_connect(family, config, options);
}

static size_t connections(const struct script *t)
{
    return tcpct_connection_count(t->host.stack);
}

/* A Responder's connection; the script has read its first 100 bytes. */
static struct tcpct_connection *opened(struct script *t)
{
    inject_verdict(t, SYN, TCPCT_REPLIED);
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, md5, cookieless, wscale 5>");
    assert_int_equal(connections(t), 0);
    inject_verdict(t, ". 1 ack 1 <ts 101, md5>", TCPCT_ACCEPTED);
    struct tcpct_connection *connection = script_accept(t);
    inject_verdict(t, ". 1+100 ack 1 <ts 101, md5>", TCPCT_ACCEPTED);
    script_receive(connection, 0, 100);
    return connection;
}

/* The same of an Initiator. */
static struct script *connected(const struct tcpct_config *config, const char *syn_ack)
{
    struct script *t = connect_signed(4, config, NULL);
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, md5, cookieless, wscale 5>");
    inject_verdict(t, syn_ack, TCPCT_ACCEPTED);
    expect(t, ". 1 ack 1 <ts ecr 50, md5>");
    return t;
}

/* ---- RFC 2385 ------------------------------------------------------------------------------ */

/* 2.0: "Every segment sent on a TCP connection ... will contain the 16-byte MD5 digest": from the
 * stateless <SYN,ACK> to the last acknowledgment in TIME-WAIT. */
static void every_segment_is_signed(unsigned family)
{
    struct script *t = listen_signed(family, NULL);
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    inject(t, ". 1 ack 1 <ts 101, md5>");
    struct tcpct_connection *connection = script_accept(t);
    struct tcpct_info info;
    tcpct_connection_info(connection, &info);
    assert_true(info.md5);
    assert_false(info.cookies);
    script_send(connection, 0, 200);
    expect(t, ". 1+200 ack 1 <ts ecr 101, md5>");
    script_wait(t, 2 * SECOND);
    expect(t, ". 1+200 ack 1 <ts ecr 101, md5>"); /* a retransmission */
    inject(t, ". 1+10 ack 201 <ts 2101, md5>");
    script_wait(t, 50 * MILLISECOND);
    expect(t, ". 201 ack 11 <ts ecr 2101, md5>"); /* an acknowledgment */
    tcpct_option_set(connection, TCPCT_OPTION_KEEPALIVE, SECOND);
    inject(t, ". 11 ack 201 <ts 2102, md5>");
    script_wait(t, 1500 * MILLISECOND);
    expect(t, ". 200 ack 11 <ts ecr 2102, md5>"); /* a keep-alive */
    script_receive(connection, 0, 10);
    tcpct_close(connection);
    expect(t, "F. 201 ack 11 <ts ecr 2102, md5>");
    inject(t, "F. 11 ack 202 <ts 2103, md5>");
    expect(t, ". 202 ack 12 <ts ecr 2103, md5>");
    inject(t, "F. 11 ack 202 <ts 2104, md5>"); /* TIME-WAIT */
    expect(t, ". 202 ack 12 <ts ecr 2103, md5>");
    script_end(t);
}

static void test_every_segment_is_signed(void **state)
{
    (void)state;
    every_segment_is_signed(4);
    every_segment_is_signed(6);
}

/* 4.1: resets too, so that the peer takes them: of a connection, without one, without a listener. */
static void test_resets_are_signed(void **state)
{
    (void)state;
    struct script *t = listen_signed(4, NULL);
    tcpct_abort(opened(t));
    expect(t, "R. 1 ack 101 <ts ecr 101, md5>");
    inject(t, ". 101 ack 1 <md5>");
    expect(t, "R 1 <md5>");
    t->stack_port++;
    inject(t, ". 101 ack 1 <md5>");
    expect(t, "R 1 <md5>");
    script_end(t);
}

/* 2.0: "A failing comparison must result in the segment being dropped and must not produce any
 * response back to the sender." RFC 6013, 8.4: "Segments lacking this option will be silently
 * discarded." In every state. */
static void refused(struct script *t, const char *const *texts, unsigned count)
{
    uint64_t before = script_counters(t).verdicts[TCPCT_BAD_SIGNATURE];
    for (unsigned i = 0; i < count; i++) {
        inject_verdict(t, texts[i], TCPCT_BAD_SIGNATURE);
        expect_nothing(t);
    }
    assert_int_equal(script_counters(t).verdicts[TCPCT_BAD_SIGNATURE], before + count);
}
#define REFUSED(t, ...)                                      \
    do {                                                     \
        const char *const texts[] = { __VA_ARGS__ };         \
        refused(t, texts, sizeof(texts) / sizeof(texts[0])); \
    } while (0)

static void test_wrong_signatures_are_dropped(void **state)
{
    (void)state;
    struct script *t = listen_signed(4, NULL);
    REFUSED(t, "S 0 <mss 1460, ts 100, cookie>", "S 0 <mss 1460, ts 100>", "S 0",
            "S 0 <mss 1460, sackOK, ts 100, badmd5, cookieless, wscale 7>", "R 0", "F. 5 ack 5",
            ". 1 ack 1 <tsx 101, pair, mss 1460>");
    struct tcpct_connection *connection = opened(t);
    script_wait(t, 50 * MILLISECOND);
    expect(t, ". 1 ack 101 <ts ecr 101, md5>");
    REFUSED(t, ". 101+10 ack 1 <ts 102>", ". 101+10 ack 1 <ts 102, badmd5>", "R 101",
            "R. 101 ack 1", "R 101 <badmd5>", "F. 101 ack 1 <ts 102>", "S 101 <mss 1460>",
            ". 5000 ack 1 <ts 102>", "S 0 <mss 1460, ts 200, cookie>",
            ". 101+10 ack 1 <tsx 102, pair>");
    assert_int_equal(script_state(connection), TCPCT_ESTABLISHED);
    inject_verdict(t, "R 101 <md5>", TCPCT_ACCEPTED);
    assert_int_equal(tcpct_connection_error(connection), TCPCT_ERROR_RESET);
    script_end(t);
}

static void test_wrong_answers_are_dropped(void **state)
{
    (void)state;
    struct script *t = connect_signed(4, NULL, NULL);
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, md5, cookieless, wscale 5>");
    REFUSED(t, "S. 0 ack 1 <mss 1460, ts 50>", "S. 0 ack 1 <mss 1460, ts 50, badmd5>", "R. 0 ack 1",
            "R. 0 ack 1 <badmd5>", "S 0 <mss 1460>", ". 0 ack 77");
    assert_int_equal(script_state(t->connection), TCPCT_SYN_SENT);
    inject_verdict(t, "R. 0 ack 1 <md5>", TCPCT_ACCEPTED); /* this one knows the key */
    assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_REFUSED);
    script_end(t);
}

/* 2.0: "the absence of the option in the SYN,ACK segment must not cause the sender to disable its
 * sending of signatures". */
static void test_signatures_go_on(void **state)
{
    (void)state;
    struct script *t = connect_signed(4, NULL, NULL);
    for (unsigned i = 0; i < 3; i++) {
        expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, md5, cookieless, wscale 5>");
        inject_verdict(t, "S. 0 ack 1 <mss 1460>", TCPCT_BAD_SIGNATURE);
        script_wait(t, (1ull << i) * SECOND);
    }
    script_end(t);
}

/* 1.0: the key may change "during the lifetime of a particular connection"; and what it cannot be. */
static void test_keys(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    struct tcpct_stack *stack = t->host.stack;
    struct tcpct_address any = { 0 }, multicast = { 4, { 224, 0, 0, 1 } };
    uint8_t long_key[TCPCT_MD5_KEY_MAX + 1] = { 0 };
    assert_int_equal(tcpct_md5_key_set(stack, &t->peer_address, key, 0), TCPCT_ERROR_INVALID);
    assert_int_equal(tcpct_md5_key_set(stack, &any, key, 5), TCPCT_ERROR_INVALID);
    assert_int_equal(tcpct_md5_key_set(stack, &multicast, key, 5), TCPCT_ERROR_INVALID);
    assert_int_equal(tcpct_md5_key_set(stack, &t->peer_address, long_key, sizeof(long_key)),
                     TCPCT_ERROR_INVALID);
    inject(t, "S 0 <mss 1460>");
    expect(t, "S. 0 ack 1");
    inject(t, ". 1 ack 1");
    assert_int_equal(tcpct_md5_key_set(stack, &t->peer_address, key, 5), TCPCT_ERROR_IN_USE);
    struct tcpct_address peer = t->peer_address;
    for (unsigned i = 0; i < 64; i++) {
        peer.bytes[2] = (uint8_t)(i + 1);
        assert_int_equal(tcpct_md5_key_set(stack, &peer, long_key, sizeof(long_key) - 1), TCPCT_OK);
    }
    peer.bytes[2] = 100;
    assert_int_equal(tcpct_md5_key_set(stack, &peer, key, 5), TCPCT_ERROR_MEMORY);
    inject_verdict(t, ". 1+10 ack 1", TCPCT_ACCEPTED); /* this peer still has none */
    script_end(t);

    t = listen_signed(4, NULL);
    struct tcpct_connection *connection = opened(t);
    stack = t->host.stack;
    expect(t, ". 1 ack 101 <ts ecr 101, md5>");
    assert_int_equal(tcpct_md5_key_set(stack, &t->peer_address, "new", 3), TCPCT_OK);
    inject_verdict(t, ". 101+10 ack 1 <ts 102, md5>", TCPCT_BAD_SIGNATURE);
    md5sig_set(t->md5sig, &t->peer_address, "new", 3);
    inject_verdict(t, ". 101+10 ack 1 <ts 102, md5>", TCPCT_ACCEPTED);
    script_receive(connection, 100, 10);
    script_wait(t, 50 * MILLISECOND);
    expect(t, ". 1 ack 111 <ts ecr 102, md5>");
    script_end(t);
}

static void test_no_memory_for_keys(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    t->host.memory.fail_after = 0;
    assert_int_equal(tcpct_md5_key_set(t->host.stack, &t->peer_address, key, 5),
                     TCPCT_ERROR_MEMORY);
    t->host.memory.fail_after = UINT64_MAX;
    inject_verdict(t, "S 0 <mss 1460>", TCPCT_REPLIED);
    script_end(t);
}

/* A listener's queue, for applications that speak first, and a simultaneous open. */
static void test_half_made(void **state)
{
    (void)state;
    struct tcpct_listen_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                            .syn_queue = 4 };
    struct script *t = listen_signed(4, &options);
    inject_verdict(t, SYN, TCPCT_ACCEPTED);
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, md5, cookieless, wscale 5>");
    script_wait(t, 1100 * MILLISECOND);
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, md5, cookieless, wscale 5>");
    inject_verdict(t, "R 1 <ts 101>", TCPCT_BAD_SIGNATURE);
    inject_verdict(t, ". 1 ack 1 <ts 101, md5>", TCPCT_ACCEPTED);
    script_send(script_accept(t), 0, 10);
    expect(t, ". 1+10 ack 1 <ts ecr 101, md5>");
    script_end(t);

    t = connect_signed(4, NULL, NULL);
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, md5, cookieless, wscale 5>");
    inject_verdict(t, "S 0 <mss 1460, ts 50, md5>", TCPCT_ACCEPTED);
    expect(t, "S. 0 ack 1 <mss 1460, ts ecr 50, md5>");
    inject_verdict(t, "S. 0 ack 1 <mss 1460, ts 51, md5>", TCPCT_ACCEPTED);
    assert_int_equal(script_state(t->connection), TCPCT_ESTABLISHED);
    script_end(t);
}

/* Linux sends no Timestamps where it signs: then there is room for two SACK blocks. */
static void test_sack_blocks_without_timestamps(void **state)
{
    (void)state;
    struct script *t = connect_signed(4, NULL, NULL);
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, md5, cookieless, wscale 5>");
    inject(t, "S. 0 ack 1 <mss 1460, sackOK, md5, wscale 7>");
    expect(t, ". 1 ack 1 <md5>");
    inject(t, ". 101+10 ack 1 <md5>");
    expect(t, ". 1 ack 1 <md5, sack 101-111>");
    inject(t, ". 201+10 ack 1 <md5>");
    expect(t, ". 1 ack 1 <md5, sack 201-211 101-111>");
    inject(t, ". 301+10 ack 1 <md5>");
    expect(t, ". 1 ack 1 <md5, sack 301-311 201-211>");
    script_end(t);
}

/* 4.2: each segment has a digest of its own, so none leaves in one buffer with others. */
static void test_no_offload(void **state)
{
    (void)state;
    const struct tcpct_config config = { .offload_size_max = TCPCT_PACKET_SIZE };
    struct script *t = connected(&config, "S. 0 ack 1 <mss 1460, sackOK, ts 50, md5, wscale 7>");
    script_send(t->connection, 0, 3 * 1428);
    for (unsigned i = 0; i < 3; i++) {
        char text[64];
        snprintf(text, sizeof(text), ". %u+1428 ack 1 <ts ecr 50, md5>", 1 + i * 1428);
        expect(t, text);
    }
    script_end(t);
}

/* ---- RFC 6013, 3.3 and 8.4 ----------------------------------------------------------------- */

/* "Regardless of the system default, the Cookie option MUST NOT be sent": Cookie-less goes instead,
 * unless the application wants none of all this. */
static void test_no_cookie_is_sent(void **state)
{
    (void)state;
    struct script *t = connect_signed(6, NULL, NULL);
    expect(t, "S 0 <mss 1440, sackOK, ts ecr 0, md5, cookieless, wscale 5>");
    script_end(t);
    static const struct tcpct_parameters plain[] = {
        { .cookie_desired = 0 },
        { .cookie_desired = 16, .out_never = true },
    };
    for (unsigned i = 0; i < 2; i++) {
        t = connect_signed(4, NULL, &(struct tcpct_connect_options){ .parameters = plain[i] });
        expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, md5, wscale 5>");
        script_end(t);
        t = listen_signed(4, &(struct tcpct_listen_options){ .parameters = plain[i] });
        inject(t, SYN);
        expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, md5, wscale 5>");
        script_end(t);
    }
}

/* ... for which a <SYN> that is not answered may be to blame, as any option (2.2). */
static void test_cookie_less_is_given_up(void **state)
{
    (void)state;
    struct script *t = connect_signed(4, NULL, NULL);
    for (unsigned i = 0; i < 4; i++) {
        expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, md5, cookieless, wscale 5>");
        script_wait(t, (1ull << i) * SECOND);
    }
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, md5, wscale 5>");
    script_end(t);
}

/* "... and MUST be ignored on receipt": neither a Cookie nor a pair comes of it. */
static void test_cookie_is_ignored(void **state)
{
    (void)state;
    struct script *t = listen_signed(4, NULL);
    t->cookie_size = 8;
    inject_verdict(t, "S 0 <mss 1460, cookie, md5>", TCPCT_REPLIED);
    expect(t, "S. 0 ack 1 <mss 1460, md5>");
    script_end(t);
    t = connect_signed(4, NULL, NULL);
    t->cookie_size = 8;
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, md5, cookieless, wscale 5>");
    inject_verdict(t, "S. 0 ack 1 <mss 1460, cookie, md5>", TCPCT_ACCEPTED);
    expect(t, ". 1 ack 1 <md5>");
    script_end(t);
}

/* Neither data nor a request for Fast Open goes with a signed <SYN>. */
static void test_request_waits(void **state)
{
    (void)state;
    struct tcpct_connect_options options = { .parameters = { .cookie_desired = 16,
                                                             .syn_data_limit = 496 },
                                             .request = (const uint8_t *)key,
                                             .request_size = sizeof(key) };
    struct script *t = connect_signed(4, NULL, &options);
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, md5, cookieless, wscale 5>");
    inject(t, "S. 0 ack 1 <mss 1460, ts 50, md5, cookieless>");
    expect_data(t, ". 1 ack 1 <ts ecr 50, md5>", key, sizeof(key));
    script_end(t);
    options.fast_open = true;
    options.parameters.cookie_desired = 0;
    t = connect_signed(4, NULL, &options);
    expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, md5, wscale 5>");
    script_end(t);
    t = listen_signed(4, &(struct tcpct_listen_options){ .fast_open_queue = 4 });
    inject(t, "S 0 <mss 1460, tfo, md5>");
    expect(t, "S. 0 ack 1 <mss 1460, md5>");
    script_end(t);
}

/* An ICMP message, which anybody can forge, says nothing of a signed connection's peer. */
static void test_icmp_refuses_nothing(void **state)
{
    (void)state;
    struct script *t = connect_signed(4, NULL, NULL);
    expect(t, "S 0");
    peer_icmp(t, 3, 3, 0, 0); /* port unreachable */
    assert_int_equal(script_state(t->connection), TCPCT_SYN_SENT);
    script_end(t);
}

/* Cookie-less is answered only if it was asked for, and with Timestamps, without which there is no
 * header extension. */
static void test_cookie_less_is_answered(void **state)
{
    (void)state;
    struct script *t = listen_signed(4, NULL);
    inject(t, "S 0 <mss 1460, sackOK, ts 100, md5, wscale 7>");
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, md5, wscale 5>");
    inject(t, "S 0 <mss 1460, sackOK, md5, cookieless, wscale 7>");
    expect(t, "S. 0 ack 1 <mss 1460, md5>");
    script_end(t);
    t = script_listen(4, NULL, NULL); /* meaningless without signatures */
    inject(t, "S 0 <mss 1460, sackOK, ts 100, cookieless, wscale 7>");
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, wscale 5>");
    script_end(t);
    t = script_listen(
        4, NULL,
        &(struct tcpct_listen_options){ .parameters = TCPCT_PARAMETERS_DEFAULT, .syn_queue = 4 });
    inject(t, "S 0 <mss 1460, sackOK, ts 100, cookieless, wscale 7>");
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, wscale 5>");
    script_end(t);
}

/* 8: "A successful Cookie (or Cookie-less) option exchange signals availability of the TCP header
 * extension. Other options with large data portions MAY also use this feature": SACK, beside a
 * signature, does when it has more than one block. */
static void three_gaps(struct script *t, const char *second, const char *third)
{
    inject(t, ". 201+10 ack 1 <ts 60, md5>");
    expect(t, ". 1 ack 1 <ts, md5, sack 201-211>");
    inject(t, ". 301+10 ack 1 <ts 61, md5>");
    expect(t, second);
    inject(t, ". 401+10 ack 1 <ts 62, md5>");
    expect(t, third);
    inject(t, ". 1+400 ack 1 <ts 63, md5>"); /* 8.2: no extension is needed any more */
    expect(t, ". 1 ack 411 <ts ecr 63, md5>");
}

static void test_sack_goes_into_the_extension(void **state)
{
    (void)state;
    struct script *t =
        connected(NULL, "S. 0 ack 1 <mss 1460, sackOK, ts 50, md5, cookieless, wscale 7>");
    three_gaps(t, ". 1 ack 1 <tsx, md5, sack 301-311 201-211>",
               ". 1 ack 1 <tsx, md5, sack 401-411 301-311 201-211>");
    script_end(t);
    t = connected(NULL, "S. 0 ack 1 <mss 1460, sackOK, ts 50, md5, wscale 7>");
    three_gaps(t, ". 1 ack 1 <ts, md5, sack 301-311>", ". 1 ack 1 <ts, md5, sack 401-411>");
    script_end(t);
}

/* The Responder, which kept nothing of the <SYN>, learns of it from the first extension. */
static void test_responder_learns_of_extension(void **state)
{
    (void)state;
    struct script *t = listen_signed(4, NULL);
    struct tcpct_connection *connection = opened(t);
    script_wait(t, 50 * MILLISECOND);
    expect(t, ". 1 ack 101 <ts ecr 101, md5>");
    inject(t, ". 201+10 ack 1 <ts 102, md5>");
    expect(t, ". 1 ack 101 <ts, md5, sack 201-211>");
    inject(t, ". 301+10 ack 1 <ts 103, md5>");
    expect(t, ". 1 ack 101 <ts, md5, sack 301-311>");
    script_send(connection, 0, 3000);
    expect(t, ". 1+1420 ack 101 <ts, md5, sack 301-311>");
    expect(t, ". 1421+1420 ack 101 <ts, md5, sack 301-311>");
    inject_verdict(t, ". 101 ack 1 <tsx 104, md5, sack 1421-2841>", TCPCT_ACCEPTED);
    script_wait(t, 200 * MILLISECOND);
    expect(t, ". 1+1400 ack 101 <tsx, md5, sack 301-311 201-211>");
    script_end(t);
}

/* ---- two of our stacks --------------------------------------------------------------------- */

enum { SIZE = 1 << 20 };

static void plan(struct stream *stream, const struct tcpct_info *info)
{
    assert_true(info->md5);
    assert_false(info->cookies);
    stream->to_send = stream->to_get = SIZE;
}

/* Nothing leaves without a signature, and segments with an extension are seen. */
static unsigned extensions;
static void look(void *context, struct sim_packet *packet)
{
    (void)context;
    assert_true(packet->segment->options.present & OPTION_MD5);
    extensions += packet->segment->extension_size > 0;
}

static void transfer(unsigned family, uint64_t seed)
{
    const struct link_path path = { .rate = 50000000, .delay_us = 10000, .loss = 0.05 };
    const struct tcpct_config stack = { .offload_size_max = TCPCT_PACKET_SIZE };
    struct sim *sim = sim_begin(&(struct sim_config){
        .seed = seed, .up = { path }, .down = { path }, .stacks = { stack, stack } });
    for (unsigned i = 0; i < 2; i++) {
        const struct sim_host *peer = &sim->hosts[1 - i];
        assert_int_equal(tcpct_md5_key_set(sim->hosts[i].stack,
                                           family == 4 ? &peer->ipv4 : &peer->ipv6, key,
                                           sizeof(key)),
                         TCPCT_OK);
    }
    struct stream accepted, stream = { .to_send = SIZE, .to_get = SIZE };
    struct stream_server server = { .plan = plan, .streams = &accepted, .max = 1 };
    sim->filter = look;
    stream_listen(&sim->hosts[1], &server, NULL);
    stream_connect(&stream, &sim->hosts[0], &sim->hosts[1], family, NULL);
    assert_true(sim_until(sim, stream_done, &stream, 2 * (uint64_t)MINUTE));
    assert_true(sim_until(sim, stream_done, &accepted, MINUTE));
    stream_check(&stream);
    stream_check(&accepted);
    for (unsigned i = 0; i < 2; i++) {
        struct tcpct_counters counters;
        tcpct_counters(sim->hosts[i].stack, &counters);
        assert_int_equal(counters.verdicts[TCPCT_BAD_SIGNATURE], 0);
    }
    sim_end(sim);
}

static void test_signed_transfers(void **state)
{
    (void)state;
    extensions = 0;
    for (uint64_t seed = 1; seed <= 6; seed++)
        transfer(seed % 2 ? 4 : 6, seed);
    assert_true(extensions > 0);
}

static int teardown(void **state)
{
    script_use_key(NULL);
    script_teardown(state);
    return sim_teardown(state);
}

#undef TEST
#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_segment_is_signed),
        TEST(test_resets_are_signed),
        TEST(test_wrong_signatures_are_dropped),
        TEST(test_wrong_answers_are_dropped),
        TEST(test_signatures_go_on),
        TEST(test_keys),
        TEST(test_no_memory_for_keys),
        TEST(test_half_made),
        TEST(test_sack_blocks_without_timestamps),
        TEST(test_no_offload),
        TEST(test_no_cookie_is_sent),
        TEST(test_cookie_less_is_given_up),
        TEST(test_cookie_is_ignored),
        TEST(test_request_waits),
        TEST(test_icmp_refuses_nothing),
        TEST(test_cookie_less_is_answered),
        TEST(test_sack_goes_into_the_extension),
        TEST(test_responder_learns_of_extension),
        TEST(test_signed_transfers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
