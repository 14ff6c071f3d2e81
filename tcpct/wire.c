/* wire.c - the cursor's accesses to more than one integer. */
#include "wire.h"

#include <string.h>

void wire_read(struct wire *wire, void *bytes, size_t size)
{
    const uint8_t *at = wire_skip(wire, size);
    if (size == 0)
        return;
    if (at != NULL)
        memcpy(bytes, at, size);
    else
        memset(bytes, 0, size);
}

void wire_write(struct wire *wire, const void *bytes, size_t size)
{
    uint8_t *at = wire_claim(wire, size);
    if (at != NULL && size > 0)
        memcpy(at, bytes, size);
}

void wire_fill(struct wire *wire, uint8_t byte, size_t count)
{
    uint8_t *at = wire_claim(wire, count);
    if (at != NULL && count > 0)
        memset(at, byte, count);
}
