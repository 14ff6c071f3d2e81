#include "tests/sim/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim_log.h"

static struct script *running; /* for script_teardown */
static const char *next_key;   /* of script_use_key */

/* ---- beginning and end --------------------------------------------------------------------- */

static struct tcpct_address address(unsigned family, uint8_t last)
{
    if (family == 6)
        return (struct tcpct_address){ 6, { 0xfd, [15] = last } };
    return (struct tcpct_address){ 4, { 10, 0, 0, last } };
}

/* ---- signatures ---------------------------------------------------------------------------- */

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static struct memory signer_memory = { .allocate = allocate, .release = release };

void script_use_key(const char *key)
{
    next_key = key;
}

static void take_key(struct script *script)
{
    const struct tcpct_address *peer = &script->peer_address;
    if (!next_key)
        return;
    size_t size = strlen(next_key);
    assert_int_equal(tcpct_md5_key_set(script->host.stack, peer, next_key, size), TCPCT_OK);
    assert_int_equal(md5sig_create(&script->md5sig, &signer_memory), TCPCT_OK);
    assert_true(md5sig_set(script->md5sig, peer, next_key, size));
    script->key = md5sig_find(script->md5sig, peer);
    next_key = NULL;
}

static bool signature_is_right(const struct script *script, const struct tcpct_packet *packet)
{
    return !script->key || md5sig_verify(script->md5sig, script->key, packet, &script->last);
}

/* Encodes what the peer sends. */
static void encode(struct script *script, struct segment *segment, bool bad_md5,
                   struct tcpct_packet *packet)
{
    struct md5_key other = { .size = 5, .bytes = "other" };
    if (segment->options.present & OPTION_MD5)
        segment->key = script->md5sig && bad_md5 ? &other : script->key;
    assert_true(md5sig_encode(script->md5sig, segment, packet, false));
}

/* ---- beginning ----------------------------------------------------------------------------- */

static struct script *begin(unsigned family, const struct tcpct_config *given)
{
    assert_null(running);
    struct script *script = calloc(1, sizeof(*script));
    assert_non_null(script);
    running = script;
    script->now_us = 1000000;
    script->log = sim_log_create();
    script->stack_address = address(family, 1);
    script->peer_address = address(family, 2);
    script->cookie_size = COOKIE_SIZE_MAX;
    script->iss = SCRIPT_ISN;
    memcpy(script->cookie, "peer's cookie...", sizeof(script->cookie));
    memcpy(script->prefix, "peer's prefix", sizeof(script->prefix));
    memcpy(script->stack_prefix, "stack's prefix", sizeof(script->stack_prefix));
    script->host.random.state = 7;
    const struct tcpct_config none = { 0 };
    struct tcpct_config config = sim_stack_config(&script->host, given ? given : &none);
    assert_int_equal(tcpct_stack_create(&script->host.stack, &config, script->now_us), TCPCT_OK);
    assert_int_equal(tcpct_address_add(script->host.stack, &script->stack_address), TCPCT_OK);
    take_key(script);
    return script;
}

struct script *script_listen(unsigned family, const struct tcpct_config *config,
                             const struct tcpct_listen_options *given)
{
    struct script *script = begin(family, config);
    struct tcpct_listen_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT };
    if (given)
        options = *given;
    options.port = SIM_PORT;
    script->stack_port = SIM_PORT;
    script->peer_port = 40000;
    script->initiator = true;
    assert_int_equal(tcpct_listen(script->host.stack, &options, &script->listener), TCPCT_OK);
    return script;
}

struct script *script_connect(unsigned family, const struct tcpct_config *config,
                              const struct tcpct_connect_options *given)
{
    struct script *script = begin(family, config);
    struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT };
    if (given)
        options = *given;
    options.remote = script->peer_address;
    options.remote_port = script->peer_port = SIM_PORT;
    if (options.parameters.cookie_desired)
        script->cookie_size = options.parameters.cookie_desired;
    assert_int_equal(
        tcpct_connect(script->host.stack, &options, &script->connection, script->now_us), TCPCT_OK);
    return script;
}

static void destroy(struct script *script)
{
    sim_log_destroy(script->log);
    md5sig_destroy(script->md5sig, &signer_memory);
    free(script);
    running = NULL;
}

