/* cookie_secrets.h - the secrets of DNS cookies in a file, so that all servers of an anycast address
 * have the same (RFC 9018, 5): 32 hexadecimal digits a line. The first makes cookies; up to two more
 * verify them too, while servers get a new one after the other.
 */
#ifndef TOOLS_COOKIE_SECRETS_H
#define TOOLS_COOKIE_SECRETS_H

#include "dns/cookies.h"

/* Reads them into *cookies, which is made if it is NULL, in the place of those that it had. False, and
 * a sentence in `error`: nothing is changed. */
bool cookie_secrets_load(struct dns_cookies **cookies, const char *path, char *error,
                         size_t error_size);

#endif
