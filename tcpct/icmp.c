#include "icmp.h"

#include <string.h>

#include "checksum.h"
#include "demux.h"
#include "path.h"
#include "seq.h"
#include "wire.h"

enum {
    ICMP_HEADER_SIZE = 8,
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_ECHO = 8,
    ICMP_CODE_PROTOCOL = 2,
    ICMP_CODE_PORT = 3,
    ICMP_CODE_TOO_BIG = 4,
    ICMPV6_CODE_PROHIBITED = 1,
    ICMPV6_CODE_PORT = 4,
    ICMPV6_UNREACHABLE = 1,
    ICMPV6_TOO_BIG = 2,
    ICMPV6_ECHO = 128,
    ICMPV6_ECHO_REPLY = 129,
    ERROR_SIZE_MAX = 576,     /* of IP (RFC 1812, 4.3.2.3) */
    ERROR_SIZE_MAX_V6 = 1280, /* RFC 4443, 2.4 (c) */
    UNREACHABLES_MAX = 100,   /* in a second (RFC 4443, 2.4 (f)) */
};

struct message {
    struct ip_header ip;
    const uint8_t *bytes; /* from the type on */
    size_t size;
    bool v6;
};

static uint32_t pseudo_sum(const struct ip_header *ip, size_t size)
{
    return ip->source.family == 6
               ? ip_pseudo_sum(&ip->source, &ip->destination, IP_PROTOCOL_ICMPV6, size)
               : 0;
}

static bool read_message(struct message *message, const struct tcpct_packet *packet)
{
    struct ip_header *ip = &message->ip;
    if (packet->segment_size || ip_decode(ip, packet->data, packet->length, false) != IP_OK)
        return false;
    message->v6 = ip->source.family == 6;
    message->bytes = packet->data + ip->header_size;
    message->size = ip->payload_size;
    return ip->protocol == (message->v6 ? IP_PROTOCOL_ICMPV6 : IP_PROTOCOL_ICMP);
}

/* Makes the packet around a message whose bytes behind the checksum stand already at
 * reply->data + the IP header's size, back to where `received` came from. */
static void finish_message(const struct tcpct_stack *stack, const struct ip_header *received,
                           uint8_t type, uint8_t code, size_t size, struct tcpct_packet *reply)
{
    const struct ip_header ip = {
        .source = received->destination,
        .destination = received->source,
        .protocol = received->source.family == 6 ? IP_PROTOCOL_ICMPV6 : IP_PROTOCOL_ICMP,
        .hop_limit = stack->config.hop_limit,
        .dont_fragment = true,
    };
    uint8_t *bytes = reply->data + ip_encode(&ip, reply->data, size);
    bytes[0] = type;
    bytes[1] = code;
    wire_put16(bytes + 2, 0);
    uint32_t sum = checksum_add(pseudo_sum(&ip, size), bytes, size);
    wire_put16(bytes + 2, (uint16_t)~checksum_fold(sum));
    reply->length = ip_header_size(&ip.source) + size;
    reply->header_size = reply->segment_size = 0;
    reply->partial_checksum = false;
}

static enum tcpct_verdict answer_echo(const struct tcpct_stack *stack,
                                      const struct message *message, struct tcpct_packet *reply)
{
    size_t header = ip_header_size(&message->ip.source);
    if (header + message->size > reply->size)
        return TCPCT_NO_RESOURCES;
    memcpy(reply->data + header, message->bytes, message->size);
    finish_message(stack, &message->ip, message->v6 ? ICMPV6_ECHO_REPLY : ICMP_ECHO_REPLY,
                   message->bytes[1], message->size, reply);
    return TCPCT_REPLIED;
}

/* No more than so many in any second. */
static bool may_send_error(struct tcpct_stack *stack, uint64_t now_us)
{
    if (now_us - stack->unreachable_us >= SECOND_US) {
        stack->unreachable_us = now_us;
        stack->unreachables = 0;
    }
    return stack->unreachables++ < UNREACHABLES_MAX;
}

