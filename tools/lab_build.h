/* lab_build.h - a topology of a lab file, built and removed.
 *
 * A host is the network namespace LAB-HOST, a link a `tcpct link` in the background, whose devices
 * are link0, link1 and so on in each host, in the order of the file. Every host routes the prefixes
 * of every other by the fewest links.
 *
 * What is made is written down in a state folder before it is made, so that lab_remove can take
 * away whatever an interrupted lab_build left. The folder is also the lock: it can be made only
 * once.
 */
#ifndef TOOLS_LAB_BUILD_H
#define TOOLS_LAB_BUILD_H

#include "tools/lab_environment.h"
#include "tools/lab_file.h"

enum { LAB_NAME_SIZE = 32, LAB_STATE_SIZE = 200, LAB_PATH_SIZE = 512, LAB_NETNS_SIZE = 48 };

#define LAB_STATE_PARENT "/run/tcpct-lab"

struct lab {
    char name[LAB_NAME_SIZE];
    char state[LAB_STATE_SIZE]; /* the state folder */
};

bool lab_name_is_good(const char *name);
const char *lab_netns(const struct lab *lab, const char *host, char netns[LAB_NETNS_SIZE]);
const char *lab_state_path(const struct lab *lab, const char *file, char path[LAB_PATH_SIZE]);

/* The address of a prefix that is the kernel's own in a host: 10.60.1.1 of 10.60.1.0/24. */
const char *lab_own_address(const char *prefix, char *text, size_t size);

/* Where shipped lab files and zones are: share/tcpct of an installed program, tools of a built one.
 * NULL if they are nowhere. */
const char *lab_data(const char *file, char path[LAB_PATH_SIZE]);

/* Builds hosts, links and programs; `flags` (NULL: none) go to every link as well. With `logs` the
 * programs run in that folder and log there, and end with the caller. 0, or a status after a
 * message, -1 if interrupted; then nothing is left. */
int lab_build(const struct lab *lab, const struct lab_part *part,
              struct lab_environment *environment, char **flags, const char *logs);
/* 0, or 1 after a message. */
int lab_remove(const struct lab *lab);

/* Sends a signal to a link, counted from 0. False after a message if there is no such lab or link. */
bool lab_signal_link(const struct lab *lab, size_t link, int signal_number);

/* Whether a lab of that name is up and has such a host. 0, or a status after a message. */
int lab_find_host(const struct lab *lab, const char *host);

#endif
