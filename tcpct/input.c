#include "input.h"

#include "close.h"
#include "collapse.h"
#include "handshake.h"
#include "initiator.h"
#include "recovery.h"
#include "reply.h"
#include "restart.h"
#include "seq.h"
#include "timer.h"
#include "timestamps.h"
#include "tune.h"

enum { DELAYED_ACK_US = 40 * MILLISECOND_US, DELAYED_ACK_SEGMENTS = 2 };

/* Something unexpected is answered by what we have (RFC 9293, 3.10.7.4). */
static enum tcpct_verdict unacceptable(struct tcpct_connection *connection)
{
    connection->ack_now = true;
    tcb_output(connection);
    return TCPCT_UNACCEPTABLE;
}

/* A duplicate is acknowledged, and told as such (RFC 2883); the FIN, when it comes again, starts
 * TIME-WAIT again (RFC 9293, 3.10.7.4). There an empty segment is not answered: what sends it is no
 * connection of ours, and would answer in turn, without end. */
static enum tcpct_verdict out_of_window(struct tcpct_connection *connection,
                                        const struct segment *segment, uint64_t now_us)
{
    uint32_t end = segment->seq + segment->data_size;
    if (segment->data_size && seq_leq(end, connection->rcv_nxt))
        connection->duplicate = (struct sack_block){ .start = segment->seq, .end = end };
    bool its_fin = segment->flags & SEGMENT_FIN && end + 1 == connection->rcv_nxt &&
                   (!connection->pair.size || close_paired(connection, segment));
    if (connection->state == TCPCT_TIME_WAIT && its_fin)
        timer_set(connection, TIMER_TIME_WAIT, now_us + 2 * connection->stack->config.msl_us);
    if (connection->state == TCPCT_TIME_WAIT && segment_length(segment) == 0)
        return TCPCT_UNACCEPTABLE;
    return unacceptable(connection);
}

/* RFC 7323, 4.3: the timestamp to echo is that of the segment that moves the left edge. What comes
 * after a FIN that we hold back (RFC 6013, 5) stands at that edge, too. */
static void take_timestamp(struct tcpct_connection *connection, const struct segment *segment,
                           uint64_t now_us)
{
    uint32_t edge = connection->last_ack_sent + (connection->end_seen && !connection->fin_received);
    if (seq_leq(segment->seq, edge) && !timestamps_are_old(connection, &segment->options, now_us))
        timestamps_take(connection, &segment->options, now_us);
}

/* The acknowledgment in a segment: one of our FIN counts only with the pair (RFC 6013, 5). */
static uint32_t acknowledged(const struct tcpct_connection *connection,
                             const struct segment *segment, uint64_t now_us)
{
    bool covers_fin = connection->fin_sent && segment->ack == connection->snd_nxt;
    if (covers_fin && !connection->fin_acknowledged && connection->pair.size &&
        !close_proved(connection, segment, now_us))
        return segment->ack - 1;
    return segment->ack;
}

static void take_window(struct tcpct_connection *connection, const struct segment *segment)
{
    bool newer =
        seq_lt(connection->snd_wl1, segment->seq) ||
        (connection->snd_wl1 == segment->seq && seq_leq(connection->snd_wl2, segment->ack));
    if (!newer)
        return;
    uint32_t window = (uint32_t)segment->window << connection->snd_scale;
    if (window > connection->snd_wnd)
        tcb_output(connection);
    if (timer_is_set(connection, TIMER_PERSIST) && window > 0) {
        timer_stop(connection, TIMER_PERSIST);
        rtt_restore(&connection->rtt);
        tcb_output(connection);
    }
    connection->snd_wnd = window;
    connection->snd_max_wnd = max_u32(connection->snd_max_wnd, window);
    connection->snd_wl1 = segment->seq;
    connection->snd_wl2 = segment->ack;
}

/* Bytes that are acknowledged leave the send buffer. */
static void release(struct tcpct_connection *connection)
{
    uint32_t size = min_u32(connection->snd_una - connection->data_seq, connection->send.used);
    if (seq_lt(connection->introduce_seq, connection->snd_una))
        connection->introducing = false;
    if (seq_leq(connection->snd_una, connection->data_seq) || size == 0)
        return;
    ring_drop(&connection->send, size);
    if (connection->urgent_queued && seq_leq(connection->snd_up, connection->snd_una))
        connection->urgent_queued = false;
    connection->data_seq += size;
    if (connection->send_blocked) {
        connection->send_blocked = false;
        tcb_event(connection, TCPCT_EVENT_WRITABLE);
    }
}

