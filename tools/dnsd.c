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
#include "tools/cookie_secrets.h"
#include "tools/dnsd_front.h"
#include "tools/dnsd_options.h"

enum { ERROR_SIZE = 1024, READY_SIZE = 64 };

static const uint64_t day_us = 86400000000;

struct dnsd {
    struct dnsd_options options;
    struct service service;
    struct dns_zones *zones;
    struct dns_server server;
    struct dns_cookies *cookies;
    uint64_t cookies_rolled_us;
    struct responder *responder;
    struct datagrams datagrams;
    uint8_t packet[TCPCT_PACKET_SIZE]; /* a datagram out */
};

/* ---- running ------------------------------------------------------------------------------- */

/* A secret of DNS cookies that is ours changes once a day; a cookie lives for an hour, so that two are
 * enough. */
static void roll_cookies(struct dnsd *dnsd, uint64_t now_us)
{
    uint8_t secret[DNS_COOKIE_SECRET_SIZE];
    if (!dnsd->cookies || dnsd->options.cookie_secrets || now_us - dnsd->cookies_rolled_us < day_us)
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
    if (dnsd->server.rate_limit)
        service_print_counters(file, rate_limit_counters(dnsd->server.rate_limit),
                               rate_limit_counter_name);
    service_print_counters(file, responder_counters(dnsd->responder), responder_counter_name);
    service_print_counters(file, zone_loader_counters(dnsd->options.loader),
                           zone_loader_counter_name);
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
    if (dnsd->cookies && dnsd->options.cookie_secrets &&
        !cookie_secrets_load(&dnsd->cookies, dnsd->options.cookie_secrets, error, sizeof error))
        command_error("dnsd", 0, "the secrets of DNS cookies stay as they are: %s", error);
    zone_loader_reload(dnsd->options.loader, dnsd->zones);
}

static int open_listener(struct dnsd *dnsd)
{
    struct tcpct_listen_options options = {
        .port = dnsd->options.port,
        .parameters = dnsd->options.endpoint.parameters,
        .window = dnsd->options.endpoint.window,
        .backlog = dnsd->options.responder.connections_max,
        .fast_open_queue = dnsd->options.fast_open,
        .guard = dnsd->options.guard,
        .answer = responder_answer_syn,
        .answer_context = dnsd->responder,
    };
    struct tcpct_listener *listener;
    int error = tcpct_listen(dnsd->service.endpoint.stack, &options, &listener);
    return error ? command_error("dnsd", 1, "cannot listen on port %u: %s", dnsd->options.port,
                                 tcpct_error_text(error))
                 : 0;
}

/* 0, or 1 after a message. */
static int open_datagrams(struct dnsd *dnsd)
{
    uint8_t key[RATE_LIMIT_KEY_SIZE];
    dnsd->datagrams.server = &dnsd->server;
    dnsd->datagrams.options =
        (struct datagrams_options){ .port = dnsd->options.port,
                                    .size_max = dnsd->options.udp_size,
                                    .mtu = tun_device_mtu(dnsd->service.endpoint.device) };
    if (dnsd->options.rate_limit.rate == 0)
        return 0;
    loop_random(NULL, key, sizeof key);
    dnsd->server.rate_limit = rate_limit_create(&dnsd->options.rate_limit, key);
    explicit_bzero(key, sizeof key);
    return dnsd->server.rate_limit
               ? 0
               : command_error("dnsd", 1, "there is no memory for the limit to the rate");
}

