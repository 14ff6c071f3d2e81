/* dns_server.h - a DNS server over a stack, for tests: its answers are the queries again, with QR and
 * maybe longer.
 */
#ifndef TESTS_DNS_SERVER_H
#define TESTS_DNS_SERVER_H

#include "dns/message.h"
#include "tcpct/tcpct.h"

/* What it does. */
struct dns_server {
    bool keeps;  /* its connections, otherwise it closes each with the last answer */
    bool silent; /* takes queries and says nothing */
    size_t answer_size;
    unsigned queries;
};

/* Any event of a stack whose connections are all this server's. */
void dns_server_event(struct dns_server *server, const struct tcpct_event *event);

#endif
