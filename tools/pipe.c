/* pipe.c - tcpct pipe: a byte stream over TCP Cookie Transactions, between standard input and output
 * or sockets of the kernel's TCP. tun/relay.c carries the bytes; here is which end is what.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tools/service.h"
#include "tun/relay.h"

enum {
    CONNECTIONS_DEFAULT = 1024,
    CONNECTIONS_MAX = 100000,
    SYN_DATA_LIMIT = 496,
    OPTIONS_ROOM = 32
};

static const uint64_t day_us = 86400000000;

struct pipe {
    struct service service;
    struct relays_options relays_options;
    struct socket_name listen; /* port 0: standard input and output */
    uint16_t serve_port;       /* 0: we connect */
    bool has_to;
    uint32_t guard; /* exchanges admitted in eleven minutes; 0: not guarded */
    struct relays *relays;
    int listener; /* of the kernel; -1: none */
    int status;   /* of standard input and output, once they are through */
};

/* ---- running --------------------------------------------------------------------------------- */

/* Takes connections while there is room; the rest waits in the kernel. */
static void accept_sockets(void *context, int listener, short events, uint64_t now_us)
{
    struct pipe *pipe = context;
    (void)events;
    while (!relays_full(pipe->relays)) {
        int fd = socket_accept(listener);
        if (fd < 0)
            return;
        relay_from_descriptors(pipe->relays, fd, fd, now_us);
    }
    loop_unwatch(pipe->service.loop, listener);
}

/* The loop watches the kernel's listener while another relay may begin. */
static void watch_listener(struct pipe *pipe)
{
    if (pipe->listener >= 0 && !relays_full(pipe->relays))
        loop_watch(pipe->service.loop, pipe->listener, POLLIN, accept_sockets, pipe);
}

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    struct pipe *pipe = context;
    bool full = relays_full(pipe->relays);
    (void)stack;
    relays_serve(pipe->relays, now_us);
    if (full)
        watch_listener(pipe);
    loop_deadline(pipe->service.loop, relays_deadline(pipe->relays));
}

static const char *error_text(int error)
{
    return error < 0 ? tcpct_error_text(error) : strerror(error);
}

static void ended(void *context, int error)
{
    struct pipe *pipe = context;
    if (!pipe->relays_options.linger) /* more relays will come */
        return;
    pipe->status =
        error ? command_error("pipe", 1, "the connection is lost: %s", error_text(error)) : 0;
    loop_stop(pipe->service.loop, pipe->status);
}

static void print_counters(const void *context, FILE *file)
{
    const struct pipe *pipe = context;
    service_print_counters(file, relays_counters(pipe->relays), relay_counter_name);
}

static int open_ends(struct pipe *pipe)
{
    struct tcpct_listener *listener;
    struct tcpct_listen_options options = {
        .port = pipe->serve_port,
        .parameters = pipe->service.endpoint_options.parameters,
        .window = pipe->service.endpoint_options.window,
        .guard = pipe->guard,
    };
    if (pipe->serve_port) {
        int error = tcpct_listen(pipe->service.endpoint.stack, &options, &listener);
        return error ? command_error("pipe", 1, "cannot listen on port %u: %s", pipe->serve_port,
                                     tcpct_error_text(error))
                     : 0;
    }
    if (pipe->listen.port) {
        pipe->listener = socket_listen(&pipe->listen);
        if (pipe->listener < 0)
            return command_error("pipe", 1, "cannot listen: %s", strerror(errno));
        watch_listener(pipe);
    }
    return 0;
}

/* Standard input and output must not block us; nor may they stay so for others that have them. */
static int run_standard(struct pipe *pipe)
{
    int in = fcntl(STDIN_FILENO, F_GETFL), out = fcntl(STDOUT_FILENO, F_GETFL);
    int in_copy = dup(STDIN_FILENO), out_copy = dup(STDOUT_FILENO);
    if (in < 0 || out < 0 || in_copy < 0 || out_copy < 0)
        return command_error("pipe", 1, "standard input or output is closed: %s", strerror(errno));
    fcntl(STDIN_FILENO, F_SETFL, in | O_NONBLOCK);
    fcntl(STDOUT_FILENO, F_SETFL, out | O_NONBLOCK);
    int status = 1;
    if (relay_from_descriptors(pipe->relays, in_copy, out_copy, loop_clock_us()))
        status = service_run(&pipe->service, NULL);
    fcntl(STDIN_FILENO, F_SETFL, in);
    fcntl(STDOUT_FILENO, F_SETFL, out);
    return status;
}

