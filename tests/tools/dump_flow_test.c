/* Connections, modes and round trips, from packets that stand here as a client would see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tools/dump.h"

enum { CLIENT_ISN = 1000, SERVER_ISN = 0xfffffff0u, RTT_US = 20000 };

static struct dump_flows *flows;
static struct dump_summary summaries[8];
static size_t summary_count;

static void keep(void *context, const struct dump_summary *summary)
{
    (void)context;
    assert_true(summary_count < sizeof summaries / sizeof summaries[0]);
    summaries[summary_count++] = *summary;
}

static int begin(void **state)
{
    (void)state;
    flows = dump_flows_create(0);
    summary_count = 0;
    return flows == NULL;
}

static int end(void **state)
{
    (void)state;
    dump_flows_destroy(flows);
    return 0;
}

/* A packet between 10.0.0.1:port and 10.0.0.2:53, with relative numbers. */
static struct dump_packet packet(int64_t time_us, enum dump_side side, uint16_t port, uint8_t flags,
                                 uint32_t seq, uint32_t ack, uint32_t data_size)
{
    const struct tcpct_address client = { .family = 4, .bytes = { 10, 0, 0, 1 } };
    const struct tcpct_address server = { .family = 4, .bytes = { 10, 0, 0, 2 } };
    bool up = side == DUMP_CLIENT;
    return (struct dump_packet){
        .time_us = time_us,
        .size = 40 + data_size,
        .segment = { .source = up ? client : server,
                     .destination = up ? server : client,
                     .source_port = up ? port : 53,
                     .destination_port = up ? 53 : port,
                     .seq = seq + (up ? CLIENT_ISN : SERVER_ISN),
                     .ack = ack + (up ? SERVER_ISN : CLIENT_ISN),
                     .flags = flags,
                     .data_size = data_size,
                     .packet_size = 40 + data_size },
    };
}

static void take(struct dump_packet taken)
{
    enum dump_side side;
    assert_non_null(dump_flows_take(flows, &taken, &side));
    assert_int_equal(side, taken.segment.destination_port == 53 ? DUMP_CLIENT : DUMP_SERVER);
}

static void take_with(struct dump_packet taken, uint32_t options)
{
    taken.segment.options.present = options;
    take(taken);
}

static void plain_handshake(int64_t at_us, uint16_t port)
{
    take(packet(at_us, DUMP_CLIENT, port, SEGMENT_SYN, 0, 0, 0));
    take(packet(at_us + RTT_US, DUMP_SERVER, port, SEGMENT_SYN | SEGMENT_ACK, 0, 1, 0));
    take(packet(at_us + RTT_US, DUMP_CLIENT, port, SEGMENT_ACK, 1, 1, 0));
}

static void test_plain_takes_two(void **state)
{
    (void)state;
    plain_handshake(0, 4000);
    take(packet(20100, DUMP_CLIENT, 4000, SEGMENT_ACK, 1, 1, 50));
    take(packet(40200, DUMP_SERVER, 4000, SEGMENT_ACK, 1, 51, 100));
    take(packet(40300, DUMP_CLIENT, 4000, SEGMENT_ACK, 51, 101, 0));
    dump_flows_each(flows, keep, NULL);
    assert_int_equal(summary_count, 1);
    assert_int_equal(summaries[0].mode, DUMP_PLAIN);
    assert_int_equal(summaries[0].round_trips, 2);
    assert_int_equal(summaries[0].answered_us, 40200);
    assert_int_equal(summaries[0].min_rtt_us, RTT_US);
    assert_int_equal(summaries[0].packets[DUMP_CLIENT], 4);
    assert_int_equal(summaries[0].packets[DUMP_SERVER], 2);
    assert_int_equal(summaries[0].data[DUMP_CLIENT], 50);
    assert_int_equal(summaries[0].data[DUMP_SERVER], 100);
    assert_int_equal(summaries[0].bytes[DUMP_SERVER], 40 + 140);
}

static void test_answer_in_syn_ack_takes_one(void **state)
{
    (void)state;
    take_with(packet(0, DUMP_CLIENT, 4000, SEGMENT_SYN, 0, 0, 50), OPTION_COOKIE);
    take_with(packet(20000, DUMP_SERVER, 4000, SEGMENT_SYN | SEGMENT_ACK, 0, 51, 166),
              OPTION_COOKIE);
    dump_flows_each(flows, keep, NULL);
    assert_int_equal(summaries[0].mode, DUMP_SYN_DATA);
    assert_int_equal(summaries[0].round_trips, 1);
    assert_int_equal(summaries[0].data[DUMP_SERVER], 166);
}

