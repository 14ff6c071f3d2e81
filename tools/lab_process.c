/* lab_process.c - see lab_process.h. */
#include "tools/lab_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/lab_namespace.h"
#include "tun/loop.h"

enum {
    READY_TIMEOUT_MS = 20000,
    END_TIMEOUT_MS = 5000,
    REST_TIMEOUT_MS = 500,
    READY_STEP_US = 5000
};

static volatile sig_atomic_t interrupted;

static void take_interrupt(int number)
{
    interrupted = number;
}

void process_catch_interrupts(void)
{
    const struct sigaction action = { .sa_handler = take_interrupt };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

int process_interrupted(void)
{
    return interrupted;
}

void process_show_log(const char *path)
{
    char line[512];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL)
        fputs(line, stderr);
    fclose(file);
}

unsigned long long process_started_at(pid_t pid)
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

/* ---- starting --------------------------------------------------------------------------------- */

/* In the child. Returns only on failure. */
static void become(const struct process_options *options)
{
    char error[NAMESPACE_ERROR_SIZE];
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log = open(options->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    if (nothing < 0 || log < 0 || setsid() < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
        dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        return;
    if (options->bound && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return;
    if (options->netns != NULL && namespace_join(options->netns, error) < 0) {
        fprintf(stderr, "%s\n", error);
        return;
    }
    if (options->folder != NULL && chdir(options->folder) < 0)
        return;
    bool self = strcmp(options->words[0], "tcpct") == 0;
    execvpe(self ? "/proc/self/exe" : options->words[0], options->words, options->environment);
    fprintf(stderr, "cannot run %s: %s\n", options->words[0], strerror(errno));
}

pid_t process_start(const struct process_options *options)
{
    unlink(options->log); /* so that nothing old is taken for what it says */
    fflush(NULL);
    int became[2] = { -1, -1 };
    pid_t child = pipe2(became, O_CLOEXEC) < 0 ? -1 : fork();
    if (child == 0) {
        become(options);
        _exit(127);
    }
    if (child < 0)
        command_error("lab", 1, "cannot start %s: %s", options->name, strerror(errno));
    /* The pipe ends when the program begins: from then on a signal finds its session, and finds it
     * without our handlers. */
    char nothing;
    close(became[1]);
    while (child > 0 && read(became[0], &nothing, 1) < 0 && errno == EINTR)
        continue;
    close(became[0]);
    return child;
}

/* ---- waiting ---------------------------------------------------------------------------------- */

static int status_of(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static bool says_ready(const char *log)
{
    char line[512];
    bool ready = false;
    FILE *file = fopen(log, "re");
    if (file == NULL)
        return false;
    while (!ready && fgets(line, sizeof line, file) != NULL)
        ready = strncmp(line, "ready", 5) == 0;
    fclose(file);
    return ready;
}

int process_wait_ready(pid_t pid, const struct process_options *options)
{
    uint64_t deadline = loop_clock_us() + READY_TIMEOUT_MS * UINT64_C(1000);
    int status = 0;
    while (!says_ready(options->log)) {
        if (interrupted)
            return -1;
        if (waitpid(pid, &status, WNOHANG) == pid && !says_ready(options->log)) {
            process_show_log(options->log);
            status = status_of(status);
            command_error("lab", 1, "%s ended before it was ready", options->name);
            return status != 0 ? status : 1;
        }
        if (loop_clock_us() > deadline) {
            process_show_log(options->log);
            return command_error("lab", 1, "%s did not become ready", options->name);
        }
        usleep(READY_STEP_US);
    }
    return 0;
}

/* True once the descriptor of a process says that it has ended. */
static bool ends_within(int descriptor, uint64_t timeout_us)
{
    uint64_t deadline = loop_clock_us() + timeout_us;
    for (;;) {
        uint64_t now = loop_clock_us();
        struct pollfd wait = { .fd = descriptor, .events = POLLIN };
        int left_ms = now < deadline ? (int)((deadline - now) / 1000) + 1 : 0;
        int got = poll(&wait, 1, left_ms);
        if (got > 0)
            return true;
        if (got == 0 && left_ms == 0)
            return false;
    }
}

int process_wait(pid_t pid, unsigned timeout_ms)
{
    uint64_t deadline = loop_clock_us() + timeout_ms * UINT64_C(1000);
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0), status = 0, result;
    for (;;) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            result = status_of(status);
            break;
        }
        uint64_t now = loop_clock_us();
        if (interrupted || now >= deadline) {
            result = interrupted ? -1 : -2;
            break;
        }
        struct pollfd wait = { .fd = descriptor, .events = POLLIN };
        poll(&wait, 1, (int)((deadline - now) / 1000) + 1);
    }
    if (descriptor >= 0)
        close(descriptor);
    return result;
}

/* ---- ending ----------------------------------------------------------------------------------- */

/* Collects the ended children of that session; true once none is left. */
static bool reap(pid_t session)
{
    pid_t got;
    while ((got = waitpid(-session, NULL, WNOHANG)) > 0)
        continue;
    return got < 0 && errno == ECHILD;
}

void process_end(pid_t pid)
{
    uint64_t deadline = loop_clock_us() + END_TIMEOUT_MS * UINT64_C(1000);
    kill(-pid, SIGTERM);
    for (unsigned step_us = 200; !reap(pid) && loop_clock_us() < deadline; step_us *= 2)
        usleep(step_us < READY_STEP_US ? step_us : READY_STEP_US);
    kill(-pid, SIGKILL);
    while (!reap(pid))
        usleep(READY_STEP_US);
}

int process_run(const struct process_options *options, unsigned timeout_ms)
{
    pid_t pid = process_start(options);
    if (pid < 0)
        return 1;
    int status = process_wait(pid, timeout_ms);
    process_end(pid);
    return status;
}

/* Waits for what a process that has ended left behind. Zombies of another parent may stay. */
static void await_session(pid_t session, unsigned timeout_ms)
{
    uint64_t deadline = loop_clock_us() + timeout_ms * UINT64_C(1000);
    while (!reap(session) || kill(-session, 0) == 0) {
        if (loop_clock_us() >= deadline)
            return;
        usleep(READY_STEP_US);
    }
}

bool process_end_other(pid_t pid, unsigned long long started_at)
{
    /* The descriptor first: from then on the number cannot pass to another process unseen. */
    int descriptor = pid > 1 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (descriptor < 0)
        return true;
    bool ended = true;
    if (process_started_at(pid) == started_at) {
        kill(-pid, SIGTERM);
        ended = ends_within(descriptor, END_TIMEOUT_MS * UINT64_C(1000));
        await_session(pid, ended ? REST_TIMEOUT_MS : 0);
        kill(-pid, SIGKILL);
        ended = ended || ends_within(descriptor, END_TIMEOUT_MS * UINT64_C(1000));
        if (!ended)
            command_error("lab", 1, "process %d does not end", (int)pid);
    }
    close(descriptor);
    return ended;
}
