/* arrival_test.c - what is done with a packet before its connection sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(coalesced_extension),
                                        TEST(reset_of_another_exchange) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
