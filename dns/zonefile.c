/* zonefile.c - zone text into records (RFC 1035, 5): see zonefile.h.
 *
 * ldns reads one record at a time from a string. Its own reader of files stops at 10 KB a
 * record, which a post-quantum signature exceeds, and tells lines only roughly.
 */
#include "zonefile.h"

#include <ctype.h>
#include <inttypes.h>
#include <ldns/ldns.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRY_SIZE_MAX = 1 << 18, TTL_DEFAULT = 3600, BYTES_STEP = 1 << 16 };

struct reader {
    struct zone_text *text;
    FILE *file;
    const char *path;
    uint32_t line;                     /* being read */
    uint32_t entry_line;               /* where the entry began */
    char *entry;                       /* one record or directive, on one line, without comments */
    ldns_rdf *origin, *previous_owner; /* NULL: none yet */
    uint32_t ttl;
    bool ttl_given; /* by $TTL; otherwise the last record's counts (RFC 1035, 5.1) */
    char *error;
    size_t error_size;
};

bool array_reserve(void *array, size_t *room, size_t count, size_t more, size_t element_size)
{
    if (more > UINT32_MAX - 1 || count > UINT32_MAX - 1 - more)
        return false;
    if (count + more <= *room)
        return true;
    size_t wanted = count + more + *room / 2 + 16;
    void **pointer = array, *grown = realloc(*pointer, wanted * element_size);
    if (!grown)
        return false;
    *pointer = grown;
    *room = wanted;
    return true;
}

__attribute__((format(printf, 2, 3))) static bool fail(struct reader *reader, const char *format,
                                                       ...)
{
    int used = snprintf(reader->error, reader->error_size, "%s:%" PRIu32 ": ", reader->path,
                        reader->entry_line);
    if (used < 0 || (size_t)used >= reader->error_size)
        return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->error + used, reader->error_size - (size_t)used, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- entries ------------------------------------------------------------------------------- */

/* What the next character means depends on what stood before it. */
struct scan {
    size_t size;
    unsigned depth; /* of parentheses */
    bool quoted, comment;
};

static bool append(struct reader *reader, struct scan *scan, int character)
{
    if (scan->size + 2 > ENTRY_SIZE_MAX)
        return fail(reader, "this record has more than %d characters", ENTRY_SIZE_MAX - 2);
    reader->entry[scan->size++] = (char)character;
    reader->entry[scan->size] = '\0';
    return true;
}

/* Takes one character that is not the end of the entry. */
static bool scan_character(struct reader *reader, struct scan *scan, int character)
{
    if (character == '\n') {
        reader->line++;
        scan->comment = false;
        if (scan->quoted)
            return fail(reader, "a quoted string is not closed on its line");
        return append(reader, scan, ' ');
    }
    if (scan->comment)
        return true;
    if (character == '\0')
        return fail(reader, "a zero byte stands in the file");
    if (character == '\\') {
        int next = getc_unlocked(reader->file);
        if (next == EOF || next == '\n')
            return fail(reader, "a backslash ends the line");
        return append(reader, scan, character) && append(reader, scan, next);
    }
    if (character == '"')
        scan->quoted = !scan->quoted;
    else if (!scan->quoted && character == ';') {
        scan->comment = true;
        return true;
    } else if (!scan->quoted && character == '(') {
        scan->depth++;
        character = ' ';
    } else if (!scan->quoted && character == ')') {
        if (scan->depth-- == 0)
            return fail(reader, "a parenthesis is closed that was not opened");
        character = ' ';
    } else if (character == '\r')
        character = ' ';
    return append(reader, scan, character);
}

/* Reads the next entry, possibly a blank one; *ended: it was the file's last. */
static bool read_entry(struct reader *reader, bool *ended)
{
    struct scan scan = { 0 };
    reader->entry_line = reader->line;
    reader->entry[0] = '\0';
    for (;;) {
        int character = getc_unlocked(reader->file);
        *ended = character == EOF;
        if (*ended && ferror(reader->file))
            return fail(reader, "the file cannot be read");
        if (*ended && scan.quoted)
            return fail(reader, "the file ends inside a quoted string");
        if (*ended && scan.depth > 0)
            return fail(reader, "the file ends inside parentheses");
        if (*ended)
            return true;
        if (character == '\n' && scan.depth == 0 && !scan.quoted) {
            reader->line++;
            return true;
        }
        if (!scan_character(reader, &scan, character))
            return false;
    }
}

/* ---- records ------------------------------------------------------------------------------- */

/* Copies into text->bytes; the offset goes to *at. */
static bool keep(struct zone_text *text, const void *bytes, size_t size, uint32_t *at)
{
    if (!array_reserve(&text->bytes, &text->bytes_room, text->size, size, 1))
        return false;
    if (size > 0)
        memcpy(text->bytes + text->size, bytes, size);
    *at = (uint32_t)text->size;
    text->size += size;
    return true;
}

/* The owner's name and sort key; those of the record before serve again if they are equal. */
static bool keep_owner(struct zone_text *text, struct zone_record *record, const ldns_rdf *owner)
{
    uint8_t name[1 + NAME_SIZE_MAX], key[2 + NAME_KEY_SIZE_MAX];
    size_t size = ldns_rdf_size(owner);
    name[0] = (uint8_t)size;
    name_lower(name + 1, ldns_rdf_data(owner), size);
    if (text->count > 0) {
        const struct zone_record *last = record - 1;
        const uint8_t *last_name = text->bytes + last->owner;
        if (last_name[0] == size && memcmp(last_name, name, 1 + size) == 0) {
            record->owner = last->owner;
            record->key = last->key;
            return true;
        }
    }
    uint16_t key_size = (uint16_t)name_key(key + 2, name + 1);
    memcpy(key, &key_size, sizeof key_size);
    return keep(text, name, 1 + size, &record->owner) &&
           keep(text, key, 2u + key_size, &record->key);
}

static bool keep_rdata(struct reader *reader, struct zone_record *record, const ldns_rr *rr)
{
    struct zone_text *text = reader->text;
    size_t size = 0;
    uint32_t at;
    if (!keep(text, NULL, 0, &record->rdata))
        return fail(reader, "there is no memory for this zone");
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *field = ldns_rr_rdf(rr, i);
        size += ldns_rdf_size(field);
        if (size > UINT16_MAX)
            return fail(reader, "this record's data has more than 65535 bytes");
        if (!keep(text, ldns_rdf_data(field), ldns_rdf_size(field), &at))
            return fail(reader, "there is no memory for this zone");
    }
    record->rdata_size = (uint16_t)size;
    record->set_type = record->type;
    if (record->type == DNS_RRSIG) {
        if (size < 18)
            return fail(reader, "this RRSIG has no signature");
        record->set_type = dns_get16(text->bytes + record->rdata);
    }
    return true;
}

