/* link.h - a link between two ends, A and B, under the caller's clock: bottleneck, queue, delay,
 * and what wires and middleboxes do to packets.
 *
 * Theory of operation. A packet comes in through a middlebox (middlebox.h), whose answers leave in
 * the other direction. Each direction is a chain of stages (link_stage.c has the table). What came
 * through the box runs down the chain at once, and each stage passes it on: never, once or several times,
 * changed or not, with a later time in packet->at_ns or with the same. A bottleneck is first in
 * first out, so the time at which it will have sent a packet is known on arrival, and nothing has
 * to wait for it, unless CoDel manages its queue (link_bottleneck.c). What leaves the last stage lies in a heap, ordered by time, until link_packet_out
 * takes it.
 *
 * Times are exact: within the link they are nanoseconds, and the fractions of a nanosecond that
 * dividing by the rate leaves are carried over, so 10,000 packets take exactly as long as their
 * bits. Chance comes from a generator that is seeded for each direction and stage, so a run can
 * be repeated, and asking for one misbehaviour does not change the dice of another.
 *
 * Memory is allocated once. No I/O, no clock.
 */
#ifndef TUN_LINK_H
#define TUN_LINK_H

#include "tun/codel.h"
#include "tun/middlebox.h"
#include "tun/trace.h"

enum { LINK_DROPS_MAX = 32 };

struct link;

/* One direction. All zero: a perfect wire. */
struct link_path {
    uint64_t rate;      /* bits of IP packets a second, up to 10^12; 0: unlimited */
    struct trace trace; /* in place of a rate, from the link's first packet on, if its count is not
                             * 0; at_ms is the caller's, and stays as long as it is in use */
    struct codel_config codel; /* in that queue */
    uint64_t queue_bytes;   /* drop-tail limits of what waits or is being sent at the bottleneck; */
    uint32_t queue_packets; /* 0: none. An idle bottleneck takes any packet. */
    uint64_t delay_us;      /* from the bottleneck to the other end; up to 10^9 */
    uint64_t jitter_us;     /* up to so much more, the order kept; up to 10^9 */
    uint64_t reorder_us;    /* how much longer a reordered packet takes; up to 10^9 */
    double loss, corrupt, duplicate, reorder; /* probabilities of each packet, 0 to 1 */
    /* Gilbert-Elliott: of entering and of leaving a burst, and of loss in one; `loss` is that
     * outside. */
    double burst_enter, burst_leave, burst_loss;
    struct {
        uint64_t first, last;
    } drops[LINK_DROPS_MAX]; /* lost for certain: by number, from 1, of those that left the queue */
    size_t drop_count;
    struct middlebox_way box;
};

struct link_config {
    struct link_path paths[LINK_DIRECTIONS];
    struct middlebox_config box; /* but for seed and packet_size_max */
    uint64_t seed;
    uint32_t packets_max;     /* in the link at once, both directions; 0: 32768 */
    uint32_t packet_size_max; /* bytes; 0: 1500 */
};

struct link_counters {
    uint64_t packets_in, bytes_in; /* after coalesced packets were cut */
    uint64_t packets_out, bytes_out;
    uint64_t queue_drops; /* at the bottleneck's full queue */
    uint64_t aqm_drops;   /* by CoDel */
    uint64_t queue_max;   /* the most bytes that waited there, with what was being sent */
    uint64_t lost, corrupted, duplicated, reordered;
    uint64_t no_room; /* packets_max or packet_size_max exceeded: lost, too */
};

/* NULL: no memory, or a value out of its range. */
struct link *link_create(const struct link_config *config);
void link_destroy(struct link *link); /* NULL is allowed */

/* A packet enters. It is copied; a coalesced one enters as the segments it stands for, and
 * partial checksums are completed. Time must not go backwards. */
void link_packet_in(struct link *link, enum link_direction direction,
                    const struct tcpct_packet *packet, uint64_t now_us);

/* The next packet that has arrived by now. What packet->data points to is the link's, and stays until
 * the next call for this direction; the caller may change it. False: none has. */
bool link_packet_out(struct link *link, enum link_direction direction, struct tcpct_packet *packet,
                     uint64_t now_us);

/* When link_packet_out will next have something in either direction; TCPCT_NEVER: not before
 * another packet enters. */
uint64_t link_deadline(const struct link *link);

/* One direction is different from now on. What is in it already leaves as it would have, so that a
 * shorter delay may reorder, but what CoDel holds; dice and packet numbers go on. False: a value is out of its range. */
bool link_change(struct link *link, enum link_direction direction, const struct link_path *path);

const struct link_counters *link_counters(const struct link *link, enum link_direction direction);
const struct middlebox_counters *link_box_counters(const struct link *link,
                                                   enum link_direction direction);

#endif
