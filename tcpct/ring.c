#include "ring.h"

#include <string.h>

#include "seq.h"

enum { RING_SIZE_MIN = 2048 };

bool ring_grow(struct ring *ring, struct memory *memory, uint32_t capacity, uint32_t keep)
{
    uint32_t size = RING_SIZE_MIN;
    while (size < capacity)
        size *= 2;
    if (size <= ring->capacity)
        return true;
    uint8_t *bytes = memory_buffer(memory, size);
    if (!bytes)
        return false;
    if (ring->capacity)
        ring_get(ring, 0, bytes, min_u32(keep, ring->capacity));
    memory_buffer_free(memory, ring->bytes, ring->capacity);
    ring->bytes = bytes;
    ring->capacity = size;
    ring->head = 0;
    return true;
}

void ring_free(struct ring *ring, struct memory *memory)
{
    memory_buffer_free(memory, ring->bytes, ring->capacity);
    *ring = (struct ring){ 0 };
}

void ring_put(struct ring *ring, uint32_t offset, const uint8_t *bytes, uint32_t size)
{
    if (size == 0)
        return;
    uint32_t index = (ring->head + offset) & (ring->capacity - 1);
    uint32_t first = min_u32(size, ring->capacity - index);
    memcpy(ring->bytes + index, bytes, first);
    memcpy(ring->bytes, bytes + first, size - first);
}

void ring_get(const struct ring *ring, uint32_t offset, uint8_t *bytes, uint32_t size)
{
    if (size == 0)
        return;
    uint32_t index = (ring->head + offset) & (ring->capacity - 1);
    uint32_t first = min_u32(size, ring->capacity - index);
    memcpy(bytes, ring->bytes + index, first);
    memcpy(bytes + first, ring->bytes, size - first);
}

uint32_t ring_peek(const struct ring *ring, const void **bytes)
{
    *bytes = ring->bytes ? ring->bytes + ring->head : NULL;
    return min_u32(ring->used, ring->capacity - ring->head);
}

uint32_t ring_append(struct ring *ring, const uint8_t *bytes, uint32_t size)
{
    size = min_u32(size, ring->capacity - ring->used);
    ring_put(ring, ring->used, bytes, size);
    ring->used += size;
    return size;
}

void ring_drop(struct ring *ring, uint32_t size)
{
    if (ring->capacity)
        ring->head = (ring->head + size) & (ring->capacity - 1);
    ring->used -= size;
}
