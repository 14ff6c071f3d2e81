/* loop.h - the event loop: one stack on one device, with one clock read a turn.
 *
 * A turn: wait for a packet, a descriptor, a signal or the deadline; read the clock; read a batch
 * of packets and hand each to tcpct_input (writing its reply); tcpct_tick; serve other descriptors
 * and signals; serve the application; and write what tcpct_output has. Batches are bounded, so
 * that no source of work starves another; a turn that left work behind does not wait.
 */
#ifndef TUN_LOOP_H
#define TUN_LOOP_H

#include "tun/device.h"

struct loop;

struct loop_handlers {
    /* The application's part of a turn: take events from the stack, use connections. `stack` is
     * what loop_create was given. */
    void (*serve)(void *context, struct tcpct_stack *stack, uint64_t now_us);
    /* A packet that the stack did not want (TCPCT_NOT_MINE), for example UDP; may be NULL. */
    void (*other_packet)(void *context, const struct tcpct_packet *packet, uint64_t now_us);
    /* A signal that was registered with loop_signal; may be NULL. */
    void (*signal)(void *context, int signal_number);
    void *context;
};

/* The clock of every loop: microseconds of CLOCK_MONOTONIC. */
uint64_t loop_clock_us(void);
/* Microseconds since 1970, for tcpct_config.wall_clock_us and captures. */
uint64_t loop_wall_clock_us(void);
/* A tcpct_config.random: getrandom(2), buffered, and what was given out is wiped. The context is
 * ignored. Each thread has its own buffer; a forked child must exec before using it. */
void loop_random(void *context, void *bytes, size_t size);

/* NULL: no memory or descriptors (errno). Nothing given is owned. `stack` may be NULL: then
 * packets go to other_packet only. `device` may be NULL too: a loop of descriptors and deadlines.
 * Sets the thread's timer slack to its minimum, so that deadlines are met within microseconds. */
struct loop *loop_create(struct tcpct_stack *stack, struct tun_device *device,
                         const struct loop_handlers *handlers);
/* Gives signals back to the process as they were before. NULL is allowed. */
void loop_destroy(struct loop *loop);

/* Delivers this signal as a handlers.signal call within a turn (signalfd). 0 or -1 (errno). */
int loop_signal(struct loop *loop, int signal_number);
/* Calls `ready` in a turn in which `fd` has any of `events` (poll(2) bits); watching it again
 * replaces what was asked for. `ready` may watch and unwatch anything; a call without cause is
 * possible when descriptors are closed and reused within a turn, so descriptors should be
 * non-blocking. A regular file is always ready: unwatch it while nothing is wanted of it. 0 or -1
 * (errno). */
int loop_watch(struct loop *loop, int fd, short events,
               void (*ready)(void *context, int fd, short events, uint64_t now_us), void *context);
/* Before the descriptor is closed. */
void loop_unwatch(struct loop *loop, int fd);
/* The application's own deadline: `serve` runs at the latest then (TCPCT_NEVER: none). */
void loop_deadline(struct loop *loop, uint64_t at_us);
/* Polls through the last microseconds before a deadline instead of sleeping, by as many as sleeps
 * have lately ended too late, within these limits. It costs CPU time and buys precision. 0 and 0, the
 * default: sleep. */
void loop_spin(struct loop *loop, uint64_t least_us, uint64_t most_us);

/* Turns until loop_stop; returns loop_stop's status, or -1 if the device failed (errno). */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int status);

#endif
