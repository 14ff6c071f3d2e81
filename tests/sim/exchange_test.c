/* exchange_test.c - transactions of RFC 6013 between two stacks: round trips, packets and state are
 * counted, and each packet of the opening is lost, delayed or repeated in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

enum { MILLISECOND = 1000, SECOND = 1000000, RTT = 20 * MILLISECOND, PACKETS_MAX = 64 };

/* The request is the size of the answer. */
static size_t fill_answer(uint8_t *to, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        to[i] = (uint8_t)(i * 7 + size);
    return size;
}

static size_t answer_in_syn(const void *context, const struct tcpct_request *request,
                            uint8_t *answer, size_t room)
{
    uint32_t size;
    (void)context;
    if (request->size != sizeof(size))
        return 0;
    memcpy(&size, request->bytes, sizeof(size));
    return size <= room ? fill_answer(answer, size) : 0;
}

/* One transaction: the client asks for `size` bytes and closes when it has them. */
struct transaction {
    struct sim *sim;
    struct tcpct_listener *listener;
    struct tcpct_connection *client, *server;
    struct tcpct_parameters parameters;
    uint32_t size;
    uint32_t got, asked;
    uint8_t answer[65536], expected[65536];
    bool done;
    int error;
    uint64_t begun_us, done_us;
    size_t server_connections_max;
    unsigned packets; /* both ways */

    /* What is to happen to packet `number` of host `from`. */
    unsigned from;
    uint64_t number;
    unsigned copies;
    uint64_t delay_us;
};

static struct transaction transaction;

static void filter(void *context, struct sim_packet *packet)
{
    struct transaction *t = context;
    size_t held = tcpct_connection_count(t->sim->hosts[1].stack);
    if (held > t->server_connections_max)
        t->server_connections_max = held;
    t->packets++;
    if (packet->from->index == t->from && packet->number == t->number) {
        packet->copies = t->copies;
        packet->delay_us = t->delay_us;
    }
}

static void client_serve(struct sim_host *host, const struct tcpct_event *event)
{
    struct transaction *t = host->application;
    if (t->done)
        return;
    ptrdiff_t got = 0;
    while (t->got < t->size &&
           (got = tcpct_receive(t->client, t->answer + t->got, t->size - t->got)) > 0)
        t->got += (uint32_t)got;
    if (t->got < t->size && !(event->flags & TCPCT_EVENT_ERROR) && got == 0)
        return;
    t->done = true;
    t->error = tcpct_connection_error(t->client);
    t->done_us = host->sim->now_us;
    tcpct_close(t->client);
}

/* Answers, and ends its direction with the last byte: a DNS responder that knows TCPCT (D8). */
static void server_serve(struct sim_host *host, const struct tcpct_event *event)
{
    struct transaction *t = host->application;
    uint8_t answer[65536];
    uint32_t size;
    if (event->flags & TCPCT_EVENT_ACCEPT) {
        struct tcpct_connection *connection = tcpct_accept(t->listener);
        if (!connection)
            return;
        assert_null(t->server); /* one opening, however often it comes */
        t->server = connection;
    }
    if (!t->server)
        return;
    ptrdiff_t got = tcpct_receive(t->server, &size, sizeof(size));
    if (got == sizeof(size)) {
        t->asked++;
        fill_answer(answer, size);
        assert_int_equal(tcpct_send(t->server, answer, size), size);
    }
    if (got > 0 || got == TCPCT_ERROR_CLOSED || got == TCPCT_ERROR_RESET) {
        tcpct_close(t->server);
        t->server = NULL;
    }
}

static bool is_done(const void *context)
{
    return ((const struct transaction *)context)->done;
}

static struct transaction *begin_with(uint32_t size, struct tcpct_parameters client,
                                      struct tcpct_parameters server,
                                      const struct tcpct_config *responder)
{
    struct transaction *t = &transaction;
    const struct link_path path = { .delay_us = RTT / 2 };
    memset(t, 0, sizeof(*t));
    t->sim = sim_begin(&(struct sim_config){
        .seed = 1, .up = { path }, .down = { path }, .stacks = { [1] = *responder } });
    t->size = size;
    t->parameters = client;
    t->number = UINT64_MAX;
    t->sim->filter = filter;
    t->sim->filter_context = t;
    for (unsigned i = 0; i < 2; i++) {
        t->sim->hosts[i].application = t;
        t->sim->hosts[i].serve = i ? server_serve : client_serve;
    }
    const struct tcpct_listen_options options = { .port = SIM_PORT,
                                                  .parameters = server,
                                                  .answer = answer_in_syn };
    assert_int_equal(tcpct_listen(t->sim->hosts[1].stack, &options, &t->listener), TCPCT_OK);
    return t;
}

