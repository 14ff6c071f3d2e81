/* pace.h - spreads a window's segments over the round trip, instead of sending them in bursts.
 *
 *     rate = gain * cwnd / SRTT,   gain = 2 in slow start, 1.2 afterwards
 *
 * A burst of ten segments, or what the rate sends in a millisecond, may leave at once: short
 * answers are not delayed, and buffers for segmentation offload stay large where that is cheap.
 * Nothing is paced before the first RTT sample.
 */
#ifndef TCPCT_PACE_H
#define TCPCT_PACE_H

#include "tcb.h"

/* Whether a segment may leave now; if not, the pacing timer is set. */
bool pace_allows(struct tcpct_connection *connection, uint64_t now_us);
/* Bytes of the largest burst. */
uint32_t pace_burst(const struct tcpct_connection *connection);
/* `bytes` have left. */
void pace_sent(struct tcpct_connection *connection, uint32_t bytes, uint64_t now_us);

#endif
