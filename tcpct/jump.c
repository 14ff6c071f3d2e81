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

static void enter_unvalidated(struct tcpct_connection *connection, uint64_t now_us)
{
    struct jump *jump = &connection->jump;
    jump->phase = JUMP_UNVALIDATED;
    jump->pipe = connection->flight.in_flight;
    jump->first = connection->snd_nxt;
    jump->entered_us = now_us;
    connection->congestion.cwnd = jump->window;
    trace_connection(connection, TCPCT_TRACE_CWND, "the remembered window", jump->window, now_us);
    connection->stack->counters.jumps++;
}

void jump_begin(struct tcpct_connection *connection, struct path_state *path, uint64_t now_us)
{
    struct jump *jump = &connection->jump;
    uint32_t window = aged_window(path, now_us);
    jump->taken = *path;
    path->window = 0;
    if (connection->window_policy == TCPCT_WINDOW_INITIAL)
        return;
    if (connection->window_policy == TCPCT_WINDOW_CAREFUL)
        window /= 2;
    if (window <= connection->congestion.cwnd)
        return;
    jump->window = window;
    if (connection->window_policy == TCPCT_WINDOW_CAREFUL) {
        jump->phase = JUMP_RECONNAISSANCE;
        jump->first = connection->snd_nxt + connection->congestion.cwnd;
        return;
    }
    connection->congestion.ssthresh = max_u32(jump->taken.ssthresh, window);
    connection->rtt.srtt_us = jump->taken.srtt_us;
    connection->rtt.rttvar_us = jump->taken.rttvar_us;
    rtt_restore(&connection->rtt);
    enter_unvalidated(connection, now_us);
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

bool jump_save(const struct tcpct_connection *connection, struct path_state *path, uint64_t now_us)
{
    const struct jump *jump = &connection->jump;
    const struct congestion *congestion = &connection->congestion;
    const struct rtt *rtt = &connection->rtt;
    uint32_t window = (uint32_t)min_u64(congestion->cwnd, 2ull * connection->meter.most);
    if (jump->phase == JUMP_RETREAT || rtt->min_us == 0)
        return false;
    bool less_was_sent = !jump->congested && window < aged_window(&jump->taken, now_us);
    *path = (struct path_state){
        .window = window,
        .ssthresh = congestion->ssthresh,
        .srtt_us = (uint32_t)min_u64(rtt->srtt_us, UINT32_MAX),
        .rttvar_us = (uint32_t)min_u64(rtt->rttvar_us, UINT32_MAX),
        .min_rtt_us = (uint32_t)min_u64(rtt->min_us, UINT32_MAX),
        .rate = max_u32(connection->meter.rate, jump->congested ? 0 : jump->taken.rate),
        .taken_s = seconds(now_us),
    };
    if (less_was_sent) { /* which says nothing against what was known */
        path->window = jump->taken.window;
        path->taken_s = jump->taken.taken_s;
    }
    return true;
}

/* ---- the phases ------------------------------------------------------------------------------ */

static void reconnoitre(struct tcpct_connection *connection, uint64_t now_us)
{
    struct jump *jump = &connection->jump;
    uint64_t rtt_us = connection->rtt.min_us, saved_us = jump->taken.min_rtt_us;
    if (seq_lt(connection->snd_una, jump->first) && connection->flight.count)
        return; /* not yet all of the initial data */
    jump->phase = JUMP_OVER;
    if (rtt_us > saved_us / 2 && rtt_us <= RTT_TIMES_CAREFUL * saved_us &&
        connection->congestion.cwnd < jump->window)
        enter_unvalidated(connection, now_us);
}

static void retreat(struct tcpct_connection *connection)
{
    struct jump *jump = &connection->jump;
    struct congestion *congestion = &connection->congestion;
    uint32_t out = connection->snd_nxt - connection->snd_una;
    bool careful = connection->window_policy == TCPCT_WINDOW_CAREFUL;
    if (jump->phase == JUMP_UNVALIDATED)
        jump->last = connection->snd_nxt;
    jump->phase = JUMP_RETREAT;
    jump->congested = true;
    jump->window = max_u32((careful ? jump->pipe : out) / 2, 2 * congestion->mss);
    congestion->ssthresh = min_u32(congestion->ssthresh, jump->window);
    congestion->cwnd = min_u32(congestion->cwnd, jump->window);
    connection->stack->counters.jumps_retreated++;
}

/* Whether the first samples fit what was remembered. A careful sender has seen that already. */
static bool rtt_fits(const struct tcpct_connection *connection, uint64_t rtt_us)
{
    uint64_t saved_us = connection->jump.taken.min_rtt_us;
    if (rtt_us == 0 || saved_us == 0)
        return true;
    return 2 * rtt_us >= saved_us && (connection->window_policy == TCPCT_WINDOW_CAREFUL ||
                                      rtt_us <= RTT_TIMES_REMEMBERED * saved_us);
}

static void leave_unvalidated(struct tcpct_connection *connection)
{
    struct jump *jump = &connection->jump;
    struct congestion *congestion = &connection->congestion;
    uint32_t flight = connection->flight.in_flight;
    jump->last = connection->snd_nxt;
    jump->phase = JUMP_VALIDATING;
    if (connection->window_policy != TCPCT_WINDOW_CAREFUL)
        return;
    if (flight <= jump->pipe) { /* the jump was not used */
        congestion->cwnd = max_u32(jump->pipe, congestion_initial(congestion->mss));
        jump->phase = JUMP_OVER;
    } else {
        congestion->cwnd = max_u32(flight, congestion_initial(congestion->mss));
    }
}

void jump_acknowledged(struct tcpct_connection *connection, uint32_t bytes, uint64_t rtt_us,
                       uint64_t now_us)
{
    struct jump *jump = &connection->jump;
    struct congestion *congestion = &connection->congestion;
    measure(connection, now_us);
    jump->pipe += bytes;
    if (jump->phase == JUMP_RECONNAISSANCE)
        reconnoitre(connection, now_us);
    else if (jump->phase == JUMP_UNVALIDATED && !rtt_fits(connection, rtt_us))
        retreat(connection);
    else if (jump->phase == JUMP_UNVALIDATED &&
             (seq_lt(jump->first, connection->snd_una) ||
              connection->flight.in_flight + congestion->mss > congestion->cwnd ||
              now_us - jump->entered_us > connection->rtt.srtt_us))
        leave_unvalidated(connection);
    if (jump->phase == JUMP_VALIDATING && seq_leq(jump->last, connection->snd_una))
        jump->phase = JUMP_OVER;
    if (jump->phase == JUMP_RETREAT && seq_leq(jump->last, connection->snd_una)) {
        congestion->ssthresh = max_u32(jump->pipe / 2, 2 * congestion->mss);
        jump->phase = JUMP_OVER;
    }
}

bool jump_holds(const struct tcpct_connection *connection)
{
    return connection->jump.phase == JUMP_UNVALIDATED || connection->jump.phase == JUMP_RETREAT;
}

void jump_congested(struct tcpct_connection *connection)
{
    struct jump *jump = &connection->jump;
    if (jump->phase == JUMP_UNVALIDATED || jump->phase == JUMP_VALIDATING)
        retreat(connection);
    else if (jump->phase == JUMP_RECONNAISSANCE)
        jump->phase = JUMP_OVER;
    jump->congested = true;
}

uint32_t jump_limit(const struct tcpct_connection *connection)
{
    return connection->jump.phase == JUMP_RETREAT ? connection->jump.window : UINT32_MAX;
}

void jump_timed_out(struct tcpct_connection *connection)
{
    connection->jump.phase = JUMP_OVER;
    connection->jump.congested = true;
}
