/* replay_test.c - the recorded captures in tests/pcaps/ played against our stack: one side of each,
 * packet for packet, with the numbers that our side chose itself put in.
 *
 * Linux 2.6.33 to 3.9 exchanges cookies and then never sends a Cookie-Pair. With it our listener
 * goes on as plain TCP; our Initiator sends its opening, whose header extension Linux takes for
 * data, says so, and is plain TCP to that peer from then on.
 */
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

enum { PACKETS_MAX = 10, PACKET_SIZE = 200, ETHERNET_HEADER_SIZE = 14, START_US = 1000000 };

struct recorded {
    uint64_t us; /* since the first */
    uint8_t bytes[PACKET_SIZE];
    struct segment segment;
    struct option_layout layout;
};

struct replay {
    struct recorded packets[PACKETS_MAX];
    unsigned count;
    uint32_t recorded_isn[2], our_isn, our_timestamp; /* of the client, of the server; ours */
    bool ours_is_client;
    struct sim_host host;
    struct tcpct_listener *listener;
    struct tcpct_connection *connection;
    uint8_t bytes[TCPCT_PACKET_SIZE]; /* what our stack sent last */
    struct segment last;
    unsigned sent;
    char got[100]; /* by the application */
    bool ended;
};

static struct replay replay;

/* ---- the recording -------------------------------------------------------------------------- */

static bool of_client(const struct recorded *packet)
{
    return packet->segment.source_port == replay.packets[0].segment.source_port;
}

static void load(const char *name)
{
    char error[PCAP_ERRBUF_SIZE], path[100];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    uint64_t first_us = 0;
    replay = (struct replay){ 0 };
    snprintf(path, sizeof path, "tests/pcaps/%s.pcap", name);
    pcap_t *pcap = pcap_open_offline(path, error);
    if (!pcap)
        fail_msg("%s", error);
    size_t link = pcap_datalink(pcap) == DLT_EN10MB ? ETHERNET_HEADER_SIZE : 0;
    while (pcap_next_ex(pcap, &header, &bytes) == 1) {
        assert_true(replay.count < PACKETS_MAX && header->caplen - link <= PACKET_SIZE);
        struct recorded *packet = &replay.packets[replay.count++];
        uint64_t us = (uint64_t)header->ts.tv_sec * 1000000 + (uint64_t)header->ts.tv_usec;
        if (replay.count == 1)
            first_us = us;
        packet->us = us - first_us;
        memcpy(packet->bytes, bytes + link, header->caplen - link);
        struct tcpct_packet raw = { .data = packet->bytes, .length = header->caplen - link };
        assert_int_equal(segment_decode(&packet->segment, &raw, &packet->layout), SEGMENT_OK);
        if (packet->segment.flags & SEGMENT_SYN)
            replay.recorded_isn[!of_client(packet)] = packet->segment.seq;
    }
    pcap_close(pcap);
}

/* ---- our side ------------------------------------------------------------------------------- */

static void begin(void)
{
    const struct segment *first = &replay.packets[0].segment;
    const struct tcpct_config none = { 0 };
    replay.host.random.state = 7;
    struct tcpct_config config = sim_stack_config(&replay.host, &none);
    assert_int_equal(tcpct_stack_create(&replay.host.stack, &config, START_US), TCPCT_OK);
    assert_int_equal(tcpct_address_add(replay.host.stack, replay.ours_is_client
                                                              ? &first->source
                                                              : &first->destination),
                     TCPCT_OK);
}

static void listen_as_recorded(const char *name, struct tcpct_parameters parameters)
{
    load(name);
    begin();
    const struct tcpct_listen_options options = {
        .port = replay.packets[0].segment.destination_port,
        .parameters = parameters,
    };
    assert_int_equal(tcpct_listen(replay.host.stack, &options, &replay.listener), TCPCT_OK);
}

static void end(void)
{
    sim_check_counters(replay.host.stack);
    tcpct_stack_destroy(replay.host.stack);
    replay.host.stack = NULL;
    assert_int_equal(replay.host.memory.blocks, 0);
}

static int teardown(void **state)
{
    (void)state;
    tcpct_stack_destroy(replay.host.stack);
    replay.host.stack = NULL;
    return 0;
}

