#include "tests/dns/dns_server.h"

#include <stdlib.h>
#include <string.h>

#include "dns/framing.h"

struct served {
    struct tcpct_connection *connection;
    struct framing framing;
};

static void drop(struct served *served)
{
    tcpct_close(served->connection);
    framing_release(&served->framing);
    free(served);
}

/* Whether anything was answered. */
static bool answer_all(struct dns_server *server, struct served *served)
{
    static uint8_t frame[2 + DNS_MESSAGE_SIZE_MAX];
    const uint8_t *query;
    size_t size;
    bool answered = false;
    while (framing_next(&served->framing, &query, &size) == FRAMING_MESSAGE) {
        server->queries++;
        if (server->silent)
            continue;
        size_t answer_size = size > server->answer_size ? size : server->answer_size;
        memset(frame, 0, 2 + answer_size);
        memcpy(frame + 2, query, size);
        dns_put16(frame, (uint16_t)answer_size);
        dns_put16(frame + 4, DNS_FLAG_QR);
        tcpct_send(served->connection, frame, 2 + answer_size);
        answered = true;
    }
    return answered;
}

static void read_all(struct dns_server *server, struct served *served)
{
    bool answered = false;
    for (;;) {
        uint8_t *space;
        size_t room = framing_space(&served->framing, &space);
        ptrdiff_t got = tcpct_receive(served->connection, space, room);
        if (got < 0) {
            drop(served);
            return;
        }
        framing_add(&served->framing, (size_t)got);
        answered |= answer_all(server, served);
        if (got == 0)
            break;
    }
    if (answered && !server->keeps && framing_is_empty(&served->framing))
        drop(served);
}

void dns_server_event(struct dns_server *server, const struct tcpct_event *event)
{
    if (event->flags & TCPCT_EVENT_ACCEPT) {
        struct tcpct_connection *connection;
        while ((connection = tcpct_accept(event->listener))) {
            struct served *served = calloc(1, sizeof *served);
            served->connection = connection;
            framing_begin(&served->framing);
            tcpct_set_user(connection, served);
            read_all(server, served);
        }
    } else if (event->flags & TCPCT_EVENT_ERROR) {
        drop(event->user);
    } else if (event->flags & TCPCT_EVENT_READABLE) {
        read_all(server, event->user);
    }
}
