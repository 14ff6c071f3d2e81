/* dig.c - tcpct dig: a DNS query over TCP Cookie Transactions, and what it took.
 *
 * The query travels in the <SYN>, since it may be executed more than once. If the whole answer
 * comes in the <SYN,ACK(SYN)>, the connection is closed in that same turn, and nothing more is
 * sent. Otherwise the program stays for a moment after the answer, so that both FINs are
 * acknowledged and counted.
 */
#include <errno.h>
#include <inttypes.h>
#include <ldns/ldns.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "dns/edns.h"
#include "dns/framing.h"
#include "tools/dig_udp.h"
#include "tools/remember_file.h"

enum {
    PORT_DEFAULT = 53,
    TIMEOUT_DEFAULT_US = 5000000,
    TRIES_DEFAULT = 2,
    REPEAT_MAX = 1000000,
    QUERY_SIZE_MAX = 4096,
    SYN_DATA_LIMIT = 496,
    LINGER_MIN_US = 1000,
    OPTIONS_ROOM = 48,
    ERROR_SIZE = 512,
};

static const uint64_t hour_us = 3600000000;

enum mode { MODE_SYN_DATA, MODE_COLD, MODE_PLAIN, MODE_FAST_OPEN, MODE_RESTART, MODE_UDP };
static const char *const mode_names[] = {
    "syn-data", "cold", "plain", "fastopen", "restart", "udp"
};

/* What a transaction took. */
struct cost {
    enum mode mode; /* as it turned out */
    unsigned round_trips;
    uint64_t packets_sent, packets_received, bytes_sent, bytes_received;
    uint64_t time_us;
    size_t answer_size; /* bytes of DNS */
    unsigned rcode;
};

struct dig {
    struct endpoint_options endpoint_options;
    struct tcpct_address server;
    uint16_t port;
    uint8_t name[NAME_SIZE_MAX];
    const char *name_text, *type_text;
    struct dns_question question;
    enum mode mode;
    bool mode_given;
    const char *remember_path; /* NULL: nothing is kept */
    uint64_t repeat, tries, timeout_us, pause_us;
    bool json;

    struct dig_udp udp;
    bool truncated; /* the answer over UDP was: the same question goes on over TCPCT */
    uint64_t truncated_us, udp_packets, udp_bytes; /* and what that took */

    struct endpoint endpoint;
    struct remember_file remembered;
    struct loop *loop;
    struct tcpct_connection *connection; /* NULL: none now */
    struct framing framing;
    uint8_t cookie_option[EDNS_OPTION_HEAD_SIZE + EDNS_CLIENT_COOKIE_SIZE];
    uint8_t query[2 + QUERY_SIZE_MAX];
    size_t query_size;
    uint64_t started_us, connected_us; /* connected_us 0: not yet */
    uint64_t deadline_us;
    uint64_t resume_us; /* when the next transaction begins, at the earliest */
    struct tcpct_counters before;
    struct cost cost; /* of the present transaction */
    bool answered;    /* and the FINs are being exchanged */
    uint64_t done, tried;
    uint64_t *times_us; /* of each answer, if there are several */
};

/* ---- printing ------------------------------------------------------------------------------ */

/* As dig prints it. */
static void print_answer(const uint8_t *message, size_t size, uint64_t time_us)
{
    ldns_pkt *packet = NULL;
    ldns_status status = ldns_wire2pkt(&packet, message, size);
    if (status != LDNS_STATUS_OK) {
        printf(";; the answer of %zu bytes cannot be read: %s\n", size,
               ldns_get_errorstr_by_id(status));
        return;
    }
    struct timeval now;
    gettimeofday(&now, NULL);
    ldns_pkt_set_timestamp(packet, now);
    ldns_pkt_set_querytime(packet, (uint32_t)(time_us / 1000));
    ldns_pkt_print(stdout, packet);
    ldns_pkt_free(packet);
}

