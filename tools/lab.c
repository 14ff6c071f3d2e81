/* lab.c - `tcpct lab`: the topology that demo, tests and benchmarks share.
 *
 *     NAME-client                                              NAME-server
 *     link0 10.60.1.1, fd60:1::1  ====== tcpct link ======  link0 10.60.2.1, fd60:2::1
 *
 * Two named network namespaces, joined by a `tcpct link` in the background that has a device in
 * each. 10.60.1.0/24 and fd60:1::/64 are routed to the client, 10.60.2.0/24 and fd60:2::/64 to the
 * server, so a stack on a TUN device of its own in there is reached at any other address of
 * these. The kernel's addresses are single ones, without the prefix: a packet to an address that
 * nothing has taken yet is unreachable, rather than sent to and fro.
 *
 * What `up` made is written down in a state folder before it is made, so that `down` can take
 * away whatever an interrupted `up` left. The folder is also the lock: it can be made only once.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/lab_capture.h"
#include "tools/lab_namespace.h"

enum {
    NAME_SIZE = 32,
    STATE_SIZE = 200,
    PATH_SIZE = 256,
    LINK_ARGUMENTS_MAX = 64,
    READY_TIMEOUT_MS = 10000,
    END_TIMEOUT_MS = 5000,
};

static const char state_parent[] = "/run/tcpct-lab";
static const char self[] = "/proc/self/exe";
static const char link_device[] = "link0";

struct lab {
    char name[NAME_SIZE];
    char state[STATE_SIZE]; /* the state folder */
    char client[NAME_SIZE + 8], server[NAME_SIZE + 8];
};

static int usage(void)
{
    return command_error(
        "lab", EXIT_USAGE,
        "say up, down, exec, capture or enter, and what belongs to it: see `tcpct lab --help`");
}

static int help(void)
{
    printf(
        "usage: tcpct lab up [--name NAME] [--state DIR] [FLAGS OF tcpct link]\n"
        "       tcpct lab down [--name NAME] [--state DIR]\n"
        "       tcpct lab exec [--name NAME] [--state DIR] client|server -- COMMAND...\n"
        "       tcpct lab capture [--name NAME] [--state DIR] client|server FILE.pcap\n"
        "       tcpct lab enter -- COMMAND...\n"
        "Two network namespaces joined by a link: build them, remove them, run a command in one of\n"
        "them, capture what passes one's end of the link (until SIGTERM), or run a command for\n"
        "which all that is allowed without root.\n");
    return 0;
}

/* ---- names ------------------------------------------------------------------------------------ */

static bool name_is_good(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length >= NAME_SIZE || !isalnum((unsigned char)name[0]))
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
           length;
}

/* The value of `flag` at argv[*at], as two words or with "=", stepping over it; else NULL. */
static const char *take(char **argv, int *at, const char *flag)
{
    size_t length = strlen(flag);
    if (strncmp(argv[*at], flag, length) != 0)
        return NULL;
    if (argv[*at][length] == '=')
        return argv[(*at)++] + length + 1;
    if (argv[*at][length] != '\0' || argv[*at + 1] == NULL)
        return NULL;
    *at += 2;
    return argv[*at - 1];
}

/* Takes --name and --state wherever they stand before "--" and leaves the other words in
 * rest[0..max), NULL at the end. 0, or EXIT_USAGE after a message. */
static int lab_parse(struct lab *lab, char **argv, char **rest, size_t max)
{
    const char *name = "lab", *state = NULL, *value;
    size_t count = 0;
    bool ours = true;
    for (int at = 0; argv[at] != NULL;) {
        if (ours && (value = take(argv, &at, "--name")) != NULL) {
            name = value;
        } else if (ours && (value = take(argv, &at, "--state")) != NULL) {
            state = value;
        } else {
            ours = ours && strcmp(argv[at], "--") != 0;
            if (count + 1 >= max)
                return command_error("lab", EXIT_USAGE, "too many words; at most %zu", max - 1);
            rest[count++] = argv[at++];
        }
    }
    rest[count] = NULL;
    if (!name_is_good(name))
        return command_error("lab", EXIT_USAGE,
                             "--name takes up to %d letters, digits, '-' and '_', not \"%s\"",
                             NAME_SIZE - 1, name);
    snprintf(lab->name, sizeof lab->name, "%s", name);
    snprintf(lab->client, sizeof lab->client, "%s-client", name);
    snprintf(lab->server, sizeof lab->server, "%s-server", name);
    int length = state != NULL
                     ? snprintf(lab->state, sizeof lab->state, "%s", state)
                     : snprintf(lab->state, sizeof lab->state, "%s/%s", state_parent, name);
    if (length >= (int)sizeof lab->state)
        return command_error("lab", EXIT_USAGE, "--state takes at most %d bytes", STATE_SIZE - 1);
    return 0;
}

