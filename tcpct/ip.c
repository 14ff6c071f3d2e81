/* ip.c - IPv4 and IPv6 headers.
 *
 * Decoding checks everything that the TCP inside relies on: lengths, the IPv4 checksum, and that
 * the packet is whole. Fragments are never reassembled here, because our segments fit the path
 * (RFC 6013 demands don't fragment in section 3).
 */
#include "ip.h"

#include <string.h>

#include "checksum.h"
#include "wire.h"

enum {
    IPV4_DONT_FRAGMENT = 0x4000,
    IPV4_FRAGMENT = 0x3fff, /* more fragments, or an offset */
    IPV6_HOP_BY_HOP = 0,
    IPV6_ROUTING = 43,
    IPV6_FRAGMENT = 44,
    IPV6_DESTINATION_OPTIONS = 60,
};

const char *ip_verdict_text(enum ip_verdict verdict)
{
    switch (verdict) {
    case IP_OK:
        return "sound";
    case IP_TRUNCATED:
        return "shorter than its headers say";
    case IP_BAD_VERSION:
        return "neither IPv4 nor IPv6";
    case IP_BAD_HEADER:
        return "bad IP header";
    case IP_BAD_CHECKSUM:
        return "bad IPv4 header checksum";
    case IP_IS_FRAGMENT:
        return "IP fragment";
    }
    return "unknown";
}

static void read_address(struct wire *wire, struct tcpct_address *address, uint8_t family)
{
    *address = (struct tcpct_address){ .family = family };
    wire_read(wire, address->bytes, family == 4 ? 4 : 16);
}

static enum ip_verdict decode_ipv4(struct ip_header *header, const uint8_t *bytes, size_t size,
                                   bool coalesced)
{
    struct wire wire = wire_reader(bytes, size);
    size_t header_size = 4u * (wire_read8(&wire) & 15);
    header->traffic_class = wire_read8(&wire);
    size_t total = wire_read16(&wire);
    header->identification = wire_read16(&wire);
    uint16_t fragment = wire_read16(&wire);
    header->hop_limit = wire_read8(&wire);
    header->protocol = wire_read8(&wire);
    wire_skip(&wire, 2);
    read_address(&wire, &header->source, 4);
    read_address(&wire, &header->destination, 4);
    header->dont_fragment = (fragment & IPV4_DONT_FRAGMENT) != 0;
    header->flow_label = 0;

    if (coalesced)
        total = size;
    if (wire.failed || header_size > size || total > size)
        return IP_TRUNCATED;
    header->header_size = (uint32_t)header_size;
    header->payload_size = total < header_size ? 0 : (uint32_t)(total - header_size);
    if (header_size < IPV4_HEADER_SIZE || total < header_size)
        return IP_BAD_HEADER;
    if (!coalesced && checksum_fold(checksum_add(0, bytes, header_size)) != 0xffff)
        return IP_BAD_CHECKSUM;
    return (fragment & IPV4_FRAGMENT) != 0 ? IP_IS_FRAGMENT : IP_OK;
}

/* Steps over one extension header. Its first byte names what follows, its second is its size in
 * words of 8 bytes beyond the first word, except that a fragment header is always 8 bytes. */
static enum ip_verdict skip_extension(struct wire *wire, uint8_t *next)
{
    uint8_t kind = *next;
    *next = wire_read8(wire);
    uint8_t words = wire_read8(wire);
    uint16_t detail = wire_read16(wire); /* routing type and segments left; fragment offset, M */

    if (kind == IPV6_FRAGMENT) {
        wire_skip(wire, 4);
        return !wire->failed && (detail & 0xfff9) != 0 ? IP_IS_FRAGMENT : IP_OK;
    }
    wire_skip(wire, 8u * words + 4);
    if (kind == IPV6_ROUTING && (detail & 0xff) != 0)
        return IP_BAD_HEADER; /* it still has somewhere else to go (RFC 8200, 4.4) */
    return IP_OK;
}

static enum ip_verdict skip_extensions(struct wire *wire, uint8_t *next)
{
    const size_t first = wire->position;
    enum ip_verdict verdict = IP_OK;

    while (verdict == IP_OK && !wire->failed) {
        switch (*next) {
        case IPV6_HOP_BY_HOP:
            if (wire->position != first)
                return IP_BAD_HEADER; /* only directly after the header (RFC 8200, 4.1) */
            /* fall through */
        case IPV6_ROUTING:
        case IPV6_FRAGMENT:
        case IPV6_DESTINATION_OPTIONS:
            verdict = skip_extension(wire, next);
            break;
        default:
            return IP_OK;
        }
    }
    return verdict;
}

