/* stack_test.c - what a configuration, an address, a listener and a connect may be, and what the
 * stack does with a packet before any connection sees it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

static void draw(void *context, void *bytes, size_t size)
{
    (void)context;
    memset(bytes, 7, size);
}

static int create(struct tcpct_config config, bool with_random)
{
    struct tcpct_stack *stack = NULL;
    config.random = with_random ? draw : NULL;
    int error = tcpct_stack_create(&stack, &config, 0);
    assert_int_equal(stack != NULL, error == TCPCT_OK);
    tcpct_stack_destroy(stack);
    return error;
}
#define CREATE(...) create((struct tcpct_config){ __VA_ARGS__ }, true)

static void test_configurations(void **state)
{
    (void)state;
    assert_int_equal(CREATE(.mtu = 0), TCPCT_OK);
    assert_int_equal(create((struct tcpct_config){ 0 }, false), TCPCT_ERROR_INVALID);
    assert_int_equal(CREATE(.mtu = 295), TCPCT_ERROR_INVALID);
    assert_int_equal(CREATE(.mtu = 296), TCPCT_OK);
    assert_int_equal(CREATE(.connections_max = (1u << 24) + 1), TCPCT_ERROR_INVALID);
    assert_int_equal(CREATE(.send_buffer_max = (1u << 30) + 1), TCPCT_ERROR_INVALID);
    assert_int_equal(CREATE(.receive_buffer_max = (1u << 30) + 1), TCPCT_ERROR_INVALID);
    assert_int_equal(CREATE(.receive_buffer_max = 1u << 30, .send_buffer_max = 1u << 30), TCPCT_OK);
    assert_int_equal(CREATE(.offload_size_max = TCPCT_PACKET_SIZE + 1), TCPCT_ERROR_INVALID);
    assert_int_equal(CREATE(.offload_size_max = TCPCT_PACKET_SIZE), TCPCT_OK);
}

static void test_addresses(void **state)
{
    (void)state;
    static const struct tcpct_address wrong[] = {
        { 0 },
        { 5, { 10, 0, 0, 9 } },
        { 4, { 0 } },
        { 4, { 224, 0, 0, 1 } },
        { 4, { 255, 255, 255, 255 } },
        { 6, { 0 } },
        { 6, { 0xff, 2, [15] = 1 } },
    };
    struct script *t = script_listen(4, NULL, NULL); /* it has one */
    struct tcpct_address address = { 4, { 10, 9, 0, 1 } };
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(tcpct_address_add(t->host.stack, &wrong[i]), TCPCT_ERROR_INVALID);
    for (uint8_t i = 1; i < 16; i++) {
        address.bytes[2] = i;
        assert_int_equal(tcpct_address_add(t->host.stack, &address), TCPCT_OK);
    }
    address.bytes[2] = 16;
    assert_int_equal(tcpct_address_add(t->host.stack, &address), TCPCT_ERROR_MEMORY);
    t->stack_address = address; /* so it is not ours */
    inject_verdict(t, "S 0", TCPCT_NOT_MINE);
    t->stack_address.bytes[2] = 15;
    inject_verdict(t, "S 0", TCPCT_REPLIED);
    t->peer_address = (struct tcpct_address){ 4, { 224, 0, 0, 1 } };
    inject_verdict(t, "S 0", TCPCT_MALFORMED); /* nobody's (RFC 1122, 4.2.3.10) */
    script_end(t);
}

static int listen_on(struct script *t, uint16_t port, uint8_t cookie_desired,
                     const struct tcpct_address *address)
{
    struct tcpct_listen_options options = { .port = port,
                                            .parameters = { .cookie_desired = cookie_desired } };
    struct tcpct_listener *listener;
    if (address)
        options.address = *address;
    return tcpct_listen(t->host.stack, &options, &listener);
}

static void test_listeners(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL); /* on all addresses, SIM_PORT */
    assert_int_equal(listen_on(t, 0, 16, NULL), TCPCT_ERROR_INVALID);
    assert_int_equal(listen_on(t, SIM_PORT, 16, NULL), TCPCT_ERROR_IN_USE);
    assert_int_equal(listen_on(t, SIM_PORT, 16, &t->stack_address), TCPCT_OK);
    assert_int_equal(listen_on(t, SIM_PORT, 16, &t->stack_address), TCPCT_ERROR_IN_USE);
    for (uint8_t size = 0; size < 20; size++) {
        bool good = size == 0 || (size >= 8 && size <= 16 && size % 2 == 0);
        assert_int_equal(listen_on(t, 100 + size, size, NULL),
                         good ? TCPCT_OK : TCPCT_ERROR_INVALID);
    }
    script_end(t);
}

static int connect_as(struct script *t, struct tcpct_connect_options options)
{
    struct tcpct_connection *connection;
    return tcpct_connect(t->host.stack, &options, &connection, t->now_us);
}
#define CONNECT(t, ...) connect_as(t, (struct tcpct_connect_options){ __VA_ARGS__ })

