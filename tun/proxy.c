/* proxy.c - see proxy.h. */
#include "tun/proxy.h"

#include <stdlib.h>
#include <string.h>

#include "tcpct/segment.h"
#include "tcpct/wire.h"
#include "tun/chance.h"
#include "tun/option_edit.h"

enum {
    STACK_CONNECTIONS_MAX = 16 * PROXY_CONNECTIONS_MAX, /* most of them in TIME-WAIT */
};
static const uint64_t keepalive_us = 7200000000; /* RFC 9293, 3.8.4 */

/* A connection that passes. By the direction of what comes from the end. */
struct pair {
    struct tcpct_connection *ends[LINK_DIRECTIONS];
    bool connected;              /* both are there */
    bool ended[LINK_DIRECTIONS]; /* ... and the other end has been told */
    struct pair *next_free;
};

struct port {
    struct tcpct_listener *listener;
    uint16_t number;
    uint64_t used_us;
};

/* What faces one end, and takes what comes from there. */
struct side {
    struct tcpct_stack *stack;
    struct port ports[PROXY_PORTS_MAX];
    size_t port_count;
};

struct proxy {
    struct side sides[LINK_DIRECTIONS];
    struct middlebox_counters *counters;
    struct middlebox_way unknown; /* strips what a proxy does not know */
    uint64_t random;
    struct pair pairs[PROXY_CONNECTIONS_MAX], *free_pairs;
    uint8_t reply[TCPCT_REPLY_SIZE], bytes[TCPCT_PACKET_SIZE];
};

/* ---- connections -------------------------------------------------------------------------------- */

static void release(struct proxy *proxy, struct pair *pair)
{
    *pair = (struct pair){ .next_free = proxy->free_pairs };
    proxy->free_pairs = pair;
}

static void reset(struct proxy *proxy, struct pair *pair)
{
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        tcpct_abort(pair->ends[i]);
    release(proxy, pair);
}

/* Moves what came from one end to the other. TCPCT_OK, or the error of either. */
static int pump(struct pair *pair, enum link_direction from)
{
    struct tcpct_connection *source = pair->ends[from], *sink = pair->ends[!from];
    const void *bytes;
    size_t size;
    if (pair->ended[from])
        return TCPCT_OK;
    while ((size = tcpct_peek(source, &bytes)) > 0) {
        ptrdiff_t took = tcpct_send(sink, bytes, size);
        if (took < 0)
            return (int)took;
        if (took > 0)
            tcpct_receive(source, NULL, (size_t)took);
        if ((size_t)took < size)
            return TCPCT_OK; /* WRITABLE follows */
    }
    ptrdiff_t left = tcpct_receive(source, NULL, 0);
    if (left != TCPCT_ERROR_CLOSED)
        return (int)left;
    pair->ended[from] = true;
    return tcpct_shutdown(sink);
}

/* Both ways, and the end if that was all. */
static void go_on(struct proxy *proxy, struct pair *pair)
{
    int error = pump(pair, LINK_A_TO_B);
    if (error == TCPCT_OK)
        error = pump(pair, LINK_B_TO_A);
    if (error != TCPCT_OK) {
        reset(proxy, pair);
    } else if (pair->ended[LINK_A_TO_B] && pair->ended[LINK_B_TO_A]) {
        for (int i = 0; i < LINK_DIRECTIONS; i++)
            tcpct_close(pair->ends[i]);
        release(proxy, pair);
    }
}

static void set_options(struct tcpct_connection *connection)
{
    tcpct_option_set(connection, TCPCT_OPTION_NODELAY, 1);
    tcpct_option_set(connection, TCPCT_OPTION_KEEPALIVE, keepalive_us);
}

/* Somebody was let in: makes the other connection, to whom it asked for, in its name. */
static void make_pair(struct proxy *proxy, enum link_direction from,
                      struct tcpct_connection *connection, uint64_t now_us)
{
    struct pair *pair = proxy->free_pairs;
    struct tcpct_info info;
    tcpct_connection_info(connection, &info);
    const struct tcpct_connect_options options = { .local = info.remote,
                                                   .local_port = info.remote_port,
                                                   .remote = info.local,
                                                   .remote_port = info.local_port,
                                                   .parameters = { .out_never = true },
                                                   .user = pair };
    if (pair == NULL || tcpct_connect(proxy->sides[!from].stack, &options, &pair->ends[!from],
                                      now_us) != TCPCT_OK) {
        proxy->counters[from].blocked++;
        tcpct_abort(connection);
        return;
    }
    proxy->free_pairs = pair->next_free;
    pair->ends[from] = connection;
    tcpct_set_user(connection, pair);
    set_options(connection);
    set_options(pair->ends[!from]);
    proxy->counters[from].proxied++;
}

static void take_event(struct proxy *proxy, enum link_direction from,
                       const struct tcpct_event *event, uint64_t now_us)
{
    struct tcpct_connection *connection;
    struct pair *pair = event->user;
    if (event->listener != NULL) {
        while ((connection = tcpct_accept(event->listener)) != NULL)
            make_pair(proxy, from, connection, now_us);
        return;
    }
    if (event->flags & TCPCT_EVENT_CONNECTED)
        pair->connected = true;
    if (event->flags & TCPCT_EVENT_ERROR)
        reset(proxy, pair);
    else if (pair->connected)
        go_on(proxy, pair);
}

/* ---- packets ------------------------------------------------------------------------------------ */

