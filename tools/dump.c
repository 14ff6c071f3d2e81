/* dump.c - `tcpct dump FILE.pcap`: what a capture holds, one line a segment, or one a connection.
 *
 * The packets are decoded by the stack's own codec. A capture taken at a device with offload has
 * checksums that the kernel never finished; such segments are decoded all the same, and marked.
 */
#include <getopt.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/dump.h"

struct dump {
    bool json, summary;
    struct dump_flows *flows;
    struct timeval first;
    uint64_t packets;
};

/* ---- link layers ------------------------------------------------------------------------------ */

static uint16_t get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Bytes of an Ethernet header with its VLAN tags (IEEE 802.1Q), or SIZE_MAX if no IP follows. */
static size_t ethernet_header(const uint8_t *bytes, size_t size)
{
    size_t at = 12;
    while (at + 4 <= size && (get16(bytes + at) == 0x8100 || get16(bytes + at) == 0x88a8))
        at += 4;
    if (at + 2 > size || (get16(bytes + at) != 0x0800 && get16(bytes + at) != 0x86dd))
        return SIZE_MAX;
    return at + 2;
}

/* Bytes before the IP header; SIZE_MAX: this packet has none. -1 as link type is none of ours. */
static size_t link_header(int link_type, const uint8_t *bytes, size_t size)
{
    switch (link_type) {
    case DLT_EN10MB:
        return ethernet_header(bytes, size);
    case DLT_NULL:
    case DLT_LOOP:
        return 4;
    case DLT_LINUX_SLL:
        return 16;
    case DLT_LINUX_SLL2:
        return 20;
    default:
        return 0;
    }
}

static bool link_type_is_known(int link_type)
{
    static const int known[] = { DLT_RAW,       DLT_EN10MB,     DLT_NULL, DLT_LOOP,
                                 DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_IPV4, DLT_IPV6 };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i] == link_type)
            return true;
    }
    return false;
}

/* ---- packets ---------------------------------------------------------------------------------- */

/* 0, or 1 after a message. */
static int take_packet(struct dump *dump, int link_type, const struct pcap_pkthdr *header,
                       const uint8_t *bytes)
{
    if (dump->packets++ == 0)
        dump->first = header->ts;
    size_t skip = link_header(link_type, bytes, header->caplen);
    if (skip >= header->caplen || header->caplen - skip > TCPCT_PACKET_SIZE)
        return 0;
    struct dump_packet packet = {
        .number = dump->packets,
        .time_us = (int64_t)(header->ts.tv_sec - dump->first.tv_sec) * 1000000 +
                   (header->ts.tv_usec - dump->first.tv_usec),
        .size = header->caplen - skip,
    };
    struct tcpct_packet raw = { .data = (uint8_t *)bytes + skip, /* which the codec only reads */
                                .length = packet.size,
                                .size = packet.size };
    packet.verdict = segment_decode(&packet.segment, &raw, &packet.layout);
    if (packet.verdict == SEGMENT_BAD_CHECKSUM) {
        packet.bad_checksum = true;
        raw.partial_checksum = true;
        packet.verdict = segment_decode(&packet.segment, &raw, &packet.layout);
    }
    enum dump_side side = DUMP_CLIENT;
    const struct dump_flow *flow = NULL;
    if (packet.verdict == SEGMENT_OK) {
        packet.size = packet.segment.packet_size;
        flow = dump_flows_take(dump->flows, &packet, &side);
        if (flow == NULL)
            return command_error("dump", 1, "out of memory after %" PRIu64 " packets",
                                 dump->packets);
    }
    if (!dump->summary)
        (dump->json ? dump_line_json : dump_line_text)(stdout, &packet, flow, side);
    return 0;
}

/* ---- connections ------------------------------------------------------------------------------ */

static const char *mode_text(enum dump_mode mode)
{
    static const char *const texts[] = { [DUMP_PLAIN] = "plain",
                                         [DUMP_COLD] = "cold",
                                         [DUMP_SYN_DATA] = "syn-data",
                                         [DUMP_RESTART] = "restart",
                                         [DUMP_FAST_OPEN] = "fastopen" };
    return texts[mode];
}

