/* stack_fuzz.c - a stack with a listener and connections in several states gets packets that the
 * fuzzer composes, while time passes and an application does what it likes.
 *
 * The input is a program: each operation is a byte and its arguments. Segments are mostly composed
 * (so that addresses, checksums, numbers near the window, and cookies are right often enough to
 * get past the first tests), sometimes raw. What the stack sends is watched, since its numbers,
 * timestamps and cookies are what the next composed segment builds on.
 *
 * Beside what the sanitizers find: every packet in has one verdict; what goes out is well-formed
 * and comes to an end; pools and memory stay inside their bounds; after a tick no deadline is
 * past; a <SYN> leaves no state; replies are no larger than thrice the request; and when the
 * stack is destroyed everything is returned.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tcpct/md5sig.h"
#include "tests/tcpct/generate.h"

enum {
    PORT = 53,
    FLOWS = 6,   /* peers' ports, for either family */
    HANDLES = 8, /* connections that the application holds */
    CONNECTIONS_MAX = 6,
    COLLAPSED_MAX = 2, /* of either family */
    BUDGET = 1 << 17,
    OUTPUT_MAX = 4096, /* packets after one operation */
    OPERATIONS_MAX = 400,
};

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

/* What the harness knows of a pair of endpoints, from the stack's packets. */
struct flow {
    uint16_t stack_port, peer_port;
    uint32_t peer_next, stack_next; /* acknowledged by the stack; one past what it sent */
    uint32_t stack_timestamp, timestamp;
    uint8_t cookie_size;
    bool peer_is_initiator;
    uint8_t peer_cookie[COOKIE_SIZE_MAX], stack_cookie[COOKIE_SIZE_MAX];
    uint8_t timestamp_size; /* bytes that the stack last used, and their prefixes */
    uint8_t stack_prefix[12], prefix[12];
};

struct world {
    const uint8_t *at, *end; /* the fuzzer's input */
    struct tcpct_stack *stack;
    struct tcpct_listener *listener;
    struct tcpct_connection *handles[HANDLES];
    struct flow flows[2][FLOWS]; /* of IPv4, of IPv6 */
    struct tcpct_address stack_address[2], peer_address[2];
    struct generator random;
    uint64_t collapsed; /* the id of the last */
    uint64_t now_us;
    size_t blocks, bytes;
    size_t stack_bytes;    /* of the stack when it is new, tables included */
    struct md5sig *md5sig; /* NULL: the IPv6 peer does not sign either */
    size_t signer_bytes;
};

/* ---- the input ----------------------------------------------------------------------------- */

static uint32_t take(struct world *world, unsigned size)
{
    uint32_t value = 0;
    while (size-- && world->at < world->end)
        value = value << 8 | *world->at++;
    return value;
}

/* A number near `base` more often than not. */
static uint32_t take_near(struct world *world, uint32_t base)
{
    uint32_t how = take(world, 1);
    if (how < 128)
        return base;
    if (how < 192)
        return base + (uint32_t)(int8_t)take(world, 1);
    if (how < 240)
        return base + (uint32_t)(int16_t)take(world, 2);
    return take(world, 4);
}

/* ---- the stack's surroundings -------------------------------------------------------------- */

struct header {
    size_t size;
    size_t padding; /* malloc's alignment */
};

static void *allocate(void *context, size_t size)
{
    struct world *world = context;
    struct header *header = malloc(sizeof(*header) + size);
    CHECK(header);
    header->size = size;
    world->blocks++;
    world->bytes += size;
    return header + 1;
}

static void release(void *context, void *memory)
{
    struct world *world = context;
    struct header *header = (struct header *)memory - 1;
    world->blocks--;
    world->bytes -= header->size;
    free(header);
}

static void draw(void *context, void *bytes, size_t size)
{
    generate_bytes(&((struct world *)context)->random, bytes, size);
}

static void trace(void *context, const struct tcpct_trace_event *event)
{
    char text[200];
    (void)context;
    CHECK(tcpct_trace_text(event, text, sizeof(text)) < sizeof(text));
}

