/* collapse.h - an idle plain TCP connection becomes a record, and a record a connection again.
 *
 * The peer sees nothing of it. What it takes to go on is in the record: endpoints, both sequence
 * numbers, both windows, the options that were agreed, timestamp offset and TS.Recent, and a word of
 * the application's, which holds nothing else. What a connection can learn again is not kept: the
 * congestion window, which idleness would have taken anyway (RFC 5681, 4.1), RTT and path MTU.
 *
 * A segment with data or FIN that passes PAWS (RFC 7323) and the tests of RFC 5961 revives; so may the
 * application. Everything else is answered from the record: keep-alives (RFC 9293, 3.8.4) and, within
 * the limit for challenge ACKs, old duplicates and what is blindly sent. A bare acknowledgment may
 * bring a new window.
 *
 * Records are of a fixed number. The one heard of longest ago gives way, and is aborted: its RST leaves
 * from a TCB in the place of the one that has just collapsed. There is no timer, save for the
 * greatest age, if one is configured.
 */
#ifndef TCPCT_COLLAPSE_H
#define TCPCT_COLLAPSE_H

#include "tcb.h"

enum collapsed_flag {
    RECORD_INITIATOR = 1, /* we made the connection */
    RECORD_TIMESTAMPS = 2,
    RECORD_SACK = 4,
    RECORD_SCALING = 8,
    RECORD_ECN = 16,
    RECORD_NODELAY = 32,
    RECORD_SIGNED = 64,
    RECORD_COOKIE_LESS = 128,
};

/* 64 bytes with its share of the index for IPv4, 76 for IPv6. */
struct collapsed {
    struct table_entry entry;
    uint16_t local_port, remote_port;
    uint32_t snd_nxt, rcv_nxt;
    uint16_t snd_wnd, snd_max_wnd; /* both as in the peer's header, not yet scaled */
    uint16_t rcv_wnd;              /* as in ours, rounded up: what was offered is not taken back */
    uint16_t mss;
    uint32_t timestamp_offset, ts_recent;
    uint32_t heard_s; /* when: the time of TS.Recent, in seconds */
    uint32_t user[2];
    uint8_t snd_scale;
    uint8_t flags; /* enum collapsed_flag */
    uint8_t local; /* which of the stack's addresses */
    uint8_t traffic_class;
    uint8_t remote[]; /* 4 or 16 bytes */
};

static inline struct table *collapse_table(struct tcpct_stack *stack, uint8_t family)
{
    return &stack->collapse.tables[family == 6];
}

/* Tables for one more family of addresses. False: no memory. */
bool collapse_create(struct tcpct_stack *stack, uint8_t family);
void collapse_destroy(struct tcpct_stack *stack);

/* The record of these endpoints, or NULL. */
struct collapsed *collapse_find(const struct tcpct_stack *stack, const struct endpoints *endpoints);
/* Whether there is one of a connection with that peer that is not signed (RFC 2385). */
bool collapse_is_unsigned(const struct tcpct_stack *stack, const struct tcpct_address *peer);
/* Whether we had made the connection. */
bool collapse_is_initiator(const struct collapsed *record);
/* Its TS Value at a time. */
uint32_t collapse_timestamp(const struct collapsed *record, uint64_t now_us);
/* Whether a TS Value of ours is from after the peer was last heard. */
bool collapse_is_before(const struct collapsed *record, uint32_t timestamp);

/* A segment without Cookie-Pair for a record (collapse_input.c). If it revives, *connection is to take it, otherwise it
 * is NULL. */
enum tcpct_verdict collapse_input(struct tcpct_stack *stack, struct collapsed *record,
                                  const struct segment *segment, struct tcpct_packet *reply,
                                  struct tcpct_connection **connection, uint64_t now_us);
/* A connection again, which the application holds; NULL: there is no room for a TCB. `returned`: the
 * profile of its prefix is to count it as one that came back. */
struct tcpct_connection *collapse_revive(struct tcpct_stack *stack, struct collapsed *record,
                                         bool returned, uint64_t now_us);
/* The record is no more; `note` says why, for the trace. */
void collapse_forget(struct tcpct_stack *stack, struct collapsed *record, bool returned,
                     const char *note, uint64_t now_us);

/* The timer of idle connections has expired. */
void collapse_consider(struct tcpct_connection *connection, uint64_t now_us);
/* It has been heard of, and is not idle for a while. */
void collapse_heard(struct tcpct_connection *connection, uint64_t now_us);

/* Ends what is too old. */
void collapse_tick(struct tcpct_stack *stack, uint64_t now_us);

#endif
