/* dig_cookie.h - the client's side of DNS cookies (RFC 7873). */
#ifndef TOOLS_DIG_COOKIE_H
#define TOOLS_DIG_COOKIE_H

#include "dns/edns.h"

enum { DIG_COOKIE_SIZE_MAX = EDNS_CLIENT_COOKIE_SIZE + 32 };

/* The option of a query. */
struct dig_cookie {
    uint8_t option[EDNS_OPTION_HEAD_SIZE + DIG_COOKIE_SIZE_MAX];
    size_t size; /* of the option; 0: there is no cookie */
};

/* Draws the client's part: nothing tells who it is (4.1). */
void dig_cookie_draw(struct dig_cookie *cookie);

/* What a reply says to a cookie: false, that it was bad (BADCOOKIE), and a server's part comes with
 * ours, which is then taken for the next query (5.3). Anything else is true. */
bool dig_cookie_accepted(struct dig_cookie *cookie, const uint8_t *message, size_t size);

#endif
