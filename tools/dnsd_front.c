/* dnsd_front.c - relays between connections and a server: see dnsd_front.h. */
#include "tools/dnsd_front.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "dns/datagrams.h"
#include "dns/exchange.h"
#include "tun/relay.h"

struct front {
    struct service *service;
    struct relays *relays;
    uint64_t queries, answers;
    struct dns_server nobody; /* has no zones, and sends every query over UDP to a stream */
    struct datagrams datagrams;
    uint8_t packet[TCPCT_PACKET_SIZE]; /* a datagram out */
};

/* A relays_options.look. */
static bool look(void *context, void *state, bool from_stack, const uint8_t *bytes, size_t size)
{
    struct front *front = context;
    struct exchange *exchange = state;
    struct exchange_way *way = from_stack ? &exchange->queries : &exchange->answers;
    uint64_t before = way->messages;
    exchange_pass(way, bytes, size);
    *(from_stack ? &front->queries : &front->answers) += way->messages - before;
    return exchange_is_complete(exchange);
}

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    const struct front *front = context;
    (void)stack;
    relays_serve(front->relays, now_us);
    loop_deadline(front->service->loop, relays_deadline(front->relays));
}

static void other_packet(void *context, const struct tcpct_packet *packet, uint64_t now_us)
{
    struct front *front = context;
    struct endpoint *endpoint = &front->service->endpoint;
    struct tcpct_packet reply = { .data = front->packet, .size = sizeof front->packet };
    if (datagrams_input(&front->datagrams, endpoint->stack, packet, &reply, now_us))
        tun_device_write(endpoint->device, &reply, now_us);
}

static void print_counters(const void *context, FILE *file)
{
    const struct front *front = context;
    service_print_counters(file, &front->datagrams.counters, datagrams_counter_name);
    service_print_counters(file, relays_counters(front->relays), relay_counter_name);
    fprintf(file, "  \"dns_queries\": %" PRIu64 ",\n  \"dns_answers\": %" PRIu64 ",\n",
            front->queries, front->answers);
}

static void release(void *context)
{
    struct front *front = context;
    relays_destroy(front->relays);
}

static int open_front(struct front *front, const struct dnsd_front_options *options)
{
    struct seal_keys *keys = options->seal_keys;
    struct tcpct_config config = { .connections_max = 2 * options->connections_max,
                                   .seal_keys = keys->count ? keys->bytes : NULL,
                                   .seal_key_count = keys->count };
    const struct relays_options relays = {
        .relays_max = options->connections_max,
        .to = options->server,
        .evicts = true,
        .idle_us = options->idle_us,
        .look = look,
        .state_size = sizeof(struct exchange),
        .context = front,
    };
    const struct tcpct_listen_options listen = {
        .port = options->port,
        .parameters = front->service->endpoint_options.parameters,
        .window = front->service->endpoint_options.window,
        .backlog = options->connections_max,
        .guard = options->guard,
    };
    struct tcpct_listener *listener;
    int status = service_open(front->service, &config);
    explicit_bzero(keys, sizeof *keys);
    if (status != 0)
        return status;
    front->relays = relays_create(&relays, front->service->loop, front->service->endpoint.stack);
    if (!front->relays)
        return command_error("dnsd", 1, "there is no memory");
    front->nobody.cookies_required = true;
    front->datagrams.server = &front->nobody;
    front->datagrams.options =
        (struct datagrams_options){ .port = options->port,
                                    .size_max = DNS_UDP_SIZE,
                                    .mtu = tun_device_mtu(front->service->endpoint.device) };
    int error = tcpct_listen(front->service->endpoint.stack, &listen, &listener);
    return error ? command_error("dnsd", 1, "cannot listen on port %u: %s", options->port,
                                 tcpct_error_text(error))
                 : 0;
}

int dnsd_front(const struct dnsd_front_options *options, struct service *service)
{
    struct front front = { .service = service };
    char ready[64];
    signal(SIGPIPE, SIG_IGN);
    service->serve = serve;
    service->reload = NULL;
    if (service->other_packet) /* there may be no UDP */
        service->other_packet = other_packet;
    service->print_counters = print_counters;
    service->context = &front;
    int status = open_front(&front, options);
    if (status == 0) {
        snprintf(ready, sizeof ready, "ready: a front on port %u", options->port);
        status = service_run(service, ready);
    }
    service_close(service, release);
    return status;
}
