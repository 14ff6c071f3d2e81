/* restart.pml - a closed connection that begins again with its first segment, for Spin.
 *
 * An Initiator and a Responder have made a Cookie exchange on one pair of ports; the model begins
 * with its <ACK(SYN)>. The Initiator makes up to REQUESTS transactions, each in an incarnation of its
 * own, with the same numbers, Cookie-Pair and TS Echo Reply (RFC6013-NOTES.md, "Restart": R1). Who
 * sends a segment of it knows the pair: it is left out here. The network is a set, or with COMPLETE
 * carries each segment once (network.pml). What the Responder remembers may be lost at any time, and
 * its secret may die.
 *
 * Checked are, numbered as in the assertions:
 *
 *   (1) No data of another incarnation, nor its end, reaches the Initiator's application, and no
 *       answer that the exchange beside it (R6) has brought already.
 *   (2) The Responder executes a request again only if it has lost its entry; with GUARD, never; and
 *       within the life of the secret.
 *   (3) With COMPLETE, every execution ends, each transaction is answered or has failed then, and
 *       nobody has a TCB: no deadlock, and no cycle.
 *   (4) Until an acknowledgment of this incarnation proves it, a pair gets one flight, unless the
 *       entry is lost.
 *   (5) Data, an acknowledgment of data, a FIN or a reset has no effect on the TCB of another
 *       incarnation.
 *   (6) An opening never takes the place of a later incarnation's TCB.
 *
 * A request is 1 to SIZE, the Initiator's FIN SIZE + 1; the answer is 1 to ANSWER, the Responder's FIN
 * ANSWER + 1. Timestamps do not advance within an incarnation. The Initiator's names it, and is
 * far from the others'; the Responder's is drawn for each TCB, or 0, the exchange's.
 *
 * check.sh checks this, and that for each macro that takes a rule away Spin finds the error.
 */
#ifndef REQUESTS
#define REQUESTS 2
#endif
#ifndef SIZE
#define SIZE 1
#endif
#ifndef ANSWER
#define ANSWER 1
#endif
#ifndef LOSSES
#define LOSSES 1 /* of the Responder's entry */
#endif
#ifdef COMPLETE
#ifndef FAULTS
#define FAULTS 1
#endif
#define TCBS 250
#define SECRET_DIES
#else
#define FAULTS 0
#ifndef TCBS
#define TCBS 3 /* that the Responder makes */
#endif
#endif
#define TRIES 3 /* until the user timeout; with COMPLETE, more than FAULTS */
#define NET 18  /* segments that there can be in each direction */
#define MANY 6  /* more than there are incarnations */

#include "network.pml"

bit secret_lives = 1;
bit tcb; /* the Responder has one */

/* ---- the Initiator ------------------------------------------------------------------------- */

mtype = { CLOSED, OPEN, TIME_WAIT, LOST };
mtype i_state = CLOSED; /* LOST: to the exchange beside it; this pair is not used again */
byte inc;               /* the incarnation now; 0 before the first */
byte i_requests = REQUESTS;
byte i_time;          /* TS Value of this incarnation */
byte i_recent;        /* TS.Recent */
byte i_next;          /* RCV.NXT */
byte i_una;           /* SND.UNA */
byte i_tries;
bit i_confirmed;      /* the Responder was heard */
bit i_racing;         /* with an exchange from a fresh port */
bit i_fin_sent, i_fin_acked, i_fin_taken;
bit answered[MANY], failed[MANY];

#define I_NXT (SIZE + 1 + i_fin_sent)

inline i_send(f, q, k) { send(to_responder, f, q, k, i_time, i_recent, 0, inc) }
inline i_ack() { i_send(ACK, I_NXT, i_next) }
inline i_fin() { i_fin_sent = 1; i_send(ACK | FIN, SIZE + 1, i_next) }

inline send_request()
{
    if
    :: i_una <= 1 -> i_send(ACK | DATA | OPENING, 1, 1)
    :: else
    fi;
#if SIZE > 1
    i_send(ACK | DATA, 2, i_next)
#endif
}

inline i_closed(state)
{
    i_state = state;
    i_time = 0; i_recent = 0; i_next = 0; i_una = 0; i_tries = 0; i_confirmed = 0;
    i_racing = 0; i_fin_sent = 0; i_fin_acked = 0; i_fin_taken = 0
}

