/* bench.c - `tcpct bench`: the reports that experiments of the lab make, by their names, and what
 * such an experiment measures inside a process of ours.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/bench.h"
#include "tools/command.h"

enum {
    ENTRIES_MAX = 16 * 1024 * 1024,
    COLLAPSED_MIN = 4096, /* so that 256 clients of one prefix are within its quota */
    WORDS_MAX = 64,
};

static int usage(void)
{
    return command_error("bench", EXIT_USAGE, "say restart or state: see `tcpct bench --help`");
}

static int help(void)
{
    printf(
        "usage: tcpct bench restart [OPTION OF tcpct lab run]...\n"
        "       tcpct bench state [--entries N] [--ipv6] [--client]\n"
        "       tcpct bench state --collapsed [--entries N] [--active N] [--table]\n"
        "restart: one report of round trips, completion time, harm and state, beside the kernel's\n"
        "TCP; the same as `tcpct lab run restart`. --quick is a short one.\n"
        "state: the memory that so many remembered connections take, as JSON; --collapsed: of\n"
        "idle ones beside others in use, and the time that a revival takes.\n");
    return 0;
}

/* ---- state ------------------------------------------------------------------------------------ */

static int measure_remembered(uint64_t entries, bool ipv6, bool client)
{
    double mb = bench_state_remembered((uint32_t)entries, ipv6, client);
    printf("{\"entries\": %llu, \"entry_bytes\": %.2f, \"rss_mb\": %.1f}\n",
           (unsigned long long)entries, mb * 1e6 / (double)entries, mb);
    return 0;
}

static void print_row(const char *what, double mb, uint64_t count)
{
    printf("%-56s %9llu %9.1f %9.1f\n", what, (unsigned long long)count, mb,
           mb * 1e6 / (double)count);
}

static void print_time(const char *what, double us)
{
    printf("%-56s %29.2f us\n", what, us);
}

static int measure_collapsed(uint64_t entries, uint64_t active, bool table)
{
    struct bench_state found;
    if (entries < COLLAPSED_MIN || entries + active > ENTRIES_MAX)
        return command_error(
            "bench", EXIT_USAGE,
            "--collapsed takes %d entries at least, and %d with the active ones at "
            "most",
            COLLAPSED_MIN, ENTRIES_MAX);
    double remembered_mb = table ? bench_state_remembered((uint32_t)entries, false, false) : 0;
    bench_state_collapsed((uint32_t)entries, (uint32_t)active, &found);
    double revival_us = found.collapsed_us - found.active_us;
    if (!table) {
        printf("{\"entries\": %llu, \"entry_bytes\": %.2f, \"rss_mb\": %.1f, \"active\": %llu, "
               "\"active_mb\": %.1f, \"revival_us\": %.2f, \"kernel_handshake_us\": %.2f}\n",
               (unsigned long long)entries, found.collapsed_mb * 1e6 / (double)entries,
               found.collapsed_mb, (unsigned long long)active, found.active_mb, revival_us,
               found.handshake_us);
        return 0;
    }
    printf("%-56s %9s %9s %9s\n", "IPv4 connections", "count", "MB", "bytes");
    print_row("remembered", remembered_mb, entries);
    print_row("collapsed", found.collapsed_mb, entries);
    print_row("kept active beside them", found.active_mb, active);
    printf("\na segment with a query, from packet in to event\n");
    print_time("for an active connection", found.active_us);
    print_time("for a collapsed connection", found.collapsed_us);
    print_time("so a revival takes", revival_us);
    print_time("the kernel's handshake, both ends, over lo", found.handshake_us);
    return 0;
}

static int bench_state(char **words)
{
    uint64_t entries = 1000000, active = 50000;
    bool ipv6 = false, client = false, collapsed = false, table = false;
    for (size_t i = 0; words[i] != NULL; i++) {
        bool is_active = strcmp(words[i], "--active") == 0;
        if (strcmp(words[i], "--ipv6") == 0)
            ipv6 = true;
        else if (strcmp(words[i], "--client") == 0)
            client = true;
        else if (strcmp(words[i], "--collapsed") == 0)
            collapsed = true;
        else if (strcmp(words[i], "--table") == 0)
            table = true;
        else if ((!is_active && strcmp(words[i], "--entries") != 0) || words[i + 1] == NULL ||
                 !unit_number(words[++i], 1, ENTRIES_MAX, is_active ? &active : &entries))
            return command_error("bench", EXIT_USAGE,
                                 "state takes --entries and --active (1 to %d), --ipv6, --client, "
                                 "--collapsed and --table",
                                 ENTRIES_MAX);
    }
    if (collapsed ? ipv6 || client : table)
        return command_error("bench", EXIT_USAGE,
                             "--collapsed goes with --active and --table, and they with it");
    return collapsed ? measure_collapsed(entries, active, table)
                     : measure_remembered(entries, ipv6, client);
}

/* ---- the command ------------------------------------------------------------------------------ */

/* `tcpct lab run NAME ...` */
static int run_experiment(char **words)
{
    char *lab[WORDS_MAX] = { (char *)"lab", (char *)"run" };
    int count = 2;
    for (; *words != NULL && count + 1 < WORDS_MAX; words++)
        lab[count++] = *words;
    return command_lab(count, lab);
}

int command_bench(int argc, char **argv)
{
    if (argc < 2)
        return usage();
    if (strcmp(argv[1], "--help") == 0)
        return help();
    if (strcmp(argv[1], "restart") == 0)
        return run_experiment(argv + 1);
    if (strcmp(argv[1], "state") == 0)
        return bench_state(argv + 2);
    return usage();
}
