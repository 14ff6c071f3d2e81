/* cookie.h - Responder-Cookies (RFC 6013, 3.5.2).
 *
 * Together with isn.h this is all that a Responder can recompute instead of remembering. A cookie
 * is a MAC, cut to the size of the Initiator's, over everything that the RFC demands. The highest
 * bit of its first byte is not of the MAC: it names the slot of the secret, so that one MAC
 * decides.
 */
#ifndef TCPCT_COOKIE_H
#define TCPCT_COOKIE_H

#include "isn.h"
#include "mac_input.h"
#include "options.h"
#include "secret.h"

/* What 3.5.2 demands in the cookie beside the endpoints. The numbers are those of the Responder's
 * own segment after its <SYN>: seq is its ISN + 1, ack the Initiator's ISN + 1; data is never
 * counted. timestamp is the low 32 bits of its own TS Value. */
struct cookie_numbers {
    uint32_t seq, ack, timestamp;
    uint8_t size; /* of one cookie: 8 to 16, even */
    const uint8_t *initiator_cookie;
};

/* Makes a Responder-Cookie of numbers->size bytes; never equal to the Initiator-Cookie. */
void cookie_generate(const struct secrets *secrets, const struct cookie_endpoints *endpoints,
                     const struct cookie_numbers *numbers, uint8_t cookie[COOKIE_SIZE_MAX]);

enum cookie_verdict {
    COOKIE_INVALID,
    COOKIE_VALID,           /* by the secret that makes new cookies */
    COOKIE_VALID_SECONDARY, /* by the older one, Retiring or Secondary: not for much longer */
};
/* Verifies the numbers->size bytes of `cookie`; unless it is invalid, *slot is the secret's (for
 * secrets_verified). */
enum cookie_verdict cookie_verify(const struct secrets *secrets,
                                  const struct cookie_endpoints *endpoints,
                                  const struct cookie_numbers *numbers, const uint8_t *cookie,
                                  unsigned *slot);

#endif
