/* sim.h - a deterministic simulator: stacks as hosts around one router, under virtual time.
 *
 * Each host hangs on the router by a link of its own (tun/link.h). The router has no delay, so two
 * hosts with an imperfect link at one of them are a path between two ends. What a test may change
 * while time passes is at the router: how large a packet may be on its way to a host, whether the
 * sender is told (sim_router.c), and whether a host is connected at all. A step
 * goes to the earliest of what the links, the stacks and scripted actions wait for; whoever gets
 * packets then takes one turn as a program's loop would (tcpct.h): packets in, tick, events, and
 * packets out until there are none.
 *
 * All chance comes from the seed. While a simulation runs it keeps the last packets that each
 * host sent and got; if a test ends before sim_end, sim_teardown prints the seed and writes them
 * as one pcap for each host. SIM_TRACE=1 in the environment prints the trace events of every
 * stack.
 *
 * Functions fail the test themselves (cmocka) when something happens that never may: a stack that
 * does not come to rest, memory that is not returned, counters that do not add up.
 */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include "tcpct/segment.h"
#include "tests/tcpct/generate.h"
#include "tun/link.h"

enum { SIM_HOSTS_MAX = 4, SIM_PORT = 53 };

/* The allocator of a host: everything that it gives out is counted. */
struct sim_memory {
    size_t blocks, bytes; /* in use */
    size_t bytes_highest;
    uint64_t allocations; /* so far */
    uint64_t fail_after;  /* allocations that succeed from now on; UINT64_MAX: all */
};

struct sim_host {
    struct sim *sim;
    unsigned index;
    struct tcpct_stack *stack;
    struct tcpct_address ipv4, ipv6;
    struct generator random;
    struct sim_memory memory;
    struct link *link;     /* A is the host */
    uint16_t mtu;          /* from the router on; 0: no limit */
    bool black_hole;       /* what is larger vanishes without an ICMP message (RFC 2923, 2.1) */
    bool unplugged;        /* nothing passes, either way */
    uint64_t packets_sent; /* counted before the filter */
    uint64_t packets_got;
    /* The application: served each event. NULL: events are left to the test. */
    void (*serve)(struct sim_host *host, const struct tcpct_event *event);
    void *application;
};

/* A packet that a host sends, shown to the filter before it enters the link. */
struct sim_packet {
    const struct sim_host *from;
    uint64_t number;         /* of this host's packets, from 0 */
    struct segment *segment; /* decoded; may be altered if `altered` is set: it is then encoded
                                again, with right checksums */
    bool altered;
    unsigned copies; /* 1; 0 drops it */
    uint64_t delay_us;
};

struct sim_config {
    uint64_t seed;
    unsigned hosts;                                          /* 0: 2 */
    struct link_path up[SIM_HOSTS_MAX], down[SIM_HOSTS_MAX]; /* seen from the host */
    struct middlebox_config boxes[SIM_HOSTS_MAX];            /* in the hosts' links */
    struct tcpct_config stacks[SIM_HOSTS_MAX];               /* what is not set by the simulator */
    uint64_t start_us;                                       /* 0: one second */
    uint32_t link_packets;                                   /* in each link at once; 0: 4096 */
};

struct sim {
    struct sim_config config;
    struct sim_host hosts[SIM_HOSTS_MAX];
    uint64_t now_us;
    /* Looks at each packet that is sent. NULL: none. */
    void (*filter)(void *context, struct sim_packet *packet);
    void *filter_context;
    struct sim_action *actions; /* in order of time */
    struct sim_log *log;
};

struct sim *sim_begin(const struct sim_config *config);
/* The test succeeded: checks counters and, after the stacks are destroyed, memory. */
void sim_end(struct sim *sim);
/* For cmocka's teardown: does nothing after sim_end, otherwise leaves the evidence. */
int sim_teardown(void **state);

typedef void sim_function(void *context);
/* Calls `function` at a time from now. */
void sim_after(struct sim *sim, uint64_t delay_us, sim_function *function, void *context);

typedef bool sim_condition(const void *context);
/* Runs until the condition holds, for at most `limit_us`; whether it holds. */
bool sim_until(struct sim *sim, sim_condition *condition, const void *context, uint64_t limit_us);
void sim_run(struct sim *sim, uint64_t duration_us);

/* Lets every host act on what the test just did to it, without letting time pass. */
void sim_turn(struct sim *sim);

/* Hands a packet to a host's stack, now, as if it had come from its link. */
enum tcpct_verdict sim_input(struct sim_host *host, const struct tcpct_packet *packet);

/* What the router does with a packet that has left a host's link: into another's, or an error
 * message back, or nothing. */
void sim_route(struct sim_host *from, struct tcpct_packet *packet);

/* A new stack in the place of a host's, which loses everything, its listeners and secrets too. The
 * test holds nothing of it any more. */
void sim_reboot(struct sim_host *host);

/* Connections in all stacks. */
size_t sim_connections(const struct sim *sim);

/* A configuration whose random source, allocator and trace sink are the host's; shared with tests
 * that have one stack and no network. */
struct tcpct_config sim_stack_config(struct sim_host *host, const struct tcpct_config *from);
void sim_check_counters(const struct tcpct_stack *stack);

#endif
