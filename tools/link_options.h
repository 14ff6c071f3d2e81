/* link_options.h - the flags of `tcpct link`. */
#ifndef TOOLS_LINK_OPTIONS_H
#define TOOLS_LINK_OPTIONS_H

#include "tools/command.h"
#include "tun/link.h"

enum {
    LINK_PREFIXES_MAX = 16, /* of --host-a ... --route-b each */
    LINK_CHANGES_MAX = 64,
};

struct link_change {
    uint64_t at_us;   /* after the start */
    const char *text; /* NAME=VALUE, good for link_path_change */
};

struct link_side_options {
    const char *name; /* NAME or NAME@NETNS */
    struct tun_address hosts[LINK_PREFIXES_MAX], routes[LINK_PREFIXES_MAX];
    size_t host_count, route_count;
};

struct link_options {
    struct link_side_options sides[LINK_DIRECTIONS]; /* where each direction begins: A, B */
    struct link_config config;
    uint16_t mtu;                                  /* 0: the kernel's */
    uint64_t spin_least_us, spin_most_us;          /* see loop_spin */
    const char *capture, *stats, *user, *settings; /* NULL: none */
    struct link_change changes[LINK_CHANGES_MAX];  /* in the order of time */
    size_t change_count;
    uint64_t at_us; /* of the last --at */
    bool at_given;
};

/* Fills in the defaults and what is given. 0, EXIT_USAGE after a message, or -1 after --help. */
int link_options_parse(struct link_options *options, int argc, char **argv);

/* Reads a file of settings over what the paths have. 0, or an exit status after a message; then the
 * paths may have some of it. */
int link_options_read(const char *name, struct link_path paths[LINK_DIRECTIONS]);

#endif
