/* attack_test.c - what an attacker off the path can do to a connection: he knows addresses and
 * ports, and guesses numbers, timestamps and cookies around the edges of the windows (RFC 6013, 5,
 * 7, 13; RFC 5961; RFC 5927). In every state, on both sides, with cookies and without: nothing of
 * the TCB changes, nothing is delivered, and what is answered is bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/seq.h"
#include "tcpct/tcb.h"
#include "tests/tcpct/peer.h"

/* ---- connections in every state ------------------------------------------------------------- */

enum flavour { BARE, DATED, PAIRED, FLAVOURS }; /* plain, plain with timestamps, cookies */
static const char *const flavour_names[] = { "plain", "timestamps", "cookies" };

enum place {
    IN_SYN_SENT,
    IN_SYN_RECEIVED,
    IN_OPENING,       /* the <ACK(SYN)> is not yet answered */
    IN_PLAIN_OPENING, /* ... and was tried without the pair */
    IN_ESTABLISHED,
    IN_SENDING, /* with data in flight */
    IN_FIN_WAIT_1,
    IN_FIN_WAIT_2,
    IN_CLOSING,
    IN_CLOSE_WAIT,
    IN_LAST_ACK,
    IN_TIME_WAIT,
    PLACES
};

struct target {
    enum flavour flavour;
    bool initiates; /* the stack does */
    enum place place;
    unsigned family;
};

enum { UNREAD = 100, PEER_NEXT = 1 + UNREAD };

/* A segment of the peer, with the options that it must have. */
static void say(struct script *t, enum flavour flavour, const char *text)
{
    static const char *const options[] = { "", " <ts 200>", " <tsx 200, pair>" };
    char line[128];
    snprintf(line, sizeof(line), "%s%s", text, options[flavour]);
    inject(t, line);
}

static struct script *begin_connecting(const struct target *target)
{
    static const char *const answers[] = {
        "S. 0 ack 1 <mss 1460, sackOK>",
        "S. 0 ack 1 <mss 1460, sackOK, ts 100, wscale 7>",
        "S. 0 ack 1 <mss 1460, sackOK, ts 100, wscale 7, cookie>",
    };
    enum flavour flavour = target->flavour;
    struct script *t = script_connect(
        target->family, NULL,
        &(struct tcpct_connect_options){ .parameters.cookie_desired = flavour == PAIRED ? 16 : 0 });
    expect(t, "S 0");
    if (target->place == IN_SYN_RECEIVED) {
        inject(t, flavour == DATED ? "S 0 <mss 1460, ts 100>" : "S 0 <mss 1460>");
        expect(t, "S. 0 ack 1");
    } else if (target->place != IN_SYN_SENT) {
        inject(t, answers[flavour]);
        expect(t, ". 1 ack 1");
    }
    while (target->place == IN_PLAIN_OPENING && !t->connection->opened_plainly)
        script_wait(t, SECOND);
    return t;
}

static struct script *begin_listening(const struct target *target)
{
    static const char *const syns[] = {
        "S 0 <mss 1460, sackOK>",
        "S 0 <mss 1460, sackOK, ts 100, wscale 7>",
        "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>",
    };
    struct tcpct_listen_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                            .syn_queue = target->place == IN_SYN_RECEIVED };
    struct script *t = script_listen(target->family, NULL, &options);
    inject(t, syns[target->flavour]);
    expect(t, "S. 0 ack 1");
    if (target->place == IN_SYN_RECEIVED) {
        t->connection = t->host.stack->pool;
        return t;
    }
    if (target->flavour == PAIRED)
        inject(t, ". 1 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>");
    else
        say(t, target->flavour, ". 1 ack 1");
    t->connection = script_accept(t);
    return t;
}

