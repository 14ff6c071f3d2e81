/* loop.c - epoll waits for the device, the signals (a signalfd) and whatever is watched;
 * epoll_pwait2 takes the deadline in nanoseconds. Regular files, which epoll refuses, are always
 * ready: while one is watched, no turn waits.
 */
#include "tun/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
    LATE_STEP_US = 16, /* see learn */
    READ_BATCH = 64,   /* packets a turn */
    WRITE_BATCH = 256, /* packets a turn */
    EVENT_BATCH = 64,  /* descriptors a turn */
    RANDOM_BUFFER = 4096,
};

struct watch {
    void (*ready)(void *context, int fd, short events, uint64_t now_us); /* NULL: not watched */
    void *context;
    short always; /* events that the descriptor, being a file, always has; 0: ask epoll */
};

struct loop {
    struct tcpct_stack *stack;
    struct tun_device *device;
    struct loop_handlers handlers;
    int epoll, signals; /* signals: -1 until the first loop_signal */
    sigset_t signal_set, signals_before;
    struct watch *watches; /* by descriptor */
    int watch_count;       /* descriptors that `watches` has room for */
    unsigned always_count; /* watches that are always ready */
    uint64_t deadline_us;
    uint64_t spin_least_us, spin_most_us;
    uint64_t early_us; /* how long before a deadline waiting turns into polling */
    uint64_t wake_us;  /* when the timer was to end the last wait; TCPCT_NEVER: it was not to */
    bool busy;         /* the last turn left work behind: do not wait */
    bool stopped;
    int status, error;
    uint8_t out[TCPCT_PACKET_SIZE];
};

static uint64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t loop_clock_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

uint64_t loop_wall_clock_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

static void random_fill(uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t got = getrandom(bytes, size, 0);
        if (got < 0 && errno != EINTR)
            abort(); /* nothing safe can be done without randomness */
        if (got > 0) {
            bytes += got;
            size -= (size_t)got;
        }
    }
}

void loop_random(void *context, void *bytes, size_t size)
{
    static _Thread_local uint8_t buffer[RANDOM_BUFFER];
    static _Thread_local size_t left; /* unused bytes, at the buffer's end */
    (void)context;
    if (size > sizeof buffer / 4) {
        random_fill(bytes, size);
        return;
    }
    if (size > left) {
        random_fill(buffer, sizeof buffer);
        left = sizeof buffer;
    }
    uint8_t *from = buffer + sizeof buffer - left;
    memcpy(bytes, from, size);
    explicit_bzero(from, size);
    left -= size;
}

static int poll_in(const struct loop *loop, int fd, int operation, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };
    return epoll_ctl(loop->epoll, operation, fd, &event);
}

struct loop *loop_create(struct tcpct_stack *stack, struct tun_device *device,
                         const struct loop_handlers *handlers)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    loop->stack = stack;
    loop->device = device;
    loop->handlers = *handlers;
    loop->signals = -1;
    loop->deadline_us = TCPCT_NEVER;
    sigemptyset(&loop->signal_set);
    sigprocmask(SIG_BLOCK, NULL, &loop->signals_before);
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0 ||
        (device != NULL && poll_in(loop, tun_device_fd(device), EPOLL_CTL_ADD, EPOLLIN) != 0)) {
        int error = errno;
        loop_destroy(loop);
        errno = error;
        return NULL;
    }
    return loop;
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->signals >= 0) {
        /* What is still pending belongs to the loop, and must not kill the process now. */
        struct signalfd_siginfo pending;
        while (read(loop->signals, &pending, sizeof pending) > 0)
            ;
        close(loop->signals);
        sigprocmask(SIG_SETMASK, &loop->signals_before, NULL);
    }
    if (loop->epoll >= 0)
        close(loop->epoll);
    free(loop->watches);
    explicit_bzero(loop, sizeof *loop);
    free(loop);
}

