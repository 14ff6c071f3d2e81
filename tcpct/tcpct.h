/* tcpct.h - a userspace TCP with TCP Cookie Transactions (RFC 6013).
 *
 * The stack does no I/O. Packets, time and randomness are arguments: it reads no clock, opens
 * nothing, never blocks, and allocates only inside the limits of its configuration. Four calls
 * move it:
 *
 *     tcpct_input     a packet in, at most one stateless reply out
 *     tcpct_output    the next packet out
 *     tcpct_deadline  when tcpct_tick wants to be called
 *     tcpct_tick      let time pass
 *
 * One turn of a program's loop reads the clock once, hands in what arrived, ticks, serves the
 * application's events (tcpct_event), and then takes packets out until none is left. The order
 * matters: what the application does between input and output decides what is sent. Reading a
 * whole answer from a <SYN,ACK(SYN)> and closing at once sends nothing more (RFC 6013, 6.3).
 *
 * A stack belongs to one thread. Nothing is shared between stacks.
 *
 * Times are microseconds of a monotonic clock of the caller's choice, sizes are bytes, ports and
 * all other integers are in host order, addresses are in network order.
 */
#ifndef TCPCT_H
#define TCPCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ------------------------------------------------------------------------------ */

enum tcpct_error {
    TCPCT_OK = 0,
    TCPCT_ERROR_INVALID = -1,    /* an argument is out of its documented range */
    TCPCT_ERROR_MEMORY = -2,     /* the allocator or the configured budget said no */
    TCPCT_ERROR_IN_USE = -3,     /* that address and port have a listener or connection */
    TCPCT_ERROR_NO_PORT = -4,    /* no ephemeral port is free towards that peer */
    TCPCT_ERROR_NO_ADDRESS = -5, /* the stack has no address of the peer's family */
    TCPCT_ERROR_CLOSED = -6,     /* this direction of the connection is closed */
    TCPCT_ERROR_RESET = -7,      /* the peer reset the connection */
    TCPCT_ERROR_TIMEOUT = -8,    /* the user timeout expired (RFC 9293, 3.8.3) */
    TCPCT_ERROR_REFUSED = -9,    /* the peer refused the connection */
    TCPCT_ERROR_EVICTED = -10,   /* the stack was destroyed or needed the memory */
    TCPCT_ERROR_EXTENSION = -11, /* the peer took a header extension for data: what it got is
                                    wrong; the next connection to it will be plain TCP */
    TCPCT_ERROR_NO_MD5 = -12,    /* OpenSSL refuses MD5, as under FIPS: nothing can be signed */
};

/* The sentence that belongs to an error; never NULL. */
const char *tcpct_error_text(int error);

/* ---- addresses and packets ----------------------------------------------------------------- */

struct tcpct_address {
    uint8_t family;    /* 4, 6, or 0 for "any" */
    uint8_t bytes[16]; /* network order; the unused bytes of an IPv4 address are zero */
};

/* One IP packet, or (segment_size > 0) one TCP packet that stands for several: a buffer whose
 * payload is cut every segment_size bytes, as segmentation offload does. */
struct tcpct_packet {
    uint8_t *data;
    size_t length;         /* bytes used */
    size_t size;           /* bytes there are */
    uint16_t segment_size; /* 0: an ordinary packet */
    uint16_t header_size;  /* IP and TCP headers, when segment_size or partial_checksum */
    bool partial_checksum; /* out: the checksum field holds the pseudo-header's sum only;
                              in: the checksum need not be verified */
};

/* A buffer for tcpct_output must hold this much: 64 KB of IP. One for tcpct_input's reply holds
 * TCPCT_REPLY_SIZE. */
#define TCPCT_PACKET_SIZE 65535
#define TCPCT_REPLY_SIZE 1280

/* ---- configuration ------------------------------------------------------------------------- */

/* RFC 6013, section 12: for each listener and each connection. Zero everywhere is a valid set,
 * except that cookie_desired then means "plain TCP": start from TCPCT_PARAMETERS_DEFAULT. */
