/* timestamps.h - timestamps of 64 and 128 bits (RFC 6013, 3.4, 3.5.2, 4.3, 4.4).
 *
 * Their low 32 bits are the timestamps of RFC 7323, which the cookie depends on (3.5.2), and which
 * are all that the rest of the stack looks at. The opening puts a random prefix before either: one
 * before the Initiator's own TS Value, and one before what it echoes, which thus becomes the
 * Responder's. Each counts how often the low bits have begun again. A Responder that wants less
 * answers the opening with a smaller option. Once they are agreed, every segment carries kind 254,
 * an echo must have our prefix, and PAWS compares all bits.
 *
 * The Initiator's prefix is a MAC of the endpoints and its cookie, so that a restart (restart.h) has
 * it again and its TS Value is greater in all bits; the Responder's is new for each incarnation.
 */
#ifndef TCPCT_TIMESTAMPS_H
#define TCPCT_TIMESTAMPS_H

#include "tcb.h"

/* Bytes of a timestamp that TCPCT_EXTEND_TS stands for (12); for _AUTO the most there are. */
uint8_t timestamps_size(uint8_t extend_ts);
/* Whether it is one of its values. */
bool timestamps_parameter_valid(uint8_t extend_ts);

/* Initiator, 4.3: the size for a path of which `path` is remembered (NULL: nothing), from the
 * parameter and the bandwidth. */
uint8_t timestamps_choose(const struct tcpct_connection *connection, const struct path_state *path);
/* The opening will have timestamps of that many bytes, with new prefixes. The pair is known, and
 * ts_recent is what it echoes. */
void timestamps_propose(struct tcpct_connection *connection, uint8_t size);
/* Initiator: what a segment that was acceptable says of the Responder's choice (4.4). */
void timestamps_settle(struct tcpct_connection *connection, const struct tcp_options *options);
/* Responder, 4.4: takes what an opening proposes, or less. */
void timestamps_agree(struct tcpct_connection *connection, const struct tcp_options *options,
                      uint64_t now_us);

/* Kind 254 with prefixes in place of kind 8, if they are agreed or proposed. */
void timestamps_widen(const struct tcpct_connection *connection, struct tcp_options *options,
                      uint64_t now_us);
/* Whether a segment's are of the agreed size, and the echo has our prefix. */
bool timestamps_fit(const struct tcpct_connection *connection, const struct tcp_options *options,
                    uint64_t now_us);
/* RFC 7323, 5.3, R1: PAWS. */
bool timestamps_are_old(const struct tcpct_connection *connection,
                        const struct tcp_options *options, uint64_t now_us);
/* TS.Recent is this segment's TS Value. */
void timestamps_take(struct tcpct_connection *connection, const struct tcp_options *options,
                     uint64_t now_us);

#endif
