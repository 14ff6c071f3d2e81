/* timestamps_test.c - timestamps of 64 and 128 bits between a stack and a peer, segment by segment
 * (RFC 6013, 3.4, 3.5.2, 4.3, 4.4), and between two stacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/asking.h"
#include "tests/sim/script.h"
#include "tests/sim/stream.h"

enum { MILLISECOND = 1000, SECOND = 1000000 };

#define SYN_ACK "S. 0 ack 1 <mss 1460, sackOK, ts 50, wscale 7, cookie>"

static const uint8_t zeros[12];

static struct script *connect_with(uint8_t extend_ts)
{
    return script_connect(4, NULL,
                          &(struct tcpct_connect_options){ .parameters = {
                                                               .cookie_desired = 16,
                                                               .extend_ts = extend_ts,
                                                           } });
}

static struct script *listen_with(uint8_t extend_ts)
{
    return script_listen(4, NULL,
                         &(struct tcpct_listen_options){ .parameters = {
                                                             .cookie_desired = 16,
                                                             .extend_ts = extend_ts,
                                                         } });
}

static unsigned bits_of(const struct tcpct_connection *connection)
{
    struct tcpct_info info;
    tcpct_connection_info(connection, &info);
    return info.timestamp_bits;
}

/* ---- Initiator ------------------------------------------------------------------------------- */

/* 4.3: "the Initiator adds a random prefix to its own timestamp, and a random prefix to the
 * Responder timestamp echo reply"; 3.5.2: the standard option of the <SYN> "MAY change to the larger
 * ... extended form". Once agreed, each segment has it, since 64 and 128 bits "only appear in an
 * extended option" (3.4). */
static void test_initiator_grows(void **state)
{
    (void)state;
    static const struct {
        uint8_t bits;
        const char *opening, *answer, *data, *reset;
    } sizes[] = {
        { 64, ". 1+100 ack 1 <tsx64 ecr 50, pair, mss 1460, sackOK, wscale 5>",
          ". 1+50 ack 101 <tsx64 51, pair, mss 1460, sackOK, wscale 7>",
          ". 101+10 ack 51 <tsx64 ecr 51>", "R. 111 ack 51 <tsx64 ecr 51, pair>" },
        { 128, ". 1+100 ack 1 <tsx128 ecr 50, pair, mss 1460, sackOK, wscale 5>",
          ". 1+50 ack 101 <tsx128 51, pair, mss 1460, sackOK, wscale 7>",
          ". 101+10 ack 51 <tsx128 ecr 51>", "R. 111 ack 51 <tsx128 ecr 51, pair>" },
    };
    uint8_t seen[2][2][12];
    for (unsigned i = 0; i < 2; i++) {
        struct script *t = connect_with(sizes[i].bits);
        size_t first = i ? 0 : 8;
        expect(t, "S 0 <mss 1460, sackOK, ts ecr 0, wscale 5, cookie>");
        inject_verdict(t, SYN_ACK, TCPCT_ACCEPTED);
        script_send(t->connection, 0, 100);
        expect(t, sizes[i].opening);
        memcpy(seen[i][0], t->stack_prefix, 12);
        memcpy(seen[i][1], t->prefix, 12);
        assert_memory_not_equal(seen[i][0] + first, zeros, 12 - first);
        assert_memory_not_equal(seen[i][1] + first, zeros, 12 - first);
        assert_memory_not_equal(seen[i][0] + first, seen[i][1] + first, 12 - first);
        inject_verdict(t, sizes[i].answer, TCPCT_ACCEPTED);
        assert_int_equal(bits_of(t->connection), sizes[i].bits);
        script_receive(t->connection, 0, 50);
        script_send(t->connection, 100, 10);
        expect(t, sizes[i].data);
        tcpct_abort(t->connection);
        expect(t, sizes[i].reset);
        script_end(t);
    }
}