/* R1, R2, restart.c:take_up: a newer TS Value, TS.Recent and all else as after the exchange. */
inline restart_begin()
{
    i_closed(OPEN);
    i_requests--;
    inc++;
#ifdef TIME_NOT_INCREMENTED
    i_time = 1;
#else
    i_time = inc;
#endif
    i_next = 1;
    i_una = 1;
    send_request()
}

/* R3, restart.c:restart_echo_fits. PAWS_ONLY is what RFC 7323 alone asks. */
#ifdef PAWS_ONLY
#define I_FITS (s.time >= i_recent)
#else
#define I_FITS (s.echo == i_time && s.time >= i_recent)
#endif

/* reply.c:reply_reset. With the network that is a set no reset is sent: whoever may have had no TCB at
 * some time may turn any segment round, at any later time, so that the other side takes it for a reset
 * then (`turned`). */
inline reset(net)
{
#ifdef COMPLETE
    if
    :: !(s.flags & RST) -> send(net, RST, s.ack, 0, s.echo, s.time, 0, s.inc)
    :: else
    fi
#else
    skip
#endif
}

inline turned()
{
    d_step {
        out.time = s.time;
        s.flags = RST; s.seq = s.ack; s.ack = 0; s.time = s.echo; s.echo = out.time
    }
}

inline take_answer()
{
    assert(s.inc == inc && i_state == OPEN && !answered[inc]); /* (1) */
    i_next++;
    answered[inc] = (i_next == ANSWER + 1)
}

/* close.c:close_fin_received. */
inline i_fin_received()
{
    if
    :: i_next == ANSWER + 1 -> assert(s.inc == inc); /* (1) */ i_next++; i_fin_taken = 1
    :: else
    fi;
    if
    :: i_fin_taken && !i_fin_sent -> i_fin()
    :: else -> i_ack()
    fi
}

/* input.c:input_segment. */
inline i_segment()
{
    if
    :: s.seq <= i_next -> i_recent = s.time
    :: else
    fi;
    i_confirmed = 1; /* restart.c:restart_confirmed */
    i_racing = 0;
    if
    :: s.ack > i_una && s.ack <= I_NXT -> i_una = s.ack; i_tries = 0
    :: else
    fi;
    i_fin_acked = (i_fin_acked || (i_fin_sent && i_una == SIZE + 2));
    if
    :: (s.flags & DATA) && s.seq == i_next ->
        take_answer();
        i_ack()
    :: (s.flags & DATA) && s.seq != i_next -> i_ack()
    :: (s.flags & FIN) -> i_fin_received()
    :: else
    fi;
    if
    :: i_fin_acked && i_fin_taken && i_state == OPEN -> i_state = TIME_WAIT
    :: else
    fi
}

/* 7, close.c:advisory_reset. */
inline i_reset_received()
{
    if
    :: i_state == OPEN && i_confirmed && s.seq == i_next && I_FITS ->
        assert(s.inc == inc); /* (5) */
        if
        :: i_fin_sent -> i_state = TIME_WAIT
        :: else -> failed[inc] = !answered[inc]; i_closed(CLOSED)
        fi
    :: else
    fi
}

inline i_receive()
{
    receive(to_initiator);
    if
    :: s.flags == 0
    :: s.flags && (i_state == CLOSED || i_state == LOST) ->
        reset(to_responder)
    :: s.flags && (i_state == OPEN || i_state == TIME_WAIT) ->
        if
        :: s.flags & RST -> i_reset_received()
        :: !(s.flags & RST) && I_FITS -> i_segment()
        :: else
        fi
    fi
}

/* R6, beside.c:beside_wins: the Responder keeps nothing of an exchange, whose answer may come as soon as
 * it has begun. The restart is reset, at the end of its first segment and of all that was sent. */
inline exchange_wins()
{
    assert(!answered[inc]); /* (1) */
    answered[inc] = 1;
#ifndef LOSER_GOES_ON
    i_send(ACK | RST, 2, 1);
#if SIZE > 1
    i_send(ACK | RST, SIZE + 1, 1);
#endif
    i_closed(LOST)
#endif
}

/* What waits for an acknowledgment. */
#define I_WAITS (i_state == OPEN && (i_una < SIZE + 1 || (i_fin_sent && !i_fin_acked)))

