/* stream.c - one end of one TCP connection, over our stack or over the kernel's, for tests and
 * benchmarks that set the two against each other.
 *
 *     stream ours|kernel --listen PORT | --connect ADDRESS@PORT  [OPTION]...
 *
 *     --send SIZE      bytes to send, then the end (default 0b)
 *     --after-end      sends only after the peer's end
 *     --pause TIME     reads nothing for so long, once connected
 *     --abort SIZE     resets the connection once so much was received
 *     --for TIME       resets the connection so long after it was made
 *     --limit TIME     gives up (default 60s)
 *     --seed N         of the bytes sent (default 1)
 *     --no-hash        sends the same block over and over and looks at nothing: for speed
 *     --cubic          the kernel's congestion control (default: the machine's)
 *
 * Over our stack, the flags of every command with a TUN device too. A listener prints a line that
 * begins with `ready`; the last line is of words NAME=VALUE: `end` (closed, reset, refused,
 * timeout, aborted, failed), `sent` and `received` with their SHA-256, `us` from connection to the
 * end, `cpu_us`, `retransmitted` segments. Status 0 whatever the end; a wrong use has status 2.
 *
 * A transport moves bytes without blocking and says when to try again; everything else is pump(),
 * which the two event loops call.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/command.h"

enum { BLOCK_SIZE = 262144, OPTIONS_ROOM = 40, LINGER_US = 300000 };

/* What send and receive return beside a count. */
enum { ENDED = -1, RESET = -2, REFUSED = -3, TIMED_OUT = -4, FAILED = -5 };

struct stream;

struct transport {
    ptrdiff_t (*send)(struct stream *stream, const uint8_t *bytes, size_t size);
    ptrdiff_t (*receive)(struct stream *stream, uint8_t *bytes, size_t size);
    void (*shutdown)(struct stream *stream);
    void (*abort)(struct stream *stream);
};

struct stream {
    /* The plan. */
    const struct transport *transport;
    struct tcpct_address remote; /* family 0: listens */
    uint16_t port;
    uint64_t to_send, pause_us, abort_at, for_us, limit_us, seed;
    bool after_end, no_hash, cubic, ours;
    struct endpoint_options endpoint_options;
    /* The connection. */
    struct endpoint endpoint;
    struct loop *loop;
    struct tcpct_listener *listener;
    struct tcpct_connection *connection;
    int fd;
    bool connected, shut, end_seen;
    const char *end; /* NULL: not yet */
    uint64_t started_us, connected_us, ended_us;
    uint64_t sent, received, retransmitted;
    EVP_MD_CTX *hash_out, *hash_in;
    uint8_t out[BLOCK_SIZE], in[BLOCK_SIZE];
    size_t out_at; /* the first byte of `out` that is not sent; BLOCK_SIZE: fill it again */
};

static struct stream stream;

/* ---- what both have in common ----------------------------------------------------------------- */

static void finish(const char *end, uint64_t now_us)
{
    if (stream.end != NULL)
        return;
    stream.end = end;
    stream.ended_us = now_us;
}

static void finish_failed(ptrdiff_t result, uint64_t now_us)
{
    finish(result == RESET       ? "reset"
           : result == REFUSED   ? "refused"
           : result == TIMED_OUT ? "timeout"
                                 : "failed",
           now_us);
}

/* xorshift64*: what it yields cannot be compressed or guessed from its place. */
static void fill_block(void)
{
    for (size_t i = 0; i < BLOCK_SIZE; i += sizeof stream.seed) {
        stream.seed ^= stream.seed >> 12;
        stream.seed ^= stream.seed << 25;
        stream.seed ^= stream.seed >> 27;
        uint64_t word = stream.seed * UINT64_C(2685821657736338717);
        memcpy(stream.out + i, &word, sizeof word);
    }
}

