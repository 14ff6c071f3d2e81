#include "output.h"

#include "demux.h"
#include "header.h"
#include "pace.h"
#include "path.h"
#include "recovery.h"
#include "restart.h"
#include "seq.h"
#include "timer.h"

static uint32_t data_end(const struct tcpct_connection *connection)
{
    return connection->data_seq + connection->send.used;
}

/* Bytes of data that fit a segment with these headers (RFC 6691; the MSS leaves options out). */
static uint16_t data_room(struct tcpct_connection *connection, const struct segment *segment,
                          uint64_t now_us)
{
    size_t whole = connection->mss + ip_header_size(&segment->source) + TCP_HEADER_SIZE;
    uint32_t path = path_mtu(connection, now_us);
    if (whole > path)
        whole = path;
    size_t headers = segment_header_size(segment);
    return headers < whole ? (uint16_t)(whole - headers) : 1; /* MSS_MIN leaves more than that */
}

/* Every segment that leaves acknowledges. */
static void acknowledged_now(struct tcpct_connection *connection)
{
    connection->ack_now = false;
    connection->ack_delayed = 0;
    connection->duplicate.start = connection->duplicate.end;
    connection->last_ack_sent = connection->rcv_nxt;
    timer_stop(connection, TIMER_DELAYED_ACK);
}

static bool finish(struct tcpct_connection *connection, struct segment *segment,
                   struct tcpct_packet *packet)
{
    struct tcpct_stack *stack = connection->stack;
    if (!md5sig_encode(stack->md5sig, segment, packet, stack->config.checksum_offload))
        return false;
    connection->totals.packets_sent++;
    acknowledged_now(connection);
    return true;
}

/* Copies `size` bytes of the send buffer, from the segment's first, behind the headers and sends
 * them. */
static bool finish_data(struct tcpct_connection *connection, struct segment *segment, uint32_t size,
                        uint32_t room, struct tcpct_packet *packet)
{
    size_t headers = segment_header_size(segment);
    uint32_t first = segment->seq + (segment->flags & SEGMENT_SYN ? 1 : 0);
    ring_get(&connection->send, first - connection->data_seq, packet->data + headers, size);
    segment->data_size = size;
    if (size > room)
        segment->segment_size = (uint16_t)room;
    if (size && first + size == data_end(connection) && !(segment->flags & SEGMENT_SYN))
        segment->flags |= SEGMENT_PSH; /* implied in a <SYN> (RFC 6013, 6.1) */
    return finish(connection, segment, packet);
}

/* The most that one buffer may carry: one segment, or several through offload. */
static uint32_t buffer_room(const struct tcpct_connection *connection,
                            const struct segment *segment, uint32_t room)
{
    uint32_t offload = connection->stack->config.offload_size_max;
    size_t headers = segment_header_size(segment);
    if (offload == 0 || segment->options.present & (OPTION_TIMESTAMPS_EXTENDED | OPTION_MD5) ||
        segment->flags & SEGMENT_URG || /* which would be repeated as it is */
        offload < headers + 2 * room)
        return room;
    return min_u32((uint32_t)(offload - headers), pace_burst(connection)) / room * room;
}

static bool send_syn(struct tcpct_connection *connection, struct tcpct_packet *packet,
                     uint64_t now_us)
{
    struct segment segment;
    uint32_t data = 0;
    header_syn(connection, &segment, now_us);
    if (connection->state == TCPCT_SYN_SENT &&
        (connection->pair.size || connection->fast_open.size))
        data = connection->syn_data;
    if (connection->syn_tries == 0)
        connection->timestamp_first = tcb_timestamp(connection, now_us);
    connection->syn_timestamp_last = segment.options.timestamp_value;
    connection->syn_tries++;
    connection->syn_due = false;
    connection->syn_sent_us = now_us;
    if (data)
        connection->syn_data_sent = (uint16_t)data;
    if (!finish_data(connection, &segment, data, UINT16_MAX, packet))
        return false;
    timer_set(connection, TIMER_RETRANSMISSION, now_us + connection->rtt.rto_us);
    return true;
}

