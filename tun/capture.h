/* capture.h - packets into a pcap file (libpcap, LINKTYPE_RAW), with right checksums: a packet
 * that was handed to the kernel with a partial checksum, or as one buffer for several segments,
 * is written as the segments that a wire would have carried.
 */
#ifndef TUN_CAPTURE_H
#define TUN_CAPTURE_H

#include "tcpct/tcpct.h"

struct capture;

/* NULL on failure, with one sentence in `error`. */
struct capture *capture_open(const char *path, char *error, size_t error_size);
/* Times in the file are wall-clock: now_us plus the offset at capture_open. */
void capture_packet(struct capture *capture, const struct tcpct_packet *packet, uint64_t now_us);
/* Writes out what is buffered. */
void capture_flush(struct capture *capture);
/* 0, or -1 if something could not be written. NULL is allowed. */
int capture_close(struct capture *capture);

#endif