static const char *state_path(const struct lab *lab, const char *file, char *path)
{
    snprintf(path, PATH_SIZE, "%s/%s", lab->state, file);
    return path;
}

/* ---- the link's process ----------------------------------------------------------------------- */

/* When a process started, in ticks since boot: with its number, it names a process for good.
 * 0: there is none. */
static unsigned long long process_start(pid_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    char *at = strrchr(text, ')'); /* behind the program's name, which may hold anything */
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at == NULL ? 0 : strtoull(at, NULL, 10);
}

/* In the child: writes down who it is, and becomes the link. Returns only on failure. */
static void link_become(const struct lab *lab, char **flags, int ready)
{
    char path[PATH_SIZE], device_a[NAME_SIZE + 16], device_b[NAME_SIZE + 16];
    char *arguments[LINK_ARGUMENTS_MAX + 32];
    snprintf(device_a, sizeof device_a, "%s@%s", link_device, lab->client);
    snprintf(device_b, sizeof device_b, "%s@%s", link_device, lab->server);
    const char *fixed[] = {
        "tcpct",     "link",          "--a",       device_a,        "--b",       device_b,
        "--host-a",  "10.60.1.1/32",  "--host-a",  "fd60:1::1/128", "--host-b",  "10.60.2.1/32",
        "--host-b",  "fd60:2::1/128", "--route-a", "10.60.2.0/24",  "--route-a", "fd60:2::/64",
        "--route-b", "10.60.1.0/24",  "--route-b", "fd60:1::/64",
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        arguments[count++] = (char *)fixed[i];
    for (size_t i = 0; flags[i] != NULL; i++)
        arguments[count++] = flags[i];
    arguments[count] = NULL;

    FILE *file = fopen(state_path(lab, "link", path), "we");
    if (file == NULL || fprintf(file, "%d %llu\n", (int)getpid(), process_start(getpid())) < 0 ||
        fclose(file) != 0)
        return;
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log =
        open(state_path(lab, "link.log", path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (nothing < 0 || log < 0 || setsid() < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
        dup2(ready, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        return;
    execv(self, arguments);
}

static bool link_is_ready(int output)
{
    char text[64];
    size_t size = 0;
    struct pollfd wait = { .fd = output, .events = POLLIN };
    while (size < sizeof text - 1 && poll(&wait, 1, READY_TIMEOUT_MS) > 0) {
        ssize_t got = read(output, text + size, sizeof text - 1 - size);
        if (got <= 0)
            return false;
        size += (size_t)got;
        text[size] = '\0';
        if (strchr(text, '\n') != NULL)
            return strncmp(text, "ready", 5) == 0;
    }
    return false;
}

/* What the link said before it gave up. */
static void link_explain(const struct lab *lab)
{
    char path[PATH_SIZE], line[512];
    FILE *file = fopen(state_path(lab, "link.log", path), "re");
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL)
        fputs(line, stderr);
    fclose(file);
}

static int link_start(const struct lab *lab, char **flags)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return command_error("lab", 1, "cannot make a pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        link_become(lab, flags, ends[1]);
        _exit(127);
    }
    close(ends[1]);
    bool ready = child > 0 && link_is_ready(ends[0]);
    close(ends[0]);
    if (ready)
        return 0;
    int status = 0;
    if (child > 0) {
        kill(child, SIGTERM); /* it may hang; if it has ended, this changes nothing */
        waitpid(child, &status, 0);
    }
    link_explain(lab);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_USAGE)
        return EXIT_USAGE; /* the link's own flags: it has said what is wrong */
    return command_error("lab", 1, "the link between the namespaces did not start");
}

/* Ends the link if it is still the process that was written down, and waits until it is gone. */
static int link_end(const struct lab *lab)
{
    char path[PATH_SIZE], line[64] = "", *end = line;
    FILE *file = fopen(state_path(lab, "link", path), "re");
    if (file == NULL)
        return 0;
    bool written = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    pid_t pid = written ? (pid_t)strtol(line, &end, 10) : 0;
    unsigned long long start = strtoull(end, NULL, 10);
    if (pid <= 1)
        return 0;
    /* The descriptor first: from then on the number cannot pass to another process unseen. */
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0)
        return 0;
    struct pollfd wait = { .fd = process, .events = POLLIN };
    int result = 0;
    if (process_start(pid) == start) {
        syscall(SYS_pidfd_send_signal, process, SIGTERM, NULL, 0);
        if (poll(&wait, 1, END_TIMEOUT_MS) == 0)
            syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
        if (poll(&wait, 1, END_TIMEOUT_MS) == 0)
            result = command_error("lab", 1, "the link (process %d) does not end", (int)pid);
    }
    close(process);
    return result;
}

/* ---- up, down --------------------------------------------------------------------------------- */

static int lab_down(const struct lab *lab)
{
    char error[NAMESPACE_ERROR_SIZE], path[PATH_SIZE];
    if (access(lab->state, F_OK) < 0)
        return command_error("lab", 1, "there is no lab \"%s\"", lab->name);
    int status = link_end(lab);
    if (namespace_remove(lab->client, error) < 0 || namespace_remove(lab->server, error) < 0)
        status = command_error("lab", 1, "%s", error);
    unlink(state_path(lab, "link", path));
    unlink(state_path(lab, "link.log", path));
    if (status == 0 && rmdir(lab->state) < 0)
        status = command_error("lab", 1, "cannot remove %s: %s", lab->state, strerror(errno));
    return status;
}

static void lab_show(const struct lab *lab, char **flags)
{
    printf("%-36s                %s\n", lab->client, lab->server);
    printf("%-36s <============> %s\n", "  link0 10.60.1.1, fd60:1::1",
           "  link0 10.60.2.1, fd60:2::1");
    printf("%-36s   tcpct link   %s\n\n", "  stacks 10.60.1.0/24, fd60:1::/64",
           "  stacks 10.60.2.0/24, fd60:2::/64");
    printf("link:");
    for (size_t i = 0; flags[i] != NULL; i++)
        printf(" %s", flags[i]);
    printf("%s\n\n", flags[0] == NULL ? " no delay, no limit" : "");

    char name[NAME_SIZE + 8] = "";
    if (strcmp(lab->name, "lab") != 0)
        snprintf(name, sizeof name, "--name %s ", lab->name);
    printf("tcpct lab exec %sserver -- tcpct dnsd --tun tcpct0 --addr 10.60.2.53 --zone FILE\n",
           name);
    printf("tcpct lab exec %sclient -- tcpct dig --tun tcpct0 --addr 10.60.1.2 @10.60.2.53 NAME\n",
           name);
    printf("tcpct lab exec %sclient -- dig +tcp @10.60.2.53 NAME\n", name);
    printf("tcpct lab down %s\n", name);
}

static int lab_up(const struct lab *lab, char **flags)
{
    char error[NAMESPACE_ERROR_SIZE];
    if (mkdir(state_parent, 0755) < 0 && errno != EEXIST && errno != EACCES && errno != EPERM)
        return command_error("lab", 1, "cannot make %s: %s", state_parent, strerror(errno));
    if (mkdir(lab->state, 0755) < 0) {
        if (errno == EEXIST)
            return command_error("lab", 1,
                                 "the lab \"%s\" is up already, or was left half built; `tcpct lab "
                                 "down --name %s` removes it",
                                 lab->name, lab->name);
        if (geteuid() != 0)
            return command_error("lab", 1,
                                 "only root may build a lab; run it as root, or inside `tcpct lab "
                                 "enter -- sh`");
        return command_error("lab", 1, "cannot make %s: %s", lab->state, strerror(errno));
    }
    int status;
    if (namespace_create(lab->client, error) < 0) {
        status = command_error("lab", 1, "%s", error);
        rmdir(lab->state); /* that namespace may be somebody else's: leave it */
        return status;
    }
    if (namespace_create(lab->server, error) < 0) {
        status = command_error("lab", 1, "%s", error);
        namespace_remove(lab->client, error);
        rmdir(lab->state);
        return status;
    }
    status = link_start(lab, flags);
    if (status != 0)
        lab_down(lab);
    else
        lab_show(lab, flags);
    return status;
}

/* ---- exec, enter ------------------------------------------------------------------------------ */

static int become(char **words)
{
    execvp(words[0], words);
    return command_error("lab", 1, "cannot run %s: %s", words[0], strerror(errno));
}

/* Moves into the namespace of the host that `word` names. 0, or a status after a message. */
static int join(const struct lab *lab, const char *word)
{
    char error[NAMESPACE_ERROR_SIZE];
    bool client = strcmp(word, "client") == 0;
    if (!client && strcmp(word, "server") != 0)
        return command_error("lab", EXIT_USAGE, "the hosts are client and server, not \"%s\"",
                             word);
    if (access(lab->state, F_OK) < 0)
        return command_error("lab", 1, "there is no lab \"%s\"; `tcpct lab up` builds it",
                             lab->name);
    if (namespace_join(client ? lab->client : lab->server, error) < 0)
        return command_error("lab", 1, "%s", error);
    return 0;
}

static int lab_exec(const struct lab *lab, char **words)
{
    if (words[0] == NULL || words[1] == NULL || strcmp(words[1], "--") != 0 || words[2] == NULL)
        return usage();
    int status = join(lab, words[0]);
    return status != 0 ? status : become(words + 2);
}

static int lab_watch(const struct lab *lab, char **words)
{
    if (words[0] == NULL || words[1] == NULL || words[2] != NULL)
        return usage();
    int status = join(lab, words[0]);
    return status != 0 ? status : lab_capture(link_device, words[1]);
}

/* Takes down every lab that was left in a private world, since nobody else can reach it. */
static void down_all(void)
{
    DIR *folder = opendir(state_parent);
    if (folder == NULL)
        return;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        struct lab lab;
        char *words[] = { "--name", (char *)entry->d_name, NULL }, *rest[2];
        if (name_is_good(entry->d_name) && lab_parse(&lab, words, rest, 2) == 0)
            lab_down(&lab);
    }
    closedir(folder);
}

