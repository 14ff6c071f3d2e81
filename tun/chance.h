/* chance.h - numbers that look random and follow from a seed. */
#ifndef TUN_CHANCE_H
#define TUN_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

/* SplitMix64 (Steele, Lea, Flood 2014): a counter, well mixed. */
static inline uint64_t chance_next(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

/* Takes a number only if the probability is above 0. */
static inline bool chance_happens(uint64_t *state, double probability)
{
    return probability > 0 && (double)(chance_next(state) >> 11) < probability * 0x1p53;
}

#endif
