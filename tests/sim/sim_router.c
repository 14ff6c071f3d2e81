/* sim_router.c - the router in the middle: it finds the host, and says so if a packet is too big.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/checksum.h"
#include "tcpct/wire.h"
#include "tests/sim/sim.h"

enum { ICMP_SIZE = 8, QUOTE_SIZE = 548, HOP_LIMIT = 64 };

static struct sim_host *owner(struct sim *sim, const struct tcpct_address *address)
{
    for (unsigned i = 0; i < sim->config.hosts; i++)
        if (ip_address_equal(&sim->hosts[i].ipv4, address) ||
            ip_address_equal(&sim->hosts[i].ipv6, address))
            return &sim->hosts[i];
    return NULL;
}

/* "Fragmentation needed" (RFC 1191, 4) or "packet too big" (RFC 4443, 3.2), which quotes the
 * beginning of the packet. */
static void say_too_big(struct sim_host *to, const struct tcpct_packet *packet,
                        const struct ip_header *quoted, uint16_t mtu)
{
    uint8_t bytes[IPV6_HEADER_SIZE + ICMP_SIZE + QUOTE_SIZE] = { 0 };
    bool v6 = quoted->source.family == 6;
    size_t quote = packet->length < QUOTE_SIZE ? packet->length : QUOTE_SIZE;
    struct ip_header ip = {
        .source = quoted->destination, /* a router without an address of its own */
        .destination = quoted->source,
        .protocol = v6 ? IP_PROTOCOL_ICMPV6 : IP_PROTOCOL_ICMP,
        .hop_limit = HOP_LIMIT,
        .dont_fragment = true,
    };
    uint8_t *icmp = bytes + ip_encode(&ip, bytes, ICMP_SIZE + quote);
    icmp[0] = v6 ? 2 : 3;
    icmp[1] = v6 ? 0 : 4;
    wire_put16(icmp + 6, mtu);
    memcpy(icmp + ICMP_SIZE, packet->data, quote);
    uint32_t sum =
        v6 ? ip_pseudo_sum(&ip.source, &ip.destination, ip.protocol, ICMP_SIZE + quote) : 0;
    sum = checksum_add(sum, icmp, ICMP_SIZE + quote);
    wire_put16(icmp + 2, (uint16_t)~checksum_fold(sum));
    const struct tcpct_packet message = { .data = bytes,
                                          .length = (size_t)(icmp - bytes) + ICMP_SIZE + quote };
    link_packet_in(to->link, LINK_B_TO_A, &message, to->sim->now_us);
}

/* A packet whose header is damaged is no router's. */
void sim_route(struct sim_host *from, struct tcpct_packet *packet)
{
    struct ip_header header;
    if (from->unplugged || ip_decode(&header, packet->data, packet->length, false) != IP_OK)
        return;
    struct sim_host *to = owner(from->sim, &header.destination);
    if (!to || to->unplugged)
        return;
    if (to->mtu == 0 || packet->length <= to->mtu) {
        link_packet_in(to->link, LINK_B_TO_A, packet, to->sim->now_us);
        return;
    }
    assert_true(header.dont_fragment || header.source.family == 6); /* RFC 6013, 3 */
    if (!to->black_hole)
        say_too_big(from, packet, &header, to->mtu);
}
