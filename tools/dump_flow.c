/* dump_flow.c - the connections of a capture, and how many round trips each took.
 *
 * Round trips are counted by causality, for a capture taken at the client. A client's packet
 * knows every server's packet that arrived before it; a server's packet that arrives at t may
 * know what the client sent up to one round trip before t (0.9 of the smallest is enough, since
 * clocks and queues are not exact):
 *
 *     depth(client's packet at t) = max depth of the server's packets before t, 0 if none
 *     depth(server's packet) = 1 + max depth of the client's packets that the server knew: those
 *         whose timestamp, or a later one, it echoes; without timestamps, those that had left 0.9
 *         min RTT before it came
 *
 * The round trips of an answer are the depth of the server's packet that completed its data.
 */
#include "tools/dump.h"

#include <stdlib.h>
#include <string.h>

#include "tcpct/ip.h"
#include "tcpct/seq.h"

enum {
    BUCKETS = 1 << 14,
    RANGES_MAX = 1024, /* of data with holes between them; a real capture has a few */
};

/* One packet of a connection, as far as causality needs it. */
struct step {
    int64_t time_us;
    uint32_t start, size; /* the server's data: relative sequence numbers */
    bool timestamps;
    uint32_t timestamp, echo;
    enum dump_side side;
    unsigned depth;
};

struct range {
    uint32_t start, end;
};

struct dump_flow {
    struct dump_flow *next_in_bucket, *next_in_time;
    size_t bucket;
    struct dump_summary summary;
    struct dump_state state;
    uint32_t initial_seq[2];
    bool initial_known[2];
    bool syn_cookie, syn_ack_cookie; /* the option was there */
    bool finished;                   /* the server has sent FIN or RST, or the whole answer */
    int64_t syn_us;                  /* the latest <SYN>; -1: none */
    struct step *steps;
    size_t step_count, step_room;
};

struct dump_flows {
    struct dump_flow *buckets[BUCKETS];
    struct dump_flow *first, **last; /* in time */
    unsigned count;                  /* that began */
    size_t kept, limit;
};

struct dump_flows *dump_flows_create(size_t limit)
{
    struct dump_flows *flows = calloc(1, sizeof *flows);
    if (flows != NULL) {
        flows->last = &flows->first;
        flows->limit = limit;
    }
    return flows;
}

void dump_flows_destroy(struct dump_flows *flows)
{
    if (flows == NULL)
        return;
    struct dump_flow *next;
    for (struct dump_flow *flow = flows->first; flow != NULL; flow = next) {
        next = flow->next_in_time;
        free(flow->steps);
        free(flow);
    }
    free(flows);
}

uint32_t dump_flow_relative(const struct dump_flow *flow, enum dump_side side, uint32_t number)
{
    return flow->initial_known[side] ? number - flow->initial_seq[side] : number;
}

const struct dump_state *dump_flow_state(const struct dump_flow *flow)
{
    return &flow->state;
}

unsigned dump_flow_number(const struct dump_flow *flow)
{
    return flow->summary.number;
}

/* ---- which connection ------------------------------------------------------------------------- */

/* The same for both directions. */
static size_t bucket_of(const struct segment *segment)
{
    uint32_t hash = (uint32_t)(segment->source_port ^ segment->destination_port) * 2654435761u;
    for (size_t i = 0; i < sizeof segment->source.bytes; i++)
        hash += (uint32_t)(segment->source.bytes[i] + segment->destination.bytes[i]) *
                (uint32_t)(i * 2246822519u + 3266489917u);
    return (hash ^ hash >> 15) % BUCKETS;
}

static bool sent_by(const struct dump_flow *flow, enum dump_side side,
                    const struct segment *segment)
{
    const struct dump_summary *summary = &flow->summary;
    return segment->source_port == summary->port[side] &&
           segment->destination_port == summary->port[!side] &&
           ip_address_equal(&segment->source, &summary->address[side]) &&
           ip_address_equal(&segment->destination, &summary->address[!side]);
}

static bool is_opening(const struct segment *segment)
{
    return !(segment->flags & (SEGMENT_SYN | SEGMENT_RST)) && segment->data_size > 0 &&
           segment->options.present & OPTION_COOKIE_PAIR;
}

/* Does the client's segment begin another connection between the same ports? */
static bool begins_anew(const struct dump_flow *flow, const struct segment *segment)
{
    if ((segment->flags & (SEGMENT_SYN | SEGMENT_ACK)) == SEGMENT_SYN)
        return segment->seq != flow->initial_seq[DUMP_CLIENT];
    return flow->finished && is_opening(segment) &&
           dump_flow_relative(flow, DUMP_CLIENT, segment->seq) == 1;
}

/* The oldest one leaves. */
static void forget_first(struct dump_flows *flows)
{
    struct dump_flow *flow = flows->first, **link = &flows->buckets[flow->bucket];
    while (*link != flow)
        link = &(*link)->next_in_bucket;
    *link = flow->next_in_bucket;
    flows->first = flow->next_in_time;
    if (flows->first == NULL)
        flows->last = &flows->first;
    free(flow->steps);
    free(flow);
    flows->kept--;
}

