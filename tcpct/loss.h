/* loss.h - what an acknowledgment says has arrived, and what must therefore be lost.
 *
 * One mechanism for every peer: the flight's records are marked sacked by SACK blocks (RFC 2018)
 * or, for a peer without SACK, by counting duplicate acknowledgments, each of which stands for
 * one segment that has arrived (RFC 5681, 3.2). What was sent well before something that has
 * arrived is lost (RACK, RFC 8985); with three segments above the first hole and no reordering
 * seen, "well before" means "before" (RFC 6675's DupThresh).
 */
#ifndef TCPCT_LOSS_H
#define TCPCT_LOSS_H

#include "tcb.h"

/* What one acknowledgment brought. */
struct delivery {
    uint32_t bytes;     /* newly known to have arrived */
    uint64_t latest_us; /* when the one that left last had left; 0: none */
    bool ambiguous;     /* that one was sent more than once (Karn) */
};

/* Takes an acknowledgment (snd_una <= ack <= snd_nxt) with these options into the flight, and
 * moves snd_una. `duplicate`: it is a duplicate acknowledgment in the sense of RFC 5681, 2, but for
 * (a): something need not be outstanding. */
void loss_take(struct tcpct_connection *connection, uint32_t ack, const struct tcp_options *options,
               bool duplicate, uint64_t now_us, struct delivery *delivery);

/* The D-SACK of this acknowledgment, which has been taken (RFC 2883, 4); NULL: none. */
const struct sack_block *loss_dsack(const struct tcpct_connection *connection,
                                    const struct tcp_options *options);

/* Marks what is lost, and sets TIMER_REORDER for what may yet be (RFC 8985, 6.2). */
void loss_detect(struct tcpct_connection *connection, uint64_t now_us);

#endif