int loop_signal(struct loop *loop, int signal_number)
{
    sigaddset(&loop->signal_set, signal_number);
    if (sigprocmask(SIG_BLOCK, &loop->signal_set, NULL) != 0)
        return -1;
    bool first = loop->signals < 0;
    int fd = signalfd(loop->signals, &loop->signal_set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return -1;
    loop->signals = fd;
    return first ? poll_in(loop, fd, EPOLL_CTL_ADD, EPOLLIN) : 0;
}

static bool make_room(struct loop *loop, int fd)
{
    if (fd < loop->watch_count)
        return true;
    int count = fd + 64;
    struct watch *watches = realloc(loop->watches, (size_t)count * sizeof *watches);
    if (watches == NULL)
        return false;
    memset(watches + loop->watch_count, 0, (size_t)(count - loop->watch_count) * sizeof *watches);
    loop->watches = watches;
    loop->watch_count = count;
    return true;
}

/* The bits of poll(2) and epoll(7) have the same values on Linux. */
_Static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR &&
                   POLLHUP == EPOLLHUP && POLLRDHUP == EPOLLRDHUP,
               "poll and epoll agree");

int loop_watch(struct loop *loop, int fd, short events,
               void (*ready)(void *context, int fd, short events, uint64_t now_us), void *context)
{
    if (fd < 0) {
        errno = EBADF;
        return -1;
    }
    if (!make_room(loop, fd))
        return -1;
    struct watch *watch = &loop->watches[fd];
    short always = 0;
    if (watch->always != 0) {
        loop_unwatch(loop, fd);
        always = events;
    } else {
        int operation = watch->ready != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
        if (poll_in(loop, fd, operation, (uint32_t)(uint16_t)events) != 0) {
            if (errno != EPERM || events == 0)
                return -1;
            always = events;
        }
    }
    *watch = (struct watch){ ready, context, always };
    if (always != 0)
        loop->always_count++;
    return 0;
}

void loop_unwatch(struct loop *loop, int fd)
{
    if (fd < 0 || fd >= loop->watch_count || loop->watches[fd].ready == NULL)
        return;
    if (loop->watches[fd].always != 0)
        loop->always_count--;
    else
        poll_in(loop, fd, EPOLL_CTL_DEL, 0);
    loop->watches[fd] = (struct watch){ 0 };
}

void loop_deadline(struct loop *loop, uint64_t at_us)
{
    loop->deadline_us = at_us;
}

void loop_spin(struct loop *loop, uint64_t least_us, uint64_t most_us)
{
    loop->spin_least_us = least_us;
    loop->spin_most_us = loop->early_us = most_us;
}

void loop_stop(struct loop *loop, int status)
{
    loop->stopped = true;
    loop->status = status;
}

static uint64_t next_deadline(const struct loop *loop)
{
    uint64_t stack_us = loop->stack != NULL ? tcpct_deadline(loop->stack) : TCPCT_NEVER;
    return stack_us < loop->deadline_us ? stack_us : loop->deadline_us;
}

/* Waits for descriptors until shortly before the deadline; returns how many are ready, or -1. */
static int wait_for(struct loop *loop, struct epoll_event *events)
{
    struct timespec wait = { 0 };
    uint64_t deadline_us = next_deadline(loop);
    loop->wake_us = TCPCT_NEVER;
    if (!loop->busy && deadline_us != TCPCT_NEVER) {
        uint64_t now_us = loop_clock_us(), early_us = now_us + loop->early_us;
        uint64_t left_us = deadline_us > early_us ? deadline_us - early_us : 0;
        wait.tv_sec = (time_t)(left_us / 1000000);
        wait.tv_nsec = (long)(left_us % 1000000) * 1000;
        if (left_us > 0)
            loop->wake_us = now_us + left_us;
    }
    bool forever = !loop->busy && deadline_us == TCPCT_NEVER;
    int count = epoll_pwait2(loop->epoll, events, EVENT_BATCH, forever ? NULL : &wait, NULL);
    return count < 0 && errno == EINTR ? 0 : count;
}

/* The timer ended the wait, later than asked for. early_us settles where that is the longer of the
 * two but once in LATE_STEP_US + 1 times. */
