/* option_edit.c - see option_edit.h. */
#include "tun/option_edit.h"

#include <string.h>

static size_t pad(uint8_t *to, size_t size)
{
    while (size % 4 != 0)
        to[size++] = OPTION_KIND_EOL;
    return size;
}

void option_kinds_add_unknown(struct option_kinds *kinds)
{
    for (unsigned kind = OPTION_KIND_MSS; kind <= UINT8_MAX; kind++)
        if (kind > OPTION_KIND_SACK && kind != OPTION_KIND_TIMESTAMPS)
            option_kinds_add(kinds, (uint8_t)kind);
}

bool option_edit_has(const struct option_kinds *kinds, const uint8_t *options, size_t size)
{
    size_t at = 0, length;
    for (; (length = option_at(options + at, size - at)) > 0; at += length)
        if (option_kinds_has(kinds, options[at]))
            return true;
    return false;
}

size_t option_edit_remove(const struct middlebox_way *way, const uint8_t *from, size_t size,
                          uint8_t *to)
{
    size_t at = 0, written = 0, length;
    for (; (length = option_at(from + at, size - at)) > 0; at += length) {
        if (option_kinds_has(&way->strip, from[at]))
            continue;
        memcpy(to + written, from + at, length);
        if (option_kinds_has(&way->blank, from[at]))
            memset(to + written, OPTION_KIND_NOP, length);
        else if (option_kinds_has(&way->zero, from[at]) && length > 2)
            memset(to + written + 2, 0, length - 2);
        written += length;
    }
    bool ends = at == size || from[at] == OPTION_KIND_EOL;
    if (!ends) {
        memcpy(to + written, from + at, size - at);
        written += size - at;
    }
    return pad(to, written);
}

size_t option_edit_reverse(const uint8_t *from, size_t size, uint8_t *to)
{
    uint8_t reversed[OPTIONS_SIZE_MAX];
    size_t at = 0, first = sizeof reversed, length;
    for (; (length = option_at(from + at, size - at)) > 0; at += length) {
        if (from[at] == OPTION_KIND_NOP)
            continue;
        first -= length;
        memcpy(reversed + first, from + at, length);
    }
    if (at < size && from[at] != OPTION_KIND_EOL) {
        memcpy(to, from, size);
        return size;
    }
    memcpy(to, reversed + first, sizeof reversed - first);
    return pad(to, sizeof reversed - first);
}

/* The first option of this kind, or NULL. */
static const uint8_t *find(const uint8_t *bytes, size_t size, uint8_t kind)
{
    size_t at = 0, length;
    for (; (length = option_at(bytes + at, size - at)) > 0; at += length)
        if (bytes[at] == kind)
            return bytes + at;
    return NULL;
}

static size_t append(uint8_t *to, size_t written, const uint8_t *option, size_t length)
{
    if (written + length > OPTIONS_SIZE_MAX)
        return written;
    memcpy(to + written, option, length);
    return written + length;
}

size_t option_edit_copy(const struct option_kinds *kinds, const uint8_t *given, size_t given_size,
                        const uint8_t *from, size_t size, uint8_t *to)
{
    size_t at = 0, written = 0, length;
    for (; (length = option_at(from + at, size - at)) > 0; at += length) {
        const uint8_t *copy = from[at] > OPTION_KIND_NOP && option_kinds_has(kinds, from[at])
                                  ? find(given, given_size, from[at])
                                  : NULL;
        if (copy != NULL)
            written = append(to, written, copy, copy[1]);
        else
            written = append(to, written, from + at, length);
    }
    for (at = 0; (length = option_at(given + at, given_size - at)) > 0; at += length)
        if (given[at] > OPTION_KIND_NOP && option_kinds_has(kinds, given[at]) &&
            find(from, size, given[at]) == NULL)
            written = append(to, written, given + at, length);
    return pad(to, written);
}
