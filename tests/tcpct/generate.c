/* generate.c - a small generator (SplitMix64) and what the codec's tests draw from it. */
#include "tests/tcpct/generate.h"

#include <stdlib.h>
#include <string.h>

uint64_t generate(struct generator *generator)
{
    uint64_t z = generator->state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint32_t generate_below(struct generator *generator, uint32_t limit)
{
    return (uint32_t)(generate(generator) % limit);
}

void generate_bytes(void *generator, void *bytes, size_t size)
{
    uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)generate(generator);
}

static bool chance(struct generator *generator, uint32_t one_in)
{
    return generate_below(generator, one_in) == 0;
}

static void generate_timestamps(struct generator *generator, struct tcp_options *options)
{
    options->timestamp_value = (uint32_t)generate(generator);
    options->timestamp_echo = (uint32_t)generate(generator);
    options->timestamp_size = 4;
    if (options->present & OPTION_TIMESTAMPS_EXTENDED) {
        options->timestamp_size = (uint8_t)(4 << generate_below(generator, 3));
        size_t prefix = options->timestamp_size - 4u;
        generate_bytes(generator, options->timestamp_value_prefix + 12 - prefix, prefix);
        generate_bytes(generator, options->timestamp_echo_prefix + 12 - prefix, prefix);
    }
}

static void generate_cookies(struct generator *generator, struct tcp_options *options,
                             bool extended)
{
    if (chance(generator, 4)) {
        options->present |= OPTION_COOKIE_LESS;
        return;
    }
    options->cookie_size = (uint8_t)(8 + 2 * generate_below(generator, 5));
    generate_bytes(generator, options->initiator_cookie, options->cookie_size);
    options->present |= extended ? OPTION_COOKIE_PAIR : OPTION_COOKIE;
    if (extended)
        generate_bytes(generator, options->responder_cookie, options->cookie_size);
}

static void generate_some_options(struct generator *generator, struct tcp_options *options)
{
    bool extended = chance(generator, 2);

    *options = (struct tcp_options){ 0 };
    for (uint32_t bit = 1; bit <= OPTION_TIMESTAMPS_EXTENDED; bit <<= 1)
        if (chance(generator, 3))
            options->present |= bit;
    options->present &= ~(uint32_t)(OPTION_COOKIE | OPTION_COOKIE_PAIR | OPTION_COOKIE_LESS |
                                    OPTION_AUTHENTICATION | OPTION_TIMESTAMPS_EXTENDED);
    if (extended) {
        options->present &= ~(uint32_t)OPTION_TIMESTAMPS;
        options->present |= OPTION_TIMESTAMPS_EXTENDED;
    }
    if (options->present & (OPTION_TIMESTAMPS | OPTION_TIMESTAMPS_EXTENDED))
        generate_timestamps(generator, options);
    if (chance(generator, 2) && (extended || (options->present & OPTION_MD5) == 0))
        generate_cookies(generator, options, extended);
    if (options->present & OPTION_MSS)
        options->mss = (uint16_t)generate(generator);
    if (options->present & OPTION_WINDOW_SCALE)
        options->window_scale = (uint8_t)generate(generator);
    if (options->present & OPTION_USER_TIMEOUT)
        options->user_timeout = (uint16_t)generate(generator);
    if (options->present & OPTION_MD5)
        generate_bytes(generator, options->md5_digest, sizeof options->md5_digest);
    if (options->present & OPTION_FAST_OPEN) {
        options->fast_open_size =
            chance(generator, 2) ? 0 : (uint8_t)(4 + 2 * generate_below(generator, 7));
        generate_bytes(generator, options->fast_open_cookie, options->fast_open_size);
    }
    if (extended && chance(generator, 4)) {
        options->present |= OPTION_SEAL;
        options->seal_size = (uint8_t)(33 + generate_below(generator, 31));
        generate_bytes(generator, options->seal, options->seal_size);
    }
    if (options->present & OPTION_SACK) {
        options->sack_count =
            (uint8_t)(1 + generate_below(generator, extended ? SACK_BLOCKS_MAX : 4));
        generate_bytes(generator, options->sack, options->sack_count * sizeof options->sack[0]);
        if (options->present & OPTION_COOKIE_PAIR)
            options->present |= OPTION_SACK_PERMITTED;
    }
}

void generate_options(struct generator *generator, struct tcp_options *options)
{
    size_t header_size, extension_size;

    do
        generate_some_options(generator, options);
    while (!options_size(options, &header_size, &extension_size));
}

