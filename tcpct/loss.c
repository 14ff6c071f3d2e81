#include "loss.h"

#include "seq.h"
#include "timer.h"

enum { DUPLICATE_THRESHOLD = 3, REORDER_PERSIST = 16 };

/* A record has arrived: RFC 8985, 6.2, steps 1 to 3. */
static void delivered(struct tcpct_connection *connection, const struct sent *sent, uint64_t now_us,
                      struct delivery *delivery)
{
    struct recovery *recovery = &connection->recovery;
    uint64_t age_us = now_us - sent->sent_us;
    delivery->bytes += sent->end - sent->seq;
    if (sent->sent_us >= delivery->latest_us) {
        delivery->latest_us = sent->sent_us;
        delivery->ambiguous = sent->flags & SENT_RETRANSMITTED;
    }
    if (sent->flags & SENT_RETRANSMITTED) {
        if (age_us < connection->rtt.min_us) /* it was the original that arrived */
            return;
    } else if (seq_lt(sent->end, recovery->highest_sacked)) {
        recovery->reordering_seen = true;
    }
    recovery->highest_sacked = seq_max(recovery->highest_sacked, sent->end);
    if (sent->sent_us > recovery->rack_sent_us ||
        (sent->sent_us == recovery->rack_sent_us && seq_lt(recovery->rack_end, sent->end))) {
        recovery->rack_sent_us = sent->sent_us;
        recovery->rack_end = sent->end;
        recovery->rack_rtt_us = age_us;
    }
}

static void take_cumulative(struct tcpct_connection *connection, uint32_t ack, uint64_t now_us,
                            struct delivery *delivery)
{
    struct flight *flight = &connection->flight;
    while (flight->count) {
        struct sent *first = flight_at(flight, 0);
        if (seq_leq(ack, first->seq))
            break;
        struct sent part = *first;
        part.end = seq_min(part.end, ack);
        if (!(part.flags & SENT_SACKED))
            delivered(connection, &part, now_us, delivery);
        if (part.end == first->end)
            flight_pop(flight);
        else
            flight_trim(flight, ack);
    }
}

static void sack_record(struct tcpct_connection *connection, uint32_t index, uint64_t now_us,
                        struct delivery *delivery)
{
    struct sent *sent = flight_at(&connection->flight, index);
    if (sent->flags & SENT_SACKED)
        return;
    delivered(connection, sent, now_us, delivery);
    flight_mark_sacked(&connection->flight, index);
}

static void take_block(struct tcpct_connection *connection, const struct sack_block *block,
                       uint64_t now_us, struct delivery *delivery)
{
    struct flight *flight = &connection->flight;
    if (!seq_lt(block->start, block->end) || seq_lt(block->start, connection->snd_una) ||
        seq_lt(connection->snd_nxt, block->end))
        return; /* a D-SACK (RFC 2883), or nonsense */
    for (uint32_t i = 0; i < flight->count; i++) {
        struct sent *sent = flight_at(flight, i);
        if (seq_leq(sent->end, block->start) || (sent->flags & SENT_SACKED))
            continue;
        if (seq_leq(block->end, sent->seq))
            break;
        if (seq_lt(sent->seq, block->start)) { /* begins inside: the rest is looked at next */
            if (!flight_reserve(flight, &connection->stack->memory) ||
                !flight_split(flight, i, block->start))
                return;
            continue;
        }
        if (seq_lt(block->end, sent->end) && (!flight_reserve(flight, &connection->stack->memory) ||
                                              !flight_split(flight, i, block->end)))
            return;
        sack_record(connection, i, now_us, delivery);
    }
}

/* Without SACK, a duplicate acknowledgment says that one more segment arrived above the hole. */
static void take_duplicate(struct tcpct_connection *connection, uint64_t now_us,
                           struct delivery *delivery)
{
    struct flight *flight = &connection->flight;
    connection->recovery.duplicates++;
    for (uint32_t i = 0; i < flight->count; i++) {
        struct sent *sent = flight_at(flight, i);
        uint32_t one = sent->seq + connection->mss;
        if (seq_lt(one, sent->end) &&
            (!flight_reserve(flight, &connection->stack->memory) || !flight_split(flight, i, one)))
            return;
        if (i == 0 || (flight_at(flight, i)->flags & SENT_SACKED))
            continue;
        sack_record(connection, i, now_us, delivery);
        return;
    }
}

/* Without SACK, a cumulative acknowledgment ends the count; in fast recovery, one below the
 * recovery point says that the next segment is lost as well (RFC 6582, 3.2, step 3). */
static void take_partial(struct tcpct_connection *connection)
{
    struct flight *flight = &connection->flight;
    connection->recovery.duplicates = 0;
    connection->recovery.repeated = false;
    for (uint32_t i = 0; i < flight->count; i++)
        if (flight_at(flight, i)->flags & SENT_SACKED)
            flight_clear_sacked(flight, i);
    if (connection->recovery.phase == RECOVERY_FAST && flight->count &&
        seq_lt(connection->snd_una, connection->recovery.point)) {
        struct sent *first = flight_at(flight, 0);
        if (!(first->flags & (SENT_LOST | SENT_RETRANSMITTED)))
            flight_mark_lost(flight, 0);
    }
}