/* Who is the client, when the first packet seen is this one. */
static enum dump_side side_of_first(const struct segment *segment)
{
    if (segment->flags & SEGMENT_SYN)
        return segment->flags & SEGMENT_ACK ? DUMP_SERVER : DUMP_CLIENT;
    return segment->source_port < segment->destination_port ? DUMP_SERVER : DUMP_CLIENT;
}

static struct dump_flow *flow_create(struct dump_flows *flows, const struct dump_packet *packet,
                                     enum dump_side side, const struct dump_flow *before)
{
    const struct segment *segment = &packet->segment;
    struct dump_flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL)
        return NULL;
    flow->summary = (struct dump_summary){
        .number = ++flows->count, .start_us = packet->time_us, .answered_us = -1, .min_rtt_us = -1
    };
    flow->summary.address[side] = segment->source;
    flow->summary.address[!side] = segment->destination;
    flow->summary.port[side] = segment->source_port;
    flow->summary.port[!side] = segment->destination_port;
    flow->syn_us = -1;
    if (is_opening(segment)) {
        flow->summary.mode = DUMP_RESTART;
        dump_state_restart(&flow->state, before != NULL ? &before->state : NULL);
        flow->initial_known[side] = flow->initial_known[!side] = true;
        flow->initial_seq[side] = segment->seq - 1;
        flow->initial_seq[!side] = segment->ack - 1;
    }
    flow->bucket = bucket_of(segment);
    flow->next_in_bucket = flows->buckets[flow->bucket];
    flows->buckets[flow->bucket] = flow;
    *flows->last = flow;
    flows->last = &flow->next_in_time;
    if (++flows->kept > flows->limit && flows->limit > 0)
        forget_first(flows);
    return flow;
}

static struct dump_flow *flow_find(struct dump_flows *flows, const struct dump_packet *packet,
                                   enum dump_side *side)
{
    const struct segment *segment = &packet->segment;
    struct dump_flow *flow = flows->buckets[bucket_of(segment)];
    for (; flow != NULL; flow = flow->next_in_bucket) {
        if (sent_by(flow, DUMP_CLIENT, segment)) {
            *side = DUMP_CLIENT;
            if (!begins_anew(flow, segment))
                return flow;
            break;
        }
        if (sent_by(flow, DUMP_SERVER, segment)) {
            *side = DUMP_SERVER;
            return flow;
        }
    }
    if (flow == NULL)
        *side = side_of_first(segment);
    return flow_create(flows, packet, *side, flow);
}

/* ---- what a packet tells ---------------------------------------------------------------------- */

static void take_syn(struct dump_flow *flow, const struct dump_packet *packet)
{
    const struct segment *segment = &packet->segment;
    flow->syn_us = packet->time_us;
    flow->syn_cookie = segment->options.present & (OPTION_COOKIE | OPTION_COOKIE_LESS);
    if (segment->options.present & OPTION_FAST_OPEN && segment->data_size > 0)
        flow->summary.mode = DUMP_FAST_OPEN;
}

static void take_syn_ack(struct dump_flow *flow, const struct dump_packet *packet)
{
    const struct segment *segment = &packet->segment;
    struct dump_summary *summary = &flow->summary;
    if (flow->syn_us >= 0 && summary->min_rtt_us < 0)
        summary->min_rtt_us = packet->time_us - flow->syn_us;
    flow->syn_ack_cookie = segment->options.present & (OPTION_COOKIE | OPTION_COOKIE_LESS);
    if (flow->syn_cookie && flow->syn_ack_cookie)
        summary->mode = segment->data_size > 0 ? DUMP_SYN_DATA : DUMP_COLD;
    if (summary->mode == DUMP_SYN_DATA && dump_flow_relative(flow, DUMP_CLIENT, segment->ack) > 1)
        flow->finished =
            true; /* RFC 6013, 6.2: the request is accepted with the whole answer only */
}

static bool add_step(struct dump_flow *flow, const struct step *step)
{
    if (flow->step_count == flow->step_room) {
        size_t room = flow->step_room == 0 ? 16 : 2 * flow->step_room;
        struct step *steps = realloc(flow->steps, room * sizeof *steps);
        if (steps == NULL)
            return false;
        flow->steps = steps;
        flow->step_room = room;
    }
    flow->steps[flow->step_count++] = *step;
    return true;
}

struct dump_flow *dump_flows_take(struct dump_flows *flows, const struct dump_packet *packet,
                                  enum dump_side *side)
{
    const struct segment *segment = &packet->segment;
    struct dump_flow *flow = flow_find(flows, packet, side);
    if (flow == NULL)
        return NULL;
    struct dump_summary *summary = &flow->summary;
    bool syn = segment->flags & SEGMENT_SYN;
    if (!flow->initial_known[*side]) {
        flow->initial_known[*side] = true;
        flow->initial_seq[*side] = syn ? segment->seq : segment->seq - 1;
    }
    if (syn && *side == DUMP_CLIENT)
        take_syn(flow, packet);
    else if (syn)
        take_syn_ack(flow, packet);
    else if (summary->min_rtt_us < 0 && *side == DUMP_SERVER && summary->mode == DUMP_RESTART)
        summary->min_rtt_us = packet->time_us - summary->start_us;
    dump_state_take(&flow->state, segment, *side);
    summary->packets[*side]++;
    summary->bytes[*side] += packet->size;
    if (*side == DUMP_SERVER && segment->flags & (SEGMENT_FIN | SEGMENT_RST))
        flow->finished = true;

