/* dump_line.c - one segment as a line of text or of JSON. Both name the same things: what the
 * wire says, every option of RFC 6013 included, with sequence numbers relative to the <SYN>s.
 */
#include "tools/dump.h"

#include <inttypes.h>
#include <string.h>

#include "tools/command.h"

static const struct {
    uint8_t flag;
    char letter;
    const char *name;
} flag_names[] = {
    { SEGMENT_SYN, 'S', "SYN" }, { SEGMENT_FIN, 'F', "FIN" }, { SEGMENT_RST, 'R', "RST" },
    { SEGMENT_PSH, 'P', "PSH" }, { SEGMENT_URG, 'U', "URG" }, { SEGMENT_ECE, 'E', "ECE" },
    { SEGMENT_CWR, 'W', "CWR" }, { SEGMENT_ACK, '.', "ACK" },
};
enum { FLAGS = sizeof flag_names / sizeof flag_names[0] };

/* The comma before every item of a list but the first. */
static const char *comma(bool *first)
{
    const char *text = *first ? "" : ",";
    *first = false;
    return text;
}

static void put_hex(FILE *out, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        fprintf(out, "%02x", bytes[i]);
}

/* Bytes of a timestamp's prefix, the bits above the low 32: they stand at the end of 12. */
static const uint8_t *prefix_of(const struct tcp_options *options, const uint8_t prefix[12],
                                size_t *size)
{
    *size = options->timestamp_size > 4 ? options->timestamp_size - 4u : 0;
    return prefix + 12 - *size;
}

/* The options that no field of struct tcp_options stands for: calls `each` with kind and length.
 */
static void each_unknown(const struct option_layout *layout, FILE *out, bool *first,
                         void (*each)(FILE *out, bool *first, unsigned kind, unsigned length))
{
    static const uint8_t known[] = {
        OPTION_KIND_MSS,          OPTION_KIND_WINDOW_SCALE,       OPTION_KIND_SACK_PERMITTED,
        OPTION_KIND_SACK,         OPTION_KIND_TIMESTAMPS,         OPTION_KIND_MD5,
        OPTION_KIND_USER_TIMEOUT, OPTION_KIND_AUTHENTICATION,     OPTION_KIND_FAST_OPEN,
        OPTION_KIND_COOKIE,       OPTION_KIND_TIMESTAMPS_EXTENDED
    };
    for (size_t at = 0; at < layout->header_size && layout->bytes[at] != OPTION_KIND_EOL;) {
        if (layout->bytes[at] == OPTION_KIND_NOP) {
            at++;
            continue;
        }
        unsigned length = at + 1 < layout->header_size ? layout->bytes[at + 1] : 0;
        if (length < 2)
            return;
        if (memchr(known, layout->bytes[at], sizeof known) == NULL)
            each(out, first, layout->bytes[at], length);
        at += length;
    }
}

/* ---- text ------------------------------------------------------------------------------------- */

static void text_timestamps(FILE *out, const struct tcp_options *options, bool *first)
{
    size_t size;
    const uint8_t *prefix = prefix_of(options, options->timestamp_value_prefix, &size);
    fprintf(out, "%sTS%u ", comma(first), 8u * options->timestamp_size);
    put_hex(out, prefix, size);
    fprintf(out, "%s%" PRIu32 "/", size > 0 ? ":" : "", options->timestamp_value);
    prefix = prefix_of(options, options->timestamp_echo_prefix, &size);
    put_hex(out, prefix, size);
    fprintf(out, "%s%" PRIu32, size > 0 ? ":" : "", options->timestamp_echo);
}

static void text_cookies(FILE *out, const struct tcp_options *options, bool *first)
{
    if (options->present & OPTION_COOKIE_LESS) {
        fprintf(out, "%scookie-less", comma(first));
        return;
    }
    bool pair = options->present & OPTION_COOKIE_PAIR;
    fprintf(out, "%s%s ", comma(first), pair ? "pair" : "cookie");
    put_hex(out, options->initiator_cookie, options->cookie_size);
    if (pair) {
        fputc('+', out);
        put_hex(out, options->responder_cookie, options->cookie_size);
    }
}

static void text_unknown(FILE *out, bool *first, unsigned kind, unsigned length)
{
    fprintf(out, "%skind %u length %u", comma(first), kind, length);
}

