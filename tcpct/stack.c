/* stack.c - the four calls, the stack's life, and its listeners.
 *
 * tcpct_input is the whole way of a packet in: decode, check the address, find the TCB, and hand
 * the segment to the room that it belongs to.
 */
#include <stdlib.h>
#include <string.h>

#include "close.h"
#include "collapse.h"
#include "connection.h"
#include "demux.h"
#include "fastopen.h"
#include "handshake.h"
#include "icmp.h"
#include "initiator.h"
#include "input.h"
#include "listen.h"
#include "listener.h"
#include "output.h"
#include "reply.h"
#include "restart.h"
#include "seal.h"
#include "seq.h"
#include "timer.h"
#include "timestamps.h"

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

/* ---- a packet in --------------------------------------------------------------------------- */

static enum tcpct_verdict verdict_of(enum segment_verdict verdict)
{
    switch (verdict) {
    case SEGMENT_OK:
        return TCPCT_ACCEPTED;
    case SEGMENT_NOT_TCP:
        return TCPCT_NOT_MINE;
    case SEGMENT_IP_CHECKSUM:
    case SEGMENT_BAD_CHECKSUM:
        return TCPCT_BAD_CHECKSUM;
    case SEGMENT_IP_FRAGMENT:
        return TCPCT_FRAGMENT;
    case SEGMENT_BAD_OPTIONS:
    case SEGMENT_BAD_EXTEND:
        return TCPCT_BAD_OPTIONS;
    case SEGMENT_BAD_IP:
    case SEGMENT_TRUNCATED:
        return TCPCT_MALFORMED;
    }
    return TCPCT_MALFORMED;
}

static enum tcpct_verdict answer_syn(struct tcpct_stack *stack,
                                     const struct tcpct_listener *listener, const uint32_t *beside,
                                     const struct segment *segment, struct tcpct_packet *reply,
                                     uint64_t now_us)
{
    switch (listen_syn(stack, listener, beside, segment, reply, now_us)) {
    case LISTEN_REPLIED_ANSWER:
        stack->counters.syn_answered++;
        stack->counters.syn_cookie++;
        return TCPCT_REPLIED;
    case LISTEN_REPLIED_COOKIE:
        stack->counters.syn_cookie++;
        return TCPCT_REPLIED;
    case LISTEN_REPLIED_PLAIN:
        stack->counters.syn_plain++;
        return TCPCT_REPLIED;
    case LISTEN_REFUSED:
        return TCPCT_UNACCEPTABLE;
    }
    return TCPCT_UNACCEPTABLE;
}

/* The two cases in which a plain <SYN> makes a TCB: a Fast Open cookie proves the address, or the
 * application speaks first. Both are bounded by the listener. */
static bool begin_half_made(const struct tcpct_stack *stack, struct tcpct_listener *listener,
                            const struct segment *syn, uint64_t now_us)
{
    if ((syn->flags & (SEGMENT_SYN | SEGMENT_ACK | SEGMENT_FIN | SEGMENT_RST)) != SEGMENT_SYN ||
        listener->options.parameters.in_always || listen_wants_cookie(listener, syn))
        return false;
    if (listener->options.fast_open_queue && syn->data_size && fastopen_valid(stack, syn) &&
        fastopen_accept(listener, syn, now_us))
        return true;
    return handshake_queue(listener, syn, now_us);
}

