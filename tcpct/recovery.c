#include "recovery.h"

#include "jump.h"
#include "loss.h"
#include "pace.h"
#include "path.h"
#include "seq.h"
#include "timer.h"

enum { FIN_TRIES_QUICK = 8 };

/* RFC 6937, 3: on entry, and on each acknowledgment in fast recovery. */
static void reduce_proportionally(struct tcpct_connection *connection, uint32_t bytes,
                                  uint32_t least)
{
    struct recovery *recovery = &connection->recovery;
    struct congestion *congestion = &connection->congestion;
    uint32_t pipe = connection->flight.in_flight, send = 0;
    recovery->prr_delivered += bytes;
    if (jump_limit(connection) != UINT32_MAX) { /* not proportionally (RFC 9959, 4.5) */
        congestion->cwnd = jump_limit(connection);
        if (least) /* a single packet, to begin with */
            congestion->cwnd = max_u32(congestion->cwnd, pipe + least);
        return;
    }
    if (pipe > congestion->ssthresh) {
        uint64_t due = (uint64_t)recovery->prr_delivered * congestion->ssthresh;
        due = (due + recovery->prr_flight - 1) / max_u32(recovery->prr_flight, 1);
        send = due > recovery->prr_out ? (uint32_t)(due - recovery->prr_out) : 0;
    } else { /* slow start reduction bound */
        uint32_t owed = recovery->prr_delivered > recovery->prr_out
                            ? recovery->prr_delivered - recovery->prr_out
                            : 0;
        uint32_t limit = max_u32(owed, bytes) + congestion->mss;
        send = min_u32(congestion->ssthresh - pipe, limit);
    }
    congestion->cwnd = max_u32(pipe + send, pipe + least);
}

/* What a spurious retransmission would be repaired to (RFC 4015). */
static void save_for_undo(struct tcpct_connection *connection)
{
    struct recovery *recovery = &connection->recovery;
    recovery->undoable = true;
    recovery->undo_dated = false;
    recovery->undo_cwnd = connection->congestion.cwnd;
    recovery->undo_ssthresh = connection->congestion.ssthresh;
    recovery->undo_cubic = connection->congestion.cubic;
}

/* Whether the first acknowledgment of what was sent again was caused by the original: then it
 * echoes a timestamp from before the retransmission (RFC 3522, 3). Asked once in a phase. */
static bool was_spurious(struct tcpct_connection *connection, const struct tcp_options *options)
{
    struct recovery *recovery = &connection->recovery;
    if (!recovery->undoable || !recovery->undo_dated || !connection->timestamps ||
        seq_leq(connection->snd_una, recovery->undo_seq))
        return false;
    recovery->undoable = false;
    return seq_lt(options->timestamp_echo, recovery->undo_timestamp);
}

/* Whether a full segment of new data could leave now, as far as the peer's window goes. */
static bool has_new_data(const struct tcpct_connection *connection)
{
    uint32_t unsent = connection->data_seq + connection->send.used - connection->snd_nxt;
    uint32_t out = connection->snd_nxt - connection->snd_una;
    return !connection->fin_sent && unsent >= connection->mss &&
           connection->snd_wnd >= out + connection->mss;
}

/* Whether the acknowledgment, or its first SACK block, covers what was sent after the timeout. */
static bool covers_new_data(const struct tcpct_connection *connection,
                            const struct tcp_options *options)
{
    uint32_t point = connection->recovery.point;
    bool sack = options->present & OPTION_SACK && options->sack_count;
    return seq_lt(point, connection->snd_una) || (sack && seq_lt(point, options->sack[0].end));
}

/* F-RTO (RFC 5682, 2.1 and 3.1), for peers without timestamps: the first acknowledgment after a
 * timeout lets new data leave; if the next brings what was not sent again, its original did. */
