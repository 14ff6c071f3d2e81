/* lab.c - `tcpct lab`: topologies, and the experiments in them. What it does is in the files beside
 * it: lab_file.c reads a topology, lab_build.c builds it, experiment.c measures.
 *
 * Without a file it is the one that demo, tests and benchmarks share:
 *
 *     NAME-client                                              NAME-server
 *     link0 10.60.1.1, fd60:1::1  ====== tcpct link ======  link0 10.60.2.1, fd60:2::1
 *
 * 10.60.1.0/24 and fd60:1::/64 are routed to the client, 10.60.2.0/24 and fd60:2::/64 to the server,
 * so a stack on a TUN device of its own in there is reached at any other address of these. The
 * kernel's addresses are single ones, without the prefix: a packet to an address that nothing has
 * taken yet is unreachable, rather than sent to and fro.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/experiment.h"
#include "tools/lab_ask.h"
#include "tools/lab_build.h"
#include "tools/lab_capture.h"
#include "tools/lab_live.h"
#include "tools/lab_namespace.h"

enum { REST_MAX = 64, ERROR_SIZE = LAB_ERROR_SIZE };

static const char default_topology[] = "host client 10.60.1.0/24 fd60:1::/64\n"
                                       "host server 10.60.2.0/24 fd60:2::/64\n"
                                       "link client server\n";

static int usage(void)
{
    return command_error("lab", EXIT_USAGE,
                         "say up, down, exec, shell, capture, run, list or enter, and what belongs "
                         "to it: see `tcpct lab --help`");
}

static int help(void)
{
    printf(
        "usage: tcpct lab up [--name NAME] [--set NAME=VALUE]... [FILE] [FLAGS OF tcpct link]\n"
        "       tcpct lab down [--name NAME]\n"
        "       tcpct lab exec [--name NAME] HOST -- COMMAND...\n"
        "       tcpct lab shell [--name NAME] HOST\n"
        "       tcpct lab capture [--name NAME] HOST FILE.pcap\n"
        "       tcpct lab change [--name NAME] [--link N] NAME=VALUE...\n"
        "       tcpct lab counters [--name NAME] [--link N]\n"
        "       tcpct lab run EXPERIMENT|FILE [--out FOLDER] [--quick] [--seed N]\n"
        "                 [--set NAME=VALUE[,VALUE]...]...\n"
        "       tcpct lab list [EXPERIMENT|FILE]\n"
        "       tcpct lab ask udp|tcp|fastopen|held @SERVER NAME [TYPE] [OPTION]...\n"
        "       tcpct lab flow --listen PORT | --from ADDR:PORT --time TIME\n"
        "       tcpct lab flood --device DEV --to ADDR:PORT --rate N --time TIME [--cookies]\n"
        "       tcpct lab enter -- COMMAND...\n"
        "Network namespaces joined by links: build them (two, or those of a file), remove them, run a\n"
        "command or a shell in one of them, capture what passes one's end of the link (until SIGTERM),\n"
        "run an experiment, or run a command for which all that is allowed without root; ask and flow\n"
        "are DNS and a bulk transfer over the kernel's TCP, flood is <SYN>s from nowhere. --state DIR says where a lab is written "
        "down.\n");
    return 0;
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

struct given {
    const char *sets[REST_MAX], *out, *seed;
    size_t set_count;
    bool quick;
    char *rest[REST_MAX]; /* the other words, NULL at the end */
};

static int set_lab(struct lab *lab, const char *name, const char *state)
{
    if (!lab_name_is_good(name))
        return command_error("lab", EXIT_USAGE,
                             "--name takes up to %d letters, digits, '-' and '_', not \"%s\"",
                             LAB_NAME_SIZE - 1, name);
    snprintf(lab->name, sizeof lab->name, "%s", name);
    int length = state != NULL
                     ? snprintf(lab->state, sizeof lab->state, "%s", state)
                     : snprintf(lab->state, sizeof lab->state, LAB_STATE_PARENT "/%s", name);
    if (length >= (int)sizeof lab->state)
        return command_error("lab", EXIT_USAGE, "--state takes at most %d bytes",
                             LAB_STATE_SIZE - 1);
    return 0;
}

