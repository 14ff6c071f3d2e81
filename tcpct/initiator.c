#include "initiator.h"

#include <string.h>

#include "beside.h"
#include "close.h"
#include "collapse.h"
#include "demux.h"
#include "fastopen.h"
#include "handshake.h"
#include "input.h"
#include "listen.h"
#include "peers.h"
#include "reply.h"
#include "restart.h"
#include "seq.h"
#include "timer.h"
#include "timestamps.h"

enum {
    SYN_DATA_TRIES = 2,
    SYN_COOKIE_TRIES = 4,
    SYN_OPTIONS_MAX = 40,
    OPENING_TRIES = 3,
    TSOFFSET_STEP = 1 << 24,
    SYN_PATIENCE_US = 180 * SECOND_US
};
/* How long something is not tried again: after it seemed to be lost, and after it did harm. */
static const uint64_t SHUNNED_US = 300ull * SECOND_US, SWALLOWED_US = 3600ull * SECOND_US;

/* RFC 6056, 3.3.1: any of the ephemeral ports, unpredictably; not the destination's (4.5). */
uint16_t initiator_choose_port(struct tcpct_stack *stack, struct endpoints *endpoints)
{
    const uint32_t count = 65536 - PORT_EPHEMERAL_FIRST;
    uint32_t first = stack_random(stack) % count;
    for (uint32_t i = 0; i < count; i++) {
        endpoints->local_port = (uint16_t)(PORT_EPHEMERAL_FIRST + (first + i) % count);
        if (endpoints->local_port != endpoints->remote_port && !demux_find(stack, endpoints) &&
            !collapse_find(stack, endpoints) && !restart_reserves(stack, endpoints))
            return endpoints->local_port;
    }
    return 0;
}

/* 4.1: an exchange may begin at any time, also beside a connection that began with one. */
static bool may_begin_beside(const struct tcpct_connection *other,
                             const struct tcpct_connect_options *options)
{
    return other->initiator && other->pair.size && other->state != TCPCT_SYN_SENT &&
           options->parameters.cookie_desired && !options->parameters.out_never;
}

static int choose_addresses(struct tcpct_stack *stack, const struct tcpct_connect_options *options,
                            struct endpoints *endpoints)
{
    *endpoints = (struct endpoints){
        .local = options->local,
        .remote = options->remote,
        .local_port = options->local_port,
        .remote_port = options->remote_port,
    };
    bool own = false;
    for (unsigned i = 0; i < stack->address_count && !own; i++) {
        if (endpoints->local.family == 0 && stack->addresses[i].family == options->remote.family)
            endpoints->local = stack->addresses[i];
        own = ip_address_equal(&stack->addresses[i], &endpoints->local);
    }
    return own && endpoints->local.family == options->remote.family ? TCPCT_OK
                                                                    : TCPCT_ERROR_NO_ADDRESS;
}

static int choose_local_port(struct tcpct_stack *stack, const struct tcpct_connect_options *options,
                             struct endpoints *endpoints)
{
    if (options->local_port == 0)
        return initiator_choose_port(stack, endpoints) ? TCPCT_OK : TCPCT_ERROR_NO_PORT;
    const struct tcpct_connection *other = demux_find(stack, endpoints);
    if (collapse_find(stack, endpoints))
        return TCPCT_ERROR_IN_USE;
    return other && !may_begin_beside(other, options) ? TCPCT_ERROR_IN_USE : TCPCT_OK;
}

static bool parameters_valid(const struct tcpct_connect_options *options)
{
    uint8_t size = options->parameters.cookie_desired;
    return (options->remote.family == 4 || options->remote.family == 6) && options->remote_port &&
           !ip_address_is_unusable(&options->remote) &&
           (size == 0 || (size >= COOKIE_SIZE_MIN && size <= COOKIE_SIZE_MAX && size % 2 == 0)) &&
           timestamps_parameter_valid(options->parameters.extend_ts) &&
           (options->request || options->request_size == 0);
}

/* 6.1: all of the data or none, within 536 bytes less the options and the application's limit. */
static uint16_t syn_data_size(const struct tcpct_connect_options *options)
{
    size_t limit = MSS_DEFAULT - SYN_OPTIONS_MAX;
    if (limit > options->parameters.syn_data_limit)
        limit = options->parameters.syn_data_limit;
    return options->request_size <= limit ? (uint16_t)options->request_size : 0;
}

static bool take_request(struct tcpct_connection *connection,
                         const struct tcpct_connect_options *options)
{
    uint32_t size = (uint32_t)options->request_size;
    if (size == 0)
        return true;
    return options->request_size <= connection->stack->config.send_buffer_max &&
           ring_grow(&connection->send, &connection->stack->memory, size, 0) &&
           ring_append(&connection->send, options->request, size) == size;
}

static void choose_cookie(struct tcpct_connection *connection, uint64_t now_us)
{
    const struct tcpct_parameters *parameters = &connection->parameters;
    struct cookie_pair *pair = &connection->pair;
    pair->size = parameters->out_never ? 0 : parameters->cookie_desired;
    const struct peer *peer = peers_find(connection->stack, &connection->endpoints.remote);
    if (peer && now_us < peer->plain_until_us)
        pair->size = 0;
    connection->cookie_less = connection->md5_key && pair->size;
    if (connection->md5_key) /* 8.4 */
        pair->size = 0;
    if (peer && now_us < peer->no_data_until_us)
        connection->syn_data = 0;
    for (unsigned i = 0; i < pair->size; i++) /* 3.5.1: new for each exchange, and kept */
        pair->initiator[i] = (uint8_t)stack_random(connection->stack);
}

