/* stack.c - the stack's life, its addresses and keys, and the four calls. */
#include <stdlib.h>

#include "arrival.h"
#include "collapse.h"
#include "connection.h"
#include "listener.h"
#include "output.h"
#include "seal.h"
#include "seq.h"
#include "timer.h"

/* A Fast Open cookie serves for hours (RFC 7413, 5.1 asks for a change of secrets). */
static const uint64_t FAST_OPEN_INTERVAL_US = 6 * 3600ull * SECOND_US;
static const uint64_t FAST_OPEN_GRACE_US = 600ull * SECOND_US;

/* ---- life ---------------------------------------------------------------------------------- */

static void *default_allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void default_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value ? value : otherwise;
}

static void set_defaults(struct tcpct_config *config)
{
    if (!config->allocate || !config->release) {
        config->allocate = default_allocate;
        config->release = default_release;
    }
    config->connections_max = (uint32_t)or_default(config->connections_max, 1024);
    config->remembered_max = (uint32_t)or_default(config->remembered_max, 1024);
    config->restartable_max = (uint32_t)or_default(config->restartable_max, 64);
    config->memory_budget = or_default(config->memory_budget, 64u << 20);
    config->send_buffer_max = (uint32_t)or_default(config->send_buffer_max, 1u << 20);
    config->receive_buffer_max = (uint32_t)or_default(config->receive_buffer_max, 1u << 20);
    config->mtu = (uint16_t)or_default(config->mtu, 1500);
    config->hop_limit = (uint8_t)or_default(config->hop_limit, 64);
    config->msl_us = or_default(config->msl_us, 30ull * SECOND_US);
    config->secret_interval_us = or_default(config->secret_interval_us, 600ull * SECOND_US);
    config->user_timeout_us = or_default(config->user_timeout_us, 100ull * SECOND_US);
}

static bool config_valid(const struct tcpct_config *config)
{
    const uint32_t buffer_max = 1u << 30, connections_max = 1u << 24, records_max = 1u << 27;
    return config->random && config->connections_max <= connections_max &&
           config->collapsed_max <= records_max && config->send_buffer_max <= buffer_max &&
           config->receive_buffer_max <= buffer_max && (config->mtu == 0 || config->mtu >= 296) &&
           config->offload_size_max <= TCPCT_PACKET_SIZE &&
           (!config->seal_keys ||
            (config->seal_key_count > 0 && config->seal_key_count <= TCPCT_SEAL_KEYS_MAX));
}

/* RFC 7323, 2.3: the smallest scale with which the whole receive buffer can be offered. */
static uint8_t scale_for(uint32_t buffer)
{
    uint8_t scale = 0;
    while (scale < WINDOW_SCALE_MAX && buffer >> scale > UINT16_MAX)
        scale++;
    return scale;
}

/* The keys are the caller's to wipe. */
static bool create_seals(struct tcpct_stack *stack)
{
    struct tcpct_config *config = &stack->config;
    if (!config->seal_keys)
        return true;
    stack->seals = seals_create(config->seal_keys, config->seal_key_count);
    config->seal_keys = NULL;
    return stack->seals != NULL;
}

static bool build(struct tcpct_stack *stack, uint64_t now_us)
{
    struct memory *memory = &stack->memory;
    const struct tcpct_config *config = &stack->config;
    uint32_t buckets = 1;
    while (buckets < config->connections_max)
        buckets *= 2;
    stack->bucket_mask = buckets - 1;
    stack->buckets = memory_zeroed(memory, buckets * sizeof(struct tcpct_connection *));
    stack->heap =
        memory_zeroed(memory, config->connections_max * sizeof(struct tcpct_connection *));
    return stack->buckets && stack->heap && create_seals(stack) &&
           secrets_create(&stack->secrets, config->random, config->context,
                          config->secret_interval_us, config->msl_us, config->wall_clock_us,
                          now_us) &&
           isn_keys_create(&stack->isn_keys, config->random, config->context) &&
           secrets_create(&stack->fast_open_secrets, config->random, config->context,
                          FAST_OPEN_INTERVAL_US, FAST_OPEN_GRACE_US, config->wall_clock_us, now_us);
}

