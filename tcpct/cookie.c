/* cookie.c - Responder-Cookies, made and verified by the same computation. */
#include "cookie.h"

#include <string.h>

enum {
    SLOT_BIT = 0x80,   /* of the first byte (RFC 6013, 3.5.2: a designated bit) */
    DIFFER_BIT = 0x01, /* of the last byte */
};

/* The cookie that the secret in `slot` makes. RFC 6013 recommends a hash with the secret at both
 * ends; a MAC needs no such construction. */
static bool compute(const struct secrets *secrets, unsigned slot,
                    const struct cookie_endpoints *endpoints, const struct cookie_numbers *numbers,
                    uint8_t cookie[COOKIE_SIZE_MAX])
{
    uint8_t input[MAC_INPUT_BEGIN_MAX + 3 * 4 + 1 + COOKIE_SIZE_MAX], tag[MAC_SIZE];
    struct wire wire = wire_writer(input, sizeof input);

    mac_input_begin(&wire, MAC_LABEL_COOKIE, endpoints);
    wire_write32(&wire, numbers->seq);
    wire_write32(&wire, numbers->ack);
    wire_write32(&wire, numbers->timestamp);
    wire_write8(&wire, numbers->size);
    wire_write(&wire, numbers->initiator_cookie, numbers->size);
    bool computed = mac_compute(secrets->slot[slot].mac, input, wire.position, tag);

    memcpy(cookie, tag, numbers->size);
    cookie[0] = (uint8_t)((cookie[0] & ~SLOT_BIT) | (slot != 0 ? SLOT_BIT : 0));
    /* Never a reflection (3.5.2); verification comes this way as well. */
    if (memcmp(cookie, numbers->initiator_cookie, numbers->size) == 0)
        cookie[numbers->size - 1] ^= DIFFER_BIT;
    return computed;
}

void cookie_generate(const struct secrets *secrets, const struct cookie_endpoints *endpoints,
                     const struct cookie_numbers *numbers, uint8_t cookie[COOKIE_SIZE_MAX])
{
    compute(secrets, secrets_generator(secrets), endpoints, numbers, cookie);
}

enum cookie_verdict cookie_verify(const struct secrets *secrets,
                                  const struct cookie_endpoints *endpoints,
                                  const struct cookie_numbers *numbers, const uint8_t *cookie,
                                  unsigned *slot)
{
    uint8_t expected[COOKIE_SIZE_MAX];
    unsigned named = (cookie[0] & SLOT_BIT) != 0;

    if (secrets->slot[named].state == SECRET_EMPTY ||
        !compute(secrets, named, endpoints, numbers, expected) ||
        !mac_equal(cookie, expected, numbers->size))
        return COOKIE_INVALID;
    *slot = named;
    return named == secrets_generator(secrets) ? COOKIE_VALID : COOKIE_VALID_SECONDARY;
}
