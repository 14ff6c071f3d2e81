/* link.c - see link.h for how it works. */
#include "tun/link.h"

#include <stdlib.h>
#include <string.h>

#include "tun/split.h"

enum {
    PACKETS_MAX_DEFAULT = 32768,
    PACKET_SIZE_DEFAULT = 1500,
};
#define RATE_MAX UINT64_C(1000000000000)
#define DELAY_US_MAX UINT64_C(1000000000)
#define SECOND_NS UINT64_C(1000000000)
#define NONE UINT32_MAX

struct packet {
    uint64_t at_ns; /* when it is at this point of the chain */
    uint64_t order; /* of packets with the same time */
    uint32_t size;
    uint32_t next_free;
    uint8_t *bytes;
};

enum stage_number {
    STAGE_BOTTLENECK,
    STAGE_LOSE,
    STAGE_CORRUPT,
    STAGE_DUPLICATE,
    STAGE_REORDER,
    STAGE_DELAY,
    STAGES
};

/* What the bottleneck still holds of one packet. */
struct waiting {
    uint64_t sent_ns; /* when its last bit will have left */
    uint32_t size;
};

struct bottleneck {
    struct waiting *waiting; /* a ring of packets_max */
    uint32_t first, count;
    uint64_t bytes;
    uint64_t free_ns;   /* when the last bit of the last packet will have left ... */
    uint64_t remainder; /* ... plus this over rate nanoseconds */
};

struct path {
    struct link *link;
    struct link_path config;
    struct link_counters counters;
    uint64_t random[STAGES]; /* the generators' states */
    struct bottleneck bottleneck;
    uint32_t *heap; /* of packet indices; the earliest is first */
    uint32_t heap_count;
};

struct link {
    struct path paths[LINK_DIRECTIONS];
    uint32_t packets_max, packet_size_max;
    struct packet *packets;
    uint8_t *bytes; /* packets_max times packet_size_max */
    uint32_t first_free;
    uint64_t order;
};

/* A stage owns the packet that it is given until it passes it on or frees it. */
static void pass_on(struct path *path, enum stage_number from, uint32_t index);

/* ---- chance --------------------------------------------------------------------------------- */

