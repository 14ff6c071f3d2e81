/* stub_clients.c - reads queries from sockets and writes answers: see stub_clients.h. */
#include "tools/stub_clients.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "dns/forwarded.h"
#include "dns/framing.h"

enum {
    BATCH = 32,            /* datagrams a system call */
    DATAGRAM_SIZE = 4096,  /* of a query; longer ones are dropped */
    UNREAD_MAX = 64 << 20, /* bytes of answers that all TCP clients together may leave unread */
    ACCEPTS = 64,          /* a turn */
    READS = 16,            /* of a client, a turn */
};

/* A TCP client, in a list ordered by last activity. */
struct client {
    struct stub_clients *clients;
    struct client *older, *newer;
    struct client *next_touched;
    int fd; /* -1: gone, and kept until what it asked is answered */
    short watched;
    bool touched; /* is in that list */
    bool ended;   /* it has closed its direction */
    bool broken;
    uint32_t outstanding;
    uint64_t active_us;
    struct framing framing;
    uint8_t *unread; /* answers that the socket has not taken */
    size_t unread_size, unread_room;
};

/* What the stub keeps of a query for us. */
struct request {
    struct client *client; /* NULL: a datagram, from there */
    int fd;
    uint16_t size_max;
    socklen_t address_size;
    union {
        struct sockaddr any;
        struct sockaddr_in6 ipv6;
    } address;
};

struct stub_clients {
    struct stub_clients_options options;
    struct loop *loop;
    struct stub *stub;
    struct stub_clients_counters counters;
    int datagrams[CLIENT_ADDRESSES_MAX], listeners[CLIENT_ADDRESSES_MAX];
    struct client *oldest, *newest, *touched;
    size_t unread; /* bytes that all clients have not read */
    uint8_t batch[BATCH][DATAGRAM_SIZE];
};

/* ---- UDP ----------------------------------------------------------------------------------- */

static bool take_datagram(struct stub_clients *clients, int fd, const struct mmsghdr *header,
                          const uint8_t *message, uint64_t now_us)
{
    const struct msghdr *from = &header->msg_hdr;
    struct dns_query query;
    if (header->msg_len < DNS_HEADER_SIZE || (from->msg_flags & MSG_TRUNC))
        return false;
    struct request *request = malloc(sizeof *request);
    if (!request)
        return false;
    dns_query_parse(&query, message, header->msg_len); /* for what it takes: the rest is not ours */
    *request =
        (struct request){ .fd = fd, .address_size = from->msg_namelen, .size_max = query.udp_size };
    memcpy(&request->address, from->msg_name, from->msg_namelen);
    if (stub_ask(clients->stub, request, message, header->msg_len, now_us))
        return true;
    free(request);
    return false;
}

static void datagrams_ready(void *context, int fd, short events, uint64_t now_us)
{
    struct stub_clients *clients = context;
    struct mmsghdr headers[BATCH];
    struct sockaddr_in6 addresses[BATCH];
    struct iovec vectors[BATCH];
    (void)events;
    for (size_t i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){ clients->batch[i], DATAGRAM_SIZE };
        headers[i].msg_hdr = (struct msghdr){ .msg_name = &addresses[i],
                                              .msg_namelen = sizeof addresses[i],
                                              .msg_iov = &vectors[i],
                                              .msg_iovlen = 1 };
    }
    int count = recvmmsg(fd, headers, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        clients->counters.datagrams++;
        clients->counters.datagrams_dropped +=
            !take_datagram(clients, fd, &headers[i], clients->batch[i], now_us);
    }
}

static void answer_datagram(struct stub_clients *clients, const struct request *request,
                            uint8_t *message, size_t size)
{
    if (size > request->size_max) {
        size = forwarded_truncate(message, size);
        clients->counters.truncated++;
    }
    if (sendto(request->fd, message, size, MSG_DONTWAIT, &request->address.any,
               request->address_size) < 0)
        clients->counters.datagrams_dropped++;
}

/* ---- TCP: the list ------------------------------------------------------------------------- */

static void list_remove(struct client *client)
{
    struct stub_clients *clients = client->clients;
    if (client == clients->oldest)
        clients->oldest = client->newer;
    else
        client->older->newer = client->newer;
    if (client == clients->newest)
        clients->newest = client->older;
    else
        client->newer->older = client->older;
}

static void list_append(struct client *client, uint64_t now_us)
{
    struct stub_clients *clients = client->clients;
    client->older = clients->newest;
    client->newer = NULL;
    client->active_us = now_us;
    if (client->older)
        client->older->newer = client;
    else
        clients->oldest = client;
    clients->newest = client;
}

static void touch(struct client *client)
{
    if (client->touched)
        return;
    client->touched = true;
    client->next_touched = client->clients->touched;
    client->clients->touched = client;
}

