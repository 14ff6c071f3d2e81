/* cookies.c - DNS server cookies: see cookies.h. */
#include "cookies.h"

#include <stdlib.h>
#include <string.h>

#include "tcpct/mac.h"

enum {
    VERSION = 1,
    VERSION_AT = EDNS_CLIENT_COOKIE_SIZE, /* then 3 reserved bytes */
    TIMESTAMP_AT = VERSION_AT + 4,
    HASH_AT = TIMESTAMP_AT + 4,
    HASH_SIZE = 8,
    AGE_MAX_S = 3600,
    FRESH_MAX_S = 1800, /* older ones are good, and made anew (RFC 9018, 4.3) */
    AHEAD_MAX_S = 300,
    KEPT = 2, /* secrets that dns_cookies_roll keeps */
};

struct dns_cookies {
    struct mac *macs[DNS_COOKIE_SECRETS_MAX];
    size_t count;
};

static void drop_secrets(struct dns_cookies *cookies, size_t from)
{
    while (cookies->count > from)
        mac_destroy(cookies->macs[--cookies->count]);
}

void dns_cookies_destroy(struct dns_cookies *cookies)
{
    if (cookies)
        drop_secrets(cookies, 0);
    free(cookies);
}

bool dns_cookies_set(struct dns_cookies *cookies, const uint8_t secrets[][DNS_COOKIE_SECRET_SIZE],
                     size_t count)
{
    struct dns_cookies made = { .count = 0 };
    while (made.count < count) {
        struct mac *mac = mac_create_sized(secrets[made.count], HASH_SIZE);
        if (!mac) {
            drop_secrets(&made, 0);
            return false;
        }
        made.macs[made.count++] = mac;
    }
    drop_secrets(cookies, 0);
    *cookies = made;
    return true;
}

struct dns_cookies *dns_cookies_create(const uint8_t secrets[][DNS_COOKIE_SECRET_SIZE],
                                       size_t count)
{
    struct dns_cookies *cookies = calloc(1, sizeof *cookies);
    if (cookies && !dns_cookies_set(cookies, secrets, count)) {
        free(cookies);
        return NULL;
    }
    return cookies;
}

bool dns_cookies_roll(struct dns_cookies *cookies, const uint8_t secret[DNS_COOKIE_SECRET_SIZE])
{
    struct mac *mac = mac_create_sized(secret, HASH_SIZE);
    if (!mac)
        return false;
    drop_secrets(cookies, KEPT - 1);
    memmove(cookies->macs + 1, cookies->macs, cookies->count * sizeof *cookies->macs);
    cookies->macs[0] = mac;
    cookies->count++;
    return true;
}

/* RFC 9018, 4.4: everything before the hash, and the client's address. */
static bool hash(const struct mac *mac, const struct tcpct_address *client, const uint8_t *cookie,
                 uint8_t out[HASH_SIZE])
{
    uint8_t input[HASH_AT + 16];
    size_t address_size = client->family == 4 ? 4 : 16;
    memcpy(input, cookie, HASH_AT);
    memcpy(input + HASH_AT, client->bytes, address_size);
    return mac_compute(mac, input, HASH_AT + address_size, out);
}

static bool verify(const struct dns_cookies *cookies, const struct tcpct_address *client,
                   const uint8_t cookie[EDNS_COOKIE_SIZE])
{
    uint8_t expected[HASH_SIZE];
    for (size_t i = 0; i < cookies->count; i++)
        if (hash(cookies->macs[i], client, cookie, expected) &&
            mac_equal(expected, cookie + HASH_AT, HASH_SIZE))
            return true;
    return false;
}

bool dns_cookies_answer(const struct dns_cookies *cookies, const struct tcpct_address *client,
                        const uint8_t *cookie, size_t cookie_size, uint32_t now_s,
                        uint8_t reply[EDNS_COOKIE_SIZE])
{
    bool good = false;
    if (cookie_size == EDNS_COOKIE_SIZE && cookie[VERSION_AT] == VERSION) {
        int32_t age_s = (int32_t)(now_s - dns_get32(cookie + TIMESTAMP_AT)); /* RFC 1982 */
        good = age_s <= AGE_MAX_S && age_s >= -AHEAD_MAX_S && verify(cookies, client, cookie);
        if (good && age_s <= FRESH_MAX_S) {
            memcpy(reply, cookie, EDNS_COOKIE_SIZE);
            return true;
        }
    }
    memcpy(reply, cookie, EDNS_CLIENT_COOKIE_SIZE);
    dns_put32(reply + VERSION_AT, (uint32_t)VERSION << 24);
    dns_put32(reply + TIMESTAMP_AT, now_s);
    hash(cookies->macs[0], client, reply, reply + HASH_AT);
    return good;
}