/* Takes our own flags wherever they stand before "--". 0, or EXIT_USAGE after a message. */
static int parse(struct lab *lab, struct given *given, char **argv, bool experiment)
{
    char unique[LAB_NAME_SIZE];
    const char *name = "lab", *state = NULL, *value;
    size_t count = 0;
    if (experiment) {
        snprintf(unique, sizeof unique, "run-%d", (int)getpid());
        name = unique;
    }
    bool ours = true;
    for (int at = 0; argv[at] != NULL;) {
        if (ours && (value = take(argv, &at, "--name")) != NULL) {
            name = value;
        } else if (ours && (value = take(argv, &at, "--state")) != NULL) {
            state = value;
        } else if (ours && given->set_count < REST_MAX &&
                   (value = take(argv, &at, "--set")) != NULL) {
            given->sets[given->set_count++] = value;
        } else if (experiment && (value = take(argv, &at, "--out")) != NULL) {
            given->out = value;
        } else if (experiment && (value = take(argv, &at, "--seed")) != NULL) {
            given->seed = value;
        } else if (experiment && strcmp(argv[at], "--quick") == 0) {
            given->quick = true;
            at++;
        } else {
            ours = ours && strcmp(argv[at], "--") != 0;
            if (count + 1 >= REST_MAX)
                return command_error("lab", EXIT_USAGE, "too many words; at most %d", REST_MAX - 1);
            given->rest[count++] = argv[at++];
        }
    }
    return set_lab(lab, name, state);
}

/* ---- up ---------------------------------------------------------------------------------------- */

static void show_hosts(const struct lab *lab, const struct lab_part *part)
{
    char netns[LAB_NETNS_SIZE], own[64];
    for (size_t i = 0; i < part->host_count; i++) {
        printf("%-24s", lab_netns(lab, part->hosts[i].name, netns));
        for (size_t j = 0; j < part->hosts[i].prefix_count; j++)
            printf(" %s of %s", lab_own_address(part->hosts[i].prefixes[j], own, sizeof own),
                   part->hosts[i].prefixes[j]);
        printf("\n");
    }
}

static void show(const struct lab *lab, const struct lab_part *part,
                 const struct lab_environment *environment, char **flags)
{
    char text[1024], name[LAB_NAME_SIZE + 8] = "";
    show_hosts(lab, part);
    for (size_t i = 0; i < part->link_count; i++) {
        lab_expand(environment, part->links[i].flags, text, sizeof text);
        printf("%s <== tcpct link ==> %s: %s", part->hosts[part->links[i].ends[0]].name,
               part->hosts[part->links[i].ends[1]].name, text);
        for (size_t j = 0; flags[j] != NULL; j++)
            printf(" %s", flags[j]);
        printf("%s\n", *text == '\0' && flags[0] == NULL ? "no delay, no limit" : "");
    }
    if (strcmp(lab->name, "lab") != 0)
        snprintf(name, sizeof name, "--name %s ", lab->name);
    printf("\nThese are the kernel's addresses; a stack may take any other of a prefix. For "
           "example:\n\n"
           "tcpct lab exec %sserver -- tcpct dnsd --tun tcpct0 --addr 10.60.2.53 --zone FILE\n"
           "tcpct lab exec %sclient -- tcpct dig --tun tcpct0 --addr 10.60.1.2 @10.60.2.53 NAME\n"
           "tcpct lab exec %sclient -- dig +tcp @10.60.2.53 NAME\n"
           "tcpct lab down %s\n",
           name, name, name, name);
}

static int up(const struct lab *lab, struct given *given)
{
    char error[ERROR_SIZE], **flags = given->rest;
    bool own = flags[0] != NULL && flags[0][0] != '-';
    struct lab_file *file =
        own ? lab_file_read(*flags++, NULL, error) : lab_file_read("", default_topology, error);
    if (file == NULL)
        return command_error("lab", EXIT_USAGE, "%s", error);
    int status = 0;
    for (size_t i = 0; i < given->set_count && status == 0; i++)
        if (!lab_file_set(file, given->sets[i], error))
            status = command_error("lab", EXIT_USAGE, "%s", error);
    struct lab_environment environment;
    lab_environment_begin(&environment);
    experiment_environment(&environment, file, file->parts);
    lab_environment_set(&environment, "lab", lab->name);
    if (status == 0)
        status = lab_build(lab, file->parts, &environment, flags, NULL);
    if (status == 0)
        show(lab, file->parts, &environment, flags);
    lab_environment_free(&environment);
    lab_file_free(file);
    return status;
}

/* ---- exec, shell, capture ---------------------------------------------------------------------- */

static int become(char **words)
{
    execvp(words[0], words);
    return command_error("lab", 1, "cannot run %s: %s", words[0], strerror(errno));
}

/* Moves into a host. 0, or a status after a message. */
static int join(const struct lab *lab, const char *host)
{
    char error[NAMESPACE_ERROR_SIZE], netns[LAB_NETNS_SIZE];
    int status = lab_find_host(lab, host);
    if (status == 0 && namespace_join(lab_netns(lab, host, netns), error) < 0)
        status = command_error("lab", 1, "%s", error);
    return status;
}

static int execute(const struct lab *lab, char **words)
{
    if (words[0] == NULL || words[1] == NULL || strcmp(words[1], "--") != 0 || words[2] == NULL)
        return usage();
    int status = join(lab, words[0]);
    return status != 0 ? status : become(words + 2);
}

