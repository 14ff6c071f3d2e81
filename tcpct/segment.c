/* segment.c - IP and TCP headers to values and back.
 *
 * The header extension of RFC 6013 lies between the TCP header and the data. It counts for the
 * checksum and for nothing else: neither for sequence numbers nor for the data offset (3.4).
 */
#include "segment.h"

#include <string.h>

#include "checksum.h"
#include "wire.h"

enum { CHECKSUM_OFFSET = 16, PAYLOAD_SIZE_MAX = 65535 };

const char *segment_verdict_text(enum segment_verdict verdict)
{
    switch (verdict) {
    case SEGMENT_OK:
        return "sound";
    case SEGMENT_NOT_TCP:
        return "not TCP";
    case SEGMENT_BAD_IP:
        return "bad IP header";
    case SEGMENT_IP_CHECKSUM:
        return ip_verdict_text(IP_BAD_CHECKSUM);
    case SEGMENT_IP_FRAGMENT:
        return ip_verdict_text(IP_IS_FRAGMENT);
    case SEGMENT_TRUNCATED:
        return "truncated TCP header";
    case SEGMENT_BAD_CHECKSUM:
        return "bad TCP checksum";
    case SEGMENT_BAD_OPTIONS:
        return options_verdict_text(OPTIONS_DUPLICATE);
    case SEGMENT_BAD_EXTEND:
        return options_verdict_text(OPTIONS_BAD_EXTEND);
    }
    return "unknown";
}

static enum segment_verdict of_ip(enum ip_verdict verdict)
{
    switch (verdict) {
    case IP_OK:
        return SEGMENT_OK;
    case IP_BAD_CHECKSUM:
        return SEGMENT_IP_CHECKSUM;
    case IP_IS_FRAGMENT:
        return SEGMENT_IP_FRAGMENT;
    default:
        return SEGMENT_BAD_IP;
    }
}

static void take_ip(struct segment *segment, const struct ip_header *ip)
{
    segment->source = ip->source;
    segment->destination = ip->destination;
    segment->traffic_class = ip->traffic_class;
    segment->hop_limit = ip->hop_limit;
    segment->identification = ip->identification;
    segment->flow_label = ip->flow_label;
    segment->packet_size = ip->header_size + ip->payload_size;
}

/* Takes the fixed part of the TCP header; returns the size that the data offset says. */
static size_t take_tcp(struct segment *segment, struct wire *wire)
{
    segment->source_port = wire_read16(wire);
    segment->destination_port = wire_read16(wire);
    segment->seq = wire_read32(wire);
    segment->ack = wire_read32(wire);
    size_t size = 4u * (wire_read8(wire) >> 4);
    segment->flags = wire_read8(wire);
    segment->window = wire_read16(wire);
    wire_skip(wire, 2);
    segment->urgent = wire_read16(wire);
    return size;
}

static enum segment_verdict take_options(struct segment *segment, struct wire *wire, size_t size,
                                         struct option_layout *layout)
{
    const uint8_t *options = wire_skip(wire, size);
    size_t payload_size = wire_left(wire), extension_size;
    const uint8_t *payload = wire_skip(wire, payload_size);

    switch (options_decode(&segment->options, options, size, payload, payload_size, &extension_size,
                           layout)) {
    case OPTIONS_DUPLICATE:
        return SEGMENT_BAD_OPTIONS;
    case OPTIONS_BAD_EXTEND:
        return SEGMENT_BAD_EXTEND;
    case OPTIONS_OK:
    case OPTIONS_MALFORMED:
        break;
    }
    segment->extension_size = (uint16_t)extension_size;
    segment->data = payload + extension_size;
    segment->data_size = (uint32_t)(payload_size - extension_size);
    return SEGMENT_OK;
}

enum segment_verdict segment_decode(struct segment *segment, const struct tcpct_packet *packet,
                                    struct option_layout *layout)
{
    struct ip_header ip;
    bool coalesced = packet->segment_size > 0;

    enum ip_verdict verdict = ip_decode(&ip, packet->data, packet->length, coalesced);
    if (verdict != IP_OK)
        return of_ip(verdict);
    if (ip.protocol != IP_PROTOCOL_TCP)
        return SEGMENT_NOT_TCP;

    const uint8_t *tcp = packet->data + ip.header_size;
    struct wire wire = wire_reader(tcp, ip.payload_size);
    take_ip(segment, &ip);
    segment->segment_size = packet->segment_size;
    segment->key = NULL;
    size_t header_size = take_tcp(segment, &wire);
    if (wire.failed || header_size < TCP_HEADER_SIZE || header_size > ip.payload_size)
        return SEGMENT_TRUNCATED;

    if (!packet->partial_checksum && !coalesced) {
        uint32_t sum = ip_pseudo_sum(&ip.source, &ip.destination, IP_PROTOCOL_TCP, ip.payload_size);
        if (checksum_fold(checksum_add(sum, tcp, ip.payload_size)) != 0xffff)
            return SEGMENT_BAD_CHECKSUM;
    }
    return take_options(segment, &wire, header_size - TCP_HEADER_SIZE, layout);
}