static bool timeout_was_spurious(struct tcpct_connection *connection,
                                 const struct delivery *delivery, const struct tcp_options *options,
                                 bool advanced, bool duplicate)
{
    struct recovery *recovery = &connection->recovery;
    struct congestion *congestion = &connection->congestion;
    bool sack = connection->sack_permitted;
    if (recovery->frto == FRTO_RESENT && (advanced || (duplicate && !sack))) {
        bool all = !connection->flight.count ||
                   !(flight_at(&connection->flight, 0)->flags & SENT_RETRANSMITTED);
        bool next = advanced && all && seq_lt(connection->snd_una, recovery->point) &&
                    has_new_data(connection);
        recovery->frto = next ? FRTO_NEW : FRTO_OFF;
    } else if (recovery->frto == FRTO_NEW && (advanced || duplicate)) {
        recovery->frto = FRTO_OFF;
        if (sack ? delivery->bytes && !covers_new_data(connection, options) : advanced)
            return true;
        congestion->cwnd = 3 * congestion->mss;
    }
    return false;
}

/* RFC 4015, 3: nothing was lost. What is marked lost, and was not sent again, is in flight. */
static void undo(struct tcpct_connection *connection, uint64_t now_us)
{
    struct flight *flight = &connection->flight;
    struct congestion *congestion = &connection->congestion;
    for (uint32_t i = 0; i < flight->count; i++)
        if (flight_at(flight, i)->flags & SENT_LOST)
            flight_clear_lost(flight, i);
    congestion->cwnd = max_u32(congestion->cwnd, connection->recovery.undo_cwnd);
    congestion->ssthresh = connection->recovery.undo_ssthresh;
    congestion->cubic = connection->recovery.undo_cubic;
    connection->recovery.phase = RECOVERY_OPEN;
    connection->recovery.frto = FRTO_OFF;
    connection->recovery.undoable = false;
    connection->recovery.reordering_seen = true;
    connection->stack->counters.retransmissions_undone++;
    trace_connection(connection, TCPCT_TRACE_CWND, "spurious retransmission undone",
                     congestion->cwnd, now_us);
}

/* A reduction, for whatever reason, is told to an ECN peer and is this window's only one (RFC 3168,
 * 6.1.2). */
static void tell_reduction(struct tcpct_connection *connection)
{
    connection->ecn.cwr_due = connection->ecn.agreed;
    connection->ecn.point = connection->snd_nxt;
}

static void enter_fast_recovery(struct tcpct_connection *connection, uint32_t outstanding,
                                uint64_t now_us)
{
    struct recovery *recovery = &connection->recovery;
    struct congestion *congestion = &connection->congestion;
    recovery->phase = RECOVERY_FAST;
    recovery->point = connection->snd_nxt;
    recovery->prr_delivered = recovery->prr_out = 0;
    recovery->prr_flight = outstanding;
    save_for_undo(connection);
    congestion->ssthresh = congestion->control->reduced(congestion, outstanding);
    jump_congested(connection, now_us);
    tell_reduction(connection);
    trace_connection(connection, TCPCT_TRACE_CWND, "fast recovery", congestion->ssthresh, now_us);
}

/* The congestion window's answer to what one acknowledgment brought. `outstanding` bytes were out
 * before; growth that would not be used is not taken (RFC 7661, 4.3). */
static void respond(struct tcpct_connection *connection, const struct congestion_sample *sample,
                    uint32_t outstanding, bool advanced, bool cwnd_limited)
{
    uint32_t bytes = sample->bytes;
    struct recovery *recovery = &connection->recovery;
    struct congestion *congestion = &connection->congestion;
    if (recovery->phase != RECOVERY_OPEN && seq_leq(recovery->point, connection->snd_una)) {
        if (recovery->phase == RECOVERY_FAST)
            congestion->cwnd = congestion->ssthresh;
        recovery->phase = RECOVERY_OPEN;
        recovery->frto = FRTO_OFF;
        recovery->undoable = false;
        recovery->duplicates = 0;
        recovery->repeated = connection->snd_una == recovery->point;
        if (recovery->reorder_persist && --recovery->reorder_persist == 0)
            recovery->reorder_steps = 0;
    }
    if (recovery->phase == RECOVERY_OPEN && connection->flight.lost) {
        enter_fast_recovery(connection, outstanding, sample->now_us);
        reduce_proportionally(connection, bytes, congestion->mss);
    } else if (recovery->phase == RECOVERY_FAST) {
        /* A partial acknowledgment without SACK: the next hole at once (RFC 6582, 3.2, step 3). */
        bool hole = !connection->sack_permitted && bytes && connection->flight.lost;
        reduce_proportionally(connection, bytes, hole ? congestion->mss : 0);
    } else if (advanced && cwnd_limited && !jump_holds(connection)) {
        congestion_acknowledged(congestion, sample);
    } else if (advanced) {
        congestion_unused(congestion, sample->now_us);
    }
}

