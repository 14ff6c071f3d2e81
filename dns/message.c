/* message.c - parses and writes queries: see message.h. */
#include "message.h"

#include <string.h>

enum {
    UDP_SIZE_MIN = 512,
    RECORD_HEAD_SIZE = 10, /* type, class, TTL, length */
    OPTION_HEAD_SIZE = 4,  /* of EDNS: code, length */
    OPTION_PADDING = 12,
};

/* Takes the question's name, which must not be compressed: nothing stands before it. */
static bool take_name(struct dns_query *query, const uint8_t *message, size_t size)
{
    const uint8_t *name = message + DNS_HEADER_SIZE;
    query->name = name;
    query->name_size = name_size(name, size - DNS_HEADER_SIZE);
    if (query->name_size == 0)
        return false;
    name_lower(query->lower, name, query->name_size);
    query->labels = 0;
    for (size_t at = 0; name[at]; at += 1u + name[at])
        query->label_at[query->labels++] = (uint8_t)at;
    query->label_at[query->labels] = (uint8_t)(query->name_size - 1);
    return true;
}

/* Offset behind the possibly compressed name at `at`, or 0 if it leaves the message. */
static size_t skip_name(const uint8_t *message, size_t size, size_t at)
{
    while (at < size) {
        uint8_t byte = message[at];
        if (byte == 0)
            return at + 1;
        if ((byte & 0xc0) == 0xc0)
            return at + 2;
        if (byte > LABEL_SIZE_MAX)
            return 0;
        at += 1u + byte;
    }
    return 0;
}

/* An OPT record (RFC 6891, 6.1): its owner is the root, and there is but one. */
static bool take_opt(struct dns_query *query, const uint8_t *owner, const uint8_t *head)
{
    if (query->edns || owner + 1 != head || owner[0] != 0)
        return false;
    query->edns = true;
    query->udp_size = dns_get16(head + 2);
    if (query->udp_size < UDP_SIZE_MIN)
        query->udp_size = UDP_SIZE_MIN;
    query->edns_version = head[5];
    query->dnssec_ok = head[6] & 0x80;
    return true;
}

/* Walks the records from `at`. OPT counts in the additional section only. */
static bool take_records(struct dns_query *query, const uint8_t *message, size_t size, size_t at)
{
    unsigned before = dns_get16(message + 6) + dns_get16(message + 8);
    unsigned count = before + dns_get16(message + 10);
    for (unsigned i = 0; i < count; i++) {
        size_t head = skip_name(message, size, at);
        if (head == 0 || head + RECORD_HEAD_SIZE > size)
            return false;
        size_t next = head + RECORD_HEAD_SIZE + dns_get16(message + head + 8);
        if (next > size)
            return false;
        if (dns_get16(message + head) == DNS_OPT && i >= before &&
            !take_opt(query, message + at, message + head))
            return false;
        at = next;
    }
    return true;
}

enum dns_verdict dns_query_parse(struct dns_query *query, const uint8_t *message, size_t size)
{
    if (size < DNS_HEADER_SIZE)
        return DNS_QUERY_DROPPED;
    query->id = dns_get16(message);
    query->flags = dns_get16(message + 2);
    query->opcode = message[2] >> 3 & 15;
    query->edns = query->dnssec_ok = false;
    query->edns_version = 0;
    query->udp_size = UDP_SIZE_MIN;
    if (query->flags & DNS_FLAG_QR)
        return DNS_QUERY_DROPPED;
    if (query->opcode != DNS_OPCODE_QUERY)
        return DNS_QUERY_UNKNOWN;
    if (dns_get16(message + 4) != 1 || !take_name(query, message, size))
        return DNS_QUERY_MALFORMED;
    size_t at = DNS_HEADER_SIZE + query->name_size;
    if (at + 4 > size)
        return DNS_QUERY_MALFORMED;
    query->type = dns_get16(message + at);
    query->class = dns_get16(message + at + 2);
    return take_records(query, message, size, at + 4) ? DNS_QUERY_GOOD : DNS_QUERY_MALFORMED;
}

/* Writes an OPT record, padded so that the message gets its size. */
static size_t write_opt(uint8_t *message, size_t at, const struct dns_question *question)
{
    uint8_t *opt = message + at;
    size_t size = DNS_OPT_SIZE;
    dns_put16(opt + 1, DNS_OPT);
    dns_put16(opt + 3, DNS_UDP_SIZE);
    dns_put16(opt + 7, question->dnssec_ok ? 0x8000 : 0);
    if (question->padded_size >= at + size + OPTION_HEAD_SIZE) {
        size = question->padded_size - at;
        dns_put16(opt + DNS_OPT_SIZE, OPTION_PADDING);
        dns_put16(opt + DNS_OPT_SIZE + 2, (uint16_t)(size - DNS_OPT_SIZE - OPTION_HEAD_SIZE));
    }
    dns_put16(opt + 9, (uint16_t)(size - DNS_OPT_SIZE));
    return size;
}

size_t dns_query_write(uint8_t *message, size_t room, const struct dns_question *question)
{
    size_t length = name_size(question->name, NAME_SIZE_MAX);
    size_t size = DNS_HEADER_SIZE + length + 4;
    size_t whole = size + (question->edns ? DNS_OPT_SIZE : 0);
    if (question->edns && question->padded_size > whole)
        whole = question->padded_size;
    if (length == 0 || whole > room)
        return 0;
    memset(message, 0, whole);
    dns_put16(message, question->id);
    dns_put16(message + 2, question->flags);
    dns_put16(message + 4, 1);
    memcpy(message + DNS_HEADER_SIZE, question->name, length);
    dns_put16(message + size - 4, question->type);
    dns_put16(message + size - 2, question->class);
    if (question->edns) {
        dns_put16(message + 10, 1);
        size += write_opt(message, size, question);
    }
    return size;
}