static void sent(const struct tcpct_packet *packet)
{
    assert_int_equal(segment_decode(&replay.last, packet, NULL), SEGMENT_OK);
    replay.sent++;
    if (replay.last.flags & SEGMENT_SYN)
        replay.our_isn = replay.last.seq;
    if (replay.last.options.timestamp_size)
        replay.our_timestamp = replay.last.options.timestamp_value;
}

/* A listener's application sends back what it gets, and ends when its peer does; an Initiator's
 * sends "hello" once connected, and ends when it has it back. */
static void serve(void)
{
    struct tcpct_event event;
    while (tcpct_event(replay.host.stack, &event)) {
        if (event.flags & TCPCT_EVENT_ACCEPT)
            replay.connection = tcpct_accept(replay.listener);
        if (event.flags & TCPCT_EVENT_CONNECTED)
            assert_int_equal(tcpct_send(replay.connection, "hello", 5), 5);
    }
    if (!replay.connection || replay.ended)
        return;
    size_t before = strlen(replay.got);
    ptrdiff_t got = tcpct_receive(replay.connection, replay.got + before, 50);
    if (got > 0 && !replay.ours_is_client)
        assert_int_equal(tcpct_send(replay.connection, replay.got + before, (size_t)got), got);
    bool whole = replay.ours_is_client && strcmp(replay.got, "hello") == 0;
    replay.ended = got == TCPCT_ERROR_CLOSED || whole;
    if (replay.ended)
        tcpct_shutdown(replay.connection);
}

static void turn(uint64_t now_us)
{
    struct tcpct_packet packet = { .data = replay.bytes, .size = sizeof replay.bytes };
    tcpct_tick(replay.host.stack, now_us);
    serve();
    while (tcpct_output(replay.host.stack, &packet, now_us))
        sent(&packet);
}

/* Packet `index` of the other side, with our numbers in it, `beyond` more acknowledged. */
static enum tcpct_verdict play_beyond(unsigned index, uint32_t beyond)
{
    struct recorded *recorded = &replay.packets[index];
    struct segment segment = recorded->segment;
    uint8_t bytes[PACKET_SIZE + TCPCT_REPLY_SIZE];
    struct tcpct_packet packet = { .data = bytes, .size = PACKET_SIZE };
    struct tcpct_packet reply = { .data = replay.bytes, .size = TCPCT_REPLY_SIZE };
    uint64_t now_us = START_US + recorded->us;
    if (segment.flags & SEGMENT_ACK) {
        segment.ack += replay.our_isn - replay.recorded_isn[!replay.ours_is_client] + beyond;
        segment.options.timestamp_echo = replay.our_timestamp;
    }
    assert_true(segment_encode_layout(&segment, &recorded->layout, &packet, false));
    enum tcpct_verdict verdict = tcpct_input(replay.host.stack, &packet, &reply, now_us);
    if (reply.length)
        sent(&reply);
    turn(now_us);
    return verdict;
}

static enum tcpct_verdict play(unsigned index)
{
    return play_beyond(index, 0);
}

static struct tcpct_info info(void)
{
    struct tcpct_info now;
    tcpct_connection_info(replay.connection, &now);
    return now;
}

/* ---- our listener --------------------------------------------------------------------------- */

/* The <SYN> in `index` is answered without state: with a Cookie of the same size if it had one. */
static void check_syn(unsigned index)
{
    const struct segment *syn = &replay.packets[index].segment, *answer = &replay.last;
    const struct tcp_options *asked = &syn->options, *options = &answer->options;
    assert_int_equal(play(index), TCPCT_REPLIED);
    assert_int_equal(answer->flags, SEGMENT_SYN | SEGMENT_ACK);
    assert_int_equal(answer->ack, syn->seq + 1);
    assert_int_equal(answer->data_size, 0);
    assert_int_equal(options->timestamp_echo, asked->timestamp_value);
    assert_int_equal(options->present, asked->present);
    if (asked->present & OPTION_COOKIE) {
        assert_int_equal(options->cookie_size, asked->cookie_size);
        assert_memory_not_equal(options->initiator_cookie, asked->initiator_cookie,
                                asked->cookie_size);
    }
    assert_int_equal(tcpct_connection_count(replay.host.stack), 0);
}

