/* generate.c - $GENERATE: see generate.h. */
#include "generate.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"

enum { WIDTH_MAX = 255, DIGITS_MAX = 260 };

static const char no_range[] = "$GENERATE takes START-STOP[/STEP] and a record, with START at most "
                               "STOP and STOP at most 2147483647";
static const char no_place[] = "what follows the $ is not {OFFSET[,WIDTH[,BASE]]}";

/* A number of at most INT32_MAX at *at, which moves behind it. */
static bool take_number(const char **at, uint32_t *number)
{
    char *end;
    if (!isdigit((unsigned char)**at))
        return false;
    unsigned long long value = strtoull(*at, &end, 10);
    *at = end;
    *number = (uint32_t)value;
    return value <= INT32_MAX;
}

static bool take(const char **at, char character)
{
    if (**at != character)
        return false;
    ++*at;
    return true;
}

const char *generate_parse(struct generate *generate, const char *text)
{
    const char *at = text + strspn(text, " \t");
    generate->step = 1;
    if (!take_number(&at, &generate->start) || !take(&at, '-') ||
        !take_number(&at, &generate->stop) ||
        (take(&at, '/') && (!take_number(&at, &generate->step) || generate->step == 0)) ||
        generate->start > generate->stop || (*at != ' ' && *at != '\t'))
        return no_range;
    generate->template = at + strspn(at, " \t");
    return *generate->template ? NULL : no_range;
}

uint64_t generate_count(const struct generate *generate)
{
    return (generate->stop - generate->start) / generate->step + 1;
}

/* ---- the number in its places --------------------------------------------------------------- */

struct place {
    int64_t offset;
    uint32_t width;
    char base;
};

/* Parses what stands between braces; *at is behind the opening one. */
static bool take_place(const char **at, struct place *place)
{
    uint32_t offset;
    bool negative = take(at, '-');
    if (!take_number(at, &offset))
        return false;
    place->offset = negative ? -(int64_t)offset : offset;
    if (take(at, ',')) {
        if (!take_number(at, &place->width) || place->width > WIDTH_MAX)
            return false;
        if (take(at, ',')) {
            place->base = **at;
            if (!place->base || !strchr("doxXnN", place->base))
                return false;
            ++*at;
        }
    }
    return take(at, '}');
}

/* The nibbles of a reverse name (RFC 3596, 2.5), the least first; the width counts dots. */
static size_t write_nibbles(char *digits, uint64_t value, unsigned width, const char *alphabet)
{
    size_t size = 0;
    do {
        if (size > 0)
            digits[size++] = '.';
        digits[size++] = alphabet[value & 15];
        value >>= 4;
    } while (value > 0 || size + 1 < width);
    return size;
}

static size_t write_number(char digits[DIGITS_MAX], uint64_t value, const struct place *place)
{
    int width = (int)place->width;
    switch (place->base) {
    case 'o':
        return (size_t)snprintf(digits, DIGITS_MAX, "%0*" PRIo64, width, value);
    case 'x':
        return (size_t)snprintf(digits, DIGITS_MAX, "%0*" PRIx64, width, value);
    case 'X':
        return (size_t)snprintf(digits, DIGITS_MAX, "%0*" PRIX64, width, value);
    case 'n':
        return write_nibbles(digits, value, place->width, "0123456789abcdef");
    case 'N':
        return write_nibbles(digits, value, place->width, "0123456789ABCDEF");
    default:
        return (size_t)snprintf(digits, DIGITS_MAX, "%0*" PRIu64, width, value);
    }
}

/* What a $ stands for; *at is behind it. NULL, or the reason why not. */
static const char *fill_place(const char **at, uint32_t number, char digits[DIGITS_MAX],
                              size_t *size)
{
    struct place place = { .base = 'd' };
    if (take(at, '$')) {
        digits[0] = '$';
        *size = 1;
        return NULL;
    }
    if (take(at, '{') && !take_place(at, &place))
        return no_place;
    if (place.offset + number < 0)
        return "a number of $GENERATE is below 0";
    *size = write_number(digits, (uint64_t)(place.offset + number), &place);
    return NULL;
}

const char *generate_expand(const struct generate *generate, uint32_t number, char *entry,
                            size_t room)
{
    size_t used = 0, size;
    char digits[DIGITS_MAX];
    for (const char *at = generate->template; *at;) {
        const char *from = at;
        if (take(&at, '$')) {
            const char *error = fill_place(&at, number, digits, &size);
            if (error)
                return error;
            from = digits;
        } else {
            size = *at == '\\' && at[1] ? 2 : 1;
            at += size;
        }
        if (used + size + 1 > room)
            return "a record of $GENERATE is too long";
        memcpy(entry + used, from, size);
        used += size;
    }
    entry[used] = '\0';
    return NULL;
}
