#include "restart.h"

#include <string.h>

#include "demux.h"
#include "jump.h"
#include "peers.h"
#include "seal.h"
#include "seq.h"
#include "timer.h"
#include "timestamps.h"

enum {
    RESTARTS_MAX = 64,             /* of one pair */
    OFFSET_STEP_MASK = 0xffffff,   /* 64 such steps are less than a quarter of the range */
    OFFSET_START_MASK = 0xfffffff, /* never older than what the peer has of us */
    FIRST_FLIGHT_TICKS = 10000,    /* of what is sent before the Responder is heard, at most */
    UNPROVED_FLIGHT = 65536,
    UNPROVED_TIMEOUTS = 2,
    UNPROVED_SHARE = 16, /* of the budget, for one prefix */
    FAILURES = 2,        /* in a row: there is no restart for a while */
};
/* How long, at first; twice as long after each further failure, at most: */
static const uint64_t SHUNNED_US = 10ull * SECOND_US, SHUNNED_MAX_US = 300ull * SECOND_US;

/* ---- what is remembered ---------------------------------------------------------------------- */

static struct remember_key key_of(const struct tcpct_stack *stack,
                                  const struct endpoints *endpoints)
{
    struct remember_key key = { .remote = endpoints->remote,
                                .local_port = endpoints->local_port,
                                .remote_port = endpoints->remote_port };
    key.local = (uint8_t)stack_address(stack, &endpoints->local);
    return key;
}

static struct remember_table *table_of(struct tcpct_stack *stack, bool initiator, uint8_t family)
{
    return &stack->remembered[initiator][family == 6];
}

static struct remembered *find(struct tcpct_stack *stack, bool initiator,
                               const struct endpoints *endpoints)
{
    struct remember_key key = key_of(stack, endpoints);
    return remember_find(table_of(stack, initiator, endpoints->remote.family), &key);
}

/* A pair may die 2 MSL after it was made, if the secret was just about to be replaced (3.5.3). */
static void remember_the_pair(const struct tcpct_connection *connection,
                              struct remembered_pair *pair)
{
    uint64_t life_us = 2 * connection->stack->config.msl_us;
    pair->size = connection->pair.size;
    memcpy(pair->initiator, connection->pair.initiator, pair->size);
    memcpy(pair->responder, connection->pair.responder, pair->size);
    pair->window_scaling = connection->window_scaling;
    pair->window_scale = connection->snd_scale;
    pair->sack_permitted = connection->sack_permitted;
    pair->ecn = connection->ecn.agreed;
    pair->iss = connection->iss;
    pair->irs = connection->irs;
    pair->responder_timestamp = connection->responder_timestamp;
    pair->timestamp_offset = (uint32_t)connection->timestamp_offset;
    pair->timestamp_round = (uint8_t)(connection->timestamp_offset >> 32);
    pair->timestamp_size = connection->timestamp_size;
    pair->restarts = connection->restarts;
    pair->trusted_s = time_s(connection->exchanged_us + life_us);
}

/* What is known of the path between two addresses: no more than one of its entries has a window,
 * which is gone while a connection uses it. */
static struct path_state *path_of(const struct remember_table *table,
                                  const struct remember_key *key)
{
    struct path_state *known = NULL;
    for (struct remembered *i = remember_first(table, key); i; i = remember_next(table, i)) {
        if (i->path.window)
            return &i->path;
        if (!known && i->path.min_rtt_us)
            known = &i->path;
    }
    return known;
}

static void forget_window(const struct remember_table *table, const struct remember_key *key)
{
    for (struct remembered *i = remember_first(table, key); i; i = remember_next(table, i))
        i->path.window = 0;
}

/* Of the path between two addresses no more than one is kept. */
static void remember_the_seal(const struct tcpct_connection *connection,
                              const struct remember_table *table, const struct remember_key *key,
                              struct remembered *entry)
{
    struct remembered_seal *kept = remember_seal(table, entry);
    if (!kept)
        return;
    for (struct remembered *i = connection->seal.size ? remember_first(table, key) : NULL; i;
         i = remember_next(table, i))
        remember_seal(table, i)->size = 0;
    *kept = connection->seal;
}

