/* prefixes.c - a list of address prefixes: see prefixes.h. */
#include "prefixes.h"

#include <string.h>

static bool contains(const struct prefix *prefix, const struct tcpct_address *address)
{
    size_t bytes = prefix->length / 8;
    uint8_t mask = (uint8_t)(0xff00 >> prefix->length % 8);
    return prefix->address.family == address->family &&
           memcmp(prefix->address.bytes, address->bytes, bytes) == 0 &&
           (mask == 0 || ((prefix->address.bytes[bytes] ^ address->bytes[bytes]) & mask) == 0);
}

bool prefixes_contain(const struct prefixes *prefixes, const struct tcpct_address *address)
{
    for (size_t i = 0; i < prefixes->count; i++)
        if (contains(&prefixes->list[i], address))
            return true;
    return false;
}
