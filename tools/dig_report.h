/* dig_report.h - what `tcpct dig` prints: an answer, and what it took. */
#ifndef TOOLS_DIG_REPORT_H
#define TOOLS_DIG_REPORT_H

#include "tools/dig_options.h"

/* What a transaction took. */
struct dig_cost {
    enum dig_mode mode; /* as it turned out */
    unsigned round_trips;
    uint64_t packets_sent, packets_received, bytes_sent, bytes_received;
    uint64_t time_us;
    size_t answer_size; /* bytes of DNS */
    unsigned rcode;     /* with the upper bits that EDNS carries */
};

/* The whole RCODE of an answer (RFC 6891, 6.1.3); of one that cannot be read, the header's bits. */
unsigned dig_rcode(const uint8_t *message, size_t size);

/* As dig prints it. */
void dig_print_answer(const uint8_t *message, size_t size, uint64_t time_us);

/* A line; with `json` an object. */
void dig_print_cost(const struct dig_cost *cost, bool json);

/* The times of several answers, which are sorted. */
void dig_print_times(uint64_t *times_us, size_t count);

#endif
