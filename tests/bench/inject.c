/* inject.c - packets into a TUN device from the kernel's side, without any TCP of its own: <SYN>s
 * with a cookie and a request, each from an endpoint of its own, a window of them at once.
 *
 *     inject DEVICE answers|echo
 *
 * They go to 10.60.9.2 through a packet socket, and what comes back is looked at: a
 * <SYN,ACK(SYN)> with the whole answer that acknowledges the request, or an echo of the same
 * size. The sources, 10.61.0.0/16, must lead nowhere. The last line is `exchanges=N failed=N us=N
 * cpu_us=N`; failed are wrong answers and those that did not come in time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcpct/segment.h"
#include "tests/bench/exchange.h"
#include "tests/bench/measure.h"
#include "tun/loop.h"

enum {
    RUN_US = 2000000,
    WINDOW = 256, /* below the device's queue of 500 */
    BATCH = 64,
    PATIENCE_MS = 50,
    PACKET_ROOM = 2048,
    BUFFER = 8 << 20,
};

static uint8_t bytes[BATCH][PACKET_ROOM];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];
static uint64_t done, failed;
static bool echo;

/* A <SYN> that nobody has sent before. */
static size_t make_syn(uint64_t number, uint8_t *packet_bytes)
{
    static const uint8_t request[REQUEST_SIZE];
    static uint8_t cookie[COOKIE_SIZE_MAX];
    struct segment segment = {
        .source = { .family = 4,
                    .bytes = { 10, 61, (uint8_t)(number >> 24), (uint8_t)(number >> 16) } },
        .destination = { .family = 4, .bytes = { 10, 60, 9, 2 } },
        .source_port = (uint16_t)(number | 1024),
        .destination_port = EXCHANGE_PORT,
        .seq = (uint32_t)number * 2654435761u,
        .flags = SEGMENT_SYN,
        .hop_limit = 64,
        .window = UINT16_MAX,
        .options = { .present = OPTION_MSS | OPTION_SACK_PERMITTED | OPTION_TIMESTAMPS |
                                OPTION_WINDOW_SCALE | OPTION_COOKIE,
                     .mss = 1460,
                     .timestamp_size = 4,
                     .timestamp_value = (uint32_t)number,
                     .cookie_size = COOKIE_SIZE_MAX },
        .data = request,
        .data_size = sizeof request,
    };
    memcpy(cookie, &number, sizeof number);
    memcpy(segment.options.initiator_cookie, cookie, sizeof cookie);
    struct tcpct_packet packet = { .data = packet_bytes, .size = PACKET_ROOM };
    return segment_encode(&segment, &packet, false) ? packet.length : 0;
}

static bool is_answer(uint8_t *packet_bytes, size_t size)
{
    struct segment segment;
    /* Its checksum may be unfinished, since it came from a device with offload. */
    const struct tcpct_packet packet = {
        .data = packet_bytes, .length = size, .size = PACKET_ROOM, .partial_checksum = true
    };
    if (segment_decode(&segment, &packet, NULL) != SEGMENT_OK)
        return false;
    if (echo)
        return segment.flags == SEGMENT_SYN && segment.data_size == REQUEST_SIZE;
    return segment.flags == (SEGMENT_SYN | SEGMENT_ACK) &&
           segment.options.present & OPTION_COOKIE && segment.data_size == ANSWER_SIZE;
}

static int open_socket(const char *device)
{
    const int yes = 1, buffer = BUFFER;
    const struct sockaddr_ll to = { .sll_family = AF_PACKET,
                                    .sll_protocol = htons(ETH_P_IP),
                                    .sll_ifindex = (int)if_nametoindex(device) };
    int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
    if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) != 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0 ||
        bind(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        return -1;
    const struct timeval patience = { .tv_usec = PATIENCE_MS * 1000 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

/* How many were sent of at most `count`. */
static unsigned send_some(int fd, uint64_t first, unsigned count)
{
    if (count > BATCH)
        count = BATCH;
    for (unsigned i = 0; i < count; i++)
        parts[i].iov_len = make_syn(first + i, bytes[i]);
    int sent = count > 0 ? sendmmsg(fd, messages, count, 0) : 0;
    return sent > 0 ? (unsigned)sent : 0;
}

/* How many answers came; waits for one. */
static unsigned receive_some(int fd)
{
    for (unsigned i = 0; i < BATCH; i++)
        parts[i].iov_len = PACKET_ROOM;
    int got = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
    for (int i = 0; i < got; i++) {
        bool good = is_answer(bytes[i], messages[i].msg_len);
        done += good;
        failed += !good;
    }
    return got > 0 ? (unsigned)got : 0;
}

int main(int argc, char **argv)
{
    int fd = argc == 3 ? open_socket(argv[1]) : -1;
    echo = argc == 3 && strcmp(argv[2], "echo") == 0;
    if (fd < 0)
        return measure_fail("inject", argc == 3 ? strerror(errno) : "say DEVICE answers|echo");
    for (unsigned i = 0; i < BATCH; i++) {
        parts[i].iov_base = bytes[i];
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
    }
    uint64_t cpu_us = measure_cpu_us(), start_us = loop_clock_us(), now_us = start_us, sent = 0;
    unsigned outstanding = 0;
    while (now_us - start_us < RUN_US) {
        unsigned added = send_some(fd, sent, WINDOW - outstanding);
        sent += added;
        outstanding += added;
        unsigned got = receive_some(fd);
        if (got == 0) { /* what is out is lost */
            failed += outstanding;
            outstanding = 0;
        }
        outstanding -= got < outstanding ? got : outstanding;
        now_us = loop_clock_us();
    }
    printf("exchanges=%" PRIu64 " failed=%" PRIu64 " us=%" PRIu64 " cpu_us=%" PRIu64 "\n", done,
           failed, now_us - start_us, measure_cpu_us() - cpu_us);
    return 0;
}
