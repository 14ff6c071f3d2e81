/* link_options.c - the flags of a link as a whole; those of its directions are in link_path.c. */
#include "tools/link_options.h"

#include <errno.h>
#include <string.h>

#include "tools/link_path.h"

enum {
    QUEUE_BYTES_DEFAULT = 256000,
    REORDER_US_DEFAULT = 1000,
    SPIN_US_DEFAULT = 100, /* at most, as the machine needs */
    SPIN_US_MAX = 1000000,
    LINE_SIZE = 300,
};
static const uint64_t day_us = UINT64_C(86400000000);

static const char *const usage =
    "usage: tcpct link --a DEV --b DEV [OPTION]...\n"
    "\n"
    "Emulates a link between two TUN devices, each NAME or NAME@NETNS (in a network namespace of\n"
    "`ip netns`), with middleboxes. Prints a line that begins with `ready` once it forwards;\n"
    "SIGTERM ends it.\n"
    "\n"
    "  --delay TIME      one way, after the bottleneck: us, ms, s (default 0)\n"
    "  --jitter TIME     up to so much more, the order kept\n"
    "  --rate RATE       of IP packets: bit, kbit, mbit, gbit a second (default 0: unlimited)\n"
    "  --trace FILE      in place of a rate: the milliseconds at which 1500 bytes may leave, one a\n"
    "                    line, over and over (Mahimahi)\n"
    "  --queue SIZE      drop-tail queue at the bottleneck: b, kb (1000), kib (1024), mb, mib, or\n"
    "                    a number of packets, such as 100packets; 0: unlimited (default 256kb)\n"
    "  --aqm codel[:TARGET:INTERVAL]  CoDel drops from that queue as well (default 5ms, 100ms)\n"
    "  --loss P          each P in percent, such as 1% or 0.05%\n"
    "  --burst-enter P, --burst-leave P, --burst-loss P\n"
    "                    bursts of losses (Gilbert-Elliott), in which 100% are lost by default\n"
    "  --drop N[-M],...  these packets are lost, counted from 1\n"
    "  --corrupt P       one bit flipped\n"
    "  --duplicate P     delivered twice\n"
    "  --reorder P       held back ...\n"
    "  --reorder-by TIME ... for so long (default 1ms)\n"
    "  --path-mtu BYTES[:silent]  larger packets are lost and, unless silent, answered with ICMP\n"
    "  --drop-options KIND,...    segments with these TCP options are lost\n"
    "  --strip-options KIND,...[:nop]  the options are removed, or become NOP\n"
    "  --zero-options KIND,...    their values become zeros (KIND may be the word unknown)\n"
    "  --reorder-options          the last option comes first\n"
    "  --drop-syn-data            a SYN with data is lost\n"
    "  --strip-syn-data           a SYN loses its data\n"
    "  --split BYTES              segments with more data are cut\n"
    "  --coalesce                 segments that follow each other become one\n"
    "These hold for both directions; with -ab or -ba appended (--delay-ab) for one of them.\n"
    "\n"
    "  --copy-options KIND,...    options of a SYN are put into the SYN,ACK\n"
    "  --shift-sequence           other sequence numbers on the other side\n"
    "  --nat IP          A's addresses and ports become IP and ports of its own; one of each family\n"
    "  --firewall        SYNs from B are lost\n"
    "  --proxy           TCP connections end here and are made anew, as plain TCP\n"
    "  --forget TIME     TCP connections idle for longer are unknown: their segments are lost\n"
    "\n"
    "  --at TIME NAME=VALUE...   changes properties of a path so long after the start; repeatable\n"
    "  --settings FILE   lines NAME=VALUE, read at the start and on SIGHUP\n"
    "  --seed N          of everything random (default 1): the same seed, the same dice\n"
    "  --host-a IP/LEN   an address of the kernel's on device A; repeatable, as is --host-b\n"
    "  --route-a IP/LEN  a route through device A; repeatable, as is --route-b\n"
    "  --mtu BYTES       of both devices, 576 to 65535 (default: the kernel's)\n"
    "  --spin TIME       poll through the last of a wait: precision for CPU time (default: as\n"
    "                    needed, up to 100us)\n"
    "  --capture FILE    packets as they leave the link, both directions\n"
    "  --stats FILE      counters as JSON, on SIGUSR1 and at the end (- is standard output)\n"
    "  --user NAME       give up root once everything is open\n";

enum flag {
    FLAG_WORD = 1, /* getopt_long's value of what is no option */
    FLAG_A,
    FLAG_B,
    FLAG_COPY_OPTIONS,
    FLAG_SHIFT_SEQUENCE,
    FLAG_FIREWALL,
    FLAG_PROXY,
    FLAG_FORGET,
    FLAG_SETTINGS,
    FLAG_SEED,
    FLAG_MTU,
    FLAG_SPIN,
    FLAG_CAPTURE,
    FLAG_STATS,
    FLAG_USER,
    FLAG_HELP,
    FLAG_REPEATABLE, /* from here on */
    FLAG_NAT,
    FLAG_AT,
    FLAG_HOST_A,
    FLAG_HOST_B,
    FLAG_ROUTE_A,
    FLAG_ROUTE_B,
};

