/* stream.c - one end of one TCP connection, over our stack or over the kernel's, for tests and
 * benchmarks that set the two against each other.
 *
 *     stream ours|kernel --listen PORT | --connect ADDRESS@PORT  [OPTION]...
 *
 *     --send SIZE      bytes to send, then the end (default 0b)
 *     --after-end      sends only after the peer's end
 *     --pause TIME     reads nothing for so long, once connected
 *     --abort SIZE     resets the connection once so much was received
 *     --for TIME       resets the connection so long after it was made
 *     --limit TIME     gives up (default 60s)
 *     --seed N         of the bytes sent (default 1)
 *     --no-hash        sends the same block over and over and looks at nothing: for speed
 *     --keepalive TIME keep-alives after so long without a segment; the kernel's in whole seconds
 *     --idle N         neither sends nor ends before N segments have come (over our stack)
 *     --gap TIME       sends nothing for so long in the middle, or, with nothing to send, before the end
 *     --collapse TIME  our stack's connection collapses when it is idle for so long
 *     --fast-open      data in the <SYN> (RFC 7413), which needs a cookie: the kernel keeps those
 *     --fetch          fetches one by a connection of its own, before the other; for both ends
 *     --signed KEY@ADDRESS
 *                      the kernel's TCP_MD5SIG with that peer (our stack takes --md5-key)
 *     --cubic          the kernel's congestion control (default: the machine's)
 *
 * Over our stack, the flags of every command with a TUN device too. With --syn-data-limit, the first
 * bytes are data of the <SYN>. A listener prints a line that begins with `ready`, then comes one
 * that begins with `connected`; the last line is of words NAME=VALUE: `end` (closed, reset, refused,
 * timeout, limit, aborted, failed), `sent` and `received` with their SHA-256, `us` from connection to the
 * end, `cpu_us`, `retransmitted` segments, `packets` read from and written to the device (our
 * stack), what became of a collapsed connection, `cookies` (RFC 6013 is in force) and `syn_data` (Fast Open's was taken). Status 0 whatever the end; a wrong use has status 2.
 *
 * The two transports and what they have in common are in tests/stream/.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/stream/stream.h"

enum { OPTIONS_ROOM = 48 };

enum flag {
    LISTEN = 256,
    CONNECT,
    SEND,
    AFTER_END,
    PAUSE,
    ABORT,
    FOR,
    LIMIT,
    SEED,
    NO_HASH,
    CUBIC,
    KEEPALIVE,
    IDLE,
    GAP,
    COLLAPSE,
    FAST_OPEN,
    FETCH,
    SIGNED
};

static const struct option own_options[] = {
    { "listen", required_argument, NULL, LISTEN },
    { "connect", required_argument, NULL, CONNECT },
    { "send", required_argument, NULL, SEND },
    { "after-end", no_argument, NULL, AFTER_END },
    { "pause", required_argument, NULL, PAUSE },
    { "abort", required_argument, NULL, ABORT },
    { "for", required_argument, NULL, FOR },
    { "limit", required_argument, NULL, LIMIT },
    { "seed", required_argument, NULL, SEED },
    { "no-hash", no_argument, NULL, NO_HASH },
    { "cubic", no_argument, NULL, CUBIC },
    { "keepalive", required_argument, NULL, KEEPALIVE },
    { "idle", required_argument, NULL, IDLE },
    { "gap", required_argument, NULL, GAP },
    { "collapse", required_argument, NULL, COLLAPSE },
    { "fast-open", no_argument, NULL, FAST_OPEN },
    { "fetch", no_argument, NULL, FETCH },
    { "signed", required_argument, NULL, SIGNED },
};

static bool take_remote(char *text)
{
    uint64_t port;
    char *at = strchr(text, '@');
    if (at == NULL || !unit_number(at + 1, 1, UINT16_MAX, &port))
        return false;
    *at = '\0';
    stream.port = (uint16_t)port;
    return address_parse(text, &stream.remote);
}

static bool take_key(char *text)
{
    char *at = strchr(text, '@');
    if (at == NULL || at == text || at - text > TCPCT_MD5_KEY_MAX)
        return false;
    *at = '\0';
    stream.md5_key = text;
    return address_parse(at + 1, &stream.md5_peer);
}

static bool take_flag(int value, char *argument)
{
    static const uint64_t hour_us = 3600000000, size_max = UINT64_C(1) << 50;
    uint64_t port;
    switch (value) {
    case LISTEN:
        if (!unit_number(argument, 1, UINT16_MAX, &port))
            return false;
        stream.port = (uint16_t)port;
        return true;
    case CONNECT:
        return take_remote(argument);
    case SEND:
        return unit_size(argument, size_max, &stream.to_send);
    case AFTER_END:
        return stream.after_end = true;
    case PAUSE:
        return unit_duration(argument, hour_us, &stream.pause_us);
    case ABORT:
        return unit_size(argument, size_max, &stream.abort_at);
    case FOR:
        return unit_duration(argument, hour_us, &stream.for_us);
    case LIMIT:
        return unit_duration(argument, hour_us, &stream.limit_us) && stream.limit_us > 0;
    case SEED:
        return unit_number(argument, 1, UINT32_MAX, &stream.seed);
    case NO_HASH:
        return stream.no_hash = true;
    case CUBIC:
        return stream.cubic = true;
    case KEEPALIVE:
        return unit_duration(argument, hour_us, &stream.keepalive_us);
    case IDLE:
        return unit_number(argument, 0, UINT32_MAX, &stream.idle);
    case GAP:
        return unit_duration(argument, hour_us, &stream.gap_us);
    case COLLAPSE:
        return unit_duration(argument, hour_us, &stream.collapse_us);
    case FAST_OPEN:
        return stream.fast_open = true;
    case FETCH:
        return stream.fetch = true;
    case SIGNED:
        return take_key(argument);
    default:
        return value >= ENDPOINT_OPTION_FIRST && stream.transport == &transport_ours &&
               endpoint_option(&stream.endpoint_options, value, argument) == 0;
    }
}

static bool take_flags(int argc, char **argv)
{
    struct option options[OPTIONS_ROOM];
    int value;
    endpoint_join_options(options, OPTIONS_ROOM, own_options,
                          sizeof own_options / sizeof *own_options);
    while ((value = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!take_flag(value, optarg))
            return false;
    return optind == argc && stream.port != 0;
}

static void print_hash(const char *name, uint64_t count, EVP_MD_CTX *context)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context, hash, &size);
    EVP_MD_CTX_free(context);
    printf("%s=%" PRIu64 " %s_sha256=", name, count, name);
    for (unsigned i = 0; i < size; i++)
        printf("%02x", hash[i]);
    putchar(' ');
}

static void report(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const struct timeval *user = &usage.ru_utime, *kernel_time = &usage.ru_stime;
    uint64_t since_us = stream.connected ? stream.connected_us : stream.started_us;
    printf("end=%s ", stream.end);
    print_hash("sent", stream.sent, stream.hash_out);
    print_hash("received", stream.received, stream.hash_in);
    printf("us=%" PRIu64 " cpu_us=%lld retransmitted=%" PRIu64 " packets=%" PRIu64
           " cookies=%d syn_data=%d collapses=%" PRIu64 " revivals=%" PRIu64
           " keepalives_answered=%" PRIu64 " resets=%" PRIu64 "\n",
           stream.ended_us - since_us,
           (user->tv_sec + kernel_time->tv_sec) * 1000000LL + user->tv_usec + kernel_time->tv_usec,
           stream.retransmitted, stream.packets, stream.cookies, stream.syn_data, stream.collapses,
           stream.revivals, stream.keepalives_answered, stream.resets);
}

int main(int argc, char **argv)
{
    bool ours = argc > 1 && strcmp(argv[1], "ours") == 0;
    stream = (struct stream){
        .limit_us = 60000000,
        .seed = 1,
        .out_at = BLOCK_SIZE,
        .transport = ours ? &transport_ours : &transport_kernel,
        .endpoint_options = { .command = "stream", .parameters = TCPCT_PARAMETERS_DEFAULT },
        .started_us = loop_clock_us(),
        .hash_out = EVP_MD_CTX_new(),
        .hash_in = EVP_MD_CTX_new(),
    };
    if (argc < 2 || (!ours && strcmp(argv[1], "kernel") != 0) || !take_flags(argc - 1, argv + 1))
        return command_error("stream", EXIT_USAGE, "the head of its source says how to use it");
    EVP_DigestInit_ex(stream.hash_out, EVP_sha256(), NULL);
    EVP_DigestInit_ex(stream.hash_in, EVP_sha256(), NULL);
    int status = stream.transport->run();
    if (status == 0)
        report();
    return status;
}
