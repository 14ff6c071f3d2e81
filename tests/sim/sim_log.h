/* sim_log.h - the last packets of a simulation, kept in memory until a failing test wants them as
 * pcap files.
 */
#ifndef TESTS_SIM_LOG_H
#define TESTS_SIM_LOG_H

#include "tcpct/tcpct.h"

struct sim_log;

struct sim_log *sim_log_create(void);
void sim_log_destroy(struct sim_log *log);

/* A packet that host `index` sent or got. The oldest are forgotten when there are many. */
void sim_log_packet(struct sim_log *log, unsigned index, const struct tcpct_packet *packet,
                    uint64_t now_us);
/* Writes a file for each host into $TMPDIR (or /tmp) and prints the paths. */
void sim_log_write(const struct sim_log *log, unsigned hosts);

#endif
