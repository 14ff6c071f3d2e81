/* table.h - a fixed number of entries of one size, found by a hash of their key: all memory is taken
 * when the table is made. The entry that was used longest ago gives way.
 *
 * An entry begins with a struct table_entry; what follows is its user's, who compares the keys.
 * Entry 0 is not used, so that an index of 0 means none.
 */
#ifndef TCPCT_TABLE_H
#define TCPCT_TABLE_H

#include "memory.h"

struct table_entry {
    uint32_t hash_next, newer, older; /* other entries; 0: none */
};

struct table {
    uint8_t *entries;
    uint32_t *buckets;
    uint32_t entry_size, limit, bucket_mask;
    uint32_t used;  /* entries that ever were in use */
    uint32_t count; /* entries in use */
    uint32_t spare; /* the first that is no longer in use, through hash_next */
    uint32_t newest, oldest;
};

/* A hash of one word more. Every bit of it reaches the low ones, which choose the bucket: in memory the
 * last byte of an address, in which neighbours differ, is the high one of a word. */
static inline uint32_t hash_mix(uint32_t hash, uint32_t word)
{
    uint64_t product = (hash ^ word) * 0x9e3779b97f4a7c15ull;
    return (uint32_t)(product >> 32) ^ (uint32_t)product;
}

/* A table of `limit` entries of `entry_size` bytes, a multiple of 4. False: no memory. */
bool table_create(struct table *table, struct memory *memory, uint32_t entry_size, uint32_t limit);
/* Wipes it. A table of zeroes is allowed. */
void table_destroy(struct table *table, struct memory *memory);

struct table_entry *table_at(const struct table *table, uint32_t index);
uint32_t table_index(const struct table *table, const struct table_entry *entry);

/* The entries of a bucket, the one made last first; NULL: none is left. */
struct table_entry *table_first(const struct table *table, uint32_t hash);
struct table_entry *table_next(const struct table *table, const struct table_entry *entry);
/* The one used longest ago; NULL: none is in use. */
struct table_entry *table_oldest(const struct table *table);

static inline bool table_is_full(const struct table *table)
{
    return table->count == table->limit;
}
/* A wiped entry, put into its bucket, and now the most recent. The table must not be full. */
struct table_entry *table_add(struct table *table, uint32_t hash);
/* It is now the most recent. */
void table_touch(struct table *table, struct table_entry *entry);
/* Wipes the entry; `hash` is that with which it was added. */
void table_remove(struct table *table, struct table_entry *entry, uint32_t hash);

#endif
