#include "timer.h"

#include "seq.h"

enum { NOT_IN_HEAP = UINT32_MAX };

static void place(struct tcpct_stack *stack, uint32_t index, struct tcpct_connection *connection)
{
    stack->heap[index] = connection;
    connection->heap_index = index;
}

static void sift_up(struct tcpct_stack *stack, uint32_t index)
{
    struct tcpct_connection *connection = stack->heap[index];
    while (index > 0 && connection->heap_at < stack->heap[(index - 1) / 2]->heap_at) {
        place(stack, index, stack->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    place(stack, index, connection);
}

static void sift_down(struct tcpct_stack *stack, uint32_t index)
{
    struct tcpct_connection *connection = stack->heap[index];
    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= stack->heap_count)
            break;
        if (child + 1 < stack->heap_count &&
            stack->heap[child + 1]->heap_at < stack->heap[child]->heap_at)
            child++;
        if (connection->heap_at <= stack->heap[child]->heap_at)
            break;
        place(stack, index, stack->heap[child]);
        index = child;
    }
    place(stack, index, connection);
}

static void heap_key(struct tcpct_connection *connection, uint64_t at_us)
{
    struct tcpct_stack *stack = connection->stack;
    if (connection->heap_index == NOT_IN_HEAP) {
        connection->heap_at = at_us;
        place(stack, stack->heap_count++, connection);
        sift_up(stack, connection->heap_index);
    } else if (at_us < connection->heap_at) {
        connection->heap_at = at_us;
        sift_up(stack, connection->heap_index);
    }
}

static uint64_t next_of(const struct tcpct_connection *connection)
{
    uint64_t next = TCPCT_NEVER;
    for (unsigned i = 0; i < TIMERS; i++)
        next = min_u64(next, connection->timers[i]);
    return next;
}

void timer_set(struct tcpct_connection *connection, enum timer timer, uint64_t at_us)
{
    connection->timers[timer] = at_us;
    if (at_us != TCPCT_NEVER)
        heap_key(connection, at_us);
}

void timer_stop(struct tcpct_connection *connection, enum timer timer)
{
    connection->timers[timer] = TCPCT_NEVER;
}

void timer_stop_all(struct tcpct_connection *connection)
{
    for (unsigned i = 0; i < TIMERS; i++)
        connection->timers[i] = TCPCT_NEVER;
}

uint64_t timer_deadline(const struct tcpct_stack *stack)
{
    return stack->heap_count ? stack->heap[0]->heap_at : TCPCT_NEVER;
}

void timer_forget(struct tcpct_connection *connection)
{
    struct tcpct_stack *stack = connection->stack;
    uint32_t index = connection->heap_index;
    if (index == NOT_IN_HEAP)
        return;
    connection->heap_index = NOT_IN_HEAP;
    struct tcpct_connection *last = stack->heap[--stack->heap_count];
    if (last == connection)
        return;
    place(stack, index, last);
    sift_up(stack, index);
    sift_down(stack, last->heap_index);
}

struct tcpct_connection *timer_expired(struct tcpct_stack *stack, uint64_t now_us)
{
    while (stack->heap_count && stack->heap[0]->heap_at <= now_us) {
        struct tcpct_connection *connection = stack->heap[0];
        timer_forget(connection);
        if (next_of(connection) <= now_us)
            return connection;
        timer_again(connection);
    }
    return NULL;
}

void timer_again(struct tcpct_connection *connection)
{
    uint64_t next = next_of(connection);
    if (next != TCPCT_NEVER)
        heap_key(connection, next);
}
