/* wire.h - one cursor over bytes in network order, for reading and for writing.
 *
 * Its error is sticky: the first access past the end sets `failed`, moves nothing, and every
 * later access fails as well. Failed reads give zeros, so a decoder may read a whole header and
 * look once, at the end, whether it was there.
 */
#ifndef TCPCT_WIRE_H
#define TCPCT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Plain loads and stores, for places whose bounds are known already. */
static inline uint16_t wire_get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t wire_get32(const uint8_t *bytes)
{
    return (uint32_t)wire_get16(bytes) << 16 | wire_get16(bytes + 2);
}

static inline void wire_put16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static inline void wire_put32(uint8_t *bytes, uint32_t value)
{
    wire_put16(bytes, (uint16_t)(value >> 16));
    wire_put16(bytes + 2, (uint16_t)value);
}

struct wire {
    const uint8_t *in;
    uint8_t *out; /* the same bytes; NULL for a reader, which fails every write */
    size_t size, position;
    bool failed;
};

static inline struct wire wire_reader(const uint8_t *bytes, size_t size)
{
    return (struct wire){ .in = bytes, .size = size };
}

static inline struct wire wire_writer(uint8_t *bytes, size_t size)
{
    return (struct wire){ .in = bytes, .out = bytes, .size = size };
}

/* Bytes that can still be read or written; 0 after a failure. */
static inline size_t wire_left(const struct wire *wire)
{
    return wire->failed ? 0 : wire->size - wire->position;
}

/* Moves past `size` bytes and returns where they begin, or NULL. */
static inline const uint8_t *wire_skip(struct wire *wire, size_t size)
{
    if (wire->failed || wire->size - wire->position < size) {
        wire->failed = true;
        return NULL;
    }
    wire->position += size;
    return wire->in + (wire->position - size);
}

/* As wire_skip, for `size` bytes to be filled by the caller. */
static inline uint8_t *wire_claim(struct wire *wire, size_t size)
{
    if (wire->out == NULL || wire_skip(wire, size) == NULL) {
        wire->failed = true;
        return NULL;
    }
    return wire->out + (wire->position - size);
}

static inline uint8_t wire_read8(struct wire *wire)
{
    const uint8_t *at = wire_skip(wire, 1);
    return at != NULL ? *at : 0;
}

static inline uint16_t wire_read16(struct wire *wire)
{
    const uint8_t *at = wire_skip(wire, 2);
    return at != NULL ? wire_get16(at) : 0;
}

static inline uint32_t wire_read32(struct wire *wire)
{
    const uint8_t *at = wire_skip(wire, 4);
    return at != NULL ? wire_get32(at) : 0;
}

static inline void wire_write8(struct wire *wire, uint8_t value)
{
    uint8_t *at = wire_claim(wire, 1);
    if (at != NULL)
        *at = value;
}

static inline void wire_write16(struct wire *wire, uint16_t value)
{
    uint8_t *at = wire_claim(wire, 2);
    if (at != NULL)
        wire_put16(at, value);
}

static inline void wire_write32(struct wire *wire, uint32_t value)
{
    uint8_t *at = wire_claim(wire, 4);
    if (at != NULL)
        wire_put32(at, value);
}

/* Reads `size` bytes, or gives as many zeros. */
void wire_read(struct wire *wire, void *bytes, size_t size);

/* Writes `size` bytes, all or none. */
void wire_write(struct wire *wire, const void *bytes, size_t size);

/* Writes `count` times `byte`, all or none. */
void wire_fill(struct wire *wire, uint8_t byte, size_t count);

#endif
