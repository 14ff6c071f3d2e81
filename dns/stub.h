/* stub.h - asks upstream servers on behalf of clients, over the connections of a stack.
 *
 * Theory of operation: a query keeps its id if no other query that is under way has it; answers are
 * recognised by id and question, from whichever connection they come. With cookies (RFC 6013) a
 * connection is made for a query, which travels in the <SYN> or with a restart, and is closed when
 * everything asked on it is answered, since to begin again costs nothing. Queries of the same turn
 * share a restart; later ones follow on it unless the server was seen to close with its last
 * outstanding answer. Over plain TCP all share one connection while the server keeps it (RFC 7766).
 *
 * A query has a number of attempts, evenly spread over its time: with each upstream in turn, first
 * over the way that is known to work, cookies or plain TCP, then over the other. What was lost with
 * its connection, or refused, is asked again at once. The first answer wins, and what brought it is
 * remembered for five minutes. After the last attempt the answer is SERVFAIL.
 */
#ifndef DNS_STUB_H
#define DNS_STUB_H

#include "message.h"
#include "tcpct/tcpct.h"

enum { STUB_UPSTREAMS_MAX = 4 };

struct stub;

struct stub_options {
    struct {
        struct tcpct_address address;
        uint16_t port;
    } upstreams[STUB_UPSTREAMS_MAX];
    size_t upstream_count;
    struct tcpct_parameters parameters;
    enum tcpct_window window;
    uint32_t queries_max;     /* under way at once, 1 to 32768 */
    uint32_t connections_max; /* likewise */
    uint64_t timeout_us;      /* for all attempts of a query */
    /* The answer to what stub_ask was given; may be altered, is not kept. Called once for each, maybe
     * within stub_ask; must not call the stub. NULL and 0 if the stub is destroyed before. */
    void (*answer)(void *context, void *user, uint8_t *message, size_t size);
    void *context;
};

/* Every field is a uint64_t; stub_counter_name names them in order. */
struct stub_counters {
    uint64_t queries, queries_now;
    uint64_t answers;
    uint64_t queries_refused;  /* queries_max was reached */
    uint64_t queries_failed;   /* nobody answered */
    uint64_t queries_repeated; /* later attempts, and what was lost with a connection */
    uint64_t answers_unasked;  /* late, or to no question of ours */
    uint64_t connections, connections_now;
    uint64_t connections_lost; /* with something unanswered */
    uint64_t fall_backs;       /* an upstream answers over plain TCP only */
    uint64_t upstream_changes; /* another upstream answers */
    uint64_t memory_errors;
};

/* NULL: no memory. The stack is not owned; all its connections are the stub's. */
struct stub *stub_create(const struct stub_options *options, struct tcpct_stack *stack);
/* Aborts all connections, which must still exist. NULL is allowed. */
void stub_destroy(struct stub *stub);

/* Asks. A message that is no query gets no answer: false, and `user` is not kept. */
bool stub_ask(struct stub *stub, void *user, const uint8_t *message, size_t size, uint64_t now_us);

/* In each turn: an event of the stack, and what has become due. */
void stub_event(struct stub *stub, const struct tcpct_event *event, uint64_t now_us);
void stub_tick(struct stub *stub, uint64_t now_us);
/* When stub_tick wants to be called without an event; TCPCT_NEVER if not. */
uint64_t stub_deadline(const struct stub *stub);

const struct stub_counters *stub_counters(const struct stub *stub);
/* Name of counter `index` in the struct's order; NULL past the end. */
const char *stub_counter_name(size_t index);

#endif