/* "Default: off" (12), and 32 bits are kind 8's unless an extension is there anyway (8.2). */
static void test_default_is_32(void **state)
{
    (void)state;
    static const uint8_t values[] = { 0, 32, TCPCT_EXTEND_TS_AUTO };
    for (unsigned i = 0; i < sizeof(values); i++) {
        struct script *t = connect_with(values[i]);
        expect(t, "S 0");
        inject(t, SYN_ACK);
        expect(t, ". 1 ack 1 <tsx ecr 50, pair, mss 1460, sackOK, wscale 5>");
        inject(t, ". 1 ack 1 <tsx 51, pair, mss 1460>");
        assert_int_equal(bits_of(t->connection), 32);
        script_send(t->connection, 0, 10);
        expect(t, ". 1+10 ack 1 <tsx ecr 50, pair, *>"); /* 2.5: with data at last */
        inject(t, ". 1 ack 11 <ts 51>");
        script_send(t->connection, 10, 10);
        expect(t, ". 11+10 ack 1 <ts ecr 51>");
        script_end(t);
    }
}

/* An opening that is lost comes again as it was: prefixes too, as they name the incarnation. What
 * follows it, unacknowledged, has them as well. */
static void test_opening_is_repeated(void **state)
{
    (void)state;
    struct script *t = connect_with(64);
    expect(t, "S 0");
    inject(t, SYN_ACK);
    script_send(t->connection, 0, 1396 + 1420);
    expect(t, ". 1+1396 ack 1 <tsx64 ecr 50, pair, mss 1460, sackOK, wscale 5>");
    struct tcp_options first = t->last.options;
    expect(t, ". 1397+1420 ack 1 <tsx64 ecr 50>");
    script_wait(t, 1100 * MILLISECOND);
    expect(t, ". 1+1396 ack 1 <tsx64 ecr 50, pair, mss 1460, sackOK, wscale 5>");
    assert_int_equal(t->last.options.timestamp_value, first.timestamp_value);
    assert_memory_equal(t->last.options.timestamp_value_prefix + 8,
                        first.timestamp_value_prefix + 8, 4);
    assert_memory_equal(t->last.options.timestamp_echo_prefix + 8, first.timestamp_echo_prefix + 8,
                        4);
    script_end(t);
}

/* 4.4: "the Responder MAY refuse to negotiate the larger ... option by returning the least
 * significant bits in a smaller Timestamps extended option." */
static void test_responder_returns_less(void **state)
{
    (void)state;
    static const struct {
        uint8_t wanted, got;
        const char *answer, *data, *after;
    } cases[] = {
        { 64, 32, ". 1 ack 101 <tsx 51, pair, mss 1460>", ". 1+9 ack 101 <ts 52>",
          ". 101+10 ack 10 <ts ecr 52>" },
        { 128, 32, ". 1 ack 101 <tsx 51, pair, mss 1460>", ". 1+9 ack 101 <ts 52>",
          ". 101+10 ack 10 <ts ecr 52>" },
        { 128, 64, ". 1 ack 101 <tsx64 51, pair, mss 1460>", ". 1+9 ack 101 <tsx64 52>",
          ". 101+10 ack 10 <tsx64 ecr 52>" },
    };
    for (unsigned i = 0; i < 3; i++) {
        struct script *t = connect_with(cases[i].wanted);
        expect(t, "S 0");
        inject(t, SYN_ACK);
        script_send(t->connection, 0, 100);
        expect(t, ". 1+100 ack 1 <pair, *>");
        inject_verdict(t, cases[i].answer, TCPCT_ACCEPTED);
        assert_int_equal(bits_of(t->connection), cases[i].got);
        inject_verdict(t, cases[i].data, TCPCT_ACCEPTED);
        script_send(t->connection, 100, 10);
        expect(t, cases[i].after);
        script_end(t);
    }
}

/* The Responder's first segment, which has the pair, may be lost: what overtakes it is taken by its
 * least significant bits, and decides nothing. */
static void test_data_overtakes_the_answer(void **state)
{
    (void)state;
    struct script *t = connect_with(64);
    expect(t, "S 0");
    inject(t, SYN_ACK);
    script_send(t->connection, 0, 100);
    expect(t, ". 1+100 ack 1 <tsx64, pair, *>");
    inject_verdict(t, ". 51+50 ack 101 <ts 51>", TCPCT_ACCEPTED);
    expect(t, ". 101 ack 1 <tsx64, sack 51-101>");
    inject_verdict(t, ". 1+50 ack 101 <tsx 51, pair, mss 1460>", TCPCT_ACCEPTED);
    assert_int_equal(bits_of(t->connection), 32);
    expect(t, ". 101 ack 101 <ts ecr 51>");
    script_end(t);
}

