/* world.c - a responder and its client: see world.h. */
#include "tests/dns/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STEP_US = 1000, PORT = 53, RECEIVED_MAX = 1 << 24 };

static void fill_random(void *context, void *bytes, size_t size)
{
    static uint32_t state = 1;
    (void)context;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        ((uint8_t *)bytes)[i] = (uint8_t)(state >> 24);
    }
}

static struct tcpct_stack *make_stack(const struct world *world, uint8_t last_byte)
{
    struct tcpct_config config = { .random = fill_random,
                                   .wall_clock_us = 1800000000000000,
                                   .collapsed_max = 8,
                                   .collapse_after_us = 3000000 };
    struct tcpct_address address = { 4, { 10, 0, 0, last_byte } };
    struct tcpct_stack *stack;
    assert_int_equal(tcpct_stack_create(&stack, &config, world->now_us), TCPCT_OK);
    assert_int_equal(tcpct_address_add(stack, &address), TCPCT_OK);
    return stack;
}

struct world *world_create(const struct responder_options *options, struct dns_zones *zones)
{
    struct world *world = calloc(1, sizeof *world);
    world->now_us = 1000000;
    world->reading = true;
    world->received = malloc(RECEIVED_MAX);
    world->zones = zones;
    world->client = make_stack(world, 1);
    world->server = make_stack(world, 2);
    world->of_zones = (struct dns_server){ .zones = world->zones };
    world->responder = responder_create(options, &world->of_zones);
    struct tcpct_listen_options listen = {
        .port = PORT,
        .parameters = TCPCT_PARAMETERS_DEFAULT,
        .answer = responder_answer_syn,
        .answer_context = world->responder,
    };
    listen.parameters.syn_ack_data_limit = 1220;
    assert_int_equal(tcpct_listen(world->server, &listen, &world->listener), TCPCT_OK);
    return world;
}

void world_destroy(struct world *world)
{
    responder_destroy(world->responder);
    tcpct_stack_destroy(world->client);
    tcpct_stack_destroy(world->server);
    dns_zones_free(world->zones);
    free(world->received);
    free(world);
}

/* Moves everything that one stack has to the other. */
static bool move(struct world *world, struct tcpct_stack *from, struct tcpct_stack *to)
{
    static uint8_t bytes[TCPCT_PACKET_SIZE], reply_bytes[TCPCT_REPLY_SIZE];
    struct tcpct_packet packet = { .data = bytes, .size = sizeof bytes };
    bool any = false;
    while (tcpct_output(from, &packet, world->now_us)) {
        struct tcpct_packet reply = { .data = reply_bytes, .size = sizeof reply_bytes };
        any = true;
        world->packets++;
        tcpct_input(to, &packet, &reply, world->now_us);
        if (reply.length > 0) {
            struct tcpct_packet none = { .data = bytes, .size = sizeof bytes };
            world->packets++;
            tcpct_input(from, &reply, &none, world->now_us);
            break; /* the reply changed what is to be sent */
        }
    }
    return any;
}

void world_read(struct world *world)
{
    struct tcpct_event event;
    while (tcpct_event(world->client, &event))
        if (event.flags & TCPCT_EVENT_ERROR)
            world->error = tcpct_connection_error(event.connection);
    while (world->connection && world->reading && !world->ended) {
        ptrdiff_t got =
            tcpct_receive(world->connection, world->received + world->received_size, 65536);
        if (got == TCPCT_ERROR_CLOSED)
            world->ended = true;
        if (got <= 0)
            break;
        world->received_size += (size_t)got;
    }
    if (world->one_answer && world->connection && world->received_size > 0) {
        tcpct_close(world->connection);
        world->connection = NULL;
    }
}

void world_settle(struct world *world)
{
    bool moved = true;
    while (moved) {
        tcpct_tick(world->client, world->now_us);
        tcpct_tick(world->server, world->now_us);
        world_read(world);
        responder_serve(world->responder, world->server, world->now_us);
        moved = move(world, world->client, world->server);
        moved |= move(world, world->server, world->client);
    }
}

void world_run(struct world *world, uint64_t duration_us)
{
    uint64_t end_us = world->now_us + duration_us;
    for (; world->now_us <= end_us; world->now_us += STEP_US)
        world_settle(world);
}

void world_connect(struct world *world, bool cookies, const uint8_t *request, size_t size)
{
    struct tcpct_connect_options options = {
        .remote = { 4, { 10, 0, 0, 2 } },
        .remote_port = PORT,
        .parameters = TCPCT_PARAMETERS_DEFAULT,
    };
    options.parameters.cookie_desired = cookies ? 16 : 0;
    if (size > 0) {
        options.parameters.syn_data_limit = 496;
        options.request = request;
        options.request_size = size;
    }
    assert_int_equal(tcpct_connect(world->client, &options, &world->connection, world->now_us),
                     TCPCT_OK);
}
