/* tcb.h - the Transmission Control Block, the listener and the stack: the data that the rooms
 * above share. Names are those of RFC 9293, 3.3.1, and RFC 6013.
 *
 * A segment comes in through arrival.c to input.c, listen.c or opening.c, and goes out through output.c.
 * Nothing else writes packets, save the stateless replies of reply.c.
 */
#ifndef TCPCT_TCB_H
#define TCPCT_TCB_H

#include "congestion.h"
#include "cookie.h"
#include "flight.h"
#include "guard.h"
#include "md5sig.h"
#include "memory.h"
#include "profile.h"
#include "ranges.h"
#include "remember.h"
#include "ring.h"
#include "rtt.h"
#include "segment.h"
#include "tcpct.h"

enum {
    WINDOW_SCALE_MAX = 14,
    MSS_DEFAULT = 536, /* IPv4 (RFC 9293, 3.7.1) */
    MSS_DEFAULT_V6 = 1220,
    MSS_MIN = 128, /* taken for less: room for all options beside some data */
    PORT_EPHEMERAL_FIRST = 49152,
    TIMESTAMP_TICK_US = 1000, /* RFC 7323, 5.4 wants 1 ms to 1 s */
    MEMORY_AGAIN_US = 100000,
    FIN_WAIT_2_US = 60000000, /* a peer that never closes is given up, if nobody holds us */
};

struct endpoints {
    struct tcpct_address local, remote;
    uint16_t local_port, remote_port;
};

enum timer {
    TIMER_RETRANSMISSION, /* RFC 6298, or the FIN's own (RFC 6013, 5) */
    TIMER_DELAYED_ACK,
    TIMER_PERSIST,   /* zero window probe */
    TIMER_REORDER,   /* RACK: a segment becomes lost if nothing comes */
    TIMER_TIME_WAIT, /* also: FIN-WAIT-2 of a connection that nobody holds */
    TIMER_KEEPALIVE, /* nothing was heard for long */
    TIMER_IDLE,      /* it may collapse */
    TIMER_USER,      /* the user timeout */
    TIMER_PACE,      /* the next segment may leave */
    TIMER_MEMORY,    /* what found no memory may be tried again */
    TIMERS,
};

/* The two cookies of a connection; size 0: plain TCP. */
struct cookie_pair {
    uint8_t size; /* bytes of one */
    uint8_t initiator[COOKIE_SIZE_MAX], responder[COOKIE_SIZE_MAX];
};

/* The bits above a timestamp's low 32; of a 64-bit one only `low` counts. */
struct timestamp_prefix {
    uint64_t high;
    uint32_t low;
};

/* What a <SYN,ACK(SYN)> offered an Initiator (initiator.h). */
struct cookie_offer {
    bool known;
    uint32_t irs, timestamp;
    uint8_t responder[COOKIE_SIZE_MAX];
};

/* Loss recovery: recovery.h says how it works. */
struct recovery {
    enum recovery_phase {
        RECOVERY_OPEN, /* nothing is known to be lost */
        RECOVERY_FAST, /* repairing, paced by PRR */
        RECOVERY_RTO,  /* repairing after a timeout, in slow start */
    } phase;
    uint32_t point;      /* SND.NXT when the phase began: it ends when this is acknowledged */
    uint32_t duplicates; /* duplicate acknowledgments, of a peer without SACK */
    bool repeated;       /* nothing above `point` is acknowledged since that phase: RFC 6582, 3.2 */
    enum frto_step {     /* RFC 5682: after a timeout, without timestamps */
                     FRTO_OFF,
                     FRTO_RESENT, /* the first segment was sent again */
                     FRTO_NEW,    /* that was acknowledged: new data leaves before old */
    } frto;
    bool reordering_seen;
    bool dsack_seen; /* in the round trip that ends at dsack_round (RFC 8985, 6.2, step 4) */
    uint32_t dsack_round;
    uint8_t reorder_steps;   /* RACK.reo_wnd_mult less one */
    uint8_t reorder_persist; /* recoveries until it is forgotten */
    uint32_t highest_sacked; /* the forward-most byte known to have arrived */
    uint64_t rack_sent_us;   /* RACK.xmit_ts, .end_seq, .rtt (RFC 8985, 5.2) */
    uint32_t rack_end;
    uint64_t rack_rtt_us;
    bool undoable;                     /* the reduction of this phase can be taken back */
    uint32_t undo_cwnd, undo_ssthresh; /* what it would be taken back to */
    struct cubic undo_cubic;
    uint32_t undo_timestamp, undo_seq;           /* of the first retransmission of the phase */
    bool undo_dated;                             /* those are set */
    uint32_t prr_delivered, prr_out, prr_flight; /* RFC 6937, 3 */
    bool tail_timer;         /* the retransmission timer is set for a tail loss probe */
    bool tail_due;           /* the probe is to be sent */
    bool tail_out;           /* it was, and is not yet acknowledged */
    bool tail_retransmitted; /* it was old data */
    uint32_t tail_end;       /* TLP.end_seq (RFC 8985, 7.2) */
};