/* Room for a record of what is sent; without it, sending is tried again later. */
static bool reserve(struct tcpct_connection *connection, uint64_t now_us)
{
    if (flight_reserve(&connection->flight, &connection->stack->memory))
        return true;
    connection->stack->counters.memory_full++;
    timer_set(connection, TIMER_MEMORY, now_us + MEMORY_AGAIN_US);
    return false;
}

/* FIN goes on the segment that ends at the end of all data. */
static bool may_finish(const struct tcpct_connection *connection, uint32_t end)
{
    return connection->fin_queued && end == data_end(connection);
}

static bool retransmit(struct tcpct_connection *connection, struct tcpct_packet *packet,
                       uint64_t now_us)
{
    struct flight *flight = &connection->flight;
    struct segment segment;
    uint32_t index;
    if (!recovery_next(connection, &index) || !reserve(connection, now_us))
        return false;
    const struct sent *sent = flight_at(flight, index);
    uint32_t seq = sent->seq, end = seq_min(sent->end, data_end(connection));
    bool fin = end != sent->end;
    header_begin(connection, &segment, seq, fin ? SEGMENT_FIN : 0, true, now_us);
    uint32_t room = data_room(connection, &segment, now_us);
    if (fin && end - seq > room) { /* the FIN waits for the segment after this one */
        fin = false;
        header_begin(connection, &segment, seq, 0, true, now_us);
        end -= 1; /* something must be left to go with it */
        room = data_room(connection, &segment, now_us);
    }
    uint32_t most = buffer_room(connection, &segment, room);
    most = max_u32(room, min_u32(most, recovery_room(connection) / room * room));
    uint32_t size = min_u32(end - seq, most);
    if (flight->in_flight > 0 && recovery_room(connection) < size + fin)
        return false;
    if (!fin && seq + size != sent->end)
        flight_split(flight, index, seq + size);
    flight_resent(flight, index, now_us);
    recovery_resent(connection, seq, now_us);
    trace_connection(connection, TCPCT_TRACE_RETRANSMISSION, "", size, now_us);
    recovery_sent(connection, size + fin, now_us);
    return finish_data(connection, &segment, size, room, packet);
}

/* How much new data may leave now in one buffer; the sender's half of silly window avoidance
 * (RFC 9293, 3.8.6.2.1) and Nagle (3.7.4). `room` is a full segment. */
static uint32_t new_data_size(const struct tcpct_connection *connection, uint32_t room,
                              uint32_t most)
{
    uint32_t unsent = data_end(connection) - connection->snd_nxt;
    uint32_t edge = connection->snd_una + connection->snd_wnd;
    uint32_t usable = seq_lt(connection->snd_nxt, edge) ? edge - connection->snd_nxt : 0;
    uint32_t limit = restart_limit(connection) -
                     min_u32(connection->snd_nxt - connection->snd_una, restart_limit(connection));
    uint32_t allowed = min_u32(min_u32(usable, limit), recovery_room(connection));
    uint32_t size = min_u32(min_u32(unsent, allowed), most);
    bool idle = connection->flight.count == 0;
    if (size == unsent) {
        if (size % room == 0 || connection->nodelay || connection->fin_queued || idle)
            return size;
        return size - size % room;
    }
    if (size >= room)
        return size - size % room;
    if (usable <= recovery_room(connection) &&
        (size >= connection->snd_max_wnd / 2 || connection->probe_due)) /* the override timeout */
        return size;
    return idle && usable > size ? size : 0; /* a window smaller than a segment, all of it */
}

/* New data is ECN-capable; retransmissions and acknowledgments are not (RFC 3168, 6.1.4, 6.1.5). */
static void mark_new_data(struct tcpct_connection *connection, struct segment *segment,
                          uint32_t size)
{
    if (!connection->ecn.agreed || size == 0)
        return;
    segment->traffic_class |= ECN_CAPABLE;
    if (connection->ecn.cwr_due)
        segment->flags |= SEGMENT_CWR;
    connection->ecn.cwr_due = false;
}

