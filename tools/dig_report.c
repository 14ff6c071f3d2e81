/* dig_report.c - prints answers and what they took: see dig_report.h. */
#include "tools/dig_report.h"

#include <inttypes.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <sys/time.h>

unsigned dig_rcode(const uint8_t *message, size_t size)
{
    ldns_pkt *packet = NULL;
    unsigned upper = 0;
    if (ldns_wire2pkt(&packet, message, size) == LDNS_STATUS_OK) {
        upper = ldns_pkt_edns_extended_rcode(packet);
        ldns_pkt_free(packet);
    }
    return upper << 4 | message[3] % 16;
}

void dig_print_answer(const uint8_t *message, size_t size, uint64_t time_us)
{
    ldns_pkt *packet = NULL;
    ldns_status status = ldns_wire2pkt(&packet, message, size);
    if (status != LDNS_STATUS_OK) {
        printf(";; the answer of %zu bytes cannot be read: %s\n", size,
               ldns_get_errorstr_by_id(status));
        return;
    }
    struct timeval now;
    gettimeofday(&now, NULL);
    ldns_pkt_set_timestamp(packet, now);
    ldns_pkt_set_querytime(packet, (uint32_t)(time_us / 1000));
    ldns_pkt_print(stdout, packet);
    ldns_pkt_free(packet);
}

void dig_print_cost(const struct dig_cost *cost, bool json)
{
    if (json) {
        printf("{\"mode\": \"%s\", \"rcode\": %u, \"answer_bytes\": %zu, "
               "\"round_trips\": %u, \"packets_sent\": %" PRIu64 ", \"packets_received\": %" PRIu64
               ", \"bytes_sent\": %" PRIu64 ", \"bytes_received\": %" PRIu64
               ", \"time_us\": %" PRIu64 "}\n",
               dig_mode_names[cost->mode], cost->rcode, cost->answer_size, cost->round_trips,
               cost->packets_sent, cost->packets_received, cost->bytes_sent, cost->bytes_received,
               cost->time_us);
    } else {
        printf(";; %s: %u round trip%s, %" PRIu64 " + %" PRIu64 " packets, %" PRIu64 " + %" PRIu64
               " bytes of IP sent + received, %.1f ms\n",
               dig_mode_names[cost->mode], cost->round_trips, cost->round_trips == 1 ? "" : "s",
               cost->packets_sent, cost->packets_received, cost->bytes_sent, cost->bytes_received,
               (double)cost->time_us / 1000);
    }
    fflush(stdout);
}

static int compare_times(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

void dig_print_times(uint64_t *times_us, size_t count)
{
    size_t middle = count / 2;
    qsort(times_us, count, sizeof *times_us, compare_times);
    printf(";; %zu answers: median %.1f ms, from %.1f to %.1f ms\n", count,
           (double)times_us[middle] / 1000, (double)times_us[0] / 1000,
           (double)times_us[count - 1] / 1000);
}