static void pump_out(uint64_t now_us)
{
    while (stream.sent < stream.to_send) {
        if (stream.out_at == BLOCK_SIZE) {
            if (!stream.no_hash || stream.sent == 0)
                fill_block();
            stream.out_at = 0;
        }
        uint64_t left = stream.to_send - stream.sent;
        size_t size = BLOCK_SIZE - stream.out_at;
        if (size > left)
            size = (size_t)left;
        const uint8_t *bytes = stream.out + stream.out_at;
        ptrdiff_t taken = stream.transport->send(&stream, bytes, size);
        if (taken < 0)
            finish_failed(taken, now_us);
        if (taken <= 0)
            return;
        if (!stream.no_hash)
            EVP_DigestUpdate(stream.hash_out, bytes, (size_t)taken);
        stream.out_at += (size_t)taken;
        stream.sent += (uint64_t)taken;
    }
    if (!stream.shut)
        stream.transport->shutdown(&stream);
    stream.shut = true;
}

/* A part at a time, so that neither direction starves. */
static void pump_in(uint64_t now_us)
{
    for (int i = 0; i < 8 && !stream.end_seen; i++) {
        ptrdiff_t got = stream.transport->receive(&stream, stream.in, sizeof stream.in);
        stream.end_seen = got == ENDED;
        if (got < ENDED)
            finish_failed(got, now_us);
        if (got <= 0)
            return;
        if (!stream.no_hash)
            EVP_DigestUpdate(stream.hash_in, stream.in, (size_t)got);
        stream.received += (uint64_t)got;
    }
}

static bool is_over(uint64_t since_us, uint64_t us, uint64_t now_us)
{
    return us > 0 && now_us - since_us >= us;
}

static bool is_paused(uint64_t now_us)
{
    return !is_over(stream.connected_us, stream.pause_us, now_us) && stream.pause_us > 0;
}

static void connected(uint64_t now_us)
{
    stream.connected = true;
    stream.connected_us = now_us;
}

/* Everything that can be done now. Afterwards stream.end says whether all is over. */
static void pump(uint64_t now_us)
{
    if (is_over(stream.started_us, stream.limit_us, now_us))
        finish("timeout", now_us);
    if (!stream.connected || stream.end != NULL)
        return;
    if (!is_paused(now_us))
        pump_in(now_us);
    if (stream.end == NULL && (!stream.after_end || stream.end_seen))
        pump_out(now_us);
    if ((stream.abort_at > 0 && stream.received >= stream.abort_at) ||
        is_over(stream.connected_us, stream.for_us, now_us)) {
        stream.transport->abort(&stream);
        finish("aborted", now_us);
    }
    if (stream.shut && stream.end_seen)
        finish("closed", now_us);
}

/* When pump() must be called although nothing happened. */
static uint64_t next_us(uint64_t now_us)
{
    uint64_t next = stream.started_us + stream.limit_us;
    if (stream.connected && stream.for_us > 0 && stream.connected_us + stream.for_us < next)
        next = stream.connected_us + stream.for_us;
    if (stream.connected && is_paused(now_us) && stream.connected_us + stream.pause_us < next)
        next = stream.connected_us + stream.pause_us;
    return next;
}

static void say_ready(void)
{
    printf("ready\n");
    fflush(stdout);
}

/* ---- our stack -------------------------------------------------------------------------------- */

static ptrdiff_t ours_result(ptrdiff_t result)
{
    switch (result) {
    case TCPCT_ERROR_CLOSED:
        return ENDED;
    case TCPCT_ERROR_RESET:
        return RESET;
    case TCPCT_ERROR_REFUSED:
        return REFUSED;
    case TCPCT_ERROR_TIMEOUT:
        return TIMED_OUT;
    default:
        return result < 0 ? FAILED : result;
    }
}

static ptrdiff_t ours_send(struct stream *s, const uint8_t *bytes, size_t size)
{
    return ours_result(tcpct_send(s->connection, bytes, size));
}

static ptrdiff_t ours_receive(struct stream *s, uint8_t *bytes, size_t size)
{
    return ours_result(tcpct_receive(s->connection, bytes, size));
}

