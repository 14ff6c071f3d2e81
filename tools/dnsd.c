/* dnsd.c - tcpct dnsd: an authoritative DNS responder over TCP Cookie Transactions, plain TCP and
 * UDP.
 *
 * Zones are compiled when they are loaded; on SIGHUP a thread compiles those that have changed,
 * while the old ones answer. Queries that come in a <SYN> are answered in the <SYN,ACK(SYN)> where
 * they fit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dns/datagrams.h"
#include "dns/responder.h"
#include "tools/cookie_secrets.h"
#include "tools/dnsd_front.h"
#include "tools/seal_keys.h"
#include "tools/zone_loader.h"
#include "tun/privileges.h"

enum {
    PORT_DEFAULT = 53,
    IDLE_DEFAULT_US = 10000000,
    CONNECTIONS_DEFAULT = 4096,
    CONNECTIONS_MAX = 1000000,
    COLLAPSED_DEFAULT = 65536,
    COLLAPSED_MAX = 16777216,
    ERROR_SIZE = 1024,
    OPTIONS_ROOM = 64,
    TRANSFERS_MAX = 64,
    READY_SIZE = 64,
};

static const uint64_t day_us = 86400000000;

struct dnsd {
    struct service service;
    struct responder_options responder_options;
    uint16_t port;
    uint32_t fast_open;                           /* connections at once; 0: not offered */
    uint64_t collapse_after_us, collapsed_age_us; /* 0: never */
    uint32_t collapsed_max;
    struct zone_loader *loader;
    bool has_zones;             /* a flag named some */
    uint32_t guard;             /* exchanges admitted in eleven minutes; 0: not guarded */
    struct seal_keys seal_keys; /* until there is a stack */
    struct dns_zones *zones;
    struct dns_server server;
    struct prefix transfers[TRANSFERS_MAX]; /* the server's */
    bool no_cookies;
    struct dns_cookies *cookies;
    const char *cookie_secrets; /* a file; NULL: there is a random secret */
    uint64_t cookies_rolled_us;
    struct responder *responder;
    struct socket_name forward; /* port 0: the answers are ours */
    struct datagrams datagrams;
    uint8_t packet[TCPCT_PACKET_SIZE]; /* a datagram out */
};

/* ---- running ------------------------------------------------------------------------------- */

/* A secret of DNS cookies that is ours changes once a day; a cookie lives for an hour, so that two are
 * enough. */
static void roll_cookies(struct dnsd *dnsd, uint64_t now_us)
{
    uint8_t secret[DNS_COOKIE_SECRET_SIZE];
    if (!dnsd->cookies || dnsd->cookie_secrets || now_us - dnsd->cookies_rolled_us < day_us)
        return;
    loop_random(NULL, secret, sizeof secret);
    if (dns_cookies_roll(dnsd->cookies, secret))
        dnsd->cookies_rolled_us = now_us;
    explicit_bzero(secret, sizeof secret);
}

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    struct dnsd *dnsd = context;
    dnsd->server.wall_clock_us = (int64_t)(loop_wall_clock_us() - now_us);
    roll_cookies(dnsd, now_us);
    responder_serve(dnsd->responder, stack, now_us);
    loop_deadline(dnsd->service.loop, responder_deadline(dnsd->responder));
}

static void other_packet(void *context, const struct tcpct_packet *packet, uint64_t now_us)
{
    struct dnsd *dnsd = context;
    struct endpoint *endpoint = &dnsd->service.endpoint;
    struct tcpct_packet reply = { .data = dnsd->packet, .size = sizeof dnsd->packet };
    if (datagrams_input(&dnsd->datagrams, endpoint->stack, packet, &reply, now_us))
        tun_device_write(endpoint->device, &reply, now_us);
}