/* The remembered window (jump.h). */
struct jump {
    enum jump_phase { /* RFC 9959, 3 */
                      JUMP_OVER,
                      JUMP_RECONNAISSANCE, /* the initial window shows whether the path is the same */
                      JUMP_UNVALIDATED,    /* the remembered window leaves, paced */
                      JUMP_VALIDATING,     /* it is being acknowledged */
                      JUMP_RETREAT,        /* it was too much */
    } phase;
    uint32_t window;      /* to be jumped to; in retreat, the limit */
    uint32_t pipe;        /* PipeSize: bytes that the path has shown to carry */
    uint32_t first, last; /* the unvalidated bytes */
    uint64_t entered_us;
    bool congested; /* at any time: what was taken is no longer true */
    struct path_state taken;
};

/* The path MTU (path.h). */
struct path {
    uint16_t mtu;       /* 0: the device's */
    uint16_t too_large; /* a size that vanished: larger ones are searched for below it; 0: none */
    uint16_t probe;     /* the size of a probe that is out; 0: none is */
    uint32_t probe_end; /* its end */
    uint64_t probe_us;  /* when the next one may leave */
    uint64_t until_us;  /* when `mtu`, or what was found too large, is forgotten */
    bool begun;         /* what is known of the path has been taken */
    bool news; /* `mtu` is new; once more than this is acknowledged, it is known to carry: */
    uint32_t news_after;
};

/* What a path was found to carry, whichever connection did (path.h). */
struct path_known {
    struct tcpct_address remote; /* family 0: unused */
    uint16_t mtu, too_large;     /* as in struct path */
    uint64_t until_us;
};
enum { PATHS_MAX = 64 };

/* What the path is seen to carry (jump.h). */
struct meter {
    bool running;       /* something is out */
    uint32_t from, end; /* the round */
    uint32_t first;     /* SND.UNA after its first acknowledgment, which came at ... */
    uint64_t first_us;  /* ... 0: it did not */
    uint32_t most;      /* bytes acknowledged in one round */
    uint32_t rate;      /* bytes a millisecond; 0: not seen */
};

/* Explicit Congestion Notification (RFC 3168, 6.1). */
struct ecn {
    bool agreed;
    bool echo;      /* CE came: our acknowledgments say ECE until the peer says CWR */
    bool cwr_due;   /* we have reduced: the next new data says CWR */
    uint32_t point; /* SND.NXT of the last reduction: one in each window */
};

/* Receive buffer autotuning (tune.h). */
struct tune {
    uint32_t receive_limit; /* bytes that the receive buffer may hold */
    uint32_t read;          /* bytes the application read in this round */
    uint64_t round_us;      /* when the round began */
    uint64_t rtt_us;        /* the receiver's estimate; 0: none yet */
};

