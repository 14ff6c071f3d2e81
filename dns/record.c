/* record.c - one record from its text: see record.h. */
#include "record.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "plain.h"

enum { CLASS_SIZE_MAX = 10 }; /* of "CLASS65535" */

bool word_is_number(const char *word, size_t size)
{
    return size > 0 && strspn(word, "0123456789") >= size;
}

bool word_is(const char *word, size_t size, const char *other)
{
    return strlen(other) == size && strncasecmp(word, other, size) == 0;
}

__attribute__((format(printf, 3, 4))) static bool fail(char *error, size_t error_size,
                                                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, error_size, format, arguments);
    va_end(arguments);
    return false;
}

/* A relative owner needs an origin: ldns would take it as absolute. */
static bool check_owner(const struct record_defaults *defaults, const char *entry, char *error,
                        size_t error_size)
{
    const char *at = entry, *owner;
    if (isspace((unsigned char)*at))
        return defaults->owner_size > 0 ||
               fail(error, error_size, "no owner name stands before this record");
    size_t size = entry_word(&at, &owner);
    if (!defaults->origin && at[-1] != '.')
        return fail(error, error_size,
                    "the name %.*s is relative and there is no $ORIGIN before it", (int)size,
                    owner);
    return true;
}

static bool is_ttl(const char *word, size_t size)
{
    return size > 0 && isdigit((unsigned char)*word) &&
           strspn(word, "0123456789sSmMhHdDwW") >= size;
}

static bool is_class(const char *word, size_t size)
{
    return word_is(word, size, "IN") || word_is(word, size, "CLASS1");
}

/* Class and TTL may stand in either order (RFC 1035, 5.1): ldns knows but one, so they are
 * exchanged if need be. Returns what stands behind them, the type. */
static const char *order_class_and_ttl(char *entry)
{
    const char *at = entry, *first, *second, *word;
    char class[CLASS_SIZE_MAX];
    if (!isspace((unsigned char)*entry))
        entry_word(&at, &word);
    const char *before = at;
    size_t first_size = entry_word(&at, &first), second_size;
    const char *behind = at;
    if (is_class(first, first_size)) {
        second_size = entry_word(&at, &second);
        if (!is_ttl(second, second_size))
            return behind;
        char *to = entry + (first - entry);
        memcpy(class, first, first_size);
        memmove(to, second, second_size);
        memset(to + second_size, ' ', (size_t)(at - to) - second_size);
        memcpy(entry + (at - entry) - first_size, class, first_size);
        return at;
    }
    if (!is_ttl(first, first_size))
        return before;
    second_size = entry_word(&at, &second);
    return is_class(second, second_size) ? at : behind;
}

/* The largest number that a field can be; 0: it is no number. */
static uint64_t number_max(ldns_rdf_type type)
{
    switch (type) {
    case LDNS_RDF_TYPE_INT8:
    case LDNS_RDF_TYPE_ALG:
        return UINT8_MAX;
    case LDNS_RDF_TYPE_INT16:
        return UINT16_MAX;
    case LDNS_RDF_TYPE_INT32:
        return UINT32_MAX;
    default:
        return 0;
    }
}

/* ldns cuts a number that is too large for its field. */
static bool check_numbers(const ldns_rr *rr, const char *type, char *error, size_t error_size)
{
    const ldns_rr_descriptor *descriptor = ldns_rr_descript((uint16_t)ldns_rr_get_type(rr));
    const char *at = type, *word;
    size_t fields = ldns_rr_rd_count(rr);
    if (fields > ldns_rr_descriptor_maximum(descriptor)) /* in RFC 3597's form it may have more */
        fields = ldns_rr_descriptor_maximum(descriptor);
    while (fields > 0 && number_max(ldns_rr_descriptor_field_type(descriptor, fields - 1)) == 0)
        fields--;
    entry_word(&at, &word);
    for (size_t i = 0; i < fields; i++) {
        size_t size = entry_word(&at, &word);
        uint64_t limit = number_max(ldns_rr_descriptor_field_type(descriptor, i));
        if (limit > 0 && word_is_number(word, size) &&
            (size > 10 || strtoull(word, NULL, 10) > limit))
            return fail(error, error_size, "the number %.*s is above %" PRIu64, (int)size, word,
                        limit);
    }
    return true;
}

/* ldns puts an origin behind a relative name and does not look how long it then is. */
static bool names_fit(const ldns_rr *rr)
{
    bool fit = ldns_rdf_size(ldns_rr_owner(rr)) <= NAME_SIZE_MAX;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *field = ldns_rr_rdf(rr, i);
        if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME)
            fit = fit && ldns_rdf_size(field) <= NAME_SIZE_MAX;
    }
    return fit;
}

/* The word of IPSECKEY's or AMTRELAY's data that names a gateway, which is relative; or NULL. */
static const char *relative_gateway(const char *type, size_t *size)
{
    const char *at = type, *word = NULL;
    for (unsigned i = 0; i < 5; i++) { /* type, precedence, two numbers, gateway */
        *size = entry_word(&at, &word);
        if (word_is(word, *size, "\\#"))
            return NULL;
    }
    bool absolute = *size > 0 && word[*size - 1] == '.' && (*size < 2 || word[*size - 2] != '\\');
    return *size > 0 && !absolute ? word : NULL;
}

