/* lab_flow.c - `tcpct lab flow`: one bulk transfer over the kernel's TCP, to be beside others.
 *
 *     tcpct lab flow --listen PORT [--congestion NAME]     sends to whoever connects, until it leaves
 *     tcpct lab flow --from ADDR:PORT --time TIME          takes for so long, and says how much
 *
 * The late rate is that of the second half.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/lab_ask.h"
#include "tun/socket.h"

enum { PIECE_SIZE = 65536 };

static int fail(const char *what)
{
    return command_error("lab", 1, "flow: %s: %s", what, strerror(errno));
}

static void send_all(int fd)
{
    static const uint8_t zeros[PIECE_SIZE];
    struct pollfd wait = { .fd = fd, .events = POLLOUT };
    for (;;) {
        ssize_t sent = send(fd, zeros, sizeof zeros, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return;
        if (sent < 0)
            poll(&wait, 1, -1);
    }
}

static int serve(uint16_t port, const char *congestion)
{
    const struct socket_name any = { .address = { .family = 4 }, .port = port };
    int listener = socket_listen(&any);
    if (listener < 0)
        return fail("cannot listen");
    if (congestion != NULL && setsockopt(listener, IPPROTO_TCP, TCP_CONGESTION, congestion,
                                         (socklen_t)strlen(congestion)) != 0)
        return fail(congestion);
    printf("ready: port %u\n", port);
    fflush(stdout);
    for (;;) {
        struct pollfd wait = { .fd = listener, .events = POLLIN };
        poll(&wait, 1, -1);
        int fd = socket_accept(listener);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        if (fd >= 0 && fork() == 0) {
            close(listener);
            send_all(fd);
            _exit(0);
        }
        if (fd >= 0)
            close(fd);
    }
}

static int take(const struct socket_name *from, uint64_t time_us)
{
    static uint8_t bytes[PIECE_SIZE];
    int fd = socket_connect(from, SOCK_STREAM);
    if (fd < 0)
        return fail("cannot connect");
    uint64_t started_us = loop_clock_us(), total = 0, late = 0, now_us = started_us;
    while (now_us < started_us + time_us) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        poll(&wait, 1, (int)((started_us + time_us - now_us) / 1000) + 1);
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return fail("the flow ended");
        now_us = loop_clock_us();
        total += got > 0 ? (size_t)got : 0;
        late += got > 0 && now_us >= started_us + time_us / 2 ? (size_t)got : 0;
    }
    close(fd);
    printf("{\"flow_bytes\": %llu, \"flow_mbit\": %.3f, \"flow_late_mbit\": %.3f}\n",
           (unsigned long long)total, (double)total * 8 / (double)(now_us - started_us),
           (double)late * 16 / (double)time_us);
    return 0;
}

int lab_flow(int argc, char **argv)
{
    enum { LISTEN = 256, FROM, TIME, CONGESTION };
    static const struct option options[] = { { "listen", required_argument, NULL, LISTEN },
                                             { "from", required_argument, NULL, FROM },
                                             { "time", required_argument, NULL, TIME },
                                             { "congestion", required_argument, NULL, CONGESTION },
                                             { 0 } };
    struct socket_name from = { 0 };
    const char *congestion = NULL;
    uint64_t port = 0, time_us = 0;
    int value;
    bool good = true;
    opterr = optind = 0;
    while (good && (value = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (value == LISTEN)
            good = unit_number(optarg, 1, UINT16_MAX, &port);
        else if (value == FROM)
            good = address_parse_port(optarg, 0, &from);
        else if (value == TIME)
            good = unit_duration(optarg, UINT64_C(3600000000), &time_us);
        else
            good = value == CONGESTION && (congestion = optarg) != NULL;
    }
    if (!good || optind != argc || (port == 0) == (from.port == 0) ||
        (from.port != 0) != (time_us != 0))
        return command_error("lab", EXIT_USAGE,
                             "tcpct lab flow --listen PORT [--congestion NAME], or --from "
                             "ADDR:PORT --time TIME");
    return port != 0 ? serve((uint16_t)port, congestion) : take(&from, time_us);
}