static void print_cost(const struct dig *dig)
{
    const struct cost *cost = &dig->cost;
    if (dig->json) {
        printf("{\"mode\": \"%s\", \"rcode\": %u, \"answer_bytes\": %zu, "
               "\"round_trips\": %u, \"packets_sent\": %" PRIu64 ", \"packets_received\": %" PRIu64
               ", \"bytes_sent\": %" PRIu64 ", \"bytes_received\": %" PRIu64
               ", \"time_us\": %" PRIu64 "}\n",
               mode_names[cost->mode], cost->rcode, cost->answer_size, cost->round_trips,
               cost->packets_sent, cost->packets_received, cost->bytes_sent, cost->bytes_received,
               cost->time_us);
    } else {
        printf(";; %s: %u round trip%s, %" PRIu64 " + %" PRIu64 " packets, %" PRIu64 " + %" PRIu64
               " bytes of IP sent + received, %.1f ms\n",
               mode_names[cost->mode], cost->round_trips, cost->round_trips == 1 ? "" : "s",
               cost->packets_sent, cost->packets_received, cost->bytes_sent, cost->bytes_received,
               (double)cost->time_us / 1000);
    }
    fflush(stdout);
}

static int compare_times(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void print_summary(struct dig *dig)
{
    if (dig->repeat == 1 || dig->json || dig->done == 0 || !dig->times_us)
        return;
    size_t middle = dig->done / 2;
    qsort(dig->times_us, dig->done, sizeof *dig->times_us, compare_times);
    printf(";; %" PRIu64 " answers: median %.1f ms, from %.1f to %.1f ms\n", dig->done,
           (double)dig->times_us[middle] / 1000, (double)dig->times_us[0] / 1000,
           (double)dig->times_us[dig->done - 1] / 1000);
}

/* ---- a transaction ------------------------------------------------------------------------- */

/* The last of several tries is plain TCP: the stack waits longer than we do before it gives up what a
 * path may not let through. */
/* Over UDP, at first. */
static int begin_udp(struct dig *dig, uint64_t now_us)
{
    size_t size =
        dig_udp_ask(&dig->udp, dig->endpoint.device, dig->query + 2, dig->query_size - 2, now_us);
    dig->udp_packets++;
    dig->udp_bytes += size;
    return size > 0 ? TCPCT_OK : TCPCT_ERROR_INVALID;
}

static int begin(struct dig *dig, uint64_t now_us)
{
    struct tcpct_connect_options options = {
        .remote = dig->server,
        .remote_port = dig->port,
        .parameters = dig->endpoint_options.parameters,
        .window = dig->endpoint_options.window,
        .restart = dig->mode == MODE_RESTART,
        .request = dig->query,
        .user = dig,
    };
    loop_random(NULL, &dig->question.id, sizeof dig->question.id);
    size_t size = dns_query_write(dig->query + 2, QUERY_SIZE_MAX, &dig->question);
    dns_put16(dig->query, (uint16_t)size);
    dig->query_size = options.request_size = 2 + size;
    if (dig->mode != MODE_SYN_DATA && dig->mode != MODE_RESTART && dig->mode != MODE_UDP)
        options.parameters.syn_data_limit = 0;
    bool last = dig->tries > 1 && dig->tried == dig->tries - 1;
    if (dig->mode == MODE_PLAIN || dig->mode == MODE_FAST_OPEN || last)
        options.parameters.cookie_desired = 0;
    options.fast_open = dig->mode == MODE_FAST_OPEN && !last;
    options.restart &= !last;
    framing_release(&dig->framing);
    if (!dig->truncated && dig->tried == 0)
        tcpct_counters(dig->endpoint.stack, &dig->before);
    dig->started_us = now_us;
    dig->connected_us = 0;
    dig->answered = false;
    dig->deadline_us = now_us + dig->timeout_us;
    dig->tried++;
    if (dig->mode == MODE_UDP && !dig->truncated)
        return begin_udp(dig, now_us);
    return tcpct_connect(dig->endpoint.stack, &options, &dig->connection, now_us);
}

/* An answer that ends in the <SYN,ACK(SYN)>, or follows it at once, takes one. Otherwise they are elapsed time in units of
 * the first, <SYN> to <SYN,ACK>, rounded, and at least two: the time that bytes take on a slow
 * link counts too. `tcpct dump` counts exactly. */
static unsigned count_round_trips(const struct dig *dig)
{
    uint64_t first_us = dig->connected_us - dig->started_us;
    bool one = dig->cost.mode == MODE_FAST_OPEN || dig->cost.mode == MODE_RESTART;
    unsigned least = one ? 1 : 2;
    if (dig->cost.time_us <= first_us)
        return 1;
    uint64_t rounds = first_us > 0 ? (dig->cost.time_us + first_us / 2) / first_us : least;
    return rounds > least ? (unsigned)rounds : least;
}

static void take_answer(struct dig *dig, const uint8_t *message, size_t size, uint64_t now_us)
{
    struct tcpct_info info;
    tcpct_connection_info(dig->connection, &info);
    tcpct_close(dig->connection);
    dig->connection = NULL;
    dig->answered = true;
    dig->cost.answer_size = size;
    dig->cost.rcode = message[3] & 15;
    dig->cost.time_us = now_us - dig->started_us;
    dig->cost.mode = info.fast_open            ? MODE_FAST_OPEN
                     : !info.cookies           ? MODE_PLAIN
                     : info.restarted          ? MODE_RESTART
                     : info.syn_ack_data_taken ? MODE_SYN_DATA
                                               : MODE_COLD;
    dig->cost.round_trips = count_round_trips(dig);
    if (dig->done == 0 && !dig->json)
        print_answer(message, size, dig->cost.time_us);
    uint64_t linger_us = dig->cost.time_us > LINGER_MIN_US ? dig->cost.time_us : LINGER_MIN_US;
    dig->deadline_us = now_us + linger_us;
}

/* A packet that is not of a connection: the answer over UDP, or another. */
static void other_packet(void *context, const struct tcpct_packet *packet, uint64_t now_us)
{
    struct dig *dig = context;
    struct udp_datagram answer;
    if (!dig_udp_take(&dig->udp, packet, dig->question.id, &answer))
        return;
    dig->udp.asking = false;
    dig->tried = 0;
    dig->truncated = (dns_get16(answer.data + 2) & DNS_FLAG_TC) != 0;
    dig->truncated_us = now_us - dig->started_us;
    if (dig->truncated)
        return; /* the next turn's begin() goes on */
    dig->answered = true;
    dig->cost.answer_size = answer.size;
    dig->cost.rcode = answer.data[3] & 15;
    dig->cost.time_us = now_us - dig->started_us;
    dig->cost.mode = MODE_UDP;
    dig->cost.round_trips = 1;
    if (dig->done == 0 && !dig->json)
        print_answer(answer.data, answer.size, dig->cost.time_us);
}

static void finish(struct dig *dig, uint64_t now_us)
{
    struct tcpct_counters after;
    tcpct_counters(dig->endpoint.stack, &after);
    dig->cost.packets_sent = after.packets_out - dig->before.packets_out;
    dig->cost.packets_received = after.packets_in - dig->before.packets_in;
    dig->cost.bytes_sent = after.bytes_out - dig->before.bytes_out;
    dig->cost.bytes_received = after.bytes_in - dig->before.bytes_in;
    dig->cost.packets_sent += dig->udp_packets;
    dig->cost.bytes_sent += dig->udp_bytes;
    if (dig->truncated) {
        dig->cost.time_us += dig->truncated_us;
        dig->cost.round_trips++;
    }
    dig->truncated = false;
    dig->udp_packets = dig->udp_bytes = 0;
    dig->times_us[dig->done++] = dig->cost.time_us;
    dig->resume_us = now_us + dig->pause_us;
    dig->answered = false;
    dig->tried = 0;
    print_cost(dig);
}

/* Tries again, or says why there is no answer. */
static void fail(struct dig *dig, const char *reason)
{
    char server[46];
    if (dig->connection)
        tcpct_abort(dig->connection);
    dig->connection = NULL;
    dig->udp.asking = false;
    if (dig->tried < dig->tries)
        return;
    loop_stop(dig->loop,
              command_error("dig", 1, "no answer from %s port %u: %s",
                            address_text(&dig->server, server, sizeof server), dig->port, reason));
}

static void read_answer(struct dig *dig, uint64_t now_us)
{
    for (;;) {
        const uint8_t *message;
        size_t size;
        uint8_t *space;
        enum framing_verdict verdict = framing_next(&dig->framing, &message, &size);
        if (verdict == FRAMING_MESSAGE && dns_get16(message) == dig->question.id) {
            take_answer(dig, message, size, now_us);
            return;
        }
        if (verdict == FRAMING_MESSAGE)
            continue; /* an answer to nothing that was asked */
        if (verdict != FRAMING_MORE) {
            fail(dig, verdict == FRAMING_NO_MEMORY ? "there is no memory"
                                                   : "it sends something that is not DNS");
            return;
        }
        size_t room = framing_space(&dig->framing, &space);
        ptrdiff_t got = tcpct_receive(dig->connection, space, room);
        if (got == TCPCT_ERROR_CLOSED)
            fail(dig, "it closed the connection without one");
        else if (got < 0)
            fail(dig, tcpct_error_text((int)got));
        if (got <= 0)
            return;
        framing_add(&dig->framing, (size_t)got);
    }
}

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    struct dig *dig = context;
    struct tcpct_event event;
    while (tcpct_event(stack, &event)) {
        if (!dig->connection || event.connection != dig->connection)
            continue;
        if (!dig->connected_us && event.flags & TCPCT_EVENT_CONNECTED)
            dig->connected_us = now_us;
        if (event.flags & TCPCT_EVENT_ERROR)
            fail(dig, tcpct_error_text(tcpct_connection_error(dig->connection)));
        else if (event.flags & TCPCT_EVENT_READABLE)
            read_answer(dig, now_us);
    }
    if ((dig->connection || dig->udp.asking) && now_us >= dig->deadline_us)
        fail(dig, "the time is over");
    if (dig->answered && (now_us >= dig->deadline_us || tcpct_connection_count(stack) == 0))
        finish(dig, now_us);
    if (dig->done == dig->repeat) {
        loop_stop(dig->loop, 0);
        return;
    }
    if (now_us < dig->resume_us) {
        loop_deadline(dig->loop, dig->resume_us);
        return;
    }
    if (!dig->connection && !dig->udp.asking && !dig->answered && dig->tried < dig->tries) {
        int error = begin(dig, now_us);
        if (error) {
            dig->tried = dig->tries;
            fail(dig, tcpct_error_text(error));
        }
    }
    loop_deadline(dig->loop, dig->deadline_us);
}

