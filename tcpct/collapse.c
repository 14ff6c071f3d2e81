#include "collapse.h"

#include <string.h>

#include "close.h"
#include "demux.h"
#include "seq.h"
#include "timer.h"

enum {
    KEPT_LONGER = 8, /* times the idle time, for clients that soon come back */
    EXPIRED_AT_ONCE = 1000,
    ID_IPV6 = 1u << 31,
};

_Static_assert(offsetof(struct collapsed, remote) + 4 + sizeof(uint32_t) == 64,
               "an IPv4 record with its share of the index");

/* ---- the tables ------------------------------------------------------------------------------ */

static size_t address_size(uint8_t family)
{
    return family == 6 ? 16 : 4;
}

bool collapse_create(struct tcpct_stack *stack, uint8_t family)
{
    struct collapse *collapse = &stack->collapse;
    uint32_t limit = stack->config.collapsed_max;
    struct table *table = collapse_table(stack, family);
    if (limit == 0 || table->limit)
        return true;
    if (!collapse->profiles.items &&
        !profiles_create(&collapse->profiles, &stack->memory, limit, stack_random(stack)))
        return false;
    size_t size = offsetof(struct collapsed, remote) + address_size(family);
    if (table_create(table, &stack->memory, (uint32_t)size, limit))
        return true;
    table_destroy(table, &stack->memory);
    return false;
}

void collapse_destroy(struct tcpct_stack *stack)
{
    table_destroy(&stack->collapse.tables[0], &stack->memory);
    table_destroy(&stack->collapse.tables[1], &stack->memory);
    profiles_destroy(&stack->collapse.profiles, &stack->memory);
}

static uint32_t hash_of(const struct tcpct_stack *stack, unsigned local,
                        const struct endpoints *endpoints)
{
    uint32_t hash = hash_mix(stack->bucket_seed, local);
    hash = hash_mix(hash, (uint32_t)endpoints->remote_port << 16 | endpoints->local_port);
    for (size_t i = 0; i < address_size(endpoints->remote.family); i += 4) {
        uint32_t word;
        memcpy(&word, endpoints->remote.bytes + i, sizeof(word));
        hash = hash_mix(hash, word);
    }
    return hash;
}

static struct endpoints endpoints_of(const struct tcpct_stack *stack,
                                     const struct collapsed *record)
{
    struct endpoints endpoints = { .local = stack->addresses[record->local],
                                   .local_port = record->local_port,
                                   .remote_port = record->remote_port };
    endpoints.remote.family = endpoints.local.family;
    memcpy(endpoints.remote.bytes, record->remote, address_size(endpoints.remote.family));
    return endpoints;
}

struct collapsed *collapse_find(const struct tcpct_stack *stack, const struct endpoints *endpoints)
{
    const struct table *table = &stack->collapse.tables[endpoints->remote.family == 6];
    if (table->count == 0)
        return NULL;
    unsigned local = stack_address(stack, &endpoints->local);
    struct table_entry *entry = table_first(table, hash_of(stack, local, endpoints));
    for (; entry; entry = table_next(table, entry)) {
        struct collapsed *record = (struct collapsed *)entry;
        if (record->remote_port == endpoints->remote_port &&
            record->local_port == endpoints->local_port && record->local == local &&
            memcmp(record->remote, endpoints->remote.bytes,
                   address_size(endpoints->remote.family)) == 0)
            return record;
    }
    return NULL;
}

bool collapse_is_unsigned(const struct tcpct_stack *stack, const struct tcpct_address *peer)
{
    const struct table *table = &stack->collapse.tables[peer->family == 6];
    for (uint32_t i = 1; i <= table->used; i++) {
        const struct collapsed *record = (const struct collapsed *)table_at(table, i);
        if (record->local_port && !(record->flags & RECORD_SIGNED) &&
            memcmp(record->remote, peer->bytes, address_size(peer->family)) == 0)
            return true;
    }
    return false;
}

bool collapse_is_initiator(const struct collapsed *record)
{
    return record->flags & RECORD_INITIATOR;
}

uint32_t collapse_timestamp(const struct collapsed *record, uint64_t now_us)
{
    return (uint32_t)(now_us / TIMESTAMP_TICK_US) + record->timestamp_offset;
}

bool collapse_is_before(const struct collapsed *record, uint32_t timestamp)
{
    uint64_t heard_us = ((uint64_t)record->heard_s + 1) * SECOND_US;
    return seq_lt(collapse_timestamp(record, heard_us), timestamp);
}

