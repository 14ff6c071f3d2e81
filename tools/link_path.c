/* link_path.c - a table of properties; each exists three times, for both directions and for each
 * of them.
 */
#include "tools/link_path.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tools/link_trace.h"
#include "tun/option_edit.h"

/* RFC 8289, 4.2 and 4.3 */
enum { CODEL_TARGET_US = 5000, CODEL_INTERVAL_US = 100000 };
enum { MTU_MIN = 576, NAME_SIZE = 32, TEXT_SIZE = 256, WAYS = 3 };
#define DELAY_US_MAX UINT64_C(1000000000)
#define RATE_MAX UINT64_C(1000000000000)

enum form { DURATION, RATE, TRACE, QUEUE, AQM, PERCENT, DROPS, MTU, STRIP, KINDS, BYTES, FLAG };

static const char *const expected[] = {
    [DURATION] = "a time up to 1000s, such as 10ms",
    [RATE] = "a rate up to 1000gbit, such as 50mbit",
    [TRACE] = "a file of milliseconds, one a line, that do not fall and do not end with 0, or none",
    [AQM] = "codel, or with a target and an interval behind it, such as codel:5ms:100ms, or none",
    [QUEUE] = "a size, such as 256kb, or a number of packets, such as 100packets",
    [PERCENT] = "a percentage, such as 1%",
    [DROPS] = "up to 32 numbers of packets from 1 on, such as 1,4-6, or none",
    [MTU] = "a number from 576 to 65535, or with :silent behind it, or none",
    [STRIP] = "kinds from 2 to 255, such as 253,254, or unknown, or with :nop behind them, or none",
    [KINDS] = "kinds from 2 to 255, such as 253,254, or unknown, or none",
    [BYTES] = "a number from 1 to 65535, or none",
    [FLAG] = "on or off",
};

static const struct property {
    const char *name;
    enum form form;
    size_t offset; /* in struct link_path */
} properties[] = {
    { "delay", DURATION, offsetof(struct link_path, delay_us) },
    { "jitter", DURATION, offsetof(struct link_path, jitter_us) },
    { "rate", RATE, offsetof(struct link_path, rate) },
    { "trace", TRACE, 0 },
    { "queue", QUEUE, 0 },
    { "aqm", AQM, 0 },
    { "loss", PERCENT, offsetof(struct link_path, loss) },
    { "burst-enter", PERCENT, offsetof(struct link_path, burst_enter) },
    { "burst-leave", PERCENT, offsetof(struct link_path, burst_leave) },
    { "burst-loss", PERCENT, offsetof(struct link_path, burst_loss) },
    { "drop", DROPS, 0 },
    { "corrupt", PERCENT, offsetof(struct link_path, corrupt) },
    { "duplicate", PERCENT, offsetof(struct link_path, duplicate) },
    { "reorder", PERCENT, offsetof(struct link_path, reorder) },
    { "reorder-by", DURATION, offsetof(struct link_path, reorder_us) },
    { "path-mtu", MTU, 0 },
    { "drop-options", KINDS, offsetof(struct link_path, box.drop) },
    { "strip-options", STRIP, 0 },
    { "zero-options", KINDS, offsetof(struct link_path, box.zero) },
    { "reorder-options", FLAG, offsetof(struct link_path, box.reorder_options) },
    { "drop-syn-data", FLAG, offsetof(struct link_path, box.drop_syn_data) },
    { "strip-syn-data", FLAG, offsetof(struct link_path, box.strip_syn_data) },
    { "split", BYTES, offsetof(struct link_path, box.split) },
    { "coalesce", FLAG, offsetof(struct link_path, box.coalesce) },
};
enum { PROPERTIES = sizeof properties / sizeof *properties };
_Static_assert(WAYS *PROPERTIES == LINK_PATH_OPTIONS, "three flags a property");

static const char *const suffixes[WAYS] = { "", "-ab", "-ba" };

/* ---- values ----------------------------------------------------------------------------------- */

static bool is_none(const char *text)
{
    return strcmp(text, "none") == 0;
}

