/* sequence_shift.c - see sequence_shift.h. */
#include "tun/sequence_shift.h"

#include "tcpct/segment.h"
#include "tcpct/wire.h"
#include "tun/chance.h"
#include "tun/flows.h"
#include "tun/option_edit.h"

/* What is added to the numbers of each direction. */
static void offsets_of(const struct passing *passing, uint64_t seed,
                       uint32_t offsets[LINK_DIRECTIONS])
{
    struct flow_key key = flow_key_of(passing, passing->tcp);
    uint64_t state = seed ^ (uint64_t)key.inside_port << 16 ^ key.remote_port;
    for (size_t i = 0; i < sizeof key.inside.bytes; i++)
        state = chance_next(&state) ^ (uint64_t)key.inside.bytes[i] << 8 ^ key.remote.bytes[i];
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        offsets[i] = (uint32_t)chance_next(&state);
}

static void add32(uint8_t *at, uint32_t number)
{
    wire_put32(at, wire_get32(at) + number);
}

static void shift_sack(struct passing *passing, uint32_t number)
{
    uint8_t *options;
    size_t size = passing_options(passing, &options), length;
    for (size_t at = 0; (length = option_at(options + at, size - at)) > 0; at += length)
        if (options[at] == OPTION_KIND_SACK)
            for (size_t edge = at + 2; edge + 4 <= at + length; edge += 4)
                add32(options + edge, number);
}

void sequence_shift(struct passing *passing, uint64_t seed)
{
    uint32_t offsets[LINK_DIRECTIONS];
    offsets_of(passing, seed, offsets);
    uint32_t back = 0 - offsets[!passing->direction];
    add32(passing->tcp + TCP_SEQ, offsets[passing->direction]);
    if ((passing_flags(passing) & SEGMENT_ACK) != 0)
        add32(passing->tcp + TCP_ACK, back);
    shift_sack(passing, back);
    passing->altered = true;
}
