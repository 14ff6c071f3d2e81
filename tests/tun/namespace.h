/* namespace.h - a network of one's own for the tests of a program. */
#ifndef TESTS_TUN_NAMESPACE_H
#define TESTS_TUN_NAMESPACE_H

#include <stdbool.h>

/* Moves this process into new user and network namespaces with loopback up, once. False: this
 * machine forbids it, or has no TUN device; one sentence on standard error says which. */
bool namespace_enter(void);

#endif
