#include "tests/sim/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHUNK = 8192 };

/* Bytes [offset, offset + size) of a stream: eight at a time from a hash of their place. */
static void fill(uint64_t seed, uint64_t offset, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size;) {
        struct generator generator = { seed * 0x9e3779b97f4a7c15 + ((offset + i) >> 3) * 31 };
        uint64_t word = generate(&generator) >> 8 * ((offset + i) & 7);
        do {
            bytes[i++] = (uint8_t)word;
            word >>= 8;
        } while (i < size && (offset + i) & 7);
    }
}

static void finish(struct stream *stream, int error)
{
    stream->error = error;
    stream->done = true;
    stream->done_us = stream->host->sim->now_us;
    tcpct_close(stream->connection);
    stream->connection = NULL;
}

static void wake(void *context)
{
    struct stream *stream = context;
    stream->pausing = false;
    if (!stream->done)
        stream_advance(stream);
}

/* Reads what is there, or what one pause allows. False: it has come to an end. */
static bool take(struct stream *stream)
{
    uint8_t bytes[CHUNK], expected[CHUNK];
    size_t most = stream->read_size && stream->read_size < CHUNK ? stream->read_size : CHUNK;
    while (!stream->pausing && !stream->end_seen) {
        ptrdiff_t got = tcpct_receive(stream->connection, bytes, most);
        if (got == 0)
            return true;
        if (got == TCPCT_ERROR_CLOSED) {
            stream->end_seen = true;
            return true;
        }
        if (got < 0) {
            finish(stream, (int)got);
            return false;
        }
        fill(stream->seed_in, stream->got, expected, (size_t)got);
        assert_memory_equal(bytes, expected, got);
        stream->got += (uint64_t)got;
        assert_true(stream->got <= stream->to_get);
        if (stream->read_pause_us) {
            stream->pausing = true;
            sim_after(stream->host->sim, stream->read_pause_us, wake, stream);
        }
    }
    return true;
}

static bool give(struct stream *stream)
{
    uint8_t bytes[CHUNK];
    while (stream->sent < stream->to_send) {
        uint64_t left = stream->to_send - stream->sent;
        size_t size = left < CHUNK ? (size_t)left : CHUNK;
        fill(stream->seed_out, stream->sent, bytes, size);
        ptrdiff_t sent = tcpct_send(stream->connection, bytes, size);
        if (sent < 0) {
            finish(stream, (int)sent);
            return false;
        }
        stream->sent += (uint64_t)sent;
        if ((size_t)sent < size)
            break;
    }
    return true;
}

void stream_advance(struct stream *stream)
{
    if (!take(stream) || !give(stream))
        return;
    bool all_sent = stream->sent == stream->to_send;
    if (stream->close == STREAM_ABORT && all_sent && stream->got == stream->to_get) {
        tcpct_abort(stream->connection);
        stream->connection = NULL;
        stream->done = true;
        return;
    }
    bool may_end =
        stream->close == STREAM_SHUTDOWN || (stream->close == STREAM_FOLLOW && stream->end_seen);
    if (all_sent && may_end && !stream->shut) {
        stream->shut = true;
        int error = tcpct_shutdown(stream->connection);
        if (error) {
            finish(stream, error);
            return;
        }
    }
    if (stream->shut && stream->end_seen)
        finish(stream, TCPCT_OK);
}

static void accept_all(struct sim_host *host)
{
    struct stream_server *server = host->application;
    struct tcpct_connection *connection;
    while ((connection = tcpct_accept(server->listener))) {
        assert_true(server->count < server->max);
        struct stream *stream = &server->streams[server->count++];
        struct tcpct_info info;
        tcpct_connection_info(connection, &info);
        *stream = (struct stream){ .host = host,
                                   .connection = connection,
                                   .connected = true,
                                   .seed_out = 2u * info.remote_port + 1,
                                   .seed_in = 2u * info.remote_port };
        server->plan(stream, &info);
        tcpct_set_user(connection, stream);
        stream_advance(stream);
    }
}

static void serve(struct sim_host *host, const struct tcpct_event *event)
{
    struct stream *stream = event->user;
    if (event->flags & TCPCT_EVENT_ACCEPT) {
        accept_all(host);
        return;
    }
    if (!stream || stream->done) /* it was accepted in this turn and served then */
        return;
    if (event->flags & TCPCT_EVENT_REVIVED) {
        assert_int_not_equal(stream->collapsed, 0);
        stream->collapsed = 0;
        stream->connection = event->connection;
    }
    assert_ptr_equal(stream->connection, event->connection);
    if (event->flags & TCPCT_EVENT_CONNECTED)
        stream->connected = true;
    if (event->flags & TCPCT_EVENT_ERROR) {
        assert_int_not_equal(tcpct_connection_error(stream->connection), TCPCT_OK);
        finish(stream, tcpct_connection_error(stream->connection));
        return;
    }
    if (stream->connected)
        stream_advance(stream);
}

void stream_listen(struct sim_host *host, struct stream_server *server,
                   const struct tcpct_listen_options *given)
{
    struct tcpct_listen_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT };
    if (given)
        options = *given;
    options.port = SIM_PORT;
    host->serve = serve;
    host->application = server;
    assert_int_equal(tcpct_listen(host->stack, &options, &server->listener), TCPCT_OK);
}

void stream_connect(struct stream *stream, struct sim_host *from, const struct sim_host *to,
                    unsigned family, const struct tcpct_connect_options *given)
{
    struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT };
    struct tcpct_info info;
    uint8_t request[CHUNK];
    if (given)
        options = *given;
    if (options.request_size && !options.request) {
        assert_in_range(options.request_size, 1, stream->to_send);
        fill(2u * options.local_port, 0, request, options.request_size);
        options.request = request;
        stream->sent = options.request_size;
    }
    options.remote = family == 6 ? to->ipv6 : to->ipv4;
    options.remote_port = SIM_PORT;
    options.user = stream;
    from->serve = serve;
    assert_int_equal(tcpct_connect(from->stack, &options, &stream->connection, from->sim->now_us),
                     TCPCT_OK);
    tcpct_connection_info(stream->connection, &info);
    stream->host = from;
    stream->seed_out = 2u * info.local_port;
    stream->seed_in = stream->seed_out + 1;
}

bool stream_collapse(struct stream *stream)
{
    if (!stream->connection ||
        tcpct_collapse(stream->connection, stream, &stream->collapsed) != TCPCT_OK)
        return false;
    stream->connection = NULL;
    return true;
}

static void revive(struct stream *stream)
{
    if (!stream->collapsed)
        return;
    assert_int_equal(tcpct_revive(stream->host->stack, stream->collapsed, &stream->connection),
                     TCPCT_OK);
    stream->collapsed = 0;
}

void stream_more(struct stream *stream, uint64_t size)
{
    stream->to_send += size;
    revive(stream);
    stream_advance(stream);
}

void stream_end(struct stream *stream)
{
    stream->close = STREAM_SHUTDOWN;
    revive(stream);
    stream_advance(stream);
}

bool stream_done(const void *stream)
{
    return ((const struct stream *)stream)->done;
}

void stream_check(const struct stream *stream)
{
    assert_true(stream->done);
    assert_int_equal(stream->error, TCPCT_OK);
    assert_int_equal(stream->sent, stream->to_send);
    assert_int_equal(stream->got, stream->to_get);
}
