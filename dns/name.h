/* name.h - domain names in wire form: length bytes and labels, ended by the root's zero.
 *
 * Names that are compared or hashed are lower-case. A name has a sort key too: its labels from
 * the right, each ended by a zero, so that memcmp orders keys as DNSSEC orders names (RFC 4034,
 * 6.1).
 */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NAME_SIZE_MAX = 255,     /* bytes, the root's included (RFC 1035, 2.3.4) */
    NAME_LABELS_MAX = 127,   /* the root not counted */
    LABEL_SIZE_MAX = 63,     /* bytes */
    NAME_KEY_SIZE_MAX = 510, /* bytes of a sort key */
    NAME_TEXT_SIZE = 1024,   /* holds any name_text */
};

/* A name that is searched for. */
struct sought_name {
    const uint8_t *name; /* lower-case */
    size_t size;
    unsigned labels;
    const uint8_t *label_at; /* where each of the labels, the root last, begins */
};

/* Bytes of the uncompressed name at `name`, or 0 if it is none or longer than `room`. */
size_t name_size(const uint8_t *name, size_t room);

/* Labels of a valid name, the root not counted. */
unsigned name_labels(const uint8_t *name);

/* Copies with A-Z made a-z. Length bytes are at most 63, so that every byte may be mapped. */
void name_lower(uint8_t *lower, const uint8_t *name, size_t size);

/* For hash tables in memory: differs between machines. */
uint64_t name_hash(const uint8_t *lower, size_t size);

/* True if `name` is `ancestor` or below it. Both are lower-case. */
bool name_is_below(const uint8_t *name, size_t size, const uint8_t *ancestor, size_t ancestor_size);

/* Writes the sort key of a lower-case name; returns its size. */
size_t name_key(uint8_t key[NAME_KEY_SIZE_MAX], const uint8_t *lower);

/* Compares two keys, or two labels: bytes first, then the shorter before the longer. */
int name_key_compare(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size);

/* Presentation form, with the final dot; returns `text` (at least NAME_TEXT_SIZE bytes). */
const char *name_text(const uint8_t *name, char *text);

/* Reads presentation form; a name without a final dot is taken as absolute. Returns the size in
 * bytes, or 0 if it is no name. Case is kept. */
size_t name_parse(uint8_t name[NAME_SIZE_MAX], const char *text);

#endif