void restart_remember(const struct tcpct_connection *connection, uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    struct remember_key key = key_of(stack, &connection->endpoints);
    struct remember_table *table = table_of(stack, connection->initiator, key.remote.family);
    if (!connection->pair.size)
        return;
    const struct path_state *known = path_of(table, &key);
    struct path_state path = known ? *known : (struct path_state){ .window = 0 };
    bool seen = jump_save(connection, &path, now_us);
    struct remembered *entry = remember_use(table, &key);
    if (!entry)
        return;
    entry->exchange = connection->responder_timestamp;
    entry->mss = connection->mss;
    entry->timestamp = connection->opening_timestamp;
    entry->flags = connection->unproved ? REMEMBER_UNPROVED : 0;
    if (seen) {
        forget_window(table, &key);
        entry->path = path;
    }
    if (!connection->initiator)
        return;
    remember_the_pair(connection, remember_pair(table, entry));
    remember_the_seal(connection, table, &key, entry);
}

/* Begins with what is known of the path: by this very connection, or another between the same
 * addresses. */
static void use_path(struct tcpct_connection *connection, const struct remember_table *table,
                     const struct remember_key *key, uint64_t now_us)
{
    struct path_state *path = path_of(table, key);
    if (path)
        jump_begin(connection, path, now_us);
}

void restart_takes_path(struct tcpct_connection *connection, uint64_t now_us)
{
    struct remember_key key = key_of(connection->stack, &connection->endpoints);
    use_path(connection, table_of(connection->stack, true, key.remote.family), &key, now_us);
}

void tcpct_remembered_flush(struct tcpct_stack *stack)
{
    for (unsigned i = 0; i < 4; i++)
        remember_flush(&stack->remembered[i / 2][i % 2]);
}

const struct path_state *restart_path(const struct tcpct_connection *connection)
{
    struct tcpct_stack *stack = connection->stack;
    struct remember_key key = key_of(stack, &connection->endpoints);
    struct remember_table *table = table_of(stack, connection->initiator, key.remote.family);
    return path_of(table, &key);
}

bool restart_echo_fits(const struct tcpct_connection *connection, const struct segment *segment,
                       uint64_t now_us)
{
    uint32_t echo = segment->options.timestamp_echo;
    if (!connection->initiator && echo == connection->responder_timestamp &&
        seq_leq(segment->ack, connection->snd_una)) {
        uint32_t ahead = segment->options.timestamp_value - connection->opening_timestamp;
        uint64_t age_us = now_us - connection->exchanged_us;
        return ahead <= age_us / TIMESTAMP_TICK_US + FIRST_FLIGHT_TICKS;
    }
    return seq_leq(connection->timestamp_first, echo) &&
           seq_leq(echo, tcb_timestamp(connection, now_us));
}

/* ---- Initiator ------------------------------------------------------------------------------- */

/* Nothing that acknowledges the Responder's answer has left yet: it would take the opening for a
 * recording, and refuse it. */
static bool is_unproved_still(const struct tcpct_connection *before)
{
    return before->fin_received && before->last_ack_sent == before->irs + 1;
}

static bool may_restart(struct tcpct_stack *stack, const struct remembered *entry,
                        const struct remembered_pair *pair, struct endpoints *endpoints,
                        uint64_t now_us)
{
    if (entry->flags & REMEMBER_REFUSED || entry->remote_port != endpoints->remote_port ||
        (endpoints->local_port && entry->local_port != endpoints->local_port) ||
        pair->restarts >= RESTARTS_MAX || time_s(now_us) >= pair->trusted_s)
        return false;
    struct endpoints its = *endpoints;
    its.local_port = entry->local_port;
    const struct tcpct_connection *before = demux_find(stack, &its);
    return !before || (tcb_is_finishing(before) && !before->held && !is_unproved_still(before));
}

