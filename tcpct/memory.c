#include "memory.h"

#include <string.h>

void *memory_zeroed(struct memory *memory, size_t size)
{
    void *pointer = memory->allocate(memory->context, size);
    if (pointer)
        memset(pointer, 0, size);
    return pointer;
}

void memory_free(struct memory *memory, void *pointer)
{
    if (pointer)
        memory->release(memory->context, pointer);
}

void *memory_buffer(struct memory *memory, size_t size)
{
    void *buffer = NULL;
    if (size > memory->budget - memory->used && memory->reclaim)
        memory->reclaim(memory->owner, size);
    if (size <= memory->budget - memory->used)
        buffer = memory->allocate(memory->context, size);
    if (buffer)
        memory->used += size;
    else
        memory->refused++;
    return buffer;
}

void memory_buffer_free(struct memory *memory, void *buffer, size_t size)
{
    if (!buffer)
        return;
    memory->release(memory->context, buffer);
    memory->used -= size;
}
