/* stub.c - tcpct stub: a local DNS server, for programs that know only the kernel's sockets, that asks
 * its upstream servers over TCP Cookie Transactions. dns/stub.c asks; stub_clients.c has the clients.
 */
#include <string.h>

#include "tools/service.h"
#include "tools/stub_clients.h"

enum {
    PORT_DEFAULT = 53,
    QUERIES_DEFAULT = 4096,
    QUERIES_MAX = 32768,
    CONNECTIONS_DEFAULT = 512,
    CLIENTS_DEFAULT = 256,
    CLIENTS_MAX = 65536,
    TIMEOUT_DEFAULT_US = 4500000,
    IDLE_DEFAULT_US = 10000000,
    SYN_DATA_LIMIT = 496,
    ERROR_SIZE = 256,
    OPTIONS_ROOM = 40,
};

static const uint64_t day_us = 86400000000;

struct stub_command {
    struct service service;
    struct stub_options stub_options;
    struct stub_clients_options clients_options;
    struct stub *stub;
    struct stub_clients *clients;
};

/* ---- running ------------------------------------------------------------------------------- */

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    const struct stub_command *command = context;
    struct tcpct_event event;
    while (tcpct_event(stack, &event))
        stub_event(command->stub, &event, now_us);
    stub_tick(command->stub, now_us);
    stub_clients_tick(command->clients, now_us);
    uint64_t stub_us = stub_deadline(command->stub);
    uint64_t clients_us = stub_clients_deadline(command->clients);
    loop_deadline(command->service.loop, stub_us < clients_us ? stub_us : clients_us);
}

static void print_counters(const void *context, FILE *file)
{
    const struct stub_command *command = context;
    service_print_counters(file, stub_counters(command->stub), stub_counter_name);
    service_print_counters(file, stub_clients_counters(command->clients),
                           stub_clients_counter_name);
}

static int prepare(struct stub_command *command)
{
    char error[ERROR_SIZE];
    struct tcpct_config config = { .connections_max = 2 * command->stub_options.connections_max };
    command->stub_options.parameters = command->service.endpoint_options.parameters;
    command->stub_options.window = command->service.endpoint_options.window;
    int status = service_open(&command->service, &config);
    if (status != 0)
        return status;
    command->clients =
        stub_clients_open(&command->clients_options, command->service.loop, error, sizeof error);
    if (!command->clients)
        return command_error("stub", 1, "%s", error);
    command->stub_options.context = command->clients;
    command->stub = stub_create(&command->stub_options, command->service.endpoint.stack);
    if (!command->stub)
        return command_error("stub", 1, "there is no memory");
    stub_clients_ask(command->clients, command->stub);
    return 0;
}

static void release(void *context)
{
    struct stub_command *command = context;
    stub_destroy(command->stub);
    stub_clients_close(command->clients);
}

static int run(struct stub_command *command)
{
    int status = prepare(command);
    if (status == 0)
        status = service_run(&command->service, "ready");
    service_close(&command->service, release);
    return status;
}

/* ---- flags --------------------------------------------------------------------------------- */

enum flag {
    HELP = 'h',
    UPSTREAM = 256,
    LISTEN,
    TIMEOUT,
    QUERIES,
    CONNECTIONS,
    CLIENTS,
    IDLE_TIMEOUT,
    STATS
};

static const struct option own_options[] = {
    { "help", no_argument, NULL, HELP },
    { "upstream", required_argument, NULL, UPSTREAM },
    { "listen", required_argument, NULL, LISTEN },
    { "timeout", required_argument, NULL, TIMEOUT },
    { "queries", required_argument, NULL, QUERIES },
    { "connections", required_argument, NULL, CONNECTIONS },
    { "clients", required_argument, NULL, CLIENTS },
    { "idle-timeout", required_argument, NULL, IDLE_TIMEOUT },
    { "stats", required_argument, NULL, STATS },
};
enum { OWN_OPTIONS = sizeof own_options / sizeof *own_options };

static void print_usage(void)
{
    printf("usage: tcpct stub --upstream ADDRESS[:PORT] [OPTION]...\n"
           "a local DNS server over UDP and TCP that asks over TCP Cookie Transactions\n\n"
           "  --upstream ADDRESS[:PORT]  whom it asks; up to %d, in this order\n"
           "  --listen ADDRESS[:PORT]  where it is asked; repeatable (default 127.0.0.53:53)\n"
           "  --timeout TIME           until nobody has answered, and it says SERVFAIL\n"
           "                           (default 4500ms)\n"
           "  --queries NUMBER         under way at once (default %d)\n"
           "  --connections NUMBER     to upstreams at once (default %d)\n"
           "  --clients NUMBER         over TCP at once (default %d)\n"
           "  --idle-timeout TIME      close idle TCP clients (default 10s)\n"
           "  --stats FILE             counters as JSON, on SIGUSR1 and at the end\n\n"
           "Here the defaults are --tun tcpctstub, --addr 10.60.16.2, --host 10.60.16.1/24 and\n"
           "--syn-data-limit %d.\n\n%s",
           STUB_UPSTREAMS_MAX, QUERIES_DEFAULT, CONNECTIONS_DEFAULT, CLIENTS_DEFAULT,
           SYN_DATA_LIMIT, endpoint_usage);
}

