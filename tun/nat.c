/* nat.c - see nat.h. */
#include "tun/nat.h"

#include <string.h>

#include "tcpct/wire.h"

enum {
    PORT_FIRST = 20000,
    PORTS_SIZE = 4, /* what is needed of a transport header to know the flow */
    UDP_HEADER_SIZE = 8,
    ICMP_HEADER_SIZE = 8, /* before the quotation */
};

enum end { SOURCE, DESTINATION };

/* Writes one end of an IP packet; its transport header begins at `transport`. */
static void write_end(uint8_t *ip, uint8_t *transport, enum end end,
                      const struct tcpct_address *address, uint16_t port)
{
    size_t size = address->family == 6 ? 16 : 4;
    size_t first = address->family == 6 ? 8 : 12;
    memcpy(ip + first + (end == DESTINATION ? size : 0), address->bytes, size);
    if (transport != NULL)
        wire_put16(transport + (end == SOURCE ? TCP_SOURCE_PORT : TCP_DESTINATION_PORT), port);
}

/* ---- TCP and UDP ------------------------------------------------------------------------------- */

/* The next port that no other flow to the same remote end has. */
static uint16_t choose_port(const struct flows *flows, struct flow_key key, uint16_t *next)
{
    do {
        key.inside_port = *next < PORT_FIRST ? PORT_FIRST : *next;
        *next = (uint16_t)(key.inside_port + 1);
    } while (flows_port_is_taken(flows, &key));
    return key.inside_port;
}

static bool translate_transport(struct flows *flows, const struct tcpct_address *outside,
                                uint16_t *next_port, struct passing *passing)
{
    struct ip_header *ip = &passing->ip;
    uint8_t *bytes = passing->packet->data, *transport = bytes + ip->header_size;
    struct flow_key key = flow_key_of(passing, transport);
    struct flow *flow;
    passing->altered = true;
    if (passing->direction == LINK_A_TO_B) {
        flow = flows_find(flows, &key, passing->now_us);
        if (flow == NULL)
            flow = flows_add(flows, &key, passing->now_us);
        if (flow->outside_port == 0)
            flow->outside_port = choose_port(flows, key, next_port);
        write_end(bytes, transport, SOURCE, outside, flow->outside_port);
        ip->source = *outside;
        return true;
    }
    flow = flows_find_outside(flows, &key, passing->now_us);
    if (flow == NULL || !ip_address_equal(&ip->destination, outside))
        return false;
    write_end(bytes, transport, DESTINATION, &flow->key.inside, flow->key.inside_port);
    ip->destination = flow->key.inside;
    return true;
}

/* ---- ICMP errors ------------------------------------------------------------------------------- */

static bool is_error(bool v6, uint8_t type)
{
    if (v6)
        return type >= 1 && type <= 4; /* RFC 4443, 2.1 */
    return type == 3 || type == 11 || type == 12;
}

/* The quotation in an ICMP error: where its transport header begins, or NULL. */
static uint8_t *find_quotation(const struct passing *passing, uint8_t *message,
                               struct ip_header *quoted)
{
    bool v6 = passing->ip.source.family == 6;
    size_t size = passing->ip.payload_size;
    if (passing->ip.protocol != (v6 ? IP_PROTOCOL_ICMPV6 : IP_PROTOCOL_ICMP) ||
        size < ICMP_HEADER_SIZE || !is_error(v6, message[0]))
        return NULL;
    size -= ICMP_HEADER_SIZE;
    if (ip_decode(quoted, message + ICMP_HEADER_SIZE, size, true) != IP_OK ||
        size < quoted->header_size + PORTS_SIZE ||
        quoted->source.family != passing->ip.source.family)
        return NULL;
    return message + ICMP_HEADER_SIZE + quoted->header_size;
}

/* What is quoted travelled the other way. */
static bool translate_error(struct flows *flows, const struct tcpct_address *outside,
                            struct passing *passing)
{
    struct ip_header *ip = &passing->ip;
    uint8_t *bytes = passing->packet->data, *message = bytes + ip->header_size;
    struct passing quotation = { .direction = !passing->direction };
    uint8_t *transport = find_quotation(passing, message, &quotation.ip);
    if (transport == NULL)
        return false;
    struct flow_key key = flow_key_of(&quotation, transport);
    if (passing->direction == LINK_A_TO_B) {
        const struct flow *flow = flows_find(flows, &key, passing->now_us);
        if (flow == NULL || flow->outside_port == 0)
            return false;
        write_end(message + ICMP_HEADER_SIZE, transport, DESTINATION, outside, flow->outside_port);
        write_end(bytes, NULL, SOURCE, outside, 0);
        ip->source = *outside;
    } else {
        const struct flow *flow = flows_find_outside(flows, &key, passing->now_us);
        if (flow == NULL || !ip_address_equal(&ip->destination, outside))
            return false;
        write_end(message + ICMP_HEADER_SIZE, transport, SOURCE, &flow->key.inside,
                  flow->key.inside_port);
        write_end(bytes, NULL, DESTINATION, &flow->key.inside, 0);
        ip->destination = flow->key.inside;
    }
    passing_ip_checksum(message + ICMP_HEADER_SIZE, quotation.ip.header_size);
    passing_icmp_checksum(ip, message, ip->payload_size);
    passing->altered = true;
    return true;
}

bool nat_translate(struct flows *flows, const struct tcpct_address *outside, uint16_t *next_port,
                   struct passing *passing)
{
    const struct ip_header *ip = &passing->ip;
    if (passing->tcp != NULL ||
        (ip->protocol == IP_PROTOCOL_UDP && ip->payload_size >= UDP_HEADER_SIZE))
        return translate_transport(flows, outside, next_port, passing);
    return translate_error(flows, outside, passing);
}
