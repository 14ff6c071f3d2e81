#include "listen.h"

#include <string.h>

#include "carry.h"
#include "collapse.h"
#include "demux.h"
#include "fastopen.h"
#include "reply.h"
#include "restart.h"
#include "seq.h"
#include "timer.h"
#include "timestamps.h"

enum { AMPLIFICATION_MAX = 3, TIMESTAMP_ROUNDED = 1 << ISN_TIMESTAMP_BITS };

bool listen_uses_cookies(const struct tcpct_listener *listener)
{
    const struct tcpct_parameters *parameters = &listener->options.parameters;
    return parameters->cookie_desired && !parameters->out_never;
}

/* A Cookie is taken if this listener wants cookies, the peer has Timestamps, which must be
 * supported (3), and no MD5 option forbids it (8.4). */
bool listen_wants_cookie(const struct tcpct_listener *listener, const struct segment *syn)
{
    const struct tcp_options *options = &syn->options;
    return listen_uses_cookies(listener) && (options->present & OPTION_COOKIE) &&
           (options->present & OPTION_TIMESTAMPS) &&
           !(options->present & (OPTION_MD5 | OPTION_AUTHENTICATION));
}

static uint32_t stateless_timestamp(const struct tcpct_stack *stack,
                                    const struct cookie_endpoints *endpoints, uint64_t now_us)
{
    return (uint32_t)(now_us / TIMESTAMP_TICK_US) + timestamp_offset(&stack->isn_keys, endpoints);
}

/* ECN-setup (RFC 3168, 6.1.1); agreed only if the timestamp can carry that it was. */
static bool wants_ecn(const struct segment *syn)
{
    const uint8_t setup = SEGMENT_ECE | SEGMENT_CWR;
    return (syn->flags & setup) == setup && syn->options.present & OPTION_TIMESTAMPS;
}

/* Options are sent only after the corresponding option was received (2.2). */
static void answer_options(const struct tcpct_stack *stack, const struct segment *syn,
                           uint32_t timestamp, struct tcp_options *options)
{
    const struct tcp_options *from = &syn->options;
    bool scaling = from->present & OPTION_WINDOW_SCALE;
    options->present |= OPTION_MSS;
    options->mss = stack_mss(stack, &syn->source);
    if (!(from->present & OPTION_TIMESTAMPS)) /* nothing would bring the others back */
        return;
    options->present |= from->present & (OPTION_SACK_PERMITTED | OPTION_WINDOW_SCALE);
    options->window_scale = stack->rcv_scale;
    struct isn_options carried = {
        .window_scale = scaling ? (uint8_t)min_u32(from->window_scale, WINDOW_SCALE_MAX)
                                : (uint8_t)ISN_NO_WINDOW_SCALE,
        .sack_permitted = from->present & OPTION_SACK_PERMITTED,
        .ecn = wants_ecn(syn),
    };
    options->present |= OPTION_TIMESTAMPS;
    options->timestamp_size = 4;
    options->timestamp_value = timestamp_with_options(timestamp, &carried);
    options->timestamp_echo = from->timestamp_value;
}

static void answer_cookie(const struct tcpct_stack *stack, const struct segment *syn,
                          const struct cookie_endpoints *endpoints, struct segment *answer)
{
    struct tcp_options *options = &answer->options;
    struct cookie_numbers numbers = {
        .seq = answer->seq + 1,
        .ack = syn->seq + 1,
        .timestamp = options->timestamp_value,
        .size = syn->options.cookie_size,
        .initiator_cookie = syn->options.initiator_cookie,
    };
    options->present |= OPTION_COOKIE;
    options->cookie_size = numbers.size;
    cookie_generate(&stack->secrets, endpoints, &numbers, options->initiator_cookie);
}

/* The room for data in the <SYN,ACK(SYN)>: section 12's limit, 1280 bytes of IP, the peer's MSS,
 * and three times what came, counted in whole datagrams, against amplification (6.2). */
