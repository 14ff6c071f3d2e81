/* reply.h - segments that answer a segment and need no connection: resets. */
#ifndef TCPCT_REPLY_H
#define TCPCT_REPLY_H

#include "tcb.h"

/* The reset for a segment that belongs to no connection (RFC 9293, 3.10.7.1), with Timestamps and
 * Cookie-Pair copied (RFC 6013, 7). False, and no reply: it was itself a reset, or it does not
 * fit. */
bool reply_reset(const struct tcpct_stack *stack, const struct segment *segment,
                 struct tcpct_packet *reply);

/* Addresses and ports turned round. */
struct segment reply_to(const struct tcpct_stack *stack, const struct segment *segment);

#endif
