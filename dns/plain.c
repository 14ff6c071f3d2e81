/* plain.c - the commonest records in their plainest form: see plain.h.
 *
 *     [NAME] [TTL] [IN] TYPE DATA     or     [NAME] [IN] [TTL] TYPE DATA
 *
 * with blanks between the words; names of letters, digits, '-', '_' and '*', or '@'; numbers in digits;
 * strings without anything that may need an escape.
 */
#include "plain.h"

#include <arpa/inet.h>
#include <string.h>

enum { STRING_SIZE_MAX = 255, ADDRESS_SIZE_MAX = 45, DIGITS_MAX = 10 };

/* Each letter of `fields` is one of the data: an address, a 16-bit number, a name, strings to the end. */
static const struct plain_type {
    const char *name, *fields;
    uint16_t type;
} plain_types[] = {
    { "A", "4", DNS_A },     { "NS", "n", DNS_NS },       { "AAAA", "6", DNS_AAAA },
    { "MX", "2n", DNS_MX },  { "CNAME", "n", DNS_CNAME }, { "TXT", "t", DNS_TXT },
    { "PTR", "n", DNS_PTR }, { "SRV", "222n", DNS_SRV },
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at)
{
    while (is_blank(*at))
        at++;
    return at;
}

static bool is_end(char c)
{
    return is_blank(c) || c == '\0';
}

static size_t word_size(const char *word)
{
    size_t size = 0;
    while (!is_end(word[size]))
        size++;
    return size;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_of_name(char c)
{
    char lower = (char)(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '*';
}

/* Each reader takes a word at *at, moves behind it and returns true, or returns false. */

/* Of more digits than any number needs ldns says what they mean. */
static bool read_number(const char **at, uint32_t max, uint32_t *number)
{
    const char *digit = *at;
    uint64_t value = 0;
    for (; is_digit(*digit) && value <= max; digit++)
        value = value * 10 + (uint64_t)(*digit - '0');
    if (digit == *at || digit - *at > DIGITS_MAX || !is_end(*digit) || value > max)
        return false;
    *number = (uint32_t)value;
    *at = digit;
    return true;
}

/* Writes a name of at most NAME_SIZE_MAX bytes. A label begins only where the longest one would fit:
 * names that come close to the limit are left to ldns. */
static bool read_name(const char **at, const ldns_rdf *origin, uint8_t *name, size_t *size)
{
    const char *from = *at;
    *size = 0;
    if (*from == '@') {
        from++;
    } else {
        do {
            uint8_t *label = name + *size;
            size_t length = 0;
            if (*size + 1 + LABEL_SIZE_MAX >= NAME_SIZE_MAX)
                return false;
            while (length < LABEL_SIZE_MAX && is_of_name(*from))
                label[++length] = (uint8_t)*from++;
            if (length == 0)
                return false;
            *label = (uint8_t)length;
            *size += 1 + length;
        } while (*from == '.' && !is_end(*++from));
    }
    if (!is_end(*from))
        return false;
    if (from[-1] == '.') {
        name[(*size)++] = 0;
    } else {
        size_t origin_size = origin ? ldns_rdf_size(origin) : 0;
        if (origin_size == 0 || *size + origin_size > NAME_SIZE_MAX)
            return false;
        memcpy(name + *size, ldns_rdf_data(origin), origin_size);
        *size += origin_size;
    }
    *at = from;
    return true;
}

static bool read_address(const char **at, int family, uint8_t *bytes)
{
    char word[ADDRESS_SIZE_MAX + 1];
    size_t size = word_size(*at);
    if (size > ADDRESS_SIZE_MAX)
        return false;
    memcpy(word, *at, size);
    word[size] = '\0';
    *at += size;
    return inet_pton(family, word, bytes) == 1;
}

/* One string, between quotation marks or not. */
static bool read_string(const char **at, uint8_t *bytes, size_t *size)
{
    bool quoted = **at == '"';
    const char *from = *at + quoted;
    size_t length = 0;
    for (; length < STRING_SIZE_MAX && *from >= (quoted ? ' ' : '!') && *from <= '~'; from++) {
        if (strchr("\"\\;()", *from))
            break;
        bytes[++length] = (uint8_t)*from;
    }
    if (length == 0 || (quoted && *from++ != '"') || !is_end(*from))
        return false;
    bytes[0] = (uint8_t)length;
    *size = 1 + length;
    *at = from;
    return true;
}

/* ---- records ------------------------------------------------------------------------------- */

static bool read_field(char field, const char **at, const ldns_rdf *origin, uint8_t *bytes,
                       size_t *size)
{
    uint32_t number;
    switch (field) {
    case '4':
        *size = 4;
        return read_address(at, AF_INET, bytes);
    case '6':
        *size = 16;
        return read_address(at, AF_INET6, bytes);
    case '2':
        *size = 2;
        if (!read_number(at, UINT16_MAX, &number))
            return false;
        dns_put16(bytes, (uint16_t)number);
        return true;
    case 'n':
        return read_name(at, origin, bytes, size);
    default:
        return read_string(at, bytes, size);
    }
}

/* The data of the fields, the last of which is repeated if it is a string. */
static bool read_data(struct record *record, const char *fields, const char *at,
                      const ldns_rdf *origin)
{
    size_t used = 0;
    do {
        size_t size;
        at = skip_blanks(at);
        if (used + NAME_SIZE_MAX + 1 > sizeof record->data ||
            !read_field(*fields, &at, origin, record->data + used, &size))
            return false;
        used += size;
        at = skip_blanks(at);
        if (*fields != 't')
            fields++;
    } while (*fields && (*fields != 't' || *at));
    record->size = (uint16_t)used;
    return *at == '\0';
}

/* TTL and class, in either order and each at most once. Returns what stands behind them, the type. */
static const char *read_ttl_and_class(struct record *record, const char *at)
{
    for (bool ttl = false, class = false;; at = skip_blanks(at)) {
        if (!ttl && read_number(&at, INT32_MAX, &record->ttl))
            ttl = true;
        else if (!class && word_is(at, word_size(at), "IN")) {
            class = true;
            at += 2;
        } else
            return at;
    }
}

bool plain_parse(struct record *record, const struct record_defaults *defaults, const char *entry)
{
    const char *at = entry;
    if (is_blank(*at)) {
        record->owner_size = defaults->owner_size;
        memcpy(record->owner, defaults->owner, defaults->owner_size);
    } else {
        uint8_t name[NAME_SIZE_MAX];
        size_t size;
        if (!read_name(&at, defaults->origin, name, &size))
            return false;
        record->owner_size = (uint8_t)size;
        name_lower(record->owner, name, size);
    }
    record->ttl = defaults->ttl;
    at = read_ttl_and_class(record, skip_blanks(at));
    size_t size = word_size(at);
    for (size_t i = 0; i < sizeof plain_types / sizeof *plain_types; i++)
        if (word_is(at, size, plain_types[i].name)) {
            record->type = plain_types[i].type;
            return record->owner_size > 0 &&
                   read_data(record, plain_types[i].fields, at + size, defaults->origin);
        }
    return false;
}
