#include "arrival.h"

#include <string.h>

#include "close.h"
#include "collapse.h"
#include "demux.h"
#include "fastopen.h"
#include "handshake.h"
#include "icmp.h"
#include "initiator.h"
#include "input.h"
#include "listen.h"
#include "opening.h"
#include "reply.h"
#include "restart.h"
#include "seq.h"

static enum tcpct_verdict verdict_of(enum segment_verdict verdict)
{
    switch (verdict) {
    case SEGMENT_OK:
        return TCPCT_ACCEPTED;
    case SEGMENT_NOT_TCP:
        return TCPCT_NOT_MINE;
    case SEGMENT_IP_CHECKSUM:
    case SEGMENT_BAD_CHECKSUM:
        return TCPCT_BAD_CHECKSUM;
    case SEGMENT_IP_FRAGMENT:
        return TCPCT_FRAGMENT;
    case SEGMENT_BAD_OPTIONS:
    case SEGMENT_BAD_EXTEND:
        return TCPCT_BAD_OPTIONS;
    case SEGMENT_BAD_IP:
    case SEGMENT_TRUNCATED:
        return TCPCT_MALFORMED;
    }
    return TCPCT_MALFORMED;
}

static enum tcpct_verdict answer_syn(struct tcpct_stack *stack,
                                     const struct tcpct_listener *listener, const uint32_t *beside,
                                     const struct segment *segment, struct tcpct_packet *reply,
                                     uint64_t now_us)
{
    switch (listen_syn(stack, listener, beside, segment, reply, now_us)) {
    case LISTEN_REPLIED_ANSWER:
        stack->counters.syn_answered++;
        stack->counters.syn_cookie++;
        return TCPCT_REPLIED;
    case LISTEN_REPLIED_COOKIE:
        stack->counters.syn_cookie++;
        return TCPCT_REPLIED;
    case LISTEN_REPLIED_PLAIN:
        stack->counters.syn_plain++;
        return TCPCT_REPLIED;
    case LISTEN_REFUSED:
        return TCPCT_UNACCEPTABLE;
    }
    return TCPCT_UNACCEPTABLE;
}

/* The two cases in which a plain <SYN> makes a TCB: a Fast Open cookie proves the address, or the
 * application speaks first. Both are bounded by the listener. */
static bool begin_half_made(const struct tcpct_stack *stack, struct tcpct_listener *listener,
                            const struct segment *syn, uint64_t now_us)
{
    if ((syn->flags & (SEGMENT_SYN | SEGMENT_ACK | SEGMENT_FIN | SEGMENT_RST)) != SEGMENT_SYN ||
        listener->options.parameters.in_always || listen_wants_cookie(listener, syn))
        return false;
    if (listener->options.fast_open_queue && syn->data_size && fastopen_valid(stack, syn) &&
        fastopen_accept(listener, syn, now_us))
        return true;
    return handshake_queue(listener, syn, now_us);
}

/* No TCB has these endpoints. */
static enum tcpct_verdict without_tcb(struct tcpct_stack *stack, const struct segment *segment,
                                      struct tcpct_packet *reply, uint64_t now_us)
{
    struct tcpct_listener *listener =
        demux_listener(stack, &segment->destination, segment->destination_port);
    const uint8_t opening = SEGMENT_SYN | SEGMENT_ACK;
    if (listener && begin_half_made(stack, listener, segment, now_us))
        return TCPCT_ACCEPTED;
    if (listener && (segment->flags & opening) == SEGMENT_SYN)
        return answer_syn(stack, listener, NULL, segment, reply, now_us);
    if (!listener || (segment->flags & SEGMENT_SYN))
        return reply_reset(stack, segment, reply) ? TCPCT_REPLIED : TCPCT_UNACCEPTABLE;
    enum tcpct_verdict verdict;
    struct tcpct_connection *connection =
        opening_take(stack, listener, segment, reply, &verdict, now_us);
    return connection ? input_segment(connection, segment, reply, now_us) : verdict;
}

/* RFC 6191, 2: whether a segment can only be of a later incarnation. */
static bool is_newer(const struct tcpct_connection *connection, const struct segment *segment)
{
    uint32_t value = segment->options.timestamp_value;
    bool higher = seq_leq(connection->rcv_nxt, segment->seq);
    if (!(segment->options.present & OPTION_TIMESTAMPS))
        return higher;
    return !connection->timestamps || seq_lt(connection->ts_recent, value) ||
           (connection->ts_recent == value && higher);
}

/* A new Cookie exchange beside a TCB (4.1, 4.2), or a SYN that meets TIME-WAIT (RFC 6191): neither
 * touches the TCB, which ends when a connection is made. */