static enum tcpct_state state_of(enum place place)
{
    static const enum tcpct_state states[] = {
        TCPCT_SYN_SENT,    TCPCT_SYN_RECEIVED, TCPCT_ESTABLISHED, TCPCT_ESTABLISHED,
        TCPCT_ESTABLISHED, TCPCT_ESTABLISHED,  TCPCT_FIN_WAIT_1,  TCPCT_FIN_WAIT_2,
        TCPCT_CLOSING,     TCPCT_CLOSE_WAIT,   TCPCT_LAST_ACK,    TCPCT_TIME_WAIT,
    };
    return states[place];
}

static void walk(struct script *t, const struct target *target)
{
    enum flavour flavour = target->flavour;
    enum place place = target->place;
    say(t, flavour, ". 1+100 ack 1");
    script_wait(t, 50 * MILLISECOND); /* a delayed acknowledgment */
    if (place == IN_SENDING)
        script_send(t->connection, 0, 2000);
    if (place == IN_CLOSE_WAIT || place == IN_LAST_ACK)
        say(t, flavour, "F. 101 ack 1");
    if (place >= IN_FIN_WAIT_1 && place != IN_CLOSE_WAIT)
        tcpct_shutdown(t->connection);
    peer_skip(t);
    if (place == IN_CLOSING)
        say(t, flavour, "F. 101 ack 1");
    if (place == IN_FIN_WAIT_2 || place == IN_TIME_WAIT)
        say(t, flavour, ". 101 ack 2");
    if (place == IN_TIME_WAIT)
        say(t, flavour, "F. 101 ack 2");
}

/* NULL: there is no such state. */
static struct script *reach(const struct target *target)
{
    enum place place = target->place;
    bool paired = target->flavour == PAIRED;
    if ((place == IN_SYN_SENT && !target->initiates) || (place == IN_SYN_RECEIVED && paired) ||
        ((place == IN_OPENING || place == IN_PLAIN_OPENING) && !(paired && target->initiates)) ||
        (place == IN_TIME_WAIT && paired && !target->initiates))
        return NULL;
    struct script *t = target->initiates ? begin_connecting(target) : begin_listening(target);
    if (place >= IN_ESTABLISHED)
        walk(t, target);
    peer_skip(t);
    assert_int_equal(t->connection->state, state_of(place));
    return t;
}

/* ---- forged segments ------------------------------------------------------------------------ */

struct forged {
    uint8_t flags;
    uint32_t seq, ack, data_size;
    enum { WITH_NOTHING, WITH_TIMESTAMP, WITH_PAIR, WITH_COOKIE, OPTIONS } with;
};

static enum tcpct_verdict forge(struct script *t, const struct forged *forged, size_t *reply_size)
{
    static const uint8_t data[1000] = "not from the peer";
    static uint8_t bytes[2048], room[TCPCT_REPLY_SIZE];
    struct segment segment = {
        .source = t->peer_address,
        .destination = t->stack_address,
        .source_port = t->peer_port,
        .destination_port = t->stack_port,
        .seq = forged->seq,
        .ack = forged->ack,
        .flags = forged->flags,
        .hop_limit = 64,
        .window = 17,
        .data = data,
        .data_size = forged->data_size,
    };
    struct tcp_options *options = &segment.options;
    if (forged->with != WITH_NOTHING) {
        options->present = forged->with == WITH_PAIR
                               ? OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR
                               : OPTION_TIMESTAMPS;
        options->timestamp_size = 4;
        options->timestamp_value = t->connection->ts_recent + 1; /* the best guess */
        options->timestamp_echo = t->stack_timestamp;
        options->cookie_size = COOKIE_SIZE_MAX;
    }
    if (forged->with == WITH_COOKIE)
        options->present |= OPTION_COOKIE;
    struct tcpct_packet packet = { .data = bytes, .size = sizeof(bytes) };
    struct tcpct_packet reply = { .data = room, .size = sizeof(room) };
    assert_true(segment_encode(&segment, &packet, false));
    enum tcpct_verdict verdict = tcpct_input(t->host.stack, &packet, &reply, t->now_us);
    unsigned replies = reply.length > 0;
    *reply_size = reply.length;
    t->queue_first = t->queue_count = 0;
    script_wait(t, 0);
    for (unsigned i = 0; i < t->queue_count; i++)
        *reply_size += t->queue[i].length;
    replies += t->queue_count;
    assert_in_range(replies, 0, 1);
    assert_true(*reply_size <= 3 * packet.length);
    return verdict;
}

