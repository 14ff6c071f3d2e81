/* exchange.pml - RFC 6013's exchange, reuse of a port pair, close and TIME-WAIT, for Spin.
 *
 * One Initiator and one Responder on one pair of ports. The Initiator makes REQUESTS transactions,
 * each in an incarnation of its own. The network is a set, and some segments are forged, and either
 * side may give up at any time; or with COMPLETE, it carries each segment once, and nobody gives up
 * early (network.pml).
 *
 * Checked are, numbered as in the assertions:
 *
 *   (1) No data of another incarnation reaches the Initiator's application.
 *   (2) The Responder executes a request again only for a duplicate of an <ACK(SYN)> that comes when
 *       it has no TCB, or that of an older incarnation; and within the life of the secret.
 *   (3) With COMPLETE, every execution ends, each transaction is complete then, and nobody has a TCB:
 *       no deadlock, and no cycle.
 *   (4) The Responder has no state before the proof, which is an <ACK(SYN)> with a pair that it made,
 *       and none when both FINs are through.
 *   (5) A FIN or a reset that is forged, or of another incarnation, has no effect.
 *
 * Numbers protect nothing here: in each incarnation they are the same, relative to ISS and IRS. The
 * request is 1, the Initiator's FIN 2. The answer is 1, with the pair (2.1), and 2, without; 3 is
 * the Responder's FIN. Timestamps do not advance within an incarnation, and often not from one to the
 * next. A step of the time is 2 MSL.
 *
 * check.sh checks this, and that for each macro that takes a rule away Spin finds the error.
 */
#ifndef REQUESTS
#define REQUESTS 2
#endif
#ifdef COMPLETE
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef ROTATIONS
#define ROTATIONS 0
#endif
#define LAST 250
#define COOKIES 250
#else
#define FAULTS 0
#ifndef ROTATIONS
#define ROTATIONS 0 /* of the Responder's secret */
#endif
#ifndef COOKIES
#define COOKIES 2 /* <SYN,ACK(SYN)>s that there can be */
#endif
#ifndef LAST
#define LAST 1 /* steps until time ends */
#endif
#endif
#define TRIES 4   /* of the Responder, until its user timeout; with COMPLETE, more than FAULTS */
#define TICKS 4   /* of the timestamp clock in 2 MSL; more than incarnations */
#define NET 20    /* segments that there can be in each direction */
#define MANY 5    /* more than there are incarnations */

#include "network.pml"

/* A cookie is what it is computed over (3.5.2, cookie.c:compute): secret, TS Value and the
 * Initiator-Cookie, which is new in each exchange (3.5.1); and the numbers, which verify() tests. */
#define PAIR(secret, time, exchange) ((secret) + (time) + (exchange) * 32)
#define PAIR_SECRET(pair) ((pair) & 3)
#define PAIR_TIME(pair) ((pair) & 28)
#define PAIR_EXCHANGE(pair) ((pair) >> 5)

/* ---- time, and the Responder's secrets (3.5.3) --------------------------------------------- */

byte now = TICKS;    /* the timestamp clock */
byte primary = 1;    /* the secret that makes cookies; the one before it is Secondary ... */
bit secondary_lives; /* ... for 2 MSL at most */
byte rotations = ROTATIONS;

#define IS_ALIVE(secret) ((secret) == primary || ((secret) + 1 == primary && secondary_lives))

/* secret.c:secrets_tick. Generating and Retiring last one round trip: here the newer secret is
 * Primary at once. */
inline rotate()
{
    rotations--;
    primary++;
    secondary_lives = 1
}

/* ---- the Initiator ------------------------------------------------------------------------- */

mtype = { CLOSED, SYN_SENT, OPEN, TIME_WAIT };
mtype i_state = CLOSED;
byte inc;              /* the incarnation now; 0 before the first */
byte i_requests = REQUESTS;
byte i_exchange;       /* Initiator-Cookie */
byte i_time;           /* TS Value of this incarnation */
byte i_pair, i_other;  /* i_other: of another <SYN,ACK(SYN)> of the same exchange (13) */
byte i_next;           /* RCV.NXT */
bit i_confirmed;       /* the Responder has shown that it has a TCB */
bit i_fin_sent, i_fin_acked, i_fin_taken;
bit i_wait;           /* of TIME-WAIT */
bit answered[MANY];

#define I_NXT (2 + i_fin_sent)

inline i_send(f, q, k, e, p) { send(to_responder, f, q, k, i_time, e, p, inc) }

inline send_syn() { i_send(SYN, 0, 0, 0, i_exchange) }

