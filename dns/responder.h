/* responder.h - DNS over the connections of a stack.
 *
 * Theory of operation: each connection is read while its answers can be sent; what the stack does
 * not take at once waits in the connection, and reading waits with it, so a client that does not
 * read cannot make us keep more than one answer. Where cookies were exchanged (RFC 6013) the
 * connection is closed with the answer to the first query, in the same turn, so that FIN travels
 * with its last segment: opening again costs the client nothing. If a second query is there by then,
 * the client is pipelining, and more may be on its way. Such a connection and plain TCP stay open until the
 * client closes it or is idle for too long (RFC 7766, 6.2.3); if the stack collapses connections, those
 * idle ones that it takes are neither closed nor held. At the limit of connections the one
 * that has been idle longest makes room.
 */
#ifndef DNS_RESPONDER_H
#define DNS_RESPONDER_H

#include "server.h"

struct responder;

struct responder_options {
    uint64_t idle_us;         /* connections without a query answered are closed after this */
    uint64_t life_us;         /* connections this old end with the next answer; 0: none does */
    uint32_t client_max;      /* connections of a client (IPv4 address, IPv6 /64); 0: any number */
    uint32_t connections_max; /* at least 1 */
    bool collapse;            /* idle plain connections collapse, instead of being closed */
    bool pads;                /* replies to padded queries are padded, except in a <SYN,ACK(SYN)> */
};

/* Every field is a uint64_t; responder_counter_name names them in order. What is answered in a
 * <SYN,ACK(SYN)> is in none of them, since a <SYN> changes nothing: the stack counts those. */
struct responder_counters {
    uint64_t connections, connections_now, connections_idle, connections_evicted;
    uint64_t connections_refused; /* the client had as many as it may */
    uint64_t connections_old;     /* ended because of their age */
    uint64_t queries, answers, dropped;
    uint64_t rcode[16]; /* of the answers; the lower four bits */
    uint64_t answer_bytes;
    uint64_t framing_errors, memory_errors;
};

/* `server` is not owned. NULL: no memory. */
struct responder *responder_create(const struct responder_options *options,
                                   const struct dns_server *server);

/* Aborts all connections, which must still exist. NULL is allowed. */
void responder_destroy(struct responder *responder);

/* Takes all events of the stack, answers, and closes what is idle. All the stack's connections are
 * the responder's, and its listeners have no user. */
void responder_serve(struct responder *responder, struct tcpct_stack *stack, uint64_t now_us);

/* When responder_serve wants to be called again without an event; TCPCT_NEVER if not. */
uint64_t responder_deadline(const struct responder *responder);

/* A tcpct_answer_function with a responder as its context: answers one whole framed query. */
size_t responder_answer_syn(const void *context, const struct tcpct_request *request,
                            uint8_t *answer, size_t room);

const struct responder_counters *responder_counters(const struct responder *responder);

/* Name of counter `index` in the struct's order; NULL past the end. */
const char *responder_counter_name(size_t index);

#endif