inline i_timeout()
{
    expires();
    i_tries++;
    if
    :: !i_confirmed && !i_racing ->
#ifdef NO_FALL_BACK
        i_tries = 0;
#else
        i_racing = 1;
#endif
        send_request()
    :: (i_confirmed || i_racing) && i_tries >= TRIES && !i_racing ->
        failed[inc] = !answered[inc]; /* the user timeout */
        i_closed(CLOSED)
    :: i_racing && i_tries >= TRIES /* the exchange goes on */
    :: i_tries < TRIES && (i_confirmed || i_racing) ->
        if
        :: i_una < SIZE + 1 -> send_request()
        :: else -> i_fin()
        fi
    fi
}

/* restart.c:may_restart: nothing is here, or an end that both applications have seen. */
#ifdef COMPLETE
#define I_MAY_BEGIN (i_state == CLOSED || i_state == TIME_WAIT)
#else
#define I_MAY_BEGIN (i_state != LOST) /* also one that was given up */
#endif

active proctype Initiator()
{
end:
    do
    :: atomic { i_requests > 0 && I_MAY_BEGIN -> restart_begin() }
    :: atomic { nempty(to_initiator) -> i_receive(); done() }
    :: atomic { i_state == OPEN && !i_fin_sent && i_next == ANSWER + 1 -> i_fin() }
#ifdef COMPLETE
    :: atomic { I_WAITS && i_tries < TRIES && EXPIRES -> i_timeout() }
    :: atomic { i_state == OPEN && i_racing -> exchange_wins() }
    :: atomic { i_state == TIME_WAIT && QUIET -> i_closed(CLOSED) }
    /* It waits for nothing but an answer, and the Responder is gone: the application gives up. */
    :: atomic { i_state == OPEN && i_confirmed && !I_WAITS && QUIET && !tcb ->
        failed[inc] = !answered[inc]; i_closed(CLOSED) }
#else
    :: atomic { i_state == OPEN && !i_confirmed -> exchange_wins() }
    :: atomic { i_state == OPEN && nempty(to_responder) ->
        receive(to_responder); turned(); i_reset_received(); done() }
#endif
    od
}

/* ---- the Responder ------------------------------------------------------------------------- */

mtype = { NONE, OLDER, KNOWN }; /* OLDER: of an exchange before this one (R3) */
mtype entry = NONE;
byte e_time;              /* TS Value of the last opening that was executed */
bit e_unproved;           /* or its answer was not acknowledged: refused */
byte losses = LOSSES;
byte tcbs = TCBS;
bit r_unproved;
byte r_time;              /* TS Value of the opening: it names the incarnation */
byte r_stamp;             /* TS Value of all that this TCB sends */
byte r_recent;            /* TS.Recent */
byte r_next;              /* RCV.NXT */
byte r_una, r_nxt;        /* SND.UNA, SND.NXT */
bit r_fin_taken;
byte r_tries;
byte r_inc;
byte stamps;              /* that were drawn */
bit executed[MANY];       /* for the assertions only, as is ... */
byte flights;             /* ... that left unproved, while nothing was lost */

inline r_send(f, q) { send(to_initiator, f, q, r_next, r_stamp, r_recent, 0, r_inc) }
inline r_fin() { r_nxt = ANSWER + 2; r_send(ACK | FIN, ANSWER + 1) }

inline r_answer()
{
    r_nxt = ANSWER + 1;
    r_send(ACK | DATA, 1);
#if ANSWER > 1
    r_send(ACK | DATA, 2)
#endif
}

inline tcb_clear()
{
    tcb = 0; r_unproved = 0; r_time = 0; r_stamp = 0; r_recent = 0; r_next = 0; r_una = 0;
    r_nxt = 0; r_fin_taken = 0; r_tries = 0; r_inc = 0
}

inline tcb_gone()
{
    tcb_clear();
    if
    :: entry != KNOWN -> flights = 0
    :: else
    fi
}

/* What is remembered gives way to others' (remember.c:remember_use). */
inline forget()
{
    losses--;
    entry = NONE; e_time = 0; e_unproved = 0;
    if
    :: !tcb -> flights = 0
    :: else
    fi
}

