/* datagrams.c - DNS over UDP: see datagrams.h. */
#include "datagrams.h"

#include "tcpct/ip.h"
#include "tcpct/udp.h"

enum { HOP_LIMIT = 64 };

/* Answers in the reply's packet. False: nothing is to be sent. */
static bool answer(struct datagrams *datagrams, const struct udp_datagram *query,
                   struct tcpct_packet *reply, uint64_t now_us)
{
    const struct datagrams_options *options = &datagrams->options;
    struct datagrams_counters *counters = &datagrams->counters;
    struct dns_channel channel =
        dns_server_channel(datagrams->server, DNS_DATAGRAM, &query->source, now_us);
    size_t headers = udp_header_size(&query->source);
    uint8_t *message = reply->data + headers;
    channel.udp_size = options->size_max;
    if (channel.udp_size > options->mtu - headers)
        channel.udp_size = (uint16_t)(options->mtu - headers);
    counters->queries++;
    size_t size = 0;
    if (query->source_port != 0 && !ip_address_is_unusable(&query->source))
        size = dns_reply(datagrams->server->zones, &channel, query->data, query->size, message,
                         reply->size - headers);
    if (size == 0) {
        counters->dropped++;
        return false;
    }
    counters->answers++;
    counters->answer_bytes += size;
    counters->truncated += (dns_get16(message + 2) & DNS_FLAG_TC) != 0;
    const struct udp_datagram made = {
        .source = query->destination,
        .destination = query->source,
        .source_port = query->destination_port,
        .destination_port = query->source_port,
        .data = message,
        .size = size,
    };
    udp_encode(&made, options->hop_limit ? options->hop_limit : HOP_LIMIT, reply);
    return true;
}

bool datagrams_input(struct datagrams *datagrams, struct tcpct_stack *stack,
                     const struct tcpct_packet *packet, struct tcpct_packet *reply, uint64_t now_us)
{
    struct udp_datagram query;
    switch (udp_decode(&query, packet)) {
    case UDP_OK:
        break;
    case UDP_BAD_CHECKSUM:
        datagrams->counters.bad_checksums++;
        return false;
    case UDP_MALFORMED:
        datagrams->counters.malformed++;
        return false;
    case UDP_OTHER:
        return false;
    }
    if (!tcpct_address_owned(stack, &query.destination))
        return false;
    if (query.destination_port != datagrams->options.port)
        return tcpct_unreachable(stack, packet, reply, now_us);
    return answer(datagrams, &query, reply, now_us);
}

const char *datagrams_counter_name(size_t index)
{
    static const char *const names[] = {
        "udp_queries",   "udp_answers",       "udp_truncated",    "udp_dropped",
        "udp_malformed", "udp_bad_checksums", "udp_answer_bytes",
    };
    _Static_assert(sizeof names / sizeof *names ==
                       sizeof(struct datagrams_counters) / sizeof(uint64_t),
                   "each counter has a name");
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}