/* SplitMix64 (Steele, Lea, Flood 2014): a counter, well mixed. */
static uint64_t random_next(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

static bool happens(struct path *path, enum stage_number stage, double probability)
{
    if (probability <= 0)
        return false;
    return (double)(random_next(&path->random[stage]) >> 11) < probability * 0x1p53;
}

/* ---- the pool of packets -------------------------------------------------------------------- */

/* NONE if all are in use; counted as lost. */
static uint32_t packet_new(struct path *path)
{
    struct link *link = path->link;
    uint32_t index = link->first_free;
    if (index == NONE)
        path->counters.no_room++;
    else
        link->first_free = link->packets[index].next_free;
    return index;
}

static void packet_free(struct link *link, uint32_t index)
{
    link->packets[index].next_free = link->first_free;
    link->first_free = index;
}

/* ---- stages --------------------------------------------------------------------------------- */

/* Time passes at the bottleneck: what it has sent no longer waits. */
static void bottleneck_advance(struct bottleneck *bottleneck, uint32_t ring_size, uint64_t now_ns)
{
    while (bottleneck->count > 0 && bottleneck->waiting[bottleneck->first].sent_ns <= now_ns) {
        bottleneck->bytes -= bottleneck->waiting[bottleneck->first].size;
        bottleneck->first = (bottleneck->first + 1) % ring_size;
        bottleneck->count--;
    }
}

static bool bottleneck_is_full(const struct path *path, uint32_t size)
{
    const struct bottleneck *bottleneck = &path->bottleneck;
    const struct link_path *config = &path->config;
    if (bottleneck->count == 0)
        return false;
    return bottleneck->count == path->link->packets_max ||
           (config->queue_packets > 0 && bottleneck->count >= config->queue_packets) ||
           (config->queue_bytes > 0 && bottleneck->bytes + size > config->queue_bytes);
}

static void stage_bottleneck(struct path *path, uint32_t index)
{
    struct packet *packet = &path->link->packets[index];
    struct bottleneck *bottleneck = &path->bottleneck;
    uint32_t ring_size = path->link->packets_max;
    if (path->config.rate == 0) {
        pass_on(path, STAGE_BOTTLENECK, index);
        return;
    }
    bottleneck_advance(bottleneck, ring_size, packet->at_ns);
    if (bottleneck_is_full(path, packet->size)) {
        path->counters.queue_drops++;
        packet_free(path->link, index);
        return;
    }
    if (bottleneck->free_ns < packet->at_ns) {
        bottleneck->free_ns = packet->at_ns;
        bottleneck->remainder = 0;
    }
    uint64_t work = 8 * SECOND_NS * packet->size + bottleneck->remainder;
    bottleneck->free_ns += work / path->config.rate;
    bottleneck->remainder = work % path->config.rate;
    bottleneck->waiting[(bottleneck->first + bottleneck->count++) % ring_size] =
        (struct waiting){ bottleneck->free_ns, packet->size };
    bottleneck->bytes += packet->size;
    packet->at_ns = bottleneck->free_ns;
    pass_on(path, STAGE_BOTTLENECK, index);
}

static void stage_lose(struct path *path, uint32_t index)
{
    if (!happens(path, STAGE_LOSE, path->config.loss)) {
        pass_on(path, STAGE_LOSE, index);
        return;
    }
    path->counters.lost++;
    packet_free(path->link, index);
}

/* Flips one bit. */
static void stage_corrupt(struct path *path, uint32_t index)
{
    struct packet *packet = &path->link->packets[index];
    if (happens(path, STAGE_CORRUPT, path->config.corrupt)) {
        uint64_t bit = random_next(&path->random[STAGE_CORRUPT]) % (8 * (uint64_t)packet->size);
        packet->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        path->counters.corrupted++;
    }
    pass_on(path, STAGE_CORRUPT, index);
}

static void stage_duplicate(struct path *path, uint32_t index)
{
    const struct packet *packet = &path->link->packets[index];
    uint32_t twin = NONE;
    if (happens(path, STAGE_DUPLICATE, path->config.duplicate))
        twin = packet_new(path);
    if (twin != NONE) {
        struct packet *copy = &path->link->packets[twin];
        copy->at_ns = packet->at_ns;
        copy->size = packet->size;
        memcpy(copy->bytes, packet->bytes, packet->size);
        path->counters.duplicated++;
    }
    pass_on(path, STAGE_DUPLICATE, index);
    if (twin != NONE)
        pass_on(path, STAGE_DUPLICATE, twin);
}

static void stage_reorder(struct path *path, uint32_t index)
{
    if (happens(path, STAGE_REORDER, path->config.reorder)) {
        path->link->packets[index].at_ns += path->config.reorder_us * 1000;
        path->counters.reordered++;
    }
    pass_on(path, STAGE_REORDER, index);
}

static void stage_delay(struct path *path, uint32_t index)
{
    path->link->packets[index].at_ns += path->config.delay_us * 1000;
    pass_on(path, STAGE_DELAY, index);
}

/* ---- the heap at the end of the chain ------------------------------------------------------- */

static bool is_earlier(const struct link *link, uint32_t a, uint32_t b)
{
    const struct packet *one = &link->packets[a], *other = &link->packets[b];
    return one->at_ns != other->at_ns ? one->at_ns < other->at_ns : one->order < other->order;
}

static void heap_push(struct path *path, uint32_t index)
{
    const struct link *link = path->link;
    uint32_t at = path->heap_count++;
    while (at > 0 && is_earlier(link, index, path->heap[(at - 1) / 2])) {
        path->heap[at] = path->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    path->heap[at] = index;
}

static uint32_t heap_pop(struct path *path)
{
    const struct link *link = path->link;
    uint32_t first = path->heap[0], last = path->heap[--path->heap_count];
    uint32_t at = 0, child;
    while ((child = 2 * at + 1) < path->heap_count) {
        if (child + 1 < path->heap_count &&
            is_earlier(link, path->heap[child + 1], path->heap[child]))
            child++;
        if (!is_earlier(link, path->heap[child], last))
            break;
        path->heap[at] = path->heap[child];
        at = child;
    }
    path->heap[at] = last;
    return first;
}

/* ---- the chain ------------------------------------------------------------------------------ */

static void run_stage(struct path *path, enum stage_number stage, uint32_t index)
{
    static void (*const stages[STAGES])(struct path * path, uint32_t index) = {
        [STAGE_BOTTLENECK] = stage_bottleneck, [STAGE_LOSE] = stage_lose,
        [STAGE_CORRUPT] = stage_corrupt,       [STAGE_DUPLICATE] = stage_duplicate,
        [STAGE_REORDER] = stage_reorder,       [STAGE_DELAY] = stage_delay,
    };
    if (stage < STAGES) {
        stages[stage](path, index);
        return;
    }
    path->link->packets[index].order = path->link->order++;
    heap_push(path, index);
}

static void pass_on(struct path *path, enum stage_number from, uint32_t index)
{
    run_stage(path, from + 1, index);
}

static bool is_probability(double value)
{
    return value >= 0 && value <= 1;
}

static bool path_is_sound(const struct link_path *path)
{
    return path->rate <= RATE_MAX && path->delay_us <= DELAY_US_MAX &&
           path->reorder_us <= DELAY_US_MAX && is_probability(path->loss) &&
           is_probability(path->corrupt) && is_probability(path->duplicate) &&
           is_probability(path->reorder);
}

static bool path_create(struct path *path, struct link *link, const struct link_path *config,
                        uint64_t *seed)
{
    path->link = link;
    path->config = *config;
    for (int stage = 0; stage < STAGES; stage++)
        path->random[stage] = random_next(seed);
    path->heap = calloc(link->packets_max, sizeof *path->heap);
    path->bottleneck.waiting = calloc(link->packets_max, sizeof *path->bottleneck.waiting);
    return path->heap != NULL && path->bottleneck.waiting != NULL && path_is_sound(config);
}

struct link *link_create(const struct link_config *config)
{
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    link->packets_max = config->packets_max != 0 ? config->packets_max : PACKETS_MAX_DEFAULT;
    link->packet_size_max =
        config->packet_size_max != 0 ? config->packet_size_max : PACKET_SIZE_DEFAULT;
    link->packets = calloc(link->packets_max, sizeof *link->packets);
    link->bytes = calloc(link->packets_max, link->packet_size_max);
    uint64_t seed = config->seed;
    bool sound =
        link->packets != NULL && link->bytes != NULL && link->packet_size_max <= TCPCT_PACKET_SIZE;
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        sound = path_create(&link->paths[i], link, &config->paths[i], &seed) && sound;
    if (!sound) {
        link_destroy(link);
        return NULL;
    }
    for (uint32_t i = 0; i < link->packets_max; i++) {
        link->packets[i].bytes = link->bytes + (size_t)i * link->packet_size_max;
        link->packets[i].next_free = i + 1 < link->packets_max ? i + 1 : NONE;
    }
    return link;
}

void link_destroy(struct link *link)
{
    if (link == NULL)
        return;
    for (int i = 0; i < LINK_DIRECTIONS; i++) {
        free(link->paths[i].heap);
        free(link->paths[i].bottleneck.waiting);
    }
    free(link->packets);
    free(link->bytes);
    free(link);
}

void link_packet_in(struct link *link, enum link_direction direction,
                    const struct tcpct_packet *packet, uint64_t now_us)
{
    struct path *path = &link->paths[direction];
    struct split split;
    split_begin(&split, packet);
    while (!split.done) {
        uint32_t index = packet_new(path);
        if (index == NONE)
            return;
        struct packet *entry = &link->packets[index];
        struct tcpct_packet segment = { .data = entry->bytes, .size = link->packet_size_max };
        if (!split_next(&split, &segment) || segment.length == 0) {
            path->counters.no_room++;
            packet_free(link, index);
            return;
        }
        entry->at_ns = now_us * 1000;
        entry->size = (uint32_t)segment.length;
        path->counters.packets_in++;
        path->counters.bytes_in += segment.length;
        run_stage(path, 0, index);
    }
}

bool link_packet_out(struct link *link, enum link_direction direction, struct tcpct_packet *packet,
                     uint64_t now_us)
{
    struct path *path = &link->paths[direction];
    if (path->heap_count == 0 || link->packets[path->heap[0]].at_ns > now_us * 1000)
        return false;
    uint32_t index = heap_pop(path);
    const struct packet *entry = &link->packets[index];
    packet_free(link, index);
    if (entry->size > packet->size) {
        path->counters.no_room++;
        return false;
    }
    memcpy(packet->data, entry->bytes, entry->size);
    packet->length = entry->size;
    packet->segment_size = packet->header_size = 0;
    packet->partial_checksum = false;
    path->counters.packets_out++;
    path->counters.bytes_out += entry->size;
    return true;
}

uint64_t link_deadline(const struct link *link)
{
    uint64_t deadline_us = TCPCT_NEVER;
    for (int i = 0; i < LINK_DIRECTIONS; i++) {
        const struct path *path = &link->paths[i];
        if (path->heap_count == 0)
            continue;
        uint64_t at_us = (link->packets[path->heap[0]].at_ns + 999) / 1000;
        deadline_us = at_us < deadline_us ? at_us : deadline_us;
    }
    return deadline_us;
}

const struct link_counters *link_counters(const struct link *link, enum link_direction direction)
{
    return &link->paths[direction].counters;
}
