/* dig_options.c - flags and words of `tcpct dig`: see dig_options.h. */
#include "tools/dig_options.h"

#include <ldns/ldns.h>
#include <string.h>

enum {
    PORT_DEFAULT = 53,
    TIMEOUT_DEFAULT_US = 5000000,
    TRIES_DEFAULT = 2,
    REPEAT_MAX = 1000000,
    SYN_DATA_LIMIT = 496,
    OPTIONS_ROOM = 48,
};

static const uint64_t hour_us = 3600000000;

const char *const dig_mode_names[] = { "syn-data", "cold", "plain", "fastopen", "restart", "udp" };

enum flag {
    HELP = 'h',
    PORT = 'p',
    REPEAT = 256,
    MODE,
    JSON,
    TIMEOUT,
    TRIES,
    DNSSEC,
    PAD,
    PAUSE,
    REMEMBER
};

static const struct option own_options[] = {
    { "help", no_argument, NULL, HELP },
    { "port", required_argument, NULL, PORT },
    { "repeat", required_argument, NULL, REPEAT },
    { "mode", required_argument, NULL, MODE },
    { "json", no_argument, NULL, JSON },
    { "timeout", required_argument, NULL, TIMEOUT },
    { "tries", required_argument, NULL, TRIES },
    { "dnssec", no_argument, NULL, DNSSEC },
    { "pad", required_argument, NULL, PAD },
    { "pause", required_argument, NULL, PAUSE },
    { "remember", required_argument, NULL, REMEMBER },
};
enum { OWN_OPTIONS = sizeof own_options / sizeof *own_options };

static void print_usage(void)
{
    printf("usage: tcpct dig @SERVER NAME [TYPE] [+dnssec] [+cookie] [+norecurse] [+cdflag]\n"
           "                 [OPTION]...\n"
           "a DNS query over TCP Cookie Transactions, the answer, and what it took\n\n"
           "  -p, --port PORT          (default %d)\n"
           "  --dnssec                 the same as +dnssec: ask for signatures\n"
           "  +cookie                  send a DNS cookie (RFC 7873)\n"
           "  --mode MODE              syn-data: the query in the <SYN> (default);\n"
           "                           restart: the same, and from the second query on the\n"
           "                           closed connection begins again;\n"
           "                           cold: cookies, the query after them; plain: plain TCP;\n"
           "                           fastopen: RFC 7413, from the second query on;\n"
           "                           udp: UDP, and after TC as syn-data\n"
           "  --remember FILE          keep there what is remembered between runs: --mode restart\n"
           "                           from the first query of the next run on\n"
           "  --pad BYTES              pad the query to this size: the answer in a\n"
           "                           <SYN,ACK(SYN)> may have three times the bytes received\n"
           "  --repeat NUMBER          one after the other\n"
           "  --pause TIME             between them\n"
           "  --timeout TIME           for each try (default 5s)\n"
           "  --tries NUMBER           (default %d)\n"
           "  --json                   only what it took, one object a line\n\n"
           "Here the defaults are --tun tcpctdig, --addr 10.60.14.2, --host 10.60.14.1/24 and\n"
           "--syn-data-limit %d.\n\n%s",
           PORT_DEFAULT, TRIES_DEFAULT, SYN_DATA_LIMIT, endpoint_usage);
}

static int bad_value(const char *flag, const char *expected)
{
    return command_error("dig", EXIT_USAGE, "--%s %s: expected %s", flag, optarg, expected);
}

static int take_mode(struct dig_options *options, const char *text)
{
    for (size_t i = 0; i < sizeof dig_mode_names / sizeof *dig_mode_names; i++)
        if (strcmp(text, dig_mode_names[i]) == 0) {
            options->mode = (enum dig_mode)i;
            return 0;
        }
    return bad_value("mode", "syn-data, cold, restart, plain, fastopen or udp");
}

