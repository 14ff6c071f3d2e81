#include "remember.h"

#include <stddef.h>
#include <string.h>

#include <openssl/crypto.h>

static struct remembered *at(const struct remember_table *table, uint32_t index)
{
    return (struct remembered *)(table->entries + (size_t)index * table->entry_size);
}

static uint32_t index_of(const struct remember_table *table, const struct remembered *entry)
{
    return (uint32_t)((size_t)((const uint8_t *)entry - table->entries) / table->entry_size);
}

static size_t address_size(const struct remember_table *table)
{
    return table->family == 4 ? 4 : 16;
}

/* Addresses only: what lies between the same two hosts is found together. */
static uint32_t *bucket(const struct remember_table *table, uint8_t local, const uint8_t *remote)
{
    uint32_t hash = table->seed ^ local;
    for (size_t i = 0; i < address_size(table); i += 4) {
        uint32_t word;
        memcpy(&word, remote + i, sizeof(word));
        hash = (hash ^ word) * 0x9e3779b1u;
        hash ^= hash >> 15;
    }
    return &table->buckets[hash & table->bucket_mask];
}

bool remember_create(struct remember_table *table, struct memory *memory, uint8_t family,
                     bool with_pair, uint32_t limit, uint32_t seed)
{
    uint32_t buckets = 1;
    while (buckets < limit)
        buckets *= 2;
    *table = (struct remember_table){ .family = family, .limit = limit, .seed = seed };
    table->entry_size = (uint32_t)(offsetof(struct remembered, remote) + address_size(table) +
                                   (with_pair ? sizeof(struct remembered_pair) : 0));
    table->bucket_mask = buckets - 1;
    if (limit == 0)
        return true;
    table->entries = memory_zeroed(memory, ((size_t)limit + 1) * table->entry_size);
    table->buckets = memory_zeroed(memory, buckets * sizeof(uint32_t));
    return table->entries && table->buckets;
}

void remember_destroy(struct remember_table *table, struct memory *memory)
{
    if (table->entries)
        OPENSSL_cleanse(table->entries, ((size_t)table->limit + 1) * table->entry_size);
    memory_free(memory, table->entries);
    memory_free(memory, table->buckets);
    *table = (struct remember_table){ .limit = 0 };
}

/* ---- the chain of a bucket ------------------------------------------------------------------- */

static bool between(const struct remember_table *table, const struct remembered *entry,
                    uint8_t local, const uint8_t *remote)
{
    return entry->local == local && memcmp(entry->remote, remote, address_size(table)) == 0;
}

/* The first entry from `index` on along the chain with these addresses. */
static struct remembered *search(const struct remember_table *table, uint32_t index, uint8_t local,
                                 const uint8_t *remote)
{
    while (index && !between(table, at(table, index), local, remote))
        index = at(table, index)->hash_next;
    return index ? at(table, index) : NULL;
}

struct remembered *remember_first(const struct remember_table *table,
                                  const struct remember_key *key)
{
    if (table->limit == 0 || key->remote.family != table->family)
        return NULL;
    const uint8_t *remote = key->remote.bytes;
    return search(table, *bucket(table, key->local, remote), key->local, remote);
}

struct remembered *remember_next(const struct remember_table *table, const struct remembered *entry)
{
    return search(table, entry->hash_next, entry->local, entry->remote);
}

struct remembered *remember_find(const struct remember_table *table, const struct remember_key *key)
{
    struct remembered *entry = remember_first(table, key);
    while (entry &&
           (entry->local_port != key->local_port || entry->remote_port != key->remote_port))
        entry = remember_next(table, entry);
    return entry;
}

static void leave_chain(struct remember_table *table, struct remembered *entry)
{
    uint32_t *link = bucket(table, entry->local, entry->remote), index = index_of(table, entry);
    while (*link != index)
        link = &at(table, *link)->hash_next;
    *link = entry->hash_next;
}

/* ---- the order of use ------------------------------------------------------------------------ */

static void leave_order(struct remember_table *table, struct remembered *entry)
{
    *(entry->newer ? &at(table, entry->newer)->older : &table->newest) = entry->older;
    *(entry->older ? &at(table, entry->older)->newer : &table->oldest) = entry->newer;
}

static void become_newest(struct remember_table *table, struct remembered *entry)
{
    entry->newer = 0;
    entry->older = table->newest;
    *(table->newest ? &at(table, table->newest)->newer : &table->oldest) = index_of(table, entry);
    table->newest = index_of(table, entry);
}

static void become_oldest(struct remember_table *table, struct remembered *entry)
{
    entry->older = 0;
    entry->newer = table->oldest;
    *(table->oldest ? &at(table, table->oldest)->older : &table->newest) = index_of(table, entry);
    table->oldest = index_of(table, entry);
}

/* ---- making and forgetting ------------------------------------------------------------------- */

void remember_forget(struct remember_table *table, struct remembered *entry)
{
    leave_chain(table, entry);
    leave_order(table, entry);
    OPENSSL_cleanse(entry, table->entry_size);
    become_oldest(table, entry);
}

void remember_flush(struct remember_table *table)
{
    for (uint32_t i = 1; i <= table->used; i++)
        if (at(table, i)->local_port)
            remember_forget(table, at(table, i));
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

/* An entry that is in no chain, and in the order of use. */
static struct remembered *make_room(struct remember_table *table, const struct remember_key *key)
{
    struct remembered *entry = surplus(table, key);
    if (!entry && table->used < table->limit) {
        entry = at(table, ++table->used);
        become_oldest(table, entry);
        return entry;
    }
    if (!entry)
        entry = at(table, table->oldest);
    if (entry->local_port)
        remember_forget(table, entry);
    return entry;
}

struct remembered *remember_use(struct remember_table *table, const struct remember_key *key)
{
    if (table->limit == 0 || key->remote.family != table->family)
        return NULL;
    struct remembered *entry = remember_find(table, key);
    if (!entry) {
        entry = make_room(table, key);
        entry->local = key->local;
        entry->local_port = key->local_port;
        entry->remote_port = key->remote_port;
        memcpy(entry->remote, key->remote.bytes, address_size(table));
        uint32_t *chain = bucket(table, key->local, entry->remote);
        entry->hash_next = *chain;
        *chain = index_of(table, entry);
    }
    leave_order(table, entry);
    become_newest(table, entry);
    return entry;
}

struct remembered_pair *remember_pair(const struct remember_table *table, struct remembered *entry)
{
    size_t offset = offsetof(struct remembered, remote) + address_size(table);
    return (struct remembered_pair *)((uint8_t *)entry + offset);
}
