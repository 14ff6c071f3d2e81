#include "jump.h"

#include "seq.h"

/* How long a window is good for (a Lifetime, RFC 9959, 3): whole, and half of it. */
static const uint32_t WHOLE_S = 60, HALF_S = 300;
enum {
    RATE_SEGMENTS = 8, /* of a flight whose acknowledgments tell the rate of the bottleneck */
    RTT_TIMES_REMEMBERED = 2,
    RTT_TIMES_CAREFUL = 10, /* RFC 9959, 4.2 */
};

static uint32_t seconds(uint64_t now_us)
{
    return (uint32_t)(now_us / SECOND_US);
}

static uint32_t aged_window(const struct path_state *path, uint64_t now_us)
{
    uint32_t age_s = seconds(now_us) - path->taken_s;
    if (age_s > HALF_S)
        return 0;
    return age_s > WHOLE_S ? path->window / 2 : path->window;
}

static void enter(struct tcpct_connection *connection, enum jump_phase phase, const char *note,
                  uint64_t now_us)
{
    connection->jump.phase = phase;
    trace_connection(connection, TCPCT_TRACE_JUMP, note, connection->congestion.cwnd, now_us);
}

/* Whether an RTT fits what was remembered. More than twice is no sign if a single segment was out:
 * its acknowledgment may have been delayed. */
static bool rtt_fits(const struct tcpct_connection *connection, uint64_t rtt_us)
{
    uint64_t saved_us = connection->jump.taken.min_rtt_us;
    bool careful = connection->window_policy == TCPCT_WINDOW_CAREFUL;
    uint32_t sent = connection->snd_nxt - connection->jump.first;
    bool single = sent && sent <= connection->mss;
    if (rtt_us == 0 || saved_us == 0)
        return true;
    if (careful)
        return rtt_us > saved_us / 2 && rtt_us <= RTT_TIMES_CAREFUL * saved_us;
    return 2 * rtt_us >= saved_us && (single || rtt_us <= RTT_TIMES_REMEMBERED * saved_us);
}

static void enter_unvalidated(struct tcpct_connection *connection, uint64_t now_us)
{
    struct jump *jump = &connection->jump;
    jump->pipe = connection->flight.in_flight;
    jump->first = connection->snd_nxt;
    jump->entered_us = now_us;
    connection->congestion.cwnd = jump->window;
    enter(connection, JUMP_UNVALIDATED, "unvalidated: the remembered window", now_us);
    connection->stack->counters.jumps++;
}

/* The whole window at once; what was known of the RTT stands for what is not yet seen. */
static void begin_whole(struct tcpct_connection *connection, uint64_t now_us)
{
    struct jump *jump = &connection->jump;
    struct rtt *rtt = &connection->rtt;
    jump->first = connection->snd_nxt;
    if (!rtt_fits(connection, rtt->min_us))
        return;
    if (rtt->srtt_us == 0 && jump->taken.srtt_us) {
        rtt->srtt_us = jump->taken.srtt_us;
        rtt->rttvar_us = jump->taken.rttvar_us;
        rtt_restore(rtt);
    }
    if (jump->window <= connection->congestion.cwnd)
        return;
    connection->congestion.ssthresh = max_u32(jump->taken.ssthresh, jump->window);
    enter_unvalidated(connection, now_us);
}

void jump_begin(struct tcpct_connection *connection, struct path_state *path, uint64_t now_us)
{
    struct jump *jump = &connection->jump;
    bool careful = connection->window_policy == TCPCT_WINDOW_CAREFUL;
    uint32_t window = aged_window(path, now_us);
    jump->taken = *path;
    path->window = 0;
    if (connection->window_policy == TCPCT_WINDOW_INITIAL)
        return;
    jump->window = careful && window ? jump->taken.window / 2 : window;
    if (!careful) {
        begin_whole(connection, now_us);
    } else if (jump->window > connection->congestion.cwnd) {
        jump->first = connection->snd_nxt + connection->congestion.cwnd;
        enter(connection, JUMP_RECONNAISSANCE, "reconnaissance", now_us);
    }
}

/* ---- what the path can carry ----------------------------------------------------------------- */

/* A round is what was out when it began. Its acknowledgments tell how much the path held, and, from
 * the first to the last of them, how fast its bottleneck let it through. */
