/* dump_sequence.c - the data of one end against time: each segment as an upright bar from its first byte
 * to its last (sent before: in another colour), the acknowledgments that came back as steps, SACK blocks above
 * them, and what cwnd allowed beyond them.
 *
 * Restarts begin their numbers anew, and so does the picture: one connection only.
 */
#include <stdlib.h>

#include "tools/command.h"
#include "tools/dump.h"
#include "tools/plot.h"
#include "tools/svg.h"

enum { WIDTH = 900, HEIGHT = 560, LEFT = 76, RIGHT = 20, TOP = 44, BOTTOM = 88 };
enum { SENT, AGAIN, SACKED, CWND, ACKNOWLEDGED = 5, COLOURS };

struct frame {
    FILE *out;
    struct plot_axis time, bytes; /* ms since the first packet, bytes */
    int64_t start_us;
};

static double x_of(const struct frame *frame, int64_t time_us)
{
    double ms = (double)(time_us - frame->start_us) / 1e3;
    return LEFT + (WIDTH - LEFT - RIGHT) * plot_axis_place(&frame->time, ms);
}

static double y_of(const struct frame *frame, double bytes)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * plot_axis_place(&frame->bytes, bytes);
}

static void bar(const struct frame *frame, int64_t time_us, uint32_t from, uint32_t to, int colour)
{
    char classes[24];
    double x = x_of(frame, time_us);
    snprintf(classes, sizeof classes, "line s%d", colour);
    svg_line(frame->out, x, y_of(frame, from), x, y_of(frame, to), classes);
}

static void draw_axes(const struct frame *frame)
{
    char text[32];
    for (size_t i = 0; i < frame->time.tick_count; i++) {
        double x =
            LEFT + (WIDTH - LEFT - RIGHT) * plot_axis_place(&frame->time, frame->time.ticks[i]);
        svg_line(frame->out, x, TOP, x, HEIGHT - BOTTOM, "faint");
        svg_text(frame->out, x, HEIGHT - BOTTOM + 18, SVG_MIDDLE, NULL,
                 plot_number(frame->time.ticks[i], text, sizeof text));
    }
    for (size_t i = 0; i < frame->bytes.tick_count; i++) {
        double y = y_of(frame, frame->bytes.ticks[i]);
        svg_line(frame->out, LEFT, y, WIDTH - RIGHT, y, "faint");
        svg_text(frame->out, LEFT - 8, y + 4, SVG_END, NULL,
                 plot_number(frame->bytes.ticks[i], text, sizeof text));
    }
    svg_text(frame->out, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - BOTTOM + 40, SVG_MIDDLE, NULL,
             "time (ms)");
    svg_text_upright(frame->out, 18, (TOP + HEIGHT - BOTTOM) / 2.0, "sequence number (bytes)");
}

static void draw_legend(const struct frame *frame, const bool shown[COLOURS])
{
    static const char *const names[COLOURS] = { [SENT] = "sent",
                                                [AGAIN] = "sent again",
                                                [SACKED] = "SACK",
                                                [CWND] = "acknowledged + cwnd",
                                                [ACKNOWLEDGED] = "acknowledged" };
    double x = LEFT;
    for (int i = 0; i < COLOURS; i++) {
        char classes[24];
        if (names[i] == NULL || !shown[i])
            continue;
        snprintf(classes, sizeof classes, "line s%d", i);
        svg_line(frame->out, x, HEIGHT - 20, x + 20, HEIGHT - 20, classes);
        svg_text(frame->out, x + 26, HEIGHT - 16, SVG_START, NULL, names[i]);
        x += 170;
    }
}

/* Steps: level until the next point, then up. */
static void step(const struct frame *frame, int64_t from_us, double from, int64_t to_us, double to,
                 int colour)
{
    fprintf(frame->out, "<path d=\"M%.1f %.1fH%.1fV%.1f\" class=\"line s%d\"/>\n",
            x_of(frame, from_us), y_of(frame, from), x_of(frame, to_us), y_of(frame, to), colour);
}