static void take_signal(void *context, int signal_number)
{
    const struct dig *dig = context;
    loop_stop(dig->loop, 128 + signal_number);
}

static int open_remembered(struct dig *dig)
{
    char error[ERROR_SIZE];
    if (!dig->remember_path || remember_file_open(&dig->remembered, dig->remember_path,
                                                  dig->endpoint.stack, error, sizeof error))
        return 0;
    return command_error("dig", 1, "%s", error);
}

static int save_remembered(struct dig *dig)
{
    char error[ERROR_SIZE];
    if (dig->remembered.descriptor < 0 ||
        remember_file_save(&dig->remembered, dig->endpoint.stack, error, sizeof error))
        return 0;
    return command_error("dig", 1, "%s", error);
}

static int run(struct dig *dig)
{
    struct tcpct_config config = { 0 };
    struct loop_handlers handlers = {
        .serve = serve, .other_packet = other_packet, .signal = take_signal, .context = dig
    };
    dig->udp.server = dig->server;
    dig->udp.port = dig->port;
    for (size_t i = dig->endpoint_options.address_count; i-- > 0;)
        if (dig->endpoint_options.addresses[i].family == dig->server.family)
            dig->udp.local = dig->endpoint_options.addresses[i];
    int status = endpoint_open(&dig->endpoint, &dig->endpoint_options, &config);
    if (status != 0)
        return status;
    framing_begin(&dig->framing);
    dig->times_us = calloc(dig->repeat, sizeof *dig->times_us);
    dig->loop = loop_create(dig->endpoint.stack, dig->endpoint.device, &handlers);
    if (!dig->times_us || !dig->loop || loop_signal(dig->loop, SIGINT) != 0 ||
        loop_signal(dig->loop, SIGTERM) != 0)
        status = command_error("dig", 1, "cannot make the event loop: %s", strerror(errno));
    if (status == 0)
        status = open_remembered(dig);
    if (status == 0)
        status = endpoint_drop_privileges(&dig->endpoint_options);
    if (status == 0) {
        status = loop_run(dig->loop);
        if (status < 0)
            status = command_error("dig", 1, "the device is gone: %s", strerror(errno));
        print_summary(dig);
    }
    int kept = save_remembered(dig);
    if (status == 0)
        status = kept;
    framing_release(&dig->framing);
    loop_destroy(dig->loop);
    free(dig->times_us);
    endpoint_close(&dig->endpoint);
    return status;
}