static size_t answer(const void *context, const struct tcpct_request *request, uint8_t *bytes,
                     size_t room)
{
    (void)context;
    size_t size = request->size ? request->bytes[0] * 4u : 0;
    if (size > room)
        return 0;
    memset(bytes, 0x5a, size);
    return size;
}

/* ---- packets out --------------------------------------------------------------------------- */

static struct flow *flow_of(struct world *world, const struct segment *segment)
{
    unsigned family = segment->source.family == 6;
    for (unsigned i = 0; i < FLOWS; i++)
        if (world->flows[family][i].peer_port == segment->destination_port &&
            world->flows[family][i].stack_port == segment->source_port)
            return &world->flows[family][i];
    return NULL;
}

/* Whatever the stack sends is in order, and is learnt from. */
static void watch(struct world *world, const struct tcpct_packet *packet)
{
    struct segment segment;
    CHECK(packet->length > 0 && packet->length <= packet->size);
    CHECK(segment_decode(&segment, packet, NULL) == SEGMENT_OK);
    CHECK(segment.options.ignored == 0);
    segment.key = md5sig_find(world->md5sig, &segment.destination);
    CHECK(!segment.key || md5sig_verify(world->md5sig, segment.key, packet, &segment));
    struct flow *flow = flow_of(world, &segment);
    if (!flow)
        return;
    if (!(segment.flags & SEGMENT_RST)) {
        flow->stack_next = segment.seq + segment_length(&segment);
        if (segment.flags & SEGMENT_ACK)
            flow->peer_next = segment.ack;
    }
    if (segment.options.timestamp_size)
        flow->stack_timestamp = segment.options.timestamp_value;
    flow->timestamp_size = segment.options.timestamp_size;
    if (segment.options.timestamp_size > 4) {
        memcpy(flow->stack_prefix, segment.options.timestamp_value_prefix, 12);
        memcpy(flow->prefix, segment.options.timestamp_echo_prefix, 12);
    }
    if (segment.options.present & OPTION_COOKIE) {
        memcpy(flow->stack_cookie, segment.options.initiator_cookie, COOKIE_SIZE_MAX);
        flow->cookie_size = segment.options.cookie_size;
        flow->peer_is_initiator = segment.flags & SEGMENT_ACK;
    }
}

static void drain(struct world *world)
{
    static uint8_t bytes[TCPCT_PACKET_SIZE];
    struct tcpct_counters counters;
    uint64_t verdicts = 0;
    unsigned count = 0;
    tcpct_tick(world->stack, world->now_us);
    for (;;) {
        struct tcpct_packet packet = { .data = bytes, .size = sizeof(bytes) };
        if (!tcpct_output(world->stack, &packet, world->now_us))
            break;
        watch(world, &packet);
        CHECK(++count < OUTPUT_MAX);
    }
    tcpct_tick(world->stack, world->now_us);
    CHECK(tcpct_deadline(world->stack) > world->now_us);
    CHECK(tcpct_connection_count(world->stack) <= CONNECTIONS_MAX);
    CHECK(world->bytes <
          world->stack_bytes + BUDGET + 2 * world->signer_bytes + CONNECTIONS_MAX * 8192);
    tcpct_counters(world->stack, &counters);
    for (unsigned i = 0; i < TCPCT_VERDICTS; i++)
        verdicts += counters.verdicts[i];
    CHECK(verdicts == counters.packets_in);
}

/* ---- signatures (RFC 2385) ----------------------------------------------------------------- */

static const char key[] = "of the IPv6 peer";

static void begin_signing(struct world *world)
{
    struct memory memory = { .allocate = allocate, .release = release, .context = world };
    const struct tcpct_address *peer = &world->peer_address[1];
    CHECK(tcpct_md5_key_set(world->stack, peer, key, sizeof(key)) == TCPCT_OK);
    size_t before = world->bytes;
    CHECK(md5sig_create(&world->md5sig, &memory) == TCPCT_OK);
    CHECK(md5sig_set(world->md5sig, peer, key, sizeof(key)));
    world->signer_bytes = world->bytes - before;
}