/* 4.3, header.c:make_opening: always with the numbers and the echo that the cookie was made for, and
 * with the same TS Value. */
inline send_opening() { i_send(ACK | DATA | OPENING, 1, 1, PAIR_TIME(i_pair), i_pair) }

inline i_ack(p) { i_send(ACK, I_NXT, i_next, PAIR_TIME(i_pair), p) }

/* 5: with the pair. */
inline i_fin()
{
    i_fin_sent = 1;
    i_send(ACK | FIN, 2, i_next, PAIR_TIME(i_pair), i_pair)
}

inline i_forget()
{
    i_pair = 0; i_other = 0; i_next = 0; i_wait = 0;
    i_confirmed = 0; i_fin_sent = 0; i_fin_acked = 0; i_fin_taken = 0
}

/* After it the TCB is gone, and its timestamp with it (5.1). */
inline i_closed()
{
    i_state = CLOSED;
    i_forget();
    i_time = 0
}

/* 5.1, 5.2, tcb.c:tcb_time_wait. */
inline to_time_wait()
{
#ifdef NO_TIME_WAIT
    i_closed()
#else
    i_state = TIME_WAIT;
    i_wait = 1
#endif
}

/* 4.1: with a TCB from before, the timestamp is incremented (TSoffset, 5.1). */
inline choose_time()
{
#ifdef TIME_NOT_INCREMENTED
    i_time = now
#else
    i_time = (i_time >= now -> i_time + 1 : now)
#endif
}

/* connect.c:tcpct_connect. What was there before is given up at once, not when the <SYN,ACK(SYN)>
 * comes (4.1). */
inline new_exchange()
{
    choose_time();
    i_forget();
    inc++;
    i_exchange = inc;
    i_state = SYN_SENT;
    send_syn()
}

/* 7, reply.c:copy_options: the Timestamps turned round, the pair as it is. A reset without a pair
 * has no effect, so none is sent. One in the network is enough: its cause is still there. */
inline reset(net)
{
    if
#ifndef COMPLETE
    :: net == to_responder /* whose TCB may be gone at any time anyway */
    :: net == to_initiator && s.pair ->
        if
        :: net ?? [RST, _, _, _, _, _, _] -> net ?? RST, _, _, _, _, _, _
        :: else
        fi;
        send(net, RST, s.ack, 0, s.echo, s.time, s.pair, s.inc)
#else
    :: s.pair && !(s.flags & RST) -> send(net, RST, s.ack, 0, s.echo, s.time, s.pair, s.inc)
#endif
    :: else
    fi
}

/* Whether the TS Echo Reply is of this incarnation (restart.c:restart_echo_fits). PAWS_ONLY is what RFC 7323 alone asks: a TS
 * Value no older than the last. */
#ifdef ANY_TIMESTAMP
#define I_ECHO_IS_OURS true
#else
#ifdef PAWS_ONLY
#define I_ECHO_IS_OURS (s.flags & SYN -> s.echo == i_time : s.time >= PAIR_TIME(i_pair))
#else
#define I_ECHO_IS_OURS (s.echo == i_time)
#endif
#endif

inline take_answer()
{
    assert(s.inc == inc); /* (1) */
    i_next++;
    answered[inc] = (i_next == 3)
}

/* 4.3, initiator.c:initiator_syn_sent; 6.3, initiator.c:take_syn_ack_data. */
inline i_syn_sent()
{
    if
    :: (s.flags & SYN) && I_ECHO_IS_OURS ->
        i_pair = s.pair;
        i_next = 1;
        if
        :: s.flags & DATA -> take_answer(); answered[inc] = 1; to_time_wait()
        :: else -> i_state = OPEN; send_opening()
        fi
    :: !(s.flags & SYN) -> reset(to_responder)
    :: else
    fi
}

/* 13: "each incoming <SYN,ACK(SYN)> replaces the Responder cookie"; both are kept until the
 * Responder is heard (initiator.c:initiator_syn_ack_again). */
inline i_syn_ack_again()
{
    if
    :: !i_confirmed && !(s.flags & DATA) && I_ECHO_IS_OURS && s.pair != i_pair ->
#ifdef REPLACED_AT_ONCE
        i_pair = s.pair
#else
        i_other = s.pair
#endif
    :: else
    fi
}

/* initiator.c:swap_pairs. */
inline swap_pairs()
{
    out.pair = i_pair;
    i_pair = i_other;
    i_other = out.pair
}

