/* passing.h - a packet on its way through a middlebox, as its behaviours share it. */
#ifndef TUN_PASSING_H
#define TUN_PASSING_H

#include "tcpct/ip.h"
#include "tun/middlebox.h"

enum { /* offsets in the TCP header (RFC 9293, 3.1) */
       TCP_SOURCE_PORT = 0,
       TCP_DESTINATION_PORT = 2,
       TCP_SEQ = 4,
       TCP_ACK = 8,
       TCP_DATA_OFFSET = 12,
       TCP_FLAGS = 13,
       TCP_WINDOW = 14,
       TCP_CHECKSUM = 16,
       TCP_OPTIONS = 20,
};

struct passing {
    enum link_direction direction;
    uint64_t now_us;
    struct tcpct_packet *packet;
    bool is_ip; /* sound, and no fragment: `ip` is valid */
    struct ip_header ip;
    uint8_t *tcp;       /* NULL: not TCP, or with a wrong checksum */
    size_t header_size; /* of TCP */
    size_t data_size;   /* an extension of RFC 6013 counts */
    bool altered;       /* checksums are to be made anew */
};

/* Looks at passing->packet; the other fields are filled in. */
void passing_look(struct passing *passing);

static inline uint8_t passing_flags(const struct passing *passing)
{
    return passing->tcp[TCP_FLAGS];
}

/* The options in the header; returns their size. */
static inline size_t passing_options(const struct passing *passing, uint8_t **options)
{
    *options = passing->tcp + TCP_OPTIONS;
    return passing->header_size - TCP_OPTIONS;
}

/* Puts `size` bytes (at most 40, a multiple of 4) in the options' place and moves the data. False:
 * they do not fit the packet's room; nothing has changed. */
bool passing_replace_options(struct passing *passing, const uint8_t *options, size_t size);

/* Cuts the data down to `size` bytes. */
void passing_truncate(struct passing *passing, size_t size);

/* Makes the checksums right if anything was altered. */
void passing_finish(struct passing *passing);

/* The IPv4 header's checksum; does nothing to IPv6. */
void passing_ip_checksum(uint8_t *ip, size_t header_size);

/* ... and that of an ICMP message, over the addresses too if they are IPv6. */
void passing_icmp_checksum(const struct ip_header *ip, uint8_t *message, size_t size);

#endif