static void end_signing(struct world *world)
{
    struct memory memory = { .allocate = allocate, .release = release, .context = world };
    md5sig_destroy(world->md5sig, &memory);
}

/* Encodes what a peer sends, signed where that is due and `right`. */
static bool encode(const struct world *world, struct segment *segment, bool right,
                   struct tcpct_packet *packet)
{
    segment->key = right ? md5sig_find(world->md5sig, &segment->source) : NULL;
    if (segment->key)
        segment->options.present |= OPTION_MD5;
    return md5sig_encode(world->md5sig, segment, packet, false);
}

/* ---- packets in ---------------------------------------------------------------------------- */

static void input(struct world *world, const struct tcpct_packet *packet)
{
    uint8_t bytes[TCPCT_REPLY_SIZE];
    struct tcpct_packet reply = { .data = bytes, .size = sizeof(bytes) };
    size_t connections = tcpct_connection_count(world->stack);
    enum tcpct_verdict verdict = tcpct_input(world->stack, packet, &reply, world->now_us);
    CHECK(verdict < TCPCT_VERDICTS);
    CHECK(reply.length <= sizeof(bytes));
    struct segment segment;
    if (reply.length == 0 || segment_decode(&segment, &reply, NULL) == SEGMENT_NOT_TCP)
        return; /* nothing, or an echo */
    watch(world, &reply);
    CHECK(segment_decode(&segment, &reply, NULL) == SEGMENT_OK);
    if (segment.flags & SEGMENT_SYN) {
        CHECK(tcpct_connection_count(world->stack) <= connections);
        CHECK(segment.data_size == 0 || reply.length <= 3 * packet->length);
    }
}

/* The right prefixes of larger timestamps, once there are any. */
static void fill_prefixes(const struct flow *flow, struct tcp_options *options)
{
    memcpy(options->timestamp_value_prefix, flow->prefix, 12);
    memcpy(options->timestamp_echo_prefix, flow->stack_prefix, 12);
}

/* The right cookies for this flow. */
static void fill_cookies(const struct flow *flow, struct tcp_options *options)
{
    bool pair = options->present & OPTION_COOKIE_PAIR;
    const uint8_t *first =
        pair && !flow->peer_is_initiator ? flow->stack_cookie : flow->peer_cookie;
    const uint8_t *second = flow->peer_is_initiator ? flow->stack_cookie : flow->peer_cookie;
    options->cookie_size = flow->cookie_size;
    memcpy(options->initiator_cookie, first, COOKIE_SIZE_MAX);
    memcpy(options->responder_cookie, second, COOKIE_SIZE_MAX);
}

static void take_options(struct world *world, const struct flow *flow, struct tcp_options *options)
{
    uint32_t present = take(world, 2);
    present &= ~(uint32_t)(OPTION_AUTHENTICATION | OPTION_FAST_OPEN);
    if (present & OPTION_TIMESTAMPS_EXTENDED)
        present &= ~(uint32_t)(OPTION_TIMESTAMPS | OPTION_COOKIE | OPTION_COOKIE_LESS);
    else
        present &= ~(uint32_t)OPTION_COOKIE_PAIR;
    if (present & OPTION_COOKIE)
        present &= ~(uint32_t)OPTION_COOKIE_LESS;
    *options = (struct tcp_options){ .present = present, .mss = 1460, .window_scale = 3 };
    if (present & OPTION_MSS && take(world, 1) & 1)
        options->mss = (uint16_t)take(world, 2);
    if (present & OPTION_WINDOW_SCALE)
        options->window_scale = (uint8_t)take(world, 1);
    if (present & (OPTION_TIMESTAMPS | OPTION_TIMESTAMPS_EXTENDED)) {
        options->timestamp_size = 4;
        if (present & OPTION_TIMESTAMPS_EXTENDED)
            options->timestamp_size = (uint8_t)(4 << take(world, 1) % 3);
        options->timestamp_value = take_near(world, flow->timestamp);
        options->timestamp_echo = take_near(world, flow->stack_timestamp);
        fill_prefixes(flow, options);
    }
    if (present & (OPTION_COOKIE | OPTION_COOKIE_PAIR)) {
        fill_cookies(flow, options);
        if (present & OPTION_COOKIE && take(world, 1) == 255) /* a reflection */
            memcpy(options->initiator_cookie, flow->stack_cookie, COOKIE_SIZE_MAX);
        if (take(world, 1) >= 240)
            options->responder_cookie[take(world, 1) % 16] ^= 1;
    }
    if (present & OPTION_SACK) {
        options->sack_count = (uint8_t)(1 + take(world, 1) % 4);
        for (unsigned i = 0; i < options->sack_count; i++) {
            options->sack[i].end = take_near(world, flow->stack_next);
            options->sack[i].start = take_near(world, options->sack[i].end - 100);
        }
    }
}