/* What has another echo prefix than ours, an older value, or fewer bits than were agreed, is not of
 * this connection. */
static void test_initiator_verifies(void **state)
{
    (void)state;
    static const char *const forged[] = {
        ". 11+10 ack 101 <tsx64 60, badecho>",
        ". 11+10 ack 101 <tsx64 60, badvalue>",
        ". 11+10 ack 101 <tsx64 50>",
        ". 11+10 ack 101 <ts 60>",
        ". 11+10 ack 101 <tsx 60>",
        "F. 11 ack 101 <tsx64 60, pair, badecho>",
        "F. 11 ack 101 <tsx 60, pair>",
        "R. 11 ack 101 <tsx64 60, pair, badecho>",
        "R. 11 ack 101 <tsx 60, pair>",
    };
    struct script *t = connect_with(64);
    expect(t, "S 0");
    inject(t, SYN_ACK);
    script_send(t->connection, 0, 100);
    expect(t, ". 1+100 ack 1 <tsx64, pair, *>");
    inject_verdict(t, ". 1 ack 101 <tsx64 51, pair, badecho, mss 1460>", TCPCT_UNACCEPTABLE);
    inject_verdict(t, ". 1+10 ack 101 <tsx64 51, pair, mss 1460>", TCPCT_ACCEPTED);
    script_wait(t, 100 * MILLISECOND);
    expect(t, ". 101 ack 11 <tsx64 ecr 51>");
    for (unsigned i = 0; i < sizeof(forged) / sizeof(*forged); i++) {
        inject_verdict(t, forged[i], TCPCT_UNACCEPTABLE);
        script_wait(t, 100 * MILLISECOND);
        while (t->queue_count)
            expect(t, ". 101 ack 11 <tsx64 ecr 51>");
    }
    inject_verdict(t, ". 11+10 ack 101 <tsx64 60>", TCPCT_ACCEPTED);
    script_receive(t->connection, 0, 20);
    script_end(t);
}

/* ---- Responder ------------------------------------------------------------------------------- */

#define OPENING(size) ". 1+5 ack 1 <tsx" size " 101, pair, mss 1460, sackOK, wscale 7>"

/* 4.4, A.3-2: the listener's parameter is the most that it takes; "off", the default, refuses. */
static void test_responder_chooses(void **state)
{
    (void)state;
    static const struct {
        uint8_t parameter;
        const char *opening, *answer, *data;
    } cases[] = {
        { 0, OPENING("64"), ". 1 ack 6 <tsx ecr 101, pair, *>", ". 1+9 ack 6 <ts ecr 101>" },
        { 32, OPENING("128"), ". 1 ack 6 <tsx ecr 101, pair, *>", ". 1+9 ack 6 <ts ecr 101>" },
        { 64, OPENING("64"), ". 1 ack 6 <tsx64 ecr 101, pair, *>", ". 1+9 ack 6 <tsx64 ecr 101>" },
        { 64, OPENING("128"), ". 1 ack 6 <tsx64 ecr 101, pair, *>", ". 1+9 ack 6 <tsx64 ecr 101>" },
        { 128, OPENING("64"), ". 1 ack 6 <tsx64 ecr 101, pair, *>", ". 1+9 ack 6 <tsx64 ecr 101>" },
        { 128, OPENING("128"), ". 1 ack 6 <tsx128 ecr 101, pair, *>",
          ". 1+9 ack 6 <tsx128 ecr 101>" },
        { TCPCT_EXTEND_TS_AUTO, OPENING("128"), ". 1 ack 6 <tsx128 ecr 101, pair, *>",
          ". 1+9 ack 6 <tsx128 ecr 101>" },
        { 128, OPENING(""), ". 1 ack 6 <tsx ecr 101, pair, *>", ". 1+9 ack 6 <ts ecr 101>" },
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct script *t = listen_with(cases[i].parameter);
        inject(t, "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>");
        expect(t, "S. 0 ack 1 <ts ecr 100, cookie, *>");
        inject_verdict(t, cases[i].opening, TCPCT_ACCEPTED);
        script_wait(t, 50 * MILLISECOND);
        expect(t, cases[i].answer);
        struct tcpct_connection *connection = script_accept(t);
        script_send(connection, 0, 1);
        expect(t, ". 1+1 ack 6 <pair, *>"); /* 2.5: SYN-only options again, now with data */
        inject(t, ". 6 ack 2 <ts 101>");
        tcpct_abort(connection);
        script_end(t);
    }
}

