#include "pace.h"

#include "seq.h"
#include "timer.h"

enum { BURST_SEGMENTS = 10, BURST_US = MILLISECOND_US };

/* How long `bytes` take at the pacing rate. */
static uint64_t duration_us(const struct tcpct_connection *connection, uint32_t bytes)
{
    const struct congestion *congestion = &connection->congestion;
    bool slow_start = congestion->cwnd < congestion->ssthresh;
    const struct jump *jump = &connection->jump;
    bool jumping = jump->phase == JUMP_UNVALIDATED;
    bool careful = connection->window_policy == TCPCT_WINDOW_CAREFUL;
    uint64_t tenths = slow_start || jumping ? 20 : 12; /* of the gain */
    if (jumping && careful)                            /* RFC 9959, 4.3 */
        tenths = 10;
    uint64_t us = 10ull * bytes * connection->rtt.srtt_us / (tenths * congestion->cwnd);
    if (jumping && !careful && jump->taken.rate)
        us = min_u64(us, (uint64_t)bytes * MILLISECOND_US / jump->taken.rate);
    return us;
}

uint32_t pace_burst(const struct tcpct_connection *connection)
{
    uint64_t segment_us = duration_us(connection, connection->mss);
    uint64_t segments = max_u64(BURST_SEGMENTS, BURST_US / max_u64(segment_us, 1));
    return (uint32_t)min_u64(segments * connection->mss, UINT32_MAX);
}

bool pace_allows(struct tcpct_connection *connection, uint64_t now_us)
{
    uint64_t slack_us = duration_us(connection, pace_burst(connection));
    if (connection->pace_us < now_us + slack_us || slack_us == 0)
        return true;
    timer_set(connection, TIMER_PACE, connection->pace_us - slack_us + 1);
    return false;
}

void pace_sent(struct tcpct_connection *connection, uint32_t bytes, uint64_t now_us)
{
    connection->pace_us = max_u64(connection->pace_us, now_us) + duration_us(connection, bytes);
}
