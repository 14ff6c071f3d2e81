#include "connection.h"

#include "beside.h"
#include "collapse.h"
#include "connect.h"
#include "handshake.h"
#include "initiator.h"
#include "recovery.h"
#include "restart.h"
#include "seq.h"
#include "timer.h"
#include "tune.h"

void tcpct_set_user(struct tcpct_connection *connection, void *user)
{
    connection->user = user;
}

int tcpct_connection_error(const struct tcpct_connection *connection)
{
    return connection->error;
}

enum { RENEWAL_TRIES = 2 };
enum { DSCP_MAX = 63, KEEPALIVE_PROBES = 9, KEEPALIVE_INTERVAL_US = 75 * SECOND_US };

static bool can_send(const struct tcpct_connection *connection)
{
    return !connection->fin_queued &&
           (connection->state == TCPCT_SYN_SENT || connection->state == TCPCT_SYN_RECEIVED ||
            connection->state == TCPCT_ESTABLISHED || connection->state == TCPCT_CLOSE_WAIT);
}

/* A persistent connection is over, both ways, when the application has read its end. */
static bool rests(const struct tcpct_connection *connection)
{
    return connection->persistent && connection->end_told && !connection->error &&
           (connection->state == TCPCT_CLOSED || tcb_is_finishing(connection));
}

ptrdiff_t tcpct_send(struct tcpct_connection *connection, const void *bytes, size_t size)
{
    struct tcpct_stack *stack = connection->stack;
    struct ring *ring = &connection->send;
    if (size && rests(connection))
        connect_again(connection, stack->now_us);
    if (connection->error)
        return connection->error;
    if (!can_send(connection))
        return TCPCT_ERROR_CLOSED;
    uint32_t skipped = size < connection->answered ? (uint32_t)size : connection->answered;
    connection->answered -= skipped; /* the peer has them from the <SYN,ACK(SYN)> */
    bytes = (const uint8_t *)bytes + skipped;
    size -= skipped;
    uint32_t limit = tune_send_limit(connection);
    uint32_t free_bytes = limit > ring->used ? limit - ring->used : 0;
    uint32_t wanted = size < free_bytes ? (uint32_t)size : free_bytes;
    if (!ring_grow(ring, &stack->memory, ring->used + wanted, ring->used)) {
        stack->counters.memory_full++;
        timer_set(connection, TIMER_MEMORY, stack->now_us + MEMORY_AGAIN_US);
    }
    uint32_t taken = ring_append(ring, bytes, wanted);
    connection->send_blocked = taken < size;
    if (taken)
        tcb_output(connection);
    return (ptrdiff_t)skipped + taken;
}

/* RFC 9293, 3.8.6.2.2: a window that has opened by enough is told at once. */
static void consider_window_update(struct tcpct_connection *connection)
{
    uint32_t opened = connection->rcv_nxt + tcb_receive_window(connection) - connection->rcv_edge;
    uint32_t enough = min_u32(2u * connection->mss, connection->tune.receive_limit / 2);
    bool receiving = connection->state == TCPCT_ESTABLISHED ||
                     connection->state == TCPCT_FIN_WAIT_1 || connection->state == TCPCT_FIN_WAIT_2;
    if (receiving && !connection->end_seen && connection->confirmed && (int32_t)opened > 0 &&
        opened >= enough) {
        connection->ack_now = true;
        tcb_output(connection);
    }
}

ptrdiff_t tcpct_receive(struct tcpct_connection *connection, void *bytes, size_t size)
{
    struct ring *ring = &connection->receive;
    if (ring->used == 0) {
        if (connection->error)
            return connection->error;
        bool over = connection->end_seen || connection->state == TCPCT_CLOSED ||
                    connection->state == TCPCT_TIME_WAIT;
        if (over && connection->persistent && !connection->end_told) {
            connection->end_told = true;
            tcpct_shutdown(connection);
        }
        return over ? TCPCT_ERROR_CLOSED : 0;
    }
    uint32_t taken = size < ring->used ? (uint32_t)size : ring->used;
    if (bytes)
        ring_get(ring, 0, bytes, taken);
    ring_drop(ring, taken);
    connection->urgent = tcb_urgent(connection) > 0;
    if (ring->used == 0 && connection->end_seen)
        ring_free(ring, &connection->stack->memory);
    if (connection->state != TCPCT_CLOSED) {
        tune_read(connection, taken, connection->stack->now_us);
        consider_window_update(connection);
    }
    return taken;
}