/* ldns puts an origin behind a relative name and does not look how long it then is. */
static bool check_names(const ldns_rr *rr)
{
    bool fits = ldns_rdf_size(ldns_rr_owner(rr)) <= NAME_SIZE_MAX;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *field = ldns_rr_rdf(rr, i);
        if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME)
            fits = fits && ldns_rdf_size(field) <= NAME_SIZE_MAX;
    }
    return fits;
}

static bool keep_record(struct reader *reader, const ldns_rr *rr)
{
    struct zone_text *text = reader->text;
    if (!array_reserve(&text->records, &text->records_room, text->count, 1, sizeof *text->records))
        return fail(reader, "there is no memory for this zone");
    struct zone_record *record = &text->records[text->count];
    *record = (struct zone_record){
        .line = reader->entry_line,
        .ttl = ldns_rr_ttl(rr),
        .type = (uint16_t)ldns_rr_get_type(rr),
    };
    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
        return fail(reader, "only class IN is served");
    if (record->ttl > INT32_MAX) /* RFC 2181, 8 */
        return fail(reader, "the TTL %" PRIu32 " is above 2147483647", record->ttl);
    if (!check_names(rr))
        return fail(reader, "a name has more than %d bytes", NAME_SIZE_MAX);
    if (!keep_owner(text, record, ldns_rr_owner(rr)))
        return fail(reader, "there is no memory for this zone");
    if (!keep_rdata(reader, record, rr))
        return false;
    text->count++;
    return true;
}

/* The next word of an entry from *at, which moves behind it. */
static size_t next_word(const char **at, const char **word)
{
    const char *end = *word = *at + strspn(*at, " \t");
    while (*end && *end != ' ' && *end != '\t')
        end += *end == '\\' && end[1] ? 2 : 1;
    *at = end;
    return (size_t)(end - *word);
}

