#include "tests/tcpct/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/checksum.h"
#include "tcpct/wire.h"

static struct script *connected(unsigned family, const char *options, uint64_t rtt_us,
                                const struct tcpct_config *config)
{
    char text[128];
    struct script *t = script_connect(family, config, &(struct tcpct_connect_options){ 0 });
    expect(t, config && config->ecn ? "SEW 0" : "S 0");
    script_wait(t, rtt_us);
    snprintf(text, sizeof(text), "%s 0 ack 1 <%s>", config && config->ecn ? "S.E" : "S.", options);
    inject_verdict(t, text, TCPCT_ACCEPTED);
    expect(t, ". 1 ack 1");
    return t;
}

struct script *peer_connect(const char *options, uint64_t rtt_us, const struct tcpct_config *config)
{
    return connected(4, options, rtt_us, config);
}

struct script *peer_connect6(const char *options, uint64_t rtt_us)
{
    return connected(6, options, rtt_us, NULL);
}

struct script *peer_accept(const char *options, const struct tcpct_config *config)
{
    char text[128];
    struct script *t = script_listen(4, config, NULL);
    snprintf(text, sizeof(text), "S 0 <%s>", options);
    inject_verdict(t, text, TCPCT_REPLIED);
    expect(t, "S. 0 ack 1");
    inject_verdict(t, strstr(options, "ts ") ? ". 1 ack 1 <ts 100>" : ". 1 ack 1", TCPCT_ACCEPTED);
    t->connection = script_accept(t);
    return t;
}

void peer_inject_marked(struct script *t, const char *text, uint8_t mark)
{
    struct notation notation = notation_parse(text);
    static uint8_t data[2048], bytes[4096];
    struct segment segment = {
        .source = t->peer_address,
        .destination = t->stack_address,
        .source_port = t->peer_port,
        .destination_port = t->stack_port,
        .seq = t->iss + notation.seq,
        .ack = t->irs + (notation.has_ack ? notation.ack : t->next),
        .flags = notation.flags,
        .traffic_class = mark,
        .hop_limit = 64,
        .window = UINT16_MAX,
        .options = notation.options,
        .data = data,
        .data_size = notation.data_size,
    };
    if (segment.options.timestamp_size && !notation.has_echo)
        segment.options.timestamp_echo = t->stack_timestamp;
    for (uint32_t i = 0; i < notation.data_size; i++)
        data[i] = script_byte(notation.seq - 1 + i);
    uint8_t room[TCPCT_REPLY_SIZE];
    struct tcpct_packet packet = { .data = bytes, .size = sizeof(bytes) };
    struct tcpct_packet reply = { .data = room, .size = sizeof(room) };
    assert_true(segment_encode(&segment, &packet, false));
    script_wait(t, 0);
    t->verdict = tcpct_input(t->host.stack, &packet, &reply, t->now_us);
    assert_int_equal(reply.length, 0);
}

unsigned peer_skip(struct script *t)
{
    script_wait(t, 0);
    unsigned count = t->queue_count;
    while (t->queue_count) { /* what is not looked at is still echoed */
        struct script_packet *next = &t->queue[t->queue_first];
        struct tcpct_packet packet = { .data = next->bytes, .length = next->length };
        struct segment segment;
        if (segment_decode(&segment, &packet, NULL) == SEGMENT_OK &&
            segment.options.timestamp_size && !(segment.flags & SEGMENT_RST))
            t->stack_timestamp = segment.options.timestamp_value;
        t->queue_first = (t->queue_first + 1) % SCRIPT_QUEUE;
        t->queue_count--;
    }
    return count;
}

struct tcpct_info peer_info(const struct script *t)
{
    struct tcpct_info info;
    tcpct_connection_info(t->connection, &info);
    return info;
}

/* The first bytes of the packet that the router dropped: IP header and 8 bytes of TCP. */
static size_t quote(const struct script *t, uint8_t *to, uint32_t seq)
{
    const struct ip_header ip = {
        .source = t->stack_address,
        .destination = t->peer_address,
        .protocol = IP_PROTOCOL_TCP,
        .hop_limit = 60,
        .dont_fragment = true,
    };
    size_t size = ip_encode(&ip, to, 1400);
    wire_put16(to + size, t->stack_port);
    wire_put16(to + size + 2, t->peer_port);
    wire_put32(to + size + 4, t->irs + seq);
    return size + 8;
}

enum tcpct_verdict peer_icmp(struct script *t, uint8_t type, uint8_t code, uint32_t word,
                             uint32_t quoted_seq)
{
    uint8_t bytes[256] = { 0 }, room[TCPCT_REPLY_SIZE];
    bool v6 = t->stack_address.family == 6;
    struct ip_header ip = {
        .source = t->peer_address,
        .destination = t->stack_address,
        .protocol = v6 ? IP_PROTOCOL_ICMPV6 : IP_PROTOCOL_ICMP,
        .hop_limit = 64,
    };
    ip.source.bytes[v6 ? 15 : 3] = 99; /* the router */
    uint8_t *message = bytes + ip_header_size(&ip.source);
    size_t size = 8 + quote(t, message + 8, quoted_seq);
    message[0] = type;
    message[1] = code;
    wire_put32(message + 4, word);
    uint32_t sum = v6 ? ip_pseudo_sum(&ip.source, &ip.destination, ip.protocol, size) : 0;
    wire_put16(message + 2, (uint16_t)~checksum_fold(checksum_add(sum, message, size)));
    struct tcpct_packet packet = { .data = bytes,
                                   .length = ip_encode(&ip, bytes, size) + size,
                                   .size = sizeof(bytes) };
    struct tcpct_packet reply = { .data = room, .size = sizeof(room) };
    script_wait(t, 0);
    enum tcpct_verdict verdict = tcpct_input(t->host.stack, &packet, &reply, t->now_us);
    assert_int_equal(reply.length, 0);
    return verdict;
}
