/* stub_link.h - the stub's connections to its upstreams: see stub.h. */
#ifndef DNS_STUB_LINK_H
#define DNS_STUB_LINK_H

#include "framing.h"
#include "stub.h"

/* How an upstream is spoken to. */
enum stub_way { STUB_COOKIES, STUB_PLAIN };

struct stub_upstream {
    struct tcpct_address address;
    uint16_t port;
    enum stub_way way; /* that works, until then */
    uint64_t way_until_us;
    bool closes; /* with its last outstanding answer: nothing more may follow */
};

/* A connection. Its list is ordered by last activity. */
struct stub_link {
    struct stub_link *older, *newer;
    struct stub_upstream *upstream;
    struct tcpct_connection *connection;
    enum stub_way way;
    uint64_t active_us;
    uint64_t turn;        /* in which it was begun: a restart takes all queries of that turn */
    uint32_t outstanding; /* sent less answered */
    bool restarted, connected, answered;
    bool cookies; /* once connected */
    struct framing framing;
};

struct stub_query {
    struct stub_query *older, *newer; /* in order of due_us */
    void *user;
    uint64_t due_us;        /* the next attempt */
    struct stub_link *link; /* on which it was sent last; NULL: none now */
    uint16_t id, client_id;
    uint8_t first;            /* upstream */
    uint8_t attempt, repeats; /* made so far; repeats: of what was lost with a connection */
    bool lost;                /* the last attempt is to be repeated */
    size_t frame_size;
    uint8_t frame[]; /* two bytes of length, and the message with our id */
};

struct stub {
    struct stub_options options;
    struct tcpct_stack *stack;
    struct stub_counters counters;
    struct stub_upstream upstreams[STUB_UPSTREAMS_MAX];
    size_t preferred; /* the upstream that is asked first, until then */
    uint64_t preferred_until_us;
    uint64_t turn;
    struct stub_query *oldest_query, *newest_query;
    struct stub_link *oldest_link, *newest_link;
    struct stub_query *by_id[65536];
    uint8_t scratch[DNS_MESSAGE_SIZE_MAX];
};

/* Sends a query to an upstream, over a connection that is open or is made for it. False: neither is
 * possible. */
bool stub_link_send(struct stub *stub, struct stub_query *query, struct stub_upstream *upstream,
                    enum stub_way way, uint64_t now_us);
/* Something happened on a connection. */
void stub_link_event(struct stub *stub, struct stub_link *link, unsigned flags, uint64_t now_us);
/* Closes what has been idle for too long; when the next will have been. */
void stub_links_idle(struct stub *stub, uint64_t now_us);
uint64_t stub_links_deadline(const struct stub *stub);
void stub_link_abort(struct stub *stub, struct stub_link *link);

/* Of stub.c: a message came over `link`. */
void stub_take_answer(struct stub *stub, const struct stub_link *link, const uint8_t *message,
                      size_t size, uint64_t now_us);
/* Of stub.c: the link ends, and what it owes is due at once. `refused`: it was of no use at all. */
void stub_link_lost(struct stub *stub, const struct stub_link *link, bool refused, uint64_t now_us);

#endif
