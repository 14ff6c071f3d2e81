/* stub_clients_test.c - clients of every kind on sockets of the loopback device; behind them the stub,
 * and a server on a stack to which packets go straight, in the turns of one loop.
 */
#include "tools/stub_clients.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/dns/dns_server.h"

enum { ANSWERS_MAX = 8 << 20 };

struct world {
    struct loop *loop;
    struct tcpct_stack *stacks[2]; /* the stub's, the server's */
    struct dns_server server;
    struct stub *stub;
    struct stub_clients *clients;
    struct socket_name name; /* where the clients ask */
    bool (*over)(struct world *world);
    int fd; /* of the test's client */
    uint8_t *got;
    size_t got_size, wanted; /* bytes */
    bool ended;
};

static void move(struct world *world, unsigned from, uint64_t now_us)
{
    static uint8_t bytes[TCPCT_PACKET_SIZE], reply_bytes[TCPCT_REPLY_SIZE];
    struct tcpct_packet packet = { .data = bytes, .size = sizeof bytes };
    while (tcpct_output(world->stacks[from], &packet, now_us)) {
        struct tcpct_packet reply = { .data = reply_bytes, .size = sizeof reply_bytes };
        tcpct_input(world->stacks[!from], &packet, &reply, now_us);
        if (reply.length > 0) {
            struct tcpct_packet none = { .data = bytes, .size = sizeof bytes };
            tcpct_input(world->stacks[from], &reply, &none, now_us);
        }
    }
}

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    struct world *world = context;
    struct tcpct_event event;
    (void)stack;
    for (unsigned i = 0; i < 2; i++) {
        tcpct_tick(world->stacks[i], now_us);
        while (tcpct_event(world->stacks[i], &event))
            if (i == 0)
                stub_event(world->stub, &event, now_us);
            else
                dns_server_event(&world->server, &event);
    }
    stub_tick(world->stub, now_us);
    stub_clients_tick(world->clients, now_us);
    for (unsigned i = 0; i < 2; i++)
        move(world, i, now_us);
    if (world->over(world))
        loop_stop(world->loop, 0);
    loop_deadline(world->loop, now_us + 100);
}

static struct tcpct_stack *make_stack(uint8_t last_byte)
{
    struct tcpct_config config = { .random = loop_random, .wall_clock_us = loop_wall_clock_us() };
    struct tcpct_address address = { 4, { 10, 0, 0, last_byte } };
    struct tcpct_stack *stack;
    assert_int_equal(tcpct_stack_create(&stack, &config, loop_clock_us()), TCPCT_OK);
    assert_int_equal(tcpct_address_add(stack, &address), TCPCT_OK);
    return stack;
}

/* A port that nothing has now. */
static uint16_t free_port(const struct tcpct_address *address)
{
    struct socket_name any = { .address = *address };
    struct sockaddr_in bound = { 0 };
    socklen_t size = sizeof bound;
    int fd = socket_listen(&any);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &size), 0);
    close(fd);
    return ntohs(bound.sin_port);
}

static struct world *world_create(struct stub_clients_options options)
{
    char error[256];
    struct world *world = calloc(1, sizeof *world);
    struct loop_handlers handlers = { .serve = serve, .context = world };
    struct tcpct_listen_options listen = { .port = 53, .parameters = TCPCT_PARAMETERS_DEFAULT };
    struct tcpct_listener *listener;
    struct stub_options stub_options = { .upstreams = { { { 4, { 10, 0, 0, 2 } }, 53 } },
                                         .upstream_count = 1,
                                         .parameters = TCPCT_PARAMETERS_DEFAULT,
                                         .queries_max = 1000,
                                         .connections_max = 100,
                                         .timeout_us = 60000000,
                                         .answer = stub_clients_answer };
    world->name.address = (struct tcpct_address){ 4, { 127, 0, 0, 1 } };
    world->name.port = free_port(&world->name.address);
    world->fd = -1;
    world->got = malloc(ANSWERS_MAX);
    world->loop = loop_create(NULL, NULL, &handlers);
    for (uint8_t i = 0; i < 2; i++)
        world->stacks[i] = make_stack(1 + i);
    assert_int_equal(tcpct_listen(world->stacks[1], &listen, &listener), TCPCT_OK);
    options.names[0] = world->name;
    options.name_count = 1;
    if (options.streams_max == 0)
        options.streams_max = 4;
    if (options.idle_us == 0)
        options.idle_us = 60000000;
    world->clients = stub_clients_open(&options, world->loop, error, sizeof error);
    assert_non_null(world->clients);
    stub_options.context = world->clients;
    world->stub = stub_create(&stub_options, world->stacks[0]);
    stub_clients_ask(world->clients, world->stub);
    return world;
}

