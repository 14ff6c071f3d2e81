/* dump.h - the rooms of `tcpct dump`: captures (dump_capture.c), connections found in a capture (dump_flow.c), what their ends
 * know (dump_state.c), one segment as a line (dump_line.c), and a few connections as a picture
 * (dump_events.c, dump_ladder.c, dump_sequence.c).
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

/* ---- captures --------------------------------------------------------------------------------- */

struct dump_capture;

/* Opens a file, or (live) follows a device until SIGINT or SIGTERM. NULL after a message. */
struct dump_capture *dump_capture_open(const char *name, bool live);
void dump_capture_close(struct dump_capture *capture);

enum dump_got { DUMP_GOT_PACKET, DUMP_GOT_END, DUMP_GOT_ERROR };
/* The next packet that holds IP; its data lasts until the next call. DUMP_GOT_ERROR after a message. */
enum dump_got dump_capture_next(struct dump_capture *capture, struct dump_packet *packet);

/* ---- what is inferred ------------------------------------------------------------------------- */

enum dump_side { DUMP_CLIENT, DUMP_SERVER };

enum dump_note {
    DUMP_NOTE_OPENING,    /* the <ACK(SYN)> with Cookie-Pair */
    DUMP_NOTE_AGAIN,      /* of data, SYN or FIN: all of it was sent before */
    DUMP_NOTE_RESTART,    /* the opening of a closed connection */
    DUMP_NOTE_REFLECTED,  /* equal cookies: RFC 6013, 4.3 */
    DUMP_NOTE_SIZES,      /* 3.1 */
    DUMP_NOTE_FOREIGN,    /* 4.4, 7 */
    DUMP_NOTE_BARE_FIN,   /* 5 */
    DUMP_NOTE_ADVISORY,   /* 7 */
    DUMP_NOTE_BARE_RESET, /* 7 */
    DUMP_NOTES,
};
const char *dump_note_text(enum dump_note note);

/* Start from zero bytes, or with dump_state_restart. Arrays are by enum dump_side. */
struct dump_state {
    uint8_t cookie[2][COOKIE_SIZE_MAX], cookie_size[2]; /* size 0: not seen */
    bool restart, opened, reset;
    uint32_t opening_timestamp;
    bool syn_sent[2], open[2], sent[2];
    bool fin_sent[2], fin_acked[2], fin_was_first[2];
    uint32_t sent_end[2], fin_end[2];
    uint32_t notes;  /* of the last packet: 1 << enum dump_note */
    bool changed[2]; /* by the last packet */
};

/* A connection that begins with an opening; `before`: the last between the same ports, or NULL. */
void dump_state_restart(struct dump_state *state, const struct dump_state *before);
void dump_state_take(struct dump_state *state, const struct segment *segment, enum dump_side side);
/* "SYN-SENT" ...: the names of RFC 9293, 3.3.2. */
const char *dump_state_text(const struct dump_state *state, enum dump_side side);

/* ---- connections ------------------------------------------------------------------------------ */

enum dump_mode {
    DUMP_PLAIN,     /* no cookies were exchanged */
    DUMP_COLD,      /* cookies were exchanged */
    DUMP_SYN_DATA,  /* ... and the answer began in the <SYN,ACK(SYN)> */
    DUMP_RESTART,   /* began with an <ACK(SYN)>, without a cookie exchange */
    DUMP_FAST_OPEN, /* the request came in the <SYN> with a Fast Open cookie (RFC 7413) */
};

/* What became of one connection. */
struct dump_summary {
    unsigned number;                 /* its place among the connections, from 1 */
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

/* `limit` above 0: no more connections than that are kept (the oldest leaves), and nothing is kept for
 * summaries, for a capture without end. NULL: no memory. */
struct dump_flows *dump_flows_create(size_t limit);
void dump_flows_destroy(struct dump_flows *flows);

/* Files the packet (SEGMENT_OK) under its connection, new or known; NULL: no memory. `side` says
 * who sent it. */
struct dump_flow *dump_flows_take(struct dump_flows *flows, const struct dump_packet *packet,
                                  enum dump_side *side);

/* After the packet that was filed last. */
const struct dump_state *dump_flow_state(const struct dump_flow *flow);
unsigned dump_flow_number(const struct dump_flow *flow);

/* Calls `each` for every connection in the order in which they began. */
void dump_flows_each(struct dump_flows *flows,
                     void (*each)(void *context, const struct dump_summary *summary),
                     void *context);
/* "cold" ... */
const char *dump_mode_text(enum dump_mode mode);

/* Sequence numbers counted from the <SYN> of `side`, which is 0; as they are if none was seen. */
uint32_t dump_flow_relative(const struct dump_flow *flow, enum dump_side side, uint32_t number);

/* ---- lines ------------------------------------------------------------------------------------ */

/* `flow` is NULL unless the packet's verdict is SEGMENT_OK. */
void dump_line_text(FILE *out, const struct dump_packet *packet, const struct dump_flow *flow,
                    enum dump_side side);
void dump_line_json(FILE *out, const struct dump_packet *packet, const struct dump_flow *flow,
                    enum dump_side side);

/* ---- pictures --------------------------------------------------------------------------------- */

/* A packet, as far as pictures need it; numbers are relative to the <SYN>s. */
struct dump_event {
    int64_t time_us;
    unsigned connection;
    enum dump_side side;
    uint8_t flags;
    uint32_t present; /* options */
    uint32_t seq, ack, data;
    struct sack_block sack[SACK_BLOCKS_MAX];
    unsigned sack_count;
    uint32_t notes;
    const char *state[2]; /* of each end, if it changed */
};

/* Of the connections `first` to `last`; start from zero bytes and these two. */
struct dump_events {
    unsigned first, last;
    struct dump_event *list;
    size_t count, room;
};
/* Keeps the packet if it is of one of them; false: no memory. */
bool dump_events_take(struct dump_events *events, const struct dump_packet *packet,
                      const struct dump_flow *flow, enum dump_side side);
void dump_events_clear(struct dump_events *events);

/* A point of a congestion window, from trace events. */
struct dump_cwnd {
    int64_t time_us; /* since the first packet of the capture */
    uint64_t bytes;
};

/* Reads a file of trace events (JSON lines) of the connection's end `side`: `cwnd`, to be freed, has its
 * windows from start_us to end_us. The first connection between these ports was established at that end
 * at established_us.
 * False: the file cannot be read. */
bool dump_trace_read(const char *path, const struct dump_summary *summary, enum dump_side side,
                     int64_t established_us, int64_t end_us, struct dump_cwnd **cwnd,
                     size_t *count);

/* SVG: the packets as arrows between the two ends, time downwards. The capture is of the client's
 * end. `summaries` holds those of the connections first to last. */
void dump_ladder(FILE *out, const struct dump_events *events, const struct dump_summary *summaries);
/* SVG: the data of one end against time, its acknowledgments and SACK blocks, and its cwnd. */
void dump_sequence(FILE *out, const struct dump_events *events,
                   const struct dump_summary *summaries, enum dump_side side,
                   const struct dump_cwnd *cwnd, size_t cwnd_count);

#endif