/* No TCB has these endpoints. */
static enum tcpct_verdict without_tcb(struct tcpct_stack *stack, const struct segment *segment,
                                      struct tcpct_packet *reply, uint64_t now_us)
{
    struct tcpct_listener *listener =
        demux_listener(stack, &segment->destination, segment->destination_port);
    const uint8_t opening = SEGMENT_SYN | SEGMENT_ACK;
    if (listener && begin_half_made(stack, listener, segment, now_us))
        return TCPCT_ACCEPTED;
    if (listener && (segment->flags & opening) == SEGMENT_SYN)
        return answer_syn(stack, listener, NULL, segment, reply, now_us);
    if (!listener || (segment->flags & SEGMENT_SYN))
        return reply_reset(stack, segment, reply) ? TCPCT_REPLIED : TCPCT_UNACCEPTABLE;
    enum tcpct_verdict verdict;
    struct tcpct_connection *connection =
        listen_open(stack, listener, segment, reply, &verdict, now_us);
    return connection ? input_segment(connection, segment, reply, now_us) : verdict;
}

/* RFC 6191, 2: whether a segment can only be of a later incarnation. */
static bool is_newer(const struct tcpct_connection *connection, const struct segment *segment)
{
    uint32_t value = segment->options.timestamp_value;
    bool higher = seq_leq(connection->rcv_nxt, segment->seq);
    if (!(segment->options.present & OPTION_TIMESTAMPS))
        return higher;
    return !connection->timestamps || seq_lt(connection->ts_recent, value) ||
           (connection->ts_recent == value && higher);
}

/* A new Cookie exchange beside a TCB (4.1, 4.2), or a SYN that meets TIME-WAIT (RFC 6191): neither
 * touches the TCB, which ends when a connection is made. */
static enum tcpct_verdict syn_beside_tcb(struct tcpct_connection *connection,
                                         const struct segment *segment, struct tcpct_packet *reply,
                                         uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    struct tcpct_listener *listener =
        demux_listener(stack, &segment->destination, segment->destination_port);
    bool alone = demux_find(stack, &connection->endpoints) == connection;
    bool waiting = connection->state == TCPCT_TIME_WAIT && is_newer(connection, segment);
    bool exchange = !connection->initiator && (segment->options.present & OPTION_COOKIE);
    if (listener && waiting && alone && begin_half_made(stack, listener, segment, now_us))
        return TCPCT_ACCEPTED;
    uint32_t timestamp = tcb_timestamp(connection, now_us);
    if (listener && (waiting || exchange))
        return answer_syn(stack, listener, exchange ? &timestamp : NULL, segment, reply, now_us);
    return input_segment(connection, segment, reply, now_us);
}

/* The opening of this very connection, which the Initiator sent again with the pair of another of
 * our <SYN,ACK(SYN)>s, or with a pair after one without (initiator_opens_plainly): its TS Value is
 * that of the first, or the first was empty or plain. */
static bool is_opening_again(const struct tcpct_connection *connection,
                             const struct segment *segment)
{
    return segment->seq == connection->irs + 1 && segment->ack == connection->iss + 1 &&
           memcmp(segment->options.initiator_cookie, connection->pair.initiator,
                  connection->pair.size) == 0 &&
           (connection->rcv_nxt == segment->seq || connection->pair.size == 0 ||
            segment->options.timestamp_value == connection->opening_timestamp);
}

/* The <ACK> of a handshake that began in TIME-WAIT; a forged <SYN> never comes so far. */
static bool ends_time_wait(const struct tcpct_connection *connection, const struct segment *segment,
                           uint64_t now_us)
{
    const struct tcpct_stack *stack = connection->stack;
    const uint8_t flags = SEGMENT_SYN | SEGMENT_RST | SEGMENT_ACK;
    return connection->state == TCPCT_TIME_WAIT && (segment->flags & flags) == SEGMENT_ACK &&
           is_newer(connection, segment) &&
           demux_listener(stack, &segment->destination, segment->destination_port) &&
           listen_verify_isn(stack, segment, now_us);
}

/* Whether an opening is of an exchange before this connection's. If the timestamps of both
 * <SYN,ACK(SYN)>s are the same, as they are rounded, the Initiator's tell (4.1). One that began beside a
 * plain connection is dated after all that this has sent (4.2). */