/* ---- flags --------------------------------------------------------------------------------- */

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

static int take_mode(struct dig *dig, const char *text)
{
    for (size_t i = 0; i < sizeof mode_names / sizeof *mode_names; i++)
        if (strcmp(text, mode_names[i]) == 0) {
            dig->mode = (enum mode)i;
            return 0;
        }
    return bad_value("mode", "syn-data, cold, restart, plain, fastopen or udp");
}

/* 0, or the exit status after a message. */
static int take_flag(struct dig *dig, int value, char **argv)
{
    uint64_t number;
    switch (value) {
    case PORT:
        if (!unit_number(optarg, 1, UINT16_MAX, &number))
            return bad_value("port", "a number from 1 to 65535");
        dig->port = (uint16_t)number;
        return 0;
    case REPEAT:
        return unit_number(optarg, 1, REPEAT_MAX, &dig->repeat)
                   ? 0
                   : bad_value("repeat", "a number from 1 to 1000000");
    case TRIES:
        return unit_number(optarg, 1, 100, &dig->tries)
                   ? 0
                   : bad_value("tries", "a number from 1 to 100");
    case TIMEOUT:
        if (!unit_duration(optarg, hour_us, &dig->timeout_us) || dig->timeout_us == 0)
            return bad_value("timeout", "a time such as 5s, at most 1h");
        return 0;
    case PAUSE:
        return unit_duration(optarg, hour_us, &dig->pause_us)
                   ? 0
                   : bad_value("pause", "a time such as 1s, at most 1h");
    case PAD:
        if (!unit_number(optarg, 0, QUERY_SIZE_MAX, &number))
            return bad_value("pad", "a number of bytes from 0 to 4096");
        dig->question.padded_size = (uint16_t)number;
        return 0;
    case MODE:
        dig->mode_given = true;
        return take_mode(dig, optarg);
    case REMEMBER:
        dig->remember_path = optarg;
        return 0;
    case JSON:
        dig->json = true;
        return 0;
    case DNSSEC:
        dig->question.dnssec_ok = true;
        return 0;
    default:
        if (value >= ENDPOINT_OPTION_FIRST)
            return endpoint_option(&dig->endpoint_options, value, optarg);
        return command_bad_option("dig", argv, value);
    }
}

