/* lab_ask.c - `tcpct lab ask`: DNS questions over the kernel's sockets, and how long each takes, from
 * before the first system call to the last byte of the answer.
 */
#include "tools/lab_ask.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dns/message.h"
#include "dns/name.h"
#include "tools/command.h"
#include "tun/socket.h"

enum {
    PORT_DEFAULT = 53,
    TIMEOUT_S = 5,
    QUERY_SIZE = 512,
    UDP_SIZE = 4096,
    ANSWER_SIZE = 2 + 65535,
    REPEAT_MAX = 1000000,
};

enum way { WAY_UDP, WAY_TCP, WAY_FAST_OPEN, WAY_HELD };
static const char *const way_names[] = { "udp", "tcp", "fastopen", "held" };

struct ask {
    enum way way;
    struct socket_name server;
    uint8_t name[NAME_SIZE_MAX];
    struct dns_question question;
    const char *congestion; /* NULL: the kernel's default */
    uint64_t repeat, pause_us;
    int held; /* the connection of WAY_HELD; -1: none */
    /* of the present question */
    uint8_t query[2 + QUERY_SIZE]; /* with the length before it */
    size_t query_size;
    uint8_t answer[ANSWER_SIZE];
    size_t answer_size; /* with the length before it */
    bool fell_back;
    unsigned bursts; /* of the answer, with pauses of half a round trip between them */
};

static int fail(const char *what)
{
    return command_error("lab", 1, "ask: %s: %s", what,
                         errno == EAGAIN || errno == EINPROGRESS ? "no answer in time"
                                                                 : strerror(errno));
}

/* A blocking socket with a time limit. */
static int open_socket(const struct ask *ask, int type)
{
    const struct timeval limit = { .tv_sec = TIMEOUT_S };
    int family = ask->server.address.family == 6 ? AF_INET6 : AF_INET, on = 1;
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (type == SOCK_DGRAM)
        return fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (ask->way == WAY_FAST_OPEN)
        setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on);
    if (ask->congestion != NULL && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, ask->congestion,
                                              (socklen_t)strlen(ask->congestion)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int open_connection(const struct ask *ask, int type)
{
    socklen_t size;
    struct sockaddr_storage address = socket_address(&ask->server, &size);
    int fd = open_socket(ask, type);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, size) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* The whole answer with its length, counting bursts. 0, or 1 after a message. */
static int read_stream(struct ask *ask, int fd)
{
    struct tcp_info info = { 0 };
    socklen_t info_size = sizeof info;
    uint64_t last_us = 0;
    ask->answer_size = 0;
    ask->bursts = 0;
    while (ask->answer_size < 2 || ask->answer_size < 2 + (size_t)dns_get16(ask->answer)) {
        ssize_t got = recv(fd, ask->answer + ask->answer_size, ANSWER_SIZE - ask->answer_size, 0);
        if (got <= 0) {
            errno = got == 0 ? ECONNRESET : errno;
            return fail("the answer");
        }
        uint64_t now_us = loop_clock_us();
        getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_size);
        ask->bursts += ask->bursts == 0 || now_us - last_us > info.tcpi_rtt / 2;
        last_us = now_us;
        ask->answer_size += (size_t)got;
    }
    return 0;
}

static int ask_stream(struct ask *ask)
{
    int fd = ask->held >= 0 ? ask->held : open_connection(ask, SOCK_STREAM);
    if (fd < 0)
        return fail("the connection");
    int status = send(fd, ask->query, ask->query_size, MSG_NOSIGNAL) == (ssize_t)ask->query_size
                     ? read_stream(ask, fd)
                     : fail("the question");
    if (ask->way == WAY_HELD)
        ask->held = fd;
    else
        close(fd);
    return status;
}

/* Over UDP, and over TCP if that answer is truncated. */
static int ask_datagram(struct ask *ask)
{
    int fd = open_connection(ask, SOCK_DGRAM);
    if (fd < 0)
        return fail("UDP");
    ssize_t got = -1;
    if (send(fd, ask->query + 2, ask->query_size - 2, 0) == (ssize_t)ask->query_size - 2)
        got = recv(fd, ask->answer + 2, UDP_SIZE, 0);
    int status = got < 12 ? fail("the answer over UDP") : 0;
    close(fd);
    if (status != 0)
        return status;
    ask->answer_size = 2 + (size_t)got;
    ask->bursts = 1;
    ask->fell_back = (ask->answer[4] & 2) != 0; /* TC */
    return ask->fell_back ? ask_stream(ask) : 0;
}

