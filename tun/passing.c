/* passing.c - see passing.h. */
#include "tun/passing.h"

#include <string.h>

#include "tcpct/checksum.h"
#include "tcpct/options.h"
#include "tcpct/wire.h"
#include "tun/split.h"

static bool tcp_is_sound(const struct passing *passing, const uint8_t *tcp)
{
    const struct ip_header *ip = &passing->ip;
    if (ip->protocol != IP_PROTOCOL_TCP || ip->payload_size < TCP_HEADER_SIZE)
        return false;
    size_t header_size = 4u * (tcp[TCP_DATA_OFFSET] >> 4);
    uint32_t sum = ip_pseudo_sum(&ip->source, &ip->destination, IP_PROTOCOL_TCP, ip->payload_size);
    return header_size >= TCP_HEADER_SIZE && header_size <= ip->payload_size &&
           checksum_fold(checksum_add(sum, tcp, ip->payload_size)) == 0xffff;
}

void passing_look(struct passing *passing)
{
    struct tcpct_packet *packet = passing->packet;
    passing->is_ip = ip_decode(&passing->ip, packet->data, packet->length, false) == IP_OK;
    passing->tcp = NULL;
    if (!passing->is_ip || !tcp_is_sound(passing, packet->data + passing->ip.header_size))
        return;
    passing->tcp = packet->data + passing->ip.header_size;
    passing->header_size = 4u * (passing->tcp[TCP_DATA_OFFSET] >> 4);
    passing->data_size = passing->ip.payload_size - passing->header_size;
}

/* The TCP segment has another size now. */
static void resize(struct passing *passing, size_t header_size, size_t data_size)
{
    uint8_t *ip = passing->packet->data;
    passing->header_size = header_size;
    passing->data_size = data_size;
    passing->ip.payload_size = (uint32_t)(header_size + data_size);
    size_t length = passing->ip.header_size + header_size + data_size;
    passing->packet->length = length;
    passing->tcp[TCP_DATA_OFFSET] =
        (uint8_t)(header_size / 4 << 4 | (passing->tcp[TCP_DATA_OFFSET] & 15));
    if (passing->ip.source.family == 6)
        wire_put16(ip + 4, (uint16_t)(length - IPV6_HEADER_SIZE));
    else
        wire_put16(ip + 2, (uint16_t)length);
    passing->altered = true;
}

bool passing_replace_options(struct passing *passing, const uint8_t *options, size_t size)
{
    size_t header_size = TCP_HEADER_SIZE + size;
    size_t length = passing->ip.header_size + header_size + passing->data_size;
    if (length > passing->packet->size || length > UINT16_MAX)
        return false;
    memmove(passing->tcp + header_size, passing->tcp + passing->header_size, passing->data_size);
    memcpy(passing->tcp + TCP_OPTIONS, options, size);
    resize(passing, header_size, passing->data_size);
    return true;
}

void passing_truncate(struct passing *passing, size_t size)
{
    resize(passing, passing->header_size, size);
}

void passing_finish(struct passing *passing)
{
    if (!passing->altered)
        return;
    passing_ip_checksum(passing->packet->data, passing->ip.header_size);
    split_complete_checksum(passing->packet);
}

void passing_ip_checksum(uint8_t *ip, size_t header_size)
{
    if (ip[0] >> 4 != 4)
        return;
    wire_put16(ip + 10, 0);
    wire_put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, header_size)));
}

void passing_icmp_checksum(const struct ip_header *ip, uint8_t *message, size_t size)
{
    uint32_t sum = 0;
    if (ip->source.family == 6)
        sum = ip_pseudo_sum(&ip->source, &ip->destination, IP_PROTOCOL_ICMPV6, size);
    wire_put16(message + 2, 0);
    wire_put16(message + 2, (uint16_t)~checksum_fold(checksum_add(sum, message, size)));
}