/* A random secret, if there is no file of them. 0, or 1 after a message. */
static int open_cookies(struct dnsd *dnsd)
{
    uint8_t secret[1][DNS_COOKIE_SECRET_SIZE];
    char error[ERROR_SIZE] = "OpenSSL has no SipHash for DNS cookies";
    if (dnsd->options.cookie_secrets) {
        cookie_secrets_load(&dnsd->cookies, dnsd->options.cookie_secrets, error, sizeof error);
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
    dnsd->zones = zone_loader_load(dnsd->options.loader, error, sizeof error);
    if (!dnsd->zones)
        return command_error("dnsd", 1, "%s", error);
    dnsd->server.zones = dnsd->zones;
    dnsd->server.texts = dnsd->options.texts;
    dnsd->server.cookies_required = dnsd->options.cookies_required;
    dnsd->server.transfers =
        (struct prefixes){ dnsd->options.transfers, dnsd->options.transfer_count };
    dnsd->responder = responder_create(&dnsd->options.responder, &dnsd->server);
    if (!dnsd->responder)
        return command_error("dnsd", 1, "there is no memory for the responder");
    /* Connections that the responder has closed live on until the client has acknowledged. */
    config.connections_max = 2 * dnsd->options.responder.connections_max;
    config.seal_keys = dnsd->options.seal_keys.count ? dnsd->options.seal_keys.bytes : NULL;
    config.seal_key_count = dnsd->options.seal_keys.count;
    if (dnsd->options.responder.collapse) {
        config.collapse_after_us = dnsd->options.collapse_after_us;
        config.collapsed_age_us = dnsd->options.collapsed_age_us;
        config.collapsed_max = dnsd->options.collapsed_max;
    }
    int status = service_open(&dnsd->service, &config);
    explicit_bzero(&dnsd->options.seal_keys, sizeof dnsd->options.seal_keys);
    if (status == 0 &&
        !zone_loader_attach(dnsd->options.loader, dnsd->service.loop, take_zones, dnsd))
        status = command_error("dnsd", 1, "cannot watch for new zones: %s", strerror(errno));
    if (status == 0 && !dnsd->options.no_cookies)
        status = open_cookies(dnsd);
    if (status == 0)
        status = open_datagrams(dnsd);
    return status != 0 ? status : open_listener(dnsd);
}

static void release(void *context)
{
    struct dnsd *dnsd = context;
    responder_destroy(dnsd->responder);
    rate_limit_destroy(dnsd->server.rate_limit);
    dns_cookies_destroy(dnsd->cookies);
    if (zone_loader_end(dnsd->options.loader))
        dns_zones_free(dnsd->zones);
}

static int run(struct dnsd *dnsd)
{
    int status = prepare(dnsd);
    if (status == 0) {
        char ready[READY_SIZE];
        snprintf(ready, sizeof ready, "ready: %zu zones on port %u", dnsd->zones->count,
                 dnsd->options.port);
        status = service_run(&dnsd->service, ready);
    }
    service_close(&dnsd->service, release);
    return status;
}

static int run_front(struct dnsd *dnsd)
{
    const struct dnsd_front_options options = {
        .server = dnsd->options.forward,
        .port = dnsd->options.port,
        .connections_max = dnsd->options.responder.connections_max,
        .idle_us = dnsd->options.responder.idle_us,
        .guard = dnsd->options.guard,
        .seal_keys = &dnsd->options.seal_keys,
    };
    return dnsd_front(&options, &dnsd->service);
}

int command_dnsd(int argc, char **argv)
{
    static struct dnsd dnsd;
    struct dnsd_options *options = &dnsd.options;
    struct zone_loader *loader = zone_loader_create();
    dnsd = (struct dnsd){ 0 };
    int status = loader ? dnsd_options_take(options, loader, argc, argv)
                        : command_error("dnsd", 1, "there is no memory");
    if (status < 0) {
        dnsd.service = (struct service){ .endpoint_options = options->endpoint,
                                         .stats_path = options->stats_path,
                                         .serve = serve,
                                         .reload = reload,
                                         .other_packet = options->no_udp ? NULL : other_packet,
                                         .print_counters = print_counters,
                                         .context = &dnsd };
        status = options->forward.port ? run_front(&dnsd) : run(&dnsd);
    }
    zone_loader_destroy(loader);
    return status;
}
