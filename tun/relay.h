/* relay.h - carries bytes both ways between descriptors of the kernel and connections of a stack.
 *
 * Theory of operation: a relay begins with one end and makes the other. Each direction is read only
 * while what was read before could be written, so that it keeps at most RELAY_CHUNK bytes, and a
 * slow reader slows its writer down: the kernel's receive buffer or the stack's fills, and its
 * window closes. The end of one direction passes through (half-close); when both have ended the
 * relay is over. An error of one end resets the other.
 */
#ifndef TUN_RELAY_H
#define TUN_RELAY_H

#include "tun/loop.h"
#include "tun/socket.h"

enum { RELAY_CHUNK = 65536 };

struct relays;

struct relays_options {
    uint32_t relays_max; /* at once; at least 1 */
    /* How connections of the stack are made for descriptors; `request` and `user` are set here. */
    struct tcpct_connect_options connect;
    /* What a descriptor says first may be executed more than once: it is waited for and goes with
     * the first segment. Otherwise nothing is sent before the peer has answered. */
    bool idempotent;
    /* A relay is over only when the peer has acknowledged everything: for a program that ends with
     * it. */
    bool linger;
    bool evicts;      /* at relays_max the one that has been idle longest makes room */
    uint64_t idle_us; /* one that is idle for so long is over; 0: never */
    /* Looks at what passes by, with state_size bytes of the relay's own that begin as zero: whether
     * everything is said for now. Then a connection with cookies is closed, since to begin again
     * costs nothing. NULL: the two ends decide. */
    bool (*look)(void *context, void *state, bool from_stack, const uint8_t *bytes, size_t size);
    size_t state_size;
    struct socket_name to; /* where to the kernel's connections are made */
    /* A relay is over: 0, TCPCT_ERROR_... or an errno above 0; may be NULL. */
    void (*ended)(void *context, int error);
    void *context;
};

/* Every field is a uint64_t; relay_counter_name names them in order. */
struct relay_counters {
    uint64_t relays, relays_now;
    uint64_t relays_refused; /* relays_max was reached, or there was no memory or descriptor */
    uint64_t relays_failed;  /* ended with an error of either end */
    uint64_t relays_evicted, relays_idle;
    uint64_t bytes_from_stack, bytes_to_stack;
};

/* NULL: no memory. Neither loop nor stack is owned. The process must ignore SIGPIPE. */
struct relays *relays_create(const struct relays_options *options, struct loop *loop,
                             struct tcpct_stack *stack);
/* Resets all that is open. NULL is allowed. */
void relays_destroy(struct relays *relays);
bool relays_full(const struct relays *relays);

/* From now on `in` and `out` are the relay's, which closes them. For a socket they are the same;
 * otherwise two that do not block. False: refused, and closed. */
bool relay_from_descriptors(struct relays *relays, int in, int out, uint64_t now_us);

/* In each turn: takes all events of the stack, makes a relay of each connection that a listener has,
 * and ends what is idle. All the stack's connections are the relays', and its listeners have no
 * user. */
void relays_serve(struct relays *relays, uint64_t now_us);
/* When relays_serve wants to be called without an event; TCPCT_NEVER if not. */
uint64_t relays_deadline(const struct relays *relays);

const struct relay_counters *relays_counters(const struct relays *relays);
/* Name of counter `index` in the struct's order; NULL past the end. */
const char *relay_counter_name(size_t index);

#endif
