#include "initiator.h"

#include <string.h>

#include "beside.h"
#include "close.h"
#include "fastopen.h"
#include "handshake.h"
#include "input.h"
#include "listen.h"
#include "opening.h"
#include "peers.h"
#include "reply.h"
#include "restart.h"
#include "seq.h"
#include "timer.h"
#include "timestamps.h"

enum { SYN_DATA_TRIES = 2, SYN_COOKIE_TRIES = 4, OPENING_TRIES = 3 };
/* How long something is not tried again: after it seemed to be lost, and after it did harm. */
static const uint64_t SHUNNED_US = 300ull * SECOND_US, SWALLOWED_US = 3600ull * SECOND_US;

/* Takes what a <SYN,ACK(SYN)> says of the Responder, with or without a Cookie. */
static void take_syn_ack(struct tcpct_connection *connection, const struct segment *segment,
                         uint64_t now_us)
{
    tcb_peer_options(connection, &segment->options);
    tcb_begin(connection, connection->iss, segment->seq);
    connection->snd_wl1 = segment->seq;
    connection->snd_wnd = connection->snd_max_wnd = segment->window; /* not scaled in a <SYN> */
    connection->ecn.agreed = connection->stack->config.ecn && connection->syn_tries == 1 &&
                             (segment->flags & (SEGMENT_ECE | SEGMENT_CWR)) == SEGMENT_ECE;
    connection->ts_recent = segment->options.timestamp_value;
    connection->ts_recent_us = connection->exchanged_us = now_us;
}

/* The answer, or its first part: at most once, since RCV.NXT moves (6.3). */
static void take_syn_ack_data(struct tcpct_connection *connection, const struct segment *segment)
{
    uint32_t size = min_u32(segment->data_size, connection->tune.receive_limit);
    if (size == 0 || !ring_grow(&connection->receive, &connection->stack->memory, size, 0))
        return;
    ring_append(&connection->receive, segment->data, size);
    connection->rcv_nxt += size;
    connection->syn_ack_data_taken = true;
    connection->totals.bytes_received += size;
    tcb_event(connection, TCPCT_EVENT_READABLE);
}

/* Our own cookie is proved by the numbers: the acknowledgment, and the echo of a TS Value that one
 * of our <SYN>s had (4.3). */
static bool echo_is_ours(const struct tcpct_connection *connection,
                         const struct tcp_options *options)
{
    return options->present & OPTION_TIMESTAMPS &&
           seq_leq(connection->timestamp_first, options->timestamp_echo) &&
           seq_leq(options->timestamp_echo, connection->syn_timestamp_last);
}

static bool reflected(struct tcpct_connection *connection, const struct segment *segment,
                      uint64_t now_us)
{
    const struct tcp_options *options = &segment->options;
    if (memcmp(options->initiator_cookie, connection->pair.initiator, connection->pair.size) != 0)
        return false;
    connection->stack->counters.reflections++;
    trace_connection(connection, TCPCT_TRACE_REFLECTION,
                     "our Cookie came back: options are copied on the path", 0, now_us);
    return true;
}

/* What an answer to a later try says of the path: data, or the Cookie too, had been lost. */
static void remember_tries(const struct tcpct_connection *connection, uint64_t now_us)
{
    if (!connection->parameters.cookie_desired || connection->syn_tries <= SYN_DATA_TRIES)
        return;
    struct peer *peer = peers_use(connection->stack, &connection->endpoints.remote, now_us);
    if (connection->syn_data_sent)
        peer->no_data_until_us = now_us + SHUNNED_US;
    if (connection->syn_tries > SYN_COOKIE_TRIES)
        peer->plain_until_us = now_us + SHUNNED_US;
}

static void take_cookie(struct tcpct_connection *connection, const struct tcp_options *options)
{
    memcpy(connection->pair.responder, options->initiator_cookie, connection->pair.size);
    connection->responder_timestamp = options->timestamp_value;
}

/* A pair that was asked for is kept; there is nothing to be said to the Responder. */
static enum tcpct_verdict renewed(struct tcpct_connection *connection,
                                  const struct tcp_options *options, uint64_t now_us)
{
    if (options->present & OPTION_COOKIE) {
        take_cookie(connection, options);
        timestamps_propose(connection, timestamps_choose(connection, restart_path(connection)));
        restart_remember(connection, now_us);
    }
    tcb_closed(connection, TCPCT_OK, now_us);
    return TCPCT_ACCEPTED;
}

