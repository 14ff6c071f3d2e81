/* boxed.h - segments for the tests of middleboxes, and a record of what comes out of a box. */
#ifndef TESTS_TUN_BOXED_H
#define TESTS_TUN_BOXED_H

#include "tcpct/segment.h"
#include "tun/middlebox.h"

enum { BOXED_SIZE = 1500, BOXED_MAX = 16, BOXED_INSIDE_PORT = 50000, BOXED_REMOTE_PORT = 53 };

struct boxed_packet {
    enum link_direction direction;
    uint64_t at_us;
    struct tcpct_packet packet;
    struct segment segment; /* its options stay zero if it is no TCP */
    enum segment_verdict verdict;
    uint8_t bytes[BOXED_SIZE];
};

struct boxed {
    struct middlebox *box;
    struct middlebox_way ways[LINK_DIRECTIONS];
    uint64_t now_us;
    struct boxed_packet out[BOXED_MAX];
    size_t count;
};

/* Inside is 10.0.0.1 or fd00::1, the remote end 192.0.2.1 or 2001:db8::1. */
extern const struct tcpct_address boxed_inside[2], boxed_remote[2];

void boxed_begin(struct boxed *boxed, const struct middlebox_config *config);
void boxed_end(struct boxed *boxed);

/* A segment of the test's connection with a window of 1000, byte i of its data being
 * (seq + i) % 256. */
struct segment boxed_segment(enum link_direction direction, unsigned family, uint8_t flags,
                             uint32_t seq, uint32_t data_size);

/* Encodes and sends it; how many packets came out. */
size_t boxed_send(struct boxed *boxed, enum link_direction direction,
                  const struct segment *segment);
size_t boxed_send_packet(struct boxed *boxed, enum link_direction direction,
                         const struct tcpct_packet *packet);
size_t boxed_wait(struct boxed *boxed, uint64_t now_us);

/* The only packet that came out of the last of these, in its direction; it must be sound TCP. */
const struct segment *boxed_pass(struct boxed *boxed, enum link_direction direction,
                                 const struct segment *segment);

#endif
