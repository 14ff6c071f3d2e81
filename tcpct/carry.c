#include "carry.h"

#include "demux.h"
#include "jump.h"
#include "seq.h"

/* Since 1970. */
static uint32_t real_s(const struct tcpct_stack *stack, uint64_t now_us)
{
    return (uint32_t)((stack->real_time_us + now_us) / SECOND_US);
}

bool carry_seal(struct tcpct_connection *connection, uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    const struct cookie_pair *pair = &connection->pair;
    if (!connection->seals)
        return false;
    const struct seal_bound bound = {
        .endpoints = endpoints_for_cookie(&connection->endpoints),
        .numbers = { connection->iss + 1, connection->irs + 1, connection->responder_timestamp,
                     pair->size, pair->initiator },
        .responder_cookie = pair->responder,
    };
    /* An Initiator trusts the pair for no longer (restart.c). */
    uint64_t life_us = 2 * stack->config.msl_us + SECOND_US - 1;
    struct sealed sealed = { .expires_s = real_s(stack, now_us + life_us) };
    struct path_state *path = &sealed.path;
    if (jump_save(connection, path, now_us))
        path->taken_s = real_s(stack, now_us) - (time_s(now_us) - path->taken_s);
    uint32_t nonce[SEAL_NONCE_SIZE / sizeof(uint32_t)];
    for (size_t i = 0; i < sizeof(nonce) / sizeof(nonce[0]); i++)
        nonce[i] = stack_random(stack);
    connection->seal.size = SEAL_SIZE;
    if (!seal_make(stack->seals, &bound, &sealed, (const uint8_t *)nonce, connection->seal.bytes))
        return false;
    stack->counters.seals_made++;
    trace_connection(connection, TCPCT_TRACE_RESTART, "sealed: the window of the path",
                     path->window, now_us);
    return true;
}

static void count(struct tcpct_stack *stack, enum seal_verdict verdict)
{
    struct tcpct_counters *counters = &stack->counters;
    if (verdict == SEAL_OPENED)
        counters->seals_opened++;
    else if (verdict == SEAL_EXPIRED)
        counters->seals_expired++;
    else if (verdict == SEAL_SPENT)
        counters->seals_spent++;
    else
        counters->seals_ignored++;
}

enum seal_verdict carry_open(struct tcpct_stack *stack, const struct segment *segment,
                             struct path_state *path, uint64_t now_us)
{
    const struct tcp_options *options = &segment->options;
    const uint32_t needed = OPTION_SEAL | OPTION_COOKIE_PAIR | OPTION_MSS;
    if (!stack->seals || (options->present & needed) != needed)
        return SEAL_NONE;
    struct endpoints endpoints = demux_endpoints(segment);
    const struct seal_bound bound = {
        .endpoints = endpoints_for_cookie(&endpoints),
        .numbers = { segment->ack, segment->seq, options->timestamp_echo, options->cookie_size,
                     options->initiator_cookie },
        .responder_cookie = options->responder_cookie,
    };
    struct sealed sealed;
    uint32_t now_s = real_s(stack, now_us);
    enum seal_verdict verdict =
        seal_open(stack->seals, &bound, options->seal, options->seal_size, now_s, &sealed);
    count(stack, verdict);
    trace_stack(stack, segment, TCPCT_TRACE_RESTART, seal_verdict_text(verdict), 0, now_us);
    if (verdict != SEAL_OPENED)
        return verdict;
    *path = sealed.path;
    uint32_t age_s = now_s - path->taken_s;
    if (age_s > INT32_MAX) /* the clock of who sealed it is ahead */
        age_s = 0;
    path->taken_s = time_s(now_us) - age_s;
    return SEAL_OPENED;
}
