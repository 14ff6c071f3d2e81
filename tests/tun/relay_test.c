/* relay_test.c - two relays back to back: a descriptor, a stack, another stack, a socket. Packets go
 * straight from one stack to the other, in the turns of one loop.
 */
#include "tun/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PORT = 80, STREAM_SIZE = 5000000, LONG_SIZE = 100000000 };

static const uint64_t patience_us = 20000000;

struct world {
    struct loop *loop;
    struct tcpct_stack *stacks[2]; /* the descriptor's, the socket's */
    struct relays *relays[2];
    int listener, client, server; /* the test's ends; -1: not there (any more) */
    bool (*over)(struct world *world);
    uint64_t sent[2], received[2]; /* from client to server and back */
    bool ended[2];                 /* the reader of that direction saw its end */
    bool cut[2];                   /* the network loses what this stack sends */
    int error;                     /* of the descriptor's relay, once it has ended */
    unsigned ends;
};

static void relay_ended(void *context, int error)
{
    struct world *world = context;
    world->error = error;
    world->ends++;
}

static void move(struct world *world, unsigned from, uint64_t now_us)
{
    static uint8_t bytes[TCPCT_PACKET_SIZE], reply_bytes[TCPCT_REPLY_SIZE];
    struct tcpct_packet packet = { .data = bytes, .size = sizeof bytes };
    while (tcpct_output(world->stacks[from], &packet, now_us)) {
        struct tcpct_packet reply = { .data = reply_bytes, .size = sizeof reply_bytes };
        if (world->cut[from])
            continue;
        tcpct_input(world->stacks[!from], &packet, &reply, now_us);
        if (reply.length > 0) {
            struct tcpct_packet none = { .data = bytes, .size = sizeof bytes };
            tcpct_input(world->stacks[from], &reply, &none, now_us);
        }
    }
}

static void serve_stack(struct world *world, unsigned i, uint64_t now_us)
{
    tcpct_tick(world->stacks[i], now_us);
    relays_serve(world->relays[i], now_us);
}

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    struct world *world = context;
    (void)stack;
    for (unsigned i = 0; i < 2; i++)
        serve_stack(world, i, now_us);
    for (unsigned i = 0; i < 2; i++)
        move(world, i, now_us);
    if (world->server < 0)
        world->server = socket_accept(world->listener);
    if (world->over(world))
        loop_stop(world->loop, 0);
    loop_deadline(world->loop, now_us + 100);
}

static struct tcpct_stack *make_stack(uint8_t last_byte)
{
    struct tcpct_config config = { .random = loop_random,
                                   .wall_clock_us = loop_wall_clock_us(),
                                   .send_buffer_max = 100000,
                                   .receive_buffer_max = 100000 };
    struct tcpct_address address = { 4, { 10, 0, 0, last_byte } };
    struct tcpct_stack *stack;
    assert_int_equal(tcpct_stack_create(&stack, &config, loop_clock_us()), TCPCT_OK);
    assert_int_equal(tcpct_address_add(stack, &address), TCPCT_OK);
    return stack;
}

static struct world *world_create(bool idempotent)
{
    struct world *world = calloc(1, sizeof *world);
    struct loop_handlers handlers = { .serve = serve, .context = world };
    struct relays_options options = {
        .relays_max = 2,
        .connect = { .remote = { 4, { 10, 0, 0, 2 } },
                     .remote_port = PORT,
                     .restart = true,
                     .parameters = TCPCT_PARAMETERS_DEFAULT },
        .idempotent = idempotent,
        .linger = true,
        .to = { .address = { 4, { 127, 0, 0, 1 } } },
        .ended = relay_ended,
        .context = world,
    };
    struct sockaddr_in bound = { 0 };
    socklen_t size = sizeof bound;
    world->client = world->server = -1;
    world->listener = socket_listen(&options.to);
    assert_int_equal(getsockname(world->listener, (struct sockaddr *)&bound, &size), 0);
    options.to.port = ntohs(bound.sin_port);
    world->loop = loop_create(NULL, NULL, &handlers);
    for (unsigned i = 0; i < 2; i++) {
        world->stacks[i] = make_stack((uint8_t)(1 + i));
        world->relays[i] = relays_create(&options, world->loop, world->stacks[i]);
        options.ended = NULL;
    }
    struct tcpct_listen_options listen = { .port = PORT, .parameters = TCPCT_PARAMETERS_DEFAULT };
    struct tcpct_listener *listener;
    assert_int_equal(tcpct_listen(world->stacks[1], &listen, &listener), TCPCT_OK);
    return world;
}

