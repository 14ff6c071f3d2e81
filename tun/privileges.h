/* privileges.h - giving up root, and keeping secrets in memory. */
#ifndef TUN_PRIVILEGES_H
#define TUN_PRIVILEGES_H

#include <stddef.h>

/* Becomes `user` (a name, or a numeric uid that has an account) with that user's groups, without
 * any capability and without a way to regain one (no_new_privs). Irrevocable. 0, or -1 with one
 * sentence that says what to do in `error`. */
int privileges_drop(const char *user, char *error, size_t error_size);

/* Keeps this process's memory out of core dumps, debuggers and, where the limits allow it, swap.
 * Best effort; call it before secrets are made, and after what needs /proc/self. */
void privileges_harden_memory(void);

#endif
