/* name.c - domain names in wire form: see name.h. */
#include "name.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>

size_t name_size(const uint8_t *name, size_t room)
{
    size_t at = 0;
    while (at < room && at < NAME_SIZE_MAX) {
        uint8_t label_size = name[at];
        if (label_size == 0)
            return at + 1;
        if (label_size > LABEL_SIZE_MAX)
            return 0;
        at += 1u + label_size;
    }
    return 0;
}

unsigned name_labels(const uint8_t *name)
{
    unsigned labels = 0;
    for (; *name; name += 1 + *name)
        labels++;
    return labels;
}

void name_lower(uint8_t *lower, const uint8_t *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = name[i];
        lower[i] = (uint8_t)(byte | ((uint8_t)(byte - 'A') < 26 ? 0x20 : 0));
    }
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 32);
}

uint64_t name_hash(const uint8_t *lower, size_t size)
{
    uint64_t hash = size, word;
    for (; size >= sizeof word; size -= sizeof word, lower += sizeof word) {
        memcpy(&word, lower, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, lower, size);
    return mix(mix(hash, word), 0);
}

bool name_is_below(const uint8_t *name, size_t size, const uint8_t *ancestor, size_t ancestor_size)
{
    while (size > ancestor_size) {
        size -= 1u + *name;
        name += 1 + *name;
    }
    return size == ancestor_size && memcmp(name, ancestor, size) == 0;
}

size_t name_key(uint8_t key[NAME_KEY_SIZE_MAX], const uint8_t *lower)
{
    const uint8_t *labels[NAME_LABELS_MAX];
    unsigned count = 0;
    for (; *lower; lower += 1 + *lower)
        labels[count++] = lower;
    size_t size = 0;
    while (count-- > 0) {
        const uint8_t *label = labels[count];
        /* A zero ends the label, so 0 and 1 within it become the pairs 1,1 and 1,2. */
        for (unsigned i = 1; i <= *label; i++) {
            if (label[i] <= 1)
                key[size++] = 1;
            key[size++] = label[i] <= 1 ? (uint8_t)(label[i] + 1) : label[i];
        }
        key[size++] = 0;
    }
    return size;
}

int name_key_compare(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

const char *name_text(const uint8_t *name, char *text)
{
    char *out = text;
    if (*name == 0)
        *out++ = '.';
    for (; *name; name += 1 + *name) {
        for (unsigned i = 1; i <= *name; i++) {
            uint8_t byte = name[i];
            if (byte <= ' ' || byte > '~')
                out += sprintf(out, "\\%03u", byte);
            else if (strchr(".\\\"();@$", byte))
                out += sprintf(out, "\\%c", byte);
            else
                *out++ = (char)byte;
        }
        *out++ = '.';
    }
    *out = '\0';
    return text;
}

size_t name_parse(uint8_t name[NAME_SIZE_MAX], const char *text)
{
    ldns_rdf *parsed = NULL;
    if (ldns_str2rdf_dname(&parsed, text) != LDNS_STATUS_OK)
        return 0;
    size_t size = name_size(ldns_rdf_data(parsed), ldns_rdf_size(parsed));
    memcpy(name, ldns_rdf_data(parsed), size);
    ldns_rdf_deep_free(parsed);
    return size;
}
