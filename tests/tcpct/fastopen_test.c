/* fastopen_test.c - TCP Fast Open (RFC 7413) between two stacks: cookies granted and brought back,
 * what is refused, and what is remembered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/stream.h"

enum { MILLISECOND = 1000, SECOND = 1000000, DELAY = 10 * MILLISECOND };

static const uint8_t request[] = "a request that may be executed more than once";
static const uint8_t answer[] = "and its answer";

struct talk {
    struct sim *sim;
    struct tcpct_listener *listener;
    struct tcpct_connection *client, *server;
    size_t asked, answered;
    uint64_t answered_us;
    uint16_t port; /* the client's; 0: any */
    bool over;
    int error;
};

/* The server answers as soon as it has the request, before the handshake's end if it may. */
static void serve_server(struct sim_host *host, const struct tcpct_event *event)
{
    struct talk *talk = host->application;
    uint8_t bytes[100];
    if (event->flags & TCPCT_EVENT_ACCEPT)
        talk->server = tcpct_accept(event->listener);
    if (!talk->server || !(event->flags & TCPCT_EVENT_READABLE))
        return;
    ptrdiff_t size = tcpct_receive(talk->server, bytes, sizeof(bytes));
    if (size <= 0)
        return;
    talk->asked += (size_t)size;
    assert_memory_equal(bytes, request, (size_t)size);
    assert_int_equal(tcpct_send(talk->server, answer, sizeof(answer)), sizeof(answer));
    tcpct_close(talk->server);
    talk->server = NULL;
}

static void serve_client(struct sim_host *host, const struct tcpct_event *event)
{
    struct talk *talk = host->application;
    uint8_t bytes[100];
    if (event->connection != talk->client)
        return;
    if (event->flags & TCPCT_EVENT_ERROR)
        talk->error = tcpct_connection_error(talk->client);
    ptrdiff_t size = tcpct_receive(talk->client, bytes, sizeof(bytes));
    if (size > 0) {
        assert_memory_equal(bytes, answer, (size_t)size);
        talk->answered += (size_t)size;
        talk->answered_us = host->sim->now_us;
        size = tcpct_receive(talk->client, bytes, sizeof(bytes));
    }
    talk->over = size < 0;
}

static struct talk begin(uint32_t queue)
{
    const struct link_path path = { .delay_us = DELAY };
    struct talk talk = { 0 };
    talk.sim = sim_begin(&(struct sim_config){ .seed = 7, .up = { path }, .down = { path } });
    talk.sim->hosts[0].serve = serve_client;
    talk.sim->hosts[1].serve = serve_server;
    const struct tcpct_listen_options options = { .port = SIM_PORT, .fast_open_queue = queue };
    assert_int_equal(tcpct_listen(talk.sim->hosts[1].stack, &options, &talk.listener), TCPCT_OK);
    return talk;
}

static bool talk_over(const void *context)
{
    const struct talk *talk = context;
    return talk->over || talk->error;
}

static bool talk_asked(const void *context)
{
    return ((const struct talk *)context)->asked > 0;
}

static void ask(struct talk *talk)
{
    struct sim_host *client = &talk->sim->hosts[0];
    client->application = talk->sim->hosts[1].application = talk;
    talk->asked = talk->answered = 0;
    talk->over = false;
    const struct tcpct_connect_options options = { .remote = talk->sim->hosts[1].ipv4,
                                                   .remote_port = SIM_PORT,
                                                   .local_port = talk->port,
                                                   .request = request,
                                                   .request_size = sizeof(request),
                                                   .fast_open = true };
    assert_int_equal(tcpct_connect(client->stack, &options, &talk->client, talk->sim->now_us),
                     TCPCT_OK);
}

/* One transaction; returns how long its answer took, and what the connection was like. */
static uint64_t transact(struct talk *talk, struct tcpct_info *info)
{
    uint64_t began_us = talk->sim->now_us;
    ask(talk);
    assert_true(sim_until(talk->sim, talk_over, talk, 60ull * SECOND));
    assert_int_equal(talk->error, TCPCT_OK);
    assert_int_equal(talk->asked, sizeof(request));
    assert_int_equal(talk->answered, sizeof(answer));
    tcpct_connection_info(talk->client, info);
    tcpct_close(talk->client);
    return talk->answered_us - began_us;
}

static struct tcpct_counters server_counters(const struct talk *talk)
{
    struct tcpct_counters counters;
    tcpct_counters(talk->sim->hosts[1].stack, &counters);
    return counters;
}

static void finish(struct talk *talk)
{
    sim_run(talk->sim, 200ull * SECOND);
    assert_int_equal(sim_connections(talk->sim), 0);
    sim_end(talk->sim);
}

/* RFC 7413, 2: the first connection asks for a cookie, the next ones bring the request in the
 * <SYN> and have the answer after one round trip. */
static void test_one_round_trip(void **state)
{
    struct tcpct_info info;
    (void)state;
    struct talk talk = begin(10);
    assert_int_equal(transact(&talk, &info) / (2 * DELAY), 2);
    assert_false(info.fast_open);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(transact(&talk, &info) / (2 * DELAY), 1);
        assert_true(info.fast_open && info.syn_data_sent);
    }
    assert_int_equal(server_counters(&talk).fast_opens, 3);
    finish(&talk);
}

