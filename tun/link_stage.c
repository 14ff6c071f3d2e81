/* link_stage.c - the stages of a link's chain, each a few lines, in the order of the table at the
 * end. A stage owns the packet that it is given until it passes it on or frees it.
 */
#include "tun/link_stage.h"

#include <string.h>

#include "tun/chance.h"

static void pass_on(struct path *path, enum stage_number from, uint32_t index);

static bool happens(struct path *path, enum stage_number stage, double probability)
{
    return chance_happens(&path->random[stage], probability);
}

static void stage_bottleneck(struct path *path, uint32_t index)
{
    if (path->config.rate == 0 && path->config.trace.count == 0)
        link_stages_behind_bottleneck(path, index);
    else
        link_bottleneck_take(path, index);
}

/* Whether the script, which counts from 1, has this packet lost. */
static bool is_scripted(const struct link_path *config, uint64_t number)
{
    for (size_t i = 0; i < config->drop_count; i++)
        if (number >= config->drops[i].first && number <= config->drops[i].last)
            return true;
    return false;
}

/* The Gilbert-Elliott model: two states, each with a probability of loss. The script first, so that
 * it changes no dice. */
static void stage_lose(struct path *path, uint32_t index)
{
    const struct link_path *config = &path->config;
    bool lost = is_scripted(config, ++path->number);
    if (happens(path, STAGE_LOSE, path->in_burst ? config->burst_leave : config->burst_enter))
        path->in_burst = !path->in_burst;
    if (happens(path, STAGE_LOSE, path->in_burst ? config->burst_loss : config->loss))
        lost = true;
    if (!lost) {
        pass_on(path, STAGE_LOSE, index);
        return;
    }
    path->counters.lost++;
    link_packet_free(path->link, index);
}

/* Flips one bit. */
static void stage_corrupt(struct path *path, uint32_t index)
{
    struct packet *packet = &path->link->packets[index];
    if (happens(path, STAGE_CORRUPT, path->config.corrupt)) {
        uint64_t bit = chance_next(&path->random[STAGE_CORRUPT]) % (8 * (uint64_t)packet->size);
        packet->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        path->counters.corrupted++;
    }
    pass_on(path, STAGE_CORRUPT, index);
}

static void stage_duplicate(struct path *path, uint32_t index)
{
    const struct packet *packet = &path->link->packets[index];
    uint32_t twin = LINK_NO_PACKET;
    if (happens(path, STAGE_DUPLICATE, path->config.duplicate))
        twin = link_packet_new(path);
    if (twin != LINK_NO_PACKET) {
        struct packet *copy = &path->link->packets[twin];
        copy->at_ns = packet->at_ns;
        copy->size = packet->size;
        memcpy(copy->bytes, packet->bytes, packet->size);
        path->counters.duplicated++;
    }
    pass_on(path, STAGE_DUPLICATE, index);
    if (twin != LINK_NO_PACKET)
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

/* Jitter adds to the delay and keeps the order, as a queue elsewhere would. */
static void stage_delay(struct path *path, uint32_t index)
{
    struct packet *packet = &path->link->packets[index];
    packet->at_ns += path->config.delay_us * 1000;
    if (path->config.jitter_us > 0) {
        packet->at_ns +=
            chance_next(&path->random[STAGE_DELAY]) % (path->config.jitter_us * 1000 + 1);
        if (packet->at_ns < path->jitter_ns)
            packet->at_ns = path->jitter_ns;
        path->jitter_ns = packet->at_ns;
    }
    pass_on(path, STAGE_DELAY, index);
}

static void run_stage(struct path *path, enum stage_number stage, uint32_t index)
{
    static void (*const stages[STAGES])(struct path * path, uint32_t index) = {
        [STAGE_BOTTLENECK] = stage_bottleneck, [STAGE_LOSE] = stage_lose,
        [STAGE_CORRUPT] = stage_corrupt,       [STAGE_DUPLICATE] = stage_duplicate,
        [STAGE_REORDER] = stage_reorder,       [STAGE_DELAY] = stage_delay,
    };
    if (stage < STAGES)
        stages[stage](path, index);
    else
        link_arrive(path, index);
}

static void pass_on(struct path *path, enum stage_number from, uint32_t index)
{
    run_stage(path, from + 1, index);
}

void link_stages_run(struct path *path, uint32_t index)
{
    run_stage(path, 0, index);
}

void link_stages_behind_bottleneck(struct path *path, uint32_t index)
{
    pass_on(path, STAGE_BOTTLENECK, index);
}
