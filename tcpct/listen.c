#include "listen.h"

#include "demux.h"
#include "fastopen.h"
#include "reply.h"
#include "seq.h"

enum { AMPLIFICATION_MAX = 3, TIMESTAMP_ROUNDED = 1 << ISN_TIMESTAMP_BITS };

bool listen_uses_cookies(const struct tcpct_listener *listener)
{
    const struct tcpct_parameters *parameters = &listener->options.parameters;
    return parameters->cookie_desired && !parameters->out_never;
}

/* A Cookie is taken if this listener wants cookies, the peer has Timestamps, which must be
 * supported (3), and no MD5 option forbids it (8.4). */
bool listen_wants_cookie(const struct tcpct_listener *listener, const struct segment *syn)
{
    const struct tcp_options *options = &syn->options;
    return listen_uses_cookies(listener) && (options->present & OPTION_COOKIE) &&
           (options->present & OPTION_TIMESTAMPS) &&
           !(options->present & (OPTION_MD5 | OPTION_AUTHENTICATION));
}

static uint32_t stateless_timestamp(const struct tcpct_stack *stack,
                                    const struct cookie_endpoints *endpoints, uint64_t now_us)
{
    return (uint32_t)(now_us / TIMESTAMP_TICK_US) + timestamp_offset(&stack->isn_keys, endpoints);
}

bool listen_echo_is_recent(const struct tcpct_stack *stack, const struct segment *segment,
                           uint64_t now_us)
{
    struct endpoints endpoints = demux_endpoints(segment);
    struct cookie_endpoints parties = endpoints_for_cookie(&endpoints);
    uint32_t age = stateless_timestamp(stack, &parties, now_us) + TIMESTAMP_ROUNDED -
                   segment->options.timestamp_echo;
    return segment->options.present & OPTION_TIMESTAMPS &&
           age <= 2 * (uint32_t)(ISN_PERIOD_US / TIMESTAMP_TICK_US);
}

/* ECN-setup (RFC 3168, 6.1.1); agreed only if the timestamp can carry that it was. */
static bool wants_ecn(const struct segment *syn)
{
    const uint8_t setup = SEGMENT_ECE | SEGMENT_CWR;
    return (syn->flags & setup) == setup && syn->options.present & OPTION_TIMESTAMPS;
}

/* Options are sent only after the corresponding option was received (2.2). */
static void answer_options(const struct tcpct_stack *stack, const struct segment *syn,
                           uint32_t timestamp, struct tcp_options *options)
{
    const struct tcp_options *from = &syn->options;
    bool scaling = from->present & OPTION_WINDOW_SCALE;
    options->present |= OPTION_MSS;
    options->mss = stack_mss(stack, &syn->source);
    if (!(from->present & OPTION_TIMESTAMPS)) /* nothing would bring the others back */
        return;
    options->present |= from->present & (OPTION_SACK_PERMITTED | OPTION_WINDOW_SCALE);
    options->window_scale = stack->rcv_scale;
    struct isn_options carried = {
        .window_scale = scaling ? (uint8_t)min_u32(from->window_scale, WINDOW_SCALE_MAX)
                                : (uint8_t)ISN_NO_WINDOW_SCALE,
        .sack_permitted = from->present & OPTION_SACK_PERMITTED,
        .ecn = wants_ecn(syn),
    };
    options->present |= OPTION_TIMESTAMPS;
    options->timestamp_size = 4;
    options->timestamp_value = timestamp_with_options(timestamp, &carried);
    options->timestamp_echo = from->timestamp_value;
}

static void answer_cookie(const struct tcpct_stack *stack, const struct segment *syn,
                          const struct cookie_endpoints *endpoints, struct segment *answer)
{
    struct tcp_options *options = &answer->options;
    struct cookie_numbers numbers = {
        .seq = answer->seq + 1,
        .ack = syn->seq + 1,
        .timestamp = options->timestamp_value,
        .size = syn->options.cookie_size,
        .initiator_cookie = syn->options.initiator_cookie,
    };
    options->present |= OPTION_COOKIE;
    options->cookie_size = numbers.size;
    cookie_generate(&stack->secrets, endpoints, &numbers, options->initiator_cookie);
}

/* The room for data in the <SYN,ACK(SYN)>: section 12's limit, 1280 bytes of IP, the peer's MSS,
 * and three times what came, counted in whole datagrams, against amplification (6.2). */
static size_t answer_room(const struct tcpct_listener *listener, const struct segment *syn,
                          const struct segment *answer, size_t reply_size)
{
    size_t headers = segment_header_size(answer);
    size_t fixed = ip_header_size(&syn->source) + TCP_HEADER_SIZE;
    size_t mss = mss_of(&syn->options, &syn->source);
    size_t whole = mss + fixed;
    if (whole > TCPCT_REPLY_SIZE)
        whole = TCPCT_REPLY_SIZE;
    if (whole > reply_size)
        whole = reply_size;
    if (whole > (size_t)AMPLIFICATION_MAX * syn->packet_size)
        whole = (size_t)AMPLIFICATION_MAX * syn->packet_size;
    size_t room = whole > headers ? whole - headers : 0;
    size_t limit = listener->options.parameters.syn_ack_data_limit;
    return room < limit ? room : limit;
}

