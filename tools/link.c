/* link.c - `tcpct link`: reads packets from two TUN devices, lets a struct link (tun/link.h) have
 * them for as long as it likes, and writes them to the other device. The devices are opened
 * without offload, because a wire carries wire packets.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "tools/link_options.h"
#include "tools/link_path.h"
#include "tun/privileges.h"

enum {
    NAME_SIZE = 128,
    ERROR_SIZE = 512,
    READ_BATCH = 32, /* packets of a device a turn, so that none waits long to leave */
    WRITE_BATCH = 64,
    DEVICE_QUEUE = 2000, /* packets of a burst that wait to be read, not lost before the link */
    PACKETS_MAX = 32768,
    MEMORY_MAX = 256 << 20, /* bytes of packets in the link */
};

struct emulator {
    struct link_options options;
    struct tun_device *devices[LINK_DIRECTIONS]; /* where each direction begins */
    struct link *link;
    struct capture *capture;
    struct loop *loop;
    FILE *stats;
    uint64_t started_us;
    size_t changed; /* how many of the changes were made */
};

/* ---- forwarding ----------------------------------------------------------------------------- */

/* Writes what is due, but not more than a batch. */
static void deliver(struct emulator *emulator, uint64_t now_us)
{
    struct tcpct_packet packet;
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        for (int j = 0; j < WRITE_BATCH; j++) {
            if (!link_packet_out(emulator->link, (enum link_direction)i, &packet, now_us))
                break;
            tun_device_write(emulator->devices[!i], &packet, now_us);
            if (emulator->capture != NULL)
                capture_packet(emulator->capture, &packet, now_us);
        }
}

static void device_ready(void *context, int fd, short events, uint64_t now_us)
{
    struct emulator *emulator = context;
    (void)events;
    enum link_direction direction =
        fd == tun_device_fd(emulator->devices[0]) ? LINK_A_TO_B : LINK_B_TO_A;
    struct tun_device *device = emulator->devices[direction];
    for (int i = 0; i < READ_BATCH; i++) {
        struct tcpct_packet packet = { 0 };
        int got = tun_device_read(device, &packet, now_us);
        if (got < 0)
            loop_stop(emulator->loop, command_error("link", 1, "device %s is gone: %s",
                                                    tun_device_name(device), strerror(errno)));
        if (got <= 0)
            return;
        /* Not the turn's clock: what came after that was read would leave too early. */
        link_packet_in(emulator->link, direction, &packet, loop_clock_us());
    }
}

/* ---- changes -------------------------------------------------------------------------------- */

static void use_paths(struct emulator *emulator, const struct link_path paths[LINK_DIRECTIONS])
{
    for (int i = 0; i < LINK_DIRECTIONS; i++) {
        emulator->options.config.paths[i] = paths[i];
        link_change(emulator->link, (enum link_direction)i, &paths[i]);
    }
}

/* Makes the changes that are due; returns when the next one is. */
static uint64_t make_changes(struct emulator *emulator, uint64_t now_us)
{
    const struct link_options *options = &emulator->options;
    struct link_path paths[LINK_DIRECTIONS];
    memcpy(paths, options->config.paths, sizeof paths);
    if (emulator->started_us == 0)
        emulator->started_us = now_us;
    for (; emulator->changed < options->change_count; emulator->changed++) {
        const struct link_change *change = &options->changes[emulator->changed];
        if (emulator->started_us + change->at_us > now_us)
            break;
        link_path_change(paths, change->text);
        use_paths(emulator, paths);
    }
    return emulator->changed < options->change_count
               ? emulator->started_us + options->changes[emulator->changed].at_us
               : TCPCT_NEVER;
}

/* Reads the settings anew; with an error in them everything stays. */
static void reread(struct emulator *emulator)
{
    struct link_path paths[LINK_DIRECTIONS];
    memcpy(paths, emulator->options.config.paths, sizeof paths);
    if (link_options_read(emulator->options.settings, paths) == 0)
        use_paths(emulator, paths);
}

