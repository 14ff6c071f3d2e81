/* link_path.h - what can be said of one direction of a link, as flags (--delay-ab 10ms), and as
 * changes while it runs (delay-ab=10ms). */
#ifndef TOOLS_LINK_PATH_H
#define TOOLS_LINK_PATH_H

#include "tools/command.h"
#include "tun/link.h"

enum {
    LINK_PATH_FIRST = 1000, /* getopt_long values, from here on */
    LINK_PATH_OPTIONS = 72,
};

/* Fills in LINK_PATH_OPTIONS entries for getopt_long, without a terminating one. */
void link_path_options(struct option *options);

/* Takes a getopt_long value. 0, or EXIT_USAGE after a message. */
int link_path_take(struct link_path paths[LINK_DIRECTIONS], int value, const char *text);

/* The same from NAME=VALUE, where NAME is a flag above and a flag without value takes on or off. */
int link_path_change(struct link_path paths[LINK_DIRECTIONS], const char *text);

/* "253,254": at least one. */
bool link_path_kinds(const char *text, struct option_kinds *kinds);

#endif