/* The whole request is here: one flight. */
inline answer()
{
    if
    :: r_unproved -> flights++; assert(flights == 1) /* (4) */
    :: else
    fi;
    r_answer()
}

/* 4.4, opening.c:open_paired, restart.c:restart_opened. The entry is written first. */
inline r_open()
{
    assert(secret_lives);                                   /* (2) */
#ifdef GUARD
    assert(!executed[s.inc]);                               /* (2) */
#endif
    assert(!executed[s.inc] || entry != KNOWN);             /* (2) */
    executed[s.inc] = 1;
    tcbs--;
#ifdef COMPLETE
    tcbs++;
#endif
    if
    :: entry == OLDER -> r_stamp = 0
    :: else ->
#ifdef SAME_TIMESTAMPS
        r_stamp = 0
#else
        stamps++; r_stamp = stamps
#endif
    fi;
    entry = KNOWN; e_time = s.time; e_unproved = 1;
    tcb = 1; r_unproved = 1; r_time = s.time; r_recent = s.time; r_inc = s.inc;
    r_next = 2; r_una = 1; r_nxt = 1; r_fin_taken = 0; r_tries = 0;
    if
    :: r_next == SIZE + 1 -> answer()
    :: else -> r_send(ACK, 1)
    fi
}

/* R2, R4, restart.c:restart_refuses; R8, listener.c:listener_admits. */
#ifdef OLD_OPENING_EXECUTED
#define IS_OLD false
#else
#define IS_OLD (entry == KNOWN && s.time <= e_time)
#endif
#ifdef UNPROVED_EXECUTED
#define IS_REFUSED false
#else
#define IS_REFUSED (entry == KNOWN && e_unproved)
#endif
#ifdef GUARD
#ifdef NO_FILTER
#define IS_ADMITTED true
#else
bit admitted;
#define IS_ADMITTED (!admitted)
#endif
#else
#define IS_ADMITTED true
#endif
#ifdef SECRET_KEPT
#define VERIFIES true
#else
#define VERIFIES secret_lives
#endif

inline r_without_tcb()
{
    if
    :: (s.flags & OPENING) && VERIFIES && !IS_OLD && !IS_REFUSED && IS_ADMITTED && tcbs > 0 ->
#if defined(GUARD) && !defined(NO_FILTER)
        admitted = 1;
#endif
        r_open()
    :: !(s.flags & OPENING) ->
        reset(to_initiator)
    :: else
    fi
}

/* R3, restart.c:restart_echo_fits: or all that was sent before the Responder was heard. */
#ifdef ANY_ECHO
#define R_FITS true
#else
#ifdef FIRST_FLIGHT_OF_ANY
#define R_FITS (s.echo == r_stamp || (s.echo == 0 && s.ack <= r_una))
#else
#define R_FITS \
    (s.echo == 0 && s.ack <= r_una -> s.time == r_time : s.echo == r_stamp)
#endif
#endif
/* input.c:needs_echo. */
#ifdef EMPTY_WITHOUT_ECHO
#define NEEDS_ECHO (s.ack > r_una || ((s.flags & (DATA | FIN)) && s.seq != 1))
#else
#define NEEDS_ECHO true
#endif

/* R4, restart.c:restart_proved. */
inline proved()
{
    r_unproved = 0;
    flights = 0;
    if
    :: entry == KNOWN -> e_unproved = 0
    :: else
    fi
}

/* restart.c:restart_remember. */
inline remember()
{
    entry = KNOWN; e_time = r_time; e_unproved = r_unproved
}

/* close.c:close_fin_received, close.c:fin_is_early. */
inline r_fin_received()
{
    if
    :: s.seq == SIZE + 1 && r_next == SIZE + 1 && s.ack > ANSWER && s.ack == r_una ->
        assert(s.inc == r_inc); /* (5) */
        r_fin_taken = 1;
        r_next++
    :: else
    fi;
    if
    :: r_fin_taken && r_nxt == ANSWER + 1 -> r_fin()
    :: r_fin_taken && r_nxt == ANSWER + 2 -> r_send(ACK, ANSWER + 2)
    :: else
    fi
}