/* Copies what stands before the comma, at most TEXT_SIZE - 1 characters, and returns what follows
 * it; NULL: this was the last. */
static const char *next_word(const char *text, char *word)
{
    size_t length = strcspn(text, ",");
    size_t copied = length < TEXT_SIZE ? length : TEXT_SIZE - 1;
    memcpy(word, text, copied);
    word[copied] = '\0';
    return text[length] == ',' ? text + length + 1 : NULL;
}

bool link_path_kinds(const char *text, struct option_kinds *kinds)
{
    char word[TEXT_SIZE];
    *kinds = (struct option_kinds){ { 0 } };
    while (text != NULL) {
        uint64_t kind;
        text = next_word(text, word);
        if (strcmp(word, "unknown") == 0)
            option_kinds_add_unknown(kinds);
        else if (unit_number(word, 2, 255, &kind))
            option_kinds_add(kinds, (uint8_t)kind);
        else
            return false;
    }
    return true;
}

static bool parse_kinds(const char *text, struct option_kinds *kinds)
{
    *kinds = (struct option_kinds){ { 0 } };
    return is_none(text) || link_path_kinds(text, kinds);
}

/* Cuts `suffix` off the copy of a text; whether it was there. */
static bool cut_suffix(const char *text, const char *suffix, char *copy)
{
    snprintf(copy, TEXT_SIZE, "%s", text);
    size_t length = strlen(copy), end = strlen(suffix);
    if (length < end || strcmp(copy + length - end, suffix) != 0)
        return false;
    copy[length - end] = '\0';
    return true;
}

static bool parse_strip(const char *text, struct middlebox_way *box)
{
    char copy[TEXT_SIZE];
    bool blank = cut_suffix(text, ":nop", copy);
    box->strip = box->blank = (struct option_kinds){ { 0 } };
    return parse_kinds(copy, blank ? &box->blank : &box->strip);
}

static bool parse_mtu(const char *text, struct middlebox_way *box)
{
    char copy[TEXT_SIZE];
    uint64_t mtu = 0;
    box->mtu_silent = cut_suffix(text, ":silent", copy);
    bool good = is_none(copy) || unit_number(copy, MTU_MIN, UINT16_MAX, &mtu);
    box->mtu = (uint16_t)mtu;
    return good;
}

static bool parse_bytes(const char *text, uint16_t *bytes)
{
    uint64_t number = 0;
    bool good = is_none(text) || unit_number(text, 1, UINT16_MAX, &number);
    *bytes = (uint16_t)number;
    return good;
}

static bool parse_drops(const char *text, struct link_path *path)
{
    char word[TEXT_SIZE];
    path->drop_count = 0;
    if (is_none(text))
        return true;
    while (text != NULL) {
        text = next_word(text, word);
        char *dash = strchr(word, '-');
        if (dash != NULL)
            *dash++ = '\0';
        uint64_t first, last;
        if (path->drop_count == LINK_DROPS_MAX || !unit_number(word, 1, UINT64_MAX, &first) ||
            !unit_number(dash != NULL ? dash : word, first, UINT64_MAX, &last))
            return false;
        path->drops[path->drop_count].first = first;
        path->drops[path->drop_count++].last = last;
    }
    return true;
}

static bool parse_queue(const char *text, struct link_path *path)
{
    path->queue_bytes = path->queue_packets = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9 || strcmp(text + digits, "packets") != 0)
        return unit_size(text, UINT64_C(1) << 40, &path->queue_bytes);
    char number[16] = "";
    memcpy(number, text, digits);
    uint64_t packets;
    if (!unit_number(number, 1, UINT32_MAX, &packets))
        return false;
    path->queue_packets = (uint32_t)packets;
    return true;
}

static bool parse_trace(const char *text, struct link_path *path)
{
    path->trace = (struct trace){ 0 };
    return is_none(text) || link_trace_load(text, &path->trace);
}

