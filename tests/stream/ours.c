/* ours.c - an end over our stack. */
#include "tests/stream/stream.h"

enum { LINGER_US = 300000, FAST_OPEN_QUEUE = 16, FAST_OPEN_BYTES = 1000 };

static struct endpoint endpoint;
static struct loop *loop;
static struct tcpct_listener *listener;
static struct tcpct_connection *connection;
static uint64_t collapsed; /* the id of the connection, while there is none; else 0 */

static ptrdiff_t result_of(ptrdiff_t result)
{
    switch (result) {
    case TCPCT_ERROR_CLOSED:
        return ENDED;
    case TCPCT_ERROR_RESET:
        return RESET;
    case TCPCT_ERROR_REFUSED:
        return REFUSED;
    case TCPCT_ERROR_TIMEOUT:
        return TIMED_OUT;
    default:
        return result < 0 ? FAILED : result;
    }
}

/* Whether there is a connection to use. */
static bool revive(void)
{
    if (collapsed != 0 && tcpct_revive(endpoint.stack, collapsed, &connection) == TCPCT_OK)
        collapsed = 0;
    return collapsed == 0;
}

static void collapse(void)
{
    if (tcpct_collapse(connection, NULL, &collapsed) == TCPCT_OK)
        connection = NULL;
}

static ptrdiff_t send_bytes(const uint8_t *bytes, size_t size)
{
    return revive() ? result_of(tcpct_send(connection, bytes, size)) : 0;
}

static ptrdiff_t receive_bytes(uint8_t *bytes, size_t size)
{
    if (collapsed)
        return 0;
    /* Unless it is looked at, data stays where it is. */
    return result_of(tcpct_receive(connection, stream.no_hash ? NULL : bytes, size));
}

static void end_sending(void)
{
    if (revive())
        tcpct_shutdown(connection);
}

static void abort_it(void)
{
    if (revive())
        tcpct_abort(connection);
    connection = NULL;
}

static int begin_connecting(uint64_t now_us)
{
    struct tcpct_parameters parameters = stream.endpoint_options.parameters;
    struct tcpct_connect_options options = { .remote = stream.remote,
                                             .remote_port = stream.port,
                                             .parameters = parameters,
                                             .fast_open = stream.fast_open };
    const size_t most = stream.fast_open ? FAST_OPEN_BYTES : parameters.syn_data_limit;
    if (!stream.fetch)
        options.request = pump_first_bytes(most, &options.request_size);
    return tcpct_connect(endpoint.stack, &options, &connection, now_us);
}

static int begin(void)
{
    struct tcpct_listen_options options = { .port = stream.port,
                                            .fast_open_queue =
                                                stream.fast_open ? FAST_OPEN_QUEUE : 0,
                                            .parameters = stream.endpoint_options.parameters };
    if (stream.remote.family != 0)
        return begin_connecting(loop_clock_us());
    int error = tcpct_listen(endpoint.stack, &options, &listener);
    if (error == TCPCT_OK)
        pump_listening();
    return error;
}

static void made(uint64_t now_us)
{
    tcpct_option_set(connection, TCPCT_OPTION_KEEPALIVE, stream.keepalive_us);
    pump_connected(now_us);
}

/* The cookie is there: now for the connection itself. */
static void fetched(uint64_t now_us)
{
    stream.fetch = false;
    tcpct_close(connection);
    connection = NULL;
    if (stream.remote.family == 0) {
        connection = tcpct_accept(listener); /* it may have come with the first */
        if (connection != NULL)
            made(now_us);
        return;
    }
    int error = begin_connecting(now_us);
    if (error != TCPCT_OK)
        pump_finish_failed(result_of(error), now_us);
}

static void take_event(const struct tcpct_event *event, uint64_t now_us)
{
    if ((event->flags & TCPCT_EVENT_REVIVED) != 0) {
        connection = event->connection;
        collapsed = 0;
    }
    if ((event->flags & TCPCT_EVENT_ACCEPT) != 0 && connection == NULL)
        connection = tcpct_accept(event->listener);
    if (connection == NULL || (event->connection != NULL && event->connection != connection))
        return;
    if ((event->flags & (TCPCT_EVENT_CONNECTED | TCPCT_EVENT_ACCEPT)) != 0)
        stream.fetch ? fetched(now_us) : made(now_us);
    else if ((event->flags & TCPCT_EVENT_ERROR) != 0 && !stream.connected)
        pump_finish_failed(result_of(tcpct_connection_error(connection)), now_us);
    else if (event->flags == TCPCT_EVENT_IDLE)
        collapse();
}

static void count(void)
{
    struct tcpct_counters counters;
    tcpct_counters(endpoint.stack, &counters);
    stream.collapses = counters.collapses;
    stream.revivals = counters.revivals;
    stream.keepalives_answered = counters.collapsed_keepalives;
    stream.resets = counters.collapsed_reset;
}

static void look(struct tcpct_info *info)
{
    tcpct_connection_info(connection, info);
    stream.retransmitted = info->retransmissions;
    const struct tun_device_counters *device = tun_device_counters(endpoint.device);
    stream.packets = device->reads + device->writes;
    stream.heard = info->packets_received;
    stream.syn_data = info->fast_open;
    stream.cookies = info->cookies;
}

/* Whether the peer has everything of ours, so that this process may go. */
static bool is_done(uint64_t now_us)
{
    struct tcpct_info info;
    if (stream.end == NULL)
        return false;
    if (connection == NULL) /* or a record, of which nobody will hear */
        return pump_is_over(stream.ended_us, 1, now_us); /* a turn for the reset to leave */
    look(&info);
    if (info.state == TCPCT_TIME_WAIT) /* the last acknowledgment may be lost */
        return pump_is_over(stream.ended_us, LINGER_US, now_us);
    return info.state == TCPCT_CLOSED || pump_is_over(stream.started_us, stream.limit_us, now_us);
}

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    struct tcpct_event event;
    struct tcpct_info info;
    (void)context;
    while (tcpct_event(stack, &event))
        take_event(&event, now_us);
    if (connection != NULL)
        look(&info);
    count();
    pump(now_us);
    if (is_done(now_us))
        loop_stop(loop, 0);
    loop_deadline(loop, stream.end == NULL ? pump_next_us(now_us) : now_us + LINGER_US);
}

static int run(void)
{
    struct tcpct_config config = { .collapsed_max = stream.collapse_us > 0 ? 16 : 0,
                                   .collapse_after_us = stream.collapse_us,
                                   .collapse_always = true };
    const struct loop_handlers handlers = { .serve = serve };
    int status = endpoint_open(&endpoint, &stream.endpoint_options, &config);
    if (status != 0)
        return status;
    loop = loop_create(endpoint.stack, endpoint.device, &handlers);
    int error = loop == NULL ? TCPCT_ERROR_MEMORY : begin();
    if (error != TCPCT_OK)
        status = command_error("stream", 1, "cannot begin: %s", tcpct_error_text(error));
    else
        status = loop_run(loop);
    loop_destroy(loop);
    endpoint_close(&endpoint);
    return status;
}

const struct transport transport_ours = { send_bytes, receive_bytes, end_sending, abort_it, run };
