/* codel.c - the pseudo-code of RFC 8289, 5.5, a packet at a time. */
#include "tun/codel.h"

#include <math.h>

enum {
    NEAR_INTERVALS = 16
}; /* dropping that begins again so soon goes on at nearly the old pace */

/* The time of the next drop: the more there were, the sooner (5.3). */
static uint64_t control_law(const struct codel_config *config, uint64_t from_ns, uint32_t count)
{
    return from_ns + (uint64_t)(1000 * (double)config->interval_us / sqrt(count));
}

/* dodequeue's ok_to_drop: packets have waited too long for a whole interval. */
static bool waits_too_long(struct codel *codel, const struct codel_config *config,
                           const struct codel_packet *packet, uint64_t now_ns)
{
    if (packet->waited_ns < config->target_us * 1000 || packet->leaves_little) {
        codel->first_above_ns = 0;
        return false;
    }
    if (codel->first_above_ns == 0)
        codel->first_above_ns = now_ns + config->interval_us * 1000;
    return now_ns >= codel->first_above_ns;
}

static void begin_to_drop(struct codel *codel, const struct codel_config *config, uint64_t now_ns)
{
    uint32_t delta = codel->count - codel->last_count;
    bool near = now_ns < codel->drop_next_ns + NEAR_INTERVALS * config->interval_us * 1000;
    codel->dropping = true;
    codel->count = delta > 1 && near ? delta : 1;
    codel->last_count = codel->count;
    codel->drop_next_ns = control_law(config, now_ns, codel->count);
}

bool codel_drops(struct codel *codel, const struct codel_config *config,
                 const struct codel_packet *packet, uint64_t now_ns)
{
    if (!waits_too_long(codel, config, packet, now_ns)) {
        codel->dropping = false;
        return false;
    }
    if (!codel->dropping) {
        begin_to_drop(codel, config, now_ns);
        return true;
    }
    /* Behind a drop that was due, the next one is known only now that this packet waited as long. */
    if (packet->dropped > 0 && now_ns >= codel->drop_next_ns)
        codel->drop_next_ns = control_law(config, codel->drop_next_ns, codel->count);
    if (now_ns < codel->drop_next_ns)
        return false;
    codel->count++;
    return true;
}