static void input_composed(struct world *world)
{
    static uint8_t bytes[TCPCT_PACKET_SIZE], data[4096];
    uint32_t which = take(world, 1);
    unsigned family = which & 1;
    struct flow *flow = &world->flows[family][which / 2 % FLOWS];
    flow->timestamp += take(world, 1) % 8;
    struct segment segment = {
        .source = world->peer_address[family],
        .destination = world->stack_address[family],
        .source_port = flow->peer_port,
        .destination_port = flow->stack_port,
        .flags = (uint8_t)take(world, 1),
        .hop_limit = 64,
        .traffic_class = (uint8_t)(which >> 6),
        .window = (uint16_t)take(world, 2),
        .data = data,
    };
    segment.seq = take_near(world, flow->peer_next);
    segment.ack = take_near(world, flow->stack_next);
    take_options(world, flow, &segment.options);
    uint32_t size = take(world, 1);
    segment.data_size = size < 64 ? 0 : size < 128 ? size - 63 : (size - 127) * 11;
    bool coalesced = size == 255 && !(segment.options.present & OPTION_TIMESTAMPS_EXTENDED);
    if (coalesced) {
        segment.data_size = 4000;
        segment.segment_size = 1400;
    }
    struct tcpct_packet packet = { .data = bytes, .size = sizeof(bytes) };
    if (!encode(world, &segment, take(world, 1) < 224, &packet))
        return; /* options that do not go together */
    input(world, &packet);
}

/* Bytes of the input as they are; or behind an IPv4 header that leads to the stack. */
static void input_raw(struct world *world)
{
    uint8_t bytes[256];
    bool header = take(world, 1) & 1;
    size_t size = take(world, 1), given = (size_t)(world->end - world->at);
    if (size > given)
        size = given;
    uint8_t *to = bytes;
    const struct ip_header ip = { .source = world->peer_address[0],
                                  .destination = world->stack_address[0],
                                  .protocol = IP_PROTOCOL_TCP,
                                  .hop_limit = 64 };
    if (header && size <= sizeof(bytes) - IPV4_HEADER_SIZE)
        to += ip_encode(&ip, bytes, size);
    memcpy(to, world->at, size);
    world->at += size;
    struct tcpct_packet packet = { .data = bytes,
                                   .length = (size_t)(to - bytes) + size,
                                   .size = sizeof(bytes),
                                   .partial_checksum = header };
    if (header)
        packet.header_size = 40;
    input(world, &packet);
}

