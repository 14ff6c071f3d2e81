/* ceiling.c - what a TUN device itself allows: the least that can pass for a TCP receiver or sender
 * at the other end of a kernel's connection, and an echo of packets.
 *
 *     ceiling in | out SIZE | echo [--no-offload]
 *
 * Prints `ready`. in and out listen at 10.60.9.2 for one connection, take everything and
 * acknowledge once a batch, or send SIZE (such as 4gb) of zeros within the peer's window; no
 * options but MSS and window scale, no timers, no copies, no congestion control; what is lost is
 * the kernel's to repair (in) or fails (out). echo sends each packet back with its addresses
 * swapped, until SIGTERM. The last line is `received=N` (`sent`, `echoed`) `us=N cpu_us=N
 * packets=N`.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcpct/checksum.h"
#include "tcpct/segment.h"
#include "tcpct/wire.h"
#include "tests/bench/measure.h"
#include "tools/units.h"
#include "tun/device.h"
#include "tun/loop.h"

enum {
    HEADERS = 40, /* IPv4 and TCP without options */
    SYN_OPTIONS = 8,
    MSS = 1460,
    OUR_SCALE = 6,
    OUR_WINDOW = 1 << 20,
    BATCH = 64,     /* packets read before an acknowledgment */
    READ_EACH = 32, /* packets written before a look for acknowledgments */
    QUEUE_PACKETS = 2000,
    PATIENCE_MS = 5000,
    FRAME_MAX = (TCPCT_PACKET_SIZE - HEADERS) / MSS * MSS,
};

struct peer {
    struct tun_device *device;
    uint32_t snd_una, snd_nxt, rcv_nxt;
    uint32_t window; /* the peer's, in bytes */
    unsigned scale;
    bool open, closed;
    uint64_t received, started_us;
    uint8_t out[TCPCT_PACKET_SIZE];
};

static struct peer peer;
static uint8_t remote_port[2];

/* Sends `size` bytes of data, which are zero, so that a checksum need only see the headers. */
static void transmit(uint8_t flags, uint32_t size, bool options)
{
    static const uint8_t addresses[] = { 10, 60, 9, 2, 10, 60, 9, 1 };
    static const uint8_t syn_options[] = { 2, 4, MSS >> 8, MSS & 255, 3, 3, OUR_SCALE, 0 };
    const uint32_t headers = HEADERS + (options ? SYN_OPTIONS : 0);
    uint8_t *ip = peer.out, *tcp = peer.out + 20;
    memset(ip, 0, headers);
    ip[0] = 0x45;
    wire_put16(ip + 2, (uint16_t)(headers + size));
    ip[6] = 0x40;
    ip[8] = 64;
    ip[9] = IP_PROTOCOL_TCP;
    memcpy(ip + 12, addresses, sizeof addresses);
    wire_put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, 20)));
    wire_put16(tcp, 7000);
    memcpy(tcp + 2, remote_port, 2);
    wire_put32(tcp + 4, peer.snd_nxt);
    wire_put32(tcp + 8, peer.rcv_nxt);
    tcp[12] = (uint8_t)((headers - 20) / 4 << 4);
    tcp[13] = flags;
    wire_put16(tcp + 14, OUR_WINDOW >> OUR_SCALE);
    if (options)
        memcpy(tcp + 20, syn_options, sizeof syn_options);
    bool partial = tun_device_checksum_offload(peer.device);
    uint32_t sum = checksum_add(IP_PROTOCOL_TCP + headers - 20 + size, ip + 12, 8);
    if (!partial)
        sum = checksum_add(sum, tcp, headers - 20);
    uint16_t folded = checksum_fold(sum);
    wire_put16(tcp + 16, partial ? folded : (uint16_t)~folded);
    const struct tcpct_packet packet = { .data = peer.out,
                                         .length = headers + size,
                                         .size = sizeof peer.out,
                                         .segment_size = size > MSS ? MSS : 0,
                                         .header_size = (uint16_t)headers,
                                         .partial_checksum = partial };
    tun_device_write(peer.device, &packet, 0);
    peer.snd_nxt += size + (flags & (SEGMENT_SYN | SEGMENT_FIN) ? 1 : 0);
    memset(peer.out + HEADERS, 0, SYN_OPTIONS);
}

static void take_syn(const uint8_t *tcp)
{
    const uint8_t *end = tcp + 4 * (tcp[12] >> 4);
    memcpy(remote_port, tcp, 2);
    peer.rcv_nxt = wire_get32(tcp + 4) + 1;
    peer.snd_nxt = 1000;
    for (const uint8_t *option = tcp + 20; option < end && *option != 0;
         option += *option == 1 ? 1 : option[1]) {
        if (*option == 3)
            peer.scale = option[2];
        if (*option != 1 && option[1] < 2)
            break;
    }
    transmit(SEGMENT_SYN | SEGMENT_ACK, 0, true);
    peer.snd_una = peer.snd_nxt;
}

