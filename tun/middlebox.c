/* middlebox.c - see middlebox.h. */
#include "tun/middlebox.h"

#include <stdlib.h>
#include <string.h>

#include "tcpct/segment.h"
#include "tcpct/wire.h"
#include "tun/nat.h"
#include "tun/option_edit.h"
#include "tun/proxy.h"
#include "tun/sequence_shift.h"
#include "tun/split.h"

enum {
    HOLD_US = 1000, /* how long a segment waits for one that follows it */
    ICMP_HEADER_SIZE = 8,
    ICMP_UNREACHABLE = 3, /* RFC 792; code 4: fragmentation needed (RFC 1191) */
    ICMP_CODE_TOO_BIG = 4,
    ICMPV6_TOO_BIG = 2,        /* RFC 4443, 3.2 */
    IPV4_ERROR_SIZE_MAX = 576, /* RFC 1812, 4.3.2.3 */
    IPV6_ERROR_SIZE_MAX = 1280,
    HOP_LIMIT = 64,
};
#define FLOW_IDLE_US UINT64_C(7440000000) /* 2 hours 4 minutes (RFC 5382, REQ-5) */

/* A segment that waits; `packet.data` is its memory. */
struct held {
    bool any;
    struct tcpct_packet packet;
    uint64_t due_us;
};

struct middlebox {
    struct middlebox_config config;
    const struct middlebox_way *ways[LINK_DIRECTIONS];
    struct middlebox_counters counters[LINK_DIRECTIONS];
    struct flows flows;
    uint16_t next_port;
    struct held held[LINK_DIRECTIONS];
    struct proxy *proxy; /* NULL: none */
    bool two_way;        /* asked to do more than a way says */
    uint8_t *scratch;    /* packet_size_max, for packets that the box makes */
};

/* One packet, and where it goes. */
struct visit {
    struct middlebox *box;
    const struct middlebox_way *way;
    struct passing passing;
    middlebox_emit *emit;
    void *context;
};

static struct visit visit_of(struct middlebox *box, enum link_direction direction, uint64_t now_us,
                             middlebox_emit *emit, void *context)
{
    return (struct visit){ .box = box,
                           .way = box->ways[direction],
                           .passing = { .direction = direction, .now_us = now_us },
                           .emit = emit,
                           .context = context };
}

static bool kinds_any(const struct option_kinds *kinds)
{
    return (kinds->bits[0] | kinds->bits[1] | kinds->bits[2] | kinds->bits[3]) != 0;
}

static bool is_syn(const struct passing *passing, bool with_ack)
{
    enum { BOTH = SEGMENT_SYN | SEGMENT_ACK };
    return passing->tcp != NULL &&
           (passing_flags(passing) & BOTH) == (with_ack ? BOTH : SEGMENT_SYN);
}

/* ---- a smaller MTU ------------------------------------------------------------------------------ */

/* Answers as a router would, in the name of the destination. */
static void answer_too_big(struct visit *visit)
{
    const struct passing *passing = &visit->passing;
    bool v6 = passing->ip.source.family == 6;
    struct ip_header ip = { .source = passing->ip.destination,
                            .destination = passing->ip.source,
                            .protocol = v6 ? IP_PROTOCOL_ICMPV6 : IP_PROTOCOL_ICMP,
                            .hop_limit = HOP_LIMIT };
    size_t headers = ip_header_size(&ip.source) + ICMP_HEADER_SIZE;
    size_t room = (v6 ? IPV6_ERROR_SIZE_MAX : IPV4_ERROR_SIZE_MAX) - headers;
    size_t quoted = passing->packet->length < room ? passing->packet->length : room;
    struct tcpct_packet answer = { .data = visit->box->scratch, .length = headers + quoted };
    if (answer.length > visit->box->config.packet_size_max)
        return;
    uint8_t *message = answer.data + ip_encode(&ip, answer.data, ICMP_HEADER_SIZE + quoted);
    memset(message, 0, ICMP_HEADER_SIZE);
    message[0] = v6 ? ICMPV6_TOO_BIG : ICMP_UNREACHABLE;
    message[1] = v6 ? 0 : ICMP_CODE_TOO_BIG;
    wire_put16(message + 6, visit->way->mtu); /* the low half of IPv6's field too */
    memcpy(message + ICMP_HEADER_SIZE, passing->packet->data, quoted);
    passing_icmp_checksum(&ip, message, ICMP_HEADER_SIZE + quoted);
    visit->box->counters[passing->direction].answered++;
    visit->emit(visit->context, !passing->direction, &answer, passing->now_us);
}

