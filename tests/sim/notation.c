#include "tests/sim/notation.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char flag_letters[] = "FSRP.UEW"; /* in the order of enum segment_flag */

struct reader {
    const char *text, *at;
};

static void bad_text(const struct reader *reader)
{
    fail_msg("\"%s\" is no segment from \"%s\" on", reader->text, reader->at);
}

/* Passes over a word or a sign. A word ends where no letter or digit follows. */
static bool word(struct reader *reader, const char *expected)
{
    size_t length = strlen(expected);
    while (*reader->at == ' ')
        reader->at++;
    if (strncmp(reader->at, expected, length) != 0 ||
        (isalnum((unsigned char)expected[0]) && isalnum((unsigned char)reader->at[length])))
        return false;
    reader->at += length;
    return true;
}

static bool number(struct reader *reader, uint32_t *value)
{
    char *end = NULL;
    while (*reader->at == ' ')
        reader->at++;
    if (*reader->at < '0' || *reader->at > '9')
        return false;
    *value = (uint32_t)strtoul(reader->at, &end, 10);
    reader->at = end;
    return true;
}

static uint32_t need_number(struct reader *reader)
{
    uint32_t value = 0;
    if (!number(reader, &value))
        bad_text(reader);
    return value;
}

static void read_timestamps(struct reader *reader, struct notation *notation, uint8_t size,
                            uint32_t bit)
{
    notation->options.present |= bit;
    notation->options.timestamp_size = size;
    notation->has_value = number(reader, &notation->options.timestamp_value);
    if (word(reader, "ecr")) {
        notation->has_echo = true;
        notation->options.timestamp_echo = need_number(reader);
    }
}

static void read_sack(struct reader *reader, struct tcp_options *options)
{
    uint32_t start;
    options->present |= OPTION_SACK;
    while (number(reader, &start)) {
        if (!word(reader, "-") || options->sack_count == SACK_BLOCKS_MAX)
            bad_text(reader);
        options->sack[options->sack_count].start = start;
        options->sack[options->sack_count++].end = need_number(reader);
    }
}

static bool read_timestamp_option(struct reader *reader, struct notation *notation)
{
    if (word(reader, "ts"))
        read_timestamps(reader, notation, 4, OPTION_TIMESTAMPS);
    else if (word(reader, "tsx"))
        read_timestamps(reader, notation, 4, OPTION_TIMESTAMPS_EXTENDED);
    else if (word(reader, "tsx64"))
        read_timestamps(reader, notation, 8, OPTION_TIMESTAMPS_EXTENDED);
    else if (word(reader, "tsx128"))
        read_timestamps(reader, notation, 16, OPTION_TIMESTAMPS_EXTENDED);
    else
        return false;
    return true;
}

static bool read_cookie_option(struct reader *reader, struct notation *notation)
{
    uint32_t *present = &notation->options.present;
    if (word(reader, "cookie"))
        *present |= OPTION_COOKIE;
    else if (word(reader, "mirror")) {
        *present |= OPTION_COOKIE;
        notation->mirror = true;
    } else if (word(reader, "pair"))
        *present |= OPTION_COOKIE_PAIR;
    else if (word(reader, "badpair")) {
        *present |= OPTION_COOKIE_PAIR;
        notation->bad_pair = true;
    } else if (word(reader, "badvalue"))
        notation->bad_value = true;
    else if (word(reader, "badecho"))
        notation->bad_echo = true;
    else if (word(reader, "cookieless"))
        *present |= OPTION_COOKIE_LESS;
    else
        return false;
    return true;
}

static void read_option(struct reader *reader, struct notation *notation)
{
    struct tcp_options *options = &notation->options;
    if (word(reader, "mss")) {
        options->present |= OPTION_MSS;
        options->mss = (uint16_t)need_number(reader);
    } else if (word(reader, "wscale")) {
        options->present |= OPTION_WINDOW_SCALE;
        options->window_scale = (uint8_t)need_number(reader);
    } else if (word(reader, "sackOK")) {
        options->present |= OPTION_SACK_PERMITTED;
    } else if (word(reader, "sack")) {
        read_sack(reader, options);
    } else if (word(reader, "uto")) {
        options->present |= OPTION_USER_TIMEOUT;
        options->user_timeout = (uint16_t)need_number(reader);
    } else if (word(reader, "tfo")) {
        options->present |= OPTION_FAST_OPEN;
    } else if (word(reader, "md5")) {
        options->present |= OPTION_MD5;
    } else if (word(reader, "badmd5")) {
        options->present |= OPTION_MD5;
        notation->bad_md5 = true;
    } else if (word(reader, "*")) {
        notation->others = true;
    } else if (!read_timestamp_option(reader, notation) && !read_cookie_option(reader, notation)) {
        bad_text(reader);
    }
}