static void world_destroy(struct world *world)
{
    stub_destroy(world->stub);
    stub_clients_close(world->clients);
    tcpct_stack_destroy(world->stacks[0]);
    tcpct_stack_destroy(world->stacks[1]);
    loop_destroy(world->loop);
    if (world->fd >= 0)
        close(world->fd);
    free(world->got);
    free(world);
}

static void run(struct world *world, bool (*over)(struct world *world))
{
    world->over = over;
    assert_int_equal(loop_run(world->loop), 0);
}

/* Reads what there is; over with all that is wanted, or with the end. */
static bool has_answers(struct world *world)
{
    ssize_t got = 0;
    while (!world->ended && (got = recv(world->fd, world->got + world->got_size,
                                        ANSWERS_MAX - world->got_size, MSG_DONTWAIT)) > 0)
        world->got_size += (size_t)got;
    world->ended |= got == 0 || (got < 0 && errno != EAGAIN);
    return world->ended || world->got_size >= world->wanted;
}

static size_t query(uint8_t frame[64], uint16_t id)
{
    uint8_t name[NAME_SIZE_MAX];
    char text[16];
    snprintf(text, sizeof text, "n%u", id);
    assert_true(name_parse(name, text) > 0);
    struct dns_question question = { .name = name, .id = id, .type = 1, .class = 1, .edns = true };
    size_t size = dns_query_write(frame + 2, 62, &question);
    dns_put16(frame, (uint16_t)size);
    return 2 + size;
}

/* Writes `count` queries at once, with ids from 0. */
static size_t write_queries(struct world *world, unsigned count)
{
    uint8_t *all = malloc(count * 64);
    size_t size = 0;
    for (unsigned i = 0; i < count; i++)
        size += query(all + size, (uint16_t)i);
    assert_int_equal(send(world->fd, all, size, MSG_NOSIGNAL), size);
    free(all);
    return size;
}

/* How many answers have come, each whole and to another query. */
static unsigned count_answers(const struct world *world)
{
    unsigned count = 0;
    bool seen[1000] = { false };
    for (size_t at = 0; at < world->got_size;) {
        uint16_t id = dns_get16(world->got + at + 2);
        assert_false(seen[id]);
        seen[id] = true;
        assert_int_equal(dns_get16(world->got + at + 4), DNS_FLAG_QR);
        at += 2u + dns_get16(world->got + at);
        assert_true(at <= world->got_size);
        count++;
    }
    return count;
}

/* ---- tests --------------------------------------------------------------------------------- */

static void datagrams(void **state)
{
    (void)state;
    uint8_t frame[64];
    struct world *world = world_create((struct stub_clients_options){ 0 });
    world->fd = socket_connect(&world->name, SOCK_DGRAM);
    size_t size = query(frame, 300);
    assert_int_equal(send(world->fd, "short", 5, 0), 5);
    assert_int_equal(send(world->fd, frame + 2, size - 2, 0), size - 2);
    world->wanted = 1;
    run(world, has_answers);
    assert_int_equal(world->got_size, size - 2);
    assert_int_equal(dns_get16(world->got), 300);
    assert_int_equal(dns_get16(world->got + 2), DNS_FLAG_QR);

    world->server.answer_size = DNS_UDP_SIZE + 1; /* more than the query takes */
    world->got_size = 0;
    assert_int_equal(send(world->fd, frame + 2, size - 2, 0), size - 2);
    run(world, has_answers);
    assert_int_equal(dns_get16(world->got + 2), DNS_FLAG_QR | DNS_FLAG_TC);
    assert_int_equal(stub_clients_counters(world->clients)->truncated, 1);
    assert_int_equal(stub_clients_counters(world->clients)->datagrams, 3);
    assert_int_equal(stub_clients_counters(world->clients)->datagrams_dropped, 1);
    world_destroy(world);
}

static bool is_connected(struct world *world)
{
    struct pollfd fd = { .fd = world->fd, .events = POLLOUT };
    return poll(&fd, 1, 0) == 1;
}

static void open_stream(struct world *world)
{
    world->fd = socket_connect(&world->name, SOCK_STREAM);
    run(world, is_connected);
}

static void many_queries_and_the_end(void **state)
{
    (void)state;
    struct world *world = world_create((struct stub_clients_options){ 0 });
    open_stream(world);
    write_queries(world, 200); /* more than it may have under way */
    shutdown(world->fd, SHUT_WR);
    world->wanted = ANSWERS_MAX;
    run(world, has_answers);
    assert_int_equal(count_answers(world), 200);
    assert_int_equal(stub_clients_counters(world->clients)->streams_now, 0);
    world_destroy(world);
}