static enum ip_verdict decode_ipv6(struct ip_header *header, const uint8_t *bytes, size_t size,
                                   bool coalesced)
{
    struct wire wire = wire_reader(bytes, size);
    uint32_t first = wire_read32(&wire);
    size_t total = (size_t)wire_read16(&wire) + IPV6_HEADER_SIZE;
    header->protocol = wire_read8(&wire);
    header->hop_limit = wire_read8(&wire);
    read_address(&wire, &header->source, 6);
    read_address(&wire, &header->destination, 6);
    header->traffic_class = (uint8_t)(first >> 20);
    header->flow_label = first & 0xfffff;
    header->identification = 0;
    header->dont_fragment = true;

    if (coalesced)
        total = size;
    if (wire.failed || total > size)
        return IP_TRUNCATED;
    wire.size = total;
    enum ip_verdict verdict = skip_extensions(&wire, &header->protocol);
    header->header_size = (uint32_t)wire.position;
    header->payload_size = (uint32_t)(total - wire.position);
    return wire.failed ? IP_BAD_HEADER : verdict;
}

enum ip_verdict ip_decode(struct ip_header *header, const uint8_t *bytes, size_t size,
                          bool coalesced)
{
    if (size == 0)
        return IP_TRUNCATED;
    switch (bytes[0] >> 4) {
    case 4:
        return decode_ipv4(header, bytes, size, coalesced);
    case 6:
        return decode_ipv6(header, bytes, size, coalesced);
    default:
        return IP_BAD_VERSION;
    }
}

static size_t encode_ipv4(const struct ip_header *header, uint8_t *bytes, size_t payload_size)
{
    struct wire wire = wire_writer(bytes, IPV4_HEADER_SIZE);
    wire_write8(&wire, 4 << 4 | IPV4_HEADER_SIZE / 4);
    wire_write8(&wire, header->traffic_class);
    wire_write16(&wire, (uint16_t)(IPV4_HEADER_SIZE + payload_size));
    wire_write16(&wire, header->identification);
    wire_write16(&wire, IPV4_DONT_FRAGMENT);
    wire_write8(&wire, header->hop_limit);
    wire_write8(&wire, header->protocol);
    wire_write16(&wire, 0);
    wire_write(&wire, header->source.bytes, 4);
    wire_write(&wire, header->destination.bytes, 4);
    wire_put16(bytes + 10, (uint16_t)~checksum_fold(checksum_add(0, bytes, IPV4_HEADER_SIZE)));
    return IPV4_HEADER_SIZE;
}

size_t ip_encode(const struct ip_header *header, uint8_t *bytes, size_t payload_size)
{
    if (header->source.family == 4)
        return encode_ipv4(header, bytes, payload_size);

    struct wire wire = wire_writer(bytes, IPV6_HEADER_SIZE);
    wire_write32(&wire,
                 6u << 28 | (uint32_t)header->traffic_class << 20 | (header->flow_label & 0xfffff));
    wire_write16(&wire, (uint16_t)payload_size);
    wire_write8(&wire, header->protocol);
    wire_write8(&wire, header->hop_limit);
    wire_write(&wire, header->source.bytes, 16);
    wire_write(&wire, header->destination.bytes, 16);
    return IPV6_HEADER_SIZE;
}

size_t ip_header_size(const struct tcpct_address *address)
{
    return address->family == 4 ? IPV4_HEADER_SIZE : IPV6_HEADER_SIZE;
}

uint32_t ip_pseudo_sum(const struct tcpct_address *source, const struct tcpct_address *destination,
                       uint8_t protocol, size_t payload_size)
{
    uint32_t sum = (uint32_t)protocol + (uint32_t)(payload_size >> 16) + (payload_size & 0xffff);
    size_t size = source->family == 4 ? 4 : 16;
    sum = checksum_add(sum, source->bytes, size);
    return checksum_add(sum, destination->bytes, size);
}

bool ip_address_equal(const struct tcpct_address *a, const struct tcpct_address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool ip_address_is_unusable(const struct tcpct_address *address)
{
    static const struct tcpct_address unspecified;

    if (memcmp(address->bytes, unspecified.bytes, sizeof address->bytes) == 0)
        return true;
    switch (address->family) {
    case 4: /* 224.0.0.0/4; 255.255.255.255 */
        return address->bytes[0] >> 4 == 14 || wire_get32(address->bytes) == 0xffffffff;
    case 6: /* ff00::/8 */
        return address->bytes[0] == 0xff;
    default:
        return true;
    }
}
