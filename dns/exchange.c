/* exchange.c - counts messages by their lengths: see exchange.h. */
#include "exchange.h"

void exchange_pass(struct exchange_way *way, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        if (way->left > 0) {
            size_t taken = size < way->left ? size : way->left;
            bytes += taken;
            size -= taken;
            way->left -= (uint32_t)taken;
            way->messages += way->left == 0;
            continue;
        }
        if (way->cut) {
            way->left = (uint32_t)way->first << 8 | *bytes;
            way->messages += way->left == 0; /* an empty one is none, but what else? */
        }
        way->first = *bytes++;
        way->cut = !way->cut;
        size--;
    }
}

bool exchange_is_complete(const struct exchange *exchange)
{
    const struct exchange_way *queries = &exchange->queries, *answers = &exchange->answers;
    return queries->messages > 0 && queries->messages == answers->messages && !queries->cut &&
           !answers->cut && queries->left == 0 && answers->left == 0;
}
