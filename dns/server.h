/* server.h - what the responders of one server have in common, whatever a query comes over. It belongs
 * to the program, which may change it between two turns of its loop.
 */
#ifndef DNS_SERVER_H
#define DNS_SERVER_H

#include "prefixes.h"
#include "reply.h"

struct dns_server {
    const struct dns_zones *zones;
    const struct dns_cookies *cookies; /* NULL: none */
    bool cookies_required;             /* by datagrams */
    struct rate_limit *rate_limit;     /* of datagrams; NULL: none */
    struct chaos_texts texts;
    struct prefixes transfers; /* who may have whole zones */
    int64_t wall_clock_us;     /* to be added to the loop's time: microseconds since 1970 */
};

/* A channel of this server's. */
static inline struct dns_channel dns_server_channel(const struct dns_server *server,
                                                    enum dns_transport transport,
                                                    const struct tcpct_address *client,
                                                    uint64_t now_us)
{
    return (struct dns_channel){
        .transport = transport,
        .cookies = server->cookies,
        .cookies_required = server->cookies_required,
        .rate_limit = server->rate_limit,
        .texts = server->texts,
        .client = client,
        .now_us = now_us,
        .may_transfer = prefixes_contain(&server->transfers, client),
        .now_s = (uint32_t)((now_us + (uint64_t)server->wall_clock_us) / 1000000),
    };
}

#endif
