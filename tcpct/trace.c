/* Trace events: made here, typed once, written as text here; the sink is the configuration's. */
#include <stdio.h>

#include "seq.h"
#include "tcb.h"

static const char *const kind_texts[] = {
    [TCPCT_TRACE_STATE] = "state",       [TCPCT_TRACE_DISCARD] = "discard",
    [TCPCT_TRACE_OPENING] = "opening",   [TCPCT_TRACE_REFLECTION] = "reflection",
    [TCPCT_TRACE_SECRET] = "secret",     [TCPCT_TRACE_RETRANSMISSION] = "retransmission",
    [TCPCT_TRACE_TIMEOUT] = "timeout",   [TCPCT_TRACE_CWND] = "cwnd",
    [TCPCT_TRACE_PATH_MTU] = "path-mtu", [TCPCT_TRACE_RTT] = "rtt",
    [TCPCT_TRACE_RESTART] = "restart",   [TCPCT_TRACE_JUMP] = "jump",
    [TCPCT_TRACE_COLLAPSE] = "collapse",
};

void trace_connection(const struct tcpct_connection *connection, enum tcpct_trace_kind kind,
                      const char *note, uint64_t value, uint64_t now_us)
{
    const struct tcpct_config *config = &connection->stack->config;
    if (!config->trace)
        return;
    struct tcpct_trace_event event = {
        .kind = kind,
        .now_us = now_us,
        .local = connection->endpoints.local,
        .remote = connection->endpoints.remote,
        .local_port = connection->endpoints.local_port,
        .remote_port = connection->endpoints.remote_port,
        .note = note,
        .value = value,
    };
    config->trace(config->context, &event);
}

void trace_stack(const struct tcpct_stack *stack, const struct segment *segment,
                 enum tcpct_trace_kind kind, const char *note, uint64_t value, uint64_t now_us)
{
    if (!stack->config.trace)
        return;
    struct tcpct_trace_event event = {
        .kind = kind, .now_us = now_us, .note = note, .value = value
    };
    if (segment) {
        event.local = segment->destination;
        event.remote = segment->source;
        event.local_port = segment->destination_port;
        event.remote_port = segment->source_port;
    }
    stack->config.trace(stack->config.context, &event);
}

/* "10.0.0.1:53" or "[fd00:0:...]:53": plain, without the shortening of RFC 5952. */
static int endpoint_text(char *text, size_t size, const struct tcpct_address *address,
                         uint16_t port)
{
    const uint8_t *b = address->bytes;
    if (address->family == 4)
        return snprintf(text, size, "%u.%u.%u.%u:%u", b[0], b[1], b[2], b[3], port);
    if (address->family == 6)
        return snprintf(text, size, "[%x:%x:%x:%x:%x:%x:%x:%x]:%u", b[0] << 8 | b[1],
                        b[2] << 8 | b[3], b[4] << 8 | b[5], b[6] << 8 | b[7], b[8] << 8 | b[9],
                        b[10] << 8 | b[11], b[12] << 8 | b[13], b[14] << 8 | b[15], port);
    return snprintf(text, size, "-");
}

/* What snprintf wrote, at most size - 1. */
static size_t written(int length, size_t size)
{
    if (length < 0)
        return 0;
    return (size_t)length < size ? (size_t)length : size - 1;
}

static unsigned long long seconds_of(const struct tcpct_trace_event *event)
{
    return event->now_us / SECOND_US;
}

static unsigned long long micros_of(const struct tcpct_trace_event *event)
{
    return event->now_us % SECOND_US;
}

size_t tcpct_trace_text(const struct tcpct_trace_event *event, char *text, size_t size)
{
    char local[64], remote[64], detail[64];
    endpoint_text(local, sizeof(local), &event->local, event->local_port);
    endpoint_text(remote, sizeof(remote), &event->remote, event->remote_port);
    if (event->kind == TCPCT_TRACE_STATE)
        snprintf(detail, sizeof(detail), "%s -> %s", tcpct_state_text(event->from),
                 tcpct_state_text(event->to));
    else
        snprintf(detail, sizeof(detail), "%llu", (unsigned long long)event->value);
    const char *note = event->note ? event->note : "";
    return written(snprintf(text, size, "%llu.%06llu %s %s %s %s%s%s", seconds_of(event),
                            micros_of(event), local, remote, kind_texts[event->kind], detail,
                            *note ? " " : "", note),
                   size);
}

/* Notes and names are our own words: nothing in them needs an escape. */
size_t tcpct_trace_json(const struct tcpct_trace_event *event, char *text, size_t size)
{
    char local[64], remote[64], detail[96];
    endpoint_text(local, sizeof(local), &event->local, event->local_port);
    endpoint_text(remote, sizeof(remote), &event->remote, event->remote_port);
    if (event->kind == TCPCT_TRACE_STATE)
        snprintf(detail, sizeof(detail), "\"from\":\"%s\",\"to\":\"%s\"",
                 tcpct_state_text(event->from), tcpct_state_text(event->to));
    else
        snprintf(detail, sizeof(detail), "\"value\":%llu", (unsigned long long)event->value);
    return written(snprintf(text, size,
                            "{\"time\":%llu.%06llu,\"local\":\"%s\",\"remote\":\"%s\","
                            "\"event\":\"%s\",%s,\"note\":\"%s\"}",
                            seconds_of(event), micros_of(event), local, remote,
                            kind_texts[event->kind], detail, event->note ? event->note : ""),
                   size);
}
