/* cookies.h - the server's side of DNS cookies (RFC 7873), made as RFC 9018 says, so that any server
 * with the same secret knows them.
 *
 * Cookies are made with the first secret and verified with all. Nothing is kept of a client.
 */
#ifndef DNS_COOKIES_H
#define DNS_COOKIES_H

#include "edns.h"
#include "tcpct/tcpct.h"

enum { DNS_COOKIE_SECRET_SIZE = 16, DNS_COOKIE_SECRETS_MAX = 3 };

struct dns_cookies;

/* With 1 to DNS_COOKIE_SECRETS_MAX secrets; the caller wipes its copy. NULL: no memory. */
struct dns_cookies *dns_cookies_create(const uint8_t secrets[][DNS_COOKIE_SECRET_SIZE],
                                       size_t count);
/* Wipes the secrets. NULL is allowed. */
void dns_cookies_destroy(struct dns_cookies *cookies);

/* Takes these in the place of all. False, and nothing is changed: no memory. */
bool dns_cookies_set(struct dns_cookies *cookies, const uint8_t secrets[][DNS_COOKIE_SECRET_SIZE],
                     size_t count);
/* Makes a new one the first, and drops what is then more than two (RFC 9018, 5, for a server that
 * stands alone: its first two stages are one). False: likewise. */
bool dns_cookies_roll(struct dns_cookies *cookies, const uint8_t secret[DNS_COOKIE_SECRET_SIZE]);

/* Looks at a query's cookie, of at least EDNS_CLIENT_COOKIE_SIZE bytes, and makes the cookie of the
 * reply; times are seconds since 1970. True if its server's part was made for this client, at most an
 * hour ago (RFC 9018, 4.3). */
bool dns_cookies_answer(const struct dns_cookies *cookies, const struct tcpct_address *client,
                        const uint8_t *cookie, size_t cookie_size, uint32_t now_s,
                        uint8_t reply[EDNS_COOKIE_SIZE]);

#endif
