/* checksum.c - the Internet checksum, eight bytes at a time.
 *
 * A one's-complement sum may be taken over wider words and in either byte order, and put right at
 * the end (RFC 1071, 2). Two running totals let the processor add them side by side.
 */
#include "checksum.h"

#include <string.h>

#include "wire.h"

static uint64_t add_carry(uint64_t total, uint64_t word)
{
    total += word;
    return total + (total < word);
}

static uint64_t load(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* The last 0 to 7 bytes, followed by zeros. */
static uint64_t load_rest(const uint8_t *bytes, size_t size)
{
    uint8_t rest[8] = { 0 };
    for (size_t i = 0; i < size; i++)
        rest[i] = bytes[i];
    return load(rest);
}

uint32_t checksum_add(uint32_t sum, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t even = 0, odd = 0;

    for (; size >= 32; size -= 32, at += 32) {
        even = add_carry(even, load(at));
        odd = add_carry(odd, load(at + 8));
        even = add_carry(even, load(at + 16));
        odd = add_carry(odd, load(at + 24));
    }
    for (; size >= 8; size -= 8, at += 8)
        even = add_carry(even, load(at));
    if (size > 0)
        odd = add_carry(odd, load_rest(at, size));

    uint64_t total = add_carry(even, odd);
    total = (total & 0xffffffff) + (total >> 32);
    total = (total & 0xffffffff) + (total >> 32);
    uint16_t folded = checksum_fold((uint32_t)total);

    uint8_t in_memory[2]; /* the words were added as they lie in memory */
    memcpy(in_memory, &folded, sizeof in_memory);
    return sum + wire_get16(in_memory);
}