static const char *const with_cookies[] = {
    "v4-c8", "v4-c10", "v4-c12", "v4-c14", "v4-c16", "v6-c8"
};
static const char *const without[] = { "v4-plain", "v6-plain", "v4-plain-to-c16" };

static void serve_whole(const char *name)
{
    listen_as_recorded(name, TCPCT_PARAMETERS_DEFAULT);
    check_syn(0);
    for (unsigned i = 1; i < replay.count; i++) {
        if (!of_client(&replay.packets[i]))
            continue;
        if (replay.connection)
            assert_false(info().cookies);
        if (play(i) != TCPCT_ACCEPTED)
            fail_msg("%s: packet %u is not accepted", name, i + 1);
    }
    assert_string_equal(replay.got, "hello");
    assert_true(replay.ended);
    assert_int_equal(info().state, TCPCT_CLOSED);
    tcpct_close(replay.connection);
    assert_int_equal(tcpct_connection_count(replay.host.stack), 0);
    end();
}

/* 2.2, 4.4: Linux's client exchanges cookies, and goes on without a pair. */
static void test_listener(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof with_cookies / sizeof *with_cookies; i++)
        serve_whole(with_cookies[i]);
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        serve_whole(without[i]);
}

/* Nothing is kept for a <SYN> that comes again and again. */
static void test_repeated_syn(void **state)
{
    (void)state;
    listen_as_recorded("v4-syn-rexmit", TCPCT_PARAMETERS_DEFAULT);
    for (unsigned i = 0; i < replay.count; i++)
        check_syn(i);
    assert_int_equal(replay.sent, 4);
    end();
}

/* 12, TCPCT_IN_ALWAYS: a <SYN> without Cookie is discarded, and so is what has no pair. */
static void test_demanding_listener(void **state)
{
    (void)state;
    struct tcpct_parameters parameters = TCPCT_PARAMETERS_DEFAULT;
    parameters.in_always = true;
    listen_as_recorded("v4-plain", parameters);
    assert_int_equal(play(0), TCPCT_UNACCEPTABLE);
    assert_int_equal(replay.sent, 0);
    end();
    listen_as_recorded("v4-c16", parameters);
    check_syn(0);
    assert_int_equal(play(2), TCPCT_UNACCEPTABLE);
    assert_int_equal(play(3), TCPCT_UNACCEPTABLE);
    assert_int_equal(replay.sent, 1);
    assert_int_equal(tcpct_connection_count(replay.host.stack), 0);
    end();
}

/* 12, TCPCT_OUT_NEVER: our listener has no cookies to give. */
static void test_listener_without_cookies(void **state)
{
    (void)state;
    struct tcpct_parameters parameters = { .cookie_desired = 0 };
    listen_as_recorded("v4-c16", parameters);
    assert_int_equal(play(0), TCPCT_REPLIED);
    assert_false(replay.last.options.present & OPTION_COOKIE);
    assert_int_equal(play(2), TCPCT_ACCEPTED);
    assert_non_null(replay.connection);
    tcpct_abort(replay.connection);
    end();
}

/* ---- our Initiator -------------------------------------------------------------------------- */

static void connect_again(uint16_t port)
{
    const struct segment *first = &replay.packets[0].segment;
    struct tcpct_parameters parameters = TCPCT_PARAMETERS_DEFAULT;
    if (first->options.present & OPTION_COOKIE)
        parameters.cookie_desired = first->options.cookie_size;
    const struct tcpct_connect_options options = {
        .remote = first->destination,
        .remote_port = first->destination_port,
        .local_port = port,
        .parameters = parameters,
    };
    assert_int_equal(tcpct_connect(replay.host.stack, &options, &replay.connection, START_US),
                     TCPCT_OK);
    turn(START_US);
    assert_int_equal(replay.last.flags, SEGMENT_SYN);
}

static void connect_as_recorded(const char *name)
{
    load(name);
    replay.ours_is_client = true;
    begin();
    connect_again(replay.packets[0].segment.source_port);
    assert_true(replay.last.options.present & OPTION_COOKIE);
}

