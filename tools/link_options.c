/* link_options.c - a table of flags; those of a path exist three times, for both directions and
 * for each of them.
 */
#include "tools/link_options.h"

#include <string.h>

enum {
    QUEUE_BYTES_DEFAULT = 256000,
    REORDER_US_DEFAULT = 1000,
    SPIN_US_DEFAULT = 30,
    SPIN_US_MAX = 1000,
};
#define DELAY_US_MAX UINT64_C(1000000000)
#define RATE_MAX UINT64_C(1000000000000)

static const char *const usage =
    "usage: tcpct link --a DEV --b DEV [OPTION]...\n"
    "\n"
    "Emulates a link between two TUN devices, each NAME or NAME@NETNS (in a network namespace of\n"
    "`ip netns`). Prints a line that begins with `ready` once it forwards; SIGTERM ends it.\n"
    "\n"
    "  --delay TIME      one way, after the bottleneck: us, ms, s (default 0)\n"
    "  --rate RATE       of IP packets: bit, kbit, mbit, gbit a second (default 0: unlimited)\n"
    "  --queue SIZE      drop-tail queue at the bottleneck: b, kb (1000), kib (1024), mb, mib, or\n"
    "                    a number of packets, such as 100packets; 0: unlimited (default 256kb)\n"
    "  --loss P          each P in percent, such as 1% or 0.05%\n"
    "  --corrupt P       one bit flipped\n"
    "  --duplicate P     delivered twice\n"
    "  --reorder P       held back ...\n"
    "  --reorder-by TIME ... for so long (default 1ms)\n"
    "These hold for both directions; with -ab or -ba appended (--delay-ab) for one of them.\n"
    "\n"
    "  --seed N          of everything random (default 1): the same seed, the same dice\n"
    "  --host-a IP/LEN   an address of the kernel's on device A; repeatable, as is --host-b\n"
    "  --route-a IP/LEN  a route through device A; repeatable, as is --route-b\n"
    "  --mtu BYTES       of both devices, 576 to 65535 (default: the kernel's)\n"
    "  --spin TIME       poll through the last of a wait: precision for CPU time (default 30us)\n"
    "  --capture FILE    packets as they leave the link, both directions\n"
    "  --stats FILE      counters as JSON, on SIGUSR1 and at the end (- is standard output)\n"
    "  --user NAME       give up root once everything is open\n";

enum flag {
    FLAG_A,
    FLAG_B,
    FLAG_SEED,
    FLAG_HOST_A,
    FLAG_HOST_B,
    FLAG_ROUTE_A,
    FLAG_ROUTE_B,
    FLAG_MTU,
    FLAG_SPIN,
    FLAG_CAPTURE,
    FLAG_STATS,
    FLAG_USER,
    FLAG_HELP,
    FLAG_PATH, /* the first of a path's options: both directions, A to B, B to A */
};

enum path_flag { DELAY, RATE, QUEUE, LOSS, CORRUPT, DUPLICATE, REORDER, REORDER_BY };

#define PATH_OPTION(name, flag)                                              \
    { name, required_argument, NULL, FLAG_PATH + 3 * (flag) },               \
        { name "-ab", required_argument, NULL, FLAG_PATH + 3 * (flag) + 1 }, \
    {                                                                        \
        name "-ba", required_argument, NULL, FLAG_PATH + 3 * (flag) + 2      \
    }

static const struct option long_options[] = {
    { "a", required_argument, NULL, FLAG_A },
    { "b", required_argument, NULL, FLAG_B },
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
    PATH_OPTION("delay", DELAY),
    PATH_OPTION("rate", RATE),
    PATH_OPTION("queue", QUEUE),
    PATH_OPTION("loss", LOSS),
    PATH_OPTION("corrupt", CORRUPT),
    PATH_OPTION("duplicate", DUPLICATE),
    PATH_OPTION("reorder", REORDER),
    PATH_OPTION("reorder-by", REORDER_BY),
    { NULL, 0, NULL, 0 },
};

static int bad_value(const char *name, const char *text, const char *expected)
{
    return command_error("link", EXIT_USAGE, "--%s takes %s, not \"%s\"", name, expected, text);
}

static bool parse_queue(const char *text, struct link_path *path)
{
    path->queue_bytes = path->queue_packets = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9 || strcmp(text + digits, "packets") != 0)
        return unit_size(text, UINT64_C(1) << 40, &path->queue_bytes);
    char number[16] = "";
    memcpy(number, text, digits);
    uint64_t packets;
    if (!unit_number(number, 1, UINT32_MAX, &packets))
        return false;
    path->queue_packets = (uint32_t)packets;
    return true;
}

