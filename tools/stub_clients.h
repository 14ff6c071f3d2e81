/* stub_clients.h - the kernel's side of `tcpct stub`: clients over UDP and TCP sockets.
 *
 * Each address has a socket of either kind. A TCP client may have CLIENT_QUERIES_MAX queries under
 * way; it is not read while it has more, nor while it does not read its answers. Answers go out as
 * they come (RFC 7766, 6.2.1.1). One that exceeds what a UDP client takes is cut, with TC.
 */
#ifndef TOOLS_STUB_CLIENTS_H
#define TOOLS_STUB_CLIENTS_H

#include "dns/stub.h"
#include "tun/loop.h"
#include "tun/socket.h"

enum { CLIENT_ADDRESSES_MAX = 16, CLIENT_QUERIES_MAX = 64 };

struct stub_clients;

struct stub_clients_options {
    struct socket_name names[CLIENT_ADDRESSES_MAX];
    size_t name_count;
    uint32_t streams_max; /* TCP clients at once; the one idle longest makes room */
    uint64_t idle_us;     /* TCP clients are closed after this (RFC 7766, 6.2.3) */
};

/* Every field is a uint64_t; stub_clients_counter_name names them in order. */
struct stub_clients_counters {
    uint64_t datagrams, datagrams_dropped; /* dropped: no queries, or answers not taken */
    uint64_t streams, streams_now, streams_evicted, streams_idle;
    uint64_t stream_queries, stream_errors;
    uint64_t truncated;
};

/* Opens and watches every socket. NULL: `error` says why. The loop is not owned. */
struct stub_clients *stub_clients_open(const struct stub_clients_options *options,
                                       struct loop *loop, char *error, size_t error_size);
void stub_clients_close(struct stub_clients *clients);
/* Queries go there from now on; before that none are read. */
void stub_clients_ask(struct stub_clients *clients, struct stub *stub);

/* stub_options.answer, with the clients as its context. */
void stub_clients_answer(void *context, void *user, uint8_t *message, size_t size);

/* In each turn, after the stub: reads on where answers made room, and closes what is idle. */
void stub_clients_tick(struct stub_clients *clients, uint64_t now_us);
uint64_t stub_clients_deadline(const struct stub_clients *clients);

const struct stub_clients_counters *stub_clients_counters(const struct stub_clients *clients);
const char *stub_clients_counter_name(size_t index);

#endif