const struct sack_block *loss_dsack(const struct tcpct_connection *connection,
                                    const struct tcp_options *options)
{
    const struct sack_block *first = options->sack, *second = options->sack + 1;
    if (!connection->sack_permitted || !(options->present & OPTION_SACK) || !options->sack_count ||
        !seq_lt(first->start, first->end))
        return NULL;
    bool inside = options->sack_count > 1 && seq_leq(second->start, first->start) &&
                  seq_leq(first->end, second->end);
    return seq_leq(first->end, connection->snd_una) || inside ? first : NULL;
}

/* RFC 8985, 6.2, step 4: a D-SACK in a round trip says that the reordering window is too small. */
static void widen_reordering_window(struct tcpct_connection *connection, bool dsack)
{
    struct recovery *recovery = &connection->recovery;
    if (recovery->dsack_seen && seq_leq(recovery->dsack_round, connection->snd_una))
        recovery->dsack_seen = false;
    if (recovery->dsack_seen || !dsack)
        return;
    recovery->dsack_seen = true;
    recovery->dsack_round = connection->snd_nxt;
    if (recovery->reorder_steps < UINT8_MAX)
        recovery->reorder_steps++;
    recovery->reorder_persist = REORDER_PERSIST;
}

void loss_take(struct tcpct_connection *connection, uint32_t ack, const struct tcp_options *options,
               bool duplicate, uint64_t now_us, struct delivery *delivery)
{
    bool advanced = seq_lt(connection->snd_una, ack);
    *delivery = (struct delivery){ 0 };
    take_cumulative(connection, ack, now_us, delivery);
    connection->snd_una = ack;
    if (connection->sack_permitted) {
        if (options->present & OPTION_SACK)
            for (unsigned i = 0; i < options->sack_count; i++)
                take_block(connection, &options->sack[i], now_us, delivery);
        widen_reordering_window(connection, loss_dsack(connection, options));
    } else if (advanced) {
        take_partial(connection);
    } else if (duplicate && connection->flight.count &&
               connection->recovery.phase != RECOVERY_RTO) {
        take_duplicate(connection, now_us, delivery);
    }
}

/* RFC 6675, 4: what is above the first hole is more than that number of segments less one. */
static bool many_above(const struct tcpct_connection *connection)
{
    return connection->flight.sacked > (DUPLICATE_THRESHOLD - 1) * connection->congestion.mss;
}

/* Without SACK, times tell nothing about what lies above the first hole: only that hole is lost,
 * at the third duplicate (RFC 5681, 3.2). */
static void detect_without_sack(struct tcpct_connection *connection)
{
    struct flight *flight = &connection->flight;
    if (connection->recovery.phase == RECOVERY_OPEN && flight->count &&
        connection->recovery.duplicates >= DUPLICATE_THRESHOLD && !connection->recovery.repeated &&
        !(flight_at(flight, 0)->flags & (SENT_LOST | SENT_RETRANSMITTED)))
        flight_mark_lost(flight, 0);
}

/* RFC 8985, 6.2, step 4: how long an earlier segment may still be late. */
static uint64_t reordering_window(const struct tcpct_connection *connection)
{
    const struct recovery *recovery = &connection->recovery;
    if (!recovery->reordering_seen && (recovery->phase != RECOVERY_OPEN || many_above(connection)))
        return 0;
    return min_u64((1 + recovery->reorder_steps) * connection->rtt.min_us / 4,
                   connection->rtt.srtt_us);
}

/* RFC 8985, 6.2, step 5: marks what is lost; sets the timer for what may yet be. */
void loss_detect(struct tcpct_connection *connection, uint64_t now_us)
{
    const struct recovery *recovery = &connection->recovery;
    struct flight *flight = &connection->flight;
    uint64_t window_us = reordering_window(connection);
    uint64_t again_us = TCPCT_NEVER;
    timer_stop(connection, TIMER_REORDER);
    if (!connection->sack_permitted) {
        detect_without_sack(connection);
        return;
    }
    if (recovery->rack_sent_us == 0)
        return;
    for (uint32_t i = 0; i < flight->count; i++) {
        const struct sent *sent = flight_at(flight, i);
        if (sent->flags & (SENT_SACKED | SENT_LOST))
            continue;
        if (sent->sent_us > recovery->rack_sent_us ||
            (sent->sent_us == recovery->rack_sent_us && !seq_lt(sent->end, recovery->rack_end)))
            continue;
        uint64_t lost_us = sent->sent_us + recovery->rack_rtt_us + window_us;
        if (lost_us <= now_us)
            flight_mark_lost(flight, i);
        else
            again_us = min_u64(again_us, lost_us);
    }
    if (again_us != TCPCT_NEVER)
        timer_set(connection, TIMER_REORDER, again_us);
}
