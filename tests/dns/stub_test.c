/* stub_test.c - the stub asks servers that close their connections, keep them, refuse cookies, lose
 * or say nothing, in virtual time.
 */
#include "dns/stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/forwarded.h"
#include "tests/dns/dns_server.h"
#include "tests/sim/sim.h"

#define MS ((uint64_t)1000)
#define SECOND ((uint64_t)1000000)

enum { ASKED_MAX = 1000, TICK_MS = 5 };

/* What a client asked. */
struct asked {
    uint8_t query[64];
    size_t size;
    unsigned answers;
    uint8_t answer[64]; /* how it begins */
    size_t answer_size;
    uint64_t begun_us, done_us;
};

struct world {
    struct sim *sim;
    struct stub *stub;
    struct dns_server servers[3]; /* by host; the stub's has none */
    struct asked asked[ASKED_MAX];
    size_t count;
    bool over;
};

/* ---- the servers --------------------------------------------------------------------------- */

static void serve_server(struct sim_host *host, const struct tcpct_event *event)
{
    dns_server_event(host->application, event);
}

/* ---- the stub ------------------------------------------------------------------------------ */

static void take_answer(void *context, void *user, uint8_t *message, size_t size)
{
    struct world *world = context;
    struct asked *asked = user;
    asked->answers++;
    asked->answer_size = size;
    asked->done_us = world->sim->now_us;
    if (message)
        memcpy(asked->answer, message, size < sizeof asked->answer ? size : sizeof asked->answer);
}

static void serve_stub(struct sim_host *host, const struct tcpct_event *event)
{
    struct world *world = host->application;
    stub_event(world->stub, event, host->sim->now_us);
}

static void tick(void *context)
{
    struct world *world = context;
    if (world->over)
        return;
    stub_tick(world->stub, world->sim->now_us);
    sim_after(world->sim, TICK_MS * MS, tick, world);
}

static struct world *begin(void **state, const struct stub_options *given, size_t upstreams,
                           const struct sim_config *config)
{
    struct sim_config paths = { .seed = 7 };
    struct world *world = calloc(1, sizeof *world);
    struct stub_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                    .queries_max = ASKED_MAX,
                                    .connections_max = 64,
                                    .timeout_us = 4 * SECOND };
    if (config)
        paths = *config;
    paths.hosts = 3;
    paths.up[0].delay_us = paths.down[0].delay_us = 10 * MS;
    if (given)
        options = *given;
    world->sim = *state = sim_begin(&paths);
    options.parameters.syn_data_limit = 496;
    options.answer = take_answer;
    options.context = world;
    options.upstream_count = upstreams;
    for (size_t i = 0; i < upstreams; i++) {
        options.upstreams[i].address = world->sim->hosts[1 + i].ipv4;
        if (options.upstreams[i].port == 0)
            options.upstreams[i].port = SIM_PORT;
    }
    world->stub = stub_create(&options, world->sim->hosts[0].stack);
    world->sim->hosts[0].serve = serve_stub;
    world->sim->hosts[0].application = world;
    for (size_t i = 1; i <= upstreams; i++) {
        struct tcpct_listen_options listen = { .port = SIM_PORT,
                                               .parameters = TCPCT_PARAMETERS_DEFAULT };
        struct tcpct_listener *listener;
        world->sim->hosts[i].serve = serve_server;
        world->sim->hosts[i].application = &world->servers[i];
        assert_int_equal(tcpct_listen(world->sim->hosts[i].stack, &listen, &listener), TCPCT_OK);
    }
    tick(world);
    return world;
}

static void finish(struct world *world)
{
    sim_run(world->sim, 300 * SECOND); /* until servers have seen that nobody is there */
    world->over = true;
    sim_run(world->sim, SECOND);
    stub_destroy(world->stub);
    assert_int_equal(sim_connections(world->sim), 0);
    sim_end(world->sim);
    free(world);
}

