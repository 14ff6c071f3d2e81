#include "remember.h"

#include <stddef.h>
#include <string.h>

static size_t address_size(const struct remember_table *table)
{
    return table->family == 4 ? 4 : 16;
}

/* Addresses only: what lies between the same two hosts is found together. */
static uint32_t hash_of(const struct remember_table *table, uint8_t local, const uint8_t *remote)
{
    uint32_t hash = table->seed ^ local;
    for (size_t i = 0; i < address_size(table); i += 4) {
        uint32_t word;
        memcpy(&word, remote + i, sizeof(word));
        hash = hash_mix(hash, word);
    }
    return hash;
}

bool remember_create(struct remember_table *table, struct memory *memory, uint8_t family,
                     unsigned with, uint32_t limit, uint32_t seed)
{
    *table = (struct remember_table){ .family = family,
                                      .seed = seed,
                                      .with_seal = with & REMEMBER_SEAL };
    size_t size = offsetof(struct remembered, remote) + address_size(table) +
                  (with & REMEMBER_PAIR ? sizeof(struct remembered_pair) : 0) +
                  (with & REMEMBER_SEAL ? sizeof(struct remembered_seal) : 0);
    return table_create(&table->table, memory, (uint32_t)size, limit);
}

void remember_destroy(struct remember_table *table, struct memory *memory)
{
    table_destroy(&table->table, memory);
}

static bool between(const struct remember_table *table, const struct remembered *entry,
                    uint8_t local, const uint8_t *remote)
{
    return entry->local == local && memcmp(entry->remote, remote, address_size(table)) == 0;
}

/* The first entry from this one on along the chain with these addresses. */
static struct remembered *search(const struct remember_table *table, struct table_entry *from,
                                 uint8_t local, const uint8_t *remote)
{
    while (from && !between(table, (struct remembered *)from, local, remote))
        from = table_next(&table->table, from);
    return (struct remembered *)from;
}

struct remembered *remember_first(const struct remember_table *table,
                                  const struct remember_key *key)
{
    const uint8_t *remote = key->remote.bytes;
    if (key->remote.family != table->family)
        return NULL;
    return search(table, table_first(&table->table, hash_of(table, key->local, remote)), key->local,
                  remote);
}

struct remembered *remember_next(const struct remember_table *table, const struct remembered *entry)
{
    return search(table, table_next(&table->table, &entry->entry), entry->local, entry->remote);
}

struct remembered *remember_find(const struct remember_table *table, const struct remember_key *key)
{
    struct remembered *entry = remember_first(table, key);
    while (entry &&
           (entry->local_port != key->local_port || entry->remote_port != key->remote_port))
        entry = remember_next(table, entry);
    return entry;
}

void remember_forget(struct remember_table *table, struct remembered *entry)
{
    table_remove(&table->table, &entry->entry, hash_of(table, entry->local, entry->remote));
}

struct remembered *remember_oldest(const struct remember_table *table)
{
    return (struct remembered *)table_oldest(&table->table);
}

struct remembered *remember_newer(const struct remember_table *table,
                                  const struct remembered *entry)
{
    uint32_t newer = entry->entry.newer;
    return newer ? (struct remembered *)table_at(&table->table, newer) : NULL;
}

void remember_flush(struct remember_table *table)
{
    struct table_entry *entry;
    while ((entry = table_oldest(&table->table)))
        remember_forget(table, (struct remembered *)entry);
}

/* The one between the same addresses that was made first, when they have as many as they may. */
static struct remembered *surplus(const struct remember_table *table,
                                  const struct remember_key *key)
{
    struct remembered *last = NULL;
    unsigned count = 0;
    for (struct remembered *i = remember_first(table, key); i; i = remember_next(table, i)) {
        last = i;
        count++;
    }
    return count >= REMEMBER_PER_ADDRESS ? last : NULL;
}

struct remembered *remember_use(struct remember_table *table, const struct remember_key *key)
{
    if (table->table.limit == 0 || key->remote.family != table->family)
        return NULL;
    struct remembered *entry = remember_find(table, key);
    if (entry) {
        table_touch(&table->table, &entry->entry);
        return entry;
    }
    struct remembered *old = surplus(table, key);
    if (!old && table_is_full(&table->table))
        old = (struct remembered *)table_oldest(&table->table);
    if (old)
        remember_forget(table, old);
    uint32_t hash = hash_of(table, key->local, key->remote.bytes);
    entry = (struct remembered *)table_add(&table->table, hash);
    entry->local = key->local;
    entry->local_port = key->local_port;
    entry->remote_port = key->remote_port;
    memcpy(entry->remote, key->remote.bytes, address_size(table));
    return entry;
}

struct remembered_pair *remember_pair(const struct remember_table *table, struct remembered *entry)
{
    size_t offset = offsetof(struct remembered, remote) + address_size(table);
    return (struct remembered_pair *)((uint8_t *)entry + offset);
}

struct remembered_seal *remember_seal(const struct remember_table *table, struct remembered *entry)
{
    return table->with_seal ? (struct remembered_seal *)(remember_pair(table, entry) + 1) : NULL;
}