/* Whether the guess is wrong somewhere, so that nothing may come of it. */
static bool misses(const struct tcpct_connection *c, const struct forged *forged)
{
    uint32_t window = c->rcv_edge - c->rcv_nxt;
    uint32_t length = forged->data_size + ((forged->flags & SEGMENT_FIN) != 0);
    bool overlaps = forged->seq - c->rcv_nxt < window ||
                    (length && forged->seq + length - 1 - c->rcv_nxt < window);
    bool acknowledges =
        forged->flags & SEGMENT_ACK &&
        forged->ack - (c->snd_una - c->snd_max_wnd) <= c->snd_nxt - (c->snd_una - c->snd_max_wnd);
    if (c->state == TCPCT_SYN_SENT && (forged->flags & SEGMENT_ACK))
        return forged->ack != c->iss + 1;
    if (c->state == TCPCT_SYN_SENT) /* RFC 9293, 3.10.7.3: a plain one crosses any plain <SYN> */
        return c->pair.size || !(forged->flags & SEGMENT_SYN) ||
               (forged->flags & (SEGMENT_FIN | SEGMENT_RST));
    if (c->state == TCPCT_SYN_RECEIVED && (forged->flags & SEGMENT_SYN))
        return forged->seq != c->irs;
    if (forged->flags & SEGMENT_RST)
        return c->pair.size || forged->seq != c->rcv_nxt;
    if (forged->flags & SEGMENT_SYN) /* 4.3: exactly our ISN, from who answers our <SYN> */
        return c->confirmed || forged->ack != c->iss + 1;
    if (forged->with == WITH_PAIR)
        return true;
    if (c->state == TCPCT_TIME_WAIT && forged->seq + length == c->rcv_nxt)
        return false; /* the FIN again */
    return !overlaps || !acknowledges || (c->timestamps && forged->with == WITH_NOTHING);
}

/* ---- nothing changes ------------------------------------------------------------------------ */

struct picture {
    struct tcpct_connection tcb;
    size_t connections, blocks, bytes;
    uint64_t made, failed;
};

/* Everything but what an acknowledgment that is sent changes. */
static void take_picture(const struct script *t, struct picture *picture)
{
    struct tcpct_connection *tcb = &picture->tcb;
    memcpy(tcb, t->connection, sizeof(*tcb));
    tcb->totals.packets_received = tcb->totals.packets_sent = 0;
    tcb->duplicate = (struct sack_block){ 0 };
    tcb->output_next = tcb->output_previous = NULL;
    tcb->last_ack_sent = 0;
    tcb->opening_extension = 0; /* it varies with SACK */
    picture->connections = tcpct_connection_count(t->host.stack);
    picture->blocks = t->host.memory.blocks;
    picture->bytes = t->host.memory.bytes;
    picture->made = script_counters(t).connections_made;
    picture->failed = script_counters(t).connections_failed;
}

static void assert_unchanged(const struct script *t, const struct picture *before,
                             const struct target *target, const struct forged *forged)
{
    static struct picture after;
    take_picture(t, &after);
    /* The padding of both is that of the same TCB. */
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c)
    if (memcmp(&after, before, sizeof(after)) == 0)
        return;
    const uint8_t *a = (const uint8_t *)&after, *b = (const uint8_t *)before;
    size_t at = 0;
    while (a[at] == b[at])
        at++;
    const struct tcpct_connection *c = t->connection;
    print_error("%s, %s, %s: flags %02x, seq RCV.NXT%+d, ack SND.NXT%+d, %u bytes, options %d: "
                "byte %zu of the TCB changed\n",
                flavour_names[target->flavour], target->initiates ? "connecting" : "accepting",
                tcpct_state_text(before->tcb.state), forged->flags,
                (int)(forged->seq - before->tcb.rcv_nxt), (int)(forged->ack - c->snd_nxt),
                forged->data_size, forged->with, at);
    fail();
}

