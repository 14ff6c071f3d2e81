/* proxy_test.c - connections through a proxy in the link of the simulator's first host, and segments
 * into one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/stream.h"
#include "tests/tun/boxed.h"
#include "tests/tun/frames.h"
#include "tun/passing.h"
#include "tun/proxy.h"

enum {
    S = SEGMENT_SYN,
    A = SEGMENT_ACK,
    SECOND = 1000000,
    MILLISECOND = 1000,
    ADDRESSES = 16, /* of a stack */
};

/* ---- connections -------------------------------------------------------------------------------- */

static struct stream client, served;
static struct stream_server server;
static struct stream planned; /* what the server does */
static struct tcpct_info accepted;

static void plan(struct stream *stream, const struct tcpct_info *info)
{
    accepted = *info;
    stream->to_send = planned.to_send;
    stream->to_get = planned.to_get;
    stream->close = planned.close;
    stream->read_size = planned.read_size;
    stream->read_pause_us = planned.read_pause_us;
}

/* Two hosts 20 ms apart, of which the second listens. */
static struct sim *begin(const struct link_path *path, const struct stream *plans)
{
    struct sim *sim = sim_begin(&(struct sim_config){
        .seed = 3, .up = { *path }, .down = { *path }, .boxes = { { .proxy = true } } });
    client = plans[0];
    planned = plans[1];
    server = (struct stream_server){ .plan = plan, .streams = &served, .max = 1 };
    return sim;
}

static const struct link_path clean = { .delay_us = 10 * MILLISECOND };

static uint64_t proxied(const struct sim *sim, enum link_direction direction)
{
    return link_box_counters(sim->hosts[0].link, direction)->proxied;
}

/* From either side, over a lossy path: all bytes, from the client's address and port, without a
 * Cookie. */
static void carries(unsigned family, unsigned from)
{
    static const struct stream plans[] = { { .to_send = 300000, .to_get = 200000 },
                                           { .to_send = 200000, .to_get = 300000 } };
    static const struct link_path lossy = { .delay_us = 10 * MILLISECOND, .loss = 0.02 };
    struct sim *sim = begin(&lossy, plans);
    struct sim_host *asks = &sim->hosts[from], *answers = &sim->hosts[!from];
    struct tcpct_info info;
    stream_listen(answers, &server, NULL);
    stream_connect(&client, asks, answers, family, NULL);
    tcpct_connection_info(client.connection, &info);
    assert_true(sim_until(sim, stream_done, &client, 60 * (uint64_t)SECOND));
    assert_true(sim_until(sim, stream_done, &served, 60 * (uint64_t)SECOND));
    stream_check(&client);
    stream_check(&served);
    assert_false(accepted.cookies);
    assert_int_equal(accepted.remote_port, info.local_port);
    assert_memory_equal(accepted.remote.bytes, info.local.bytes, 16);
    assert_int_equal(proxied(sim, LINK_A_TO_B), from == 0);
    assert_int_equal(proxied(sim, LINK_B_TO_A), from == 1);
    sim_end(sim);
}

static void all_bytes_pass(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2)
        for (unsigned from = 0; from < 2; from++)
            carries(family, from);
}

/* A half of the round trip each: the client is let in after one, then the server is asked, and after
 * another it is, and has the data. */
static void it_stands_in_the_middle(void **state)
{
    (void)state;
    static const struct stream plans[] = { { .to_send = 1000 }, { .to_get = 1000 } };
    struct sim *sim = begin(&clean, plans);
    stream_listen(&sim->hosts[1], &server, NULL);
    stream_connect(&client, &sim->hosts[0], &sim->hosts[1], 4, NULL);
    sim_run(sim, 10 * MILLISECOND);
    assert_true(client.connected);
    assert_int_equal(server.count, 0);
    sim_run(sim, 19 * MILLISECOND);
    assert_int_equal(server.count, 0);
    sim_run(sim, MILLISECOND);
    assert_int_equal(server.count, 1);
    assert_int_equal(served.got, 1000);
    sim_run(sim, SECOND);
    stream_check(&client);
    stream_check(&served);
    sim_end(sim);
}

static void half_close_passes(void **state)
{
    (void)state;
    static const struct stream plans[] = { { .to_send = 1000, .to_get = 50000 },
                                           { .to_get = 1000, .close = STREAM_STAY } };
    struct sim *sim = begin(&clean, plans);
    stream_listen(&sim->hosts[1], &server, NULL);
    stream_connect(&client, &sim->hosts[0], &sim->hosts[1], 4, NULL);
    sim_run(sim, SECOND);
    assert_true(served.end_seen && !client.end_seen);
    stream_more(&served, 50000);
    sim_run(sim, SECOND);
    assert_int_equal(client.got, 50000);
    stream_end(&served);
    sim_run(sim, SECOND);
    stream_check(&client);
    stream_check(&served);
    sim_end(sim);
}

