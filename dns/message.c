/* message.c - parses and writes queries: see message.h. */
#include "message.h"

#include <string.h>

#include "edns.h"

enum {
    UDP_SIZE_MIN = 512,
    RECORD_HEAD_SIZE = 10, /* type, class, TTL, length */
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

size_t dns_name_skip(const uint8_t *message, size_t size, size_t at)
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
    /* What a later version says in its options is not for us to judge. */
    return query->edns_version > 0 ||
           edns_take_options(query, head + RECORD_HEAD_SIZE, dns_get16(head + 8));
}

/* The SOA of the authority section, from its data on: two names, then the serial. */
static void take_serial(struct dns_query *query, const uint8_t *message, size_t end, size_t at)
{
    for (unsigned names = 0; names < 2 && at > 0; names++)
        at = dns_name_skip(message, end, at);
    query->has_serial = at > 0 && at + 4 <= end;
    if (query->has_serial)
        query->serial = dns_get32(message + at);
}

/* Walks the records from `at`. OPT counts in the additional section only. */
static bool take_records(struct dns_query *query, const uint8_t *message, size_t size, size_t at)
{
    unsigned before = dns_get16(message + 6) + dns_get16(message + 8);
    unsigned count = before + dns_get16(message + 10);
    for (unsigned i = 0; i < count; i++) {
        size_t head = dns_name_skip(message, size, at);
        if (head == 0 || head + RECORD_HEAD_SIZE > size)
            return false;
        size_t next = head + RECORD_HEAD_SIZE + dns_get16(message + head + 8);
        if (next > size)
            return false;
        if (i == dns_get16(message + 6) && i < before && dns_get16(message + head) == DNS_SOA)
            take_serial(query, message, next, head + RECORD_HEAD_SIZE);
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
    query->edns = query->dnssec_ok = query->keepalive = query->padded = query->nsid = false;
    query->has_serial = false;
    query->edns_version = query->cookie_size = 0;
    query->cookie = NULL;
    query->udp_size = UDP_SIZE_MIN;
    if (query->flags & DNS_FLAG_QR)
        return DNS_QUERY_DROPPED;
    if (query->opcode != DNS_OPCODE_QUERY)
        return DNS_QUERY_UNKNOWN;
    unsigned questions = dns_get16(message + 4);
    if (questions == 0 && take_records(query, message, size, DNS_HEADER_SIZE) && query->cookie)
        return DNS_QUERY_EMPTY;
    if (questions != 1 || !take_name(query, message, size))
        return DNS_QUERY_MALFORMED;
    size_t at = DNS_HEADER_SIZE + query->name_size;
    if (at + 4 > size)
        return DNS_QUERY_MALFORMED;
    query->type = dns_get16(message + at);
    query->class = dns_get16(message + at + 2);
    return take_records(query, message, size, at + 4) ? DNS_QUERY_GOOD : DNS_QUERY_MALFORMED;
}

/* Bytes of the OPT record at `at`, padded so that the message gets its size. */
static size_t opt_size(const struct dns_question *question, size_t at)
{
    size_t size = DNS_OPT_SIZE + question->options_size;
    if (question->padded_size >= at + size + EDNS_OPTION_HEAD_SIZE)
        return question->padded_size - at;
    return size;
}

/* Writes it over zero bytes. */
static void write_opt(uint8_t *opt, size_t size, const struct dns_question *question)
{
    size_t plain = DNS_OPT_SIZE + question->options_size;
    dns_put16(opt + 1, DNS_OPT);
    dns_put16(opt + 3, DNS_UDP_SIZE);
    opt[6] = question->edns_version;
    dns_put16(opt + 7, question->dnssec_ok ? 0x8000 : 0);
    dns_put16(opt + 9, (uint16_t)(size - DNS_OPT_SIZE));
    if (question->options_size > 0)
        memcpy(opt + DNS_OPT_SIZE, question->options, question->options_size);
    if (size > plain) {
        dns_put16(opt + plain, EDNS_PADDING);
        dns_put16(opt + plain + 2, (uint16_t)(size - plain - EDNS_OPTION_HEAD_SIZE));
    }
}

size_t dns_query_write(uint8_t *message, size_t room, const struct dns_question *question)
{
    size_t length = name_size(question->name, NAME_SIZE_MAX);
    size_t size = DNS_HEADER_SIZE + length + 4;
    size_t opt = question->edns ? opt_size(question, size) : 0;
    if (length == 0 || size + opt > room)
        return 0;
    memset(message, 0, size + opt);
    dns_put16(message, question->id);
    dns_put16(message + 2, question->flags);
    dns_put16(message + 4, 1);
    memcpy(message + DNS_HEADER_SIZE, question->name, length);
    dns_put16(message + size - 4, question->type);
    dns_put16(message + size - 2, question->class);
    if (opt > 0) {
        dns_put16(message + 10, 1);
        write_opt(message + size, opt, question);
    }
    return size + opt;
}
