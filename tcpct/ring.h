/* ring.h - a byte ring: the send buffer (bytes from SND.UNA on) and the receive buffer (bytes
 * not yet read, then the receive window, into which segments out of order are written in place).
 *
 * Offsets count from the first byte held. The capacity is a power of two; a ring without memory
 * has capacity 0, and grows when it is first needed.
 */
#ifndef TCPCT_RING_H
#define TCPCT_RING_H

#include "memory.h"

struct ring {
    uint8_t *bytes;
    uint32_t capacity;
    uint32_t head; /* index of the first byte held */
    uint32_t used; /* bytes held in order */
};

/* Makes room for `capacity` bytes or more, keeping `keep` bytes from the head (used ones and
 * those written beyond them). False: no memory; the ring is as it was. */
bool ring_grow(struct ring *ring, struct memory *memory, uint32_t capacity, uint32_t keep);
void ring_free(struct ring *ring, struct memory *memory);

/* Copies to and from `offset`; offset + size must be within the capacity. */
void ring_put(struct ring *ring, uint32_t offset, const uint8_t *bytes, uint32_t size);
void ring_get(const struct ring *ring, uint32_t offset, uint8_t *bytes, uint32_t size);

/* Points at the first byte held; returns how many lie there in one piece. */
uint32_t ring_peek(const struct ring *ring, const void **bytes);

/* Appends after the bytes held; returns how many of `size` fit. */
uint32_t ring_append(struct ring *ring, const uint8_t *bytes, uint32_t size);
/* Drops bytes at the head: size is at most used. */
void ring_drop(struct ring *ring, uint32_t size);

#endif
