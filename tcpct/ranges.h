/* ranges.h - what has arrived out of order, as ranges of sequence numbers, the most recent first:
 * the order in which SACK reports them (RFC 2018, 4).
 */
#ifndef TCPCT_RANGES_H
#define TCPCT_RANGES_H

#include "options.h"

enum { RANGES_MAX = 32 };

struct ranges {
    uint8_t count;
    struct sack_block item[RANGES_MAX]; /* disjoint and not adjacent */
};

/* Adds [start, end), merging what it touches; the result becomes the first. False: it is full
 * and nothing was touched, so the data must be discarded. */
bool ranges_add(struct ranges *ranges, uint32_t start, uint32_t end);

/* If a range begins at or before `next`, removes it and returns its end, else returns `next`. */
uint32_t ranges_advance(struct ranges *ranges, uint32_t next);

/* Whether every byte of [start, end) is there. */
bool ranges_contain(const struct ranges *ranges, uint32_t start, uint32_t end);

/* One past the highest byte there, or `next` if there is none. */
uint32_t ranges_highest(const struct ranges *ranges, uint32_t next);

#endif