static void trace(const struct tcpct_stack *stack, const struct collapsed *record, const char *note,
                  uint64_t now_us)
{
    const struct endpoints endpoints = endpoints_of(stack, record);
    const struct tcpct_trace_event event = {
        .kind = TCPCT_TRACE_COLLAPSE,
        .now_us = now_us,
        .local = endpoints.local,
        .remote = endpoints.remote,
        .local_port = endpoints.local_port,
        .remote_port = endpoints.remote_port,
        .note = note,
        .value = time_s(now_us) - record->heard_s,
    };
    if (stack->config.trace)
        stack->config.trace(stack->config.context, &event);
}

void collapse_forget(struct tcpct_stack *stack, struct collapsed *record, bool returned,
                     const char *note, uint64_t now_us)
{
    const struct endpoints endpoints = endpoints_of(stack, record);
    struct profile *profile = profile_of(&stack->collapse.profiles, &endpoints.remote);
    if (returned)
        profile_returned(profile, time_s(now_us) - record->heard_s);
    else
        profile_lost(profile);
    trace(stack, record, note, now_us);
    table_remove(collapse_table(stack, endpoints.remote.family), &record->entry,
                 hash_of(stack, record->local, &endpoints));
}

/* ---- from a record to a connection ----------------------------------------------------------- */

/* A connection as it was; nobody holds it yet. NULL: no room for a TCB. */
static struct tcpct_connection *restore(struct tcpct_stack *stack, const struct collapsed *record,
                                        uint64_t now_us)
{
    const struct endpoints endpoints = endpoints_of(stack, record);
    struct tcpct_connection *connection = tcb_create(stack, &endpoints);
    if (!connection)
        return NULL;
    uint8_t flags = record->flags;
    struct tcp_options options;
    options.present = OPTION_MSS;
    options.mss = record->mss;
    options.timestamp_size = flags & RECORD_TIMESTAMPS ? 4 : 0;
    options.window_scale = record->snd_scale;
    if (flags & RECORD_SCALING)
        options.present |= OPTION_WINDOW_SCALE;
    if (flags & RECORD_SACK)
        options.present |= OPTION_SACK_PERMITTED;
    tcb_peer_options(connection, &options);
    tcb_begin(connection, record->snd_nxt - 1, record->rcv_nxt - 1);
    connection->snd_wnd = (uint32_t)record->snd_wnd << record->snd_scale;
    connection->snd_max_wnd = (uint32_t)record->snd_max_wnd << record->snd_scale;
    uint32_t window = (uint32_t)record->rcv_wnd << connection->rcv_scale;
    connection->rcv_edge = record->rcv_nxt + window;
    connection->tune.receive_limit = max_u32(connection->tune.receive_limit, window);
    connection->timestamp_offset = record->timestamp_offset;
    connection->timestamp_first = tcb_timestamp(connection, now_us);
    connection->ts_recent = record->ts_recent;
    connection->ts_recent_us = (uint64_t)record->heard_s * SECOND_US;
    connection->initiator = flags & RECORD_INITIATOR;
    connection->ecn.agreed = flags & RECORD_ECN;
    connection->nodelay = flags & RECORD_NODELAY;
    connection->cookie_less = flags & RECORD_COOKIE_LESS;
    connection->traffic_class = record->traffic_class;
    connection->confirmed = true;
    memcpy(&connection->user, record->user, sizeof(connection->user));
    tcb_state(connection, TCPCT_ESTABLISHED, now_us);
    return connection;
}

struct tcpct_connection *collapse_revive(struct tcpct_stack *stack, struct collapsed *record,
                                         bool returned, uint64_t now_us)
{
    struct tcpct_connection *connection = restore(stack, record, now_us);
    if (!connection)
        return NULL;
    collapse_forget(stack, record, returned, "revived", now_us);
    stack->counters.revivals++;
    connection->held = true;
    collapse_heard(connection, now_us);
    return connection;
}

/* What is given up is told to the peer, if there is a TCB for the RST to leave from. */
static void reset(struct tcpct_stack *stack, const struct collapsed *record, uint64_t now_us)
{
    struct tcpct_connection *connection = restore(stack, record, now_us);
    if (!connection)
        return;
    connection->reset_due = true;
    tcb_output(connection);
}

