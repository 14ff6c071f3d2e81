/* sim_memory.c - what a host of the simulator gives its stack: memory that is counted, chance
 * from the seed, and a sink for trace events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

/* Before each block; as large as any alignment. */
union header {
    size_t size;
    max_align_t align;
};

static void *allocate(void *context, size_t size)
{
    struct sim_memory *memory = &((struct sim_host *)context)->memory;
    if (memory->fail_after == 0)
        return NULL;
    if (memory->fail_after != UINT64_MAX)
        memory->fail_after--;
    union header *block = malloc(sizeof(*block) + size);
    assert_non_null(block);
    block->size = size;
    memory->allocations++;
    memory->blocks++;
    memory->bytes += size;
    if (memory->bytes > memory->bytes_highest)
        memory->bytes_highest = memory->bytes;
    return block + 1;
}

static void release(void *context, void *pointer)
{
    struct sim_memory *memory = &((struct sim_host *)context)->memory;
    assert_non_null(pointer);
    union header *block = (union header *)pointer - 1;
    memory->blocks--;
    memory->bytes -= block->size;
    free(block);
}

static void draw(void *context, void *bytes, size_t size)
{
    generate_bytes(&((struct sim_host *)context)->random, bytes, size);
}

static void print_trace(void *context, const struct tcpct_trace_event *event)
{
    char text[256];
    tcpct_trace_text(event, text, sizeof(text));
    fprintf(stderr, "host %u %s\n", ((struct sim_host *)context)->index, text);
}

struct tcpct_config sim_stack_config(struct sim_host *host, const struct tcpct_config *from)
{
    struct tcpct_config config = *from;
    host->memory = (struct sim_memory){ .fail_after = UINT64_MAX };
    config.random = draw;
    config.allocate = allocate;
    config.release = release;
    config.trace = getenv("SIM_TRACE") ? print_trace : NULL;
    config.context = host;
    config.wall_clock_us = 1700000000000000;
    return config;
}

void sim_check_counters(const struct tcpct_stack *stack)
{
    struct tcpct_counters counters;
    uint64_t sum = 0;
    tcpct_counters(stack, &counters);
    for (unsigned i = 0; i < TCPCT_VERDICTS; i++)
        sum += counters.verdicts[i];
    assert_int_equal(sum, counters.packets_in);
}