static void measure(struct tcpct_connection *connection, uint64_t now_us)
{
    struct meter *meter = &connection->meter;
    uint32_t una = connection->snd_una;
    if (!meter->running)
        meter->end = connection->snd_nxt;
    meter->running = true;
    if (seq_lt(una, meter->end)) {
        if (meter->first_us == 0) {
            meter->first = una;
            meter->first_us = now_us;
        }
        return;
    }
    uint64_t spacing_us = meter->first_us ? now_us - meter->first_us : 0;
    meter->most = max_u32(meter->most, una - meter->from);
    if (una - meter->from >= RATE_SEGMENTS * (uint32_t)connection->mss && spacing_us) {
        uint64_t rate = (uint64_t)(una - meter->first) * MILLISECOND_US / spacing_us;
        meter->rate = max_u32(meter->rate, (uint32_t)min_u64(rate, UINT32_MAX));
    }
    meter->from = una;
    meter->end = connection->snd_nxt;
    meter->running = meter->end != una;
    meter->first_us = 0;
}

/* What one round carried is what RFC 9959 calls the saved window (3.1); as much again would have gone
 * while that was acknowledged, which `remembered` takes for its window. */
static uint32_t seen_window(const struct tcpct_connection *connection)
{
    uint64_t rounds = connection->window_policy == TCPCT_WINDOW_CAREFUL ? 1 : 2;
    return (uint32_t)min_u64(connection->congestion.cwnd, rounds * connection->meter.most);
}

bool jump_save(const struct tcpct_connection *connection, struct path_state *path, uint64_t now_us)
{
    const struct jump *jump = &connection->jump;
    const struct rtt *rtt = &connection->rtt;
    const struct path_state *taken = &jump->taken;
    if (!jump->congested && aged_window(path, now_us) < aged_window(taken, now_us))
        *path = *taken;
    if (rtt->min_us == 0) /* nothing was acknowledged */
        return path->window > 0 && path->window == taken->window;
    struct path_state seen = {
        .window = jump->phase == JUMP_RETREAT ? 0 : seen_window(connection),
        .ssthresh = connection->congestion.ssthresh,
        .srtt_us = (uint32_t)min_u64(rtt->srtt_us, UINT32_MAX),
        .rttvar_us = (uint32_t)min_u64(rtt->rttvar_us, UINT32_MAX),
        .min_rtt_us = (uint32_t)min_u64(rtt->min_us, UINT32_MAX),
        .rate = max_u32(connection->meter.rate, jump->congested ? 0 : path->rate),
        .taken_s = seconds(now_us),
    };
    if (!jump->congested && seen.window < aged_window(path, now_us)) {
        seen.window = path->window; /* less was sent, which says nothing against it */
        seen.ssthresh = path->ssthresh;
        seen.taken_s = path->taken_s;
    }
    *path = seen;
    return true;
}

/* ---- the phases ------------------------------------------------------------------------------ */

/* Whether there is more to send than the window allows. */
static bool window_limits(const struct tcpct_connection *connection)
{
    uint32_t unsent = connection->data_seq + connection->send.used - connection->snd_nxt;
    uint32_t out = connection->flight.in_flight + (connection->fin_sent ? 0 : unsent);
    return out > connection->congestion.cwnd;
}

/* 3.2: all of the initial data is acknowledged. The jump waits for something to send. */
static void reconnoitre(struct tcpct_connection *connection, uint64_t now_us)
{
    struct jump *jump = &connection->jump;
    if (seq_lt(connection->snd_una, jump->first) && connection->flight.count)
        return;
    if (connection->congestion.cwnd >= jump->window) {
        enter(connection, JUMP_OVER, "over: the window has grown as large", now_us);
        connection->stack->counters.jumps_unused++;
    } else if (!rtt_fits(connection, connection->rtt.min_us)) {
        enter(connection, JUMP_OVER, "over: the RTT is another", now_us);
    } else if (window_limits(connection)) {
        enter_unvalidated(connection, now_us);
    }
}

/* What was measured of the path when it was overloaded says nothing (4.5). */
static void forget_measurements(struct tcpct_connection *connection)
{
    connection->meter.most = connection->meter.rate = 0;
    connection->jump.congested = true;
}