static int shell(const struct lab *lab, char **words)
{
    const char *shell = getenv("SHELL");
    char *command[] = { (char *)(shell != NULL && *shell != '\0' ? shell : "/bin/sh"), NULL };
    char prompt[64];
    if (words[0] == NULL || words[1] != NULL)
        return usage();
    int status = join(lab, words[0]);
    if (status != 0)
        return status;
    snprintf(prompt, sizeof prompt, "%.31s:%.12s# ", lab->name, words[0]);
    setenv("PS1", prompt, 1);
    return become(command);
}

static int capture(const struct lab *lab, char **words)
{
    if (words[0] == NULL || words[1] == NULL || words[2] != NULL)
        return usage();
    bool here = strcmp(words[0], "--here") == 0; /* an experiment is there already */
    int status = here ? 0 : join(lab, words[0]);
    return status != 0 ? status : lab_capture("link0", words[1]);
}

/* ---- enter -------------------------------------------------------------------------------------- */

/* Takes down every lab that was left in a private world, since nobody else can reach it. */
static void down_all(void)
{
    DIR *folder = opendir(LAB_STATE_PARENT);
    if (folder == NULL)
        return;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        struct lab lab;
        if (lab_name_is_good(entry->d_name) && set_lab(&lab, entry->d_name, NULL) == 0)
            lab_remove(&lab);
    }
    closedir(folder);
}

static pid_t entered;

static void pass_on(int signal_number)
{
    kill(entered, signal_number);
}

/* Runs a command where labs are allowed; for an ordinary user, in a private world. */
static int enter(char **words)
{
    char error[NAMESPACE_ERROR_SIZE];
    if (geteuid() == 0)
        return become(words);
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

    /* Wait for the command, whatever is typed at the terminal, and clean up behind it. SIGTERM is for
     * the command. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    pid_t child = entered = fork();
    if (child < 0)
        return command_error("lab", 1, "cannot start %s: %s", words[0], strerror(errno));
    if (child == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        _exit(become(words));
    }
    signal(SIGTERM, pass_on);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    down_all();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- experiments -------------------------------------------------------------------------------- */

static int run(const struct lab *lab, const struct given *given, char **argv)
{
    if (given->rest[0] == NULL || given->rest[1] != NULL)
        return usage();
    if (geteuid() != 0) {
        char *words[REST_MAX * 4] = { (char *)"/proc/self/exe" };
        for (size_t i = 0; argv[i] != NULL && i + 2 < sizeof words / sizeof *words; i++)
            words[i + 1] = argv[i];
        return enter(words);
    }
    const struct experiment_options options = { .lab = lab,
                                                .name = given->rest[0],
                                                .out = given->out,
                                                .seed = given->seed,
                                                .sets = given->sets,
                                                .set_count = given->set_count,
                                                .quick = given->quick };
    return experiment_run(&options);
}

int command_lab(int argc, char **argv)
{
    struct lab lab;
    struct given given = { 0 };
    if (argc < 2)
        return usage();
    const char *verb = argv[1];
    if (strcmp(verb, "--help") == 0)
        return help();
    if (strcmp(verb, "enter") == 0)
        return argv[2] != NULL && strcmp(argv[2], "--") == 0 && argv[3] != NULL ? enter(argv + 3)
                                                                                : usage();
    if (strcmp(verb, "ask") == 0)
        return lab_ask(argc - 1, argv + 1);
    if (strcmp(verb, "flow") == 0)
        return lab_flow(argc - 1, argv + 1);
    if (strcmp(verb, "flood") == 0)
        return lab_flood(argc - 1, argv + 1);
    bool experiment = strcmp(verb, "run") == 0;
    if (parse(&lab, &given, argv + 2, experiment) != 0)
        return EXIT_USAGE;
    if (strcmp(verb, "up") == 0)
        return up(&lab, &given);
    if (strcmp(verb, "exec") == 0)
        return execute(&lab, given.rest);
    if (strcmp(verb, "shell") == 0)
        return shell(&lab, given.rest);
    if (strcmp(verb, "change") == 0)
        return lab_change(&lab, given.rest);
    if (strcmp(verb, "counters") == 0)
        return lab_counters(&lab, given.rest);
    if (strcmp(verb, "capture") == 0)
        return capture(&lab, given.rest);
    if (strcmp(verb, "down") == 0 && given.rest[0] == NULL)
        return lab_remove(&lab);
    if (strcmp(verb, "list") == 0 && (given.rest[0] == NULL || given.rest[1] == NULL))
        return experiment_list(given.rest[0]);
    if (experiment)
        return run(&lab, &given, argv);
    return usage();
}