/* What a sound peer would send: the numbers, timestamps and cookies that the stack expects. */
static void input_sound(struct world *world, unsigned family, struct flow *flow, uint8_t flags,
                        uint32_t present, uint8_t size)
{
    static uint8_t bytes[2048];
    struct segment segment = {
        .source = world->peer_address[family],
        .destination = world->stack_address[family],
        .source_port = flow->peer_port,
        .destination_port = flow->stack_port,
        .seq = flow->peer_next,
        .ack = flags & SEGMENT_ACK ? flow->stack_next : 0,
        .flags = flags,
        .hop_limit = 64,
        .window = 20000,
        .options = { .present = present,
                     .mss = 1460,
                     .window_scale = 2,
                     .timestamp_size = 4,
                     .timestamp_value = ++flow->timestamp,
                     .timestamp_echo = flow->stack_timestamp },
        .data = (const uint8_t *)"0123456789",
        .data_size = flags & SEGMENT_PSH ? 10 : 0,
    };
    struct tcpct_packet packet = { .data = bytes, .size = sizeof(bytes) };
    fill_cookies(flow, &segment.options);
    fill_prefixes(flow, &segment.options);
    if (present & OPTION_TIMESTAMPS_EXTENDED)
        segment.options.timestamp_size = size;
    if (md5sig_find(world->md5sig, &segment.source))
        segment.options.present &= OPTION_MSS | OPTION_TIMESTAMPS;
    CHECK(encode(world, &segment, true, &packet));
    input(world, &packet);
    drain(world);
}

/* An ICMP message, most often an error that quotes a segment of the stack's (RFC 792, RFC 4443). */
static void input_icmp(struct world *world)
{
    uint8_t bytes[600] = { 0 }, quote[200];
    unsigned family = take(world, 1) & 1;
    const struct flow *flow = &world->flows[family][take(world, 1) % FLOWS];
    const struct segment segment = { .source = world->stack_address[family],
                                     .destination = world->peer_address[family],
                                     .source_port = flow->stack_port,
                                     .destination_port = flow->peer_port,
                                     .seq = take_near(world, flow->stack_next - 1) };
    struct tcpct_packet quoted = { .data = quote, .size = sizeof(quote) };
    CHECK(segment_encode(&segment, &quoted, false));
    size_t size = 8 + (quoted.length - take(world, 1) % 8);
    const struct ip_header ip = {
        .source = world->peer_address[family],
        .destination = world->stack_address[family],
        .protocol = family ? IP_PROTOCOL_ICMPV6 : IP_PROTOCOL_ICMP,
        .hop_limit = 64,
    };
    uint8_t *icmp = bytes + ip_encode(&ip, bytes, size);
    icmp[0] = (uint8_t)take(world, 1);
    icmp[1] = (uint8_t)take(world, 1);
    icmp[6] = (uint8_t)take(world, 1);
    icmp[7] = (uint8_t)take(world, 1);
    memcpy(icmp + 8, quote, size - 8);
    struct tcpct_packet packet = { .data = bytes,
                                   .length = (size_t)(icmp - bytes) + size,
                                   .size = sizeof(bytes),
                                   .partial_checksum = true };
    input(world, &packet);
}

/* ---- the application ----------------------------------------------------------------------- */

static struct tcpct_connection **free_handle(struct world *world)
{
    for (unsigned i = 0; i < HANDLES; i++)
        if (!world->handles[i])
            return &world->handles[i];
    return NULL;
}

static void connect_to_peer(struct world *world)
{
    static const uint8_t request[600];
    uint32_t how = take(world, 1);
    unsigned family = how & 1;
    struct flow *flow = &world->flows[family][how / 2 % FLOWS];
    struct tcpct_connection **handle = free_handle(world);
    if (!handle || flow->stack_port == PORT)
        return;
    const struct tcpct_connect_options options = {
        .remote = world->peer_address[family],
        .local_port = flow->stack_port,
        .remote_port = flow->peer_port,
        .parameters = { .cookie_desired = (uint8_t)(how & 64 ? 0 : 8 + how / 8 % 5 * 2),
                        .syn_data_limit = 496 },
        .request = request,
        .request_size = how & 128 ? take(world, 2) % sizeof(request) : 0,
    };
    tcpct_connect(world->stack, &options, handle, world->now_us);
}

