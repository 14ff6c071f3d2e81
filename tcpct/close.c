#include "close.h"

#include <string.h>

#include "initiator.h"
#include "output.h"
#include "restart.h"
#include "seq.h"
#include "timer.h"
#include "timestamps.h"

enum { CHALLENGES_MAX = 1000 }; /* a second; not so few that they could be counted (7) */

bool close_may_challenge(struct tcpct_stack *stack, uint64_t now_us)
{
    if (now_us - stack->challenge_us >= SECOND_US) {
        stack->challenge_us = now_us;
        stack->challenges = stack_random(stack) % (CHALLENGES_MAX / 2);
    }
    if (stack->challenges >= CHALLENGES_MAX) {
        stack->counters.challenges_withheld++;
        return false;
    }
    stack->challenges++;
    return true;
}

void close_challenge(struct tcpct_connection *connection, uint64_t now_us)
{
    if (!close_may_challenge(connection->stack, now_us))
        return;
    connection->ack_now = true;
    tcb_output(connection);
}

bool close_paired(const struct tcpct_connection *connection, const struct segment *segment)
{
    const struct tcp_options *options = &segment->options;
    const struct cookie_pair *pair = &connection->pair;
    return pair->size && (options->present & OPTION_COOKIE_PAIR) &&
           options->cookie_size == pair->size &&
           mac_equal(options->initiator_cookie, pair->initiator, pair->size) &&
           mac_equal(options->responder_cookie, pair->responder, pair->size);
}

bool close_proved(const struct tcpct_connection *connection, const struct segment *segment,
                  uint64_t now_us)
{
    return close_paired(connection, segment) && restart_echo_fits(connection, segment, now_us) &&
           timestamps_fit(connection, &segment->options, now_us);
}

bool close_is_ghost(const struct tcpct_connection *connection, const struct segment *segment)
{
    const uint8_t flags = SEGMENT_SYN | SEGMENT_RST | SEGMENT_ACK;
    uint32_t end = segment->seq + segment_length(segment);
    return connection->state == TCPCT_TIME_WAIT && connection->initiator &&
           (segment->flags & flags) == SEGMENT_ACK && close_paired(connection, segment) &&
           (segment->ack != connection->snd_nxt || seq_lt(connection->rcv_nxt, end));
}

static bool only_initiator_waits(const struct tcpct_connection *connection)
{
    return connection->pair.size && !connection->initiator;
}

/* Both FINs are through. */
static void finished(struct tcpct_connection *connection, uint64_t now_us)
{
    restart_remember(connection, now_us);
    if (only_initiator_waits(connection))
        tcb_closed(connection, TCPCT_OK, now_us);
    else
        tcb_time_wait(connection, now_us);
}

/* With cookies: ignored until all that we sent or hold is acknowledged (5.1, 5.2), but the
 * application need not wait for that to see the end. */
static bool fin_is_early(const struct tcpct_connection *connection, const struct segment *segment)
{
    uint32_t end = connection->data_seq + connection->send.used + connection->fin_sent;
    bool crossing = connection->fin_sent && !connection->fin_acknowledged; /* RFC 9293, Figure 13 */
    return connection->pair.size && segment->ack != end && !(crossing && segment->ack == end - 1);
}

