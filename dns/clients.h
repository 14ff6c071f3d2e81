/* clients.h - the connections of a responder: a list in the order of their last activity, and a table
 * by the client's address, which counts those of one client.
 */
#ifndef DNS_CLIENTS_H
#define DNS_CLIENTS_H

#include "framing.h"
#include "tcpct/tcpct.h"
#include "transfer.h"

/* One connection. */
struct client {
    struct tcpct_connection *connection;
    struct client *older, *newer;
    struct client *next, **link; /* among those whose addresses have one hash */
    uint64_t active_us, born_us;
    struct tcpct_address address;
    bool cookies; /* RFC 6013 is in force */
    struct framing framing;
    uint8_t *pending; /* of an answer, what the stack has not taken; NULL: nothing */
    size_t pending_size, pending_sent;
    struct transfer *transfer; /* under way; NULL: none */
    bool asked, several;       /* it has asked, and more than once */
    bool ended;                /* the client has closed its direction */
};

struct clients {
    struct client *oldest, *newest;
    struct client **buckets; /* by hash of the address */
    size_t bucket_mask;
};

/* Makes a table for `count_max` connections. False: no memory. */
bool clients_create(struct clients *clients, size_t count_max);
/* Frees the table, which is empty. */
void clients_release(struct clients *clients);

/* Makes a client active for the last time at `now_us`, born then, with everything else empty. NULL: no
 * memory. */
struct client *clients_add(struct clients *clients, const struct tcpct_address *address,
                           uint64_t now_us);
/* Frees a client and what it holds. Its connection is the caller's. */
void clients_remove(struct clients *clients, struct client *client);

/* It was active now. */
void clients_touch(struct clients *clients, struct client *client, uint64_t now_us);

/* Connections of the client at this address: an IPv4 address, or the /64 of an IPv6 address, since
 * IPv6 gives everybody one. */
size_t clients_count_of(const struct clients *clients, const struct tcpct_address *address);

/* Ends the client's transfer, if there is one. */
void client_end_transfer(struct client *client);

#endif