static size_t answer_room(const struct tcpct_listener *listener, const struct segment *syn,
                          const struct segment *answer, size_t reply_size)
{
    size_t headers = segment_header_size(answer);
    size_t fixed = ip_header_size(&syn->source) + TCP_HEADER_SIZE;
    size_t mss = mss_of(&syn->options, &syn->source);
    size_t whole = mss + fixed;
    if (whole > TCPCT_REPLY_SIZE)
        whole = TCPCT_REPLY_SIZE;
    if (whole > reply_size)
        whole = reply_size;
    if (whole > (size_t)AMPLIFICATION_MAX * syn->packet_size)
        whole = (size_t)AMPLIFICATION_MAX * syn->packet_size;
    size_t room = whole > headers ? whole - headers : 0;
    size_t limit = listener->options.parameters.syn_ack_data_limit;
    return room < limit ? room : limit;
}

/* The application's answer. If it is whole, the request is accepted (6.2). */
static bool answer_data(const struct tcpct_listener *listener, const struct segment *syn,
                        struct segment *answer, struct tcpct_packet *reply, uint64_t now_us)
{
    const struct tcpct_request request = {
        .bytes = syn->data,
        .size = syn->data_size,
        .remote = syn->source,
        .remote_port = syn->source_port,
        .now_us = now_us,
    };
    if (!listener->options.answer || syn->data_size == 0)
        return false;
    size_t room = answer_room(listener, syn, answer, reply->size);
    uint8_t *data = reply->data + segment_header_size(answer);
    if (room == 0)
        return false;
    size_t size = listener->options.answer(listener->options.answer_context, &request, data, room);
    if (size > room &&
        listener->options.answers_stable) { /* a first part: not yet accepted (6.3) */
        answer->data_size = (uint32_t)room;
        return true;
    }
    if (size == 0 || size > room)
        return false;
    answer->data_size = (uint32_t)size;
    answer->ack += syn->data_size;
    return true;
}

/* All but Cookie and data. */
static struct segment begin_answer(const struct tcpct_stack *stack, const uint32_t *beside,
                                   const struct segment *syn, uint32_t isn, uint64_t now_us)
{
    struct endpoints endpoints = demux_endpoints(syn);
    struct cookie_endpoints parties = endpoints_for_cookie(&endpoints);
    struct segment answer = reply_to(stack, syn);
    answer.flags = SEGMENT_SYN | SEGMENT_ACK;
    if (wants_ecn(syn))
        answer.flags |= SEGMENT_ECE;
    answer.seq = isn;
    answer.ack = syn->seq + 1;
    answer.window = (uint16_t)min_u32(stack->config.receive_buffer_max, UINT16_MAX);
    uint32_t timestamp = stateless_timestamp(stack, &parties, now_us);
    if (beside) /* 4.2: above all of the TCB's, also when it is rounded down */
        timestamp = *beside + TIMESTAMP_ROUNDED;
    answer_options(stack, syn, timestamp, &answer.options);
    return answer;
}

bool listen_simultaneous(struct tcpct_connection *connection, const struct segment *syn,
                         struct tcpct_packet *reply, uint64_t now_us)
{
    const struct tcpct_stack *stack = connection->stack;
    struct cookie_endpoints parties = endpoints_for_cookie(&connection->endpoints);
    struct segment answer = begin_answer(stack, NULL, syn, connection->iss, now_us);
    if (tcb_timestamp(connection, now_us) == connection->syn_timestamp_last)
        connection->timestamp_offset++; /* 4.2: incremented, and whatever follows is not less */
    answer.options.timestamp_value = tcb_timestamp(connection, now_us);
    answer.flags = SEGMENT_SYN | SEGMENT_ACK; /* without ECN, which that does not carry */
    answer_cookie(stack, syn, &parties, &answer);
    return segment_encode(&answer, reply, stack->config.checksum_offload);
}