bool close_fin_received(struct tcpct_connection *connection, const struct segment *segment,
                        struct tcpct_packet *reply, uint64_t now_us)
{
    connection->ack_now = true; /* a FIN ends a delayed acknowledgment (5) */
    tcb_output(connection);
    if (connection->pair.size && !close_proved(connection, segment, now_us))
        return true;
    if (!connection->end_seen)
        tcb_event(connection, TCPCT_EVENT_READABLE);
    connection->end_seen = true;
    if (fin_is_early(connection, segment))
        return true;
    connection->rcv_nxt++;
    connection->fin_received = true;
    switch (connection->state) {
    case TCPCT_ESTABLISHED:
        tcb_state(connection, TCPCT_CLOSE_WAIT, now_us);
        return true;
    case TCPCT_FIN_WAIT_1: /* our FIN is not acknowledged, or we were in FIN-WAIT-2 */
        tcb_state(connection, TCPCT_CLOSING, now_us);
        restart_remember(connection, now_us);
        return true;
    case TCPCT_FIN_WAIT_2:
        if (only_initiator_waits(connection)) { /* the final <ACK(FIN)>, then nothing is kept */
            output_last_ack(connection, reply, now_us);
            restart_remember(connection, now_us);
            tcb_closed(connection, TCPCT_OK, now_us);
            return false;
        }
        restart_remember(connection, now_us);
        tcb_time_wait(connection, now_us);
        return true;
    default:
        return true;
    }
}

bool close_fin_acknowledged(struct tcpct_connection *connection, uint64_t now_us)
{
    connection->fin_acknowledged = true;
    switch (connection->state) {
    case TCPCT_FIN_WAIT_1:
        tcb_state(connection, TCPCT_FIN_WAIT_2, now_us);
        if (!connection->held)
            timer_set(connection, TIMER_TIME_WAIT, now_us + FIN_WAIT_2_US);
        return true;
    case TCPCT_CLOSING:
        finished(connection, now_us);
        return false;
    case TCPCT_LAST_ACK:
        restart_remember(connection, now_us);
        if (connection->pair.size && connection->initiator) /* 5.2 */
            tcb_time_wait(connection, now_us);
        else
            tcb_closed(connection, TCPCT_OK, now_us);
        return false;
    default:
        return true;
    }
}

/* Until the Responder is heard, a reset may answer a segment that overtook the opening; then it has
 * no ACK (RFC 9293, 3.10.7.1), while one that ends a connection has. */
static bool had_state(const struct tcpct_connection *connection, const struct segment *segment)
{
    return connection->confirmed || !connection->initiator || segment->flags & SEGMENT_ACK;
}

/* 7: advisory. Only one that has the pair, echoes what this incarnation sent and is at RCV.NXT says
 * that the peer has no state. */
static enum tcpct_verdict advisory_reset(struct tcpct_connection *connection,
                                         const struct segment *segment, uint64_t now_us)
{
    if (!close_proved(connection, segment, now_us) || segment->seq != connection->rcv_nxt ||
        !had_state(connection, segment)) {
        connection->stack->counters.resets_ignored++;
        return TCPCT_UNACCEPTABLE;
    }
    bool orderly = connection->fin_sent && (connection->end_seen || !connection->held);
    if (orderly && connection->initiator)
        tcb_time_wait(connection, now_us);
    else
        tcb_closed(connection, orderly ? TCPCT_OK : TCPCT_ERROR_RESET, now_us);
    return TCPCT_ACCEPTED;
}

enum tcpct_verdict close_reset_received(struct tcpct_connection *connection,
                                        const struct segment *segment, uint64_t now_us)
{
    if (connection->pair.size)
        return advisory_reset(connection, segment, now_us);
    if (segment->seq != connection->rcv_nxt) { /* RFC 5961, 3.2 */
        close_challenge(connection, now_us);
        return TCPCT_UNACCEPTABLE;
    }
    if (connection->state == TCPCT_SYN_RECEIVED) {
        int error = connection->held ? TCPCT_ERROR_RESET : TCPCT_OK; /* held: Fast Open */
        tcb_closed(connection, connection->initiator ? TCPCT_ERROR_REFUSED : error, now_us);
        return TCPCT_ACCEPTED;
    }
    bool orderly = connection->state == TCPCT_TIME_WAIT || connection->state == TCPCT_CLOSING ||
                   connection->state == TCPCT_LAST_ACK;
    tcb_closed(connection, orderly ? TCPCT_OK : TCPCT_ERROR_RESET, now_us);
    return TCPCT_ACCEPTED;
}