/* A query for nNUMBER, with EDNS. */
static struct asked *ask(struct world *world, uint16_t id, uint16_t type)
{
    struct asked *asked = &world->asked[world->count++];
    uint8_t name[NAME_SIZE_MAX];
    char text[16];
    snprintf(text, sizeof text, "n%zu", world->count);
    assert_true(name_parse(name, text) > 0);
    struct dns_question question = {
        .name = name, .id = id, .type = type, .class = 1, .edns = true
    };
    asked->size = dns_query_write(asked->query, sizeof asked->query, &question);
    asked->begun_us = world->sim->now_us;
    assert_true(stub_ask(world->stub, asked, asked->query, asked->size, world->sim->now_us));
    return asked;
}

static bool all_answered(const void *context)
{
    const struct world *world = context;
    for (size_t i = 0; i < world->count; i++)
        if (world->asked[i].answers == 0)
            return false;
    return true;
}

static void wait_for_all(struct world *world, uint64_t limit_us)
{
    sim_turn(world->sim);
    assert_true(sim_until(world->sim, all_answered, world, limit_us));
    for (size_t i = 0; i < world->count; i++)
        assert_int_equal(world->asked[i].answers, 1);
}

static void assert_good(const struct asked *asked)
{
    assert_int_equal(asked->answers, 1);
    assert_int_equal(dns_get16(asked->answer), dns_get16(asked->query));
    assert_int_equal(dns_get16(asked->answer + 2), DNS_FLAG_QR);
    assert_memory_equal(asked->answer + 4, asked->query + 4, asked->size - 4);
}

static unsigned round_trips(const struct asked *asked)
{
    return (unsigned)((asked->done_us - asked->begun_us + 10 * MS) / (20 * MS));
}

static uint64_t restarts(const struct world *world)
{
    struct tcpct_counters counters;
    tcpct_counters(world->sim->hosts[0].stack, &counters);
    return counters.restarts;
}