/* The application's answer. If it is whole, the request is accepted (6.2). */
static bool answer_data(const struct tcpct_listener *listener, const struct segment *syn,
                        struct segment *answer, struct tcpct_packet *reply, uint64_t now_us)
{
    const struct tcpct_request request = {
        .bytes = syn->data,
        .size = syn->data_size,
        .remote = syn->source,
        .remote_port = syn->source_port,
        .now_us = now_us,
    };
    if (!listener->options.answer || syn->data_size == 0)
        return false;
    size_t room = answer_room(listener, syn, answer, reply->size);
    uint8_t *data = reply->data + segment_header_size(answer);
    if (room == 0)
        return false;
    size_t size = listener->options.answer(listener->options.answer_context, &request, data, room);
    if (size > room &&
        listener->options.answers_stable) { /* a first part: not yet accepted (6.3) */
        answer->data_size = (uint32_t)room;
        return true;
    }
    if (size == 0 || size > room)
        return false;
    answer->data_size = (uint32_t)size;
    answer->ack += syn->data_size;
    return true;
}

/* All but Cookie and data. */
static struct segment begin_answer(const struct tcpct_stack *stack, const uint32_t *beside,
                                   const struct segment *syn, uint32_t isn, uint64_t now_us)
{
    struct endpoints endpoints = demux_endpoints(syn);
    struct cookie_endpoints parties = endpoints_for_cookie(&endpoints);
    struct segment answer = reply_to(stack, syn);
    answer.flags = SEGMENT_SYN | SEGMENT_ACK;
    if (wants_ecn(syn))
        answer.flags |= SEGMENT_ECE;
    answer.seq = isn;
    answer.ack = syn->seq + 1;
    answer.window = (uint16_t)min_u32(stack->config.receive_buffer_max, UINT16_MAX);
    uint32_t timestamp = stateless_timestamp(stack, &parties, now_us);
    if (beside) /* 4.2: above all of the TCB's, also when it is rounded down */
        timestamp = *beside + TIMESTAMP_ROUNDED;
    answer_options(stack, syn, timestamp, &answer.options);
    return answer;
}

bool listen_simultaneous(struct tcpct_connection *connection, const struct segment *syn,
                         struct tcpct_packet *reply, uint64_t now_us)
{
    const struct tcpct_stack *stack = connection->stack;
    struct cookie_endpoints parties = endpoints_for_cookie(&connection->endpoints);
    struct segment answer = begin_answer(stack, NULL, syn, connection->iss, now_us);
    if (tcb_timestamp(connection, now_us) == connection->syn_timestamp_last)
        connection->timestamp_offset++; /* 4.2: incremented, and whatever follows is not less */
    answer.options.timestamp_value = tcb_timestamp(connection, now_us);
    answer.flags = SEGMENT_SYN | SEGMENT_ACK; /* without ECN, which that does not carry */
    answer_cookie(stack, syn, &parties, &answer);
    return segment_encode(&answer, reply, stack->config.checksum_offload);
}

enum listen_verdict listen_syn(const struct tcpct_stack *stack,
                               const struct tcpct_listener *listener, const uint32_t *beside,
                               const struct segment *syn, struct tcpct_packet *reply,
                               uint64_t now_us)
{
    const struct tcpct_parameters *parameters = &listener->options.parameters;
    struct endpoints endpoints = demux_endpoints(syn);
    struct cookie_endpoints parties = endpoints_for_cookie(&endpoints);
    bool cookie = listen_wants_cookie(listener, syn);
    bool answered = false;

    if (syn->flags & (SEGMENT_FIN | SEGMENT_RST)) /* 6.1; T/TCP is not spoken (8.3) */
        return LISTEN_REFUSED;
    if (!cookie && parameters->in_always)
        return LISTEN_REFUSED;
    uint16_t mss = mss_of(&syn->options, &syn->source);
    uint32_t isn = isn_generate(&stack->isn_keys, &parties, syn->seq, mss, now_us);
    struct segment answer = begin_answer(stack, beside, syn, isn, now_us);
    if (syn->key && listen_uses_cookies(listener) && /* 8.4: in a Cookie's place */
        syn->options.present & OPTION_TIMESTAMPS)
        answer.options.present |= syn->options.present & OPTION_COOKIE_LESS;
    if (!cookie && !syn->key && listener->options.fast_open_queue &&
        syn->options.present & OPTION_FAST_OPEN)
        fastopen_grant(stack, syn, &answer.options);
    if (cookie) {
        answer_cookie(stack, syn, &parties, &answer);
        answered = answer_data(listener, syn, &answer, reply, now_us);
    }
    if (!md5sig_encode(stack->md5sig, &answer, reply, stack->config.checksum_offload))
        return LISTEN_REFUSED;
    if (answered)
        return LISTEN_REPLIED_ANSWER;
    return cookie ? LISTEN_REPLIED_COOKIE : LISTEN_REPLIED_PLAIN;
}
