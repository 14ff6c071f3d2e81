/* losses.h - one transaction between two hosts, through a network that is told for each packet
 * what becomes of it, and the rules that hold whatever that was.
 *
 * A scenario says what the applications do. Requests begin with the number of the transaction, and
 * every byte depends on that number and its place, so that what is old, doubled or missing shows.
 * Packets are numbered as they are sent, those of both hosts together.
 *
 * The rules (RFC 6013, 4 to 7). The Initiator's application gets its answers once and whole, or
 * learns after the user timeout that it does not; a Responder that gave up first it would ask in vain,
 * as in any TCP without keep-alives. The Responder's application reads just what was
 * sent, and runs a request once for each opening that reaches it. In the exchange only the
 * Initiator retransmits, and the Responder has a TCB only after it. A bare FIN is repeated
 * evenly, and backs off after eight. Only the Initiator has TIME-WAIT. In the end there is no TCB and no buffer.
 */
#ifndef TESTS_LOSSES_H
#define TESTS_LOSSES_H

#include "tests/sim/sim.h"

enum losses_close {
    CLOSE_INITIATOR, /* when it has its answers; the Responder follows */
    CLOSE_RESPONDER, /* with its last answer; the Initiator follows */
    CLOSE_BOTH,      /* each when it has done its part */
    CLOSE_EARLY,     /* the Initiator's direction ends with its request, before any answer */
    CLOSE_PENDING,   /* the Responder's ends with its first answer; then the rest is asked */
};

struct losses_scenario {
    const char *name;
    enum losses_close close;
    bool plain, in_syn;     /* without cookies; with data in the SYNs */
    uint32_t request, more; /* bytes: at once, and when those are answered */
    uint32_t answer, last;  /* bytes: to the first part, and to the rest */
    bool restart; /* a closed connection begins again: the fate is that of the second transaction */
    bool stable;  /* the <SYN,ACK(SYN)> holds what it can of an answer that is larger */
};

/* What the network does. The chosen packet, or a copy of it, arrives late: when so many more
 * packets of its host have been sent, or that long after it, whichever is first. */
struct losses_fate {
    uint32_t lost;      /* bit k: packet k is */
    bool chosen;        /* one packet is: */
    unsigned packet;    /* this one */
    bool copied;        /* it is late as a copy, itself in time */
    unsigned overtaken; /* packets */
    uint64_t late_us;
    /* The copy is an antique: it comes to a second transaction on the same ports, after that has
     * sent `overtaken` packets. */
    bool antique;
};

/* Runs it from beginning to end; returns how many packets were sent. If a rule is broken, scenario,
 * fate and rule are printed and pcap files are written. */
unsigned losses_run(const struct losses_scenario *scenario, const struct losses_fate *fate,
                    unsigned family);
/* Says how many runs there were, and fails the test if a rule has been broken. */
void losses_verdict(void);

#endif