static void world_destroy(struct world *world)
{
    for (unsigned i = 0; i < 2; i++) {
        relays_destroy(world->relays[i]);
        tcpct_stack_destroy(world->stacks[i]);
    }
    loop_destroy(world->loop);
    close(world->listener);
    if (world->client >= 0)
        close(world->client);
    if (world->server >= 0)
        close(world->server);
    free(world);
}

static bool run(struct world *world, bool (*over)(struct world *world))
{
    uint64_t end_us = loop_clock_us() + patience_us;
    world->over = over;
    while (loop_clock_us() < end_us) {
        loop_run(world->loop);
        return true;
    }
    return false;
}

/* A relay whose client end the test has. */
static void begin(struct world *world)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    world->client = pair[0];
    world->server = -1;
    assert_true(relay_from_descriptors(world->relays[0], pair[1], pair[1], loop_clock_us()));
}

/* Writes as much as is taken, up to `size` in all, then ends. */
static void feed(int fd, uint64_t *sent, uint64_t size)
{
    static uint8_t bytes[30000];
    while (fd >= 0 && *sent < size) {
        size_t chunk = size - *sent < sizeof bytes ? (size_t)(size - *sent) : sizeof bytes;
        for (size_t i = 0; i < chunk; i++)
            bytes[i] = (uint8_t)((*sent + i) * 31 >> 3);
        ssize_t wrote = write(fd, bytes, chunk);
        if (wrote < 0)
            return;
        *sent += (uint64_t)wrote;
        if (*sent == size)
            assert_int_equal(shutdown(fd, SHUT_WR), 0);
    }
}

static void drain(int fd, uint64_t *received, bool *ended)
{
    static uint8_t bytes[30000];
    ssize_t got;
    while (fd >= 0 && !*ended && (got = read(fd, bytes, sizeof bytes)) >= 0) {
        for (ssize_t i = 0; i < got; i++)
            assert_int_equal(bytes[i], (uint8_t)((*received + (uint64_t)i) * 31 >> 3));
        *received += (uint64_t)got;
        *ended = got == 0;
    }
}

static bool both_streams_through(struct world *world)
{
    feed(world->client, &world->sent[0], STREAM_SIZE);
    feed(world->server, &world->sent[1], STREAM_SIZE);
    drain(world->server, &world->received[0], &world->ended[0]);
    drain(world->client, &world->received[1], &world->ended[1]);
    return world->ends == 1;
}

/* Far more than all buffers together, both ways at once; both ends pass through. */
static void streams_pass(void **state)
{
    (void)state;
    for (int idempotent = 0; idempotent < 2; idempotent++) {
        struct world *world = world_create(idempotent);
        begin(world);
        assert_true(run(world, both_streams_through));
        assert_int_equal(world->error, 0);
        assert_int_equal(world->received[0], STREAM_SIZE);
        assert_int_equal(world->received[1], STREAM_SIZE);
        const struct relay_counters *counters = relays_counters(world->relays[0]);
        assert_int_equal(counters->bytes_to_stack, STREAM_SIZE);
        assert_int_equal(counters->bytes_from_stack, STREAM_SIZE);
        assert_int_equal(counters->relays_now, 0);
        assert_int_equal(counters->relays_failed, 0);
        world_destroy(world);
    }
}

/* The server reads only after the client's end: nothing is lost, whoever ends first. */
static bool answered_after_the_end(struct world *world)
{
    feed(world->client, &world->sent[0], 1000);
    drain(world->server, &world->received[0], &world->ended[0]);
    if (world->ended[0])
        feed(world->server, &world->sent[1], 300000);
    drain(world->client, &world->received[1], &world->ended[1]);
    return world->ends == 1;
}