/* A relative owner needs an origin: ldns would take it as absolute. */
static bool check_owner(struct reader *reader)
{
    const char *at = reader->entry, *owner;
    if (isspace((unsigned char)*at))
        return reader->previous_owner || fail(reader, "no owner name stands before this record");
    size_t size = next_word(&at, &owner);
    if (!reader->origin && at[-1] != '.')
        return fail(reader, "the name %.*s is relative and there is no $ORIGIN before it",
                    (int)size, owner);
    return true;
}

static bool is_number(const char *word, size_t size)
{
    return size > 0 && strspn(word, "0123456789") >= size;
}

static bool is_ttl(const char *word, size_t size)
{
    return size > 0 && isdigit((unsigned char)*word) &&
           strspn(word, "0123456789sSmMhHdDwW") >= size;
}

/* Class and TTL may stand in either order (RFC 1035, 5.1): ldns knows but one, so they are
 * exchanged if need be. Returns what stands behind them, the type. */
static const char *order_class_and_ttl(char *entry)
{
    const char *at = entry, *class, *ttl, *word;
    if (!isspace((unsigned char)*entry))
        next_word(&at, &word);
    const char *before = at;
    size_t class_size = next_word(&at, &class), ttl_size;
    if (class_size == 2 && strncasecmp(class, "IN", 2) == 0) {
        const char *behind = at;
        ttl_size = next_word(&at, &ttl);
        if (!is_ttl(ttl, ttl_size))
            return behind;
        char *to = entry + (class - entry);
        memmove(to, ttl, ttl_size);
        memset(to + ttl_size, ' ', (size_t)(at - to) - ttl_size);
        to[ttl_size + 1] = 'I';
        to[ttl_size + 2] = 'N';
        return at;
    }
    if (!is_ttl(class, class_size))
        return before;
    before = at;
    class_size = next_word(&at, &class);
    return class_size == 2 && strncasecmp(class, "IN", 2) == 0 ? at : before;
}

/* ldns cuts a number that is too large for its field. */
static bool check_numbers(struct reader *reader, const ldns_rr *rr, const char *type)
{
    const ldns_rr_descriptor *descriptor = ldns_rr_descript((uint16_t)ldns_rr_get_type(rr));
    const char *at = type, *word;
    size_t fields = ldns_rr_rd_count(rr);
    if (fields > ldns_rr_descriptor_maximum(descriptor)) /* in RFC 3597's form it may have more */
        fields = ldns_rr_descriptor_maximum(descriptor);
    next_word(&at, &word);
    for (size_t i = 0; i < fields; i++) {
        size_t size = next_word(&at, &word);
        uint64_t limit;
        switch (ldns_rr_descriptor_field_type(descriptor, i)) {
        case LDNS_RDF_TYPE_INT8:
        case LDNS_RDF_TYPE_ALG:
            limit = UINT8_MAX;
            break;
        case LDNS_RDF_TYPE_INT16:
            limit = UINT16_MAX;
            break;
        case LDNS_RDF_TYPE_INT32:
            limit = UINT32_MAX;
            break;
        default:
            continue;
        }
        if (is_number(word, size) && (size > 10 || strtoull(word, NULL, 10) > limit))
            return fail(reader, "the number %.*s is above %" PRIu64, (int)size, word, limit);
    }
    return true;
}

static bool read_record(struct reader *reader)
{
    if (!check_owner(reader))
        return false;
    const char *type = order_class_and_ttl(reader->entry);
    ldns_rr *rr = NULL;
    ldns_status status = ldns_rr_new_frm_str(&rr, reader->entry, reader->ttl, reader->origin,
                                             &reader->previous_owner);
    if (status != LDNS_STATUS_OK)
        return fail(reader, "this is no record: %s", ldns_get_errorstr_by_id(status));
    if (!reader->ttl_given)
        reader->ttl = ldns_rr_ttl(rr);
    bool kept = check_numbers(reader, rr, type) && keep_record(reader, rr);
    ldns_rr_free(rr);
    return kept;
}

/* ---- directives ---------------------------------------------------------------------------- */

