#include "timestamps.h"

#include "isn.h"
#include "seq.h"

enum {
    NARROW = 4,                 /* bytes: kind 8's */
    PREFIX_AHEAD_MAX = 1 << 16, /* a longer pause is not believed */
};

/* ---- prefixes -------------------------------------------------------------------------------- */

static struct timestamp_prefix load(const uint8_t bytes[12])
{
    return (struct timestamp_prefix){ .high =
                                          (uint64_t)wire_get32(bytes) << 32 | wire_get32(bytes + 4),
                                      .low = wire_get32(bytes + 8) };
}

static void store(struct timestamp_prefix prefix, uint8_t bytes[12])
{
    wire_put32(bytes, (uint32_t)(prefix.high >> 32));
    wire_put32(bytes + 4, (uint32_t)prefix.high);
    wire_put32(bytes + 8, prefix.low);
}

static struct timestamp_prefix plus(struct timestamp_prefix prefix, uint32_t count)
{
    uint32_t low = prefix.low + count;
    return (struct timestamp_prefix){ .high = prefix.high + (low < count), .low = low };
}

static struct timestamp_prefix minus(struct timestamp_prefix a, struct timestamp_prefix b)
{
    return (struct timestamp_prefix){ .high = a.high - b.high - (a.low < b.low),
                                      .low = a.low - b.low };
}

/* How often our clock's low 32 bits had begun again at `value`, which is not in the future. */
static uint32_t rounds(const struct tcpct_connection *connection, uint32_t value, uint64_t now_us)
{
    uint64_t clock = now_us / TIMESTAMP_TICK_US + connection->timestamp_offset;
    return (uint32_t)((clock - ((uint32_t)clock - value)) >> 32);
}

static struct timestamp_prefix own_prefix(const struct tcpct_connection *connection, uint32_t value,
                                          uint64_t now_us)
{
    return plus(connection->prefix, rounds(connection, value, now_us));
}

/* The prefix of what the peer sent before TS.Recent. */
static struct timestamp_prefix echoed_prefix(const struct tcpct_connection *connection,
                                             uint32_t echo)
{
    const struct timestamp_prefix one = { .low = 1 };
    return echo > connection->ts_recent ? minus(connection->recent_prefix, one)
                                        : connection->recent_prefix;
}

/* Whether two prefixes are the same in a timestamp of `size` bytes. */
static bool equal(struct timestamp_prefix a, struct timestamp_prefix b, uint8_t size)
{
    return size <= NARROW || (a.low == b.low && (size <= 8 || a.high == b.high));
}

/* The bytes of timestamp that can be compared: those that came, as many as we use. */
static uint8_t common_size(const struct tcpct_connection *connection,
                           const struct tcp_options *options)
{
    return options->timestamp_size < connection->timestamp_size ? options->timestamp_size
                                                                : connection->timestamp_size;
}

/* ---- sizes ----------------------------------------------------------------------------------- */

bool timestamps_parameter_valid(uint8_t extend_ts)
{
    return extend_ts == 0 || extend_ts == TCPCT_EXTEND_TS_AUTO || extend_ts == 32 ||
           extend_ts == 64 || extend_ts == 128;
}

uint8_t timestamps_size(uint8_t extend_ts)
{
    if (extend_ts == TCPCT_EXTEND_TS_AUTO)
        return 16;
    return extend_ts > 32 ? extend_ts / 8 : NARROW;
}

/* Where the sequence numbers come round within the life of a segment, timestamps alone tell old from
 * new. The path's rate was seen, or follows from the window that it carried in a round trip. */
uint8_t timestamps_choose(const struct tcpct_connection *connection, const struct path_state *path)
{
    uint64_t life_ms = 2 * connection->stack->config.msl_us / MILLISECOND_US;
    if (connection->parameters.extend_ts != TCPCT_EXTEND_TS_AUTO)
        return timestamps_size(connection->parameters.extend_ts);
    if (!path)
        return NARROW;
    uint64_t rate = path->rate;
    if (rate == 0 && connection->rtt.srtt_us)
        rate = path->window * MILLISECOND_US / connection->rtt.srtt_us;
    return rate * life_ms > INT32_MAX ? 8 : NARROW;
}