static void summary_text(const struct dump_summary *summary)
{
    char address[2][48];
    printf("%s.%u > %s.%u  %s  packets %" PRIu64 " + %" PRIu64 "  bytes %" PRIu64 " + %" PRIu64
           "  data %" PRIu64 " + %" PRIu64,
           address_text(&summary->address[0], address[0], sizeof address[0]), summary->port[0],
           address_text(&summary->address[1], address[1], sizeof address[1]), summary->port[1],
           mode_text(summary->mode), summary->packets[0], summary->packets[1], summary->bytes[0],
           summary->bytes[1], summary->data[0], summary->data[1]);
    if (summary->answered_us >= 0)
        printf("  round trips %u  %.3f ms", summary->round_trips,
               (double)summary->answered_us / 1e3);
    printf("\n");
}

static void summary_json(const struct dump_summary *summary)
{
    char address[2][48];
    printf("{\"client\":\"%s\",\"client_port\":%u,\"server\":\"%s\",\"server_port\":%u,"
           "\"mode\":\"%s\",\"start_us\":%" PRId64,
           address_text(&summary->address[0], address[0], sizeof address[0]), summary->port[0],
           address_text(&summary->address[1], address[1], sizeof address[1]), summary->port[1],
           mode_text(summary->mode), summary->start_us);
    static const char *const sides[] = { "client", "server" };
    for (unsigned side = 0; side < 2; side++)
        printf(",\"packets_%s\":%" PRIu64 ",\"bytes_%s\":%" PRIu64 ",\"data_%s\":%" PRIu64,
               sides[side], summary->packets[side], sides[side], summary->bytes[side], sides[side],
               summary->data[side]);
    if (summary->answered_us >= 0)
        printf(",\"round_trips\":%u,\"answered_us\":%" PRId64, summary->round_trips,
               summary->answered_us);
    if (summary->min_rtt_us >= 0)
        printf(",\"handshake_rtt_us\":%" PRId64, summary->min_rtt_us);
    printf("}\n");
}

/* ---- the command ------------------------------------------------------------------------------ */

static int dump_file(struct dump *dump, const char *path)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(path, error);
    if (pcap == NULL)
        return command_error("dump", 1, "cannot read %s as a capture: %s", path, error);
    int link_type = pcap_datalink(pcap), status = 0, got = 0;
    if (!link_type_is_known(link_type))
        status = command_error("dump", 1, "%s has link type %d, which is not known here", path,
                               link_type);
    struct pcap_pkthdr *header;
    const uint8_t *bytes;
    while (status == 0 && (got = pcap_next_ex(pcap, &header, &bytes)) == 1)
        status = take_packet(dump, link_type, header, bytes);
    if (status == 0 && dump->summary)
        dump_flows_each(dump->flows, dump->json ? summary_json : summary_text);
    if (status == 0 && got == PCAP_ERROR)
        status = command_error("dump", 1, "%s ends in the middle after %" PRIu64 " packets: %s",
                               path, dump->packets, pcap_geterr(pcap));
    pcap_close(pcap);
    if (fflush(stdout) != 0 && status == 0)
        status = command_error("dump", 1, "cannot write to standard output");
    return status;
}

int command_dump(int argc, char **argv)
{
    enum { JSON = 1, SUMMARY, HELP };
    static const struct option long_options[] = { { "json", no_argument, NULL, JSON },
                                                  { "summary", no_argument, NULL, SUMMARY },
                                                  { "help", no_argument, NULL, HELP },
                                                  { NULL, 0, NULL, 0 } };
    struct dump dump = { .flows = NULL };
    int value;
    opterr = 0;
    optind = 1;
    while ((value = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        switch (value) {
        case JSON:
            dump.json = true;
            break;
        case SUMMARY:
            dump.summary = true;
            break;
        case HELP:
            printf("usage: tcpct dump [--summary] [--json] FILE.pcap\n"
                   "one line a packet, or (--summary) a connection, as text or JSON\n");
            return 0;
        default:
            return command_bad_option("dump", argv, value);
        }
    }
    if (argc - optind != 1)
        return command_error("dump", EXIT_USAGE, "name one capture: see `tcpct dump --help`");
    dump.flows = dump_flows_create();
    if (dump.flows == NULL)
        return command_error("dump", 1, "out of memory");
    int status = dump_file(&dump, argv[optind]);
    dump_flows_destroy(dump.flows);
    return status;
}
