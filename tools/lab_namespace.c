/* lab_namespace.c - see lab_namespace.h; unshare(2), setns(2), mount(2) and a few files of
 * /proc, without any program's help.
 */
#include "tools/lab_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tun/interface.h"

enum { LOOPBACK_INDEX = 1, PATH_SIZE = 128 };

static const char folder[] = "/run/netns";

static int fail(char *error, const char *what, const char *name)
{
    const char *why = errno == EPERM || errno == EACCES
                          ? "permission denied; run it as root, or inside `tcpct lab enter -- sh`"
                          : strerror(errno);
    snprintf(error, NAMESPACE_ERROR_SIZE, "cannot %s %s: %s", what, name, why);
    return -1;
}

static const char *path_of(const char *name, char *path)
{
    snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return path;
}

/* Writes `text` into an existing file, as the files of /proc want it: in one write. */
static int put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t written = write(fd, text, strlen(text));
    int saved = errno;
    close(fd);
    errno = saved;
    return written == (ssize_t)strlen(text) ? 0 : -1;
}

/* The network namespace in which the caller is: loopback up, packets forwarded. */
static int furnish(char *error)
{
    int netlink = interface_open();
    int result = netlink < 0 ? netlink : interface_up(netlink, LOOPBACK_INDEX);
    if (netlink >= 0)
        close(netlink);
    if (result < 0) {
        errno = -result;
        return fail(error, "bring up the loopback device of", "a new namespace");
    }
    static const char *const switches[] = { "/proc/sys/net/ipv4/ip_forward",
                                            "/proc/sys/net/ipv6/conf/all/forwarding" };
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (put(switches[i], "1\n") < 0)
            return fail(error, "switch on", switches[i]);
    }
    return 0;
}

int namespace_create(const char *name, char *error)
{
    char path[PATH_SIZE];
    path_of(name, path);
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return fail(error, "make", folder);
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return fail(error, "open", "/proc/self/ns/net");
    int file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (file < 0) {
        close(home);
        return fail(error, "make the namespace", path);
    }
    close(file);

    int result;
    if (unshare(CLONE_NEWNET) < 0)
        result = fail(error, "make the network namespace", name);
    else if (mount("/proc/self/ns/net", path, "none", MS_BIND, NULL) < 0)
        result = fail(error, "mount a namespace on", path);
    else
        result = furnish(error);
    if (setns(home, CLONE_NEWNET) < 0 && result == 0)
        result = fail(error, "return to", "the first network namespace");
    close(home);
    if (result < 0) {
        char ignored[NAMESPACE_ERROR_SIZE];
        namespace_remove(name, ignored);
    }
    return result;
}

int namespace_remove(const char *name, char *error)
{
    char path[PATH_SIZE];
    path_of(name, path);
    /* EINVAL: nothing was mounted there, because making it was interrupted. */
    if (umount2(path, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
        return fail(error, "unmount", path);
    if (unlink(path) < 0 && errno != ENOENT)
        return fail(error, "remove", path);
    return 0;
}

int namespace_join(const char *name, char *error)
{
    char path[PATH_SIZE];
    int file = open(path_of(name, path), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail(error, "open", path);
    int result = setns(file, CLONE_NEWNET);
    if (result < 0)
        fail(error, "enter the network namespace", name);
    close(file);
    return result;
}

int namespace_private(char *error)
{
    char user_map[64], group_map[64];
    snprintf(user_map, sizeof user_map, "0 %u 1\n", (unsigned)geteuid());
    snprintf(group_map, sizeof group_map, "0 %u 1\n", (unsigned)getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0 ||
        put("/proc/self/setgroups", "deny") < 0 || put("/proc/self/uid_map", user_map) < 0 ||
        put("/proc/self/gid_map", group_map) < 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0) {
        snprintf(error, NAMESPACE_ERROR_SIZE,
                 "this machine gives ordinary users no user namespaces (%s): allow them, or run "
                 "this as root",
                 strerror(errno));
        return -1;
    }
    return 0;
}
