/* frames.c - the slow and plain way. */
#include "tests/tun/frames.h"

#include <stdlib.h>
#include <string.h>

enum { TCP = 6, UDP = 17, DESTINATION_OPTIONS = 60 };

static void put16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

uint8_t frame_data(size_t index)
{
    return (uint8_t)(index * 7 + index / 251);
}

static uint32_t sum(const uint8_t *bytes, size_t size)
{
    uint32_t total = 0;
    for (size_t i = 0; i < size; i++)
        total += (uint32_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
    return total;
}

static uint16_t fold(uint32_t total)
{
    while (total > 0xffff)
        total = (total & 0xffff) + (total >> 16);
    return (uint16_t)total;
}

static bool is_ipv4(const struct tcpct_packet *packet)
{
    return packet->data[0] >> 4 == 4;
}

static uint8_t protocol_of(const struct tcpct_packet *packet)
{
    if (is_ipv4(packet))
        return packet->data[9];
    return packet->data[6] == DESTINATION_OPTIONS ? packet->data[40] : packet->data[6];
}

size_t frame_transport(const struct tcpct_packet *packet)
{
    if (is_ipv4(packet))
        return 4u * (packet->data[0] & 15);
    return packet->data[6] == DESTINATION_OPTIONS ? 40 + 8u * (packet->data[41] + 1u) : 40;
}

size_t frame_payload(const struct tcpct_packet *packet)
{
    size_t transport = frame_transport(packet);
    if (protocol_of(packet) == UDP)
        return transport + 8;
    return transport + 4u * (packet->data[transport + 12] >> 4);
}

static uint32_t pseudo_sum(const struct tcpct_packet *packet)
{
    size_t size = packet->length - frame_transport(packet);
    uint32_t addresses = is_ipv4(packet) ? sum(packet->data + 12, 8) : sum(packet->data + 8, 32);
    return addresses + protocol_of(packet) + (uint32_t)size;
}

static size_t checksum_field(const struct tcpct_packet *packet)
{
    return frame_transport(packet) + (protocol_of(packet) == UDP ? 6 : 16);
}

static uint32_t transport_sum(const struct tcpct_packet *packet)
{
    size_t transport = frame_transport(packet);
    return pseudo_sum(packet) + sum(packet->data + transport, packet->length - transport);
}

static size_t write_ip(uint8_t *ip, const struct frame_fields *fields, size_t payload)
{
    if (fields->family == 4) {
        ip[0] = 0x45;
        put16(ip + 2, 20 + payload);
        put16(ip + 4, fields->identification);
        put16(ip + 6, 0x4000);
        ip[8] = 64;
        ip[9] = fields->protocol;
        memcpy(ip + 12, (uint8_t[]){ 10, 1, 2, 3, 10, 1, 2, 4 }, 8);
        put16(ip + 10, 0xffff & ~fold(sum(ip, 20)));
        return 20;
    }
    ip[0] = 0x60;
    put16(ip + 4, fields->extensions_size + payload);
    ip[6] = fields->extensions_size > 0 ? DESTINATION_OPTIONS : fields->protocol;
    ip[7] = 64;
    ip[8] = ip[24] = 0xfd;
    ip[9] = ip[25] = 1;
    ip[23] = 3;
    ip[39] = 4;
    if (fields->extensions_size > 0) {
        ip[40] = fields->protocol;
        ip[41] = (uint8_t)(fields->extensions_size / 8 - 1);
        ip[42] = 1; /* PadN over the rest */
        ip[43] = (uint8_t)(fields->extensions_size - 4);
    }
    return 40 + fields->extensions_size;
}

void frame_make(struct frame *frame, const struct frame_fields *fields)
{
    size_t header = fields->protocol == UDP ? 8 : 20 + fields->options_size;
    size_t payload = header + fields->data_size;
    memset(frame->bytes, 0, 200);
    size_t transport = write_ip(frame->bytes, fields, payload);
    if (transport + payload > sizeof frame->bytes)
        abort();
    uint8_t *at = frame->bytes + transport;
    put16(at, 1000);
    put16(at + 2, 2000);
    if (fields->protocol == UDP) {
        put16(at + 4, payload);
    } else {
        put32(at + 4, fields->seq);
        put32(at + 8, 77);
        at[12] = (uint8_t)(header / 4 << 4);
        at[13] = fields->flags;
        put16(at + 14, 5000);
        put16(at + 18, fields->urgent);
        memset(at + 20, 1, fields->options_size);
    }
    for (size_t i = 0; i < fields->data_size; i++)
        at[header + i] = frame_data(i);
    frame->packet = (struct tcpct_packet){ .data = frame->bytes,
                                           .length = transport + payload,
                                           .size = sizeof frame->bytes };
    uint16_t checksum = (uint16_t)~fold(transport_sum(&frame->packet));
    put16(frame->bytes + checksum_field(&frame->packet), checksum);
}

void frame_offload(struct frame *frame, uint16_t segment_size)
{
    struct tcpct_packet *packet = &frame->packet;
    put16(packet->data + checksum_field(packet), fold(pseudo_sum(packet)));
    packet->partial_checksum = true;
    packet->header_size = (uint16_t)frame_payload(packet);
    packet->segment_size = segment_size;
}

bool frame_is_right(const struct tcpct_packet *packet)
{
    if (packet->length < 28 || fold(transport_sum(packet)) != 0xffff)
        return false;
    size_t length = (size_t)packet->data[2] << 8 | packet->data[3];
    if (!is_ipv4(packet))
        return 40 + ((size_t)packet->data[4] << 8 | packet->data[5]) == packet->length;
    return length == packet->length &&
           fold(sum(packet->data, 4u * (packet->data[0] & 15))) == 0xffff;
}