static const uint8_t flags[] = {
    SEGMENT_SYN,
    SEGMENT_SYN | SEGMENT_ACK,
    SEGMENT_SYN | SEGMENT_FIN,
    SEGMENT_SYN | SEGMENT_RST,
    SEGMENT_RST,
    SEGMENT_RST | SEGMENT_ACK,
    SEGMENT_RST | SEGMENT_FIN | SEGMENT_ACK,
    SEGMENT_FIN | SEGMENT_ACK,
    SEGMENT_FIN,
    SEGMENT_ACK,
    SEGMENT_PSH,
    SEGMENT_SYN | SEGMENT_FIN | SEGMENT_RST | SEGMENT_PSH | SEGMENT_ACK | SEGMENT_URG,
    0,
};
enum { FLAGS = sizeof(flags) / sizeof(flags[0]), SEQS = 12, ACKS = 7 };

static void choose_guesses(const struct tcpct_connection *c, struct generator *generator,
                           uint32_t *seqs, uint32_t *acks)
{
    const uint32_t chosen_seqs[SEQS] = {
        c->rcv_nxt - 0x80000000u,
        c->rcv_nxt - 70000,
        c->rcv_nxt - 1000,
        c->rcv_nxt - 1,
        c->rcv_nxt,
        c->rcv_nxt + 1,
        c->rcv_edge - 1,
        c->rcv_edge,
        c->rcv_edge + 1,
        c->rcv_edge + 0x80000000u,
        c->irs,
        (uint32_t)generate(generator),
    };
    const uint32_t chosen_acks[ACKS] = {
        c->snd_una - c->snd_max_wnd - 1,
        c->snd_una - 1,
        c->snd_una,
        c->snd_nxt,
        c->snd_nxt + 1,
        c->snd_nxt + 0x7fffffffu,
        (uint32_t)generate(generator),
    };
    memcpy(seqs, chosen_seqs, sizeof(chosen_seqs));
    memcpy(acks, chosen_acks, sizeof(chosen_acks));
}

/* Every combination; returns how many missed. */
static unsigned barrage(struct script *t, const struct target *target)
{
    static struct picture before;
    struct generator generator = { target->place };
    uint32_t seqs[SEQS], acks[ACKS];
    unsigned missed = 0;
    choose_guesses(t->connection, &generator, seqs, acks);
    take_picture(t, &before);
    const struct tcpct_connection frozen = *t->connection;
    for (unsigned i = 0; i < FLAGS * SEQS * ACKS * OPTIONS * 2; i++) {
        unsigned rest = i;
        struct forged forged = { .data_size = rest % 2 ? 1000 : 0 };
        forged.with = (rest /= 2) % OPTIONS;
        forged.ack = acks[(rest /= OPTIONS) % ACKS];
        forged.seq = seqs[(rest /= ACKS) % SEQS];
        forged.flags = flags[rest / SEQS];
        size_t reply_size;
        if (!misses(&frozen, &forged))
            continue;
        enum tcpct_verdict verdict = forge(t, &forged, &reply_size);
        assert_unchanged(t, &before, target, &forged);
        assert_int_not_equal(verdict, TCPCT_ACCEPTED);
        missed++;
    }
    return missed;
}

/* RFC 5927, 4 and 5.2: errors that quote what is not in flight, and hard errors that do; only a
 * plain <SYN> is refused by one. Nothing is answered (peer_icmp). */
