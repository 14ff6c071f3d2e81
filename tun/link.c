/* link.c - see link.h for how it works; the stages are in link_stage.c. */
#include "tun/link_stage.h"

#include <stdlib.h>
#include <string.h>

#include "tun/chance.h"
#include "tun/split.h"

enum {
    PACKETS_MAX_DEFAULT = 32768,
    PACKET_SIZE_DEFAULT = 1500,
};
#define RATE_MAX UINT64_C(1000000000000)
#define DELAY_US_MAX UINT64_C(1000000000)

/* ---- the pool of packets -------------------------------------------------------------------- */

uint32_t link_packet_new(struct path *path)
{
    struct link *link = path->link;
    uint32_t index = link->first_free;
    if (index == LINK_NO_PACKET)
        path->counters.no_room++;
    else
        link->first_free = link->packets[index].next_free;
    return index;
}

void link_packet_free(struct link *link, uint32_t index)
{
    link->packets[index].next_free = link->first_free;
    link->first_free = index;
}

/* ---- the heap at the end of the chain ------------------------------------------------------- */

static bool is_earlier(const struct arrival *one, const struct arrival *other)
{
    return one->at_ns != other->at_ns ? one->at_ns < other->at_ns : one->order < other->order;
}

static void heap_push(struct path *path, struct arrival arrival)
{
    uint32_t at = path->heap_count++;
    while (at > 0 && is_earlier(&arrival, &path->heap[(at - 1) / 2])) {
        path->heap[at] = path->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    path->heap[at] = arrival;
}

static uint32_t heap_pop(struct path *path)
{
    uint32_t first = path->heap[0].index;
    struct arrival last = path->heap[--path->heap_count];
    uint32_t at = 0, child;
    while ((child = 2 * at + 1) < path->heap_count) {
        if (child + 1 < path->heap_count && is_earlier(&path->heap[child + 1], &path->heap[child]))
            child++;
        if (!is_earlier(&path->heap[child], &last))
            break;
        path->heap[at] = path->heap[child];
        at = child;
    }
    path->heap[at] = last;
    return first;
}

void link_arrive(struct path *path, uint32_t index)
{
    const uint64_t at_ns = path->link->packets[index].at_ns;
    heap_push(path, (struct arrival){ at_ns, path->link->order++, index });
}

/* ---- a link ---------------------------------------------------------------------------------- */

static bool is_probability(double value)
{
    return value >= 0 && value <= 1;
}

static bool path_is_sound(const struct link_path *path)
{
    return path->rate <= RATE_MAX && path->delay_us <= DELAY_US_MAX &&
           path->jitter_us <= DELAY_US_MAX && path->reorder_us <= DELAY_US_MAX &&
           path->codel.target_us <= DELAY_US_MAX && path->codel.interval_us <= DELAY_US_MAX &&
           (path->trace.count == 0 || trace_is_sound(&path->trace)) &&
           path->drop_count <= LINK_DROPS_MAX && is_probability(path->loss) &&
           is_probability(path->burst_enter) && is_probability(path->burst_leave) &&
           is_probability(path->burst_loss) && is_probability(path->corrupt) &&
           is_probability(path->duplicate) && is_probability(path->reorder);
}

static bool path_create(struct path *path, struct link *link, const struct link_path *config,
                        uint64_t *seed)
{
    path->link = link;
    path->config = *config;
    path->lent = LINK_NO_PACKET;
    for (int stage = 0; stage < STAGES; stage++)
        path->random[stage] = chance_next(seed);
    path->heap = calloc(link->packets_max, sizeof *path->heap);
    path->bottleneck.waiting = calloc(link->packets_max, sizeof *path->bottleneck.waiting);
    path->bottleneck.held = calloc(link->packets_max, sizeof *path->bottleneck.held);
    return path->heap != NULL && path->bottleneck.waiting != NULL &&
           path->bottleneck.held != NULL && path_is_sound(config);
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
    link->scratch = malloc(link->packet_size_max);
    struct middlebox_config box = config->box;
    box.seed = config->seed;
    box.packet_size_max = link->packet_size_max;
    link->box =
        middlebox_create(&box, (const struct middlebox_way *const[]){ &link->paths[0].config.box,
                                                                      &link->paths[1].config.box });
    link->began_ns = TCPCT_NEVER;
    uint64_t seed = config->seed;
    bool sound = link->packets != NULL && link->bytes != NULL && link->scratch != NULL &&
                 link->box != NULL && link->packet_size_max <= TCPCT_PACKET_SIZE;
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        sound = path_create(&link->paths[i], link, &config->paths[i], &seed) && sound;
    if (!sound) {
        link_destroy(link);
        return NULL;
    }
    for (uint32_t i = 0; i < link->packets_max; i++) {
        link->packets[i].bytes = link->bytes + (size_t)i * link->packet_size_max;
        link->packets[i].next_free = i + 1 < link->packets_max ? i + 1 : LINK_NO_PACKET;
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
        free(link->paths[i].bottleneck.held);
    }
    middlebox_destroy(link->box);
    free(link->packets);
    free(link->bytes);
    free(link->scratch);
    free(link);
}

/* Takes what comes out of the box. */
static void enter(void *context, enum link_direction direction, const struct tcpct_packet *packet,
                  uint64_t at_us)
{
    struct link *link = context;
    struct path *path = &link->paths[direction];
    uint32_t index = link_packet_new(path);
    if (index == LINK_NO_PACKET)
        return;
    struct packet *entry = &link->packets[index];
    memcpy(entry->bytes, packet->data, packet->length);
    entry->size = (uint32_t)packet->length;
    entry->at_ns = at_us * 1000;
    link_stages_run(path, index);
}

void link_packet_in(struct link *link, enum link_direction direction,
                    const struct tcpct_packet *packet, uint64_t now_us)
{
    struct path *path = &link->paths[direction];
    struct split split;
    if (link->began_ns == TCPCT_NEVER)
        link->began_ns = now_us * 1000;
    middlebox_tick(link->box, now_us, enter, link);
    split_begin(&split, packet);
    while (!split.done) {
        struct tcpct_packet segment = { .data = link->scratch, .size = link->packet_size_max };
        if (!split_next(&split, &segment) || segment.length == 0) {
            path->counters.no_room++;
            return;
        }
        path->counters.packets_in++;
        path->counters.bytes_in += segment.length;
        middlebox_input(link->box, direction, &segment, now_us, enter, link);
    }
}

bool link_packet_out(struct link *link, enum link_direction direction, struct tcpct_packet *packet,
                     uint64_t now_us)
{
    struct path *path = &link->paths[direction];
    if (path->lent != LINK_NO_PACKET)
        link_packet_free(link, path->lent);
    path->lent = LINK_NO_PACKET;
    middlebox_tick(link->box, now_us, enter, link);
    link_bottleneck_run(path, now_us * 1000);
    if (path->heap_count == 0 || path->heap[0].at_ns > now_us * 1000)
        return false;
    path->lent = heap_pop(path);
    const struct packet *entry = &link->packets[path->lent];
    *packet = (struct tcpct_packet){ .data = entry->bytes,
                                     .length = entry->size,
                                     .size = link->packet_size_max };
    path->counters.packets_out++;
    path->counters.bytes_out += entry->size;
    return true;
}

uint64_t link_deadline(const struct link *link)
{
    uint64_t deadline_us = middlebox_deadline(link->box);
    for (int i = 0; i < LINK_DIRECTIONS; i++) {
        const struct path *path = &link->paths[i];
        uint64_t at_ns = TCPCT_NEVER;
        if (path->bottleneck.held_count > 0)
            at_ns = path->bottleneck.free_ns;
        if (path->heap_count > 0 && path->heap[0].at_ns < at_ns)
            at_ns = path->heap[0].at_ns;
        if (at_ns != TCPCT_NEVER && (at_ns + 999) / 1000 < deadline_us)
            deadline_us = (at_ns + 999) / 1000;
    }
    return deadline_us;
}

bool link_change(struct link *link, enum link_direction direction, const struct link_path *config)
{
    if (!path_is_sound(config))
        return false;
    struct path *path = &link->paths[direction];
    if (config->trace.at_ms != path->config.trace.at_ms)
        path->bottleneck.place = (struct trace_place){ 0 };
    path->config = *config;
    return true;
}

const struct link_counters *link_counters(const struct link *link, enum link_direction direction)
{
    return &link->paths[direction].counters;
}

const struct middlebox_counters *link_box_counters(const struct link *link,
                                                   enum link_direction direction)
{
    return middlebox_counters(link->box, direction);
}