static void use_handle(struct world *world, uint32_t operation)
{
    uint8_t bytes[5000];
    struct tcpct_connection **handle = &world->handles[take(world, 1) % HANDLES];
    struct tcpct_info info;
    if (!*handle)
        return;
    switch (operation % 6) {
    case 0:
        memset(bytes, 0xa5, sizeof(bytes));
        tcpct_send(*handle, bytes, take(world, 2) % sizeof(bytes));
        break;
    case 1:
        tcpct_receive(*handle, bytes, take(world, 2) % sizeof(bytes));
        break;
    case 2:
        tcpct_shutdown(*handle);
        break;
    case 3:
        tcpct_close(*handle);
        *handle = NULL;
        break;
    case 4:
        tcpct_abort(*handle);
        *handle = NULL;
        break;
    default:
        tcpct_connection_info(*handle, &info);
        CHECK(info.state <= TCPCT_TIME_WAIT);
        uint32_t which = take(world, 1);
        tcpct_option_set(*handle, TCPCT_OPTION_NODELAY, which & 1);
        if (which & 2 && tcpct_collapse(*handle, world, &world->collapsed) == TCPCT_OK) {
            CHECK(info.state == TCPCT_ESTABLISHED && !info.cookies && !info.unread &&
                  !info.unsent && !info.flight);
            *handle = NULL;
        }
        break;
    }
}

static void revive(struct world *world)
{
    struct tcpct_connection **handle = free_handle(world);
    uint64_t id = world->collapsed + (take(world, 1) == 255);
    if (!handle || tcpct_revive(world->stack, id, handle) != TCPCT_OK)
        return;
    struct tcpct_info info;
    tcpct_connection_info(*handle, &info);
    CHECK(info.state == TCPCT_ESTABLISHED && !info.cookies);
}

static void serve_events(struct world *world)
{
    struct tcpct_event event;
    unsigned count = 0;
    while (tcpct_event(world->stack, &event)) {
        CHECK(event.flags && ++count < 1000);
        for (unsigned i = 0; i < HANDLES && event.flags & TCPCT_EVENT_ERROR; i++)
            if (world->handles[i] == event.connection) {
                CHECK(tcpct_connection_error(event.connection) != TCPCT_OK);
                tcpct_close(event.connection);
                world->handles[i] = NULL;
            }
        struct tcpct_connection **handle = free_handle(world);
        if (event.flags & TCPCT_EVENT_REVIVED) {
            CHECK(event.user == world);
            if (handle)
                *handle = event.connection;
            else
                tcpct_abort(event.connection);
        }
        if (event.flags & TCPCT_EVENT_ACCEPT && handle)
            *handle = tcpct_accept(event.listener);
    }
}

/* Connections to begin with, in the states that the first byte of the input asks for. */
static void establish(struct world *world, uint32_t which)
{
    const uint32_t syn = OPTION_MSS | OPTION_WINDOW_SCALE | OPTION_SACK_PERMITTED;
    const uint8_t bits = which & 64 ? (which & 128 ? 128 : 64) : 32;
    const uint32_t paired = syn | OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR;
    for (unsigned i = 0; i < 4; i++) {
        bool cookies = i & 1, outgoing = i & 2;
        unsigned family = (which >> 4) & 1;
        struct flow *flow = &world->flows[family][i + (i >= 2)];
        uint32_t with = syn | OPTION_TIMESTAMPS | (cookies ? (uint32_t)OPTION_COOKIE : 0);
        if (!(which >> i & 1))
            continue;
        if (outgoing) {
            const struct tcpct_connect_options options = {
                .remote = world->peer_address[family],
                .local_port = flow->stack_port,
                .remote_port = flow->peer_port,
                .parameters = { .cookie_desired = cookies ? flow->cookie_size : 0,
                                .extend_ts = bits },
            };
            CHECK(tcpct_connect(world->stack, &options, free_handle(world), world->now_us) ==
                  TCPCT_OK);
            drain(world);
            if (which & 32)
                continue; /* it stays in SYN-SENT */
            input_sound(world, family, flow, SEGMENT_SYN | SEGMENT_ACK, with, 4);
        } else {
            input_sound(world, family, flow, SEGMENT_SYN, with, 4);
            input_sound(world, family, flow, SEGMENT_ACK | SEGMENT_PSH,
                        cookies ? paired : (uint32_t)OPTION_TIMESTAMPS, (uint8_t)(bits / 8));
        }
        serve_events(world);
        drain(world);
    }
}

