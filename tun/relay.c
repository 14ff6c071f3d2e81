/* relay.c - both directions of a relay, and how it begins and ends: see relay.h. */
#include "tun/relay.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint64_t keepalive_us = 7200000000; /* the kernel's default (RFC 9293, 3.8.4) */

/* One way. */
struct direction {
    uint8_t *pending; /* what was read and could not be written; NULL: nothing */
    size_t size, sent;
    bool ended; /* ... and the reader has been told */
};

/* In a list ordered by last activity. */
struct relay {
    struct relays *relays;
    struct relay *older, *newer;
    uint64_t active_us;
    struct tcpct_connection *connection; /* NULL: waits for the first bytes of the descriptor */
    int in, out;
    short watched_in, watched_out; /* poll(2) bits; -1: not watched */
    bool connecting;               /* the kernel's connection is not through */
    bool held;                     /* the stack's is not, and nothing may be sent before */
    bool complete;                 /* everything is said for now */
    struct direction to_stack, from_stack;
    _Alignas(max_align_t) uint8_t state[]; /* of relays_options.look */
};

struct relays {
    struct relays_options options;
    struct loop *loop;
    struct tcpct_stack *stack;
    struct relay *oldest, *newest;
    struct relay_counters counters;
    uint8_t chunk[RELAY_CHUNK];
};

static void descriptor_ready(void *context, int fd, short events, uint64_t now_us);

/* ---- beginning and end ---------------------------------------------------------------------- */

static void list_remove(struct relays *relays, struct relay *relay)
{
    if (relay == relays->oldest)
        relays->oldest = relay->newer;
    else
        relay->older->newer = relay->newer;
    if (relay == relays->newest)
        relays->newest = relay->older;
    else
        relay->newer->older = relay->older;
}

static void list_append(struct relays *relays, struct relay *relay, uint64_t now_us)
{
    relay->older = relays->newest;
    relay->newer = NULL;
    relay->active_us = now_us;
    if (relay->older != NULL)
        relay->older->newer = relay;
    else
        relays->oldest = relay;
    relays->newest = relay;
}

static struct relay *add(struct relays *relays, int in, int out, uint64_t now_us)
{
    struct relay *relay =
        relays_full(relays) ? NULL : calloc(1, sizeof *relay + relays->options.state_size);
    if (relay == NULL) {
        relays->counters.relays_refused++;
        return NULL;
    }
    relay->relays = relays;
    relay->in = in;
    relay->out = out;
    relay->watched_in = relay->watched_out = -1;
    list_append(relays, relay, now_us);
    relays->counters.relays++;
    relays->counters.relays_now++;
    return relay;
}

static void close_descriptors(struct relay *relay, bool reset)
{
    loop_unwatch(relay->relays->loop, relay->in);
    if (relay->out != relay->in) {
        loop_unwatch(relay->relays->loop, relay->out);
        if (relay->out >= 0)
            close(relay->out);
        close(relay->in);
    } else if (reset) {
        socket_abort(relay->in);
    } else {
        close(relay->in);
    }
}

/* With an error both ends are reset, otherwise closed in order. */
static void end(struct relays *relays, struct relay *relay, int error)
{
    list_remove(relays, relay);
    if (relay->connection != NULL && error != 0)
        tcpct_abort(relay->connection);
    else if (relay->connection != NULL)
        tcpct_close(relay->connection);
    close_descriptors(relay, error != 0);
    free(relay->to_stack.pending);
    free(relay->from_stack.pending);
    free(relay);
    relays->counters.relays_now--;
    relays->counters.relays_failed += error != 0;
    if (relays->options.ended != NULL)
        relays->options.ended(relays->options.context, error);
}

/* ---- both ways ------------------------------------------------------------------------------ */

/* Keeps the rest of the chunk. 0 or ENOMEM. */
static int keep(struct direction *direction, const uint8_t *bytes, size_t size)
{
    direction->pending = malloc(size);
    if (direction->pending == NULL)
        return ENOMEM;
    memcpy(direction->pending, bytes, size);
    direction->size = size;
    direction->sent = 0;
    return 0;
}

