/* dig_udp.c - a DNS query over UDP: see dig_udp.h. */
#include "tools/dig_udp.h"

#include <string.h>

#include "dns/message.h"
#include "tcpct/ip.h"

enum { PORT_MIN = 1024, HOP_LIMIT = 64, PACKET_SIZE = 1500 };

size_t dig_udp_ask(struct dig_udp *udp, struct tun_device *device, const uint8_t *message,
                   size_t size, uint64_t now_us)
{
    uint8_t bytes[PACKET_SIZE];
    uint16_t random;
    struct tcpct_packet packet = { .data = bytes, .size = sizeof bytes };
    size_t headers = udp_header_size(&udp->server);
    if (headers + size > sizeof bytes)
        return 0;
    loop_random(NULL, &random, sizeof random);
    udp->local_port = (uint16_t)(PORT_MIN + random % (UINT16_MAX - PORT_MIN));
    memcpy(bytes + headers, message, size);
    const struct udp_datagram query = { .source = udp->local,
                                        .destination = udp->server,
                                        .source_port = udp->local_port,
                                        .destination_port = udp->port,
                                        .data = bytes + headers,
                                        .size = size };
    udp_encode(&query, HOP_LIMIT, &packet);
    udp->asking = tun_device_write(device, &packet, now_us);
    return udp->asking ? packet.length : 0;
}

bool dig_udp_take(const struct dig_udp *udp, const struct tcpct_packet *packet, uint16_t id,
                  struct udp_datagram *answer)
{
    return udp->asking && udp_decode(answer, packet) == UDP_OK &&
           ip_address_equal(&answer->source, &udp->server) &&
           ip_address_equal(&answer->destination, &udp->local) &&
           answer->source_port == udp->port && answer->destination_port == udp->local_port &&
           answer->size >= DNS_HEADER_SIZE && dns_get16(answer->data) == id &&
           (dns_get16(answer->data + 2) & DNS_FLAG_QR);
}
