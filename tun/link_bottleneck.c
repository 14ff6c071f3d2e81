/* link_bottleneck.c - the first stage of a link's chain: a queue, first in first out, and what sends from
 * it, at a rate or as a trace says.
 *
 * With drop-tail the time at which a packet will have been sent is known when it comes, so that it runs
 * down the chain at once, and only its bytes are counted until then. CoDel decides at the head of the
 * queue, so packets are held until their turn; link_bottleneck_run makes up for the time since it was
 * called last, at the times at which things happened.
 */
#include "tun/link_stage.h"

#define SECOND_NS UINT64_C(1000000000)

/* Time passes: what was sent no longer waits. */
static void advance(struct bottleneck *bottleneck, uint32_t ring_size, uint64_t now_ns)
{
    while (bottleneck->count > 0 && bottleneck->waiting[bottleneck->first].sent_ns <= now_ns) {
        bottleneck->bytes -= bottleneck->waiting[bottleneck->first].size;
        bottleneck->first = (bottleneck->first + 1) % ring_size;
        bottleneck->count--;
    }
}

static bool is_full(const struct path *path, uint32_t size)
{
    const struct bottleneck *bottleneck = &path->bottleneck;
    const struct link_path *config = &path->config;
    uint32_t count = bottleneck->count + bottleneck->held_count;
    if (count == 0)
        return false;
    return count >= path->link->packets_max ||
           (config->queue_packets > 0 && count >= config->queue_packets) ||
           (config->queue_bytes > 0 && bottleneck->bytes + size > config->queue_bytes);
}

/* When the last bit of a packet will have been sent that may begin at `from_ns`. */
static uint64_t send_from(struct path *path, uint64_t from_ns, uint32_t size)
{
    struct bottleneck *bottleneck = &path->bottleneck;
    if (path->config.trace.count > 0) {
        uint64_t began_ns = path->link->began_ns;
        return began_ns +
               trace_send(&path->config.trace, &bottleneck->place, from_ns - began_ns, size);
    }
    if (path->config.rate == 0) /* it is unlimited since this packet came */
        return from_ns;
    if (from_ns > bottleneck->free_ns)
        bottleneck->remainder = 0;
    uint64_t work = 8 * SECOND_NS * size + bottleneck->remainder;
    bottleneck->remainder = work % path->config.rate;
    return from_ns + work / path->config.rate;
}

static void send_held(struct path *path, uint32_t index, uint64_t from_ns)
{
    struct bottleneck *bottleneck = &path->bottleneck;
    struct packet *packet = &path->link->packets[index];
    bottleneck->free_ns = send_from(path, from_ns, packet->size);
    bottleneck->waiting[(bottleneck->first + bottleneck->count++) % path->link->packets_max] =
        (struct waiting){ bottleneck->free_ns, packet->size };
    packet->at_ns = bottleneck->free_ns;
    link_stages_behind_bottleneck(path, index);
}

/* Whether CoDel wants the packet dropped that has come to the head of the queue. */
static bool codel_wants(struct path *path, const struct packet *packet, uint64_t from_ns)
{
    struct bottleneck *bottleneck = &path->bottleneck;
    const struct codel_packet head = {
        .waited_ns = from_ns - packet->at_ns,
        .leaves_little = bottleneck->held_bytes <= path->link->packet_size_max,
        .dropped = bottleneck->dropped,
    };
    return path->config.codel.interval_us > 0 &&
           codel_drops(&bottleneck->codel, &path->config.codel, &head, from_ns);
}

void link_bottleneck_run(struct path *path, uint64_t now_ns)
{
    struct bottleneck *bottleneck = &path->bottleneck;
    uint32_t ring_size = path->link->packets_max;
    bool waits = path->config.codel.interval_us > 0;
    while (bottleneck->held_count > 0 && (!waits || bottleneck->free_ns <= now_ns)) {
        uint32_t index = bottleneck->held[bottleneck->held_first];
        const struct packet *packet = &path->link->packets[index];
        uint64_t from_ns =
            bottleneck->free_ns > packet->at_ns ? bottleneck->free_ns : packet->at_ns;
        bottleneck->held_first = (bottleneck->held_first + 1) % ring_size;
        bottleneck->held_count--;
        bottleneck->held_bytes -= packet->size;
        if (codel_wants(path, packet, from_ns)) {
            bottleneck->dropped++;
            bottleneck->bytes -= packet->size;
            path->counters.aqm_drops++;
            link_packet_free(path->link, index);
        } else {
            bottleneck->dropped = 0;
            send_held(path, index, from_ns);
        }
    }
}

void link_bottleneck_take(struct path *path, uint32_t index)
{
    struct bottleneck *bottleneck = &path->bottleneck;
    const struct packet *packet = &path->link->packets[index];
    uint32_t ring_size = path->link->packets_max;
    uint64_t now_ns = packet->at_ns;
    link_bottleneck_run(path, now_ns);
    advance(bottleneck, ring_size, now_ns);
    if (is_full(path, packet->size)) {
        path->counters.queue_drops++;
        link_packet_free(path->link, index);
        return;
    }
    bottleneck->held[(bottleneck->held_first + bottleneck->held_count++) % ring_size] = index;
    bottleneck->held_bytes += packet->size;
    bottleneck->bytes += packet->size;
    if (bottleneck->bytes > path->counters.queue_max)
        path->counters.queue_max = bottleneck->bytes;
    link_bottleneck_run(path, now_ns);
}
