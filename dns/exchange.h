/* exchange.h - tells of a stream of DNS messages that only passes by whether all that was asked has
 * been answered (RFC 7766, 6.2.1.1: whatever the order). It keeps where the messages begin, not what
 * they say.
 */
#ifndef DNS_EXCHANGE_H
#define DNS_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One direction; starts from zero bytes. */
struct exchange_way {
    uint64_t messages; /* whole ones */
    uint32_t left;     /* bytes of the present one that are still to come */
    uint8_t first;     /* of its length, if that is cut */
    bool cut;
};

struct exchange {
    struct exchange_way queries, answers;
};

/* These bytes passed by in that direction. */
void exchange_pass(struct exchange_way *way, const uint8_t *bytes, size_t size);
/* Something was asked, and as much answered, and neither is within a message. */
bool exchange_is_complete(const struct exchange *exchange);

#endif