static void take_up(struct tcpct_connection *connection, struct remembered *entry,
                    struct remembered_pair *pair, uint64_t now_us)
{
    struct tcp_options options;
    options.present = OPTION_MSS;
    options.mss = entry->mss;
    options.timestamp_size = 4;
    options.window_scale = pair->window_scale;
    if (pair->window_scaling)
        options.present |= OPTION_WINDOW_SCALE;
    if (pair->sack_permitted)
        options.present |= OPTION_SACK_PERMITTED;
    tcb_peer_options(connection, &options);
    connection->pair.size = pair->size;
    memcpy(connection->pair.initiator, pair->initiator, pair->size);
    memcpy(connection->pair.responder, pair->responder, pair->size);
    connection->ecn.agreed = pair->ecn;
    connection->timestamp_offset = (uint64_t)pair->timestamp_round << 32 | pair->timestamp_offset;
    connection->timestamp_offset += 1 + (stack_random(connection->stack) & OFFSET_STEP_MASK);
    pair->timestamp_offset = (uint32_t)connection->timestamp_offset;
    pair->timestamp_round = (uint8_t)(connection->timestamp_offset >> 32);
    pair->restarts++;
    connection->timestamp_first = tcb_timestamp(connection, now_us);
    connection->responder_timestamp = connection->ts_recent = pair->responder_timestamp;
    connection->ts_recent_us = now_us;
    timestamps_propose(connection, pair->timestamp_size);
    connection->restarts = pair->restarts;
    connection->exchanged_us =
        (uint64_t)pair->trusted_s * SECOND_US - 2 * connection->stack->config.msl_us;
    tcb_begin(connection, pair->iss, pair->irs);
    connection->snd_wnd = connection->snd_max_wnd = UINT16_MAX; /* as in a <SYN,ACK(SYN)> */
}

/* It is used once. */
static void take_seal(struct tcpct_connection *connection, struct remembered_seal *kept)
{
    if (!kept)
        return;
    connection->seal = *kept;
    kept->size = 0;
}

struct tcpct_connection *restart_begin(struct tcpct_stack *stack, struct endpoints *endpoints,
                                       enum tcpct_window policy, uint64_t now_us)
{
    struct remember_key key = key_of(stack, endpoints);
    struct remember_table *table = table_of(stack, true, key.remote.family);
    const struct peer *peer = peers_find(stack, &endpoints->remote);
    struct remembered *entry = remember_first(table, &key);
    if (peer && now_us < peer->no_restart_until_us)
        return NULL;
    while (entry && !may_restart(stack, entry, remember_pair(table, entry), endpoints, now_us))
        entry = remember_next(table, entry);
    if (!entry)
        return NULL;
    endpoints->local_port = entry->local_port;
    struct tcpct_connection *before = demux_find(stack, endpoints);
    if (before)
        tcb_closed(before, TCPCT_OK, now_us);
    struct tcpct_connection *connection = tcb_create(stack, endpoints);
    if (!connection)
        return NULL;
    connection->initiator = connection->restarted = true;
    connection->window_policy = policy;
    take_up(connection, entry, remember_pair(table, entry), now_us);
    take_seal(connection, remember_seal(table, entry));
    use_path(connection, table, &key, now_us);
    stack->counters.restarts++;
    trace_connection(connection, TCPCT_TRACE_RESTART, "begun again", connection->restarts, now_us);
    tcb_introduce(connection);
    tcb_state(connection, TCPCT_ESTABLISHED, now_us);
    return connection;
}

bool restart_reserves(struct tcpct_stack *stack, const struct endpoints *endpoints)
{
    return find(stack, true, endpoints) != NULL;
}

uint64_t restart_patience_us(const struct tcpct_connection *connection)
{
    const struct rtt *rtt = &connection->rtt;
    const struct path_state *path = &connection->jump.taken;
    uint64_t srtt_us = rtt->srtt_us ? rtt->srtt_us : path->srtt_us;
    uint64_t rttvar_us = rtt->srtt_us ? rtt->rttvar_us : path->rttvar_us;
    if (srtt_us == 0)
        return rtt->rto_us;
    return max_u64(srtt_us + max_u64(srtt_us / 4, 4 * rttvar_us), MILLISECOND_US);
}

void restart_confirmed(struct tcpct_connection *connection, uint64_t now_us)
{
    struct peer *peer = peers_find(connection->stack, &connection->endpoints.remote);
    struct tcpct_connection *exchange = tcb_part(connection);
    connection->seal.size = 0;
    if (peer)
        peer->restarts_lost = 0;
    if (exchange) /* of which the Responder has kept nothing */
        tcb_closed(exchange, TCPCT_OK, now_us);
    trace_connection(connection, TCPCT_TRACE_RESTART, "answered", connection->restarts, now_us);
    tcb_event(connection, TCPCT_EVENT_CONNECTED | TCPCT_EVENT_WRITABLE);
}