/* Ends the turn, and lets time pass. */
static void pass(struct world *world, uint64_t duration_us)
{
    sim_turn(world->sim);
    stub_tick(world->stub, world->sim->now_us);
    sim_run(world->sim, duration_us);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void the_second_is_a_restart(void **state)
{
    struct world *world = begin(state, NULL, 1, NULL);
    world->servers[1].answer_size = 1000;
    for (int i = 0; i < 5; i++) {
        struct asked *asked = ask(world, (uint16_t)(100 + i), DNS_A);
        wait_for_all(world, SECOND);
        assert_good(asked);
        assert_int_equal(asked->answer_size, 1000);
        assert_int_equal(round_trips(asked), i == 0 ? 2 : 1);
        sim_run(world->sim, SECOND);
        assert_int_equal(stub_counters(world->stub)->connections_now, 0);
    }
    assert_int_equal(restarts(world), 4);
    assert_int_equal(world->servers[1].queries, 5);
    finish(world);
}

static void queries_of_a_turn_share_a_restart(void **state)
{
    struct world *world = begin(state, NULL, 1, NULL);
    ask(world, 1, DNS_A);
    wait_for_all(world, SECOND);
    sim_run(world->sim, SECOND);
    for (unsigned i = 0; i < 100; i++)
        ask(world, 77, DNS_A); /* and have the same id */
    wait_for_all(world, SECOND);
    for (size_t i = 0; i < world->count; i++)
        assert_good(&world->asked[i]);
    assert_int_equal(stub_counters(world->stub)->connections, 2);
    assert_int_equal(round_trips(&world->asked[100]), 1);
    finish(world);
}

/* One that keeps its connections gets all queries over one, while there are any. */
static void a_server_that_keeps_connections(void **state)
{
    struct world *world = begin(state, NULL, 1, NULL);
    world->servers[1].keeps = true;
    ask(world, 1, DNS_A);
    ask(world, 2, DNS_A);
    wait_for_all(world, SECOND);
    uint64_t before = stub_counters(world->stub)->connections;
    for (unsigned i = 0; i < 50; i++) {
        ask(world, (uint16_t)i, DNS_A);
        pass(world, 7 * MS);
    }
    wait_for_all(world, SECOND);
    assert_in_range(stub_counters(world->stub)->connections - before, 1, 3);
    assert_int_equal(stub_counters(world->stub)->connections_lost, 0);
    finish(world);
}

/* One that closes while more is under way: that is asked again at once. */
static void what_a_close_cuts_off_is_asked_again(void **state)
{
    struct world *world = begin(state, NULL, 1, NULL);
    for (unsigned i = 0; i < 300; i++) {
        ask(world, (uint16_t)i, DNS_A);
        pass(world, MS);
    }
    wait_for_all(world, SECOND);
    for (size_t i = 0; i < world->count; i++) {
        assert_good(&world->asked[i]);
        assert_in_range(round_trips(&world->asked[i]), 1, 3);
    }
    finish(world);
}

static void no_cookies(void *context, struct sim_packet *packet)
{
    (void)context;
    if (packet->segment->options.present & (OPTION_COOKIE | OPTION_COOKIE_PAIR))
        packet->copies = 0;
}

/* The path loses whatever has cookies: plain TCP is found, remembered, and cookies are tried again. */
static void plain_where_cookies_are_lost(void **state)
{
    struct world *world = begin(state, NULL, 1, NULL);
    world->servers[1].keeps = true;
    world->sim->filter = no_cookies;
    struct asked *first = ask(world, 1, DNS_A);
    wait_for_all(world, 4 * SECOND);
    assert_good(first);
    assert_in_range(first->done_us - first->begun_us, SECOND, SECOND + 60 * MS);
    assert_int_equal(stub_counters(world->stub)->fall_backs, 1);
    sim_run(world->sim, 60 * SECOND);
    struct asked *second = ask(world, 2, DNS_A);
    wait_for_all(world, 4 * SECOND);
    assert_int_equal(round_trips(second), 2);
    struct asked *third = ask(world, 3, DNS_A);
    wait_for_all(world, 4 * SECOND);
    assert_int_equal(round_trips(third), 1); /* over the same connection */
    world->sim->filter = NULL;
    sim_run(world->sim, 300 * SECOND);
    ask(world, 4, DNS_A);
    wait_for_all(world, 4 * SECOND);
    assert_int_equal(stub_counters(world->stub)->fall_backs, 1);
    finish(world);
}

static void another_upstream_answers(void **state)
{
    struct world *world = begin(state, NULL, 2, NULL);
    world->sim->hosts[1].unplugged = true;
    struct asked *first = ask(world, 1, DNS_A);
    wait_for_all(world, 4 * SECOND);
    assert_in_range(first->done_us - first->begun_us, SECOND, SECOND + 60 * MS);
    struct asked *second = ask(world, 2, DNS_A);
    wait_for_all(world, 4 * SECOND);
    assert_in_range(round_trips(second), 1, 2);
    assert_int_equal(stub_counters(world->stub)->upstream_changes, 1);
    assert_int_equal(world->servers[2].queries, 2);
    world->sim->hosts[1].unplugged = false;
    sim_run(world->sim, 301 * SECOND);
    ask(world, 3, DNS_A);
    wait_for_all(world, 4 * SECOND);
    assert_int_equal(world->servers[2].queries, 2); /* the first is the first again */
    finish(world);
}

/* A refusal needs no waiting. */
static void a_refusal_is_no_answer(void **state)
{
    struct stub_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                    .queries_max = 8,
                                    .connections_max = 8,
                                    .timeout_us = 4 * SECOND };
    options.upstreams[0].port = SIM_PORT + 1; /* where nobody listens */
    struct world *world = begin(state, &options, 2, NULL);
    struct asked *asked = ask(world, 1, DNS_A);
    wait_for_all(world, SECOND);
    assert_good(asked);
    assert_int_equal(round_trips(asked), 3);
    assert_int_equal(stub_counters(world->stub)->upstream_changes, 1);
    finish(world);
}

static void nobody_answers(void **state)
{
    struct world *world = begin(state, NULL, 2, NULL);
    world->servers[1].silent = true;
    world->sim->hosts[2].unplugged = true;
    struct asked *asked = ask(world, 9, DNS_A);
    wait_for_all(world, 5 * SECOND);
    assert_in_range(asked->done_us - asked->begun_us, 4 * SECOND, 4 * SECOND + 2 * TICK_MS * MS);
    assert_int_equal(dns_get16(asked->answer), 9);
    assert_int_equal(dns_get16(asked->answer + 2), DNS_FLAG_QR | DNS_SERVFAIL);
    assert_int_equal(dns_get16(asked->answer + asked->answer_size - 2), DNS_EDE_NO_AUTHORITY);
    assert_int_equal(stub_counters(world->stub)->queries_failed, 1);
    assert_int_equal(stub_counters(world->stub)->queries_now, 0);
    finish(world);
}

