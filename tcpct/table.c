#include "table.h"

#include <openssl/crypto.h>

struct table_entry *table_at(const struct table *table, uint32_t index)
{
    return (struct table_entry *)(table->entries + (size_t)index * table->entry_size);
}

uint32_t table_index(const struct table *table, const struct table_entry *entry)
{
    return (uint32_t)((size_t)((const uint8_t *)entry - table->entries) / table->entry_size);
}

bool table_create(struct table *table, struct memory *memory, uint32_t entry_size, uint32_t limit)
{
    uint32_t buckets = 1;
    while (buckets < limit)
        buckets *= 2;
    *table = (struct table){ .entry_size = entry_size, .limit = limit, .bucket_mask = buckets - 1 };
    if (limit == 0)
        return true;
    table->entries = memory_zeroed(memory, ((size_t)limit + 1) * entry_size);
    table->buckets = memory_zeroed(memory, buckets * sizeof(uint32_t));
    return table->entries && table->buckets;
}

void table_destroy(struct table *table, struct memory *memory)
{
    if (table->entries)
        OPENSSL_cleanse(table->entries, ((size_t)table->limit + 1) * table->entry_size);
    memory_free(memory, table->entries);
    memory_free(memory, table->buckets);
    *table = (struct table){ .limit = 0 };
}

static struct table_entry *at_or_null(const struct table *table, uint32_t index)
{
    return index ? table_at(table, index) : NULL;
}

struct table_entry *table_first(const struct table *table, uint32_t hash)
{
    return table->limit ? at_or_null(table, table->buckets[hash & table->bucket_mask]) : NULL;
}

struct table_entry *table_next(const struct table *table, const struct table_entry *entry)
{
    return at_or_null(table, entry->hash_next);
}

/* ---- the order of use ------------------------------------------------------------------------ */

static void leave_order(struct table *table, struct table_entry *entry)
{
    *(entry->newer ? &table_at(table, entry->newer)->older : &table->newest) = entry->older;
    *(entry->older ? &table_at(table, entry->older)->newer : &table->oldest) = entry->newer;
}

static void become_newest(struct table *table, struct table_entry *entry)
{
    uint32_t index = table_index(table, entry);
    entry->newer = 0;
    entry->older = table->newest;
    *(table->newest ? &table_at(table, table->newest)->newer : &table->oldest) = index;
    table->newest = index;
}

void table_touch(struct table *table, struct table_entry *entry)
{
    leave_order(table, entry);
    become_newest(table, entry);
}

struct table_entry *table_oldest(const struct table *table)
{
    return at_or_null(table, table->oldest);
}

/* ---- adding and removing --------------------------------------------------------------------- */

struct table_entry *table_add(struct table *table, uint32_t hash)
{
    struct table_entry *entry = at_or_null(table, table->spare);
    uint32_t *bucket = &table->buckets[hash & table->bucket_mask];
    if (entry)
        table->spare = entry->hash_next;
    else
        entry = table_at(table, ++table->used);
    table->count++;
    entry->hash_next = *bucket;
    *bucket = table_index(table, entry);
    become_newest(table, entry);
    return entry;
}

void table_remove(struct table *table, struct table_entry *entry, uint32_t hash)
{
    uint32_t *link = &table->buckets[hash & table->bucket_mask], index = table_index(table, entry);
    while (*link != index)
        link = &table_at(table, *link)->hash_next;
    *link = entry->hash_next;
    leave_order(table, entry);
    OPENSSL_cleanse(entry, table->entry_size);
    entry->hash_next = table->spare;
    table->spare = index;
    table->count--;
}
