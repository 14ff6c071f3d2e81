/* options_decode.c - TCP options from the wire.
 *
 * The header's options come first. If kind 254 is among them, the extension follows the header:
 * a pair of timestamps of the size that the option names, then options as in the header.
 */
#include <string.h>

#include "option_walk.h"

const char *options_verdict_text(enum options_verdict verdict)
{
    switch (verdict) {
    case OPTIONS_OK:
        return "sound";
    case OPTIONS_MALFORMED:
        return "an option's length runs past the end";
    case OPTIONS_DUPLICATE:
        return "duplicate or mutually exclusive options";
    case OPTIONS_BAD_EXTEND:
        return "bad header extension";
    }
    return "unknown";
}

static void take_cookies(struct tcp_options *options, const struct option_item *item)
{
    size_t size = item->bit == OPTION_COOKIE_PAIR ? item->size / 2 : item->size;

    options->cookie_size = (uint8_t)size;
    memcpy(options->initiator_cookie, item->value, size);
    if (item->bit == OPTION_COOKIE_PAIR)
        memcpy(options->responder_cookie, item->value + size, size);
}

static void take_sack(struct tcp_options *options, const struct option_item *item)
{
    options->sack_count = (uint8_t)(item->size / 8);
    for (unsigned i = 0; i < options->sack_count; i++) {
        options->sack[i].start = wire_get32(item->value + 8 * i);
        options->sack[i].end = wire_get32(item->value + 8 * i + 4);
    }
}

/* Takes the value of a valid option that is the first of its kind. Kind 254 is taken when all
 * header options are known: only then does the extension matter. */
static void take(struct tcp_options *options, const struct option_item *item)
{
    const uint8_t *value = item->value;

    switch (item->bit) {
    case OPTION_MSS:
        options->mss = wire_get16(value);
        break;
    case OPTION_WINDOW_SCALE:
        options->window_scale = value[0];
        break;
    case OPTION_SACK:
        take_sack(options, item);
        break;
    case OPTION_TIMESTAMPS:
        options->timestamp_size = 4;
        options->timestamp_value = wire_get32(value);
        options->timestamp_echo = wire_get32(value + 4);
        break;
    case OPTION_MD5:
        memcpy(options->md5_digest, value, sizeof options->md5_digest);
        break;
    case OPTION_USER_TIMEOUT:
        options->user_timeout = wire_get16(value);
        break;
    case OPTION_FAST_OPEN:
        options->fast_open_size = (uint8_t)item->size;
        memcpy(options->fast_open_cookie, value, item->size);
        break;
    case OPTION_COOKIE:
    case OPTION_COOKIE_PAIR:
        take_cookies(options, item);
        break;
    case OPTION_SEAL:
        options->seal_size = (uint8_t)item->size;
        memcpy(options->seal, item->value, item->size);
        break;
    default:
        break;
    }
}

/* Takes the options at `wire`. `*extended` is set to the value of kind 254 when that is met. */
static enum options_verdict take_all(struct tcp_options *options, struct wire *wire,
                                     const uint8_t **extended)
{
    struct option_item item;
    enum option_step step;

    while ((step = option_next(wire, &item, *extended != NULL)) == OPTION_STEP_ITEM) {
        if (item.bit == 0)
            continue;
        if (item.bit == OPTION_INVALID) {
            options->ignored++;
            continue;
        }
        /* RFC 6013, 3 and 3.4: only one of each of these. */
        if ((item.bit & OPTION_COOKIES && options->present & OPTION_COOKIES) ||
            (item.bit & OPTION_BOTH_TIMESTAMPS && options->present & OPTION_BOTH_TIMESTAMPS))
            return OPTIONS_DUPLICATE;
        if (options->present & item.bit)
            continue;
        options->present |= item.bit;
        take(options, &item);
        if (item.bit == OPTION_TIMESTAMPS_EXTENDED)
            *extended = item.value;
    }
    return step == OPTION_STEP_END ? OPTIONS_OK : OPTIONS_MALFORMED;
}

static void read_timestamp(struct wire *wire, size_t size, uint32_t *timestamp, uint8_t prefix[12])
{
    memset(prefix, 0, 12);
    wire_read(wire, prefix + 16 - size, size - 4);
    *timestamp = wire_read32(wire);
}

/* The extension that `extended` (Extend, then R and S; RFC 6013, 3.4) announces. */
static enum options_verdict take_extension(struct tcp_options *options, const uint8_t *extended,
                                           struct wire *wire)
{
    size_t size = 4u * (extended[1] & 7);

    if (wire->size < 4 * EXTEND_MIN || (size != 4 && size != 8 && size != 16))
        return OPTIONS_BAD_EXTEND;
    options->timestamp_size = (uint8_t)size;
    read_timestamp(wire, size, &options->timestamp_value, options->timestamp_value_prefix);
    read_timestamp(wire, size, &options->timestamp_echo, options->timestamp_echo_prefix);
    return take_all(options, wire, &extended);
}

static void infer(struct tcp_options *options)
{
    const uint32_t sack_and_pair = OPTION_SACK | OPTION_COOKIE_PAIR;

    /* "Sack implies SackOK" (RFC 6013, A.2). */
    if ((options->present & sack_and_pair) == sack_and_pair)
        options->present |= OPTION_SACK_PERMITTED;
    /* Where segments are signed, a Cookie must be ignored (RFC 6013, 8.4, 8.5). */
    if (options->present & OPTION_COOKIE &&
        options->present & (OPTION_MD5 | OPTION_AUTHENTICATION)) {
        options->present &= ~(uint32_t)OPTION_COOKIE;
        options->ignored++;
    }
}

enum options_verdict options_decode(struct tcp_options *options, const uint8_t *bytes, size_t size,
                                    const uint8_t *payload, size_t payload_size,
                                    size_t *extension_size, struct option_layout *layout)
{
    struct wire header = wire_reader(bytes, size);
    const uint8_t *extended = NULL;

    *extension_size = 0;
    options->present = 0;
    options->ignored = 0;
    options->timestamp_size = 0;
    enum options_verdict verdict = take_all(options, &header, &extended);
    if (verdict == OPTIONS_DUPLICATE)
        return verdict;

    if (extended != NULL) {
        size_t extension = 4u * extended[0];
        if (extension > payload_size)
            return OPTIONS_BAD_EXTEND;
        struct wire wire = wire_reader(payload, extension);
        enum options_verdict of_extension = take_extension(options, extended, &wire);
        if (of_extension == OPTIONS_DUPLICATE || of_extension == OPTIONS_BAD_EXTEND)
            return of_extension;
        if (of_extension == OPTIONS_MALFORMED)
            verdict = of_extension;
        *extension_size = extension;
    }
    infer(options);
    if (verdict == OPTIONS_MALFORMED)
        options->ignored++;
    if (layout != NULL) {
        layout->header_size = size;
        layout->extension_size = *extension_size;
        struct wire copy = wire_writer(layout->bytes, sizeof layout->bytes);
        wire_write(&copy, bytes, size);
        wire_write(&copy, payload, *extension_size);
    }
    return verdict;
}
