/* export.c - what an Initiator remembers, as bytes, for another stack in another process or after the
 * machine was started again (tcpct.h describes them).
 *
 * The clock of a stack begins anew; what bridges the two is real time. TS Values must never come again
 * (restart.h): they go on from the last one possible, and an import into the past takes nothing.
 */
#include <string.h>

#include "ip.h"
#include "mac.h"
#include "seq.h"
#include "tcb.h"
#include "wire.h"

enum {
    HEADER_SIZE = 4 + 4 + 4 + 8,
    VERSION = 2,
    FLAG_WINDOW_SCALING = 1,
    FLAG_SACK_PERMITTED = 2,
    FLAG_ECN = 4,
};
static const uint8_t magic[4] = { 'T', 'C', 'R', 'M' };

/* One entry in either form; times are relative to the export. */
struct exported {
    struct tcpct_address local;
    struct remember_key key;
    uint16_t mss;
    struct path_state path; /* taken_s: its age */
    struct remembered_pair pair;
    struct remembered_seal seal;
    uint64_t timestamp; /* no TS Value of the pair was greater */
    uint32_t trusted_s;
};

/* The key is known: this finds damage, not forgery. */
static bool checksum(const uint8_t *bytes, size_t size, uint8_t tag[MAC_SIZE])
{
    static const uint8_t key[MAC_KEY_SIZE] = "tcpct remembers";
    struct mac *mac = mac_create(key);
    bool computed = mac && mac_compute(mac, bytes, size, tag);
    mac_destroy(mac);
    return computed;
}

static size_t address_size(uint8_t family)
{
    return family == 6 ? 16 : 4;
}

/* ---- writing --------------------------------------------------------------------------------- */

static size_t entry_size(const struct remember_table *table, struct remembered *entry)
{
    const struct remembered_seal *seal = remember_seal(table, entry);
    size_t cookies = 2u * remember_pair(table, entry)->size;
    return 1 + 2 * address_size(table->family) + 6 + 1 + cookies + 4 + 12 + 8 + 4 + 28 + 1 +
           (seal ? seal->size : 0);
}

static void write_entry(struct wire *wire, const struct tcpct_stack *stack,
                        const struct remember_table *table, struct remembered *entry,
                        uint64_t now_us)
{
    const struct remembered_pair *pair = remember_pair(table, entry);
    const struct path_state *path = &entry->path;
    uint32_t now_s = (uint32_t)(now_us / SECOND_US);
    uint64_t offset = (uint64_t)pair->timestamp_round << 32 | pair->timestamp_offset;
    size_t size = address_size(table->family);
    wire_write8(wire, table->family);
    wire_write(wire, stack->addresses[entry->local].bytes, size);
    wire_write(wire, entry->remote, size);
    wire_write16(wire, entry->local_port);
    wire_write16(wire, entry->remote_port);
    wire_write16(wire, entry->mss);
    wire_write8(wire, pair->size);
    wire_write(wire, pair->initiator, pair->size);
    wire_write(wire, pair->responder, pair->size);
    wire_write8(wire, pair->window_scale);
    wire_write8(wire, (uint8_t)((pair->window_scaling ? FLAG_WINDOW_SCALING : 0) |
                                (pair->sack_permitted ? FLAG_SACK_PERMITTED : 0) |
                                (pair->ecn ? FLAG_ECN : 0)));
    wire_write8(wire, pair->timestamp_size);
    wire_write8(wire, pair->restarts);
    wire_write32(wire, pair->iss);
    wire_write32(wire, pair->irs);
    wire_write32(wire, pair->responder_timestamp);
    uint64_t timestamp = now_us / TIMESTAMP_TICK_US + offset;
    wire_write32(wire, (uint32_t)(timestamp >> 32));
    wire_write32(wire, (uint32_t)timestamp);
    wire_write32(wire, pair->trusted_s > now_s ? pair->trusted_s - now_s : 0);
    const uint32_t words[] = { path->window,         path->ssthresh,   path->srtt_us,
                               path->rttvar_us,      path->min_rtt_us, path->rate,
                               now_s - path->taken_s };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        wire_write32(wire, words[i]);
    const struct remembered_seal *seal = remember_seal(table, entry);
    wire_write8(wire, seal ? seal->size : 0);
    if (seal)
        wire_write(wire, seal->bytes, seal->size);
}

