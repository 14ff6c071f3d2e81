/* dump_events.c - the packets of some connections, kept for a picture. */
#include "tools/dump.h"

#include <stdlib.h>

bool dump_events_take(struct dump_events *events, const struct dump_packet *packet,
                      const struct dump_flow *flow, enum dump_side side)
{
    const struct segment *segment = &packet->segment;
    const struct tcp_options *options = &segment->options;
    unsigned number = dump_flow_number(flow);
    if (number < events->first || number > events->last)
        return true;
    if (events->count == events->room) {
        size_t room = events->room == 0 ? 64 : 2 * events->room;
        struct dump_event *grown = realloc(events->list, room * sizeof *grown);
        if (grown == NULL)
            return false;
        events->list = grown;
        events->room = room;
    }
    struct dump_event *event = &events->list[events->count++];
    *event = (struct dump_event){ .time_us = packet->time_us,
                                  .connection = number,
                                  .side = side,
                                  .flags = segment->flags,
                                  .present = options->present,
                                  .seq = dump_flow_relative(flow, side, segment->seq),
                                  .ack = dump_flow_relative(flow, !side, segment->ack),
                                  .data = segment->data_size,
                                  .notes = dump_flow_state(flow)->notes };
    for (unsigned i = 0; options->present & OPTION_SACK && i < options->sack_count; i++) {
        event->sack[i].start = dump_flow_relative(flow, !side, options->sack[i].start);
        event->sack[i].end = dump_flow_relative(flow, !side, options->sack[i].end);
        event->sack_count = i + 1;
    }
    for (unsigned i = 0; i < 2; i++)
        if (dump_flow_state(flow)->changed[i])
            event->state[i] = dump_state_text(dump_flow_state(flow), i);
    return true;
}

void dump_events_clear(struct dump_events *events)
{
    free(events->list);
    *events = (struct dump_events){ .list = NULL };
}
