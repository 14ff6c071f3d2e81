/* responder_test.c - the responder on a stack, asked by another stack, in virtual time: packets go
 * straight from one to the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"
#include "tests/dns/world.h"

enum { BIG_SIZE = 60000 };

/* A zone with one small answer and one of nearly 64 KB. */
static struct dns_zones *make_zones(void)
{
    char *text = malloc(BIG_SIZE * 2);
    char *out = text + sprintf(text, "@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n");
    for (unsigned i = 0; i < BIG_SIZE / 216; i++)
        out += sprintf(out, "big TXT %0200u\n", i);
    struct dns_zones *zones = case_zones(text, "x");
    free(text);
    return zones;
}

static struct world *begin(const struct responder_options *options)
{
    return world_create(options, make_zones());
}

static size_t frame(uint8_t framed[514], const char *question)
{
    size_t size = case_query(framed + 2, question, 0);
    dns_put16(framed, (uint16_t)size);
    return size + 2;
}

static void connect_to(struct world *world, bool cookies, const char *question)
{
    uint8_t framed[514];
    world_connect(world, cookies, framed, question ? frame(framed, question) : 0);
}

static void ask(struct world *world, const char *question)
{
    uint8_t framed[514];
    size_t size = frame(framed, question);
    assert_int_equal(tcpct_send(world->connection, framed, size), size);
}

/* How many whole answers came, each of them good; all of them if the stream is at its end. */
static unsigned count_answers(const struct world *world)
{
    size_t at = 0;
    unsigned count = 0;
    while (at + 2 <= world->received_size) {
        size_t size = dns_get16(world->received + at);
        if (at + 2 + size > world->received_size)
            break;
        assert_memory_equal(case_text(world->received + at + 2, size), "NOERROR aa, an ", 15);
        at += 2 + size;
        count++;
    }
    if (world->ended)
        assert_int_equal(at, world->received_size);
    return count;
}

static const struct responder_options usual = { .idle_us = 10000000, .connections_max = 10 };

static void answer_in_syn_ack(void **state)
{
    (void)state;
    struct world *world = begin(&usual);
    world->one_answer = true;
    connect_to(world, true, "ns.x. A");
    world_run(world, 2000000);
    assert_int_equal(count_answers(world), 1);
    assert_int_equal(world->packets, 2);
    assert_int_equal(responder_counters(world->responder)->connections, 0);
    world_destroy(world);
}

/* What does not fit there comes over the connection, and the connection ends with it. */
static void cookies_close(void **state)
{
    (void)state;
    struct world *world = begin(&usual);
    connect_to(world, true, "big.x. TXT");
    world_run(world, 2000000);
    assert_int_equal(count_answers(world), 1);
    assert_true(world->ended);
    assert_int_equal(responder_counters(world->responder)->connections_now, 0);
    tcpct_close(world->connection);
    world_destroy(world);
}

static void plain_stays_open(void **state)
{
    (void)state;
    struct world *world = begin(&usual);
    connect_to(world, false, NULL);
    for (unsigned i = 1; i <= 3; i++) {
        ask(world, "ns.x. A");
        world_run(world, 2000000);
        assert_int_equal(count_answers(world), i);
        assert_false(world->ended);
    }
    uint64_t idle_us = responder_deadline(world->responder) - world->now_us;
    assert_in_range(idle_us, 7000000, 10000000);
    world_run(world, idle_us + 100000);
    assert_true(world->ended);
    assert_int_equal(responder_counters(world->responder)->connections_idle, 1);
    assert_int_equal(responder_deadline(world->responder), TCPCT_NEVER);
    tcpct_close(world->connection);
    world_destroy(world);
}

static const struct responder_options collapsing = { .idle_us = 10000000,
                                                     .connections_max = 1,
                                                     .collapse = true };