void script_end(struct script *script)
{
    sim_check_counters(script->host.stack);
    tcpct_stack_destroy(script->host.stack);
    script->host.stack = NULL;
    assert_int_equal(script->host.memory.blocks, 0);
    destroy(script);
}

int script_teardown(void **state)
{
    (void)state;
    struct script *script = running;
    if (!script)
        return 0;
    sim_log_write(script->log, 1);
    tcpct_stack_destroy(script->host.stack);
    destroy(script);
    return 0;
}

/* ---- what the stack sends ------------------------------------------------------------------ */

static void enqueue(struct script *script, const struct tcpct_packet *packet)
{
    assert_true(script->queue_count < SCRIPT_QUEUE);
    struct script_packet *to =
        &script->queue[(script->queue_first + script->queue_count++) % SCRIPT_QUEUE];
    assert_true(packet->length <= sizeof(to->bytes));
    to->at_us = script->now_us;
    to->length = packet->length;
    memcpy(to->bytes, packet->data, packet->length);
    sim_log_packet(script->log, 0, packet, script->now_us);
}

static void collect(struct script *script)
{
    static uint8_t bytes[TCPCT_PACKET_SIZE];
    tcpct_tick(script->host.stack, script->now_us);
    for (;;) {
        struct tcpct_packet packet = { .data = bytes, .size = sizeof(bytes) };
        if (!tcpct_output(script->host.stack, &packet, script->now_us))
            break;
        enqueue(script, &packet);
    }
}

void script_wait(struct script *script, uint64_t duration_us)
{
    uint64_t end_us = script->now_us + duration_us;
    collect(script);
    for (;;) {
        uint64_t next_us = tcpct_deadline(script->host.stack);
        if (next_us > end_us)
            break;
        assert_true(next_us > script->now_us); /* otherwise it would never come to rest */
        script->now_us = next_us;
        collect(script);
    }
    script->now_us = end_us;
    collect(script);
}

static bool take(struct script *script)
{
    collect(script);
    if (script->queue_count == 0)
        return false;
    struct script_packet *from = &script->queue[script->queue_first];
    script->queue_first = (script->queue_first + 1) % SCRIPT_QUEUE;
    script->queue_count--;
    memcpy(script->last_bytes, from->bytes, from->length);
    script->last_us = from->at_us;
    struct tcpct_packet packet = { .data = script->last_bytes,
                                   .length = from->length,
                                   .size = sizeof(script->last_bytes) };
    assert_int_equal(segment_decode(&script->last, &packet, NULL), SEGMENT_OK);
    assert_true(signature_is_right(script, &packet));
    return true;
}

static void learn(struct script *script)
{
    const struct segment *last = &script->last;
    const struct tcp_options *options = &last->options;
    if (last->flags & SEGMENT_SYN) {
        script->irs = last->seq;
        script->next = 0;
        script->stack_port = last->source_port;
        if (options->present & OPTION_COOKIE)
            memcpy(script->stack_cookie, options->initiator_cookie, options->cookie_size);
    }
    if (options->timestamp_size && !(last->flags & SEGMENT_RST))
        script->stack_timestamp = options->timestamp_value;
    if (options->timestamp_size > 4 && !script->initiator && options->present & OPTION_MSS) {
        memcpy(script->stack_prefix, options->timestamp_value_prefix, 12);
        memcpy(script->prefix, options->timestamp_echo_prefix, 12);
    }
    uint32_t end = last->seq - script->irs + segment_length(last);
    if ((int32_t)(end - script->next) > 0)
        script->next = end;
}

/* ---- comparing ----------------------------------------------------------------------------- */

static const uint8_t *initiator_cookie(const struct script *script)
{
    return script->initiator ? script->cookie : script->stack_cookie;
}

static const uint8_t *responder_cookie(const struct script *script)
{
    return script->initiator ? script->stack_cookie : script->cookie;
}

/* Whether the larger timestamps that came have the prefixes that the Initiator chose; if that is the
 * stack, whatever its opening has. */
static bool same_prefixes(const struct script *script)
{
    const struct tcp_options *got = &script->last.options;
    size_t size = got->timestamp_size - 4u;
    if (!script->initiator && got->present & OPTION_MSS)
        return true;
    return memcmp(got->timestamp_value_prefix + 12 - size, script->stack_prefix + 12 - size,
                  size) == 0 &&
           memcmp(got->timestamp_echo_prefix + 12 - size, script->prefix + 12 - size, size) == 0;
}

