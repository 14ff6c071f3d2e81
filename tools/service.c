/* service.c - serves until a signal ends it: see service.h. */
#include "tools/service.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

void service_print_counters(FILE *file, const void *counters, const char *(*name)(size_t index))
{
    for (size_t i = 0; name(i); i++) {
        uint64_t value;
        memcpy(&value, (const uint8_t *)counters + i * sizeof value, sizeof value);
        fprintf(file, "  \"%s\": %" PRIu64 ",\n", name(i), value);
    }
}

static void write_stats(const struct service *service)
{
    struct tcpct_counters counters;
    if (!service->stats)
        return;
    tcpct_counters(service->endpoint.stack, &counters);
    command_rewrite(service->stats);
    fputs("{\n", service->stats);
    service_print_counters(service->stats, &counters, tcpct_counter_name);
    service->print_counters(service->context, service->stats);
    fprintf(service->stats, "  \"connections\": %zu\n}\n",
            tcpct_connection_count(service->endpoint.stack));
    if (fflush(service->stats) != 0)
        command_error(service->endpoint_options.command, 0, "cannot write the statistics to %s",
                      service->stats_path);
}

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    const struct service *service = context;
    service->serve(service->context, stack, now_us);
}

static void take_other_packet(void *context, const struct tcpct_packet *packet, uint64_t now_us)
{
    const struct service *service = context;
    service->other_packet(service->context, packet, now_us);
}

static void take_signal(void *context, int signal_number)
{
    const struct service *service = context;
    if (signal_number == SIGUSR1)
        write_stats(service);
    else if (signal_number != SIGHUP)
        loop_stop(service->loop, 0);
    else if (service->reload)
        service->reload(service->context);
}

static int open_loop(struct service *service)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
    struct loop_handlers handlers = {
        .serve = serve,
        .other_packet = service->other_packet ? take_other_packet : NULL,
        .signal = take_signal,
        .context = service,
    };
    service->loop = loop_create(service->endpoint.stack, service->endpoint.device, &handlers);
    bool good = service->loop;
    for (size_t i = 0; good && i < sizeof signals / sizeof *signals; i++)
        good = loop_signal(service->loop, signals[i]) == 0;
    return good ? 0
                : command_error(service->endpoint_options.command, 1,
                                "cannot make the event loop: %s", strerror(errno));
}

int service_open(struct service *service, struct tcpct_config *config)
{
    if (service->stats_path && !(service->stats = fopen(service->stats_path, "w")))
        return command_error(service->endpoint_options.command, 1, "cannot write to %s: %s",
                             service->stats_path, strerror(errno));
    int status = endpoint_open(&service->endpoint, &service->endpoint_options, config);
    return status != 0 ? status : open_loop(service);
}

int service_run(struct service *service, const char *ready)
{
    int status = endpoint_drop_privileges(&service->endpoint_options);
    if (status != 0)
        return status;
    if (ready) {
        puts(ready);
        fflush(stdout);
    }
    status = loop_run(service->loop);
    if (status < 0)
        status = command_error(service->endpoint_options.command, 1, "the device is gone: %s",
                               strerror(errno));
    write_stats(service);
    return status;
}

void service_close(struct service *service, void (*release)(void *context))
{
    if (release)
        release(service->context);
    loop_destroy(service->loop);
    endpoint_close(&service->endpoint);
    if (service->stats)
        fclose(service->stats);
}
