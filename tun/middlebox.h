/* middlebox.h - what stands on the way and does more than forward: firewalls, address translators,
 * proxies and network cards that change, cut, join, drop or answer packets.
 *
 * Theory of operation. A packet runs at once through the behaviours that were asked for, in the
 * order of the table in middlebox.c if A sent it, in the opposite order if B did: so each sees a
 * connection the same way in both directions. What is left goes to `emit`, and so does what a
 * behaviour answers, in the other direction. Joined segments wait: for the next, for up to a
 * millisecond. A proxy (proxy.h) stands next to A, inside of all the others, and has timers.
 *
 * A box knows TCP as it was before RFC 6013: it looks at options in the header, takes a header
 * extension for data, and so do most that exist. Segments with a wrong checksum it leaves alone.
 * No I/O, no clock; chance only in the seed.
 */
#ifndef TUN_MIDDLEBOX_H
#define TUN_MIDDLEBOX_H

#include "tcpct/tcpct.h"

/* A is the inside, where there is one. */
enum link_direction { LINK_A_TO_B, LINK_B_TO_A, LINK_DIRECTIONS };

/* A set of option kinds. */
struct option_kinds {
    uint64_t bits[4];
};

static inline void option_kinds_add(struct option_kinds *kinds, uint8_t kind)
{
    kinds->bits[kind / 64] |= UINT64_C(1) << kind % 64;
}

static inline bool option_kinds_has(const struct option_kinds *kinds, uint8_t kind)
{
    return (kinds->bits[kind / 64] >> kind % 64 & 1) != 0;
}

/* What may differ between the directions. All zero: nothing happens. */
struct middlebox_way {
    uint16_t mtu;              /* larger packets are dropped, and answered with ICMP; 0: none */
    bool mtu_silent;           /* ... not answered: a black hole */
    struct option_kinds drop;  /* segments with these options are lost */
    struct option_kinds strip; /* options removed ... */
    struct option_kinds blank; /* ... or overwritten with NOP ... */
    struct option_kinds zero;  /* ... or only their values, with zeros */
    bool reorder_options;      /* the last comes first */
    bool drop_syn_data;        /* a SYN with data is lost */
    bool strip_syn_data;       /* ... loses its data */
    bool coalesce;             /* segments that follow each other become one */
    uint16_t split;            /* bytes of data; segments with more are cut; 0: none */
};

struct middlebox_config {
    struct option_kinds copy;    /* the <SYN>'s, put into the <SYN,ACK> */
    bool shift_sequence;         /* other sequence numbers on the other side */
    bool firewall;               /* a <SYN> from B is dropped; keeps no state */
    bool proxy;                  /* TCP connections end here, and are made anew */
    uint64_t forget_us;          /* TCP connections idle for longer are unknown, and dropped; 0: all
                                      is let through. For `nat`, how long a mapping lives. */
    struct tcpct_address nat[2]; /* outside addresses, IPv4 and IPv6; family 0: not translated */
    uint64_t seed;
    uint32_t packet_size_max;
};

struct middlebox_counters {
    uint64_t blocked;  /* packets dropped */
    uint64_t altered;  /* packets changed, cut or joined */
    uint64_t answered; /* packets sent back to the sender */
    uint64_t proxied;  /* TCP connections made anew, by the direction of their <SYN> */
};

struct middlebox;

/* Each of `ways` must stay where it is as long as the box lives; what it says may change. NULL: no
 * memory. */
struct middlebox *middlebox_create(const struct middlebox_config *config,
                                   const struct middlebox_way *const ways[LINK_DIRECTIONS]);
void middlebox_destroy(struct middlebox *box); /* NULL is allowed */

/* Takes what comes out; the packet is the box's. `at_us`: now, or when a joined segment was due. */
typedef void middlebox_emit(void *context, enum link_direction direction,
                            const struct tcpct_packet *packet, uint64_t at_us);

/* An ordinary packet, which is changed in place; packet->size is the room there. */
void middlebox_input(struct middlebox *box, enum link_direction direction,
                     struct tcpct_packet *packet, uint64_t now_us, middlebox_emit *emit,
                     void *context);

/* Emits what is due: joined segments, and what a proxy sends. */
void middlebox_tick(struct middlebox *box, uint64_t now_us, middlebox_emit *emit, void *context);
uint64_t middlebox_deadline(const struct middlebox *box); /* TCPCT_NEVER: nothing is */

const struct middlebox_counters *middlebox_counters(const struct middlebox *box,
                                                    enum link_direction direction);

#endif
