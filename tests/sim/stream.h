/* stream.h - an application for the simulator: each end of a connection sends a stream of bytes
 * that the other can check one by one, and closes when its plan says so.
 *
 * The bytes depend on the connection's ports and the direction alone, so either end knows both
 * streams. An end is done when it gave its handle back; then `error` says how it went, and after
 * TCPCT_OK it has sent and got exactly what was planned.
 */
#ifndef TESTS_STREAM_H
#define TESTS_STREAM_H

#include "tests/sim/sim.h"

enum stream_close {
    STREAM_SHUTDOWN, /* shuts down when all is sent, and reads on */
    STREAM_FOLLOW,   /* waits for the peer's end before it ends its own direction */
    STREAM_ABORT,    /* aborts when all is sent and got */
    STREAM_STAY,     /* does nothing of its own accord */
};

struct stream {
    struct sim_host *host;
    struct tcpct_connection *connection; /* NULL: given back */
    uint64_t collapsed; /* the id, if it was given back by stream_collapse; else 0 */
    uint64_t seed_out, seed_in;
    uint64_t to_send, to_get; /* the plan */
    enum stream_close close;
    size_t read_size; /* bytes read at once, then a pause; 0: all there are */
    uint64_t read_pause_us;
    uint64_t sent, got;
    bool connected, pausing, shut, end_seen, done;
    int error;
    uint64_t done_us; /* when */
};

/* What a host with a listener does; its sim_host.application. */
struct stream_server {
    struct tcpct_listener *listener;
    void (*plan)(struct stream *stream, const struct tcpct_info *info);
    struct stream *streams; /* the accepted ones, in order */
    size_t count, max;
};

/* Begins to listen on SIM_PORT; `server` has plan, streams and max. */
void stream_listen(struct sim_host *host, struct stream_server *server,
                   const struct tcpct_listen_options *given);
/* Connects to `to` with the plan in `stream`; the rest of it is filled in. Fails the test if
 * tcpct_connect fails. `given`: NULL, or what differs from the default. With local_port and
 * request_size (and no request) the stream begins as a request, which may go into the <SYN>. */
void stream_connect(struct stream *stream, struct sim_host *from, const struct sim_host *to,
                    unsigned family, const struct tcpct_connect_options *given);

/* Goes on, after its plan was changed. It must not be done. */
void stream_advance(struct stream *stream);
/* Lets the connection collapse, if it is idle; whether it did. It is revived by its peer, or by the
 * next of these two: more is to be sent; the stream shuts down when all is sent. */
bool stream_collapse(struct stream *stream);
void stream_more(struct stream *stream, uint64_t size);
void stream_end(struct stream *stream);

/* For sim_until. */
bool stream_done(const void *stream);
/* Fails the test unless the stream ended well. */
void stream_check(const struct stream *stream);

#endif
