/* framing.h - DNS messages in a TCP stream (RFC 1035, 4.2.2; RFC 7766, 8): two bytes of length,
 * then the message, any number of them, cut by TCP anywhere.
 *
 *     while there is something to read:
 *         read up to framing_space() bytes to where it points, tell framing_add() how many
 *         while framing_next() gives a message: use it
 *
 * It holds what has been read and not yet given out: up to 512 bytes within itself, and only
 * while a longer message arrives a piece of memory of that message's size.
 */
#ifndef DNS_FRAMING_H
#define DNS_FRAMING_H

#include "message.h"

enum { FRAMING_OWN_SIZE = 512 };

struct framing {
    uint8_t *bytes;    /* own, or allocated */
    size_t room;       /* of bytes */
    size_t start, end; /* what is in it */
    uint8_t own[FRAMING_OWN_SIZE];
};

enum framing_verdict {
    FRAMING_MESSAGE,
    FRAMING_MORE,      /* no whole message is here yet */
    FRAMING_TOO_SHORT, /* a message shorter than a DNS header: the stream is out of step */
    FRAMING_NO_MEMORY,
};

void framing_begin(struct framing *framing);
void framing_release(struct framing *framing);

/* Free bytes, and where they are. Above zero after framing_next said FRAMING_MORE. */
size_t framing_space(const struct framing *framing, uint8_t **space);
void framing_add(struct framing *framing, size_t size);

/* The next message. It stays where it is until the next call of any function here. After
 * FRAMING_TOO_SHORT and FRAMING_NO_MEMORY nothing more can be had from this stream. */
enum framing_verdict framing_next(struct framing *framing, const uint8_t **message, size_t *size);

/* Nothing is held: the stream stands between two messages. */
bool framing_is_empty(const struct framing *framing);

#endif
