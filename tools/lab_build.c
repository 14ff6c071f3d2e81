/* lab_build.c - see lab_build.h. */
#include "tools/lab_build.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/lab_namespace.h"
#include "tools/lab_process.h"

enum { WORDS_MAX = 256, FLAGS_SIZE = 4096 };

/* ---- names ------------------------------------------------------------------------------------ */

bool lab_name_is_good(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length >= LAB_NAME_SIZE || !isalnum((unsigned char)name[0]))
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
           length;
}

const char *lab_netns(const struct lab *lab, const char *host, char netns[LAB_NETNS_SIZE])
{
    snprintf(netns, LAB_NETNS_SIZE, "%s-%.12s", lab->name, host);
    return netns;
}

const char *lab_state_path(const struct lab *lab, const char *file, char path[LAB_PATH_SIZE])
{
    snprintf(path, LAB_PATH_SIZE, "%s/%s", lab->state, file);
    return path;
}

const char *lab_data(const char *file, char path[LAB_PATH_SIZE])
{
    static const char *const places[] = { "../share/tcpct", "../tools", "../../../tools" };
    char self[LAB_PATH_SIZE / 2];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0)
        return NULL;
    self[size] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, LAB_PATH_SIZE, "%s/%s/%.200s", self, places[i], file);
        if (access(path, F_OK) == 0)
            return path;
    }
    return NULL;
}

/* ---- routes ----------------------------------------------------------------------------------- */

/* next[from][to]: the link by which `from` reaches `to` in the fewest hops; LAB_LINKS_MAX: none. */
struct routes {
    size_t next[LAB_HOSTS_MAX][LAB_HOSTS_MAX];
};

static void find_routes(const struct lab_part *part, struct routes *routes)
{
    size_t distance[LAB_HOSTS_MAX][LAB_HOSTS_MAX];
    for (size_t i = 0; i < part->host_count; i++)
        for (size_t j = 0; j < part->host_count; j++) {
            distance[i][j] = i == j ? 0 : LAB_HOSTS_MAX;
            routes->next[i][j] = LAB_LINKS_MAX;
        }
    /* Bellman and Ford: as many rounds as there are hosts are enough. */
    for (size_t round = 0; round < part->host_count; round++)
        for (size_t i = 0; i < part->link_count * 2; i++) {
            const size_t *ends = part->links[i / 2].ends;
            size_t from = ends[i % 2], by = ends[1 - i % 2];
            for (size_t to = 0; to < part->host_count; to++)
                if (distance[by][to] + 1 < distance[from][to]) {
                    distance[from][to] = distance[by][to] + 1;
                    routes->next[from][to] = i / 2;
                }
        }
}

/* ---- links ------------------------------------------------------------------------------------ */

/* The words of a link's command, and the texts behind them. */
struct words {
    char *words[WORDS_MAX + 1];
    size_t count, size;
    char text[FLAGS_SIZE * 2];
};

static void add_word(struct words *words, const char *first, const char *second)
{
    char *at = words->text + words->size;
    size_t room = sizeof words->text - words->size;
    size_t size = (size_t)snprintf(at, room, "%s%s", first, second) + 1;
    if (size > room || words->count == WORDS_MAX)
        exit(command_error("lab", EXIT_USAGE, "a link has too many flags"));
    words->size += size;
    words->words[words->count++] = at;
    words->words[words->count] = NULL;
}

const char *lab_own_address(const char *prefix, char *text, size_t size)
{
    struct tun_address address;
    address_parse_prefix(prefix, &address);
    address.address.bytes[address.address.family == 4 ? 3 : 15] |= 1;
    return address_text(&address.address, text, size);
}

/* How many links before this one end in the host. */
static size_t device_number(const struct lab_part *part, size_t link, size_t host)
{
    size_t number = 0;
    for (size_t i = 0; i < link; i++)
        number += part->links[i].ends[0] == host || part->links[i].ends[1] == host;
    return number;
}

