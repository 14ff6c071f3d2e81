/* asking.h - questions and answers for the simulator: a client sends an 8-byte question and gets an
 * answer of the length that it asked for, after which the server closes. The bytes tell which
 * question they belong to, and the server counts how often each was executed. */
#ifndef TESTS_ASKING_H
#define TESTS_ASKING_H

#include <stddef.h>

#include "tests/sim/sim.h"

enum { QUESTIONS_MAX = 256, QUESTION_SIZE = 8 };

struct question {
    struct sim_host *host;
    struct tcpct_connection *connection; /* NULL: given back */
    uint32_t id, size, got;
    bool done;     /* whole, or failed */
    bool end_seen; /* of the answer */
    bool restarted;
    int error;
    uint64_t begun_us, done_us;
    uint64_t packets; /* that the client sent for it */
};

/* A host that answers; its sim_host.application. */
struct answerer {
    struct tcpct_listener *listener;
    unsigned executed[QUESTIONS_MAX];
    struct tcpct_info last; /* of the connection that was closed last */
};

void answer_questions(struct sim_host *host, struct answerer *answerer,
                      const struct tcpct_listen_options *given);
/* Asks, and waits until it is done and the connection has ended, but for TIME-WAIT. */
struct question ask(struct sim *sim, struct sim_host *from, const struct sim_host *to, uint32_t id,
                    uint32_t size, const struct tcpct_connect_options *given);
/* Begins to ask; `question` must stay until it is done. */
void ask_begin(struct question *question, struct sim_host *from, const struct sim_host *to,
               uint32_t id, uint32_t size, const struct tcpct_connect_options *given);
/* Two hosts, 20 ms and 50 Mbit/s apart, each link with a queue of 1000 packets; `given`: what
 * differs, NULL: nothing. */
struct sim *asking_begin(const struct sim_config *given);
/* The counter that stands at this offset in struct tcpct_counters. */
uint64_t asking_counter(const struct sim_host *host, size_t offset);
#define COUNTER(host, name) asking_counter(host, offsetof(struct tcpct_counters, name))
/* Lets the paths to and from host 0 be others from now on. */
void asking_change_path(struct sim *sim, uint64_t rate, uint64_t delay_us, uint32_t queue_packets);

/* For sim_until. */
bool question_over(const void *question);

#endif
