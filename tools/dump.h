/* dump.h - the rooms of `tcpct dump`: connections found in a capture (dump_flow.c), and one
 * segment as a line (dump_line.c).
 */
#ifndef TOOLS_DUMP_H
#define TOOLS_DUMP_H

#include <stdio.h>

#include "tcpct/segment.h"

/* A packet of the capture. */
struct dump_packet {
    uint64_t number; /* from 1 */
    int64_t time_us; /* since the first packet */
    size_t size;     /* of the IP datagram */
    bool bad_checksum;
    enum segment_verdict verdict; /* of the rest */
    struct segment segment;       /* with SEGMENT_OK */
    struct option_layout layout;
};

/* ---- connections ------------------------------------------------------------------------------ */

enum dump_side { DUMP_CLIENT, DUMP_SERVER };

enum dump_mode {
    DUMP_PLAIN,     /* no cookies were exchanged */
    DUMP_COLD,      /* cookies were exchanged */
    DUMP_SYN_DATA,  /* ... and the answer began in the <SYN,ACK(SYN)> */
    DUMP_RESTART,   /* began with an <ACK(SYN)>, without a cookie exchange */
    DUMP_FAST_OPEN, /* the request came in the <SYN> with a Fast Open cookie (RFC 7413) */
};

/* What became of one connection. */
struct dump_summary {
    struct tcpct_address address[2]; /* by enum dump_side */
    uint16_t port[2];
    enum dump_mode mode;
    uint64_t packets[2];
    uint64_t bytes[2];    /* of IP datagrams */
    uint64_t data[2];     /* of the stream, each byte once */
    unsigned round_trips; /* until the server's last byte of data; 0: it sent none */
    int64_t start_us;     /* the first packet */
    int64_t answered_us;  /* from there to the server's last byte of data; -1: none */
    int64_t min_rtt_us;   /* of the handshake; -1: not seen */
};

struct dump_flows;
struct dump_flow;

/* NULL: no memory. */
struct dump_flows *dump_flows_create(void);
void dump_flows_destroy(struct dump_flows *flows);

/* Files the packet (SEGMENT_OK) under its connection, new or known; NULL: no memory. `side` says
 * who sent it. */
struct dump_flow *dump_flows_take(struct dump_flows *flows, const struct dump_packet *packet,
                                  enum dump_side *side);

/* Calls `each` for every connection in the order in which they began. */
void dump_flows_each(struct dump_flows *flows, void (*each)(const struct dump_summary *summary));

/* Sequence numbers counted from the <SYN> of `side`, which is 0; as they are if none was seen. */
uint32_t dump_flow_relative(const struct dump_flow *flow, enum dump_side side, uint32_t number);

/* ---- lines ------------------------------------------------------------------------------------ */

/* `flow` is NULL unless the packet's verdict is SEGMENT_OK. */
void dump_line_text(FILE *out, const struct dump_packet *packet, const struct dump_flow *flow,
                    enum dump_side side);
void dump_line_json(FILE *out, const struct dump_packet *packet, const struct dump_flow *flow,
                    enum dump_side side);

#endif