static void print_counters(const void *context, FILE *file)
{
    const struct dnsd *dnsd = context;
    service_print_counters(file, &dnsd->datagrams.counters, datagrams_counter_name);
    service_print_counters(file, responder_counters(dnsd->responder), responder_counter_name);
    service_print_counters(file, zone_loader_counters(dnsd->loader), zone_loader_counter_name);
    fprintf(file, "  \"zones\": %zu,\n  \"collapsed\": %zu,\n", dnsd->zones->count,
            tcpct_collapsed_count(dnsd->service.endpoint.stack));
}

/* A thread has made the zones; NULL: the old ones stay. */
static void take_zones(void *context, struct dns_zones *zones)
{
    struct dnsd *dnsd = context;
    if (!zones)
        return;
    dnsd->server.zones = zones;
    dns_zones_free(dnsd->zones);
    dnsd->zones = zones;
}

static void reload(void *context)
{
    struct dnsd *dnsd = context;
    char error[ERROR_SIZE];
    if (dnsd->cookies && dnsd->cookie_secrets &&
        !cookie_secrets_load(&dnsd->cookies, dnsd->cookie_secrets, error, sizeof error))
        command_error("dnsd", 0, "the secrets of DNS cookies stay as they are: %s", error);
    zone_loader_reload(dnsd->loader, dnsd->zones);
}

static int open_listener(struct dnsd *dnsd)
{
    struct tcpct_listen_options options = {
        .port = dnsd->port,
        .parameters = dnsd->service.endpoint_options.parameters,
        .window = dnsd->service.endpoint_options.window,
        .backlog = dnsd->responder_options.connections_max,
        .fast_open_queue = dnsd->fast_open,
        .guard = dnsd->guard,
        .answer = responder_answer_syn,
        .answer_context = dnsd->responder,
    };
    struct tcpct_listener *listener;
    int error = tcpct_listen(dnsd->service.endpoint.stack, &options, &listener);
    return error ? command_error("dnsd", 1, "cannot listen on port %u: %s", dnsd->port,
                                 tcpct_error_text(error))
                 : 0;
}

static void open_datagrams(struct dnsd *dnsd)
{
    dnsd->datagrams.server = &dnsd->server;
    dnsd->datagrams.options.port = dnsd->port;
    dnsd->datagrams.options.mtu = tun_device_mtu(dnsd->service.endpoint.device);
}

/* A random secret, if there is no file of them. 0, or 1 after a message. */
static int open_cookies(struct dnsd *dnsd)
{
    uint8_t secret[1][DNS_COOKIE_SECRET_SIZE];
    char error[ERROR_SIZE] = "OpenSSL has no SipHash for DNS cookies";
    if (dnsd->cookie_secrets) {
        cookie_secrets_load(&dnsd->cookies, dnsd->cookie_secrets, error, sizeof error);
    } else {
        loop_random(NULL, secret, sizeof secret);
        dnsd->cookies = dns_cookies_create(secret, 1);
        explicit_bzero(secret, sizeof secret);
    }
    dnsd->cookies_rolled_us = loop_clock_us();
    dnsd->server.cookies = dnsd->cookies;
    return dnsd->cookies ? 0 : command_error("dnsd", 1, "%s", error);
}

/* Everything that needs privileges or can fail. 0, or the exit status after a message. */
static int prepare(struct dnsd *dnsd)
{
    char error[ERROR_SIZE];
    struct tcpct_config config = { 0 };
    dnsd->zones = zone_loader_load(dnsd->loader, error, sizeof error);
    if (!dnsd->zones)
        return command_error("dnsd", 1, "%s", error);
    dnsd->server.zones = dnsd->zones;
    dnsd->responder = responder_create(&dnsd->responder_options, &dnsd->server);
    if (!dnsd->responder)
        return command_error("dnsd", 1, "there is no memory for the responder");
    /* Connections that the responder has closed live on until the client has acknowledged. */
    config.connections_max = 2 * dnsd->responder_options.connections_max;
    config.seal_keys = dnsd->seal_keys.count ? dnsd->seal_keys.bytes : NULL;
    config.seal_key_count = dnsd->seal_keys.count;
    if (dnsd->responder_options.collapse) {
        config.collapse_after_us = dnsd->collapse_after_us;
        config.collapsed_age_us = dnsd->collapsed_age_us;
        config.collapsed_max = dnsd->collapsed_max;
    }
    int status = service_open(&dnsd->service, &config);
    explicit_bzero(&dnsd->seal_keys, sizeof dnsd->seal_keys);
    if (status == 0 && !zone_loader_attach(dnsd->loader, dnsd->service.loop, take_zones, dnsd))
        status = command_error("dnsd", 1, "cannot watch for new zones: %s", strerror(errno));
    if (status == 0 && !dnsd->no_cookies)
        status = open_cookies(dnsd);
    if (status != 0)
        return status;
    open_datagrams(dnsd);
    return open_listener(dnsd);
}

