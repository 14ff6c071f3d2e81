/* responder.c - DNS over the connections of a stack: see responder.h. */
#include "responder.h"

#include <stdlib.h>
#include <string.h>

#include "clients.h"

enum { FRAME_SIZE_MAX = 2 + DNS_MESSAGE_SIZE_MAX, KEEPALIVE_UNIT_US = 100000 };

struct responder {
    const struct dns_server *server;
    struct responder_options options;
    struct responder_counters counters;
    struct clients clients;
    uint64_t now_us;               /* of this turn */
    uint8_t frame[FRAME_SIZE_MAX]; /* the answer being sent */
};

/* ---- ends ----------------------------------------------------------------------------------- */

static void client_free(struct responder *responder, struct client *client)
{
    clients_remove(&responder->clients, client);
    responder->counters.connections_now--;
}

static void client_close(struct responder *responder, struct client *client)
{
    tcpct_close(client->connection);
    client_free(responder, client);
}

static void client_abort(struct responder *responder, struct client *client)
{
    tcpct_abort(client->connection);
    client_free(responder, client);
}

/* ---- answering ----------------------------------------------------------------------------- */

/* Sends from `frame`; what is not taken is kept. False: the connection is of no use any more. */
static bool send_frame(struct responder *responder, struct client *client, size_t size)
{
    ptrdiff_t sent = tcpct_send(client->connection, responder->frame, size);
    if (sent < 0)
        return false;
    if ((size_t)sent == size)
        return true;
    client->pending_size = size - (size_t)sent;
    client->pending_sent = 0;
    client->pending = malloc(client->pending_size);
    if (!client->pending) {
        responder->counters.memory_errors++;
        return false;
    }
    memcpy(client->pending, responder->frame + sent, client->pending_size);
    return true;
}

/* Goes on sending. False: likewise. */
static bool send_pending(struct client *client)
{
    ptrdiff_t sent = tcpct_send(client->connection, client->pending + client->pending_sent,
                                client->pending_size - client->pending_sent);
    if (sent < 0)
        return false;
    client->pending_sent += (size_t)sent;
    if (client->pending_sent == client->pending_size) {
        free(client->pending);
        client->pending = NULL;
    }
    return true;
}

/* RFC 7828: a connection with cookies ends with its answers. */
static struct dns_channel channel_of(const struct responder *responder, const struct client *client)
{
    uint64_t idle = responder->options.idle_us / KEEPALIVE_UNIT_US;
    struct dns_channel channel =
        dns_server_channel(responder->server, DNS_STREAM, &client->address, responder->now_us);
    channel.keepalive = client->cookies ? 0 : idle < UINT16_MAX ? (uint16_t)idle : UINT16_MAX;
    channel.pads = responder->options.pads;
    return channel;
}

/* Sends the message in `frame`. */
static bool send_message(struct responder *responder, struct client *client, size_t size)
{
    dns_put16(responder->frame, (uint16_t)size);
    responder->counters.answer_bytes += size;
    return send_frame(responder, client, size + 2);
}

/* Keeps a transfer that has more messages than one. False: no memory. */
static bool go_on_transferring(struct responder *responder, struct client *client,
                               struct transfer *transfer)
{
    if (!transfer->zone)
        return true;
    client->transfer = malloc(sizeof *client->transfer);
    if (!client->transfer) {
        responder->counters.memory_errors++;
        transfer_end(transfer);
        return false;
    }
    *client->transfer = *transfer;
    return true;
}

/* False: the connection is to be aborted. */
static bool answer_query(struct responder *responder, struct client *client, const uint8_t *query,
                         size_t query_size)
{
    struct responder_counters *counters = &responder->counters;
    uint8_t *answer = responder->frame + 2;
    struct dns_channel channel = channel_of(responder, client);
    struct transfer transfer = { .zone = NULL };
    channel.transfer = &transfer;
    client->several = client->asked;
    client->asked = true;
    counters->queries++;
    size_t size = dns_reply(responder->server->zones, &channel, query, query_size, answer,
                            DNS_MESSAGE_SIZE_MAX);
    if (size == 0) {
        counters->dropped++;
        return true;
    }
    counters->answers++;
    counters->rcode[answer[3] & 15]++;
    return go_on_transferring(responder, client, &transfer) &&
           send_message(responder, client, size);
}

