/* seal.h - the state of a path, sealed for the Initiator to keep: with it a connection that was closed
 * begins again with what its path could carry, and the Responder, or another with the same key, has
 * kept nothing (restart.h; RFC6013-NOTES.md, "Restart").
 *
 *     nonce (12), then under AES-256-GCM: window, ssthresh, SRTT, RTTVAR, minimum RTT (microseconds), rate
 *     (bytes a millisecond), when that was seen, when the seal expires (seconds since 1970): 4 bytes
 *     each, big-endian; tag (16).
 *
 * The additional data are what a cookie is made of (cookie.h), and the Cookie-Pair: so a seal that
 * opens proves what the pair would. The contexts and keys are kept, as in mac.h.
 */
#ifndef TCPCT_SEAL_H
#define TCPCT_SEAL_H

#include "cookie.h"
#include "remember.h"

enum {
    SEAL_NONCE_SIZE = 12,
    SEAL_TAG_SIZE = 16,
    SEAL_STATE_SIZE = 32,
    SEAL_SIZE = SEAL_NONCE_SIZE + SEAL_STATE_SIZE + SEAL_TAG_SIZE,
};

/* What a seal belongs to. */
struct seal_bound {
    struct cookie_endpoints endpoints;
    struct cookie_numbers numbers;
    const uint8_t *responder_cookie;
};

/* What is in it. */
struct sealed {
    struct path_state path; /* taken_s: since 1970; window 0: nothing was seen */
    uint32_t expires_s;     /* since 1970 */
};

enum seal_verdict {
    SEAL_NONE, /* there is none to be looked at */
    SEAL_OPENED,
    SEAL_FOREIGN, /* altered, truncated, of another connection, or by another key */
    SEAL_EXPIRED,
    SEAL_SPENT, /* it was used here before, as far as is known */
};
const char *seal_verdict_text(enum seal_verdict verdict);

struct seals; /* keys in use */

/* 1 to TCPCT_SEAL_KEYS_MAX keys of TCPCT_SEAL_KEY_SIZE bytes: the first makes seals, all open them. NULL
 * if OpenSSL has no such cipher, or no memory. The caller wipes its copy. */
struct seals *seals_create(const uint8_t *keys, unsigned count);
/* Wipes the keys. NULL is allowed. */
void seals_destroy(struct seals *seals);

/* Makes a seal. The nonce must be random. False if OpenSSL should refuse. */
bool seal_make(const struct seals *seals, const struct seal_bound *bound,
               const struct sealed *sealed, const uint8_t nonce[SEAL_NONCE_SIZE],
               uint8_t seal[SEAL_SIZE]);
/* Opens one; `sealed` is filled with SEAL_OPENED. */
enum seal_verdict seal_open(const struct seals *seals, const struct seal_bound *bound,
                            const uint8_t *seal, size_t size, uint32_t now_s,
                            struct sealed *sealed);
/* It is not opened again, for as long as that is remembered: of a fixed number of the last. */
void seal_spend(struct seals *seals, const uint8_t seal[SEAL_SIZE]);

#endif