static void test_connects(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    const struct tcpct_address peer = t->peer_address, six = { 6, { 0xfd, [15] = 2 } };
    const struct tcpct_address multicast = { 4, { 224, 0, 0, 1 } };
    assert_int_equal(CONNECT(t, .remote_port = 80), TCPCT_ERROR_INVALID);
    assert_int_equal(CONNECT(t, .remote = peer), TCPCT_ERROR_INVALID);
    assert_int_equal(CONNECT(t, .remote = multicast, .remote_port = 80), TCPCT_ERROR_INVALID);
    assert_int_equal(CONNECT(t, .remote = peer, .remote_port = 80, .parameters.cookie_desired = 9),
                     TCPCT_ERROR_INVALID);
    assert_int_equal(CONNECT(t, .remote = peer, .remote_port = 80, .request_size = 5),
                     TCPCT_ERROR_INVALID);
    assert_int_equal(CONNECT(t, .remote = six, .remote_port = 80), TCPCT_ERROR_NO_ADDRESS);
    assert_int_equal(CONNECT(t, .local = peer, .remote = peer, .remote_port = 80),
                     TCPCT_ERROR_NO_ADDRESS);
    assert_int_equal(CONNECT(t, .remote = peer, .remote_port = 80, .local_port = 1000), TCPCT_OK);
    assert_int_equal(CONNECT(t, .remote = peer, .remote_port = 80, .local_port = 1000),
                     TCPCT_ERROR_IN_USE);
    assert_int_equal(CONNECT(t, .remote = peer, .remote_port = 81, .local_port = 1000), TCPCT_OK);
    assert_int_equal(tcpct_connection_count(t->host.stack), 2);
    script_end(t);
}

/* ---- packets ------------------------------------------------------------------------------- */

/* A coalesced segment with a header extension: such a buffer cannot have been sent (RFC 6013, 3.4:
 * the extension is not counted in sequence numbers). One that is no more than a segment can. */
static enum tcpct_verdict take_coalesced(uint32_t data_size, uint16_t segment_size)
{
    static uint8_t bytes[4096], room[TCPCT_REPLY_SIZE], data[3000];
    struct script *t = peer_accept("mss 1460, ts 100", NULL);
    struct segment segment = { .source = t->peer_address,
                               .destination = t->stack_address,
                               .source_port = t->peer_port,
                               .destination_port = t->stack_port,
                               .seq = t->iss + 1,
                               .ack = t->irs + 1,
                               .flags = SEGMENT_ACK,
                               .hop_limit = 64,
                               .window = 1000,
                               .options = { .present = OPTION_TIMESTAMPS_EXTENDED,
                                            .timestamp_size = 4,
                                            .timestamp_value = 200,
                                            .timestamp_echo = t->stack_timestamp },
                               .data = data,
                               .data_size = data_size };
    struct tcpct_packet packet = { .data = bytes, .size = sizeof(bytes) };
    struct tcpct_packet reply = { .data = room, .size = sizeof(room) };
    assert_true(segment_encode(&segment, &packet, true));
    packet.segment_size = segment_size;
    enum tcpct_verdict verdict = tcpct_input(t->host.stack, &packet, &reply, t->now_us);
    assert_int_equal(peer_info(t).bytes_received, verdict == TCPCT_ACCEPTED ? data_size : 0);
    script_end(t);
    return verdict;
}

static void test_coalesced_extension(void **state)
{
    (void)state;
    assert_int_equal(take_coalesced(2000, 1000), TCPCT_BAD_OPTIONS);
    assert_int_equal(take_coalesced(1000 - 35, 1000),
                     TCPCT_BAD_OPTIONS); /* 36 are the extension's */
    assert_int_equal(take_coalesced(1000 - 36, 1000), TCPCT_ACCEPTED);
}

/* RFC 6013, 7: an RST is advisory. The pair of another exchange, which verifies for the RST's own
 * numbers, says nothing of this connection; nor does a <SYN> with it. */
static void test_reset_of_another_exchange(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    inject(t, "S 0 <mss 1460, ts 100, cookie>");
    expect(t, "S. 0 ack 1");
    inject(t, ". 1+10 ack 1 <tsx 101, pair, mss 1460>");
    struct tcpct_connection *connection = script_accept(t);
    script_receive(connection, 0, 10);
    script_wait(t, 100 * MILLISECOND);
    t->queue_count = 0;
    t->iss += 100000;
    inject_verdict(t, "S 0 <mss 1460, ts 200, cookie>", TCPCT_REPLIED);
    expect(t, "S. 0 ack 1");
    static const char *const others[] = {
        "R. 1 ack 1 <tsx 201, pair, mss 1460>",
        "SR. 1 ack 1 <tsx 201, pair, mss 1460>",
        "S. 1 ack 1 <tsx 201, pair, mss 1460>",
    };
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        inject_verdict(t, others[i], TCPCT_BAD_COOKIE);
        expect_nothing(t);
        assert_int_equal(script_state(connection), TCPCT_ESTABLISHED);
    }
    inject_verdict(t, ". 1+10 ack 1 <tsx 202, pair, mss 1460>",
                   TCPCT_ACCEPTED); /* an opening does */
    assert_int_equal(tcpct_connection_error(connection), TCPCT_ERROR_RESET);
    script_receive(script_accept(t), 0, 10);
    script_end(t);
}

/* An announced MSS below 128 is taken for 128: the options would leave no room for data. */
static void test_small_mss(void **state)
{
    (void)state;
    static const uint16_t announced[] = { 0, 1, 64, 127, 128, 129 };
    for (unsigned i = 0; i < sizeof(announced) / sizeof(announced[0]); i++) {
        char options[32];
        uint16_t mss = announced[i] < 128 ? 128 : announced[i];
        snprintf(options, sizeof(options), "mss %u", announced[i]);
        struct script *t = peer_connect(options, 0, NULL);
        assert_int_equal(peer_info(t).mss, mss);
        script_send(t->connection, 0, 300);
        char text[32];
        snprintf(text, sizeof(text), ". 1+%u ack 1", mss);
        expect(t, text);
        script_end(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(configurations), TEST(addresses),           TEST(listeners),
        TEST(connects),       TEST(coalesced_extension), TEST(reset_of_another_exchange),
        TEST(small_mss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
