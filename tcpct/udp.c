/* udp.c - UDP datagrams: see udp.h. */
#include "udp.h"

#include "checksum.h"
#include "ip.h"
#include "wire.h"

static bool checksum_is_right(const struct ip_header *ip, const uint8_t *bytes, size_t length)
{
    uint32_t sum = ip_pseudo_sum(&ip->source, &ip->destination, IP_PROTOCOL_UDP, length);
    return checksum_fold(checksum_add(sum, bytes, length)) == 0xffff;
}

enum udp_verdict udp_decode(struct udp_datagram *datagram, const struct tcpct_packet *packet)
{
    struct ip_header ip;
    if (ip_decode(&ip, packet->data, packet->length, false) != IP_OK)
        return UDP_MALFORMED;
    if (ip.protocol != IP_PROTOCOL_UDP)
        return UDP_OTHER;
    const uint8_t *bytes = packet->data + ip.header_size;
    struct wire wire = wire_reader(bytes, ip.payload_size);
    datagram->source = ip.source;
    datagram->destination = ip.destination;
    datagram->source_port = wire_read16(&wire);
    datagram->destination_port = wire_read16(&wire);
    size_t length = wire_read16(&wire);
    uint16_t checksum = wire_read16(&wire);
    if (wire.failed || length < UDP_HEADER_SIZE || length > ip.payload_size)
        return UDP_MALFORMED;
    if (checksum == 0 && ip.source.family == 6)
        return UDP_MALFORMED;
    if (checksum != 0 && !packet->partial_checksum && !checksum_is_right(&ip, bytes, length))
        return UDP_BAD_CHECKSUM;
    datagram->data = bytes + UDP_HEADER_SIZE;
    datagram->size = length - UDP_HEADER_SIZE;
    return UDP_OK;
}

size_t udp_header_size(const struct tcpct_address *address)
{
    return ip_header_size(address) + UDP_HEADER_SIZE;
}

void udp_encode(const struct udp_datagram *datagram, uint8_t hop_limit, struct tcpct_packet *packet)
{
    const struct ip_header ip = {
        .source = datagram->source,
        .destination = datagram->destination,
        .protocol = IP_PROTOCOL_UDP,
        .hop_limit = hop_limit,
        .dont_fragment = true,
    };
    size_t length = UDP_HEADER_SIZE + datagram->size;
    uint8_t *bytes = packet->data + ip_encode(&ip, packet->data, length);
    wire_put16(bytes, datagram->source_port);
    wire_put16(bytes + 2, datagram->destination_port);
    wire_put16(bytes + 4, (uint16_t)length);
    wire_put16(bytes + 6, 0);
    uint32_t sum = ip_pseudo_sum(&ip.source, &ip.destination, IP_PROTOCOL_UDP, length);
    uint16_t checksum = (uint16_t)~checksum_fold(checksum_add(sum, bytes, length));
    wire_put16(bytes + 6, checksum ? checksum : 0xffff); /* zero would say that there is none */
    packet->length = ip_header_size(&ip.source) + length;
    packet->segment_size = packet->header_size = 0;
    packet->partial_checksum = false;
}
