#include "md5sig.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "mac.h"
#include "wire.h"

enum { PSEUDO_HEADER_MAX = 40, CHECKSUM_OFFSET = 16, DATA_OFFSET = 12 };

struct md5sig {
    EVP_MD *algorithm;
    EVP_MD_CTX *context;
    unsigned count;
    struct md5_key keys[MD5SIG_KEYS_MAX];
};

int md5sig_create(struct md5sig **md5sig, struct memory *memory)
{
    struct md5sig *new = memory_zeroed(memory, sizeof(*new));
    if (!new)
        return TCPCT_ERROR_MEMORY;
    new->algorithm = EVP_MD_fetch(NULL, "MD5", NULL);
    new->context = EVP_MD_CTX_new();
    if (!new->algorithm || !new->context ||
        EVP_DigestInit_ex(new->context, new->algorithm, NULL) != 1) {
        int error = new->context ? TCPCT_ERROR_NO_MD5 : TCPCT_ERROR_MEMORY;
        md5sig_destroy(new, memory);
        return error;
    }
    *md5sig = new;
    return TCPCT_OK;
}

void md5sig_destroy(struct md5sig *md5sig, struct memory *memory)
{
    if (!md5sig)
        return;
    EVP_MD_CTX_free(md5sig->context); /* which wipes what it hashed */
    EVP_MD_free(md5sig->algorithm);
    OPENSSL_cleanse(md5sig->keys, sizeof(md5sig->keys));
    memory_free(memory, md5sig);
}

/* Where the peer's key is, or would be. */
static unsigned find(const struct md5sig *md5sig, const struct tcpct_address *peer)
{
    unsigned i = 0;
    while (i < md5sig->count && !ip_address_equal(&md5sig->keys[i].peer, peer))
        i++;
    return i;
}

const struct md5_key *md5sig_find(const struct md5sig *md5sig, const struct tcpct_address *peer)
{
    unsigned i = md5sig ? find(md5sig, peer) : 0;
    return md5sig && i < md5sig->count ? &md5sig->keys[i] : NULL;
}

bool md5sig_set(struct md5sig *md5sig, const struct tcpct_address *peer, const void *bytes,
                size_t size)
{
    unsigned i = find(md5sig, peer);
    if (i == MD5SIG_KEYS_MAX)
        return false;
    struct md5_key *key = &md5sig->keys[i];
    if (i == md5sig->count)
        md5sig->count++;
    OPENSSL_cleanse(key, sizeof(*key));
    key->peer = *peer;
    key->size = (uint8_t)size;
    memcpy(key->bytes, bytes, size);
    return true;
}

/* For IPv6 that of RFC 8200, 8.1. */
static void write_pseudo_header(struct wire *wire, const struct ip_header *ip)
{
    size_t address = ip->source.family == 4 ? 4 : 16;
    wire_write(wire, ip->source.bytes, address);
    wire_write(wire, ip->destination.bytes, address);
    if (ip->source.family == 4) {
        wire_write16(wire, IP_PROTOCOL_TCP);
        wire_write16(wire, (uint16_t)ip->payload_size);
    } else {
        wire_write32(wire, (uint32_t)ip->payload_size);
        wire_write32(wire, IP_PROTOCOL_TCP);
    }
}

bool md5sig_digest(const struct md5sig *md5sig, const struct md5_key *key,
                   const struct tcpct_packet *packet, uint8_t digest[MD5SIG_DIGEST_SIZE])
{
    struct ip_header ip;
    uint8_t pseudo[PSEUDO_HEADER_MAX], header[TCP_HEADER_SIZE];
    struct wire wire = wire_writer(pseudo, sizeof(pseudo));
    if (ip_decode(&ip, packet->data, packet->length, false) != IP_OK ||
        ip.payload_size < TCP_HEADER_SIZE)
        return false;
    const uint8_t *tcp = packet->data + ip.header_size;
    size_t header_size = 4u * (tcp[DATA_OFFSET] >> 4);
    if (header_size > ip.payload_size)
        return false;
    write_pseudo_header(&wire, &ip);
    memcpy(header, tcp, sizeof(header));
    memset(header + CHECKSUM_OFFSET, 0, 2);
    EVP_MD_CTX *context = md5sig->context;
    return EVP_DigestInit_ex(context, NULL, NULL) == 1 &&
           EVP_DigestUpdate(context, pseudo, wire.position) == 1 &&
           EVP_DigestUpdate(context, header, sizeof(header)) == 1 &&
           EVP_DigestUpdate(context, tcp + header_size, ip.payload_size - header_size) == 1 &&
           EVP_DigestUpdate(context, key->bytes, key->size) == 1 &&
           EVP_DigestFinal_ex(context, digest, NULL) == 1;
}

bool md5sig_verify(const struct md5sig *md5sig, const struct md5_key *key,
                   const struct tcpct_packet *packet, const struct segment *segment)
{
    uint8_t digest[MD5SIG_DIGEST_SIZE];
    return segment->options.present & OPTION_MD5 && !segment->segment_size &&
           md5sig_digest(md5sig, key, packet, digest) &&
           mac_equal(digest, segment->options.md5_digest, sizeof(digest));
}

bool md5sig_encode(const struct md5sig *md5sig, struct segment *segment,
                   struct tcpct_packet *packet, bool partial_checksum)
{
    if (!segment->key)
        return segment_encode(segment, packet, partial_checksum);
    if (segment->segment_size ||
        !segment_encode(segment, packet, true) || /* no checksum yet: it covers the digest */
        !md5sig_digest(md5sig, segment->key, packet, segment->options.md5_digest))
        return false;
    segment->data = NULL; /* it is at its place now */
    return segment_encode(segment, packet, partial_checksum);
}
