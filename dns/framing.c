/* framing.c - DNS messages in a TCP stream: see framing.h. */
#include "framing.h"

#include <stdlib.h>
#include <string.h>

void framing_begin(struct framing *framing)
{
    framing->bytes = framing->own;
    framing->room = sizeof framing->own;
    framing->start = framing->end = 0;
}

void framing_release(struct framing *framing)
{
    if (framing->bytes != framing->own)
        free(framing->bytes);
    framing_begin(framing);
}

size_t framing_space(const struct framing *framing, uint8_t **space)
{
    *space = framing->bytes + framing->end;
    return framing->room - framing->end;
}

void framing_add(struct framing *framing, size_t size)
{
    framing->end += size;
}

bool framing_is_empty(const struct framing *framing)
{
    return framing->start == framing->end;
}

/* Makes room for a frame of `size` bytes of which some are here. A larger buffer is exactly that
 * large, so nothing of the next frame gets into it. */
static bool make_room(struct framing *framing, size_t size)
{
    size_t held = framing->end - framing->start;
    uint8_t *bytes = framing->bytes;
    if (size > framing->room && !(bytes = malloc(size)))
        return false;
    memmove(bytes, framing->bytes + framing->start, held);
    framing->start = 0;
    framing->end = held;
    if (bytes != framing->bytes) {
        framing->bytes = bytes;
        framing->room = size;
    }
    return true;
}

enum framing_verdict framing_next(struct framing *framing, const uint8_t **message, size_t *size)
{
    if (framing_is_empty(framing))
        framing_release(framing);
    const uint8_t *frame = framing->bytes + framing->start;
    size_t held = framing->end - framing->start;
    size_t length = held >= 2 ? dns_get16(frame) : 0;
    if (held >= 2 && length < DNS_HEADER_SIZE)
        return FRAMING_TOO_SHORT;
    if (held < 2 || held < 2 + length)
        return make_room(framing, 2 + length) ? FRAMING_MORE : FRAMING_NO_MEMORY;
    *message = frame + 2;
    *size = length;
    framing->start += 2 + length;
    return FRAMING_MESSAGE;
}