static bool is_earlier(const struct tcpct_connection *connection, const struct tcp_options *options)
{
    if (connection->pair.size == 0)
        return seq_leq(options->timestamp_echo, connection->timestamp_first);
    if (options->timestamp_echo == connection->responder_timestamp)
        return seq_lt(options->timestamp_value, connection->opening_timestamp);
    return seq_lt(options->timestamp_echo, connection->responder_timestamp);
}

/* 7: with a TCB, a pair that fails to verify has the datagram discarded; but a pair that we made
 * for its own numbers is a new connection, whatever the old one's state (4.4); not if it is of an
 * exchange before this connection's, as a replayed opening is. */
static enum tcpct_verdict foreign_pair(struct tcpct_connection *connection,
                                       const struct segment *segment, struct tcpct_packet *reply,
                                       uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    unsigned slot;
    if (connection->initiator)
        return listen_converts(connection, segment, now_us)
                   ? input_segment(connection, segment, reply, now_us)
                   : TCPCT_BAD_COOKIE;
    if ((segment->flags & (SEGMENT_RST | SEGMENT_SYN)) ||
        !demux_listener(stack, &segment->destination, segment->destination_port) ||
        listen_verify(stack, segment, &slot) == COOKIE_INVALID)
        return TCPCT_BAD_COOKIE;
    if (is_opening_again(connection, segment))
        return input_segment(connection, segment, reply, now_us);
    if (is_earlier(connection, &segment->options))
        return TCPCT_BAD_COOKIE;
    tcb_closed(connection, TCPCT_ERROR_RESET, now_us);
    restart_superseded(stack, segment);
    return without_tcb(stack, segment, reply, now_us);
}

static bool is_guarded(const struct tcpct_stack *stack, const struct segment *segment)
{
    const struct tcpct_listener *listener =
        demux_listener(stack, &segment->destination, segment->destination_port);
    return listener && listener->guard.limit;
}

static enum tcpct_verdict with_tcb(struct tcpct_connection *connection,
                                   const struct segment *segment, struct tcpct_packet *reply,
                                   uint64_t now_us)
{
    const uint8_t syn_ack = SEGMENT_SYN | SEGMENT_ACK;
    struct tcpct_stack *stack = connection->stack;
    if (connection->state == TCPCT_SYN_SENT)
        return input_segment(connection, segment, reply, now_us);
    if (close_is_ghost(connection, segment))
        return reply_reset(stack, segment, reply) ? TCPCT_REPLIED : TCPCT_UNACCEPTABLE;
    if ((segment->flags & syn_ack) == SEGMENT_SYN)
        return syn_beside_tcb(connection, segment, reply, now_us);
    if ((segment->flags & syn_ack) == syn_ack && connection->initiator && connection->pair.size)
        return initiator_syn_ack_again(connection, segment, now_us);
    if ((segment->options.present & OPTION_COOKIE_PAIR) && !close_paired(connection, segment) &&
        !initiator_took_other(connection, segment) && !listen_owns_pair(connection, segment))
        return foreign_pair(connection, segment, reply, now_us);
    enum restart_verdict restart = restart_meets(connection, segment);
    if (restart == RESTART_DISCARDED || (restart == RESTART_REPLACES && is_guarded(stack, segment)))
        return TCPCT_UNACCEPTABLE;
    if (restart == RESTART_REPLACES) {
        tcb_closed(connection, TCPCT_ERROR_RESET, now_us);
        return without_tcb(stack, segment, reply, now_us);
    }
    if (ends_time_wait(connection, segment, now_us)) {
        tcb_closed(connection, TCPCT_OK, now_us);
        return without_tcb(stack, segment, reply, now_us);
    }
    return input_segment(connection, segment, reply, now_us);
}

/* The same for a connection that has collapsed: a new exchange begins beside it (4.2), and its opening,
 * if that is no older one, takes its place (4.4). */
