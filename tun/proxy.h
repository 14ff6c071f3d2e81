/* proxy.h - a middlebox that terminates TCP: what a performance enhancing proxy does (RFC 3135),
 * unseen by either end.
 *
 * Theory of operation. Two stacks face the ends. The one that faces A has B's addresses and speaks in
 * its name, the other one A's. Addresses are added as a <SYN> shows them, and so are listeners, for
 * any port. When a connection was made with whoever asked, another is made to whom it asked for,
 * from its address and port. What one has received is given to the other, straight out of its
 * buffer, as far as there is room; so a slow reader closes the window of its writer. The end of one
 * direction passes through, and so does a reset. An end that is not there, or that refuses, is a
 * reset to the one who asked.
 *
 * It speaks plain TCP and knows the options MSS, window scale, SACK and Timestamps: others vanish,
 * as does data in a <SYN>, which comes again. All else than TCP passes; ICMP is heeded as well.
 *
 * Bounded: addresses (16 on either side), connections, memory. What is beyond is dropped. Ports for
 * which nobody asked for longest make room for others. No I/O, no clock; chance only in the seed.
 */
#ifndef TUN_PROXY_H
#define TUN_PROXY_H

#include "tun/passing.h"

enum {
    PROXY_CONNECTIONS_MAX = 1024, /* that pass at once */
    PROXY_PORTS_MAX = 256,        /* that are listened to at once, on either side */
};

struct proxy;

/* `counters` of both directions: `proxied` and `blocked` are the proxy's too. NULL: no memory. */
struct proxy *proxy_create(uint64_t seed, uint16_t mtu, struct middlebox_counters *counters);
void proxy_destroy(struct proxy *proxy); /* NULL is allowed */

/* Takes what a stack sends; there are `size` bytes at packet->data for whoever changes it. */
typedef void proxy_emit(void *context, enum link_direction direction, struct tcpct_packet *packet);

/* A packet: true if it ends here, which all sound TCP does. It may be changed. */
bool proxy_takes(struct proxy *proxy, struct passing *passing, proxy_emit *emit, void *context);

/* Lets time pass. */
void proxy_tick(struct proxy *proxy, uint64_t now_us, proxy_emit *emit, void *context);
uint64_t proxy_deadline(const struct proxy *proxy);

#endif
