#include "tcb.h"

#include <string.h>

#include "demux.h"
#include "seq.h"
#include "timer.h"
#include "tune.h"

enum { RECLAIM_STEPS = 64 };

uint32_t stack_random(struct tcpct_stack *stack)
{
    uint32_t value;
    if (stack->random_left < sizeof(value)) {
        stack->config.random(stack->config.context, stack->random, sizeof(stack->random));
        stack->random_left = sizeof(stack->random);
    }
    stack->random_left -= (uint32_t)sizeof(value);
    memcpy(&value, stack->random + stack->random_left, sizeof(value));
    memset(stack->random + stack->random_left, 0, sizeof(value));
    return value;
}

unsigned stack_address(const struct tcpct_stack *stack, const struct tcpct_address *address)
{
    unsigned i = 0;
    while (i < stack->address_count && !ip_address_equal(&stack->addresses[i], address))
        i++;
    return i;
}

bool stack_owns(const struct tcpct_stack *stack, const struct tcpct_address *address)
{
    return stack_address(stack, address) < stack->address_count;
}

uint16_t mss_default(const struct tcpct_address *address)
{
    return address->family == 6 ? MSS_DEFAULT_V6 : MSS_DEFAULT;
}

uint16_t mss_of(const struct tcp_options *options, const struct tcpct_address *address)
{
    return options->present & OPTION_MSS ? options->mss : mss_default(address);
}

uint16_t stack_mss(const struct tcpct_stack *stack, const struct tcpct_address *address)
{
    return (uint16_t)(stack->config.mtu - ip_header_size(address) - TCP_HEADER_SIZE);
}

struct cookie_endpoints endpoints_for_cookie(const struct endpoints *endpoints)
{
    return (struct cookie_endpoints){
        .local = &endpoints->local,
        .remote = &endpoints->remote,
        .local_port = endpoints->local_port,
        .remote_port = endpoints->remote_port,
    };
}

/* An unused TCB, from those used before if there is one. */
static struct tcpct_connection *take_from_pool(struct tcpct_stack *stack)
{
    struct tcpct_connection *connection = stack->free_list, *next;
    if (stack->connection_count >= stack->config.connections_max)
        return NULL;
    if (connection) {
        next = connection->pool_next;
        stack->free_list = connection->hash_next;
        memset(connection, 0, sizeof(*connection));
    } else {
        next = stack->pool;
        connection = memory_zeroed(&stack->memory, sizeof(*connection));
        if (connection)
            stack->pool = connection;
    }
    if (connection)
        connection->pool_next = next;
    return connection;
}

static void begin_waiting(struct tcpct_connection *connection)
{
    struct tcpct_stack *stack = connection->stack;
    connection->wait_next = NULL;
    connection->wait_previous = stack->wait_last;
    if (stack->wait_last)
        stack->wait_last->wait_next = connection;
    else
        stack->wait_first = connection;
    stack->wait_last = connection;
}

static void end_waiting(struct tcpct_connection *connection)
{
    struct tcpct_stack *stack = connection->stack;
    if (connection->wait_previous)
        connection->wait_previous->wait_next = connection->wait_next;
    else
        stack->wait_first = connection->wait_next;
    if (connection->wait_next)
        connection->wait_next->wait_previous = connection->wait_previous;
    else
        stack->wait_last = connection->wait_previous;
}

/* All TCBs are in use: of those that are in TIME-WAIT, and that neither the application nor an exchange
 * from the same endpoints has, the oldest makes room. */
static bool cut_time_wait(struct tcpct_stack *stack, const struct endpoints *endpoints)
{
    struct tcpct_connection *oldest = stack->wait_first;
    while (oldest && (oldest->held || oldest->beside || demux_same(&oldest->endpoints, endpoints)))
        oldest = oldest->wait_next;
    if (!oldest)
        return false;
    stack->counters.time_waits_cut++;
    tcb_closed(oldest, TCPCT_OK, stack->now_us);
    return true;
}