void initiator_exchange(struct tcpct_connection *connection, uint64_t now_us)
{
    struct cookie_endpoints parties = endpoints_for_cookie(&connection->endpoints);
    choose_cookie(connection, now_us);
    connection->timestamp_size = 4; /* of a <SYN> */
    connection->iss = isn_initiator(&connection->stack->isn_keys, &parties, now_us);
    connection->snd_una = connection->snd_nxt = connection->iss;
    connection->data_seq = connection->iss + 1;
    connection->timestamp_offset = timestamp_offset(&connection->stack->isn_keys, &parties); /* 3 */
    const struct tcpct_connection *older = demux_older(connection);
    if (older) /* 4.1, 5.1, 5.2: incremented, so that the timestamp exceeds all of the other's */
        connection->timestamp_offset =
            older->timestamp_offset + 1 + stack_random(connection->stack) % TSOFFSET_STEP;
    connection->syn_due = true;
    tcb_state(connection, TCPCT_SYN_SENT, now_us);
    tcb_output(connection);
}

static void limit_patience(struct tcpct_connection *connection, uint64_t now_us)
{
    uint64_t patience_us = connection->user_timeout_us;
    if (!connection->user_timeout_set) /* RFC 9293, 3.8.3: a <SYN> is tried for three minutes */
        patience_us = max_u64(patience_us, SYN_PATIENCE_US);
    timer_set(connection, TIMER_USER, now_us + patience_us);
}

static struct tcpct_connection *restart(struct tcpct_stack *stack,
                                        const struct tcpct_connect_options *options,
                                        uint64_t now_us)
{
    struct endpoints endpoints;
    if (!options->restart || choose_addresses(stack, options, &endpoints) != TCPCT_OK)
        return NULL;
    return restart_begin(stack, &endpoints, options->window, now_us);
}

static struct tcpct_connection *create(struct tcpct_stack *stack,
                                       const struct tcpct_connect_options *options, int *error)
{
    struct endpoints endpoints;
    *error = choose_addresses(stack, options, &endpoints);
    if (*error == TCPCT_OK)
        *error = choose_local_port(stack, options, &endpoints);
    struct tcpct_connection *connection = *error == TCPCT_OK ? tcb_create(stack, &endpoints) : NULL;
    if (!connection && *error == TCPCT_OK)
        *error = TCPCT_ERROR_MEMORY;
    return connection;
}

int tcpct_connect(struct tcpct_stack *stack, const struct tcpct_connect_options *options,
                  struct tcpct_connection **connection, uint64_t now_us)
{
    int error = TCPCT_OK;
    if (!parameters_valid(options))
        return TCPCT_ERROR_INVALID;
    struct tcpct_connection *new = restart(stack, options, now_us);
    if (!new)
        new = create(stack, options, &error);
    if (!new)
        return error;
    if (!take_request(new, options)) {
        tcb_destroy(new);
        return TCPCT_ERROR_MEMORY;
    }
    new->initiator = new->held = true;
    new->user = options->user;
    new->parameters = options->parameters;
    new->window_policy = options->window;
    if (options->user_timeout_us)
        new->user_timeout_us = options->user_timeout_us;
    new->user_timeout_set = options->user_timeout_us != 0;
    new->syn_data = syn_data_size(options);
    new->persistent = options->restart;
    limit_patience(new, now_us);
    collapse_heard(new, now_us);
    if (new->restarted) {
        beside_renew(new, now_us);
    } else {
        initiator_exchange(new, now_us);
        if (options->fast_open && new->pair.size == 0 && !new->md5_key)
            fastopen_prepare(new, now_us);
    }
    *connection = new;
    return TCPCT_OK;
}

int initiator_again(struct tcpct_connection *connection, uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    const struct endpoints endpoints = connection->endpoints;
    const struct tcpct_connect_options options = {
        .local = endpoints.local,
        .remote = endpoints.remote,
        .remote_port = endpoints.remote_port,
        .parameters = connection->parameters,
        .restart = true,
        .window = connection->window_policy,
        .user_timeout_us = connection->user_timeout_set ? connection->user_timeout_us : 0,
        .user = connection->user,
    };
    const uint64_t keepalive_us = connection->keepalive_us;
    const uint8_t traffic_class = connection->traffic_class;
    const bool nodelay = connection->nodelay;
    struct tcpct_connection *again;
    tcb_destroy(connection); /* and its memory is the first to be used again */
    int error = tcpct_connect(stack, &options, &again, now_us);
    if (error) {
        again = tcb_create(stack, &endpoints);
        again->held = true;
        again->user = options.user;
        tcb_closed(again, error, now_us);
        return error;
    }
    again->nodelay = nodelay;
    again->traffic_class = traffic_class;
    return tcpct_option_set(again, TCPCT_OPTION_KEEPALIVE, keepalive_us);
}

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
        return listen_converts(connection, segment, now_us)
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