/* 3.5 */
static void retreat(struct tcpct_connection *connection, uint64_t now_us)
{
    struct jump *jump = &connection->jump;
    struct congestion *congestion = &connection->congestion;
    uint32_t out = connection->snd_nxt - connection->snd_una;
    bool careful = connection->window_policy == TCPCT_WINDOW_CAREFUL;
    if (jump->phase == JUMP_UNVALIDATED)
        jump->last = connection->snd_nxt;
    forget_measurements(connection);
    jump->window = max_u32((careful ? jump->pipe : out) / 2, 2 * congestion->mss);
    congestion->ssthresh = min_u32(congestion->ssthresh, jump->window);
    congestion->cwnd = min_u32(congestion->cwnd, jump->window);
    enter(connection, JUMP_RETREAT, "safe retreat", now_us);
    connection->stack->counters.jumps_retreated++;
}

/* 3.3, "Check flight_size": what was not used of the window goes. `remembered` keeps it: what it has
 * to send comes at once, or a round trip later. */
static void leave_unvalidated(struct tcpct_connection *connection, uint64_t now_us)
{
    struct jump *jump = &connection->jump;
    struct congestion *congestion = &connection->congestion;
    uint32_t flight = connection->flight.in_flight, initial = congestion_initial(congestion->mss);
    jump->last = connection->snd_nxt;
    if (connection->window_policy == TCPCT_WINDOW_CAREFUL) {
        bool unused = flight < initial || flight <= jump->pipe;
        congestion->cwnd = max_u32(unused ? jump->pipe : flight, initial);
        if (unused) {
            enter(connection, JUMP_OVER, "over: it was not used", now_us);
            connection->stack->counters.jumps_unused++;
            return;
        }
    }
    enter(connection, JUMP_VALIDATING, "validating", now_us);
}

static void leave_retreat(struct tcpct_connection *connection, uint64_t now_us)
{
    struct congestion *congestion = &connection->congestion;
    congestion->ssthresh = max_u32(connection->jump.pipe / 2, 2 * congestion->mss);
    enter(connection, JUMP_OVER, "over: retreated", now_us);
}

void jump_acknowledged(struct tcpct_connection *connection, uint32_t bytes, uint64_t rtt_us,
                       uint64_t now_us)
{
    struct jump *jump = &connection->jump;
    measure(connection, now_us);
    if (jump->phase == JUMP_OVER)
        return;
    jump->pipe += bytes;
    if (jump->phase == JUMP_RECONNAISSANCE) {
        reconnoitre(connection, now_us);
    } else if (jump->phase == JUMP_UNVALIDATED) {
        bool full = connection->flight.in_flight + connection->mss > connection->congestion.cwnd;
        bool late = now_us - jump->entered_us > connection->rtt.srtt_us;
        if (!rtt_fits(connection, rtt_us))
            retreat(connection, now_us);
        else if (seq_lt(jump->first, connection->snd_una) || full || late)
            leave_unvalidated(connection, now_us);
    }
    bool all = seq_leq(jump->last, connection->snd_una);
    if (jump->phase == JUMP_VALIDATING && all) {
        enter(connection, JUMP_OVER, "over: validated", now_us);
        connection->stack->counters.jumps_validated++;
    } else if (jump->phase == JUMP_RETREAT && all) {
        leave_retreat(connection, now_us);
    }
}

bool jump_holds(const struct tcpct_connection *connection)
{
    return connection->jump.phase == JUMP_UNVALIDATED || connection->jump.phase == JUMP_RETREAT;
}

void jump_congested(struct tcpct_connection *connection, uint64_t now_us)
{
    struct jump *jump = &connection->jump;
    if (jump->phase == JUMP_UNVALIDATED || jump->phase == JUMP_VALIDATING)
        retreat(connection, now_us);
    else if (jump->phase == JUMP_RECONNAISSANCE)
        enter(connection, JUMP_OVER, "over: congestion", now_us);
    jump->congested = true;
}

uint32_t jump_limit(const struct tcpct_connection *connection)
{
    return connection->jump.phase == JUMP_RETREAT ? connection->jump.window : UINT32_MAX;
}

void jump_timed_out(struct tcpct_connection *connection, uint64_t now_us)
{
    if (connection->jump.phase != JUMP_OVER) {
        forget_measurements(connection);
        enter(connection, JUMP_OVER, "over: timeout", now_us);
    }
    connection->jump.congested = true;
}