static void ours_shutdown(struct stream *s)
{
    tcpct_shutdown(s->connection);
}

static void ours_abort(struct stream *s)
{
    tcpct_abort(s->connection);
    s->connection = NULL;
}

static void ours_take_event(const struct tcpct_event *event, uint64_t now_us)
{
    if ((event->flags & TCPCT_EVENT_ACCEPT) != 0 && stream.connection == NULL)
        stream.connection = tcpct_accept(event->listener);
    if (stream.connection == NULL)
        return;
    if ((event->flags & (TCPCT_EVENT_CONNECTED | TCPCT_EVENT_ACCEPT)) != 0)
        connected(now_us);
    if ((event->flags & TCPCT_EVENT_ERROR) != 0 && !stream.connected)
        finish_failed(ours_result(tcpct_connection_error(stream.connection)), now_us);
}

/* Whether the peer has everything of ours, so that this process may go. */
static bool ours_is_done(uint64_t now_us)
{
    if (stream.end == NULL)
        return false;
    if (stream.connection == NULL)
        return is_over(stream.ended_us, 1, now_us); /* a turn for the reset to leave */
    struct tcpct_info info;
    tcpct_connection_info(stream.connection, &info);
    stream.retransmitted = info.retransmissions;
    if (info.state == TCPCT_TIME_WAIT) /* the last acknowledgment may be lost */
        return is_over(stream.ended_us, LINGER_US, now_us);
    return info.state == TCPCT_CLOSED || is_over(stream.started_us, stream.limit_us, now_us);
}

static void ours_serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    struct tcpct_event event;
    (void)context;
    while (tcpct_event(stack, &event))
        ours_take_event(&event, now_us);
    pump(now_us);
    if (ours_is_done(now_us))
        loop_stop(stream.loop, 0);
    loop_deadline(stream.loop, stream.end == NULL ? next_us(now_us) : now_us + LINGER_US);
}

static int ours_begin(void)
{
    struct tcpct_listen_options listen = { .port = stream.port,
                                           .parameters = stream.endpoint_options.parameters };
    struct tcpct_connect_options connect = { .remote = stream.remote,
                                             .remote_port = stream.port,
                                             .parameters = stream.endpoint_options.parameters };
    if (stream.remote.family != 0)
        return tcpct_connect(stream.endpoint.stack, &connect, &stream.connection, loop_clock_us());
    int error = tcpct_listen(stream.endpoint.stack, &listen, &stream.listener);
    if (error == TCPCT_OK)
        say_ready();
    return error;
}

static int ours_run(void)
{
    struct tcpct_config config = { 0 };
    const struct loop_handlers handlers = { .serve = ours_serve };
    int status = endpoint_open(&stream.endpoint, &stream.endpoint_options, &config);
    if (status != 0)
        return status;
    stream.loop = loop_create(stream.endpoint.stack, stream.endpoint.device, &handlers);
    int error = stream.loop == NULL ? TCPCT_ERROR_MEMORY : ours_begin();
    if (error != TCPCT_OK)
        status = command_error("stream", 1, "cannot begin: %s", tcpct_error_text(error));
    else
        status = loop_run(stream.loop);
    loop_destroy(stream.loop);
    endpoint_close(&stream.endpoint);
    return status;
}

static const struct transport ours = { ours_send, ours_receive, ours_shutdown, ours_abort };

/* ---- the kernel's ----------------------------------------------------------------------------- */

