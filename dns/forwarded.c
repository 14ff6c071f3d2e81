/* forwarded.c - failures, truncation and the comparison of questions: see forwarded.h. */
#include "forwarded.h"

#include <string.h>

enum { RECORD_HEAD_SIZE = 10, OPTION_EXTENDED_ERROR = 15 };

size_t forwarded_failure(uint8_t *answer, const uint8_t *query, size_t size, enum dns_rcode rcode,
                         enum dns_extended_error error)
{
    struct dns_query parsed;
    uint16_t kept = DNS_FLAG_RD | DNS_FLAG_CD | 0x7800; /* and the opcode */
    memset(answer, 0, DNS_HEADER_SIZE);
    memcpy(answer, query, 2);
    dns_put16(answer + 2, (uint16_t)(DNS_FLAG_QR | (dns_get16(query + 2) & kept) | rcode));
    if (dns_query_parse(&parsed, query, size) != DNS_QUERY_GOOD)
        return DNS_HEADER_SIZE;
    size_t at = DNS_HEADER_SIZE + parsed.name_size + 4;
    memcpy(answer + DNS_HEADER_SIZE, query + DNS_HEADER_SIZE, at - DNS_HEADER_SIZE);
    dns_put16(answer + 4, 1);
    if (!parsed.edns)
        return at;
    uint8_t *opt = answer + at;
    memset(opt, 0, DNS_OPT_SIZE);
    dns_put16(opt + 1, DNS_OPT);
    dns_put16(opt + 3, DNS_UDP_SIZE);
    dns_put16(opt + 7, parsed.dnssec_ok ? 0x8000 : 0);
    dns_put16(opt + 9, 6);
    dns_put16(opt + DNS_OPT_SIZE, OPTION_EXTENDED_ERROR);
    dns_put16(opt + DNS_OPT_SIZE + 2, 2);
    dns_put16(opt + DNS_OPT_SIZE + 4, (uint16_t)error);
    dns_put16(answer + 10, 1);
    return at + DNS_OPT_SIZE + 6;
}

/* Behind the question section, or 0. */
static size_t skip_questions(const uint8_t *message, size_t size)
{
    size_t at = DNS_HEADER_SIZE;
    for (unsigned i = dns_get16(message + 4); i > 0 && at > 0; i--) {
        at = dns_name_skip(message, size, at);
        at = at > 0 && at + 4 <= size ? at + 4 : 0;
    }
    return at;
}

/* Behind the record at `at`, or 0. */
static size_t skip_record(const uint8_t *message, size_t size, size_t at)
{
    size_t head = dns_name_skip(message, size, at);
    if (head == 0 || head + RECORD_HEAD_SIZE > size)
        return 0;
    size_t next = head + RECORD_HEAD_SIZE + dns_get16(message + head + 8);
    return next <= size ? next : 0;
}

/* The first OPT record at or behind `at`: its place and end. False: there is none. */
static bool find_opt(const uint8_t *message, size_t size, size_t at, size_t *begin, size_t *end)
{
    unsigned count = dns_get16(message + 6) + dns_get16(message + 8) + dns_get16(message + 10);
    for (unsigned i = 0; i < count; i++) {
        size_t next = skip_record(message, size, at);
        if (next == 0)
            return false;
        if (message[at] == 0 && dns_get16(message + at + 1) == DNS_OPT) {
            *begin = at;
            *end = next;
            return true;
        }
        at = next;
    }
    return false;
}

size_t forwarded_truncate(uint8_t *answer, size_t size)
{
    size_t begin = 0, end = 0, at = skip_questions(answer, size);
    bool opt = at > 0 && find_opt(answer, size, at, &begin, &end);
    if (opt)
        memmove(answer + at, answer + begin, end - begin);
    memset(answer + 6, 0, 6);
    answer[2] |= DNS_FLAG_TC >> 8;
    answer[11] = opt;
    if (at == 0) {
        dns_put16(answer + 4, 0);
        return DNS_HEADER_SIZE;
    }
    return at + (end - begin);
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
}

bool forwarded_matches(const uint8_t *query, size_t query_size, const uint8_t *answer, size_t size)
{
    if (size < DNS_HEADER_SIZE || !(dns_get16(answer + 2) & DNS_FLAG_QR))
        return false;
    if (dns_get16(answer + 4) == 0)
        return (answer[3] & 15) != DNS_NOERROR;
    size_t end = skip_questions(query, query_size);
    if (end == 0 || skip_questions(answer, size) != end)
        return false;
    for (size_t i = DNS_HEADER_SIZE; i < end; i++)
        if (lower(query[i]) != lower(answer[i]))
            return false;
    return true;
}