void generate_segment(struct generator *generator, struct segment *segment, const uint8_t *data,
                      uint32_t data_size)
{
    uint8_t family = chance(generator, 2) ? 4 : 6;

    *segment = (struct segment){ .source.family = family, .destination.family = family };
    generate_bytes(generator, segment->source.bytes, family == 4 ? 4 : 16);
    generate_bytes(generator, segment->destination.bytes, family == 4 ? 4 : 16);
    segment->source_port = (uint16_t)generate(generator);
    segment->destination_port = (uint16_t)generate(generator);
    segment->seq = (uint32_t)generate(generator);
    segment->ack = (uint32_t)generate(generator);
    segment->flags = (uint8_t)generate(generator);
    segment->traffic_class = (uint8_t)generate(generator);
    segment->hop_limit = (uint8_t)generate(generator);
    if (family == 4)
        segment->identification = (uint16_t)generate(generator);
    else
        segment->flow_label = generate_below(generator, 1 << 20);
    segment->window = (uint16_t)generate(generator);
    segment->urgent = (uint16_t)generate(generator);
    generate_options(generator, &segment->options);
    segment->data = data;
    segment->data_size = data_size;
}

static uint8_t *copy_exactly(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

enum options_verdict decode_options(struct tcp_options *options, const uint8_t *bytes,
                                    size_t header_size, size_t size, size_t *extension_size,
                                    struct option_layout *layout)
{
    uint8_t *header = copy_exactly(bytes, header_size);
    uint8_t *payload = copy_exactly(bytes + header_size, size - header_size);

    *options = (struct tcp_options){ 0 };
    enum options_verdict verdict = options_decode(options, header, header_size, payload,
                                                  size - header_size, extension_size, layout);
    free(header);
    free(payload);
    return verdict;
}

bool options_same(const struct tcp_options *a, const struct tcp_options *b)
{
    const uint32_t present = a->present;

#define DIFFER(bits, field) ((present & (bits)) != 0 && a->field != b->field)
#define BYTES_DIFFER(bits, field, size) \
    ((present & (bits)) != 0 && memcmp(a->field, b->field, size) != 0)
    const uint32_t timestamps = OPTION_TIMESTAMPS | OPTION_TIMESTAMPS_EXTENDED;
    const uint32_t cookies = OPTION_COOKIE | OPTION_COOKIE_PAIR;

    if (present != b->present || a->timestamp_size != b->timestamp_size)
        return false;
    if (DIFFER(OPTION_MSS, mss) || DIFFER(OPTION_WINDOW_SCALE, window_scale) ||
        DIFFER(OPTION_USER_TIMEOUT, user_timeout) || DIFFER(timestamps, timestamp_value) ||
        DIFFER(timestamps, timestamp_echo) || DIFFER(cookies, cookie_size) ||
        DIFFER(OPTION_FAST_OPEN, fast_open_size) || DIFFER(OPTION_SACK, sack_count))
        return false;
    return !(BYTES_DIFFER(OPTION_TIMESTAMPS_EXTENDED, timestamp_value_prefix, 12) ||
             BYTES_DIFFER(OPTION_TIMESTAMPS_EXTENDED, timestamp_echo_prefix, 12) ||
             BYTES_DIFFER(cookies, initiator_cookie, a->cookie_size) ||
             BYTES_DIFFER(OPTION_COOKIE_PAIR, responder_cookie, a->cookie_size) ||
             BYTES_DIFFER(OPTION_FAST_OPEN, fast_open_cookie, a->fast_open_size) ||
             BYTES_DIFFER(OPTION_MD5, md5_digest, 16) ||
             BYTES_DIFFER(OPTION_SACK, sack, a->sack_count * sizeof a->sack[0]));
#undef DIFFER
#undef BYTES_DIFFER
}

bool segment_same(const struct segment *a, const struct segment *b)
{
    return ip_address_equal(&a->source, &b->source) &&
           ip_address_equal(&a->destination, &b->destination) && a->source_port == b->source_port &&
           a->destination_port == b->destination_port && a->seq == b->seq && a->ack == b->ack &&
           a->flags == b->flags && a->traffic_class == b->traffic_class &&
           a->hop_limit == b->hop_limit && a->identification == b->identification &&
           a->flow_label == b->flow_label && a->window == b->window && a->urgent == b->urgent &&
           a->segment_size == b->segment_size && options_same(&a->options, &b->options) &&
           a->data_size == b->data_size &&
           (a->data_size == 0 || memcmp(a->data, b->data, a->data_size) == 0);
}