static bool send_new(struct tcpct_connection *connection, struct tcpct_packet *packet,
                     uint64_t now_us)
{
    struct segment segment;
    uint32_t seq = connection->snd_nxt, unsent = data_end(connection) - seq;
    bool wants_fin =
        connection->fin_queued && !connection->fin_sent && connection->state != TCPCT_SYN_RECEIVED;
    bool bare_opening = unsent == 0 && connection->pair.size && !connection->confirmed;
    if ((unsent == 0 && !wants_fin) || connection->fin_sent ||
        bare_opening || /* 6.3: an <ACK(SYN),FIN> without data is never sent */
        !reserve(connection, now_us))
        return false;
    if (connection->flight.count == 0 && connection->data_sent_us) {
        congestion_unused(&connection->congestion, now_us);
        congestion_idle(&connection->congestion, now_us - connection->data_sent_us);
    }
    header_begin(connection, &segment, seq, 0, unsent > 0, now_us);
    uint32_t room = data_room(connection, &segment, now_us);
    uint16_t probe = path_probe(connection, unsent, now_us);
    room += probe;
    uint32_t most = probe ? room : buffer_room(connection, &segment, room);
    uint32_t size = new_data_size(connection, room, most);
    bool fin = wants_fin && may_finish(connection, seq + size) &&
               seq_lt(seq + size, connection->snd_una + connection->snd_wnd);
    if (!fin && size == 0)
        return false;
    if (fin) {
        header_begin(connection, &segment, seq, SEGMENT_FIN, true, now_us);
        uint32_t fin_room = data_room(connection, &segment, now_us);
        if (size > fin_room && connection->pair.size) {
            /* FIN brings an extension: send what leaves some data to go with it. */
            fin = false;
            size = size > room ? size - 1 - (size - 1) % room : fin_room;
            header_begin(connection, &segment, seq, 0, true, now_us);
        }
    }
    if (probe)
        path_probe_sent(connection, probe, seq + size);
    flight_add(&connection->flight, seq, seq + size + fin, now_us);
    connection->snd_nxt = seq + size + fin;
    if (fin) {
        connection->fin_sent = true;
        if (connection->state == TCPCT_CLOSE_WAIT)
            restart_remember(connection, now_us);
        tcb_state(connection,
                  connection->state == TCPCT_CLOSE_WAIT ? TCPCT_LAST_ACK : TCPCT_FIN_WAIT_1,
                  now_us);
    }
    connection->probe_due = false;
    connection->data_sent_us = now_us;
    mark_new_data(connection, &segment, size);
    connection->totals.bytes_sent += size;
    recovery_sent(connection, size + fin, now_us);
    return finish_data(connection, &segment, size, room, packet);
}

/* The tail loss probe: new data if there is some, else the last segment again (RFC 8985, 7.3). */
static bool send_tail_probe(struct tcpct_connection *connection, struct tcpct_packet *packet,
                            uint64_t now_us)
{
    struct flight *flight = &connection->flight;
    if (send_new(connection, packet, now_us)) {
        recovery_probed(connection, false, now_us);
        return true;
    }
    connection->recovery.tail_due = false;
    if (flight->count == 0 || !reserve(connection, now_us))
        return false;
    const struct sent *last = flight_at(flight, flight->count - 1);
    uint32_t one = connection->mss / 2; /* fits beside any options */
    if (last->end - last->seq > one && !flight_split(flight, flight->count - 1, last->end - one))
        return false;
    flight_mark_lost(flight, flight->count - 1);
    connection->recovery.tail_due = true;
    bool sent = retransmit(connection, packet, now_us);
    recovery_probed(connection, true, now_us);
    return sent;
}

/* A segment that is unacceptable on purpose, so that it is answered (RFC 9293, 3.8.6.1). */
static bool send_probe(struct tcpct_connection *connection, struct tcpct_packet *packet,
                       uint64_t now_us)
{
    struct segment segment;
    connection->probe_due = false;
    header_begin(connection, &segment, connection->snd_una - 1, 0, true, now_us);
    return finish(connection, &segment, packet);
}

