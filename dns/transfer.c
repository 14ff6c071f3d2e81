/* transfer.c - zone transfers: see transfer.h. */
#include "transfer.h"

#include <string.h>

enum {
    MESSAGE_SIZE = 16000, /* after which no further record begins: within DNS_POINTER_MAX */
    RECORD_HEAD_SIZE = 10,
    POINTER = 0xc000,
};

/* A message being written. */
struct writer {
    uint8_t *message;
    size_t size;
    unsigned count; /* records */
};

/* The fifth field from the end of the SOA's data. */
static uint32_t zone_serial(const struct zone *zone)
{
    const struct zone_set *soa = &zone->sets[zone->soa];
    return dns_get32(zone->bytes + soa->data + soa->data_size - 20);
}

void transfer_begin(struct transfer *transfer, const struct zone *zone,
                    const struct dns_query *query)
{
    *transfer = (struct transfer){ .zone = zone, .id = query->id };
    zone_hold(zone);
    transfer->flags = DNS_FLAG_QR | DNS_FLAG_AA | (query->flags & DNS_FLAG_RD);
    transfer->edns = query->edns;
    /* RFC 1995, 4: whoever has this version, or a newer one, gets the SOA only (RFC 1982). */
    uint32_t serial = zone_serial(zone);
    transfer->soa_only =
        query->type == DNS_IXFR && query->has_serial && (int32_t)(query->serial - serial) >= 0;
    transfer->question_size = query->name_size + 4;
    memcpy(transfer->question, query->name, transfer->question_size);
}

void transfer_end(struct transfer *transfer)
{
    if (transfer->zone)
        zone_release(transfer->zone);
    transfer->zone = NULL;
}

/* The owner: its own labels and a pointer to the zone's name in the question. Returns where it
 * stands, which a pointer reaches. */
static size_t put_owner(struct writer *writer, const struct zone *zone, uint32_t name)
{
    size_t size = zone_name_size(zone, name) - zone->origin_size, at = writer->size;
    memcpy(writer->message + at, zone_name(zone, name), size);
    dns_put16(writer->message + at + size, POINTER | DNS_HEADER_SIZE);
    writer->size += size + 2;
    return size > 0 ? at : DNS_HEADER_SIZE;
}

/* Writes the record at *position of the set, and moves on. False: it does not fit. */
static bool put_record(struct writer *writer, const struct zone *zone, const struct zone_set *set,
                       uint32_t *position, uint32_t *patch)
{
    const uint8_t *bytes = zone->bytes + set->data + *position;
    size_t size = 2u + RECORD_HEAD_SIZE + dns_get16(bytes + 2 + RECORD_HEAD_SIZE - 2);
    if (writer->size + NAME_SIZE_MAX + size + DNS_OPT_SIZE > DNS_MESSAGE_SIZE_MAX)
        return false;
    size_t owner_at = put_owner(writer, zone, set->owner);
    uint8_t *to = writer->message + writer->size - 2; /* as if the owner were a pointer, too */
    memcpy(to + 2, bytes + 2, size - 2);
    uint32_t end = *position + (uint32_t)size;
    for (++*patch; *patch < set->patch_total; ++*patch) {
        uint32_t value = zone->patches[set->patches + *patch];
        if (value >> 1 >= end)
            break;
        dns_put16(
            to + (value >> 1) - *position,
            (uint16_t)(POINTER | ((value & 1) == ZONE_PATCH_APEX ? DNS_HEADER_SIZE : owner_at)));
    }
    writer->size += size - 2;
    writer->count++;
    *position = end;
    return true;
}

/* Writes a set (`whole`: with its signatures), or as much of it as goes into this message. False: a
 * record fits none. */
static bool put_set(struct transfer *transfer, struct writer *writer, uint32_t index, bool whole)
{
    const struct zone_set *set = &transfer->zone->sets[index];
    uint32_t size = whole ? set->size : set->data_size;
    while (transfer->position < size && writer->size < MESSAGE_SIZE)
        if (!put_record(writer, transfer->zone, set, &transfer->position, &transfer->patch))
            return false;
    if (transfer->position == size) {
        transfer->position = transfer->patch = 0;
        transfer->stage++;
    }
    return true;
}

/* Everything but the SOA stands between the two of it. */
static bool put_stage(struct transfer *transfer, struct writer *writer)
{
    const struct zone *zone = transfer->zone;
    uint32_t index = transfer->stage - 1; /* of a set; in the first stage of none */
    if (transfer->stage == 0)
        return put_set(transfer, writer, zone->soa, !transfer->soa_only);
    if (index == zone->set_count) /* nothing stands behind it (RFC 5936, 2.2) */
        return put_set(transfer, writer, zone->soa, false);
    if (index == zone->soa || index == zone->negative_soa) {
        transfer->stage++;
        return true;
    }
    return put_set(transfer, writer, index, true);
}

static bool is_complete(const struct transfer *transfer)
{
    return transfer->stage == (transfer->soa_only ? 1 : transfer->zone->set_count + 2);
}

size_t transfer_next(struct transfer *transfer, uint8_t *message)
{
    struct writer writer = { .message = message,
                             .size = DNS_HEADER_SIZE + transfer->question_size };
    memcpy(message + DNS_HEADER_SIZE, transfer->question, transfer->question_size);
    while (!is_complete(transfer) && writer.size < MESSAGE_SIZE) {
        if (!put_stage(transfer, &writer)) {
            /* What there is may leave first: the record begins the next message. */
            if (writer.count > 0)
                break;
            transfer_end(transfer);
            return 0;
        }
    }
    memset(message, 0, DNS_HEADER_SIZE);
    if (transfer->edns) {
        const struct edns_reply plain = { .error = EDNS_ERROR_NONE };
        writer.size = edns_reply_write(&plain, message, writer.size, DNS_MESSAGE_SIZE_MAX);
        dns_put16(message + 10, 1);
        transfer->edns = false;
    }
    dns_put16(message, transfer->id);
    dns_put16(message + 2, transfer->flags);
    dns_put16(message + 4, 1);
    dns_put16(message + 6, (uint16_t)writer.count);
    if (is_complete(transfer))
        transfer_end(transfer);
    return writer.size;
}
