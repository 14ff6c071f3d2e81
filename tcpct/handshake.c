#include "handshake.h"

#include "close.h"
#include "collapse.h"
#include "demux.h"
#include "listen.h"
#include "listener.h"
#include "recovery.h"
#include "reply.h"
#include "seq.h"
#include "timer.h"

/* What a <SYN> says of its sender; the <SYN,ACK(SYN)> is due. */
static void take_syn(struct tcpct_connection *connection, const struct segment *syn,
                     uint64_t now_us)
{
    tcb_peer_options(connection, &syn->options);
    connection->pair.size = 0;
    connection->cookie_less &= (syn->options.present & OPTION_COOKIE_LESS) != 0;
    connection->irs = syn->seq;
    connection->rcv_nxt = connection->last_ack_sent = syn->seq + 1;
    connection->rcv_edge =
        connection->rcv_nxt + min_u32(tcb_receive_window(connection), UINT16_MAX);
    connection->snd_wnd = connection->snd_max_wnd = syn->window; /* not scaled in a <SYN> */
    connection->snd_wl1 = syn->seq;
    connection->snd_wl2 = connection->iss;
    connection->snd_una = connection->iss;
    connection->snd_nxt = connection->data_seq = connection->iss + 1;
    connection->recovery.highest_sacked = connection->recovery.rack_end = connection->snd_nxt;
    connection->ts_recent = syn->options.timestamp_value;
    connection->ts_recent_us = now_us;
    connection->syn_data = 0;
    connection->syn_due = true;
    tcb_state(connection, TCPCT_SYN_RECEIVED, now_us);
    timer_set(connection, TIMER_USER, now_us + connection->user_timeout_us);
    tcb_output(connection);
}

struct tcpct_connection *handshake_begin(struct tcpct_listener *listener, const struct segment *syn,
                                         uint64_t now_us)
{
    struct tcpct_stack *stack = listener->stack;
    struct endpoints endpoints = demux_endpoints(syn);
    struct cookie_endpoints parties = endpoints_for_cookie(&endpoints);
    struct tcpct_connection *connection = tcb_create(stack, &endpoints);
    if (!connection)
        return NULL;
    uint16_t mss = mss_of(&syn->options, &syn->source);
    connection->listener = listener;
    connection->queued_at = listener;
    connection->cookie_less = syn->key && listen_uses_cookies(listener);
    listener->queued++;
    connection->iss = isn_generate(&stack->isn_keys, &parties, syn->seq, mss, now_us);
    connection->timestamp_offset = timestamp_offset(&stack->isn_keys, &parties);
    take_syn(connection, syn, now_us);
    collapse_heard(connection, now_us);
    return connection;
}

bool handshake_queue(struct tcpct_listener *listener, const struct segment *syn, uint64_t now_us)
{
    return listener->queued < listener->options.syn_queue &&
           handshake_begin(listener, syn, now_us) != NULL;
}

void handshake_simultaneous(struct tcpct_connection *connection, const struct segment *syn,
                            uint64_t now_us)
{
    connection->confirmed = true;
    connection->syn_tries = 0;
    take_syn(connection, syn, now_us);
}

bool handshake_takes(const struct tcpct_connection *connection, const struct segment *segment)
{
    const uint32_t present = segment->options.present;
    uint8_t flags = segment->flags & (SEGMENT_SYN | SEGMENT_RST | SEGMENT_ACK);
    bool acknowledges =
        (flags & SEGMENT_ACK) && segment->ack - (connection->iss + 1) <= connection->syn_data_sent;
    switch (connection->state) {
    case TCPCT_SYN_SENT:
        return acknowledges && !(present & OPTION_COOKIE_PAIR) &&
               (flags & SEGMENT_RST || (flags & SEGMENT_SYN && present & OPTION_TIMESTAMPS));
    case TCPCT_SYN_RECEIVED:
        return acknowledges || (flags == SEGMENT_SYN && segment->seq == connection->irs) ||
               (flags & SEGMENT_RST && segment->seq == connection->rcv_nxt);
    default:
        return true;
    }
}

bool handshake_acknowledged(struct tcpct_connection *connection, const struct segment *segment,
                            struct tcpct_packet *reply, uint64_t now_us)
{
    if (seq_leq(segment->ack, connection->iss)) { /* RFC 9293, 3.10.7.4 */
        reply_reset(connection->stack, segment, reply);
        return false;
    }
    if (connection->queued_at && !connection->fast_open.accepted &&
        (!listener_admits(connection->listener, &connection->endpoints, connection->irs, now_us) ||
         !listener_backlog_add(connection)))
        return false;
    listener_unqueue(connection);
    tcb_replace_older(connection, now_us);
    connection->snd_una = connection->ecn.point = connection->iss + 1;
    connection->snd_wnd = (uint32_t)segment->window << connection->snd_scale;
    connection->snd_max_wnd = max_u32(connection->snd_max_wnd, connection->snd_wnd);
    timer_stop(connection, TIMER_USER);
    tcb_first_rtt(connection, &segment->options, now_us);
    recovery_timer(connection, now_us);
    connection->syn_due = false;
    connection->confirmed = true;
    tcb_state(connection, TCPCT_ESTABLISHED, now_us);
    if (connection->initiator) {
        connection->stack->counters.connections_made++;
        tcb_event(connection, TCPCT_EVENT_CONNECTED | TCPCT_EVENT_WRITABLE);
    }
    tcb_output(connection);
    return true;
}

enum tcpct_verdict handshake_syn(struct tcpct_connection *connection, const struct segment *segment,
                                 struct tcpct_packet *reply, uint64_t now_us)
{
    const uint8_t others = SEGMENT_RST | SEGMENT_FIN;
    if (segment->seq != connection->irs || segment->flags & others) {
        close_challenge(connection, now_us);
        return TCPCT_UNACCEPTABLE;
    }
    if (!(segment->flags & SEGMENT_ACK)) {
        connection->syn_due = true;
        tcb_output(connection);
        return TCPCT_ACCEPTED;
    }
    if (!handshake_acknowledged(connection, segment, reply, now_us))
        return reply->length ? TCPCT_REPLIED : TCPCT_NO_RESOURCES;
    connection->snd_wnd = segment->window; /* not scaled in a <SYN> */
    connection->ack_now = true;
    return TCPCT_ACCEPTED;
}

void handshake_timeout(struct tcpct_connection *connection, uint64_t now_us)
{
    connection->stack->counters.retransmission_timeouts++;
    connection->stack->counters.retransmissions++;
    connection->totals.retransmissions++;
    rtt_back_off(&connection->rtt);
    connection->syn_due = true;
    trace_connection(connection, TCPCT_TRACE_TIMEOUT, "SYN-RECEIVED", connection->rtt.rto_us,
                     now_us);
    tcb_output(connection);
}
