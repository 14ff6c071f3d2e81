/* congestion.h - congestion control behind a small table of functions.
 *
 * The table decides how the window grows and by how much it falls; when it falls is loss
 * recovery's business (recovery.h). Slow start, with HyStart++, is the same for all (RFC 9406).
 */
#ifndef TCPCT_CONGESTION_H
#define TCPCT_CONGESTION_H

#include <stdbool.h>
#include <stdint.h>

struct congestion;

/* What an acknowledgment tells the window. */
struct congestion_sample {
    uint32_t bytes; /* newly acknowledged */
    uint32_t snd_una, snd_nxt;
    uint64_t rtt_us; /* of this acknowledgment; 0: no sample */
    uint64_t srtt_us;
    uint64_t now_us;
};

struct congestion_control {
    const char *name;
    /* Congestion avoidance: bytes were acknowledged, and the window was used. */
    void (*avoid)(struct congestion *congestion, const struct congestion_sample *sample);
    /* Loss or CE: the new ssthresh, `in_flight` bytes being out. */
    uint32_t (*reduced)(struct congestion *congestion, uint32_t in_flight);
};

/* RFC 9406, 4.2: rounds are counted by sequence numbers. */
struct hystart {
    bool started;      /* round_end is set */
    bool conservative; /* Conservative Slow Start */
    uint8_t samples;   /* RTT samples in this round */
    uint8_t rounds;    /* of Conservative Slow Start */
    uint32_t round_end;
    uint64_t last_round_us, this_round_us; /* minimum RTTs; 0: none */
    uint64_t baseline_us;                  /* when Conservative Slow Start began */
};

/* RFC 9438, 4.1. Windows in bytes. */
struct cubic {
    double w_max, w_est, k; /* k in seconds */
    double cwnd_prior;
    uint64_t epoch_us;   /* 0: none */
    uint64_t updated_us; /* up to when the window was needed, or that time was taken out */
};

struct congestion {
    const struct congestion_control *control;
    uint32_t mss;
    uint32_t cwnd, ssthresh; /* bytes */
    double fraction;         /* bytes of an increase that is not yet a whole byte */
    struct hystart hystart;
    struct cubic cubic;
};

extern const struct congestion_control congestion_newreno; /* RFC 5681, RFC 6582 */
extern const struct congestion_control congestion_cubic;   /* RFC 9438 */

/* IW10 (RFC 6928). */
uint32_t congestion_initial(uint32_t mss);
void congestion_init(struct congestion *congestion, const struct congestion_control *control,
                     uint32_t mss);
/* Slow start or congestion avoidance, for what an acknowledgment brought. */
void congestion_acknowledged(struct congestion *congestion, const struct congestion_sample *sample);
/* The window was not needed since it last grew: for CUBIC that time has not passed (RFC 9438, 4.2 and
 * 5.8). */
void congestion_unused(struct congestion *congestion, uint64_t now_us);
/* Nothing was sent for this long: what the window says of the path has aged (RFC 7661, 4.4.3). */
void congestion_idle(struct congestion *congestion, uint64_t idle_us);
/* Adds `bytes`, which need not be whole, to the window. */
void congestion_grow(struct congestion *congestion, double bytes);

#endif