/* 0, or the exit status after a message. */
static int take_flag(struct dig_options *options, int value, char **argv)
{
    uint64_t number;
    switch (value) {
    case PORT:
        if (!unit_number(optarg, 1, UINT16_MAX, &number))
            return bad_value("port", "a number from 1 to 65535");
        options->port = (uint16_t)number;
        return 0;
    case REPEAT:
        return unit_number(optarg, 1, REPEAT_MAX, &options->repeat)
                   ? 0
                   : bad_value("repeat", "a number from 1 to 1000000");
    case TRIES:
        return unit_number(optarg, 1, 100, &options->tries)
                   ? 0
                   : bad_value("tries", "a number from 1 to 100");
    case TIMEOUT:
        if (!unit_duration(optarg, hour_us, &options->timeout_us) || options->timeout_us == 0)
            return bad_value("timeout", "a time such as 5s, at most 1h");
        return 0;
    case PAUSE:
        return unit_duration(optarg, hour_us, &options->pause_us)
                   ? 0
                   : bad_value("pause", "a time such as 1s, at most 1h");
    case PAD:
        if (!unit_number(optarg, 0, DIG_QUERY_SIZE_MAX, &number))
            return bad_value("pad", "a number of bytes from 0 to 4096");
        options->question.padded_size = (uint16_t)number;
        return 0;
    case MODE:
        return take_mode(options, optarg);
    case REMEMBER:
        options->remember_path = optarg;
        return 0;
    case JSON:
        options->json = true;
        return 0;
    case DNSSEC:
        options->question.dnssec_ok = true;
        return 0;
    default:
        if (value >= ENDPOINT_OPTION_FIRST)
            return endpoint_option(&options->endpoint, value, optarg);
        return command_bad_option("dig", argv, value);
    }
}

/* @SERVER, +FLAG, NAME or TYPE. 0, or the exit status after a message. */
static int take_word(struct dig_options *options, const char *word)
{
    struct dns_question *question = &options->question;
    if (word[0] == '@') {
        if (!address_parse(word + 1, &options->server))
            return command_error("dig", EXIT_USAGE, "%s: expected @ and an IP address", word);
    } else if (strcmp(word, "+dnssec") == 0) {
        question->dnssec_ok = true;
    } else if (strcmp(word, "+cookie") == 0) {
        dig_cookie_draw(&options->cookie);
    } else if (strcmp(word, "+norecurse") == 0) {
        question->flags &= (uint16_t)~DNS_FLAG_RD;
    } else if (strcmp(word, "+cdflag") == 0) {
        question->flags |= DNS_FLAG_CD;
    } else if (word[0] == '+') {
        return command_error("dig", EXIT_USAGE, "unknown flag %s: see `tcpct dig --help`", word);
    } else if (!question->name) {
        question->name = options->name;
        if (name_parse(options->name, word) == 0)
            return command_error("dig", EXIT_USAGE, "%s is no domain name", word);
    } else if (question->type == 0) {
        question->type = (uint16_t)ldns_get_rr_type_by_name(word);
        if (question->type == 0)
            return command_error("dig", EXIT_USAGE, "%s is no record type", word);
    } else {
        return command_error("dig", EXIT_USAGE, "what is \"%s\"? see `tcpct dig --help`", word);
    }
    return 0;
}

static void set_defaults(struct dig_options *options)
{
    *options = (struct dig_options){
        .endpoint = { .command = "dig", .parameters = TCPCT_PARAMETERS_DEFAULT },
        .port = PORT_DEFAULT,
        .question = { .class = DNS_CLASS_IN, .flags = DNS_FLAG_RD, .edns = true },
        .mode = DIG_MODES,
        .repeat = 1,
        .tries = TRIES_DEFAULT,
        .timeout_us = TIMEOUT_DEFAULT_US,
    };
    options->endpoint.parameters.syn_data_limit = SYN_DATA_LIMIT;
}

/* What depends on what was given. */
static void complete(struct dig_options *options)
{
    struct endpoint_options *endpoint = &options->endpoint;
    if (options->question.type == 0)
        options->question.type = DNS_A;
    if (options->mode == DIG_MODES)
        options->mode = options->remember_path ? DIG_RESTART : DIG_SYN_DATA;
    if (!endpoint->tun)
        endpoint->tun = "tcpctdig";
    if (endpoint->address_count == 0 && endpoint->host_count == 0) {
        address_parse("10.60.14.2", &endpoint->addresses[endpoint->address_count++]);
        address_parse_prefix("10.60.14.1/24", &endpoint->hosts[endpoint->host_count++]);
    }
}

int dig_options_take(struct dig_options *options, int argc, char **argv)
{
    struct option all[OPTIONS_ROOM];
    int value, status = 0;
    set_defaults(options);
    endpoint_join_options(all, OPTIONS_ROOM, own_options, OWN_OPTIONS);
    opterr = 0;
    optind = 1;
    while ((value = getopt_long(argc, argv, ":hp:", all, NULL)) != -1) {
        if (value == HELP) {
            print_usage();
            return 0;
        }
        status = take_flag(options, value, argv);
        if (status != 0)
            return status;
    }
    for (int i = optind; i < argc && status == 0; i++)
        status = take_word(options, argv[i]);
    if (status == 0 && (!options->question.name || options->server.family == 0))
        status = command_error("dig", EXIT_USAGE, "say whom to ask for what: @SERVER NAME [TYPE]");
    if (status == 0)
        complete(options);
    return status == 0 ? -1 : status;
}
