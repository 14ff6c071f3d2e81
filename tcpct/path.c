#include "path.h"

#include "flight.h"
#include "recovery.h"
#include "seq.h"

enum {
    PMTU_MIN_V4 = 552, /* what is believed of a router; RFC 1191, 3 allows 68, which invites harm */
    PMTU_MIN_V6 = 1280,      /* RFC 8200, 5 */
    PMTU_SAFE_V4 = 1024,     /* RFC 4821, 7.2 */
    BLACK_HOLE_TIMEOUTS = 3, /* R1 of RFC 1122, 4.2.3.5 */
    SEARCH_STEP = 32,        /* what is not worth a probe */
    PROBE_FOLLOWERS = 3,     /* segments behind a probe, by which its loss shows (RFC 4821, 7.4) */
};
static const uint64_t PMTU_LIFE_US = 600ull * SECOND_US;

/* RFC 1191, 7.1: the sizes that links have. */
static const uint16_t plateaus[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1280, 1006, 552 };

static uint32_t plateau_below(uint32_t mtu)
{
    for (unsigned i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
        if (plateaus[i] < mtu)
            return plateaus[i];
    return 0;
}

static uint32_t headers_of(const struct tcpct_connection *connection)
{
    return (uint32_t)ip_header_size(&connection->endpoints.remote) + TCP_HEADER_SIZE;
}

/* The entry of the peer, or that which is forgotten first. */
static struct path_known *known(struct tcpct_connection *connection)
{
    struct path_known *paths = connection->stack->paths, *first = paths;
    for (unsigned i = 0; i < PATHS_MAX; i++) {
        if (ip_address_equal(&paths[i].remote, &connection->endpoints.remote))
            return &paths[i];
        if (paths[i].until_us < first->until_us)
            first = &paths[i];
    }
    return first;
}

/* RFC 8201, 5.2: what one connection has found, others to that host need not. */
static void share(struct tcpct_connection *connection)
{
    const struct path *path = &connection->path;
    *known(connection) = (struct path_known){ .remote = connection->endpoints.remote,
                                              .mtu = path->mtu,
                                              .too_large = path->too_large,
                                              .until_us = path->until_us };
    connection->stack->paths_known = true;
}

/* 5.3: for ten minutes; then the first to come tries what the device carries. */
static void begin(struct tcpct_connection *connection, uint64_t now_us)
{
    struct path *path = &connection->path;
    path->begun = true;
    if (!connection->stack->paths_known)
        return;
    const struct path_known *found = known(connection);
    if (now_us >= found->until_us ||
        !ip_address_equal(&found->remote, &connection->endpoints.remote))
        return;
    path->mtu = found->mtu;
    path->too_large = found->too_large;
    path->until_us = found->until_us;
}

uint32_t path_mtu(struct tcpct_connection *connection, uint64_t now_us)
{
    uint32_t device = connection->stack->config.mtu;
    struct path *path = &connection->path;
    if (!path->begun)
        begin(connection, now_us);
    if (path->mtu && path->until_us <= now_us) {
        if (path->too_large) /* which nobody would tell: it is searched for, not tried */
            path->too_large = (uint16_t)(device + 1);
        else
            path->mtu = 0;
        path->until_us = now_us + PMTU_LIFE_US;
    }
    return path->mtu ? path->mtu : device;
}

/* Repairs without a reduction. */
static void repair(struct tcpct_connection *connection)
{
    if (connection->flight.lost && connection->recovery.phase == RECOVERY_OPEN) {
        connection->recovery.phase = RECOVERY_RTO;
        connection->recovery.point = connection->snd_nxt;
    }
}

/* Everything larger than the path takes is as good as lost. */
static void send_again(struct tcpct_connection *connection)
{
    struct flight *flight = &connection->flight;
    for (uint32_t i = 0; i < flight->count; i++) {
        const struct sent *sent = flight_at(flight, i);
        if (!(sent->flags & (SENT_SACKED | SENT_LOST)) &&
            sent->end - sent->seq + headers_of(connection) > connection->path.mtu)
            flight_mark_lost(flight, i);
    }
    repair(connection);
    tcb_output(connection);
}

static bool lower(struct tcpct_connection *connection, uint32_t mtu, uint64_t now_us)
{
    uint32_t least = connection->endpoints.remote.family == 4 ? PMTU_MIN_V4 : PMTU_MIN_V6;
    mtu = max_u32(mtu, least);
    if (mtu >= path_mtu(connection, now_us))
        return false;
    connection->path = (struct path){ .mtu = (uint16_t)mtu,
                                      .until_us = now_us + PMTU_LIFE_US,
                                      .begun = true,
                                      .news = true,
                                      .news_after = connection->snd_una };
    trace_connection(connection, TCPCT_TRACE_PATH_MTU, "", mtu, now_us);
    send_again(connection);
    return true;
}

void path_too_big(struct tcpct_connection *connection, uint32_t mtu, uint64_t now_us)
{
    if (connection->endpoints.remote.family == 6 && mtu < PMTU_MIN_V6)
        return; /* RFC 8201, 4 */
    lower(connection, mtu ? mtu : plateau_below(path_mtu(connection, now_us)), now_us);
}

/* As many round trips as the window has segments: probes are lost less often than others (RFC 4821,
 * 7.6.2). */
static uint64_t probe_interval_us(const struct tcpct_connection *connection)
{
    return connection->congestion.cwnd / connection->congestion.mss * connection->rtt.srtt_us;
}

/* RFC 4821, 7.7. The next size down, if what timed out is larger than that. */
bool path_timeout(struct tcpct_connection *connection, uint64_t now_us)
{
    const struct sent *first = flight_at(&connection->flight, 0);
    uint32_t size = first->end - first->seq + headers_of(connection);
    uint32_t mtu = path_mtu(connection, now_us), next = PMTU_MIN_V6;
    if (connection->endpoints.remote.family == 4)
        next = min_u32(mtu, size) > PMTU_SAFE_V4 ? PMTU_SAFE_V4 : PMTU_MIN_V4;
    connection->path.probe = 0; /* 7.6.3: it may have been that, or not */
    connection->path.probe_us = now_us + 5 * probe_interval_us(connection);
    if (connection->timeouts < UINT8_MAX)
        connection->timeouts++;
    bool lowered = connection->timeouts >= BLACK_HOLE_TIMEOUTS && size > next &&
                   lower(connection, next, now_us);
    if (lowered)
        connection->path.too_large = (uint16_t)mtu;
    return lowered;
}

uint16_t path_probe(const struct tcpct_connection *connection, uint32_t unsent, uint64_t now_us)
{
    const struct path *path = &connection->path;
    uint32_t most = min_u32(path->too_large, connection->mss + headers_of(connection) + 1u);
    if (!path->too_large || path->probe || most < path->mtu + (uint32_t)SEARCH_STEP ||
        now_us < path->probe_us || connection->recovery.phase != RECOVERY_OPEN ||
        connection->flight.lost || connection->flight.sacked)
        return 0;
    uint32_t device = connection->stack->config.mtu;
    uint32_t size = most > device ? device : (path->mtu + most) / 2;
    uint32_t needed = size + PROBE_FOLLOWERS * (uint32_t)path->mtu;
    uint32_t out = connection->snd_nxt - connection->snd_una;
    bool allowed = unsent >= needed && recovery_room(connection) >= needed &&
                   connection->snd_wnd >= out + needed;
    return allowed ? (uint16_t)(size - path->mtu) : 0;
}

void path_probe_sent(struct tcpct_connection *connection, uint32_t more, uint32_t end)
{
    connection->path.probe = (uint16_t)(connection->path.mtu + more);
    connection->path.probe_end = end;
}

/* The lost bytes are the probe, and nothing else. */
static bool only_probe_lost(const struct tcpct_connection *connection)
{
    const struct flight *flight = &connection->flight;
    for (uint32_t i = 0; i < flight->count; i++) {
        const struct sent *sent = flight_at(flight, i);
        if (sent->flags & SENT_LOST)
            return sent->end == connection->path.probe_end && sent->end - sent->seq == flight->lost;
    }
    return false;
}

void path_acknowledged(struct tcpct_connection *connection, uint64_t now_us)
{
    struct path *path = &connection->path;
    if (path->news && seq_lt(path->news_after, connection->snd_una)) {
        path->news = false;
        share(connection);
    }
    if (!path->probe)
        return;
    if (seq_leq(path->probe_end, connection->snd_una)) {
        path->mtu = path->probe;
        path->probe = 0;
        share(connection);
        trace_connection(connection, TCPCT_TRACE_PATH_MTU, "probe", path->mtu, now_us);
    } else if (connection->flight.lost && connection->recovery.phase == RECOVERY_OPEN) {
        if (only_probe_lost(connection)) {
            path->too_large = path->probe;
            path->probe_us = now_us + probe_interval_us(connection);
            repair(connection);
        }
        path->probe = 0; /* otherwise nothing is known: 7.6.4 */
    }
}
