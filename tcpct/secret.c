/* secret.c - the life of the Responder's secrets.
 *
 * Three events move it: a new secret is due, a cookie of the Generating secret has verified (or
 * none came for 2 MSL), a Secondary secret has ended. secrets_tick handles those whose time has
 * come, and secrets_deadline names the next.
 */
#include "secret.h"

#include <openssl/crypto.h>

enum { RETRY_US = 1000000 };

static void change(struct secret *secret, enum secret_state state, uint64_t now_us)
{
    secret->state = state;
    secret->changed_us = now_us;
}

static void wipe(struct secret *secret, uint64_t now_us)
{
    mac_destroy(secret->mac);
    secret->mac = NULL;
    change(secret, SECRET_EMPTY, now_us);
}

/* Fills an empty slot. `time` is mixed into the key; later secrets SHOULD NOT include the time
 * (3.5.3), and give 0. */
static bool make(struct secrets *secrets, struct secret *secret, uint64_t time)
{
    uint8_t key[MAC_KEY_SIZE];

    secrets->random(secrets->random_context, key, sizeof key);
    for (unsigned i = 0; i < 8; i++)
        key[i] ^= (uint8_t)(time >> 8 * i);
    secret->mac = mac_create(key);
    OPENSSL_cleanse(key, sizeof key);
    if (secret->mac == NULL)
        return false;
    secrets->made++;
    return true;
}

bool secrets_create(struct secrets *secrets, secret_random_function *random, void *random_context,
                    uint64_t interval_us, uint64_t msl_us, uint64_t wall_clock_us, uint64_t now_us)
{
    *secrets = (struct secrets){
        .rotate_us = now_us + msl_us,
        .interval_us = interval_us,
        .msl_us = msl_us,
        .random = random,
        .random_context = random_context,
    };
    if (!make(secrets, &secrets->slot[0], wall_clock_us))
        return false;
    change(&secrets->slot[0], SECRET_PRIMARY, now_us);
    return true;
}

void secrets_destroy(struct secrets *secrets)
{
    for (unsigned i = 0; i < 2; i++)
        wipe(&secrets->slot[i], 0);
}

/* The slot in this state, or NULL. */
static struct secret *find(struct secrets *secrets, enum secret_state state)
{
    for (unsigned i = 0; i < 2; i++)
        if (secrets->slot[i].state == state)
            return &secrets->slot[i];
    return NULL;
}

static bool rotate(struct secrets *secrets, struct secret *empty, uint64_t now_us)
{
    if (!make(secrets, empty, 0)) {
        secrets->rotate_us = now_us + RETRY_US;
        return false;
    }
    change(find(secrets, SECRET_PRIMARY), SECRET_RETIRING, now_us);
    change(empty, SECRET_GENERATING, now_us);
    secrets->rotate_us = now_us + secrets->interval_us;
    return true;
}

bool secrets_tick(struct secrets *secrets, uint64_t now_us)
{
    struct secret *generating = find(secrets, SECRET_GENERATING);
    if (generating != NULL && now_us >= generating->changed_us + 2 * secrets->msl_us)
        secrets_verified(secrets, (unsigned)(generating - secrets->slot),
                         generating->changed_us + 2 * secrets->msl_us);

    struct secret *secondary = find(secrets, SECRET_SECONDARY);
    if (secondary != NULL && now_us >= secondary->changed_us + 2 * secrets->msl_us)
        wipe(secondary, now_us);

    struct secret *empty = find(secrets, SECRET_EMPTY);
    return empty == NULL || now_us < secrets->rotate_us || rotate(secrets, empty, now_us);
}

uint64_t secrets_deadline(const struct secrets *secrets)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct secret *secret = &secrets->slot[i];
        if (secret->state == SECRET_GENERATING || secret->state == SECRET_SECONDARY)
            return secret->changed_us + 2 * secrets->msl_us;
    }
    return secrets->rotate_us;
}

unsigned secrets_generator(const struct secrets *secrets)
{
    enum secret_state second = secrets->slot[1].state;

    return second == SECRET_GENERATING || second == SECRET_PRIMARY;
}

void secrets_verified(struct secrets *secrets, unsigned slot, uint64_t now_us)
{
    if (secrets->slot[slot].state != SECRET_GENERATING)
        return;
    change(&secrets->slot[slot], SECRET_PRIMARY, now_us);
    change(&secrets->slot[!slot], SECRET_SECONDARY, now_us);
}
