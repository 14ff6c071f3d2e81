/* stub_link.c - how the stub's connections are made, shared, read and closed: see stub.h. */
#include "stub_link.h"

#include <stdlib.h>

enum { QUERIES_PER_LINK = 256 };

static const uint64_t idle_us = 10000000;

/* ---- the list ------------------------------------------------------------------------------ */

static void list_remove(struct stub *stub, struct stub_link *link)
{
    if (link == stub->oldest_link)
        stub->oldest_link = link->newer;
    else
        link->older->newer = link->newer;
    if (link == stub->newest_link)
        stub->newest_link = link->older;
    else
        link->newer->older = link->older;
}

static void list_append(struct stub *stub, struct stub_link *link, uint64_t now_us)
{
    link->older = stub->newest_link;
    link->newer = NULL;
    link->active_us = now_us;
    if (link->older)
        link->older->newer = link;
    else
        stub->oldest_link = link;
    stub->newest_link = link;
}

static void free_link(struct stub *stub, struct stub_link *link)
{
    list_remove(stub, link);
    framing_release(&link->framing);
    free(link);
    stub->counters.connections_now--;
}

void stub_link_abort(struct stub *stub, struct stub_link *link)
{
    tcpct_abort(link->connection);
    free_link(stub, link);
}

/* It ends: what it still owes is asked elsewhere. `refused`: it was of no use at all. */
static void give_up(struct stub *stub, struct stub_link *link, bool refused, uint64_t now_us)
{
    stub->counters.connections_lost++;
    stub_link_lost(stub, link, refused, now_us);
    stub_link_abort(stub, link);
}

/* ---- sending ------------------------------------------------------------------------------- */

/* Whether another query may follow on a connection. Where cookies are being exchanged it would wait
 * longer than in a <SYN> of its own; and a server that closes with its last outstanding answer may
 * have done so. */
static bool may_follow(const struct stub *stub, const struct stub_link *link)
{
    if (link->outstanding >= QUERIES_PER_LINK)
        return false;
    if (link->way == STUB_PLAIN || (link->connected && !link->cookies) ||
        (link->restarted && link->turn == stub->turn))
        return true;
    return !link->upstream->closes && (link->restarted || link->connected);
}

/* The connection that was used last of those on which another query may follow; or of all. */
static struct stub_link *find(const struct stub *stub, const struct stub_upstream *upstream,
                              enum stub_way way, bool any)
{
    for (struct stub_link *link = stub->newest_link; link; link = link->older)
        if (link->upstream == upstream && link->way == way && (any || may_follow(stub, link)))
            return link;
    return NULL;
}

static struct stub_link *make(struct stub *stub, const struct stub_query *query,
                              struct stub_upstream *upstream, enum stub_way way, uint64_t now_us)
{
    struct tcpct_connect_options options = {
        .remote = upstream->address,
        .remote_port = upstream->port,
        .parameters = stub->options.parameters,
        .window = stub->options.window,
        .restart = way == STUB_COOKIES,
        .request = query->frame,
        .request_size = query->frame_size,
    };
    struct stub_link *link = stub->counters.connections_now < stub->options.connections_max
                                 ? malloc(sizeof *link)
                                 : NULL;
    if (!link)
        return NULL;
    if (way == STUB_PLAIN)
        options.parameters.cookie_desired = 0;
    options.user = link;
    if (tcpct_connect(stub->stack, &options, &link->connection, now_us) != TCPCT_OK) {
        free(link);
        return NULL;
    }
    struct tcpct_info info;
    tcpct_connection_info(link->connection, &info);
    tcpct_option_set(link->connection, TCPCT_OPTION_NODELAY, 1);
    link->upstream = upstream;
    link->way = way;
    link->turn = stub->turn;
    link->outstanding = 0;
    link->restarted = info.restarted;
    link->connected = link->answered = link->cookies = false;
    framing_begin(&link->framing);
    list_append(stub, link, now_us);
    stub->counters.connections++;
    stub->counters.connections_now++;
    return link;
}

