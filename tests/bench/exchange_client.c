/* exchange_client.c - connects, asks, reads the answer, closes, and begins again, over the
 * kernel's TCP: many at once, for some seconds.
 *
 *     exchange_client ADDRESS [--fast-open]
 *
 * Local addresses are 10.60.9.101 to .116 in turn, because a closed connection's port rests for a
 * minute. The last line is `exchanges=N failed=N us=N cpu_us=N`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/exchange.h"
#include "tests/bench/measure.h"
#include "tun/loop.h"

enum { AT_ONCE = 32, RUN_US = 2000000, LOCAL_ADDRESSES = 16, LOCAL_FIRST = 101 };

struct exchange {
    int fd;
    bool asked;
    size_t got;
};

static struct exchange exchanges[AT_ONCE];
static struct sockaddr_in server;
static bool fast_open;
static int epoll;
static uint64_t done, failed;
static const uint8_t request[REQUEST_SIZE];

static bool begin(struct exchange *exchange)
{
    static unsigned next;
    const int yes = 1;
    struct sockaddr_in local = { .sin_family = AF_INET };
    local.sin_addr.s_addr = htonl(0x0a3c0900 + LOCAL_FIRST + next++ % LOCAL_ADDRESSES);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    *exchange = (struct exchange){ .fd = fd };
    if (fd < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, EXCHANGE_CUBIC, strlen(EXCHANGE_CUBIC)) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) != 0 ||
        bind(fd, (const struct sockaddr *)&local, sizeof local) != 0)
        return false;
    ssize_t sent = -1;
    if (fast_open)
        sent = sendto(fd, request, sizeof request, MSG_FASTOPEN | MSG_NOSIGNAL,
                      (const struct sockaddr *)&server, sizeof server);
    else
        (void)connect(fd, (const struct sockaddr *)&server, sizeof server);
    exchange->asked = sent == REQUEST_SIZE;
    struct epoll_event event = { .events = exchange->asked ? EPOLLIN : EPOLLOUT,
                                 .data.ptr = exchange };
    return (exchange->asked || errno == EINPROGRESS) &&
           epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool ask(struct exchange *exchange)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = exchange };
    exchange->asked = true;
    return send(exchange->fd, request, sizeof request, MSG_NOSIGNAL) == REQUEST_SIZE &&
           epoll_ctl(epoll, EPOLL_CTL_MOD, exchange->fd, &event) == 0;
}

/* False: it failed. */
static bool go_on(struct exchange *exchange)
{
    uint8_t bytes[ANSWER_SIZE];
    if (!exchange->asked)
        return ask(exchange);
    ssize_t got = recv(exchange->fd, bytes, sizeof bytes, 0);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    exchange->got += (size_t)got;
    return true;
}

static bool begin_again(struct exchange *exchange)
{
    if (exchange->fd >= 0)
        close(exchange->fd);
    return begin(exchange);
}

int main(int argc, char **argv)
{
    fast_open = argc == 3 && strcmp(argv[2], "--fast-open") == 0;
    server = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(EXCHANGE_PORT) };
    epoll = epoll_create1(0);
    if (argc != 2 + fast_open || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1)
        return measure_fail("exchange_client", "say the server's address");
    uint64_t cpu_us = measure_cpu_us(), start_us = loop_clock_us(), now_us = start_us;
    for (int i = 0; i < AT_ONCE; i++)
        if (!begin(&exchanges[i]))
            return measure_fail("exchange_client", strerror(errno));
    while (now_us - start_us < RUN_US) {
        struct epoll_event events[AT_ONCE];
        int count = epoll_wait(epoll, events, AT_ONCE, 100);
        for (int i = 0; i < count; i++) {
            struct exchange *exchange = events[i].data.ptr;
            bool good = go_on(exchange), whole = exchange->got == ANSWER_SIZE;
            done += whole;
            failed += !good;
            if ((whole || !good) && !begin_again(exchange))
                return measure_fail("exchange_client", strerror(errno));
        }
        now_us = loop_clock_us();
    }
    printf("exchanges=%" PRIu64 " failed=%" PRIu64 " us=%" PRIu64 " cpu_us=%" PRIu64 "\n", done,
           failed, now_us - start_us, measure_cpu_us() - cpu_us);
    return 0;
}