static void release(void *context)
{
    struct dnsd *dnsd = context;
    responder_destroy(dnsd->responder);
    dns_cookies_destroy(dnsd->cookies);
    if (zone_loader_end(dnsd->loader))
        dns_zones_free(dnsd->zones);
}

static int run(struct dnsd *dnsd)
{
    int status = prepare(dnsd);
    if (status == 0) {
        char ready[READY_SIZE];
        snprintf(ready, sizeof ready, "ready: %zu zones on port %u", dnsd->zones->count,
                 dnsd->port);
        status = service_run(&dnsd->service, ready);
    }
    service_close(&dnsd->service, release);
    return status;
}

static int run_front(struct dnsd *dnsd)
{
    const struct dnsd_front_options options = {
        .server = dnsd->forward,
        .port = dnsd->port,
        .connections_max = dnsd->responder_options.connections_max,
        .idle_us = dnsd->responder_options.idle_us,
        .guard = dnsd->guard,
        .seal_keys = &dnsd->seal_keys,
    };
    return dnsd_front(&options, &dnsd->service);
}

/* ---- flags --------------------------------------------------------------------------------- */

enum flag {
    HELP = 'h',
    ZONE = 'z',
    PORT = 'p',
    ZONES = 256,
    STATS,
    IDLE_TIMEOUT,
    CONNECTIONS,
    FAST_OPEN,
    GUARDED,
    SEAL_KEY,
    FORWARD,
    COLLAPSE_AFTER,
    COLLAPSED_NUMBER,
    COLLAPSED_AGE,
    NO_UDP,
    UDP_SIZE,
    DNS_COOKIES,
    COOKIE_SECRETS,
    PADDING,
    ALLOW_TRANSFER,
    CLIENT_CONNECTIONS,
    CONNECTION_TIME,
};

static const struct option own_options[] = {
    { "help", no_argument, NULL, HELP },
    { "zone", required_argument, NULL, ZONE },
    { "zones", required_argument, NULL, ZONES },
    { "port", required_argument, NULL, PORT },
    { "stats", required_argument, NULL, STATS },
    { "idle-timeout", required_argument, NULL, IDLE_TIMEOUT },
    { "connections", required_argument, NULL, CONNECTIONS },
    { "collapse-after", required_argument, NULL, COLLAPSE_AFTER },
    { "collapsed-max", required_argument, NULL, COLLAPSED_NUMBER },
    { "collapsed-age", required_argument, NULL, COLLAPSED_AGE },
    { "fast-open", required_argument, NULL, FAST_OPEN },
    { "guarded", optional_argument, NULL, GUARDED },
    { "seal-key", required_argument, NULL, SEAL_KEY },
    { "forward", required_argument, NULL, FORWARD },
    { "no-udp", no_argument, NULL, NO_UDP },
    { "udp-size", required_argument, NULL, UDP_SIZE },
    { "dns-cookies", required_argument, NULL, DNS_COOKIES },
    { "cookie-secret", required_argument, NULL, COOKIE_SECRETS },
    { "padding", no_argument, NULL, PADDING },
    { "allow-transfer", required_argument, NULL, ALLOW_TRANSFER },
    { "connections-per-client", required_argument, NULL, CLIENT_CONNECTIONS },
    { "connection-time", required_argument, NULL, CONNECTION_TIME },
};
enum { OWN_OPTIONS = sizeof own_options / sizeof *own_options };

