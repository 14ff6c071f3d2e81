#include "fastopen.h"

#include <string.h>

#include "handshake.h"
#include "listener.h"
#include "mac_input.h"
#include "peers.h"
#include "seq.h"

enum {
    FAST_OPEN_COOKIE_SIZE = 8,
    SLOT_BIT = 0x80,       /* of the first byte: names the secret, as in a Responder-Cookie */
    SYN_OPTIONS_SIZE = 40, /* the most that they can take from the data */
};
static const uint64_t BLOCKED_US = 3600ull * SECOND_US; /* RFC 7413, 4.1.3.1 */

/* ---- the server ---------------------------------------------------------------------------- */

static bool compute(const struct tcpct_stack *stack, unsigned slot, const struct segment *syn,
                    uint8_t cookie[FAST_OPEN_COOKIE_SIZE])
{
    uint8_t input[MAC_INPUT_BEGIN_MAX], tag[MAC_SIZE];
    struct wire wire = wire_writer(input, sizeof(input));
    const struct cookie_endpoints parties = { .local = &syn->destination, .remote = &syn->source };
    mac_input_begin(&wire, MAC_LABEL_FAST_OPEN, &parties);
    if (!mac_compute(stack->fast_open_secrets.slot[slot].mac, input, wire.position, tag))
        return false;
    memcpy(cookie, tag, FAST_OPEN_COOKIE_SIZE);
    cookie[0] = (uint8_t)((cookie[0] & ~SLOT_BIT) | (slot ? SLOT_BIT : 0));
    return true;
}

bool fastopen_valid(const struct tcpct_stack *stack, const struct segment *syn)
{
    const struct tcp_options *options = &syn->options;
    uint8_t expected[FAST_OPEN_COOKIE_SIZE];
    if (!(options->present & OPTION_FAST_OPEN) || options->fast_open_size != sizeof(expected))
        return false;
    unsigned slot = (options->fast_open_cookie[0] & SLOT_BIT) != 0;
    return stack->fast_open_secrets.slot[slot].state != SECRET_EMPTY &&
           compute(stack, slot, syn, expected) &&
           mac_equal(expected, options->fast_open_cookie, sizeof(expected));
}

void fastopen_grant(const struct tcpct_stack *stack, const struct segment *syn,
                    struct tcp_options *options)
{
    unsigned slot = secrets_generator(&stack->fast_open_secrets);
    if (!compute(stack, slot, syn, options->fast_open_cookie))
        return;
    options->present |= OPTION_FAST_OPEN;
    options->fast_open_size = FAST_OPEN_COOKIE_SIZE;
}

bool fastopen_accept(struct tcpct_listener *listener, const struct segment *syn, uint64_t now_us)
{
    if (listener->queued >= listener->options.fast_open_queue || !listener_backlog_room(listener))
        return false;
    struct tcpct_connection *connection = handshake_begin(listener, syn, now_us);
    if (!connection)
        return false;
    uint32_t size = min_u32(syn->data_size, connection->tune.receive_limit);
    if (size && !ring_grow(&connection->receive, &listener->stack->memory, size, 0)) {
        tcb_closed(connection, TCPCT_OK, now_us);
        return false;
    }
    ring_append(&connection->receive, syn->data, size);
    connection->rcv_nxt += size;
    connection->last_ack_sent = connection->rcv_nxt;
    connection->totals.bytes_received += size;
    connection->fast_open.accepted = true;
    tcb_replace_older(connection, now_us); /* the cookie has proved the address */
    connection->user_timeout_us = listener->stack->config.user_timeout_us;
    tcb_event(connection, TCPCT_EVENT_READABLE);
    listener_backlog_append(connection);
    listener->stack->counters.fast_opens++;
    return true;
}

/* ---- the client ---------------------------------------------------------------------------- */

void fastopen_prepare(struct tcpct_connection *connection, uint64_t now_us)
{
    struct fast_open *fast_open = &connection->fast_open;
    struct peer *peer = peers_find(connection->stack, &connection->endpoints.remote);
    connection->syn_data = 0;
    fast_open->wanted = true; /* a cookie at least */
    if (!peer)
        return;
    fast_open->wanted = now_us >= peer->fast_open_blocked_until_us;
    if (!fast_open->wanted || peer->fast_open_size == 0)
        return;
    peer->used_us = now_us;
    fast_open->size = peer->fast_open_size;
    memcpy(fast_open->cookie, peer->fast_open_cookie, peer->fast_open_size);
    uint32_t own = stack_mss(connection->stack, &connection->endpoints.remote);
    uint32_t mss = min_u32(peer->mss, own);
    uint32_t room = mss > SYN_OPTIONS_SIZE ? mss - SYN_OPTIONS_SIZE : 0;
    connection->syn_data = (uint16_t)min_u32(connection->send.used, room);
}

void fastopen_propose(const struct tcpct_connection *connection, struct tcp_options *options)
{
    const struct fast_open *fast_open = &connection->fast_open;
    if (!fast_open->wanted)
        return;
    options->present |= OPTION_FAST_OPEN;
    options->fast_open_size = fast_open->size;
    memcpy(options->fast_open_cookie, fast_open->cookie, fast_open->size);
}

void fastopen_lost(struct tcpct_connection *connection, uint64_t now_us)
{
    struct peer *peer = peers_use(connection->stack, &connection->endpoints.remote, now_us);
    connection->fast_open.wanted = false;
    connection->syn_data = 0;
    peer->fast_open_blocked_until_us = now_us + BLOCKED_US;
    peer->fast_open_size = 0;
}

void fastopen_remember(struct tcpct_connection *connection, const struct tcp_options *options,
                       uint64_t now_us)
{
    if (!connection->fast_open.wanted || !(options->present & OPTION_FAST_OPEN) ||
        options->fast_open_size == 0)
        return;
    struct peer *peer = peers_use(connection->stack, &connection->endpoints.remote, now_us);
    peer->fast_open_size = options->fast_open_size;
    peer->mss = mss_of(options, &connection->endpoints.remote);
    memcpy(peer->fast_open_cookie, options->fast_open_cookie, options->fast_open_size);
}
