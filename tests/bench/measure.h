/* measure.h - what the benchmarks' programs share: processor time, and a stop on SIGTERM. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Of this process, user and system, with what the kernel does in softirqs on its behalf. */
static inline uint64_t measure_cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static volatile sig_atomic_t measure_stopped;

static inline void measure_take_signal(int number)
{
    (void)number;
    measure_stopped = 1;
}

/* Afterwards SIGTERM sets measure_stopped and interrupts what waits. */
static inline void measure_stop_on_term(void)
{
    const struct sigaction action = { .sa_handler = measure_take_signal };
    sigaction(SIGTERM, &action, NULL);
}

/* The line for which the scripts wait. */
static inline void measure_ready(void)
{
    puts("ready");
    fflush(stdout);
}

static inline int measure_fail(const char *program, const char *why)
{
    fprintf(stderr, "%s: %s\n", program, why);
    return 1;
}

#endif