/* The RTT of what left last and has arrived. If it was sent more than once, the echo of its last
 * timestamp proves that it was that one which arrived (RFC 7323, 4); anything older may be the
 * echo of a segment whose acknowledgment was lost, and tells nothing. */
static uint64_t measure(struct tcpct_connection *connection, const struct delivery *delivery,
                        const struct tcp_options *options, bool advanced, uint64_t now_us)
{
    bool known = delivery->latest_us && !delivery->ambiguous;
    if (delivery->ambiguous && connection->timestamps)
        known = seq_leq(tcb_timestamp(connection, delivery->latest_us), options->timestamp_echo);
    if (known) {
        rtt_sample(&connection->rtt, now_us - delivery->latest_us);
        trace_connection(connection, TCPCT_TRACE_RTT, "", connection->rtt.srtt_us, now_us);
        return now_us - delivery->latest_us;
    }
    if (advanced)
        rtt_restore(&connection->rtt);
    return 0;
}

static struct congestion_sample sample_of(const struct tcpct_connection *connection, uint32_t bytes,
                                          uint64_t rtt_us, uint64_t now_us)
{
    return (struct congestion_sample){
        .bytes = bytes,
        .snd_una = connection->snd_una,
        .snd_nxt = connection->snd_nxt,
        .rtt_us = rtt_us,
        .srtt_us = connection->rtt.srtt_us,
        .now_us = now_us,
    };
}

/* RFC 8985, 7.4.2: a probe that was old data has repaired a loss, which is worth the usual answer to
 * congestion, unless a D-SACK, or a duplicate without SACK, says that it came twice. */
static void tail_acknowledged(struct tcpct_connection *connection,
                              const struct tcp_options *options, bool duplicate)
{
    struct recovery *recovery = &connection->recovery;
    struct congestion *congestion = &connection->congestion;
    const struct sack_block *dsack = loss_dsack(connection, options);
    bool beyond = seq_lt(recovery->tail_end, connection->snd_una);
    if (!recovery->tail_out || seq_lt(connection->snd_una, recovery->tail_end))
        return;
    bool spurious = (dsack && dsack->end == recovery->tail_end) ||
                    (!beyond && duplicate && !(options->present & OPTION_SACK));
    recovery->tail_out = recovery->tail_retransmitted && !spurious && !beyond;
    if (recovery->tail_out || spurious || !recovery->tail_retransmitted ||
        recovery->phase != RECOVERY_OPEN)
        return;
    tell_reduction(connection);
    congestion->ssthresh = congestion->control->reduced(congestion, congestion->cwnd);
    congestion->cwnd = min_u32(congestion->cwnd, congestion->ssthresh);
}

void recovery_acknowledged(struct tcpct_connection *connection, uint32_t ack,
                           const struct tcp_options *options, bool duplicate, uint64_t now_us)
{
    struct flight *flight = &connection->flight;
    struct delivery delivery;
    uint32_t outstanding = flight->in_flight + flight->lost;
    bool cwnd_limited = 2 * (uint64_t)flight->in_flight >= connection->congestion.cwnd;
    bool advanced = seq_lt(connection->snd_una, ack);

    loss_take(connection, ack, options, duplicate, now_us, &delivery);
    if (was_spurious(connection, options) ||
        timeout_was_spurious(connection, &delivery, options, advanced, duplicate))
        undo(connection, now_us);
    uint64_t rtt_us = measure(connection, &delivery, options, advanced, now_us);
    struct congestion_sample sample = sample_of(connection, delivery.bytes, rtt_us, now_us);
    loss_detect(connection, now_us);
    path_acknowledged(connection, now_us);
    uint32_t cwnd = connection->congestion.cwnd;
    respond(connection, &sample, outstanding, advanced, cwnd_limited);
    jump_acknowledged(connection, delivery.bytes, rtt_us, now_us);
    if (connection->congestion.cwnd != cwnd)
        trace_connection(connection, TCPCT_TRACE_CWND, "", connection->congestion.cwnd, now_us);
    tail_acknowledged(connection, options, duplicate);
    if (advanced)
        connection->timeouts = 0;
    if (advanced || delivery.bytes)
        recovery_timer(connection, now_us);
    if (flight->lost || delivery.bytes)
        tcb_output(connection);
}

