/* timer.h - each connection has a few timers; the stack keeps the connections in one binary heap
 * by their next one.
 *
 * Most timers are moved on long before they expire, so the heap is lazy: a connection's key there
 * is never later than its next timer, but may be earlier; when it comes up too early it is simply
 * put back. Setting a timer later, or stopping one, costs nothing.
 */
#ifndef TCPCT_TIMER_H
#define TCPCT_TIMER_H

#include "tcb.h"

void timer_set(struct tcpct_connection *connection, enum timer timer, uint64_t at_us);
void timer_stop(struct tcpct_connection *connection, enum timer timer);
void timer_stop_all(struct tcpct_connection *connection);
static inline bool timer_is_set(const struct tcpct_connection *connection, enum timer timer)
{
    return connection->timers[timer] != TCPCT_NEVER;
}

/* When the heap next wants to be looked at. */
uint64_t timer_deadline(const struct tcpct_stack *stack);
/* A connection of which some timer has expired, taken from the heap, or NULL. The caller serves
 * and stops its expired timers and calls timer_again. */
struct tcpct_connection *timer_expired(struct tcpct_stack *stack, uint64_t now_us);
/* Puts a connection (back) into the heap by its next timer; nothing if it has none. */
void timer_again(struct tcpct_connection *connection);
/* Takes a connection out of the heap for good. */
void timer_forget(struct tcpct_connection *connection);

#endif
