/* sequence_shift.h - other sequence numbers on the other side of a middlebox: what is added follows from
 * the connection, so that nothing is kept. Acknowledgments and SACK are changed to match.
 */
#ifndef TUN_SEQUENCE_SHIFT_H
#define TUN_SEQUENCE_SHIFT_H

#include "tun/passing.h"

/* A TCP segment. */
void sequence_shift(struct passing *passing, uint64_t seed);

#endif
