#include "peers.h"

struct peer *peers_find(struct tcpct_stack *stack, const struct tcpct_address *address)
{
    for (unsigned i = 0; i < PEERS_MAX; i++)
        if (ip_address_equal(&stack->peers[i].address, address))
            return &stack->peers[i];
    return NULL;
}

struct peer *peers_use(struct tcpct_stack *stack, const struct tcpct_address *address,
                       uint64_t now_us)
{
    struct peer *peer = peers_find(stack, address);
    if (!peer) {
        peer = stack->peers;
        for (unsigned i = 1; i < PEERS_MAX; i++)
            if (stack->peers[i].used_us < peer->used_us)
                peer = &stack->peers[i];
        *peer = (struct peer){ .address = *address };
    }
    peer->used_us = now_us;
    return peer;
}
