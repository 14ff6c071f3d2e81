#include "congestion.h"

#include "seq.h"

enum { NON_VALIDATED_US = 300 * SECOND_US }; /* RFC 7661, 4.1: five minutes */

/* RFC 9406, 4.3 */
enum {
    RTT_THRESHOLD_MIN_US = 4 * MILLISECOND_US,
    RTT_THRESHOLD_MAX_US = 16 * MILLISECOND_US,
    RTT_DIVISOR = 8,
    RTT_SAMPLES = 8,
    GROWTH_DIVISOR = 4,
    CONSERVATIVE_ROUNDS = 5,
};

uint32_t congestion_initial(uint32_t mss) /* RFC 6928, 2 */
{
    return min_u32(10 * mss, max_u32(2 * mss, 14600));
}

void congestion_idle(struct congestion *congestion, uint64_t idle_us)
{
    uint64_t periods = idle_us / NON_VALIDATED_US;
    if (periods == 0)
        return;
    congestion->ssthresh = max_u32(congestion->ssthresh, congestion->cwnd / 4 * 3);
    congestion->cwnd = max_u32(periods < 32 ? congestion->cwnd >> periods : 0,
                               min_u32(congestion->cwnd, congestion_initial(congestion->mss)));
    congestion->cubic.epoch_us = 0;
}

void congestion_unused(struct congestion *congestion, uint64_t now_us)
{
    struct cubic *cubic = &congestion->cubic;
    if (cubic->epoch_us)
        cubic->epoch_us += now_us - cubic->updated_us;
    cubic->updated_us = now_us;
}

void congestion_init(struct congestion *congestion, const struct congestion_control *control,
                     uint32_t mss)
{
    *congestion = (struct congestion){
        .control = control,
        .mss = mss,
        .cwnd = congestion_initial(mss),
        .ssthresh = UINT32_MAX,
    };
}

void congestion_grow(struct congestion *congestion, double bytes)
{
    const uint32_t limit = UINT32_MAX / 4;
    congestion->fraction += bytes;
    uint32_t whole = congestion->fraction < limit ? (uint32_t)congestion->fraction : limit;
    congestion->fraction -= whole;
    congestion->cwnd = min_u32(congestion->cwnd + whole, limit);
}

static void begin_round(struct hystart *hystart, const struct congestion_sample *sample)
{
    hystart->started = true;
    hystart->round_end = sample->snd_nxt;
    hystart->last_round_us = hystart->this_round_us;
    hystart->this_round_us = 0;
    hystart->samples = 0;
}

/* Whether this round's RTT says that a queue is building. */
static bool delay_has_grown(const struct hystart *hystart)
{
    if (hystart->samples < RTT_SAMPLES || !hystart->last_round_us)
        return false;
    uint64_t threshold = min_u64(
        max_u64(hystart->last_round_us / RTT_DIVISOR, RTT_THRESHOLD_MIN_US), RTT_THRESHOLD_MAX_US);
    return hystart->this_round_us >= hystart->last_round_us + threshold;
}

/* HyStart++ (RFC 9406): doubles each round, until the delay grows; then a quarter as fast, until
 * that turns out to have been a mistake, or five rounds have passed. */
static void slow_start(struct congestion *congestion, const struct congestion_sample *sample)
{
    struct hystart *hystart = &congestion->hystart;
    bool round_over = hystart->started && seq_leq(hystart->round_end, sample->snd_una);
    if (round_over && hystart->conservative && ++hystart->rounds >= CONSERVATIVE_ROUNDS) {
        congestion->ssthresh = congestion->cwnd;
        return;
    }
    if (round_over || !hystart->started)
        begin_round(hystart, sample);
    if (sample->rtt_us) {
        uint64_t least = hystart->this_round_us ? hystart->this_round_us : UINT64_MAX;
        hystart->this_round_us = min_u64(least, sample->rtt_us);
        if (hystart->samples < RTT_SAMPLES)
            hystart->samples++;
    }
    congestion_grow(congestion, hystart->conservative ? (double)sample->bytes / GROWTH_DIVISOR
                                                      : (double)sample->bytes);
    if (!hystart->conservative && delay_has_grown(hystart)) {
        hystart->conservative = true;
        hystart->rounds = 0;
        hystart->baseline_us = hystart->this_round_us;
    } else if (hystart->conservative && hystart->samples >= RTT_SAMPLES &&
               hystart->this_round_us < hystart->baseline_us) {
        hystart->conservative = false;
    }
}

void congestion_acknowledged(struct congestion *congestion, const struct congestion_sample *sample)
{
    if (congestion->cwnd < congestion->ssthresh)
        slow_start(congestion, sample);
    else
        congestion->control->avoid(congestion, sample);
}

/* ---- NewReno ------------------------------------------------------------------------------- */

static void newreno_avoid(struct congestion *congestion, const struct congestion_sample *sample)
{
    congestion_grow(congestion, (double)sample->bytes * congestion->mss / congestion->cwnd);
}

static uint32_t newreno_reduced(struct congestion *congestion, uint32_t in_flight)
{
    return max_u32(in_flight / 2, 2 * congestion->mss); /* RFC 5681, (4) */
}

const struct congestion_control congestion_newreno = {
    .name = "newreno",
    .avoid = newreno_avoid,
    .reduced = newreno_reduced,
};
