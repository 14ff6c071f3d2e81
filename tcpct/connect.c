#include "connect.h"

#include "beside.h"
#include "collapse.h"
#include "demux.h"
#include "fastopen.h"
#include "peers.h"
#include "restart.h"
#include "seq.h"
#include "timer.h"
#include "timestamps.h"

enum {
    SYN_OPTIONS_MAX = 40,
    TSOFFSET_STEP = 1 << 24,
    SYN_PATIENCE_US = 180 * SECOND_US,
};

/* RFC 6056, 3.3.1: any of the ephemeral ports, unpredictably; not the destination's (4.5). */
uint16_t connect_choose_port(struct tcpct_stack *stack, struct endpoints *endpoints)
{
    const uint32_t count = 65536 - PORT_EPHEMERAL_FIRST;
    uint32_t first = stack_random(stack) % count;
    for (uint32_t i = 0; i < count; i++) {
        endpoints->local_port = (uint16_t)(PORT_EPHEMERAL_FIRST + (first + i) % count);
        if (endpoints->local_port != endpoints->remote_port && !demux_find(stack, endpoints) &&
            !collapse_find(stack, endpoints) && !restart_reserves(stack, endpoints))
            return endpoints->local_port;
    }
    return 0;
}

/* 4.1: an exchange may begin at any time, also beside a connection that began with one. */
static bool may_begin_beside(const struct tcpct_connection *other,
                             const struct tcpct_connect_options *options)
{
    return other->initiator && other->pair.size && other->state != TCPCT_SYN_SENT &&
           options->parameters.cookie_desired && !options->parameters.out_never;
}

static int choose_addresses(struct tcpct_stack *stack, const struct tcpct_connect_options *options,
                            struct endpoints *endpoints)
{
    *endpoints = (struct endpoints){
        .local = options->local,
        .remote = options->remote,
        .local_port = options->local_port,
        .remote_port = options->remote_port,
    };
    bool own = false;
    for (unsigned i = 0; i < stack->address_count && !own; i++) {
        if (endpoints->local.family == 0 && stack->addresses[i].family == options->remote.family)
            endpoints->local = stack->addresses[i];
        own = ip_address_equal(&stack->addresses[i], &endpoints->local);
    }
    return own && endpoints->local.family == options->remote.family ? TCPCT_OK
                                                                    : TCPCT_ERROR_NO_ADDRESS;
}

static int choose_local_port(struct tcpct_stack *stack, const struct tcpct_connect_options *options,
                             struct endpoints *endpoints)
{
    if (options->local_port == 0)
        return connect_choose_port(stack, endpoints) ? TCPCT_OK : TCPCT_ERROR_NO_PORT;
    const struct tcpct_connection *other = demux_find(stack, endpoints);
    if (collapse_find(stack, endpoints))
        return TCPCT_ERROR_IN_USE;
    return other && !may_begin_beside(other, options) ? TCPCT_ERROR_IN_USE : TCPCT_OK;
}

static bool parameters_valid(const struct tcpct_connect_options *options)
{
    uint8_t size = options->parameters.cookie_desired;
    return (options->remote.family == 4 || options->remote.family == 6) && options->remote_port &&
           !ip_address_is_unusable(&options->remote) &&
           (size == 0 || (size >= COOKIE_SIZE_MIN && size <= COOKIE_SIZE_MAX && size % 2 == 0)) &&
           timestamps_parameter_valid(options->parameters.extend_ts) &&
           (options->request || options->request_size == 0);
}

/* 6.1: all of the data or none, within 536 bytes less the options and the application's limit. */
static uint16_t syn_data_size(const struct tcpct_connect_options *options)
{
    size_t limit = MSS_DEFAULT - SYN_OPTIONS_MAX;
    if (limit > options->parameters.syn_data_limit)
        limit = options->parameters.syn_data_limit;
    return options->request_size <= limit ? (uint16_t)options->request_size : 0;
}

static bool take_request(struct tcpct_connection *connection,
                         const struct tcpct_connect_options *options)
{
    uint32_t size = (uint32_t)options->request_size;
    if (size == 0)
        return true;
    return options->request_size <= connection->stack->config.send_buffer_max &&
           ring_grow(&connection->send, &connection->stack->memory, size, 0) &&
           ring_append(&connection->send, options->request, size) == size;
}

static void choose_cookie(struct tcpct_connection *connection, uint64_t now_us)
{
    const struct tcpct_parameters *parameters = &connection->parameters;
    struct cookie_pair *pair = &connection->pair;
    pair->size = parameters->out_never ? 0 : parameters->cookie_desired;
    const struct peer *peer = peers_find(connection->stack, &connection->endpoints.remote);
    if (peer && now_us < peer->plain_until_us)
        pair->size = 0;
    connection->cookie_less = connection->md5_key && pair->size;
    if (connection->md5_key) /* 8.4 */
        pair->size = 0;
    if (peer && now_us < peer->no_data_until_us)
        connection->syn_data = 0;
    for (unsigned i = 0; i < pair->size; i++) /* 3.5.1: new for each exchange, and kept */
        pair->initiator[i] = (uint8_t)stack_random(connection->stack);
}