void restart_keeps_seal(struct tcpct_connection *connection, const struct segment *segment)
{
    struct tcpct_stack *stack = connection->stack;
    const struct tcp_options *options = &segment->options;
    struct remember_key key = key_of(stack, &connection->endpoints);
    struct remember_table *table = table_of(stack, true, key.remote.family);
    if (!stack->config.keep_seals)
        return;
    connection->seal.size = options->seal_size;
    memcpy(connection->seal.bytes, options->seal, options->seal_size);
    struct remembered *entry = remember_find(table, &key);
    if (entry && connection->state == TCPCT_TIME_WAIT &&
        entry->exchange == connection->responder_timestamp)
        remember_the_seal(connection, table, &key, entry);
}

void restart_failed(struct tcpct_connection *connection, uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    struct remembered *entry = find(stack, true, &connection->endpoints);
    struct peer *peer = peers_use(stack, &connection->endpoints.remote, now_us);
    if (entry)
        remember_forget(table_of(stack, true, connection->endpoints.remote.family), entry);
    stack->counters.restarts_lost++;
    if (now_us < peer->no_restart_until_us) /* it was already under way */
        return;
    if (peer->restarts_lost < UINT8_MAX)
        peer->restarts_lost++;
    uint64_t shunned_us = SHUNNED_US;
    for (unsigned i = FAILURES; i < peer->restarts_lost && shunned_us < SHUNNED_MAX_US; i++)
        shunned_us *= 2;
    if (peer->restarts_lost >= FAILURES)
        peer->no_restart_until_us = now_us + min_u64(shunned_us, SHUNNED_MAX_US);
}

/* ---- Responder ------------------------------------------------------------------------------- */

bool restart_refuses(struct tcpct_stack *stack, const struct segment *segment)
{
    struct endpoints endpoints = demux_endpoints(segment);
    const struct remembered *entry = find(stack, false, &endpoints);
    uint32_t exchange = segment->options.timestamp_echo;
    if (!entry || seq_lt(entry->exchange, exchange))
        return false;
    if (entry->exchange != exchange ||
        seq_leq(segment->options.timestamp_value, entry->timestamp)) {
        stack->counters.restarts_old++;
        return true;
    }
    if (!entry->flags)
        return false;
    stack->counters.restarts_refused++;
    return true;
}

void restart_superseded(struct tcpct_stack *stack, const struct segment *segment)
{
    struct endpoints endpoints = demux_endpoints(segment);
    struct remembered *entry = find(stack, false, &endpoints);
    if (entry)
        entry->flags = 0;
}

/* Whether a segment is an opening of the exchange that this TCB was made by. */
static bool is_opening(const struct tcpct_connection *connection, const struct segment *segment)
{
    const struct tcp_options *options = &segment->options;
    const uint32_t both = OPTION_MSS | OPTION_COOKIE_PAIR;
    return !connection->initiator && connection->pair.size &&
           (segment->flags & (SEGMENT_SYN | SEGMENT_RST | SEGMENT_ACK)) == SEGMENT_ACK &&
           (options->present & both) == both && segment->seq == connection->irs + 1 &&
           segment->ack == connection->iss + 1 &&
           options->timestamp_echo == connection->responder_timestamp;
}

enum restart_verdict restart_meets(const struct tcpct_connection *connection,
                                   const struct segment *segment)
{
    struct tcpct_counters *counters = &connection->stack->counters;
    uint32_t opening = connection->opening_timestamp, value = segment->options.timestamp_value;
    if (!is_opening(connection, segment) || value == opening || connection->rcv_nxt == segment->seq)
        return RESTART_ORDINARY;
    if (seq_lt(value, opening)) {
        counters->restarts_old++;
        return RESTART_DISCARDED;
    }
    if (connection->unproved && connection->snd_nxt != segment->ack) {
        counters->restarts_refused++;
        return RESTART_DISCARDED;
    }
    return RESTART_REPLACES;
}