/* close.c:close_fin_received. */
inline i_fin_received()
{
    if
    :: i_next == 3 -> i_next++; i_fin_taken = 1; assert(s.inc == inc) /* (5) */
    :: else
    fi;
    if
    :: i_fin_taken && !i_fin_sent -> i_fin() /* 5.2: <FIN,ACK(FIN)> */
    :: else -> i_ack(i_pair)
    fi
}

/* input.c:input_segment. */
inline i_segment()
{
    i_confirmed = 1;
    if /* input.c:acknowledged */
    :: s.pair && s.ack == 3 && i_fin_sent -> i_fin_acked = 1
    :: else
    fi;
    if
    :: (s.flags & DATA) && s.seq == i_next ->
        take_answer();
        if
        :: i_next == 3 -> i_ack(0)
        :: else
        fi
    :: (s.flags & DATA) && i_next >= 3 && !i_fin_sent -> i_ack(0)
    :: (s.flags & FIN) && s.pair && i_next >= 3 -> i_fin_received()
    :: else
    fi;
    if
    :: i_fin_acked && i_fin_taken -> to_time_wait() /* close.c:finished */
    :: else
    fi
}

/* 5.2, 7, close.c:advisory_reset. */
inline i_reset_received()
{
    if
#ifdef ANY_RESET
    :: s.seq == i_next ->
#else
    :: s.seq == i_next && s.pair == i_pair && I_ECHO_IS_OURS ->
#endif
        assert(s.inc == inc); /* (5) */
        if
        :: i_fin_sent -> to_time_wait()
        :: else
        fi
    :: else
    fi
}

inline i_open()
{
    if /* initiator.c:initiator_took_other */
    :: s.pair && s.pair == i_other -> swap_pairs()
    :: else
    fi;
    if
    :: s.flags & RST -> i_reset_received()
    :: !(s.flags & RST) && (s.pair == 0 || s.pair == i_pair) && I_ECHO_IS_OURS -> i_segment()
    :: else /* 7: silently discarded */
    fi
}

/* input.c:time_wait. */
inline i_time_wait()
{
    if
    :: (s.pair == 0 || s.pair == i_pair) && (s.flags & (DATA | FIN)) && !(s.flags & SYN) &&
       I_ECHO_IS_OURS ->
        if
        :: s.flags & FIN -> i_wait = 1
        :: else
        fi;
        i_ack(i_pair)
    :: else
    fi
}

inline i_receive()
{
    receive(to_initiator);
    if
    :: s.flags == 0
    :: s.flags && i_state == CLOSED && !(s.flags & SYN) -> reset(to_responder)
    :: s.flags && i_state == CLOSED && (s.flags & SYN)
    :: s.flags && i_state == SYN_SENT -> i_syn_sent()
    :: s.flags && i_state == OPEN && (s.flags & SYN) -> i_syn_ack_again()
    :: s.flags && i_state == OPEN && !(s.flags & SYN) -> i_open()
    :: s.flags && i_state == TIME_WAIT -> i_time_wait()
    fi
}

#define I_WAITS_FOR_ANSWER \
    (i_state == SYN_SENT || (i_state == OPEN && (!i_confirmed || (i_fin_sent && !i_fin_acked))))

/* 4.1: the Initiator alone retransmits (initiator.c:initiator_timeout); 5.
 * initiator.c:initiator_try_other: with either pair in turn. */
inline i_timeout()
{
    expires();
    if
    :: i_state == SYN_SENT -> send_syn()
    :: i_state == OPEN && !i_confirmed ->
        if
        :: i_other -> swap_pairs()
        :: else
        fi;
        send_opening()
    :: i_state == OPEN && i_confirmed -> i_fin()
    fi
}

#ifdef COMPLETE
#define I_MAY_BEGIN (i_state == CLOSED || i_state == TIME_WAIT) /* 5.1, 5.2 */
#else
#define I_MAY_BEGIN true /* 4.1, 5: at any time */
#endif

active proctype Initiator()
{
end:
    do
    :: atomic { i_requests > 0 && I_MAY_BEGIN -> i_requests--; new_exchange() }
    :: atomic { nempty(to_initiator) -> i_receive(); done() }
    :: atomic { I_WAITS_FOR_ANSWER && EXPIRES -> i_timeout() }
    :: atomic { i_state == OPEN && !i_fin_sent && i_next == 3 -> i_fin() } /* 5.1 */
    :: atomic { i_state == TIME_WAIT && !i_wait -> i_closed() }
    od
}

/* ---- the Responder ------------------------------------------------------------------------- */

