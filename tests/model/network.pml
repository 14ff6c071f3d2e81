/* network.pml - the network between an Initiator and a Responder, for the models of this folder.
 *
 * Two kinds:
 *
 *   (default)  is a set: what was sent arrives any number of times, in any order, at any time later,
 *              or never.
 *   COMPLETE   carries each segment once, in any order, but for FAULTS segments that it loses or
 *              copies, or that are so late that a timer expires first.
 *
 * A model defines NET, the number of segments that there can be in each direction, and FAULTS.
 */

/* ---- segments ------------------------------------------------------------------------------ */

#define SYN 1
#define ACK 2
#define DATA 4
#define FIN 8
#define RST 16
#define OPENING 32 /* has SYN-only options and a pair: <ACK(SYN)> (opening.c:open_paired) */

typedef segment {
    byte flags;
    byte seq, ack;
    byte time, echo; /* TS Value, TS Echo Reply */
    byte pair;       /* 0: none; in a <SYN,ACK(SYN)>, the Responder-Cookie */
    byte inc         /* for the assertions only: the incarnation, 0 if it is forged */
};

chan to_responder = [NET] of { segment };
chan to_initiator = [NET] of { segment };
byte faults = FAULTS;

segment s; /* the one that has arrived; empty between two steps */

/* Of no meaning between two steps. Spin does not restore what a d_step has changed in hidden
 * variables, so `other`, `rest` and `ahead` are never used outside one. */
hidden segment out, other;
hidden byte rest, which, lost, kept, verified;
hidden short ahead;

#define QUIET (len(to_responder) == 0 && len(to_initiator) == 0)

/* The network is sorted, since it reorders anyway: fewer states. */
#define THE_SAME \
    eval(out.flags), eval(out.seq), eval(out.ack), eval(out.time), eval(out.echo), \
    eval(out.pair), eval(out.inc)

inline send(net, a_flags, a_seq, a_ack, a_time, an_echo, a_pair, an_inc)
{
    out.flags = a_flags; out.seq = a_seq; out.ack = a_ack; out.time = a_time;
    out.echo = an_echo; out.pair = a_pair; out.inc = an_inc;
    printf("%d sends %d: %d ack %d ts %d %d pair %d inc %d\n", _pid, out.flags, out.seq, out.ack,
        out.time, out.echo, out.pair, out.inc);
#ifdef COMPLETE
    assert(nfull(net));
    net !! out
#else
    if
    :: net ?? [THE_SAME]
    :: else -> assert(nfull(net)); net !! out
    fi
#endif
}

/* Takes any of the segments as `s`; one that is lost has no flags. */
inline receive(net)
{
    which = 0;
    do
    :: which + 1 < len(net) -> which++
    :: break
    od;
    lost = 0;
    kept = 0;
#ifdef COMPLETE
    if
    :: true
    :: faults > 0 -> faults--; kept = 1
    :: faults > 0 -> faults--; lost = 1
    fi;
#else
    kept = 1;
#endif
    d_step {
        rest = len(net);
        ahead = which;
        do
        :: rest > 0 ->
            rest--;
            net ? other;
            if
            :: ahead == 0 ->
                s.flags = other.flags; s.seq = other.seq; s.ack = other.ack; s.time = other.time;
                s.echo = other.echo; s.pair = other.pair; s.inc = other.inc
            :: else
            fi;
            if
            :: ahead || kept -> net ! other
            :: else
            fi;
            ahead--
        :: else -> break
        od;
        printf("%d takes %d: %d ack %d ts %d %d pair %d inc %d lost %d kept %d\n", _pid, s.flags,
            s.seq, s.ack, s.time, s.echo, s.pair, s.inc, lost, kept);
        if
        :: lost -> s.flags = 0
        :: else
        fi
    }
}

inline done()
{
    d_step { s.flags = 0; s.seq = 0; s.ack = 0; s.time = 0; s.echo = 0; s.pair = 0; s.inc = 0 }
}

/* A retransmission timer expires when what it waits for is lost, or too early. */
#ifdef COMPLETE
#define EXPIRES (QUIET || faults > 0)
#else
#define EXPIRES true
#endif

inline expires()
{
#ifdef COMPLETE
    if
    :: QUIET
    :: !QUIET -> faults--
    fi
#else
    skip
#endif
}