size_t tcpct_peek(const struct tcpct_connection *connection, const void **bytes)
{
    return ring_peek(&connection->receive, bytes);
}

int tcpct_urgent(struct tcpct_connection *connection)
{
    if (connection->error)
        return connection->error;
    if (!can_send(connection))
        return TCPCT_ERROR_CLOSED;
    connection->urgent_queued = connection->send.used > 0;
    connection->snd_up = connection->data_seq + connection->send.used;
    return TCPCT_OK;
}

int tcpct_shutdown(struct tcpct_connection *connection)
{
    if (connection->error)
        return connection->error;
    if (!can_send(connection))
        return TCPCT_ERROR_CLOSED;
    connection->fin_queued = true;
    tcb_output(connection);
    return TCPCT_OK;
}

/* The application gives the handle back. */
static void let_go(struct tcpct_connection *connection)
{
    connection->held = false;
    connection->events = 0;
}

void tcpct_close(struct tcpct_connection *connection)
{
    struct ring *unread = &connection->receive;
    if (connection->state != TCPCT_CLOSED && unread->used && !connection->pair.size &&
        connection->state != TCPCT_TIME_WAIT) { /* RFC 1122, 4.2.2.13: data would be lost */
        tcpct_abort(connection);
        return;
    }
    let_go(connection);
    switch (connection->state) {
    case TCPCT_CLOSED:
        tcb_destroy(connection);
        return;
    case TCPCT_SYN_SENT:
        tcb_closed(connection, TCPCT_OK, connection->stack->now_us);
        return;
    case TCPCT_TIME_WAIT:
        ring_free(unread, &connection->stack->memory);
        return;
    default:
        break;
    }
    if (initiator_may_vanish(connection)) { /* RFC 6013, 6.3 */
        tcb_output_done(connection);
        restart_remember(connection, connection->stack->now_us);
        tcb_time_wait(connection, connection->stack->now_us);
        return;
    }
    connection->fin_queued = true;
    if (connection->state == TCPCT_FIN_WAIT_2)
        timer_set(connection, TIMER_TIME_WAIT, connection->stack->now_us + FIN_WAIT_2_US);
    tcb_output(connection);
}

void tcpct_abort(struct tcpct_connection *connection)
{
    let_go(connection);
    bool silent = connection->state == TCPCT_SYN_SENT || connection->state == TCPCT_TIME_WAIT ||
                  (connection->pair.size && connection->initiator && !connection->opening_sent);
    if (connection->state == TCPCT_CLOSED) {
        tcb_destroy(connection);
    } else if (silent) {
        if (connection->state != TCPCT_TIME_WAIT)
            tcb_closed(connection, TCPCT_OK, connection->stack->now_us);
    } else {
        connection->reset_due = true;
        tcb_output(connection);
    }
}

