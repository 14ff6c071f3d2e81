/* udp.h - UDP datagrams (RFC 768), for a program that wants them beside the stack: what tcpct_input
 * says is TCPCT_NOT_MINE may be one.
 *
 * Fragments never get this far: tcpct_input counts and drops them. None is sent either, since
 * every packet says don't fragment.
 */
#ifndef TCPCT_UDP_H
#define TCPCT_UDP_H

#include "tcpct.h"

enum { UDP_HEADER_SIZE = 8 };

struct udp_datagram {
    struct tcpct_address source, destination;
    uint16_t source_port, destination_port;
    const uint8_t *data; /* in the packet */
    size_t size;
};

enum udp_verdict {
    UDP_OK,
    UDP_OTHER,        /* another protocol */
    UDP_MALFORMED,    /* a bad IP header or length, or no checksum over IPv6 (RFC 8200, 8.1) */
    UDP_BAD_CHECKSUM, /* of UDP */
};

/* `datagram` is filled if the verdict is UDP_OK. */
enum udp_verdict udp_decode(struct udp_datagram *datagram, const struct tcpct_packet *packet);

/* Where in a packet for an address of that family data begin. */
size_t udp_header_size(const struct tcpct_address *address);

/* Makes a packet of a datagram whose data stand in it already, at packet->data + udp_header_size().
 * The packet must have that much room, at most 65535 bytes in all. */
void udp_encode(const struct udp_datagram *datagram, uint8_t hop_limit,
                struct tcpct_packet *packet);

#endif