static ptrdiff_t kernel_error(void)
{
    switch (errno) {
    case EAGAIN:
    case EINTR:
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

static ptrdiff_t kernel_send(struct stream *s, const uint8_t *bytes, size_t size)
{
    ssize_t sent = send(s->fd, bytes, size, MSG_NOSIGNAL);
    return sent < 0 ? kernel_error() : sent;
}

static ptrdiff_t kernel_receive(struct stream *s, uint8_t *bytes, size_t size)
{
    ssize_t got = recv(s->fd, bytes, size, 0);
    return got < 0 ? kernel_error() : got == 0 ? ENDED : got;
}

static void kernel_shutdown(struct stream *s)
{
    shutdown(s->fd, SHUT_WR);
}

static void kernel_abort(struct stream *s)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

union kernel_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* A listener's is all zero, of IPv6: IPv4 arrives there too. Returns its size. */
static socklen_t kernel_address(union kernel_address *address)
{
    *address = (union kernel_address){ 0 };
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

/* A socket for the connection, or to listen on. -1: errno. */
static int kernel_socket(void)
{
    static const char cubic[] = "cubic";
    union kernel_address address;
    socklen_t size = kernel_address(&address);
    const int yes = 1;
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        (stream.cubic && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cubic, sizeof cubic - 1) != 0))
        return -1;
    if (stream.remote.family != 0)
        return connect(fd, &address.any, size) == 0 || errno == EINPROGRESS ? fd : -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, &address.any, size) != 0 || listen(fd, 1) != 0)
        return -1;
    say_ready();
    return fd;
}

