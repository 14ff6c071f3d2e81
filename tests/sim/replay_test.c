/* replay_test.c - Cookie-Pairs that were valid once, or almost are: replayed beside a later
 * connection, from elsewhere, to another secret; altered bit by bit, cut; and a million forged ones
 * (RFC 6013, 3.5, 4.4, 7, 13).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/checksum.h"
#include "tcpct/tcb.h"
#include "tcpct/wire.h"
#include "tests/tcpct/peer.h"

#define SYN "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>"
#define OPENING ". 1 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>"

/* What an Initiator knows after the exchange. */
struct exchange {
    uint32_t irs, timestamp;
    uint8_t cookie[COOKIE_SIZE_MAX], stack_cookie[COOKIE_SIZE_MAX];
};

static void exchange(struct script *t)
{
    inject_verdict(t, SYN, TCPCT_REPLIED);
    expect(t, "S. 0 ack 1");
}

static struct exchange remember(const struct script *t)
{
    struct exchange kept = { .irs = t->irs, .timestamp = t->stack_timestamp };
    memcpy(kept.cookie, t->cookie, COOKIE_SIZE_MAX);
    memcpy(kept.stack_cookie, t->stack_cookie, COOKIE_SIZE_MAX);
    return kept;
}

static void recall(struct script *t, const struct exchange *kept)
{
    t->irs = kept->irs;
    t->stack_timestamp = kept->timestamp;
    memcpy(t->cookie, kept->cookie, COOKIE_SIZE_MAX);
    memcpy(t->stack_cookie, kept->stack_cookie, COOKIE_SIZE_MAX);
}

/* ---- replayed ------------------------------------------------------------------------------- */

static const char *const replays[] = {
    OPENING,
    ". 1+100 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>",
    ". 1+100 ack 1 <tsx 90000, pair, mss 1460, sackOK, wscale 7>", /* a newer TS Value */
    "F. 1+100 ack 1 <tsx 90000, pair, mss 1460>",
    "F. 1 ack 1 <tsx 90000, pair>",
    "F. 101 ack 1 <tsx 90000, pair>",
    "R 1 <tsx 90000, pair>",
    "R. 1 ack 1 <tsx 90000, pair>",
    "S 0 <mss 1460, sackOK, tsx 90000, pair>",
    "S. 0 ack 1 <mss 1460, tsx 90000, pair>",
};
enum { REPLAYS = sizeof(replays) / sizeof(replays[0]) };

/* The pair of an earlier connection between the same ports does nothing to a later one, with
 * cookies or without, while its secret lives. */
static void beside_a_later_connection(const char *syn, const char *opening, const char *data,
                                      uint32_t offset)
{
    struct script *t = script_listen(4, NULL, NULL);
    exchange(t);
    const struct exchange old = remember(t);
    inject_verdict(t, OPENING, TCPCT_ACCEPTED);
    tcpct_abort(script_accept(t));
    script_wait(t, SECOND);
    peer_skip(t);
    t->cookie[3] ^= 1; /* new for each exchange */

    inject_verdict(t, syn, TCPCT_REPLIED);
    expect(t, "S. 0");
    const struct exchange new = remember(t);
    inject_verdict(t, opening, TCPCT_ACCEPTED);
    t->connection = script_accept(t);
    const uint32_t rcv_nxt = t->connection->rcv_nxt;
    recall(t, &old);
    for (unsigned i = 0; i < REPLAYS; i++) {
        peer_skip(t);
        inject(t, replays[i]);
        assert_int_not_equal(t->verdict, TCPCT_ACCEPTED);
        assert_true(peer_skip(t) <= 1);
        assert_int_equal(t->connection->state, TCPCT_ESTABLISHED);
        assert_int_equal(t->connection->rcv_nxt, rcv_nxt);
        assert_int_equal(t->connection->snd_una, new.irs + 1);
    }
    assert_int_equal(script_counters(t).connections_failed, 0);
    recall(t, &new);
    inject_verdict(t, data, TCPCT_ACCEPTED);
    script_receive(t->connection, offset, 50);
    script_end(t);
}