/* The unproved bytes that a prefix may cause: 24 bits of an IPv4 address, 48 of an IPv6 address. */
static uint8_t prefix_of(const struct tcpct_stack *stack, const struct tcpct_address *address)
{
    return (uint8_t)(prefix_hash(stack->bucket_seed, address) >> 24);
}

/* What leaves before the peer has proved anything is bounded: in all, and for each prefix. */
static bool charge(struct tcpct_connection *connection, uint32_t bytes)
{
    struct tcpct_stack *stack = connection->stack;
    size_t budget = stack->config.memory_budget / 4;
    uint8_t prefix = prefix_of(stack, &connection->endpoints.remote);
    if (stack->unproved + bytes > budget ||
        stack->unproved_by[prefix] + bytes > budget / UNPROVED_SHARE) {
        stack->counters.unproved_full++;
        return false;
    }
    connection->unproved_bytes = bytes;
    connection->unproved_prefix = prefix;
    stack->unproved += bytes;
    stack->unproved_by[prefix] += bytes;
    return true;
}

void restart_opened(struct tcpct_connection *connection, const struct segment *segment,
                    struct path_state *sealed, uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    struct remember_key key = key_of(stack, &connection->endpoints);
    struct remember_table *table = table_of(stack, false, key.remote.family);
    uint32_t exchange = segment->options.timestamp_echo;
    struct remembered *entry = remember_find(table, &key);
    bool first = entry && seq_lt(entry->exchange, exchange);
    connection->window_policy = connection->listener->options.window;
    connection->responder_timestamp = exchange;
    connection->exchanged_us = now_us;
    connection->opening_timestamp = segment->options.timestamp_value;
    if (sealed) /* whose pair may be another's: our timestamps go on from its */
        connection->timestamp_offset += exchange - tcb_timestamp(connection, now_us);
    if (!first) /* of its pair, as far as is known */
        connection->timestamp_offset += stack_random(stack) & OFFSET_START_MASK;
    connection->timestamp_first = first ? exchange : tcb_timestamp(connection, now_us);
    connection->unproved = true;
    connection->restarted = sealed || (entry && entry->exchange == exchange);
    connection->seals = stack->seals && !connection->listener->guard.limit;
    stack->counters.restarts += connection->restarted;
    entry = remember_use(table, &key);
    if (entry) {
        entry->exchange = exchange;
        entry->timestamp = segment->options.timestamp_value;
        entry->flags = REMEMBER_UNPROVED;
    }
    if (sealed)
        seal_spend(stack->seals, segment->options.seal);
    if (connection->restarted)
        trace_connection(connection, TCPCT_TRACE_RESTART, "begun again", 0, now_us);
    struct path_state *path = sealed ? sealed : path_of(table, &key);
    if (path && charge(connection, min_u32(path->window, UNPROVED_FLIGHT)))
        jump_begin(connection, path, now_us);
}

void restart_proved(struct tcpct_connection *connection)
{
    struct remembered *entry = find(connection->stack, false, &connection->endpoints);
    tcb_proved(connection);
    if (entry && entry->exchange == connection->responder_timestamp)
        entry->flags &= (uint8_t)~REMEMBER_UNPROVED;
}

void restart_dated(struct tcpct_connection *connection, uint32_t timestamp)
{
    if (connection->opening_timestamp == timestamp)
        return;
    struct remembered *entry = find(connection->stack, false, &connection->endpoints);
    connection->opening_timestamp = timestamp;
    if (entry)
        entry->timestamp = timestamp;
}

uint32_t restart_limit(const struct tcpct_connection *connection)
{
    return connection->unproved ? UNPROVED_FLIGHT : UINT32_MAX;
}

bool restart_goes_on(struct tcpct_connection *connection, uint64_t now_us)
{
    struct remembered *entry;
    if (connection->initiator || !connection->restarted || !connection->unproved ||
        connection->send.used == 0 || ++connection->unproved_timeouts <= UNPROVED_TIMEOUTS)
        return true;
    entry = find(connection->stack, false, &connection->endpoints);
    if (entry)
        entry->flags |= REMEMBER_REFUSED;
    trace_connection(connection, TCPCT_TRACE_RESTART, "nobody acknowledges: refused", 0, now_us);
    connection->stack->counters.restarts_unproved++;
    return false;
}
