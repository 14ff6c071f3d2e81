/* kernel.c - an end over the kernel's TCP. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/stream/stream.h"

enum { FAST_OPEN_QUEUE = 16, KEEPALIVE_PROBES = 3 };

static int fd = -1;

static ptrdiff_t error_of_errno(void)
{
    switch (errno) {
    case EAGAIN:
    case EINTR:
    case EINPROGRESS: /* Fast Open without a cookie */
        return 0;
    case ECONNRESET:
    case EPIPE:
        return RESET;
    case ECONNREFUSED:
        return REFUSED;
    case ETIMEDOUT:
        return TIMED_OUT;
    default:
        return FAILED;
    }
}

static ptrdiff_t send_bytes(const uint8_t *bytes, size_t size)
{
    ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
    return sent < 0 ? error_of_errno() : sent;
}

static ptrdiff_t receive_bytes(uint8_t *bytes, size_t size)
{
    ssize_t got = recv(fd, bytes, size, 0);
    return got < 0 ? error_of_errno() : got == 0 ? ENDED : got;
}

static void end_sending(void)
{
    shutdown(fd, SHUT_WR);
}

static void abort_it(void)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* A listener's is all zero, of IPv6: IPv4 arrives there too. Returns its size. */
static socklen_t fill_address(union address *address)
{
    *address = (union address){ 0 };
    if (stream.remote.family == 4) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(stream.port);
        memcpy(&address->v4.sin_addr, stream.remote.bytes, sizeof address->v4.sin_addr);
        return sizeof address->v4;
    }
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons(stream.port);
    memcpy(&address->v6.sin6_addr, stream.remote.bytes, sizeof address->v6.sin6_addr);
    return sizeof address->v6;
}

/* TCP_MD5SIG. A socket that listens is of IPv6, and knows an IPv4 peer by its mapped address. */
static bool sign(void)
{
    const struct tcpct_address *peer = &stream.md5_peer;
    struct tcp_md5sig md5 = { .tcpm_keylen = (uint16_t)strlen(stream.md5_key) };
    union address address = { 0 };
    if (stream.remote.family == 4) {
        address.v4.sin_family = AF_INET;
        memcpy(&address.v4.sin_addr, peer->bytes, 4);
    } else {
        uint8_t *bytes = address.v6.sin6_addr.s6_addr;
        address.v6.sin6_family = AF_INET6;
        if (peer->family == 4)
            bytes[10] = bytes[11] = 0xff;
        memcpy(bytes + (peer->family == 4 ? 12 : 0), peer->bytes, peer->family == 4 ? 4 : 16);
    }
    memcpy(&md5.tcpm_addr, &address, sizeof address);
    memcpy(md5.tcpm_key, stream.md5_key, md5.tcpm_keylen);
    return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &md5, sizeof md5) == 0;
}

static bool set(int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* What was asked for; the kernel counts in seconds. Inherited by what a listener accepts. */
static bool set_options(void)
{
    static const char cubic[] = "cubic";
    int seconds = (int)(stream.keepalive_us / 1000000);
    if (stream.cubic && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cubic, sizeof cubic - 1) != 0)
        return false;
    if (stream.md5_key != NULL && !sign())
        return false;
    if (stream.keepalive_us > 0 &&
        !(set(SOL_SOCKET, SO_KEEPALIVE, 1) && set(IPPROTO_TCP, TCP_KEEPIDLE, seconds) &&
          set(IPPROTO_TCP, TCP_KEEPINTVL, seconds) &&
          set(IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES)))
        return false;
    return !stream.fast_open ||
           (stream.remote.family != 0 ? set(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
                                      : set(IPPROTO_TCP, TCP_FASTOPEN, FAST_OPEN_QUEUE));
}

/* Connects or listens. False: errno. */
static bool begin(void)
{
    union address address;
    socklen_t size = fill_address(&address);
    fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || !set_options())
        return false;
    if (stream.remote.family != 0)
        return connect(fd, &address.any, size) == 0 || errno == EINPROGRESS;
    if (!set(SOL_SOCKET, SO_REUSEADDR, 1) || bind(fd, &address.any, size) != 0 ||
        listen(fd, FAST_OPEN_QUEUE) != 0)
        return false;
    pump_listening();
    return true;
}

/* Takes the connection. False: there is none, or it only fetched a cookie. */
static bool take(void)
{
    int taken = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (taken < 0)
        return false;
    close(stream.fetch ? taken : fd);
    if (stream.fetch)
        return stream.fetch = false;
    fd = taken;
    return true;
}

/* Whether the connection is made. False: errno, which is 0 if this one only fetched a cookie. */
static bool made(void)
{
    socklen_t size = sizeof errno;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno, &size);
    if (errno != 0 || !stream.fetch)
        return errno == 0;
    stream.fetch = false;
    close(fd);
    if (begin())
        errno = 0;
    return false;
}

/* Takes the connection, or sees whether it was made. */
static void take_event(uint64_t now_us)
{
    errno = 0;
    if (stream.remote.family == 0 ? take() : made())
        pump_connected(now_us);
    else if (errno != 0 && errno != EAGAIN)
        pump_finish_failed(error_of_errno(), now_us);
}

static short wanted_events(uint64_t now_us)
{
    short events = 0;
    if (!stream.connected)
        return stream.remote.family == 0 ? POLLIN : POLLOUT;
    if (!stream.end_seen && !pump_is_paused(now_us))
        events |= POLLIN;
    if (stream.sent < stream.to_send && pump_may_send())
        events |= POLLOUT;
    return events;
}

static int run(void)
{
    if (!begin())
        return command_error("stream", 1, "cannot make the socket: %s", strerror(errno));
    while (stream.end == NULL) {
        uint64_t now_us = loop_clock_us(), next = pump_next_us(now_us);
        struct pollfd wait = { .fd = fd, .events = wanted_events(now_us) };
        int ready = poll(&wait, 1, next > now_us ? (int)((next - now_us) / 1000 + 1) : 0);
        now_us = loop_clock_us();
        if (ready > 0 && !stream.connected)
            take_event(now_us);
        pump(now_us);
    }
    struct tcp_info info = { 0 };
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
        stream.retransmitted = info.tcpi_total_retrans;
        stream.syn_data = (info.tcpi_options & TCPI_OPT_SYN_DATA) != 0;
    }
    close(fd);
    return 0;
}

const struct transport transport_kernel = { send_bytes, receive_bytes, end_sending, abort_it, run };
