#include "tests/sim/sim_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tun/capture.h"

enum { LOG_PACKETS = 16384 };

struct entry {
    unsigned host;
    uint64_t at_us;
    struct tcpct_packet packet; /* data is a copy */
};

struct sim_log {
    uint64_t count; /* entries ever made; the ring holds the last LOG_PACKETS */
    struct entry entries[LOG_PACKETS];
};

struct sim_log *sim_log_create(void)
{
    struct sim_log *log = calloc(1, sizeof(*log));
    assert_non_null(log);
    return log;
}

void sim_log_destroy(struct sim_log *log)
{
    for (uint64_t i = 0; i < log->count && i < LOG_PACKETS; i++)
        free(log->entries[i].packet.data);
    free(log);
}

void sim_log_packet(struct sim_log *log, unsigned index, const struct tcpct_packet *packet,
                    uint64_t now_us)
{
    struct entry *entry = &log->entries[log->count++ % LOG_PACKETS];
    free(entry->packet.data);
    *entry = (struct entry){ .host = index, .at_us = now_us, .packet = *packet };
    entry->packet.data = malloc(packet->length + 1);
    assert_non_null(entry->packet.data);
    memcpy(entry->packet.data, packet->data, packet->length);
    entry->packet.size = packet->length;
}

static void write_host(const struct sim_log *log, unsigned failure, unsigned host)
{
    const char *folder = getenv("TMPDIR");
    char path[512], error[256];
    snprintf(path, sizeof(path), "%s/sim-%ld-%u-host%u.pcap", folder ? folder : "/tmp",
             (long)getpid(), failure, host);
    struct capture *capture = capture_open(path, error, sizeof(error));
    if (!capture) {
        fprintf(stderr, "no capture: %s\n", error);
        return;
    }
    uint64_t first = log->count > LOG_PACKETS ? log->count - LOG_PACKETS : 0;
    for (uint64_t i = first; i < log->count; i++) {
        const struct entry *entry = &log->entries[i % LOG_PACKETS];
        if (entry->host == host)
            capture_packet(capture, &entry->packet, entry->at_us);
    }
    capture_close(capture);
    fprintf(stderr, "host %u saw %s\n", host, path);
}

void sim_log_write(const struct sim_log *log, unsigned hosts)
{
    static unsigned failures;
    failures++;
    for (unsigned i = 0; i < hosts; i++)
        write_host(log, failures, i);
}
