/* flight.h - what has been sent and is not yet acknowledged: one record for each transmission,
 * in sequence order, with the time it left. The scoreboard of SACK (RFC 6675) and RACK (RFC 8985).
 *
 * A record covers a segment, or the whole of a buffer that was handed to segmentation offload;
 * acknowledgments that end inside it split it. Bytes are "in flight" when they are neither
 * acknowledged, nor sacked, nor marked lost since they were last sent:
 *
 *     in_flight = sum of sizes of records that are neither SENT_SACKED nor SENT_LOST
 */
#ifndef TCPCT_FLIGHT_H
#define TCPCT_FLIGHT_H

#include "memory.h"

enum sent_flag {
    SENT_SACKED = 1,        /* the receiver has it */
    SENT_LOST = 2,          /* deemed lost; to be sent again */
    SENT_RETRANSMITTED = 4, /* sent more than once: no RTT sample (Karn) */
};

struct sent {
    uint32_t seq, end; /* [seq, end), FIN counted */
    uint64_t sent_us;  /* when it last left */
    uint8_t flags;
};

enum { FLIGHT_FIRST = 8 };

struct flight {
    struct sent *item; /* a ring; capacity is 0 or a power of two; `first`, or taken memory */
    uint32_t capacity, head, count;
    uint32_t in_flight;              /* bytes */
    uint32_t lost;                   /* bytes in records marked SENT_LOST */
    uint32_t sacked;                 /* bytes in records marked SENT_SACKED */
    struct sent first[FLIGHT_FIRST]; /* so that short transfers need no memory */
};

static inline struct sent *flight_at(const struct flight *flight, uint32_t index)
{
    return &flight->item[(flight->head + index) & (flight->capacity - 1)];
}

/* Whether another record (and one more from a split) has room, growing if it must. */
bool flight_reserve(struct flight *flight, struct memory *memory);
void flight_free(struct flight *flight, struct memory *memory);

/* Adds new bytes at the end; flight_reserve must have been asked. */
void flight_add(struct flight *flight, uint32_t seq, uint32_t end, uint64_t now_us);

/* Marks record `index` as sent again now. */
void flight_resent(struct flight *flight, uint32_t index, uint64_t now_us);
void flight_mark_lost(struct flight *flight, uint32_t index);
void flight_mark_sacked(struct flight *flight, uint32_t index);
void flight_clear_lost(struct flight *flight, uint32_t index);
void flight_clear_sacked(struct flight *flight, uint32_t index);

/* Splits record `index` at `seq`, strictly inside it. False: no room. */
bool flight_split(struct flight *flight, uint32_t index, uint32_t seq);

/* Removes the first record. */
void flight_pop(struct flight *flight);
/* Cuts what is below `una` from the first record. */
void flight_trim(struct flight *flight, uint32_t una);
/* Forgets everything. */
void flight_clear(struct flight *flight);

#endif