/* Timestamps tell what the server knew, however slow the machine was: a handshake of 24 ms and a
 * tail 30 ms late are no round trips more or less. */
static void test_slow_handshake(void **state)
{
    (void)state;
    struct dump_packet taken[] = {
        packet(0, DUMP_CLIENT, 4000, SEGMENT_SYN, 0, 0, 0),
        packet(24000, DUMP_SERVER, 4000, SEGMENT_SYN | SEGMENT_ACK, 0, 1, 0),
        packet(24100, DUMP_CLIENT, 4000, SEGMENT_ACK, 1, 1, 50),
        packet(44200, DUMP_SERVER, 4000, SEGMENT_ACK, 1, 51, 1000),
        packet(44300, DUMP_CLIENT, 4000, SEGMENT_ACK, 51, 1001, 0),
        packet(74200, DUMP_SERVER, 4000, SEGMENT_ACK, 1001, 51, 1000),
    };
    const uint32_t values[] = { 100, 900, 102, 901, 144, 902 },
                   echoes[] = { 0, 100, 0, 102, 0, 102 };
    for (unsigned i = 0; i < 6; i++) {
        taken[i].segment.options.timestamp_value = values[i];
        taken[i].segment.options.timestamp_echo = echoes[i];
        take_with(taken[i], OPTION_TIMESTAMPS);
    }
    dump_flows_each(flows, keep, NULL);
    assert_int_equal(summaries[0].round_trips, 2);
}

/* Two flights: the second answers an acknowledgment of the first. A late tail of the first
 * flight, for lack of rate, is no round trip of its own. */
static void test_flights_count_tails_do_not(void **state)
{
    (void)state;
    plain_handshake(0, 4000);
    take(packet(20100, DUMP_CLIENT, 4000, SEGMENT_ACK, 1, 1, 50));
    take(packet(40200, DUMP_SERVER, 4000, SEGMENT_ACK, 1, 51, 1000));
    take(packet(40201, DUMP_CLIENT, 4000, SEGMENT_ACK, 51, 1001, 0));
    take(packet(44000, DUMP_SERVER, 4000, SEGMENT_ACK, 1001, 51, 1000));
    dump_flows_each(flows, keep, NULL);
    assert_int_equal(summaries[0].round_trips, 2);
    take(packet(60400, DUMP_SERVER, 4000, SEGMENT_ACK, 2001, 51, 1000));
    summary_count = 0;
    dump_flows_each(flows, keep, NULL);
    assert_int_equal(summaries[0].round_trips, 3);
    assert_int_equal(summaries[0].data[DUMP_SERVER], 3000);
}

/* The answer is complete when its hole is filled, not when its end arrives; what comes twice
 * counts once. */
static void test_retransmission_completes(void **state)
{
    (void)state;
    plain_handshake(0, 4000);
    take(packet(20100, DUMP_CLIENT, 4000, SEGMENT_ACK, 1, 1, 50));
    take(packet(40200, DUMP_SERVER, 4000, SEGMENT_ACK, 1001, 51, 1000));
    take(packet(40201, DUMP_CLIENT, 4000, SEGMENT_ACK, 51, 1, 0));
    take(packet(60300, DUMP_SERVER, 4000, SEGMENT_ACK, 1, 51, 1000));
    take(packet(80400, DUMP_SERVER, 4000, SEGMENT_ACK, 1001, 51, 1000));
    dump_flows_each(flows, keep, NULL);
    assert_int_equal(summaries[0].answered_us, 60300);
    assert_int_equal(summaries[0].round_trips, 3);
    assert_int_equal(summaries[0].data[DUMP_SERVER], 2000);
}