/* The next message of a transfer. False: likewise. */
static bool transfer_more(struct responder *responder, struct client *client)
{
    size_t size = transfer_next(client->transfer, responder->frame + 2);
    if (!client->transfer->zone)
        client_end_transfer(client);
    return size > 0 && send_message(responder, client, size);
}

/* Answers what is here, as long as the answers are taken. False: abort. */
static bool answer_held(struct responder *responder, struct client *client)
{
    const uint8_t *query;
    size_t size;
    while (!client->pending) {
        if (client->transfer) {
            if (!transfer_more(responder, client))
                return false;
            continue;
        }
        switch (framing_next(&client->framing, &query, &size)) {
        case FRAMING_MESSAGE:
            if (!answer_query(responder, client, query, size))
                return false;
            break;
        case FRAMING_MORE:
            return true;
        case FRAMING_TOO_SHORT:
            responder->counters.framing_errors++;
            return false;
        case FRAMING_NO_MEMORY:
            responder->counters.memory_errors++;
            return false;
        }
    }
    return true;
}

static bool is_too_old(const struct responder *responder, const struct client *client,
                       uint64_t now_us)
{
    return responder->options.life_us > 0 && now_us - client->born_us >= responder->options.life_us;
}

/* In order, unless the client does not read. */
static void end(struct responder *responder, struct client *client)
{
    if (client->pending)
        client_abort(responder, client);
    else
        client_close(responder, client);
}

/* Reads and answers until there is nothing to read or nowhere to send. False: abort. */
static bool work(struct responder *responder, struct client *client)
{
    for (;;) {
        if (client->pending && !send_pending(client))
            return false;
        if (!answer_held(responder, client))
            return false;
        if (client->pending || client->ended)
            return true;
        uint8_t *space;
        size_t room = framing_space(&client->framing, &space);
        ptrdiff_t got = tcpct_receive(client->connection, space, room);
        if (got == TCPCT_ERROR_CLOSED)
            client->ended = true;
        else if (got < 0)
            return false;
        else if (got == 0)
            return true;
        else
            framing_add(&client->framing, (size_t)got);
    }
}

/* Lets an idle connection collapse: nothing is held for it any more. False: it is not idle, the client
 * is not worth it, or this is not offered. */
static bool client_collapse(struct responder *responder, struct client *client)
{
    if (!responder->options.collapse || client->pending || client->transfer || client->ended ||
        !framing_is_empty(&client->framing) ||
        tcpct_collapse(client->connection, NULL, NULL) != TCPCT_OK)
        return false;
    client_free(responder, client);
    return true;
}

/* Reads and answers. Only what has been answered, or taken by the client, counts as activity: a query
 * that never ends is idleness. */
static void client_serve(struct responder *responder, struct client *client, uint64_t now_us)
{
    uint64_t answers = responder->counters.answers;
    bool had_pending = client->pending;
    if (!work(responder, client)) {
        client_abort(responder, client);
        return;
    }
    bool answered = had_pending || responder->counters.answers > answers;
    if (answered)
        clients_touch(&responder->clients, client, now_us);
    if (is_too_old(responder, client, now_us)) {
        responder->counters.connections_old++;
        end(responder, client);
        return;
    }
    if (client->pending)
        return;
    bool one = client->cookies && answered && !client->several;
    if (client->ended || (one && framing_is_empty(&client->framing)))
        client_close(responder, client);
}

/* ---- connections --------------------------------------------------------------------------- */

static void make_room(struct responder *responder)
{
    struct responder_counters *counters = &responder->counters;
    if (!responder->clients.oldest ||
        counters->connections_now < responder->options.connections_max ||
        client_collapse(responder, responder->clients.oldest))
        return;
    counters->connections_evicted++;
    client_abort(responder, responder->clients.oldest);
}

/* Whether the client at this address has as many connections as it may. */
static bool has_enough(const struct responder *responder, const struct tcpct_address *address)
{
    uint32_t most = responder->options.client_max;
    return most > 0 && clients_count_of(&responder->clients, address) >= most;
}

/* A connection that is new, or revived, and may already have something to read. */
static void take_connection(struct responder *responder, struct tcpct_connection *connection,
                            uint64_t now_us)
{
    struct tcpct_info info;
    tcpct_connection_info(connection, &info);
    if (has_enough(responder, &info.remote)) {
        responder->counters.connections_refused++;
        tcpct_abort(connection);
        return;
    }
    make_room(responder);
    struct client *client = clients_add(&responder->clients, &info.remote, now_us);
    if (!client) {
        responder->counters.memory_errors++;
        tcpct_abort(connection);
        return;
    }
    client->connection = connection;
    client->cookies = info.cookies;
    responder->counters.connections_now++;
    tcpct_set_user(connection, client);
    tcpct_option_set(connection, TCPCT_OPTION_NODELAY, 1);
    client_serve(responder, client, now_us);
}

