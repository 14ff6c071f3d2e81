#include "opening.h"

#include <string.h>

#include "carry.h"
#include "collapse.h"
#include "demux.h"
#include "listen.h"
#include "listener.h"
#include "reply.h"
#include "restart.h"
#include "timer.h"
#include "timestamps.h"

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

enum cookie_verdict opening_verify(const struct tcpct_stack *stack, const struct segment *segment,
                                   unsigned *slot)
{
    return verify(stack, segment, segment->ack, segment->seq, segment->options.timestamp_echo,
                  slot);
}

bool opening_owns_pair(const struct tcpct_connection *connection, const struct segment *segment)
{
    unsigned slot;
    return !connection->initiator && connection->pair.size == 0 && connection->timestamps &&
           verify(connection->stack, segment, connection->iss + 1, connection->irs + 1,
                  connection->timestamp_first, &slot) != COOKIE_INVALID;
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
    if (!listener_backlog_room(listener))
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
    listener_backlog_append(connection);
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

bool opening_converts(struct tcpct_connection *connection, const struct segment *segment,
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
    enum cookie_verdict cookie = opening_verify(connection->stack, segment, &slot);
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
        listen_uses_cookies(listener) ? opening_verify(stack, segment, &slot) : COOKIE_INVALID;
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
        !listener_admits(listener, &endpoints, segment->seq - 1, now_us))
        return NULL;
    struct tcpct_connection *connection = establish_paired(
        stack, listener, segment, cookie, slot, seal == SEAL_OPENED ? &path : NULL, now_us);
    *verdict = connection ? TCPCT_ACCEPTED : TCPCT_NO_RESOURCES;
    return connection;
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
    if (!listen_echo_is_recent(stack, segment, now_us))
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

bool opening_verify_isn(const struct tcpct_stack *stack, const struct segment *segment,
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
        if (pair && listen_echo_is_recent(stack, &as_sent, now_us))
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
        if (segment->data_size == 0 && !listen_echo_is_recent(stack, segment, now_us) &&
            reply_reset(stack, segment, reply))
            *verdict = TCPCT_REPLIED;
        return NULL;
    }
    struct endpoints endpoints = demux_endpoints(segment);
    if (!listener_admits(listener, &endpoints, segment->seq - 1, now_us))
        return NULL;
    struct tcpct_connection *connection = establish(stack, listener, segment, &recalled, now_us);
    *verdict = connection ? TCPCT_ACCEPTED : TCPCT_NO_RESOURCES;
    if (connection)
        stack->counters.openings_plain++;
    return connection;
}

struct tcpct_connection *opening_take(struct tcpct_stack *stack, struct tcpct_listener *listener,
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