struct tcpct_parameters {
    uint8_t cookie_desired;      /* TCPCT_COOKIE_DESIRED: 0, 8, 10, 12, 14 or 16 */
    uint8_t extend_ts;           /* TCPCT_EXTEND_TS: 0 (off: 32), 32, 64, 128, or ..._AUTO */
    bool in_always;              /* TCPCT_IN_ALWAYS: discard a <SYN> without Cookie */
    bool out_never;              /* TCPCT_OUT_NEVER: never send the Cookie option */
    uint16_t syn_data_limit;     /* TCP_SYN_DATA_LIMIT: 0 to 496 */
    uint16_t syn_ack_data_limit; /* TCP_SYN_ACK_DATA_LIMIT: 0 to 1220 */
};
/* Bits of timestamps. An Initiator sends that many (AUTO: 64 if sequence numbers could come round on
 * that path within two MSL, else 32); a Responder takes that many at most (AUTO: any). */
#define TCPCT_EXTEND_TS_AUTO 1
#define TCPCT_PARAMETERS_DEFAULT ((struct tcpct_parameters){ .cookie_desired = 16 })

struct tcpct_trace_event; /* see "trace" below */

#define TCPCT_SEAL_KEY_SIZE 32
#define TCPCT_SEAL_KEYS_MAX 2

struct tcpct_config {
    /* Randomness of cryptographic quality; must not fail. Required. */
    void (*random)(void *context, void *bytes, size_t size);
    /* Memory; NULL means the C library's. All of it is bounded by memory_budget. */
    void *(*allocate)(void *context, size_t size);
    void (*release)(void *context, void *memory);
    /* One event a call; NULL: no tracing. */
    void (*trace)(void *context, const struct tcpct_trace_event *event);
    void *context; /* first argument of the four above */

    uint64_t
        wall_clock_us; /* real time at creation: the first secret depends on it (3.5.3), and when
                               seals expire */

    uint32_t connections_max; /* TCBs at once; 0: 1024 */
    uint32_t remembered_max;  /* ended connections remembered as Responder, 64 bytes each, in each
                                    address family of which the stack has an address; 0: 1024 */
    uint32_t restartable_max; /* ... as Initiator, 128 bytes each; 0: 64 */
    const uint8_t
        *seal_keys; /* as Responder, remember nothing: the state of a path is sealed (AES-256-GCM)
                                    and goes to the Initiator, which may return it to any stack that
                                    has the key, until 2 MSL have passed. TCPCT_SEAL_KEY_SIZE bytes
                                    for each key, read at creation; NULL: no seals */
    unsigned seal_key_count; /* 1 to TCPCT_SEAL_KEYS_MAX: the first makes seals, all open them */
    bool keep_seals;         /* as Initiator: what Responders seal, 64 bytes more each */
    uint32_t collapsed_max; /* idle plain connections kept as records, 64 bytes each for IPv4 and 76
                                    for IPv6, in each address family of which the stack has an
                                    address; 0: none */
    size_t memory_budget;   /* bytes of send and receive buffers; 0: 64 MiB */
    uint32_t send_buffer_max;    /* bytes a connection; 0: 1 MiB */
    uint32_t receive_buffer_max; /* bytes a connection; 0: 1 MiB */

    uint16_t mtu;              /* of the device; 0: 1500 */
    uint8_t hop_limit;         /* TTL of all that is sent; 0: 64 */
    uint32_t offload_size_max; /* largest packet with segment_size; 0: no segmentation offload */
    bool checksum_offload;     /* leave partial checksums to the device */

    bool ecn; /* ask for ECN (RFC 3168) when connecting; who asks us always gets it */

    uint64_t
        collapse_after_us; /* when a plain connection is idle, so that IDLE is told; 0: never */
    uint64_t
        collapsed_age_us; /* after which a record that is not heard of is aborted; 0: none is */
    bool collapse_always; /* without looking at how often the peer's prefix comes back */

    uint64_t msl_us;             /* maximum segment lifetime; 0: 30 s */
    uint64_t secret_interval_us; /* rotation of the Responder's secret; 0: 600 s */
    uint64_t user_timeout_us;    /* 0: 100 s; default of each connection (RFC 9293, 3.8.3) */
};

