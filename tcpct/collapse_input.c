/* collapse_input.c - what a segment does to the record of a collapsed connection: see collapse.h. */
#include "close.h"
#include "collapse.h"
#include "reply.h"
#include "seq.h"

static uint8_t rcv_scale(const struct tcpct_stack *stack, const struct collapsed *record)
{
    return record->flags & RECORD_SCALING ? stack->rcv_scale : 0;
}

static enum tcpct_verdict acknowledge(const struct tcpct_stack *stack,
                                      const struct collapsed *record, const struct segment *segment,
                                      struct tcpct_packet *reply, uint64_t now_us)
{
    struct segment answer = reply_to(stack, segment);
    answer.seq = record->snd_nxt;
    answer.ack = record->rcv_nxt;
    answer.flags = SEGMENT_ACK;
    answer.window = record->rcv_wnd;
    answer.traffic_class = record->traffic_class;
    if (record->flags & RECORD_TIMESTAMPS) {
        answer.options.present |= OPTION_TIMESTAMPS;
        answer.options.timestamp_size = 4;
        answer.options.timestamp_value = collapse_timestamp(record, now_us);
        answer.options.timestamp_echo = record->ts_recent;
    }
    return md5sig_encode(stack->md5sig, &answer, reply, stack->config.checksum_offload)
               ? TCPCT_REPLIED
               : TCPCT_UNACCEPTABLE;
}

/* RFC 5961, 3.2, 4.2, 5.2, and 7 for the limit; old duplicates as well. */
static enum tcpct_verdict challenge(struct tcpct_stack *stack, const struct collapsed *record,
                                    const struct segment *segment, struct tcpct_packet *reply,
                                    uint64_t now_us)
{
    return close_may_challenge(stack, now_us) ? acknowledge(stack, record, segment, reply, now_us)
                                              : TCPCT_UNACCEPTABLE;
}

/* The peer is there. A keep-alive stands left of the window; its timestamp is taken by RFC 7323, 4.3,
 * (2), so that TS.Recent is as young as what was heard. */
static void heard(struct tcpct_stack *stack, struct collapsed *record,
                  const struct segment *segment, uint64_t now_us)
{
    if (record->flags & RECORD_TIMESTAMPS && seq_leq(segment->seq, record->rcv_nxt))
        record->ts_recent = segment->options.timestamp_value;
    record->heard_s = time_s(now_us);
    table_touch(collapse_table(stack, segment->source.family), &record->entry);
}

/* RFC 9293, 3.8.4: of no byte, or of one. */
static bool is_keepalive(const struct collapsed *record, const struct segment *segment)
{
    const uint8_t flags = SEGMENT_SYN | SEGMENT_RST | SEGMENT_FIN | SEGMENT_ACK;
    return (segment->flags & flags) == SEGMENT_ACK && segment->seq == record->rcv_nxt - 1 &&
           segment->ack == record->snd_nxt && segment->data_size <= 1;
}

static enum tcpct_verdict take_reset(struct tcpct_stack *stack, struct collapsed *record,
                                     const struct segment *segment, struct tcpct_packet *reply,
                                     uint64_t now_us)
{
    if (segment->seq != record->rcv_nxt) /* RFC 5961, 3.2 */
        return challenge(stack, record, segment, reply, now_us);
    collapse_forget(stack, record, false, "reset", now_us);
    stack->counters.collapsed_reset++;
    return TCPCT_ACCEPTED;
}

/* A window update needs no connection. */
static enum tcpct_verdict take_acknowledgment(struct tcpct_stack *stack, struct collapsed *record,
                                              const struct segment *segment, uint64_t now_us)
{
    if (segment->seq != record->rcv_nxt || segment->ack != record->snd_nxt)
        return TCPCT_ACCEPTED; /* an older one */
    record->snd_wnd = segment->window;
    if (record->snd_max_wnd < segment->window)
        record->snd_max_wnd = segment->window;
    heard(stack, record, segment, now_us);
    return TCPCT_ACCEPTED;
}

static bool timestamp_is_bad(const struct collapsed *record, const struct segment *segment,
                             uint64_t now_us)
{
    uint64_t age_us = (uint64_t)(time_s(now_us) - record->heard_s) * SECOND_US;
    return record->flags & RECORD_TIMESTAMPS && !(segment->flags & SEGMENT_RST) &&
           timestamp_is_old(segment->options.timestamp_value, record->ts_recent, age_us);
}

enum tcpct_verdict collapse_input(struct tcpct_stack *stack, struct collapsed *record,
                                  const struct segment *segment, struct tcpct_packet *reply,
                                  struct tcpct_connection **connection, uint64_t now_us)
{
    const uint32_t timestamps = OPTION_TIMESTAMPS | OPTION_TIMESTAMPS_EXTENDED;
    uint32_t window = (uint32_t)record->rcv_wnd << rcv_scale(stack, record);
    uint32_t max_window = (uint32_t)record->snd_max_wnd << record->snd_scale;
    uint8_t flags = segment->flags;
    *connection = NULL;
    if ((flags & (SEGMENT_SYN | SEGMENT_RST)) == SEGMENT_SYN) /* RFC 5961, 4.2 */
        return challenge(stack, record, segment, reply, now_us);
    if (record->flags & RECORD_TIMESTAMPS && !(flags & SEGMENT_RST) &&
        !(segment->options.present & timestamps))
        return TCPCT_UNACCEPTABLE;                 /* RFC 7323, 3.2 */
    if (timestamp_is_bad(record, segment, now_us)) /* 5.3, R1 */
        return challenge(stack, record, segment, reply, now_us);
    if (!segment_in_window(segment, record->rcv_nxt, window)) {
        if (flags & SEGMENT_RST)
            return TCPCT_UNACCEPTABLE;
        if (!is_keepalive(record, segment))
            return challenge(stack, record, segment, reply, now_us);
        stack->counters.collapsed_keepalives++;
        heard(stack, record, segment, now_us);
        return acknowledge(stack, record, segment, reply, now_us);
    }
    if (flags & SEGMENT_RST)
        return take_reset(stack, record, segment, reply, now_us);
    if (!(flags & SEGMENT_ACK))
        return TCPCT_UNACCEPTABLE;
    if (segment->ack - (record->snd_nxt - max_window) > max_window) /* RFC 5961, 5.2 */
        return challenge(stack, record, segment, reply, now_us);
    if (segment_length(segment) == 0)
        return take_acknowledgment(stack, record, segment, now_us);
    *connection = collapse_revive(stack, record, segment->data_size > 0, now_us);
    if (*connection)
        tcb_event(*connection, TCPCT_EVENT_REVIVED);
    return *connection ? TCPCT_ACCEPTED : TCPCT_NO_RESOURCES;
}
