#include "header.h"

#include "carry.h"
#include "fastopen.h"
#include "initiator.h"
#include "seq.h"
#include "timestamps.h"

enum { EXTENDED_OPTION_SIZE = 4 /* kind 254 */ };

/* The options of a <SYN>, repeated in the <ACK(SYN)> and its answer (2.5, 4.3). */
static void add_syn_options(const struct tcpct_connection *connection, struct tcp_options *options)
{
    options->present |= OPTION_MSS;
    options->mss = stack_mss(connection->stack, &connection->endpoints.remote);
    if (connection->mss_wanted)
        options->mss = connection->mss_wanted;
    if (connection->window_scaling) {
        options->present |= OPTION_WINDOW_SCALE;
        options->window_scale = connection->stack->rcv_scale;
    }
    if (connection->sack_permitted)
        options->present |= OPTION_SACK_PERMITTED;
}

static void add_pair(const struct tcpct_connection *connection, struct segment *segment)
{
    struct tcp_options *options = &segment->options;
    const struct cookie_pair *pair = &connection->pair;
    options->present &= ~(uint32_t)OPTION_TIMESTAMPS;
    options->present |= OPTION_TIMESTAMPS_EXTENDED | OPTION_COOKIE_PAIR;
    options->cookie_size = pair->size;
    for (unsigned i = 0; i < pair->size; i++) {
        options->initiator_cookie[i] = pair->initiator[i];
        options->responder_cookie[i] = pair->responder[i];
    }
}

/* Unless segments are so small that it would leave no room for data. */
static void add_seal(const struct tcpct_connection *connection, struct tcp_options *options)
{
    if (connection->seal.size == 0 || connection->mss < MSS_DEFAULT)
        return;
    options->present |= OPTION_SEAL;
    options->seal_size = connection->seal.size;
    for (unsigned i = 0; i < options->seal_size; i++)
        options->seal[i] = connection->seal.bytes[i];
}

/* What 40 bytes hold (RFC 2018, 3), beside a signature if need be, or the least extension. */
static unsigned sack_blocks_max(const struct tcpct_connection *connection)
{
    bool in_header = connection->md5_key && !(connection->cookie_less && connection->timestamps);
    return (in_header ? 2u : 4u) - connection->timestamps;
}

static void add_sack(const struct tcpct_connection *connection, struct tcp_options *options)
{
    const struct ranges *ranges = &connection->ranges;
    unsigned most = sack_blocks_max(connection);
    bool duplicate = connection->duplicate.start != connection->duplicate.end;
    if (!connection->sack_permitted || (ranges->count == 0 && !duplicate))
        return;
    options->present |= OPTION_SACK;
    options->sack_count = 0;
    if (duplicate) /* the first block tells it (RFC 2883, 4) */
        options->sack[options->sack_count++] = connection->duplicate;
    for (unsigned i = 0; i < ranges->count && options->sack_count < most; i++)
        options->sack[options->sack_count++] = ranges->item[i];
    if (connection->md5_key && connection->timestamps && options->sack_count > 1)
        options->present ^= OPTION_TIMESTAMPS | OPTION_TIMESTAMPS_EXTENDED; /* 8 */
}

/* The Initiator's <ACK(SYN)>, also when it is sent again: the numbers and the echo are those that
 * the cookie was made for, and its TS Value is that of its first transmission. What came in the
 * <SYN,ACK(SYN)> is acknowledged by a short Sack instead (6.3). */
static void make_opening(struct tcpct_connection *connection, struct segment *segment)
{
    struct tcp_options *options = &segment->options;
    if (!connection->opening_sent || connection->snd_nxt == segment->seq)
        connection->opening_timestamp = options->timestamp_value;
    options->timestamp_value = connection->opening_timestamp;
    options->timestamp_echo = connection->responder_timestamp;
    if (connection->confirmed)
        return;
    add_seal(connection, options);
    segment->ack = connection->irs + 1;
    if (connection->sack_permitted && connection->rcv_nxt != segment->ack) {
        options->present |= OPTION_SACK;
        options->sack_count = 1;
        options->sack[0] = (struct sack_block){ .start = segment->ack, .end = connection->rcv_nxt };
    }
}

/* The same, for a Responder that knows the connection again by its own ISN: the acknowledgment and
 * the timestamp that it sent must come back to it. */
static void open_plainly(struct tcpct_connection *connection, struct segment *segment)
{
    segment->ack = connection->irs + 1;
    segment->options.timestamp_echo = connection->responder_timestamp;
    connection->opened_plainly = true;
}

/* RFC 9293, 3.8.6: the window is what the buffer has free; its right edge never moves back, and
 * moves on only by something worth sending (3.8.6.2.2). */
static uint16_t offer_window(struct tcpct_connection *connection)
{
    uint32_t free_bytes = tcb_receive_window(connection);
    uint32_t edge = seq_max(connection->rcv_edge, connection->rcv_nxt + free_bytes);
    if (edge - connection->rcv_edge < min_u32(connection->mss, connection->tune.receive_limit / 2))
        edge = connection->rcv_edge;
    uint32_t field = (edge - connection->rcv_nxt) >> connection->rcv_scale;
    field = min_u32(field, UINT16_MAX);
    connection->rcv_edge =
        seq_max(connection->rcv_edge, connection->rcv_nxt + (field << connection->rcv_scale));
    return (uint16_t)field;
}