struct tcpct_connection *tcb_create(struct tcpct_stack *stack, const struct endpoints *endpoints)
{
    struct tcpct_connection *connection = take_from_pool(stack);
    if (!connection && stack->connection_count >= stack->config.connections_max &&
        cut_time_wait(stack, endpoints))
        connection = take_from_pool(stack);
    if (!connection) {
        stack->counters.connections_full++;
        return NULL;
    }
    connection->stack = stack;
    connection->endpoints = *endpoints;
    connection->md5_key = md5sig_find(stack->md5sig, &endpoints->remote);
    connection->heap_index = UINT32_MAX;
    connection->user_timeout_us = stack->config.user_timeout_us;
    connection->mss = mss_default(&endpoints->remote);
    connection->congestion.control = &congestion_cubic;
    timer_stop_all(connection);
    rtt_init(&connection->rtt);
    tune_begin(connection);
    demux_add(stack, connection);
    connection->in_demux = true;
    stack->connection_count++;
    return connection;
}

/* Takes the connection out of the event list; tcpct_event does so in order, this out of it. */
static void forget_events(struct tcpct_connection *connection)
{
    struct tcpct_stack *stack = connection->stack;
    struct tcpct_connection *previous = NULL;
    if (!connection->in_events)
        return;
    for (struct tcpct_connection *i = stack->event_first; i != connection; i = i->event_next)
        previous = i;
    if (previous)
        previous->event_next = connection->event_next;
    else
        stack->event_first = connection->event_next;
    if (stack->event_last == connection)
        stack->event_last = previous;
    connection->in_events = false;
}

static void free_buffers(struct tcpct_connection *connection)
{
    struct memory *memory = &connection->stack->memory;
    ring_free(&connection->send, memory);
    flight_free(&connection->flight, memory);
    ring_free(&connection->receive, memory);
    connection->ranges.count = 0;
}

/* Its endpoints may be used again, and its place in a listener's queue. */
static void leave_demux(struct tcpct_connection *connection)
{
    if (connection->in_demux) {
        struct tcpct_connection *older = demux_older(connection);
        demux_remove(connection->stack, connection);
        if (older) /* what it left to the new exchange */
            tcb_output(older);
    }
    connection->in_demux = false;
    if (connection->queued_at)
        connection->queued_at->queued--;
    connection->queued_at = NULL;
    tcb_proved(connection);
}

void tcb_destroy(struct tcpct_connection *connection)
{
    struct tcpct_stack *stack = connection->stack;
    if (connection->state == TCPCT_TIME_WAIT)
        end_waiting(connection);
    timer_forget(connection);
    tcb_output_done(connection);
    forget_events(connection);
    free_buffers(connection);
    leave_demux(connection);
    connection->stack = NULL;
    connection->hash_next = stack->free_list;
    stack->free_list = connection;
    stack->connection_count--;
}

static void free_empty_buffers(struct tcpct_connection *connection)
{
    struct memory *memory = &connection->stack->memory;
    if (connection->send.used == 0 && connection->flight.count == 0) {
        ring_free(&connection->send, memory);
        flight_free(&connection->flight, memory);
    }
    if (connection->receive.used == 0 && connection->ranges.count == 0)
        ring_free(&connection->receive, memory);
}

void tcb_reclaim(void *owner, size_t size)
{
    struct tcpct_stack *stack = owner;
    struct tcpct_connection *connection = stack->reclaimed;
    for (unsigned i = 0; i < RECLAIM_STEPS; i++) {
        if (size <= stack->memory.budget - stack->memory.used)
            break;
        connection = connection ? connection->pool_next : stack->pool;
        if (connection && connection->stack)
            free_empty_buffers(connection);
    }
    stack->reclaimed = connection;
}

void tcb_begin(struct tcpct_connection *connection, uint32_t iss, uint32_t irs)
{
    connection->iss = iss;
    connection->snd_una = connection->snd_nxt = connection->data_seq = iss + 1;
    connection->recovery.highest_sacked = connection->recovery.rack_end = iss + 1;
    connection->ecn.point = connection->snd_wl2 = connection->meter.from = iss + 1;
    connection->irs = irs;
    connection->rcv_nxt = connection->last_ack_sent = connection->snd_wl1 = irs + 1;
    connection->rcv_edge = irs + 1 + min_u32(tcb_receive_window(connection), UINT16_MAX);
}

void tcb_proved(struct tcpct_connection *connection)
{
    struct tcpct_stack *stack = connection->stack;
    stack->unproved -= connection->unproved_bytes;
    stack->unproved_by[connection->unproved_prefix] -= connection->unproved_bytes;
    connection->unproved_bytes = 0;
    connection->unproved = false;
}