/* The same checks as at the Initiator, from the other end. */
static void test_responder_verifies(void **state)
{
    (void)state;
    static const char *const forged[] = {
        ". 6+10 ack 10 <tsx64 110, badecho>",
        ". 6+10 ack 10 <tsx64 110, badvalue>",
        ". 6+10 ack 10 <tsx64 100>",
        ". 6+10 ack 10 <ts 110>",
        "F. 6 ack 10 <tsx64 110, pair, badecho>",
    };
    struct script *t = listen_with(64);
    inject(t, "S 0 <mss 1460, sackOK, ts 100, wscale 7, cookie>");
    expect(t, "S. 0 ack 1");
    inject_verdict(t, OPENING("64"), TCPCT_ACCEPTED);
    struct tcpct_connection *connection = script_accept(t);
    script_send(connection, 0, 9);
    expect(t, ". 1+9 ack 6 <tsx64 ecr 101, pair, *>");
    for (unsigned i = 0; i < sizeof(forged) / sizeof(*forged); i++) {
        inject_verdict(t, forged[i], TCPCT_UNACCEPTABLE);
        if (t->queue_count)
            expect(t, ". 10 ack 6 <tsx64 ecr 101>");
    }
    inject_verdict(t, ". 6+10 ack 10 <tsx64 110>", TCPCT_ACCEPTED);
    script_receive(connection, 0, 15);
    tcpct_abort(connection);
    script_end(t);
}

/* 7: what a reset without TCB copies, it copies whole. */
static void test_reset_copies_prefixes(void **state)
{
    (void)state;
    struct script *t = listen_with(64);
    inject(t, "S 0 <mss 1460, ts 100, cookie>");
    expect(t, "S. 0 ack 1");
    inject_verdict(t, "F. 500 ack 300 <tsx64 200 ecr 77, pair>", TCPCT_REPLIED);
    expect(t, "R 300 <tsx64 77 ecr 200, pair>");
    inject_verdict(t, ". 500 ack 300 <tsx128 200 ecr 77>", TCPCT_REPLIED);
    expect(t, "R 300 <tsx128 77 ecr 200>");
    script_end(t);
}

/* ---- two stacks ------------------------------------------------------------------------------ */

static const uint8_t sizes[] = { 0, 64, 128 };

static unsigned smaller_bits(uint8_t a, uint8_t b)
{
    unsigned least = a < b ? a : b;
    return least ? least : 32;
}

/* What the packets of a simulation say. */
struct seen {
    unsigned bits;                                /* that are expected from the opening on */
    uint8_t value[12], echo[12], echo_before[12]; /* of the last opening */
    uint32_t timestamp;
    unsigned openings;
};

static void look(void *context, struct sim_packet *packet)
{
    struct seen *seen = context;
    const struct tcp_options *options = &packet->segment->options;
    if (packet->segment->flags & SEGMENT_SYN || packet->from->index == 0)
        return;
    assert_int_equal(8 * options->timestamp_size, seen->bits);
    assert_int_equal(options->present & OPTION_TIMESTAMPS ? 32 : 8 * options->timestamp_size,
                     seen->bits);
}

static struct question ask_with(struct sim *sim, uint32_t id, uint32_t size, uint8_t extend_ts)
{
    const struct tcpct_connect_options options = {
        .parameters = { .cookie_desired = 16, .extend_ts = extend_ts }, .restart = true
    };
    return ask(sim, &sim->hosts[0], &sim->hosts[1], id, size, &options);
}

static void answer_with(struct sim *sim, struct answerer *answerer, uint8_t extend_ts)
{
    const struct tcpct_listen_options options = {
        .parameters = { .cookie_desired = 16, .extend_ts = extend_ts },
        .window = TCPCT_WINDOW_INITIAL,
    };
    answer_questions(&sim->hosts[1], answerer, &options);
}