/* Closes the socket; the rest goes when nothing refers to it any more. */
static void disconnect(struct client *client, bool reset)
{
    struct stub_clients *clients = client->clients;
    list_remove(client);
    clients->counters.streams_now--;
    loop_unwatch(clients->loop, client->fd);
    if (reset)
        socket_abort(client->fd);
    else
        close(client->fd);
    client->fd = -1;
    clients->unread -= client->unread_size;
    framing_release(&client->framing);
    free(client->unread);
    client->unread = NULL;
}

static void client_close(struct client *client, bool reset)
{
    if (client->fd >= 0)
        disconnect(client, reset);
    if (client->outstanding == 0 && !client->touched)
        free(client);
}

/* ---- TCP: answers -------------------------------------------------------------------------- */

/* Keeps what the socket did not take. False: it is too much. */
static bool keep_unread(struct client *client, const struct iovec *parts, size_t sent)
{
    size_t size = parts[0].iov_len + parts[1].iov_len - sent, wanted = client->unread_size + size;
    if (client->clients->unread + size > UNREAD_MAX)
        return false;
    if (wanted > client->unread_room) {
        uint8_t *unread = realloc(client->unread, wanted);
        if (!unread)
            return false;
        client->unread = unread;
        client->unread_room = wanted;
    }
    for (size_t i = 0; i < 2; i++) {
        size_t skipped = sent < parts[i].iov_len ? sent : parts[i].iov_len;
        memcpy(client->unread + client->unread_size, (uint8_t *)parts[i].iov_base + skipped,
               parts[i].iov_len - skipped);
        client->unread_size += parts[i].iov_len - skipped;
        sent -= skipped;
    }
    client->clients->unread += size;
    return true;
}

