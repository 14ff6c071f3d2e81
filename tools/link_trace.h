/* link_trace.h - files of delivery opportunities (tun/trace.h), as Mahimahi records them. */
#ifndef TOOLS_LINK_TRACE_H
#define TOOLS_LINK_TRACE_H

#include "tun/trace.h"

enum { LINK_TRACES_MAX = 32, LINK_TRACE_LINES_MAX = 4000000 };

/* Reads a file: one number of milliseconds a line. A file of one name is read once, and what was read
 * stays. False: it cannot be read, is no sound trace or too long, or there were LINK_TRACES_MAX others. */
bool link_trace_load(const char *name, struct trace *trace);

#endif