    struct step step = { .time_us = packet->time_us,
                         .side = *side,
                         .timestamps = segment->options.present &
                                       (OPTION_TIMESTAMPS | OPTION_TIMESTAMPS_EXTENDED),
                         .timestamp = segment->options.timestamp_value,
                         .echo = segment->options.timestamp_echo,
                         .start = dump_flow_relative(flow, *side, segment->seq + syn),
                         .size = segment->data_size };
    return flows->limit > 0 || add_step(flow, &step) ? flow : NULL;
}

/* ---- the end ---------------------------------------------------------------------------------- */

/* Whether the server knew the client's packet when it sent `step`: it echoes its timestamp, or a
 * later one; without timestamps, the packet had left most of a round trip before. */
static bool was_known(const struct dump_flow *flow, const struct step *step,
                      const struct step *packet)
{
    if (step->timestamps && packet->timestamps)
        return seq_leq(packet->timestamp, step->echo);
    int64_t rtt_us = flow->summary.min_rtt_us > 0 ? flow->summary.min_rtt_us : 0;
    return packet->time_us <= step->time_us - rtt_us * 9 / 10;
}

static void count_depths(struct dump_flow *flow)
{
    unsigned known_to_client = 0, known_to_server = 0;
    uint32_t counted = 0; /* the timestamp of the last packet that was counted */
    size_t arrived = 0;   /* the client's packets before this one are known to the server */
    for (size_t i = 0; i < flow->step_count; i++) {
        struct step *step = &flow->steps[i];
        if (step->side == DUMP_CLIENT) {
            step->depth = known_to_client;
            continue;
        }
        for (; arrived < i; arrived++) {
            const struct step *packet = &flow->steps[arrived];
            if (packet->side != DUMP_CLIENT)
                continue;
            if (!was_known(flow, step, packet))
                break;
            /* Of packets with one timestamp, only the first is sure to have arrived. */
            if (!packet->timestamps || packet->timestamp != counted || known_to_server == 0)
                known_to_server = max_u32(known_to_server, packet->depth);
            counted = packet->timestamp;
        }
        step->depth = known_to_server + 1;
        known_to_client = max_u32(known_to_client, step->depth);
    }
}

/* Adds a range to a sorted list of disjoint ones, in place; returns how many there are now. */
static size_t range_add(struct range *ranges, size_t count, struct range added)
{
    size_t first = 0;
    while (first < count && ranges[first].end < added.start)
        first++;
    size_t after = first;
    for (; after < count && ranges[after].start <= added.end; after++) {
        added.start = min_u32(added.start, ranges[after].start);
        added.end = max_u32(added.end, ranges[after].end);
    }
    memmove(ranges + first + 1, ranges + after, (count - after) * sizeof *ranges);
    ranges[first] = added;
    return count - (after - first) + 1;
}

/* Follows one side's data: how many bytes, and which step brought the last that was missing. */
static void count_data(struct dump_flow *flow, enum dump_side side)
{
    struct dump_summary *summary = &flow->summary;
    struct range ranges[RANGES_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < flow->step_count; i++) {
        const struct step *step = &flow->steps[i];
        uint32_t end = step->start + step->size;
        if (step->side != side || end <= step->start || count == RANGES_MAX)
            continue;
        count = range_add(ranges, count, (struct range){ step->start, end });
        uint64_t data = 0;
        for (size_t k = 0; k < count; k++)
            data += ranges[k].end - ranges[k].start;
        if (data == summary->data[side])
            continue;
        summary->data[side] = data;
        if (side == DUMP_SERVER) {
            summary->round_trips = step->depth;
            summary->answered_us = step->time_us - summary->start_us;
        }
    }
}

const char *dump_mode_text(enum dump_mode mode)
{
    static const char *const texts[] = { [DUMP_PLAIN] = "plain",
                                         [DUMP_COLD] = "cold",
                                         [DUMP_SYN_DATA] = "syn-data",
                                         [DUMP_RESTART] = "restart",
                                         [DUMP_FAST_OPEN] = "fastopen" };
    return texts[mode];
}

void dump_flows_each(struct dump_flows *flows,
                     void (*each)(void *context, const struct dump_summary *summary), void *context)
{
    for (struct dump_flow *flow = flows->first; flow != NULL; flow = flow->next_in_time) {
        count_depths(flow);
        count_data(flow, DUMP_CLIENT);
        count_data(flow, DUMP_SERVER);
        each(context, &flow->summary);
    }
}