static void byte_by_byte(void **state)
{
    (void)state;
    uint8_t frame[64];
    struct world *world = world_create((struct stub_clients_options){ 0 });
    open_stream(world);
    size_t size = query(frame, 7);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(send(world->fd, frame + i, 1, 0), 1);
        run(world, is_connected); /* a turn */
    }
    world->wanted = size;
    run(world, has_answers);
    assert_int_equal(count_answers(world), 1);
    world_destroy(world);
}

static void no_dns(void **state)
{
    (void)state;
    struct world *world = world_create((struct stub_clients_options){ 0 });
    open_stream(world);
    assert_int_equal(send(world->fd, "\0\3abc", 5, 0), 5);
    world->wanted = 1;
    run(world, has_answers);
    assert_true(world->ended);
    assert_int_equal(world->got_size, 0);
    assert_int_equal(stub_clients_counters(world->clients)->stream_errors, 1);
    world_destroy(world);
}

static bool nobody_asks(struct world *world)
{
    return stub_counters(world->stub)->queries_now == 0;
}

/* It asks and goes: its answers have nowhere to go, and nothing is kept. */
static void a_client_that_goes(void **state)
{
    (void)state;
    struct world *world = world_create((struct stub_clients_options){ 0 });
    open_stream(world);
    write_queries(world, 50);
    run(world, is_connected);
    socket_abort(world->fd);
    world->fd = -1;
    run(world, nobody_asks);
    world_destroy(world);
}

static bool all_are_waiting(struct world *world)
{
    return stub_counters(world->stub)->answers >= CLIENT_QUERIES_MAX;
}

/* Sixty-four answers of 60 kB are more than sockets hold: they wait, and all of them arrive. */
static void a_slow_reader(void **state)
{
    (void)state;
    struct world *world = world_create((struct stub_clients_options){ 0 });
    world->server.answer_size = 60000;
    open_stream(world);
    write_queries(world, 100);
    run(world, all_are_waiting);
    world->wanted = 100 * 60002;
    run(world, has_answers);
    assert_int_equal(count_answers(world), 100);
    assert_int_equal(stub_clients_counters(world->clients)->stream_queries, 100);
    world_destroy(world);
}

static void the_idle_one_makes_room(void **state)
{
    (void)state;
    struct world *world = world_create((struct stub_clients_options){ .streams_max = 2 });
    int fds[3];
    for (int i = 0; i < 3; i++) {
        open_stream(world);
        fds[i] = world->fd;
    }
    for (int i = 0; i < 3; i++) {
        world->fd = fds[i];
        world->ended = false;
        world->wanted = world->got_size + 1;
        if (i > 0)
            write_queries(world, 1);
        run(world, has_answers);
        assert_int_equal(world->ended, i == 0);
        world->got_size = 0;
    }
    assert_int_equal(stub_clients_counters(world->clients)->streams_evicted, 1);
    close(fds[0]);
    close(fds[1]);
    world_destroy(world);
}

static void idle_ones_are_closed(void **state)
{
    (void)state;
    struct world *world = world_create((struct stub_clients_options){ .idle_us = 20000 });
    open_stream(world);
    world->wanted = 1;
    run(world, has_answers);
    assert_true(world->ended);
    assert_int_equal(stub_clients_counters(world->clients)->streams_idle, 1);
    world_destroy(world);
}

static void a_port_that_is_taken(void **state)
{
    (void)state;
    char error[256];
    struct world *world = world_create((struct stub_clients_options){ 0 });
    struct stub_clients_options again = { .names = { world->name }, .name_count = 1 };
    assert_null(stub_clients_open(&again, world->loop, error, sizeof error));
    assert_non_null(strstr(error, "cannot listen on port"));
    world_destroy(world);
}

static void counters_have_names(void **state)
{
    (void)state;
    size_t count = 0;
    while (stub_clients_counter_name(count))
        count++;
    assert_int_equal(count, sizeof(struct stub_clients_counters) / sizeof(uint64_t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams),
        cmocka_unit_test(many_queries_and_the_end),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(no_dns),
        cmocka_unit_test(a_client_that_goes),
        cmocka_unit_test(a_slow_reader),
        cmocka_unit_test(the_idle_one_makes_room),
        cmocka_unit_test(idle_ones_are_closed),
        cmocka_unit_test(a_port_that_is_taken),
        cmocka_unit_test(counters_have_names),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
