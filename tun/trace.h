/* trace.h - a link whose rate was recorded, in the format of Mahimahi: a list of the milliseconds at which
 * it could deliver 1500 bytes, which begins again when it has come to its end.
 *
 * At each of these opportunities waiting packets leave, several small ones or a part of a large one;
 * what is not used is lost.
 */
#ifndef TUN_TRACE_H
#define TUN_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_BYTES = 1500 };

/* Never falling; the last, which is above 0, is when the list begins again. */
struct trace {
    size_t count;
    uint32_t *at_ms;
};

bool trace_is_sound(const struct trace *trace);

/* An opportunity, and what is left of it. All zero: before the first. */
struct trace_place {
    bool begun;
    uint64_t round;
    size_t index;
    uint32_t left; /* bytes */
};

/* When the last byte of a packet leaves that may be sent from `from_ns` on; both since the trace began.
 * `from_ns` must not be before what was returned last. */
uint64_t trace_send(const struct trace *trace, struct trace_place *place, uint64_t from_ns,
                    uint32_t size);

#endif