/* input.c:input_segment. */
inline r_segment()
{
    if
    :: s.seq <= r_next && s.ack <= r_nxt -> r_recent = s.time
    :: else
    fi;
    if
    :: s.ack > r_una && s.ack <= r_nxt ->
        assert(s.inc == r_inc); /* (5) */
        r_una = s.ack;
        r_tries = 0;
        proved()
    :: else
    fi;
    if
    :: (s.flags & DATA) && s.seq == r_next && r_next <= SIZE ->
        assert(s.inc == r_inc); /* (5) */
        r_next++;
        answer()
    :: (s.flags & DATA) && s.seq < r_next -> r_send(ACK, r_nxt) /* a duplicate */
    :: s.flags & FIN -> r_fin_received()
    :: else
    fi;
    if
    :: r_fin_taken && r_una == ANSWER + 2 -> remember(); tcb_gone()
    :: else
    fi
}

inline r_reset_received()
{
    if
    :: s.seq == r_next && R_FITS ->
        assert(s.inc == r_inc); /* (5) */
        tcb_gone()
    :: else
    fi
}

/* R2, R4, restart.c:restart_meets. */
#ifdef OLD_OPENING_REPLACES
#define REPLACES (s.time != r_time)
#else
#define REPLACES (s.time > r_time)
#endif
#ifdef UNPROVED_REPLACED
#define MAY_REPLACE true
#else
#define MAY_REPLACE (!r_unproved || r_nxt == 1)
#endif

inline r_opening_again()
{
    if
    :: s.time == r_time -> r_segment()
#ifndef GUARD
    :: REPLACES && MAY_REPLACE ->
        assert(s.inc > r_inc); /* (6) */
        tcb_clear();
        r_without_tcb()
#endif
    :: else
    fi
}

/* arrival.c:arrival_take. */
inline r_receive()
{
    receive(to_responder);
    if
    :: s.flags == 0
    :: (s.flags & RST) && tcb -> r_reset_received()
    :: (s.flags & RST) && !tcb
    :: s.flags && !(s.flags & RST) ->
        if
        :: !tcb -> r_without_tcb()
        :: tcb && (s.flags & OPENING) -> r_opening_again()
        :: tcb && !(s.flags & OPENING) ->
            if
            :: (!NEEDS_ECHO || R_FITS) && s.time >= r_recent -> r_segment()
            :: else
            fi
        fi
    fi
}

/* recovery.c:recovery_timeout; R4, restart.c:restart_goes_on: nobody acknowledges. */
inline r_timeout()
{
    expires();
    r_tries++;
    if
    :: r_tries == TRIES -> tcb_gone() /* the entry says unproved, if nothing was acknowledged */
    :: else ->
        if
        :: r_una <= ANSWER && r_nxt > ANSWER -> r_answer()
        :: r_una == ANSWER + 1 && r_nxt == ANSWER + 2 -> r_fin()
        :: else /* FIN-WAIT-2, or the rest of the request has not come */
        fi
    fi
}

#ifdef COMPLETE
#define R_MAY_CLOSE QUIET
#else
#define R_MAY_CLOSE true
#endif
#define R_WAITS (tcb && (r_una < r_nxt || r_una == ANSWER + 2 || r_next <= SIZE))

active proctype Responder()
{
    if
    :: true
    :: entry = OLDER
    fi;
end:
    do
    :: atomic { nempty(to_responder) -> r_receive(); done() }
    :: atomic { tcb && r_nxt == ANSWER + 1 && R_MAY_CLOSE -> r_fin() }
#ifdef COMPLETE
    :: atomic { R_WAITS && EXPIRES -> r_timeout() }
#else
    :: atomic { tcb -> tcb_gone() } /* given up, by either timeout or the application */
    :: atomic { tcb && nempty(to_initiator) ->
        receive(to_initiator); turned(); r_reset_received(); done() }
#endif
    :: atomic { losses > 0 && entry != NONE -> forget() }
#ifdef SECRET_DIES
    :: atomic { secret_lives -> secret_lives = 0 }
#endif
    od
}

#ifdef COMPLETE
/* (3): when nothing more can happen. */
active proctype End()
{
    byte i = 1;
end:
    atomic {
        timeout ->
        assert((i_state == LOST || (i_state == CLOSED && i_requests == 0)) && !tcb); /* (3) */
        do
        :: i <= inc -> assert(answered[i] || failed[i]); i++ /* (3) */
        :: else -> break
        od
    }
}
#endif