/* 4.3, or plain TCP if the Responder sent no Cookie. */
static enum tcpct_verdict established(struct tcpct_connection *connection,
                                      const struct segment *segment, uint64_t now_us)
{
    uint32_t accepted = segment->ack - (connection->iss + 1); /* bytes of the <SYN>'s data */
    if (connection->beside)
        connection = beside_wins(connection, now_us);
    bool cookies = connection->pair.size && (segment->options.present & OPTION_COOKIE);
    take_syn_ack(connection, segment, now_us);
    if (connection->renews)
        return renewed(connection, &segment->options, now_us);
    if (cookies) {
        take_cookie(connection, &segment->options);
        tcb_introduce(connection);
        connection->syn_data_accepted = accepted > 0;
        take_syn_ack_data(connection, segment);
    } else {
        connection->pair.size = 0;
        connection->cookie_less &= (segment->options.present & OPTION_COOKIE_LESS) != 0;
        connection->confirmed = true;
        fastopen_remember(connection, &segment->options, now_us);
        connection->fast_open.accepted = accepted > 0;
        connection->snd_una = connection->snd_nxt = connection->data_seq = segment->ack;
        ring_drop(&connection->send, accepted);
    }
    remember_tries(connection, now_us);
    tcb_replace_older(connection, now_us); /* 4.1: not before it is valid */
    timer_stop(connection, TIMER_RETRANSMISSION);
    timer_stop(connection, TIMER_USER);
    tcb_first_rtt(connection, &segment->options, now_us);
    if (cookies) {
        timestamps_propose(connection, timestamps_choose(connection, restart_path(connection)));
        restart_takes_path(connection, now_us);
    }
    connection->ack_now = true;
    connection->stack->counters.connections_made++;
    tcb_state(connection, TCPCT_ESTABLISHED, now_us);
    tcb_event(connection, TCPCT_EVENT_CONNECTED | TCPCT_EVENT_WRITABLE);
    tcb_output(connection);
    return TCPCT_ACCEPTED;
}

/* 4.5: the lesser port, address or Cookie becomes the Responder. The Cookie may have been stripped
 * from the <SYN>: ports and addresses decide. Above 0: we remain the Initiator. */
static int compare_initiators(const struct tcpct_connection *connection, const struct segment *syn)
{
    const struct endpoints *endpoints = &connection->endpoints;
    const struct cookie_pair *pair = &connection->pair;
    const struct tcp_options *options = &syn->options;
    int order = endpoints->local_port - endpoints->remote_port;
    if (order == 0)
        order = memcmp(endpoints->local.bytes, endpoints->remote.bytes, sizeof(syn->source.bytes));
    if (order || !(options->present & OPTION_COOKIE))
        return order;
    order = memcmp(pair->initiator, options->initiator_cookie,
                   min_u32(pair->size, options->cookie_size));
    return order ? order : pair->size - options->cookie_size;
}

/* 4.5: the Initiator discards the <SYN>, whoever may have forged it. The Responder answers it; its
 * TCB waits for the opening as before for the <SYN,ACK(SYN)>. If all is equal there is no other TCB,
 * and so it is our own <SYN> that came back. */
static enum tcpct_verdict simultaneous(struct tcpct_connection *connection,
                                       const struct segment *syn, struct tcpct_packet *reply,
                                       uint64_t now_us)
{
    const uint32_t both = OPTION_COOKIE | OPTION_TIMESTAMPS;
    int order = compare_initiators(connection, syn);
    if (connection->pair.size && order > 0) {
        trace_connection(connection, TCPCT_TRACE_DISCARD, "simultaneous open", 0, now_us);
        return TCPCT_UNACCEPTABLE;
    }
    if (connection->pair.size && (syn->options.present & both) == both) {
        if (order == 0 && reflected(connection, syn, now_us))
            return TCPCT_BAD_COOKIE;
        trace_connection(connection, TCPCT_TRACE_OPENING, "simultaneous open", 0, now_us);
        connection->stack->counters.syn_cookie++;
        return listen_simultaneous(connection, syn, reply, now_us) ? TCPCT_REPLIED
                                                                   : TCPCT_UNACCEPTABLE;
    }
    handshake_simultaneous(connection, syn, now_us);
    return TCPCT_ACCEPTED;
}