int tcpct_revive(struct tcpct_stack *stack, uint64_t id, struct tcpct_connection **connection)
{
    uint32_t place = (uint32_t)(id >> 32), index = place & ~ID_IPV6;
    const struct table *table = &stack->collapse.tables[place >= ID_IPV6];
    if (index == 0 || index > table->used)
        return TCPCT_ERROR_CLOSED;
    struct collapsed *record = (struct collapsed *)table_at(table, index);
    if (record->local_port == 0 || record->snd_nxt != (uint32_t)id)
        return TCPCT_ERROR_CLOSED;
    *connection = collapse_revive(stack, record, true, stack->now_us);
    return *connection ? TCPCT_OK : TCPCT_ERROR_MEMORY;
}

/* ---- from a connection to a record ----------------------------------------------------------- */

/* Nothing is under way, in either direction, and nothing is to be told. */
static bool is_idle(const struct tcpct_connection *connection)
{
    for (unsigned i = 0; i < TIMERS; i++)
        if (i != TIMER_KEEPALIVE && i != TIMER_IDLE && timer_is_set(connection, i))
            return false;
    return connection->state == TCPCT_ESTABLISHED && connection->confirmed &&
           connection->pair.size == 0 && !connection->listener && !connection->events &&
           connection->send.used == 0 && connection->receive.used == 0 &&
           connection->flight.count == 0 && connection->snd_una == connection->snd_nxt &&
           connection->ranges.count == 0 && !connection->in_output && !connection->fin_queued &&
           !connection->end_seen && !connection->urgent && connection->keepalives == 0 &&
           !demux_older(connection);
}

static uint8_t flags_of(const struct tcpct_connection *connection)
{
    unsigned flags = 0;
    flags |= connection->initiator ? RECORD_INITIATOR : 0;
    flags |= connection->timestamps ? RECORD_TIMESTAMPS : 0;
    flags |= connection->sack_permitted ? RECORD_SACK : 0;
    flags |= connection->window_scaling ? RECORD_SCALING : 0;
    flags |= connection->ecn.agreed ? RECORD_ECN : 0;
    flags |= connection->nodelay ? RECORD_NODELAY : 0;
    flags |= connection->md5_key ? RECORD_SIGNED : 0;
    flags |= connection->cookie_less ? RECORD_COOKIE_LESS : 0;
    return (uint8_t)flags;
}

static uint16_t field(uint32_t window, uint8_t scale)
{
    return (uint16_t)min_u32(window >> scale, UINT16_MAX);
}

static void fill(struct collapsed *record, const struct tcpct_connection *connection, void *user,
                 uint64_t now_us)
{
    const struct endpoints *endpoints = &connection->endpoints;
    uint32_t unit = (1u << connection->rcv_scale) - 1;
    record->local_port = endpoints->local_port;
    record->remote_port = endpoints->remote_port;
    record->snd_nxt = connection->snd_nxt;
    record->rcv_nxt = connection->rcv_nxt;
    record->snd_wnd = field(connection->snd_wnd, connection->snd_scale);
    record->snd_max_wnd = field(connection->snd_max_wnd, connection->snd_scale);
    record->rcv_wnd =
        field(connection->rcv_edge - connection->rcv_nxt + unit, connection->rcv_scale);
    record->mss = connection->mss;
    record->timestamp_offset = (uint32_t)connection->timestamp_offset;
    record->ts_recent = connection->ts_recent;
    record->heard_s = time_s(connection->timestamps ? connection->ts_recent_us : now_us);
    memcpy(record->user, &user, sizeof(user));
    record->snd_scale = connection->snd_scale;
    record->flags = flags_of(connection);
    record->local = (uint8_t)stack_address(connection->stack, &endpoints->local);
    record->traffic_class = connection->traffic_class;
    memcpy(record->remote, endpoints->remote.bytes, address_size(endpoints->remote.family));
}

static bool admits(struct tcpct_connection *connection, struct profile *profile)
{
    const struct collapse *collapse = &connection->stack->collapse;
    return connection->stack->config.collapse_always ||
           profile_admits(profile, &collapse->profiles);
}

/* Room for one more: the copy in `victim` is to be reset, once there is a TCB. */
static bool evict(struct tcpct_stack *stack, struct table *table, void *victim, uint64_t now_us)
{
    struct collapsed *oldest = (struct collapsed *)table_oldest(table);
    if (!table_is_full(table))
        return false;
    memcpy(victim, oldest, table->entry_size);
    collapse_forget(stack, oldest, false, "evicted", now_us);
    stack->counters.collapsed_evicted++;
    return true;
}

