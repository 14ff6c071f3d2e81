/* rtt.h - round-trip time and retransmission timeout (RFC 6298). */
#ifndef TCPCT_RTT_H
#define TCPCT_RTT_H

#include <stdint.h>

enum {
    RTO_INITIAL_US = 1000000,  /* RFC 6298, (2.1) */
    RTO_LOST_SYN_US = 3000000, /* (5.7) */
    RTO_MIN_US = 200000,       /* (2.4) would have 1 s; every stack in use has 200 ms or less */
    RTO_MAX_US = 60000000,     /* (2.5) */
};

struct rtt {
    uint64_t srtt_us; /* 0: no sample yet */
    uint64_t rttvar_us;
    uint64_t min_us; /* 0: no sample yet */
    uint64_t rto_us; /* with backoff */
};

void rtt_init(struct rtt *rtt);
void rtt_sample(struct rtt *rtt, uint64_t sample_us);
/* The exchange of <SYN>s had to be repeated and gave no sample (5.7). */
void rtt_lost_syn(struct rtt *rtt);
/* Doubles the timeout (5.5). */
void rtt_back_off(struct rtt *rtt);
/* Takes the backoff away: new data was acknowledged. */
void rtt_restore(struct rtt *rtt);

#endif
