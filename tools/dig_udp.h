/* dig_udp.h - a DNS query over UDP, from the address of a stack. */
#ifndef TOOLS_DIG_UDP_H
#define TOOLS_DIG_UDP_H

#include "tcpct/udp.h"
#include "tools/command.h"

/* The ends of one query. */
struct dig_udp {
    struct tcpct_address local, server;
    uint16_t local_port, port;
    bool asking; /* an answer is awaited */
};

/* Sends a message from an unpredictable port (RFC 5452). Returns the bytes of the packet; 0: the device did
 * not take it, or it is too long. */
size_t dig_udp_ask(struct dig_udp *udp, struct tun_device *device, const uint8_t *message,
                   size_t size, uint64_t now_us);

/* Whether the packet is a response with this id to what was asked; then `answer` is filled. */
bool dig_udp_take(const struct dig_udp *udp, const struct tcpct_packet *packet, uint16_t id,
                  struct udp_datagram *answer);

#endif