/* ---- the stack ----------------------------------------------------------------------------- */

struct tcpct_stack;
struct tcpct_listener;
struct tcpct_connection;

/* Creates a stack. Errors: INVALID, MEMORY. */
int tcpct_stack_create(struct tcpct_stack **stack, const struct tcpct_config *config,
                       uint64_t now_us);

/* Frees the stack with everything in it and wipes its secrets. Sends nothing. NULL is allowed. */
void tcpct_stack_destroy(struct tcpct_stack *stack);

/* Adds one of the stack's own addresses (at most 16). Errors: INVALID, MEMORY. */
int tcpct_address_add(struct tcpct_stack *stack, const struct tcpct_address *address);

/* Whether it is one of them. */
bool tcpct_address_owned(const struct tcpct_stack *stack, const struct tcpct_address *address);

#define TCPCT_MD5_KEY_MAX 80
/* Sets the key for TCP MD5 signatures (RFC 2385) of all connections with the peer at that address.
 * Whatever comes from it unsigned is discarded in silence, and no Cookie is exchanged with it (RFC
 * 6013, 8.4). 1 to TCPCT_MD5_KEY_MAX bytes, copied; at most 64 peers. A key may be changed at any
 * time. Errors: INVALID, MEMORY, NO_MD5, IN_USE (there are connections without a key). */
int tcpct_md5_key_set(struct tcpct_stack *stack, const struct tcpct_address *peer, const void *key,
                      size_t size);

/* What became of a packet. Each is counted (tcpct_counters). */
enum tcpct_verdict {
    TCPCT_ACCEPTED,      /* a connection took it */
    TCPCT_REPLIED,       /* answered without state; the reply is to be sent */
    TCPCT_NOT_MINE,      /* a good packet to another address or protocol */
    TCPCT_MALFORMED,     /* truncated, bad header, bad length */
    TCPCT_BAD_CHECKSUM,  /* of IP or TCP */
    TCPCT_FRAGMENT,      /* an IP fragment: never reassembled here */
    TCPCT_BAD_OPTIONS,   /* duplicates, exclusive options, bad Extend: discarded (3, 3.4) */
    TCPCT_BAD_COOKIE,    /* an opening whose Cookie-Pair fails (4.4), or equal cookies (4.3) */
    TCPCT_UNACCEPTABLE,  /* outside the window, old timestamp, unproven FIN or RST ... */
    TCPCT_NO_RESOURCES,  /* a bounded pool was full */
    TCPCT_BAD_SIGNATURE, /* of a peer with a key: no signature, or a wrong one (RFC 2385) */
    TCPCT_VERDICTS,      /* how many there are */
};
const char *tcpct_verdict_text(enum tcpct_verdict verdict);

/* A packet in. `packet` is not changed and not kept. `reply` offers a buffer of at least
 * TCPCT_REPLY_SIZE bytes; if its length is above zero afterwards, it is a packet to send. */
enum tcpct_verdict tcpct_input(struct tcpct_stack *stack, const struct tcpct_packet *packet,
                               struct tcpct_packet *reply, uint64_t now_us);

/* For a program that takes datagrams beside the stack: answers one to the stack's addresses, which
 * nobody wants, with ICMP "port unreachable". `reply` as in tcpct_input. False: this packet gets none,
 * or this second has had a hundred. */
bool tcpct_unreachable(struct tcpct_stack *stack, const struct tcpct_packet *packet,
                       struct tcpct_packet *reply, uint64_t now_us);

/* The next packet out, written to packet->data (TCPCT_PACKET_SIZE bytes). False: none is due. */
bool tcpct_output(struct tcpct_stack *stack, struct tcpct_packet *packet, uint64_t now_us);

#define TCPCT_NEVER UINT64_MAX
/* When tcpct_tick must next be called; TCPCT_NEVER if nothing waits. */
uint64_t tcpct_deadline(const struct tcpct_stack *stack);

/* Lets every timer that is due expire. Calling it early or often is harmless. */
void tcpct_tick(struct tcpct_stack *stack, uint64_t now_us);

