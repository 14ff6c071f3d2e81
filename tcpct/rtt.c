#include "rtt.h"

#include "seq.h"

/* G of RFC 6298: the clock is in microseconds, but timers are served once a loop turn. */
enum { GRANULARITY_US = 1000 };

static void compute(struct rtt *rtt)
{
    uint64_t rto = RTO_INITIAL_US;
    if (rtt->srtt_us)
        rto = rtt->srtt_us + max_u64(GRANULARITY_US, 4 * rtt->rttvar_us);
    rtt->rto_us = min_u64(max_u64(rto, RTO_MIN_US), RTO_MAX_US);
}

void rtt_init(struct rtt *rtt)
{
    *rtt = (struct rtt){ 0 };
    compute(rtt);
}

void rtt_sample(struct rtt *rtt, uint64_t sample_us)
{
    if (sample_us == 0)
        sample_us = 1;
    if (rtt->srtt_us == 0) { /* (2.2) */
        rtt->srtt_us = sample_us;
        rtt->rttvar_us = sample_us / 2;
    } else { /* (2.3) */
        uint64_t difference =
            rtt->srtt_us > sample_us ? rtt->srtt_us - sample_us : sample_us - rtt->srtt_us;
        rtt->rttvar_us = (3 * rtt->rttvar_us + difference) / 4;
        rtt->srtt_us = (7 * rtt->srtt_us + sample_us) / 8;
    }
    if (rtt->min_us == 0 || sample_us < rtt->min_us)
        rtt->min_us = sample_us;
    compute(rtt);
}

void rtt_lost_syn(struct rtt *rtt)
{
    rtt->rto_us = RTO_LOST_SYN_US;
}

void rtt_back_off(struct rtt *rtt)
{
    rtt->rto_us = min_u64(2 * rtt->rto_us, RTO_MAX_US);
}

void rtt_restore(struct rtt *rtt)
{
    compute(rtt);
}
