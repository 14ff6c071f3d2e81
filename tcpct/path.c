#include "path.h"

#include "flight.h"
#include "seq.h"

enum {
    PMTU_MIN_V4 = 552, /* what is believed of a router; RFC 1191, 3 allows 68, which invites harm */
    PMTU_MIN_V6 = 1280, /* RFC 8200, 5 */
    BLACK_HOLE_TIMEOUTS = 3,
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

uint32_t path_mtu(struct tcpct_connection *connection, uint64_t now_us)
{
    uint32_t device = connection->stack->config.mtu;
    if (connection->pmtu && connection->pmtu_until_us <= now_us)
        connection->pmtu = 0;
    return connection->pmtu ? connection->pmtu : device;
}

/* Everything larger than the path takes is as good as lost. */
static void send_again(struct tcpct_connection *connection)
{
    struct flight *flight = &connection->flight;
    uint32_t headers = (uint32_t)ip_header_size(&connection->endpoints.remote) + TCP_HEADER_SIZE;
    for (uint32_t i = 0; i < flight->count; i++) {
        const struct sent *sent = flight_at(flight, i);
        if (!(sent->flags & (SENT_SACKED | SENT_LOST)) &&
            sent->end - sent->seq + headers > connection->pmtu)
            flight_mark_lost(flight, i);
    }
    if (flight->lost && connection->recovery.phase == RECOVERY_OPEN) {
        connection->recovery.phase = RECOVERY_RTO; /* repairs without a reduction */
        connection->recovery.point = connection->snd_nxt;
    }
    tcb_output(connection);
}

static void lower(struct tcpct_connection *connection, uint32_t mtu, uint64_t now_us)
{
    uint32_t least = connection->endpoints.remote.family == 4 ? PMTU_MIN_V4 : PMTU_MIN_V6;
    mtu = max_u32(mtu, least);
    if (mtu >= path_mtu(connection, now_us))
        return;
    connection->pmtu = (uint16_t)mtu;
    connection->pmtu_until_us = now_us + PMTU_LIFE_US;
    trace_connection(connection, TCPCT_TRACE_PATH_MTU, "", mtu, now_us);
    send_again(connection);
}

void path_too_big(struct tcpct_connection *connection, uint32_t mtu, uint64_t now_us)
{
    if (connection->endpoints.remote.family == 6 && mtu < PMTU_MIN_V6)
        return; /* RFC 8201, 4 */
    lower(connection, mtu ? mtu : plateau_below(path_mtu(connection, now_us)), now_us);
}

void path_timeout(struct tcpct_connection *connection, uint64_t now_us)
{
    uint32_t mtu = path_mtu(connection, now_us);
    if (++connection->timeouts < BLACK_HOLE_TIMEOUTS)
        return;
    connection->timeouts = 0;
    lower(connection, mtu > PMTU_MIN_V6 ? (uint32_t)PMTU_MIN_V6 : (uint32_t)PMTU_MIN_V4, now_us);
}
