/* split.c - software segmentation: what a network card does to a coalesced buffer. */
#include "tun/split.h"

#include <string.h>

#include "tcpct/checksum.h"
#include "tcpct/segment.h"
#include "tcpct/wire.h"

enum {
    TCP_SEQ = 4, /* offsets in the TCP header (RFC 9293, 3.1) */
    TCP_DATA_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_CHECKSUM = 16,
    TCP_URGENT = 18,
    UDP_CHECKSUM = 6,
    UDP_HEADER_SIZE = 8,
};

void split_begin(struct split *split, const struct tcpct_packet *packet)
{
    *split = (struct split){ .packet = packet };
    struct ip_header ip;
    if (packet->segment_size == 0 || ip_decode(&ip, packet->data, packet->length, true) != IP_OK ||
        ip.protocol != IP_PROTOCOL_TCP || ip.payload_size < TCP_HEADER_SIZE)
        return;
    size_t tcp_size = 4u * (packet->data[ip.header_size + TCP_DATA_OFFSET] >> 4);
    if (tcp_size < TCP_HEADER_SIZE || tcp_size > ip.payload_size)
        return;
    split->ip_size = ip.header_size;
    split->header_size = ip.header_size + tcp_size;
    split->data_size = packet->length - split->header_size;
}

static void write_ip_header(uint8_t *bytes, size_t ip_size, size_t length, size_t index)
{
    if (bytes[0] >> 4 == 6) {
        wire_put16(bytes + 4, (uint16_t)(length - IPV6_HEADER_SIZE));
        return;
    }
    wire_put16(bytes + 2, (uint16_t)length);
    wire_put16(bytes + 4, (uint16_t)(wire_get16(bytes + 4) + index));
    wire_put16(bytes + 10, 0);
    wire_put16(bytes + 10, (uint16_t)~checksum_fold(checksum_add(0, bytes, ip_size)));
}

static void write_tcp_header(uint8_t *tcp, size_t offset, bool last)
{
    wire_put32(tcp + TCP_SEQ, wire_get32(tcp + TCP_SEQ) + (uint32_t)offset);
    if (!last)
        tcp[TCP_FLAGS] &= (uint8_t) ~(SEGMENT_FIN | SEGMENT_PSH);
    if (offset > 0)
        tcp[TCP_FLAGS] &= (uint8_t)~SEGMENT_CWR;
    if ((tcp[TCP_FLAGS] & SEGMENT_URG) == 0)
        return;
    uint16_t urgent = wire_get16(tcp + TCP_URGENT); /* from this segment's sequence number */
    if (urgent <= offset)
        tcp[TCP_FLAGS] &= (uint8_t)~SEGMENT_URG;
    wire_put16(tcp + TCP_URGENT, urgent > offset ? (uint16_t)(urgent - offset) : 0);
}

static bool copy_whole(struct split *split, struct tcpct_packet *segment)
{
    const struct tcpct_packet *packet = split->packet;
    split->done = true;
    if (packet->length > segment->size)
        return false;
    memcpy(segment->data, packet->data, packet->length);
    segment->length = packet->length;
    if (packet->partial_checksum)
        split_complete_checksum(segment);
    return true;
}

bool split_next(struct split *split, struct tcpct_packet *segment)
{
    if (split->done)
        return false;
    segment->segment_size = segment->header_size = 0;
    segment->partial_checksum = false;
    if (split->header_size == 0)
        return copy_whole(split, segment);

    const struct tcpct_packet *packet = split->packet;
    size_t offset = split->offset, left = split->data_size - offset;
    size_t size = left < packet->segment_size ? left : packet->segment_size;
    split->offset += size;
    split->done = size == left;
    segment->length = split->header_size + size;
    if (segment->length > segment->size || segment->length > UINT16_MAX) {
        split->done = true;
        return false;
    }
    memcpy(segment->data, packet->data, split->header_size);
    memcpy(segment->data + split->header_size, packet->data + split->header_size + offset, size);
    write_ip_header(segment->data, split->ip_size, segment->length, offset / packet->segment_size);
    write_tcp_header(segment->data + split->ip_size, offset, split->done);
    split_complete_checksum(segment);
    return true;
}

void split_complete_checksum(struct tcpct_packet *packet)
{
    struct ip_header ip;
    if (ip_decode(&ip, packet->data, packet->length, false) != IP_OK)
        return;
    size_t field;
    if (ip.protocol == IP_PROTOCOL_TCP && ip.payload_size >= TCP_HEADER_SIZE)
        field = TCP_CHECKSUM;
    else if (ip.protocol == IP_PROTOCOL_UDP && ip.payload_size >= UDP_HEADER_SIZE)
        field = UDP_CHECKSUM;
    else
        return;
    uint8_t *payload = packet->data + ip.header_size;
    wire_put16(payload + field, 0);
    uint32_t sum = ip_pseudo_sum(&ip.source, &ip.destination, ip.protocol, ip.payload_size);
    uint16_t checksum = (uint16_t)~checksum_fold(checksum_add(sum, payload, ip.payload_size));
    if (checksum == 0 && ip.protocol == IP_PROTOCOL_UDP)
        checksum = 0xffff; /* zero would mean that there is none (RFC 768) */
    wire_put16(payload + field, checksum);
}