/* ---- beginning and end --------------------------------------------------------------------- */

static void begin(struct world *world)
{
    static const uint8_t seal_key[TCPCT_SEAL_KEY_SIZE] = { 1 };
    uint32_t setting = take(world, 1);
    const struct tcpct_config config = {
        .random = draw,
        .allocate = allocate,
        .release = release,
        .trace = trace,
        .context = world,
        .connections_max = CONNECTIONS_MAX,
        .memory_budget = BUDGET,
        .receive_buffer_max = 20000,
        .send_buffer_max = 20000,
        .user_timeout_us = 30000000,
        .secret_interval_us = 20000000,
        .msl_us = 2000000,
        .collapsed_max = COLLAPSED_MAX,
        .collapse_after_us = 500000,
        .collapsed_age_us = 60000000,
        .collapse_always = setting & 8,
        .offload_size_max = setting & 1 ? 65535 : 0,
        .seal_keys = setting & 16 ? seal_key : NULL,
        .seal_key_count = 1,
        .keep_seals = setting & 16,
    };
    const struct tcpct_listen_options listen = {
        .port = PORT,
        .parameters = { .cookie_desired = 16,
                        .extend_ts = TCPCT_EXTEND_TS_AUTO,
                        .syn_ack_data_limit = 1220 },
        .backlog = 3,
        .answer = answer,
    };
    world->now_us = 1000000;
    world->stack_address[0] = (struct tcpct_address){ 4, { 10, 0, 0, 1 } };
    world->peer_address[0] = (struct tcpct_address){ 4, { 10, 0, 0, 2 } };
    world->stack_address[1] = (struct tcpct_address){ 6, { 0xfd, [15] = 1 } };
    world->peer_address[1] = (struct tcpct_address){ 6, { 0xfd, [15] = 2 } };
    CHECK(tcpct_stack_create(&world->stack, &config, world->now_us) == TCPCT_OK);
    for (unsigned family = 0; family < 2; family++) {
        CHECK(tcpct_address_add(world->stack, &world->stack_address[family]) == TCPCT_OK);
        world->stack_bytes = world->bytes;
        for (unsigned i = 0; i < FLOWS; i++) {
            struct flow *flow = &world->flows[family][i];
            bool outgoing = i >= FLOWS / 2;
            *flow = (struct flow){ .stack_port = (uint16_t)(outgoing ? 50000 + i : PORT),
                                   .peer_port = (uint16_t)(outgoing ? PORT : 40000 + i),
                                   .peer_next = 1000 * i,
                                   .timestamp = 500,
                                   .cookie_size = (uint8_t)(8 + i % 5 * 2),
                                   .peer_is_initiator = !outgoing };
            memset(flow->peer_cookie, 'a' + (int)i, sizeof(flow->peer_cookie));
        }
    }
    CHECK(tcpct_listen(world->stack, &listen, &world->listener) == TCPCT_OK);
    if ((setting & 6) == 6)
        begin_signing(world);
}

static void operate(struct world *world)
{
    uint32_t operation = take(world, 1);
    if (operation < 160)
        input_composed(world);
    else if (operation < 164)
        input_raw(world);
    else if (operation < 168)
        input_icmp(world);
    else if (operation < 200)
        world->now_us += (uint64_t)1 << take(world, 1) % 28;
    else if (operation < 204)
        revive(world);
    else if (operation < 216)
        connect_to_peer(world);
    else
        use_handle(world, operation);
    drain(world);
    serve_events(world);
    drain(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = { .at = data, .end = data + size };
    begin(&world);
    establish(&world, take(&world, 1));
    for (unsigned i = 0; i < OPERATIONS_MAX && world.at < world.end; i++)
        operate(&world);
    tcpct_stack_destroy(world.stack);
    end_signing(&world);
    CHECK(world.blocks == 0 && world.bytes == 0);
    return 0;
}
