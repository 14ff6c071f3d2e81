/* lab_ask.h - what an experiment sets beside TCPCT and against it: `tcpct lab ask`, `tcpct lab flow`
 * and `tcpct lab flood`.
 */
#ifndef TOOLS_LAB_ASK_H
#define TOOLS_LAB_ASK_H

/* Arguments begin with the verb. The exit status. */
int lab_ask(int argc, char **argv);
int lab_flow(int argc, char **argv);
int lab_flood(int argc, char **argv);

#endif