static bool same_options(const struct script *script, const struct notation *wanted)
{
    const struct tcp_options *got = &script->last.options, *want = &wanted->options;
    uint32_t both = got->present & want->present;
    if (both != want->present || (!wanted->others && got->present != want->present))
        return false;
    if (((both & OPTION_MSS) && got->mss != want->mss) ||
        ((both & OPTION_WINDOW_SCALE) && got->window_scale != want->window_scale) ||
        ((both & OPTION_USER_TIMEOUT) && got->user_timeout != want->user_timeout) ||
        (want->timestamp_size && got->timestamp_size != want->timestamp_size) ||
        (wanted->has_value && got->timestamp_value != want->timestamp_value) ||
        (wanted->has_echo && got->timestamp_echo != want->timestamp_echo))
        return false;
    if (want->timestamp_size > 4 && !same_prefixes(script))
        return false;
    if (both & OPTION_COOKIE && got->cookie_size != script->cookie_size)
        return false;
    if (both & OPTION_COOKIE_PAIR &&
        (got->cookie_size != script->cookie_size ||
         memcmp(got->initiator_cookie, initiator_cookie(script), got->cookie_size) != 0 ||
         memcmp(got->responder_cookie, responder_cookie(script), got->cookie_size) != 0))
        return false;
    if (both & OPTION_SACK) {
        if (got->sack_count != want->sack_count)
            return false;
        for (unsigned i = 0; i < want->sack_count; i++)
            if (got->sack[i].start - script->iss != want->sack[i].start ||
                got->sack[i].end - script->iss != want->sack[i].end)
                return false;
    }
    return true;
}

static bool same_data(const struct script *script, const void *data, size_t size)
{
    const struct segment *got = &script->last;
    if (data)
        return got->data_size == size && memcmp(got->data, data, size) == 0;
    uint32_t offset = got->seq - script->irs - !(got->flags & SEGMENT_SYN);
    for (uint32_t i = 0; i < got->data_size; i++)
        if (got->data[i] != script_byte(offset + i))
            return false;
    return true;
}

static bool as_wanted(const struct script *script, const struct notation *wanted)
{
    const struct segment *got = &script->last;
    uint32_t ack = got->flags & SEGMENT_ACK ? got->ack - script->iss : 0;
    const uint8_t unimportant = SEGMENT_PSH;
    return (got->flags & ~unimportant) == (wanted->flags & ~unimportant) &&
           (!(wanted->flags & SEGMENT_PSH) || (got->flags & SEGMENT_PSH)) &&
           got->seq - script->irs == wanted->seq && got->data_size == wanted->data_size &&
           (!wanted->has_ack || ack == wanted->ack) &&
           (!wanted->has_window || got->window == wanted->window) &&
           wanted->urgent == (got->flags & SEGMENT_URG ? got->urgent : 0) &&
           (!wanted->has_options || same_options(script, wanted));
}

void expect_at(struct script *script, const char *text, const void *data, size_t size,
               const char *file, int line)
{
    struct notation wanted = notation_parse(text);
    char got[512];
    if (data)
        wanted.data_size = (uint32_t)size;
    if (!take(script)) {
        print_error("expected %s\n but nothing was sent\n", text);
        _fail(file, line);
    }
    if (script->last.flags & SEGMENT_SYN)
        learn(script);
    if (!as_wanted(script, &wanted)) {
        print_error("expected %s\n but got %s\n", text,
                    notation_format(&script->last, script->irs, script->iss, got, sizeof(got)));
        _fail(file, line);
    }
    if (!same_data(script, data, size)) {
        print_error("wrong data in %s\n", text);
        _fail(file, line);
    }
    learn(script);
}

void expect_nothing_at(struct script *script, const char *file, int line)
{
    char got[512];
    if (!take(script))
        return;
    print_error("expected nothing, got %s\n",
                notation_format(&script->last, script->irs, script->iss, got, sizeof(got)));
    _fail(file, line);
}

/* ---- what the stack gets ------------------------------------------------------------------- */

