/* nsec3.c - the hash of NSEC3: see nsec3.h.
 *
 * OpenSSL's older functions for SHA-1 need no memory and use the processor's own instructions; EVP,
 * which is to replace them, allocates, and takes several times as long for so few bytes.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "nsec3.h"

#include <ldns/ldns.h>
#include <openssl/sha.h>
#include <string.h>

_Static_assert(NSEC3_HASH_SIZE == SHA_DIGEST_LENGTH, "RFC 5155, 5");

static void hash_with_salt(uint8_t hash[NSEC3_HASH_SIZE], const struct nsec3_parameters *parameters,
                           const uint8_t *bytes, size_t size)
{
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, bytes, size);
    SHA1_Update(&context, parameters->salt, parameters->salt_size);
    SHA1_Final(hash, &context);
}

void nsec3_hash(uint8_t hash[NSEC3_HASH_SIZE], const struct nsec3_parameters *parameters,
                const uint8_t *lower, size_t size)
{
    hash_with_salt(hash, parameters, lower, size);
    for (unsigned i = 0; i < parameters->iterations; i++)
        hash_with_salt(hash, parameters, hash, NSEC3_HASH_SIZE);
}

bool nsec3_hash_decode(uint8_t hash[NSEC3_HASH_SIZE], const uint8_t *owner)
{
    char text[NSEC3_LABEL_SIZE + 1];
    uint8_t decoded[NSEC3_LABEL_SIZE];
    if (owner[0] != NSEC3_LABEL_SIZE)
        return false;
    memcpy(text, owner + 1, NSEC3_LABEL_SIZE);
    text[NSEC3_LABEL_SIZE] = '\0';
    int size = ldns_b32_pton_extended_hex(text, NSEC3_LABEL_SIZE, decoded, sizeof decoded);
    if (size != NSEC3_HASH_SIZE)
        return false;
    memcpy(hash, decoded, NSEC3_HASH_SIZE);
    return true;
}
