/* restart.h - a closed connection with cookies begins again with its first segment.
 *
 * The Initiator sends its <ACK(SYN)> again: the same numbers, Cookie-Pair and TS Echo Reply, a newer
 * TS Value, the options of the <SYN>, and new data. The Responder makes the cookie again from the
 * segment (RFC 6013, 4.4), and may answer at once with all that the path could carry before
 * (jump.h). It needs to have kept nothing.
 *
 * The TS Value of its opening names an incarnation. As the numbers are used again, timestamps tell
 * what belongs to it. The Responder's TSoffset moves on by a random step, so that an acknowledgment
 * of new data must echo what only this incarnation has sent; at the Initiator, whose TSoffset grows
 * with each restart, all that comes must echo a TS Value not older than the opening's.
 */
#ifndef TCPCT_RESTART_H
#define TCPCT_RESTART_H

#include "tcb.h"

/* Whether the segment echoes what this incarnation has sent. To a Responder, what acknowledges nothing new
 * may echo the exchange, as all does that was sent before it was heard; its TS Value is not far from the
 * opening's then. */
bool restart_echo_fits(const struct tcpct_connection *connection, const struct segment *segment,
                       uint64_t now_us);

/* An orderly end: what the next connection, or incarnation, may use is remembered. */
void restart_remember(const struct tcpct_connection *connection, uint64_t now_us);

/* What is remembered of the path between a connection's addresses, in its role; NULL: nothing. */
const struct path_state *restart_path(const struct tcpct_connection *connection);
/* An exchange has made this Initiator's connection: what is known of the path is used. */
void restart_takes_path(struct tcpct_connection *connection, uint64_t now_us);

/* ---- Initiator ----------------------------------------------------------------------------- */

/* Begins a remembered connection to endpoints->remote and its port again (from local_port, unless
 * that is 0); NULL: there is none that may. The caller adds the application's wishes. */
struct tcpct_connection *restart_begin(struct tcpct_stack *stack, struct endpoints *endpoints,
                                       enum tcpct_window policy, uint64_t now_us);
/* Whether a restart may want these endpoints: they are not for other connections. */
bool restart_reserves(struct tcpct_stack *stack, const struct endpoints *endpoints);
/* How long its opening is waited for before a Cookie exchange is tried instead. */
uint64_t restart_patience_us(const struct tcpct_connection *connection);
/* The Responder answers: an exchange that raced with it is over. */
void restart_confirmed(struct tcpct_connection *connection, uint64_t now_us);
/* It has sealed what its path can carry, in a segment that is proved: for the next opening. */
void restart_keeps_seal(struct tcpct_connection *connection, const struct segment *segment);
/* It does not: this pair is not used again, and after several such, none with this peer for a while. */
void restart_failed(struct tcpct_connection *connection, uint64_t now_us);

/* ---- Responder ----------------------------------------------------------------------------- */

/* An opening of another exchange, that verifies, has ended a TCB. Both may have the same date, which is
 * rounded (listen.h): what is remembered against the pair of the older says nothing of the later. */
void restart_superseded(struct tcpct_stack *stack, const struct segment *segment);
/* Whether an opening that verifies, and meets no TCB, was executed before, or is not answered any
 * more, or not until the answer to the one before is acknowledged. Counted. */
bool restart_refuses(struct tcpct_stack *stack, const struct segment *segment);

/* What a segment of a connection's own exchange is to it. */
enum restart_verdict {
    RESTART_ORDINARY,  /* no other incarnation's opening */
    RESTART_DISCARDED, /* an earlier one's, or a later one's that might be a recording: nothing of
                          what this one had for answer is acknowledged */
    RESTART_REPLACES,  /* a later one's */
};
enum restart_verdict restart_meets(const struct tcpct_connection *connection,
                                   const struct segment *segment);
/* An opening has made this TCB; `sealed`: what its seal says of the path, or NULL. */
void restart_opened(struct tcpct_connection *connection, const struct segment *segment,
                    struct path_state *sealed, uint64_t now_us);
/* What came at RCV.NXT is the opening, or its data after an empty one: its TS Value is the one that
 * counts. */
void restart_dated(struct tcpct_connection *connection, uint32_t timestamp);
/* The most that may be out until the peer has proved, by acknowledging data, that it sees us. */
uint32_t restart_limit(const struct tcpct_connection *connection);
/* The peer has: its opening is no recording. */
void restart_proved(struct tcpct_connection *connection);
/* A retransmission timeout; false: that was too many for a peer that has proved nothing. Its
 * openings are refused from now on, and the TCB is to be closed. */
bool restart_goes_on(struct tcpct_connection *connection, uint64_t now_us);

#endif
