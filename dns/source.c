/* source.c - the files that a zone was read from: see source.h. */
#include "source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "zonefile.h"

/* File systems keep times as coarse as a clock tick or two seconds. */
static const int64_t settled_ns = 2000000000;

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

bool source_files_add(struct source_files *sources, const char *path, FILE *file)
{
    struct stat status = { 0 };
    struct timespec now;
    struct source_file source = { 0 };
    if (!array_reserve(&sources->files, &sources->room, sources->count, 1,
                       sizeof *sources->files) ||
        !(source.path = strdup(path)))
        return false;
    if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode)) {
        clock_gettime(CLOCK_REALTIME, &now);
        source.device = status.st_dev;
        source.inode = status.st_ino;
        source.size = (uint64_t)status.st_size;
        source.modified_ns = nanoseconds(&status.st_mtim);
        source.settled = nanoseconds(&now) - source.modified_ns > settled_ns;
    }
    sources->files[sources->count++] = source;
    return true;
}

bool source_files_unchanged(const struct source_files *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        const struct source_file *source = &sources->files[i];
        struct stat status;
        if (!source->settled || stat(source->path, &status) != 0 ||
            status.st_dev != source->device || status.st_ino != source->inode ||
            (uint64_t)status.st_size != source->size ||
            nanoseconds(&status.st_mtim) != source->modified_ns)
            return false;
    }
    return true;
}

void source_files_release(struct source_files *sources)
{
    while (sources->count > 0)
        free(sources->files[--sources->count].path);
    free(sources->files);
    *sources = (struct source_files){ 0 };
}