static struct transaction *begin(uint32_t size, struct tcpct_parameters client,
                                 struct tcpct_parameters server)
{
    return begin_with(size, client, server, &(struct tcpct_config){ 0 });
}

static void run(struct transaction *t)
{
    const struct tcpct_connect_options options = { .remote = t->sim->hosts[1].ipv4,
                                                   .remote_port = SIM_PORT,
                                                   .parameters = t->parameters,
                                                   .request = (const uint8_t *)&t->size,
                                                   .request_size = sizeof(t->size) };
    t->begun_us = t->sim->now_us;
    assert_int_equal(tcpct_connect(t->sim->hosts[0].stack, &options, &t->client, t->sim->now_us),
                     TCPCT_OK);
    assert_true(sim_until(t->sim, is_done, t, 60ull * SECOND));
    assert_int_equal(t->error, TCPCT_OK);
    fill_answer(t->expected, t->size);
    assert_memory_equal(t->answer, t->expected, t->size);
}

static bool nothing_left(const void *sim)
{
    return sim_connections(sim) == 0;
}

/* With cookies the Responder is rid of everything at once; the Initiator after TIME-WAIT (5). An
 * opening that comes again when all is over opens once more, and then takes longer to go. */
static void end(struct transaction *t)
{
    struct tcpct_counters counters;
    sim_run(t->sim, 30ull * SECOND);
    tcpct_counters(t->sim->hosts[1].stack, &counters);
    if (counters.openings_plain == 0 && counters.openings <= 1)
        assert_int_equal(tcpct_connection_count(t->sim->hosts[1].stack), 0);
    assert_true(sim_until(t->sim, nothing_left, t->sim, 100ull * SECOND));
    sim_end(t->sim);
}

static const struct tcpct_parameters accelerated = { .cookie_desired = 16,
                                                     .syn_data_limit = 496,
                                                     .syn_ack_data_limit = 1220 };

static unsigned round_trips(const struct transaction *t)
{
    return (unsigned)((t->done_us - t->begun_us) / RTT);
}

/* 6: two packets, one round trip, and no TCB at the Responder, ever. */
static void test_one_round_trip(void **state)
{
    (void)state;
    /* three times what came is what may be answered */
    struct transaction *t = begin(100, accelerated, accelerated);
    run(t);
    assert_int_equal(t->done_us - t->begun_us, RTT);
    end(t);
    assert_int_equal(t->packets, 2);
    assert_int_equal(t->server_connections_max, 0);
    assert_int_equal(t->asked, 0);
}

/* What does not fit comes after the <ACK(SYN)>: 2 round trips up to an initial window, 3 up to
 * three of them. */
static void test_more_round_trips(void **state)
{
    (void)state;
    static const struct {
        uint32_t size;
        unsigned round_trips;
    } cases[] = { { 1300, 2 }, { 7568, 2 }, { 14000, 2 }, { 23894, 3 }, { 40000, 3 } };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct transaction *t = begin(cases[i].size, accelerated, accelerated);
        run(t);
        assert_int_equal(round_trips(t), cases[i].round_trips);
        end(t);
        assert_int_equal(t->asked, 1);
        assert_int_equal(t->server_connections_max, 1);
    }
}

/* Without limits nothing travels in a <SYN> (12: default 0); with plain TCP on either side it
 * works as well. */
static void test_other_modes(void **state)
{
    (void)state;
    const struct tcpct_parameters cookies = TCPCT_PARAMETERS_DEFAULT, plain = { 0 };
    const struct {
        struct tcpct_parameters client, server;
    } modes[] = {
        { cookies, cookies },   { cookies, accelerated }, { accelerated, cookies },
        { plain, accelerated }, { accelerated, plain },   { plain, plain },
    };
    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct transaction *t = begin(5000, modes[i].client, modes[i].server);
        run(t);
        assert_int_equal(round_trips(t), 2);
        end(t);
    }
}

/* Each packet of either side is lost, repeated, or overtaken by those after it: the answer comes,
 * once, and nothing stays behind. */
static void test_each_packet_suffers(void **state)
{
    (void)state;
    static const struct {
        unsigned copies;
        uint64_t delay_us;
    } fates[] = { { 0, 0 }, { 2, 0 }, { 1, 15 * MILLISECOND }, { 2, 300 * MILLISECOND } };
    static const uint32_t sizes[] = { 100, 3000, 23894 };
    for (unsigned mode = 0; mode < 2 * 3; mode++) {
        const struct tcpct_parameters plain = { 0 };
        struct tcpct_parameters client = mode % 2 ? plain : accelerated;
        for (unsigned i = 0; i < 4 * 2 * 12; i++) {
            struct transaction *t = begin(sizes[mode / 2], client, accelerated);
            t->from = i / 4 % 2;
            t->number = i / 8;
            t->copies = fates[i % 4].copies;
            t->delay_us = fates[i % 4].delay_us;
            run(t);
            /* RFC 6298: one second for what has no sample yet, and backoff at most once more */
            assert_true(t->done_us - t->begun_us < 3ull * SECOND);
            end(t);
        }
    }
}