static void tables_are_bounded(void **state)
{
    struct stub_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                    .queries_max = 10,
                                    .connections_max = 3,
                                    .timeout_us = 4 * SECOND };
    struct world *world = begin(state, &options, 1, NULL);
    for (unsigned i = 0; i < 11; i++)
        ask(world, (uint16_t)i, DNS_A);
    assert_int_equal(stub_counters(world->stub)->queries_refused, 1);
    assert_int_equal(dns_get16(world->asked[10].answer + 2), DNS_FLAG_QR | DNS_SERVFAIL);
    assert_int_equal(stub_counters(world->stub)->connections_now, 3);
    wait_for_all(world, SECOND);
    for (unsigned i = 0; i < 10; i++)
        assert_good(&world->asked[i]);
    finish(world);
}

static void what_is_not_asked(void **state)
{
    struct world *world = begin(state, NULL, 1, NULL);
    uint8_t response[DNS_HEADER_SIZE] = { 0, 1, 0x80 };
    assert_false(stub_ask(world->stub, NULL, response, sizeof response, world->sim->now_us));
    assert_false(stub_ask(world->stub, NULL, response, DNS_HEADER_SIZE - 1, world->sim->now_us));
    ask(world, 5, DNS_AXFR);
    ask(world, 6, DNS_IXFR);
    for (int i = 0; i < 2; i++)
        assert_int_equal(dns_get16(world->asked[i].answer + 2), DNS_FLAG_QR | DNS_NOTIMP);
    sim_run(world->sim, SECOND);
    assert_int_equal(world->servers[1].queries, 0);
    finish(world);
}

/* A tenth is lost, much is reordered: each query is answered, once. */
static void lossy_paths(void **state)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_config config = { .seed = seed };
        config.up[0].loss = config.down[0].loss = 0.1;
        config.up[0].reorder = config.down[0].reorder = 0.1;
        config.up[0].reorder_us = config.down[0].reorder_us = 5 * MS;
        struct world *world = begin(state, NULL, 2, &config);
        world->servers[1].keeps = seed % 2;
        world->servers[1].answer_size = seed % 3 * 10000;
        unsigned good = 0;
        for (unsigned i = 0; i < 100; i++) {
            ask(world, (uint16_t)i, DNS_A);
            pass(world, seed * 5 * MS);
        }
        wait_for_all(world, 10 * SECOND);
        for (size_t i = 0; i < world->count; i++)
            good += (world->asked[i].answer[3] & 15) == DNS_NOERROR;
        assert_in_range(good, 95, 100);
        finish(world);
    }
}

static void it_goes_while_queries_are_under_way(void **state)
{
    struct world *world = begin(state, NULL, 1, NULL);
    struct asked *asked = ask(world, 1, DNS_A);
    sim_run(world->sim, 15 * MS);
    stub_destroy(world->stub);
    assert_int_equal(asked->answers, 1);
    assert_int_equal(asked->answer_size, 0);
    world->stub =
        stub_create(&(struct stub_options){ .upstream_count = 1 }, world->sim->hosts[0].stack);
    finish(world);
}

static void counters_have_names(void **state)
{
    (void)state;
    size_t count = 0;
    while (stub_counter_name(count))
        count++;
    assert_int_equal(count, sizeof(struct stub_counters) / sizeof(uint64_t));
}

#define STUB_TEST(test) cmocka_unit_test_teardown(test, sim_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STUB_TEST(the_second_is_a_restart),
        STUB_TEST(queries_of_a_turn_share_a_restart),
        STUB_TEST(a_server_that_keeps_connections),
        STUB_TEST(what_a_close_cuts_off_is_asked_again),
        STUB_TEST(plain_where_cookies_are_lost),
        STUB_TEST(another_upstream_answers),
        STUB_TEST(a_refusal_is_no_answer),
        STUB_TEST(nobody_answers),
        STUB_TEST(tables_are_bounded),
        STUB_TEST(what_is_not_asked),
        STUB_TEST(lossy_paths),
        STUB_TEST(it_goes_while_queries_are_under_way),
        cmocka_unit_test(counters_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