static bool send_ack(struct tcpct_connection *connection, struct tcpct_packet *packet,
                     uint64_t now_us)
{
    struct segment segment;
    header_begin(connection, &segment, connection->snd_nxt, 0, false, now_us);
    return finish(connection, &segment, packet);
}

void output_last_ack(struct tcpct_connection *connection, struct tcpct_packet *packet,
                     uint64_t now_us)
{
    send_ack(connection, packet, now_us);
}

static bool send_reset(struct tcpct_connection *connection, struct tcpct_packet *packet,
                       uint64_t now_us)
{
    struct segment segment;
    header_begin(connection, &segment, connection->snd_nxt, SEGMENT_RST, true, now_us);
    finish(connection, &segment, packet);
    connection->stack->counters.resets_sent++;
    if (connection->reset_end && connection->reset_end != connection->snd_nxt) {
        connection->snd_nxt = connection->reset_end;
        return true;
    }
    tcb_closed(connection, TCPCT_OK, now_us);
    return true;
}

/* Nothing may leave and nothing is out: the window is closed, so it must be probed. */
static void consider_probing(struct tcpct_connection *connection, uint64_t now_us)
{
    bool waiting = connection->confirmed && !connection->fin_sent &&
                   (connection->fin_queued || connection->snd_nxt != data_end(connection));
    if (waiting && connection->flight.count == 0 && !timer_is_set(connection, TIMER_PERSIST))
        timer_set(connection, TIMER_PERSIST, now_us + connection->rtt.rto_us);
}

static bool after_opening(struct tcpct_connection *connection, uint64_t now_us)
{
    if (connection->initiator && connection->pair.size && !connection->confirmed) {
        if (connection->restarted && !connection->opening_sent)
            timer_set(connection, TIMER_RETRANSMISSION, now_us + restart_patience_us(connection));
        connection->opening_sent = true;
        if (!timer_is_set(connection, TIMER_RETRANSMISSION))
            timer_set(connection, TIMER_RETRANSMISSION, now_us + connection->rtt.rto_us);
    }
    bool waiting = connection->flight.count || !connection->confirmed;
    if (waiting && !timer_is_set(connection, TIMER_USER))
        timer_set(connection, TIMER_USER, now_us + connection->user_timeout_us);
    return true;
}

/* 5.1, 5.2: data that prompted a new exchange makes the <FIN,ACK(FIN)> and the <ACK(FIN)>
 * unnecessary. */
static bool leaves_to_exchange(const struct tcpct_connection *connection)
{
    return connection->initiator && connection->pair.size && tcb_is_finishing(connection) &&
           demux_find(connection->stack, &connection->endpoints) != connection;
}

bool output_next(struct tcpct_connection *connection, struct tcpct_packet *packet, uint64_t now_us)
{
    if (connection->reset_due)
        return send_reset(connection, packet, now_us);
    if (leaves_to_exchange(connection))
        return false;
    switch (connection->state) {
    case TCPCT_CLOSED:
        return false;
    case TCPCT_SYN_SENT:
        return connection->syn_due && send_syn(connection, packet, now_us);
    case TCPCT_SYN_RECEIVED:
        if (connection->syn_due)
            return send_syn(connection, packet, now_us);
        if (connection->fast_open.accepted && send_new(connection, packet, now_us))
            return true;
        return connection->ack_now && send_ack(connection, packet, now_us);
    case TCPCT_TIME_WAIT:
        return connection->ack_now && send_ack(connection, packet, now_us);
    default:
        break;
    }
    if (connection->recovery.tail_due && send_tail_probe(connection, packet, now_us))
        return after_opening(connection, now_us);
    if (pace_allows(connection, now_us)) {
        if (retransmit(connection, packet, now_us) || send_new(connection, packet, now_us))
            return after_opening(connection, now_us);
        consider_probing(connection, now_us);
    }
    if (connection->probe_due)
        return send_probe(connection, packet, now_us);
    if (connection->ack_now && send_ack(connection, packet, now_us))
        return after_opening(connection, now_us);
    return false;
}
