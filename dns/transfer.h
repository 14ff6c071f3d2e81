/* transfer.h - a zone transfer (AXFR, RFC 5936): a zone in as many messages as it takes.
 *
 * A message is made only when it can be sent, and nothing is kept but the place in the zone. Messages
 * end soon after 16 KB, so that compression pointers reach everything in them.
 */
#ifndef DNS_TRANSFER_H
#define DNS_TRANSFER_H

#include "edns.h"
#include "zones.h"

enum { TRANSFER_QUESTION_MAX = NAME_SIZE_MAX + 4 };

struct transfer {
    const struct zone *zone; /* held until the end; NULL: there is no transfer */
    uint16_t id, flags;
    bool edns;         /* the first message has an OPT record */
    bool soa_only;     /* the client has this version already (RFC 1995, 4) */
    uint32_t stage;    /* 0: the first SOA; to set_count: that set is next; then the last SOA */
    uint32_t position; /* in that set: bytes, and patches */
    uint32_t patch;
    size_t question_size;
    uint8_t question[TRANSFER_QUESTION_MAX];
};

/* Begins to transfer the zone that the query names. */
void transfer_begin(struct transfer *transfer, const struct zone *zone,
                    const struct dns_query *query);

/* Ends it wherever it stands. */
void transfer_end(struct transfer *transfer);

/* Writes the next message into DNS_MESSAGE_SIZE_MAX bytes and returns its size; after the last one the
 * transfer has ended. 0: it has ended because a record fits no message. */
size_t transfer_next(struct transfer *transfer, uint8_t *message);

#endif