enum listen_verdict listen_syn(const struct tcpct_stack *stack,
                               const struct tcpct_listener *listener, const uint32_t *beside,
                               const struct segment *syn, struct tcpct_packet *reply,
                               uint64_t now_us)
{
    const struct tcpct_parameters *parameters = &listener->options.parameters;
    struct endpoints endpoints = demux_endpoints(syn);
    struct cookie_endpoints parties = endpoints_for_cookie(&endpoints);
    bool cookie = listen_wants_cookie(listener, syn);
    bool answered = false;

    if (syn->flags & (SEGMENT_FIN | SEGMENT_RST)) /* 6.1; T/TCP is not spoken (8.3) */
        return LISTEN_REFUSED;
    if (!cookie && parameters->in_always)
        return LISTEN_REFUSED;
    uint16_t mss = mss_of(&syn->options, &syn->source);
    uint32_t isn = isn_generate(&stack->isn_keys, &parties, syn->seq, mss, now_us);
    struct segment answer = begin_answer(stack, beside, syn, isn, now_us);
    if (syn->key && listen_uses_cookies(listener) && /* 8.4: in a Cookie's place */
        syn->options.present & OPTION_TIMESTAMPS)
        answer.options.present |= syn->options.present & OPTION_COOKIE_LESS;
    if (!cookie && !syn->key && listener->options.fast_open_queue &&
        syn->options.present & OPTION_FAST_OPEN)
        fastopen_grant(stack, syn, &answer.options);
    if (cookie) {
        answer_cookie(stack, syn, &parties, &answer);
        answered = answer_data(listener, syn, &answer, reply, now_us);
    }
    if (!md5sig_encode(stack->md5sig, &answer, reply, stack->config.checksum_offload))
        return LISTEN_REFUSED;
    if (answered)
        return LISTEN_REPLIED_ANSWER;
    return cookie ? LISTEN_REPLIED_COOKIE : LISTEN_REPLIED_PLAIN;
}

static enum cookie_verdict verify(const struct tcpct_stack *stack, const struct segment *segment,
                                  uint32_t seq, uint32_t ack, uint32_t timestamp, unsigned *slot)
{
    const struct tcp_options *options = &segment->options;
    struct endpoints endpoints = demux_endpoints(segment);
    struct cookie_endpoints parties = endpoints_for_cookie(&endpoints);
    struct cookie_numbers numbers = {
        .seq = seq,
        .ack = ack,
        .timestamp = timestamp,
        .size = options->cookie_size,
        .initiator_cookie = options->initiator_cookie,
    };
    return cookie_verify(&stack->secrets, &parties, &numbers, options->responder_cookie, slot);
}

enum cookie_verdict listen_verify(const struct tcpct_stack *stack, const struct segment *segment,
                                  unsigned *slot)
{
    return verify(stack, segment, segment->ack, segment->seq, segment->options.timestamp_echo,
                  slot);
}

bool listen_owns_pair(const struct tcpct_connection *connection, const struct segment *segment)
{
    unsigned slot;
    return !connection->initiator && connection->pair.size == 0 && connection->timestamps &&
           verify(connection->stack, segment, connection->iss + 1, connection->irs + 1,
                  connection->timestamp_first, &slot) != COOKIE_INVALID;
}

void listen_backlog_append(struct tcpct_connection *connection)
{
    struct tcpct_listener *listener = connection->listener;
    connection->held = true;
    connection->parameters = listener->options.parameters;
    connection->user = listener->options.user;
    if (listener->backlog_last)
        listener->backlog_last->accept_next = connection;
    else
        listener->backlog_first = connection;
    listener->backlog_last = connection;
    listener->backlog_count++;
    listener->event = true;
    listener->stack->counters.connections_made++;
}

bool listen_backlog_room(struct tcpct_listener *listener)
{
    if (listener->backlog_count < listener->options.backlog)
        return true;
    listener->stack->counters.backlog_full++;
    return false;
}

