/* datagrams.h - DNS over UDP, on the addresses of a stack.
 *
 * A packet in, at most one out; nothing is kept. A reply is never fragmented: it is as long as the
 * client takes, the server wants and the device carries, the least of the three; what is longer is
 * cut, with TC, and the client comes back over TCP.
 */
#ifndef DNS_DATAGRAMS_H
#define DNS_DATAGRAMS_H

#include "server.h"

enum { DATAGRAM_SIZE_MAX = 4096 }; /* of a DNS message */

struct datagrams_options {
    uint16_t port;
    uint16_t size_max; /* of a reply, 512 to DATAGRAM_SIZE_MAX */
    uint16_t mtu;      /* of the device */
    uint8_t hop_limit; /* 0: 64 */
};

/* Every field is a uint64_t; datagrams_counter_name names them in order. */
struct datagrams_counters {
    uint64_t queries, answers, truncated, dropped;
    uint64_t malformed, bad_checksums;
    uint64_t answer_bytes;
};

struct datagrams {
    const struct dns_server *server;
    struct datagrams_options options;
    struct datagrams_counters counters;
};

/* Takes a packet that the stack did not want. True: `reply`, which offers a buffer of
 * TCPCT_PACKET_SIZE bytes, is to be sent. */
bool datagrams_input(struct datagrams *datagrams, struct tcpct_stack *stack,
                     const struct tcpct_packet *packet, struct tcpct_packet *reply,
                     uint64_t now_us);

/* Name of counter `index` in the struct's order; NULL past the end. */
const char *datagrams_counter_name(size_t index);

#endif