static void add_side(struct words *words, const struct lab *lab, const struct lab_part *part,
                     const struct routes *routes, size_t link, int side)
{
    char text[128], own[64], netns[LAB_NETNS_SIZE];
    const char *const letter = side == 0 ? "a" : "b";
    size_t host = part->links[link].ends[side];
    snprintf(text, sizeof text, "link%zu@%s", device_number(part, link, host),
             lab_netns(lab, part->hosts[host].name, netns));
    add_word(words, "--", letter);
    add_word(words, text, "");
    for (size_t i = 0; i < part->hosts[host].prefix_count; i++) {
        add_word(words, "--host-", letter);
        lab_own_address(part->hosts[host].prefixes[i], own, sizeof own);
        add_word(words, own, strchr(own, ':') != NULL ? "/128" : "/32");
    }
    for (size_t to = 0; to < part->host_count; to++)
        for (size_t i = 0; routes->next[host][to] == link && i < part->hosts[to].prefix_count;
             i++) {
            add_word(words, "--route-", letter);
            add_word(words, part->hosts[to].prefixes[i], "");
        }
}

static bool note_process(const struct lab *lab, pid_t pid)
{
    char path[LAB_PATH_SIZE];
    FILE *file = fopen(lab_state_path(lab, "processes", path), "ae");
    if (file == NULL || fprintf(file, "%d %llu\n", (int)pid, process_started_at(pid)) < 0 ||
        fclose(file) != 0) {
        command_error("lab", 1, "cannot write %s: %s", path, strerror(errno));
        return false;
    }
    return true;
}

static int start(const struct lab *lab, const struct process_options *options)
{
    pid_t pid = process_start(options);
    if (pid < 0)
        return 1;
    if (!note_process(lab, pid)) {
        process_end(pid);
        return 1;
    }
    return process_wait_ready(pid, options);
}

/* Unless the link's own flags say where: a file for live changes, and one for counters. */
static bool add_files(struct words *words, const struct lab *lab, size_t link)
{
    static const char *const files[][2] = { { "--settings", "settings" }, { "--stats", "json" } };
    for (size_t i = 0; i < 2; i++) {
        char file[32], path[LAB_PATH_SIZE];
        bool given = false;
        for (size_t j = 0; j < words->count; j++)
            given |= strncmp(words->words[j], files[i][0], strlen(files[i][0])) == 0;
        if (given)
            continue;
        snprintf(file, sizeof file, "link%zu.%s", link, files[i][1]);
        FILE *empty = fopen(lab_state_path(lab, file, path), "we");
        if (empty == NULL || fclose(empty) != 0) {
            command_error("lab", 1, "cannot write %s: %s", path, strerror(errno));
            return false;
        }
        add_word(words, files[i][0], "");
        add_word(words, path, "");
    }
    return true;
}

static int start_link(const struct lab *lab, const struct lab_part *part, size_t link,
                      const struct lab_environment *environment, char **flags, bool bound)
{
    static struct words words;
    struct routes routes;
    char expanded[FLAGS_SIZE], file[32], log[LAB_PATH_SIZE], name[64], *rest = expanded;
    const struct lab_host *hosts = part->hosts;
    words = (struct words){ 0 };
    find_routes(part, &routes);
    add_word(&words, "tcpct", "");
    add_word(&words, "link", "");
    add_side(&words, lab, part, &routes, link, 0);
    add_side(&words, lab, part, &routes, link, 1);
    if (!lab_expand(environment, part->links[link].flags, expanded, sizeof expanded))
        return 1;
    for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;)
        add_word(&words, word, "");
    for (size_t i = 0; flags != NULL && flags[i] != NULL; i++)
        add_word(&words, flags[i], "");
    if (!add_files(&words, lab, link))
        return 1;
    snprintf(file, sizeof file, "link%zu.log", link);
    snprintf(name, sizeof name, "the link between %s and %s", hosts[part->links[link].ends[0]].name,
             hosts[part->links[link].ends[1]].name);
    struct process_options options = { .name = name,
                                       .words = words.words,
                                       .environment = environment->entries,
                                       .log = lab_state_path(lab, file, log),
                                       .bound = bound };
    return start(lab, &options);
}