static void resets_pass(void **state)
{
    (void)state;
    for (unsigned who = 0; who < 2; who++) {
        const struct stream plans[] = {
            { .to_send = 100, .to_get = 100, .close = who ? STREAM_STAY : STREAM_ABORT },
            { .to_send = 100, .to_get = 100, .close = who ? STREAM_ABORT : STREAM_STAY },
        };
        struct sim *sim = begin(&clean, plans);
        stream_listen(&sim->hosts[1], &server, NULL);
        stream_connect(&client, &sim->hosts[0], &sim->hosts[1], 4, NULL);
        sim_run(sim, SECOND);
        assert_true(client.done && served.done);
        assert_int_equal(client.error, who ? TCPCT_ERROR_RESET : TCPCT_OK);
        assert_int_equal(served.error, who ? TCPCT_OK : TCPCT_ERROR_RESET);
        sim_end(sim);
    }
}

static void a_refusal_is_a_reset(void **state)
{
    (void)state;
    static const struct stream plans[] = { { .to_send = 100, .to_get = 1 }, { 0 } };
    struct sim *sim = begin(&clean, plans);
    stream_connect(&client, &sim->hosts[0], &sim->hosts[1], 4, NULL);
    sim_run(sim, SECOND);
    assert_true(client.connected && client.done);
    assert_int_equal(client.error, TCPCT_ERROR_RESET);
    sim_end(sim);
}

/* A server that does not read stops its client, at four buffers of 1 MiB. */
static void a_slow_reader_slows_its_writer(void **state)
{
    (void)state;
    enum { ALL = 8 << 20 };
    static const struct stream plans[] = {
        { .to_send = ALL },
        { .to_get = ALL, .read_size = 1, .read_pause_us = 10 * SECOND },
    };
    struct sim *sim = begin(&clean, plans);
    stream_listen(&sim->hosts[1], &server, NULL);
    stream_connect(&client, &sim->hosts[0], &sim->hosts[1], 4, NULL);
    sim_run(sim, 5 * SECOND);
    uint64_t sent = client.sent;
    assert_in_range(sent, 1000, 4 << 20);
    sim_run(sim, 4 * SECOND);
    assert_int_equal(client.sent, sent);
    served.read_size = 0;
    served.read_pause_us = 0;
    assert_true(sim_until(sim, stream_done, &served, 60 * (uint64_t)SECOND));
    stream_check(&client);
    stream_check(&served);
    sim_end(sim);
}

/* ---- segments ----------------------------------------------------------------------------------- */

static struct boxed box;

#define BEGIN(...) boxed_begin(&box, &(struct middlebox_config){ .proxy = true, __VA_ARGS__ })

/* Sends a <SYN>; whether it is answered, and nothing else happens. */
static bool is_answered(const struct segment *syn)
{
    const struct segment *answer = &box.out[0].segment;
    if (boxed_send(&box, LINK_A_TO_B, syn) != 1)
        return false;
    return box.out[0].direction == LINK_B_TO_A && box.out[0].verdict == SEGMENT_OK &&
           answer->flags == (S | A) && answer->ack == syn->seq + 1 &&
           answer->source_port == syn->destination_port &&
           answer->destination_port == syn->source_port;
}

/* The client's part of a handshake; the <SYN> that then leaves to B, or NULL. */
static const struct segment *connects(const struct segment *syn)
{
    if (!is_answered(syn))
        return NULL;
    struct segment ack = *syn;
    ack.flags = A;
    ack.seq++;
    ack.ack = box.out[0].segment.seq + 1;
    ack.options = (struct tcp_options){ 0 };
    return boxed_pass(&box, LINK_A_TO_B, &ack);
}

static void nothing_new_is_known(void **state)
{
    (void)state;
    BEGIN(0);
    struct segment syn = boxed_segment(LINK_A_TO_B, 4, S, 700, 30);
    syn.options = (struct tcp_options){ .present = OPTION_MSS | OPTION_COOKIE | OPTION_TIMESTAMPS,
                                        .mss = 1460,
                                        .cookie_size = 16,
                                        .timestamp_value = 5 };
    assert_true(is_answered(&syn)); /* its data is not taken */
    assert_int_equal(box.out[0].segment.options.present & OPTION_COOKIE, 0);
    syn.data_size = 0;
    const struct segment *out = connects(&syn);
    assert_int_equal(out->flags, S);
    assert_int_equal(out->options.present & OPTION_COOKIE, 0);
    assert_int_equal(out->source_port, BOXED_INSIDE_PORT);
    assert_true(ip_address_equal(&out->source, &boxed_inside[0]));
    assert_int_not_equal(out->seq, syn.seq);
    boxed_end(&box);
}

