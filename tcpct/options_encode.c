/* options_encode.c - TCP options to the wire, in RFC 6013's orders or in a layout's.
 */
#include <string.h>

#include "option_walk.h"

/* The value of the option `bit`, without kind and length. */
static void write_value(struct wire *wire, const struct tcp_options *options, uint32_t bit)
{
    switch (bit) {
    case OPTION_MSS:
        wire_write16(wire, options->mss);
        break;
    case OPTION_WINDOW_SCALE:
        wire_write8(wire, options->window_scale);
        break;
    case OPTION_SACK:
        for (unsigned i = 0; i < options->sack_count; i++) {
            wire_write32(wire, options->sack[i].start);
            wire_write32(wire, options->sack[i].end);
        }
        break;
    case OPTION_TIMESTAMPS:
        wire_write32(wire, options->timestamp_value);
        wire_write32(wire, options->timestamp_echo);
        break;
    case OPTION_MD5:
        wire_write(wire, options->md5_digest, sizeof options->md5_digest);
        break;
    case OPTION_USER_TIMEOUT:
        wire_write16(wire, options->user_timeout);
        break;
    case OPTION_FAST_OPEN:
        wire_write(wire, options->fast_open_cookie, options->fast_open_size);
        break;
    case OPTION_COOKIE:
        wire_write(wire, options->initiator_cookie, options->cookie_size);
        break;
    case OPTION_COOKIE_PAIR:
        wire_write(wire, options->initiator_cookie, options->cookie_size);
        wire_write(wire, options->responder_cookie, options->cookie_size);
        break;
    case OPTION_SEAL:
        wire_write(wire, options->seal, options->seal_size);
        break;
    default: /* SACK-permitted, Cookie-less */
        break;
    }
}

/* The option `bit`, if it is present. */
static void write_option(struct wire *wire, const struct tcp_options *options, uint8_t kind,
                         uint32_t bit)
{
    if ((options->present & bit) == 0)
        return;
    size_t start = wire->position;
    wire_write8(wire, kind);
    uint8_t *length = wire_claim(wire, 1);
    write_value(wire, options, bit);
    if (!wire->failed)
        *length = (uint8_t)(wire->position - start);
}

/* As write_option, with NOPs before it so that its value begins at a 32-bit boundary. */
static void write_aligned(struct wire *wire, const struct tcp_options *options, uint8_t kind,
                          uint32_t bit)
{
    if (options->present & bit)
        wire_fill(wire, OPTION_KIND_NOP, (2 - wire->position) % 4);
    write_option(wire, options, kind, bit);
}

static void pad(struct wire *wire)
{
    wire_fill(wire, OPTION_KIND_EOL, -wire->position % 4);
}

/* Everything in the header, in the order of A.1, which packs best. MD5 stands where a Cookie
 * would: they exclude one another (8.4). */
static void write_header(struct wire *wire, const struct tcp_options *options)
{
    write_option(wire, options, OPTION_KIND_MSS, OPTION_MSS);
    write_option(wire, options, OPTION_KIND_USER_TIMEOUT, OPTION_USER_TIMEOUT);
    if (options->present & OPTION_TIMESTAMPS)
        write_option(wire, options, OPTION_KIND_SACK_PERMITTED, OPTION_SACK_PERMITTED);
    else
        write_aligned(wire, options, OPTION_KIND_SACK_PERMITTED, OPTION_SACK_PERMITTED);
    write_aligned(wire, options, OPTION_KIND_TIMESTAMPS, OPTION_TIMESTAMPS);
    write_option(wire, options, OPTION_KIND_MD5, OPTION_MD5);
    write_option(wire, options, OPTION_KIND_COOKIE, OPTION_COOKIE);
    write_option(wire, options, OPTION_KIND_COOKIE, OPTION_COOKIE_LESS);
    write_option(wire, options, OPTION_KIND_WINDOW_SCALE, OPTION_WINDOW_SCALE);
    write_option(wire, options, OPTION_KIND_FAST_OPEN, OPTION_FAST_OPEN);
    write_aligned(wire, options, OPTION_KIND_SACK, OPTION_SACK);
    pad(wire);
}

