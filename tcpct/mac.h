/* mac.h - the one keyed MAC of this stack: SipHash-2-4-128 through OpenSSL. (DNS cookies want its
 * 64-bit sister.)
 *
 * The context and key are kept, because fetching and keying cost five times the MAC itself. To
 * use another MAC, replace this file.
 */
#ifndef TCPCT_MAC_H
#define TCPCT_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAC_KEY_SIZE = 16, MAC_SIZE = 16 };

struct mac; /* a key in use */

/* NULL if OpenSSL has no such MAC, or no memory. The caller wipes its copy of the key. */
struct mac *mac_create(const uint8_t key[MAC_KEY_SIZE]);
/* The same with MACs of 8 or 16 bytes. */
struct mac *mac_create_sized(const uint8_t key[MAC_KEY_SIZE], size_t mac_size);
/* Wipes the key. NULL is allowed. */
void mac_destroy(struct mac *mac);
/* The MAC of `size` bytes, of as many as it was created for. False if OpenSSL should refuse: then `out` is zeros and nothing may be
 * verified with it. */
bool mac_compute(const struct mac *mac, const void *bytes, size_t size, uint8_t *out);
/* Compares without telling by its duration where they differ. */
bool mac_equal(const void *a, const void *b, size_t size);

#endif