static bool set_origin(struct reader *reader, const char *argument)
{
    ldns_rdf *origin = NULL;
    if (ldns_str2rdf_dname(&origin, argument) != LDNS_STATUS_OK)
        return fail(reader, "$ORIGIN %s is no domain name", argument);
    if (argument[strlen(argument) - 1] != '.') {
        if (!reader->origin || ldns_dname_cat(origin, reader->origin) != LDNS_STATUS_OK) {
            ldns_rdf_deep_free(origin);
            return fail(reader, "$ORIGIN %s is relative and cannot be completed", argument);
        }
    }
    if (ldns_rdf_size(origin) > NAME_SIZE_MAX) {
        ldns_rdf_deep_free(origin);
        return fail(reader, "a name has more than %d bytes", NAME_SIZE_MAX);
    }
    ldns_rdf_deep_free(reader->origin);
    reader->origin = origin;
    return true;
}

static bool set_ttl(struct reader *reader, const char *argument)
{
    const char *end = argument;
    uint32_t ttl = ldns_str2period(argument, &end);
    if (end == argument || *end || ttl > INT32_MAX)
        return fail(reader, "$TTL %s is no time", argument);
    reader->ttl = ttl;
    reader->ttl_given = true;
    return true;
}

static bool read_directive(struct reader *reader)
{
    char *save = NULL, *word = strtok_r(reader->entry, " \t", &save);
    const char *argument = strtok_r(NULL, " \t", &save);
    if (strcasecmp(word, "$ORIGIN") != 0 && strcasecmp(word, "$TTL") != 0)
        return fail(reader, "the directive %s is not supported: write its records out", word);
    if (!argument || strtok_r(NULL, " \t", &save))
        return fail(reader, "%s takes one argument", word);
    return strcasecmp(word, "$TTL") == 0 ? set_ttl(reader, argument) : set_origin(reader, argument);
}

/* Reads all entries. False: reader->error says why. */
static bool read_entries(struct reader *reader)
{
    for (;;) {
        bool ended;
        if (!read_entry(reader, &ended))
            return false;
        const char *entry = reader->entry;
        if (entry[0] == '$') {
            if (!read_directive(reader))
                return false;
        } else if (entry[strspn(entry, " \t")] != '\0') {
            if (!read_record(reader))
                return false;
        }
        if (ended)
            return true;
    }
}

bool zone_text_read(struct zone_text *text, FILE *file, const char *path, const uint8_t *origin,
                    char *error, size_t error_size)
{
    char *entry = malloc(ENTRY_SIZE_MAX);
    struct reader reader = {
        .text = text,
        .file = file,
        .path = path,
        .line = 1,
        .entry_line = 1,
        .entry = entry,
        .ttl = TTL_DEFAULT,
        .error = error,
        .error_size = error_size,
    };
    *text = (struct zone_text){ 0 };
    if (!entry)
        return fail(&reader, "there is no memory to read this zone");
    if (origin)
        reader.origin =
            ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name_size(origin, NAME_SIZE_MAX), origin);
    bool good = read_entries(&reader);
    ldns_rdf_deep_free(reader.origin);
    ldns_rdf_deep_free(reader.previous_owner);
    free(entry);
    return good;
}

/* ---- order --------------------------------------------------------------------------------- */

static int compare_records(const void *a, const void *b, void *context)
{
    const struct zone_record *left = a, *right = b;
    const uint8_t *bytes = context;
    if (left->key != right->key) {
        uint16_t left_size, right_size;
        memcpy(&left_size, bytes + left->key, sizeof left_size);
        memcpy(&right_size, bytes + right->key, sizeof right_size);
        int order =
            name_key_compare(bytes + left->key + 2, left_size, bytes + right->key + 2, right_size);
        if (order)
            return order;
    }
    if (left->set_type != right->set_type)
        return left->set_type < right->set_type ? -1 : 1;
    if (left->type != right->type)
        return left->type == DNS_RRSIG ? 1 : -1;
    return name_key_compare(bytes + left->rdata, left->rdata_size, bytes + right->rdata,
                            right->rdata_size);
}

void zone_text_sort(struct zone_text *text)
{
    if (text->count == 0)
        return;
    qsort_r(text->records, text->count, sizeof *text->records, compare_records, text->bytes);
    size_t kept = 1;
    for (size_t i = 1; i < text->count; i++)
        if (compare_records(&text->records[kept - 1], &text->records[i], text->bytes) != 0)
            text->records[kept++] = text->records[i];
    text->count = kept;
}

void zone_text_release(struct zone_text *text)
{
    free(text->records);
    free(text->bytes);
    *text = (struct zone_text){ 0 };
}