static void release(void *context)
{
    struct pipe *pipe = context;
    relays_destroy(pipe->relays);
    if (pipe->listener >= 0)
        close(pipe->listener);
}

static int run(struct pipe *pipe)
{
    struct tcpct_config config = { .connections_max = 2 * pipe->relays_options.relays_max };
    signal(SIGPIPE, SIG_IGN);
    pipe->relays_options.linger = !pipe->serve_port && !pipe->listen.port;
    pipe->relays_options.connect.parameters = pipe->service.endpoint_options.parameters;
    pipe->relays_options.connect.window = pipe->service.endpoint_options.window;
    int status = service_open(&pipe->service, &config);
    if (status == 0) {
        pipe->relays =
            relays_create(&pipe->relays_options, pipe->service.loop, pipe->service.endpoint.stack);
        status = pipe->relays ? open_ends(pipe) : command_error("pipe", 1, "there is no memory");
    }
    if (status == 0)
        status =
            pipe->relays_options.linger ? run_standard(pipe) : service_run(&pipe->service, "ready");
    service_close(&pipe->service, release);
    return status;
}

/* ---- flags ----------------------------------------------------------------------------------- */

enum flag {
    HELP = 'h',
    LISTEN = 256,
    SERVE,
    TO,
    IDEMPOTENT,
    CONNECTIONS,
    IDLE_TIMEOUT,
    GUARDED,
    STATS
};

static const struct option own_options[] = {
    { "help", no_argument, NULL, HELP },
    { "listen", required_argument, NULL, LISTEN },
    { "serve", required_argument, NULL, SERVE },
    { "to", required_argument, NULL, TO },
    { "idempotent", no_argument, NULL, IDEMPOTENT },
    { "connections", required_argument, NULL, CONNECTIONS },
    { "idle-timeout", required_argument, NULL, IDLE_TIMEOUT },
    { "guarded", optional_argument, NULL, GUARDED },
    { "stats", required_argument, NULL, STATS },
};
enum { OWN_OPTIONS = sizeof own_options / sizeof *own_options };

static void print_usage(void)
{
    printf(
        "usage: tcpct pipe [--listen ADDR:PORT] ADDRESS PORT [OPTION]...\n"
        "       tcpct pipe --serve PORT --to HOST:PORT [OPTION]...\n"
        "a byte stream over TCP Cookie Transactions, for programs that know only the kernel's TCP\n\n"
        "  --listen ADDR:PORT       each connection of the kernel's TCP to there is carried to\n"
        "                           ADDRESS and PORT (default: standard input and output are)\n"
        "  --serve PORT             take connections of the stack's\n"
        "  --to HOST:PORT           ... and carry each to there over the kernel's TCP\n"
        "  --idempotent             what clients say first may be executed more than once: wait\n"
        "                           for it, and send it with the first segment\n"
        "  --connections NUMBER     at once (default %d)\n"
        "  --stats FILE             counters as JSON, on SIGUSR1 and at the end\n\n"
        "With ADDRESS the defaults are --tun tcpctpipe, --addr 10.60.15.2 and\n"
        "--host 10.60.15.1/24.\n\n%s",
        CONNECTIONS_DEFAULT, endpoint_usage);
}

static int bad_value(const char *flag, const char *expected)
{
    return command_error("pipe", EXIT_USAGE, "--%s %s: expected %s", flag, optarg, expected);
}