uint32_t segment_length(const struct segment *segment)
{
    return segment->data_size + ((segment->flags & SEGMENT_SYN) != 0) +
           ((segment->flags & SEGMENT_FIN) != 0);
}

bool segment_in_window(const struct segment *segment, uint32_t next, uint32_t window)
{
    uint32_t length = segment_length(segment);
    if (length == 0)
        return window == 0 ? segment->seq == next : segment->seq - next < window;
    return window > 0 &&
           (segment->seq - next < window || segment->seq + length - 1 - next < window);
}

size_t segment_header_size(const struct segment *segment)
{
    size_t options_size_in_header, extension_size;

    if (!options_size(&segment->options, &options_size_in_header, &extension_size))
        return 0;
    return ip_header_size(&segment->source) + TCP_HEADER_SIZE + options_size_in_header +
           extension_size;
}

/* The sizes of the parts of a segment, beside its data. */
struct sizes {
    size_t ip, options, extension;
};

static void write_tcp(const struct segment *segment, uint8_t *tcp, const struct sizes *sizes)
{
    struct wire wire = wire_writer(tcp, TCP_HEADER_SIZE);

    wire_write16(&wire, segment->source_port);
    wire_write16(&wire, segment->destination_port);
    wire_write32(&wire, segment->seq);
    wire_write32(&wire, segment->ack);
    wire_write8(&wire, (uint8_t)((TCP_HEADER_SIZE + sizes->options) / 4 << 4));
    wire_write8(&wire, segment->flags);
    wire_write16(&wire, segment->window);
    wire_write16(&wire, 0); /* the checksum, later */
    wire_write16(&wire, segment->urgent);
}

static void write_ip(const struct segment *segment, uint8_t *bytes, size_t payload_size)
{
    const struct ip_header ip = {
        .source = segment->source,
        .destination = segment->destination,
        .protocol = IP_PROTOCOL_TCP,
        .traffic_class = segment->traffic_class,
        .hop_limit = segment->hop_limit,
        .identification = segment->identification,
        .flow_label = segment->flow_label,
    };

    ip_encode(&ip, bytes, payload_size);
}

/* With the options and the extension already written at their place, the rest. */
static bool finish(const struct segment *segment, struct tcpct_packet *packet,
                   const struct sizes *sizes, bool partial_checksum)
{
    size_t tcp_size = TCP_HEADER_SIZE + sizes->options;
    size_t payload_size = tcp_size + sizes->extension + segment->data_size;
    size_t ip_limit = segment->source.family == 4 ? PAYLOAD_SIZE_MAX - sizes->ip : PAYLOAD_SIZE_MAX;
    uint8_t *tcp = packet->data + sizes->ip;

    if (payload_size > ip_limit || payload_size > packet->size - sizes->ip ||
        (segment->segment_size > 0 && sizes->extension > 0))
        return false;
    uint8_t *data = tcp + tcp_size + sizes->extension;
    if (segment->data != NULL && segment->data != data && segment->data_size > 0)
        memmove(data, segment->data, segment->data_size);
    write_tcp(segment, tcp, sizes);
    write_ip(segment, packet->data, payload_size);

    uint32_t sum =
        ip_pseudo_sum(&segment->source, &segment->destination, IP_PROTOCOL_TCP, payload_size);
    uint16_t checksum = partial_checksum
                            ? checksum_fold(sum)
                            : (uint16_t)~checksum_fold(checksum_add(sum, tcp, payload_size));
    wire_put16(tcp + CHECKSUM_OFFSET, checksum);
    packet->length = sizes->ip + payload_size;
    packet->header_size = (uint16_t)(sizes->ip + tcp_size);
    packet->segment_size = segment->segment_size;
    packet->partial_checksum = partial_checksum;
    return true;
}

bool segment_encode(const struct segment *segment, struct tcpct_packet *packet,
                    bool partial_checksum)
{
    struct sizes sizes = { .ip = ip_header_size(&segment->source) };
    size_t fixed = sizes.ip + TCP_HEADER_SIZE;

    return packet->size >= fixed &&
           options_encode(&segment->options, packet->data + fixed, packet->size - fixed,
                          &sizes.options, &sizes.extension) &&
           finish(segment, packet, &sizes, partial_checksum);
}

bool segment_encode_layout(const struct segment *segment, const struct option_layout *layout,
                           struct tcpct_packet *packet, bool partial_checksum)
{
    const struct sizes sizes = { .ip = ip_header_size(&segment->source),
                                 .options = layout->header_size,
                                 .extension = layout->extension_size };
    size_t fixed = sizes.ip + TCP_HEADER_SIZE, total = sizes.options + sizes.extension;

    return packet->size >= fixed &&
           options_encode_layout(&segment->options, layout, packet->data + fixed,
                                 packet->size - fixed) == total &&
           finish(segment, packet, &sizes, partial_checksum);
}