/* Each size with each: the smaller is used, by all that the Responder sends, and by restarts. */
static void test_every_pair_of_parameters(void **state)
{
    for (unsigned i = 0; i < 9; i++) {
        uint8_t wanted = sizes[i % 3], taken = sizes[i / 3];
        struct answerer answerer = { 0 };
        struct seen seen = { .bits = smaller_bits(wanted, taken) };
        const struct link_path path = { .rate = 50000000, .delay_us = 10 * MILLISECOND };
        struct sim_config config = { .seed = 7 + i, .up[0] = path, .down[0] = path };
        struct sim *sim = *state = sim_begin(&config);
        answer_with(sim, &answerer, taken);
        sim->filter = look;
        sim->filter_context = &seen;
        for (uint32_t id = 0; id < 3; id++) {
            struct question question = ask_with(sim, id, 30000, wanted);
            assert_int_equal(question.error, TCPCT_OK);
            assert_int_equal(question.restarted, id > 0);
            assert_int_equal(answerer.last.timestamp_bits, seen.bits);
        }
        sim_run(sim, 120ull * SECOND);
        assert_int_equal(sim_connections(sim), 0);
        sim_end(sim);
    }
}

static void keep_opening(void *context, struct sim_packet *packet)
{
    struct seen *seen = context;
    const struct tcp_options *options = &packet->segment->options;
    if (packet->from->index != 0 || !(options->present & OPTION_MSS) ||
        packet->segment->flags & SEGMENT_SYN)
        return;
    memcpy(seen->value, options->timestamp_value_prefix, 12);
    memcpy(seen->echo_before, seen->echo, 12);
    memcpy(seen->echo, options->timestamp_echo_prefix, 12);
    seen->timestamp = options->timestamp_value;
    seen->openings++;
}

/* A restart's TS Value is greater in all its bits, that of the same exchange, and the Responder gets
 * a prefix that none before it had. */
static void test_prefixes_of_restarts(void **state)
{
    struct answerer answerer = { 0 };
    struct seen seen = { 0 }, before;
    struct sim *sim = *state = sim_begin(&(struct sim_config){ .seed = 3 });
    answer_with(sim, &answerer, 128);
    sim->filter = keep_opening;
    sim->filter_context = &seen;
    ask_with(sim, 0, 1000, 128);
    for (uint32_t id = 1; id < 60; id++) {
        before = seen;
        assert_true(ask_with(sim, id, 1000, 128).restarted);
        assert_int_equal(seen.openings, before.openings + 1);
        int order = memcmp(seen.value, before.value, 12);
        assert_true(order > 0 || (order == 0 && seen.timestamp > before.timestamp));
        assert_memory_not_equal(seen.echo, before.echo, 12);
    }
    sim_end(sim);
}

/* The first timestamp of a host. */
struct first {
    unsigned host;
    bool known;
    uint32_t value;
};

static void keep_first(void *context, struct sim_packet *packet)
{
    struct first *first = context;
    if (!first->known && packet->from->index == first->host)
        *first = (struct first){ first->host, true, packet->segment->options.timestamp_value };
}

static struct question ask_at(void **state, struct first *first, uint64_t start_us)
{
    struct answerer answerer = { 0 };
    const struct link_path path = { .rate = 1000000, .delay_us = 10 * MILLISECOND };
    struct sim_config config = { .seed = 5, .up[0] = path, .down[0] = path, .start_us = start_us };
    struct sim *sim = *state = sim_begin(&config);
    answer_with(sim, &answerer, 64);
    sim->filter = keep_first;
    sim->filter_context = first;
    struct question question = ask_with(sim, 0, 100000, 64);
    assert_int_equal(answerer.last.timestamp_bits, 64);
    sim_run(sim, 120ull * SECOND);
    assert_int_equal(sim_connections(sim), 0);
    sim_end(sim);
    return question;
}

