/* command.h - what the subcommands of the tcpct program share: their table, and the flags of
 * every command that speaks on a TUN device.
 */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include <getopt.h>
#include <stdio.h>

#include "tools/units.h"
#include "tun/capture.h"
#include "tun/device.h"
#include "tun/loop.h"
#include "tun/socket.h"

enum { EXIT_USAGE = 2 };

/* --guarded: exchanges that a listener admits in eleven minutes (tcpct_listen_options.guard). */
enum { GUARD_DEFAULT = 1000000, GUARD_MAX = 1 << 24 };

struct command {
    const char *name;
    const char *summary;               /* one line for `tcpct help` */
    int (*run)(int argc, char **argv); /* returns the exit status */
};

/* argv[0] is the command's name. Each prints its usage to standard output on --help. */
int command_dnsd(int argc, char **argv);
int command_dig(int argc, char **argv);
int command_link(int argc, char **argv);
int command_dump(int argc, char **argv);
int command_lab(int argc, char **argv);
int command_stub(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_pipe(int argc, char **argv);

/* One sentence to standard error, prefixed with "tcpct COMMAND: " (COMMAND NULL: "tcpct: ");
 * returns `status`. */
int command_error(const char *command, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for what getopt_long refused: its value ('?', or ':' if the short options begin with a
 * colon) with opterr = 0. Returns EXIT_USAGE. */
int command_bad_option(const char *command, char **argv, int value);

/* Makes `file` (open for writing, seekable or not) hold what follows: empties it if it is a
 * regular file, for statistics that are written more than once. */
void command_rewrite(FILE *file);

/* ---- the flags of a command with a stack on a TUN device ----------------------------------- */

enum { ENDPOINT_ADDRESSES_MAX = 16 };

/* Start from zero bytes with `command` and `parameters` set. */
struct endpoint_options {
    const char *command;                                    /* for messages */
    const char *tun;                                        /* --tun NAME */
    struct tcpct_address addresses[ENDPOINT_ADDRESSES_MAX]; /* --addr IP */
    size_t address_count;
    struct tun_address hosts[ENDPOINT_ADDRESSES_MAX]; /* --host IP/LEN */
    size_t host_count;
    const char *capture;                /* --capture FILE.pcap */
    int trace_level;                    /* --trace LEVEL: 0 none, 1 connections, 2 everything */
    bool trace_json;                    /* --trace-json */
    enum tcpct_window window;           /* --restart-window */
    bool no_offload;                    /* --no-offload */
    uint16_t mtu;                       /* --mtu BYTES */
    const char *user;                   /* --user NAME */
    const char *md5_keys;               /* --md5-key FILE */
    struct tcpct_parameters parameters; /* --cookie-desired ... (RFC 6013, section 12) */
    uint32_t given; /* which flags were: one bit for each that may be given once */
};

/* The long options above, to be appended to a command's own; their values start here. */
enum { ENDPOINT_OPTION_FIRST = 1000 };
extern const struct option endpoint_long_options[]; /* without a terminating entry */
extern const size_t endpoint_long_option_count;
/* Describes them, some lines of text for a command's --help. */
extern const char endpoint_usage[];

/* Joins a command's own options (`count`, without a terminating entry) and those above in `all`
 * (`room` entries, enough for both and one more) for getopt_long. */
void endpoint_join_options(struct option *all, size_t room, const struct option *own, size_t count);

/* Takes one getopt_long value of ENDPOINT_OPTION_FIRST or above. 0, or EXIT_USAGE after a
 * message. */
int endpoint_option(struct endpoint_options *options, int value, const char *argument);

/* Fills in what was not given: --tun tcpct0, and, if neither --addr nor --host was given, --addr
 * 10.60.13.2 and --host 10.60.13.1/24. 0, or EXIT_USAGE after a message if flags contradict each
 * other. endpoint_open does this itself; a command may do it earlier. */
int endpoint_defaults(struct endpoint_options *options);

/* An endpoint: device, stack, capture. */
struct endpoint {
    struct tun_device *device;
    struct tcpct_stack *stack;
    struct capture *capture;
    bool trace_json;
};

/* Opens the device (with offload where it works), the capture and the stack with its addresses;
 * `config` may be changed before by the caller, random/wall clock/mtu/offload are set here, and
 * trace too if --trace was given. Locks and un-dumps memory (secrets). 0, or the exit status
 * after a message. */
int endpoint_open(struct endpoint *endpoint, const struct endpoint_options *options,
                  struct tcpct_config *config);
/* Gives up root and every capability if --user was given. 0, or 1 after a message. */
int endpoint_drop_privileges(const struct endpoint_options *options);
void endpoint_close(struct endpoint *endpoint);

/* ---- addresses ------------------------------------------------------------------------------ */

/* "1.2.3.4", "2001:db8::1" and with /LEN; false if it is none. */
bool address_parse(const char *text, struct tcpct_address *address);
bool address_parse_prefix(const char *text, struct tun_address *address);
/* "1.2.3.4:53" or "[2001:db8::1]:53"; without a port it is `port`, or (port 0) false. */
bool address_parse_port(const char *text, uint16_t port, struct socket_name *name);
/* The same, and in the address's place also a name, which the system's resolver looks up. */
bool address_resolve_port(const char *text, uint16_t port, struct socket_name *name);
/* Writes at most 46 bytes. */
const char *address_text(const struct tcpct_address *address, char *text, size_t size);

#endif
