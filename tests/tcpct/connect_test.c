/* connect_test.c - what a connect may be, and what it draws: ports and cookies. */
#include "tcpct/connect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

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

/* A connection to the peer's port `to` that is given up at once: the port that was chosen for it. */
static uint16_t chosen_port(struct script *t, uint16_t to)
{
    struct tcpct_connection *connection;
    const struct tcpct_connect_options options = { .remote = t->peer_address, .remote_port = to };
    assert_int_equal(tcpct_connect(t->host.stack, &options, &connection, t->now_us), TCPCT_OK);
    uint16_t port = connection->endpoints.local_port;
    tcpct_abort(connection);
    return port;
}

/* RFC 6013, 3 and 4.5; RFC 6056, 3.3.1: source ports are unpredictable: of thousands, every
 * sixteenth of the range has its share, and hardly one follows from the one before. */
static void test_ports_are_unpredictable(void **state)
{
    (void)state;
    enum { DRAWS = 16000, PARTS = 16 };
    struct script *t = script_listen(4, NULL, NULL);
    unsigned parts[PARTS] = { 0 }, near = 0;
    uint16_t before = 0;
    for (unsigned i = 0; i < DRAWS; i++) {
        uint16_t port = chosen_port(t, SIM_PORT);
        assert_true(port > 1024);
        parts[(port - PORT_EPHEMERAL_FIRST) * PARTS / (65536 - PORT_EPHEMERAL_FIRST)]++;
        near += (uint16_t)(port - before + 8) <= 16;
        before = port;
    }
    for (unsigned i = 0; i < PARTS; i++)
        assert_in_range(parts[i], DRAWS / PARTS * 4 / 5, DRAWS / PARTS * 6 / 5);
    assert_true(near < DRAWS / 200);
    script_end(t);
}

/* 4.5: and differ from the destination port, also where that is in their range. */
static void test_ports_differ_from_destination(void **state)
{
    (void)state;
    const struct tcpct_config config = { .connections_max = 1 << 15 };
    struct script *t = script_listen(4, &config, NULL);
    const uint16_t to = PORT_EPHEMERAL_FIRST + 1000;
    struct tcpct_connect_options options = { .remote = t->peer_address, .remote_port = to };
    struct tcpct_connection *connection;
    for (unsigned i = 0; i < 65536 - PORT_EPHEMERAL_FIRST - 1; i++) { /* all the others */
        assert_int_equal(tcpct_connect(t->host.stack, &options, &connection, t->now_us), TCPCT_OK);
        assert_int_not_equal(connection->endpoints.local_port, to);
    }
    assert_int_equal(tcpct_connect(t->host.stack, &options, &connection, t->now_us),
                     TCPCT_ERROR_NO_PORT);
    script_end(t);
}

/* 3.5.1: a cookie is new for each exchange, with the same parties as well, and every byte of it is
 * random. */
static void test_cookies_are_new(void **state)
{
    (void)state;
    enum { EXCHANGES = 256 };
    static uint8_t cookies[EXCHANGES][COOKIE_SIZE_MAX];
    struct script *t = script_listen(4, NULL, NULL);
    struct tcpct_connect_options options = { .remote = t->peer_address,
                                             .remote_port = SIM_PORT,
                                             .local_port = 50000,
                                             .parameters = TCPCT_PARAMETERS_DEFAULT };
    for (unsigned i = 0; i < EXCHANGES; i++) {
        struct tcpct_connection *connection;
        assert_int_equal(tcpct_connect(t->host.stack, &options, &connection, t->now_us), TCPCT_OK);
        memcpy(cookies[i], connection->pair.initiator, COOKIE_SIZE_MAX);
        tcpct_abort(connection);
        for (unsigned j = 0; j < i; j++)
            assert_memory_not_equal(cookies[i], cookies[j], COOKIE_SIZE_MAX);
    }
    for (unsigned byte = 0; byte < COOKIE_SIZE_MAX; byte++) {
        unsigned ones = 0;
        for (unsigned i = 0; i < EXCHANGES; i++)
            ones += (unsigned)__builtin_popcount(cookies[i][byte]);
        assert_in_range(ones, EXCHANGES * 7 / 2, EXCHANGES * 9 / 2); /* of 8 bits, about 4 */
    }
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connects),
        TEST(ports_are_unpredictable),
        TEST(ports_differ_from_destination),
        TEST(cookies_are_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