/* TCP Fast Open (fastopen.h). */
struct fast_open {
    bool wanted;   /* client: the <SYN> has the option */
    bool accepted; /* the data of the <SYN> was taken before the handshake ended */
    uint8_t size;  /* of the cookie; 0: one is asked for */
    uint8_t cookie[16];
};

/* A peer that we have connected to (peers.h). */
struct peer {
    struct tcpct_address address; /* family 0: unused */
    uint64_t used_us;
    uint64_t plain_until_us;   /* no Cookie is offered */
    uint64_t no_data_until_us; /* no data goes with the Cookie */
    uint8_t fast_open_size;    /* of the Fast Open cookie; 0: none */
    uint8_t fast_open_cookie[16];
    uint16_t mss;
    uint64_t fast_open_blocked_until_us;
    uint64_t no_restart_until_us;
    uint8_t restarts_lost; /* in a row */
    uint64_t renewed_us;   /* when a pair was last asked for, for its own sake; 0: never */
};
enum { PEERS_MAX = 64 };

struct tcpct_connection {
    struct tcpct_stack *stack;          /* NULL: unused */
    struct tcpct_connection *pool_next; /* of all that the stack ever made: they are used again */
    struct tcpct_listener *listener;    /* while it waits to be accepted */
    void *user;
    struct tcpct_connection *hash_next;
    struct tcpct_connection *output_next, *output_previous; /* in the stack's output list */
    struct tcpct_connection *event_next;                    /* in the stack's event list */
    struct tcpct_connection *accept_next;                   /* in the listener's backlog */
    struct tcpct_connection *wait_next, *wait_previous;     /* in TIME-WAIT: in the stack's list */
    uint32_t heap_index;                                    /* in the timer heap */
    uint64_t heap_at;                                       /* its key there */
    uint64_t timers[TIMERS];                                /* TCPCT_NEVER: off */

    struct endpoints endpoints;
    const struct md5_key *md5_key; /* all is signed; NULL: nothing is */
    enum tcpct_state state;
    int error; /* enum tcpct_error: why it failed */
    bool initiator;
    struct tcpct_listener *queued_at; /* half made, and counted there (handshake.h) */
    bool held;                        /* the application (or a backlog) holds the handle */
    bool in_demux, in_output, in_events;
    unsigned events; /* enum tcpct_event_flags to be told */
    struct tcpct_parameters parameters;
    uint64_t user_timeout_us;
    bool user_timeout_set; /* by the application: it is announced, and the peer's is not taken */
    uint64_t keepalive_us; /* idle time before the first keep-alive; 0: none are sent */
    uint8_t keepalives;    /* unanswered */
    bool kept_active;      /* it has not collapsed when it might, as its client comes back soon */
    bool nodelay;
    uint8_t traffic_class; /* the DSCP, above the two bits of ECN */

    /* Sending. ring holds [data_seq, ...): unacknowledged and unsent bytes. */
    uint32_t iss, snd_una, snd_nxt, snd_wnd, snd_wl1, snd_wl2, snd_max_wnd;
    uint32_t data_seq; /* sequence number of the ring's first byte */
    uint8_t snd_scale;
    uint16_t mss; /* the peer's, or what our device carries if that is less */
    struct path path;
    uint8_t timeouts; /* retransmission timeouts in a row */
    struct ring send;
    bool send_blocked; /* tcpct_send took less than asked: tell WRITABLE */
    bool fin_queued, fin_sent, fin_acknowledged;
    bool urgent_queued; /* up to snd_up */
    uint32_t snd_up;
    bool reset_due;              /* aborted: the RST is to be sent, then the TCB goes */
    bool syn_due;                /* the <SYN> is to be sent, for the first time or again */
    uint8_t syn_tries;           /* how often it was sent */
    uint16_t syn_data_sent;      /* bytes that have travelled in a <SYN> */
    uint16_t syn_data;           /* bytes of the request that may travel in the <SYN> */
    uint32_t syn_timestamp_last; /* TS Value of the <SYN> sent last */
    uint8_t fin_tries;           /* bare FINs since the last sign of the peer */
    bool probe_due;              /* a zero window probe is to be sent */
    struct flight flight;
    struct recovery recovery;
    struct congestion congestion;
    enum tcpct_window window_policy;
    struct jump jump;
    struct meter meter;
    struct rtt rtt;
    struct ecn ecn;
    uint64_t data_sent_us; /* when data last left; 0: never */
    uint64_t pace_us;      /* when all that was sent would have left at the pacing rate */
    struct fast_open fast_open;
    uint64_t syn_sent_us;