/* Both tables, the longest unused first. */
static size_t exported_size(const struct tcpct_stack *stack, uint32_t *count)
{
    size_t size = HEADER_SIZE + MAC_SIZE;
    *count = 0;
    for (unsigned i = 0; i < 2; i++) {
        const struct remember_table *table = &stack->remembered[1][i];
        for (struct remembered *entry = remember_oldest(table); entry;
             entry = remember_newer(table, entry), ++*count)
            size += entry_size(table, entry);
    }
    return size;
}

size_t tcpct_remembered_export(const struct tcpct_stack *stack, void *bytes, size_t size,
                               uint64_t wall_clock_us, uint64_t now_us)
{
    uint32_t count;
    size_t needed = exported_size(stack, &count);
    if (size < needed)
        return needed;
    struct wire wire = wire_writer(bytes, needed);
    wire_write(&wire, magic, sizeof(magic));
    wire_write32(&wire, VERSION);
    wire_write32(&wire, count);
    wire_write32(&wire, (uint32_t)(wall_clock_us >> 32));
    wire_write32(&wire, (uint32_t)wall_clock_us);
    for (unsigned i = 0; i < 2; i++) {
        const struct remember_table *table = &stack->remembered[1][i];
        for (struct remembered *entry = remember_oldest(table); entry;
             entry = remember_newer(table, entry))
            write_entry(&wire, stack, table, entry, now_us);
    }
    uint8_t tag[MAC_SIZE];
    checksum(bytes, wire.position, tag);
    wire_write(&wire, tag, sizeof(tag));
    return needed;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool read_entry(struct wire *wire, struct exported *entry)
{
    struct remembered_pair *pair = &entry->pair;
    struct path_state *path = &entry->path;
    memset(entry, 0, sizeof(*entry));
    uint8_t family = wire_read8(wire);
    if (family != 4 && family != 6)
        return false;
    entry->local.family = entry->key.remote.family = family;
    wire_read(wire, entry->local.bytes, address_size(family));
    wire_read(wire, entry->key.remote.bytes, address_size(family));
    entry->key.local_port = wire_read16(wire);
    entry->key.remote_port = wire_read16(wire);
    entry->mss = wire_read16(wire);
    pair->size = wire_read8(wire);
    if (pair->size < COOKIE_SIZE_MIN || pair->size > COOKIE_SIZE_MAX || pair->size % 2)
        return false;
    wire_read(wire, pair->initiator, pair->size);
    wire_read(wire, pair->responder, pair->size);
    pair->window_scale = wire_read8(wire);
    uint8_t flags = wire_read8(wire);
    pair->window_scaling = flags & FLAG_WINDOW_SCALING;
    pair->sack_permitted = flags & FLAG_SACK_PERMITTED;
    pair->ecn = flags & FLAG_ECN;
    pair->timestamp_size = wire_read8(wire);
    pair->restarts = wire_read8(wire);
    pair->iss = wire_read32(wire);
    pair->irs = wire_read32(wire);
    pair->responder_timestamp = wire_read32(wire);
    entry->timestamp = (uint64_t)wire_read32(wire) << 32;
    entry->timestamp |= wire_read32(wire);
    entry->trusted_s = wire_read32(wire);
    uint32_t *const words[] = { &path->window,    &path->ssthresh,   &path->srtt_us,
                                &path->rttvar_us, &path->min_rtt_us, &path->rate,
                                &path->taken_s };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        *words[i] = wire_read32(wire);
    entry->seal.size = wire_read8(wire);
    if (entry->seal.size > SEAL_SIZE_MAX)
        return false;
    wire_read(wire, entry->seal.bytes, entry->seal.size);
    return !wire->failed && entry->key.local_port && entry->key.remote_port &&
           entry->mss >= MSS_MIN && pair->window_scale <= WINDOW_SCALE_MAX &&
           (pair->timestamp_size == 4 || pair->timestamp_size == 8 || pair->timestamp_size == 16);
}

/* False: it is of no use here. */
static bool take_entry(struct tcpct_stack *stack, const struct exported *exported,
                       uint64_t elapsed_us, uint64_t now_us)
{
    struct remember_table *table = &stack->remembered[1][exported->local.family == 6];
    struct remember_key key = exported->key;
    uint64_t elapsed_s = elapsed_us / SECOND_US, now_ticks = now_us / TIMESTAMP_TICK_US;
    uint64_t timestamp = exported->timestamp + elapsed_us / TIMESTAMP_TICK_US + 1;
    uint32_t now_s = (uint32_t)(now_us / SECOND_US);
    while (key.local < stack->address_count &&
           !ip_address_equal(&stack->addresses[key.local], &exported->local))
        key.local++;
    if (key.local == stack->address_count || ip_address_is_unusable(&key.remote) ||
        elapsed_s > UINT32_MAX - exported->path.taken_s)
        return false;
    if (timestamp < now_ticks && exported->pair.timestamp_size > 4)
        return false; /* its clock cannot go on here: the prefix would be less */
    struct remembered *entry = remember_use(table, &key);
    if (!entry)
        return false;
    struct remembered_pair *pair = remember_pair(table, entry);
    uint64_t offset = timestamp - now_ticks;
    *pair = exported->pair;
    pair->timestamp_offset = (uint32_t)offset;
    pair->timestamp_round = (uint8_t)(offset >> 32);
    bool trusted = exported->trusted_s > elapsed_s;
    pair->trusted_s = trusted ? now_s + exported->trusted_s - (uint32_t)elapsed_s : 0;
    entry->exchange = pair->responder_timestamp;
    entry->mss = exported->mss;
    entry->flags = 0;
    struct remembered_seal *seal = remember_seal(table, entry);
    if (seal)
        *seal = exported->seal;
    entry->path = exported->path;
    entry->path.taken_s = now_s - exported->path.taken_s - (uint32_t)elapsed_s;
    return true;
}

static bool is_whole(const uint8_t *bytes, size_t size)
{
    uint8_t tag[MAC_SIZE];
    return size >= HEADER_SIZE + MAC_SIZE && memcmp(bytes, magic, sizeof(magic)) == 0 &&
           wire_get32(bytes + sizeof(magic)) == VERSION && checksum(bytes, size - MAC_SIZE, tag) &&
           memcmp(tag, bytes + size - MAC_SIZE, MAC_SIZE) == 0;
}

int tcpct_remembered_import(struct tcpct_stack *stack, const void *bytes, size_t size,
                            uint64_t wall_clock_us, uint64_t now_us)
{
    struct exported entry;
    if (!is_whole(bytes, size))
        return TCPCT_ERROR_INVALID;
    for (unsigned taking = 0; taking < 2; taking++) { /* all of it must be good */
        struct wire wire = wire_reader(bytes, size - MAC_SIZE);
        wire_skip(&wire, sizeof(magic) + 4);
        uint32_t count = wire_read32(&wire);
        uint64_t then_us = (uint64_t)wire_read32(&wire) << 32;
        then_us |= wire_read32(&wire);
        for (uint32_t i = 0; i < count; i++) {
            if (!read_entry(&wire, &entry))
                return TCPCT_ERROR_INVALID;
            if (taking && wall_clock_us >= then_us)
                take_entry(stack, &entry, wall_clock_us - then_us, now_us);
        }
        if (wire_left(&wire))
            return TCPCT_ERROR_INVALID;
    }
    return TCPCT_OK;
}