/* The low 32 bits of either clock begin again while a connection lasts: nothing is lost. */
static void test_low_bits_begin_again(void **state)
{
    for (unsigned host = 0; host < 2; host++) {
        struct first first = { .host = host };
        struct question before = ask_at(state, &first, SECOND);
        uint64_t until_round_ms = UINT32_MAX - first.value;
        for (unsigned early_ms = 100; early_ms < 600; early_ms += 97) {
            struct first then = { .host = host };
            struct question question =
                ask_at(state, &then, SECOND + (until_round_ms - early_ms) * MILLISECOND);
            assert_in_range(then.value, UINT32_MAX - early_ms - 64, UINT32_MAX);
            assert_int_equal(question.error, TCPCT_OK);
            assert_in_range(question.done_us - question.begun_us,
                            before.done_us - before.begun_us - 50 * MILLISECOND,
                            before.done_us - before.begun_us + 50 * MILLISECOND);
        }
    }
}

/* Whatever is lost, reordered and comes twice: the answers are right, and nothing remains. */
static void test_losses(void **state)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct answerer answerer = { 0 };
        const struct link_path path = { .rate = 5000000,
                                        .delay_us = 10 * MILLISECOND,
                                        .reorder_us = 5 * MILLISECOND,
                                        .loss = 0.05,
                                        .duplicate = 0.05,
                                        .reorder = 0.1 };
        struct sim_config config = { .seed = seed, .up[0] = path, .down[0] = path };
        struct sim *sim = *state = sim_begin(&config);
        answer_with(sim, &answerer, sizes[seed % 3]);
        for (uint32_t id = 0; id < 4; id++)
            assert_int_equal(ask_with(sim, id, 20000, sizes[seed / 3 % 3]).error, TCPCT_OK);
        sim_run(sim, 200ull * SECOND);
        assert_int_equal(sim_connections(sim), 0);
        sim_end(sim);
    }
}

static struct stream server_stream;

static void plan(struct stream *stream, const struct tcpct_info *info)
{
    (void)info;
    stream->to_get = 4000000;
    stream->close = STREAM_FOLLOW;
}

/* 4.3: "automatically based on its analysis of the bandwidth-delay product": the first connection
 * learns what the path carries, the second extends its timestamps, if that is much. */
static void chooses(void **state, uint64_t rate, unsigned bits)
{
    const struct tcpct_connect_options connect = {
        .parameters = { .cookie_desired = 16, .extend_ts = TCPCT_EXTEND_TS_AUTO }
    };
    const struct tcpct_listen_options listen = {
        .parameters = { .cookie_desired = 16, .extend_ts = TCPCT_EXTEND_TS_AUTO }
    };
    const struct link_path path = { .rate = rate, .delay_us = 5 * MILLISECOND };
    struct sim_config config = { .seed = 11, .up[0] = path, .down[0] = path };
    struct sim *sim = *state = sim_begin(&config);
    struct stream_server server = { .plan = plan, .streams = &server_stream, .max = 1 };
    stream_listen(&sim->hosts[1], &server, &listen);
    for (unsigned i = 0; i < 2; i++) {
        struct stream stream = { .to_send = 4000000 };
        struct tcpct_info info;
        server.count = 0;
        stream_connect(&stream, &sim->hosts[0], &sim->hosts[1], 4, &connect);
        sim_run(sim, 50 * MILLISECOND);
        tcpct_connection_info(stream.connection, &info);
        assert_int_equal(info.timestamp_bits, i ? bits : 32);
        assert_true(sim_until(sim, stream_done, &stream, 100ull * SECOND));
        stream_check(&stream);
        sim_run(sim, SECOND);
    }
    sim_end(sim);
}

static void test_fast_paths_get_larger_ones(void **state)
{
    chooses(state, 50000000, 32);
    chooses(state, 2000000000, 64);
}

#define TEST(name) cmocka_unit_test_teardown(test_##name, script_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(initiator_grows),
        TEST(default_is_32),
        TEST(opening_is_repeated),
        TEST(responder_returns_less),
        TEST(data_overtakes_the_answer),
        TEST(initiator_verifies),
        TEST(responder_chooses),
        TEST(responder_verifies),
        TEST(reset_copies_prefixes),
        cmocka_unit_test_teardown(test_every_pair_of_parameters, sim_teardown),
        cmocka_unit_test_teardown(test_prefixes_of_restarts, sim_teardown),
        cmocka_unit_test_teardown(test_low_bits_begin_again, sim_teardown),
        cmocka_unit_test_teardown(test_losses, sim_teardown),
        cmocka_unit_test_teardown(test_fast_paths_get_larger_ones, sim_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