static void test_restart_is_another_connection(void **state)
{
    (void)state;
    take_with(packet(0, DUMP_CLIENT, 4000, SEGMENT_SYN, 0, 0, 0), OPTION_COOKIE);
    take_with(packet(20000, DUMP_SERVER, 4000, SEGMENT_SYN | SEGMENT_ACK, 0, 1, 0), OPTION_COOKIE);
    take_with(packet(20000, DUMP_CLIENT, 4000, SEGMENT_ACK, 1, 1, 50), OPTION_COOKIE_PAIR);
    take_with(packet(40000, DUMP_SERVER, 4000, SEGMENT_ACK | SEGMENT_FIN, 1, 51, 100),
              OPTION_COOKIE_PAIR);
    take_with(packet(900000, DUMP_CLIENT, 4000, SEGMENT_ACK, 1, 1, 60), OPTION_COOKIE_PAIR);
    take_with(packet(920000, DUMP_SERVER, 4000, SEGMENT_ACK, 1, 61, 100), OPTION_COOKIE_PAIR);
    dump_flows_each(flows, keep, NULL);
    assert_int_equal(summary_count, 2);
    assert_int_equal(summaries[0].mode, DUMP_COLD);
    assert_int_equal(summaries[0].round_trips, 2);
    assert_int_equal(summaries[1].mode, DUMP_RESTART);
    assert_int_equal(summaries[1].round_trips, 1);
    assert_int_equal(summaries[1].answered_us, 20000);
}

/* RFC 6013, 6.2: a request in the <SYN> is acknowledged with the whole answer; without that, the opening is
 * the same connection's. */
static void test_restart_after_answer_in_syn_ack(void **state)
{
    (void)state;
    for (uint32_t accepted = 0; accepted <= 50; accepted += 50) {
        uint16_t port = accepted ? 4001 : 4000;
        take_with(packet(0, DUMP_CLIENT, port, SEGMENT_SYN, 0, 0, 50), OPTION_COOKIE);
        take_with(packet(20000, DUMP_SERVER, port, SEGMENT_SYN | SEGMENT_ACK, 0, 1 + accepted, 100),
                  OPTION_COOKIE);
        take_with(packet(900000, DUMP_CLIENT, port, SEGMENT_ACK, 1, 1, 50), OPTION_COOKIE_PAIR);
        take_with(packet(920000, DUMP_SERVER, port, SEGMENT_ACK, 1, 51, 100), OPTION_COOKIE_PAIR);
    }
    dump_flows_each(flows, keep, NULL);
    assert_int_equal(summary_count, 3);
    assert_int_equal(summaries[0].mode, DUMP_SYN_DATA);
    assert_int_equal(summaries[0].packets[DUMP_CLIENT], 2);
    assert_int_equal(summaries[1].mode, DUMP_SYN_DATA);
    assert_int_equal(summaries[1].packets[DUMP_CLIENT], 1);
    assert_int_equal(summaries[2].mode, DUMP_RESTART);
    assert_int_equal(summaries[2].round_trips, 1);
}

static void test_ports_and_new_syns_tell_connections_apart(void **state)
{
    (void)state;
    plain_handshake(0, 4000);
    plain_handshake(1000, 4001);
    struct dump_packet again = packet(2000, DUMP_CLIENT, 4000, SEGMENT_SYN, 0, 0, 0);
    take(again); /* a retransmission */
    again.segment.seq += 77;
    take(again);
    dump_flows_each(flows, keep, NULL);
    assert_int_equal(summary_count, 3);
    assert_int_equal(summaries[0].packets[DUMP_CLIENT], 3);
    assert_int_equal(summaries[0].answered_us, -1);
    assert_int_equal(summaries[2].port[DUMP_CLIENT], 4000);
}

/* A connection whose beginning was not captured: the lower port is the server's. */
static void test_middle_of_a_connection(void **state)
{
    (void)state;
    take(packet(0, DUMP_SERVER, 4000, SEGMENT_ACK, 500, 600, 10));
    take(packet(10, DUMP_CLIENT, 4000, SEGMENT_ACK, 600, 510, 0));
    dump_flows_each(flows, keep, NULL);
    assert_int_equal(summary_count, 1);
    assert_int_equal(summaries[0].port[DUMP_SERVER], 53);
    assert_int_equal(summaries[0].data[DUMP_SERVER], 10);
    assert_int_equal(summaries[0].min_rtt_us, -1);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_plain_takes_two),
        TEST(test_slow_handshake),
        TEST(test_answer_in_syn_ack_takes_one),
        TEST(test_flights_count_tails_do_not),
        TEST(test_retransmission_completes),
        TEST(test_restart_is_another_connection),
        TEST(test_restart_after_answer_in_syn_ack),
        TEST(test_ports_and_new_syns_tell_connections_apart),
        TEST(test_middle_of_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