/* The user timeout runs while something is outstanding, or a probe of a closed window is
 * unanswered, and starts again with each progress (RFC 9293, 3.8.3 and 3.8.6.1). */
static void watch_progress(struct tcpct_connection *connection, bool advanced, uint64_t now_us)
{
    if (connection->flight.count == 0)
        timer_stop(connection, TIMER_USER);
    else if (advanced || connection->snd_wnd == 0)
        timer_set(connection, TIMER_USER, now_us + connection->user_timeout_us);
}

/* False: the TCB is gone or has nothing more to do with this segment. */
static bool take_acknowledgment(struct tcpct_connection *connection, const struct segment *segment,
                                uint64_t now_us)
{
    uint32_t ack = acknowledged(connection, segment, now_us);
    if (seq_lt(ack, connection->snd_una))
        return true;
    bool advanced = ack != connection->snd_una;
    bool duplicate = !advanced && segment_length(segment) == 0 &&
                     (uint32_t)segment->window << connection->snd_scale == connection->snd_wnd;
    take_window(connection, segment);
    recovery_acknowledged(connection, ack, &segment->options, duplicate, now_us);
    if (connection->ecn.agreed && segment->flags & SEGMENT_ECE)
        recovery_congestion_experienced(connection, now_us);
    release(connection);
    if (advanced) {
        if (connection->unproved)
            restart_proved(connection);
        tcb_output(connection);
    }
    watch_progress(connection, advanced, now_us);
    if (connection->fin_sent && !connection->fin_acknowledged &&
        connection->snd_una == connection->snd_nxt)
        return close_fin_acknowledged(connection, now_us);
    return true;
}

/* An acknowledgment for data: at once for every second full segment and for anything that tells
 * the sender about loss, otherwise soon (RFC 5681, 4.2). */
static void owe_acknowledgment(struct tcpct_connection *connection, const struct segment *segment,
                               bool at_once, uint64_t now_us)
{
    uint32_t segments = 1;
    if (segment->segment_size)
        segments = (segment->data_size + segment->segment_size - 1) / segment->segment_size;
    segments += connection->ack_delayed;
    connection->ack_delayed = (uint8_t)min_u32(segments, UINT8_MAX);
    if (at_once || connection->ack_delayed >= DELAYED_ACK_SEGMENTS)
        connection->ack_now = true;
    else if (!timer_is_set(connection, TIMER_DELAYED_ACK))
        timer_set(connection, TIMER_DELAYED_ACK, now_us + DELAYED_ACK_US);
    if (connection->ack_now)
        tcb_output(connection);
}

/* Puts [start, end) into the receive buffer. */
static bool store(struct tcpct_connection *connection, const struct segment *segment,
                  uint32_t start, uint32_t end)
{
    struct ring *ring = &connection->receive;
    uint32_t offset = ring->used + (start - connection->rcv_nxt);
    uint32_t beyond = ranges_highest(&connection->ranges, connection->rcv_nxt);
    if (!ring_grow(ring, &connection->stack->memory, offset + (end - start),
                   ring->used + (beyond - connection->rcv_nxt))) {
        connection->stack->counters.memory_full++;
        return false;
    }
    ring_put(ring, offset, segment->data + (start - segment->seq), end - start);
    return true;
}

/* RFC 3168, 6.1.3. */
static void take_ecn(struct tcpct_connection *connection, const struct segment *segment)
{
    if (!connection->ecn.agreed)
        return;
    if (segment->flags & SEGMENT_CWR)
        connection->ecn.echo = false;
    if ((segment->traffic_class & ECN_MASK) == ECN_EXPERIENCED)
        connection->ecn.echo = true;
}

static enum tcpct_verdict take_data(struct tcpct_connection *connection,
                                    const struct segment *segment, uint64_t now_us)
{
    uint32_t next = connection->rcv_nxt;
    uint32_t start = seq_max(segment->seq, next);
    uint32_t end = seq_min(segment->seq + segment->data_size, connection->rcv_edge);
    bool had_gaps = connection->ranges.count > 0;
    if (!seq_lt(start, end) || connection->end_seen) {
        owe_acknowledgment(connection, segment, true, now_us);
        return TCPCT_ACCEPTED;
    }
    if (!store(connection, segment, start, end))
        return TCPCT_NO_RESOURCES;
    take_ecn(connection, segment);
    if (connection->timestamps)
        tune_echo(connection, segment->options.timestamp_echo, now_us);
    if (ranges_contain(&connection->ranges, start, end))
        connection->duplicate = (struct sack_block){ .start = start, .end = end };
    if (start != next) {
        if (!ranges_add(&connection->ranges, start, end))
            return TCPCT_NO_RESOURCES;
    } else {
        uint32_t reached = ranges_advance(&connection->ranges, end);
        connection->receive.used += reached - next;
        connection->totals.bytes_received += reached - next;
        connection->rcv_nxt = reached;
        tcb_event(connection, TCPCT_EVENT_READABLE);
    }
    owe_acknowledgment(connection, segment, start != next || had_gaps, now_us);
    return TCPCT_ACCEPTED;
}