int tcpct_stack_create(struct tcpct_stack **stack, const struct tcpct_config *config,
                       uint64_t now_us)
{
    struct tcpct_config full = *config;
    if (!config_valid(config))
        return TCPCT_ERROR_INVALID;
    set_defaults(&full);
    struct memory memory = {
        .allocate = full.allocate,
        .release = full.release,
        .context = full.context,
        .budget = full.memory_budget,
    };
    struct tcpct_stack *new = memory_zeroed(&memory, sizeof(*new));
    if (!new)
        return TCPCT_ERROR_MEMORY;
    new->config = full;
    new->memory = memory;
    new->memory.reclaim = tcb_reclaim;
    new->memory.owner = new;
    new->now_us = now_us;
    new->real_time_us = full.wall_clock_us - now_us;
    new->collapse.next_us = TCPCT_NEVER;
    new->rcv_scale = scale_for(full.receive_buffer_max);
    if (!build(new, now_us)) {
        tcpct_stack_destroy(new);
        return TCPCT_ERROR_MEMORY;
    }
    new->bucket_seed = stack_random(new);
    *stack = new;
    return TCPCT_OK;
}

static void destroy_connections(struct tcpct_stack *stack)
{
    while (stack->pool) {
        struct tcpct_connection *connection = stack->pool;
        stack->pool = connection->pool_next;
        if (connection->stack)
            tcb_destroy(connection);
        memory_free(&stack->memory, connection);
    }
}

void tcpct_stack_destroy(struct tcpct_stack *stack)
{
    if (!stack)
        return;
    struct memory memory = stack->memory;
    destroy_connections(stack); /* before the listeners, which count them */
    listeners_destroy(stack);
    md5sig_destroy(stack->md5sig, &memory);
    secrets_destroy(&stack->secrets);
    isn_keys_destroy(&stack->isn_keys);
    secrets_destroy(&stack->fast_open_secrets);
    seals_destroy(stack->seals);
    for (unsigned i = 0; i < 4; i++)
        remember_destroy(&stack->remembered[i / 2][i % 2], &memory);
    collapse_destroy(stack);
    memory_free(&memory, stack->buckets);
    memory_free(&memory, stack->heap);
    memory_free(&memory, stack);
}

/* What is kept by family, once for each that the stack speaks. */
static bool create_tables(struct tcpct_stack *stack, uint8_t family)
{
    const struct tcpct_config *config = &stack->config;
    for (unsigned i = 0; i < stack->address_count; i++)
        if (stack->addresses[i].family == family)
            return true;
    struct remember_table *responder = &stack->remembered[0][family == 6];
    struct remember_table *initiator = &stack->remembered[1][family == 6];
    unsigned with = REMEMBER_PAIR | (config->keep_seals ? REMEMBER_SEAL : 0);
    uint32_t limit = stack->seals ? 0 : config->remembered_max;
    if (remember_create(responder, &stack->memory, family, 0, limit, stack_random(stack)) &&
        remember_create(initiator, &stack->memory, family, with, config->restartable_max,
                        stack_random(stack)) &&
        collapse_create(stack, family))
        return true;
    remember_destroy(responder, &stack->memory);
    remember_destroy(initiator, &stack->memory);
    return false;
}

int tcpct_address_add(struct tcpct_stack *stack, const struct tcpct_address *address)
{
    if ((address->family != 4 && address->family != 6) || ip_address_is_unusable(address))
        return TCPCT_ERROR_INVALID;
    if (stack->address_count == ADDRESSES_MAX)
        return TCPCT_ERROR_MEMORY;
    if (!create_tables(stack, address->family))
        return TCPCT_ERROR_MEMORY;
    stack->addresses[stack->address_count++] = *address;
    return TCPCT_OK;
}

