#include "congestion.h"

#include "seq.h"

void congestion_init(struct congestion *congestion, const struct congestion_control *control,
                     uint32_t mss)
{
    *congestion = (struct congestion){
        .control = control,
        .mss = mss,
        .cwnd = min_u32(10 * mss, max_u32(2 * mss, 14600)), /* RFC 6928, 2 */
        .ssthresh = UINT32_MAX,
    };
}

static void newreno_acknowledged(struct congestion *congestion, uint32_t bytes,
                                 const struct rtt *rtt, uint64_t now_us)
{
    (void)rtt;
    (void)now_us;
    const uint32_t limit = UINT32_MAX / 2;
    if (congestion->cwnd >= limit)
        return;
    if (congestion->cwnd < congestion->ssthresh) { /* slow start, RFC 5681, (2) */
        congestion->cwnd += bytes;
        return;
    }
    congestion->counted += bytes; /* congestion avoidance by byte counting, RFC 5681, 3.1 */
    if (congestion->counted >= congestion->cwnd) {
        congestion->counted -= congestion->cwnd;
        congestion->cwnd += congestion->mss;
    }
}

static uint32_t newreno_reduced(struct congestion *congestion, uint32_t in_flight, uint64_t now_us)
{
    (void)now_us;
    congestion->counted = 0;
    return max_u32(in_flight / 2, 2 * congestion->mss); /* RFC 5681, (4) */
}

const struct congestion_control congestion_newreno = {
    .name = "newreno",
    .acknowledged = newreno_acknowledged,
    .reduced = newreno_reduced,
};