enum tcpct_verdict initiator_syn_sent(struct tcpct_connection *connection,
                                      const struct segment *segment, struct tcpct_packet *reply,
                                      uint64_t now_us)
{
    const struct tcp_options *options = &segment->options;
    uint32_t accepted = segment->ack - (connection->iss + 1), most = connection->syn_data_sent;
    /* A part of the data may be taken by Fast Open (RFC 7413, 4.2.2), not by cookies (6.2). */
    bool acceptable = (segment->flags & SEGMENT_ACK) && accepted <= most &&
                      (accepted == 0 || accepted == most || !(options->present & OPTION_COOKIE));
    bool alone =
        !connection->beside && !connection->renews; /* else it can only be an Initiator's */
    if ((segment->flags & (SEGMENT_SYN | SEGMENT_ACK | SEGMENT_RST | SEGMENT_FIN)) == SEGMENT_SYN)
        return alone ? simultaneous(connection, segment, reply, now_us) : TCPCT_UNACCEPTABLE;
    if (alone && connection->pair.size && options->present & OPTION_COOKIE_PAIR)
        return opening_converts(connection, segment, now_us)
                   ? input_segment(connection, segment, reply, now_us)
                   : TCPCT_BAD_COOKIE;
    if (!acceptable) { /* RFC 9293, 3.10.7.3 */
        bool sent =
            (segment->flags & SEGMENT_ACK) && reply_reset(connection->stack, segment, reply);
        return sent ? TCPCT_REPLIED : TCPCT_UNACCEPTABLE;
    }
    if (segment->flags & SEGMENT_RST) {
        tcb_closed(connection, TCPCT_ERROR_REFUSED, now_us);
        return TCPCT_ACCEPTED;
    }
    if (!(segment->flags & SEGMENT_SYN))
        return TCPCT_UNACCEPTABLE;
    if (options->present & OPTION_TIMESTAMPS && !echo_is_ours(connection, options))
        return TCPCT_UNACCEPTABLE;
    if (connection->pair.size && (options->present & OPTION_COOKIE)) {
        if (options->cookie_size != connection->pair.size || /* 3.1: MUST be the same size */
            !(options->present & OPTION_TIMESTAMPS) || reflected(connection, segment, now_us))
            return TCPCT_BAD_COOKIE;
    }
    return established(connection, segment, now_us);
}

enum tcpct_verdict initiator_syn_ack_again(struct tcpct_connection *connection,
                                           const struct segment *segment, uint64_t now_us)
{
    const struct tcp_options *options = &segment->options;
    const struct cookie_pair *pair = &connection->pair;
    if (connection->confirmed || connection->syn_ack_data_taken || segment->data_size ||
        (segment->flags & (SEGMENT_FIN | SEGMENT_RST)) || !(options->present & OPTION_COOKIE) ||
        options->cookie_size != pair->size || !echo_is_ours(connection, options) ||
        segment->ack != connection->iss + 1)
        return TCPCT_UNACCEPTABLE;
    if (reflected(connection, segment, now_us))
        return TCPCT_BAD_COOKIE;
    connection->other = (struct cookie_offer){ .known = memcmp(options->initiator_cookie,
                                                               pair->responder, pair->size) != 0,
                                               .irs = segment->seq,
                                               .timestamp = options->timestamp_value };
    memcpy(connection->other.responder, options->initiator_cookie, pair->size);
    return TCPCT_ACCEPTED; /* the next <ACK(SYN)> is the timer's */
}

static void swap_pairs(struct tcpct_connection *connection)
{
    struct cookie_pair *pair = &connection->pair;
    const struct cookie_offer other = connection->other;
    connection->other = (struct cookie_offer){ .known = true,
                                               .irs = connection->irs,
                                               .timestamp = connection->responder_timestamp };
    memcpy(connection->other.responder, pair->responder, pair->size);
    memcpy(pair->responder, other.responder, pair->size);
    connection->responder_timestamp = other.timestamp;
    if (connection->confirmed)
        return;
    connection->irs = connection->snd_wl1 = other.irs;
    connection->rcv_nxt = connection->last_ack_sent = other.irs + 1;
    connection->rcv_edge =
        connection->rcv_nxt + min_u32(tcb_receive_window(connection), UINT16_MAX);
    connection->ts_recent = other.timestamp;
}

void initiator_try_other(struct tcpct_connection *connection)
{
    if (connection->other.known && !connection->confirmed)
        swap_pairs(connection);
}

bool initiator_took_other(struct tcpct_connection *connection, const struct segment *segment)
{
    const struct cookie_offer other = connection->other;
    if (!other.known || (connection->confirmed && other.irs != connection->irs))
        return false;
    swap_pairs(connection);
    if (close_paired(connection, segment))
        return true;
    swap_pairs(connection);
    return false;
}