void recovery_congestion_experienced(struct tcpct_connection *connection, uint64_t now_us)
{
    struct congestion *congestion = &connection->congestion;
    struct ecn *ecn = &connection->ecn;
    if (connection->recovery.phase != RECOVERY_OPEN || seq_lt(connection->snd_una, ecn->point))
        return;
    congestion->ssthresh = congestion->control->reduced(congestion, congestion->cwnd);
    congestion->cwnd = congestion->ssthresh;
    jump_congested(connection, now_us);
    tell_reduction(connection);
}

void recovery_reorder_timeout(struct tcpct_connection *connection, uint64_t now_us)
{
    uint32_t outstanding = connection->flight.in_flight + connection->flight.lost;
    struct congestion_sample sample = sample_of(connection, 0, 0, now_us);
    loss_detect(connection, now_us);
    path_acknowledged(connection, now_us);
    respond(connection, &sample, outstanding, false, false);
    recovery_timer(connection, now_us);
    tcb_output(connection);
}

/* A FIN with cookies that stands alone is not data: it says nothing about congestion, and repeats
 * each SRTT, without backoff (RFC 6013, 5), until there is no sign of the peer for eight of them. */
static bool only_bare_fin(const struct tcpct_connection *connection)
{
    return connection->pair.size && connection->fin_sent && connection->flight.count == 1 &&
           connection->snd_nxt - connection->snd_una == 1;
}

void recovery_peer_heard(struct tcpct_connection *connection, uint64_t now_us)
{
    bool backed_off = connection->fin_tries == FIN_TRIES_QUICK;
    connection->fin_tries = 0;
    if (!only_bare_fin(connection))
        return;
    if (backed_off) {
        rtt_restore(&connection->rtt);
        recovery_timer(connection, now_us);
    }
    timer_set(connection, TIMER_USER, now_us + connection->user_timeout_us);
}

void recovery_timeout(struct tcpct_connection *connection, uint64_t now_us)
{
    struct flight *flight = &connection->flight;
    struct recovery *recovery = &connection->recovery;
    struct congestion *congestion = &connection->congestion;
    if (flight->count == 0)
        return;
    if (recovery->tail_timer) {
        recovery->tail_due = true;
        tcb_output(connection);
        return;
    }
    connection->stack->counters.retransmission_timeouts++;
    bool bare_fin = only_bare_fin(connection);
    /* The receiver reneged (RFC 2018, 8), or nobody knows which they were. */
    if (flight_at(flight, 0)->flags & SENT_SACKED || !connection->sack_permitted)
        for (uint32_t i = 0; i < flight->count; i++)
            flight_clear_sacked(flight, i);
    uint32_t outstanding = flight->in_flight + flight->lost;
    for (uint32_t i = 0; i < flight->count; i++)
        if (!(flight_at(flight, i)->flags & (SENT_SACKED | SENT_LOST)))
            flight_mark_lost(flight, i);
    if (!bare_fin) {
        recovery->frto =
            recovery->phase == RECOVERY_OPEN && !connection->timestamps ? FRTO_RESENT : FRTO_OFF;
        if (recovery->phase != RECOVERY_RTO) { /* RFC 5681, 3.1: once for each loss */
            save_for_undo(connection);
            congestion->ssthresh = congestion->control->reduced(congestion, outstanding);
            tell_reduction(connection);
        }
        congestion->cwnd = congestion->mss;
        jump_timed_out(connection, now_us);
        recovery->phase = RECOVERY_RTO;
        recovery->point = connection->snd_nxt;
        recovery->duplicates = 0;
        recovery->tail_out = false;
        if (path_timeout(connection, now_us))
            rtt_restore(&connection->rtt);
        else
            rtt_back_off(&connection->rtt);
        trace_connection(connection, TCPCT_TRACE_TIMEOUT, "retransmission", connection->rtt.rto_us,
                         now_us);
    } else if (connection->fin_tries < FIN_TRIES_QUICK) {
        connection->fin_tries++;
    } else {
        rtt_back_off(&connection->rtt);
    }
    timer_stop(connection, TIMER_REORDER);
    recovery_timer(connection, now_us);
    tcb_output(connection);
}