/* In data that ldns keeps as one field, it leaves a gateway's name as if it were absolute (RFC 4025,
 * 2.5; RFC 8777, 4.2). False: the name or the data would be too long. */
static bool complete_gateway(ldns_rr *rr, const char *type, const ldns_rdf *origin)
{
    size_t word_size;
    size_t before = ldns_rr_get_type(rr) == LDNS_RR_TYPE_IPSECKEY   ? 3
                    : ldns_rr_get_type(rr) == LDNS_RR_TYPE_AMTRELAY ? 2
                                                                    : 0;
    if (before == 0 || !origin || ldns_rr_rd_count(rr) != 1)
        return true;
    const uint8_t *data = ldns_rdf_data(ldns_rr_rdf(rr, 0));
    size_t size = ldns_rdf_size(ldns_rr_rdf(rr, 0)), origin_size = ldns_rdf_size(origin);
    size_t name = size > before ? name_size(data + before, size - before) : 0;
    const char *word =
        name > 0 && (data[1] & 0x7f) == 3 ? relative_gateway(type, &word_size) : NULL;
    if (!word)
        return true;
    size_t kept = word_is(word, word_size, "@") ? 0 : name - 1;
    uint8_t whole[UINT16_MAX];
    if (kept + origin_size > NAME_SIZE_MAX || size + origin_size > sizeof whole)
        return false;
    memcpy(whole, data, before + kept);
    memcpy(whole + before + kept, ldns_rdf_data(origin), origin_size);
    memcpy(whole + before + kept + origin_size, data + before + name, size - before - name);
    ldns_rdf *made = ldns_rdf_new_frm_data(ldns_rdf_get_type(ldns_rr_rdf(rr, 0)),
                                           size - name + kept + origin_size, whole);
    ldns_rdf_deep_free(ldns_rr_set_rdf(rr, made, 0));
    return true;
}

static bool check_record(const ldns_rr *rr, const char *type, char *error, size_t error_size)
{
    if (!check_numbers(rr, type, error, error_size))
        return false;
    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
        return fail(error, error_size, "only class IN is served");
    if (ldns_rr_ttl(rr) > INT32_MAX) /* RFC 2181, 8 */
        return fail(error, error_size, "the TTL %" PRIu32 " is above 2147483647", ldns_rr_ttl(rr));
    if (!names_fit(rr))
        return fail(error, error_size, "a name has more than %d bytes", NAME_SIZE_MAX);
    return true;
}

/* The record that ldns has parsed, into ours. */
static bool take_record(struct record *record, const ldns_rr *rr, char *error, size_t error_size)
{
    size_t size = 0;
    record->ttl = ldns_rr_ttl(rr);
    record->type = (uint16_t)ldns_rr_get_type(rr);
    record->owner_size = (uint8_t)ldns_rdf_size(ldns_rr_owner(rr));
    name_lower(record->owner, ldns_rdf_data(ldns_rr_owner(rr)), record->owner_size);
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *field = ldns_rr_rdf(rr, i);
        size_t field_size = ldns_rdf_size(field);
        if (size + field_size > sizeof record->data)
            return fail(error, error_size, "this record's data has more than 65535 bytes");
        if (field_size > 0)
            memcpy(record->data + size, ldns_rdf_data(field), field_size);
        size += field_size;
    }
    record->size = (uint16_t)size;
    return true;
}

bool record_parse_any(struct record *record, const struct record_defaults *defaults, char *entry,
                      char *error, size_t error_size)
{
    ldns_rr *rr = NULL;
    ldns_rdf *owner = NULL;
    if (!check_owner(defaults, entry, error, error_size))
        return false;
    const char *type = order_class_and_ttl(entry);
    if (strlen(type) > LDNS_MAX_PACKETLEN) /* of the data's text, ldns would cut off the rest */
        return fail(error, error_size, "this record has more than %d characters",
                    LDNS_MAX_PACKETLEN);
    if (isspace((unsigned char)*entry))
        owner = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, defaults->owner_size, defaults->owner);
    ldns_status status =
        ldns_rr_new_frm_str(&rr, entry, defaults->ttl, defaults->origin, owner ? &owner : NULL);
    ldns_rdf_deep_free(owner);
    if (status != LDNS_STATUS_OK)
        return fail(error, error_size, "this is no record: %s", ldns_get_errorstr_by_id(status));
    bool good = check_record(rr, type, error, error_size);
    if (good && !complete_gateway(rr, type, defaults->origin))
        good = fail(error, error_size, "a name has more than %d bytes", NAME_SIZE_MAX);
    good = good && take_record(record, rr, error, error_size);
    ldns_rr_free(rr);
    return good;
}

bool record_parse(struct record *record, struct record_defaults *defaults, char *entry, char *error,
                  size_t error_size)
{
    if (!plain_parse(record, defaults, entry) &&
        !record_parse_any(record, defaults, entry, error, error_size))
        return false;
    defaults->owner_size = record->owner_size;
    memcpy(defaults->owner, record->owner, record->owner_size);
    if (!defaults->ttl_given)
        defaults->ttl = record->ttl;
    return true;
}