static const struct option own_options[] = {
    { "a", required_argument, NULL, FLAG_A },
    { "b", required_argument, NULL, FLAG_B },
    { "copy-options", required_argument, NULL, FLAG_COPY_OPTIONS },
    { "shift-sequence", no_argument, NULL, FLAG_SHIFT_SEQUENCE },
    { "nat", required_argument, NULL, FLAG_NAT },
    { "firewall", no_argument, NULL, FLAG_FIREWALL },
    { "proxy", no_argument, NULL, FLAG_PROXY },
    { "forget", required_argument, NULL, FLAG_FORGET },
    { "at", required_argument, NULL, FLAG_AT },
    { "settings", required_argument, NULL, FLAG_SETTINGS },
    { "seed", required_argument, NULL, FLAG_SEED },
    { "host-a", required_argument, NULL, FLAG_HOST_A },
    { "host-b", required_argument, NULL, FLAG_HOST_B },
    { "route-a", required_argument, NULL, FLAG_ROUTE_A },
    { "route-b", required_argument, NULL, FLAG_ROUTE_B },
    { "mtu", required_argument, NULL, FLAG_MTU },
    { "spin", required_argument, NULL, FLAG_SPIN },
    { "capture", required_argument, NULL, FLAG_CAPTURE },
    { "stats", required_argument, NULL, FLAG_STATS },
    { "user", required_argument, NULL, FLAG_USER },
    { "help", no_argument, NULL, FLAG_HELP },
};
enum { OWN_OPTIONS = sizeof own_options / sizeof *own_options };

static int bad_value(const char *name, const char *text, const char *expected)
{
    return command_error("link", EXIT_USAGE, "--%s takes %s, not \"%s\"", name, expected, text);
}

static int take_prefix(struct tun_address *prefixes, size_t *count, const char *name,
                       const char *text)
{
    if (*count == LINK_PREFIXES_MAX)
        return command_error("link", EXIT_USAGE, "--%s may be given %d times at most", name,
                             LINK_PREFIXES_MAX);
    if (!address_parse_prefix(text, &prefixes[*count]))
        return bad_value(name, text, "an address with its prefix length, such as 10.60.1.1/24");
    ++*count;
    return 0;
}

static int take_side(struct link_options *options, int value, const char *name, const char *text)
{
    struct link_side_options *a = &options->sides[LINK_A_TO_B], *b = &options->sides[LINK_B_TO_A];
    switch (value) {
    case FLAG_A:
        a->name = text;
        return 0;
    case FLAG_B:
        b->name = text;
        return 0;
    case FLAG_HOST_A:
        return take_prefix(a->hosts, &a->host_count, name, text);
    case FLAG_HOST_B:
        return take_prefix(b->hosts, &b->host_count, name, text);
    case FLAG_ROUTE_A:
        return take_prefix(a->routes, &a->route_count, name, text);
    default:
        return take_prefix(b->routes, &b->route_count, name, text);
    }
}

/* ---- middleboxes ------------------------------------------------------------------------------ */

static int take_nat(struct middlebox_config *box, const char *text)
{
    struct tcpct_address address;
    if (!address_parse(text, &address))
        return bad_value("nat", text, "an address, such as 10.60.1.200");
    struct tcpct_address *place = &box->nat[address.family == 6];
    if (place->family != 0)
        return command_error("link", EXIT_USAGE, "--nat takes one address of each family");
    *place = address;
    return 0;
}

static int take_box(struct middlebox_config *box, int value, const char *name, const char *text)
{
    switch (value) {
    case FLAG_COPY_OPTIONS:
        return link_path_kinds(text, &box->copy)
                   ? 0
                   : bad_value(name, text, "kinds from 2 to 255, such as 253,254");
    case FLAG_SHIFT_SEQUENCE:
        box->shift_sequence = true;
        return 0;
    case FLAG_FIREWALL:
        box->firewall = true;
        return 0;
    case FLAG_PROXY:
        box->proxy = true;
        return 0;
    case FLAG_FORGET:
        if (!unit_duration(text, day_us, &box->forget_us) || box->forget_us == 0)
            return bad_value(name, text, "a time up to a day, such as 30s");
        return 0;
    default:
        return take_nat(box, text);
    }
}

/* ---- changes ---------------------------------------------------------------------------------- */

static int take_at(struct link_options *options, const char *text)
{
    uint64_t at_us, before_us = options->at_us;
    if (!unit_duration(text, day_us, &at_us))
        return bad_value("at", text, "a time up to a day, such as 5s");
    if (at_us < before_us)
        return command_error("link", EXIT_USAGE, "--at %s: give changes in the order of time",
                             text);
    options->at_us = at_us;
    options->at_given = true;
    return 0;
}