/* ---- events -------------------------------------------------------------------------------- */

enum tcpct_event_flags {
    TCPCT_EVENT_ACCEPT = 1,    /* a listener has a connection to accept */
    TCPCT_EVENT_CONNECTED = 2, /* tcpct_connect succeeded */
    TCPCT_EVENT_READABLE = 4,  /* data, or the end of the peer's data */
    TCPCT_EVENT_WRITABLE = 8,  /* tcpct_send will take more after it took less than asked */
    TCPCT_EVENT_ERROR = 16,    /* the connection failed: tcpct_connection_error says why */
    TCPCT_EVENT_URGENT = 32,   /* the end of urgent data is known, or has moved (RFC 9293, 3.8.5) */
    TCPCT_EVENT_IDLE = 64,     /* nothing happens: tcpct_collapse may be called */
    TCPCT_EVENT_REVIVED = 128, /* a collapsed connection is here again: the caller owns it, as if it
                                  had been accepted */
};

struct tcpct_event {
    unsigned flags;
    struct tcpct_listener *listener;     /* with ACCEPT, else NULL */
    struct tcpct_connection *connection; /* otherwise */
    void *user;                          /* what was given to listen, connect or set_user */
};

/* Takes the next event; false if there is none. Edge-triggered: each change is told once. */
bool tcpct_event(struct tcpct_stack *stack, struct tcpct_event *event);

/* ---- what is remembered ------------------------------------------------------------------ */

/* Forgets all that ended connections left behind: pairs, and what their paths could carry; as after
 * a change of the network (RFC 9959, 4.2.2). */
void tcpct_remembered_flush(struct tcpct_stack *stack);

/* What a stack remembers as Initiator can go on in another, of another process or after the machine was
 * started again. The bytes hold cookies, which are secret: whoever has them can close and forge these
 * connections. All numbers are big-endian.
 *
 *     "TCRM", version 2 (4 bytes), number of entries (4), real time of the export in microseconds (8);
 *     entries, the longest unused first:
 *         IP version 4 or 6 (1), local and remote address (4 or 16 each), local and remote port (2
 *         each), MSS (2), size of a cookie (1), Initiator- and Responder-Cookie, the Responder's
 *         window scale (1), 1 window scaling + 2 SACK + 4 ECN (1), bytes of a timestamp (1), restarts
 *         so far (1), ISS, IRS, and the timestamp that the opening echoes (4 each), a TS Value that
 *         none sent so far exceeds (8), seconds for which the pair is still trusted (4); of the path:
 *         window, ssthresh, SRTT, RTTVAR, minimum RTT, rate (bytes a millisecond), age in seconds (4
 *         each); size of what the Responder has sealed (1; 0: nothing), and that;
 *     16 bytes that find damage: SipHash-2-4-128 of all before, its key being "tcpct remembers" and a
 *         zero byte.
 *
 * Both take real time from the same clock. If that was set back in between, nothing is imported, so
 * that no TS Value can come again. For the same reason bytes may be imported once only, and the stack
 * that exported them may not restart after that. */

/* Returns the size. If that is more than `size`, nothing is written. */
size_t tcpct_remembered_export(const struct tcpct_stack *stack, void *bytes, size_t size,
                               uint64_t wall_clock_us, uint64_t now_us);
/* Adds what can be used here: its local addresses must have been added. Errors: INVALID (damaged, or of
 * another version; then nothing is taken). */
int tcpct_remembered_import(struct tcpct_stack *stack, const void *bytes, size_t size,
                            uint64_t wall_clock_us, uint64_t now_us);

/* What a connection with cookies that is closed leaves behind of its path is used by the next between
 * the same addresses: for a minute whole, for five minutes half. */
enum tcpct_window {
    TCPCT_WINDOW_REMEMBERED, /* the whole window with the first segment, paced */
    TCPCT_WINDOW_CAREFUL,    /* half of it, when a round trip has shown that the path is the same
                                (RFC 9959) */
    TCPCT_WINDOW_INITIAL,    /* none of it: the initial window (RFC 6928) */
};