static int start_program(const struct lab *lab, const struct lab_part *part, size_t number,
                         const struct lab_environment *environment, const char *logs)
{
    const struct lab_program *program = &part->programs[number];
    const char *host = part->hosts[program->host].name;
    char *words[] = { "sh", "-c", (char *)program->shell, NULL };
    char netns[LAB_NETNS_SIZE], log[LAB_PATH_SIZE], file[32], name[64];
    snprintf(file, sizeof file, "program%zu.log", number);
    snprintf(name, sizeof name, "the program on %s", host);
    if (logs == NULL)
        lab_state_path(lab, file, log);
    else
        snprintf(log, sizeof log, "%.400s/%s", logs, file);
    struct process_options options = { .name = name,
                                       .netns = lab_netns(lab, host, netns),
                                       .words = words,
                                       .environment = environment->entries,
                                       .folder = logs,
                                       .log = log,
                                       .bound = logs != NULL };
    int status = start(lab, &options);
    return status > 0 ? 1 : status;
}

/* ---- up --------------------------------------------------------------------------------------- */

static int make_state(const struct lab *lab)
{
    if (mkdir(LAB_STATE_PARENT, 0755) < 0 && errno != EEXIST && errno != EACCES && errno != EPERM)
        return command_error("lab", 1, "cannot make " LAB_STATE_PARENT ": %s", strerror(errno));
    if (mkdir(lab->state, 0755) == 0)
        return 0;
    if (errno == EEXIST)
        return command_error("lab", 1,
                             "the lab \"%s\" is up already, or was left half built; `tcpct lab "
                             "down --name %s` removes it",
                             lab->name, lab->name);
    if (geteuid() != 0)
        return command_error(
            "lab", 1,
            "only root may build a lab; run it as root, or inside `tcpct lab enter -- sh`");
    return command_error("lab", 1, "cannot make %s: %s", lab->state, strerror(errno));
}

/* Writes a host's name down, then makes it; if that fails it may be somebody else's, so its name is
 * struck out again. */
static int make_host(const struct lab *lab, const char *host)
{
    char error[NAMESPACE_ERROR_SIZE], netns[LAB_NETNS_SIZE], path[LAB_PATH_SIZE];
    FILE *file = fopen(lab_state_path(lab, "hosts", path), "ae");
    long before = file != NULL && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (before < 0 || fprintf(file, "%s\n", host) < 0 || fflush(file) != 0)
        return command_error("lab", 1, "cannot write %s: %s", path, strerror(errno));
    int status = 0;
    if (namespace_create(lab_netns(lab, host, netns), error) < 0) {
        status = command_error("lab", 1, "%s", error);
        if (ftruncate(fileno(file), before) != 0)
            status = 1;
    }
    fclose(file);
    return status;
}

int lab_build(const struct lab *lab, const struct lab_part *part,
              struct lab_environment *environment, char **flags, const char *logs)
{
    int status = make_state(lab);
    if (status != 0)
        return status;
    if (logs == NULL)
        status = lab_add_program(environment, lab->state);
    for (size_t i = 0; i < part->host_count && status == 0; i++)
        status = make_host(lab, part->hosts[i].name);
    for (size_t i = 0; i < part->link_count && status == 0; i++)
        status = start_link(lab, part, i, environment, flags, logs != NULL);
    for (size_t i = 0; i < part->program_count && status == 0; i++)
        status = start_program(lab, part, i, environment, logs);
    if (status != 0)
        lab_remove(lab);
    return status;
}

/* ---- down ------------------------------------------------------------------------------------- */

