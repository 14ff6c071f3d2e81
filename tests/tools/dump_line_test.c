/* The text and the JSON of one segment, with every option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tools/dump.h"

typedef void line_function(FILE *out, const struct dump_packet *packet,
                           const struct dump_flow *flow, enum dump_side side);

/* The line for a packet that is the first of its capture; to be freed. */
static char *line_of(line_function *line, const struct dump_packet *packet)
{
    char *text = NULL;
    size_t size = 0;
    enum dump_side side = DUMP_CLIENT;
    struct dump_flows *flows = dump_flows_create(0);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(flows);
    assert_non_null(out);
    const struct dump_flow *flow = NULL;
    if (packet->verdict == SEGMENT_OK)
        flow = dump_flows_take(flows, packet, &side);
    line(out, packet, flow, side);
    fclose(out);
    dump_flows_destroy(flows);
    return text;
}

static struct dump_packet packet_with(uint32_t present, uint8_t flags)
{
    struct dump_packet packet = {
        .number = 7,
        .time_us = 1234567,
        .size = 100,
        .segment = { .source = { .family = 4, .bytes = { 10, 0, 0, 1 } },
                     .destination = { .family = 4, .bytes = { 10, 0, 0, 2 } },
                     .source_port = 4000,
                     .destination_port = 53,
                     .seq = 5000,
                     .ack = 9000,
                     .flags = flags,
                     .window = 1024,
                     .options = { .present = present, .cookie_size = 8 } },
        .layout = { .header_size = present != 0 ? 4 : 0 },
    };
    memset(packet.segment.options.initiator_cookie, 0x1a, COOKIE_SIZE_MAX);
    memset(packet.segment.options.responder_cookie, 0x2b, COOKIE_SIZE_MAX);
    return packet;
}

static void expect(line_function *line, const struct dump_packet *packet, const char *expected)
{
    char *text = line_of(line, packet);
    assert_string_equal(text, expected);
    free(text);
}

static void expect_within(line_function *line, const struct dump_packet *packet, const char *part)
{
    char *text = line_of(line, packet);
    if (strstr(text, part) == NULL)
        fail_msg("no \"%s\" in: %s", part, text);
    free(text);
}

static void test_syn_text(void **state)
{
    (void)state;
    struct dump_packet packet = packet_with(OPTION_MSS | OPTION_SACK_PERMITTED | OPTION_TIMESTAMPS |
                                                OPTION_COOKIE | OPTION_WINDOW_SCALE,
                                            SEGMENT_SYN);
    packet.segment.options.mss = 1460;
    packet.segment.options.window_scale = 7;
    packet.segment.options.timestamp_size = 4;
    packet.segment.options.timestamp_value = 77;
    packet.segment.data_size = 50;
    expect(dump_line_text, &packet,
           "   1.234567 10.0.0.1.4000 > 10.0.0.2.53 S seq 0:51 win 1024 <mss 1460,sackOK,TS32 77/0,"
           "cookie 1a1a1a1a1a1a1a1a,wscale 7> data 50  -- client SYN-SENT\n");
}

static void test_opening_text(void **state)
{
    (void)state;
    struct dump_packet packet = packet_with(
        OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR | OPTION_SEAL | OPTION_SACK, SEGMENT_ACK);
    struct tcp_options *options = &packet.segment.options;
    options->seal_size = 60;
    packet.segment.extension_size = 64;
    packet.segment.data_size = 1;
    packet.bad_checksum = true;
    options->timestamp_size = 8;
    options->timestamp_value = 1;
    options->timestamp_echo = 2;
    memcpy(options->timestamp_value_prefix + 8, "\x01\x02\x03\x04", 4);
    memcpy(options->timestamp_echo_prefix + 8, "\xa1\xa2\xa3\xa4", 4);
    options->sack_count = 1;
    options->sack[0] = (struct sack_block){ 9000, 9100 };
    expect(
        dump_line_text, &packet,
        "   1.234567 10.0.0.1.4000 > 10.0.0.2.53 . seq 1:2 ack 1 win 1024 <extend 16,"
        "TS64 01020304:1/a1a2a3a4:2,pair 1a1a1a1a1a1a1a1a+2b2b2b2b2b2b2b2b,seal 60,sack 1:101> data 1"
        " (bad checksum)  -- client ESTABLISHED\n");
}

static void test_opening_json(void **state)
{
    (void)state;
    struct dump_packet packet = packet_with(
        OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR | OPTION_SEAL | OPTION_SACK, SEGMENT_ACK);
    struct tcp_options *options = &packet.segment.options;
    options->seal_size = 60;
    packet.segment.extension_size = 64;
    packet.segment.data_size = 1;
    options->timestamp_size = 4;
    options->sack_count = 2;
    options->sack[0] = (struct sack_block){ 9000, 9100 };
    options->sack[1] = (struct sack_block){ 9200, 9300 };
    expect(
        dump_line_json, &packet,
        "{\"number\":7,\"time_us\":1234567,\"size\":100,\"verdict\":\"sound\","
        "\"source\":\"10.0.0.1\",\"source_port\":4000,\"destination\":\"10.0.0.2\","
        "\"destination_port\":53,\"flags\":[\"ACK\"],\"seq\":1,\"ack\":1,\"window\":1024,"
        "\"options\":{\"ignored\":0,\"extend\":16,"
        "\"timestamps\":{\"bits\":32,\"value\":0,\"echo\":0},"
        "\"pair_initiator\":\"1a1a1a1a1a1a1a1a\",\"pair_responder\":\"2b2b2b2b2b2b2b2b\",\"seal_bytes\":60,"
        "\"sack\":[[1,101],[201,301]]},\"data\":1,\"bad_checksum\":false,"
        "\"connection\":1,\"notes\":[],\"client_state\":\"ESTABLISHED\",\"server_state\":\"LISTEN\"}\n");
}

static void test_other_options(void **state)
{
    (void)state;
    struct dump_packet packet =
        packet_with(OPTION_COOKIE_LESS | OPTION_USER_TIMEOUT | OPTION_FAST_OPEN | OPTION_MD5 |
                        OPTION_AUTHENTICATION,
                    SEGMENT_SYN);
    packet.segment.options.user_timeout = 0x8005;
    packet.segment.options.ignored = 2;
    packet.layout =
        (struct option_layout){ .header_size = 8, .bytes = { 1, 77, 4, 9, 9, 253, 2, 0 } };
    expect_within(dump_line_text, &packet,
                  "<cookie-less,uto 5 min,fast-open request,md5,authentication,kind 77 length 4,"
                  "invalid 2>");
    expect_within(dump_line_json, &packet, "\"cookie_less\":true,\"user_timeout_s\":300,");
    expect_within(dump_line_json, &packet, "\"authentication\":true,\"kind_77\":4}");
}

static void test_not_tcp(void **state)
{
    (void)state;
    struct dump_packet packet = { .number = 1, .size = 60, .verdict = SEGMENT_NOT_TCP };
    expect(dump_line_text, &packet, "   0.000000 60 bytes: not TCP\n");
    expect(dump_line_json, &packet,
           "{\"number\":1,\"time_us\":0,\"size\":60,\"verdict\":\"not TCP\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syn_text),     cmocka_unit_test(test_opening_text),
        cmocka_unit_test(test_opening_json), cmocka_unit_test(test_other_options),
        cmocka_unit_test(test_not_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