static enum tcpct_verdict syn_beside_tcb(struct tcpct_connection *connection,
                                         const struct segment *segment, struct tcpct_packet *reply,
                                         uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    struct tcpct_listener *listener =
        demux_listener(stack, &segment->destination, segment->destination_port);
    bool alone = demux_find(stack, &connection->endpoints) == connection;
    bool waiting = connection->state == TCPCT_TIME_WAIT && is_newer(connection, segment);
    bool exchange = !connection->initiator && (segment->options.present & OPTION_COOKIE);
    if (listener && waiting && alone && begin_half_made(stack, listener, segment, now_us))
        return TCPCT_ACCEPTED;
    uint32_t timestamp = tcb_timestamp(connection, now_us);
    if (listener && (waiting || exchange))
        return answer_syn(stack, listener, exchange ? &timestamp : NULL, segment, reply, now_us);
    return input_segment(connection, segment, reply, now_us);
}

/* The opening of this very connection, which the Initiator sent again with the pair of another of
 * our <SYN,ACK(SYN)>s, or with a pair after one without (initiator_opens_plainly): its TS Value is
 * that of the first, or the first was empty or plain. */
static bool is_opening_again(const struct tcpct_connection *connection,
                             const struct segment *segment)
{
    return segment->seq == connection->irs + 1 && segment->ack == connection->iss + 1 &&
           memcmp(segment->options.initiator_cookie, connection->pair.initiator,
                  connection->pair.size) == 0 &&
           (connection->rcv_nxt == segment->seq || connection->pair.size == 0 ||
            segment->options.timestamp_value == connection->opening_timestamp);
}

/* The <ACK> of a handshake that began in TIME-WAIT; a forged <SYN> never comes so far. */
static bool ends_time_wait(const struct tcpct_connection *connection, const struct segment *segment,
                           uint64_t now_us)
{
    const struct tcpct_stack *stack = connection->stack;
    const uint8_t flags = SEGMENT_SYN | SEGMENT_RST | SEGMENT_ACK;
    return connection->state == TCPCT_TIME_WAIT && (segment->flags & flags) == SEGMENT_ACK &&
           is_newer(connection, segment) &&
           demux_listener(stack, &segment->destination, segment->destination_port) &&
           opening_verify_isn(stack, segment, now_us);
}

/* Whether an opening is of an exchange before this connection's. If the timestamps of both
 * <SYN,ACK(SYN)>s are the same, as they are rounded, the Initiator's tell (4.1). One that began beside a
 * plain connection is dated after all that this has sent (4.2). */
static bool is_earlier(const struct tcpct_connection *connection, const struct tcp_options *options)
{
    if (connection->pair.size == 0)
        return seq_leq(options->timestamp_echo, connection->timestamp_first);
    if (options->timestamp_echo == connection->responder_timestamp)
        return seq_lt(options->timestamp_value, connection->opening_timestamp);
    return seq_lt(options->timestamp_echo, connection->responder_timestamp);
}

/* 7: with a TCB, a pair that fails to verify has the datagram discarded; but a pair that we made
 * for its own numbers is a new connection, whatever the old one's state (4.4); not if it is of an
 * exchange before this connection's, as a replayed opening is. */
static enum tcpct_verdict foreign_pair(struct tcpct_connection *connection,
                                       const struct segment *segment, struct tcpct_packet *reply,
                                       uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    unsigned slot;
    if (connection->initiator)
        return opening_converts(connection, segment, now_us)
                   ? input_segment(connection, segment, reply, now_us)
                   : TCPCT_BAD_COOKIE;
    if ((segment->flags & (SEGMENT_RST | SEGMENT_SYN)) ||
        !demux_listener(stack, &segment->destination, segment->destination_port) ||
        opening_verify(stack, segment, &slot) == COOKIE_INVALID)
        return TCPCT_BAD_COOKIE;
    if (is_opening_again(connection, segment))
        return input_segment(connection, segment, reply, now_us);
    if (is_earlier(connection, &segment->options))
        return TCPCT_BAD_COOKIE;
    tcb_closed(connection, TCPCT_ERROR_RESET, now_us);
    restart_superseded(stack, segment);
    return without_tcb(stack, segment, reply, now_us);
}

static bool is_guarded(const struct tcpct_stack *stack, const struct segment *segment)
{
    const struct tcpct_listener *listener =
        demux_listener(stack, &segment->destination, segment->destination_port);
    return listener && listener->guard.limit;
}