static enum tcpct_verdict with_record(struct tcpct_stack *stack, struct collapsed *record,
                                      const struct segment *segment, struct tcpct_packet *reply,
                                      uint64_t now_us)
{
    const struct tcpct_listener *listener =
        demux_listener(stack, &segment->destination, segment->destination_port);
    bool responder = listener && !collapse_is_initiator(record);
    uint8_t flags = segment->flags & (SEGMENT_SYN | SEGMENT_RST | SEGMENT_ACK);
    unsigned slot;
    if (segment->options.present & OPTION_COOKIE_PAIR) {
        if (!responder || flags != SEGMENT_ACK ||
            !collapse_is_before(record, segment->options.timestamp_echo) ||
            listen_verify(stack, segment, &slot) == COOKIE_INVALID)
            return TCPCT_BAD_COOKIE;
        collapse_forget(stack, record, true, "replaced", now_us);
        return without_tcb(stack, segment, reply, now_us);
    }
    uint32_t timestamp = collapse_timestamp(record, now_us);
    if (responder && flags == SEGMENT_SYN && segment->options.present & OPTION_COOKIE)
        return answer_syn(stack, listener, &timestamp, segment, reply, now_us);
    struct tcpct_connection *connection;
    enum tcpct_verdict verdict = collapse_input(stack, record, segment, reply, &connection, now_us);
    return connection ? input_segment(connection, segment, reply, now_us) : verdict;
}

/* Coalescing puts segments together whose sequence numbers follow from their sizes. Those of
 * segments with a header extension do not, since it is not counted (3.4): such a buffer cannot be
 * what was sent. */
static bool coalesced_extensions(const struct segment *segment)
{
    return segment->segment_size && segment->extension_size &&
           segment->data_size + segment->extension_size > segment->segment_size;
}

static enum tcpct_verdict take_packet(struct tcpct_stack *stack, const struct tcpct_packet *packet,
                                      struct tcpct_packet *reply, uint64_t now_us)
{
    struct segment segment;
    enum tcpct_verdict verdict = verdict_of(segment_decode(&segment, packet, NULL));
    if (verdict == TCPCT_NOT_MINE && icmp_input(stack, packet, reply, &verdict, now_us))
        return verdict;
    if (verdict != TCPCT_ACCEPTED)
        return verdict;
    if (!stack_owns(stack, &segment.destination))
        return TCPCT_NOT_MINE;
    if (ip_address_is_unusable(&segment.source))
        return TCPCT_MALFORMED;
    if (coalesced_extensions(&segment))
        return TCPCT_BAD_OPTIONS;
    stack->counters.options_ignored += segment.options.ignored;
    struct endpoints endpoints = demux_endpoints(&segment);
    struct tcpct_connection *connection = demux_find(stack, &endpoints);
    struct tcpct_connection *older = connection ? demux_older(connection) : NULL;
    if (older && !handshake_takes(connection, &segment))
        connection = older;
    struct collapsed *record = connection ? NULL : collapse_find(stack, &endpoints);
    segment.key = connection ? connection->md5_key : md5sig_find(stack->md5sig, &segment.source);
    if (segment.key && !md5sig_verify(stack->md5sig, segment.key, packet, &segment))
        return TCPCT_BAD_SIGNATURE; /* RFC 2385, 2.0: no response */
    if (record)
        return with_record(stack, record, &segment, reply, now_us);
    return connection ? with_tcb(connection, &segment, reply, now_us)
                      : without_tcb(stack, &segment, reply, now_us);
}

/* ---- the four calls ------------------------------------------------------------------------ */

enum tcpct_verdict tcpct_input(struct tcpct_stack *stack, const struct tcpct_packet *packet,
                               struct tcpct_packet *reply, uint64_t now_us)
{
    stack->now_us = now_us;
    stack->counters.packets_in++;
    stack->counters.bytes_in += packet->length;
    reply->length = 0;
    enum tcpct_verdict verdict = take_packet(stack, packet, reply, now_us);
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