void tcb_state(struct tcpct_connection *connection, enum tcpct_state state, uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    enum tcpct_state from = connection->state;
    connection->state = state;
    if (from != state && state == TCPCT_TIME_WAIT)
        begin_waiting(connection);
    if (from != state && from == TCPCT_TIME_WAIT)
        end_waiting(connection);
    if (!stack->config.trace || from == state)
        return;
    struct tcpct_trace_event event = {
        .kind = TCPCT_TRACE_STATE,
        .now_us = now_us,
        .local = connection->endpoints.local,
        .remote = connection->endpoints.remote,
        .local_port = connection->endpoints.local_port,
        .remote_port = connection->endpoints.remote_port,
        .note = connection->pair.size ? "cookies" : "",
        .from = from,
        .to = state,
    };
    stack->config.trace(stack->config.context, &event);
}

struct tcpct_connection *tcb_part(struct tcpct_connection *connection)
{
    struct tcpct_connection *other = connection->beside;
    if (other)
        connection->beside = other->beside = NULL;
    return other;
}

void tcb_closed(struct tcpct_connection *connection, int error, uint64_t now_us)
{
    struct memory *memory = &connection->stack->memory;
    struct tcpct_connection *other = tcb_part(connection);
    if (other) /* neither is anything without the other */
        tcb_closed(other, error, now_us);
    tcb_state(connection, TCPCT_CLOSED, now_us);
    timer_stop_all(connection);
    tcb_output_done(connection);
    leave_demux(connection);
    ring_free(&connection->send, memory);
    flight_free(&connection->flight, memory);
    connection->ranges.count = 0;
    if (error && !connection->error) {
        connection->error = error;
        connection->stack->counters.connections_failed++;
        tcb_event(connection, TCPCT_EVENT_ERROR);
    }
    if (!connection->held)
        tcb_destroy(connection);
}

void tcb_replace_older(struct tcpct_connection *connection, uint64_t now_us)
{
    struct tcpct_connection *older = demux_older(connection);
    bool lost = older && older->held && !tcb_is_finishing(older);
    if (older)
        tcb_closed(older, lost ? TCPCT_ERROR_RESET : TCPCT_OK, now_us);
}

void tcb_time_wait(struct tcpct_connection *connection, uint64_t now_us)
{
    struct memory *memory = &connection->stack->memory;
    tcb_state(connection, TCPCT_TIME_WAIT, now_us);
    timer_stop_all(connection);
    timer_set(connection, TIMER_TIME_WAIT, now_us + 2 * connection->stack->config.msl_us);
    ring_free(&connection->send, memory);
    flight_free(&connection->flight, memory);
    if (!connection->held)
        ring_free(&connection->receive, memory);
}

void tcb_output(struct tcpct_connection *connection)
{
    struct tcpct_stack *stack = connection->stack;
    if (connection->in_output)
        return;
    connection->in_output = true;
    connection->output_next = NULL;
    connection->output_previous = stack->output_last;
    if (stack->output_last)
        stack->output_last->output_next = connection;
    else
        stack->output_first = connection;
    stack->output_last = connection;
}

void tcb_output_done(struct tcpct_connection *connection)
{
    struct tcpct_stack *stack = connection->stack;
    if (!connection->in_output)
        return;
    connection->in_output = false;
    if (connection->output_previous)
        connection->output_previous->output_next = connection->output_next;
    else
        stack->output_first = connection->output_next;
    if (connection->output_next)
        connection->output_next->output_previous = connection->output_previous;
    else
        stack->output_last = connection->output_previous;
}

void tcb_event(struct tcpct_connection *connection, unsigned flags)
{
    struct tcpct_stack *stack = connection->stack;
    connection->events |= flags;
    if (connection->in_events || !connection->held || connection->listener)
        return;
    connection->in_events = true;
    connection->event_next = NULL;
    if (stack->event_last)
        stack->event_last->event_next = connection;
    else
        stack->event_first = connection;
    stack->event_last = connection;
}

uint32_t tcb_receive_window(const struct tcpct_connection *connection)
{
    uint32_t limit = connection->tune.receive_limit;
    return limit > connection->receive.used ? limit - connection->receive.used : 0;
}

