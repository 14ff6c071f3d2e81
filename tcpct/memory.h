/* memory.h - the allocator of the configuration, with the stack's one budget for buffers. */
#ifndef TCPCT_MEMORY_H
#define TCPCT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory {
    void *(*allocate)(void *context, size_t size);
    void (*release)(void *context, void *memory);
    void *context;
    size_t used, budget; /* bytes of buffers */
    /* At the budget's end: frees what nobody uses, until `size` bytes fit if it can. NULL: nothing. */
    void (*reclaim)(void *owner, size_t size);
    void *owner;
    uint64_t refused; /* times the budget or the allocator said no */
};

/* Zeroed memory outside the budget, for tables made once and for pooled structures; or NULL. */
void *memory_zeroed(struct memory *memory, size_t size);
void memory_free(struct memory *memory, void *pointer);

/* A buffer inside the budget, not zeroed; or NULL, which is counted. */
void *memory_buffer(struct memory *memory, size_t size);
/* `size` as it was taken. NULL is allowed. */
void memory_buffer_free(struct memory *memory, void *buffer, size_t size);

#endif