void timestamps_propose(struct tcpct_connection *connection, uint8_t size)
{
    struct tcpct_stack *stack = connection->stack;
    struct cookie_endpoints parties = endpoints_for_cookie(&connection->endpoints);
    uint8_t prefix[12];
    connection->timestamp_size = size;
    connection->timestamps_settled = false;
    if (size <= NARROW)
        return;
    timestamp_prefix(&stack->isn_keys, &parties, connection->pair.initiator, connection->pair.size,
                     prefix);
    connection->prefix = load(prefix);
    for (unsigned i = 0; i < sizeof(prefix); i += 4)
        wire_put32(prefix + i, stack_random(stack));
    connection->recent_prefix = load(prefix);
}

void timestamps_settle(struct tcpct_connection *connection, const struct tcp_options *options)
{
    bool smaller = options->timestamp_size < connection->timestamp_size;
    if (connection->timestamps_settled || (smaller && !(options->present & OPTION_COOKIE_PAIR)))
        return;
    connection->timestamps_settled = true;
    if (smaller)
        connection->timestamp_size = options->timestamp_size;
}

void timestamps_agree(struct tcpct_connection *connection, const struct tcp_options *options,
                      uint64_t now_us)
{
    uint8_t most = timestamps_size(connection->parameters.extend_ts);
    connection->timestamp_size = options->timestamp_size < most ? options->timestamp_size : most;
    connection->timestamps_settled = true;
    if (connection->timestamp_size <= NARROW)
        return;
    const struct timestamp_prefix begun = { .low = rounds(connection, options->timestamp_echo,
                                                          now_us) };
    connection->prefix = minus(load(options->timestamp_echo_prefix), begun);
    connection->recent_prefix = load(options->timestamp_value_prefix);
}

/* ---- segments -------------------------------------------------------------------------------- */

void timestamps_widen(const struct tcpct_connection *connection, struct tcp_options *options,
                      uint64_t now_us)
{
    const uint32_t both = OPTION_TIMESTAMPS | OPTION_TIMESTAMPS_EXTENDED;
    if (connection->timestamp_size <= NARROW || !(options->present & both))
        return;
    options->present &= ~(uint32_t)OPTION_TIMESTAMPS;
    options->present |= OPTION_TIMESTAMPS_EXTENDED;
    options->timestamp_size = connection->timestamp_size;
    store(own_prefix(connection, options->timestamp_value, now_us),
          options->timestamp_value_prefix);
    store(echoed_prefix(connection, options->timestamp_echo), options->timestamp_echo_prefix);
}

bool timestamps_fit(const struct tcpct_connection *connection, const struct tcp_options *options,
                    uint64_t now_us)
{
    uint8_t size = common_size(connection, options);
    if (size < connection->timestamp_size && connection->timestamps_settled)
        return false;
    return size <= NARROW || equal(load(options->timestamp_echo_prefix),
                                   own_prefix(connection, options->timestamp_echo, now_us), size);
}

bool timestamps_are_old(const struct tcpct_connection *connection,
                        const struct tcp_options *options, uint64_t now_us)
{
    uint8_t size = common_size(connection, options);
    if (size <= NARROW)
        return timestamp_is_old(options->timestamp_value, connection->ts_recent,
                                now_us - connection->ts_recent_us);
    struct timestamp_prefix ahead =
        minus(load(options->timestamp_value_prefix), connection->recent_prefix);
    if (size <= 8)
        ahead.high = 0;
    if (ahead.high == 0 && ahead.low == 0)
        return options->timestamp_value < connection->ts_recent;
    return ahead.high != 0 || ahead.low > PREFIX_AHEAD_MAX;
}

void timestamps_take(struct tcpct_connection *connection, const struct tcp_options *options,
                     uint64_t now_us)
{
    if (common_size(connection, options) > NARROW)
        connection->recent_prefix = load(options->timestamp_value_prefix);
    else if (options->timestamp_value < connection->ts_recent)
        connection->recent_prefix = plus(connection->recent_prefix, 1);
    connection->ts_recent = options->timestamp_value;
    connection->ts_recent_us = now_us;
}