/* A cookie has proved the address, so that it ends TIME-WAIT at once (RFC 6191, 2). */
static void test_same_port_again(void **state)
{
    struct tcpct_info info;
    (void)state;
    struct talk talk = begin(10);
    talk.port = 40000;
    for (unsigned i = 0; i < 3; i++) {
        transact(&talk, &info);
        assert_int_equal(info.fast_open, i > 0);
        sim_run(talk.sim, SECOND);
        assert_int_equal(sim_connections(talk.sim), 1); /* the server's, in TIME-WAIT */
    }
    assert_int_equal(server_counters(&talk).fast_opens, 2);
    finish(&talk);
}

/* 4.2: a listener that does not offer it, or whose queue is full, lets the handshake end first. */
static void test_refused(void **state)
{
    struct tcpct_info info;
    (void)state;
    struct talk talk = begin(0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(transact(&talk, &info) / (2 * DELAY), 2);
        assert_false(info.fast_open);
    }
    assert_int_equal(server_counters(&talk).fast_opens, 0);
    finish(&talk);
}

static unsigned changed;

static void change_cookie(void *context, struct sim_packet *packet)
{
    struct tcp_options *options = &packet->segment->options;
    (void)context;
    if (packet->segment->flags != SEGMENT_SYN || !(options->present & OPTION_FAST_OPEN) ||
        options->fast_open_size == 0)
        return;
    options->fast_open_cookie[3] ^= 1;
    packet->altered = true;
    changed++;
}

/* 4.2.2: data under a cookie that does not verify waits for the handshake; a new one is granted. */
static void test_wrong_cookie(void **state)
{
    struct tcpct_info info;
    (void)state;
    struct talk talk = begin(10);
    transact(&talk, &info);
    changed = 0;
    talk.sim->filter = change_cookie;
    assert_int_equal(transact(&talk, &info) / (2 * DELAY), 2);
    assert_int_equal(changed, 1);
    assert_false(info.fast_open);
    talk.sim->filter = NULL;
    assert_int_equal(transact(&talk, &info) / (2 * DELAY), 1);
    finish(&talk);
}

static void drop_syn_data(void *context, struct sim_packet *packet)
{
    (void)context;
    if (packet->segment->flags == SEGMENT_SYN && packet->segment->data_size)
        packet->copies = 0;
}

/* 4.1.3.1: on a path that drops a <SYN> with data the request still arrives, and the path is
 * remembered for an hour. */
static void test_black_hole(void **state)
{
    struct tcpct_info info;
    (void)state;
    struct talk talk = begin(10);
    transact(&talk, &info);
    talk.sim->filter = drop_syn_data;
    assert_true(transact(&talk, &info) >= SECOND);
    assert_false(info.fast_open);
    assert_int_equal(transact(&talk, &info) / (2 * DELAY), 2); /* no <SYN> with data: no delay */
    talk.sim->filter = NULL;
    sim_run(talk.sim, 3601ull * SECOND);
    transact(&talk, &info); /* asks again */
    assert_int_equal(transact(&talk, &info) / (2 * DELAY), 1);
    finish(&talk);
}

static void drop_first_syn_ack(void *context, struct sim_packet *packet)
{
    const uint8_t syn_ack = SEGMENT_SYN | SEGMENT_ACK;
    (void)context;
    if ((packet->segment->flags & syn_ack) == syn_ack && changed++ == 0)
        packet->copies = 0;
}

/* A lost <SYN,ACK> is sent again by the server, which has the connection; the request is executed
 * once. */
static void test_lost_syn_ack(void **state)
{
    struct tcpct_info info;
    (void)state;
    struct talk talk = begin(10);
    transact(&talk, &info);
    changed = 0;
    talk.sim->filter = drop_first_syn_ack;
    transact(&talk, &info);
    assert_int_equal(server_counters(&talk).fast_opens, 1);
    assert_true(changed >= 2);
    finish(&talk);
}

/* The stack may go while the handshake is still under way. */
static void test_destroyed_half_made(void **state)
{
    struct tcpct_info info;
    (void)state;
    struct talk talk = begin(10);
    transact(&talk, &info);
    ask(&talk);
    assert_true(sim_until(talk.sim, talk_asked, &talk, SECOND));
    assert_int_equal(server_counters(&talk).fast_opens, 1);
    sim_end(talk.sim);
}

static void keep_server(struct sim_host *host, const struct tcpct_event *event)
{
    struct talk *talk = host->application;
    if (event->flags & TCPCT_EVENT_ACCEPT)
        talk->server = tcpct_accept(event->listener);
    if (event->flags & TCPCT_EVENT_ERROR)
        talk->error = tcpct_connection_error(talk->server);
}

/* RFC 9293, 3.10.7.4: a reset in SYN-RECEIVED. With Fast Open the application has the connection
 * already, and is told. */
static void test_reset_before_handshake(void **state)
{
    struct tcpct_info info;
    (void)state;
    struct talk talk = begin(10);
    transact(&talk, &info);
    talk.sim->hosts[1].serve = keep_server;
    ask(&talk);
    sim_run(talk.sim, DELAY / 2);
    tcpct_abort(talk.client);
    sim_run(talk.sim, SECOND);
    assert_int_equal(talk.error, TCPCT_ERROR_RESET);
    tcpct_close(talk.server);
    finish(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_one_round_trip, sim_teardown),
        cmocka_unit_test_teardown(test_same_port_again, sim_teardown),
        cmocka_unit_test_teardown(test_refused, sim_teardown),
        cmocka_unit_test_teardown(test_wrong_cookie, sim_teardown),
        cmocka_unit_test_teardown(test_black_hole, sim_teardown),
        cmocka_unit_test_teardown(test_lost_syn_ack, sim_teardown),
        cmocka_unit_test_teardown(test_reset_before_handshake, sim_teardown),
        cmocka_unit_test_teardown(test_destroyed_half_made, sim_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