bool listen_admits(struct tcpct_listener *listener, const struct endpoints *endpoints,
                   uint32_t peer_isn, uint64_t now_us)
{
    struct tcpct_counters *counters = &listener->stack->counters;
    struct cookie_endpoints parties = endpoints_for_cookie(endpoints);
    if (!listener->guard.limit || listener->backlog_count >= listener->options.backlog)
        return true; /* there is no guard, or no connection will be made */
    switch (
        guard_admit(&listener->guard, listener->stack->isn_keys.isn, &parties, peer_isn, now_us)) {
    case GUARD_ADMITTED:
        return true;
    case GUARD_KNOWN:
        counters->guard_refused++;
        return false;
    case GUARD_FULL:
        counters->guard_full++;
        return false;
    }
    return false;
}

bool listen_backlog_add(struct tcpct_connection *connection)
{
    if (!listen_backlog_room(connection->listener))
        return false;
    listen_backlog_append(connection);
    return true;
}

void listen_unqueue(struct tcpct_connection *connection)
{
    if (connection->queued_at)
        connection->queued_at->queued--;
    connection->queued_at = NULL;
}

/* What the <ACK(SYN)> says of both sides; `peer`: the options of the peer's <SYN>. */
static void take_opening(struct tcpct_connection *connection, const struct segment *segment,
                         const struct tcp_options *peer, uint64_t now_us)
{
    tcb_peer_options(connection, peer);
    tcb_begin(connection, segment->ack - 1, segment->seq - 1);
    connection->snd_wnd = connection->snd_max_wnd = (uint32_t)segment->window
                                                    << connection->snd_scale;
    connection->timestamp_first = connection->timestamps ? segment->options.timestamp_echo
                                                         : tcb_timestamp(connection, now_us);
    connection->ts_recent = segment->options.timestamp_value;
    connection->ts_recent_us = now_us;
    if (connection->timestamps) { /* which were in the <SYN,ACK(SYN)>, so they carry this */
        struct isn_options carried;
        timestamp_options(segment->options.timestamp_echo, &carried);
        connection->ecn.agreed = carried.ecn;
        uint32_t ahead = segment->options.timestamp_echo - tcb_timestamp(connection, now_us);
        if (ahead <= INT32_MAX) /* as it is beside a TCB (4.2) */
            connection->timestamp_offset += ahead;
    }
    connection->confirmed = true;
    tcb_state(connection, TCPCT_ESTABLISHED, now_us);
}

/* A TCB whose three-way handshake is this segment's proof. */
static struct tcpct_connection *establish(struct tcpct_stack *stack,
                                          struct tcpct_listener *listener,
                                          const struct segment *segment,
                                          const struct tcp_options *peer, uint64_t now_us)
{
    struct endpoints endpoints = demux_endpoints(segment);
    if (!listen_backlog_room(listener))
        return NULL;
    struct tcpct_connection *connection = tcb_create(stack, &endpoints);
    if (!connection)
        return NULL;
    struct cookie_endpoints parties = endpoints_for_cookie(&endpoints);
    tcb_replace_older(connection, now_us);
    connection->timestamp_offset = timestamp_offset(&stack->isn_keys, &parties);
    connection->listener = listener;
    take_opening(connection, segment, peer, now_us);
    collapse_heard(connection, now_us);
    listen_backlog_append(connection);
    return connection;
}

/* The first part of the answer has arrived, in the <SYN,ACK(SYN)>: it is not sent again (6.4). Any
 * other block says nothing, as nothing else was sent. */
static void take_short_sack(struct tcpct_connection *connection, const struct segment *segment)
{
    const struct sack_block *block = &segment->options.sack[0];
    uint32_t size = block->end - segment->ack;
    if (!(segment->options.present & OPTION_SACK) || block->start != segment->ack || size == 0 ||
        size > connection->listener->options.parameters.syn_ack_data_limit)
        return;
    connection->answered = size;
    connection->snd_una = connection->snd_nxt = connection->data_seq = block->end;
    connection->recovery.highest_sacked = connection->recovery.rack_end = block->end;
    connection->ecn.point = block->end;
}

