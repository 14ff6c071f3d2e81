/* dnsd_front.h - `tcpct dnsd --forward`: TCPCT in front of a DNS server that knows only the kernel's
 * TCP. Each connection of the stack has one of the kernel's behind it; with cookies both are closed
 * when all that was asked has been answered. Nothing is kept or looked up here.
 */
#ifndef TOOLS_DNSD_FRONT_H
#define TOOLS_DNSD_FRONT_H

#include "tools/seal_keys.h"
#include "tools/service.h"

struct dnsd_front_options {
    struct socket_name server; /* port 0: there is none */
    uint16_t port;
    uint32_t connections_max;
    uint64_t idle_us;
    uint32_t guard;              /* of the listener */
    struct seal_keys *seal_keys; /* wiped */
};

/* Serves until a signal ends it. Of the service, endpoint options and statistics are given. The exit
 * status. */
int dnsd_front(const struct dnsd_front_options *options, struct service *service);

#endif
