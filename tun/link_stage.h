/* link_stage.h - the inside of a link: what its stages work on. For link.c and link_stage.c. */
#ifndef TUN_LINK_STAGE_H
#define TUN_LINK_STAGE_H

#include "tun/link.h"

#define LINK_NO_PACKET UINT32_MAX

struct packet {
    uint64_t at_ns; /* when it is at this point of the chain */
    uint32_t size;
    uint32_t next_free;
    uint8_t *bytes;
};

/* A packet at the end of the chain. */
struct arrival {
    uint64_t at_ns;
    uint64_t order; /* of packets with the same time */
    uint32_t index;
};

enum stage_number {
    STAGE_BOTTLENECK,
    STAGE_LOSE,
    STAGE_CORRUPT,
    STAGE_DUPLICATE,
    STAGE_REORDER,
    STAGE_DELAY,
    STAGES
};

/* What the bottleneck still holds of one packet. */
struct waiting {
    uint64_t sent_ns; /* when its last bit will have left */
    uint32_t size;
};

struct bottleneck {
    struct waiting *waiting; /* whose time is known: a ring of packets_max */
    uint32_t first, count;
    uint32_t *held; /* packets behind them, whose time is not: a ring of packets_max */
    uint32_t held_first, held_count;
    uint64_t bytes, held_bytes; /* of all, of those held */
    uint64_t free_ns;           /* when the last bit of the last packet sent will have left ... */
    uint64_t remainder;         /* ... plus this over rate nanoseconds */
    struct codel codel;
    uint32_t dropped;         /* by CoDel since one was sent */
    struct trace_place place; /* of the last packet sent */
};

struct path {
    struct link *link;
    struct link_path config;
    struct link_counters counters;
    uint64_t random[STAGES]; /* the generators' states */
    struct bottleneck bottleneck;
    uint64_t number;      /* of packets that came to be lost or not */
    bool in_burst;        /* of losses */
    uint64_t jitter_ns;   /* when the last packet that jitter delayed arrives */
    struct arrival *heap; /* the earliest is first */
    uint32_t heap_count;
    uint32_t lent; /* the packet that link_packet_out gave last; LINK_NO_PACKET: none */
};

struct link {
    struct path paths[LINK_DIRECTIONS];
    struct middlebox *box; /* NULL: none */
    uint32_t packets_max, packet_size_max;
    struct packet *packets;
    uint8_t *bytes; /* packets_max times packet_size_max */
    uint8_t *scratch;
    uint32_t first_free;
    uint64_t order;
    uint64_t began_ns; /* when the first packet came; TCPCT_NEVER: none has */
};

/* LINK_NO_PACKET if all are in use; counted as lost. */
uint32_t link_packet_new(struct path *path);
void link_packet_free(struct link *link, uint32_t index);

/* A packet has run down the chain. */
void link_arrive(struct path *path, uint32_t index);

/* Runs a packet down the chain, which owns it from now on; the same without its first stage. */
void link_stages_run(struct path *path, uint32_t index);
void link_stages_behind_bottleneck(struct path *path, uint32_t index);

/* The first stage, of a path with a rate or a trace. */
void link_bottleneck_take(struct path *path, uint32_t index);
/* Sends, or drops, the packets held whose turn has come; if any are left, the next turn is at
 * bottleneck.free_ns. */
void link_bottleneck_run(struct path *path, uint64_t now_ns);

#endif
