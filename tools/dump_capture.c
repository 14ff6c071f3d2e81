/* dump_capture.c - the packets of a capture file (pcap or pcapng), or those that pass a device. They are decoded
 * by the stack's own codec; a segment with a bad checksum is decoded all the same, and marked.
 */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/dump.h"

enum { LIVE_WAIT_MS = 100 };

struct dump_capture {
    pcap_t *pcap;
    const char *name;
    bool live;
    int link_type;
    struct timeval first;
    uint64_t packets;
};

static pcap_t *followed; /* the device, for the signal handler */

static void stop(int number)
{
    (void)number;
    pcap_breakloop(followed);
}

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

/* ---- opening ---------------------------------------------------------------------------------- */

/* Packets at once, not when a buffer is full. */
static pcap_t *open_device(const char *name, char error[PCAP_ERRBUF_SIZE])
{
    pcap_t *pcap = pcap_create(name, error);
    if (pcap == NULL)
        return NULL;
    pcap_set_snaplen(pcap, TCPCT_PACKET_SIZE + 64);
    pcap_set_timeout(pcap, LIVE_WAIT_MS);
    pcap_set_immediate_mode(pcap, 1);
    if (pcap_activate(pcap) >= 0)
        return pcap;
    snprintf(error, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(pcap));
    pcap_close(pcap);
    return NULL;
}

struct dump_capture *dump_capture_open(const char *name, bool live)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    struct dump_capture *capture = calloc(1, sizeof *capture);
    if (capture == NULL) {
        command_error("dump", 1, "out of memory");
        return NULL;
    }
    *capture = (struct dump_capture){ .name = name, .live = live };
    capture->pcap = live ? open_device(name, error) : pcap_open_offline(name, error);
    if (capture->pcap == NULL) {
        command_error("dump", 1,
                      live ? "cannot follow device %s: %s" : "cannot read %s as a capture: %s",
                      name, error);
        free(capture);
        return NULL;
    }
    capture->link_type = pcap_datalink(capture->pcap);
    if (!link_type_is_known(capture->link_type)) {
        command_error("dump", 1, "%s has link type %d, which is not known here", name,
                      capture->link_type);
        dump_capture_close(capture);
        return NULL;
    }
    if (live) {
        followed = capture->pcap;
        const struct sigaction action = { .sa_handler = stop };
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        fprintf(stderr, "ready: following %s\n", name);
    }
    return capture;
}

void dump_capture_close(struct dump_capture *capture)
{
    pcap_close(capture->pcap);
    free(capture);
}

/* ---- packets ---------------------------------------------------------------------------------- */

/* False: there is no IP in it. */
static bool decode(struct dump_capture *capture, const struct pcap_pkthdr *header,
                   const uint8_t *bytes, struct dump_packet *packet)
{
    if (capture->packets++ == 0)
        capture->first = header->ts;
    size_t skip = link_header(capture->link_type, bytes, header->caplen);
    if (skip >= header->caplen || header->caplen - skip > TCPCT_PACKET_SIZE)
        return false;
    *packet = (struct dump_packet){
        .number = capture->packets,
        .time_us = (int64_t)(header->ts.tv_sec - capture->first.tv_sec) * 1000000 +
                   (header->ts.tv_usec - capture->first.tv_usec),
        .size = header->caplen - skip,
    };
    struct tcpct_packet raw = { .data = (uint8_t *)bytes + skip, /* which the codec only reads */
                                .length = packet->size,
                                .size = packet->size };
    packet->verdict = segment_decode(&packet->segment, &raw, &packet->layout);
    if (packet->verdict == SEGMENT_BAD_CHECKSUM) {
        packet->bad_checksum = true;
        raw.partial_checksum = true;
        packet->verdict = segment_decode(&packet->segment, &raw, &packet->layout);
    }
    if (packet->verdict == SEGMENT_OK)
        packet->size = packet->segment.packet_size;
    return true;
}

enum dump_got dump_capture_next(struct dump_capture *capture, struct dump_packet *packet)
{
    struct pcap_pkthdr *header;
    const uint8_t *bytes;
    int got = 0;
    while ((got = pcap_next_ex(capture->pcap, &header, &bytes)) >= 0) {
        if (got == 1 && decode(capture, header, bytes, packet))
            return DUMP_GOT_PACKET;
    }
    if (got != PCAP_ERROR) /* the end of the file, or a signal */
        return DUMP_GOT_END;
    if (capture->live)
        command_error("dump", 1, "cannot follow device %s any more: %s", capture->name,
                      pcap_geterr(capture->pcap));
    else
        command_error("dump", 1, "%s ends in the middle after %" PRIu64 " packets: %s",
                      capture->name, capture->packets, pcap_geterr(capture->pcap));
    return DUMP_GOT_ERROR;
}
