/* isn.c - sequence numbers and timestamps from a MAC instead of memory. */
#include "isn.h"

#include <string.h>

#include <openssl/crypto.h>

#include "options.h"

/* What a 3-bit MSS stands for: the defaults of IPv4 and IPv6 (RFC 9293, 3.7.1), Ethernet less
 * various tunnels, Ethernet, and jumbo frames. */
static const uint16_t mss_values[8] = { ISN_MSS_MIN, 536, 1220, 1300, 1400, 1440, 1460, 8940 };

enum { WINDOW_SCALE_MASK = 15, SACK_PERMITTED_BIT = 16, ECN_BIT = 32 };

static struct mac *draw(secret_random_function *random, void *random_context)
{
    uint8_t key[MAC_KEY_SIZE];

    random(random_context, key, sizeof key);
    struct mac *mac = mac_create(key);
    OPENSSL_cleanse(key, sizeof key);
    return mac;
}

bool isn_keys_create(struct isn_keys *keys, secret_random_function *random, void *random_context)
{
    keys->isn = draw(random, random_context);
    keys->timestamp = draw(random, random_context);
    if (keys->isn != NULL && keys->timestamp != NULL)
        return true;
    isn_keys_destroy(keys);
    return false;
}

void isn_keys_destroy(struct isn_keys *keys)
{
    mac_destroy(keys->isn);
    mac_destroy(keys->timestamp);
    *keys = (struct isn_keys){ 0 };
}

/* 32 bits of the MAC over the endpoints, `number` and `period`. */
static bool compute(const struct mac *mac, enum mac_label label,
                    const struct cookie_endpoints *endpoints, uint32_t number, uint64_t period,
                    uint32_t *result)
{
    uint8_t input[MAC_INPUT_BEGIN_MAX + 3 * 4], tag[MAC_SIZE];
    struct wire wire = wire_writer(input, sizeof input);

    mac_input_begin(&wire, label, endpoints);
    wire_write32(&wire, number);
    wire_write32(&wire, (uint32_t)(period >> 32));
    wire_write32(&wire, (uint32_t)period);
    bool computed = mac_compute(mac, input, wire.position, tag);
    *result = wire_get32(tag);
    return computed;
}

static unsigned mss_index(uint16_t mss)
{
    unsigned index = 7;
    while (index > 0 && mss < mss_values[index])
        index--;
    return index;
}

uint32_t isn_generate(const struct isn_keys *keys, const struct cookie_endpoints *endpoints,
                      uint32_t peer_isn, uint16_t mss, uint64_t now_us)
{
    uint64_t period = now_us / ISN_PERIOD_US;
    uint32_t base;

    compute(keys->isn, MAC_LABEL_ISN_COOKIE, endpoints, peer_isn, period, &base);
    return base + (uint32_t)((period & 1) << 3 | mss_index(mss));
}

static bool verify_in(const struct isn_keys *keys, const struct cookie_endpoints *endpoints,
                      uint32_t peer_isn, uint32_t isn, uint64_t period, uint16_t *mss)
{
    uint32_t base;

    if (!compute(keys->isn, MAC_LABEL_ISN_COOKIE, endpoints, peer_isn, period, &base))
        return false;
    uint32_t field = isn - base;
    if (field >> 3 != (period & 1))
        return false;
    *mss = mss_values[field & 7];
    return true;
}

bool isn_verify(const struct isn_keys *keys, const struct cookie_endpoints *endpoints,
                uint32_t peer_isn, uint32_t isn, uint64_t now_us, uint16_t *mss)
{
    uint64_t period = now_us / ISN_PERIOD_US;

    return verify_in(keys, endpoints, peer_isn, isn, period, mss) ||
           (period > 0 && verify_in(keys, endpoints, peer_isn, isn, period - 1, mss));
}

uint32_t isn_initiator(const struct isn_keys *keys, const struct cookie_endpoints *endpoints,
                       uint64_t now_us)
{
    uint32_t base;

    compute(keys->isn, MAC_LABEL_ISN_INITIATOR, endpoints, 0, 0, &base);
    return base + (uint32_t)(now_us / 4);
}

uint32_t timestamp_offset(const struct isn_keys *keys, const struct cookie_endpoints *endpoints)
{
    uint32_t offset;

    compute(keys->timestamp, MAC_LABEL_TIMESTAMP_OFFSET, endpoints, 0, 0, &offset);
    return offset;
}

void timestamp_prefix(const struct isn_keys *keys, const struct cookie_endpoints *endpoints,
                      const uint8_t *cookie, size_t cookie_size, uint8_t prefix[12])
{
    uint8_t input[MAC_INPUT_BEGIN_MAX + COOKIE_SIZE_MAX], tag[MAC_SIZE];
    struct wire wire = wire_writer(input, sizeof input);

    mac_input_begin(&wire, MAC_LABEL_TIMESTAMP_PREFIX, endpoints);
    wire_write(&wire, cookie, cookie_size);
    mac_compute(keys->timestamp, input, wire.position, tag);
    memcpy(prefix, tag, 12);
}

uint32_t timestamp_with_options(uint32_t timestamp, const struct isn_options *options)
{
    const uint32_t mask = (1u << ISN_TIMESTAMP_BITS) - 1;
    uint32_t bits = (options->window_scale & WINDOW_SCALE_MASK) |
                    (options->sack_permitted ? SACK_PERMITTED_BIT : 0) |
                    (options->ecn ? ECN_BIT : 0);

    return timestamp - ((timestamp - bits) & mask);
}

void timestamp_options(uint32_t timestamp, struct isn_options *options)
{
    options->window_scale = timestamp & WINDOW_SCALE_MASK;
    options->sack_permitted = (timestamp & SACK_PERMITTED_BIT) != 0;
    options->ecn = (timestamp & ECN_BIT) != 0;
}