/* Sends on a connection that is open. False: it takes nothing. */
static bool follow(struct stub *stub, struct stub_link *link, struct stub_query *query,
                   uint64_t now_us)
{
    ptrdiff_t sent = tcpct_send(link->connection, query->frame, query->frame_size);
    if (sent > 0 && (size_t)sent < query->frame_size)
        give_up(stub, link, false, now_us); /* cut within a message: it is of no use now */
    return sent == (ptrdiff_t)query->frame_size;
}

bool stub_link_send(struct stub *stub, struct stub_query *query, struct stub_upstream *upstream,
                    enum stub_way way, uint64_t now_us)
{
    struct stub_link *link = find(stub, upstream, way, false);
    if (!link || !follow(stub, link, query, now_us))
        link = make(stub, query, upstream, way, now_us);
    if (!link) { /* there are too many: then what there is has to do */
        link = find(stub, upstream, way, true);
        if (!link || !follow(stub, link, query, now_us))
            return false;
    }
    link->outstanding++;
    query->link = link;
    return true;
}

/* ---- reading ------------------------------------------------------------------------------- */

/* Takes the messages that are here. False: the stream is no DNS, or there is no memory. */
static bool take_messages(struct stub *stub, struct stub_link *link, uint64_t now_us)
{
    const uint8_t *message;
    size_t size;
    enum framing_verdict verdict;
    while ((verdict = framing_next(&link->framing, &message, &size)) == FRAMING_MESSAGE) {
        link->answered = true;
        if (link->outstanding > 0)
            link->outstanding--;
        stub_take_answer(stub, link, message, size, now_us);
    }
    stub->counters.memory_errors += verdict == FRAMING_NO_MEMORY;
    return verdict == FRAMING_MORE;
}

/* Reads all there is. The connection's error, or 0; CLOSED after its end. */
static int read_all(struct stub *stub, struct stub_link *link, uint64_t now_us)
{
    for (;;) {
        uint8_t *space;
        if (!take_messages(stub, link, now_us))
            return TCPCT_ERROR_INVALID;
        size_t room = framing_space(&link->framing, &space);
        ptrdiff_t got = tcpct_receive(link->connection, space, room);
        if (got <= 0)
            return (int)got;
        framing_add(&link->framing, (size_t)got);
    }
}

void stub_link_event(struct stub *stub, struct stub_link *link, unsigned flags, uint64_t now_us)
{
    if (flags & TCPCT_EVENT_ERROR) {
        give_up(stub, link, !link->answered, now_us);
        return;
    }
    list_remove(stub, link);
    list_append(stub, link, now_us);
    if (flags & TCPCT_EVENT_CONNECTED) {
        struct tcpct_info info;
        tcpct_connection_info(link->connection, &info);
        link->connected = true;
        link->cookies = info.cookies;
    }
    int error = read_all(stub, link, now_us);
    if (error == TCPCT_ERROR_CLOSED && link->answered && link->outstanding > 0)
        link->upstream->closes = true;
    bool through = link->answered && link->outstanding == 0 && link->cookies;
    if (error != 0 && error != TCPCT_ERROR_CLOSED && link->outstanding > 0) {
        give_up(stub, link, !link->answered, now_us);
    } else if (error != 0 || through) {
        if (link->outstanding > 0) {
            stub->counters.connections_lost++;
            stub_link_lost(stub, link, !link->answered, now_us);
        }
        tcpct_close(link->connection);
        free_link(stub, link);
    }
}

void stub_links_idle(struct stub *stub, uint64_t now_us)
{
    while (stub->oldest_link && stub->oldest_link->active_us + idle_us <= now_us) {
        struct stub_link *link = stub->oldest_link;
        if (link->outstanding > 0) {
            give_up(stub, link, true, now_us);
        } else {
            tcpct_close(link->connection);
            free_link(stub, link);
        }
    }
}

uint64_t stub_links_deadline(const struct stub *stub)
{
    return stub->oldest_link ? stub->oldest_link->active_us + idle_us : TCPCT_NEVER;
}