    /* Receiving. ring holds bytes to be read, in front of the window. */
    uint32_t irs, rcv_nxt;
    uint32_t rcv_edge; /* the highest right edge of the window that was offered */
    uint8_t rcv_scale;
    struct ring receive;
    struct tune tune;
    struct ranges ranges;
    struct sack_block duplicate; /* what came twice, to be told by D-SACK; empty: nothing */
    bool window_scaling, sack_permitted;
    bool urgent; /* up to rcv_up */
    uint32_t rcv_up;
    bool end_seen;     /* the peer's FIN has come, and all before it: end-of-file */
    bool fin_received; /* ... and is acknowledged */
    bool end_told;     /* the application of a persistent connection has read the end */
    bool ack_now;
    uint8_t ack_delayed; /* full segments not yet acknowledged */

    /* Timestamps (RFC 7323). */
    bool timestamps;
    uint64_t timestamp_offset; /* 64 bits, since what is above 32 goes into the prefix */
    uint32_t ts_recent, last_ack_sent;
    uint32_t timestamp_first; /* our first TS Value: echoes of this incarnation are not older */
    uint64_t ts_recent_us;    /* when ts_recent was taken */
    uint8_t timestamp_size;   /* bytes, with cookies: agreed or proposed (timestamps.h) */
    bool timestamps_settled;  /* ... agreed */
    struct timestamp_prefix prefix, recent_prefix; /* of our clock at 0; of ts_recent */

    /* RFC 6013. */
    struct cookie_pair pair;
    bool
        cookie_less; /* header extensions may go to a peer with a key (3.3); at first: are wanted */
    bool introducing;             /* SYN-only options go with the pair, and with ... */
    uint32_t introduce_seq;       /* ... what begins here, until it is acknowledged (2.5) */
    uint16_t mss_wanted;          /* to be announced; 0: what the device carries */
    uint32_t answered;            /* bytes still to be taken from the application which the peer has
                               from our <SYN,ACK(SYN)> */
    bool opening_sent;            /* Initiator: the <ACK(SYN)> has left */
    bool confirmed;               /* the peer has shown that it has state */
    uint8_t opening_timeouts;     /* Initiator: how often the opening was given up for lost */
    bool opened_plainly;          /* Initiator: it has also gone without its pair */
    uint16_t opening_extension;   /* Initiator: bytes of header extension that the opening had */
    uint32_t opening_timestamp;   /* the opening's TS Value, repeated when it is sent again */
    struct cookie_offer other;    /* Initiator: the pair that is not in use */
    uint32_t responder_timestamp; /* that the pair depends on: echoed in the opening (3.5.2) */
    bool syn_data_accepted;       /* the <SYN,ACK(SYN)> acknowledged the data of the <SYN> */
    bool syn_ack_data_taken;

    /* Restart (restart.h). */
    bool restarted;                  /* this incarnation is not the first */
    bool persistent;                 /* Initiator: what is sent after the end begins it again */
    uint32_t reset_end;              /* a restart that lost: its reset is due here as well; 0: no */
    bool renews;                     /* Initiator: nobody's; it asks for another pair */
    uint8_t restarts;                /* Initiator: of this pair */
    bool seals;                      /* Responder: what its path can carry goes to the Initiator */
    struct remembered_seal seal;     /* Initiator: to be returned, or (confirmed) to be kept;
                                        Responder: sent last */
    uint64_t exchanged_us;           /* when the pair was made; Responder: when the opening came */
    struct tcpct_connection *beside; /* Initiator: a restart without answer, and the exchange that
                                        races with it, have each other here (beside.h) */
    bool unproved;                   /* Responder: the opening may be a recorded one */
    uint8_t unproved_timeouts;
    uint32_t unproved_bytes; /* that are charged for it */
    uint8_t unproved_prefix;