void initiator_timeout(struct tcpct_connection *connection, uint64_t now_us)
{
    connection->stack->counters.retransmission_timeouts++;
    connection->stack->counters.retransmissions++;
    connection->totals.retransmissions++;
    rtt_back_off(&connection->rtt);
    if (connection->state == TCPCT_SYN_SENT) {
        if (connection->fast_open.wanted)
            fastopen_lost(connection, now_us);
        if (connection->syn_tries >= SYN_DATA_TRIES)
            connection->syn_data = 0;
        if (connection->syn_tries >= SYN_COOKIE_TRIES) {
            connection->pair.size = 0;
            connection->cookie_less = false;
        }
        connection->syn_due = true;
    } else {
        connection->opening_timeouts++;
        connection->ack_now = true;
    }
    trace_connection(connection, TCPCT_TRACE_TIMEOUT, "exchange", connection->rtt.rto_us, now_us);
    tcb_output(connection);
}

bool initiator_opens_plainly(const struct tcpct_connection *connection)
{
    return !connection->confirmed && connection->opening_timeouts >= OPENING_TRIES &&
           (connection->opening_timeouts - OPENING_TRIES) % 2 == 0;
}

/* The Responder answers an opening with its pair (2.1, 2.5): the first segment of one that does
 * not, and yet acknowledges, says that it took the extension for data. */
static bool swallowed(const struct tcpct_connection *connection, const struct segment *segment)
{
    const struct sent *opening =
        connection->flight.count ? flight_at(&connection->flight, 0) : NULL;
    uint32_t end = opening ? opening->end : connection->iss + 1;
    return !connection->opened_plainly && connection->opening_sent &&
           segment->ack == end + connection->opening_extension;
}

static void goes_on_plainly(struct tcpct_connection *connection, uint64_t now_us)
{
    struct peer *peer = peers_use(connection->stack, &connection->endpoints.remote, now_us);
    peer->plain_until_us = now_us + SHUNNED_US;
    connection->pair.size = 0;
    connection->introducing = false;
    timestamps_propose(connection, 4);
    connection->stack->counters.openings_plain++;
    trace_connection(connection, TCPCT_TRACE_OPENING, "goes on as plain TCP", 0, now_us);
}

bool initiator_heard(struct tcpct_connection *connection, const struct segment *segment,
                     uint64_t now_us)
{
    const uint8_t flags = SEGMENT_SYN | SEGMENT_RST | SEGMENT_ACK;
    uint32_t first = connection->iss + 1;
    bool possible = segment->ack - first <= connection->snd_nxt - first;
    if (close_paired(connection, segment))
        connection->opened_plainly = false;
    else if ((segment->flags & flags) != SEGMENT_ACK || segment->seq != connection->irs + 1)
        return true;
    else if (connection->opened_plainly && possible)
        goes_on_plainly(connection, now_us);
    else if (!connection->confirmed && swallowed(connection, segment)) {
        struct peer *peer = peers_use(connection->stack, &connection->endpoints.remote, now_us);
        peer->plain_until_us = now_us + SWALLOWED_US;
        connection->stack->counters.extensions_swallowed++;
        trace_connection(connection, TCPCT_TRACE_DISCARD,
                         "the peer took a header extension for data", connection->opening_extension,
                         now_us);
        tcb_closed(connection, TCPCT_ERROR_EXTENSION, now_us);
        return false;
    }
    return true;
}

void initiator_heard_end(struct tcpct_connection *connection, const struct segment *segment,
                         uint64_t now_us)
{
    bool fin =
        segment->flags & SEGMENT_FIN && segment->seq + segment->data_size == connection->rcv_nxt;
    bool of_ours = connection->fin_sent && segment->ack == connection->snd_nxt;
    if (connection->opened_plainly && connection->pair.size &&
        !(segment->options.present & OPTION_COOKIE_PAIR) &&
        (fin || (of_ours && segment->data_size == 0)))
        goes_on_plainly(connection, now_us);
}

bool initiator_may_vanish(const struct tcpct_connection *connection)
{
    uint32_t unanswered = connection->send.used;
    if (!connection->initiator || !connection->pair.size || connection->opening_sent ||
        connection->state != TCPCT_ESTABLISHED)
        return false;
    return unanswered == 0 ||
           (connection->syn_data_accepted && unanswered == connection->syn_data_sent);
}