/* ---- listening ----------------------------------------------------------------------------- */

/* A request that came in a <SYN>. Nothing proves that it comes from there. */
struct tcpct_request {
    const uint8_t *bytes;
    size_t size;
    struct tcpct_address remote;
    uint16_t remote_port;
    uint64_t now_us;
};

/* Answers a request that came in a <SYN> (RFC 6013, 6.2), keeping nothing. Writes at most `room`
 * bytes and returns how many the whole answer has; 0 means: not here, let the connection be made.
 * More than `room` is taken only from listeners with answers_stable: the answer's first `room`
 * bytes then leave, and must be the first that the connection sends. It sees a const context,
 * because a <SYN> may change nothing. */
typedef size_t tcpct_answer_function(const void *context, const struct tcpct_request *request,
                                     uint8_t *answer, size_t room);

struct tcpct_listen_options {
    struct tcpct_address address; /* family 0: all addresses */
    uint16_t port;
    struct tcpct_parameters parameters;
    uint32_t backlog;              /* connections made but not accepted; 0: 128 */
    uint32_t syn_queue;            /* for applications that speak first: plain connections half
                                      made, so that their <SYN,ACK> can be sent again; 0: none */
    uint32_t fast_open_queue;      /* RFC 7413: connections whose data came in a <SYN> and whose
                                      address is not yet proved; 0: no Fast Open */
    tcpct_answer_function *answer; /* NULL: no data is taken from a <SYN> */
    const void *answer_context;
    enum tcpct_window window; /* what connections with cookies begin with */
    uint32_t guard; /* for applications that cannot take a request twice: no data is taken from a
                       <SYN>, a closed connection does not begin again, and no exchange is admitted
                       twice, for as long as its cookies are valid; so many at most are in each
                       period of that length, and more are refused: up to 2^24, 16 bytes and more
                       for each; 0: no guard */
    bool answers_stable; /* a request always has the same answer, while the listener exists */
    void *user;
};

/* Errors: INVALID, IN_USE, MEMORY. */
int tcpct_listen(struct tcpct_stack *stack, const struct tcpct_listen_options *options,
                 struct tcpct_listener **listener);

/* Stops listening; connections not yet accepted are aborted. */
void tcpct_listener_close(struct tcpct_listener *listener);

/* The next connection, or NULL. The caller owns it until tcpct_close or tcpct_abort. */
struct tcpct_connection *tcpct_accept(struct tcpct_listener *listener);

/* ---- connecting ---------------------------------------------------------------------------- */

struct tcpct_connect_options {
    struct tcpct_address local;  /* family 0: the stack's first address of the peer's family */
    struct tcpct_address remote; /* family 4 or 6 */
    uint16_t local_port;         /* 0: an unpredictable ephemeral port (RFC 6056) */
    uint16_t remote_port;
    struct tcpct_parameters parameters;
    /* A request that may be executed more than once. It is sent in the <SYN> if it fits
     * parameters.syn_data_limit and the room beside the options, otherwise as ordinary data.
     * Copied. */
    const uint8_t *request;
    size_t request_size;
    bool fast_open; /* RFC 7413, for plain TCP (parameters.cookie_desired 0): the request goes into
                       the <SYN> once the peer has granted a cookie */
    /* A closed connection to that address and port is begun again, if one is remembered: request and
     * answer take one round trip. What is sent until CONNECTED may be executed more than once. And
     * this one is begun again when it is over: once tcpct_receive has told its end, which ends our
     * direction too, tcpct_send asks anew, under the same handle. CONNECTED follows again, and the
     * counts of tcpct_connection_info begin at zero. */
    bool restart;
    enum tcpct_window window; /* what a connection with cookies begins with */
    uint64_t user_timeout_us; /* 0: the stack's */
    void *user;
};

/* Begins a connection; CONNECTED or ERROR follows as an event. From the local_port of a connection
 * with cookies that was made by tcpct_connect, it begins a new exchange beside that one (RFC 6013,
 * 4.1), which goes on until the peer has answered, and then ends: with RESET, unless all its data had
 * passed. Errors: INVALID, MEMORY, IN_USE,
 * NO_PORT, NO_ADDRESS. */
