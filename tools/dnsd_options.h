/* dnsd_options.h - what `tcpct dnsd` is asked to do. */
#ifndef TOOLS_DNSD_OPTIONS_H
#define TOOLS_DNSD_OPTIONS_H

#include "dns/prefixes.h"
#include "dns/responder.h"
#include "tools/command.h"
#include "tools/seal_keys.h"
#include "tools/zone_loader.h"

enum { DNSD_TRANSFERS_MAX = 64 };

struct dnsd_options {
    struct endpoint_options endpoint;
    struct responder_options responder;
    struct socket_name forward; /* port 0: the answers are ours */
    struct zone_loader *loader; /* of the zones */
    bool has_zones;             /* a flag named some */
    const char *stats_path;     /* NULL: none */
    uint16_t port;
    bool no_udp;
    uint16_t udp_size;                            /* of the longest answer */
    uint32_t fast_open;                           /* connections at once; 0: not offered */
    uint64_t collapse_after_us, collapsed_age_us; /* 0: never */
    uint32_t collapsed_max;
    uint32_t guard;             /* exchanges admitted in eleven minutes; 0: not guarded */
    struct seal_keys seal_keys; /* until there is a stack */
    struct prefix transfers[DNSD_TRANSFERS_MAX];
    size_t transfer_count;
    bool no_cookies, cookies_required;    /* DNS cookies */
    const char *cookie_secrets;           /* a file; NULL: there is a random secret */
    struct rate_limit_options rate_limit; /* of datagrams; rate 0: none */
    struct chaos_texts texts;
    int zones_only; /* the flag that was given last of those which --forward cannot do; 0: none */
};

/* Zones are named to the loader. -1: go on; else the exit status, after a message or the usage. */
int dnsd_options_take(struct dnsd_options *options, struct zone_loader *loader, int argc,
                      char **argv);

#endif