/* Between two questions nothing is held, and the client does not notice. */
static void idle_collapses(void **state)
{
    (void)state;
    struct world *world = begin(&collapsing);
    connect_to(world, false, NULL);
    for (unsigned i = 1; i <= 3; i++) {
        ask(world, "ns.x. A");
        world_run(world, 2000000);
        assert_int_equal(count_answers(world), i);
        assert_int_equal(tcpct_connection_count(world->server), 1);
        world_run(world, 20000000);
        assert_int_equal(responder_counters(world->responder)->connections_now, 0);
        assert_int_equal(tcpct_connection_count(world->server), 0);
        assert_int_equal(tcpct_collapsed_count(world->server), 1);
        assert_int_equal(responder_deadline(world->responder), TCPCT_NEVER);
        assert_false(world->ended);
    }
    assert_int_equal(responder_counters(world->responder)->connections, 1);
    tcpct_close(world->connection);
    world_run(world, 2000000);
    assert_int_equal(tcpct_connection_count(world->server), 0);
    assert_int_equal(tcpct_collapsed_count(world->server), 0);
    world_destroy(world);
}

/* Half a query is held until the idle timeout. */
static void half_a_query_does_not_collapse(void **state)
{
    (void)state;
    struct world *world = begin(&collapsing);
    connect_to(world, false, NULL);
    world_run(world, 1000000);
    tcpct_send(world->connection, "\0\100half a query", 14);
    world_run(world, 8000000);
    assert_int_equal(tcpct_collapsed_count(world->server), 0);
    assert_false(world->ended);
    world_run(world, 4000000);
    assert_true(world->ended);
    assert_int_equal(responder_counters(world->responder)->connections_idle, 1);
    tcpct_close(world->connection);
    world_destroy(world);
}

/* At the limit of connections an idle one collapses before one is dropped. */
static void collapse_makes_room(void **state)
{
    (void)state;
    struct world *world = begin(&collapsing);
    connect_to(world, false, NULL);
    ask(world, "ns.x. A");
    world_run(world, 1000000);
    struct tcpct_connection *first = world->connection;
    connect_to(world, false, NULL);
    ask(world, "ns.x. A");
    world_run(world, 1000000);
    assert_int_equal(count_answers(world), 2);
    assert_int_equal(tcpct_collapsed_count(world->server), 1);
    assert_int_equal(responder_counters(world->responder)->connections_evicted, 0);
    tcpct_abort(first);
    tcpct_close(world->connection);
    world_destroy(world);
}

static void pipelined(void **state)
{
    (void)state;
    struct world *world = begin(&usual);
    connect_to(world, false, NULL);
    for (unsigned i = 0; i < 500; i++)
        ask(world, i % 100 == 0 ? "big.x. TXT" : "ns.x. A");
    world_run(world, 3000000);
    assert_int_equal(count_answers(world), 500);
    assert_int_equal(responder_counters(world->responder)->answers, 500);
    tcpct_close(world->connection);
    world_destroy(world);
}

static void half_close(void **state)
{
    (void)state;
    for (unsigned cookies = 0; cookies < 2; cookies++) {
        struct world *world = begin(&usual);
        connect_to(world, cookies == 1, NULL);
        ask(world, "ns.x. A");
        ask(world, "big.x. TXT");
        tcpct_shutdown(world->connection);
        world_run(world, 3000000);
        assert_int_equal(count_answers(world), 2);
        assert_true(world->ended);
        assert_int_equal(responder_counters(world->responder)->connections_now, 0);
        tcpct_close(world->connection);
        world_destroy(world);
    }
}

/* A client that does not read is not read from: of 200 large answers few are made. */
static void back_pressure(void **state)
{
    (void)state;
    struct world *world = begin(&usual);
    world->reading = false;
    connect_to(world, false, NULL);
    for (unsigned i = 0; i < 200; i++)
        ask(world, "big.x. TXT");
    world_run(world, 2000000);
    uint64_t answers = responder_counters(world->responder)->answers;
    assert_in_range(answers, 1, 60);
    world_run(world, 2000000);
    assert_int_equal(responder_counters(world->responder)->answers, answers);
    world->reading = true;
    for (unsigned i = 0; i < 20; i++) {
        world_read(world);
        world_run(world, 1000000);
        assert_int_equal(world->error, TCPCT_OK);
    }
    assert_int_equal(responder_counters(world->responder)->answers, 200);
    assert_int_equal(count_answers(world), 200);
    tcpct_close(world->connection);
    world_destroy(world);
}

