/* units.c - one scanner for decimal numbers, and a table of units for each kind of quantity. */
#include "tools/units.h"

#include <stddef.h>
#include <string.h>

enum { DIGITS_MAX = 15 }; /* a double holds so many exactly */

struct unit {
    const char *name;
    double factor;
};

/* Scans digits with an optional fraction; returns what follows, or NULL. */
static const char *scan(const char *text, double *number)
{
    double value = 0, place = 1;
    int digits = 0;
    bool fraction = false, digit_before = false;
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !fraction && digit_before); text++) {
        digit_before = *text != '.';
        if (!digit_before) {
            fraction = true;
            continue;
        }
        if (++digits > DIGITS_MAX)
            return NULL;
        value = 10 * value + (*text - '0');
        if (fraction)
            place *= 10;
    }
    *number = value / place;
    return digit_before ? text : NULL;
}

static bool quantity(const char *text, const struct unit *units, double max, double *result)
{
    double number;
    const char *name = scan(text, &number);
    if (name == NULL)
        return false;
    if (number == 0 && *name == '\0') {
        *result = 0;
        return true;
    }
    for (; units->name != NULL; units++)
        if (strcmp(name, units->name) == 0) {
            *result = number * units->factor;
            return *result <= max;
        }
    return false;
}

static bool whole(const char *text, const struct unit *units, uint64_t max, uint64_t *result)
{
    double value;
    if (!quantity(text, units, (double)max, &value))
        return false;
    *result = (uint64_t)(value + 0.5);
    return true;
}

bool unit_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = 10 * value + digit;
    }
    if (value < min || value > max)
        return false;
    *number = value;
    return true;
}

bool unit_duration(const char *text, uint64_t max_us, uint64_t *us)
{
    static const struct unit units[] = { { "us", 1 },     { "ms", 1e3 }, { "s", 1e6 },
                                         { "min", 60e6 }, { "h", 36e8 }, { NULL, 0 } };
    return whole(text, units, max_us, us);
}

bool unit_rate(const char *text, uint64_t max, uint64_t *bits_per_second)
{
    static const struct unit units[] = {
        { "bit", 1 }, { "kbit", 1e3 }, { "mbit", 1e6 }, { "gbit", 1e9 }, { NULL, 0 }
    };
    return whole(text, units, max, bits_per_second);
}

bool unit_size(const char *text, uint64_t max, uint64_t *bytes)
{
    static const struct unit units[] = { { "b", 1 },         { "kb", 1e3 },      { "mb", 1e6 },
                                         { "gb", 1e9 },      { "kib", 1 << 10 }, { "mib", 1 << 20 },
                                         { "gib", 1 << 30 }, { NULL, 0 } };
    return whole(text, units, max, bytes);
}

bool unit_percent(const char *text, double *probability)
{
    static const struct unit units[] = { { "%", 0.01 }, { NULL, 0 } };
    double value;
    if (!quantity(text, units, 1, &value))
        return false;
    *probability = value;
    return true;
}
