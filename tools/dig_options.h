/* dig_options.h - what `tcpct dig` is asked to do. */
#ifndef TOOLS_DIG_OPTIONS_H
#define TOOLS_DIG_OPTIONS_H

#include "tools/command.h"
#include "tools/dig_cookie.h"

enum { DIG_QUERY_SIZE_MAX = 4096 };

enum dig_mode { DIG_SYN_DATA, DIG_COLD, DIG_PLAIN, DIG_FAST_OPEN, DIG_RESTART, DIG_UDP, DIG_MODES };
extern const char *const dig_mode_names[DIG_MODES];

/* Must stay where it is: the question points into it. */
struct dig_options {
    struct endpoint_options endpoint;
    struct tcpct_address server;
    uint16_t port;
    uint8_t name[NAME_SIZE_MAX];
    struct dns_question question;
    struct dig_cookie cookie;
    enum dig_mode mode;
    const char *remember_path; /* NULL: nothing is kept */
    uint64_t repeat, tries, timeout_us, pause_us;
    bool json;
};

/* -1: go on; else the exit status, after a message or the usage. */
int dig_options_take(struct dig_options *options, int argc, char **argv);

#endif
