/* prefixes.h - a list of address prefixes: who may do something. */
#ifndef DNS_PREFIXES_H
#define DNS_PREFIXES_H

#include "tcpct/tcpct.h"

struct prefix {
    struct tcpct_address address;
    uint8_t length; /* bits */
};

struct prefixes {
    const struct prefix *list;
    size_t count;
};

bool prefixes_contain(const struct prefixes *prefixes, const struct tcpct_address *address);

#endif
