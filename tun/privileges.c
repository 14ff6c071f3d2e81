/* privileges.c - setuid and the rest of it (credentials(7), capabilities(7)). The capability
 * calls are made directly: what is wanted here, none at all, needs no library.
 */
#include "tun/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The sanitizers' run times need ptrace and more address space than could be locked. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER 0
#endif

static const struct passwd *find_user(const char *user)
{
    const struct passwd *entry = getpwnam(user);
    if (entry != NULL)
        return entry;
    char *end;
    errno = 0;
    unsigned long uid = strtoul(user, &end, 10);
    bool number = user[0] >= '0' && user[0] <= '9' && *end == '\0' && errno == 0;
    return number && uid < (uid_t)-1 ? getpwuid((uid_t)uid) : NULL;
}

/* Empties the bounding, ambient, inheritable, permitted and effective sets. */
static int drop_capabilities(void)
{
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
    return (int)syscall(SYS_capset, &header, none);
}

static void empty_bounding_set(void)
{
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
         capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); /* refused without CAP_SETPCAP: no_new_privs */
}

int privileges_drop(const char *user, char *error, size_t error_size)
{
    const struct passwd *entry = find_user(user);
    if (entry == NULL) {
        snprintf(error, error_size, "there is no user %s: give --user an account of this system",
                 user);
        return -1;
    }
    uid_t uid = entry->pw_uid;
    gid_t gid = entry->pw_gid;
    empty_bounding_set();
    bool same = getuid() == uid && geteuid() == uid && getgid() == gid && getegid() == gid;
    if (!same && (initgroups(entry->pw_name, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
                  setresuid(uid, uid, uid) != 0)) {
        snprintf(error, error_size, "cannot become user %s (%s): start as root, or without --user",
                 user, strerror(errno));
        return -1;
    }
    if (drop_capabilities() != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        (uid != 0 && setuid(0) == 0)) {
        snprintf(error, error_size,
                 "cannot give up every privilege for good: this kernel refuses "
                 "it (%s)",
                 strerror(errno));
        return -1;
    }
    return 0;
}

void privileges_harden_memory(void)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    if (UNDER_SANITIZER)
        return;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    /* Under a limit later allocations would fail, and a growing stack fault: then nothing is
     * locked. */
    const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
    if (setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0)
        mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}
