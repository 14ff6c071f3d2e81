/* zone_loader.c - the zones that a server's flags name: see zone_loader.h. */
#include "tools/zone_loader.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dns/zonefile.h"
#include "tools/command.h"

enum { LINE_MAX_SIZE = 4096, ERROR_SIZE = 1024, NICE = 10, TRIM_THRESHOLD = 1 << 26 };

/* Where zones come from: a flag with a zone, or with a list of zones. */
struct zone_origin {
    const char *argument;
    bool list;
};

struct zone_loader {
    struct zone_origin *origins;
    size_t origin_count, origin_room;
    struct zone_loader_counters counters;
    struct loop *loop;
    void (*loaded)(void *context, struct dns_zones *zones);
    void *context;
    int done;                    /* an eventfd: the thread has ended; valid with a loop */
    bool running, again;         /* again: once more when the thread has ended */
    pthread_t thread;            /* valid if running, like the rest */
    const struct dns_zones *old; /* in service */
    struct dns_zones *zones;     /* the thread's result; NULL: there is none */
    struct zones_reload reload;
};

/* ---- sources ------------------------------------------------------------------------------- */

struct sources {
    struct zone_source *sources;
    char **texts; /* what the sources point into */
    size_t count, room, texts_room;
};

static void sources_release(struct sources *sources)
{
    while (sources->count > 0)
        free(sources->texts[--sources->count]);
    free(sources->texts);
    free(sources->sources);
}

/* False: `error` says why. */
static bool add_source(struct sources *sources, const char *text, char *error, size_t error_size)
{
    char *copy = strdup(text);
    if (!copy ||
        !array_reserve(&sources->sources, &sources->room, sources->count, 1,
                       sizeof *sources->sources) ||
        !array_reserve(&sources->texts, &sources->texts_room, sources->count, 1,
                       sizeof *sources->texts)) {
        free(copy);
        snprintf(error, error_size, "there is no memory for the zones");
        return false;
    }
    sources->texts[sources->count] = copy;
    if (zone_source_parse(&sources->sources[sources->count++], copy))
        return true;
    snprintf(error, error_size, "%s: what stands before \"=\" is no domain name", text);
    return false;
}

/* Reads lines of "ORIGIN FILE". */
static bool add_list(struct sources *sources, const char *path, char *error, size_t error_size)
{
    char line[LINE_MAX_SIZE], text[LINE_MAX_SIZE + 1];
    FILE *file = fopen(path, "r");
    bool good = file;
    if (!file)
        snprintf(error, error_size, "%s: the list of zones cannot be opened: %s", path,
                 strerror(errno));
    for (unsigned number = 1; good && fgets(line, sizeof line, file); number++) {
        char *save = NULL, *origin = strtok_r(line, " \t\r\n", &save);
        const char *zone = strtok_r(NULL, " \t\r\n", &save);
        if (!origin || *origin == '#')
            continue;
        good = zone && !strtok_r(NULL, " \t\r\n", &save);
        if (!good) {
            snprintf(error, error_size, "%s:%u: this line is not ORIGIN FILE", path, number);
            break;
        }
        snprintf(text, sizeof text, "%s=%s", origin, zone);
        good = add_source(sources, text, error, error_size);
    }
    if (file)
        fclose(file);
    return good;
}

/* Either way sources_release frees what was read. */
static bool read_sources(const struct zone_loader *loader, struct sources *sources, char *error,
                         size_t error_size)
{
    bool good = true;
    *sources = (struct sources){ 0 };
    for (size_t i = 0; good && i < loader->origin_count; i++) {
        const struct zone_origin *origin = &loader->origins[i];
        good = origin->list ? add_list(sources, origin->argument, error, error_size)
                            : add_source(sources, origin->argument, error, error_size);
    }
    return good;
}

bool zone_loader_add(struct zone_loader *loader, const char *argument, bool list)
{
    if (!array_reserve(&loader->origins, &loader->origin_room, loader->origin_count, 1,
                       sizeof *loader->origins))
        return false;
    loader->origins[loader->origin_count++] = (struct zone_origin){ argument, list };
    return true;
}

struct dns_zones *zone_loader_load(const struct zone_loader *loader, char *error, size_t error_size)
{
    struct sources sources;
    struct dns_zones *zones = NULL;
    if (read_sources(loader, &sources, error, error_size))
        zones = dns_zones_load(sources.sources, sources.count, error, error_size);
    sources_release(&sources);
    return zones;
}

