/* stub.c - the queries that are under way, their attempts and answers: see stub.h. */
#include "stub.h"

#include <stdlib.h>
#include <string.h>

#include "forwarded.h"
#include "stub_link.h"

enum { ATTEMPTS_MIN = 4, REPEATS_MAX = 3 };

static const uint64_t memory_us = 300000000;

/* ---- the list, in order of what is due ----------------------------------------------------- */

static void list_remove(struct stub *stub, struct stub_query *query)
{
    if (query == stub->oldest_query)
        stub->oldest_query = query->newer;
    else
        query->older->newer = query->newer;
    if (query == stub->newest_query)
        stub->newest_query = query->older;
    else
        query->newer->older = query->older;
}

static void list_append(struct stub *stub, struct stub_query *query, uint64_t due_us)
{
    query->due_us = due_us;
    query->older = stub->newest_query;
    query->newer = NULL;
    if (query->older)
        query->older->newer = query;
    else
        stub->oldest_query = query;
    stub->newest_query = query;
}

static void list_prepend(struct stub *stub, struct stub_query *query, uint64_t due_us)
{
    query->due_us = due_us;
    query->newer = stub->oldest_query;
    query->older = NULL;
    if (query->newer)
        query->newer->older = query;
    else
        stub->newest_query = query;
    stub->oldest_query = query;
}

static void free_query(struct stub *stub, struct stub_query *query)
{
    list_remove(stub, query);
    stub->by_id[query->id] = NULL;
    free(query);
    stub->counters.queries_now--;
}

/* ---- answering ----------------------------------------------------------------------------- */

static void fail(struct stub *stub, void *user, const uint8_t *message, size_t size,
                 enum dns_rcode rcode, enum dns_extended_error error)
{
    uint8_t answer[FORWARDED_FAILURE_SIZE];
    size_t answer_size = forwarded_failure(answer, message, size, rcode, error);
    stub->options.answer(stub->options.context, user, answer, answer_size);
}

static void fail_query(struct stub *stub, struct stub_query *query)
{
    dns_put16(query->frame + 2, query->client_id);
    stub->counters.queries_failed++;
    fail(stub, query->user, query->frame + 2, query->frame_size - 2, DNS_SERVFAIL,
         DNS_EDE_NO_AUTHORITY);
    free_query(stub, query);
}

static enum stub_way way_of(const struct stub_upstream *upstream, uint64_t now_us)
{
    return now_us < upstream->way_until_us ? upstream->way : STUB_COOKIES;
}

static size_t first_upstream(const struct stub *stub, uint64_t now_us)
{
    return now_us < stub->preferred_until_us ? stub->preferred : 0;
}

/* What works is remembered, where it is not what would be tried first anyway. */
static void learn(struct stub *stub, const struct stub_link *link, uint64_t now_us)
{
    struct stub_upstream *upstream = link->upstream;
    size_t index = (size_t)(upstream - stub->upstreams);
    if (link->way != way_of(upstream, now_us)) {
        upstream->way = link->way;
        upstream->way_until_us = now_us + memory_us;
        stub->counters.fall_backs += link->way == STUB_PLAIN;
    }
    if (index != first_upstream(stub, now_us)) {
        stub->preferred = index;
        stub->preferred_until_us = now_us + memory_us;
        stub->counters.upstream_changes++;
    }
}

void stub_take_answer(struct stub *stub, const struct stub_link *link, const uint8_t *message,
                      size_t size, uint64_t now_us)
{
    struct stub_query *query = stub->by_id[dns_get16(message)];
    if (!query || !forwarded_matches(query->frame + 2, query->frame_size - 2, message, size)) {
        stub->counters.answers_unasked++;
        return;
    }
    if (query->attempt > 1 || query->repeats > 0)
        learn(stub, link, now_us);
    memcpy(stub->scratch, message, size);
    dns_put16(stub->scratch, query->client_id);
    void *user = query->user;
    free_query(stub, query);
    stub->counters.answers++;
    stub->options.answer(stub->options.context, user, stub->scratch, size);
}

/* ---- attempts ------------------------------------------------------------------------------ */

static unsigned attempts(const struct stub *stub)
{
    unsigned each = 2 * (unsigned)stub->options.upstream_count;
    return each > ATTEMPTS_MIN ? each : ATTEMPTS_MIN;
}

/* Makes the attempt that `attempt` counts. False: it was refused on the spot. */
static bool send_attempt(struct stub *stub, struct stub_query *query, uint64_t now_us)
{
    size_t count = stub->options.upstream_count, made = query->attempt - 1u;
    struct stub_upstream *upstream = &stub->upstreams[(query->first + made) % count];
    enum stub_way way = way_of(upstream, now_us);
    if (made / count % 2 == 1)
        way = way == STUB_COOKIES ? STUB_PLAIN : STUB_COOKIES;
    return stub_link_send(stub, query, upstream, way, now_us);
}