/* Then it is idle too, and is aborted. */
static void never_reads(void **state)
{
    (void)state;
    struct world *world = begin(&usual);
    world->reading = false;
    connect_to(world, false, NULL);
    for (unsigned i = 0; i < 100; i++)
        ask(world, "big.x. TXT");
    world_run(world, 13000000);
    assert_int_equal(responder_counters(world->responder)->connections_now, 0);
    assert_int_equal(world->error, TCPCT_ERROR_RESET);
    tcpct_close(world->connection);
    world_destroy(world);
}

static void out_of_step(void **state)
{
    (void)state;
    struct world *world = begin(&usual);
    connect_to(world, false, NULL);
    ask(world, "ns.x. A");
    assert_int_equal(tcpct_send(world->connection, "\0\3abc", 5), 5);
    world_run(world, 1000000);
    assert_int_equal(responder_counters(world->responder)->framing_errors, 1);
    assert_int_equal(responder_counters(world->responder)->connections_now, 0);
    tcpct_close(world->connection);
    world_destroy(world);
}

/* At the limit the connection that has been idle longest makes room. */
static void limit(void **state)
{
    (void)state;
    struct responder_options options = { .idle_us = 10000000, .connections_max = 2 };
    struct world *world = begin(&options);
    struct tcpct_connection *connections[3];
    for (unsigned i = 0; i < 3; i++) {
        connect_to(world, false, NULL);
        connections[i] = world->connection;
        world_run(world, 100000);
    }
    assert_int_equal(responder_counters(world->responder)->connections, 3);
    assert_int_equal(responder_counters(world->responder)->connections_now, 2);
    assert_int_equal(responder_counters(world->responder)->connections_evicted, 1);
    assert_int_equal(tcpct_connection_error(connections[0]), TCPCT_ERROR_RESET);
    assert_int_equal(tcpct_connection_error(connections[1]), TCPCT_OK);
    for (unsigned i = 0; i < 3; i++)
        tcpct_close(connections[i]);
    world_destroy(world);
}

/* No more than so many connections of one client, whatever others have. */
static void limit_of_a_client(void **state)
{
    (void)state;
    struct responder_options options = { .idle_us = 10000000,
                                         .connections_max = 10,
                                         .client_max = 2 };
    struct world *world = begin(&options);
    struct tcpct_connection *connections[3];
    for (unsigned i = 0; i < 3; i++) {
        connect_to(world, false, NULL);
        connections[i] = world->connection;
        world_run(world, 100000);
    }
    assert_int_equal(responder_counters(world->responder)->connections_now, 2);
    assert_int_equal(responder_counters(world->responder)->connections_refused, 1);
    assert_int_equal(tcpct_connection_error(connections[2]), TCPCT_ERROR_RESET);
    tcpct_close(connections[0]);
    world_run(world, 100000);
    tcpct_close(connections[2]);
    connect_to(world, false, NULL); /* there is room again */
    ask(world, "ns.x. A");
    world_run(world, 100000);
    assert_int_equal(count_answers(world), 1);
    tcpct_close(connections[1]);
    tcpct_close(world->connection);
    world_destroy(world);
}

/* A connection that is old enough ends with an answer, in order. */
static void old_age(void **state)
{
    (void)state;
    struct responder_options options = { .idle_us = 10000000,
                                         .connections_max = 10,
                                         .life_us = 20000000 };
    struct world *world = begin(&options);
    connect_to(world, false, NULL);
    unsigned asked = 0;
    for (; !world->ended && asked < 10; asked++) {
        ask(world, "ns.x. A");
        world_run(world, 5000000);
    }
    assert_int_equal(asked, 5);
    assert_int_equal(count_answers(world), 5);
    assert_int_equal(responder_counters(world->responder)->connections_old, 1);
    tcpct_close(world->connection);
    world_destroy(world);
}