uint32_t tcb_urgent(const struct tcpct_connection *connection)
{
    uint32_t read = connection->rcv_nxt - connection->fin_received - connection->receive.used;
    return connection->urgent && seq_lt(read, connection->rcv_up) ? connection->rcv_up - read : 0;
}

void tcb_first_rtt(struct tcpct_connection *connection, const struct tcp_options *options,
                   uint64_t now_us)
{
    uint32_t ticks = tcb_timestamp(connection, now_us) - options->timestamp_echo;
    rtt_init(&connection->rtt);
    if (connection->syn_tries == 1)
        rtt_sample(&connection->rtt, now_us - connection->syn_sent_us);
    else if (connection->timestamps && ticks < RTO_MAX_US / TIMESTAMP_TICK_US)
        rtt_sample(&connection->rtt, max_u32(ticks, 1) * (uint64_t)TIMESTAMP_TICK_US);
    else
        rtt_lost_syn(&connection->rtt);
}

uint32_t tcb_timestamp(const struct tcpct_connection *connection, uint64_t now_us)
{
    return (uint32_t)(now_us / TIMESTAMP_TICK_US + connection->timestamp_offset);
}

static void take_mss(struct tcpct_connection *connection, const struct tcp_options *options)
{
    uint16_t own = stack_mss(connection->stack, &connection->endpoints.remote);
    uint16_t mss = mss_of(options, &connection->endpoints.remote);
    if (mss < MSS_MIN)
        mss = MSS_MIN;
    connection->mss = mss < own ? mss : own;
}

void tcb_renew_options(struct tcpct_connection *connection, const struct tcp_options *options)
{
    if (options->present & OPTION_MSS)
        take_mss(connection, options);
    if (connection->window_scaling && options->present & OPTION_WINDOW_SCALE)
        connection->snd_scale = (uint8_t)min_u32(options->window_scale, WINDOW_SCALE_MAX);
}

void tcb_introduce(struct tcpct_connection *connection)
{
    if (!connection->introducing)
        connection->introduce_seq = connection->snd_nxt;
    connection->introducing = true;
    connection->ack_now = true;
    tcb_output(connection);
}

void tcb_peer_options(struct tcpct_connection *connection, const struct tcp_options *options)
{
    take_mss(connection, options);
    connection->window_scaling = options->present & OPTION_WINDOW_SCALE;
    connection->snd_scale = 0;
    connection->rcv_scale = 0;
    if (connection->window_scaling) {
        connection->snd_scale = (uint8_t)min_u32(options->window_scale, WINDOW_SCALE_MAX);
        connection->rcv_scale = connection->stack->rcv_scale;
    }
    connection->sack_permitted = options->present & (OPTION_SACK_PERMITTED | OPTION_SACK);
    connection->timestamps = options->timestamp_size > 0;
    connection->timestamp_size = connection->timestamps ? 4 : 0;
    connection->timestamps_settled = true;
    congestion_init(&connection->congestion, connection->congestion.control, connection->mss);
}

enum { UTO_MINUTES = 0x8000, UTO_MAX = 0x7fff }; /* the granularity bit; RFC 5482, 3 */
static const uint64_t UTO_LOWER_US = 100ull * SECOND_US, UTO_UPPER_US = 3600ull * SECOND_US;

void tcb_announce_timeout(const struct tcpct_connection *connection, struct tcp_options *options)
{
    uint64_t seconds = connection->user_timeout_us / SECOND_US;
    if (!connection->user_timeout_set || seconds == 0)
        return;
    options->present |= OPTION_USER_TIMEOUT;
    if (seconds <= UTO_MAX)
        options->user_timeout = (uint16_t)seconds;
    else
        options->user_timeout = (uint16_t)(UTO_MINUTES | min_u64(seconds / 60, UTO_MAX));
}

void tcb_take_timeout(struct tcpct_connection *connection, const struct tcp_options *options)
{
    if (!(options->present & OPTION_USER_TIMEOUT) || connection->user_timeout_set)
        return;
    uint64_t seconds = options->user_timeout & UTO_MAX;
    if (options->user_timeout & UTO_MINUTES)
        seconds *= 60;
    connection->user_timeout_us =
        min_u64(UTO_UPPER_US, max_u64(seconds * SECOND_US, UTO_LOWER_US)); /* 3.1 */
}