static void print_usage(void)
{
    printf(
        "usage: tcpct dnsd --zone [ORIGIN=]FILE [OPTION]...\n"
        "       tcpct dnsd --forward HOST[:PORT] [OPTION]...\n"
        "an authoritative DNS responder over TCP Cookie Transactions, plain TCP and UDP\n\n"
        "  -z, --zone [ORIGIN=]FILE a zone file, signed or not; repeatable (default ORIGIN: the\n"
        "                           owner of its SOA record)\n"
        "  --forward HOST[:PORT]    answers come from a server there, over the kernel's TCP\n"
        "  --zones LIST             a file of lines ORIGIN FILE; repeatable\n"
        "  -p, --port PORT          (default %d)\n"
        "  --idle-timeout TIME      close idle plain connections (default 10s)\n"
        "  --connections NUMBER     at once (default %d)\n"
        "  --connections-per-client NUMBER\n"
        "                           of an IPv4 address or an IPv6 /64 (default 0: any number)\n"
        "  --connection-time TIME   end connections that are so old (default 0s: none)\n"
        "  --allow-transfer PREFIX  addresses that may have whole zones (AXFR); repeatable\n"
        "  --collapse-after TIME    keep 64 bytes of a connection that is idle for so long\n"
        "                           (default 0s: it is kept whole, and closed in time)\n"
        "  --collapsed-max NUMBER   of those, in each address family (default %d)\n"
        "  --collapsed-age TIME     and for so long (default 0s: any time)\n"
        "  --fast-open NUMBER       offer TCP Fast Open (RFC 7413), with so many connections\n"
        "                           at once whose handshake is open (default 0: none)\n"
        "  --guarded[=NUMBER]       execute no query twice: no data from a <SYN>, no restarts, and\n"
        "                           so many exchanges in eleven minutes (default %d)\n"
        "  --seal-key FILE          remember nothing: what a path can carry goes to the client, sealed\n"
        "                           with a key of 32 bytes, which other servers may have as well\n"
        "  --no-udp                 do not answer over UDP\n"
        "  --udp-size BYTES         the longest answer over UDP, 512 to %d (default %d)\n"
        "  --dns-cookies POLICY     on (default), off, or require: over UDP those without a good\n"
        "                           one are sent to TCP, or get a cookie only\n"
        "  --cookie-secret FILE     secrets of DNS cookies, 32 hexadecimal digits a line, read again\n"
        "                           on SIGHUP (default: a random one, changed each day)\n"
        "  --padding                pad the answer to a padded query to 468 bytes, or a multiple\n"
        "  --stats FILE             counters as JSON, on SIGUSR1 and at the end\n\n"
        "SIGHUP reloads the zones, SIGTERM ends. --syn-ack-data-limit is 1220 by default here.\n"
        "\n%s",
        PORT_DEFAULT, CONNECTIONS_DEFAULT, COLLAPSED_DEFAULT, GUARD_DEFAULT, DATAGRAM_SIZE_MAX,
        DNS_UDP_SIZE, endpoint_usage);
}

static int bad_value(const char *flag, const char *value, const char *expected)
{
    return command_error("dnsd", EXIT_USAGE, "--%s %s: expected %s", flag, value, expected);
}

static int add_transfer(struct dnsd *dnsd, const char *text)
{
    struct tun_address parsed;
    struct prefixes *transfers = &dnsd->server.transfers;
    if (!address_parse_prefix(text, &parsed))
        return bad_value("allow-transfer", text, "a prefix such as 192.0.2.0/24");
    if (transfers->count == TRANSFERS_MAX)
        return command_error("dnsd", EXIT_USAGE, "--allow-transfer may be given %d times at most",
                             TRANSFERS_MAX);
    dnsd->transfers[transfers->count++] = (struct prefix){ parsed.address, parsed.prefix_length };
    transfers->list = dnsd->transfers;
    return 0;
}