static void sent(struct direction *direction, size_t size)
{
    direction->sent += size;
    if (direction->sent < direction->size)
        return;
    free(direction->pending);
    direction->pending = NULL;
}

/* Writes to the kernel: how many bytes it took, or -1 (errno). */
static ptrdiff_t write_some(int fd, const uint8_t *bytes, size_t size)
{
    ssize_t got = write(fd, bytes, size);
    return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : got;
}

/* The same, of reading; 0 for nothing there now, and `*ended` at the end. */
static ptrdiff_t read_some(int fd, uint8_t *bytes, bool *ended)
{
    ssize_t got = read(fd, bytes, RELAY_CHUNK);
    *ended = got == 0;
    return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : got;
}

static void look(struct relay *relay, bool from_stack, size_t size)
{
    struct relays *relays = relay->relays;
    const struct relays_options *options = &relays->options;
    if (from_stack)
        relays->counters.bytes_from_stack += size;
    else
        relays->counters.bytes_to_stack += size;
    if (options->look != NULL)
        relay->complete =
            options->look(options->context, relay->state, from_stack, relays->chunk, size);
}

static int end_writing(struct relay *relay)
{
    relay->from_stack.ended = true;
    if (relay->out == relay->in)
        return shutdown(relay->out, SHUT_WR) == 0 ? 0 : errno;
    loop_unwatch(relay->relays->loop, relay->out);
    close(relay->out);
    relay->out = relay->watched_out = -1;
    return 0;
}

/* From the stack to the kernel, until one of them has no more for now. 0, or the error. */
static int pump_from_stack(struct relay *relay)
{
    struct relays *relays = relay->relays;
    struct direction *way = &relay->from_stack;
    while (relay->connection != NULL && !relay->connecting && !way->ended) {
        if (way->pending != NULL) {
            ptrdiff_t wrote =
                write_some(relay->out, way->pending + way->sent, way->size - way->sent);
            if (wrote < 0)
                return errno;
            sent(way, (size_t)wrote);
            if (way->pending != NULL)
                return 0;
        }
        ptrdiff_t got = tcpct_receive(relay->connection, relays->chunk, RELAY_CHUNK);
        if (got == TCPCT_ERROR_CLOSED)
            return end_writing(relay);
        if (got <= 0)
            return (int)got;
        look(relay, true, (size_t)got);
        ptrdiff_t wrote = write_some(relay->out, relays->chunk, (size_t)got);
        if (wrote < 0)
            return errno;
        if (wrote < got && keep(way, relays->chunk + wrote, (size_t)(got - wrote)) != 0)
            return ENOMEM;
    }
    return 0;
}

/* From the kernel to the stack. */
static int pump_to_stack(struct relay *relay)
{
    struct relays *relays = relay->relays;
    struct direction *way = &relay->to_stack;
    while (relay->connection != NULL && !relay->connecting && !relay->held && !way->ended) {
        if (way->pending != NULL) {
            ptrdiff_t took =
                tcpct_send(relay->connection, way->pending + way->sent, way->size - way->sent);
            if (took < 0)
                return (int)took;
            sent(way, (size_t)took);
            if (way->pending != NULL)
                return 0;
        }
        ptrdiff_t got = read_some(relay->in, relays->chunk, &way->ended);
        if (got < 0)
            return errno;
        if (way->ended)
            return tcpct_shutdown(relay->connection);
        if (got == 0)
            return 0;
        look(relay, false, (size_t)got);
        ptrdiff_t took = tcpct_send(relay->connection, relays->chunk, (size_t)got);
        if (took < 0)
            return (int)took;
        if (took < got && keep(way, relays->chunk + took, (size_t)(got - took)) != 0)
            return ENOMEM;
    }
    return 0;
}

/* Makes the connection for a descriptor, with its first bytes as the request or without. */
static int connect_stack(struct relay *relay, const uint8_t *request, size_t size, uint64_t now_us)
{
    struct tcpct_connect_options options = relay->relays->options.connect;
    options.request = request;
    options.request_size = size;
    options.user = relay;
    int error = tcpct_connect(relay->relays->stack, &options, &relay->connection, now_us);
    if (error != TCPCT_OK)
        return error;
    tcpct_option_set(relay->connection, TCPCT_OPTION_NODELAY, 1);
    tcpct_option_set(relay->connection, TCPCT_OPTION_KEEPALIVE, keepalive_us);
    return 0;
}