static bool check_size(struct visit *visit)
{
    const struct passing *passing = &visit->passing;
    if (visit->way->mtu == 0 || passing->packet->length <= visit->way->mtu)
        return true;
    if (!visit->way->mtu_silent && passing->is_ip && passing->ip.protocol != IP_PROTOCOL_ICMP &&
        passing->ip.protocol != IP_PROTOCOL_ICMPV6)
        answer_too_big(visit);
    return false;
}

/* ---- firewalls ---------------------------------------------------------------------------------- */

static bool refuse_inbound(struct visit *visit)
{
    return !visit->box->config.firewall || visit->passing.direction == LINK_A_TO_B ||
           !is_syn(&visit->passing, false);
}

/* The flow of a TCP segment; a <SYN> makes one. NULL: unknown. */
static struct flow *flow_of(struct visit *visit)
{
    const struct passing *passing = &visit->passing;
    struct flows *flows = &visit->box->flows;
    struct flow_key key = flow_key_of(passing, passing->tcp);
    struct flow *flow = flows_find(flows, &key, passing->now_us);
    if (flow == NULL && is_syn(passing, false))
        flow = flows_add(flows, &key, passing->now_us);
    return flow;
}

static bool translates(const struct visit *visit)
{
    const struct passing *passing = &visit->passing;
    return passing->is_ip && visit->box->config.nat[passing->ip.source.family == 6].family != 0;
}

static bool know(struct visit *visit)
{
    if (visit->box->config.forget_us == 0 || visit->passing.tcp == NULL || translates(visit))
        return true;
    return flow_of(visit) != NULL;
}

static bool lose_syn_data(struct visit *visit)
{
    struct passing *passing = &visit->passing;
    if (passing->tcp == NULL || (passing_flags(passing) & SEGMENT_SYN) == 0 ||
        passing->data_size == 0)
        return true;
    if (visit->way->drop_syn_data)
        return false;
    if (visit->way->strip_syn_data)
        passing_truncate(passing, 0);
    return true;
}

/* ---- options ------------------------------------------------------------------------------------ */

/* Puts them in the header's place, if they differ. Without room the segment stays as it is. */
static void use_options(struct passing *passing, const uint8_t *options, size_t size)
{
    uint8_t *now;
    size_t size_now = passing_options(passing, &now);
    if (size != size_now || memcmp(now, options, size) != 0)
        passing_replace_options(passing, options, size);
}

static bool copy_options(struct visit *visit)
{
    struct passing *passing = &visit->passing;
    const struct option_kinds *kinds = &visit->box->config.copy;
    bool syn = is_syn(passing, false);
    if (!kinds_any(kinds) || (!syn && !is_syn(passing, true)))
        return true;
    struct flow *flow = flow_of(visit);
    uint8_t *options, edited[OPTIONS_SIZE_MAX];
    size_t size = passing_options(passing, &options);
    if (syn) {
        memcpy(flow->syn_options, options, size);
        flow->syn_options_size = size;
    } else if (flow != NULL) {
        size = option_edit_copy(kinds, flow->syn_options, flow->syn_options_size, options, size,
                                edited);
        use_options(passing, edited, size);
    }
    return true;
}

static bool remove_options(struct visit *visit)
{
    struct passing *passing = &visit->passing;
    if (passing->tcp == NULL)
        return true;
    uint8_t *options, edited[OPTIONS_SIZE_MAX];
    size_t size = passing_options(passing, &options);
    if (option_edit_has(&visit->way->drop, options, size))
        return false;
    size = option_edit_remove(visit->way, options, size, edited);
    use_options(passing, edited, size);
    return true;
}

static bool reorder_options(struct visit *visit)
{
    struct passing *passing = &visit->passing;
    if (passing->tcp == NULL || !visit->way->reorder_options)
        return true;
    uint8_t *options, edited[OPTIONS_SIZE_MAX];
    size_t size = passing_options(passing, &options);
    size = option_edit_reverse(options, size, edited);
    use_options(passing, edited, size);
    return true;
}

/* ---- sequence numbers and addresses ------------------------------------------------------------- */

static bool shift_sequence(struct visit *visit)
{
    if (visit->passing.tcp != NULL && visit->box->config.shift_sequence)
        sequence_shift(&visit->passing, visit->box->config.seed);
    return true;
}

static bool translate(struct visit *visit)
{
    struct passing *passing = &visit->passing;
    if (!translates(visit))
        return true;
    const struct tcpct_address *outside = &visit->box->config.nat[passing->ip.source.family == 6];
    return nat_translate(&visit->box->flows, outside, &visit->box->next_port, passing);
}

/* ---- cutting and joining ------------------------------------------------------------------------ */