int tcpct_collapse(struct tcpct_connection *connection, void *user, uint64_t *id)
{
    struct tcpct_stack *stack = connection->stack;
    uint8_t family = connection->endpoints.remote.family;
    struct table *table = collapse_table(stack, family);
    uint32_t victim[(sizeof(struct collapsed) + 16) / sizeof(uint32_t)];
    if (!is_idle(connection) || table->limit == 0)
        return TCPCT_ERROR_INVALID;
    struct profile *profile = profile_of(&stack->collapse.profiles, &connection->endpoints.remote);
    if (!admits(connection, profile)) {
        stack->counters.collapses_refused++;
        return TCPCT_ERROR_MEMORY;
    }
    bool evicted = evict(stack, table, victim, stack->now_us);
    unsigned local = stack_address(stack, &connection->endpoints.local);
    struct collapsed *record =
        (struct collapsed *)table_add(table, hash_of(stack, local, &connection->endpoints));
    fill(record, connection, user, stack->now_us);
    profile->collapsed++;
    stack->counters.collapses++;
    trace(stack, record, "collapsed", stack->now_us);
    if (id)
        *id = (uint64_t)(table_index(table, &record->entry) | (family == 6 ? ID_IPV6 : 0)) << 32 |
              record->snd_nxt;
    tcb_destroy(connection);
    if (evicted)
        reset(stack, (const struct collapsed *)victim, stack->now_us);
    if (stack->config.collapsed_age_us)
        stack->collapse.next_us =
            min_u64(stack->collapse.next_us, stack->now_us + stack->config.collapsed_age_us);
    return TCPCT_OK;
}

size_t tcpct_collapsed_count(const struct tcpct_stack *stack)
{
    return (size_t)stack->collapse.tables[0].count + stack->collapse.tables[1].count;
}

/* ---- time ------------------------------------------------------------------------------------ */

void collapse_heard(struct tcpct_connection *connection, uint64_t now_us)
{
    const struct tcpct_config *config = &connection->stack->config;
    connection->kept_active = false;
    if (config->collapse_after_us && config->collapsed_max)
        timer_set(connection, TIMER_IDLE, now_us + config->collapse_after_us);
}

/* Memory that is nearly used up is for those who use it. */
static bool crowded(const struct tcpct_stack *stack)
{
    return stack->connection_count > stack->config.connections_max / 4 * 3;
}

void collapse_consider(struct tcpct_connection *connection, uint64_t now_us)
{
    const struct tcpct_stack *stack = connection->stack;
    uint64_t after_us = stack->config.collapse_after_us;
    const struct profile *profile =
        profile_of(&stack->collapse.profiles, &connection->endpoints.remote);
    bool soon = !stack->config.collapse_always && !crowded(stack) &&
                profile_judge(profile, after_us) == PROFILE_KEEP;
    if (!is_idle(connection)) {
        collapse_heard(connection, now_us);
    } else if (soon && !connection->kept_active) {
        connection->kept_active = true;
        timer_set(connection, TIMER_IDLE, now_us + (KEPT_LONGER - 1) * after_us);
        trace_connection(connection, TCPCT_TRACE_COLLAPSE, "kept active", 0, now_us);
    } else {
        tcb_event(connection, TCPCT_EVENT_IDLE);
    }
}

void collapse_tick(struct tcpct_stack *stack, uint64_t now_us)
{
    struct collapse *collapse = &stack->collapse;
    uint64_t age_us = stack->config.collapsed_age_us, next_us = TCPCT_NEVER;
    unsigned left = EXPIRED_AT_ONCE;
    if (now_us < collapse->next_us)
        return;
    for (unsigned i = 0; i < 2; i++) {
        struct collapsed *oldest;
        while ((oldest = (struct collapsed *)table_oldest(&collapse->tables[i]))) {
            uint64_t ends_us = ((uint64_t)oldest->heard_s + 1) * SECOND_US + age_us;
            if (now_us < ends_us || left == 0) {
                next_us = min_u64(next_us, max_u64(ends_us, now_us + MILLISECOND_US));
                break;
            }
            left--;
            stack->counters.collapsed_expired++;
            reset(stack, oldest, now_us);
            collapse_forget(stack, oldest, false, "expired", now_us);
        }
    }
    collapse->next_us = next_us;
}
