/* bench_state.c - `tcpct bench state`: what connections cost that are not in use: the memory of
 * remembered ones (remember.h), and of collapsed ones (collapse.h) with others kept active beside them, and
 * the time that a revival takes, beside the kernel's handshake.
 *
 * The peers are written here, packet by packet, in memory: there is no device. Memory is what the
 * process has resident (/proc/self/statm); what the peers know is allocated and touched before. Times
 * are of one core, medians of single calls; the records are taken in random order, so that
 * they are in no cache.
 */
#include "tools/bench.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tcpct/segment.h"
#include "tcpct/seq.h"
#include "tcpct/tcb.h"
#include "tools/command.h"

enum {
    PORT = 53,
    QUERY = 40,
    ANSWER = 120,
    QUERIES = 200000,
    HANDSHAKES = 10000,
    TIME_WAITS = 16, /* of a client: then the oldest gives way */
};

static const struct tcpct_address locals[] = { { 4, { 192, 0, 2, 1 } }, { 6, { 0xfd, [15] = 1 } } };
static const uint32_t isn = 1000;
static const uint8_t text[ANSWER];
static const uint8_t cookie[COOKIE_SIZE_MAX] = "a peer's cookie";

/* What a peer knows of the stack. */
struct far_end {
    uint32_t sent, got; /* next sequence numbers: its own, the stack's */
    uint32_t timestamp; /* the last of the stack's */
};

static struct world {
    struct tcpct_stack *stack;
    struct tcpct_listener *listener;
    bool ipv6, client; /* client: the stack is the Initiator */
    struct far_end *peers;
    uint64_t now_us;
    uint8_t bytes[2048], output[TCPCT_PACKET_SIZE];
    struct segment last;             /* of the stack */
    uint8_t theirs[COOKIE_SIZE_MAX]; /* the stack's Cookie for the last exchange */
} world;

static _Noreturn void fail(const char *why)
{
    exit(command_error("bench", 1, "%s", why));
}

static void draw(void *context, void *bytes, size_t size)
{
    (void)context;
    arc4random_buf(bytes, size);
}

