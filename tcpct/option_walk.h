/* option_walk.h - one step from option to option, the same for reading options and for filling a
 * layout. Within the codec only.
 */
#ifndef TCPCT_OPTION_WALK_H
#define TCPCT_OPTION_WALK_H

#include "options.h"
#include "wire.h"

enum {
    OPTION_COOKIES = OPTION_COOKIE | OPTION_COOKIE_PAIR | OPTION_COOKIE_LESS,
    OPTION_BOTH_TIMESTAMPS = OPTION_TIMESTAMPS | OPTION_TIMESTAMPS_EXTENDED,
    OPTION_INVALID = 1 << 30, /* a known kind with a length that it cannot have */
};

struct option_item {
    uint32_t bit; /* enum option_bit, OPTION_INVALID, or 0 for an unknown kind */
    uint8_t kind;
    size_t size; /* of the value */
    const uint8_t *value;
};

enum option_step {
    OPTION_STEP_ITEM,
    OPTION_STEP_END,
    OPTION_STEP_MALFORMED, /* a length below 2 or past the end */
};

static inline uint32_t option_if(bool valid, uint32_t bit)
{
    return valid ? bit : (uint32_t)OPTION_INVALID;
}

/* What an option of this kind and value size is. `extended`: after kind 254. */
static inline uint32_t option_identify(uint8_t kind, size_t size, bool extended)
{
    switch (kind) {
    case OPTION_KIND_MSS:
        return option_if(size == 2, OPTION_MSS);
    case OPTION_KIND_WINDOW_SCALE:
        return option_if(size == 1, OPTION_WINDOW_SCALE);
    case OPTION_KIND_SACK_PERMITTED:
        return option_if(size == 0, OPTION_SACK_PERMITTED);
    case OPTION_KIND_SACK:
        return option_if(size > 0 && size % 8 == 0, OPTION_SACK);
    case OPTION_KIND_TIMESTAMPS:
        return option_if(size == 8, OPTION_TIMESTAMPS);
    case OPTION_KIND_MD5:
        return option_if(size == 16, OPTION_MD5);
    case OPTION_KIND_USER_TIMEOUT:
        return option_if(size == 2, OPTION_USER_TIMEOUT);
    case OPTION_KIND_AUTHENTICATION: /* RFC 5925, 2.2 */
        return option_if(size >= 2, OPTION_AUTHENTICATION);
    case OPTION_KIND_FAST_OPEN: /* RFC 7413, 4.1.1 */
        return option_if(size == 0 || (size >= 4 && size <= 16 && size % 2 == 0), OPTION_FAST_OPEN);
    case OPTION_KIND_COOKIE: /* RFC 6013, 3.1 to 3.3 */
        if (size == 0)
            return OPTION_COOKIE_LESS;
        if (extended && size > 2 * COOKIE_SIZE_MAX)
            return option_if(size <= SEAL_SIZE_MAX, OPTION_SEAL);
        if (extended)
            return option_if(size >= 2 * COOKIE_SIZE_MIN && size <= 2 * COOKIE_SIZE_MAX &&
                                 size % 4 == 0,
                             OPTION_COOKIE_PAIR);
        return option_if(size >= COOKIE_SIZE_MIN && size <= COOKIE_SIZE_MAX && size % 2 == 0,
                         OPTION_COOKIE);
    case OPTION_KIND_TIMESTAMPS_EXTENDED:
        return option_if(size == 2, OPTION_TIMESTAMPS_EXTENDED);
    default:
        return 0;
    }
}

/* The next option at `wire`, past any NOP. */
static inline enum option_step option_next(struct wire *wire, struct option_item *item,
                                           bool extended)
{
    do {
        if (wire_left(wire) == 0)
            return OPTION_STEP_END;
        item->kind = wire_read8(wire);
    } while (item->kind == OPTION_KIND_NOP);
    if (item->kind == OPTION_KIND_EOL)
        return OPTION_STEP_END;

    uint8_t length = wire_read8(wire);
    if (length < 2)
        return OPTION_STEP_MALFORMED;
    item->size = length - 2u;
    item->value = wire_skip(wire, item->size);
    if (item->value == NULL)
        return OPTION_STEP_MALFORMED;
    item->bit = option_identify(item->kind, item->size, extended);
    return OPTION_STEP_ITEM;
}

#endif