struct notation notation_parse(const char *text)
{
    struct notation notation = { 0 };
    struct reader reader = { text, text };
    for (const char *letter; *reader.at && *reader.at != ' '; reader.at++) {
        letter = strchr(flag_letters, *reader.at);
        if (!letter)
            bad_text(&reader);
        notation.flags |= (uint8_t)(1 << (letter - flag_letters));
    }
    notation.seq = need_number(&reader);
    if (word(&reader, "+"))
        notation.data_size = need_number(&reader);
    if (word(&reader, "ack")) {
        notation.has_ack = true;
        notation.ack = need_number(&reader);
    }
    if (word(&reader, "win")) {
        notation.has_window = true;
        notation.window = (uint16_t)need_number(&reader);
    }
    if (word(&reader, "urg"))
        notation.urgent = (uint16_t)need_number(&reader);
    if (word(&reader, "<")) {
        notation.has_options = true;
        if (!word(&reader, ">"))
            do
                read_option(&reader, &notation);
            while (word(&reader, ","));
    }
    while (*reader.at == '>' || *reader.at == ' ')
        reader.at++;
    if (*reader.at)
        bad_text(&reader);
    return notation;
}

struct writer {
    char *text;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *writer, const char *format,
                                                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length =
        vsnprintf(writer->text + writer->used, writer->size - writer->used, format, arguments);
    va_end(arguments);
    if (length > 0)
        writer->used += (size_t)length;
    if (writer->used >= writer->size)
        writer->used = writer->size - 1;
}

static void put_options(struct writer *writer, const struct tcp_options *options, uint32_t irs)
{
    uint32_t present = options->present;
    put(writer, " <");
    if (present & OPTION_TIMESTAMPS)
        put(writer, "ts %u ecr %u, ", options->timestamp_value, options->timestamp_echo);
    if (present & OPTION_TIMESTAMPS_EXTENDED)
        put(writer, "tsx%u %u ecr %u, ", 8u * options->timestamp_size, options->timestamp_value,
            options->timestamp_echo);
    if (present & OPTION_COOKIE)
        put(writer, "cookie, ");
    if (present & OPTION_COOKIE_PAIR)
        put(writer, "pair, ");
    if (present & OPTION_COOKIE_LESS)
        put(writer, "cookieless, ");
    if (present & OPTION_MSS)
        put(writer, "mss %u, ", options->mss);
    if (present & OPTION_WINDOW_SCALE)
        put(writer, "wscale %u, ", options->window_scale);
    if (present & OPTION_SACK_PERMITTED)
        put(writer, "sackOK, ");
    if (present & OPTION_USER_TIMEOUT)
        put(writer, "uto %u, ", options->user_timeout);
    if (present & OPTION_FAST_OPEN)
        put(writer, "tfo, ");
    if (present & OPTION_MD5)
        put(writer, "md5, ");
    if (present & OPTION_SACK) {
        put(writer, "sack");
        for (unsigned i = 0; i < options->sack_count; i++)
            put(writer, " %u-%u", options->sack[i].start - irs, options->sack[i].end - irs);
        put(writer, ", ");
    }
    if (writer->used > 2 && present)
        writer->used -= 2;
    put(writer, ">");
}

const char *notation_format(const struct segment *segment, uint32_t iss, uint32_t irs, char *text,
                            size_t size)
{
    struct writer writer = { .text = text, .size = size };
    for (unsigned i = 0; i < 8; i++)
        if (segment->flags & 1 << i)
            put(&writer, "%c", flag_letters[i]);
    put(&writer, " %u", segment->seq - iss);
    if (segment->data_size)
        put(&writer, "+%u", segment->data_size);
    if (segment->flags & SEGMENT_ACK)
        put(&writer, " ack %u", segment->ack - irs);
    put(&writer, " win %u", segment->window);
    if (segment->flags & SEGMENT_URG)
        put(&writer, " urg %u", segment->urgent);
    put_options(&writer, &segment->options, irs);
    return text;
}
