/* dump_trace.c - a connection's congestion window, from the trace events of one of its ends
 * (`--trace 2 --trace-json`). Their clock is another one than the capture's; that the connection was established
 * is seen in both.
 */
#include <stdlib.h>
#include <string.h>

#include "tcpct/ip.h"
#include "tools/command.h"
#include "tools/dump.h"

enum { LINE_SIZE = 1024 };

/* NOLINTBEGIN(cert-err34-c): numbers out of range are no connection of ours */

/* "10.0.0.1:53", "[fd00:0:0:0:0:0:0:1]:53" */
static bool endpoint_is(const char *text, const struct tcpct_address *address, uint16_t port)
{
    char host[64];
    unsigned number;
    struct tcpct_address parsed;
    if (sscanf(text, "[%63[0-9a-f:]]:%u", host, &number) != 2 &&
        sscanf(text, "%63[0-9.]:%u", host, &number) != 2)
        return false;
    return number == port && address_parse(host, &parsed) && ip_address_equal(&parsed, address);
}

static bool add(struct dump_cwnd **cwnd, size_t *count, int64_t time_us, uint64_t bytes)
{
    if ((*count & (*count - 1)) == 0) {
        struct dump_cwnd *grown = realloc(*cwnd, (*count == 0 ? 1 : 2 * *count) * sizeof **cwnd);
        if (grown == NULL)
            return false;
        *cwnd = grown;
    }
    (*cwnd)[(*count)++] = (struct dump_cwnd){ time_us, bytes };
    return true;
}

bool dump_trace_read(const char *path, const struct dump_summary *summary, enum dump_side side,
                     int64_t established_us, int64_t end_us, struct dump_cwnd **cwnd, size_t *count)
{
    char line[LINE_SIZE], local[96], remote[96], event[64];
    bool begun = false;
    int64_t offset_us = 0;
    FILE *file = fopen(path, "r");
    *cwnd = NULL;
    *count = 0;
    if (file == NULL)
        return false;
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long long seconds, micros, value;
        int used = 0;
        if (sscanf(line,
                   "{\"time\":%llu.%6llu,\"local\":\"%95[^\"]\",\"remote\":\"%95[^\"]\",\"event\":"
                   "\"%63[^\"]\",%n",
                   &seconds, &micros, local, remote, event, &used) != 5 ||
            !endpoint_is(local, &summary->address[side], summary->port[side]) ||
            !endpoint_is(remote, &summary->address[!side], summary->port[!side]))
            continue;
        int64_t time_us = (int64_t)(seconds * 1000000 + micros);
        if (!begun && strstr(line + used, "\"to\":\"ESTABLISHED\"") != NULL) {
            offset_us = established_us - time_us;
            begun = true;
        }
        time_us += offset_us;
        if (!begun || strcmp(event, "cwnd") != 0 ||
            sscanf(line + used, "\"value\":%llu", &value) != 1 || time_us < summary->start_us ||
            time_us > end_us)
            continue;
        if (!add(cwnd, count, time_us, value))
            break;
    }
    bool whole = !ferror(file);
    fclose(file);
    return whole;
}

/* NOLINTEND(cert-err34-c) */
