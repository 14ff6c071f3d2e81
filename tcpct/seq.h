/* seq.h - arithmetic of sequence numbers and timestamps, modulo 2^32 (RFC 9293, 3.4; RFC 7323,
 * 5.2), and the units of time.
 */
#ifndef TCPCT_SEQ_H
#define TCPCT_SEQ_H

#include <stdbool.h>
#include <stdint.h>

static inline bool seq_lt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool seq_leq(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

/* start <= x < end */
static inline bool seq_within(uint32_t x, uint32_t start, uint32_t end)
{
    return x - start < end - start;
}

static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
    return seq_lt(a, b) ? b : a;
}

static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
    return seq_lt(a, b) ? a : b;
}

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* RFC 7323, 5.3, R1: PAWS, with a TS.Recent of that age; 5.5 for how long it serves. */
static inline bool timestamp_is_old(uint32_t value, uint32_t ts_recent, uint64_t age_us)
{
    const uint64_t life_us = 24ull * 86400 * 1000000;
    return seq_lt(value, ts_recent) && age_us < life_us;
}

enum { MILLISECOND_US = 1000, SECOND_US = 1000000 };

static inline uint32_t time_s(uint64_t us)
{
    return (uint32_t)(us / SECOND_US);
}

#endif
