/* dump.c - `tcpct dump`: what a capture holds: a line for each segment or connection, or a picture.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/dump.h"

enum {
    LIVE_CONNECTIONS = 65536,
    PICTURE_CONNECTIONS = 64, /* of one picture, at the most */
};

enum form { FORM_LINES, FORM_SUMMARY, FORM_LADDER, FORM_SEQUENCE };

struct dump {
    enum form form;
    bool json, live;
    enum dump_side side; /* of FORM_SEQUENCE */
    const char *cwnd;    /* file of trace events */
    struct dump_flows *flows;
    struct dump_events events; /* for pictures */
};

/* ---- connections ------------------------------------------------------------------------------ */

static void summary_text(void *context, const struct dump_summary *summary)
{
    (void)context;
    char address[2][48];
    printf("%s.%u > %s.%u  %s  packets %" PRIu64 " + %" PRIu64 "  bytes %" PRIu64 " + %" PRIu64
           "  data %" PRIu64 " + %" PRIu64,
           address_text(&summary->address[0], address[0], sizeof address[0]), summary->port[0],
           address_text(&summary->address[1], address[1], sizeof address[1]), summary->port[1],
           dump_mode_text(summary->mode), summary->packets[0], summary->packets[1],
           summary->bytes[0], summary->bytes[1], summary->data[0], summary->data[1]);
    if (summary->answered_us >= 0)
        printf("  round trips %u  %.3f ms", summary->round_trips,
               (double)summary->answered_us / 1e3);
    printf("\n");
}

static void summary_json(void *context, const struct dump_summary *summary)
{
    (void)context;
    char address[2][48];
    printf("{\"client\":\"%s\",\"client_port\":%u,\"server\":\"%s\",\"server_port\":%u,"
           "\"mode\":\"%s\",\"start_us\":%" PRId64,
           address_text(&summary->address[0], address[0], sizeof address[0]), summary->port[0],
           address_text(&summary->address[1], address[1], sizeof address[1]), summary->port[1],
           dump_mode_text(summary->mode), summary->start_us);
    static const char *const sides[] = { "client", "server" };
    for (unsigned side = 0; side < 2; side++)
        printf(",\"packets_%s\":%" PRIu64 ",\"bytes_%s\":%" PRIu64 ",\"data_%s\":%" PRIu64,
               sides[side], summary->packets[side], sides[side], summary->bytes[side], sides[side],
               summary->data[side]);
    if (summary->answered_us >= 0)
        printf(",\"round_trips\":%u,\"answered_us\":%" PRId64, summary->round_trips,
               summary->answered_us);
    if (summary->min_rtt_us >= 0)
        printf(",\"handshake_rtt_us\":%" PRId64, summary->min_rtt_us);
    printf("}\n");
}

/* ---- pictures --------------------------------------------------------------------------------- */

struct wanted {
    const struct dump_events *events;
    struct dump_summary *list;
    size_t count;
    struct dump_summary first; /* between the ports of list[0] */
};

static bool same_ends(const struct dump_summary *one, const struct dump_summary *other)
{
    return memcmp(one->address, other->address, sizeof one->address) == 0 &&
           memcmp(one->port, other->port, sizeof one->port) == 0;
}

static void want_summary(void *context, const struct dump_summary *summary)
{
    struct wanted *wanted = context;
    if (summary->number >= wanted->events->first && summary->number <= wanted->events->last)
        wanted->list[wanted->count++] = *summary;
}

static void find_first(void *context, const struct dump_summary *summary)
{
    struct wanted *wanted = context;
    if (same_ends(summary, &wanted->list[0]) && summary->number < wanted->first.number)
        wanted->first = *summary;
}

/* When it was established at that end, for a capture taken at the client. */
static int64_t established_us(const struct dump_summary *summary, enum dump_side side)
{
    int64_t rtt_us = summary->min_rtt_us > 0 ? summary->min_rtt_us : 0;
    return summary->start_us + (summary->mode == DUMP_RESTART ? 0 : rtt_us) +
           (side == DUMP_SERVER ? rtt_us / 2 : 0);
}

