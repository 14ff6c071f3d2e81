/* exchange_server.c - answers each connection's request of 160 bytes with 512, over our stack or
 * over the kernel's, until SIGTERM.
 *
 *     exchange_server ours|kernel [FLAGS OF EVERY COMMAND WITH A TUN DEVICE]
 *
 * It listens on port 7000, with TCP Fast Open for those who ask, and lets the client close first.
 * Our stack also answers requests that come in a <SYN> (RFC 6013, 6.2). Prints `ready`; the last
 * line is `cpu_us=N`, of answers only.
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
#include "tools/command.h"

enum { CONNECTIONS_MAX = 16384, OPTIONS_ROOM = 40, EVENTS = 64, BACKLOG = 4096 };

static const uint8_t answer[ANSWER_SIZE];

/* ---- our stack -------------------------------------------------------------------------------- */

static struct loop *loop;

static size_t answer_syn(const void *context, const struct tcpct_request *request, uint8_t *bytes,
                         size_t room)
{
    (void)context;
    if (request->size != REQUEST_SIZE || room < ANSWER_SIZE)
        return 0;
    memcpy(bytes, answer, ANSWER_SIZE);
    return ANSWER_SIZE;
}

/* A request comes in one segment here, or the connection is not served. */
static void serve_connection(struct tcpct_connection *connection)
{
    uint8_t bytes[REQUEST_SIZE];
    ptrdiff_t got = tcpct_receive(connection, bytes, sizeof bytes);
    if (got == REQUEST_SIZE)
        tcpct_send(connection, answer, sizeof answer);
    else if (got != 0)
        tcpct_close(connection);
}

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    struct tcpct_event event;
    (void)context;
    (void)now_us;
    while (tcpct_event(stack, &event)) {
        struct tcpct_connection *connection = event.connection;
        if (event.flags & TCPCT_EVENT_ACCEPT)
            while ((connection = tcpct_accept(event.listener)) != NULL)
                serve_connection(connection);
        else
            serve_connection(connection);
    }
    if (measure_stopped)
        loop_stop(loop, 0);
}

static int run_ours(int argc, char **argv)
{
    struct endpoint_options options = { .command = "exchange_server",
                                        .parameters = TCPCT_PARAMETERS_DEFAULT };
    struct option all[OPTIONS_ROOM];
    struct tcpct_config config = { .connections_max = CONNECTIONS_MAX };
    struct endpoint endpoint;
    struct tcpct_listener *listener;
    int value;
    endpoint_join_options(all, OPTIONS_ROOM, NULL, 0);
    while ((value = getopt_long(argc, argv, "", all, NULL)) != -1)
        if (value < ENDPOINT_OPTION_FIRST || endpoint_option(&options, value, optarg) != 0)
            return EXIT_USAGE;
    options.parameters.syn_ack_data_limit = 1220;
    if (endpoint_open(&endpoint, &options, &config) != 0)
        return 1;
    const struct tcpct_listen_options listen = { .port = EXCHANGE_PORT,
                                                 .parameters = options.parameters,
                                                 .backlog = BACKLOG,
                                                 .fast_open_queue = BACKLOG,
                                                 .answer = answer_syn };
    const struct loop_handlers handlers = { .serve = serve };
    loop = loop_create(endpoint.stack, endpoint.device, &handlers);
    if (loop == NULL || tcpct_listen(endpoint.stack, &listen, &listener) != 0)
        return measure_fail("exchange_server", "cannot listen");
    measure_ready();
    uint64_t cpu_us = measure_cpu_us();
    loop_run(loop);
    printf("cpu_us=%" PRIu64 "\n", measure_cpu_us() - cpu_us);
    loop_destroy(loop);
    endpoint_close(&endpoint);
    return 0;
}

/* ---- the kernel's ----------------------------------------------------------------------------- */

static int kernel_listener(int epoll)
{
    const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(EXCHANGE_PORT) };
    const int yes = 1, queue = BACKLOG;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    if (fd < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, EXCHANGE_CUBIC, strlen(EXCHANGE_CUBIC)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (const struct sockaddr *)&any, sizeof any) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue) != 0 ||
        listen(fd, BACKLOG) != 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return -1;
    return fd;
}

/* False: it is to be waited for, or over and closed. */
static void kernel_serve(int fd)
{
    uint8_t bytes[REQUEST_SIZE];
    ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    if (got == REQUEST_SIZE)
        send(fd, answer, sizeof answer, MSG_NOSIGNAL);
    else if (got >= 0 || errno != EAGAIN)
        close(fd);
}

static void kernel_accept(int listener, int epoll)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static int run_kernel(void)
{
    int epoll = epoll_create1(0), listener = kernel_listener(epoll);
    struct epoll_event events[EVENTS];
    if (listener < 0)
        return measure_fail("exchange_server", strerror(errno));
    measure_ready();
    uint64_t cpu_us = measure_cpu_us();
    while (!measure_stopped) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++)
            if (events[i].data.fd == listener)
                kernel_accept(listener, epoll);
            else
                kernel_serve(events[i].data.fd);
    }
    printf("cpu_us=%" PRIu64 "\n", measure_cpu_us() - cpu_us);
    return 0;
}

int main(int argc, char **argv)
{
    measure_stop_on_term();
    if (argc >= 2 && strcmp(argv[1], "ours") == 0)
        return run_ours(argc - 1, argv + 1);
    if (argc == 2 && strcmp(argv[1], "kernel") == 0)
        return run_kernel();
    return measure_fail("exchange_server", "say ours or kernel");
}
