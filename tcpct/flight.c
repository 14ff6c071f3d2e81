#include "flight.h"

#include "seq.h"

enum { FLIGHT_MAX = 65536 };

static uint32_t size_of(const struct sent *sent)
{
    return sent->end - sent->seq;
}

/* Takes the record's bytes out of the sums, or puts them in: the invariant in flight.h. */
static uint32_t *sum_of(struct flight *flight, const struct sent *sent)
{
    if (sent->flags & SENT_SACKED)
        return &flight->sacked;
    return sent->flags & SENT_LOST ? &flight->lost : &flight->in_flight;
}

static void set_flags(struct flight *flight, struct sent *sent, uint8_t flags)
{
    *sum_of(flight, sent) -= size_of(sent);
    sent->flags = flags;
    *sum_of(flight, sent) += size_of(sent);
}

static void free_items(struct flight *flight, struct memory *memory)
{
    if (flight->item != flight->first)
        memory_buffer_free(memory, flight->item, flight->capacity * sizeof(*flight->item));
}

bool flight_reserve(struct flight *flight, struct memory *memory)
{
    if (flight->count + 2 <= flight->capacity)
        return true;
    if (flight->capacity == 0) {
        flight->item = flight->first;
        flight->capacity = FLIGHT_FIRST;
        return true;
    }
    uint32_t capacity = 4 * flight->capacity;
    if (capacity > FLIGHT_MAX)
        return false;
    struct sent *item = memory_buffer(memory, capacity * sizeof(*item));
    if (!item)
        return false;
    for (uint32_t i = 0; i < flight->count; i++)
        item[i] = *flight_at(flight, i);
    free_items(flight, memory);
    flight->item = item;
    flight->capacity = capacity;
    flight->head = 0;
    return true;
}

void flight_free(struct flight *flight, struct memory *memory)
{
    free_items(flight, memory);
    *flight = (struct flight){ 0 };
}

void flight_add(struct flight *flight, uint32_t seq, uint32_t end, uint64_t now_us)
{
    flight->count++;
    *flight_at(flight, flight->count - 1) =
        (struct sent){ .seq = seq, .end = end, .sent_us = now_us };
    flight->in_flight += end - seq;
}

void flight_resent(struct flight *flight, uint32_t index, uint64_t now_us)
{
    struct sent *sent = flight_at(flight, index);
    set_flags(flight, sent, SENT_RETRANSMITTED);
    sent->sent_us = now_us;
}

void flight_mark_lost(struct flight *flight, uint32_t index)
{
    struct sent *sent = flight_at(flight, index);
    set_flags(flight, sent, sent->flags | SENT_LOST);
}

void flight_mark_sacked(struct flight *flight, uint32_t index)
{
    struct sent *sent = flight_at(flight, index);
    set_flags(flight, sent, (sent->flags | SENT_SACKED) & (uint8_t)~SENT_LOST);
}

void flight_clear_lost(struct flight *flight, uint32_t index)
{
    struct sent *sent = flight_at(flight, index);
    set_flags(flight, sent, sent->flags & (uint8_t)~SENT_LOST);
}

void flight_clear_sacked(struct flight *flight, uint32_t index)
{
    struct sent *sent = flight_at(flight, index);
    set_flags(flight, sent, sent->flags & (uint8_t)~SENT_SACKED);
}

bool flight_split(struct flight *flight, uint32_t index, uint32_t seq)
{
    if (flight->count == flight->capacity)
        return false;
    flight->count++;
    for (uint32_t i = flight->count - 1; i > index; i--)
        *flight_at(flight, i) = *flight_at(flight, i - 1);
    flight_at(flight, index)->end = seq;
    flight_at(flight, index + 1)->seq = seq;
    return true;
}

void flight_pop(struct flight *flight)
{
    const struct sent *first = flight_at(flight, 0);
    *sum_of(flight, first) -= size_of(first);
    flight->head = (flight->head + 1) & (flight->capacity - 1);
    flight->count--;
}

void flight_trim(struct flight *flight, uint32_t una)
{
    struct sent *first = flight_at(flight, 0);
    *sum_of(flight, first) -= una - first->seq;
    first->seq = una;
}

void flight_clear(struct flight *flight)
{
    flight->count = 0;
    flight->in_flight = flight->lost = flight->sacked = 0;
}
