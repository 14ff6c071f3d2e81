#include "demux.h"

#include <string.h>

static uint32_t bucket_of(const struct tcpct_stack *stack, const struct endpoints *endpoints)
{
    uint32_t hash = stack->bucket_seed;
    uint32_t words[8];
    memcpy(words, endpoints->remote.bytes, 16);
    memcpy(words + 4, endpoints->local.bytes, 16);
    hash = hash_mix(hash, (uint32_t)endpoints->remote_port << 16 | endpoints->local_port);
    unsigned used = endpoints->remote.family == 4 ? 1 : 4;
    for (unsigned i = 0; i < used; i++)
        hash = hash_mix(hash_mix(hash, words[i]), words[4 + i]);
    return hash & stack->bucket_mask;
}

bool demux_same(const struct endpoints *a, const struct endpoints *b)
{
    return a->remote_port == b->remote_port && a->local_port == b->local_port &&
           ip_address_equal(&a->remote, &b->remote) && ip_address_equal(&a->local, &b->local);
}

struct tcpct_connection *demux_find(const struct tcpct_stack *stack,
                                    const struct endpoints *endpoints)
{
    struct tcpct_connection *connection = stack->buckets[bucket_of(stack, endpoints)];
    while (connection && !demux_same(&connection->endpoints, endpoints))
        connection = connection->hash_next;
    return connection;
}

struct tcpct_connection *demux_older(const struct tcpct_connection *connection)
{
    struct tcpct_connection *older = connection->hash_next;
    while (older && !demux_same(&older->endpoints, &connection->endpoints))
        older = older->hash_next;
    return older;
}

void demux_add(struct tcpct_stack *stack, struct tcpct_connection *connection)
{
    struct tcpct_connection **bucket = &stack->buckets[bucket_of(stack, &connection->endpoints)];
    connection->hash_next = *bucket;
    *bucket = connection;
}

void demux_remove(struct tcpct_stack *stack, struct tcpct_connection *connection)
{
    struct tcpct_connection **link = &stack->buckets[bucket_of(stack, &connection->endpoints)];
    while (*link != connection)
        link = &(*link)->hash_next;
    *link = connection->hash_next;
    connection->hash_next = NULL;
}

struct tcpct_listener *demux_listener(const struct tcpct_stack *stack,
                                      const struct tcpct_address *address, uint16_t port)
{
    struct tcpct_listener *any = NULL;
    for (struct tcpct_listener *listener = stack->listeners; listener; listener = listener->next) {
        if (listener->options.port != port)
            continue;
        if (listener->options.address.family == 0)
            any = listener;
        else if (ip_address_equal(&listener->options.address, address))
            return listener;
    }
    return any;
}

struct endpoints demux_endpoints(const struct segment *segment)
{
    return (struct endpoints){
        .local = segment->destination,
        .remote = segment->source,
        .local_port = segment->destination_port,
        .remote_port = segment->source_port,
    };
}