byte cookies = COOKIES;
bit tcb;
byte r_pair;
byte r_time; /* TS Value of the <ACK(SYN)>: it names the incarnation */
byte r_next; /* RCV.NXT */
byte r_una, r_nxt; /* SND.UNA, SND.NXT */
bit r_fin_taken;
byte r_tries;
byte r_inc;

inline r_send(f, q, p) { send(to_initiator, f, q, r_next, PAIR_TIME(r_pair), r_time, p, r_inc) }
inline r_answer_1() { r_send(ACK | DATA, 1, r_pair) } /* 4.4: with the pair */
inline r_answer_2() { r_send(ACK | DATA, 2, 0) }
inline r_fin() { r_nxt = 4; r_send(ACK | FIN, 3, r_pair) }

/* tcb.c:tcb_closed. */
inline tcb_gone()
{
    tcb = 0; r_pair = 0; r_time = 0; r_next = 0; r_una = 0; r_nxt = 0; r_fin_taken = 0;
    r_tries = 0; r_inc = 0
}

/* 3.5.2, opening.c:opening_verify: the cookie is made again from the segment and the secret. */
inline verify()
{
    verified = s.pair && (s.flags & (SYN | RST)) == 0;
#ifndef ANY_COOKIE
    verified = verified && s.echo == PAIR_TIME(s.pair);
#ifdef SECRET_KEPT
    verified = verified && PAIR_SECRET(s.pair);
#else
    verified = verified && IS_ALIVE(PAIR_SECRET(s.pair));
#endif
#ifndef COOKIE_WITHOUT_NUMBERS
    verified = verified && s.seq == 1 && s.ack == 1;
#endif
#endif
}

/* 4.2, 6.2, listen.c:listen_syn: nothing is kept. The checker chooses whether the request in the
 * <SYN> is answered. */
inline r_syn()
{
    if
    :: out.flags = SYN | ACK
#ifdef SYN_DATA
    :: out.flags = SYN | ACK | DATA
#endif
    fi;
#ifndef COMPLETE
    cookies--;
#endif
    send(to_initiator, out.flags, 0, 1, now, s.time, PAIR(primary, now, s.pair), s.inc);
#ifdef STATE_AT_SYN
    tcb = 1;
    assert(s.flags & OPENING); /* (4) */
#endif
}

/* 4.4, 6.4, opening.c:establish. */
inline r_open()
{
    assert((s.flags & OPENING) && s.inc);  /* (4) */
    assert(IS_ALIVE(PAIR_SECRET(s.pair))); /* (2) */
    assert(!tcb || s.inc > r_inc);         /* (2) */
    tcb = 1; r_pair = s.pair; r_time = s.time; r_next = 2; r_inc = s.inc;
    r_una = 1; r_nxt = 3; r_fin_taken = 0; r_tries = 0;
    r_answer_1();
    r_answer_2()
}

/* "Any existing TCB is updated as necessary" (4.4; arrival.c:foreign_pair): only by a later exchange,
 * of which the Responder's own timestamp tells, and where that has not advanced the Initiator's
 * (there foreign_pair does as EQUAL_ECHO_REPLACES: RFC6013-NOTES.md).
 * The same TS Value is the same <ACK(SYN)>, though perhaps with the cookie of another
 * <SYN,ACK(SYN)> (arrival.c:is_opening_again). */
#ifdef OLD_OPENING_REPLACES
#define IS_LATER (s.time != r_time)
#else
#ifdef SAME_OPENING_REPLACES
#define IS_LATER (s.time >= r_time && s.pair != r_pair)
#else
#ifdef EQUAL_ECHO_REPLACES
#define IS_LATER (s.time != r_time && s.echo >= PAIR_TIME(r_pair))
#else
#define IS_LATER \
    (s.time != r_time && \
     (s.echo > PAIR_TIME(r_pair) || (s.echo == PAIR_TIME(r_pair) && s.time > r_time)))
#endif
#endif
#endif

inline r_open_again()
{
    if
    :: IS_LATER -> r_open()
    :: else -> r_answer_1() /* a duplicate is answered */
    fi
}

/* close.c:close_proved. */
#ifdef ANY_FIN
#define R_PROVED true
#else
#define R_PROVED (s.pair == r_pair)
#endif

/* 5.1, 5.2, close.c:close_fin_received, close.c:fin_is_early: a FIN is ignored until all our data
 * is acknowledged; FINs may cross. */