    struct tcpct_info totals; /* only its four counters are kept here */
};

struct tcpct_listener {
    struct tcpct_stack *stack;
    struct tcpct_listener *next;
    struct tcpct_listen_options options;
    struct tcpct_connection *backlog_first, *backlog_last;
    uint32_t backlog_count;
    uint32_t queued;    /* connections in SYN-RECEIVED */
    bool event;         /* ACCEPT is to be told */
    struct guard guard; /* limit 0: none */
};

/* Connections that are records (collapse.h). */
struct collapse {
    struct table tables[2]; /* IPv4, IPv6; without a limit until there is such an address */
    struct profiles profiles;
    uint64_t next_us; /* when the oldest may be too old */
};

enum { ADDRESSES_MAX = 16, RANDOM_BUFFER = 256, UNPROVED_PREFIXES = 256 };

struct tcpct_stack {
    struct tcpct_config config;
    struct memory memory;
    struct tcpct_address addresses[ADDRESSES_MAX];
    uint8_t address_count;
    uint8_t rcv_scale; /* our window scale, in every <SYN> and <SYN,ACK> */
    struct tcpct_listener *listeners;
    struct secrets secrets;
    struct isn_keys isn_keys;
    struct md5sig *md5sig; /* NULL: no peer has a key */
    struct secrets fast_open_secrets;
    struct peer peers[PEERS_MAX];
    struct path_known paths[PATHS_MAX];
    bool paths_known;                       /* there ever was one */
    struct remember_table remembered[2][2]; /* by role (1: Initiator) and family (1: IPv6) */
    struct seals *seals;                    /* keys; NULL: none, and a Responder remembers */
    uint64_t real_time_us;                  /* of the stack's time 0, since 1970 */
    struct collapse collapse;
    size_t unproved; /* bytes sent to peers that have proved nothing */
    size_t unproved_by[UNPROVED_PREFIXES];

    struct tcpct_connection **buckets; /* demux.h */
    uint32_t bucket_mask, bucket_seed;
    uint32_t connection_count;
    struct tcpct_connection *pool;      /* all, through pool_next */
    struct tcpct_connection *reclaimed; /* ... up to here; NULL: from the first on */
    struct tcpct_connection *free_list; /* unused ones, through hash_next */
    struct tcpct_connection **heap;     /* timer.h */
    uint32_t heap_count;
    struct tcpct_connection *output_first, *output_last;
    struct tcpct_connection *event_first, *event_last;
    struct tcpct_connection *wait_first, *wait_last; /* in order of their beginning */

    uint64_t now_us;       /* of the last of the four calls: the time of the application's calls */
    uint64_t challenge_us; /* when this second of challenge ACKs began (RFC 5961, 7) */
    uint32_t challenges;   /* sent in it */
    uint64_t unreachable_us; /* likewise, of ICMP errors */
    uint32_t unreachables;
    uint8_t random[RANDOM_BUFFER]; /* drawn ahead; random_left bytes are unused */
    uint32_t random_left;
    struct tcpct_counters counters;
};

/* ---- small things that every room needs ---------------------------------------------------- */

uint32_t stack_random(struct tcpct_stack *stack);

/* A new, CLOSED connection in the demux table; NULL: no room (counted). */
struct tcpct_connection *tcb_create(struct tcpct_stack *stack, const struct endpoints *endpoints);
/* Frees everything it has. The application must not hold it any more. */
void tcb_destroy(struct tcpct_connection *connection);

/* The stack's memory.reclaim: takes buffers from connections that have nothing in them. */
void tcb_reclaim(void *owner, size_t size);