/* The first of these that went there, or NULL. */
static const struct segment *find(enum link_direction direction, uint8_t flags)
{
    for (size_t i = 0; i < box.count; i++)
        if (box.out[i].direction == direction && box.out[i].verdict == SEGMENT_OK &&
            (box.out[i].segment.flags & flags) == flags)
            return &box.out[i].segment;
    return NULL;
}

/* Of an opening (RFC 6013, 4.4) it understands neither option, and takes the extension for data. */
static void an_extension_is_data(void **state)
{
    (void)state;
    enum { DATA = 10, EXTENSION = 36 };
    BEGIN(0);
    struct segment syn = boxed_segment(LINK_A_TO_B, 4, S, 1, 0);
    assert_true(is_answered(&syn));
    struct segment opening = boxed_segment(LINK_A_TO_B, 4, A, 2, DATA);
    opening.ack = box.out[0].segment.seq + 1;
    opening.options =
        (struct tcp_options){ .present = OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR,
                              .timestamp_size = 4,
                              .cookie_size = 8 };
    boxed_send(&box, LINK_A_TO_B, &opening);
    assert_non_null(find(LINK_A_TO_B, S));
    struct segment answer = boxed_segment(LINK_B_TO_A, 4, S | A, 900, 0);
    answer.ack = find(LINK_A_TO_B, S)->seq + 1;
    boxed_send(&box, LINK_B_TO_A, &answer);
    const struct segment *out = find(LINK_A_TO_B, SEGMENT_PSH);
    assert_non_null(out);
    assert_int_equal(out->data_size, EXTENSION + DATA);
    assert_memory_equal(out->data + EXTENSION, opening.data, DATA);
    boxed_end(&box);
}

/* A port that is unreachable for the proxy refuses the client. */
static void icmp_is_heeded(void **state)
{
    (void)state;
    enum { QUOTED = 28, MESSAGE = 8 + QUOTED };
    BEGIN(0);
    struct segment syn = boxed_segment(LINK_A_TO_B, 4, S, 1, 0);
    assert_non_null(connects(&syn));
    uint8_t error[20 + MESSAGE];
    struct ip_header ip = { .source = boxed_remote[0],
                            .destination = boxed_inside[0],
                            .protocol = IP_PROTOCOL_ICMP,
                            .hop_limit = 64 };
    struct tcpct_packet packet = { .data = error, .length = sizeof error };
    uint8_t *message = error + ip_encode(&ip, error, MESSAGE);
    memcpy(message, (uint8_t[8]){ 3, 3 }, 8);
    memcpy(message + 8, box.out[0].bytes, QUOTED);
    passing_icmp_checksum(&ip, message, MESSAGE);
    assert_int_equal(boxed_send_packet(&box, LINK_B_TO_A, &packet), 2); /* it passes as well */
    const struct segment *reset = find(LINK_B_TO_A, SEGMENT_RST);
    assert_non_null(reset);
    assert_int_equal(reset->destination_port, BOXED_INSIDE_PORT);
    boxed_end(&box);
}

static void all_else_passes(void **state)
{
    (void)state;
    static struct frame frame;
    BEGIN(0);
    struct segment syn = boxed_segment(LINK_A_TO_B, 4, S, 700, 0);
    assert_true(is_answered(&syn));
    for (uint8_t family = 4; family <= 6; family += 2) {
        frame_make(&frame,
                   &(struct frame_fields){ .family = family, .protocol = 17, .data_size = 100 });
        assert_int_equal(boxed_send_packet(&box, LINK_A_TO_B, &frame.packet), 1);
        assert_int_equal(box.out[0].direction, LINK_A_TO_B);
        assert_memory_equal(box.out[0].bytes, frame.bytes, frame.packet.length);
    }
    /* A ping to an address of the stack's: it is not the one to answer. */
    uint8_t ping[28] = { 0x45, [3] = 28, [8] = 64, 1, [12] = 10, [15] = 1, 192, 0, 2, 1, 8 };
    struct ip_header ip = { .source = boxed_inside[0], .destination = boxed_remote[0] };
    struct tcpct_packet packet = { .data = ping, .length = sizeof ping };
    passing_ip_checksum(ping, 20);
    passing_icmp_checksum(&ip, ping + 20, 8);
    assert_int_equal(boxed_send_packet(&box, LINK_A_TO_B, &packet), 1);
    assert_int_equal(box.out[0].direction, LINK_A_TO_B);
    assert_memory_equal(box.out[0].bytes, ping, sizeof ping);
    boxed_end(&box);
}