static void text_options(FILE *out, const struct dump_packet *packet, const struct dump_flow *flow,
                         enum dump_side side)
{
    const struct segment *segment = &packet->segment;
    const struct tcp_options *options = &segment->options;
    uint32_t present = options->present;
    if (packet->layout.header_size == 0)
        return;
    bool first = true;
    fprintf(out, " <");
    if (present & OPTION_TIMESTAMPS_EXTENDED)
        fprintf(out, "%sextend %u", comma(&first), segment->extension_size / 4u);
    if (present & OPTION_MSS)
        fprintf(out, "%smss %u", comma(&first), options->mss);
    if (present & OPTION_SACK_PERMITTED)
        fprintf(out, "%ssackOK", comma(&first));
    if (options->timestamp_size > 0)
        text_timestamps(out, options, &first);
    if (present & (OPTION_COOKIE | OPTION_COOKIE_PAIR | OPTION_COOKIE_LESS))
        text_cookies(out, options, &first);
    if (present & OPTION_SEAL)
        fprintf(out, "%sseal %u", comma(&first), options->seal_size);
    if (present & OPTION_WINDOW_SCALE)
        fprintf(out, "%swscale %u", comma(&first), options->window_scale);
    if (present & OPTION_USER_TIMEOUT)
        fprintf(out, "%suto %u %s", comma(&first), options->user_timeout & 0x7fff,
                options->user_timeout & 0x8000 ? "min" : "s");
    for (unsigned i = 0; present & OPTION_SACK && i < options->sack_count; i++)
        fprintf(out, "%ssack %" PRIu32 ":%" PRIu32, comma(&first),
                dump_flow_relative(flow, !side, options->sack[i].start),
                dump_flow_relative(flow, !side, options->sack[i].end));
    if (present & OPTION_FAST_OPEN) {
        fprintf(out, "%sfast-open ", comma(&first));
        put_hex(out, options->fast_open_cookie, options->fast_open_size);
        fputs(options->fast_open_size == 0 ? "request" : "", out);
    }
    if (present & OPTION_MD5)
        fprintf(out, "%smd5", comma(&first));
    if (present & OPTION_AUTHENTICATION)
        fprintf(out, "%sauthentication", comma(&first));
    each_unknown(&packet->layout, out, &first, text_unknown);
    if (options->ignored > 0)
        fprintf(out, "%sinvalid %u", comma(&first), options->ignored);
    fputc('>', out);
}

static void text_state(FILE *out, const struct dump_state *state)
{
    static const char *const sides[] = { "client", "server" };
    const char *separator = "  -- ";
    for (unsigned i = 0; i < DUMP_NOTES; i++)
        if (state->notes & 1u << i) {
            fprintf(out, "%s%s", separator, dump_note_text(i));
            separator = ", ";
        }
    for (unsigned i = 0; i < 2; i++)
        if (state->changed[i]) {
            fprintf(out, "%s%s %s", separator, sides[i], dump_state_text(state, i));
            separator = ", ";
        }
}