static void fill_options(const struct script *script, const struct notation *notation,
                         struct tcp_options *options)
{
    *options = notation->options;
    if (options->timestamp_size && !notation->has_echo)
        options->timestamp_echo = script->stack_timestamp;
    memcpy(options->timestamp_value_prefix, script->prefix, 12);
    memcpy(options->timestamp_echo_prefix, script->stack_prefix, 12);
    if (notation->bad_value)
        options->timestamp_value_prefix[11] -= 1;
    if (notation->bad_echo)
        options->timestamp_echo_prefix[11] ^= 1;
    for (unsigned i = 0; i < options->sack_count; i++) {
        options->sack[i].start += script->irs;
        options->sack[i].end += script->irs;
    }
    options->cookie_size = script->cookie_size;
    const uint8_t *first = script->cookie;
    if (notation->mirror)
        first = script->stack_cookie;
    if (options->present & OPTION_COOKIE_PAIR)
        first = initiator_cookie(script);
    memcpy(options->initiator_cookie, first, COOKIE_SIZE_MAX);
    memcpy(options->responder_cookie, responder_cookie(script), COOKIE_SIZE_MAX);
    if (notation->bad_pair)
        options->responder_cookie[5] ^= 1;
}

void inject_data(struct script *script, const char *text, const void *data, size_t size)
{
    struct notation notation = notation_parse(text);
    static uint8_t pattern[65536], bytes[TCPCT_PACKET_SIZE];
    struct segment segment = {
        .source = script->peer_address,
        .destination = script->stack_address,
        .source_port = script->peer_port,
        .destination_port = script->stack_port,
        .seq = script->iss + notation.seq,
        .flags = notation.flags,
        .hop_limit = 64,
        .window = notation.has_window ? notation.window : UINT16_MAX,
        .urgent = notation.urgent,
        .data = data ? data : pattern,
        .data_size = data ? (uint32_t)size : notation.data_size,
    };
    if (notation.flags & SEGMENT_ACK)
        segment.ack = script->irs + (notation.has_ack ? notation.ack : script->next);
    for (uint32_t i = 0; !data && i < notation.data_size; i++)
        pattern[i] = script_byte(notation.seq - !(notation.flags & SEGMENT_SYN) + i);
    fill_options(script, &notation, &segment.options);
    struct tcpct_packet packet = { .data = bytes, .size = sizeof(bytes) };
    encode(script, &segment, notation.bad_md5, &packet);
    sim_log_packet(script->log, 0, &packet, script->now_us);

    uint8_t reply_bytes[TCPCT_REPLY_SIZE];
    struct tcpct_packet reply = { .data = reply_bytes, .size = sizeof(reply_bytes) };
    collect(script);
    script->verdict = tcpct_input(script->host.stack, &packet, &reply, script->now_us);
    if (reply.length)
        enqueue(script, &reply);
}

void inject(struct script *script, const char *text)
{
    inject_data(script, text, NULL, 0);
}

/* ---- the application ----------------------------------------------------------------------- */

uint8_t script_byte(uint32_t offset)
{
    return (uint8_t)(offset * 167 + (offset >> 8) * 13 + 5);
}

void script_send(struct tcpct_connection *connection, uint32_t offset, uint32_t size)
{
    uint8_t bytes[4096];
    while (size) {
        uint32_t part = size < sizeof(bytes) ? size : (uint32_t)sizeof(bytes);
        for (uint32_t i = 0; i < part; i++)
            bytes[i] = script_byte(offset + i);
        assert_int_equal(tcpct_send(connection, bytes, part), part);
        offset += part;
        size -= part;
    }
}

void script_receive(struct tcpct_connection *connection, uint32_t offset, uint32_t size)
{
    uint8_t bytes[4096];
    while (size) {
        ptrdiff_t got =
            tcpct_receive(connection, bytes, size < sizeof(bytes) ? size : sizeof(bytes));
        assert_true(got > 0);
        for (uint32_t i = 0; i < (uint32_t)got; i++)
            assert_int_equal(bytes[i], script_byte(offset + i));
        offset += (uint32_t)got;
        size -= (uint32_t)got;
    }
}

struct tcpct_connection *script_accept(struct script *script)
{
    struct tcpct_connection *connection = tcpct_accept(script->listener);
    assert_non_null(connection);
    return connection;
}

enum tcpct_state script_state(const struct tcpct_connection *connection)
{
    struct tcpct_info info;
    tcpct_connection_info(connection, &info);
    return info.state;
}

struct tcpct_counters script_counters(const struct script *script)
{
    struct tcpct_counters counters;
    tcpct_counters(script->host.stack, &counters);
    return counters;
}