static void icmp_barrage(struct script *t, const struct target *target)
{
    static struct picture before;
    static const uint8_t types[] = { 3, 4, 5, 11, 12 }, types6[] = { 1, 2, 3, 4 };
    static const uint32_t words[] = { 0, 68, 552, 1280, 65535 };
    const struct tcpct_connection *c = t->connection;
    bool v6 = target->family == 6, syn_sent = c->state == TCPCT_SYN_SENT;
    const uint32_t seqs[] = {
        c->snd_una, c->snd_una - 1, c->snd_nxt + syn_sent, c->snd_nxt + 1000, c->snd_una - 70000,
    };
    take_picture(t, &before);
    for (unsigned i = 0; i < (v6 ? sizeof(types6) : sizeof(types)); i++)
        for (uint8_t code = 0; code < 16; code++)
            for (unsigned word = 0; word < 5; word++)
                for (unsigned seq = 0; seq < 5; seq++) {
                    const uint8_t type = v6 ? types6[i] : types[i];
                    bool too_big = v6 ? type == 2 : type == 3 && code == 4;
                    if (seq == 0 && (too_big || (syn_sent && !c->pair.size)))
                        continue;
                    const struct forged quote = { .seq = seqs[seq] };
                    peer_icmp(t, type, code, words[word], seqs[seq] - t->irs);
                    assert_unchanged(t, &before, target, &quote);
                }
}

/* The connection is as good as before. */
static void goes_on(struct script *t, const struct target *target)
{
    script_receive(t->connection, 0, UNREAD);
    say(t, target->flavour, ". 101+50 ack 1");
    script_receive(t->connection, UNREAD, 50);
    script_send(t->connection, 0, 10);
    script_wait(t, 0);
    t->next = 1;
    while (t->queue_count > 1)
        t->queue_first = (t->queue_first + 1) % SCRIPT_QUEUE, t->queue_count--;
    expect(t, ". 1+10 ack 151");
}

static void attack(enum flavour flavour)
{
    for (unsigned i = 0; i < PLACES * 4; i++) {
        struct target target = { flavour, i & 1, i / 4, i & 2 ? 6 : 4 };
        struct script *t = reach(&target);
        if (!t)
            continue;
        assert_true(barrage(t, &target) > FLAGS * SEQS * ACKS);
        icmp_barrage(t, &target);
        if (target.place == IN_ESTABLISHED)
            goes_on(t, &target);
        script_end(t);
    }
}

static void test_plain(void **state)
{
    (void)state;
    attack(BARE);
}

static void test_timestamps(void **state)
{
    (void)state;
    attack(DATED);
}

static void test_cookies(void **state)
{
    (void)state;
    attack(PAIRED);
}

/* 5, 7: with every number right, FIN and RST still need the pair. What an RST without it does is
 * counted, and nothing else. */
static void test_end_needs_the_pair(void **state)
{
    (void)state;
    static const char *const ends[] = {
        "F. 101 ack 1 <ts 201>", "F. 101 ack 1 <tsx 201, badpair>", "R 101", "R. 101 ack 1",
        "R. 101 ack 1 <ts 201>", "R. 101 ack 1 <tsx 201, badpair>",
    };
    for (unsigned i = 0; i < 2; i++) {
        struct target target = { PAIRED, i, IN_ESTABLISHED, 4 };
        struct script *t = reach(&target);
        script_receive(t->connection, 0, UNREAD);
        for (unsigned end = 0; end < sizeof(ends) / sizeof(ends[0]); end++) {
            char byte;
            inject(t, ends[end]);
            assert_true(peer_skip(t) <= 1);
            assert_int_equal(t->connection->state, TCPCT_ESTABLISHED);
            assert_int_equal(tcpct_receive(t->connection, &byte, 1), 0); /* no end */
        }
        assert_int_equal(script_counters(t).resets_ignored, 3);
        inject(t, "F. 101 ack 1 <tsx 202, pair>");
        assert_int_equal(t->connection->state, TCPCT_CLOSE_WAIT);
        script_end(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(end_needs_the_pair),
        TEST(plain),
        TEST(timestamps),
        TEST(cookies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
