/* checksum.h - the Internet checksum (RFC 1071), in pieces.
 *
 * A sum is the total of 16-bit words in network order, carries not yet folded in. Add the
 * pieces, fold once, and complement: (uint16_t)~checksum_fold(sum) goes into a header, and the
 * fold over a header that carries a right checksum is 0xffff.
 */
#ifndef TCPCT_CHECKSUM_H
#define TCPCT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Adds `size` bytes to `sum`. An odd last byte counts as the high half of a word, so only the
 * last piece may have an odd size. */
uint32_t checksum_add(uint32_t sum, const void *bytes, size_t size);

/* The sum in 16 bits, not complemented. */
static inline uint16_t checksum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

#endif