void dump_line_text(FILE *out, const struct dump_packet *packet, const struct dump_flow *flow,
                    enum dump_side side)
{
    const struct segment *segment = &packet->segment;
    char address[2][48];
    fprintf(out, "%11.6f ", (double)packet->time_us / 1e6);
    if (flow == NULL) {
        fprintf(out, "%zu bytes: %s\n", packet->size, segment_verdict_text(packet->verdict));
        return;
    }
    fprintf(out, "%s.%u > %s.%u ", address_text(&segment->source, address[0], sizeof address[0]),
            segment->source_port,
            address_text(&segment->destination, address[1], sizeof address[1]),
            segment->destination_port);
    for (size_t i = 0; i < FLAGS; i++) {
        if (segment->flags & flag_names[i].flag)
            fputc(flag_names[i].letter, out);
    }
    uint32_t seq = dump_flow_relative(flow, side, segment->seq);
    fprintf(out, " seq %" PRIu32, seq);
    if (segment->data_size > 0)
        fprintf(out, ":%" PRIu32, seq + segment_length(segment));
    if (segment->flags & SEGMENT_ACK)
        fprintf(out, " ack %" PRIu32, dump_flow_relative(flow, !side, segment->ack));
    fprintf(out, " win %u", segment->window);
    text_options(out, packet, flow, side);
    fprintf(out, " data %" PRIu32 "%s", segment->data_size,
            packet->bad_checksum ? " (bad checksum)" : "");
    text_state(out, dump_flow_state(flow));
    fputc('\n', out);
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static void json_hex(FILE *out, bool *first, const char *name, const uint8_t *bytes, size_t size)
{
    fprintf(out, "%s\"%s\":\"", comma(first), name);
    put_hex(out, bytes, size);
    fputc('"', out);
}

static void json_timestamps(FILE *out, const struct tcp_options *options, bool *first)
{
    size_t size;
    fprintf(out, "%s\"timestamps\":{\"bits\":%u,\"value\":%" PRIu32 ",\"echo\":%" PRIu32,
            comma(first), 8u * options->timestamp_size, options->timestamp_value,
            options->timestamp_echo);
    if (options->timestamp_size > 4) {
        bool follows = false;
        const uint8_t *prefix = prefix_of(options, options->timestamp_value_prefix, &size);
        json_hex(out, &follows, "value_prefix", prefix, size);
        prefix = prefix_of(options, options->timestamp_echo_prefix, &size);
        json_hex(out, &follows, "echo_prefix", prefix, size);
    }
    fputc('}', out);
}

static void json_cookies(FILE *out, const struct tcp_options *options, bool *first)
{
    if (options->present & OPTION_COOKIE)
        json_hex(out, first, "cookie", options->initiator_cookie, options->cookie_size);
    if (options->present & OPTION_COOKIE_LESS)
        fprintf(out, "%s\"cookie_less\":true", comma(first));
    if (options->present & OPTION_COOKIE_PAIR) {
        json_hex(out, first, "pair_initiator", options->initiator_cookie, options->cookie_size);
        json_hex(out, first, "pair_responder", options->responder_cookie, options->cookie_size);
    }
}

static void json_unknown(FILE *out, bool *first, unsigned kind, unsigned length)
{
    fprintf(out, "%s\"kind_%u\":%u", comma(first), kind, length);
}

static void json_options(FILE *out, const struct dump_packet *packet, const struct dump_flow *flow,
                         enum dump_side side)
{
    const struct tcp_options *options = &packet->segment.options;
    uint32_t present = options->present;
    bool first = false;
    fprintf(out, "\"options\":{\"ignored\":%u", options->ignored);
    if (present & OPTION_TIMESTAMPS_EXTENDED)
        fprintf(out, ",\"extend\":%u", packet->segment.extension_size / 4u);
    if (present & OPTION_MSS)
        fprintf(out, ",\"mss\":%u", options->mss);
    if (present & OPTION_SACK_PERMITTED)
        fprintf(out, ",\"sack_permitted\":true");
    if (options->timestamp_size > 0)
        json_timestamps(out, options, &first);
    json_cookies(out, options, &first);
    if (present & OPTION_SEAL)
        fprintf(out, ",\"seal_bytes\":%u", options->seal_size);
    if (present & OPTION_WINDOW_SCALE)
        fprintf(out, ",\"window_scale\":%u", options->window_scale);
    if (present & OPTION_USER_TIMEOUT)
        fprintf(out, ",\"user_timeout_s\":%u",
                (options->user_timeout & 0x7fffu) * (options->user_timeout & 0x8000 ? 60u : 1u));
    if (present & OPTION_SACK) {
        fprintf(out, ",\"sack\":[");
        for (unsigned i = 0; i < options->sack_count; i++)
            fprintf(out, "%s[%" PRIu32 ",%" PRIu32 "]", i > 0 ? "," : "",
                    dump_flow_relative(flow, !side, options->sack[i].start),
                    dump_flow_relative(flow, !side, options->sack[i].end));
        fputc(']', out);
    }
    if (present & OPTION_FAST_OPEN)
        json_hex(out, &first, "fast_open", options->fast_open_cookie, options->fast_open_size);
    if (present & OPTION_MD5)
        json_hex(out, &first, "md5", options->md5_digest, sizeof options->md5_digest);
    if (present & OPTION_AUTHENTICATION)
        fprintf(out, ",\"authentication\":true");
    each_unknown(&packet->layout, out, &first, json_unknown);
    fputc('}', out);
}

static void json_state(FILE *out, const struct dump_state *state)
{
    bool first = true;
    fputs(",\"notes\":[", out);
    for (unsigned i = 0; i < DUMP_NOTES; i++)
        if (state->notes & 1u << i)
            fprintf(out, "%s\"%s\"", comma(&first), dump_note_text(i));
    fprintf(out, "],\"client_state\":\"%s\",\"server_state\":\"%s\"",
            dump_state_text(state, DUMP_CLIENT), dump_state_text(state, DUMP_SERVER));
}

void dump_line_json(FILE *out, const struct dump_packet *packet, const struct dump_flow *flow,
                    enum dump_side side)
{
    const struct segment *segment = &packet->segment;
    char address[2][48];
    fprintf(out, "{\"number\":%" PRIu64 ",\"time_us\":%" PRId64 ",\"size\":%zu,\"verdict\":\"%s\"",
            packet->number, packet->time_us, packet->size, segment_verdict_text(packet->verdict));
    if (flow == NULL) {
        fprintf(out, "}\n");
        return;
    }
    fprintf(out,
            ",\"source\":\"%s\",\"source_port\":%u,\"destination\":\"%s\",\"destination_port\":%u,"
            "\"flags\":[",
            address_text(&segment->source, address[0], sizeof address[0]), segment->source_port,
            address_text(&segment->destination, address[1], sizeof address[1]),
            segment->destination_port);
    bool first = true;
    for (size_t i = 0; i < FLAGS; i++) {
        if (segment->flags & flag_names[i].flag)
            fprintf(out, "%s\"%s\"", comma(&first), flag_names[i].name);
    }
    fprintf(out, "],\"seq\":%" PRIu32 ",\"ack\":%" PRIu32 ",\"window\":%u,",
            dump_flow_relative(flow, side, segment->seq),
            segment->flags & SEGMENT_ACK ? dump_flow_relative(flow, !side, segment->ack) : 0,
            segment->window);
    json_options(out, packet, flow, side);
    fprintf(out, ",\"data\":%" PRIu32 ",\"bad_checksum\":%s,\"connection\":%u", segment->data_size,
            packet->bad_checksum ? "true" : "false", dump_flow_number(flow));
    json_state(out, dump_flow_state(flow));
    fputs("}\n", out);
}