static bool parse_aqm(const char *text, struct codel_config *codel)
{
    char copy[TEXT_SIZE], *interval, *target;
    *codel = (struct codel_config){ 0 };
    if (is_none(text))
        return true;
    *codel = (struct codel_config){ CODEL_TARGET_US, CODEL_INTERVAL_US };
    snprintf(copy, sizeof copy, "%s", text);
    if ((target = strchr(copy, ':')) != NULL)
        *target++ = '\0';
    interval = target != NULL ? strchr(target, ':') : NULL;
    if (interval != NULL)
        *interval++ = '\0';
    return strcmp(copy, "codel") == 0 &&
           (target == NULL ||
            (interval != NULL && unit_duration(target, DELAY_US_MAX, &codel->target_us) &&
             unit_duration(interval, DELAY_US_MAX, &codel->interval_us) && codel->interval_us > 0));
}

/* `text` NULL: a flag that was given. */
static bool parse_flag(const char *text, bool *flag)
{
    *flag = text == NULL || strcmp(text, "on") == 0;
    return *flag || strcmp(text, "off") == 0;
}

static bool set(struct link_path *path, const struct property *property, const char *text)
{
    void *field = (uint8_t *)path + property->offset;
    switch (property->form) {
    case DURATION:
        return unit_duration(text, DELAY_US_MAX, field);
    case RATE:
        return unit_rate(text, RATE_MAX, field);
    case TRACE:
        return parse_trace(text, path);
    case QUEUE:
        return parse_queue(text, path);
    case AQM:
        return parse_aqm(text, &path->codel);
    case PERCENT:
        return unit_percent(text, field);
    case DROPS:
        return parse_drops(text, path);
    case MTU:
        return parse_mtu(text, &path->box);
    case STRIP:
        return parse_strip(text, &path->box);
    case KINDS:
        return parse_kinds(text, field);
    case BYTES:
        return parse_bytes(text, field);
    case FLAG:
        return parse_flag(text, field);
    }
    return false;
}

/* ---- flags and changes ------------------------------------------------------------------------ */

static const char *name_of(size_t index)
{
    static char names[LINK_PATH_OPTIONS][NAME_SIZE];
    snprintf(names[index], NAME_SIZE, "%s%s", properties[index / WAYS].name,
             suffixes[index % WAYS]);
    return names[index];
}

void link_path_options(struct option *options)
{
    for (int i = 0; i < LINK_PATH_OPTIONS; i++)
        options[i] = (struct option){
            .name = name_of((size_t)i),
            .has_arg = properties[i / WAYS].form == FLAG ? no_argument : required_argument,
            .val = LINK_PATH_FIRST + i,
        };
}

/* NULL, or what it takes. */
static const char *take(struct link_path paths[LINK_DIRECTIONS], size_t index, const char *text)
{
    const struct property *property = &properties[index / WAYS];
    size_t way = index % WAYS; /* 0: both */
    for (size_t i = 0; i < LINK_DIRECTIONS; i++)
        if ((way == 0 || way == i + 1) && !set(&paths[i], property, text))
            return expected[property->form];
    return NULL;
}

int link_path_take(struct link_path paths[LINK_DIRECTIONS], int value, const char *text)
{
    size_t index = (size_t)(value - LINK_PATH_FIRST);
    const char *wanted = take(paths, index, text);
    return wanted == NULL ? 0
                          : command_error("link", EXIT_USAGE, "--%s takes %s, not \"%s\"",
                                          name_of(index), wanted, text);
}

int link_path_change(struct link_path paths[LINK_DIRECTIONS], const char *text)
{
    size_t length = strcspn(text, "=");
    for (size_t i = 0; text[length] == '=' && i < LINK_PATH_OPTIONS; i++) {
        const char *name = name_of(i);
        if (strlen(name) != length || strncmp(name, text, length) != 0)
            continue;
        const char *wanted = take(paths, i, text + length + 1);
        return wanted == NULL ? 0
                              : command_error("link", EXIT_USAGE, "%s takes %s, not \"%s\"", name,
                                              wanted, text + length + 1);
    }
    return command_error("link", EXIT_USAGE,
                         "\"%s\" is no change: say NAME=VALUE, such as rate=1mbit", text);
}