/* Nobody will read what still comes (RFC 1122, 4.2.2.13). */
static enum tcpct_verdict refuse_data(struct tcpct_connection *connection)
{
    connection->reset_due = true;
    tcb_output(connection);
    return TCPCT_UNACCEPTABLE;
}

static enum tcpct_verdict take_text(struct tcpct_connection *connection,
                                    const struct segment *segment, struct tcpct_packet *reply,
                                    uint64_t now_us)
{
    enum tcpct_verdict verdict = TCPCT_ACCEPTED;
    uint32_t fin_seq = segment->seq + segment->data_size;
    bool fresh = segment->data_size && seq_lt(connection->rcv_nxt, fin_seq);
    if (connection->fin_received) {
        if (segment_length(segment))
            unacceptable(connection);
        return TCPCT_ACCEPTED;
    }
    if (fresh && !connection->held && !connection->end_seen)
        return refuse_data(connection);
    if (segment->data_size)
        verdict = take_data(connection, segment, now_us);
    if (segment->flags & SEGMENT_FIN && connection->rcv_nxt == fin_seq)
        close_fin_received(connection, segment, reply, now_us);
    return verdict;
}

/* RFC 9293, 3.10.7.4, sixth; 3.8.5: the application is told when the end of urgent data moves on. */
static void take_urgent(struct tcpct_connection *connection, const struct segment *segment)
{
    uint32_t end = segment->seq + segment->urgent;
    if (!(segment->flags & SEGMENT_URG) || connection->end_seen ||
        (connection->urgent && seq_leq(end, connection->rcv_up)))
        return;
    connection->urgent = true;
    connection->rcv_up = end;
    connection->urgent = tcb_urgent(connection) > 0;
    if (connection->urgent)
        tcb_event(connection, TCPCT_EVENT_URGENT);
}

/* A connection in TIME-WAIT acknowledges (RFC 9293, 3.10.7.4). */
static enum tcpct_verdict time_wait(struct tcpct_connection *connection,
                                    const struct segment *segment)
{
    if (segment_length(segment))
        unacceptable(connection);
    return TCPCT_ACCEPTED;
}

/* What comes for a closed window at the right place: its acknowledgment is good (RFC 9293,
 * 3.10.7.4, first). */
static bool window_is_closed(const struct tcpct_connection *connection,
                             const struct segment *segment)
{
    const uint8_t syn_ack = SEGMENT_SYN | SEGMENT_ACK;
    return connection->rcv_edge == connection->rcv_nxt && segment->seq == connection->rcv_nxt &&
           (segment->flags & syn_ack) == SEGMENT_ACK && connection->state != TCPCT_SYN_RECEIVED &&
           connection->state != TCPCT_TIME_WAIT && seq_leq(segment->ack, connection->snd_nxt);
}

/* 2.5: SYN-only options beside Timestamps and Cookie-Pair. The Responder acknowledges with its own;
 * the opening's and its answer's are known already. An opening without data that comes again was not
 * answered, as far as the Initiator knows. */
static void take_introduction(struct tcpct_connection *connection, const struct segment *segment,
                              uint64_t now_us)
{
    if (!close_proved(connection, segment, now_us))
        return;
    tcb_renew_options(connection, &segment->options);
    bool bare_opening = segment_length(segment) == 0 && segment->ack == connection->iss + 1;
    if (!connection->initiator && (segment->seq != connection->irs + 1 || bare_opening))
        tcb_introduce(connection);
}

/* With cookies the numbers may have been used before (restart.h): all must be of this incarnation, even
 * what is empty, since its TS Value would be echoed. An opening proves itself. */
static bool needs_echo(const struct tcpct_connection *connection, const struct segment *segment)
{
    return connection->initiator || seq_lt(connection->snd_una, segment->ack) ||
           segment->seq != connection->irs + 1;
}

/* The peer is there: keep-alives wait again, and, if anything moves, what idle connections wait for. */
static void heard(struct tcpct_connection *connection, const struct segment *segment,
                  uint64_t now_us)
{
    recovery_peer_heard(connection, now_us);
    connection->keepalives = 0;
    if (connection->keepalive_us)
        timer_set(connection, TIMER_KEEPALIVE, now_us + connection->keepalive_us);
    if (segment_length(segment) || segment->ack != connection->snd_una)
        collapse_heard(connection, now_us);
}

