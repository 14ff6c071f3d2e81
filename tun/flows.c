/* flows.c - see flows.h. */
#include "tun/flows.h"

#include "tcpct/wire.h"

struct flow_key flow_key_of(const struct passing *passing, const uint8_t *transport)
{
    const struct ip_header *ip = &passing->ip;
    uint16_t source = wire_get16(transport + TCP_SOURCE_PORT);
    uint16_t destination = wire_get16(transport + TCP_DESTINATION_PORT);
    if (passing->direction == LINK_A_TO_B)
        return (struct flow_key){ ip->source, ip->destination, source, destination, ip->protocol };
    return (struct flow_key){ ip->destination, ip->source, destination, source, ip->protocol };
}

static bool same_remote(const struct flow_key *a, const struct flow_key *b)
{
    return a->protocol == b->protocol && a->remote_port == b->remote_port &&
           ip_address_equal(&a->remote, &b->remote);
}

static bool same(const struct flow_key *a, const struct flow_key *b)
{
    return same_remote(a, b) && a->inside_port == b->inside_port &&
           ip_address_equal(&a->inside, &b->inside);
}

/* NULL if it is forgotten. */
static struct flow *use(const struct flows *flows, struct flow *flow, uint64_t now_us)
{
    if (now_us - flow->last_us > flows->idle_us) {
        *flow = (struct flow){ 0 };
        return NULL;
    }
    flow->last_us = now_us;
    return flow;
}

struct flow *flows_find(struct flows *flows, const struct flow_key *key, uint64_t now_us)
{
    for (size_t i = 0; i < FLOWS_MAX; i++)
        if (same(&flows->entries[i].key, key))
            return use(flows, &flows->entries[i], now_us);
    return NULL;
}

static const struct flow *from_outside(const struct flows *flows, const struct flow_key *key)
{
    for (size_t i = 0; i < FLOWS_MAX; i++) {
        const struct flow *flow = &flows->entries[i];
        if (flow->outside_port == key->inside_port && same_remote(&flow->key, key))
            return flow;
    }
    return NULL;
}

struct flow *flows_find_outside(struct flows *flows, const struct flow_key *key, uint64_t now_us)
{
    const struct flow *flow = from_outside(flows, key);
    return flow != NULL ? use(flows, &flows->entries[flow - flows->entries], now_us) : NULL;
}

bool flows_port_is_taken(const struct flows *flows, const struct flow_key *key)
{
    return from_outside(flows, key) != NULL;
}

struct flow *flows_add(struct flows *flows, const struct flow_key *key, uint64_t now_us)
{
    struct flow *oldest = &flows->entries[0];
    for (size_t i = 0; i < FLOWS_MAX && oldest->key.protocol != 0; i++) {
        struct flow *flow = &flows->entries[i];
        if (flow->key.protocol == 0 || flow->last_us < oldest->last_us)
            oldest = flow;
    }
    *oldest = (struct flow){ .key = *key, .last_us = now_us };
    return oldest;
}
