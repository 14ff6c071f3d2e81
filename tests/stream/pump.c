/* pump.c - what both transports have in common: the bytes, and when it is over. */
#include <string.h>

#include "tests/stream/stream.h"

struct stream stream;

void pump_finish(const char *end, uint64_t now_us)
{
    if (stream.end != NULL)
        return;
    stream.end = end;
    stream.ended_us = now_us;
}

void pump_finish_failed(ptrdiff_t result, uint64_t now_us)
{
    pump_finish(result == RESET       ? "reset"
                : result == REFUSED   ? "refused"
                : result == TIMED_OUT ? "timeout"
                                      : "failed",
                now_us);
}

/* xorshift64*: what it yields cannot be compressed or guessed from its place. */
static void fill_block(void)
{
    for (size_t i = 0; i < BLOCK_SIZE; i += sizeof stream.seed) {
        stream.seed ^= stream.seed >> 12;
        stream.seed ^= stream.seed << 25;
        stream.seed ^= stream.seed >> 27;
        uint64_t word = stream.seed * UINT64_C(2685821657736338717);
        memcpy(stream.out + i, &word, sizeof word);
    }
}

/* The next bytes to send, at most a block. */
static const uint8_t *next_bytes(size_t *size)
{
    if (stream.out_at == BLOCK_SIZE) {
        if (!stream.no_hash || stream.sent == 0)
            fill_block();
        stream.out_at = 0;
    }
    uint64_t left = stream.to_send - stream.sent, half = stream.to_send / 2;
    if (stream.gap_us > 0 && stream.sent < half)
        left = half - stream.sent;
    *size = BLOCK_SIZE - stream.out_at;
    if (*size > left)
        *size = (size_t)left;
    return stream.out + stream.out_at;
}

static void count_sent(const uint8_t *bytes, size_t size)
{
    if (!stream.no_hash)
        EVP_DigestUpdate(stream.hash_out, bytes, size);
    stream.out_at += size;
    stream.sent += size;
}

const uint8_t *pump_first_bytes(size_t most, size_t *size)
{
    const uint8_t *bytes = next_bytes(size);
    if (*size > most)
        *size = most;
    count_sent(bytes, *size);
    return bytes;
}

bool pump_may_send(void)
{
    return (!stream.after_end && stream.heard >= stream.idle) || stream.end_seen;
}

/* Half is sent, or nothing is to be, and the rest (or the end) waits. */
static bool in_gap(uint64_t now_us)
{
    if (stream.gap_us == 0 || stream.sent != stream.to_send / 2)
        return false;
    if (stream.gap_from_us == 0)
        stream.gap_from_us = now_us;
    return !pump_is_over(stream.gap_from_us, stream.gap_us, now_us);
}

static void pump_out(uint64_t now_us)
{
    if (in_gap(now_us))
        return;
    while (stream.sent < stream.to_send) {
        size_t size;
        const uint8_t *bytes = next_bytes(&size);
        ptrdiff_t taken = stream.transport->send(bytes, size);
        if (taken < 0)
            pump_finish_failed(taken, now_us);
        if (taken <= 0)
            return;
        count_sent(bytes, (size_t)taken);
        if (in_gap(now_us))
            return;
    }
    if (!stream.shut)
        stream.transport->shutdown();
    stream.shut = true;
}

/* A part at a time, so that neither direction starves. */
static void pump_in(uint64_t now_us)
{
    for (int i = 0; i < 8 && !stream.end_seen; i++) {
        ptrdiff_t got = stream.transport->receive(stream.in, sizeof stream.in);
        stream.end_seen = got == ENDED;
        if (got < ENDED)
            pump_finish_failed(got, now_us);
        if (got <= 0)
            return;
        if (!stream.no_hash)
            EVP_DigestUpdate(stream.hash_in, stream.in, (size_t)got);
        stream.received += (uint64_t)got;
    }
}

bool pump_is_over(uint64_t since_us, uint64_t us, uint64_t now_us)
{
    return us > 0 && now_us - since_us >= us;
}

bool pump_is_paused(uint64_t now_us)
{
    return !pump_is_over(stream.connected_us, stream.pause_us, now_us) && stream.pause_us > 0;
}

static void say(const char *what)
{
    puts(what);
    fflush(stdout);
}

void pump_listening(void)
{
    say("ready");
}

void pump_connected(uint64_t now_us)
{
    stream.connected = true;
    stream.connected_us = now_us;
    say("connected");
}

void pump(uint64_t now_us)
{
    if (pump_is_over(stream.started_us, stream.limit_us, now_us))
        pump_finish("limit", now_us);
    if (!stream.connected || stream.end != NULL)
        return;
    if (!pump_is_paused(now_us))
        pump_in(now_us);
    if (stream.end == NULL && pump_may_send())
        pump_out(now_us);
    if ((stream.abort_at > 0 && stream.received >= stream.abort_at) ||
        pump_is_over(stream.connected_us, stream.for_us, now_us)) {
        stream.transport->abort();
        pump_finish("aborted", now_us);
    }
    if (stream.shut && stream.end_seen)
        pump_finish("closed", now_us);
}

uint64_t pump_next_us(uint64_t now_us)
{
    uint64_t next = stream.started_us + stream.limit_us;
    if (stream.connected && stream.for_us > 0 && stream.connected_us + stream.for_us < next)
        next = stream.connected_us + stream.for_us;
    if (stream.connected && pump_is_paused(now_us) && stream.connected_us + stream.pause_us < next)
        next = stream.connected_us + stream.pause_us;
    uint64_t gap_end = stream.gap_from_us + stream.gap_us;
    if (stream.gap_from_us > 0 && now_us < gap_end && gap_end < next)
        next = gap_end;
    return next;
}