static int lab_enter(char **words)
{
    char error[NAMESPACE_ERROR_SIZE];
    if (words[0] == NULL || strcmp(words[0], "--") != 0 || words[1] == NULL)
        return usage();
    if (geteuid() == 0)
        return become(words + 1);
    int device = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (device < 0)
        return command_error("lab", 1, "%s",
                             errno == ENOENT
                                 ? "there is no /dev/net/tun; root may make it with `modprobe tun`"
                                 : "this user may not open /dev/net/tun; root may allow it with "
                                   "`chmod 666 /dev/net/tun`");
    close(device);
    if (namespace_private(error) < 0)
        return command_error("lab", 1, "%s", error);

    /* Wait for the command, whatever is typed at the terminal, and clean up behind it. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    pid_t child = fork();
    if (child < 0)
        return command_error("lab", 1, "cannot start %s: %s", words[1], strerror(errno));
    if (child == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        _exit(become(words + 1));
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    down_all();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int command_lab(int argc, char **argv)
{
    struct lab lab;
    char *rest[LINK_ARGUMENTS_MAX];
    if (argc < 2)
        return usage();
    if (strcmp(argv[1], "--help") == 0)
        return help();
    if (strcmp(argv[1], "enter") == 0)
        return lab_enter(argv + 2);
    if (lab_parse(&lab, argv + 2, rest, LINK_ARGUMENTS_MAX) != 0)
        return EXIT_USAGE;
    if (strcmp(argv[1], "up") == 0)
        return lab_up(&lab, rest);
    if (strcmp(argv[1], "exec") == 0)
        return lab_exec(&lab, rest);
    if (strcmp(argv[1], "capture") == 0)
        return lab_watch(&lab, rest);
    if (strcmp(argv[1], "down") == 0 && rest[0] == NULL)
        return lab_down(&lab);
    return usage();
}