static void learn(struct loop *loop, uint64_t now_us)
{
    if (now_us < loop->wake_us)
        return;
    if (now_us - loop->wake_us > loop->early_us)
        loop->early_us += LATE_STEP_US;
    else if (loop->early_us > loop->spin_least_us)
        loop->early_us--;
    if (loop->early_us > loop->spin_most_us)
        loop->early_us = loop->spin_most_us;
}

static void take_packet(struct loop *loop, const struct tcpct_packet *packet, uint64_t now_us)
{
    enum tcpct_verdict verdict = TCPCT_NOT_MINE;
    if (loop->stack != NULL) {
        uint8_t bytes[TCPCT_REPLY_SIZE];
        struct tcpct_packet reply = { .data = bytes, .size = sizeof bytes };
        verdict = tcpct_input(loop->stack, packet, &reply, now_us);
        if (reply.length > 0)
            tun_device_write(loop->device, &reply, now_us);
    }
    if (verdict == TCPCT_NOT_MINE && loop->handlers.other_packet != NULL)
        loop->handlers.other_packet(loop->handlers.context, packet, now_us);
}

static void read_device(struct loop *loop, uint64_t now_us)
{
    for (int i = 0; i < READ_BATCH; i++) {
        struct tcpct_packet packet = { 0 };
        int got = tun_device_read(loop->device, &packet, now_us);
        if (got < 0) {
            loop->error = errno;
            loop_stop(loop, -1);
        }
        if (got <= 0)
            return;
        take_packet(loop, &packet, now_us);
    }
    loop->busy = true;
}

static void take_signals(struct loop *loop)
{
    struct signalfd_siginfo information;
    while (read(loop->signals, &information, sizeof information) == sizeof information)
        if (loop->handlers.signal != NULL)
            loop->handlers.signal(loop->handlers.context, (int)information.ssi_signo);
}

static void take_descriptors(struct loop *loop, const struct epoll_event *events, int count,
                             uint64_t now_us)
{
    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd;
        if (fd == loop->signals) {
            take_signals(loop);
        } else if (fd < loop->watch_count && loop->watches[fd].ready != NULL) {
            struct watch watch = loop->watches[fd];
            watch.ready(watch.context, fd, (short)events[i].events, now_us);
        }
    }
}

static void take_files(struct loop *loop, uint64_t now_us)
{
    for (int fd = 0; fd < loop->watch_count && loop->always_count > 0; fd++) {
        struct watch watch = loop->watches[fd];
        if (watch.always != 0)
            watch.ready(watch.context, fd, watch.always, now_us);
    }
    loop->busy |= loop->always_count > 0;
}

static void write_device(struct loop *loop, uint64_t now_us)
{
    struct tcpct_packet packet = { .data = loop->out, .size = sizeof loop->out };
    for (int i = 0; i < WRITE_BATCH; i++) {
        if (!tcpct_output(loop->stack, &packet, now_us))
            return;
        tun_device_write(loop->device, &packet, now_us);
    }
    loop->busy = true;
}

static void turn(struct loop *loop)
{
    struct epoll_event events[EVENT_BATCH];
    int count = wait_for(loop, events);
    if (count < 0) {
        loop->error = errno;
        loop_stop(loop, -1);
        return;
    }
    uint64_t now_us = loop_clock_us();
    if (count == 0)
        learn(loop, now_us);
    loop->busy = false;
    for (int i = 0; i < count; i++)
        if (loop->device != NULL && events[i].data.fd == tun_device_fd(loop->device))
            read_device(loop, now_us);
    if (loop->stack != NULL)
        tcpct_tick(loop->stack, now_us);
    take_descriptors(loop, events, count, now_us);
    take_files(loop, now_us);
    if (loop->handlers.serve != NULL)
        loop->handlers.serve(loop->handlers.context, loop->stack, now_us);
    if (loop->stack != NULL)
        write_device(loop, now_us);
}

int loop_run(struct loop *loop)
{
    loop->stopped = false;
    loop->busy = true; /* the first turn serves at once */
    while (!loop->stopped)
        turn(loop);
    if (loop->status == -1)
        errno = loop->error;
    return loop->status;
}