/* 4.4: the pair of an opening, that was verified. */
static void take_pair(struct tcpct_connection *connection, const struct segment *segment,
                      enum cookie_verdict cookie)
{
    const struct tcp_options *options = &segment->options;
    struct cookie_pair *pair = &connection->pair;
    connection->stack->counters.openings++;
    if (cookie == COOKIE_VALID_SECONDARY)
        connection->stack->counters.openings_secondary++;
    pair->size = options->cookie_size;
    memcpy(pair->initiator, options->initiator_cookie, pair->size);
    memcpy(pair->responder, options->responder_cookie, pair->size);
}

/* It is answered by our own options. */
static void introduce(struct tcpct_connection *connection, uint64_t now_us)
{
    tcb_introduce(connection);
    trace_connection(connection, TCPCT_TRACE_OPENING, "Cookie-Pair verified", 0, now_us);
}

/* 6.3: <ACK(SYN),FIN> without data is never required, and MUST be silently discarded. */
static bool is_bare_fin(const struct segment *segment)
{
    return segment->flags & SEGMENT_FIN && segment->data_size == 0;
}

/* The TCB in SYN-SENT is made a connection. */
static void convert(struct tcpct_connection *connection, const struct segment *segment,
                    uint64_t now_us)
{
    timer_stop(connection, TIMER_RETRANSMISSION);
    timer_stop(connection, TIMER_USER);
    rtt_init(&connection->rtt);
    connection->syn_due = false;
    take_opening(connection, segment, &segment->options, now_us);
    connection->ecn.agreed = false;
    connection->stack->counters.connections_made++;
    tcb_event(connection, TCPCT_EVENT_CONNECTED | TCPCT_EVENT_WRITABLE);
}

bool listen_converts(struct tcpct_connection *connection, const struct segment *segment,
                     uint64_t now_us)
{
    const struct tcp_options *options = &segment->options;
    const uint8_t flags = SEGMENT_SYN | SEGMENT_RST | SEGMENT_ACK;
    bool waiting = connection->state == TCPCT_SYN_SENT;
    bool lesser =
        memcmp(connection->pair.initiator, options->initiator_cookie, options->cookie_size) < 0;
    unsigned slot;
    if ((segment->flags & flags) != SEGMENT_ACK || is_bare_fin(segment) ||
        segment->ack != connection->iss + 1 ||
        (!waiting && (!lesser || segment->seq != connection->irs + 1)))
        return false;
    enum cookie_verdict cookie = listen_verify(connection->stack, segment, &slot);
    if (cookie == COOKIE_INVALID)
        return false;
    secrets_verified(&connection->stack->secrets, slot, now_us);
    if (waiting)
        convert(connection, segment, now_us);
    connection->initiator = false;
    connection->responder_timestamp = options->timestamp_echo;
    connection->opening_timestamp = options->timestamp_value;
    take_pair(connection, segment, cookie);
    timestamps_agree(connection, options, now_us);
    introduce(connection, now_us);
    return true;
}

/* A seal proves what its pair would, whose secret need not be known here. Where no request may be executed
 * twice it is not looked at: others do not know what was admitted here. */
static enum seal_verdict open_seal(struct tcpct_stack *stack, const struct tcpct_listener *listener,
                                   const struct segment *segment, struct path_state *path,
                                   uint64_t now_us)
{
    if (!listen_uses_cookies(listener) || listener->guard.limit)
        return SEAL_NONE;
    return carry_open(stack, segment, path, now_us);
}

/* An opening that is proved: by the secret of `slot`, unless the cookie is invalid, and by the seal, if
 * `sealed` is not NULL. */