int tcpct_option_set(struct tcpct_connection *connection, enum tcpct_option option, uint64_t value)
{
    switch (option) {
    case TCPCT_OPTION_NODELAY:
        connection->nodelay = value != 0;
        return TCPCT_OK;
    case TCPCT_OPTION_USER_TIMEOUT:
        if (value == 0)
            return TCPCT_ERROR_INVALID;
        connection->user_timeout_us = value;
        connection->user_timeout_set = true;
        if (connection->initiator && connection->confirmed && connection->pair.size)
            tcb_introduce(connection);
        return TCPCT_OK;
    case TCPCT_OPTION_MSS:
        if (value < MSS_MIN ||
            value > stack_mss(connection->stack, &connection->endpoints.remote) ||
            !connection->initiator || !connection->pair.size)
            return TCPCT_ERROR_INVALID;
        connection->mss_wanted = (uint16_t)value;
        if (connection->state != TCPCT_SYN_SENT)
            tcb_introduce(connection);
        return TCPCT_OK;
    case TCPCT_OPTION_DSCP:
        if (value > DSCP_MAX)
            return TCPCT_ERROR_INVALID;
        connection->traffic_class = (uint8_t)(value << 2);
        return TCPCT_OK;
    case TCPCT_OPTION_CONGESTION:
        if (value > TCPCT_CONGESTION_NEWRENO)
            return TCPCT_ERROR_INVALID;
        connection->congestion.control =
            value == TCPCT_CONGESTION_NEWRENO ? &congestion_newreno : &congestion_cubic;
        return TCPCT_OK;
    case TCPCT_OPTION_KEEPALIVE:
        connection->keepalive_us = value;
        if (value)
            timer_set(connection, TIMER_KEEPALIVE, connection->stack->now_us + value);
        else
            timer_stop(connection, TIMER_KEEPALIVE);
        return TCPCT_OK;
    }
    return TCPCT_ERROR_INVALID;
}

void tcpct_connection_info(const struct tcpct_connection *connection, struct tcpct_info *info)
{
    const struct congestion *congestion = &connection->congestion;
    const struct rtt *rtt = &connection->rtt;
    *info = connection->totals;
    info->state = connection->state;
    info->local = connection->endpoints.local;
    info->remote = connection->endpoints.remote;
    info->local_port = connection->endpoints.local_port;
    info->remote_port = connection->endpoints.remote_port;
    info->initiator = connection->initiator;
    info->cookies = connection->pair.size && connection->state != TCPCT_SYN_SENT;
    info->ecn = connection->ecn.agreed;
    info->md5 = connection->md5_key != NULL;
    info->fast_open = connection->fast_open.accepted;
    info->syn_data_sent = connection->syn_data_sent > 0;
    info->syn_ack_data_taken = connection->syn_ack_data_taken;
    info->restarted = connection->restarted;
    info->timestamp_bits = 8u * connection->timestamp_size;
    info->mss = connection->mss;
    info->cwnd = congestion->cwnd;
    info->ssthresh = congestion->ssthresh;
    info->flight = connection->flight.in_flight;
    info->send_window = connection->snd_wnd;
    info->unsent = connection->data_seq + connection->send.used - connection->snd_nxt;
    if (connection->fin_sent || connection->send.used == 0 || connection->state == TCPCT_SYN_SENT)
        info->unsent = connection->fin_sent ? 0 : connection->send.used;
    info->unread = connection->receive.used;
    info->urgent = tcb_urgent(connection);
    info->srtt_us = rtt->srtt_us;
    info->rttvar_us = rtt->rttvar_us;
    info->min_rtt_us = rtt->min_us;
    info->rto_us = rtt->rto_us;
}

/* ---- events -------------------------------------------------------------------------------- */

static bool listener_event(struct tcpct_stack *stack, struct tcpct_event *event)
{
    for (struct tcpct_listener *listener = stack->listeners; listener; listener = listener->next) {
        if (!listener->event)
            continue;
        listener->event = false;
        *event = (struct tcpct_event){ .flags = TCPCT_EVENT_ACCEPT,
                                       .listener = listener,
                                       .user = listener->options.user };
        return true;
    }
    return false;
}

bool tcpct_event(struct tcpct_stack *stack, struct tcpct_event *event)
{
    struct tcpct_connection *connection;
    while ((connection = stack->event_first)) {
        unsigned flags = connection->events;
        stack->event_first = connection->event_next;
        if (!stack->event_first)
            stack->event_last = NULL;
        connection->in_events = false;
        connection->events = 0;
        if (!flags) /* the handle was given back */
            continue;
        *event = (struct tcpct_event){ .flags = flags,
                                       .connection = connection,
                                       .user = connection->user };
        return true;
    }
    return listener_event(stack, event);
}