static void test_old_pair(void **state)
{
    (void)state;
    beside_a_later_connection(SYN, OPENING, ". 1+50 ack 1 <ts 102>", 0);
    beside_a_later_connection("S 7000 <mss 1460, sackOK, ts 5000, wscale 7>",
                              ". 7001 ack 1 <ts 5001>", ". 7001+50 ack 1 <ts 5002>", 7000);
    beside_a_later_connection("S 7000 <mss 1460>", ". 7001 ack 1", ". 7001+50 ack 1", 7000);
}

/* 4.1, 4.4, 5: a new exchange may begin at any time, and affects the TCB only when it is through:
 * of two exchanges, the later opening is the connection. */
static void test_new_exchange(void **state)
{
    (void)state;
    static const enum tcpct_state states[] = { TCPCT_ESTABLISHED, TCPCT_FIN_WAIT_1,
                                               TCPCT_CLOSE_WAIT, TCPCT_LAST_ACK };
    for (unsigned i = 0; i < 4; i++) {
        static struct tcpct_connection before;
        struct script *t = script_listen(4, NULL, NULL);
        exchange(t);
        inject_verdict(t, OPENING, TCPCT_ACCEPTED);
        t->connection = script_accept(t);
        if (states[i] == TCPCT_CLOSE_WAIT || states[i] == TCPCT_LAST_ACK)
            inject(t, "F. 1 ack 1 <tsx 102, pair>");
        if (states[i] == TCPCT_FIN_WAIT_1 || states[i] == TCPCT_LAST_ACK)
            tcpct_shutdown(t->connection);
        script_wait(t, 100 * MILLISECOND);
        peer_skip(t);
        assert_int_equal(t->connection->state, states[i]);
        before = *t->connection;
        inject_verdict(t, "S 7000 <mss 1460, ts 200, cookie>", TCPCT_REPLIED);
        assert_memory_equal(&before, t->connection, sizeof(before));
        expect(t, "S. 0 ack 7001 <mss 1460, ts ecr 200, cookie>");
        inject_verdict(t, ". 7001+10 ack 1 <tsx 201, pair, mss 1460>", TCPCT_ACCEPTED);
        assert_int_equal(tcpct_connection_error(t->connection), TCPCT_ERROR_RESET);
        struct tcpct_connection *second = script_accept(t);
        assert_int_equal(second->state, TCPCT_ESTABLISHED);
        assert_int_equal(second->rcv_nxt, t->iss + 7011);
        script_end(t);
    }
}

/* Two exchanges within one step of the Responder's rounded timestamps: the echo does not tell which
 * is the later, but the Initiator's TS Value, which 4.1 increments. */
static void test_exchanges_at_once(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    exchange(t);
    const struct exchange old = remember(t);
    t->cookie[3] ^= 1;
    inject_verdict(t, "S 0 <mss 1460, sackOK, ts 200, wscale 7, cookie>", TCPCT_REPLIED);
    expect(t, "S. 0 ack 1");
    const struct exchange new = remember(t);
    assert_int_equal(new.timestamp, old.timestamp);
    inject_verdict(t, ". 1+10 ack 1 <tsx 201, pair, mss 1460, sackOK, wscale 7>", TCPCT_ACCEPTED);
    t->connection = script_accept(t);
    recall(t, &old);
    inject_verdict(t, ". 1+10 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>", TCPCT_BAD_COOKIE);
    assert_int_equal(t->connection->state, TCPCT_ESTABLISHED);
    recall(t, &new);
    inject_verdict(t, ". 11+10 ack 1 <ts 202>", TCPCT_ACCEPTED);
    script_end(t);
}

/* 3.5: from another address, port or family, or to another: it depends on the parties. To a stack
 * with other secrets, as after a restart: it depends on the secret. */