void header_begin(struct tcpct_connection *connection, struct segment *segment, uint32_t seq,
                  uint8_t flags, bool has_data, uint64_t now_us)
{
    const struct endpoints *endpoints = &connection->endpoints;
    *segment = (struct segment){
        .source = endpoints->local,
        .destination = endpoints->remote,
        .source_port = endpoints->local_port,
        .destination_port = endpoints->remote_port,
        .seq = seq,
        .ack = connection->rcv_nxt,
        .flags = flags | SEGMENT_ACK,
        .traffic_class = connection->traffic_class,
        .hop_limit = connection->stack->config.hop_limit,
        .window = offer_window(connection),
    };
    struct tcp_options *options = &segment->options;
    if (connection->md5_key) {
        options->present |= OPTION_MD5;
        segment->key = connection->md5_key;
    }
    if (connection->ecn.echo)
        segment->flags |= SEGMENT_ECE;
    if (connection->urgent_queued && seq != connection->iss &&
        seq_lt(seq, connection->snd_up)) { /* RFC 9293, 3.8.5 */
        segment->flags |= SEGMENT_URG;
        segment->urgent = (uint16_t)min_u32(connection->snd_up - seq, UINT16_MAX);
    }
    if (connection->timestamps) {
        options->present |= OPTION_TIMESTAMPS;
        options->timestamp_size = 4;
        options->timestamp_value = tcb_timestamp(connection, now_us);
        options->timestamp_echo = connection->ts_recent;
    }
    add_sack(connection, options);
    if (!connection->pair.size)
        return;
    if (connection->initiator && initiator_opens_plainly(connection)) {
        open_plainly(connection, segment);
        return;
    }
    bool introduction = connection->introducing && seq == connection->introduce_seq;
    bool acknowledges_fin =
        connection->fin_received && (!has_data || connection->last_ack_sent != connection->rcv_nxt);
    if (introduction || acknowledges_fin || (flags & (SEGMENT_FIN | SEGMENT_RST)))
        add_pair(connection, segment);
    if ((acknowledges_fin || flags & SEGMENT_FIN) && !(flags & SEGMENT_RST) &&
        carry_seal(connection, now_us))
        add_seal(connection, options);
    if (introduction && !(flags & SEGMENT_RST)) {
        add_syn_options(connection, options);
        tcb_announce_timeout(connection, options);
        if (connection->initiator && seq == connection->iss + 1 &&
            (has_data || !connection->confirmed))
            make_opening(connection, segment);
    }
    timestamps_widen(connection, options, now_us);
    if (introduction && !(flags & SEGMENT_RST) &&
        !connection->confirmed) /* all options but kind 254 itself */
        connection->opening_extension =
            (uint16_t)(segment_header_size(segment) - ip_header_size(&segment->source) -
                       TCP_HEADER_SIZE - EXTENDED_OPTION_SIZE);
}

/* Everything that we would like; the <SYN,ACK(SYN)> says what is agreed. */
static void propose_options(const struct tcpct_connection *connection, struct segment *segment,
                            uint64_t now_us)
{
    struct tcp_options *options = &segment->options;
    if (connection->stack->config.ecn && connection->syn_tries == 0) /* RFC 3168, 6.1.1.1 */
        segment->flags |= SEGMENT_ECE | SEGMENT_CWR;
    options->present |=
        OPTION_MSS | OPTION_SACK_PERMITTED | OPTION_TIMESTAMPS | OPTION_WINDOW_SCALE;
    options->mss = stack_mss(connection->stack, &connection->endpoints.remote);
    options->window_scale = connection->stack->rcv_scale;
    options->timestamp_size = 4;
    options->timestamp_value = tcb_timestamp(connection, now_us);
    options->timestamp_echo = 0;
    if (!connection->md5_key && !connection->pair.size)
        fastopen_propose(connection, options);
}

/* A.1: beside a Cookie of 14 bytes there is just room for it; beside one of 16, or a signature, it
 * waits for the opening, or is not told. */
static void propose_timeout(const struct tcpct_connection *connection, struct tcp_options *options)
{
    size_t header, extension;
    tcb_announce_timeout(connection, options);
    if (!options_size(options, &header, &extension))
        options->present &= ~(uint32_t)OPTION_USER_TIMEOUT;
}

void header_syn(struct tcpct_connection *connection, struct segment *segment, uint64_t now_us)
{
    struct tcp_options *options = &segment->options;
    header_begin(connection, segment, connection->iss, 0, true, now_us);
    segment->window = (uint16_t)min_u32(tcb_receive_window(connection), UINT16_MAX);
    if (connection->state == TCPCT_SYN_RECEIVED) {
        segment->flags = SEGMENT_SYN | SEGMENT_ACK;
        add_syn_options(connection, options);
    } else {
        segment->flags = SEGMENT_SYN;
        segment->ack = 0;
        propose_options(connection, segment, now_us);
    }
    if (connection->cookie_less)
        options->present |= OPTION_COOKIE_LESS;
    if (connection->pair.size) {
        options->present |= OPTION_COOKIE;
        options->cookie_size = connection->pair.size;
        for (unsigned i = 0; i < connection->pair.size; i++)
            options->initiator_cookie[i] = connection->pair.initiator[i];
    }
    if (connection->state == TCPCT_SYN_SENT)
        propose_timeout(connection, options);
}