inline r_fin_received()
{
    if
    :: s.seq == 2 && r_next == 2 && s.ack >= 3 && s.ack == r_una ->
        assert(s.inc == r_inc); /* (5) */
        r_fin_taken = 1;
        r_next = 3
    :: else
    fi;
    if
    :: r_fin_taken && r_nxt == 3 -> r_fin() /* <FIN,ACK(FIN)> */
    :: r_fin_taken && r_nxt == 4 -> r_send(ACK, 4, r_pair) /* <ACK(FIN)> */
    :: else
    fi
}

/* input.c:input_segment. */
inline r_segment()
{
    if
    :: s.time < r_time /* input.c:timestamp_is_old */
    :: else ->
        if /* input.c:acknowledged */
        :: s.ack > r_una && s.ack <= r_nxt && (s.ack < 4 || R_PROVED) -> r_una = s.ack; r_tries = 0
        :: else
        fi;
        if
        :: (s.flags & FIN) && R_PROVED -> r_fin_received()
        :: else
        fi;
        if
        :: r_fin_taken && r_una == 4 -> /* 5: the Responder keeps nothing */
#ifdef RESPONDER_WAITS
            skip
#else
            tcb_gone()
#endif
        :: else
        fi;
        assert(!(r_fin_taken && r_una == 4)) /* (4) */
    fi
}

inline r_without_tcb()
{
    if
    :: verified -> r_open()
    :: !verified && !(s.flags & OPENING) -> /* 7; an <ACK(SYN)> that fails is discarded: 4.4 */
#ifdef NO_RESET
        skip
#else
        reset(to_initiator)
#endif
    :: else
    fi
}

/* arrival.c:arrival_take. */
inline r_receive()
{
    receive(to_responder);
    verify();
    if
    :: s.flags == 0
    :: (s.flags & SYN) && cookies > 0 -> r_syn()
    :: (s.flags & SYN) && cookies == 0
    :: s.flags & RST ->
        if
        :: tcb && s.pair == r_pair && s.seq == r_next -> tcb_gone()
        :: else
        fi
    :: else ->
        if
        :: !tcb -> r_without_tcb()
        :: tcb && verified -> r_open_again()
        :: tcb && !verified && (s.pair == 0 || s.pair == r_pair) -> r_segment()
        :: else /* 7: silently discarded */
        fi
    fi
}

/* recovery.c:recovery_timeout. */
inline r_timeout()
{
    expires();
    if
    :: r_una == 1 -> r_answer_1(); r_answer_2()
    :: r_una == 3 -> r_fin()
    :: r_una == 4 /* FIN-WAIT-2 */
    fi
#ifdef COMPLETE
    ;
    r_tries++;
    if
    :: r_tries == TRIES -> tcb_gone() /* the user timeout */
    :: else
    fi
#endif
}

#ifdef COMPLETE
#define R_MAY_CLOSE QUIET
#else
#define R_MAY_CLOSE true
#endif
#define R_WAITS_FOR_ANSWER (tcb && (r_una < r_nxt || r_una == 4))

active proctype Responder()
{
end:
    do
    :: atomic { nempty(to_responder) -> r_receive(); done() }
    :: atomic { R_WAITS_FOR_ANSWER && EXPIRES -> r_timeout() }
    :: atomic { tcb && r_nxt == 3 && R_MAY_CLOSE -> r_fin() } /* 5.2: the application closes */
    :: atomic { rotations > 0 -> rotate() }
#ifndef COMPLETE
    :: atomic { tcb -> tcb_gone() } /* the user timeout */
#endif
    od
}

/* ---- time, and the end --------------------------------------------------------------------- */

inline advance()
{
    now = now + TICKS;
    i_wait = 0;
    secondary_lives = 0
}

#ifdef COMPLETE
/* Nothing is on its way any more. */
#define TIME_ADVANCES (i_wait && QUIET)
#else
#define TIME_ADVANCES (now < LAST * TICKS && (i_wait || secondary_lives))
#endif

active proctype Time()
{
#ifndef COMPLETE
    atomic { /* forged: an <ACK(SYN)>, a FIN and resets, of which only the pair is wrong */
        send(to_responder, ACK | DATA | OPENING, 1, 1, 0, 0, PAIR(0, 0, 1), 0);
        send(to_responder, ACK | FIN, 2, 3, 7, 7, 0, 0);
        send(to_initiator, RST | ACK, 3, 0, 7, 7, 0, 0)
    };
#endif
end:
    do
    :: atomic { TIME_ADVANCES -> advance() }
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
        assert(i_state == CLOSED && i_requests == 0 && !tcb); /* (3) */
        do
        :: i <= inc -> assert(answered[i]); i++ /* (3) */
        :: else -> break
        od
    }
}
#endif
