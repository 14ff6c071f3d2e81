/* flows.h - the connections that a middlebox remembers: a bounded table, in which idle ones are
 * forgotten, and the one idle for longest makes room for a new one.
 */
#ifndef TUN_FLOWS_H
#define TUN_FLOWS_H

#include "tcpct/options.h"
#include "tun/passing.h"

enum { FLOWS_MAX = 1024 };

struct flow_key {
    struct tcpct_address inside, remote;
    uint16_t inside_port, remote_port;
    uint8_t protocol; /* 0: an unused entry */
};

struct flow {
    struct flow_key key;
    uint64_t last_us;      /* when a packet of it passed */
    uint16_t outside_port; /* in place of inside_port, if it is translated; else 0 */
    uint8_t syn_options[OPTIONS_SIZE_MAX];
    size_t syn_options_size;
};

struct flows {
    uint64_t idle_us; /* forgotten if idle for longer */
    struct flow entries[FLOWS_MAX];
};

/* Of a packet of TCP or UDP (`transport`: its header), as it is on the inside. */
struct flow_key flow_key_of(const struct passing *passing, const uint8_t *transport);

/* The flow, now used; NULL: unknown or forgotten. */
struct flow *flows_find(struct flows *flows, const struct flow_key *key, uint64_t now_us);
/* The same for a packet from outside: key->inside is not looked at, and key->inside_port is the
 * outside port. */
struct flow *flows_find_outside(struct flows *flows, const struct flow_key *key, uint64_t now_us);
/* Whether a flow has this outside port already. */
bool flows_port_is_taken(const struct flows *flows, const struct flow_key *key);
/* A new one; the key must be unknown. */
struct flow *flows_add(struct flows *flows, const struct flow_key *key, uint64_t now_us);

#endif