/* 4, 6.1: the Initiator alone repeats; lost <SYN> and <SYN,ACK(SYN)> cost a second. */
static void test_lost_exchange(void **state)
{
    (void)state;
    for (unsigned from = 0; from < 2; from++) {
        struct transaction *t = begin(100, accelerated, accelerated);
        t->from = from;
        t->number = 0;
        run(t);
        assert_int_equal(t->done_us - t->begun_us, SECOND + RTT);
        end(t);
        assert_int_equal(t->server_connections_max, 0);
    }
}

/* A request of several segments whose first, the opening, is overtaken by the last, which has FIN
 * and the Cookie-Pair: the reset that this may provoke must not end the connection. */
static void send_long_request(struct transaction *t, uint64_t delay_us)
{
    uint8_t bytes[5000] = { 0 };
    memcpy(bytes, &t->size, sizeof(t->size));
    const struct tcpct_connect_options options = { .remote = t->sim->hosts[1].ipv4,
                                                   .remote_port = SIM_PORT,
                                                   .parameters = t->parameters,
                                                   .request = bytes,
                                                   .request_size = sizeof(bytes) };
    t->from = 0;
    t->number = 1;
    t->copies = delay_us ? 1 : 0;
    t->delay_us = delay_us;
    assert_int_equal(tcpct_connect(t->sim->hosts[0].stack, &options, &t->client, t->sim->now_us),
                     TCPCT_OK);
    assert_int_equal(tcpct_shutdown(t->client), TCPCT_OK);
    assert_true(sim_until(t->sim, is_done, t, 60ull * SECOND));
    assert_int_equal(t->error, TCPCT_OK);
    assert_int_equal(t->got, t->size);
}

static void long_server_serve(struct sim_host *host, const struct tcpct_event *event)
{
    struct transaction *t = host->application;
    uint8_t bytes[8192];
    ptrdiff_t got = 0;
    if (event->flags & TCPCT_EVENT_ACCEPT)
        t->server = tcpct_accept(t->listener);
    while (t->server && (got = tcpct_receive(t->server, bytes, sizeof(bytes))) > 0)
        t->asked += (uint32_t)got;
    if (!t->server || got != TCPCT_ERROR_CLOSED)
        return;
    fill_answer(bytes, t->size);
    assert_int_equal(tcpct_send(t->server, bytes, t->size), t->size);
    tcpct_close(t->server);
    t->server = NULL;
}

static void test_opening_is_overtaken(void **state)
{
    (void)state;
    static const uint64_t delays_us[] = { 0, MILLISECOND, 30 * MILLISECOND, 300 * MILLISECOND };
    for (unsigned i = 0; i < 4; i++) {
        struct transaction *t = begin(500, TCPCT_PARAMETERS_DEFAULT, TCPCT_PARAMETERS_DEFAULT);
        t->sim->hosts[1].serve = long_server_serve;
        send_long_request(t, delays_us[i]);
        assert_int_equal(t->asked, 5000);
        end(t);
    }
}

/* The secrets change all the time; no exchange fails for it (3.5.3). */
static void test_rollover_during_exchanges(void **state)
{
    (void)state;
    enum { EXCHANGES = 60 };
    const struct tcpct_config config = { .msl_us = 100 * MILLISECOND,
                                         .secret_interval_us = 150 * MILLISECOND };
    struct transaction *t = begin_with(3000, TCPCT_PARAMETERS_DEFAULT, accelerated, &config);
    for (unsigned i = 0; i < EXCHANGES; i++) {
        t->done = false;
        t->got = 0;
        run(t);
        assert_int_equal(round_trips(t), 2);
        sim_run(t->sim, i % 23 * MILLISECOND);
    }
    struct tcpct_counters counters;
    tcpct_counters(t->sim->hosts[1].stack, &counters);
    assert_int_equal(counters.openings, EXCHANGES);
    assert_true(counters.openings_secondary > 0);
    assert_true(counters.secrets_made >= 6);
    assert_int_equal(counters.verdicts[TCPCT_BAD_COOKIE], 0);
    end(t);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, sim_teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_round_trip),
        TEST(more_round_trips),
        TEST(other_modes),
        TEST(each_packet_suffers),
        TEST(lost_exchange),
        TEST(opening_is_overtaken),
        TEST(rollover_during_exchanges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