static int ask_once(struct ask *ask)
{
    loop_random(NULL, &ask->question.id, sizeof ask->question.id);
    size_t size = dns_query_write(ask->query + 2, QUERY_SIZE, &ask->question);
    dns_put16(ask->query, (uint16_t)size);
    ask->query_size = 2 + size;
    uint64_t started_us = loop_clock_us();
    int status = ask->way == WAY_UDP ? ask_datagram(ask) : ask_stream(ask);
    uint64_t time_us = loop_clock_us() - started_us;
    if (status != 0)
        return status;
    if (dns_get16(ask->answer + 2) != ask->question.id)
        return command_error("lab", 1, "ask: that was the answer to another question");
    printf("{\"mode\": \"%s\", \"rcode\": %d, \"answer_bytes\": %zu, \"time_us\": %llu",
           way_names[ask->way], ask->answer[5] & 15, ask->answer_size - 2,
           (unsigned long long)time_us);
    if (ask->fell_back)
        printf(", \"trips_before\": 1");
    else if (ask->way == WAY_UDP || ask->way == WAY_HELD)
        printf(", \"trips\": %u", ask->bursts);
    printf("}\n");
    fflush(stdout);
    return 0;
}

/* ---- flags ------------------------------------------------------------------------------------ */

static int usage(void)
{
    return command_error("lab", EXIT_USAGE,
                         "tcpct lab ask udp|tcp|fastopen|held @SERVER NAME [TYPE] [--port N] "
                         "[--repeat N] [--pause TIME] [--congestion NAME]");
}

enum { REPEAT = 256, PAUSE, CONGESTION, PORT };

static int take_flags(struct ask *ask, int argc, char **argv)
{
    static const struct option options[] = { { "repeat", required_argument, NULL, REPEAT },
                                             { "pause", required_argument, NULL, PAUSE },
                                             { "congestion", required_argument, NULL, CONGESTION },
                                             { "port", required_argument, NULL, PORT },
                                             { 0 } };
    uint64_t number;
    int value;
    bool good = true;
    opterr = optind = 0;
    while (good && (value = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (value == REPEAT)
            good = unit_number(optarg, 1, REPEAT_MAX, &ask->repeat);
        else if (value == PAUSE)
            good = unit_duration(optarg, UINT64_C(3600000000), &ask->pause_us);
        else if (value == CONGESTION)
            ask->congestion = optarg;
        else if (value == PORT && (good = unit_number(optarg, 1, UINT16_MAX, &number)))
            ask->server.port = (uint16_t)number;
        else if (value != PORT)
            good = false;
    }
    return good ? 0 : usage();
}

static int take_words(struct ask *ask, char **words)
{
    size_t way = 0;
    while (words[0] != NULL && way < 4 && strcmp(words[0], way_names[way]) != 0)
        way++;
    if (words[0] == NULL || way == 4 || words[1] == NULL || words[1][0] != '@' || words[2] == NULL)
        return usage();
    ask->way = (enum way)way;
    if (!address_parse(words[1] + 1, &ask->server.address))
        return command_error("lab", EXIT_USAGE, "ask: %s is no @ and IP address", words[1]);
    if (name_parse(ask->name, words[2]) == 0)
        return command_error("lab", EXIT_USAGE, "ask: %s is no domain name", words[2]);
    if (words[3] != NULL)
        ask->question.type = (uint16_t)ldns_get_rr_type_by_name(words[3]);
    return ask->question.type != 0
               ? 0
               : command_error("lab", EXIT_USAGE, "ask: %s is no record type", words[3]);
}

int lab_ask(int argc, char **argv)
{
    static struct ask ask;
    ask = (struct ask){
        .server = { .port = PORT_DEFAULT },
        .question = { .name = ask.name,
                      .type = DNS_A,
                      .class = DNS_CLASS_IN,
                      .flags = DNS_FLAG_RD,
                      .edns = true,
                      .dnssec_ok = true },
        .repeat = 1,
        .held = -1,
    };
    int status = take_flags(&ask, argc, argv);
    if (status == 0)
        status = take_words(&ask, argv + optind);
    for (uint64_t i = 0; i < ask.repeat && status == 0; i++) {
        if (i > 0 && ask.pause_us > 0)
            usleep((useconds_t)ask.pause_us);
        ask.fell_back = false;
        status = ask_once(&ask);
    }
    if (ask.held >= 0)
        close(ask.held);
    return status;
}