static void write_timestamp_pair(struct wire *wire, const struct tcp_options *options)
{
    size_t prefix = options->timestamp_size - 4u;

    wire_write(wire, options->timestamp_value_prefix + 12 - prefix, prefix);
    wire_write32(wire, options->timestamp_value);
    wire_write(wire, options->timestamp_echo_prefix + 12 - prefix, prefix);
    wire_write32(wire, options->timestamp_echo);
}

/* The extension, in the order of A.2 and A.3; `wire` begins where it begins. */
static void write_extension(struct wire *wire, const struct tcp_options *options)
{
    const uint32_t sack_and_pair = OPTION_SACK | OPTION_COOKIE_PAIR;
    bool pair = (options->present & OPTION_COOKIE_PAIR) != 0;

    write_timestamp_pair(wire, options);
    /* SACK-permitted takes the place of the NOPs before a pair, unless SACK implies it (A.2). */
    if (pair && (options->present & sack_and_pair) != sack_and_pair)
        write_option(wire, options, OPTION_KIND_SACK_PERMITTED, OPTION_SACK_PERMITTED);
    if (!pair)
        write_aligned(wire, options, OPTION_KIND_SACK_PERMITTED, OPTION_SACK_PERMITTED);
    write_aligned(wire, options, OPTION_KIND_COOKIE, OPTION_COOKIE_PAIR);
    write_aligned(wire, options, OPTION_KIND_COOKIE, OPTION_COOKIE_LESS);
    write_option(wire, options, OPTION_KIND_MSS, OPTION_MSS);
    write_option(wire, options, OPTION_KIND_USER_TIMEOUT, OPTION_USER_TIMEOUT);
    write_aligned(wire, options, OPTION_KIND_SACK, OPTION_SACK);
    write_option(wire, options, OPTION_KIND_WINDOW_SCALE, OPTION_WINDOW_SCALE);
    write_option(wire, options, OPTION_KIND_FAST_OPEN, OPTION_FAST_OPEN);
    write_option(wire, options, OPTION_KIND_COOKIE, OPTION_SEAL);
    pad(wire);
    if (wire->position < 4 * EXTEND_MIN)
        wire_fill(wire, OPTION_KIND_EOL, 4 * EXTEND_MIN - wire->position);
}

static bool at_most_one(uint32_t bits)
{
    return (bits & (bits - 1)) == 0;
}

static bool timestamp_size_is_valid(const struct tcp_options *options)
{
    size_t size = options->timestamp_size;

    return size == 4 || size == 8 || size == 16;
}

/* Whether the options may stand in one segment, and their sizes are ones that they can have. */
static bool is_sound(const struct tcp_options *options)
{
    uint32_t present = options->present;
    bool extended = (present & OPTION_TIMESTAMPS_EXTENDED) != 0;
    size_t cookie = options->cookie_size, fast_open = options->fast_open_size;

    if (present & OPTION_AUTHENTICATION ||
        present & (extended ? OPTION_COOKIE : OPTION_COOKIE_PAIR | OPTION_SEAL))
        return false;
    if (!at_most_one(present & OPTION_COOKIES) || !at_most_one(present & OPTION_BOTH_TIMESTAMPS))
        return false;
    if (present & (OPTION_COOKIE | OPTION_COOKIE_PAIR) &&
        option_identify(OPTION_KIND_COOKIE, cookie, false) != OPTION_COOKIE)
        return false;
    if (present & OPTION_FAST_OPEN &&
        option_identify(OPTION_KIND_FAST_OPEN, fast_open, false) != OPTION_FAST_OPEN)
        return false;
    if (present & OPTION_SEAL &&
        option_identify(OPTION_KIND_COOKIE, options->seal_size, true) != OPTION_SEAL)
        return false;
    if (present & OPTION_SACK &&
        (options->sack_count == 0 || options->sack_count > SACK_BLOCKS_MAX))
        return false;
    return !extended || timestamp_size_is_valid(options);
}

