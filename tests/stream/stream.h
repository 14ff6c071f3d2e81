/* stream.h - one end of one TCP connection, over our stack or the kernel's: what
 * tests/net/stream.c runs, so that the two can be set against each other.
 *
 * A transport moves bytes without blocking and says when to try again; everything else is pump(),
 * which the two event loops call. There is one end in a process.
 */
#ifndef TESTS_STREAM_STREAM_H
#define TESTS_STREAM_STREAM_H

#include <openssl/evp.h>

#include "tools/command.h"

enum { BLOCK_SIZE = 262144 };

/* What send and receive return beside a count. */
enum { ENDED = -1, RESET = -2, REFUSED = -3, TIMED_OUT = -4, FAILED = -5 };

struct transport {
    ptrdiff_t (*send)(const uint8_t *bytes, size_t size);
    ptrdiff_t (*receive)(uint8_t *bytes, size_t size);
    void (*shutdown)(void);
    void (*abort)(void);
    int (*run)(void); /* returns the exit status */
};

struct stream {
    /* The plan: tests/net/stream.c says what its flags mean. */
    const struct transport *transport;
    struct tcpct_address remote; /* family 0: listens */
    uint16_t port;
    uint64_t to_send, pause_us, abort_at, for_us, limit_us, seed, keepalive_us, idle;
    uint64_t gap_us, collapse_us;
    bool after_end, no_hash, cubic, fast_open;
    bool fetch;          /* the next connection only fetches a Fast Open cookie */
    const char *md5_key; /* the kernel's, with md5_peer; NULL: none */
    struct tcpct_address md5_peer;
    struct endpoint_options endpoint_options;
    /* The connection. */
    bool connected, shut, end_seen;
    const char *end; /* NULL: not yet */
    uint64_t started_us, connected_us, ended_us;
    uint64_t sent, received, retransmitted, packets;
    uint64_t heard;       /* segments that came, over our stack */
    uint64_t gap_from_us; /* when the gap began; 0: not yet */
    uint64_t collapses, revivals, keepalives_answered, resets; /* of a record, over our stack */
    bool syn_data;                                             /* the data of the <SYN> was taken */
    bool cookies;                                              /* RFC 6013 is in force */
    EVP_MD_CTX *hash_out, *hash_in;
    uint8_t out[BLOCK_SIZE], in[BLOCK_SIZE];
    size_t out_at; /* the first byte of `out` that is not sent; BLOCK_SIZE: fill it again */
};

extern struct stream stream;
extern const struct transport transport_ours, transport_kernel;

/* Everything that can be done now. Afterwards stream.end says whether all is over. */
void pump(uint64_t now_us);
/* When pump() must be called although nothing happened. */
uint64_t pump_next_us(uint64_t now_us);

void pump_listening(void); /* says so */
void pump_connected(uint64_t now_us);
void pump_finish(const char *end, uint64_t now_us);
void pump_finish_failed(ptrdiff_t result, uint64_t now_us);

bool pump_may_send(void);
bool pump_is_paused(uint64_t now_us);
/* `us`, if any was planned, have passed since then. */
bool pump_is_over(uint64_t since_us, uint64_t us, uint64_t now_us);

/* The first bytes, at most so many: those that may leave in a <SYN>. They count as sent. */
const uint8_t *pump_first_bytes(size_t most, size_t *size);

#endif