static void take(const struct tcpct_packet *packet)
{
    const uint8_t *tcp = packet->data + 20;
    if (packet->length < HEADERS || packet->data[9] != IP_PROTOCOL_TCP)
        return;
    if ((tcp[13] & SEGMENT_SYN) != 0) {
        take_syn(tcp);
        return;
    }
    if (!peer.open)
        peer.started_us = loop_clock_us();
    peer.open = true;
    peer.snd_una = wire_get32(tcp + 8);
    peer.window = (uint32_t)wire_get16(tcp + 14) << peer.scale;
    uint32_t size = (uint32_t)packet->length - 20 - 4 * (uint32_t)(tcp[12] >> 4);
    if (wire_get32(tcp + 4) != peer.rcv_nxt)
        return;
    peer.rcv_nxt += size;
    peer.received += size;
    if ((tcp[13] & SEGMENT_FIN) != 0) {
        peer.closed = true;
        peer.rcv_nxt++;
    }
}

/* Reads up to a batch; waits for the first if `wait`. How many, or -1. */
static int receive(bool wait)
{
    int count = 0;
    struct tcpct_packet packet = { 0 };
    struct pollfd readable = { .fd = tun_device_fd(peer.device), .events = POLLIN };
    if (wait && poll(&readable, 1, PATIENCE_MS) <= 0)
        return -1;
    while (count < BATCH && tun_device_read(peer.device, &packet, 0) > 0) {
        take(&packet);
        count++;
    }
    return count;
}

static int take_all(void)
{
    while (!peer.closed) {
        uint64_t before = peer.received;
        if (receive(true) < 0)
            return measure_fail("ceiling", "the kernel has fallen silent");
        if (peer.open && (peer.received != before || peer.closed))
            transmit(SEGMENT_ACK | (peer.closed ? SEGMENT_FIN : 0), 0, false);
    }
    return 0;
}

static int send_all(uint64_t size)
{
    const uint32_t largest = tun_device_offload_size_max(peer.device) > 0 ? FRAME_MAX : MSS;
    uint64_t left = size;
    for (unsigned count = 0; left > 0 || peer.snd_una != peer.snd_nxt; count++) {
        uint32_t frame = left < largest ? (uint32_t)left : largest;
        uint32_t flight = peer.snd_nxt - peer.snd_una;
        bool fits = peer.open && left > 0 && flight + frame <= peer.window;
        if ((!fits || count % READ_EACH == 0) && receive(!fits) < 0)
            return measure_fail("ceiling", "the kernel has fallen silent");
        if (!fits)
            continue;
        transmit(SEGMENT_ACK, frame, false);
        left -= frame;
    }
    transmit(SEGMENT_ACK | SEGMENT_FIN, 0, false);
    return 0;
}

/* How many were echoed. */
static uint64_t echo_all(void)
{
    struct pollfd readable = { .fd = tun_device_fd(peer.device), .events = POLLIN };
    struct tcpct_packet packet = { 0 };
    uint64_t count = 0;
    while (!measure_stopped) {
        if (tun_device_read(peer.device, &packet, 0) <= 0) {
            poll(&readable, 1, -1);
            continue;
        }
        if (packet.length < HEADERS || packet.data[0] != 0x45)
            continue;
        uint8_t source[4];
        memcpy(source, packet.data + 12, sizeof source);
        memcpy(packet.data + 12, packet.data + 16, sizeof source);
        memcpy(packet.data + 16, source, sizeof source);
        if (count++ == 0)
            peer.started_us = loop_clock_us();
        tun_device_write(peer.device, &packet, 0);
    }
    return count;
}

/* ---- flags and report ------------------------------------------------------------------------- */

static int open_device(bool no_offload)
{
    char error[256];
    const struct tun_address host = { { .family = 4, .bytes = { 10, 60, 9, 1 } }, 24 };
    const struct tun_options options = { .name = "tcpct0",
                                         .hosts = &host,
                                         .host_count = 1,
                                         .queue_packets = QUEUE_PACKETS,
                                         .no_offload = no_offload };
    if (tun_device_open(&peer.device, &options, error, sizeof error) != 0)
        return measure_fail("ceiling", error);
    return 0;
}

static void report(const char *what, uint64_t count, uint64_t cpu_before_us)
{
    const struct tun_device_counters *counters = tun_device_counters(peer.device);
    printf("%s=%" PRIu64 " us=%" PRIu64 " cpu_us=%" PRIu64 " packets=%" PRIu64 "\n", what, count,
           loop_clock_us() - peer.started_us, measure_cpu_us() - cpu_before_us,
           counters->reads + counters->writes);
}

int main(int argc, char **argv)
{
    uint64_t size = 0;
    const char *what = argc > 1 ? argv[1] : "";
    bool no_offload = argc > 2 && strcmp(argv[argc - 1], "--no-offload") == 0;
    bool out = strcmp(what, "out") == 0, echo = strcmp(what, "echo") == 0;
    if (argc - no_offload != (out ? 3 : 2) || (!out && !echo && strcmp(what, "in") != 0) ||
        (out && !unit_size(argv[2], UINT64_C(1) << 40, &size))) {
        fprintf(stderr, "usage: ceiling in | out SIZE | echo [--no-offload]\n");
        return 2;
    }
    measure_stop_on_term();
    if (open_device(no_offload) != 0)
        return 1;
    measure_ready();
    uint64_t cpu_us = measure_cpu_us();
    int status = 0;
    if (echo) {
        report("echoed", echo_all(), cpu_us);
    } else {
        status = out ? send_all(size) : take_all();
        if (status == 0)
            report(out ? "sent" : "received", out ? size : peer.received, cpu_us);
    }
    tun_device_close(peer.device);
    return status;
}
