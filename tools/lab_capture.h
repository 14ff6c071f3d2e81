/* lab_capture.h - a capture of a device in the caller's network namespace, until SIGTERM or SIGINT.
 */
#ifndef TOOLS_LAB_CAPTURE_H
#define TOOLS_LAB_CAPTURE_H

/* Prints a line that begins with `ready` once it captures. 0, or 1 after a message. */
int lab_capture(const char *device, const char *path);

#endif