static void send_out(struct visit *visit)
{
    struct passing *passing = &visit->passing;
    struct tcpct_packet *packet = passing->packet;
    if (visit->way->split == 0 || passing->tcp == NULL || passing->data_size <= visit->way->split ||
        (passing_flags(passing) & SEGMENT_SYN) != 0) {
        visit->emit(visit->context, passing->direction, packet, passing->now_us);
        return;
    }
    struct split split;
    struct tcpct_packet piece = { .data = visit->box->scratch,
                                  .size = visit->box->config.packet_size_max };
    packet->segment_size = visit->way->split;
    visit->box->counters[passing->direction].altered++;
    for (split_begin(&split, packet); split_next(&split, &piece);)
        visit->emit(visit->context, passing->direction, &piece, passing->now_us);
}

/* Sends what is held in a direction. */
static void release(struct middlebox *box, enum link_direction direction, uint64_t now_us,
                    middlebox_emit *emit, void *context)
{
    struct held *held = &box->held[direction];
    if (!held->any)
        return;
    struct visit visit =
        visit_of(box, direction, held->due_us < now_us ? held->due_us : now_us, emit, context);
    visit.passing.packet = &held->packet;
    passing_look(&visit.passing);
    held->any = false;
    send_out(&visit);
}

static bool may_join(const struct passing *passing)
{
    enum { OTHERS = SEGMENT_SYN | SEGMENT_FIN | SEGMENT_RST | SEGMENT_URG | SEGMENT_CWR };
    return passing->tcp != NULL && passing->data_size > 0 && (passing_flags(passing) & OTHERS) == 0;
}

/* Adds the segment to the one held if it is the next of the same connection, with the same options
 * (by sequence numbers and sizes; RFC 6013's extension is a part of the data here). */
static bool join(struct middlebox *box, const struct passing *next)
{
    struct passing first = { .direction = next->direction,
                             .packet = &box->held[next->direction].packet };
    passing_look(&first);
    struct flow_key a = flow_key_of(&first, first.tcp), b = flow_key_of(next, next->tcp);
    size_t length = first.packet->length + next->data_size;
    if (!ip_address_equal(&a.inside, &b.inside) || !ip_address_equal(&a.remote, &b.remote) ||
        a.inside_port != b.inside_port || a.remote_port != b.remote_port ||
        first.header_size != next->header_size ||
        memcmp(first.tcp + TCP_OPTIONS, next->tcp + TCP_OPTIONS, next->header_size - TCP_OPTIONS) !=
            0 ||
        wire_get32(first.tcp + TCP_SEQ) + first.data_size != wire_get32(next->tcp + TCP_SEQ) ||
        length > box->config.packet_size_max)
        return false;
    memcpy(first.tcp + TCP_ACK, next->tcp + TCP_ACK, 4);
    memcpy(first.tcp + TCP_WINDOW, next->tcp + TCP_WINDOW, 2);
    first.tcp[TCP_FLAGS] |= next->tcp[TCP_FLAGS];
    memcpy(first.packet->data + first.packet->length, next->tcp + next->header_size,
           next->data_size);
    passing_truncate(&first, first.data_size + next->data_size);
    passing_finish(&first);
    box->counters[next->direction].altered++;
    return true;
}

static void coalesce_or_send(struct visit *visit)
{
    struct passing *passing = &visit->passing;
    struct held *held = &visit->box->held[passing->direction];
    bool joinable = visit->way->coalesce && may_join(passing);
    if (held->any && joinable && join(visit->box, passing))
        return;
    release(visit->box, passing->direction, passing->now_us, visit->emit, visit->context);
    if (!joinable) {
        send_out(visit);
        return;
    }
    memcpy(held->packet.data, passing->packet->data, passing->packet->length);
    held->packet.length = passing->packet->length;
    held->packet.segment_size = 0;
    held->due_us = passing->now_us + HOLD_US;
    held->any = true;
}

/* ---- a proxy ------------------------------------------------------------------------------------ */

static void run_behaviours(struct visit *visit);

/* What a proxy sends runs through the others, which are all on B's side. */
static void from_proxy(void *context, enum link_direction direction, struct tcpct_packet *packet)
{
    const struct visit *cause = context;
    struct middlebox *box = cause->box;
    struct visit visit =
        visit_of(box, direction, cause->passing.now_us, cause->emit, cause->context);
    packet->size = box->config.packet_size_max;
    if (packet->length > packet->size)
        return;
    visit.passing.packet = packet;
    passing_look(&visit.passing);
    if (direction == LINK_A_TO_B)
        run_behaviours(&visit);
    else
        coalesce_or_send(&visit);
}

