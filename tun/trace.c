/* trace.c - see trace.h. */
#include "tun/trace.h"

#define MS UINT64_C(1000000)

bool trace_is_sound(const struct trace *trace)
{
    for (size_t i = 1; i < trace->count; i++)
        if (trace->at_ms[i] < trace->at_ms[i - 1])
            return false;
    return trace->count > 0 && trace->at_ms[trace->count - 1] > 0;
}

static uint64_t round_ns(const struct trace *trace)
{
    return trace->at_ms[trace->count - 1] * MS;
}

static uint64_t time_of(const struct trace *trace, const struct trace_place *place)
{
    return place->round * round_ns(trace) + trace->at_ms[place->index] * MS;
}

/* The first opportunity at that time or later. */
static struct trace_place find(const struct trace *trace, uint64_t from_ns)
{
    uint64_t round = from_ns / round_ns(trace), within_ns = from_ns % round_ns(trace);
    size_t low = 0,
           high = trace->count - 1; /* it is between them: the last is later than within_ns */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (trace->at_ms[middle] * MS < within_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return (struct trace_place){ .begun = true, .round = round, .index = low, .left = TRACE_BYTES };
}

uint64_t trace_send(const struct trace *trace, struct trace_place *place, uint64_t from_ns,
                    uint32_t size)
{
    if (!place->begun || time_of(trace, place) < from_ns)
        *place = find(trace, from_ns);
    while (size > place->left) {
        size -= place->left;
        place->left = TRACE_BYTES;
        if (++place->index == trace->count) {
            place->index = 0;
            place->round++;
        }
    }
    place->left -= size;
    return time_of(trace, place);
}