void connect_exchange(struct tcpct_connection *connection, uint64_t now_us)
{
    struct cookie_endpoints parties = endpoints_for_cookie(&connection->endpoints);
    choose_cookie(connection, now_us);
    connection->timestamp_size = 4; /* of a <SYN> */
    connection->iss = isn_initiator(&connection->stack->isn_keys, &parties, now_us);
    connection->snd_una = connection->snd_nxt = connection->iss;
    connection->data_seq = connection->iss + 1;
    connection->timestamp_offset = timestamp_offset(&connection->stack->isn_keys, &parties); /* 3 */
    const struct tcpct_connection *older = demux_older(connection);
    if (older) /* 4.1, 5.1, 5.2: incremented, so that the timestamp exceeds all of the other's */
        connection->timestamp_offset =
            older->timestamp_offset + 1 + stack_random(connection->stack) % TSOFFSET_STEP;
    connection->syn_due = true;
    tcb_state(connection, TCPCT_SYN_SENT, now_us);
    tcb_output(connection);
}

static void limit_patience(struct tcpct_connection *connection, uint64_t now_us)
{
    uint64_t patience_us = connection->user_timeout_us;
    if (!connection->user_timeout_set) /* RFC 9293, 3.8.3: a <SYN> is tried for three minutes */
        patience_us = max_u64(patience_us, SYN_PATIENCE_US);
    timer_set(connection, TIMER_USER, now_us + patience_us);
}

static struct tcpct_connection *restart(struct tcpct_stack *stack,
                                        const struct tcpct_connect_options *options,
                                        uint64_t now_us)
{
    struct endpoints endpoints;
    if (!options->restart || choose_addresses(stack, options, &endpoints) != TCPCT_OK)
        return NULL;
    return restart_begin(stack, &endpoints, options->window, now_us);
}

static struct tcpct_connection *create(struct tcpct_stack *stack,
                                       const struct tcpct_connect_options *options, int *error)
{
    struct endpoints endpoints;
    *error = choose_addresses(stack, options, &endpoints);
    if (*error == TCPCT_OK)
        *error = choose_local_port(stack, options, &endpoints);
    struct tcpct_connection *connection = *error == TCPCT_OK ? tcb_create(stack, &endpoints) : NULL;
    if (!connection && *error == TCPCT_OK)
        *error = TCPCT_ERROR_MEMORY;
    return connection;
}

int tcpct_connect(struct tcpct_stack *stack, const struct tcpct_connect_options *options,
                  struct tcpct_connection **connection, uint64_t now_us)
{
    int error = TCPCT_OK;
    if (!parameters_valid(options))
        return TCPCT_ERROR_INVALID;
    struct tcpct_connection *new = restart(stack, options, now_us);
    if (!new)
        new = create(stack, options, &error);
    if (!new)
        return error;
    if (!take_request(new, options)) {
        tcb_destroy(new);
        return TCPCT_ERROR_MEMORY;
    }
    new->initiator = new->held = true;
    new->user = options->user;
    new->parameters = options->parameters;
    new->window_policy = options->window;
    if (options->user_timeout_us)
        new->user_timeout_us = options->user_timeout_us;
    new->user_timeout_set = options->user_timeout_us != 0;
    new->syn_data = syn_data_size(options);
    new->persistent = options->restart;
    limit_patience(new, now_us);
    collapse_heard(new, now_us);
    if (new->restarted) {
        beside_renew(new, now_us);
    } else {
        connect_exchange(new, now_us);
        if (options->fast_open && new->pair.size == 0 && !new->md5_key)
            fastopen_prepare(new, now_us);
    }
    *connection = new;
    return TCPCT_OK;
}

int connect_again(struct tcpct_connection *connection, uint64_t now_us)
{
    struct tcpct_stack *stack = connection->stack;
    const struct endpoints endpoints = connection->endpoints;
    const struct tcpct_connect_options options = {
        .local = endpoints.local,
        .remote = endpoints.remote,
        .remote_port = endpoints.remote_port,
        .parameters = connection->parameters,
        .restart = true,
        .window = connection->window_policy,
        .user_timeout_us = connection->user_timeout_set ? connection->user_timeout_us : 0,
        .user = connection->user,
    };
    const uint64_t keepalive_us = connection->keepalive_us;
    const uint8_t traffic_class = connection->traffic_class;
    const bool nodelay = connection->nodelay;
    struct tcpct_connection *again;
    tcb_destroy(connection); /* and its memory is the first to be used again */
    int error = tcpct_connect(stack, &options, &again, now_us);
    if (error) {
        again = tcb_create(stack, &endpoints);
        again->held = true;
        again->user = options.user;
        tcb_closed(again, error, now_us);
        return error;
    }
    again->nodelay = nodelay;
    again->traffic_class = traffic_class;
    return tcpct_option_set(again, TCPCT_OPTION_KEEPALIVE, keepalive_us);
}