static int take_word(struct link_options *options, const char *text)
{
    if (!options->at_given)
        return command_error("link", EXIT_USAGE, "\"%s\" is not an option: see `tcpct link --help`",
                             text);
    if (options->change_count == LINK_CHANGES_MAX)
        return command_error("link", EXIT_USAGE, "there may be %d changes at most",
                             LINK_CHANGES_MAX);
    struct link_path scratch[LINK_DIRECTIONS] = { { 0 } };
    int status = link_path_change(scratch, text);
    options->changes[options->change_count++] = (struct link_change){ options->at_us, text };
    return status;
}

int link_options_read(const char *name, struct link_path paths[LINK_DIRECTIONS])
{
    char line[LINE_SIZE];
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return command_error("link", 1, "cannot read --settings %s: %s", name, strerror(errno));
    int status = 0;
    while (status == 0 && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "#\n")] = '\0';
        size_t length = strlen(line);
        while (length > 0 && line[length - 1] == ' ')
            line[--length] = '\0';
        if (length > 0)
            status = link_path_change(paths, line);
    }
    fclose(file);
    return status;
}

/* ---- all of them ------------------------------------------------------------------------------ */

static int take_option(struct link_options *options, int value, const char *name, const char *text)
{
    uint64_t number;
    switch (value) {
    case FLAG_WORD:
        return take_word(options, text);
    case FLAG_AT:
        return take_at(options, text);
    case FLAG_SETTINGS:
        options->settings = text;
        return 0;
    case FLAG_SEED:
        return unit_number(text, 0, UINT64_MAX, &options->config.seed)
                   ? 0
                   : bad_value(name, text, "a number below 2^64");
    case FLAG_MTU:
        if (!unit_number(text, 576, 65535, &number))
            return bad_value(name, text, "a number from 576 to 65535");
        options->mtu = (uint16_t)number;
        return 0;
    case FLAG_SPIN:
        if (!unit_duration(text, SPIN_US_MAX, &options->spin_most_us))
            return bad_value(name, text, "a time up to 1s, such as 50us");
        options->spin_least_us = options->spin_most_us;
        return 0;
    case FLAG_CAPTURE:
        options->capture = text;
        return 0;
    case FLAG_STATS:
        options->stats = text;
        return 0;
    case FLAG_USER:
        options->user = text;
        return 0;
    case FLAG_COPY_OPTIONS:
    case FLAG_SHIFT_SEQUENCE:
    case FLAG_FIREWALL:
    case FLAG_PROXY:
    case FLAG_FORGET:
    case FLAG_NAT:
        return take_box(&options->config.box, value, name, text);
    default:
        return value >= LINK_PATH_FIRST ? link_path_take(options->config.paths, value, text)
                                        : take_side(options, value, name, text);
    }
}

static int check_options(struct link_options *options)
{
    if (options->sides[0].name == NULL || options->sides[1].name == NULL)
        return command_error("link", EXIT_USAGE,
                             "a link has two ends: give both --a DEV and --b DEV");
    return options->settings != NULL ? link_options_read(options->settings, options->config.paths)
                                     : 0;
}

int link_options_parse(struct link_options *options, int argc, char **argv)
{
    *options = (struct link_options){ .config.seed = 1, .spin_most_us = SPIN_US_DEFAULT };
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        options->config.paths[i] = (struct link_path){ .reorder_us = REORDER_US_DEFAULT,
                                                       .queue_bytes = QUEUE_BYTES_DEFAULT,
                                                       .burst_loss = 1 };
    struct option all[OWN_OPTIONS + LINK_PATH_OPTIONS + 1] = { 0 };
    bool given[OWN_OPTIONS + LINK_PATH_OPTIONS] = { false };
    memcpy(all, own_options, sizeof own_options);
    link_path_options(all + OWN_OPTIONS);
    int value, which = 0, status = 0;
    opterr = 0;
    optind = 0; /* words are taken where they stand, which GNU's getopt only then sees to */
    while (status == 0 && (value = getopt_long(argc, argv, "-:", all, &which)) != -1) {
        if (value == FLAG_HELP) {
            fputs(usage, stdout);
            return -1;
        }
        if (value == '?' || value == ':')
            return command_bad_option("link", argv, value);
        const char *name = value == FLAG_WORD ? "" : all[which].name;
        if (value != FLAG_WORD) {
            bool may_repeat = value > FLAG_REPEATABLE && value < LINK_PATH_FIRST;
            if (given[which] && !may_repeat)
                return command_error("link", EXIT_USAGE, "--%s is given twice", name);
            given[which] = true;
        }
        status = take_option(options, value, name, optarg);
    }
    return status != 0 ? status : check_options(options);
}