int tcpct_connect(struct tcpct_stack *stack, const struct tcpct_connect_options *options,
                  struct tcpct_connection **connection, uint64_t now_us);

/* ---- a connection -------------------------------------------------------------------------- */

void tcpct_set_user(struct tcpct_connection *connection, void *user);

/* Takes bytes to send; returns how many (0 to size), or CLOSED, or the connection's error. After
 * fewer than size, WRITABLE says when to try again: the buffer or the stack's memory was full. */
ptrdiff_t tcpct_send(struct tcpct_connection *connection, const void *bytes, size_t size);

/* Gives received bytes; returns how many, 0 if none are there now, or CLOSED after the last of
 * them, or the connection's error. */
ptrdiff_t tcpct_receive(struct tcpct_connection *connection, void *bytes, size_t size);

/* Received bytes where they are, for those who would not copy them: points at the first and returns how
 * many lie there in one piece; 0: none now, and tcpct_receive says why. They stay until tcpct_receive
 * takes them, or with NULL for `bytes` drops them; until the next call of any kind the pointer is good. */
size_t tcpct_peek(const struct tcpct_connection *connection, const void **bytes);

/* All that tcpct_send has taken so far is urgent (RFC 9293, 3.8.5). The peer takes it in line, if it
 * follows RFC 6093, which advises against it. Errors: CLOSED, or the connection's. */
int tcpct_urgent(struct tcpct_connection *connection);

/* Ends our sending direction: FIN follows the last byte (with it, if it has not left yet). */
int tcpct_shutdown(struct tcpct_connection *connection);

/* Ends both directions in order and gives the handle back; the stack does the rest. */
void tcpct_close(struct tcpct_connection *connection);

/* Drops the connection now, with RST, and gives the handle back. */
void tcpct_abort(struct tcpct_connection *connection);

/* TCPCT_OK while it lives, else why it failed. */
int tcpct_connection_error(const struct tcpct_connection *connection);

enum tcpct_congestion {
    TCPCT_CONGESTION_CUBIC,   /* RFC 9438 */
    TCPCT_CONGESTION_NEWRENO, /* RFC 5681, RFC 6582 */
};

enum tcpct_option {
    TCPCT_OPTION_NODELAY,      /* 1: no Nagle (RFC 9293, 3.7.4); default 0 */
    TCPCT_OPTION_USER_TIMEOUT, /* microseconds */
    TCPCT_OPTION_DSCP,         /* 0 to 63: Differentiated Services (RFC 9293, 3.9.1.9); default 0 */
    TCPCT_OPTION_MSS,          /* the largest segment we take, 128 bytes to what the device carries:
                                  the Initiator of a connection with cookies may change it at any
                                  time (RFC 6013, 2.5) */
    TCPCT_OPTION_CONGESTION,   /* enum tcpct_congestion; default TCPCT_CONGESTION_CUBIC */
    TCPCT_OPTION_KEEPALIVE,    /* idle microseconds before keep-alives (RFC 9293, 3.8.4); 0: none */
};
/* Errors: INVALID. */
int tcpct_option_set(struct tcpct_connection *connection, enum tcpct_option option, uint64_t value);

enum tcpct_state {
    TCPCT_CLOSED,
    TCPCT_SYN_SENT,
    TCPCT_SYN_RECEIVED,
    TCPCT_ESTABLISHED,
    TCPCT_FIN_WAIT_1,
    TCPCT_FIN_WAIT_2,
    TCPCT_CLOSE_WAIT,
    TCPCT_CLOSING,
    TCPCT_LAST_ACK,
    TCPCT_TIME_WAIT,
};
const char *tcpct_state_text(enum tcpct_state state);