/* The end of a turn. */
static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    struct emulator *emulator = context;
    (void)stack;
    uint64_t change_us = make_changes(emulator, now_us);
    deliver(emulator, loop_clock_us()); /* reading took its time */
    uint64_t deadline_us = link_deadline(emulator->link);
    loop_deadline(emulator->loop, change_us < deadline_us ? change_us : deadline_us);
}

/* ---- counters and signals ------------------------------------------------------------------- */

static void write_direction(const struct emulator *emulator, enum link_direction direction)
{
    const struct link_counters *link = link_counters(emulator->link, direction);
    const struct middlebox_counters *box = link_box_counters(emulator->link, direction);
    const struct tun_device_counters *from = tun_device_counters(emulator->devices[direction]);
    const struct tun_device_counters *to = tun_device_counters(emulator->devices[!direction]);
    const struct {
        const char *name;
        uint64_t value;
    } counters[] = {
        { "packets_in", link->packets_in },
        { "bytes_in", link->bytes_in },
        { "packets_out", link->packets_out },
        { "bytes_out", link->bytes_out },
        { "queue_drops", link->queue_drops },
        { "aqm_drops", link->aqm_drops },
        { "queue_max", link->queue_max },
        { "lost", link->lost },
        { "corrupted", link->corrupted },
        { "duplicated", link->duplicated },
        { "reordered", link->reordered },
        { "no_room", link->no_room },
        { "blocked", box->blocked },
        { "altered", box->altered },
        { "answered", box->answered },
        { "proxied", box->proxied },
        { "read_failures", from->read_failures },
        { "write_failures", to->write_failures },
    };
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        fprintf(emulator->stats, "%s\"%s\": %" PRIu64, i == 0 ? "{" : ", ", counters[i].name,
                counters[i].value);
    fputc('}', emulator->stats);
}

/* 0, or 1 after a message. */
static int write_stats(const struct emulator *emulator)
{
    if (emulator->stats == NULL)
        return 0;
    command_rewrite(emulator->stats);
    fputs("{\"a_to_b\": ", emulator->stats);
    write_direction(emulator, LINK_A_TO_B);
    fputs(",\n \"b_to_a\": ", emulator->stats);
    write_direction(emulator, LINK_B_TO_A);
    fputs("}\n", emulator->stats);
    if (fflush(emulator->stats) != 0)
        return command_error("link", 1, "cannot write --stats %s: %s", emulator->options.stats,
                             strerror(errno));
    return 0;
}

static void take_signal(void *context, int signal_number)
{
    struct emulator *emulator = context;
    if (signal_number == SIGHUP) {
        reread(emulator);
    } else if (signal_number == SIGUSR1) {
        if (emulator->capture != NULL)
            capture_flush(emulator->capture);
        write_stats(emulator);
    } else {
        loop_stop(emulator->loop, 0);
    }
}

/* ---- opening -------------------------------------------------------------------------------- */

static int open_side(struct emulator *emulator, int i)
{
    const struct link_side_options *side = &emulator->options.sides[i];
    char name[NAME_SIZE], error[ERROR_SIZE];
    if ((size_t)snprintf(name, sizeof name, "%s", side->name) >= sizeof name)
        return command_error("link", EXIT_USAGE, "the device name %s is too long", side->name);
    char *netns = strchr(name, '@');
    if (netns != NULL)
        *netns++ = '\0';
    const struct tun_options options = {
        .name = name,
        .netns = netns,
        .hosts = side->hosts,
        .host_count = side->host_count,
        .routes = side->routes,
        .route_count = side->route_count,
        .mtu = emulator->options.mtu,
        .queue_packets = DEVICE_QUEUE,
        .no_offload = true,
    };
    if (tun_device_open(&emulator->devices[i], &options, error, sizeof error) != 0)
        return command_error("link", 1, "%s", error);
    return 0;
}

