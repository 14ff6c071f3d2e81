/* zone_loader.h - the zones that a server's flags name, read at the start and again when asked.
 *
 * Reading again is a thread's work. Slices of the server's own loop would have to be cut within the
 * parsing, sorting and compiling of a zone, of which each takes seconds if the zone is large; a
 * thread needs no such cuts, uses another processor if there is one, and with its low priority
 * leaves the server nearly all of its own otherwise. It shares nothing with the server but zones
 * that do not change, and hands over a whole new set through a descriptor of the loop.
 */
#ifndef TOOLS_ZONE_LOADER_H
#define TOOLS_ZONE_LOADER_H

#include "dns/zones.h"
#include "tun/loop.h"

/* Every field is a uint64_t; zone_loader_counter_name names them in order. */
struct zone_loader_counters {
    uint64_t reloads;         /* that came to an end */
    uint64_t failed;          /* ... without a new set */
    uint64_t read, unchanged; /* zones, in reloads */
    uint64_t broken;          /* likewise: the old one stays */
};

struct zone_loader;

/* NULL: no memory. */
struct zone_loader *zone_loader_create(void);
/* Once the loop is gone. NULL is allowed. */
void zone_loader_destroy(struct zone_loader *loader);

/* Takes "[ORIGIN=]FILE", or a file with lines of "ORIGIN FILE"; the text must outlive the loader.
 * False: no memory. */
bool zone_loader_add(struct zone_loader *loader, const char *argument, bool list);

/* Reads all zones at once. NULL: `error` holds one sentence. */
struct dns_zones *zone_loader_load(const struct zone_loader *loader, char *error,
                                   size_t error_size);

/* From now on `loaded` is called in a turn of the loop with each new set of zones, which is then
 * the application's, or with NULL if none could be made. False: no descriptors (errno). */
bool zone_loader_attach(struct zone_loader *loader, struct loop *loop,
                        void (*loaded)(void *context, struct dns_zones *zones), void *context);

/* Reads again what has changed since `old` was made, which must stay until `loaded` is called. While
 * that is under way it is done once more afterwards. What is wrong goes to standard error. */
void zone_loader_reload(struct zone_loader *loader, const struct dns_zones *old);

/* Before the loop is destroyed. False: a thread still reads, and goes with the process; the old zones
 * must stay. */
bool zone_loader_end(struct zone_loader *loader);

const struct zone_loader_counters *zone_loader_counters(const struct zone_loader *loader);

/* Name of counter `index` in the struct's order; NULL past the end. */
const char *zone_loader_counter_name(size_t index);

#endif
