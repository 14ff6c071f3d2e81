/* mac.c - SipHash-2-4 with 128 bits of output, by OpenSSL.
 *
 * Initialising without a key starts a new message under the key that the context already has.
 */
#include "mac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct mac {
    EVP_MAC_CTX *context;
    size_t size;
};

static EVP_MAC_CTX *create_context(void)
{
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_SIPHASH, NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(algorithm);

    EVP_MAC_free(algorithm); /* the context keeps a reference */
    return context;
}

static bool set_key(const struct mac *mac, const uint8_t key[MAC_KEY_SIZE])
{
    size_t size = mac->size;
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_init(mac->context, key, MAC_KEY_SIZE, parameters) == 1;
}

struct mac *mac_create_sized(const uint8_t key[MAC_KEY_SIZE], size_t mac_size)
{
    struct mac *mac = calloc(1, sizeof *mac);

    if (mac == NULL)
        return NULL;
    mac->size = mac_size;
    mac->context = create_context();
    if (mac->context == NULL || !set_key(mac, key)) {
        mac_destroy(mac);
        return NULL;
    }
    return mac;
}

struct mac *mac_create(const uint8_t key[MAC_KEY_SIZE])
{
    return mac_create_sized(key, MAC_SIZE);
}

void mac_destroy(struct mac *mac)
{
    static const uint8_t zeros[MAC_KEY_SIZE];

    if (mac == NULL)
        return;
    /* OpenSSL frees this context without wiping it, so another key overwrites ours first. */
    if (mac->context != NULL)
        set_key(mac, zeros);
    EVP_MAC_CTX_free(mac->context);
    free(mac);
}

bool mac_compute(const struct mac *mac, const void *bytes, size_t size, uint8_t *out)
{
    size_t written;

    if (EVP_MAC_init(mac->context, NULL, 0, NULL) == 1 &&
        EVP_MAC_update(mac->context, bytes, size) == 1 &&
        EVP_MAC_final(mac->context, out, &written, mac->size) == 1 && written == mac->size)
        return true;
    memset(out, 0, mac->size);
    return false;
}

bool mac_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}