/* Takes the connection, or sees whether it was made. */
static void kernel_connect(uint64_t now_us)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (stream.remote.family == 0) {
        int fd = accept4(stream.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        close(stream.fd);
        stream.fd = fd;
    } else {
        getsockopt(stream.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    errno = error;
    if (error != 0)
        finish_failed(kernel_error(), now_us);
    else
        connected(now_us);
}

static short kernel_wants(uint64_t now_us)
{
    short events = 0;
    if (!stream.connected)
        return stream.remote.family == 0 ? POLLIN : POLLOUT;
    if (!stream.end_seen && !is_paused(now_us))
        events |= POLLIN;
    if (stream.sent < stream.to_send && (!stream.after_end || stream.end_seen))
        events |= POLLOUT;
    return events;
}

static int kernel_run(void)
{
    stream.fd = kernel_socket();
    if (stream.fd < 0)
        return command_error("stream", 1, "cannot make the socket: %s", strerror(errno));
    while (stream.end == NULL) {
        uint64_t now_us = loop_clock_us(), next = next_us(now_us);
        struct pollfd wait = { .fd = stream.fd, .events = kernel_wants(now_us) };
        int ready = poll(&wait, 1, next > now_us ? (int)((next - now_us) / 1000 + 1) : 0);
        now_us = loop_clock_us();
        if (ready > 0 && !stream.connected)
            kernel_connect(now_us);
        pump(now_us);
    }
    struct tcp_info info = { 0 };
    socklen_t size = sizeof info;
    if (getsockopt(stream.fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
        stream.retransmitted = info.tcpi_total_retrans;
    close(stream.fd);
    return 0;
}

static const struct transport kernel = { kernel_send, kernel_receive, kernel_shutdown,
                                         kernel_abort };

/* ---- flags and report ------------------------------------------------------------------------- */

enum flag {
    LISTEN = 256,
    CONNECT,
    SEND,
    AFTER_END,
    PAUSE,
    ABORT,
    FOR,
    LIMIT,
    SEED,
    NO_HASH,
    CUBIC
};

static const struct option own_options[] = {
    { "listen", required_argument, NULL, LISTEN }, { "connect", required_argument, NULL, CONNECT },
    { "send", required_argument, NULL, SEND },     { "after-end", no_argument, NULL, AFTER_END },
    { "pause", required_argument, NULL, PAUSE },   { "abort", required_argument, NULL, ABORT },
    { "for", required_argument, NULL, FOR },       { "limit", required_argument, NULL, LIMIT },
    { "seed", required_argument, NULL, SEED },     { "no-hash", no_argument, NULL, NO_HASH },
    { "cubic", no_argument, NULL, CUBIC },
};

static bool take_remote(char *text)
{
    uint64_t port;
    char *at = strchr(text, '@');
    if (at == NULL || !unit_number(at + 1, 1, UINT16_MAX, &port))
        return false;
    *at = '\0';
    stream.port = (uint16_t)port;
    return address_parse(text, &stream.remote);
}

static bool take_flag(int value, char *argument)
{
    static const uint64_t hour_us = 3600000000, size_max = UINT64_C(1) << 50;
    uint64_t port;
    switch (value) {
    case LISTEN:
        if (!unit_number(argument, 1, UINT16_MAX, &port))
            return false;
        stream.port = (uint16_t)port;
        return true;
    case CONNECT:
        return take_remote(argument);
    case SEND:
        return unit_size(argument, size_max, &stream.to_send);
    case AFTER_END:
        return stream.after_end = true;
    case PAUSE:
        return unit_duration(argument, hour_us, &stream.pause_us);
    case ABORT:
        return unit_size(argument, size_max, &stream.abort_at);
    case FOR:
        return unit_duration(argument, hour_us, &stream.for_us);
    case LIMIT:
        return unit_duration(argument, hour_us, &stream.limit_us) && stream.limit_us > 0;
    case SEED:
        return unit_number(argument, 1, UINT32_MAX, &stream.seed);
    case NO_HASH:
        return stream.no_hash = true;
    case CUBIC:
        return stream.cubic = true;
    default:
        return value >= ENDPOINT_OPTION_FIRST && stream.ours &&
               endpoint_option(&stream.endpoint_options, value, argument) == 0;
    }
}

static bool take_flags(int argc, char **argv)
{
    struct option options[OPTIONS_ROOM];
    int value;
    endpoint_join_options(options, OPTIONS_ROOM, own_options,
                          sizeof own_options / sizeof *own_options);
    while ((value = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!take_flag(value, optarg))
            return false;
    return optind == argc && stream.port != 0;
}

static void print_hash(const char *name, uint64_t count, EVP_MD_CTX *context)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context, hash, &size);
    EVP_MD_CTX_free(context);
    printf("%s=%" PRIu64 " %s_sha256=", name, count, name);
    for (unsigned i = 0; i < size; i++)
        printf("%02x", hash[i]);
    putchar(' ');
}

static void report(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const struct timeval *user = &usage.ru_utime, *kernel_time = &usage.ru_stime;
    uint64_t since_us = stream.connected ? stream.connected_us : stream.started_us;
    printf("end=%s ", stream.end);
    print_hash("sent", stream.sent, stream.hash_out);
    print_hash("received", stream.received, stream.hash_in);
    printf("us=%" PRIu64 " cpu_us=%lld retransmitted=%" PRIu64 "\n", stream.ended_us - since_us,
           (user->tv_sec + kernel_time->tv_sec) * 1000000LL + user->tv_usec + kernel_time->tv_usec,
           stream.retransmitted);
}

int main(int argc, char **argv)
{
    stream = (struct stream){
        .limit_us = 60000000,
        .seed = 1,
        .fd = -1,
        .out_at = BLOCK_SIZE,
        .ours = argc > 1 && strcmp(argv[1], "ours") == 0,
        .endpoint_options = { .command = "stream", .parameters = TCPCT_PARAMETERS_DEFAULT },
        .started_us = loop_clock_us(),
        .hash_out = EVP_MD_CTX_new(),
        .hash_in = EVP_MD_CTX_new(),
    };
    stream.transport = stream.ours ? &ours : &kernel;
    if (argc < 2 || (!stream.ours && strcmp(argv[1], "kernel") != 0) ||
        !take_flags(argc - 1, argv + 1))
        return command_error("stream", EXIT_USAGE, "the head of its source says how to use it");
    EVP_DigestInit_ex(stream.hash_out, EVP_sha256(), NULL);
    EVP_DigestInit_ex(stream.hash_in, EVP_sha256(), NULL);
    int status = stream.ours ? ours_run() : kernel_run();
    if (status == 0)
        report();
    return status;
}