static int take_seal_key(struct dnsd *dnsd, const char *path)
{
    char error[ERROR_SIZE];
    privileges_harden_memory(); /* before there is a secret */
    if (seal_keys_load(&dnsd->seal_keys, path, error, sizeof error))
        return 0;
    return command_error("dnsd", 1, "%s", error);
}

static int take_cookie_policy(struct dnsd *dnsd, const char *policy)
{
    dnsd->no_cookies = strcmp(policy, "off") == 0;
    dnsd->server.cookies_required = strcmp(policy, "require") == 0;
    if (dnsd->no_cookies || dnsd->server.cookies_required || strcmp(policy, "on") == 0)
        return 0;
    return bad_value("dns-cookies", policy, "on, off or require");
}

/* The flags of messages and transports, and those of the stack. 0, or the exit status after a
 * message. */
static int take_protocol_flag(struct dnsd *dnsd, int value, char **argv)
{
    uint64_t number;
    switch (value) {
    case NO_UDP:
        dnsd->service.other_packet = NULL;
        return 0;
    case UDP_SIZE:
        if (!unit_number(optarg, 512, DATAGRAM_SIZE_MAX, &number))
            return bad_value("udp-size", optarg, "a number from 512 to 4096");
        dnsd->datagrams.options.size_max = (uint16_t)number;
        return 0;
    case ALLOW_TRANSFER:
        return add_transfer(dnsd, optarg);
    case CLIENT_CONNECTIONS:
        if (!unit_number(optarg, 0, CONNECTIONS_MAX, &number))
            return bad_value("connections-per-client", optarg, "a number from 0 to 1000000");
        dnsd->responder_options.client_max = (uint32_t)number;
        return 0;
    case CONNECTION_TIME:
        if (!unit_duration(optarg, day_us, &number))
            return bad_value("connection-time", optarg, "a time such as 10m, at most 24h");
        dnsd->responder_options.life_us = number;
        return 0;
    case PADDING:
        dnsd->responder_options.pads = true;
        return 0;
    case COOKIE_SECRETS:
        dnsd->cookie_secrets = optarg;
        return 0;
    case DNS_COOKIES:
        return take_cookie_policy(dnsd, optarg);
    default:
        if (value >= ENDPOINT_OPTION_FIRST)
            return endpoint_option(&dnsd->service.endpoint_options, value, optarg);
        return command_bad_option("dnsd", argv, value);
    }
}

/* 0, or the exit status after a message. */
static int take_flag(struct dnsd *dnsd, int value, char **argv)
{
    uint64_t number;
    switch (value) {
    case ZONE:
    case ZONES:
        dnsd->has_zones = true;
        return zone_loader_add(dnsd->loader, optarg, value == ZONES)
                   ? 0
                   : command_error("dnsd", 1, "there is no memory");
    case PORT:
        if (!unit_number(optarg, 1, UINT16_MAX, &number))
            return bad_value("port", optarg, "a number from 1 to 65535");
        dnsd->port = (uint16_t)number;
        return 0;
    case STATS:
        dnsd->service.stats_path = optarg;
        return 0;
    case IDLE_TIMEOUT:
        if (!unit_duration(optarg, day_us, &number) || number == 0)
            return bad_value("idle-timeout", optarg, "a time such as 10s, at most 24h");
        dnsd->responder_options.idle_us = number;
        return 0;
    case CONNECTIONS:
        if (!unit_number(optarg, 1, CONNECTIONS_MAX, &number))
            return bad_value("connections", optarg, "a number from 1 to 1000000");
        dnsd->responder_options.connections_max = (uint32_t)number;
        return 0;
    case COLLAPSE_AFTER:
    case COLLAPSED_AGE:
        if (!unit_duration(optarg, 30 * day_us, &number))
            return bad_value(value == COLLAPSED_AGE ? "collapsed-age" : "collapse-after", optarg,
                             "a time such as 5s, at most 720h");
        *(value == COLLAPSED_AGE ? &dnsd->collapsed_age_us : &dnsd->collapse_after_us) = number;
        dnsd->responder_options.collapse = dnsd->collapse_after_us > 0;
        return 0;
    case COLLAPSED_NUMBER:
        if (!unit_number(optarg, 1, COLLAPSED_MAX, &number))
            return bad_value("collapsed-max", optarg, "a number from 1 to 16777216");
        dnsd->collapsed_max = (uint32_t)number;
        return 0;
    case FAST_OPEN:
        if (!unit_number(optarg, 0, CONNECTIONS_MAX, &number))
            return bad_value("fast-open", optarg, "a number from 0 to 1000000");
        dnsd->fast_open = (uint32_t)number;
        return 0;
    case GUARDED:
        number = GUARD_DEFAULT;
        if (optarg && !unit_number(optarg, 1, GUARD_MAX, &number))
            return bad_value("guarded", optarg, "a number from 1 to 16777216");
        dnsd->guard = (uint32_t)number;
        return 0;
    case SEAL_KEY:
        return take_seal_key(dnsd, optarg);
    case FORWARD:
        return address_resolve_port(optarg, PORT_DEFAULT, &dnsd->forward)
                   ? 0
                   : bad_value("forward", optarg, "a host that is known, with its port or without");
    default:
        return take_protocol_flag(dnsd, value, argv);
    }
}

