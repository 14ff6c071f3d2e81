/* lab_flood.c - `tcpct lab flood`: <SYN>s from sources that do not exist, at a steady rate.
 *
 *     tcpct lab flood --device DEV --to ADDR:PORT --rate N --time TIME [--cookies] [--seed N]
 *
 * They leave a device of the lab through a packet socket. The sources are of 198.18.0.0/15 (RFC 2544)
 * or 2001:db8::/32, which lead nowhere; every <SYN> has another source, port and number. Only for
 * namespaces: it refuses a device that is not a TUN device.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tcpct/segment.h"
#include "tools/command.h"
#include "tools/lab_ask.h"
#include "tun/chance.h"
#include "tun/socket.h"

enum { RATE_MAX = 1000000, STEP_US = 1000, PACKET_ROOM = 256 };

struct flood {
    struct socket_name to;
    const char *device;
    uint64_t rate, time_us, seed;
    bool cookies;
    uint64_t random; /* the state of chance.h */
    int fd;
};

static size_t make_syn(struct flood *flood, uint8_t bytes[PACKET_ROOM])
{
    uint64_t dice[3];
    for (size_t i = 0; i < 3; i++)
        dice[i] = chance_next(&flood->random);
    struct segment segment = {
        .source = { .family = flood->to.address.family },
        .destination = flood->to.address,
        .source_port = (uint16_t)(1024 + dice[0] % 64000),
        .destination_port = flood->to.port,
        .seq = (uint32_t)(dice[0] >> 32),
        .flags = SEGMENT_SYN,
        .hop_limit = 64,
        .window = UINT16_MAX,
        .options = { .present = OPTION_MSS | OPTION_SACK_PERMITTED | OPTION_TIMESTAMPS |
                                OPTION_WINDOW_SCALE | (flood->cookies ? OPTION_COOKIE : 0),
                     .mss = 1460,
                     .timestamp_size = 4,
                     .timestamp_value = (uint32_t)dice[1],
                     .cookie_size = COOKIE_SIZE_MAX },
    };
    memcpy(segment.options.initiator_cookie, dice, COOKIE_SIZE_MAX);
    if (flood->to.address.family == 4) {
        const uint8_t source[] = { 198, (uint8_t)(18 + dice[2] % 2), (uint8_t)(dice[2] >> 8),
                                   (uint8_t)(dice[2] >> 16) };
        memcpy(segment.source.bytes, source, sizeof source);
    } else {
        static const uint8_t prefix[] = { 0x20, 0x01, 0x0d, 0xb8 };
        memcpy(segment.source.bytes, prefix, sizeof prefix);
        memcpy(segment.source.bytes + 8, &dice[2], sizeof dice[2]);
    }
    struct tcpct_packet packet = { .data = bytes, .size = PACKET_ROOM };
    return segment_encode(&segment, &packet, false) ? packet.length : 0;
}

static int fail(const char *what)
{
    return command_error("lab", 1, "flood: %s: %s", what, strerror(errno));
}

/* 0, or 1 after a message. */
static int open_device(struct flood *flood)
{
    uint16_t protocol = htons(flood->to.address.family == 4 ? ETH_P_IP : ETH_P_IPV6);
    const int yes = 1;
    struct ifreq request = { 0 };
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", flood->device);
    flood->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (flood->fd < 0 || ioctl(flood->fd, SIOCGIFHWADDR, &request) != 0)
        return fail(flood->device);
    if (request.ifr_hwaddr.sa_family != ARPHRD_NONE)
        return command_error("lab", 1, "flood: %s is no TUN device", flood->device);
    const struct sockaddr_ll to = { .sll_family = AF_PACKET,
                                    .sll_protocol = protocol,
                                    .sll_ifindex = (int)if_nametoindex(flood->device) };
    if (setsockopt(flood->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) != 0 ||
        bind(flood->fd, (const struct sockaddr *)&to, sizeof to) != 0)
        return fail(flood->device);
    return 0;
}

/* What is due, each millisecond, or without a pause if it falls behind. What the device has no room
 * for is lost, and not counted. */
static int run(struct flood *flood)
{
    uint8_t bytes[PACKET_ROOM];
    uint64_t started_us = loop_clock_us(), made = 0, sent = 0, now_us = started_us;
    while (now_us < started_us + flood->time_us) {
        if (made < (now_us - started_us) * flood->rate / 1000000) {
            size_t size = make_syn(flood, bytes);
            sent += send(flood->fd, bytes, size, MSG_DONTWAIT) == (ssize_t)size;
            made++;
        } else {
            usleep(STEP_US);
        }
        now_us = loop_clock_us();
    }
    printf("{\"flood_syns\": %llu, \"flood_us\": %llu}\n", (unsigned long long)sent,
           (unsigned long long)(now_us - started_us));
    return 0;
}

int lab_flood(int argc, char **argv)
{
    enum { DEVICE = 256, TO, RATE, TIME, COOKIES, SEED };
    static const struct option options[] = { { "device", required_argument, NULL, DEVICE },
                                             { "to", required_argument, NULL, TO },
                                             { "rate", required_argument, NULL, RATE },
                                             { "time", required_argument, NULL, TIME },
                                             { "cookies", no_argument, NULL, COOKIES },
                                             { "seed", required_argument, NULL, SEED },
                                             { 0 } };
    struct flood flood = { .device = NULL, .seed = 1 };
    int value;
    bool good = true;
    opterr = optind = 0;
    while (good && (value = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (value == DEVICE)
            flood.device = optarg;
        else if (value == TO)
            good = address_parse_port(optarg, 0, &flood.to);
        else if (value == RATE)
            good = unit_number(optarg, 1, RATE_MAX, &flood.rate);
        else if (value == TIME)
            good = unit_duration(optarg, UINT64_C(600000000), &flood.time_us);
        else if (value == SEED)
            good = unit_number(optarg, 0, UINT64_MAX, &flood.seed);
        else
            good = value == COOKIES && (flood.cookies = true);
    }
    if (!good || optind != argc || flood.device == NULL || flood.to.port == 0 || flood.rate == 0 ||
        flood.time_us == 0)
        return command_error("lab", EXIT_USAGE,
                             "tcpct lab flood --device DEV --to ADDR:PORT --rate N --time TIME (at "
                             "most 10min) [--cookies] [--seed N]");
    flood.random = flood.seed;
    int status = open_device(&flood);
    if (status == 0)
        status = run(&flood);
    if (flood.fd > 0)
        close(flood.fd);
    return status;
}
