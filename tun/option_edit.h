/* option_edit.h - what middleboxes do to the options of a TCP header, as bytes.
 *
 * A box need not know a kind to step over it, so there is no codec here: options that it was not
 * asked about, NOPs among them, stay byte for byte. What stands behind a malformed length stays as
 * it is. Each function writes at most 40 bytes to `to`, a multiple of 4, and returns how many.
 */
#ifndef TUN_OPTION_EDIT_H
#define TUN_OPTION_EDIT_H

#include "tcpct/options.h"
#include "tun/middlebox.h"

/* Bytes of the option that begins here; 0: there is none, or its length is wrong. */
static inline size_t option_at(const uint8_t *bytes, size_t left)
{
    if (left == 0 || bytes[0] == OPTION_KIND_EOL)
        return 0;
    if (bytes[0] == OPTION_KIND_NOP)
        return 1;
    return left >= 2 && bytes[1] >= 2 && bytes[1] <= left ? bytes[1] : 0;
}

/* What an old box does not know: all but MSS, window scale, SACK and Timestamps. */
void option_kinds_add_unknown(struct option_kinds *kinds);

/* Whether an option of these kinds is there. */
bool option_edit_has(const struct option_kinds *kinds, const uint8_t *options, size_t size);

/* Strips, blanks and zeroes what `way` says. */
size_t option_edit_remove(const struct middlebox_way *way, const uint8_t *from, size_t size,
                          uint8_t *to);

/* The last option first, without what padded them. Malformed ones: unchanged. */
size_t option_edit_reverse(const uint8_t *from, size_t size, uint8_t *to);

/* `from`, with the options of `given` of these kinds in place of its own of the same kind, or, if
 * it has none and there is room, behind the others. */
size_t option_edit_copy(const struct option_kinds *kinds, const uint8_t *given, size_t given_size,
                        const uint8_t *from, size_t size, uint8_t *to);

#endif