static void answer_stream(struct client *client, uint8_t *message, size_t size)
{
    uint8_t length[2];
    dns_put16(length, (uint16_t)size);
    struct iovec parts[2] = { { length, 2 }, { message, size } };
    struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
    ssize_t sent = 0;
    client->outstanding--;
    touch(client);
    if (client->fd < 0 || client->broken || !message)
        return;
    if (client->unread_size == 0)
        sent = sendmsg(client->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        client->broken = true;
    else if ((size_t)(sent < 0 ? 0 : sent) < size + 2)
        client->broken |= !keep_unread(client, parts, (size_t)(sent < 0 ? 0 : sent));
}

static void send_unread(struct client *client)
{
    ssize_t sent =
        send(client->fd, client->unread, client->unread_size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        client->broken = errno != EAGAIN && errno != EINTR;
        return;
    }
    client->unread_size -= (size_t)sent;
    client->clients->unread -= (size_t)sent;
    memmove(client->unread, client->unread + sent, client->unread_size);
    if (client->unread_size == 0) {
        free(client->unread);
        client->unread = NULL;
        client->unread_room = 0;
    }
}

void stub_clients_answer(void *context, void *user, uint8_t *message, size_t size)
{
    struct request *request = user;
    if (request->client)
        answer_stream(request->client, message, size);
    else if (message)
        answer_datagram(context, request, message, size);
    free(request);
}

/* ---- TCP: queries -------------------------------------------------------------------------- */

static bool may_ask(const struct client *client)
{
    return client->outstanding < CLIENT_QUERIES_MAX && client->unread_size == 0 && !client->broken;
}

/* Asks what is here. False: the stream is no DNS. */
static bool ask_held(struct client *client, uint64_t now_us)
{
    const uint8_t *message;
    size_t size;
    enum framing_verdict verdict = FRAMING_MORE;
    while (may_ask(client) &&
           (verdict = framing_next(&client->framing, &message, &size)) == FRAMING_MESSAGE) {
        struct request *request = malloc(sizeof *request);
        if (!request)
            return false;
        *request = (struct request){ .client = client };
        client->clients->counters.stream_queries++;
        client->outstanding++;
        if (!stub_ask(client->clients->stub, request, message, size, now_us)) {
            client->outstanding--;
            free(request);
        }
    }
    return verdict == FRAMING_MORE || verdict == FRAMING_MESSAGE;
}

/* Reads and asks until there is nothing to read or too much to answer, or it is others' turn. */
static void read_client(struct client *client, uint64_t now_us)
{
    for (int i = 0; i < READS && !client->broken; i++) {
        uint8_t *space;
        if (!ask_held(client, now_us)) {
            client->clients->counters.stream_errors++;
            client->broken = true;
        }
        if (client->ended || !may_ask(client))
            return;
        size_t room = framing_space(&client->framing, &space);
        ssize_t got = recv(client->fd, space, room, MSG_DONTWAIT);
        if (got < 0) {
            client->broken |= errno != EAGAIN && errno != EINTR;
            return;
        }
        client->ended = got == 0;
        framing_add(&client->framing, (size_t)got);
    }
}

static void client_ready(void *context, int fd, short events, uint64_t now_us);

/* Closes a client that is through, and asks the loop for what another waits for. */
static void client_settle(struct client *client)
{
    bool through = client->ended && client->outstanding == 0 && client->unread_size == 0;
    short wanted = client->unread_size > 0 ? POLLOUT : 0;
    if (client->fd < 0 || client->broken || through) {
        client_close(client, client->broken);
        return;
    }
    if (!client->ended && may_ask(client))
        wanted |= POLLIN;
    if (wanted == client->watched)
        return;
    client->watched = wanted;
    if (wanted == 0) /* what it waits for comes from the stub; a hang-up is seen then */
        loop_unwatch(client->clients->loop, client->fd);
    else if (loop_watch(client->clients->loop, client->fd, wanted, client_ready, client) != 0)
        client_close(client, true);
}

static void client_ready(void *context, int fd, short events, uint64_t now_us)
{
    struct client *client = context;
    (void)fd;
    list_remove(client);
    list_append(client, now_us);
    if (events & POLLOUT)
        send_unread(client);
    read_client(client, now_us);
    client_settle(client);
}

static void listener_ready(void *context, int listener, short events, uint64_t now_us)
{
    struct stub_clients *clients = context;
    (void)events;
    for (int i = 0; i < ACCEPTS; i++) {
        int fd = socket_accept(listener);
        if (fd < 0)
            return;
        if (clients->oldest && clients->counters.streams_now >= clients->options.streams_max) {
            clients->counters.streams_evicted++;
            client_close(clients->oldest, true);
        }
        struct client *client = calloc(1, sizeof *client);
        if (!client) {
            close(fd);
            return;
        }
        client->clients = clients;
        client->fd = fd;
        framing_begin(&client->framing);
        list_append(client, now_us);
        clients->counters.streams++;
        clients->counters.streams_now++;
        client_ready(client, fd, 0, now_us);
    }
}

/* ---- what others call ---------------------------------------------------------------------- */

struct stub_clients *stub_clients_open(const struct stub_clients_options *options,
                                       struct loop *loop, char *error, size_t error_size)
{
    struct stub_clients *clients = calloc(1, sizeof *clients);
    if (!clients) {
        snprintf(error, error_size, "there is no memory");
        return NULL;
    }
    clients->options = *options;
    clients->loop = loop;
    for (size_t i = 0; i < options->name_count; i++)
        clients->datagrams[i] = clients->listeners[i] = -1;
    for (size_t i = 0; i < options->name_count; i++) {
        clients->datagrams[i] = socket_bind(&options->names[i]);
        if (clients->datagrams[i] >= 0)
            clients->listeners[i] = socket_listen(&options->names[i]);
        if (clients->listeners[i] < 0) {
            snprintf(error, error_size, "cannot listen on port %u: %s", options->names[i].port,
                     strerror(errno));
            stub_clients_close(clients);
            return NULL;
        }
    }
    return clients;
}

void stub_clients_ask(struct stub_clients *clients, struct stub *stub)
{
    clients->stub = stub;
    for (size_t i = 0; i < clients->options.name_count; i++) {
        loop_watch(clients->loop, clients->datagrams[i], POLLIN, datagrams_ready, clients);
        loop_watch(clients->loop, clients->listeners[i], POLLIN, listener_ready, clients);
    }
}

void stub_clients_close(struct stub_clients *clients)
{
    if (!clients)
        return;
    while (clients->oldest) {
        struct client *client = clients->oldest;
        client->outstanding = 0; /* nothing is answered any more */
        disconnect(client, true);
        touch(client);
    }
    stub_clients_tick(clients, 0);
    for (size_t i = 0; i < clients->options.name_count; i++) {
        loop_unwatch(clients->loop, clients->datagrams[i]);
        loop_unwatch(clients->loop, clients->listeners[i]);
        if (clients->datagrams[i] >= 0)
            close(clients->datagrams[i]);
        if (clients->listeners[i] >= 0)
            close(clients->listeners[i]);
    }
    free(clients);
}

void stub_clients_tick(struct stub_clients *clients, uint64_t now_us)
{
    struct client *client = clients->touched, *next;
    clients->touched = NULL;
    for (; client; client = next) {
        next = client->next_touched;
        client->touched = false;
        if (client->fd >= 0) {
            list_remove(client);
            list_append(client, now_us);
            read_client(client, now_us);
        }
        client_settle(client);
    }
    while (clients->oldest && clients->oldest->active_us + clients->options.idle_us <= now_us) {
        clients->counters.streams_idle++;
        client_close(clients->oldest, clients->oldest->unread_size > 0);
    }
}

uint64_t stub_clients_deadline(const struct stub_clients *clients)
{
    return clients->oldest ? clients->oldest->active_us + clients->options.idle_us : TCPCT_NEVER;
}

const struct stub_clients_counters *stub_clients_counters(const struct stub_clients *clients)
{
    return &clients->counters;
}

const char *stub_clients_counter_name(size_t index)
{
    static const char *const names[] = {
        "client_datagrams",      "client_datagrams_dropped", "client_streams",
        "client_streams_now",    "client_streams_evicted",   "client_streams_idle",
        "client_stream_queries", "client_stream_errors",     "client_truncated",
    };
    _Static_assert(sizeof names / sizeof *names ==
                       sizeof(struct stub_clients_counters) / sizeof(uint64_t),
                   "each counter has a name");
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}