/* 0, or the exit status after a message. */
static int take_flag(struct pipe *pipe, int value, char **argv)
{
    uint64_t number;
    switch (value) {
    case LISTEN:
        return address_parse_port(optarg, 0, &pipe->listen)
                   ? 0
                   : bad_value("listen", "an address and a port, such as 127.0.0.1:8080");
    case SERVE:
        if (!unit_number(optarg, 1, UINT16_MAX, &number))
            return bad_value("serve", "a number from 1 to 65535");
        pipe->serve_port = (uint16_t)number;
        return 0;
    case TO:
        pipe->has_to = true;
        return address_resolve_port(optarg, 0, &pipe->relays_options.to)
                   ? 0
                   : bad_value("to", "a host that is known and a port, such as 127.0.0.1:80");
    case IDEMPOTENT:
        pipe->relays_options.idempotent = true;
        return 0;
    case CONNECTIONS:
        if (!unit_number(optarg, 1, CONNECTIONS_MAX, &number))
            return bad_value("connections", "a number from 1 to 100000");
        pipe->relays_options.relays_max = (uint32_t)number;
        return 0;
    case IDLE_TIMEOUT:
        return unit_duration(optarg, day_us, &pipe->relays_options.idle_us)
                   ? 0
                   : bad_value("idle-timeout", "a time such as 10min, at most 24h");
    case GUARDED:
        number = GUARD_DEFAULT;
        if (optarg && !unit_number(optarg, 1, GUARD_MAX, &number))
            return command_error("pipe", EXIT_USAGE, "--guarded=%s: expected a number from 1 to %u",
                                 optarg, (unsigned)GUARD_MAX);
        pipe->guard = (uint32_t)number;
        return 0;
    case STATS:
        pipe->service.stats_path = optarg;
        return 0;
    default:
        if (value >= ENDPOINT_OPTION_FIRST)
            return endpoint_option(&pipe->service.endpoint_options, value, optarg);
        return command_bad_option("pipe", argv, value);
    }
}

/* What stands beside the flags. -1: go on; else the exit status. */
static int take_words(struct pipe *pipe, char **words, int count)
{
    struct tcpct_connect_options *connect = &pipe->relays_options.connect;
    uint64_t port;
    if (!pipe->serve_port != !pipe->has_to)
        return command_error("pipe", EXIT_USAGE, "--serve PORT and --to HOST:PORT go together");
    if (pipe->serve_port && (pipe->listen.port || pipe->relays_options.idempotent))
        return command_error("pipe", EXIT_USAGE,
                             "--listen and --idempotent belong to the end that connects, not to "
                             "--serve");
    if (count != (pipe->serve_port ? 0 : 2))
        return command_error("pipe", EXIT_USAGE,
                             "say ADDRESS PORT, or --serve PORT --to HOST:PORT: see `tcpct pipe "
                             "--help`");
    if (pipe->serve_port)
        return -1;
    if (!address_parse(words[0], &connect->remote))
        return command_error("pipe", EXIT_USAGE, "%s: expected an IP address", words[0]);
    if (!unit_number(words[1], 1, UINT16_MAX, &port))
        return command_error("pipe", EXIT_USAGE, "%s: expected a port from 1 to 65535", words[1]);
    connect->remote_port = (uint16_t)port;
    return -1;
}

static int take_flags(struct pipe *pipe, int argc, char **argv)
{
    struct option options[OPTIONS_ROOM];
    int value;
    endpoint_join_options(options, OPTIONS_ROOM, own_options, OWN_OPTIONS);
    opterr = 0;
    optind = 1;
    while ((value = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (value == HELP) {
            print_usage();
            return 0;
        }
        int status = take_flag(pipe, value, argv);
        if (status != 0)
            return status;
    }
    return take_words(pipe, argv + optind, argc - optind);
}

static void set_defaults(struct endpoint_options *options)
{
    if (!options->tun)
        options->tun = "tcpctpipe";
    if (options->address_count == 0 && options->host_count == 0) {
        address_parse("10.60.15.2", &options->addresses[options->address_count++]);
        address_parse_prefix("10.60.15.1/24", &options->hosts[options->host_count++]);
    }
}

int command_pipe(int argc, char **argv)
{
    struct pipe pipe = {
        .service = { .endpoint_options = { .command = "pipe",
                                           .parameters = TCPCT_PARAMETERS_DEFAULT },
                     .serve = serve,
                     .print_counters = print_counters,
                     .context = &pipe },
        .relays_options = { .relays_max = CONNECTIONS_DEFAULT,
                            .connect = { .restart = true },
                            .ended = ended,
                            .context = &pipe },
        .listener = -1,
    };
    pipe.service.endpoint_options.parameters.syn_data_limit = SYN_DATA_LIMIT;
    int status = take_flags(&pipe, argc, argv);
    if (status >= 0)
        return status;
    if (!pipe.serve_port)
        set_defaults(&pipe.service.endpoint_options);
    return run(&pipe);
}
