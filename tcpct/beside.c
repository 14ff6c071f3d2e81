#include "beside.h"

#include "congestion.h"
#include "connect.h"
#include "demux.h"
#include "peers.h"
#include "restart.h"
#include "timer.h"

/* Nobody's connection to the same peer and port, from a fresh one; NULL: no room or no port. */
static struct tcpct_connection *create(const struct tcpct_connection *connection)
{
    struct endpoints endpoints = connection->endpoints;
    if (!connect_choose_port(connection->stack, &endpoints))
        return NULL;
    struct tcpct_connection *new = tcb_create(connection->stack, &endpoints);
    if (!new)
        return NULL;
    new->initiator = true;
    new->parameters = connection->parameters;
    new->window_policy = connection->window_policy;
    return new;
}

/* The restart is given up; all that was to be sent still is. */
static void leave_restart(struct tcpct_connection *connection, uint64_t now_us)
{
    uint32_t sent = connection->snd_nxt - (connection->iss + 1);
    restart_failed(connection, now_us);
    flight_clear(&connection->flight);
    timer_stop(connection, TIMER_RETRANSMISSION);
    timer_stop(connection, TIMER_PACE);
    connection->recovery = (struct recovery){ .phase = RECOVERY_OPEN };
    connection->jump.phase = JUMP_OVER;
    if (sent > congestion_initial(connection->mss)) /* it may have been too much */
        connection->jump.congested = true;
    connection->pace_us = 0;
    rtt_init(&connection->rtt);
    connection->restarted = connection->introducing = connection->opening_sent = false;
    connection->fin_sent = connection->probe_due = false;
    connection->opening_timeouts = connection->restarts = 0;
}

/* Without a TCB for it, the exchange takes the restart's place at once. */
static void take_its_place(struct tcpct_connection *connection, uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    leave_restart(connection, now_us);
    demux_remove(stack, connection);
    uint16_t port = connect_choose_port(stack, &connection->endpoints);
    demux_add(stack, connection);
    if (port)
        connect_exchange(connection, now_us);
    else
        tcb_closed(connection, TCPCT_ERROR_NO_PORT, now_us);
}

void beside_race(struct tcpct_connection *connection, uint64_t now_us)
{
    if (connection->beside)
        return;
    trace_connection(connection, TCPCT_TRACE_RESTART, "no answer: an exchange begins beside it", 0,
                     now_us);
    connection->stack->counters.restarts_late++;
    struct tcpct_connection *exchange = create(connection);
    if (!exchange) {
        take_its_place(connection, now_us);
        return;
    }
    uint16_t size = connection->syn_data;
    if (size && ring_grow(&exchange->send, &connection->stack->memory, size, 0)) {
        uint8_t request[MSS_DEFAULT];
        ring_get(&connection->send, 0, request, size);
        exchange->syn_data = (uint16_t)ring_append(&exchange->send, request, size);
    }
    exchange->beside = connection;
    connection->beside = exchange;
    connect_exchange(exchange, now_us);
}

/* What the exchange is known by, which the application's connection takes over. */
static void become(struct tcpct_connection *connection, const struct tcpct_connection *exchange)
{
    connection->endpoints = exchange->endpoints;
    connection->iss = exchange->iss;
    connection->snd_una = connection->snd_nxt = exchange->snd_nxt;
    connection->data_seq = exchange->data_seq;
    connection->timestamp_size = exchange->timestamp_size;
    connection->timestamp_offset = exchange->timestamp_offset;
    connection->timestamp_first = exchange->timestamp_first;
    connection->syn_timestamp_last = exchange->syn_timestamp_last;
    connection->syn_tries = exchange->syn_tries;
    connection->syn_sent_us = exchange->syn_sent_us;
    connection->syn_data_sent = exchange->syn_data_sent;
    connection->pair = exchange->pair;
    connection->rtt = exchange->rtt;
}

/* The restart, with nobody to hold it: it resets whatever the Responder has made of its opening (7).
 * What of the opening's flight has arrived is not known: the first segment alone, or all. */
static void become_loser(struct tcpct_connection *loser, const struct tcpct_connection *restart)
{
    const struct flight *flight = &restart->flight;
    timer_stop_all(loser);
    ring_free(&loser->send, &loser->stack->memory);
    loser->endpoints = restart->endpoints;
    loser->pair = restart->pair;
    loser->iss = restart->iss;
    loser->irs = restart->irs;
    loser->snd_una = loser->data_seq = restart->iss + 1;
    loser->snd_nxt = flight->count ? flight_at(flight, 0)->end : restart->snd_nxt;
    loser->reset_end = restart->snd_nxt;
    loser->rcv_nxt = loser->rcv_edge = loser->last_ack_sent = restart->irs + 1;
    loser->timestamps = true;
    loser->timestamp_size = restart->timestamp_size;
    loser->timestamp_offset = restart->timestamp_offset;
    loser->prefix = restart->prefix;
    loser->recent_prefix = restart->recent_prefix;
    loser->ts_recent = restart->ts_recent;
    loser->confirmed = loser->reset_due = true;
}

struct tcpct_connection *beside_wins(struct tcpct_connection *exchange, uint64_t now_us)
{
    struct tcpct_connection *connection = tcb_part(exchange);
    struct tcpct_stack *stack = connection->stack;
    struct tcpct_connection won = *exchange;
    trace_connection(connection, TCPCT_TRACE_RESTART, "lost to the exchange beside it",
                     exchange->endpoints.local_port, now_us);
    demux_remove(stack, connection);
    demux_remove(stack, exchange);
    become_loser(exchange, connection);
    leave_restart(connection, now_us);
    become(connection, &won);
    demux_add(stack, connection);
    demux_add(stack, exchange);
    tcb_state(exchange, TCPCT_ESTABLISHED, now_us);
    tcb_output(exchange);
    tcb_state(connection, TCPCT_SYN_SENT, now_us);
    return connection;
}

void beside_renew(const struct tcpct_connection *connection, uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    uint64_t msl_us = stack->config.msl_us;
    struct peer *peer = peers_use(stack, &connection->endpoints.remote, now_us);
    bool asked = peer->renewed_us && now_us - peer->renewed_us < msl_us;
    if (now_us - connection->exchanged_us < msl_us || asked)
        return;
    struct tcpct_connection *exchange = create(connection);
    if (!exchange)
        return;
    peer->renewed_us = now_us;
    exchange->renews = true;
    stack->counters.renewals++;
    connect_exchange(exchange, now_us);
    trace_connection(exchange, TCPCT_TRACE_RESTART, "another pair is asked for", 0, now_us);
}
