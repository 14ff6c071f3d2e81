#include "tune.h"

#include "seq.h"

enum {
    BUFFER_FIRST = 131072,
    BUFFER_SCARCE = 16384,
    ROUND_MIN_US = MILLISECOND_US,
    EXTRA_SEGMENTS = 16, /* so that a window that doubles each round trip is not held back */
};

void tune_begin(struct tcpct_connection *connection)
{
    connection->tune.receive_limit =
        min_u32(BUFFER_FIRST, connection->stack->config.receive_buffer_max);
}

void tune_echo(struct tcpct_connection *connection, uint32_t echo, uint64_t now_us)
{
    uint32_t ticks = tcb_timestamp(connection, now_us) - echo;
    uint64_t rtt_us = max_u32(ticks, 1) * (uint64_t)TIMESTAMP_TICK_US;
    struct tune *tune = &connection->tune;
    if (ticks > RTO_MAX_US / TIMESTAMP_TICK_US)
        return;
    if (tune->rtt_us == 0 || rtt_us < tune->rtt_us)
        tune->rtt_us = rtt_us;
    else
        tune->rtt_us += (rtt_us - tune->rtt_us) / 8;
}

/* Three quarters of the budget are for whoever comes first; the rest is for those who need it. */
static bool memory_is_scarce(const struct memory *memory)
{
    return memory->used > memory->budget / 4 * 3;
}

void tune_read(struct tcpct_connection *connection, uint32_t bytes, uint64_t now_us)
{
    struct tune *tune = &connection->tune;
    uint64_t round_us = max_u64(tune->rtt_us, ROUND_MIN_US);
    tune->read += bytes;
    if (now_us - tune->round_us < round_us)
        return;
    uint64_t wanted = 2ull * tune->read + EXTRA_SEGMENTS * (uint64_t)connection->mss;
    if (wanted > tune->receive_limit && !memory_is_scarce(&connection->stack->memory))
        tune->receive_limit =
            (uint32_t)min_u64(wanted, connection->stack->config.receive_buffer_max);
    tune->read = 0;
    tune->round_us = now_us;
}

uint32_t tune_send_limit(const struct tcpct_connection *connection)
{
    const struct tcpct_stack *stack = connection->stack;
    uint64_t wanted = max_u64(BUFFER_FIRST, 3ull * connection->congestion.cwnd);
    if (memory_is_scarce(&stack->memory))
        wanted = BUFFER_SCARCE;
    return (uint32_t)min_u64(wanted, stack->config.send_buffer_max);
}