/* The first bytes of a descriptor make its connection. Whoever says nothing gets none. */
static int begin_idempotent(struct relay *relay, uint64_t now_us)
{
    struct relays *relays = relay->relays;
    bool ended;
    ptrdiff_t got = read_some(relay->in, relays->chunk, &ended);
    if (got < 0)
        return errno;
    if (ended)
        relay->to_stack.ended = relay->from_stack.ended = true;
    if (got == 0)
        return 0;
    look(relay, false, (size_t)got);
    return connect_stack(relay, relays->chunk, (size_t)got, now_us);
}

/* ---- watching ------------------------------------------------------------------------------- */

static int watch(struct relay *relay, int fd, short *watched, short wanted)
{
    if (*watched == wanted)
        return 0;
    *watched = wanted;
    if (wanted == -1) {
        loop_unwatch(relay->relays->loop, fd);
        return 0;
    }
    return loop_watch(relay->relays->loop, fd, wanted, descriptor_ready, relay) == 0 ? 0 : errno;
}

/* Asks the loop for what the relay can go on with. A socket of which nothing is wanted is watched
 * for its errors, until it has hung up both ways. */
static int watch_both(struct relay *relay, bool hung_up)
{
    bool reads = relay->connection == NULL ||
                 (!relay->to_stack.ended && !relay->to_stack.pending && !relay->held);
    short in = reads && !relay->connecting ? POLLIN : 0;
    short out = relay->connecting || relay->from_stack.pending != NULL ? POLLOUT : 0;
    if (relay->in != relay->out) {
        int error = watch(relay, relay->in, &relay->watched_in, in ? in : -1);
        return error != 0 ? error : watch(relay, relay->out, &relay->watched_out, out ? out : -1);
    }
    in |= out;
    return watch(relay, relay->in, &relay->watched_in, in == 0 && hung_up ? -1 : in);
}

/* Both directions have ended, and nothing of ours is on its way that is to be waited for; or all is
 * said. */
static bool is_over(const struct relay *relay)
{
    struct tcpct_info info;
    bool ended = relay->to_stack.ended && relay->from_stack.ended;
    bool complete = relay->complete && relay->to_stack.pending == NULL;
    if (!ended && !complete)
        return false;
    if (relay->connection == NULL || (ended && !relay->relays->options.linger))
        return true;
    tcpct_connection_info(relay->connection, &info);
    return info.state == TCPCT_TIME_WAIT || info.state == TCPCT_CLOSED ||
           (complete && info.cookies);
}

/* Goes on with whatever is possible, and ends the relay if that was all. */
static void go_on(struct relay *relay, bool hung_up, uint64_t now_us)
{
    int error = 0;
    list_remove(relay->relays, relay);
    list_append(relay->relays, relay, now_us);
    if (relay->connection == NULL)
        error = begin_idempotent(relay, now_us);
    if (error == 0)
        error = pump_to_stack(relay);
    if (error == 0)
        error = pump_from_stack(relay);
    bool over = error == 0 && is_over(relay);
    if (error == 0 && !over)
        error = watch_both(relay, hung_up);
    if (error != 0 || over)
        end(relay->relays, relay, error);
}

static void descriptor_ready(void *context, int fd, short events, uint64_t now_us)
{
    struct relay *relay = context;
    bool socket = relay->in == relay->out;
    int error = (events & POLLERR) == 0 ? 0 : socket ? socket_error(fd) : EPIPE;
    if (error != 0) {
        end(relay->relays, relay, error);
        return;
    }
    relay->connecting = false;
    go_on(relay, events & POLLHUP, now_us);
}

/* ---- what others call ----------------------------------------------------------------------- */

struct relays *relays_create(const struct relays_options *options, struct loop *loop,
                             struct tcpct_stack *stack)
{
    struct relays *relays = calloc(1, sizeof *relays);
    if (relays == NULL)
        return NULL;
    relays->options = *options;
    relays->loop = loop;
    relays->stack = stack;
    return relays;
}