static struct tcpct_connection *establish_paired(struct tcpct_stack *stack,
                                                 struct tcpct_listener *listener,
                                                 const struct segment *segment,
                                                 enum cookie_verdict cookie, unsigned slot,
                                                 struct path_state *sealed, uint64_t now_us)
{
    const struct tcp_options *options = &segment->options;
    if (cookie != COOKIE_INVALID)
        secrets_verified(&stack->secrets, slot, now_us);
    struct tcpct_connection *connection = establish(stack, listener, segment, options, now_us);
    if (!connection)
        return NULL;
    take_pair(connection, segment, cookie);
    stack->counters.openings_sealed += cookie == COOKIE_INVALID;
    restart_opened(connection, segment, sealed, now_us);
    timestamps_agree(connection, options, now_us);
    if (listener->options.answers_stable)
        take_short_sack(connection, segment);
    introduce(connection, now_us);
    return connection;
}

/* 4.4. An <ACK(SYN)> that fails is discarded; another paired segment, the end of a connection
 * that is already forgotten here, is reset (7). What tells them apart is that an <ACK(SYN)>
 * repeats the options of the <SYN>. */
static struct tcpct_connection *open_paired(struct tcpct_stack *stack,
                                            struct tcpct_listener *listener,
                                            const struct segment *segment,
                                            struct tcpct_packet *reply, enum tcpct_verdict *verdict,
                                            uint64_t now_us)
{
    const struct tcp_options *options = &segment->options;
    const uint32_t syn_only = OPTION_MSS | OPTION_WINDOW_SCALE | OPTION_SACK_PERMITTED;
    struct path_state path;
    unsigned slot = 0;
    enum cookie_verdict cookie =
        listen_uses_cookies(listener) ? listen_verify(stack, segment, &slot) : COOKIE_INVALID;
    enum seal_verdict seal = open_seal(stack, listener, segment, &path, now_us);
    if (cookie == COOKIE_INVALID && seal != SEAL_OPENED) {
        *verdict = TCPCT_BAD_COOKIE;
        trace_stack(stack, segment, TCPCT_TRACE_DISCARD, "Cookie-Pair does not verify", 0, now_us);
        if (!(options->present & syn_only) && reply_reset(stack, segment, reply))
            *verdict = TCPCT_REPLIED;
        return NULL;
    }
    *verdict = TCPCT_UNACCEPTABLE;
    if (is_bare_fin(segment) || seal == SEAL_SPENT)
        return NULL;
    struct endpoints endpoints = demux_endpoints(segment);
    if (restart_refuses(stack, segment) ||
        !listen_admits(listener, &endpoints, segment->seq - 1, now_us))
        return NULL;
    struct tcpct_connection *connection = establish_paired(
        stack, listener, segment, cookie, slot, seal == SEAL_OPENED ? &path : NULL, now_us);
    *verdict = connection ? TCPCT_ACCEPTED : TCPCT_NO_RESOURCES;
    return connection;
}

/* Whether the segment echoes a timestamp that we could have sent within the life of an ISN. */
static bool echo_is_recent(const struct tcpct_stack *stack, const struct segment *segment,
                           uint64_t now_us)
{
    struct endpoints endpoints = demux_endpoints(segment);
    struct cookie_endpoints parties = endpoints_for_cookie(&endpoints);
    uint32_t age = stateless_timestamp(stack, &parties, now_us) + TIMESTAMP_ROUNDED -
                   segment->options.timestamp_echo;
    return segment->options.present & OPTION_TIMESTAMPS &&
           age <= 2 * (uint32_t)(ISN_PERIOD_US / TIMESTAMP_TICK_US);
}

/* What a <SYN> that was not kept had for options: its MSS is in the ISN, the rest in the timestamp
 * that the peer echoes, if that is one of ours. */
