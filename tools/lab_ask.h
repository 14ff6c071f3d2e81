/* lab_ask.h - the ways of today beside which TCPCT is measured: `tcpct lab ask` and `tcpct lab
 * flow`, over the kernel's sockets.
 */
#ifndef TOOLS_LAB_ASK_H
#define TOOLS_LAB_ASK_H

/* Arguments begin with the verb. The exit status. */
int lab_ask(int argc, char **argv);
int lab_flow(int argc, char **argv);

#endif