/* Header options of a segment with an extension: kind 254, whose Extend and Size are returned,
 * and MD5, which its receivers look for in the header. */
static uint8_t *write_extended_header(struct wire *wire, const struct tcp_options *options)
{
    wire_write8(wire, OPTION_KIND_TIMESTAMPS_EXTENDED);
    wire_write8(wire, 4);
    uint8_t *extend = wire_claim(wire, 2);
    write_aligned(wire, options, OPTION_KIND_MD5, OPTION_MD5);
    pad(wire);
    return extend;
}

bool options_encode(const struct tcp_options *options, uint8_t *bytes, size_t room,
                    size_t *header_size, size_t *extension_size)
{
    struct wire wire = wire_writer(bytes, room < OPTIONS_SIZE_MAX ? room : OPTIONS_SIZE_MAX);

    *extension_size = 0;
    if (!is_sound(options))
        return false;
    if ((options->present & OPTION_TIMESTAMPS_EXTENDED) == 0) {
        write_header(&wire, options);
        *header_size = wire.position;
        return !wire.failed;
    }

    uint8_t *extend = write_extended_header(&wire, options);
    if (wire.failed)
        return false;
    room -= wire.position;
    struct wire extension =
        wire_writer(bytes + wire.position, room < EXTENSION_SIZE_MAX ? room : EXTENSION_SIZE_MAX);
    write_extension(&extension, options);
    if (extension.failed)
        return false;
    extend[0] = (uint8_t)(extension.position / 4);
    extend[1] = options->timestamp_size / 4;
    *header_size = wire.position;
    *extension_size = extension.position;
    return true;
}

bool options_size(const struct tcp_options *options, size_t *header_size, size_t *extension_size)
{
    uint8_t bytes[OPTIONS_SIZE_MAX + EXTENSION_SIZE_MAX];

    return options_encode(options, bytes, sizeof bytes, header_size, extension_size);
}

/* Puts values into the options at `bytes`, and returns which are still missing. */
static uint32_t fill_in(const struct tcp_options *options, uint8_t *bytes, size_t size,
                        uint32_t missing, uint8_t **extended)
{
    struct wire walk = wire_reader(bytes, size);
    struct option_item item;

    while (option_next(&walk, &item, *extended != NULL) == OPTION_STEP_ITEM) {
        uint8_t *at = bytes + (walk.position - item.size);
        if (item.bit == OPTION_TIMESTAMPS_EXTENDED) {
            *extended = at;
            missing &= ~item.bit;
        }
        if ((missing & item.bit) == 0)
            continue;
        struct wire value = wire_writer(at, item.size);
        write_value(&value, options, item.bit);
        if (!value.failed && value.position == item.size)
            missing &= ~item.bit;
    }
    return missing;
}

size_t options_encode_layout(const struct tcp_options *options, const struct option_layout *layout,
                             uint8_t *bytes, size_t room)
{
    size_t total = layout->header_size + layout->extension_size;
    uint32_t missing = options->present & ~(uint32_t)OPTION_AUTHENTICATION;
    uint8_t *extended = NULL;

    if (total > room)
        return 0;
    memcpy(bytes, layout->bytes, total);
    missing = fill_in(options, bytes, layout->header_size, missing, &extended);
    if (layout->extension_size > 0) {
        if (extended == NULL || !timestamp_size_is_valid(options) ||
            4 * (extended[1] & 7) != options->timestamp_size)
            return 0;
        struct wire pair = wire_writer(bytes + layout->header_size, layout->extension_size);
        write_timestamp_pair(&pair, options);
        missing = fill_in(options, bytes + layout->header_size + pair.position,
                          layout->extension_size - pair.position, missing, &extended);
    }
    /* SACK-permitted may be implied. */
    return (missing & ~(uint32_t)OPTION_SACK_PERMITTED) == 0 ? total : 0;
}