/* -1: go on; else the exit status. */
static int take_flags(struct dnsd *dnsd, int argc, char **argv)
{
    struct option options[OPTIONS_ROOM];
    int value;
    endpoint_join_options(options, OPTIONS_ROOM, own_options, OWN_OPTIONS);
    opterr = 0;
    optind = 1;
    while ((value = getopt_long(argc, argv, ":hz:p:", options, NULL)) != -1) {
        if (value == HELP) {
            print_usage();
            return 0;
        }
        int status = take_flag(dnsd, value, argv);
        if (status != 0)
            return status;
    }
    if (optind < argc)
        return command_error("dnsd", EXIT_USAGE, "what is \"%s\"? see `tcpct dnsd --help`",
                             argv[optind]);
    if (dnsd->forward.port && (dnsd->has_zones || dnsd->fast_open))
        return command_error("dnsd", EXIT_USAGE,
                             "--forward has all answers from elsewhere, and after the exchange: "
                             "leave --zone, --zones and --fast-open out");
    if (dnsd->cookie_secrets && (dnsd->forward.port || dnsd->no_cookies))
        return command_error("dnsd", EXIT_USAGE, "--cookie-secret: there are no DNS cookies here");
    if (!dnsd->has_zones && !dnsd->forward.port)
        return command_error("dnsd", EXIT_USAGE,
                             "name a zone with --zone [ORIGIN=]FILE, or a server with "
                             "--forward HOST:PORT");
    return -1;
}

int command_dnsd(int argc, char **argv)
{
    static struct dnsd dnsd;
    dnsd = (struct dnsd){
        .service = { .endpoint_options = { .command = "dnsd",
                                           .parameters = TCPCT_PARAMETERS_DEFAULT },
                     .serve = serve,
                     .reload = reload,
                     .other_packet = other_packet,
                     .print_counters = print_counters,
                     .context = &dnsd },
        .responder_options = { .idle_us = IDLE_DEFAULT_US, .connections_max = CONNECTIONS_DEFAULT },
        .loader = zone_loader_create(),
        .datagrams.options.size_max = DNS_UDP_SIZE,
        .port = PORT_DEFAULT,
        .collapsed_max = COLLAPSED_DEFAULT,
    };
    dnsd.service.endpoint_options.parameters.syn_ack_data_limit = 1220;
    int status = dnsd.loader ? take_flags(&dnsd, argc, argv)
                             : command_error("dnsd", 1, "there is no memory");
    if (status < 0)
        status = dnsd.forward.port ? run_front(&dnsd) : run(&dnsd);
    zone_loader_destroy(dnsd.loader);
    return status;
}
