/* lab_live.h - the links of a lab that is up: changed, and counted.
 */
#ifndef TOOLS_LAB_LIVE_H
#define TOOLS_LAB_LIVE_H

#include "tools/lab_build.h"

/* `tcpct lab change [--link N] NAME=VALUE...`: words[0..], NULL at the end. The exit status. */
int lab_change(const struct lab *lab, char **words);
/* `tcpct lab counters [--link N]`: one JSON object on one line. */
int lab_counters(const struct lab *lab, char **words);

#endif
