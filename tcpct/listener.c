#include "listener.h"

#include "seq.h"
#include "timestamps.h"

enum { BACKLOG_DEFAULT = 128 };

/* How long what was admitted may come again: a secret's life (3.5.3), or that of an ISN. */
static uint64_t guard_period_us(const struct tcpct_config *config)
{
    return max_u64(config->secret_interval_us + 4 * config->msl_us, 2ull * ISN_PERIOD_US);
}

static void free_listener(struct tcpct_listener *listener)
{
    struct memory *memory = &listener->stack->memory;
    guard_destroy(&listener->guard, memory);
    memory_free(memory, listener);
}

void listeners_destroy(struct tcpct_stack *stack)
{
    while (stack->listeners) {
        struct tcpct_listener *next = stack->listeners->next;
        free_listener(stack->listeners);
        stack->listeners = next;
    }
}

static bool listen_options_valid(const struct tcpct_listen_options *options)
{
    uint8_t size = options->parameters.cookie_desired;
    const uint32_t guard_max = 1u << 24;
    return options->port && options->guard <= guard_max &&
           timestamps_parameter_valid(options->parameters.extend_ts) &&
           (size == 0 || (size >= COOKIE_SIZE_MIN && size <= COOKIE_SIZE_MAX && size % 2 == 0));
}

int tcpct_listen(struct tcpct_stack *stack, const struct tcpct_listen_options *options,
                 struct tcpct_listener **listener)
{
    if (!listen_options_valid(options))
        return TCPCT_ERROR_INVALID;
    for (const struct tcpct_listener *i = stack->listeners; i; i = i->next)
        if (i->options.port == options->port &&
            ip_address_equal(&i->options.address, &options->address))
            return TCPCT_ERROR_IN_USE;
    struct tcpct_listener *new = memory_zeroed(&stack->memory, sizeof(*new));
    if (!new)
        return TCPCT_ERROR_MEMORY;
    new->stack = stack;
    if (options->guard && !guard_create(&new->guard, &stack->memory, options->guard,
                                        guard_period_us(&stack->config), stack->now_us)) {
        free_listener(new);
        return TCPCT_ERROR_MEMORY;
    }
    new->options = *options;
    if (options->guard) {
        new->options.answer = NULL;
        new->options.fast_open_queue = 0;
    }
    new->options.backlog = options->backlog ? options->backlog : BACKLOG_DEFAULT;
    new->next = stack->listeners;
    stack->listeners = new;
    *listener = new;
    return TCPCT_OK;
}

void tcpct_listener_close(struct tcpct_listener *listener)
{
    struct tcpct_stack *stack = listener->stack;
    struct tcpct_connection *connection;
    while ((connection = tcpct_accept(listener)))
        tcpct_abort(connection);
    for (connection = stack->pool; connection; connection = connection->pool_next)
        if (connection->stack && connection->queued_at == listener)
            tcb_closed(connection, TCPCT_OK, stack->now_us);
    struct tcpct_listener **link = &stack->listeners;
    while (*link != listener)
        link = &(*link)->next;
    *link = listener->next;
    free_listener(listener);
}

bool listener_backlog_room(struct tcpct_listener *listener)
{
    if (listener->backlog_count < listener->options.backlog)
        return true;
    listener->stack->counters.backlog_full++;
    return false;
}

void listener_backlog_append(struct tcpct_connection *connection)
{
    struct tcpct_listener *listener = connection->listener;
    connection->held = true;
    connection->parameters = listener->options.parameters;
    connection->user = listener->options.user;
    if (listener->backlog_last)
        listener->backlog_last->accept_next = connection;
    else
        listener->backlog_first = connection;
    listener->backlog_last = connection;
    listener->backlog_count++;
    listener->event = true;
    listener->stack->counters.connections_made++;
}

bool listener_backlog_add(struct tcpct_connection *connection)
{
    if (!listener_backlog_room(connection->listener))
        return false;
    listener_backlog_append(connection);
    return true;
}

void listener_unqueue(struct tcpct_connection *connection)
{
    if (connection->queued_at)
        connection->queued_at->queued--;
    connection->queued_at = NULL;
}

bool listener_admits(struct tcpct_listener *listener, const struct endpoints *endpoints,
                     uint32_t peer_isn, uint64_t now_us)
{
    struct tcpct_counters *counters = &listener->stack->counters;
    struct cookie_endpoints parties = endpoints_for_cookie(endpoints);
    if (!listener->guard.limit || listener->backlog_count >= listener->options.backlog)
        return true; /* there is no guard, or no connection will be made */
    switch (
        guard_admit(&listener->guard, listener->stack->isn_keys.isn, &parties, peer_isn, now_us)) {
    case GUARD_ADMITTED:
        return true;
    case GUARD_KNOWN:
        counters->guard_refused++;
        return false;
    case GUARD_FULL:
        counters->guard_full++;
        return false;
    }
    return false;
}