struct noted {
    pid_t pid;
    unsigned long long started_at;
};
enum { NOTED_MAX = LAB_LINKS_MAX + LAB_PROGRAMS_MAX };

/* The processes of a lab in the order in which they were started: links first. */
static size_t read_processes(const struct lab *lab, struct noted noted[NOTED_MAX])
{
    char path[LAB_PATH_SIZE], line[64];
    size_t count = 0;
    FILE *file = fopen(lab_state_path(lab, "processes", path), "re");
    while (file != NULL && count < NOTED_MAX && fgets(line, sizeof line, file) != NULL) {
        char *end;
        noted[count].pid = (pid_t)strtol(line, &end, 10);
        noted[count++].started_at = strtoull(end, NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return count;
}

/* The last started ends first. */
static int end_processes(const struct lab *lab)
{
    struct noted noted[NOTED_MAX];
    size_t count = read_processes(lab, noted);
    int status = 0;
    while (count-- > 0)
        if (!process_end_other(noted[count].pid, noted[count].started_at))
            status = 1;
    return status;
}

static int remove_hosts(const struct lab *lab)
{
    char path[LAB_PATH_SIZE], line[64], netns[LAB_NETNS_SIZE], error[NAMESPACE_ERROR_SIZE];
    FILE *file = fopen(lab_state_path(lab, "hosts", path), "re");
    int status = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (namespace_remove(lab_netns(lab, line, netns), error) < 0)
            status = command_error("lab", 1, "%s", error);
    }
    if (file != NULL)
        fclose(file);
    return status;
}

int lab_remove(const struct lab *lab)
{
    char path[LAB_PATH_SIZE], file[32];
    if (access(lab->state, F_OK) < 0)
        return command_error("lab", 1, "there is no lab \"%s\"", lab->name);
    int status = end_processes(lab);
    if (remove_hosts(lab) != 0)
        status = 1;
    lab_remove_program(lab->state);
    unlink(lab_state_path(lab, "processes", path));
    unlink(lab_state_path(lab, "hosts", path));
    for (size_t i = 0; i < LAB_LINKS_MAX * 3; i++) {
        static const char *const ends[] = { "log", "settings", "json" };
        snprintf(file, sizeof file, "link%zu.%s", i / 3, ends[i % 3]);
        unlink(lab_state_path(lab, file, path));
    }
    for (size_t i = 0; i < LAB_PROGRAMS_MAX; i++) {
        snprintf(file, sizeof file, "program%zu.log", i);
        unlink(lab_state_path(lab, file, path));
    }
    if (status == 0 && rmdir(lab->state) < 0)
        status = command_error("lab", 1, "cannot remove %s: %s", lab->state, strerror(errno));
    return status;
}

bool lab_signal_link(const struct lab *lab, size_t link, int signal_number)
{
    struct noted noted[NOTED_MAX];
    if (link < read_processes(lab, noted) &&
        process_started_at(noted[link].pid) == noted[link].started_at &&
        kill(noted[link].pid, signal_number) == 0)
        return true;
    command_error("lab", 1, "the lab \"%s\" has no link %zu", lab->name, link);
    return false;
}

int lab_find_host(const struct lab *lab, const char *host)
{
    char path[LAB_PATH_SIZE], line[64], all[512] = "";
    if (access(lab->state, F_OK) < 0)
        return command_error("lab", 1, "there is no lab \"%s\"; `tcpct lab up` builds it",
                             lab->name);
    FILE *file = fopen(lab_state_path(lab, "hosts", path), "re");
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        found = strcmp(line, host) == 0;
        size_t size = strlen(all);
        snprintf(all + size, sizeof all - size, " %s", line);
    }
    if (file != NULL)
        fclose(file);
    if (!found)
        return command_error("lab", EXIT_USAGE, "there is no host \"%s\" in this lab, but:%s", host,
                             all);
    return 0;
}
