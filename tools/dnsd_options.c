/* dnsd_options.c - the flags of `tcpct dnsd`: see dnsd_options.h. */
#include "tools/dnsd_options.h"

#include <string.h>

#include "dns/datagrams.h"
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
    SLIP_DEFAULT = 2,
    SLIP_MAX = 1000,
    RATE_LIMIT_ENTRIES = 1 << 18, /* 4 MB: enough for 2^18 queries a second, whatever the limit */
};

static const uint64_t day_us = 86400000000;

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
    RATE_LIMIT,
    RATE_LIMIT_SLIP,
    VERSION_TEXT,
    IDENTITY,
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
    { "rate-limit", required_argument, NULL, RATE_LIMIT },
    { "rate-limit-slip", required_argument, NULL, RATE_LIMIT_SLIP },
    { "version-text", required_argument, NULL, VERSION_TEXT },
    { "identity", required_argument, NULL, IDENTITY },
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
        "  --rate-limit NUMBER      answers a second over UDP to an IPv4 /24 or IPv6 /56, but for\n"
        "                           queries with a good DNS cookie (default 0: any number)\n"
        "  --rate-limit-slip NUMBER of the queries beyond, one in so many is sent to TCP, or gets a\n"
        "                           cookie (default %d); 0: none is\n"
        "  --version-text TEXT      what version.bind and version.server say in class CH\n"
        "  --identity TEXT          likewise id.server and hostname.bind, and the option NSID\n"
        "  --padding                pad the answer to a padded query to 468 bytes, or a multiple\n"
        "  --stats FILE             counters as JSON, on SIGUSR1 and at the end\n\n"
        "SIGHUP reloads the zones, SIGTERM ends. --syn-ack-data-limit is 1220 by default here.\n"
        "\n%s",
        PORT_DEFAULT, CONNECTIONS_DEFAULT, COLLAPSED_DEFAULT, GUARD_DEFAULT, DATAGRAM_SIZE_MAX,
        DNS_UDP_SIZE, SLIP_DEFAULT, endpoint_usage);
}

static int bad_value(const char *flag, const char *value, const char *expected)
{
    return command_error("dnsd", EXIT_USAGE, "--%s %s: expected %s", flag, value, expected);
}

static int add_transfer(struct dnsd_options *options, const char *text)
{
    struct tun_address parsed;
    if (!address_parse_prefix(text, &parsed))
        return bad_value("allow-transfer", text, "a prefix such as 192.0.2.0/24");
    if (options->transfer_count == DNSD_TRANSFERS_MAX)
        return command_error("dnsd", EXIT_USAGE, "--allow-transfer may be given %d times at most",
                             DNSD_TRANSFERS_MAX);
    options->transfers[options->transfer_count++] =
        (struct prefix){ parsed.address, parsed.prefix_length };
    return 0;
}

static int take_seal_key(struct dnsd_options *options, const char *path)
{
    char error[ERROR_SIZE];
    privileges_harden_memory(); /* before there is a secret */
    if (seal_keys_load(&options->seal_keys, path, error, sizeof error))
        return 0;
    return command_error("dnsd", 1, "%s", error);
}

static int take_cookie_policy(struct dnsd_options *options, const char *policy)
{
    options->no_cookies = strcmp(policy, "off") == 0;
    options->cookies_required = strcmp(policy, "require") == 0;
    if (options->no_cookies || options->cookies_required || strcmp(policy, "on") == 0)
        return 0;
    return bad_value("dns-cookies", policy, "on, off or require");
}

static int take_rate_limit(struct dnsd_options *options, int flag, const char *text)
{
    uint64_t number;
    bool slip = flag == RATE_LIMIT_SLIP;
    if (!unit_number(text, 0, slip ? SLIP_MAX : RATE_LIMIT_MAX, &number))
        return slip ? bad_value("rate-limit-slip", text, "a number from 0 to 1000")
                    : bad_value("rate-limit", text, "a number from 0 to 1000000");
    *(slip ? &options->rate_limit.slip : &options->rate_limit.rate) = (uint32_t)number;
    return 0;
}