/* A byte now and then is no activity. */
static void dribble(void **state)
{
    (void)state;
    struct world *world = begin(&usual);
    uint8_t framed[514];
    frame(framed, "ns.x. A");
    connect_to(world, false, NULL);
    unsigned sent = 0;
    for (; !world->ended && world->error == TCPCT_OK && sent < 20; sent++) {
        tcpct_send(world->connection, framed + sent, 1);
        world_run(world, 1000000);
    }
    assert_in_range(sent, 9, 11);
    assert_int_equal(responder_counters(world->responder)->connections_idle, 1);
    tcpct_close(world->connection);
    world_destroy(world);
}

/* A zone goes to whom it may go to, in one message after the other, while other queries wait, and
 * over a connection with cookies too, which then ends; a client that does not read stops it. */
static void transfer_to(struct world *world, bool cookies)
{
    static const struct prefix anybody = { { .family = 4 }, 0 };
    world->of_zones.transfers = (struct prefixes){ &anybody, 1 };
    connect_to(world, cookies, cookies ? "x. AXFR" : NULL);
    if (!cookies) {
        ask(world, "x. AXFR");
        ask(world, "ns.x. A");
    }
    world_run(world, 3000000);
    unsigned messages = count_answers(world);
    assert_in_range(messages, 4, 7);
    assert_int_equal(world->ended, cookies);
    assert_int_equal(responder_counters(world->responder)->answers, cookies ? 1 : 2);
    tcpct_close(world->connection);
}

static void transfers(void **state)
{
    (void)state;
    for (unsigned cookies = 0; cookies < 2; cookies++) {
        struct world *world = begin(&usual);
        transfer_to(world, cookies);
        world_destroy(world);
    }
}

static void transfer_is_refused(void **state)
{
    (void)state;
    static const struct prefix other = { { 4, { 192, 0, 2 } }, 24 };
    struct world *world = begin(&usual);
    world->of_zones.transfers = (struct prefixes){ &other, 1 };
    connect_to(world, false, NULL);
    ask(world, "x. AXFR");
    world_run(world, 1000000);
    assert_string_equal(case_text(world->received + 2, world->received_size - 2), "REFUSED");
    tcpct_close(world->connection);
    world_destroy(world);
}

static void syn_answers_whole_queries_only(void **state)
{
    (void)state;
    struct world *world = begin(&usual);
    uint8_t framed[514], answer[1220];
    size_t size = frame(framed, "ns.x. A");
    struct tcpct_request request = { .bytes = framed, .size = size };
    size_t got = responder_answer_syn(world->responder, &request, answer, sizeof answer);
    assert_int_equal(got, 2 + dns_get16(answer));
    for (size_t room = 0; room < got; room++)
        assert_int_equal(responder_answer_syn(world->responder, &request, answer, room), 0);
    for (request.size = 0; request.size < size; request.size++)
        assert_int_equal(responder_answer_syn(world->responder, &request, answer, sizeof answer),
                         0);
    request.size = size + 1;
    assert_int_equal(responder_answer_syn(world->responder, &request, answer, sizeof answer), 0);
    request.size = frame(framed, "big.x. TXT");
    assert_int_equal(responder_answer_syn(world->responder, &request, answer, sizeof answer), 0);
    world_destroy(world);
}

static void counter_names(void **state)
{
    (void)state;
    size_t count = 0;
    while (responder_counter_name(count))
        count++;
    assert_int_equal(count, sizeof(struct responder_counters) / sizeof(uint64_t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_in_syn_ack),
        cmocka_unit_test(cookies_close),
        cmocka_unit_test(plain_stays_open),
        cmocka_unit_test(idle_collapses),
        cmocka_unit_test(half_a_query_does_not_collapse),
        cmocka_unit_test(collapse_makes_room),
        cmocka_unit_test(pipelined),
        cmocka_unit_test(half_close),
        cmocka_unit_test(back_pressure),
        cmocka_unit_test(never_reads),
        cmocka_unit_test(out_of_step),
        cmocka_unit_test(limit),
        cmocka_unit_test(limit_of_a_client),
        cmocka_unit_test(old_age),
        cmocka_unit_test(dribble),
        cmocka_unit_test(transfers),
        cmocka_unit_test(transfer_is_refused),
        cmocka_unit_test(syn_answers_whole_queries_only),
        cmocka_unit_test(counter_names),
    };
    return cmocka_run_group_tests_name("responder", tests, NULL, NULL);
}
