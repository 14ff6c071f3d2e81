/* seal.c - AES-256-GCM by OpenSSL.
 *
 * Initialising with a nonce alone begins a new message under the key that the context already has.
 */
#include "seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
    SPENT = 4096, /* a power of 2 */
    BOUND_SIZE_MAX = MAC_INPUT_BEGIN_MAX + 3 * 4 + 1 + 2 * COOKIE_SIZE_MAX,
};

struct seals {
    EVP_CIPHER_CTX *making, *opening[TCPCT_SEAL_KEYS_MAX];
    unsigned count;
    uint32_t spent[SPENT]; /* the second word of a nonce, in the place that the first one names */
};

const char *seal_verdict_text(enum seal_verdict verdict)
{
    switch (verdict) {
    case SEAL_NONE:
        return "no seal";
    case SEAL_OPENED:
        return "seal opened";
    case SEAL_FOREIGN:
        return "seal altered, or not ours";
    case SEAL_EXPIRED:
        return "seal expired";
    case SEAL_SPENT:
        return "seal used before";
    }
    return "unknown";
}

/* NULL: no cipher, or no memory. */
static EVP_CIPHER_CTX *create_context(const uint8_t *key, int making)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool keyed =
        cipher && context && EVP_CipherInit_ex2(context, cipher, key, NULL, making, NULL) == 1;
    EVP_CIPHER_free(cipher); /* the context keeps a reference */
    if (keyed)
        return context;
    EVP_CIPHER_CTX_free(context);
    return NULL;
}

struct seals *seals_create(const uint8_t *keys, unsigned count)
{
    struct seals *seals = calloc(1, sizeof *seals);
    if (seals == NULL)
        return NULL;
    seals->making = create_context(keys, 1);
    bool whole = seals->making != NULL;
    for (; whole && seals->count < count; seals->count++) {
        seals->opening[seals->count] =
            create_context(keys + (size_t)seals->count * TCPCT_SEAL_KEY_SIZE, 0);
        whole = seals->opening[seals->count] != NULL;
    }
    if (whole)
        return seals;
    seals_destroy(seals);
    return NULL;
}

void seals_destroy(struct seals *seals)
{
    if (seals == NULL)
        return;
    EVP_CIPHER_CTX_free(seals->making); /* which wipes the key */
    for (unsigned i = 0; i < seals->count; i++)
        EVP_CIPHER_CTX_free(seals->opening[i]);
    free(seals);
}

static size_t write_bound(const struct seal_bound *bound, uint8_t bytes[BOUND_SIZE_MAX])
{
    const struct cookie_numbers *numbers = &bound->numbers;
    struct wire wire = wire_writer(bytes, BOUND_SIZE_MAX);
    mac_input_begin(&wire, MAC_LABEL_SEAL, &bound->endpoints);
    wire_write32(&wire, numbers->seq);
    wire_write32(&wire, numbers->ack);
    wire_write32(&wire, numbers->timestamp);
    wire_write8(&wire, numbers->size);
    wire_write(&wire, numbers->initiator_cookie, numbers->size);
    wire_write(&wire, bound->responder_cookie, numbers->size);
    return wire.position;
}

/* Begins a message, and takes the additional data. */
static bool begin(EVP_CIPHER_CTX *context, const uint8_t *nonce, const struct seal_bound *bound)
{
    uint8_t bytes[BOUND_SIZE_MAX];
    int size = (int)write_bound(bound, bytes), written;
    return EVP_CipherInit_ex2(context, NULL, NULL, nonce, -1, NULL) == 1 &&
           EVP_CipherUpdate(context, NULL, &written, bytes, size) == 1;
}

static void write_state(const struct sealed *sealed, uint8_t bytes[SEAL_STATE_SIZE])
{
    const struct path_state *path = &sealed->path;
    const uint32_t words[] = { path->window,     path->ssthresh, path->srtt_us, path->rttvar_us,
                               path->min_rtt_us, path->rate,     path->taken_s, sealed->expires_s };
    struct wire wire = wire_writer(bytes, SEAL_STATE_SIZE);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        wire_write32(&wire, words[i]);
}

static void read_state(struct sealed *sealed, const uint8_t bytes[SEAL_STATE_SIZE])
{
    struct path_state *path = &sealed->path;
    uint32_t *const words[] = { &path->window,    &path->ssthresh,   &path->srtt_us,
                                &path->rttvar_us, &path->min_rtt_us, &path->rate,
                                &path->taken_s,   &sealed->expires_s };
    struct wire wire = wire_reader(bytes, SEAL_STATE_SIZE);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        *words[i] = wire_read32(&wire);
}

bool seal_make(const struct seals *seals, const struct seal_bound *bound,
               const struct sealed *sealed, const uint8_t nonce[SEAL_NONCE_SIZE],
               uint8_t seal[SEAL_SIZE])
{
    uint8_t state[SEAL_STATE_SIZE], *out = seal + SEAL_NONCE_SIZE;
    int written, last;
    write_state(sealed, state);
    memcpy(seal, nonce, SEAL_NONCE_SIZE);
    return begin(seals->making, nonce, bound) &&
           EVP_CipherUpdate(seals->making, out, &written, state, SEAL_STATE_SIZE) == 1 &&
           EVP_CipherFinal_ex(seals->making, out + written, &last) == 1 &&
           EVP_CIPHER_CTX_ctrl(seals->making, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_SIZE,
                               out + SEAL_STATE_SIZE) == 1;
}

static bool decrypts(EVP_CIPHER_CTX *context, const struct seal_bound *bound, const uint8_t *seal,
                     uint8_t state[SEAL_STATE_SIZE])
{
    const uint8_t *in = seal + SEAL_NONCE_SIZE;
    uint8_t tag[SEAL_TAG_SIZE];
    int written, last;
    memcpy(tag, in + SEAL_STATE_SIZE, sizeof tag); /* OpenSSL wants it writable */
    return begin(context, seal, bound) &&
           EVP_CipherUpdate(context, state, &written, in, SEAL_STATE_SIZE) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_SIZE, tag) == 1 &&
           EVP_CipherFinal_ex(context, state + written, &last) == 1;
}

static uint32_t place_of(const uint8_t *seal)
{
    return wire_get32(seal) % SPENT;
}

enum seal_verdict seal_open(const struct seals *seals, const struct seal_bound *bound,
                            const uint8_t *seal, size_t size, uint32_t now_s, struct sealed *sealed)
{
    uint8_t state[SEAL_STATE_SIZE];
    unsigned key = 0;
    if (size != SEAL_SIZE)
        return SEAL_FOREIGN;
    while (key < seals->count && !decrypts(seals->opening[key], bound, seal, state))
        key++;
    if (key == seals->count)
        return SEAL_FOREIGN;
    read_state(sealed, state);
    if (now_s >= sealed->expires_s)
        return SEAL_EXPIRED;
    return seals->spent[place_of(seal)] == wire_get32(seal + 4) ? SEAL_SPENT : SEAL_OPENED;
}

void seal_spend(struct seals *seals, const uint8_t seal[SEAL_SIZE])
{
    seals->spent[place_of(seal)] = wire_get32(seal + 4);
}