static double clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double resident_mb(void)
{
    char line[128], *end = line;
    FILE *in = fopen("/proc/self/statm", "re");
    if (in == NULL || fgets(line, sizeof line, in) == NULL)
        fail("cannot read /proc/self/statm");
    fclose(in);
    strtoull(line, &end, 10);
    return (double)strtoull(end, NULL, 10) * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

/* ---- the peers ----------------------------------------------------------------------------------- */

/* One in each address of 10.0.0.0/8, or of fd00::a00:0/104. */
static struct tcpct_address address_of(uint32_t number)
{
    struct tcpct_address address = { world.ipv6 ? 6 : 4, { 0xfd } };
    uint8_t *bytes = address.bytes + (world.ipv6 ? 12 : 0);
    bytes[0] = 10;
    for (unsigned i = 1; i < 4; i++)
        bytes[i] = (uint8_t)(number >> 8 * (3 - i));
    return address;
}

static struct segment begin(uint32_t number, uint8_t flags, uint32_t present)
{
    const struct far_end *peer = &world.peers[number];
    struct segment segment = {
        .source = address_of(number),
        .destination = locals[world.ipv6],
        .source_port = world.client ? PORT : 40000,
        .destination_port = world.client ? world.last.source_port : PORT,
        .seq = peer->sent,
        .ack = peer->got,
        .flags = flags,
        .hop_limit = 64,
        .window = 60000,
        .data = text,
        .options = { .present = present,
                     .mss = 1460,
                     .window_scale = 7,
                     .timestamp_size = 4,
                     .timestamp_value = (uint32_t)(world.now_us / MILLISECOND_US),
                     .timestamp_echo = peer->timestamp,
                     .cookie_size = COOKIE_SIZE_MAX },
    };
    bool theirs = world.client && present & OPTION_COOKIE_PAIR;
    memcpy(segment.options.initiator_cookie, theirs ? world.theirs : cookie, sizeof(cookie));
    memcpy(segment.options.responder_cookie, world.client ? cookie : world.theirs, sizeof(cookie));
    return segment;
}

static void write_packet(const struct segment *segment, struct tcpct_packet *packet)
{
    *packet = (struct tcpct_packet){ .data = world.bytes, .size = sizeof(world.bytes) };
    if (!segment_encode(segment, packet, false))
        fail("a packet does not fit");
    packet->partial_checksum = true; /* as a device with offload says */
}

static void learn(struct far_end *peer, const struct tcpct_packet *packet)
{
    if (segment_decode(&world.last, packet, NULL) != SEGMENT_OK)
        fail("the stack sent nothing sound");
    peer->got = world.last.seq + segment_length(&world.last);
    peer->timestamp = world.last.options.timestamp_value;
    if (world.last.options.present & OPTION_COOKIE)
        memcpy(world.theirs, world.last.options.initiator_cookie, sizeof(world.theirs));
}

/* Sends, and takes what the stack sends at once, if `number` has an answer due. */
static enum tcpct_verdict exchange(uint32_t number, const struct segment *segment)
{
    static uint8_t reply_bytes[TCPCT_REPLY_SIZE];
    struct far_end *peer = &world.peers[number];
    struct tcpct_packet packet, reply = { .data = reply_bytes, .size = sizeof(reply_bytes) };
    write_packet(segment, &packet);
    peer->sent += segment_length(segment);
    enum tcpct_verdict verdict = tcpct_input(world.stack, &packet, &reply, world.now_us);
    if (reply.length)
        learn(peer, &reply);
    return verdict;
}

static void take_output(uint32_t number)
{
    struct tcpct_packet packet = { .data = world.output, .size = sizeof(world.output) };
    while (tcpct_output(world.stack, &packet, world.now_us))
        learn(&world.peers[number], &packet);
}

static void send_segment(uint32_t number, const struct segment *segment)
{
    struct tcpct_event event;
    exchange(number, segment);
    take_output(number);
    while (tcpct_event(world.stack, &event)) {
    }
}

/* ---- the stack ----------------------------------------------------------------------------------- */

static void start(const struct tcpct_config *config, uint8_t cookie_desired)
{
    const struct tcpct_listen_options options = { .port = PORT,
                                                  .parameters.cookie_desired = cookie_desired };
    world.now_us = 1000ull * SECOND_US;
    if (tcpct_stack_create(&world.stack, config, world.now_us) != TCPCT_OK ||
        tcpct_address_add(world.stack, &locals[world.ipv6]) != TCPCT_OK ||
        tcpct_listen(world.stack, &options, &world.listener) != TCPCT_OK)
        fail("there is no memory for the stack");
}

static const uint32_t on_syn = OPTION_MSS | OPTION_SACK_PERMITTED | OPTION_WINDOW_SCALE;

/* A connection that was made, and has asked and been answered. */
static struct tcpct_connection *serve(uint32_t number, uint32_t with_syn, uint32_t with_opening)
{
    uint8_t query[QUERY];
    world.now_us += 10;
    world.peers[number] = (struct far_end){ .sent = isn };
    struct segment segment = begin(number, SEGMENT_SYN, on_syn | OPTION_TIMESTAMPS | with_syn);
    exchange(number, &segment);
    segment = begin(number, SEGMENT_ACK | SEGMENT_PSH, with_opening);
    segment.data_size = QUERY;
    exchange(number, &segment);
    struct tcpct_connection *connection = tcpct_accept(world.listener);
    if (!connection || tcpct_receive(connection, query, QUERY) != QUERY ||
        tcpct_send(connection, text, ANSWER) != ANSWER)
        fail("a connection was not made");
    take_output(number);
    return connection;
}

static void acknowledge(uint32_t number)
{
    const struct segment segment = begin(number, SEGMENT_ACK, OPTION_TIMESTAMPS);
    send_segment(number, &segment);
}

static struct tcpct_connection *serve_plain(uint32_t number)
{
    struct tcpct_connection *connection = serve(number, 0, OPTION_TIMESTAMPS);
    acknowledge(number);
    return connection;
}

static void collapse(struct tcpct_connection *connection)
{
    if (tcpct_collapse(connection, NULL, NULL) != TCPCT_OK)
        fail("a connection did not collapse");
}

static const uint32_t with_pair = OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR;

/* With cookies: a server ends it, and remembers. */
static void serve_and_remember(uint32_t number)
{
    struct tcpct_connection *connection = serve(number, OPTION_COOKIE, with_pair | on_syn);
    tcpct_close(connection);
    take_output(number);
    const struct segment segment = begin(number, SEGMENT_FIN | SEGMENT_ACK, with_pair);
    send_segment(number, &segment);
}

/* A client asks, is answered, and remembers. */
static void ask_and_remember(uint32_t number)
{
    const struct tcpct_connect_options options = { .remote = address_of(number),
                                                   .remote_port = PORT,
                                                   .parameters.cookie_desired = COOKIE_SIZE_MAX,
                                                   .request = text,
                                                   .request_size = QUERY };
    struct tcpct_connection *connection;
    uint8_t answer[ANSWER];
    world.now_us += 10;
    world.peers[number] = (struct far_end){ .sent = isn };
    if (tcpct_connect(world.stack, &options, &connection, world.now_us) != TCPCT_OK)
        fail("cannot connect");
    take_output(number);
    struct segment segment =
        begin(number, SEGMENT_SYN | SEGMENT_ACK, on_syn | OPTION_TIMESTAMPS | OPTION_COOKIE);
    send_segment(number, &segment);
    segment = begin(number, SEGMENT_FIN | SEGMENT_ACK, with_pair | on_syn);
    segment.data_size = ANSWER;
    send_segment(number, &segment);
    if (tcpct_receive(connection, answer, ANSWER) != ANSWER)
        fail("there was no answer");
    tcpct_close(connection);
    take_output(number);
    segment = begin(number, SEGMENT_ACK, with_pair);
    send_segment(number, &segment);
}

/* ---- memory -------------------------------------------------------------------------------------- */

/* Before memory is measured: the libraries take theirs with the first stack. */
static void make_ready(uint32_t count)
{
    const struct tcpct_config config = { .random = draw };
    world.peers = malloc(count * sizeof(*world.peers));
    if (!world.peers)
        fail("there is no memory for the peers");
    memset(world.peers, 1, count * sizeof(*world.peers));
    start(&config, COOKIE_SIZE_MAX);
    tcpct_stack_destroy(world.stack);
}

double bench_state_remembered(uint32_t records, bool ipv6, bool client)
{
    const struct tcpct_config config = { .random = draw,
                                         .connections_max = TIME_WAITS,
                                         .remembered_max = client ? 1 : records,
                                         .restartable_max = client ? records : 1 };
    make_ready(records);
    world.ipv6 = ipv6;
    world.client = client;
    double before = resident_mb();
    start(&config, COOKIE_SIZE_MAX);
    for (uint32_t i = 0; i < records; i++)
        (client ? ask_and_remember : serve_and_remember)(i);
    if (world.stack->remembered[client][ipv6].table.count != records ||
        tcpct_connection_count(world.stack) > (client ? TIME_WAITS : 0))
        fail("not all have ended and are remembered");
    double mb = resident_mb() - before;
    tcpct_stack_destroy(world.stack);
    free(world.peers);
    world.ipv6 = world.client = false;
    return mb;
}

/* Both stay for what follows. */
static void measure_collapsed(uint32_t records, uint32_t active, struct bench_state *found)
{
    const struct tcpct_config config = { .random = draw,
                                         .connections_max = active + 1,
                                         .memory_budget = ((size_t)active + 256) * 16384,
                                         .collapsed_max = records,
                                         .collapse_always = true };
    double before = resident_mb();
    start(&config, 0);
    for (uint32_t i = 0; i < records; i++)
        collapse(serve_plain(i));
    if (tcpct_collapsed_count(world.stack) != records)
        fail("not all have collapsed");
    double between = resident_mb();
    found->collapsed_mb = between - before;
    for (uint32_t i = 0; i < active; i++)
        serve_plain(records + i);
    found->active_mb = resident_mb() - between;
}

/* ---- time ---------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *samples, size_t count)
{
    qsort(samples, count, sizeof(*samples), compare);
    return samples[count / 2];
}

/* One segment with a query, to a collapsed connection or (active) another. The time is of tcpct_input
 * alone, less that of taking the time. */
static double one_query(uint32_t number, struct tcpct_connection **connection)
{
    static uint8_t reply_bytes[TCPCT_REPLY_SIZE];
    struct tcpct_packet packet, reply = { .data = reply_bytes, .size = sizeof(reply_bytes) };
    uint8_t query[QUERY];
    struct tcpct_event event;
    struct segment segment = begin(number, SEGMENT_ACK | SEGMENT_PSH, OPTION_TIMESTAMPS);
    segment.data_size = QUERY;
    write_packet(&segment, &packet);
    double start_us = clock_us(), empty_us = clock_us();
    if (tcpct_input(world.stack, &packet, &reply, world.now_us) != TCPCT_ACCEPTED)
        fail("a query was not accepted");
    double end_us = clock_us();
    world.peers[number].sent += QUERY;
    if (!tcpct_event(world.stack, &event) ||
        tcpct_receive(event.connection, query, QUERY) != QUERY ||
        tcpct_send(event.connection, text, ANSWER) != ANSWER)
        fail("a query was not read");
    take_output(number);
    acknowledge(number);
    *connection = event.connection;
    return end_us - empty_us - (empty_us - start_us);
}

static double measure_queries(uint32_t first, uint32_t count, bool collapsed)
{
    static double samples[QUERIES];
    uint32_t queries = count < QUERIES ? count : QUERIES;
    for (uint32_t i = 0; i < queries; i++) {
        struct tcpct_connection *connection;
        world.now_us += 10;
        samples[i] = one_query(first + arc4random_uniform(count), &connection);
        if (collapsed)
            collapse(connection);
    }
    return median(samples, queries);
}

static int listen_on_loopback(struct sockaddr_in *address)
{
    socklen_t size = sizeof(*address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    *address =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (listener < 0 || bind(listener, (struct sockaddr *)address, size) != 0 ||
        listen(listener, 128) != 0 || getsockname(listener, (struct sockaddr *)address, &size) != 0)
        fail("cannot listen on the loopback device");
    return listener;
}

/* Both ends of the kernel's, in one thread; a reset ends each, so that no TIME-WAIT is left. */
static double measure_handshakes(uint32_t count)
{
    const struct linger at_once = { .l_onoff = 1 };
    struct sockaddr_in address;
    static double samples[HANDSHAKES];
    int listener = listen_on_loopback(&address);
    for (uint32_t i = 0; i < count; i++) {
        int client = socket(AF_INET, SOCK_STREAM, 0);
        double start_us = clock_us();
        if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof(address)) != 0)
            fail("cannot connect over the loopback device");
        int server = accept(listener, NULL, NULL);
        samples[i] = clock_us() - start_us;
        setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(client);
        close(server);
    }
    close(listener);
    return median(samples, count);
}

void bench_state_collapsed(uint32_t records, uint32_t active, struct bench_state *found)
{
    make_ready(records + active);
    measure_collapsed(records, active, found);
    found->collapsed_us = measure_queries(0, records, true);
    found->active_us = measure_queries(records, active, false);
    found->handshake_us = measure_handshakes(records < HANDSHAKES ? records : HANDSHAKES);
    tcpct_stack_destroy(world.stack);
    free(world.peers);
}