static int draw(const struct dump *dump)
{
    const struct dump_events *events = &dump->events;
    struct dump_summary list[PICTURE_CONNECTIONS];
    struct wanted wanted = { .events = events, .list = list };
    dump_flows_each(dump->flows, want_summary, &wanted);
    if (wanted.count == 0)
        return command_error("dump", 1, "the capture has no connection %u", events->first);
    if (dump->form == FORM_LADDER) {
        dump_ladder(stdout, events, list);
        return 0;
    }
    struct dump_cwnd *cwnd = NULL;
    size_t count = 0;
    wanted.first = list[0];
    dump_flows_each(dump->flows, find_first, &wanted);
    if (dump->cwnd != NULL &&
        !dump_trace_read(dump->cwnd, &list[0], dump->side,
                         established_us(&wanted.first, dump->side),
                         events->list[events->count - 1].time_us, &cwnd, &count))
        return command_error("dump", 1, "cannot read %s", dump->cwnd);
    dump_sequence(stdout, events, list, dump->side, cwnd, count);
    free(cwnd);
    return 0;
}

/* ---- the command ------------------------------------------------------------------------------ */

/* False: no memory. */
static bool take_packet(struct dump *dump, const struct dump_packet *packet)
{
    enum dump_side side = DUMP_CLIENT;
    const struct dump_flow *flow = NULL;
    if (packet->verdict == SEGMENT_OK) {
        flow = dump_flows_take(dump->flows, packet, &side);
        if (flow == NULL)
            return false;
        if (dump->form >= FORM_LADDER && !dump_events_take(&dump->events, packet, flow, side))
            return false;
    }
    if (dump->form == FORM_LINES)
        (dump->json ? dump_line_json : dump_line_text)(stdout, packet, flow, side);
    if (dump->live)
        fflush(stdout);
    return true;
}

static int run(struct dump *dump, const char *name)
{
    struct dump_packet packet;
    enum dump_got got;
    int status = 0;
    struct dump_capture *capture = dump_capture_open(name, dump->live);
    if (capture == NULL)
        return 1;
    while ((got = dump_capture_next(capture, &packet)) == DUMP_GOT_PACKET && status == 0) {
        if (!take_packet(dump, &packet))
            status =
                command_error("dump", 1, "out of memory after %" PRIu64 " packets", packet.number);
    }
    dump_capture_close(capture);
    if (status == 0 && dump->form == FORM_SUMMARY)
        dump_flows_each(dump->flows, dump->json ? summary_json : summary_text, NULL);
    if (status == 0 && dump->form >= FORM_LADDER)
        status = draw(dump);
    if (fflush(stdout) != 0 && status == 0)
        status = command_error("dump", 1, "cannot write to standard output");
    return got == DUMP_GOT_ERROR ? 1 : status;
}

static void print_help(void)
{
    puts(
        "usage: tcpct dump [OPTION]... FILE\n"
        "       tcpct dump --live [--json] DEVICE\n\n"
        "What a capture (pcap or pcapng) holds, one line a packet, or:\n"
        "  --summary            one line a connection\n"
        "  --ladder             connections as arrows between two lines, in SVG\n"
        "  --sequence [SIDE]    data against time, in SVG: of the server (default) or client\n"
        "  --connection N[-M]   which ones, as --summary lists them (default 1)\n"
        "  --cwnd FILE          with --sequence: trace events of that side (--trace 2 --trace-json)\n"
        "  --json               JSON lines\n"
        "  --live               follow a device until SIGINT");
}

