/* namespace.c - unshare(2), without any other program. */
#include "tests/tun/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return written;
}

/* Root of the new user namespace is who called. */
static bool become_root(uid_t uid, gid_t gid)
{
    char users[32], groups[32];
    snprintf(users, sizeof users, "0 %u 1", uid);
    snprintf(groups, sizeof groups, "0 %u 1", gid);
    return write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/uid_map", users) &&
           write_file("/proc/self/gid_map", groups);
}

static void loopback_up(void)
{
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
}

static bool try_to_enter(void)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "skipped: cannot open /dev/net/tun: %s\n", strerror(errno));
        return false;
    }
    close(fd);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 || !become_root(uid, gid)) {
        fprintf(stderr, "skipped: this machine allows no user and network namespaces: %s\n",
                strerror(errno));
        return false;
    }
    loopback_up();
    return true;
}

bool namespace_enter(void)
{
    static enum { UNTRIED, ENTERED, REFUSED } state;
    if (state == UNTRIED)
        state = try_to_enter() ? ENTERED : REFUSED;
    return state == ENTERED;
}