static void accept_all(struct responder *responder, struct tcpct_listener *listener,
                       uint64_t now_us)
{
    struct tcpct_connection *connection;
    while ((connection = tcpct_accept(listener))) {
        responder->counters.connections++;
        take_connection(responder, connection, now_us);
    }
}

static void take_event(struct responder *responder, const struct tcpct_event *event,
                       uint64_t now_us)
{
    struct client *client = event->user;
    if (event->flags & TCPCT_EVENT_REVIVED)
        take_connection(responder, event->connection, now_us);
    else if (!client)
        accept_all(responder, event->listener, now_us);
    else if (event->flags & TCPCT_EVENT_ERROR)
        client_abort(responder, client);
    else if (event->flags == TCPCT_EVENT_IDLE)
        client_collapse(responder, client);
    else
        client_serve(responder, client, now_us);
}

/* The one that has been idle longest has been so for too long. */
static void end_oldest(struct responder *responder)
{
    struct client *client = responder->clients.oldest;
    if (client_collapse(responder, client))
        return;
    responder->counters.connections_idle++;
    end(responder, client);
}

void responder_serve(struct responder *responder, struct tcpct_stack *stack, uint64_t now_us)
{
    struct tcpct_event event;
    responder->now_us = now_us;
    while (tcpct_event(stack, &event))
        take_event(responder, &event, now_us);
    while (responder->clients.oldest && responder_deadline(responder) <= now_us)
        end_oldest(responder);
}

uint64_t responder_deadline(const struct responder *responder)
{
    return responder->clients.oldest
               ? responder->clients.oldest->active_us + responder->options.idle_us
               : TCPCT_NEVER;
}

/* ---- the rest ------------------------------------------------------------------------------ */

size_t responder_answer_syn(const void *context, const struct tcpct_request *request,
                            uint8_t *answer, size_t room)
{
    const struct responder *responder = context;
    if (request->size < 2 + DNS_HEADER_SIZE || dns_get16(request->bytes) != request->size - 2 ||
        room < 2)
        return 0;
    struct dns_channel channel =
        dns_server_channel(responder->server, DNS_STREAM, &request->remote, request->now_us);
    size_t size = dns_reply(responder->server->zones, &channel, request->bytes + 2,
                            request->size - 2, answer + 2, room - 2);
    if (size == 0)
        return 0;
    dns_put16(answer, (uint16_t)size);
    return size + 2;
}

struct responder *responder_create(const struct responder_options *options,
                                   const struct dns_server *server)
{
    struct responder *responder = calloc(1, sizeof *responder);
    if (!responder || !clients_create(&responder->clients, options->connections_max)) {
        free(responder);
        return NULL;
    }
    responder->options = *options;
    responder->server = server;
    return responder;
}

void responder_destroy(struct responder *responder)
{
    while (responder && responder->clients.oldest)
        client_abort(responder, responder->clients.oldest);
    if (responder)
        clients_release(&responder->clients);
    free(responder);
}

const struct responder_counters *responder_counters(const struct responder *responder)
{
    return &responder->counters;
}

const char *responder_counter_name(size_t index)
{
    static const char *const names[] = {
        "dns_connections",
        "dns_connections_now",
        "dns_connections_idle",
        "dns_connections_evicted",
        "dns_connections_refused",
        "dns_connections_old",
        "dns_queries",
        "dns_answers",
        "dns_dropped",
        "dns_noerror",
        "dns_formerr",
        "dns_servfail",
        "dns_nxdomain",
        "dns_notimp",
        "dns_refused",
        "dns_yxdomain",
        "dns_rcode_7",
        "dns_rcode_8",
        "dns_rcode_9",
        "dns_rcode_10",
        "dns_rcode_11",
        "dns_rcode_12",
        "dns_rcode_13",
        "dns_rcode_14",
        "dns_rcode_15",
        "dns_answer_bytes",
        "dns_framing_errors",
        "dns_memory_errors",
    };
    _Static_assert(sizeof names / sizeof *names ==
                       sizeof(struct responder_counters) / sizeof(uint64_t),
                   "each counter has a name");
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}
