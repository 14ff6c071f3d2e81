/* nsec3.h - the hash of NSEC3 (RFC 5155, 5): SHA-1 of a name, iterated with a salt. */
#ifndef DNS_NSEC3_H
#define DNS_NSEC3_H

#include "name.h"

enum {
    NSEC3_HASH_SIZE = 20,
    NSEC3_LABEL_SIZE = 32,      /* characters of a hash in base32hex */
    NSEC3_ITERATIONS_MAX = 500, /* more would make each denial a burden (RFC 9276, 3.1) */
};

struct nsec3_parameters {
    uint16_t iterations; /* beyond the first */
    uint8_t salt_size;
    uint8_t salt[255];
};

struct nsec3_entry {
    uint8_t hash[NSEC3_HASH_SIZE];
    uint32_t set; /* in the zone */
};

void nsec3_hash(uint8_t hash[NSEC3_HASH_SIZE], const struct nsec3_parameters *parameters,
                const uint8_t *lower, size_t size);

/* The hash in an NSEC3 record's owner name; false if the first label is none. */
bool nsec3_hash_decode(uint8_t hash[NSEC3_HASH_SIZE], const uint8_t *owner);

#endif