/* Changes the state and traces it. */
void tcb_state(struct tcpct_connection *connection, enum tcpct_state state, uint64_t now_us);
/* It is over: timers stop, buffers that nobody can read are freed. If nobody holds the TCB it is
 * gone on return: do not touch it afterwards. `error` is TCPCT_OK for an orderly end. */
void tcb_closed(struct tcpct_connection *connection, int error, uint64_t now_us);
/* Of two that race, takes this one out: returns the other, or NULL (beside.h). */
struct tcpct_connection *tcb_part(struct tcpct_connection *connection);
/* The connection is made: one of the same endpoints beside which it was made is over. */
void tcb_replace_older(struct tcpct_connection *connection, uint64_t now_us);
/* All data has passed, both ways; a FIN or its acknowledgment may be due. */
static inline bool tcb_is_finishing(const struct tcpct_connection *connection)
{
    return (connection->fin_received || connection->state == TCPCT_TIME_WAIT) &&
           connection->send.used == 0;
}
/* TIME-WAIT for 2 MSL, without the buffers. */
void tcb_time_wait(struct tcpct_connection *connection, uint64_t now_us);
/* The numbers of a connection whose <SYN>s are exchanged: nothing is sent or received yet. */
void tcb_begin(struct tcpct_connection *connection, uint32_t iss, uint32_t irs);
/* What was charged for an unproved peer is given back. */
void tcb_proved(struct tcpct_connection *connection);
/* A segment is to be sent: tcpct_output will look at it. */
void tcb_output(struct tcpct_connection *connection);
void tcb_output_done(struct tcpct_connection *connection);
/* Tells the application. */
void tcb_event(struct tcpct_connection *connection, unsigned flags);

/* The window to offer: free room of the receive buffer. */
uint32_t tcb_receive_window(const struct tcpct_connection *connection);
/* Bytes that the application has yet to read, or to get, up to the end of urgent data. */
uint32_t tcb_urgent(const struct tcpct_connection *connection);
/* The first RTT: of a <SYN> that was sent once, or by the echo of its timestamp. */
void tcb_first_rtt(struct tcpct_connection *connection, const struct tcp_options *options,
                   uint64_t now_us);
/* Our timestamp clock: milliseconds plus the connection's offset. */
uint32_t tcb_timestamp(const struct tcpct_connection *connection, uint64_t now_us);
/* What a connection without options from the peer begins with. */
void tcb_peer_options(struct tcpct_connection *connection, const struct tcp_options *options);
/* MSS and window scale again: they take effect upon receipt (RFC 6013, 2.5). */
void tcb_renew_options(struct tcpct_connection *connection, const struct tcp_options *options);
/* SYN-only options are due, from the next byte to be sent on. */
void tcb_introduce(struct tcpct_connection *connection);
/* Which of the stack's addresses it is; address_count: none. */
unsigned stack_address(const struct tcpct_stack *stack, const struct tcpct_address *address);
bool stack_owns(const struct tcpct_stack *stack, const struct tcpct_address *address);
/* What a peer without an MSS option takes. */
uint16_t mss_default(const struct tcpct_address *address);
/* What it says it takes. */
uint16_t mss_of(const struct tcp_options *options, const struct tcpct_address *address);
/* MSS to announce to a peer of this family. */
uint16_t stack_mss(const struct tcpct_stack *stack, const struct tcpct_address *address);
struct cookie_endpoints endpoints_for_cookie(const struct endpoints *endpoints);

/* The User Timeout Option (RFC 5482): announces ours if the application set it, takes the peer's
 * otherwise. */
void tcb_announce_timeout(const struct tcpct_connection *connection, struct tcp_options *options);
void tcb_take_timeout(struct tcpct_connection *connection, const struct tcp_options *options);

void trace_connection(const struct tcpct_connection *connection, enum tcpct_trace_kind kind,
                      const char *note, uint64_t value, uint64_t now_us);
void trace_stack(const struct tcpct_stack *stack, const struct segment *segment,
                 enum tcpct_trace_kind kind, const char *note, uint64_t value, uint64_t now_us);

#endif