static void test_elsewhere(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    assert_int_equal(
        tcpct_address_add(t->host.stack, &(struct tcpct_address){ 4, { 10, 0, 0, 3 } }), TCPCT_OK);
    exchange(t);
    for (unsigned bit = 0; bit < 48; bit++) {
        struct tcpct_address *address = &t->peer_address;
        const struct tcpct_address kept = *address;
        const uint16_t port = t->peer_port;
        if (bit < 32)
            address->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        else
            t->peer_port ^= (uint16_t)(1 << (bit - 32));
        inject(t, OPENING);
        assert_true(t->verdict == TCPCT_BAD_COOKIE || t->verdict == TCPCT_MALFORMED);
        *address = kept;
        t->peer_port = port;
    }
    t->stack_address.bytes[3] = 3;
    inject_verdict(t, OPENING, TCPCT_BAD_COOKIE);
    assert_int_equal(peer_skip(t), 0);
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    const struct exchange old = remember(t);
    script_end(t);
    t = script_listen(4, NULL, NULL);
    script_wait(t, 200ull * SECOND); /* beyond the first secret, which the seed makes the same */
    exchange(t);
    recall(t, &old);
    inject_verdict(t, OPENING, TCPCT_BAD_COOKIE);
    assert_int_equal(peer_skip(t), 0);
    script_end(t);
}

/* ---- altered -------------------------------------------------------------------------------- */

static uint8_t packet_bytes[256];

/* The peer's <SYN> or opening, as inject would send it. */
static struct tcpct_packet encode(const struct script *t, bool syn, uint32_t data_size)
{
    static const uint8_t data[64] = "a request";
    struct segment segment = {
        .source = t->peer_address,
        .destination = t->stack_address,
        .source_port = t->peer_port,
        .destination_port = t->stack_port,
        .seq = t->iss + !syn,
        .ack = syn ? 0 : t->irs + 1,
        .flags = syn ? SEGMENT_SYN : SEGMENT_ACK,
        .hop_limit = 64,
        .window = UINT16_MAX,
        .data = data,
        .data_size = data_size,
        .options = { .present = OPTION_MSS | OPTION_SACK_PERMITTED | OPTION_WINDOW_SCALE,
                     .mss = 1460,
                     .window_scale = 7,
                     .timestamp_size = 4,
                     .timestamp_value = 101,
                     .timestamp_echo = syn ? 0 : t->stack_timestamp,
                     .cookie_size = COOKIE_SIZE_MAX },
    };
    struct tcp_options *options = &segment.options;
    options->present |=
        syn ? OPTION_TIMESTAMPS | OPTION_COOKIE : OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR;
    memcpy(options->initiator_cookie, t->cookie, COOKIE_SIZE_MAX);
    memcpy(options->responder_cookie, t->stack_cookie, COOKIE_SIZE_MAX);
    struct tcpct_packet packet = { .data = packet_bytes, .size = sizeof(packet_bytes) };
    assert_true(segment_encode(&segment, &packet, false));
    packet.partial_checksum = true; /* the attacker's are right */
    return packet;
}

/* Hands it in, with the right checksum of an IPv4 header. Nothing may remain, and there is at most
 * one reply of at most three times the size. */
static enum tcpct_verdict altered(struct script *t, const struct tcpct_packet *from, size_t length,
                                  size_t flip, bool fix_length)
{
    uint8_t bytes[sizeof(packet_bytes)], room[TCPCT_REPLY_SIZE];
    struct tcpct_packet reply = { .data = room, .size = sizeof(room) };
    struct tcpct_packet packet = *from;
    bool v4 = t->stack_address.family == 4;
    memcpy(bytes, from->data, from->length);
    packet.data = bytes;
    packet.length = length;
    if (flip / 8 < from->length)
        bytes[flip / 8] ^= (uint8_t)(1 << flip % 8);
    if (fix_length)
        wire_put16(bytes + (v4 ? 2 : 4), (uint16_t)(v4 ? length : length - 40));
    if (v4 && flip / 8 != 10 && flip / 8 != 11) {
        wire_put16(bytes + 10, 0);
        wire_put16(bytes + 10, (uint16_t)~checksum_fold(checksum_add(0, bytes, 20)));
    }
    enum tcpct_verdict verdict = tcpct_input(t->host.stack, &packet, &reply, t->now_us);
    assert_true(reply.length <= 3 * length);
    return verdict;
}

/* If it made a connection, then one that the right opening would have made, or, where the pair is
 * not seen as such any more, a plain one with the right numbers. Ends it. */