/* Whether the packet ends in the proxy. */
static bool terminate(struct visit *visit)
{
    struct proxy *proxy = visit->box->proxy;
    return proxy != NULL && proxy_takes(proxy, &visit->passing, from_proxy, visit);
}

/* ---- the box ------------------------------------------------------------------------------------ */

/* False: the packet is blocked. From inside to outside. */
static bool (*const behaviours[])(struct visit *visit) = {
    refuse_inbound,  know,           lose_syn_data, copy_options, remove_options,
    reorder_options, shift_sequence, translate,
};
enum { BEHAVIOURS = sizeof behaviours / sizeof *behaviours };

static bool way_is_plain(const struct middlebox_way *way)
{
    return way->mtu == 0 && way->split == 0 && !way->reorder_options && !way->drop_syn_data &&
           !way->strip_syn_data && !way->coalesce && !kinds_any(&way->drop) &&
           !kinds_any(&way->strip) && !kinds_any(&way->blank) && !kinds_any(&way->zero);
}

static bool acts_both_ways(const struct middlebox_config *config)
{
    return kinds_any(&config->copy) || config->shift_sequence || config->firewall ||
           config->proxy || config->forget_us != 0 || config->nat[0].family != 0 ||
           config->nat[1].family != 0;
}

static void run_behaviours(struct visit *visit)
{
    struct passing *passing = &visit->passing;
    struct middlebox_counters *counters = &visit->box->counters[passing->direction];
    for (int i = 0; i < BEHAVIOURS; i++)
        if (!behaviours[passing->direction == LINK_A_TO_B ? i : BEHAVIOURS - 1 - i](visit)) {
            counters->blocked++;
            return;
        }
    counters->altered += passing->altered;
    passing_finish(passing);
    if (passing->direction == LINK_A_TO_B || !terminate(visit))
        coalesce_or_send(visit);
}

void middlebox_input(struct middlebox *box, enum link_direction direction,
                     struct tcpct_packet *packet, uint64_t now_us, middlebox_emit *emit,
                     void *context)
{
    if (way_is_plain(box->ways[direction]) && !box->two_way && !box->held[direction].any) {
        emit(context, direction, packet, now_us);
        return;
    }
    struct visit visit = visit_of(box, direction, now_us, emit, context);
    visit.passing.packet = packet;
    passing_look(&visit.passing);
    if (!check_size(&visit))
        box->counters[direction].blocked++;
    else if (direction == LINK_B_TO_A || !terminate(&visit))
        run_behaviours(&visit);
}

void middlebox_tick(struct middlebox *box, uint64_t now_us, middlebox_emit *emit, void *context)
{
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        if (box->held[i].any && box->held[i].due_us <= now_us)
            release(box, (enum link_direction)i, now_us, emit, context);
    struct visit visit = visit_of(box, LINK_A_TO_B, now_us, emit, context);
    if (box->proxy != NULL)
        proxy_tick(box->proxy, now_us, from_proxy, &visit);
}

uint64_t middlebox_deadline(const struct middlebox *box)
{
    uint64_t deadline_us = box->proxy != NULL ? proxy_deadline(box->proxy) : TCPCT_NEVER;
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        if (box->held[i].any && box->held[i].due_us < deadline_us)
            deadline_us = box->held[i].due_us;
    return deadline_us;
}

const struct middlebox_counters *middlebox_counters(const struct middlebox *box,
                                                    enum link_direction direction)
{
    return &box->counters[direction];
}

struct middlebox *middlebox_create(const struct middlebox_config *config,
                                   const struct middlebox_way *const ways[LINK_DIRECTIONS])
{
    struct middlebox *box = calloc(1, sizeof *box);
    if (box == NULL)
        return NULL;
    box->config = *config;
    box->two_way = acts_both_ways(config);
    box->flows.idle_us = config->forget_us != 0 ? config->forget_us : FLOW_IDLE_US;
    box->scratch = malloc(3 * (size_t)config->packet_size_max);
    if (config->proxy)
        box->proxy = proxy_create(config->seed, (uint16_t)config->packet_size_max, box->counters);
    if (box->scratch == NULL || (config->proxy && box->proxy == NULL)) {
        middlebox_destroy(box);
        return NULL;
    }
    memcpy(box->ways, ways, sizeof box->ways);
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        box->held[i].packet =
            (struct tcpct_packet){ .data = box->scratch + (i + 1) * config->packet_size_max,
                                   .size = config->packet_size_max };
    return box;
}

void middlebox_destroy(struct middlebox *box)
{
    if (box == NULL)
        return;
    proxy_destroy(box->proxy);
    free(box->scratch);
    free(box);
}