struct tcpct_info {
    enum tcpct_state state;
    struct tcpct_address local, remote;
    uint16_t local_port, remote_port;
    bool initiator;
    bool cookies;            /* cookies were exchanged: RFC 6013 is in force */
    bool ecn;                /* ECN was agreed */
    bool fast_open;          /* the data of the <SYN> was taken (RFC 7413) */
    bool md5;                /* every segment is signed (RFC 2385) */
    bool syn_data_sent;      /* our request travelled in the <SYN> */
    bool syn_ack_data_taken; /* the answer began in the <SYN,ACK(SYN)> */
    bool restarted;          /* a closed connection was begun again */
    uint8_t timestamp_bits;  /* 0 (none), 32, 64 or 128 */
    uint16_t mss;            /* payload of a full segment without header extension */
    uint32_t cwnd, ssthresh; /* bytes */
    uint32_t flight;         /* bytes sent and neither acknowledged nor lost */
    uint32_t send_window;    /* bytes the peer offers */
    uint32_t unsent, unread; /* bytes in our buffers */
    uint32_t urgent;         /* bytes to be read, or still to come, up to the end of urgent data */
    uint64_t srtt_us, rttvar_us, min_rtt_us, rto_us;
    uint64_t bytes_sent, bytes_received; /* of data, first transmissions only */
    uint64_t packets_sent, packets_received;
    uint64_t retransmissions; /* segments */
};
void tcpct_connection_info(const struct tcpct_connection *connection, struct tcpct_info *info);

/* ---- collapse and revive ------------------------------------------------------------------- */

/* Gives the handle of an idle plain connection back without an end: it becomes a record, which the
 * peer does not notice, and which leaves the application nothing to hold. Its next data comes as REVIVED
 * with a new handle, whose user is `user`: a value rather than the address of something to be freed,
 * since a record may also end unseen (the peer resets it, it is too old, or others need the room: then
 * it is aborted). *id, unless `id` is NULL, serves to revive it from here. NODELAY and DSCP stay as they
 * are, other options are the defaults again, and its info counts from zero.
 * Errors, after which it is as it was: INVALID (it is not idle: something is unread, unacknowledged or
 * still to be told; it has cookies; or collapsed_max is 0), MEMORY (its prefix hardly ever comes
 * back, or has more than its share of the records). */
int tcpct_collapse(struct tcpct_connection *connection, void *user, uint64_t *id);

/* Revives a collapsed connection, without an event. Errors: CLOSED (it is none any more), MEMORY. */
int tcpct_revive(struct tcpct_stack *stack, uint64_t id, struct tcpct_connection **connection);

/* Records now. */
size_t tcpct_collapsed_count(const struct tcpct_stack *stack);

/* ---- counters ------------------------------------------------------------------------------ */

