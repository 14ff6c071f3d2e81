/* cubic.c - CUBIC (RFC 9438): after a loss the window returns along a cubic curve of the time
 * since then, flat around the window at which the loss happened.
 */
#include "congestion.h"
#include "seq.h"

static const double C = 0.4, BETA = 0.7;

static double cube_root(double x)
{
    double root = x < 1 ? 1 : x;
    if (x <= 0)
        return 0;
    for (unsigned i = 0; i < 48; i++) /* Newton; each step gains a third at worst */
        root -= (root - x / (root * root)) / 3;
    return root;
}

static void begin_epoch(struct congestion *congestion, uint64_t now_us)
{
    struct cubic *cubic = &congestion->cubic;
    double cwnd = congestion->cwnd, mss = congestion->mss;
    cubic->epoch_us = now_us;
    cubic->w_est = cwnd;
    if (cubic->w_max <= cwnd) { /* also after a slow start without loss */
        cubic->w_max = cwnd;
        cubic->k = 0;
    } else {
        cubic->k = cube_root((cubic->w_max - cwnd) / mss / C); /* (2) */
    }
}

/* (1), in bytes */
static double window_at(const struct congestion *congestion, double seconds)
{
    double t = seconds - congestion->cubic.k;
    return C * t * t * t * congestion->mss + congestion->cubic.w_max;
}

static void cubic_avoid(struct congestion *congestion, const struct congestion_sample *sample)
{
    struct cubic *cubic = &congestion->cubic;
    double cwnd = congestion->cwnd;
    if (!cubic->epoch_us)
        begin_epoch(congestion, sample->now_us);
    cubic->updated_us = sample->now_us;
    double t = (double)(sample->now_us - cubic->epoch_us) / SECOND_US;
    double target = window_at(congestion, t + (double)sample->srtt_us / SECOND_US);
    target = target < cwnd ? cwnd : target > 1.5 * cwnd ? 1.5 * cwnd : target; /* 4.2 */

    double alpha = cubic->w_est >= cubic->cwnd_prior ? 1 : 3 * (1 - BETA) / (1 + BETA); /* 4.3 */
    cubic->w_est += alpha * sample->bytes * congestion->mss / cwnd;
    if (window_at(congestion, t) < cubic->w_est)
        congestion_grow(congestion, cubic->w_est > cwnd ? cubic->w_est - cwnd : 0);
    else
        congestion_grow(congestion, (target - cwnd) / cwnd * sample->bytes);
}

static uint32_t cubic_reduced(struct congestion *congestion, uint32_t in_flight)
{
    struct cubic *cubic = &congestion->cubic;
    double cwnd = congestion->cwnd;
    cubic->cwnd_prior = cwnd;
    cubic->w_max = cwnd < cubic->w_max ? cwnd * (1 + BETA) / 2 : cwnd; /* 4.7: fast convergence */
    cubic->epoch_us = 0;
    return max_u32((uint32_t)(BETA * in_flight), 2 * congestion->mss); /* 4.6 */
}

const struct congestion_control congestion_cubic = {
    .name = "cubic",
    .avoid = cubic_avoid,
    .reduced = cubic_reduced,
};
