/* carry.h - a Responder that remembers nothing: what its paths can carry goes, sealed (seal.h), to the
 * Initiators, and comes back with their restarts (RFC6013-NOTES.md, "Restart").
 */
#ifndef TCPCT_CARRY_H
#define TCPCT_CARRY_H

#include "seal.h"
#include "tcb.h"

/* Seals what the connection's path can carry, into connection->seal. False: it has no seals. */
bool carry_seal(struct tcpct_connection *connection, uint64_t now_us);

/* Opens the seal of an opening. With SEAL_OPENED it is of a connection that has ended in order at a stack
 * with our key, and `path` is what that left behind, in this stack's time. Counted. */
enum seal_verdict carry_open(struct tcpct_stack *stack, const struct segment *segment,
                             struct path_state *path, uint64_t now_us);

#endif