void relays_destroy(struct relays *relays)
{
    if (relays == NULL)
        return;
    relays->options.ended = NULL;
    while (relays->oldest != NULL)
        end(relays, relays->oldest, ECANCELED);
    free(relays);
}

bool relays_full(const struct relays *relays)
{
    return relays->counters.relays_now >= relays->options.relays_max;
}

bool relay_from_descriptors(struct relays *relays, int in, int out, uint64_t now_us)
{
    struct relay *relay = add(relays, in, out, now_us);
    if (relay == NULL) {
        close(in);
        if (out != in)
            close(out);
        return false;
    }
    relay->held = !relays->options.idempotent;
    int error = relay->held ? connect_stack(relay, NULL, 0, now_us) : 0;
    if (error != 0)
        end(relay->relays, relay, error);
    else
        go_on(relay, false, now_us);
    return error == 0;
}

/* Makes the kernel's connection for one of a listener. */
static void from_connection(struct relays *relays, struct tcpct_connection *connection,
                            uint64_t now_us)
{
    if (relays_full(relays) && relays->options.evicts) {
        relays->counters.relays_evicted++;
        end(relays, relays->oldest, ECANCELED);
    }
    int fd = relays_full(relays) ? -1 : socket_connect(&relays->options.to, SOCK_STREAM);
    struct relay *relay = fd < 0 ? NULL : add(relays, fd, fd, now_us);
    if (relay == NULL) {
        relays->counters.relays_refused += fd < 0;
        if (fd >= 0)
            close(fd);
        tcpct_abort(connection);
        return;
    }
    relay->connection = connection;
    relay->connecting = true;
    tcpct_set_user(connection, relay);
    tcpct_option_set(connection, TCPCT_OPTION_NODELAY, 1);
    tcpct_option_set(connection, TCPCT_OPTION_KEEPALIVE, keepalive_us);
    go_on(relay, false, now_us);
}

static void take_event(struct relay *relay, unsigned flags, uint64_t now_us)
{
    if (flags & TCPCT_EVENT_ERROR) {
        end(relay->relays, relay, tcpct_connection_error(relay->connection));
        return;
    }
    if (flags & TCPCT_EVENT_CONNECTED)
        relay->held = false;
    go_on(relay, false, now_us);
}

/* Relays that wait for their last acknowledgment. */
static void settle(struct relays *relays)
{
    for (struct relay *relay = relays->oldest, *newer; relay != NULL; relay = newer) {
        newer = relay->newer;
        if (relay->to_stack.ended && relay->from_stack.ended && is_over(relay))
            end(relay->relays, relay, 0);
    }
}

void relays_serve(struct relays *relays, uint64_t now_us)
{
    struct tcpct_event event;
    while (tcpct_event(relays->stack, &event)) {
        struct tcpct_connection *connection;
        if (event.user != NULL)
            take_event(event.user, event.flags, now_us);
        else
            while ((connection = tcpct_accept(event.listener)) != NULL)
                from_connection(relays, connection, now_us);
    }
    if (relays->options.linger)
        settle(relays);
    while (relays_deadline(relays) <= now_us) {
        relays->counters.relays_idle++;
        end(relays, relays->oldest, relays->oldest->complete ? 0 : ETIMEDOUT);
    }
}

uint64_t relays_deadline(const struct relays *relays)
{
    bool never = relays->oldest == NULL || relays->options.idle_us == 0;
    return never ? TCPCT_NEVER : relays->oldest->active_us + relays->options.idle_us;
}

const struct relay_counters *relays_counters(const struct relays *relays)
{
    return &relays->counters;
}

const char *relay_counter_name(size_t index)
{
    static const char *const names[] = {
        "relays",         "relays_now",  "relays_refused",   "relays_failed",
        "relays_evicted", "relays_idle", "bytes_from_stack", "bytes_to_stack",
    };
    _Static_assert(sizeof names / sizeof *names == sizeof(struct relay_counters) / sizeof(uint64_t),
                   "each counter has a name");
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}
