/* captures_test.c - the recorded captures in tests/pcaps/ decode to what DECODE.txt there says,
 * and encode to the same bytes again, checksums included.
 *
 * The test writes each packet in DECODE.txt's own words: the order of the options comes from the
 * layout, all values from the decoded segment. It runs in the repository's top folder.
 */
#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/segment.h"

enum { ETHERNET_HEADER_SIZE = 14, LINE_SIZE = 1000, CAPTURES = 11 };

struct capture {
    char name[100]; /* relative to tests/ */
    pcap_t *pcap;
    size_t link_size;
    double start; /* seconds */
    struct segment first;
    uint32_t isn[2]; /* of the one who began, of the other */
};

/* ---- the words of DECODE.txt ---------------------------------------------------------------- */

static void append(char *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char *line, const char *format, ...)
{
    size_t length = strlen(line);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line + length, LINE_SIZE - length, format, arguments);
    va_end(arguments);
}

static void append_hex(char *line, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        append(line, "%02x", bytes[i]);
}

static void append_endpoint(char *line, const struct tcpct_address *address, uint16_t port)
{
    char text[INET6_ADDRSTRLEN];

    inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, text, sizeof text);
    append(line, "%s:%u", text, port);
}

static void append_flags(char *line, uint8_t flags)
{
    static const struct {
        uint8_t flag;
        char letter;
    } letters[] = {
        { SEGMENT_SYN, 'S' }, { SEGMENT_RST, 'R' }, { SEGMENT_ACK, 'A' },
        { SEGMENT_PSH, 'P' }, { SEGMENT_FIN, 'F' },
    };
    int written = 0;

    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (flags & letters[i].flag) {
            append(line, "%c", letters[i].letter);
            written++;
        }
    append(line, "%*s", written < 3 ? 3 - written : 0, "");
}

static void append_options(char *line, const struct tcp_options *options,
                           const struct option_layout *layout)
{
    append(line, "opt(%zu)=", layout->header_size);
    for (size_t at = 0; at < layout->header_size;) {
        uint8_t kind = layout->bytes[at];
        switch (kind) {
        case OPTION_KIND_NOP:
            append(line, "NOP ");
            at++;
            continue;
        case OPTION_KIND_MSS:
            append(line, "MSS=%u ", options->mss);
            break;
        case OPTION_KIND_SACK_PERMITTED:
            append(line, "SACKOK ");
            break;
        case OPTION_KIND_TIMESTAMPS:
            append(line, "TS=%u/%u ", options->timestamp_value, options->timestamp_echo);
            break;
        case OPTION_KIND_WINDOW_SCALE:
            append(line, "WS=%u ", options->window_scale);
            break;
        case OPTION_KIND_COOKIE:
            append(line, "COOKIE[%u]=", options->cookie_size + 2);
            append_hex(line, options->initiator_cookie, options->cookie_size);
            append(line, " ");
            break;
        default:
            fail_msg("option kind %u in a capture", kind);
        }
        at += layout->bytes[at + 1];
    }
    if (layout->header_size == 0)
        append(line, " ");
}

static void describe(char *line, const struct capture *capture, double seconds,
                     const struct segment *segment, const struct option_layout *layout)
{
    bool back = segment->source_port != capture->first.source_port;
    uint32_t ack = segment->flags & SEGMENT_ACK ? segment->ack - capture->isn[!back] : 0;

    line[0] = '\0';
    append(line, "%8.3f ", seconds);
    append_endpoint(line, &segment->source, segment->source_port);
    append(line, " > ");
    append_endpoint(line, &segment->destination, segment->destination_port);
    append(line, " ");
    append_flags(line, segment->flags);
    append(line, " seq=%u ack=%u win=%u ", segment->seq - capture->isn[back], ack, segment->window);
    append(line, "%slen=%u ", segment->source.family == 4 ? "DF " : "", segment->data_size);
    append_options(line, &segment->options, layout);
    if (segment->flags & SEGMENT_SYN) {
        append(line, "raw=");
        append_hex(line, layout->bytes, layout->header_size);
        append(line, " ");
    }
    if (segment->data_size > 0)
        append(line, "data=b'%.*s'", (int)segment->data_size, (const char *)segment->data);
}

/* ---- captures -------------------------------------------------------------------------------- */

/* The next line, without its end. */
static bool read_line(FILE *text, char line[LINE_SIZE])
{
    if (fgets(line, LINE_SIZE, text) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

static void capture_open(struct capture *capture, const char *name)
{
    char error[PCAP_ERRBUF_SIZE], path[120];

    *capture = (struct capture){ .start = -1 };
    snprintf(path, sizeof path, "tests/%s", name);
    snprintf(capture->name, sizeof capture->name, "%s", name);
    capture->pcap = pcap_open_offline(path, error);
    if (capture->pcap == NULL)
        fail_msg("%s", error);
    capture->link_size = pcap_datalink(capture->pcap) == DLT_EN10MB ? ETHERNET_HEADER_SIZE : 0;
}

static void check_packet(struct capture *capture, const char *expected)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    struct segment segment;
    struct option_layout layout;
    char line[LINE_SIZE];
    uint8_t packet_bytes[2000], again[2000];

    assert_int_equal(pcap_next_ex(capture->pcap, &header, &bytes), 1);
    assert_int_equal(header->caplen, header->len);
    assert_in_range(header->caplen, capture->link_size, sizeof packet_bytes);
    struct tcpct_packet packet = { .data = packet_bytes,
                                   .length = header->caplen - capture->link_size };
    struct tcpct_packet encoded = { .data = again, .size = sizeof again };
    memcpy(packet_bytes, bytes + capture->link_size, packet.length);
    assert_int_equal(segment_decode(&segment, &packet, &layout), SEGMENT_OK);
    assert_int_equal(segment.options.ignored, 0);

    double seconds = (double)header->ts.tv_sec + (double)header->ts.tv_usec / 1e6;
    if (capture->start < 0) {
        capture->start = seconds;
        capture->first = segment;
    }
    if (segment.flags & SEGMENT_SYN)
        capture->isn[segment.source_port != capture->first.source_port] = segment.seq;
    describe(line, capture, seconds - capture->start, &segment, &layout);
    assert_string_equal(line, expected);

    assert_true(segment_encode_layout(&segment, &layout, &encoded, false));
    assert_int_equal(encoded.length, segment.packet_size);
    assert_memory_equal(encoded.data, packet.data, encoded.length);
}

static void capture_close(struct capture *capture)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;

    if (capture->pcap == NULL)
        return;
    assert_int_equal(pcap_next_ex(capture->pcap, &header, &bytes), PCAP_ERROR_BREAK);
    pcap_close(capture->pcap);
    capture->pcap = NULL;
}

static void captures_are_what_they_are_said_to_be(void **state)
{
    (void)state;
    FILE *text = fopen("tests/pcaps/DECODE.txt", "r");
    struct capture capture = { 0 };
    char line[LINE_SIZE], name[64];
    unsigned captures = 0;

    if (text == NULL)
        fail_msg("tests/pcaps/DECODE.txt is missing: run this in the repository's top folder");
    while (read_line(text, line))
        if (sscanf(line, "### %63s", name) == 1) {
            capture_close(&capture);
            capture_open(&capture, name);
            captures++;
        } else {
            check_packet(&capture, line);
        }
    capture_close(&capture);
    fclose(text);
    assert_int_equal(captures, CAPTURES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_are_what_they_are_said_to_be),
    };
    return cmocka_run_group_tests_name("captures", tests, NULL, NULL);
}