struct tcpct_connection *tcpct_accept(struct tcpct_listener *listener)
{
    struct tcpct_connection *connection = listener->backlog_first;
    if (!connection)
        return NULL;
    listener->backlog_first = connection->accept_next;
    if (!listener->backlog_first)
        listener->backlog_last = NULL;
    listener->backlog_count--;
    connection->listener = NULL;
    connection->accept_next = NULL;
    if (connection->events)
        tcb_event(connection, 0);
    return connection;
}

/* ---- timers -------------------------------------------------------------------------------- */

static bool expired(struct tcpct_connection *connection, enum timer timer, uint64_t now_us)
{
    if (connection->timers[timer] > now_us)
        return false;
    timer_stop(connection, timer);
    return true;
}

/* False: that ended it. */
static bool retransmission_expired(struct tcpct_connection *connection, uint64_t now_us)
{
    bool exchanging = connection->state == TCPCT_SYN_SENT ||
                      (!connection->confirmed && connection->flight.count == 0);
    initiator_try_other(connection);
    if (connection->state == TCPCT_SYN_RECEIVED)
        handshake_timeout(connection, now_us);
    else if (connection->initiator && connection->restarted && !connection->confirmed)
        beside_race(connection, now_us);
    else if (connection->renews && connection->syn_tries >= RENEWAL_TRIES) {
        tcb_closed(connection, TCPCT_OK, now_us);
        return false;
    } else if (exchanging)
        initiator_timeout(connection, now_us);
    else {
        connection->opening_timeouts += !connection->confirmed;
        recovery_timeout(connection, now_us);
        if (!connection->recovery.tail_due && !restart_goes_on(connection, now_us)) {
            tcb_closed(connection, TCPCT_ERROR_TIMEOUT, now_us);
            return false;
        }
    }
    return true;
}

/* RFC 9293, 3.8.4: probes, then the connection is given up. False: it was. */
static bool keep_alive(struct tcpct_connection *connection, uint64_t now_us)
{
    if (connection->flight.count == 0 && connection->confirmed) {
        if (connection->keepalives++ >= KEEPALIVE_PROBES) {
            tcb_closed(connection, TCPCT_ERROR_TIMEOUT, now_us);
            return false;
        }
        connection->probe_due = true;
        tcb_output(connection);
    }
    timer_set(connection, TIMER_KEEPALIVE,
              now_us + min_u64(connection->keepalive_us, KEEPALIVE_INTERVAL_US));
    return true;
}

bool connection_timers(struct tcpct_connection *connection, uint64_t now_us)
{
    if (expired(connection, TIMER_USER, now_us)) {
        tcb_closed(connection, TCPCT_ERROR_TIMEOUT, now_us);
        return false;
    }
    if (expired(connection, TIMER_TIME_WAIT, now_us)) {
        tcb_closed(connection, TCPCT_OK, now_us);
        return false;
    }
    if (expired(connection, TIMER_KEEPALIVE, now_us) && !keep_alive(connection, now_us))
        return false;
    if (expired(connection, TIMER_IDLE, now_us))
        collapse_consider(connection, now_us);
    if (expired(connection, TIMER_DELAYED_ACK, now_us)) {
        connection->ack_now = true;
        tcb_output(connection);
    }
    if (expired(connection, TIMER_PERSIST, now_us)) {
        connection->probe_due = true;
        rtt_back_off(&connection->rtt);
        timer_set(connection, TIMER_PERSIST, now_us + connection->rtt.rto_us);
        if (!timer_is_set(connection, TIMER_USER))
            timer_set(connection, TIMER_USER, now_us + connection->user_timeout_us);
        tcb_output(connection);
    }
    if (expired(connection, TIMER_MEMORY, now_us)) {
        tcb_output(connection);
        if (connection->send_blocked)
            tcb_event(connection, TCPCT_EVENT_WRITABLE);
        connection->send_blocked = false;
    }
    if (expired(connection, TIMER_PACE, now_us))
        tcb_output(connection);
    if (expired(connection, TIMER_REORDER, now_us))
        recovery_reorder_timeout(connection, now_us);
    if (expired(connection, TIMER_RETRANSMISSION, now_us))
        return retransmission_expired(connection, now_us);
    return true;
}