bool tcpct_address_owned(const struct tcpct_stack *stack, const struct tcpct_address *address)
{
    return stack_owns(stack, address);
}

/* Whether all connections with the peer are signed. */
static bool all_signed(const struct tcpct_stack *stack, const struct tcpct_address *peer)
{
    for (const struct tcpct_connection *i = stack->pool; i; i = i->pool_next)
        if (i->stack && !i->md5_key && ip_address_equal(&i->endpoints.remote, peer))
            return false;
    return !collapse_is_unsigned(stack, peer);
}

int tcpct_md5_key_set(struct tcpct_stack *stack, const struct tcpct_address *peer, const void *key,
                      size_t size)
{
    if ((peer->family != 4 && peer->family != 6) || ip_address_is_unusable(peer) || size == 0 ||
        size > TCPCT_MD5_KEY_MAX)
        return TCPCT_ERROR_INVALID;
    if (!all_signed(stack, peer))
        return TCPCT_ERROR_IN_USE;
    int error = stack->md5sig ? TCPCT_OK : md5sig_create(&stack->md5sig, &stack->memory);
    if (error)
        return error;
    return md5sig_set(stack->md5sig, peer, key, size) ? TCPCT_OK : TCPCT_ERROR_MEMORY;
}

/* ---- the four calls ------------------------------------------------------------------------ */

enum tcpct_verdict tcpct_input(struct tcpct_stack *stack, const struct tcpct_packet *packet,
                               struct tcpct_packet *reply, uint64_t now_us)
{
    stack->now_us = now_us;
    stack->counters.packets_in++;
    stack->counters.bytes_in += packet->length;
    reply->length = 0;
    enum tcpct_verdict verdict = arrival_take(stack, packet, reply, now_us);
    stack->counters.verdicts[verdict]++;
    if (verdict >= TCPCT_MALFORMED)
        trace_stack(stack, NULL, TCPCT_TRACE_DISCARD, tcpct_verdict_text(verdict), packet->length,
                    now_us);
    if (reply->length) {
        stack->counters.packets_out++;
        stack->counters.bytes_out += reply->length;
    }
    return verdict;
}

bool tcpct_output(struct tcpct_stack *stack, struct tcpct_packet *packet, uint64_t now_us)
{
    struct tcpct_connection *connection;
    stack->now_us = now_us;
    while ((connection = stack->output_first)) {
        packet->length = 0;
        if (output_next(connection, packet, now_us)) {
            stack->counters.packets_out++;
            stack->counters.bytes_out += packet->length;
            return true;
        }
        tcb_output_done(connection);
    }
    return false;
}

uint64_t tcpct_deadline(const struct tcpct_stack *stack)
{
    if (stack->output_first)
        return stack->now_us;
    uint64_t at_us = min_u64(timer_deadline(stack), stack->collapse.next_us);
    return min_u64(at_us, min_u64(secrets_deadline(&stack->secrets),
                                  secrets_deadline(&stack->fast_open_secrets)));
}

void tcpct_tick(struct tcpct_stack *stack, uint64_t now_us)
{
    struct tcpct_connection *connection;
    stack->now_us = now_us;
    if (secrets_deadline(&stack->secrets) <= now_us) {
        secrets_tick(&stack->secrets, now_us);
        trace_stack(stack, NULL, TCPCT_TRACE_SECRET, "made so far", stack->secrets.made, now_us);
    }
    if (secrets_deadline(&stack->fast_open_secrets) <= now_us)
        secrets_tick(&stack->fast_open_secrets, now_us);
    collapse_tick(stack, now_us);
    while ((connection = timer_expired(stack, now_us)))
        if (connection_timers(connection, now_us))
            timer_again(connection);
}

void tcpct_counters(const struct tcpct_stack *stack, struct tcpct_counters *counters)
{
    *counters = stack->counters;
    counters->secrets_made = stack->secrets.made;
}

size_t tcpct_connection_count(const struct tcpct_stack *stack)
{
    return stack->connection_count;
}