bool recovery_next(const struct tcpct_connection *connection, uint32_t *index)
{
    const struct flight *flight = &connection->flight;
    if (flight->lost == 0 || connection->recovery.frto == FRTO_NEW)
        return false;
    for (*index = 0; *index < flight->count; ++*index)
        if (flight_at(flight, *index)->flags & SENT_LOST)
            return true;
    return false;
}

void recovery_resent(struct tcpct_connection *connection, uint32_t seq, uint64_t now_us)
{
    struct recovery *recovery = &connection->recovery;
    if (!recovery->undo_dated) {
        recovery->undo_timestamp = tcb_timestamp(connection, now_us);
        recovery->undo_seq = seq;
    }
    recovery->undo_dated = true;
    connection->totals.retransmissions++;
    connection->stack->counters.retransmissions++;
}

uint32_t recovery_room(const struct tcpct_connection *connection)
{
    uint32_t cwnd = connection->congestion.cwnd, in_flight = connection->flight.in_flight;
    uint32_t room = cwnd > in_flight ? cwnd - in_flight : 0;
    return connection->recovery.tail_due ? max_u32(room, connection->mss) : room;
}

void recovery_probed(struct tcpct_connection *connection, bool retransmitted, uint64_t now_us)
{
    struct recovery *recovery = &connection->recovery;
    recovery->tail_due = false;
    recovery->tail_out = true;
    recovery->tail_retransmitted = retransmitted;
    recovery->tail_end = connection->snd_nxt;
    recovery_timer(connection, now_us);
}

/* RFC 8985, 7.2: two round trips, and what a receiver may delay the acknowledgment of a single
 * segment; TCPCT_NEVER if a probe is not wanted now. */
static uint64_t probe_timeout(const struct tcpct_connection *connection)
{
    const struct recovery *recovery = &connection->recovery;
    const struct rtt *rtt = &connection->rtt;
    if (recovery->phase != RECOVERY_OPEN || recovery->tail_out || !connection->sack_permitted ||
        !connection->confirmed || rtt->srtt_us == 0 || connection->flight.sacked)
        return TCPCT_NEVER;
    uint64_t delayed_us = connection->flight.in_flight <= connection->mss ? RTO_MIN_US : 0;
    return 2 * rtt->srtt_us + max_u64(delayed_us, 2ull * MILLISECOND_US);
}

void recovery_sent(struct tcpct_connection *connection, uint32_t bytes, uint64_t now_us)
{
    const uint64_t *timer_us = &connection->timers[TIMER_RETRANSMISSION];
    uint64_t probe_us = probe_timeout(connection);
    connection->recovery.prr_out += bytes;
    pace_sent(connection, bytes, now_us);
    /* RFC 6298, (5.1): it runs already. A probe is moved on by what is sent (RFC 8985, 7.2). */
    if (*timer_us == TCPCT_NEVER || connection->recovery.tail_timer ||
        (probe_us != TCPCT_NEVER && now_us + probe_us < *timer_us))
        recovery_timer(connection, now_us);
}

void recovery_timer(struct tcpct_connection *connection, uint64_t now_us)
{
    const struct rtt *rtt = &connection->rtt;
    connection->recovery.tail_timer = false;
    if (connection->flight.count == 0) {
        timer_stop(connection, TIMER_RETRANSMISSION);
        return;
    }
    uint64_t timeout_us = rtt->rto_us, probe_us = probe_timeout(connection);
    if (only_bare_fin(connection) && rtt->srtt_us && connection->fin_tries < FIN_TRIES_QUICK) {
        timeout_us = max_u64(rtt->srtt_us + 4 * rtt->rttvar_us, MILLISECOND_US);
    } else if (probe_us < timeout_us) {
        connection->recovery.tail_timer = true;
        timeout_us = probe_us;
    }
    timer_set(connection, TIMER_RETRANSMISSION, now_us + timeout_us);
}