/* Sets one property of one direction; NULL, or what the option takes. */
static const char *set_property(struct link_path *path, enum path_flag flag, const char *text)
{
    bool good = false;
    const char *expected = "a percentage, such as 1%";
    switch (flag) {
    case DELAY:
        good = unit_duration(text, DELAY_US_MAX, &path->delay_us);
        expected = "a time up to 1000s, such as 10ms";
        break;
    case RATE:
        good = unit_rate(text, RATE_MAX, &path->rate);
        expected = "a rate up to 1000gbit, such as 50mbit";
        break;
    case QUEUE:
        good = parse_queue(text, path);
        expected = "a size, such as 256kb, or a number of packets, such as 100packets";
        break;
    case LOSS:
        good = unit_percent(text, &path->loss);
        break;
    case CORRUPT:
        good = unit_percent(text, &path->corrupt);
        break;
    case DUPLICATE:
        good = unit_percent(text, &path->duplicate);
        break;
    case REORDER:
        good = unit_percent(text, &path->reorder);
        break;
    case REORDER_BY:
        good = unit_duration(text, DELAY_US_MAX, &path->reorder_us);
        expected = "a time up to 1000s, such as 1ms";
        break;
    }
    return good ? NULL : expected;
}

static int take_property(struct link_options *options, int value, const char *name,
                         const char *text)
{
    enum path_flag flag = (enum path_flag)((value - FLAG_PATH) / 3);
    int which = (value - FLAG_PATH) % 3; /* 0: both */
    for (int i = 0; i < LINK_DIRECTIONS; i++) {
        if (which != 0 && which != i + 1)
            continue;
        const char *expected = set_property(&options->config.paths[i], flag, text);
        if (expected != NULL)
            return bad_value(name, text, expected);
    }
    return 0;
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

static int take_option(struct link_options *options, int value, const char *name, const char *text)
{
    struct link_side_options *a = &options->sides[LINK_A_TO_B], *b = &options->sides[LINK_B_TO_A];
    uint64_t number;
    switch (value) {
    case FLAG_A:
        a->name = text;
        return 0;
    case FLAG_B:
        b->name = text;
        return 0;
    case FLAG_SEED:
        if (!unit_number(text, 0, UINT64_MAX, &options->config.seed))
            return bad_value(name, text, "a number below 2^64");
        return 0;
    case FLAG_HOST_A:
        return take_prefix(a->hosts, &a->host_count, name, text);
    case FLAG_HOST_B:
        return take_prefix(b->hosts, &b->host_count, name, text);
    case FLAG_ROUTE_A:
        return take_prefix(a->routes, &a->route_count, name, text);
    case FLAG_ROUTE_B:
        return take_prefix(b->routes, &b->route_count, name, text);
    case FLAG_MTU:
        if (!unit_number(text, 576, 65535, &number))
            return bad_value(name, text, "a number from 576 to 65535");
        options->mtu = (uint16_t)number;
        return 0;
    case FLAG_SPIN:
        if (!unit_duration(text, SPIN_US_MAX, &options->spin_us))
            return bad_value(name, text, "a time up to 1ms, such as 50us");
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
    default:
        return take_property(options, value, name, text);
    }
}

static bool may_repeat(int value)
{
    return value >= FLAG_HOST_A && value <= FLAG_ROUTE_B;
}

static int check_options(const struct link_options *options)
{
    if (options->sides[0].name == NULL || options->sides[1].name == NULL)
        return command_error("link", EXIT_USAGE,
                             "a link has two ends: give both --a DEV and --b DEV");
    return 0;
}

int link_options_parse(struct link_options *options, int argc, char **argv)
{
    *options = (struct link_options){ .config.seed = 1, .spin_us = SPIN_US_DEFAULT };
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        options->config.paths[i] = (struct link_path){ .reorder_us = REORDER_US_DEFAULT,
                                                       .queue_bytes = QUEUE_BYTES_DEFAULT };
    uint64_t given = 0;
    int value, which = 0;
    opterr = 0;
    optind = 1;
    while ((value = getopt_long(argc, argv, ":", long_options, &which)) != -1) {
        if (value == FLAG_HELP) {
            fputs(usage, stdout);
            return -1;
        }
        if (value == '?' || value == ':')
            return command_bad_option("link", argv, value);
        const char *name = long_options[which].name;
        if ((given >> value & 1) != 0 && !may_repeat(value))
            return command_error("link", EXIT_USAGE, "--%s is given twice", name);
        given |= UINT64_C(1) << value;
        int status = take_option(options, value, name, optarg);
        if (status != 0)
            return status;
    }
    if (optind < argc)
        return command_error("link", EXIT_USAGE, "\"%s\" is not an option: see `tcpct link --help`",
                             argv[optind]);
    return check_options(options);
}
