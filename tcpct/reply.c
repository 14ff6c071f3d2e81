#include "reply.h"

#include <string.h>

struct segment reply_to(const struct tcpct_stack *stack, const struct segment *segment)
{
    return (struct segment){
        .source = segment->destination,
        .destination = segment->source,
        .source_port = segment->destination_port,
        .destination_port = segment->source_port,
        .hop_limit = stack->config.hop_limit,
        .options.present = segment->key ? OPTION_MD5 : 0,
        .key = segment->key,
    };
}

/* "Copied" (7) so that the reset passes the tests of who gets it: what he echoed to us is our
 * value, what he said is our echo. */
static void copy_options(const struct tcp_options *from, struct tcp_options *to)
{
    if (from->present & (OPTION_TIMESTAMPS | OPTION_TIMESTAMPS_EXTENDED)) {
        bool wide = from->timestamp_size > 4 || from->present & OPTION_COOKIE_PAIR;
        to->present |= wide ? OPTION_TIMESTAMPS_EXTENDED : OPTION_TIMESTAMPS;
        to->timestamp_size = from->timestamp_size;
        to->timestamp_value = from->timestamp_echo;
        to->timestamp_echo = from->timestamp_value;
        memcpy(to->timestamp_value_prefix, from->timestamp_echo_prefix, 12);
        memcpy(to->timestamp_echo_prefix, from->timestamp_value_prefix, 12);
    }
    if (from->present & OPTION_COOKIE_PAIR) {
        to->present |= OPTION_COOKIE_PAIR;
        to->cookie_size = from->cookie_size;
        memcpy(to->initiator_cookie, from->initiator_cookie, from->cookie_size);
        memcpy(to->responder_cookie, from->responder_cookie, from->cookie_size);
    }
}

bool reply_reset(const struct tcpct_stack *stack, const struct segment *segment,
                 struct tcpct_packet *reply)
{
    if (segment->flags & SEGMENT_RST)
        return false;
    struct segment reset = reply_to(stack, segment);
    if (segment->flags & SEGMENT_ACK) {
        reset.seq = segment->ack;
        reset.flags = SEGMENT_RST;
    } else {
        reset.ack = segment->seq + segment_length(segment);
        reset.flags = SEGMENT_RST | SEGMENT_ACK;
    }
    copy_options(&segment->options, &reset.options);
    return md5sig_encode(stack->md5sig, &reset, reply, stack->config.checksum_offload);
}