static void half_close_passes(void **state)
{
    (void)state;
    struct world *world = world_create(true);
    begin(world);
    assert_true(run(world, answered_after_the_end));
    assert_int_equal(world->error, 0);
    assert_int_equal(world->received[0], 1000);
    assert_int_equal(world->received[1], 300000);
    world_destroy(world);
}

/* A second connection is a restart of the first, whether its data may be repeated or not. */
static void the_next_is_a_restart(void **state)
{
    (void)state;
    for (int idempotent = 0; idempotent < 2; idempotent++) {
        struct world *world = world_create(idempotent);
        for (int i = 0; i < 2; i++) {
            begin(world);
            assert_true(run(world, answered_after_the_end));
            assert_int_equal(world->received[1], 300000);
            close(world->client);
            close(world->server);
            memset(world->sent, 0, sizeof world->sent);
            memset(world->received, 0, sizeof world->received);
            world->ended[0] = world->ended[1] = false;
            world->ends = 0;
        }
        world->client = world->server = -1;
        for (int i = 0; i < 2; i++) {
            struct tcpct_counters counters;
            tcpct_counters(world->stacks[i], &counters);
            assert_int_equal(counters.restarts, 1);
            assert_int_equal(counters.restarts_lost, 0);
        }
        world_destroy(world);
    }
}

static bool reader_is_slow(struct world *world)
{
    feed(world->client, &world->sent[0], LONG_SIZE);
    return world->server >= 0 && world->sent[0] == world->sent[1] &&
           loop_clock_us() > world->received[1] + 100000;
}

static bool note_progress(struct world *world)
{
    bool same = reader_is_slow(world);
    if (world->sent[0] != world->sent[1])
        world->received[1] = loop_clock_us();
    world->sent[1] = world->sent[0];
    return same;
}

/* Nobody reads: what is taken from the writer is bounded by the buffers on the way. */
static void a_slow_reader_slows_its_writer(void **state)
{
    (void)state;
    struct world *world = world_create(false);
    begin(world);
    assert_true(run(world, note_progress));
    assert_true(relays_counters(world->relays[0])->bytes_to_stack < LONG_SIZE / 2);
    world_destroy(world);
}

static bool client_ended(struct world *world)
{
    drain(world->client, &world->received[1], &world->ended[1]);
    return world->ends == 1;
}

static bool server_resets(struct world *world)
{
    feed(world->client, &world->sent[0], STREAM_SIZE);
    if (world->server >= 0) {
        socket_abort(world->server);
        world->server = -2; /* no other */
    }
    return client_ended(world);
}

static void a_reset_passes(void **state)
{
    (void)state;
    struct world *world = world_create(false);
    begin(world);
    assert_true(run(world, server_resets));
    assert_int_not_equal(world->error, 0);
    assert_int_equal(relays_counters(world->relays[1])->relays_failed, 1);
    world_destroy(world);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct world *world = world_create(false);
    close(world->listener);
    world->listener = -1;
    begin(world);
    world->server = -2;
    assert_true(run(world, client_ended));
    assert_int_not_equal(world->error, 0);
    world_destroy(world);
}

static void no_more_than_asked_for(void **state)
{
    (void)state;
    struct world *world = world_create(true);
    int pair[2], pairs[2];
    begin(world);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pairs), 0);
    assert_true(relay_from_descriptors(world->relays[0], pairs[1], pairs[1], 0));
    assert_true(relays_full(world->relays[0]));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    assert_false(relay_from_descriptors(world->relays[0], pair[1], pair[1], 0));
    assert_int_equal(relays_counters(world->relays[0])->relays_refused, 1);
    close(pair[0]);
    close(pairs[0]); /* it has said nothing: there is no connection, and no error */
    assert_true(run(world, client_ended));
    assert_int_equal(world->error, 0);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_pass),           cmocka_unit_test(half_close_passes),
        cmocka_unit_test(the_next_is_a_restart),  cmocka_unit_test(a_slow_reader_slows_its_writer),
        cmocka_unit_test(a_reset_passes),         cmocka_unit_test(nobody_listens),
        cmocka_unit_test(no_more_than_asked_for),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