/* Whether there is a listener for that port, or now is. */
static bool listen_on(struct side *side, uint16_t number, uint64_t now_us)
{
    struct port *port = side->ports, *end = port + side->port_count, *oldest = port;
    for (; port < end && port->number != number; port++)
        if (port->used_us < oldest->used_us)
            oldest = port;
    if (port == end && side->port_count == PROXY_PORTS_MAX) {
        port = oldest;
        if (port->listener != NULL)
            tcpct_listener_close(port->listener);
        *port = (struct port){ .listener = NULL };
    }
    const struct tcpct_listen_options options = { .port = number,
                                                  .parameters = { .out_never = true } };
    if (port->listener == NULL && tcpct_listen(side->stack, &options, &port->listener) != TCPCT_OK)
        return false;
    side->port_count += port == end;
    port->number = number;
    port->used_us = now_us;
    return true;
}

static bool own(struct tcpct_stack *stack, const struct tcpct_address *address)
{
    return tcpct_address_owned(stack, address) || tcpct_address_add(stack, address) == TCPCT_OK;
}

/* Whether a <SYN> may be answered. */
static bool expect(struct proxy *proxy, const struct passing *passing)
{
    enum link_direction from = passing->direction;
    struct side *side = &proxy->sides[from];
    return proxy->free_pairs != NULL && own(side->stack, &passing->ip.destination) &&
           own(proxy->sides[!from].stack, &passing->ip.source) &&
           listen_on(side, wire_get16(passing->tcp + TCP_DESTINATION_PORT), passing->now_us);
}

static void forget_options(const struct proxy *proxy, struct passing *passing)
{
    uint8_t *options, known[OPTIONS_SIZE_MAX];
    size_t size = passing_options(passing, &options);
    size_t left = option_edit_remove(&proxy->unknown, options, size, known);
    if (left != size || memcmp(options, known, size) != 0)
        passing_replace_options(passing, known, left);
    passing_finish(passing);
}

static bool serve(struct proxy *proxy, enum link_direction from, uint64_t now_us)
{
    struct tcpct_event event;
    bool any = false;
    for (; tcpct_event(proxy->sides[from].stack, &event); any = true)
        take_event(proxy, from, &event, now_us);
    return any;
}

static bool send_one(struct proxy *proxy, enum link_direction from, uint64_t now_us,
                     proxy_emit *emit, void *context)
{
    struct tcpct_packet packet = { .data = proxy->bytes, .size = sizeof proxy->bytes };
    if (!tcpct_output(proxy->sides[from].stack, &packet, now_us))
        return false;
    emit(context, !from, &packet);
    return true;
}

/* One turn of both stacks, as tcpct.h has it. */
static void turn(struct proxy *proxy, uint64_t now_us, proxy_emit *emit, void *context)
{
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        tcpct_tick(proxy->sides[i].stack, now_us);
    while (serve(proxy, LINK_A_TO_B, now_us) || serve(proxy, LINK_B_TO_A, now_us))
        ;
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        while (send_one(proxy, i, now_us, emit, context))
            ;
}

bool proxy_takes(struct proxy *proxy, struct passing *passing, proxy_emit *emit, void *context)
{
    enum { OPENING = SEGMENT_SYN | SEGMENT_ACK };
    enum link_direction from = passing->direction;
    struct tcpct_packet reply = { .data = proxy->reply, .size = sizeof proxy->reply };
    bool is_icmp = passing->is_ip && (passing->ip.protocol == IP_PROTOCOL_ICMP ||
                                      passing->ip.protocol == IP_PROTOCOL_ICMPV6);
    if (passing->tcp == NULL && !is_icmp)
        return false;
    if (passing->tcp != NULL) {
        forget_options(proxy, passing);
        if (((passing_flags(passing) & OPENING) == SEGMENT_SYN && !expect(proxy, passing)) ||
            !tcpct_address_owned(proxy->sides[from].stack, &passing->ip.destination)) {
            proxy->counters[from].blocked++;
            return true;
        }
    }
    tcpct_input(proxy->sides[from].stack, passing->packet, &reply, passing->now_us);
    if (reply.length > 0 && !is_icmp)
        emit(context, !from, &reply);
    turn(proxy, passing->now_us, emit, context);
    return !is_icmp;
}

void proxy_tick(struct proxy *proxy, uint64_t now_us, proxy_emit *emit, void *context)
{
    if (proxy_deadline(proxy) <= now_us)
        turn(proxy, now_us, emit, context);
}

uint64_t proxy_deadline(const struct proxy *proxy)
{
    uint64_t a = tcpct_deadline(proxy->sides[0].stack), b = tcpct_deadline(proxy->sides[1].stack);
    return a < b ? a : b;
}

/* ---- the proxy ---------------------------------------------------------------------------------- */

static void fill(void *context, void *bytes, size_t size)
{
    struct proxy *proxy = context;
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)chance_next(&proxy->random);
}

struct proxy *proxy_create(uint64_t seed, uint16_t mtu, struct middlebox_counters *counters)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    if (proxy == NULL)
        return NULL;
    proxy->random = seed;
    proxy->counters = counters;
    option_kinds_add_unknown(&proxy->unknown.strip);
    const struct tcpct_config config = {
        .random = fill, .context = proxy, .connections_max = STACK_CONNECTIONS_MAX, .mtu = mtu
    };
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        if (tcpct_stack_create(&proxy->sides[i].stack, &config, 0) != TCPCT_OK) {
            proxy_destroy(proxy);
            return NULL;
        }
    for (size_t i = 0; i < PROXY_CONNECTIONS_MAX; i++)
        release(proxy, &proxy->pairs[i]);
    return proxy;
}

void proxy_destroy(struct proxy *proxy)
{
    if (proxy == NULL)
        return;
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        tcpct_stack_destroy(proxy->sides[i].stack);
    free(proxy);
}
