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
    struct peer *oldest = stack->peers;
    for (unsigned i = 0; i < PEERS_MAX; i++) {
        struct peer *peer = &stack->peers[i];
        if (ip_address_equal(&peer->address, address)) {
            peer->used_us = now_us;
            return peer;
        }
        if (peer->used_us < oldest->used_us)
            oldest = peer;
    }
    *oldest = (struct peer){ .address = *address, .used_us = now_us };
    return oldest;
}