static int open_files(struct emulator *emulator)
{
    char error[ERROR_SIZE];
    if (emulator->options.capture != NULL) {
        emulator->capture = capture_open(emulator->options.capture, error, sizeof error);
        if (emulator->capture == NULL)
            return command_error("link", 1, "%s", error);
    }
    if (emulator->options.stats == NULL)
        return 0;
    bool output = strcmp(emulator->options.stats, "-") == 0;
    emulator->stats = output ? stdout : fopen(emulator->options.stats, "we");
    if (emulator->stats == NULL)
        return command_error("link", 1, "cannot write --stats %s: %s", emulator->options.stats,
                             strerror(errno));
    return 0;
}

static int open_link(struct emulator *emulator)
{
    uint16_t mtu_a = tun_device_mtu(emulator->devices[0]);
    uint16_t mtu_b = tun_device_mtu(emulator->devices[1]);
    uint32_t size = mtu_a > mtu_b ? mtu_a : mtu_b;
    emulator->options.config.packet_size_max = size;
    emulator->options.config.packets_max =
        MEMORY_MAX / size < PACKETS_MAX ? MEMORY_MAX / size : PACKETS_MAX;
    emulator->link = link_create(&emulator->options.config);
    if (emulator->link == NULL)
        return command_error("link", 1, "no memory for %u packets of %u bytes",
                             emulator->options.config.packets_max, size);
    return 0;
}

static int open_loop(struct emulator *emulator)
{
    const struct loop_handlers handlers = {
        .serve = serve,
        .signal = take_signal,
        .context = emulator,
    };
    static const int signals[] = { SIGTERM, SIGINT, SIGUSR1 };
    emulator->loop = loop_create(NULL, NULL, &handlers);
    bool good = emulator->loop != NULL;
    for (size_t i = 0; good && i < sizeof signals / sizeof *signals; i++)
        good = loop_signal(emulator->loop, signals[i]) == 0;
    if (good && emulator->options.settings != NULL)
        good = loop_signal(emulator->loop, SIGHUP) == 0;
    for (int i = 0; good && i < LINK_DIRECTIONS; i++)
        good = loop_watch(emulator->loop, tun_device_fd(emulator->devices[i]), POLLIN, device_ready,
                          emulator) == 0;
    if (!good)
        return command_error("link", 1, "cannot wait for packets: %s", strerror(errno));
    loop_spin(emulator->loop, emulator->options.spin_least_us, emulator->options.spin_most_us);
    return 0;
}

static int open_all(struct emulator *emulator)
{
    int status = open_side(emulator, 0);
    if (status == 0)
        status = open_side(emulator, 1);
    if (status == 0)
        status = open_files(emulator);
    if (status == 0)
        status = open_link(emulator);
    if (status == 0)
        status = open_loop(emulator);
    char error[ERROR_SIZE];
    if (status == 0 && emulator->options.user != NULL &&
        privileges_drop(emulator->options.user, error, sizeof error) != 0)
        status = command_error("link", 1, "%s", error);
    return status;
}

static int close_all(struct emulator *emulator, int status)
{
    loop_destroy(emulator->loop);
    if (capture_close(emulator->capture) != 0)
        status = command_error("link", 1, "the capture is incomplete: is the disk full?");
    if (emulator->stats != NULL && emulator->stats != stdout)
        fclose(emulator->stats);
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        tun_device_close(emulator->devices[i]);
    link_destroy(emulator->link);
    return status;
}

int command_link(int argc, char **argv)
{
    static struct emulator emulator;
    int status = link_options_parse(&emulator.options, argc, argv);
    if (status != 0)
        return status < 0 ? 0 : status;
    status = open_all(&emulator);
    if (status == 0) {
        printf("ready %s %s\n", emulator.options.sides[0].name, emulator.options.sides[1].name);
        fflush(stdout);
        status = loop_run(emulator.loop);
        if (write_stats(&emulator) != 0)
            status = 1;
    }
    return close_all(&emulator, status);
}
