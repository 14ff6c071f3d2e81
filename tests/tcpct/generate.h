/* generate.h - seeded values for generative tests, and comparisons of what the codec yields. */
#ifndef TESTS_GENERATE_H
#define TESTS_GENERATE_H

#include "tcpct/segment.h"

struct generator {
    uint64_t state; /* begins as the seed */
};

uint64_t generate(struct generator *generator);
/* 0 to limit - 1. */
uint32_t generate_below(struct generator *generator, uint32_t limit);
/* Of the type that the stack takes for its random source; `generator` is a struct generator. */
void generate_bytes(void *generator, void *bytes, size_t size);

/* Options that options_encode accepts, as decoding gives them back: what one option implies is
 * set, fields without a `present` bit are zero. */
void generate_options(struct generator *generator, struct tcp_options *options);
/* A segment of either family with such options, and `data_size` bytes of `data`. */
void generate_segment(struct generator *generator, struct segment *segment, const uint8_t *data,
                      uint32_t data_size);

/* Decodes options of which `header_size` bytes stand in the header and the rest, up to `size`, in
 * the payload. Works on copies of exactly that size, so that a sanitizer sees any read beyond. */
enum options_verdict decode_options(struct tcp_options *options, const uint8_t *bytes,
                                    size_t header_size, size_t size, size_t *extension_size,
                                    struct option_layout *layout);

/* Whether all that is valid is equal. */
bool options_same(const struct tcp_options *a, const struct tcp_options *b);
bool segment_same(const struct segment *a, const struct segment *b);

#endif