static enum tcpct_verdict with_tcb(struct tcpct_connection *connection,
                                   const struct segment *segment, struct tcpct_packet *reply,
                                   uint64_t now_us)
{
    const uint8_t syn_ack = SEGMENT_SYN | SEGMENT_ACK;
    struct tcpct_stack *stack = connection->stack;
    if (connection->state == TCPCT_SYN_SENT)
        return input_segment(connection, segment, reply, now_us);
    if (close_is_ghost(connection, segment))
        return reply_reset(stack, segment, reply) ? TCPCT_REPLIED : TCPCT_UNACCEPTABLE;
    if ((segment->flags & syn_ack) == SEGMENT_SYN)
        return syn_beside_tcb(connection, segment, reply, now_us);
    if ((segment->flags & syn_ack) == syn_ack && connection->initiator && connection->pair.size)
        return initiator_syn_ack_again(connection, segment, now_us);
    if ((segment->options.present & OPTION_COOKIE_PAIR) && !close_paired(connection, segment) &&
        !initiator_took_other(connection, segment) && !opening_owns_pair(connection, segment))
        return foreign_pair(connection, segment, reply, now_us);
    enum restart_verdict restart = restart_meets(connection, segment);
    if (restart == RESTART_DISCARDED || (restart == RESTART_REPLACES && is_guarded(stack, segment)))
        return TCPCT_UNACCEPTABLE;
    if (restart == RESTART_REPLACES) {
        tcb_closed(connection, TCPCT_ERROR_RESET, now_us);
        return without_tcb(stack, segment, reply, now_us);
    }
    if (ends_time_wait(connection, segment, now_us)) {
        tcb_closed(connection, TCPCT_OK, now_us);
        return without_tcb(stack, segment, reply, now_us);
    }
    return input_segment(connection, segment, reply, now_us);
}

/* The same for a connection that has collapsed: a new exchange begins beside it (4.2), and its opening,
 * if that is no older one, takes its place (4.4). */
static enum tcpct_verdict with_record(struct tcpct_stack *stack, struct collapsed *record,
                                      const struct segment *segment, struct tcpct_packet *reply,
                                      uint64_t now_us)
{
    const struct tcpct_listener *listener =
        demux_listener(stack, &segment->destination, segment->destination_port);
    bool responder = listener && !collapse_is_initiator(record);
    uint8_t flags = segment->flags & (SEGMENT_SYN | SEGMENT_RST | SEGMENT_ACK);
    unsigned slot;
    if (segment->options.present & OPTION_COOKIE_PAIR) {
        if (!responder || flags != SEGMENT_ACK ||
            !collapse_is_before(record, segment->options.timestamp_echo) ||
            opening_verify(stack, segment, &slot) == COOKIE_INVALID)
            return TCPCT_BAD_COOKIE;
        collapse_forget(stack, record, true, "replaced", now_us);
        return without_tcb(stack, segment, reply, now_us);
    }
    uint32_t timestamp = collapse_timestamp(record, now_us);
    if (responder && flags == SEGMENT_SYN && segment->options.present & OPTION_COOKIE)
        return answer_syn(stack, listener, &timestamp, segment, reply, now_us);
    struct tcpct_connection *connection;
    enum tcpct_verdict verdict = collapse_input(stack, record, segment, reply, &connection, now_us);
    return connection ? input_segment(connection, segment, reply, now_us) : verdict;
}

/* Coalescing puts segments together whose sequence numbers follow from their sizes. Those of
 * segments with a header extension do not, since it is not counted (3.4): such a buffer cannot be
 * what was sent. */
static bool coalesced_extensions(const struct segment *segment)
{
    return segment->segment_size && segment->extension_size &&
           segment->data_size + segment->extension_size > segment->segment_size;
}

enum tcpct_verdict arrival_take(struct tcpct_stack *stack, const struct tcpct_packet *packet,
                                struct tcpct_packet *reply, uint64_t now_us)
{
    struct segment segment;
    enum tcpct_verdict verdict = verdict_of(segment_decode(&segment, packet, NULL));
    if (verdict == TCPCT_NOT_MINE && icmp_input(stack, packet, reply, &verdict, now_us))
        return verdict;
    if (verdict != TCPCT_ACCEPTED)
        return verdict;
    if (!stack_owns(stack, &segment.destination))
        return TCPCT_NOT_MINE;
    if (ip_address_is_unusable(&segment.source))
        return TCPCT_MALFORMED;
    if (coalesced_extensions(&segment))
        return TCPCT_BAD_OPTIONS;
    stack->counters.options_ignored += segment.options.ignored;
    struct endpoints endpoints = demux_endpoints(&segment);
    struct tcpct_connection *connection = demux_find(stack, &endpoints);
    struct tcpct_connection *older = connection ? demux_older(connection) : NULL;
    if (older && !handshake_takes(connection, &segment))
        connection = older;
    struct collapsed *record = connection ? NULL : collapse_find(stack, &endpoints);
    segment.key = connection ? connection->md5_key : md5sig_find(stack->md5sig, &segment.source);
    if (segment.key && !md5sig_verify(stack->md5sig, segment.key, packet, &segment))
        return TCPCT_BAD_SIGNATURE; /* RFC 2385, 2.0: no response */
    if (record)
        return with_record(stack, record, &segment, reply, now_us);
    return connection ? with_tcb(connection, &segment, reply, now_us)
                      : without_tcb(stack, &segment, reply, now_us);
}