/* Every field is a uint64_t; tcpct_counter_name names them in order. */
struct tcpct_counters {
    uint64_t packets_in, packets_out;
    uint64_t bytes_in, bytes_out;      /* of IP datagrams */
    uint64_t verdicts[TCPCT_VERDICTS]; /* one for each packet in */
    uint64_t syn_cookie, syn_plain;    /* <SYN> answered, with and without Cookie */
    uint64_t syn_answered;             /* ... with the answer inside (6.2) */
    uint64_t openings;                 /* <ACK(SYN)> whose pair verified */
    uint64_t openings_plain;           /* connections made from an ISN cookie */
    uint64_t openings_secondary;       /* pairs verified by the older secret */
    uint64_t secrets_made;
    uint64_t resets_sent, resets_ignored; /* ignored: advisory (7) */
    uint64_t reflections;                 /* equal cookies discarded (4.3) */
    uint64_t extensions_swallowed;        /* header extensions that a peer took for data (2.4) */
    uint64_t extensions_blanked;          /* ... that came without their kind 254 */
    uint64_t options_ignored;             /* options with a bad length */
    uint64_t connections_made, connections_failed;
    uint64_t retransmissions, retransmission_timeouts;
    uint64_t retransmissions_undone; /* that were spurious */
    uint64_t challenges_withheld;    /* challenge ACKs beyond the limit (RFC 5961, 7) */
    uint64_t unreachables_sent;      /* by tcpct_unreachable */
    uint64_t fast_opens;             /* connections made from a <SYN> with data (RFC 7413) */
    uint64_t restarts;               /* closed connections begun again */
    uint64_t restarts_late; /* Initiator: ... so that a Cookie exchange began to race with them */
    uint64_t restarts_lost; /* Initiator: ... and lost */
    uint64_t renewals;      /* Initiator: pairs asked for while an older one is in use */
    uint64_t restarts_old;  /* Responder: openings that had been executed before */
    uint64_t restarts_refused;  /* Responder: ... that came before any acknowledgment of the answer
                                  to the one before, or after its pair was given up */
    uint64_t restarts_unproved; /* Responder: pairs given up, since nobody acknowledged */
    uint64_t
        openings_sealed; /* Responder: openings whose pair did not verify here, but the seal did */
    uint64_t seals_made; /* Responder: of which at most 2^32 are safe under one key */
    uint64_t seals_opened;    /* Responder: ... that came back and were good */
    uint64_t seals_ignored;   /* Responder: ... altered, or not ours */
    uint64_t seals_expired;   /* Responder: ... too old */
    uint64_t seals_spent;     /* Responder: ... used before */
    uint64_t guard_refused;   /* Responder: exchanges that were admitted before */
    uint64_t guard_full;      /* Responder: ... that a full guard did not admit */
    uint64_t unproved_full;   /* remembered windows not used, too much being unproved */
    uint64_t jumps;           /* connections that used a remembered window */
    uint64_t jumps_unused;    /* ... which had too little to send for it */
    uint64_t jumps_validated; /* ... whose path carried it */
    uint64_t jumps_retreated; /* ... whose path did not */
    uint64_t collapses, collapses_refused, revivals;
    uint64_t collapsed_keepalives; /* answered from a record */
    uint64_t collapsed_evicted, collapsed_expired,
        collapsed_reset; /* records that did not revive */
    uint64_t backlog_full, connections_full, memory_full;
    uint64_t time_waits_cut; /* ended early, since all TCBs were in use */
};
void tcpct_counters(const struct tcpct_stack *stack, struct tcpct_counters *counters);

/* Name of counter `index` in the struct's order ("verdict_accepted" ...); NULL past the end. */
const char *tcpct_counter_name(size_t index);

/* TCBs in use now, TIME-WAIT included. */
size_t tcpct_connection_count(const struct tcpct_stack *stack);

/* ---- trace --------------------------------------------------------------------------------- */

enum tcpct_trace_kind {
    TCPCT_TRACE_STATE,          /* connection: old state, new state */
    TCPCT_TRACE_DISCARD,        /* note: the verdict, or why; value: bytes of the packet */
    TCPCT_TRACE_OPENING,        /* an <ACK(SYN)> verified */
    TCPCT_TRACE_REFLECTION,     /* equal cookies: a middlebox copies options, or worse (4.3) */
    TCPCT_TRACE_SECRET,         /* a secret changed state; value: how many were made so far */
    TCPCT_TRACE_RETRANSMISSION, /* value: bytes */
    TCPCT_TRACE_TIMEOUT,        /* value: new RTO in us */
    TCPCT_TRACE_CWND,           /* value: bytes */
    TCPCT_TRACE_PATH_MTU,       /* value: bytes */
    TCPCT_TRACE_RTT,            /* value: smoothed, in us; after each sample */
    TCPCT_TRACE_RESTART,        /* note: what became of a restart */
    TCPCT_TRACE_JUMP,           /* note: the phase that begins (RFC 9959, 3); value: bytes */
    TCPCT_TRACE_COLLAPSE, /* note: what became of an idle connection; value: seconds unheard */
};

struct tcpct_trace_event {
    enum tcpct_trace_kind kind;
    uint64_t now_us;
    struct tcpct_address local, remote; /* family 0: not about a peer */
    uint16_t local_port, remote_port;
    const char *note; /* a few words, static */
    uint64_t value;
    enum tcpct_state from, to; /* with STATE */
};

/* Writes the event as one line of text without its newline; returns the length, at most size-1. */
size_t tcpct_trace_text(const struct tcpct_trace_event *event, char *text, size_t size);
/* The same as a JSON object. */
size_t tcpct_trace_json(const struct tcpct_trace_event *event, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
