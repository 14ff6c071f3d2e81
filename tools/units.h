/* units.h - quantities as people write them on a command line.
 *
 * A number is decimal, with a fraction where that makes sense ("1.5ms"), and its unit follows
 * without a space. A unit is required wherever one is listed, except for 0. Signs, exponents and
 * anything behind the unit are refused. Each returns false, and leaves the result alone, for what
 * is not such a quantity or is above the limit.
 */
#ifndef TOOLS_UNITS_H
#define TOOLS_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* A whole number from `min` to `max`, without unit. */
bool unit_number(const char *text, uint64_t min, uint64_t max, uint64_t *number);
/* us, ms, s, min, h; rounded to the microsecond. */
bool unit_duration(const char *text, uint64_t max_us, uint64_t *us);
/* bit, kbit, mbit, gbit (powers of 1000), each a second. */
bool unit_rate(const char *text, uint64_t max, uint64_t *bits_per_second);
/* b, kb, mb, gb (powers of 1000), kib, mib, gib (powers of 1024). */
bool unit_size(const char *text, uint64_t max, uint64_t *bytes);
/* "1%", "0.05%": a probability from 0 to 1. */
bool unit_percent(const char *text, double *probability);

#endif