static void check_made(struct script *t, enum tcpct_verdict verdict)
{
    struct tcpct_connection *c = tcpct_accept(t->listener);
    assert_int_equal(c != NULL, verdict == TCPCT_ACCEPTED);
    if (!c)
        return;
    assert_true(ip_address_equal(&c->endpoints.remote, &t->peer_address));
    assert_true(ip_address_equal(&c->endpoints.local, &t->stack_address));
    assert_int_equal(c->endpoints.remote_port, t->peer_port);
    assert_int_equal(c->irs, t->iss);
    assert_in_range(c->iss - t->irs + 8, 0, 16); /* the MSS is in its low bits */
    assert_true(c->pair.size == 0 || c->iss == t->irs);
    assert_true(c->pair.size == 0 || c->pair.size == COOKIE_SIZE_MAX);
    assert_memory_equal(c->pair.initiator, t->cookie, c->pair.size);
    assert_memory_equal(c->pair.responder, t->stack_cookie, c->pair.size);
    tcpct_abort(c);
    peer_skip(t);
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
}

static void alter(unsigned family, bool syn, uint32_t data_size)
{
    struct script *t = script_listen(family, NULL, NULL);
    exchange(t);
    const struct tcpct_packet packet = encode(t, syn, data_size);
    size_t bits = 8 * packet.length;
    enum tcpct_verdict whole = altered(t, &packet, packet.length, bits, true);
    assert_int_equal(whole, syn ? TCPCT_REPLIED : TCPCT_ACCEPTED);
    check_made(t, whole);
    size_t blocks = t->host.memory.blocks;
    unsigned made = 0;
    for (size_t bit = 0; bit < bits; bit++) {
        enum tcpct_verdict verdict = altered(t, &packet, packet.length, bit, false);
        check_made(t, verdict);
        made += verdict == TCPCT_ACCEPTED;
    }
    assert_true(made < bits / 2); /* the pair and the numbers are more than half of it */
    for (size_t length = 0; length < packet.length; length++) {
        check_made(t, altered(t, &packet, length, bits, false));
        if (length >= (family == 4 ? 20 : 40))
            check_made(t, altered(t, &packet, length, bits, true));
    }
    assert_int_equal(t->host.memory.blocks, blocks);
    script_end(t);
}

static void test_altered_opening(void **state)
{
    (void)state;
    alter(4, false, 0);
    alter(6, false, 0);
    alter(6, false, 20);
}

static void test_altered_syn(void **state)
{
    (void)state;
    alter(4, true, 0);
    alter(6, true, 0);
    alter(4, true, 20);
}

/* ---- forged --------------------------------------------------------------------------------- */

enum { MILLION = 1000000 };

/* 13, 3.5.2: a million <ACK(SYN)> from anywhere with any cookie: none is answered, none takes
 * memory, however short. */
static void test_million_forged_openings(void **state)
{
    (void)state;
    struct script *t = script_listen(6, NULL, NULL);
    struct generator generator = { 13 };
    exchange(t);
    const struct tcpct_packet packet = encode(t, false, 20);
    uint8_t room[TCPCT_REPLY_SIZE];
    uint64_t allocations = t->host.memory.allocations;
    for (unsigned i = 0; i < MILLION; i++) {
        struct tcpct_packet reply = { .data = room, .size = sizeof(room) };
        uint64_t chance = generate(&generator);
        memcpy(packet.data + 16, &chance, 8);                       /* the address */
        wire_put16(packet.data + 40, (uint16_t)(1024 + i % 60000)); /* the port */
        chance = generate(&generator);
        memcpy(packet.data + packet.length - 40, &chance, 8); /* in the pair */
        assert_int_equal(tcpct_input(t->host.stack, &packet, &reply, t->now_us), TCPCT_BAD_COOKIE);
        assert_int_equal(reply.length, 0);
    }
    assert_int_equal(t->host.memory.allocations, allocations);
    assert_int_equal(tcpct_connection_count(t->host.stack), 0);
    assert_int_equal(script_counters(t).verdicts[TCPCT_BAD_COOKIE], MILLION);
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(old_pair),        TEST(new_exchange), TEST(exchanges_at_once),       TEST(elsewhere),
        TEST(altered_opening), TEST(altered_syn),  TEST(million_forged_openings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
