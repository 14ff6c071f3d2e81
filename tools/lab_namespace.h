/* lab_namespace.h - named network namespaces, as `ip netns` makes them, and the private world in
 * which an ordinary user may make some.
 *
 * A named namespace is a file in /run/netns on which the namespace is mounted. Functions that
 * fail return -1 with one sentence in `error`.
 */
#ifndef TOOLS_LAB_NAMESPACE_H
#define TOOLS_LAB_NAMESPACE_H

#include <stddef.h>

enum { NAMESPACE_ERROR_SIZE = 256 };

/* Makes the namespace, with the loopback device up and packets forwarded. The caller stays where
 * it is. */
int namespace_create(const char *name, char *error);

/* Takes the name away; the namespace itself lives on while a process is inside. A missing name is
 * no failure. */
int namespace_remove(const char *name, char *error);

/* Moves the caller into the namespace. */
int namespace_join(const char *name, char *error);

/* Moves the caller, an ordinary user, into new user, mount and network namespaces in which it is
 * root and /run is its own and empty. */
int namespace_private(char *error);

#endif