/* 4.4, 2.5, 3.5.2: what our <ACK(SYN)> must hold after the <SYN,ACK(SYN)> that was recorded. */
static void check_opening(const struct segment *syn, const struct segment *syn_ack)
{
    const struct tcp_options *options = &replay.last.options;
    const uint32_t syn_only = OPTION_MSS | OPTION_SACK_PERMITTED | OPTION_WINDOW_SCALE;
    assert_int_equal(replay.last.seq, syn->seq + 1);
    assert_int_equal(replay.last.ack, syn_ack->seq + 1);
    assert_true(options->present & OPTION_TIMESTAMPS_EXTENDED &&
                options->present & OPTION_COOKIE_PAIR);
    assert_int_equal(options->present & syn_only, syn_only);
    assert_int_equal(options->timestamp_echo, syn_ack->options.timestamp_value);
    assert_int_equal(options->cookie_size, syn_ack->options.cookie_size);
    assert_memory_equal(options->initiator_cookie, syn->options.initiator_cookie,
                        options->cookie_size);
    assert_memory_equal(options->responder_cookie, syn_ack->options.initiator_cookie,
                        options->cookie_size);
}

/* Linux's server grants a cookie. The opening's extension is data to it: it acknowledges more than
 * was sent, and from then on this peer is spoken to without cookies. */
static void test_initiator(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof with_cookies / sizeof *with_cookies; i++) {
        connect_as_recorded(with_cookies[i]);
        struct segment syn = replay.last;
        assert_int_equal(play(1), TCPCT_ACCEPTED);
        assert_true(info().cookies);
        check_opening(&syn, &replay.packets[1].segment);
        assert_int_equal(replay.last.data_size, 5);
        play_beyond(4, replay.last.extension_size);
        assert_int_equal(tcpct_connection_error(replay.connection), TCPCT_ERROR_EXTENSION);
        tcpct_close(replay.connection);
        connect_again(0);
        assert_false(replay.last.options.present & OPTION_COOKIE);
        tcpct_abort(replay.connection);
        turn(START_US);
        end();
    }
}

/* 6.3: the data in the <SYN,ACK(SYN)> is taken; the bare reset, without the pair, changes nothing
 * (7). */
static void test_initiator_with_data(void **state)
{
    (void)state;
    connect_as_recorded("v4-c16-sd");
    struct segment syn = replay.last;
    assert_int_equal(play(1), TCPCT_ACCEPTED);
    assert_string_equal(replay.got, "synack-data");
    assert_true(info().cookies && info().syn_ack_data_taken);
    check_opening(&syn, &replay.packets[1].segment);
    assert_true(replay.last.options.present & OPTION_SACK);
    assert_int_equal(replay.last.options.sack[0].start, replay.last.ack);
    assert_int_equal(replay.last.options.sack[0].end, replay.last.ack + 11);
    assert_int_equal(play(3), TCPCT_UNACCEPTABLE);
    assert_int_equal(info().state, TCPCT_ESTABLISHED);
    tcpct_abort(replay.connection);
    turn(START_US);
    end();
}

/* A server without cookies, or one that our Cookie does not reach: plain TCP, to the end. */
static void test_plain_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
        connect_as_recorded(without[i]);
        for (unsigned j = 1; j < replay.count; j++)
            if (!of_client(&replay.packets[j]) && play(j) != TCPCT_ACCEPTED)
                fail_msg("%s: packet %u is not accepted", without[i], j + 1);
        assert_string_equal(replay.got, "hello");
        assert_false(info().cookies);
        assert_int_equal(info().state, TCPCT_TIME_WAIT);
        tcpct_close(replay.connection);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_listener, teardown),
        cmocka_unit_test_teardown(test_repeated_syn, teardown),
        cmocka_unit_test_teardown(test_demanding_listener, teardown),
        cmocka_unit_test_teardown(test_listener_without_cookies, teardown),
        cmocka_unit_test_teardown(test_initiator, teardown),
        cmocka_unit_test_teardown(test_initiator_with_data, teardown),
        cmocka_unit_test_teardown(test_plain_server, teardown),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
