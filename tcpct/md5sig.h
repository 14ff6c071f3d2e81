/* md5sig.h - TCP MD5 signatures (RFC 2385), with keys that the operator gives for peers' addresses.
 *
 * With such a peer every segment is signed, and what comes unsigned is discarded in silence; no
 * Cookie goes there, but a Cookie-less option (RFC 6013, 3.3 and 8.4). A segment brings its key
 * along (segment.h), so whatever answers it is signed with the same one.
 */
#ifndef TCPCT_MD5SIG_H
#define TCPCT_MD5SIG_H

#include "memory.h"
#include "segment.h"

enum { MD5SIG_DIGEST_SIZE = 16, MD5SIG_KEYS_MAX = 64 };

struct md5_key {
    struct tcpct_address peer;
    uint8_t size; /* bytes, 1 at least */
    uint8_t bytes[TCPCT_MD5_KEY_MAX];
};

struct md5sig; /* the keys, and OpenSSL's MD5 */

/* Errors: MEMORY, NO_MD5 (as under FIPS). */
int md5sig_create(struct md5sig **md5sig, struct memory *memory);
/* Wipes the keys. NULL is allowed. */
void md5sig_destroy(struct md5sig *md5sig, struct memory *memory);

/* Sets the key for a peer; false: there are too many. Keys keep their place in memory. */
bool md5sig_set(struct md5sig *md5sig, const struct tcpct_address *peer, const void *bytes,
                size_t size);
/* The peer's key; NULL: none, as when `md5sig` is NULL. */
const struct md5_key *md5sig_find(const struct md5sig *md5sig, const struct tcpct_address *peer);

/* The digest of an IP packet with TCP in it (RFC 2385, 2.0). All that lies behind the TCP header is
 * data, a header extension too. False: it is no such packet, or OpenSSL fails. */
bool md5sig_digest(const struct md5sig *md5sig, const struct md5_key *key,
                   const struct tcpct_packet *packet, uint8_t digest[MD5SIG_DIGEST_SIZE]);

/* Whether the packet, decoded as `segment`, has the signature that the key makes. A coalesced one
 * has none: what is left of the options is those of one segment. */
bool md5sig_verify(const struct md5sig *md5sig, const struct md5_key *key,
                   const struct tcpct_packet *packet, const struct segment *segment);

/* segment_encode, and if the segment has a key its signature, for which OPTION_MD5 must be among
 * the options. */
bool md5sig_encode(const struct md5sig *md5sig, struct segment *segment,
                   struct tcpct_packet *packet, bool partial_checksum);

#endif