bool tcpct_unreachable(struct tcpct_stack *stack, const struct tcpct_packet *packet,
                       struct tcpct_packet *reply, uint64_t now_us)
{
    struct ip_header ip;
    reply->length = 0;
    if (packet->segment_size || ip_decode(&ip, packet->data, packet->length, false) != IP_OK ||
        ip.protocol != IP_PROTOCOL_UDP || !stack_owns(stack, &ip.destination) ||
        ip_address_is_unusable(&ip.source) || !may_send_error(stack, now_us))
        return false;
    bool v6 = ip.source.family == 6;
    size_t header = ip_header_size(&ip.source) + ICMP_HEADER_SIZE;
    size_t quoted = (v6 ? ERROR_SIZE_MAX_V6 : ERROR_SIZE_MAX) - header;
    if (quoted > packet->length)
        quoted = packet->length;
    memcpy(reply->data + header, packet->data, quoted);
    wire_put32(reply->data + header - 4, 0);
    finish_message(stack, &ip, v6 ? ICMPV6_UNREACHABLE : ICMP_UNREACHABLE,
                   v6 ? ICMPV6_CODE_PORT : ICMP_CODE_PORT, ICMP_HEADER_SIZE + quoted, reply);
    stack->counters.unreachables_sent++;
    stack->counters.packets_out++;
    stack->counters.bytes_out += reply->length;
    return true;
}

/* The connection whose segment the error quotes, if that may be in flight. */
static struct tcpct_connection *quoted(const struct tcpct_stack *stack,
                                       const struct message *message)
{
    struct wire wire = wire_reader(message->bytes, message->size);
    wire_skip(&wire, ICMP_HEADER_SIZE);
    struct ip_header ip;
    enum ip_verdict verdict =
        ip_decode(&ip, message->bytes + ICMP_HEADER_SIZE, wire_left(&wire), true);
    if (wire.failed || verdict != IP_OK || ip.protocol != IP_PROTOCOL_TCP)
        return NULL;
    wire_skip(&wire, ip.header_size);
    struct endpoints endpoints = { .local = ip.source, .remote = ip.destination };
    endpoints.local_port = wire_read16(&wire);
    endpoints.remote_port = wire_read16(&wire);
    uint32_t seq = wire_read32(&wire);
    if (wire.failed)
        return NULL;
    struct tcpct_connection *connection = demux_find(stack, &endpoints);
    while (connection && (seq_lt(seq, connection->snd_una) || seq_lt(connection->snd_nxt, seq) ||
                          (seq == connection->snd_nxt && connection->state != TCPCT_SYN_SENT)))
        connection = demux_older(connection);
    return connection;
}

/* Codes that say that nobody will answer; the others are soft (RFC 9293, 3.9.2.2). */
static bool is_hard(bool v6, uint8_t code)
{
    return v6 ? code == ICMPV6_CODE_PROHIBITED || code == ICMPV6_CODE_PORT
              : code == ICMP_CODE_PROTOCOL || code == ICMP_CODE_PORT;
}

static enum tcpct_verdict take_error(struct tcpct_stack *stack, const struct message *message,
                                     uint64_t now_us)
{
    uint8_t type = message->bytes[0], code = message->bytes[1];
    bool too_big = message->v6 ? type == ICMPV6_TOO_BIG
                               : type == ICMP_UNREACHABLE && code == ICMP_CODE_TOO_BIG;
    bool unreachable =
        type == (message->v6 ? ICMPV6_UNREACHABLE : ICMP_UNREACHABLE) && is_hard(message->v6, code);
    struct tcpct_connection *connection = quoted(stack, message);
    if (!connection || (!too_big && !unreachable))
        return TCPCT_UNACCEPTABLE;
    if (too_big) {
        uint32_t mtu =
            message->v6 ? wire_get32(message->bytes + 4) : wire_get16(message->bytes + 6);
        path_too_big(connection, mtu, now_us);
    } else if (connection->state == TCPCT_SYN_SENT && !connection->pair.size &&
               !connection->md5_key) {
        tcb_closed(connection, TCPCT_ERROR_REFUSED, now_us);
    }
    return TCPCT_ACCEPTED;
}

bool icmp_input(struct tcpct_stack *stack, const struct tcpct_packet *packet,
                struct tcpct_packet *reply, enum tcpct_verdict *verdict, uint64_t now_us)
{
    struct message message;
    if (!read_message(&message, packet) || !stack_owns(stack, &message.ip.destination))
        return false;
    if (message.size < ICMP_HEADER_SIZE) {
        *verdict = TCPCT_MALFORMED;
        return true;
    }
    uint32_t sum = checksum_add(pseudo_sum(&message.ip, message.size), message.bytes, message.size);
    if (!packet->partial_checksum && checksum_fold(sum) != 0xffff)
        *verdict = TCPCT_BAD_CHECKSUM;
    else if (message.bytes[0] == (message.v6 ? ICMPV6_ECHO : ICMP_ECHO) &&
             !ip_address_is_unusable(&message.ip.source))
        *verdict = answer_echo(stack, &message, reply);
    else
        *verdict = take_error(stack, &message, now_us);
    return true;
}