static int take_text(struct dnsd_options *options, int flag, const char *text)
{
    bool version = flag == VERSION_TEXT;
    if (*text == '\0' || strlen(text) > CHAOS_TEXT_MAX)
        return bad_value(version ? "version-text" : "identity", text, "1 to 63 bytes");
    *(version ? &options->texts.version : &options->texts.identity) = text;
    return 0;
}

/* The flags of messages and transports, and those of the stack. 0, or the exit status after a
 * message. */
static int take_protocol_flag(struct dnsd_options *options, int value, char **argv)
{
    uint64_t number;
    switch (value) {
    case NO_UDP:
        options->no_udp = true;
        return 0;
    case UDP_SIZE:
        if (!unit_number(optarg, 512, DATAGRAM_SIZE_MAX, &number))
            return bad_value("udp-size", optarg, "a number from 512 to 4096");
        options->udp_size = (uint16_t)number;
        return 0;
    case ALLOW_TRANSFER:
        return add_transfer(options, optarg);
    case CLIENT_CONNECTIONS:
        if (!unit_number(optarg, 0, CONNECTIONS_MAX, &number))
            return bad_value("connections-per-client", optarg, "a number from 0 to 1000000");
        options->responder.client_max = (uint32_t)number;
        return 0;
    case CONNECTION_TIME:
        if (!unit_duration(optarg, day_us, &number))
            return bad_value("connection-time", optarg, "a time such as 10m, at most 24h");
        options->responder.life_us = number;
        return 0;
    case PADDING:
        options->responder.pads = true;
        return 0;
    case COOKIE_SECRETS:
        options->cookie_secrets = optarg;
        return 0;
    case RATE_LIMIT:
    case RATE_LIMIT_SLIP:
        return take_rate_limit(options, value, optarg);
    case VERSION_TEXT:
    case IDENTITY:
        return take_text(options, value, optarg);
    case DNS_COOKIES:
        return take_cookie_policy(options, optarg);
    default:
        if (value >= ENDPOINT_OPTION_FIRST)
            return endpoint_option(&options->endpoint, value, optarg);
        return command_bad_option("dnsd", argv, value);
    }
}

/* 0, or the exit status after a message. */
static int take_flag(struct dnsd_options *options, int value, char **argv)
{
    uint64_t number;
    switch (value) {
    case ZONE:
    case ZONES:
        options->has_zones = true;
        return zone_loader_add(options->loader, optarg, value == ZONES)
                   ? 0
                   : command_error("dnsd", 1, "there is no memory");
    case PORT:
        if (!unit_number(optarg, 1, UINT16_MAX, &number))
            return bad_value("port", optarg, "a number from 1 to 65535");
        options->port = (uint16_t)number;
        return 0;
    case STATS:
        options->stats_path = optarg;
        return 0;
    case IDLE_TIMEOUT:
        if (!unit_duration(optarg, day_us, &number) || number == 0)
            return bad_value("idle-timeout", optarg, "a time such as 10s, at most 24h");
        options->responder.idle_us = number;
        return 0;
    case CONNECTIONS:
        if (!unit_number(optarg, 1, CONNECTIONS_MAX, &number))
            return bad_value("connections", optarg, "a number from 1 to 1000000");
        options->responder.connections_max = (uint32_t)number;
        return 0;
    case COLLAPSE_AFTER:
    case COLLAPSED_AGE:
        if (!unit_duration(optarg, 30 * day_us, &number))
            return bad_value(value == COLLAPSED_AGE ? "collapsed-age" : "collapse-after", optarg,
                             "a time such as 5s, at most 720h");
        *(value == COLLAPSED_AGE ? &options->collapsed_age_us : &options->collapse_after_us) =
            number;
        options->responder.collapse = options->collapse_after_us > 0;
        return 0;
    case COLLAPSED_NUMBER:
        if (!unit_number(optarg, 1, COLLAPSED_MAX, &number))
            return bad_value("collapsed-max", optarg, "a number from 1 to 16777216");
        options->collapsed_max = (uint32_t)number;
        return 0;
    case FAST_OPEN:
        if (!unit_number(optarg, 0, CONNECTIONS_MAX, &number))
            return bad_value("fast-open", optarg, "a number from 0 to 1000000");
        options->fast_open = (uint32_t)number;
        return 0;
    case GUARDED:
        number = GUARD_DEFAULT;
        if (optarg && !unit_number(optarg, 1, GUARD_MAX, &number))
            return bad_value("guarded", optarg, "a number from 1 to 16777216");
        options->guard = (uint32_t)number;
        return 0;
    case SEAL_KEY:
        return take_seal_key(options, optarg);
    case FORWARD:
        return address_resolve_port(optarg, PORT_DEFAULT, &options->forward)
                   ? 0
                   : bad_value("forward", optarg, "a host that is known, with its port or without");
    default:
        return take_protocol_flag(options, value, argv);
    }
}