/* ---- the thread ---------------------------------------------------------------------------- */

static void say_broken(void *context, const char *error, const struct zone *old)
{
    (void)context;
    command_error("dnsd", 0, "%s; %s", error,
                  old ? "the old zone stays in service" : "the zone is not served");
}

static void *read_again(void *context)
{
    struct zone_loader *loader = context;
    struct sources sources;
    char error[ERROR_SIZE];
    setpriority(PRIO_PROCESS, 0, NICE); /* of this thread only */
    loader->reload = (struct zones_reload){ .broken = say_broken };
    if (read_sources(loader, &sources, error, sizeof error))
        loader->zones = dns_zones_reload(loader->old, sources.sources, sources.count,
                                         &loader->reload, error, sizeof error);
    if (!loader->zones)
        command_error("dnsd", 0, "%s; the zones stay as they were", error);
    sources_release(&sources);
    eventfd_write(loader->done, 1);
    return NULL;
}

static void take_result(void *context, int fd, short events, uint64_t now_us)
{
    struct zone_loader *loader = context;
    const struct zones_reload *reload = &loader->reload;
    eventfd_t count;
    (void)events;
    (void)now_us;
    if (eventfd_read(fd, &count) != 0 || !loader->running)
        return;
    pthread_join(loader->thread, NULL);
    loader->running = false;
    loader->counters.reloads++;
    loader->counters.failed += !loader->zones;
    loader->counters.read += reload->read;
    loader->counters.unchanged += reload->unchanged;
    loader->counters.broken += reload->failed;
    const struct dns_zones *served = loader->zones ? loader->zones : loader->old;
    loader->loaded(loader->context, loader->zones);
    if (loader->zones)
        fprintf(stderr, "tcpct dnsd: %zu zones are reloaded: %zu read, %zu unchanged, %zu broken\n",
                loader->zones->count, reload->read, reload->unchanged, reload->failed);
    if (loader->again)
        zone_loader_reload(loader, served);
}

void zone_loader_reload(struct zone_loader *loader, const struct dns_zones *old)
{
    loader->again = loader->running;
    if (loader->running)
        return;
    loader->old = old;
    loader->zones = NULL;
    int error = pthread_create(&loader->thread, NULL, read_again, loader);
    loader->running = error == 0;
    if (error)
        command_error("dnsd", 0, "cannot start a thread: %s; the zones stay as they were",
                      strerror(error));
}

bool zone_loader_attach(struct zone_loader *loader, struct loop *loop,
                        void (*loaded)(void *context, struct dns_zones *zones), void *context)
{
    loader->done = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loader->done < 0)
        return false;
    loader->loop = loop;
    loader->loaded = loaded;
    loader->context = context;
    return loop_watch(loop, loader->done, POLLIN, take_result, loader) == 0;
}

bool zone_loader_end(struct zone_loader *loader)
{
    eventfd_t count;
    if (!loader->loop)
        return true;
    loop_unwatch(loader->loop, loader->done);
    if (loader->running && eventfd_read(loader->done, &count) != 0)
        return false; /* the descriptor stays open for it */
    if (loader->running) {
        pthread_join(loader->thread, NULL);
        dns_zones_free(loader->zones);
        loader->running = false;
    }
    close(loader->done);
    return true;
}

struct zone_loader *zone_loader_create(void)
{
    /* ldns takes and gives back some hundred kilobytes for each record: do not give them to the
     * kernel each time. */
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
    return calloc(1, sizeof(struct zone_loader));
}

void zone_loader_destroy(struct zone_loader *loader)
{
    if (!loader || loader->running) /* the thread has it still */
        return;
    free(loader->origins);
    free(loader);
}

const struct zone_loader_counters *zone_loader_counters(const struct zone_loader *loader)
{
    return &loader->counters;
}

const char *zone_loader_counter_name(size_t index)
{
    static const char *const names[] = { "zones_reloads", "zones_reloads_failed", "zones_read",
                                         "zones_unchanged", "zones_broken" };
    _Static_assert(sizeof names / sizeof *names ==
                       sizeof(struct zone_loader_counters) / sizeof(uint64_t),
                   "each counter has a name");
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}