/* Asks again, or for the first time, or says that nobody answers. */
static void ask(struct stub *stub, struct stub_query *query, uint64_t now_us)
{
    bool sent = false;
    list_remove(stub, query);
    list_append(stub, query, now_us + stub->options.timeout_us / attempts(stub));
    stub->counters.queries_repeated += query->attempt > 0;
    if (query->lost && query->repeats < REPEATS_MAX) {
        query->repeats++;
        sent = send_attempt(stub, query, now_us);
    }
    query->lost = false;
    while (!sent && query->attempt < attempts(stub)) {
        query->attempt++;
        sent = send_attempt(stub, query, now_us);
    }
    if (!sent)
        fail_query(stub, query);
}

void stub_link_lost(struct stub *stub, const struct stub_link *link, bool refused, uint64_t now_us)
{
    struct stub_query *next;
    for (struct stub_query *query = stub->oldest_query; query && link->outstanding > 0;
         query = next) {
        next = query->newer;
        if (query->link != link)
            continue;
        query->link = NULL;
        query->lost = !refused;
        list_remove(stub, query);
        list_prepend(stub, query, now_us + 1); /* in the next turn, when this end has been told */
    }
}

/* An id that no other query has: the client's own, or any. */
static uint16_t choose_id(const struct stub *stub, uint16_t client_id)
{
    uint16_t id = client_id;
    while (stub->by_id[id])
        id = (uint16_t)(id * 5 + 12345); /* visits all of them */
    return id;
}

static bool is_transfer(const uint8_t *message, size_t size)
{
    size_t end = dns_get16(message + 4) > 0 ? dns_name_skip(message, size, DNS_HEADER_SIZE) : 0;
    uint16_t type = end > 0 && end + 4 <= size ? dns_get16(message + end) : 0;
    return type == DNS_AXFR || type == DNS_IXFR;
}

bool stub_ask(struct stub *stub, void *user, const uint8_t *message, size_t size, uint64_t now_us)
{
    struct stub_counters *counters = &stub->counters;
    struct stub_query *query;
    if (size < DNS_HEADER_SIZE || size > DNS_MESSAGE_SIZE_MAX ||
        dns_get16(message + 2) & DNS_FLAG_QR)
        return false;
    counters->queries++;
    if (is_transfer(message, size)) { /* many messages answer one query */
        fail(stub, user, message, size, DNS_NOTIMP, DNS_EDE_NOT_SUPPORTED);
        return true;
    }
    if (counters->queries_now >= stub->options.queries_max ||
        !(query = malloc(sizeof *query + 2 + size))) {
        counters->queries_refused++;
        fail(stub, user, message, size, DNS_SERVFAIL, DNS_EDE_NOT_READY);
        return true;
    }
    *query = (struct stub_query){ .user = user, .client_id = dns_get16(message) };
    query->id = choose_id(stub, query->client_id);
    query->first = (uint8_t)first_upstream(stub, now_us);
    query->frame_size = 2 + size;
    dns_put16(query->frame, (uint16_t)size);
    memcpy(query->frame + 2, message, size);
    dns_put16(query->frame + 2, query->id);
    stub->by_id[query->id] = query;
    list_append(stub, query, now_us);
    counters->queries_now++;
    ask(stub, query, now_us);
    return true;
}

/* ---- the rest ------------------------------------------------------------------------------ */

void stub_event(struct stub *stub, const struct tcpct_event *event, uint64_t now_us)
{
    stub_link_event(stub, event->user, event->flags, now_us);
}

void stub_tick(struct stub *stub, uint64_t now_us)
{
    stub_links_idle(stub, now_us);
    while (stub->oldest_query && stub->oldest_query->due_us <= now_us)
        ask(stub, stub->oldest_query, now_us);
    stub->turn++;
}

uint64_t stub_deadline(const struct stub *stub)
{
    uint64_t links_us = stub_links_deadline(stub);
    uint64_t query_us = stub->oldest_query ? stub->oldest_query->due_us : TCPCT_NEVER;
    return links_us < query_us ? links_us : query_us;
}

struct stub *stub_create(const struct stub_options *options, struct tcpct_stack *stack)
{
    struct stub *stub = calloc(1, sizeof *stub);
    if (!stub)
        return NULL;
    stub->options = *options;
    stub->stack = stack;
    for (size_t i = 0; i < options->upstream_count; i++)
        stub->upstreams[i] = (struct stub_upstream){ .address = options->upstreams[i].address,
                                                     .port = options->upstreams[i].port };
    return stub;
}

void stub_destroy(struct stub *stub)
{
    while (stub && stub->oldest_query) {
        stub->options.answer(stub->options.context, stub->oldest_query->user, NULL, 0);
        free_query(stub, stub->oldest_query);
    }
    while (stub && stub->oldest_link)
        stub_link_abort(stub, stub->oldest_link);
    free(stub);
}

const struct stub_counters *stub_counters(const struct stub *stub)
{
    return &stub->counters;
}

const char *stub_counter_name(size_t index)
{
    static const char *const names[] = {
        "stub_queries",          "stub_queries_now",    "stub_answers",
        "stub_queries_refused",  "stub_queries_failed", "stub_queries_repeated",
        "stub_answers_unasked",  "stub_connections",    "stub_connections_now",
        "stub_connections_lost", "stub_fall_backs",     "stub_upstream_changes",
        "stub_memory_errors",
    };
    _Static_assert(sizeof names / sizeof *names == sizeof(struct stub_counters) / sizeof(uint64_t),
                   "each counter has a name");
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}