static bool recall_options(const struct tcpct_stack *stack, const struct segment *segment,
                           struct tcp_options *recalled, uint64_t now_us)
{
    struct endpoints endpoints = demux_endpoints(segment);
    struct cookie_endpoints parties = endpoints_for_cookie(&endpoints);
    const struct tcp_options *options = &segment->options;
    if (!isn_verify(&stack->isn_keys, &parties, segment->seq - 1, segment->ack - 1, now_us,
                    &recalled->mss))
        return false;
    recalled->present = OPTION_MSS;
    if (!(options->present & OPTION_TIMESTAMPS))
        return true;
    if (!echo_is_recent(stack, segment, now_us))
        return false;
    struct isn_options carried;
    timestamp_options(options->timestamp_echo, &carried);
    recalled->present |= OPTION_TIMESTAMPS;
    recalled->timestamp_size = 4;
    if (carried.sack_permitted)
        recalled->present |= OPTION_SACK_PERMITTED;
    if (carried.window_scale != ISN_NO_WINDOW_SCALE) {
        recalled->present |= OPTION_WINDOW_SCALE;
        recalled->window_scale = carried.window_scale;
    }
    return true;
}

bool listen_verify_isn(const struct tcpct_stack *stack, const struct segment *segment,
                       uint64_t now_us)
{
    struct tcp_options recalled;
    return recall_options(stack, segment, &recalled, now_us);
}

/* Whether the data begins like a header extension whose kind 254 was blanked out on the way: with
 * an echo of a timestamp of ours, and a Cookie-Pair behind it (A.2, A.3). */
static bool extension_is_blanked(const struct tcpct_stack *stack, const struct segment *segment,
                                 uint64_t now_us)
{
    struct segment as_sent = *segment;
    as_sent.options.present |= OPTION_TIMESTAMPS;
    for (size_t size = 4; size <= 16; size *= 2) {
        if (segment->data_size < 2 * size + 2 + (size_t)2 * COOKIE_SIZE_MIN)
            return false;
        const uint8_t *options = segment->data + 2 * size;
        as_sent.options.timestamp_echo = wire_get32(options - 4);
        bool pair = options[0] == OPTION_KIND_COOKIE || options[2] == OPTION_KIND_COOKIE;
        if (pair && echo_is_recent(stack, &as_sent, now_us))
            return true;
    }
    return false;
}

static struct tcpct_connection *open_plain(struct tcpct_stack *stack,
                                           struct tcpct_listener *listener,
                                           const struct segment *segment,
                                           struct tcpct_packet *reply, enum tcpct_verdict *verdict,
                                           uint64_t now_us)
{
    struct tcp_options recalled;
    recalled.present = 0;
    recalled.timestamp_size = 0;
    *verdict = TCPCT_UNACCEPTABLE;
    if (!(segment->options.present & OPTION_TIMESTAMPS) &&
        extension_is_blanked(stack, segment, now_us)) {
        stack->counters.extensions_blanked++;
        return NULL;
    }
    if (listener->options.parameters.in_always ||
        !recall_options(stack, segment, &recalled, now_us)) {
        /* It may have overtaken the <ACK(SYN)>, or that may be lost: it will come again. */
        if (segment->data_size == 0 && !echo_is_recent(stack, segment, now_us) &&
            reply_reset(stack, segment, reply))
            *verdict = TCPCT_REPLIED;
        return NULL;
    }
    struct endpoints endpoints = demux_endpoints(segment);
    if (!listen_admits(listener, &endpoints, segment->seq - 1, now_us))
        return NULL;
    struct tcpct_connection *connection = establish(stack, listener, segment, &recalled, now_us);
    *verdict = connection ? TCPCT_ACCEPTED : TCPCT_NO_RESOURCES;
    if (connection)
        stack->counters.openings_plain++;
    return connection;
}

struct tcpct_connection *listen_open(struct tcpct_stack *stack, struct tcpct_listener *listener,
                                     const struct segment *segment, struct tcpct_packet *reply,
                                     enum tcpct_verdict *verdict, uint64_t now_us)
{
    *verdict = TCPCT_UNACCEPTABLE;
    if (segment->flags & SEGMENT_RST || !(segment->flags & SEGMENT_ACK))
        return NULL;
    if (segment->options.present & OPTION_COOKIE_PAIR)
        return open_paired(stack, listener, segment, reply, verdict, now_us);
    return open_plain(stack, listener, segment, reply, verdict, now_us);
}