static uint64_t blocked(void)
{
    return middlebox_counters(box.box, LINK_A_TO_B)->blocked;
}

static void addresses_are_bounded(void **state)
{
    (void)state;
    BEGIN(0);
    struct segment syn = boxed_segment(LINK_A_TO_B, 4, S, 1, 0);
    for (unsigned i = 0; i < ADDRESSES; i++, syn.destination.bytes[3]++)
        assert_true(is_answered(&syn));
    assert_int_equal(blocked(), 0);
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &syn), 0);
    assert_int_equal(blocked(), 1);
    syn.flags = A; /* nor is anything else to one that is not known */
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &syn), 0);
    assert_int_equal(blocked(), 2);
    boxed_end(&box);
}

/* The one for which nobody asked for longest is closed: what comes there is reset. */
static void ports_are_bounded(void **state)
{
    (void)state;
    BEGIN(0);
    struct segment syn = boxed_segment(LINK_A_TO_B, 4, S, 1, 0);
    struct segment ack = boxed_segment(LINK_A_TO_B, 4, A, 2, 0);
    for (unsigned i = 0; i <= PROXY_PORTS_MAX; i++, box.now_us++) {
        syn.destination_port = (uint16_t)(1000 + i);
        assert_true(is_answered(&syn));
    }
    assert_int_equal(blocked(), 0);
    ack.destination_port = 1000;
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &ack), 1);
    assert_int_equal(box.out[0].segment.flags & SEGMENT_RST, SEGMENT_RST);
    ack.destination_port = 1001; /* still open: no cookie in it, in silence */
    ack.data_size = 1;
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &ack), 0);
    boxed_end(&box);
}

static void connections_are_bounded(void **state)
{
    (void)state;
    BEGIN(0);
    struct segment syn = boxed_segment(LINK_A_TO_B, 4, S, 1, 0);
    for (unsigned i = 0; i < PROXY_CONNECTIONS_MAX; i++, syn.source_port++)
        assert_non_null(connects(&syn));
    assert_int_equal(middlebox_counters(box.box, LINK_A_TO_B)->proxied, PROXY_CONNECTIONS_MAX);
    assert_int_equal(boxed_send(&box, LINK_A_TO_B, &syn), 0);
    assert_int_equal(blocked(), 1);
    boxed_end(&box);
}

/* Other behaviours are on B's side. */
static void it_is_the_innermost(void **state)
{
    (void)state;
    static const struct tcpct_address outside = { 4, { 198, 51, 100, 7 } };
    BEGIN(.nat = { outside }, .firewall = true);
    struct segment syn = boxed_segment(LINK_A_TO_B, 4, S, 1, 0);
    const struct segment *out = connects(&syn);
    assert_true(ip_address_equal(&out->source, &outside));
    struct segment refusal = boxed_segment(LINK_B_TO_A, 4, SEGMENT_RST | A, 0, 0);
    refusal.destination = outside;
    refusal.destination_port = out->source_port;
    refusal.ack = out->seq + 1;
    out = boxed_pass(&box, LINK_B_TO_A, &refusal);
    assert_int_equal(out->flags & SEGMENT_RST, SEGMENT_RST);
    assert_int_equal(out->destination_port, BOXED_INSIDE_PORT);
    struct segment inbound = boxed_segment(LINK_B_TO_A, 4, S, 1, 0);
    assert_int_equal(boxed_send(&box, LINK_B_TO_A, &inbound), 0);
    boxed_end(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(all_bytes_pass, sim_teardown),
        cmocka_unit_test_teardown(it_stands_in_the_middle, sim_teardown),
        cmocka_unit_test_teardown(half_close_passes, sim_teardown),
        cmocka_unit_test_teardown(resets_pass, sim_teardown),
        cmocka_unit_test_teardown(a_refusal_is_a_reset, sim_teardown),
        cmocka_unit_test_teardown(a_slow_reader_slows_its_writer, sim_teardown),
        cmocka_unit_test(nothing_new_is_known),
        cmocka_unit_test(an_extension_is_data),
        cmocka_unit_test(icmp_is_heeded),
        cmocka_unit_test(all_else_passes),
        cmocka_unit_test(addresses_are_bounded),
        cmocka_unit_test(ports_are_bounded),
        cmocka_unit_test(connections_are_bounded),
        cmocka_unit_test(it_is_the_innermost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
