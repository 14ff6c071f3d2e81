/* segment_fuzz.c - any bytes as a packet: nothing is read beyond them, and what decodes encodes
 * again to the same.
 *
 * The first byte of the input chooses: bit 0 a coalesced buffer, bit 1 a verified TCP checksum,
 * bit 2 that the IPv4 header's checksum is put right first, which no fuzzer guesses.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tcpct/checksum.h"
#include "tcpct/segment.h"
#include "tcpct/wire.h"
#include "tests/tcpct/generate.h"

enum { COALESCED = 1, CHECKSUM = 2, MEND_IP = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void mend_ipv4_checksum(uint8_t *bytes, size_t size)
{
    size_t header_size = size > 0 ? 4u * (bytes[0] & 15) : 0;

    if (header_size < IPV4_HEADER_SIZE || header_size > size || bytes[0] >> 4 != 4)
        return;
    wire_put16(bytes + 10, 0);
    wire_put16(bytes + 10, (uint16_t)~checksum_fold(checksum_add(0, bytes, header_size)));
}

/* Options in the same bytes, and all values once more. */
static void check_layout(const struct segment *segment, const struct option_layout *layout)
{
    static uint8_t bytes[TCPCT_PACKET_SIZE];
    struct tcpct_packet packet = { .data = bytes, .size = sizeof bytes };
    struct segment again;
    struct option_layout same;

    if (!segment_encode_layout(segment, layout, &packet, false)) {
        /* It came as IPv6 too large for our buffer, or coalesced with an extension. */
        require(segment->packet_size + 40 > sizeof bytes ||
                (segment->segment_size > 0 && layout->extension_size > 0));
        return;
    }
    require(segment_decode(&again, &packet, &same) == SEGMENT_OK);
    require(segment_same(segment, &again));
    require(layout->header_size == same.header_size);
    require(layout->extension_size == same.extension_size);
    require(memcmp(layout->bytes, same.bytes, same.header_size + same.extension_size) == 0);
}

/* In our own order they may not fit, but if they do, they are the same. */
static void check_order(const struct segment *segment)
{
    static uint8_t bytes[TCPCT_PACKET_SIZE];
    struct tcpct_packet packet = { .data = bytes, .size = sizeof bytes };
    struct segment again;

    if (!segment_encode(segment, &packet, true))
        return;
    require(segment_decode(&again, &packet, NULL) == SEGMENT_OK);
    require(segment_same(segment, &again));
    require(packet.length == segment_header_size(segment) + segment->data_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct segment segment;
    struct option_layout layout;

    if (size == 0)
        return 0;
    uint8_t *bytes = malloc(size); /* exactly, so that a sanitizer sees any read beyond */
    require(bytes != NULL);
    memcpy(bytes, input, size);
    uint8_t choice = bytes[0];
    size--;
    struct tcpct_packet packet = { .data = bytes + 1,
                                   .length = size,
                                   .size = size,
                                   .segment_size = choice & COALESCED ? 100 : 0,
                                   .partial_checksum = (choice & CHECKSUM) == 0 };
    if (choice & MEND_IP)
        mend_ipv4_checksum(packet.data, size);
    if (segment_decode(&segment, &packet, &layout) == SEGMENT_OK) {
        require(segment.data >= packet.data &&
                segment.data + segment.data_size <= packet.data + size);
        check_layout(&segment, &layout);
        check_order(&segment);
    }
    free(bytes);
    return 0;
}