static int take_connections(struct dump *dump, const char *argument)
{
    unsigned first, last;
    char rest;
    /* NOLINTBEGIN(cert-err34-c): what is out of range is refused */
    int got = sscanf(argument, "%u-%u%c", &first, &last, &rest);
    if (got == 1 && sscanf(argument, "%u%c", &first, &rest) == 1)
        last = first;
    else if (got != 2)
        first = 0;
    /* NOLINTEND(cert-err34-c) */
    if (first == 0 || last < first || last - first >= PICTURE_CONNECTIONS)
        return command_error(
            "dump", EXIT_USAGE,
            "--connection takes a number, or up to %d of them as in 1-3, not \"%s\"",
            PICTURE_CONNECTIONS, argument);
    dump->events.first = first;
    dump->events.last = last;
    return 0;
}

static int take_form(struct dump *dump, enum form form)
{
    if (dump->form != FORM_LINES)
        return command_error("dump", EXIT_USAGE,
                             "only one of --summary, --ladder and --sequence can be had");
    dump->form = form;
    return 0;
}

static int check(const struct dump *dump)
{
    if (dump->form >= FORM_LADDER && dump->json)
        return command_error("dump", EXIT_USAGE, "a picture is not JSON");
    if (dump->live && dump->form != FORM_LINES)
        return command_error("dump", EXIT_USAGE, "--live prints lines only");
    if (dump->cwnd != NULL && dump->form != FORM_SEQUENCE)
        return command_error("dump", EXIT_USAGE, "--cwnd goes with --sequence");
    if (dump->form == FORM_SEQUENCE && dump->events.first != dump->events.last)
        return command_error("dump", EXIT_USAGE, "--sequence shows one connection");
    return 0;
}

enum option_value { JSON = 1, SUMMARY, LADDER, SEQUENCE, CONNECTION, CWND, LIVE };

static int take_option(struct dump *dump, int value)
{
    switch (value) {
    case JSON:
        dump->json = true;
        return 0;
    case SUMMARY:
        return take_form(dump, FORM_SUMMARY);
    case LADDER:
        return take_form(dump, FORM_LADDER);
    case SEQUENCE:
        dump->side = optarg != NULL && strcmp(optarg, "client") == 0 ? DUMP_CLIENT : DUMP_SERVER;
        if (optarg != NULL && strcmp(optarg, "client") != 0 && strcmp(optarg, "server") != 0)
            return command_error("dump", EXIT_USAGE, "--sequence=%s: client or server?", optarg);
        return take_form(dump, FORM_SEQUENCE);
    case CONNECTION:
        return take_connections(dump, optarg);
    case CWND:
        dump->cwnd = optarg;
        return 0;
    default:
        dump->live = true;
        return 0;
    }
}

int command_dump(int argc, char **argv)
{
    enum { HELP = LIVE + 1 };
    static const struct option long_options[] = {
        { "json", no_argument, NULL, JSON },
        { "summary", no_argument, NULL, SUMMARY },
        { "ladder", no_argument, NULL, LADDER },
        { "sequence", optional_argument, NULL, SEQUENCE },
        { "connection", required_argument, NULL, CONNECTION },
        { "cwnd", required_argument, NULL, CWND },
        { "live", no_argument, NULL, LIVE },
        { "help", no_argument, NULL, HELP },
        { NULL, 0, NULL, 0 },
    };
    struct dump dump = { .side = DUMP_SERVER, .events = { .first = 1, .last = 1 } };
    int value, status = 0;
    opterr = 0;
    optind = 1;
    while (status == 0 && (value = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (value == HELP) {
            print_help();
            return 0;
        }
        status = value == '?' || value == ':' ? command_bad_option("dump", argv, value)
                                              : take_option(&dump, value);
    }
    if (status == 0)
        status = check(&dump);
    if (status == 0 && argc - optind != 1)
        status = command_error("dump", EXIT_USAGE, "name one capture: see `tcpct dump --help`");
    if (status != 0)
        return status;
    dump.flows = dump_flows_create(dump.live ? LIVE_CONNECTIONS : 0);
    if (dump.flows == NULL)
        return command_error("dump", 1, "out of memory");
    status = run(&dump, argv[optind]);
    dump_flows_destroy(dump.flows);
    dump_events_clear(&dump.events);
    return status;
}