static int bad_value(const char *flag, const char *expected)
{
    return command_error("stub", EXIT_USAGE, "--%s %s: expected %s", flag, optarg, expected);
}

static int take_upstream(struct stub_options *options)
{
    struct socket_name name;
    if (options->upstream_count == STUB_UPSTREAMS_MAX)
        return command_error("stub", EXIT_USAGE, "--upstream may be given %d times at most",
                             STUB_UPSTREAMS_MAX);
    if (!address_parse_port(optarg, PORT_DEFAULT, &name))
        return bad_value("upstream",
                         "an address, such as 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53");
    options->upstreams[options->upstream_count].address = name.address;
    options->upstreams[options->upstream_count++].port = name.port;
    return 0;
}

static int take_listen(struct stub_clients_options *options)
{
    if (options->name_count == CLIENT_ADDRESSES_MAX)
        return command_error("stub", EXIT_USAGE, "--listen may be given %d times at most",
                             CLIENT_ADDRESSES_MAX);
    return address_parse_port(optarg, PORT_DEFAULT, &options->names[options->name_count++])
               ? 0
               : bad_value("listen", "an address, such as 127.0.0.53, 127.0.0.1:5353 or [::1]:53");
}

static int take_number(const char *flag, uint64_t max, uint32_t *value)
{
    uint64_t number;
    if (!unit_number(optarg, 1, max, &number)) {
        char expected[64];
        snprintf(expected, sizeof expected, "a number from 1 to %u", (unsigned)max);
        return bad_value(flag, expected);
    }
    *value = (uint32_t)number;
    return 0;
}

static int take_time(const char *flag, uint64_t *value)
{
    uint64_t us;
    if (!unit_duration(optarg, day_us, &us) || us == 0)
        return bad_value(flag, "a time such as 5s, at most 24h");
    *value = us;
    return 0;
}

/* 0, or the exit status after a message. */
static int take_flag(struct stub_command *command, int value, char **argv)
{
    switch (value) {
    case UPSTREAM:
        return take_upstream(&command->stub_options);
    case LISTEN:
        return take_listen(&command->clients_options);
    case TIMEOUT:
        return take_time("timeout", &command->stub_options.timeout_us);
    case IDLE_TIMEOUT:
        return take_time("idle-timeout", &command->clients_options.idle_us);
    case QUERIES:
        return take_number("queries", QUERIES_MAX, &command->stub_options.queries_max);
    case CONNECTIONS:
        return take_number("connections", QUERIES_MAX, &command->stub_options.connections_max);
    case CLIENTS:
        return take_number("clients", CLIENTS_MAX, &command->clients_options.streams_max);
    case STATS:
        command->service.stats_path = optarg;
        return 0;
    default:
        if (value >= ENDPOINT_OPTION_FIRST)
            return endpoint_option(&command->service.endpoint_options, value, optarg);
        return command_bad_option("stub", argv, value);
    }
}

/* -1: go on; else the exit status. */
static int take_flags(struct stub_command *command, int argc, char **argv)
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
        int status = take_flag(command, value, argv);
        if (status != 0)
            return status;
    }
    if (optind < argc)
        return command_error("stub", EXIT_USAGE, "what is \"%s\"? see `tcpct stub --help`",
                             argv[optind]);
    if (command->stub_options.upstream_count == 0)
        return command_error("stub", EXIT_USAGE, "say whom to ask: --upstream ADDRESS[:PORT]");
    return -1;
}

static void set_defaults(struct stub_command *command)
{
    struct endpoint_options *options = &command->service.endpoint_options;
    struct stub_clients_options *clients = &command->clients_options;
    if (!options->tun)
        options->tun = "tcpctstub";
    if (options->address_count == 0 && options->host_count == 0) {
        address_parse("10.60.16.2", &options->addresses[options->address_count++]);
        address_parse_prefix("10.60.16.1/24", &options->hosts[options->host_count++]);
    }
    if (clients->name_count == 0)
        address_parse_port("127.0.0.53", PORT_DEFAULT, &clients->names[clients->name_count++]);
}

int command_stub(int argc, char **argv)
{
    struct stub_command command = {
        .service = { .endpoint_options = { .command = "stub",
                                           .parameters = TCPCT_PARAMETERS_DEFAULT },
                     .serve = serve,
                     .print_counters = print_counters,
                     .context = &command },
        .stub_options = { .queries_max = QUERIES_DEFAULT,
                          .connections_max = CONNECTIONS_DEFAULT,
                          .timeout_us = TIMEOUT_DEFAULT_US,
                          .answer = stub_clients_answer },
        .clients_options = { .streams_max = CLIENTS_DEFAULT, .idle_us = IDLE_DEFAULT_US },
    };
    command.service.endpoint_options.parameters.syn_data_limit = SYN_DATA_LIMIT;
    int status = take_flags(&command, argc, argv);
    if (status >= 0)
        return status;
    set_defaults(&command);
    return run(&command);
}
