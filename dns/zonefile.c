/* zonefile.c - zone text into records: see zonefile.h.
 *
 * Records are parsed one at a time, each from a string. ldns's own reader of files stops at 10 KB a
 * record, which a post-quantum signature exceeds, tells lines only roughly, and has neither
 * $INCLUDE nor $GENERATE.
 */
#include "zonefile.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entry.h"
#include "generate.h"
#include "record.h"

enum { TTL_DEFAULT = 3600, REASON_SIZE = 512, HUGE_ARRAY = 1 << 22 /* bytes */ };

/* What comes back when an included file has been read (RFC 1035, 5.1). */
struct level {
    struct entry_reader entry;
    size_t file;
    struct record_defaults defaults;
};

struct reader {
    struct zone_text *text;
    struct entry_reader entry; /* of the file that is being read */
    size_t file;               /* that one; in text->sources */
    struct record_defaults defaults;
    struct record record;              /* the last one */
    struct level levels[INCLUDES_MAX]; /* the files that include it */
    unsigned depth;
    char *generated; /* one record of $GENERATE; NULL: none yet */
    char *error;
    size_t error_size;
};

/* A large zone fills hundreds of megabytes once, and each page of 4 KB would be a fault of its own. All
 * pages of the array, since realloc cannot move those that were advised apart. */
static void advise_huge_pages(void *array, size_t size)
{
    uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
    uintptr_t start = (uintptr_t)array & ~mask, end = ((uintptr_t)array + size + mask) & ~mask;
    madvise((void *)start, end - start, MADV_HUGEPAGE);
}

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
    if (wanted * element_size >= HUGE_ARRAY)
        advise_huge_pages(grown, wanted * element_size);
    return true;
}

__attribute__((format(printf, 2, 3))) static bool fail(struct reader *reader, const char *format,
                                                       ...)
{
    int used = snprintf(reader->error, reader->error_size, "%s:%" PRIu32 ": ",
                        reader->text->sources.files[reader->file].path, reader->entry.entry_line);
    if (used < 0 || (size_t)used >= reader->error_size)
        return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->error + used, reader->error_size - (size_t)used, format, arguments);
    va_end(arguments);
    return false;
}