static void draw_acknowledgments(const struct frame *frame, const struct dump_events *events,
                                 enum dump_side side, bool shown[COLOURS])
{
    uint32_t acknowledged = 1;
    int64_t since_us = frame->start_us;
    for (size_t i = 0; i < events->count; i++) {
        const struct dump_event *event = &events->list[i];
        if (event->side == side || !(event->flags & SEGMENT_ACK))
            continue;
        step(frame, since_us, acknowledged, event->time_us,
             event->ack > acknowledged ? event->ack : acknowledged, ACKNOWLEDGED);
        if (event->ack > acknowledged)
            acknowledged = event->ack;
        since_us = event->time_us;
        shown[ACKNOWLEDGED] = true;
        for (unsigned k = 0; k < event->sack_count; k++) {
            bar(frame, event->time_us, event->sack[k].start, event->sack[k].end, SACKED);
            shown[SACKED] = true;
        }
    }
}

/* What had been acknowledged by then. */
static uint32_t acknowledged_at(const struct dump_events *events, enum dump_side side,
                                int64_t time_us)
{
    uint32_t acknowledged = 1;
    for (size_t i = 0; i < events->count && events->list[i].time_us <= time_us; i++)
        if (events->list[i].side != side && events->list[i].ack > acknowledged)
            acknowledged = events->list[i].ack;
    return acknowledged;
}

static void draw_cwnd(const struct frame *frame, const struct dump_events *events,
                      enum dump_side side, const struct dump_cwnd *cwnd, size_t count)
{
    int64_t end_us = events->list[events->count - 1].time_us;
    for (size_t i = 0; i < count; i++) {
        const struct dump_cwnd *next = &cwnd[i + 1 < count ? i + 1 : i];
        int64_t until_us = i + 1 < count ? next->time_us : end_us;
        step(frame, cwnd[i].time_us,
             (double)(acknowledged_at(events, side, cwnd[i].time_us) + cwnd[i].bytes), until_us,
             (double)(acknowledged_at(events, side, until_us) + next->bytes), CWND);
    }
}

/* The ends of the axes. */
static void measure(struct frame *frame, const struct dump_events *events, enum dump_side side,
                    const struct dump_cwnd *cwnd, size_t count)
{
    double most = 1, last = (double)(events->list[events->count - 1].time_us - frame->start_us);
    for (size_t i = 0; i < events->count; i++)
        if (events->list[i].side == side && events->list[i].seq + events->list[i].data > most)
            most = events->list[i].seq + events->list[i].data;
    for (size_t i = 0; i < count; i++) {
        double edge = (double)(acknowledged_at(events, side, cwnd[i].time_us) + cwnd[i].bytes);
        if (edge > most && edge < 3 * most)
            most = edge;
    }
    plot_axis_make(&frame->time, 0, last > 0 ? last / 1e3 : 1, false);
    plot_axis_make(&frame->bytes, 0, most, false);
}

void dump_sequence(FILE *out, const struct dump_events *events,
                   const struct dump_summary *summaries, enum dump_side side,
                   const struct dump_cwnd *cwnd, size_t cwnd_count)
{
    char title[160], address[2][48];
    bool shown[COLOURS] = { [SENT] = true, [CWND] = cwnd_count > 0 };
    struct frame frame = { .out = out, .start_us = events->list[0].time_us };
    measure(&frame, events, side, cwnd, cwnd_count);
    snprintf(title, sizeof title, "Data from %s port %u to %s port %u (%s)",
             address_text(&summaries->address[side], address[0], sizeof address[0]),
             summaries->port[side],
             address_text(&summaries->address[!side], address[1], sizeof address[1]),
             summaries->port[!side], dump_mode_text(summaries->mode));
    svg_begin(out, WIDTH, HEIGHT, title);
    svg_text(out, WIDTH / 2.0, 24, SVG_MIDDLE, "title", title);
    draw_axes(&frame);
    draw_cwnd(&frame, events, side, cwnd, cwnd_count);
    draw_acknowledgments(&frame, events, side, shown);
    for (size_t i = 0; i < events->count; i++) {
        const struct dump_event *event = &events->list[i];
        uint32_t syn = event->flags & SEGMENT_SYN ? 1 : 0;
        bool again = event->notes & 1u << DUMP_NOTE_AGAIN;
        if (event->side != side || event->data == 0)
            continue;
        bar(&frame, event->time_us, event->seq + syn, event->seq + syn + event->data,
            again ? AGAIN : SENT);
        shown[AGAIN] |= again;
    }
    draw_legend(&frame, shown);
    svg_end(out);
}
