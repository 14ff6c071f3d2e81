/* frames.h - packets made by hand, and a checksum that owes nothing to the code under test. */
#ifndef TESTS_TUN_FRAMES_H
#define TESTS_TUN_FRAMES_H

#include "tcpct/tcpct.h"

struct frame {
    uint8_t bytes[TCPCT_PACKET_SIZE];
    struct tcpct_packet packet;
};

struct frame_fields {
    uint8_t family;         /* 4 or 6 */
    uint8_t protocol;       /* 6 or 17 */
    size_t options_size;    /* of TCP, a multiple of 4: NOPs */
    size_t extensions_size; /* IPv6 destination options, a multiple of 8 */
    uint8_t flags;
    uint16_t urgent;
    uint32_t seq;
    uint16_t identification;
    size_t data_size; /* byte i is frame_data(i) */
};

/* A packet from 10.1.2.3 (fd01::3) port 1000 to 10.1.2.4 (fd01::4) port 2000, with right checksums
 * and neither segment_size nor partial_checksum. */
void frame_make(struct frame *frame, const struct frame_fields *fields);
uint8_t frame_data(size_t index);

/* Puts only the pseudo-header's sum into the transport's checksum field and sets
 * partial_checksum and header_size, and segment_size to `segment_size`. */
void frame_offload(struct frame *frame, uint16_t segment_size);

/* Where the transport's header begins, and where its data does. */
size_t frame_transport(const struct tcpct_packet *packet);
size_t frame_payload(const struct tcpct_packet *packet);

/* The IPv4 header's and the transport's checksum are right, and the length is the packet's. */
bool frame_is_right(const struct tcpct_packet *packet);

#endif