/* A DNS cookie of the client's, fresh each time: nothing tells who it is (RFC 7873, 4.1). ldns prints the
 * whole one that comes back. */
static void add_cookie(struct dig *dig)
{
    uint8_t *option = dig->cookie_option;
    dns_put16(option, EDNS_COOKIE);
    dns_put16(option + 2, EDNS_CLIENT_COOKIE_SIZE);
    loop_random(NULL, option + EDNS_OPTION_HEAD_SIZE, EDNS_CLIENT_COOKIE_SIZE);
    dig->question.options = option;
    dig->question.options_size = sizeof dig->cookie_option;
}

/* @SERVER, +FLAG, NAME or TYPE. 0, or the exit status after a message. */
static int take_word(struct dig *dig, const char *word)
{
    struct dns_question *question = &dig->question;
    if (word[0] == '@') {
        if (!address_parse(word + 1, &dig->server))
            return command_error("dig", EXIT_USAGE, "%s: expected @ and an IP address", word);
    } else if (strcmp(word, "+dnssec") == 0) {
        question->dnssec_ok = true;
    } else if (strcmp(word, "+cookie") == 0) {
        add_cookie(dig);
    } else if (strcmp(word, "+norecurse") == 0) {
        question->flags &= (uint16_t)~DNS_FLAG_RD;
    } else if (strcmp(word, "+cdflag") == 0) {
        question->flags |= DNS_FLAG_CD;
    } else if (word[0] == '+') {
        return command_error("dig", EXIT_USAGE, "unknown flag %s: see `tcpct dig --help`", word);
    } else if (!dig->name_text) {
        dig->name_text = word;
        if (name_parse(dig->name, word) == 0)
            return command_error("dig", EXIT_USAGE, "%s is no domain name", word);
    } else if (!dig->type_text) {
        dig->type_text = word;
        question->type = (uint16_t)ldns_get_rr_type_by_name(word);
        if (question->type == 0)
            return command_error("dig", EXIT_USAGE, "%s is no record type", word);
    } else {
        return command_error("dig", EXIT_USAGE, "what is \"%s\"? see `tcpct dig --help`", word);
    }
    return 0;
}