static bool fail_no_memory(struct reader *reader)
{
    return fail(reader, "there is no memory for this zone");
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

/* Adds the record to the owner of the one before, if it is the same, or to a new one. */
static bool keep_owner(struct zone_text *text, const struct record *record)
{
    if (text->owner_count > 0) {
        struct zone_owner *last = &text->owners[text->owner_count - 1];
        const uint8_t *name = text->bytes + last->name;
        if (name[0] == record->owner_size &&
            memcmp(name + 1, record->owner, record->owner_size) == 0) {
            last->count++;
            return true;
        }
    }
    if (!array_reserve(&text->owners, &text->owners_room, text->owner_count, 1,
                       sizeof *text->owners))
        return false;
    struct zone_owner *owner = &text->owners[text->owner_count];
    *owner = (struct zone_owner){ .first = (uint32_t)text->record_count, .count = 1 };
    uint8_t name[1 + NAME_SIZE_MAX], key[NAME_KEY_SIZE_MAX + OWNER_KEY_ZEROS];
    name[0] = record->owner_size;
    memcpy(name + 1, record->owner, record->owner_size);
    size_t key_size = name_key(key, name + 1);
    memset(key + key_size, 0, OWNER_KEY_ZEROS);
    if (!keep(text, name, 1u + name[0], &owner->name) ||
        !keep(text, key, key_size + OWNER_KEY_ZEROS, &owner->key))
        return false;
    text->owner_count++;
    return true;
}

static bool keep_record(struct reader *reader)
{
    struct zone_text *text = reader->text;
    const struct record *record = &reader->record;
    if (record->type == DNS_RRSIG && record->size < 18)
        return fail(reader, "this RRSIG has no signature");
    if (!array_reserve(&text->records, &text->records_room, text->record_count, 1,
                       sizeof *text->records) ||
        !keep_owner(text, record))
        return fail_no_memory(reader);
    struct zone_record *kept = &text->records[text->record_count];
    *kept = (struct zone_record){
        .line = reader->entry.entry_line,
        .file = (uint16_t)reader->file,
        .ttl = record->ttl,
        .type = record->type,
        .set_type = record->type == DNS_RRSIG ? dns_get16(record->data) : record->type,
        .rdata_size = record->size,
    };
    if (!keep(text, record->data, record->size, &kept->rdata))
        return fail_no_memory(reader);
    text->record_count++;
    return true;
}

static bool read_record(struct reader *reader, char *entry)
{
    char reason[REASON_SIZE];
    if (!record_parse(&reader->record, &reader->defaults, entry, reason, sizeof reason))
        return fail(reader, "%s", reason);
    return keep_record(reader);
}

/* ---- $ORIGIN, $TTL, $GENERATE ----------------------------------------------------------------- */

/* A name as a directive has it, relative to the origin; NULL after a message. */
static ldns_rdf *parse_name(struct reader *reader, const char *directive, const char *text)
{
    ldns_rdf *name = NULL;
    if (ldns_str2rdf_dname(&name, text) != LDNS_STATUS_OK) {
        fail(reader, "%s %s is no domain name", directive, text);
        return NULL;
    }
    if (text[strlen(text) - 1] != '.' || (strlen(text) > 1 && text[strlen(text) - 2] == '\\')) {
        const ldns_rdf *origin = reader->defaults.origin;
        if (!origin) {
            fail(reader, "%s %s is relative and there is no origin before it", directive, text);
            ldns_rdf_deep_free(name);
            return NULL;
        }
        if (strcmp(text, "@") == 0) {
            ldns_rdf_deep_free(name);
            name = ldns_rdf_clone(origin);
        } else if (ldns_dname_cat(name, origin) != LDNS_STATUS_OK) {
            fail(reader, "a name has more than %d bytes", NAME_SIZE_MAX);
            ldns_rdf_deep_free(name);
            return NULL;
        }
    }
    if (ldns_rdf_size(name) > NAME_SIZE_MAX) {
        fail(reader, "a name has more than %d bytes", NAME_SIZE_MAX);
        ldns_rdf_deep_free(name);
        return NULL;
    }
    return name;
}

static bool set_origin(struct reader *reader, const char *argument)
{
    ldns_rdf *origin = parse_name(reader, "$ORIGIN", argument);
    if (!origin)
        return false;
    ldns_rdf_deep_free(reader->defaults.origin);
    reader->defaults.origin = origin;
    return true;
}

static bool set_ttl(struct reader *reader, const char *argument)
{
    const char *end = argument;
    uint32_t ttl = ldns_str2period(argument, &end);
    if (end == argument || *end || ttl > INT32_MAX)
        return fail(reader, "$TTL %s is no time", argument);
    reader->defaults.ttl = ttl;
    reader->defaults.ttl_given = true;
    return true;
}

static bool generate(struct reader *reader, const char *text)
{
    struct generate run;
    const char *error = generate_parse(&run, text);
    if (error)
        return fail(reader, "%s", error);
    reader->text->generated += generate_count(&run);
    if (reader->text->generated > GENERATED_MAX)
        return fail(reader, "$GENERATE makes more than %d records in this zone", GENERATED_MAX);
    if (!reader->generated && !(reader->generated = malloc(ENTRY_SIZE_MAX)))
        return fail_no_memory(reader);
    for (uint64_t number = run.start; number <= run.stop; number += run.step) {
        error = generate_expand(&run, (uint32_t)number, reader->generated, ENTRY_SIZE_MAX);
        if (error)
            return fail(reader, "%s", error);
        if (!read_record(reader, reader->generated))
            return false;
    }
    return true;
}

/* ---- $INCLUDE ------------------------------------------------------------------------------ */

/* The path as the directive has it, without quotation marks and backslashes, beside the file that
 * includes it. NULL: no memory. */
static char *included_path(const struct reader *reader, const char *text)
{
    const char *from = reader->text->sources.files[reader->file].path, *slash = strrchr(from, '/');
    size_t folder =
        slash && *text != '/' && strncmp(text, "\"/", 2) != 0 ? (size_t)(slash + 1 - from) : 0;
    char *path = malloc(folder + strlen(text) + 1), *out = path;
    if (!path)
        return NULL;
    memcpy(out, from, folder);
    for (out += folder; *text; text++) {
        if (*text == '"')
            continue;
        if (*text == '\\' && text[1])
            text++;
        *out++ = *text;
    }
    *out = '\0';
    return path;
}

/* Opens a regular file: others might never end. */
static FILE *open_included(struct reader *reader, const char *path)
{
    struct stat status;
    FILE *file = NULL;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        fail(reader, "$INCLUDE: %s is no regular file", path);
    else if (!(file = fopen(path, "r")))
        fail(reader, "$INCLUDE: %s cannot be opened: %s", path, strerror(errno));
    return file;
}

/* Goes on in `file`. */
static bool enter(struct reader *reader, const char *path, FILE *file)
{
    struct source_files *sources = &reader->text->sources;
    if (sources->count > UINT16_MAX)
        return fail(reader, "this zone has more than 65536 files");
    if (!source_files_add(sources, path, file))
        return fail_no_memory(reader);
    struct record_defaults *defaults = &reader->defaults;
    reader->levels[reader->depth++] = (struct level){
        .entry = reader->entry,
        .file = reader->file,
        .defaults = *defaults,
    };
    defaults->origin = defaults->origin ? ldns_rdf_clone(defaults->origin) : NULL;
    reader->file = sources->count - 1;
    reader->entry = (struct entry_reader){ .file = file, .text = reader->entry.text, .line = 1 };
    return true;
}

/* Goes back to the file that included this one. */
static void leave(struct reader *reader)
{
    const struct level *level = &reader->levels[--reader->depth];
    struct record_defaults *defaults = &reader->defaults;
    fclose(reader->entry.file);
    ldns_rdf_deep_free(defaults->origin);
    reader->entry = level->entry;
    reader->file = level->file;
    defaults->origin = level->defaults.origin;
    defaults->owner_size = level->defaults.owner_size;
    memcpy(defaults->owner, level->defaults.owner, sizeof defaults->owner);
}

static bool include(struct reader *reader, const char *name, const char *origin)
{
    if (reader->depth == INCLUDES_MAX)
        return fail(reader, "$INCLUDE is nested more than %d deep", INCLUDES_MAX);
    char *path = included_path(reader, name);
    if (!path)
        return fail_no_memory(reader);
    /* The directive's words stand where the file's entries will. */
    ldns_rdf *own = origin ? parse_name(reader, "$INCLUDE", origin) : NULL;
    FILE *file = origin && !own ? NULL : open_included(reader, path);
    bool good = file && enter(reader, path, file);
    free(path);
    if (file && !good)
        fclose(file);
    if (!good) {
        ldns_rdf_deep_free(own);
    } else if (own) {
        ldns_rdf_deep_free(reader->defaults.origin);
        reader->defaults.origin = own;
    }
    return good;
}

/* ---- entries ------------------------------------------------------------------------------- */

static bool read_directive(struct reader *reader)
{
    static const struct {
        const char *name;
        int arguments_min, arguments_max;
    } directives[] = { { "$ORIGIN", 1, 1 }, { "$TTL", 1, 1 }, { "$INCLUDE", 1, 2 } };
    const char *at = reader->entry.text, *word;
    size_t size = entry_word(&at, &word);
    if (word_is(word, size, "$GENERATE"))
        return generate(reader, at);
    char *arguments[3] = { NULL };
    int count = 0, known = 0;
    while (known < 3 && !word_is(word, size, directives[known].name))
        known++;
    if (known == 3)
        return fail(reader, "there is no directive %.*s", (int)size, word);
    for (size_t length; count < 3 && (length = entry_word(&at, &word)) > 0; count++) {
        arguments[count] = reader->entry.text + (word - reader->entry.text);
        at += *at != '\0';
        arguments[count][length] = '\0';
    }
    if (count < directives[known].arguments_min || count > directives[known].arguments_max)
        return fail(reader, "%s takes %s", directives[known].name,
                    known == 2 ? "a file and perhaps an origin" : "one argument");
    return known == 0   ? set_origin(reader, arguments[0])
           : known == 1 ? set_ttl(reader, arguments[0])
                        : include(reader, arguments[0], arguments[1]);
}

/* Reads all entries. False: reader->error says why. */
static bool read_entries(struct reader *reader)
{
    for (;;) {
        struct entry_reader *entry = &reader->entry;
        if (!entry_read(entry))
            return fail(reader, "%s", entry->error);
        if (entry->text[0] == '$') {
            if (!read_directive(reader))
                return false;
        } else if (entry->text[strspn(entry->text, " \t")] != '\0') {
            if (!read_record(reader, entry->text))
                return false;
        }
        while (reader->entry.ended) {
            if (reader->depth == 0)
                return true;
            leave(reader);
        }
    }
}

/* Makes room for what a file of this size may hold, so that it need not grow; what is not used costs
 * nothing. If there is none, growing will tell. */
static void reserve(struct zone_text *text, FILE *file)
{
    struct stat status;
    if (fstat(fileno(file), &status) != 0 || status.st_size < HUGE_ARRAY)
        return;
    size_t size = (size_t)status.st_size;
    array_reserve(&text->bytes, &text->bytes_room, 0, size, 1);
    array_reserve(&text->records, &text->records_room, 0, size / 32, sizeof *text->records);
    array_reserve(&text->owners, &text->owners_room, 0, size / 64, sizeof *text->owners);
}

bool zone_text_read(struct zone_text *text, FILE *file, const char *path, const uint8_t *origin,
                    char *error, size_t error_size)
{
    char *entry = malloc(ENTRY_SIZE_MAX);
    struct reader reader = {
        .text = text,
        .entry = { .file = file, .line = 1, .text = entry },
        .defaults = { .ttl = TTL_DEFAULT },
        .error = error,
        .error_size = error_size,
    };
    *text = (struct zone_text){ 0 };
    if (!entry || !source_files_add(&text->sources, path, file)) {
        snprintf(error, error_size, "%s: there is no memory to read this zone", path);
        free(entry);
        return false;
    }
    reserve(text, file);
    if (origin)
        reader.defaults.origin =
            ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name_size(origin, NAME_SIZE_MAX), origin);
    bool good = read_entries(&reader);
    while (reader.depth > 0)
        leave(&reader);
    ldns_rdf_deep_free(reader.defaults.origin);
    free(reader.generated);
    free(entry);
    return good;
}

void zone_text_release(struct zone_text *text)
{
    free(text->owners);
    free(text->records);
    free(text->bytes);
    source_files_release(&text->sources);
    *text = (struct zone_text){ 0 };
}
