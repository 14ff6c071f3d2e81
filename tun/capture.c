/* capture.c - a pcap file through libpcap. Each packet is written as the ordinary packets that
 * split.h makes of it.
 */
#include "tun/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tun/loop.h"
#include "tun/split.h"

struct capture {
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    uint64_t wall_clock_offset_us; /* to be added to now_us */
    uint8_t bytes[TCPCT_PACKET_SIZE];
};

struct capture *capture_open(const char *path, char *error, size_t error_size)
{
    struct capture *capture = calloc(1, sizeof *capture);
    if (capture == NULL) {
        snprintf(error, error_size, "cannot capture to %s: no memory", path);
        return NULL;
    }
    capture->wall_clock_offset_us = loop_wall_clock_us() - loop_clock_us();
    capture->pcap = pcap_open_dead(DLT_RAW, TCPCT_PACKET_SIZE);
    if (capture->pcap != NULL)
        capture->dumper = pcap_dump_open(capture->pcap, path);
    if (capture->dumper == NULL) {
        const char *reason = capture->pcap != NULL ? pcap_geterr(capture->pcap) : "no memory";
        snprintf(error, error_size,
                 "cannot write the capture (%s): give --capture a file in a "
                 "directory that you may write to",
                 reason);
        capture_close(capture);
        return NULL;
    }
    return capture;
}

void capture_packet(struct capture *capture, const struct tcpct_packet *packet, uint64_t now_us)
{
    uint64_t time_us = now_us + capture->wall_clock_offset_us;
    struct tcpct_packet segment = { .data = capture->bytes, .size = sizeof capture->bytes };
    struct split split;
    split_begin(&split, packet);
    while (split_next(&split, &segment)) {
        struct pcap_pkthdr header = {
            .ts = { .tv_sec = (time_t)(time_us / 1000000),
                    .tv_usec = (suseconds_t)(time_us % 1000000) },
            .caplen = (bpf_u_int32)segment.length,
            .len = (bpf_u_int32)segment.length,
        };
        pcap_dump((u_char *)capture->dumper, &header, segment.data);
    }
}

void capture_flush(struct capture *capture)
{
    pcap_dump_flush(capture->dumper);
}

int capture_close(struct capture *capture)
{
    if (capture == NULL)
        return 0;
    int status = 0;
    if (capture->dumper != NULL) {
        if (pcap_dump_flush(capture->dumper) != 0 || ferror(pcap_dump_file(capture->dumper)))
            status = -1;
        pcap_dump_close(capture->dumper);
    }
    if (capture->pcap != NULL)
        pcap_close(capture->pcap);
    free(capture);
    return status;
}