/* -1: go on; else the exit status. */
static int take_flags(struct dig *dig, int argc, char **argv)
{
    struct option options[OPTIONS_ROOM];
    int value, status = 0;
    endpoint_join_options(options, OPTIONS_ROOM, own_options, OWN_OPTIONS);
    opterr = 0;
    optind = 1;
    while ((value = getopt_long(argc, argv, ":hp:", options, NULL)) != -1) {
        if (value == HELP) {
            print_usage();
            return 0;
        }
        status = take_flag(dig, value, argv);
        if (status != 0)
            return status;
    }
    for (int i = optind; i < argc && status == 0; i++)
        status = take_word(dig, argv[i]);
    if (status == 0 && (!dig->name_text || dig->server.family == 0))
        status = command_error("dig", EXIT_USAGE, "say whom to ask for what: @SERVER NAME [TYPE]");
    return status == 0 ? -1 : status;
}

static void set_defaults(struct endpoint_options *options)
{
    if (!options->tun)
        options->tun = "tcpctdig";
    if (options->address_count == 0 && options->host_count == 0) {
        address_parse("10.60.14.2", &options->addresses[options->address_count++]);
        address_parse_prefix("10.60.14.1/24", &options->hosts[options->host_count++]);
    }
}

int command_dig(int argc, char **argv)
{
    static struct dig dig;
    dig = (struct dig){
        .endpoint_options = { .command = "dig", .parameters = TCPCT_PARAMETERS_DEFAULT },
        .port = PORT_DEFAULT,
        .question = { .name = dig.name,
                      .type = DNS_A,
                      .class = DNS_CLASS_IN,
                      .flags = DNS_FLAG_RD,
                      .edns = true },
        .remembered = { .descriptor = -1 },
        .repeat = 1,
        .tries = TRIES_DEFAULT,
        .timeout_us = TIMEOUT_DEFAULT_US,
    };
    dig.endpoint_options.parameters.syn_data_limit = SYN_DATA_LIMIT;
    int status = take_flags(&dig, argc, argv);
    if (status >= 0)
        return status;
    if (dig.remember_path && !dig.mode_given)
        dig.mode = MODE_RESTART;
    set_defaults(&dig.endpoint_options);
    return run(&dig);
}