static void set_defaults(struct dnsd_options *options, struct zone_loader *loader)
{
    *options = (struct dnsd_options){
        .endpoint = { .command = "dnsd", .parameters = TCPCT_PARAMETERS_DEFAULT },
        .responder = { .idle_us = IDLE_DEFAULT_US, .connections_max = CONNECTIONS_DEFAULT },
        .loader = loader,
        .port = PORT_DEFAULT,
        .udp_size = DNS_UDP_SIZE,
        .rate_limit = { .slip = SLIP_DEFAULT, .entries = RATE_LIMIT_ENTRIES },
        .collapsed_max = COLLAPSED_DEFAULT,
    };
    options->endpoint.parameters.syn_ack_data_limit = 1220;
}

/* Whether a flag says something of answers that are made here. */
static bool is_of_zones(int flag)
{
    static const int others[] = { HELP,    PORT,     STATS,   IDLE_TIMEOUT, CONNECTIONS,
                                  GUARDED, SEAL_KEY, FORWARD, NO_UDP };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (flag == others[i])
            return false;
    return flag < ENDPOINT_OPTION_FIRST;
}

static const char *flag_name(int flag)
{
    size_t i = 0;
    while (own_options[i].val != flag)
        i++;
    return own_options[i].name;
}

/* What is missing, or does not go together. 0, or the exit status after a message. */
static int check(const struct dnsd_options *options)
{
    if (options->forward.port && options->zones_only)
        return command_error("dnsd", EXIT_USAGE,
                             "--forward has all answers from elsewhere, and after the exchange: "
                             "leave --%s out",
                             flag_name(options->zones_only));
    if (options->rate_limit.rate && options->no_udp)
        return command_error("dnsd", EXIT_USAGE, "--rate-limit: nothing is answered over UDP here");
    if (options->cookie_secrets && options->no_cookies)
        return command_error("dnsd", EXIT_USAGE, "--cookie-secret: there are no DNS cookies here");
    if (!options->has_zones && !options->forward.port)
        return command_error("dnsd", EXIT_USAGE,
                             "name a zone with --zone [ORIGIN=]FILE, or a server with "
                             "--forward HOST:PORT");
    return 0;
}

int dnsd_options_take(struct dnsd_options *options, struct zone_loader *loader, int argc,
                      char **argv)
{
    struct option all[OPTIONS_ROOM];
    int value, status;
    set_defaults(options, loader);
    endpoint_join_options(all, OPTIONS_ROOM, own_options, OWN_OPTIONS);
    opterr = 0;
    optind = 1;
    while ((value = getopt_long(argc, argv, ":hz:p:", all, NULL)) != -1) {
        if (value == HELP) {
            print_usage();
            return 0;
        }
        status = take_flag(options, value, argv);
        if (status != 0)
            return status;
        if (is_of_zones(value))
            options->zones_only = value;
    }
    if (optind < argc)
        return command_error("dnsd", EXIT_USAGE, "what is \"%s\"? see `tcpct dnsd --help`",
                             argv[optind]);
    status = check(options);
    return status == 0 ? -1 : status;
}
