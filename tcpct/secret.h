/* secret.h - the Responder's secrets and their four states (RFC 6013, 3.5.3).
 *
 * At most two secrets live at once, one in each slot; the slot's number is the bit that names the
 * secret in every cookie made with it (3.5.2), so that one verification is enough.
 *
 *     Primary --(interval)--> Retiring --(first cookie of the newer one verifies)--> Secondary
 *     Generating ------------------------(the same event)-----------------------> Primary
 *     Secondary --(2 MSL)--> wiped
 *
 * The first secret is keyed with the time as well, begins as Primary and is replaced after one
 * MSL; later ones live for the interval. Generating is the only one that makes cookies while it
 * exists beside a Retiring one. If no cookie of the newer secret comes within 2 MSL of its
 * making, the change of state happens then: the older one must not live on for lack of traffic.
 * A new secret waits until a slot is empty, so an interval below 4 MSL may not be kept.
 *
 * Nothing here reads a clock: a secret ends when secrets_tick is told so.
 */
#ifndef TCPCT_SECRET_H
#define TCPCT_SECRET_H

#include "mac.h"

enum secret_state {
    SECRET_EMPTY,
    SECRET_GENERATING,
    SECRET_PRIMARY,
    SECRET_RETIRING,
    SECRET_SECONDARY,
};

struct secret {
    enum secret_state state;
    uint64_t changed_us; /* when it came into this state */
    struct mac *mac;     /* NULL when EMPTY */
};

typedef void secret_random_function(void *context, void *bytes, size_t size);

struct secrets {
    struct secret slot[2];
    uint64_t rotate_us; /* when the next secret is made */
    uint64_t interval_us, msl_us;
    secret_random_function *random;
    void *random_context;
    uint64_t made; /* how many so far */
};

/* False: no memory. `interval_us` and `msl_us` are above zero; `wall_clock_us` is real time, which
 * makes the first secret differ from those of earlier runs even if `random` should not. */
bool secrets_create(struct secrets *secrets, secret_random_function *random, void *random_context,
                    uint64_t interval_us, uint64_t msl_us, uint64_t wall_clock_us, uint64_t now_us);
/* Wipes everything. */
void secrets_destroy(struct secrets *secrets);

/* Time passes: makes a new secret when one is due, ends Secondary ones. False: no memory for a
 * new secret; the old one serves on and it is tried again after a second. */
bool secrets_tick(struct secrets *secrets, uint64_t now_us);
/* When secrets_tick next has something to do. */
uint64_t secrets_deadline(const struct secrets *secrets);

/* The slot (0 or 1) that makes new cookies. */
unsigned secrets_generator(const struct secrets *secrets);
/* A cookie made in `slot` has verified: Generating becomes Primary, Retiring Secondary. */
void secrets_verified(struct secrets *secrets, unsigned slot, uint64_t now_us);

#endif
