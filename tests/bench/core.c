/* core.c - what the Responder's work costs on one core, without I/O: each line is the median
 * of a few runs, in nanoseconds a call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dns/reply.h"
#include "tcpct/cookie.h"
#include "tcpct/segment.h"
#include "tcpct/tcpct.h"

enum { CALLS = 200000, RUNS = 7, PACKET_SIZE = 1280 };

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void draw(void *context, void *bytes, size_t size)
{
    (void)context;
    arc4random_buf(bytes, size);
}

/* ---- what is measured ------------------------------------------------------------------------- */

static const struct tcpct_address local = { .family = 4, .bytes = { 10, 60, 2, 53 } };
static const struct tcpct_address remote = { .family = 4, .bytes = { 10, 60, 1, 2 } };
static const struct cookie_endpoints endpoints = { &local, &remote, 53, 4000 };
static uint8_t initiator_cookie[COOKIE_SIZE_MAX] = { 1, 2, 3 }, cookie[COOKIE_SIZE_MAX];
static const struct cookie_numbers numbers = { 1, 2, 3, COOKIE_SIZE_MAX, initiator_cookie };
static struct secrets secrets;
static uint8_t bytes[PACKET_SIZE], copy[PACKET_SIZE], answer[PACKET_SIZE];
static struct tcpct_packet opening = { .data = bytes, .size = sizeof bytes };
static struct tcpct_stack *stack;
static struct tcpct_listener *listener;
static struct dns_zones *zones;
/* With DO: of an existing name, of a missing one, and of one that a wildcard answers for. */
static const uint8_t query[] = "\0\1\1\0\0\1\0\0\0\0\0\1\10one-trip\7example\0\0\1\0\1"
                               "\0\0\51\4\320\0\0\200\0\0\0";

#define MISSING(origin) \
    "\0\1\1\0\0\1\0\0\0\0\0\1\7missing" origin "\0\0\1\0\1\0\0\51\4\320\0\0\200\0\0\0"
#define WILD(origin) \
    "\0\1\1\0\0\1\0\0\0\0\0\1\4some\4wild" origin "\0\0\1\0\1\0\0\51\4\320\0\0\200\0\0\0"
static const uint8_t missing[] = MISSING("\7example"), missing3[] = MISSING("\6optout\4test");
static const uint8_t wild[] = WILD("\7example"), wild3[] = WILD("\6optout\4test");

static bool make_cookie(void)
{
    cookie_generate(&secrets, &endpoints, &numbers, cookie);
    return true;
}

static bool verify_cookie(void)
{
    unsigned slot;
    return cookie_verify(&secrets, &endpoints, &numbers, cookie, &slot) == COOKIE_VALID;
}

static bool decode_opening(void)
{
    struct segment segment;
    return segment_decode(&segment, &opening, NULL) == SEGMENT_OK;
}

static bool encode_opening(void)
{
    struct segment segment = { .source = remote,
                               .destination = local,
                               .source_port = 4000,
                               .destination_port = 53,
                               .flags = SEGMENT_ACK,
                               .options = { .present = OPTION_TIMESTAMPS_EXTENDED |
                                                       OPTION_COOKIE_PAIR | OPTION_MSS,
                                            .mss = 1460,
                                            .timestamp_size = 4,
                                            .cookie_size = COOKIE_SIZE_MAX },
                               .data = copy,
                               .data_size = 60 };
    opening.length = 0;
    return segment_encode(&segment, &opening, false);
}

/* The whole way of an <ACK(SYN)> whose pair nobody issued, as a flood of them would take it. */
static bool refuse_forged(void)
{
    struct tcpct_packet reply = { .data = answer, .size = sizeof answer };
    return tcpct_input(stack, &opening, &reply, 1) == TCPCT_BAD_COOKIE && reply.length == 0;
}

static size_t reply_to(const uint8_t *message, size_t size)
{
    return dns_reply(zones, &dns_any_stream, message, size, answer, sizeof answer);
}

static bool find_answer(void)
{
    return reply_to(query, sizeof query - 1) == 164;
}

static bool deny(void)
{
    return reply_to(missing, sizeof missing - 1) > 0 && (answer[3] & 15) == DNS_NXDOMAIN;
}

static bool deny_nsec3(void)
{
    return reply_to(missing3, sizeof missing3 - 1) > 0 && (answer[3] & 15) == DNS_NXDOMAIN;
}

static bool expand_wildcard(void)
{
    return reply_to(wild, sizeof wild - 1) > 0 && answer[7] == 2;
}

static bool expand_wildcard_nsec3(void)
{
    return reply_to(wild3, sizeof wild3 - 1) > 0 && answer[7] == 2;
}

static const struct {
    const char *name;
    bool (*call)(void);
} benchmarks[] = {
    { "make a Responder-Cookie", make_cookie },
    { "verify a Responder-Cookie", verify_cookie },
    { "encode an opening, 60 bytes of data", encode_opening },
    { "decode that opening", decode_opening },
    { "refuse it, a forged one, from packet in on", refuse_forged },
    { "find an answer of 164 bytes", find_answer },
    { "deny a name, two NSEC, signed", deny },
    { "deny a name, three NSEC3, signed", deny_nsec3 },
    { "expand a wildcard, one NSEC, signed", expand_wildcard },
    { "expand a wildcard, one NSEC3, signed", expand_wildcard_nsec3 },
};

static bool make_stack(void)
{
    const struct tcpct_config config = { .random = draw, .wall_clock_us = 1 };
    const struct tcpct_listen_options options = { .port = 53,
                                                  .parameters.cookie_desired = COOKIE_SIZE_MAX };
    return tcpct_stack_create(&stack, &config, 0) == TCPCT_OK &&
           tcpct_address_add(stack, &local) == TCPCT_OK &&
           tcpct_listen(stack, &options, &listener) == TCPCT_OK;
}

/* ---- measuring -------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    char error[256];
    struct zone_source sources[2];
    if (!zone_source_parse(&sources[0], "example=tools/zones/example.signed") ||
        !zone_source_parse(&sources[1], "optout.test=tools/zones/optout.signed") ||
        (zones = dns_zones_load(sources, 2, error, sizeof error)) == NULL ||
        !secrets_create(&secrets, draw, NULL, 600000000, 30000000, 1, 0) || !make_stack()) {
        fprintf(stderr, "core: run it in the folder of the Makefile\n");
        return 1;
    }
    for (size_t i = 0; i < sizeof benchmarks / sizeof benchmarks[0]; i++) {
        double runs[RUNS];
        for (int run = 0; run < RUNS; run++) {
            uint64_t start = clock_ns();
            for (int call = 0; call < CALLS; call++) {
                if (!benchmarks[i].call()) {
                    fprintf(stderr, "core: %s failed\n", benchmarks[i].name);
                    return 1;
                }
            }
            runs[run] = (double)(clock_ns() - start) / CALLS;
        }
        qsort(runs, RUNS, sizeof runs[0], compare);
        printf("%-40s %6.0f ns\n", benchmarks[i].name, runs[RUNS / 2]);
    }
    tcpct_stack_destroy(stack);
    secrets_destroy(&secrets);
    dns_zones_free(zones);
    return 0;
}
