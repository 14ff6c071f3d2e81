#include "tools/remember_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tun/loop.h"

enum { FILE_SIZE_MAX = 16 << 20, PATH_SIZE = 4096 };

/* Whether the descriptor is the file that has this name now. */
static bool is_named(int descriptor, const char *path)
{
    struct stat open_file, named;
    return fstat(descriptor, &open_file) == 0 && stat(path, &named) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

static const char *what_is_wrong(int descriptor, const char *path, size_t *size)
{
    struct stat status;
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 || !is_named(descriptor, path))
        return "another run is using it: wait until that is done, or name another file";
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        return "it is no ordinary file";
    if (status.st_uid != geteuid())
        return "it belongs to another user: name a file of your own";
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return "it holds secrets, but others have access: chmod 600, or remove it";
    if (status.st_size > FILE_SIZE_MAX)
        return "it is damaged: remove it";
    *size = (size_t)status.st_size;
    return NULL;
}

/* Gives the content to the stack. NULL, or what is wrong. */
static const char *take(int descriptor, size_t size, struct tcpct_stack *stack)
{
    const char *wrong = NULL;
    uint8_t *bytes = malloc(size);
    if (!bytes)
        return "there is no memory for it";
    if (pread(descriptor, bytes, size, 0) != (ssize_t)size)
        wrong = "it cannot be read";
    else if (tcpct_remembered_import(stack, bytes, size, loop_wall_clock_us(), loop_clock_us()) !=
             TCPCT_OK)
        wrong = "it is damaged, or of another version: remove it";
    OPENSSL_cleanse(bytes, size);
    free(bytes);
    return wrong;
}

bool remember_file_open(struct remember_file *file, const char *path, struct tcpct_stack *stack,
                        char *error, size_t error_size)
{
    size_t size = 0;
    file->path = path;
    file->descriptor =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, S_IRUSR | S_IWUSR);
    if (file->descriptor < 0) {
        snprintf(error, error_size, "%s cannot be opened: %s", path, strerror(errno));
        return false;
    }
    const char *wrong = what_is_wrong(file->descriptor, path, &size);
    if (!wrong && size > 0)
        wrong = take(file->descriptor, size, stack);
    if (!wrong && ftruncate(file->descriptor, 0) != 0)
        wrong = "it cannot be written";
    if (!wrong)
        return true;
    snprintf(error, error_size, "%s: %s", path, wrong);
    remember_file_close(file);
    return false;
}

static bool write_all(int descriptor, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(descriptor, bytes, size);
        if (written <= 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return fsync(descriptor) == 0;
}

static bool replace(const char *path, const uint8_t *bytes, size_t size)
{
    char other[PATH_SIZE];
    int length = snprintf(other, sizeof other, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof other) {
        errno = ENAMETOOLONG;
        return false;
    }
    int descriptor = mkostemp(other, O_CLOEXEC); /* of mode 0600 */
    if (descriptor < 0)
        return false;
    bool done = write_all(descriptor, bytes, size) && rename(other, path) == 0;
    int why = errno;
    close(descriptor);
    if (!done)
        unlink(other);
    errno = why;
    return done;
}

bool remember_file_save(struct remember_file *file, const struct tcpct_stack *stack, char *error,
                        size_t error_size)
{
    uint64_t wall_us = loop_wall_clock_us(), now_us = loop_clock_us();
    size_t size = tcpct_remembered_export(stack, NULL, 0, wall_us, now_us);
    uint8_t *bytes = malloc(size);
    bool done = bytes && tcpct_remembered_export(stack, bytes, size, wall_us, now_us) == size &&
                replace(file->path, bytes, size);
    if (!done)
        snprintf(error, error_size, "%s: what was remembered cannot be kept: %s", file->path,
                 strerror(bytes ? errno : ENOMEM));
    if (bytes)
        OPENSSL_cleanse(bytes, size);
    free(bytes);
    remember_file_close(file);
    return done;
}

void remember_file_close(struct remember_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    file->descriptor = -1;
}
