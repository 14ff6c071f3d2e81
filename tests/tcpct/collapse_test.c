/* collapse_test.c - how large a record is, and that a connection comes back from it as it was. What
 * segments do to it: tests/sim/collapse_test.c.
 */
#include "tcpct/collapse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

/* With its share of the index, when all are in use; and no table for a family that is not spoken. */
static void test_size(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        const uint32_t records = 1 << 16;
        const struct tcpct_config with = { .collapsed_max = records };
        struct script *t = script_listen(family, NULL, NULL);
        size_t before = t->host.memory.bytes;
        script_end(t);
        t = script_listen(family, &with, NULL);
        size_t each = (t->host.memory.bytes - before) / records, most = family == 4 ? 64 : 76;
        assert_in_range(each, most, most + 1); /* a profile has its share, too */
        script_end(t);
    }
}

/* The numbers that make a connection what it is. */
struct numbers {
    struct endpoints endpoints;
    uint32_t snd_nxt, snd_wnd, snd_max_wnd, rcv_nxt, rcv_edge;
    uint32_t timestamp_offset, ts_recent;
    uint16_t mss;
    uint8_t snd_scale, rcv_scale, traffic_class;
    bool initiator, sack, scaling, timestamps, ecn, nodelay;
};

static struct numbers numbers_of(const struct tcpct_connection *connection)
{
    struct numbers numbers;
    memset(&numbers, 0, sizeof(numbers));
    numbers.endpoints.local = connection->endpoints.local;
    numbers.endpoints.remote = connection->endpoints.remote;
    numbers.endpoints.local_port = connection->endpoints.local_port;
    numbers.endpoints.remote_port = connection->endpoints.remote_port;
    numbers.snd_nxt = connection->snd_nxt;
    numbers.snd_wnd = connection->snd_wnd;
    numbers.snd_max_wnd = connection->snd_max_wnd;
    numbers.rcv_nxt = connection->rcv_nxt;
    numbers.rcv_edge = connection->rcv_edge;
    numbers.timestamp_offset = (uint32_t)connection->timestamp_offset;
    numbers.ts_recent = connection->ts_recent;
    numbers.mss = connection->mss;
    numbers.snd_scale = connection->snd_scale;
    numbers.rcv_scale = connection->rcv_scale;
    numbers.traffic_class = connection->traffic_class;
    numbers.initiator = connection->initiator;
    numbers.sack = connection->sack_permitted;
    numbers.scaling = connection->window_scaling;
    numbers.timestamps = connection->timestamps;
    numbers.ecn = connection->ecn.agreed;
    numbers.nodelay = connection->nodelay;
    return numbers;
}

static void comes_back(struct script *t)
{
    uint64_t id;
    struct numbers before, after;
    struct tcpct_event event;
    while (tcpct_event(t->host.stack, &event)) {
    }
    peer_skip(t);
    before = numbers_of(t->connection);
    assert_int_equal(tcpct_collapse(t->connection, &before, &id), TCPCT_OK);
    script_wait(t, 100ull * SECOND);
    expect_nothing(t);
    assert_int_equal(tcpct_revive(t->host.stack, id, &t->connection), TCPCT_OK);
    after = numbers_of(t->connection);
    /* What the last window offered in parts of its unit may be offered now. */
    assert_in_range(after.rcv_edge - before.rcv_edge, 0, (1u << before.rcv_scale) - 1);
    after.rcv_edge = before.rcv_edge;
    /* And what a <SYN,ACK> offered, which is not scaled, is a whole number of units. */
    before.snd_wnd &= ~0u << before.snd_scale;
    before.snd_max_wnd &= ~0u << before.snd_scale;
    assert_memory_equal(&before, &after, sizeof(before));
    assert_ptr_equal(t->connection->user, &before);
    script_end(t);
}

static void test_every_option(void **state)
{
    (void)state;
    static const char *const options[] = { "mss 1460",
                                           "mss 1000, sackOK",
                                           "mss 1460, ts 5",
                                           "mss 800, wscale 14, sackOK",
                                           "ts 9, wscale 0",
                                           "mss 1400, sackOK, ts 7, wscale 9",
                                           "mss 128, ts 1, sackOK" };
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        const struct tcpct_config config = { .collapsed_max = 3,
                                             .receive_buffer_max = 70000u << i };
        comes_back(peer_connect(options[i], 1000, &config));
        struct script *t = peer_accept(options[i], &config);
        tcpct_option_set(t->connection, TCPCT_OPTION_NODELAY, i & 1);
        tcpct_option_set(t->connection, TCPCT_OPTION_DSCP, i);
        comes_back(t);
    }
}

/* Nothing is in flight, so that no ICMP message can be about it (RFC 5927, 4.1). */
static void test_icmp(void **state)
{
    (void)state;
    const struct tcpct_config config = { .collapsed_max = 3 };
    struct script *t = peer_accept("mss 1460, sackOK", &config);
    struct tcpct_event event;
    while (tcpct_event(t->host.stack, &event)) {
    }
    assert_int_equal(tcpct_collapse(t->connection, NULL, NULL), TCPCT_OK);
    assert_int_equal(peer_icmp(t, 3, 3, 0, 1), TCPCT_UNACCEPTABLE);
    assert_int_equal(peer_icmp(t, 3, 4, 576, 1), TCPCT_UNACCEPTABLE);
    assert_int_equal(tcpct_collapsed_count(t->host.stack), 1);
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(size), TEST(every_option), TEST(icmp) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
