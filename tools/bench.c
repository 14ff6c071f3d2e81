/* bench.c - `tcpct bench`: the reports that experiments of the lab make, by their names, and what
 * such an experiment measures inside a process of ours.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tcpct/remember.h"
#include "tools/command.h"

enum { ENTRIES_MAX = 16 * 1024 * 1024, WORDS_MAX = 64 };

static int usage(void)
{
    return command_error("bench", EXIT_USAGE, "say restart or state: see `tcpct bench --help`");
}

static int help(void)
{
    printf(
        "usage: tcpct bench restart [OPTION OF tcpct lab run]...\n"
        "       tcpct bench state [--entries N] [--ipv6] [--client]\n"
        "restart: one report of round trips, completion time, harm and state, beside the kernel's\n"
        "TCP; the same as `tcpct lab run restart`. --quick is a short one.\n"
        "state: the memory that so many remembered connections take, as JSON.\n");
    return 0;
}

/* ---- state ------------------------------------------------------------------------------------ */

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

/* The pages that this process has in memory, in bytes; 0: unknown. */
static uint64_t resident(void)
{
    char line[128], *end = line;
    FILE *in = fopen("/proc/self/statm", "re");
    if (in == NULL)
        return 0;
    if (fgets(line, sizeof line, in) == NULL)
        *line = '\0';
    fclose(in);
    strtoull(line, &end, 10);
    return strtoull(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* As many connections as the table holds, each of another client, as they would come. */
static bool fill(struct remember_table *table, bool ipv6, bool client, uint64_t entries)
{
    for (uint64_t i = 0; i < entries; i++) {
        struct remember_key key = { .remote = { .family = ipv6 ? 6 : 4, .bytes = { 10 } },
                                    .local_port = client ? (uint16_t)(1024 + i % 60000) : 53,
                                    .remote_port = client ? 53 : (uint16_t)(1024 + i % 60000) };
        for (int byte = 0; byte < 3; byte++)
            key.remote.bytes[3 - byte] = (uint8_t)(i >> 8 * byte);
        struct remembered *entry = remember_use(table, &key);
        if (entry == NULL)
            return false;
        entry->path.window = 65536;
    }
    return true;
}

static int measure_state(uint64_t entries, bool ipv6, bool client)
{
    struct memory memory = { .allocate = allocate, .release = release };
    struct remember_table table;
    uint64_t before = resident();
    if (!remember_create(&table, &memory, ipv6 ? 6 : 4, client, (uint32_t)entries, 1) ||
        !fill(&table, ipv6, client, entries))
        return command_error("bench", 1, "out of memory");
    uint64_t bytes = resident() - before;
    printf("{\"entries\": %llu, \"entry_bytes\": %.2f, \"rss_mb\": %.1f}\n",
           (unsigned long long)entries, (double)bytes / (double)entries, (double)bytes / 1e6);
    remember_destroy(&table, &memory);
    return 0;
}

static int bench_state(char **words)
{
    uint64_t entries = 1000000;
    bool ipv6 = false, client = false;
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], "--ipv6") == 0)
            ipv6 = true;
        else if (strcmp(words[i], "--client") == 0)
            client = true;
        else if (strcmp(words[i], "--entries") != 0 || words[i + 1] == NULL ||
                 !unit_number(words[++i], 1, ENTRIES_MAX, &entries))
            return command_error("bench", EXIT_USAGE,
                                 "state takes --entries (1 to %d), --ipv6 and --client",
                                 ENTRIES_MAX);
    }
    return measure_state(entries, ipv6, client);
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