enum tcpct_verdict input_segment(struct tcpct_connection *connection, const struct segment *segment,
                                 struct tcpct_packet *reply, uint64_t now_us)
{
    const struct tcp_options *options = &segment->options;
    const struct tcpct_stack *stack = connection->stack;
    connection->totals.packets_received++;
    if (connection->state == TCPCT_SYN_SENT)
        return initiator_syn_sent(connection, segment, reply, now_us);
    if (connection->timestamps && !(segment->flags & SEGMENT_RST)) {
        if (!(options->present & (OPTION_TIMESTAMPS | OPTION_TIMESTAMPS_EXTENDED)))
            return TCPCT_UNACCEPTABLE;                    /* RFC 7323, 3.2 */
        if (!timestamps_fit(connection, options, now_us)) /* an empty one could be such an answer */
            return segment_length(segment) ? unacceptable(connection) : TCPCT_UNACCEPTABLE;
        if (connection->pair.size && needs_echo(connection, segment) &&
            !restart_echo_fits(connection, segment, now_us))
            return TCPCT_UNACCEPTABLE;
        if (timestamps_are_old(connection, options, now_us))
            return unacceptable(connection);
    }
    if (connection->initiator && connection->pair.size &&
        (!connection->confirmed || connection->opened_plainly) &&
        !initiator_heard(connection, segment, now_us))
        return reply_reset(stack, segment, reply) ? TCPCT_REPLIED : TCPCT_UNACCEPTABLE;
    if (connection->state == TCPCT_SYN_RECEIVED && segment->flags & SEGMENT_SYN)
        return handshake_syn(connection, segment, reply, now_us);
    if (!segment_in_window(segment, connection->rcv_nxt,
                           connection->rcv_edge - connection->rcv_nxt)) {
        if (segment->flags & SEGMENT_RST)
            return TCPCT_UNACCEPTABLE;
        if (window_is_closed(connection, segment)) {
            take_urgent(connection, segment);
            if (!take_acknowledgment(connection, segment, now_us))
                return TCPCT_ACCEPTED;
        }
        return out_of_window(connection, segment, now_us);
    }
    if (segment->flags & SEGMENT_RST)
        return close_reset_received(connection, segment, now_us);
    if (segment->flags & SEGMENT_SYN) { /* RFC 5961, 4.2 */
        close_challenge(connection, now_us);
        return TCPCT_UNACCEPTABLE;
    }
    if (!(segment->flags & SEGMENT_ACK))
        return TCPCT_UNACCEPTABLE;
    if (seq_lt(connection->snd_nxt, segment->ack) || /* RFC 5961, 5.2 */
        seq_lt(segment->ack, connection->snd_una - connection->snd_max_wnd)) {
        close_challenge(connection, now_us);
        return TCPCT_UNACCEPTABLE;
    }
    if (connection->state == TCPCT_SYN_RECEIVED &&
        !handshake_acknowledged(connection, segment, reply, now_us))
        return reply->length ? TCPCT_REPLIED : TCPCT_NO_RESOURCES;
    if (connection->timestamps) {
        timestamps_settle(connection, options);
        take_timestamp(connection, segment, now_us);
    }
    if (!connection->initiator && connection->pair.size && segment->seq == connection->rcv_nxt &&
        segment->seq == connection->irs + 1)
        restart_dated(connection, options->timestamp_value);
    tcb_take_timeout(connection, options);
    if (connection->md5_key && options->present & OPTION_TIMESTAMPS_EXTENDED)
        connection->cookie_less = true; /* the <SYN>, which was not kept, had the option */
    heard(connection, segment, now_us);
    if (connection->pair.size && options->present & OPTION_MSS)
        take_introduction(connection, segment, now_us);
    if (!connection->confirmed) {
        connection->confirmed = true;
        if (connection->restarted)
            restart_confirmed(connection, now_us);
        recovery_timer(connection, now_us);
        tcb_output(connection);
    }
    if (connection->initiator && options->present & OPTION_SEAL &&
        close_proved(connection, segment, now_us))
        restart_keeps_seal(connection, segment);
    if (connection->state == TCPCT_TIME_WAIT)
        return time_wait(connection, segment);
    initiator_heard_end(connection, segment, now_us);
    if (!take_acknowledgment(connection, segment, now_us))
        return TCPCT_ACCEPTED;
    take_urgent(connection, segment);
    return take_text(connection, segment, reply, now_us);
}
