/* dump_ladder.c - connections as a ladder: what each end sends is an arrow to the other, time runs
 * downwards.
 *
 * A capture is taken at one end, the client's. Its packets leave when they are seen, and arrive half a round
 * trip later; the server's have left half a round trip before. Time is to scale as long as nothing
 * stands too close for its label, and long pauses are cut short; runs of data, or of acknowledgments, are one
 * arrow with a number.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/dump.h"
#include "tools/svg.h"

enum {
    WIDTH = 980,
    LEFT = 390, /* where the client's line is; the server's is as far from the right */
    TOP = 64,
    LINE = 15,         /* between labels of one end */
    ROUND_TRIP = 110,  /* pixels, to scale */
    PAUSE = 70,        /* the most that nothing takes */
    RUN_MIN = 3,       /* packets that become one arrow */
    ARROWS_MAX = 2000, /* of a picture */
};

enum colour { BLUE, ORANGE, GREEN, PURPLE, GOLD, RED, TEAL, GREY };

struct arrow {
    const struct dump_event *event, *last; /* of a run; else the same */
    unsigned packets;
    int64_t sent_us, arrived_us;
    double from, to; /* pixels */
};

struct ladder {
    FILE *out;
    int64_t half_us; /* a round trip */
    struct arrow *arrows;
    size_t count;
};

/* Half of the shortest time between a packet of the client's and its acknowledgment. */
static int64_t half_round_trip(const struct dump_events *events)
{
    enum { LOOK_BACK = 64 };
    int64_t least_us = INT64_MAX;
    for (size_t i = 0; i < events->count; i++) {
        const struct dump_event *event = &events->list[i];
        for (size_t k = i; event->side == DUMP_SERVER && k > 0 && i - k < LOOK_BACK; k--) {
            const struct dump_event *before = &events->list[k - 1];
            uint32_t size = before->data + (before->flags & SEGMENT_SYN ? 1 : 0) +
                            (before->flags & SEGMENT_FIN ? 1 : 0);
            if (before->side == DUMP_CLIENT && before->connection == event->connection &&
                size > 0 && before->seq + size == event->ack) {
                if (event->time_us - before->time_us < least_us)
                    least_us = event->time_us - before->time_us;
                break;
            }
        }
    }
    return least_us == INT64_MAX ? 0 : least_us / 2;
}

/* ---- runs ------------------------------------------------------------------------------------- */

static bool is_plain(const struct dump_event *event)
{
    return event->notes == 0 && !(event->present & OPTION_COOKIE_PAIR) &&
           !(event->flags & (SEGMENT_SYN | SEGMENT_FIN | SEGMENT_RST)) && !event->state[0] &&
           !event->state[1] && event->sack_count == 0;
}

static bool follows(const struct dump_event *event, const struct dump_event *next)
{
    return next->connection == event->connection && next->side == event->side && is_plain(next) &&
           (event->data > 0) == (next->data > 0) && next->seq == event->seq + event->data;
}

/* How many events from `i` on are one arrow. */
static size_t run_length(const struct dump_events *events, size_t i)
{
    size_t length = 1;
    if (!is_plain(&events->list[i]))
        return 1;
    while (i + length < events->count &&
           follows(&events->list[i + length - 1], &events->list[i + length]))
        length++;
    return length < RUN_MIN ? 1 : length;
}

static void make_arrows(struct ladder *ladder, const struct dump_events *events)
{
    for (size_t i = 0; i < events->count && ladder->count < ARROWS_MAX;) {
        size_t length = run_length(events, i);
        struct arrow *arrow = &ladder->arrows[ladder->count++];
        *arrow = (struct arrow){ .event = &events->list[i],
                                 .last = &events->list[i + length - 1],
                                 .packets = (unsigned)length };
        bool client = arrow->event->side == DUMP_CLIENT;
        arrow->sent_us = arrow->event->time_us - (client ? 0 : ladder->half_us);
        arrow->arrived_us = arrow->last->time_us + (client ? ladder->half_us : 0);
        i += length;
    }
}

/* ---- where things stand ----------------------------------------------------------------------- */

/* The beginning or the end of an arrow. */
struct point {
    int64_t time_us;
    double *place;
    enum dump_side at;
    bool labelled;
};

static int compare_points(const void *one, const void *other)
{
    const struct point *a = one, *b = other;
    if (a->time_us != b->time_us)
        return a->time_us < b->time_us ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Gives every point its place, and returns the lowest; 0: no memory. */
static double place(struct ladder *ladder)
{
    struct point *points = calloc(2 * ladder->count + 1, sizeof *points);
    double scale = ladder->half_us > 0 ? ROUND_TRIP / 2.0 / (double)ladder->half_us : 0.001;
    double at = TOP, last[2] = { TOP - LINE, TOP - LINE };
    if (points == NULL)
        return 0;
    for (size_t i = 0; i < ladder->count; i++) {
        struct arrow *arrow = &ladder->arrows[i];
        enum dump_side side = arrow->event->side;
        points[2 * i] = (struct point){ arrow->sent_us, &arrow->from, side, true };
        points[2 * i + 1] = (struct point){ arrow->arrived_us, &arrow->to, !side,
                                            arrow->last->state[!side] != NULL };
    }
    qsort(points, 2 * ladder->count, sizeof *points, compare_points);
    for (size_t i = 0; i < 2 * ladder->count; i++) {
        struct point *point = &points[i];
        double pause = i == 0 ? 0 : (double)(point->time_us - points[i - 1].time_us) * scale;
        at += pause < PAUSE ? pause : PAUSE;
        if (point->labelled && at < last[point->at] + LINE)
            at = last[point->at] + LINE;
        if (point->labelled)
            last[point->at] = at;
        *point->place = at;
    }
    free(points);
    return at;
}

/* ---- what is drawn ---------------------------------------------------------------------------- */

static enum colour colour_of(const struct dump_event *event)
{
    if (event->notes & (1u << DUMP_NOTE_OPENING | 1u << DUMP_NOTE_RESTART))
        return GREEN;
    if (event->notes & ~(1u << DUMP_NOTE_ADVISORY | 1u << DUMP_NOTE_BARE_RESET))
        return ORANGE;
    if (event->flags & SEGMENT_RST)
        return RED;
    if (event->flags & SEGMENT_SYN)
        return BLUE;
    if (event->flags & SEGMENT_FIN)
        return PURPLE;
    return event->data > 0 ? TEAL : GREY;
}

/* The RFC's names: "<SYN,ACK(SYN)> Cookie, 200 bytes". */
static void name_segment(FILE *out, const struct arrow *arrow)
{
    const struct dump_event *event = arrow->event;
    bool ack = event->flags & SEGMENT_ACK, named = true;
    if (event->flags & SEGMENT_SYN)
        fprintf(out, "<SYN%s%s>", ack ? ",ACK(SYN)" : "", event->flags & SEGMENT_FIN ? ",FIN" : "");
    else if (event->notes & (1u << DUMP_NOTE_OPENING | 1u << DUMP_NOTE_RESTART))
        fprintf(out, "<ACK(SYN)%s>", event->flags & SEGMENT_FIN ? ",FIN" : "");
    else if (event->flags & SEGMENT_RST)
        fprintf(out, "<RST>");
    else if (event->flags & SEGMENT_FIN)
        fprintf(out, "<FIN>");
    else if (event->data == 0 && arrow->packets > 1)
        fprintf(out, "%u × <ACK>", arrow->packets);
    else if (event->data == 0)
        fprintf(out, "<ACK>");
    else
        named = false;
    if (event->present & OPTION_COOKIE)
        fputs(" Cookie", out);
    if (event->present & OPTION_COOKIE_LESS)
        fputs(" Cookie-less", out);
    if (event->present & OPTION_COOKIE_PAIR)
        fputs(named ? " Cookie-Pair" : "Cookie-Pair", out);
    named = named || event->present & OPTION_COOKIE_PAIR;
    uint32_t end = arrow->last->seq + arrow->last->data, syn = event->flags & SEGMENT_SYN ? 1 : 0;
    if (event->data > 0 && arrow->packets > 1)
        fprintf(out, "%u segments, ", arrow->packets);
    if (event->data > 0)
        fprintf(out, "%sdata %" PRIu32 ":%" PRIu32, named ? ", " : "", event->seq + syn, end + syn);
    else if (!syn && !(event->flags & SEGMENT_RST))
        fprintf(out, " %" PRIu32, arrow->last->ack);
    for (unsigned i = 0; i < event->sack_count; i++)
        fprintf(out, ", SACK %" PRIu32 ":%" PRIu32, event->sack[i].start, event->sack[i].end);
    for (unsigned i = 0; i < DUMP_NOTES; i++)
        if (i != DUMP_NOTE_OPENING && i != DUMP_NOTE_RESTART && event->notes & 1u << i)
            fprintf(out, " (%s)", dump_note_text(i));
}

static double line_of(enum dump_side side)
{
    return side == DUMP_CLIENT ? LEFT : WIDTH - LEFT;
}

/* Beside the line of an end, on its outer side. */
static void beside(const struct ladder *ladder, enum dump_side side, double y, const char *classes,
                   const char *text)
{
    svg_text(ladder->out, line_of(side) + (side == DUMP_CLIENT ? -8 : 8), y + 4,
             side == DUMP_CLIENT ? SVG_END : SVG_START, classes, text);
}

static void label(const struct ladder *ladder, const struct arrow *arrow)
{
    enum dump_side side = arrow->event->side;
    char *text = NULL;
    size_t size;
    FILE *words = open_memstream(&text, &size);
    if (words == NULL)
        return;
    name_segment(words, arrow);
    if (arrow->last->state[side] != NULL)
        fprintf(words, " → %s", arrow->last->state[side]);
    if (fclose(words) == 0)
        beside(ladder, side, arrow->from, "small", text);
    free(text);
}

static void draw_arrow(const struct ladder *ladder, const struct arrow *arrow)
{
    enum dump_side side = arrow->event->side;
    enum colour colour = colour_of(arrow->event);
    double from = line_of(side), to = line_of(!side), way = to > from ? 1 : -1;
    fprintf(ladder->out,
            "<path d=\"M%.1f %.1fL%.1f %.1f\" class=\"line s%u\"%s/>\n"
            "<path d=\"M%.1f %.1fl%.1f -4v8z\" class=\"s%u\"/>\n",
            from, arrow->from, to, arrow->to, colour,
            arrow->packets > 1 ? " style=\"stroke-width:5\"" : "", to, arrow->to, -9 * way, colour);
    label(ladder, arrow);
    if (arrow->last->state[!side] != NULL)
        beside(ladder, !side, arrow->to, "small", arrow->last->state[!side]);
}

/* Above the first arrow of each connection. */
static void draw_times(const struct ladder *ladder, const struct dump_events *events,
                       const struct dump_summary *summaries)
{
    unsigned connection = 0;
    int64_t start_us = events->list[0].time_us;
    for (size_t i = 0; i < ladder->count; i++) {
        const struct arrow *arrow = &ladder->arrows[i];
        char text[96];
        const struct dump_summary *summary = &summaries[arrow->event->connection - events->first];
        bool begins = arrow->event->connection != connection;
        connection = arrow->event->connection;
        if (begins) {
            if (summary->answered_us >= 0)
                snprintf(text, sizeof text, "%s: %u round trip%s, %.1f ms",
                         dump_mode_text(summary->mode), summary->round_trips,
                         summary->round_trips == 1 ? "" : "s", (double)summary->answered_us / 1e3);
            else
                snprintf(text, sizeof text, "%s", dump_mode_text(summary->mode));
            svg_text(ladder->out, WIDTH / 2.0, arrow->from - 4, SVG_MIDDLE, "small title", text);
        }
        if (arrow->event->side == DUMP_CLIENT || i == 0) {
            snprintf(text, sizeof text, "%.1f ms",
                     (double)(arrow->event->time_us - start_us) / 1e3);
            svg_text(ladder->out, 8, arrow->from + 4, SVG_START, "small", text);
        }
    }
}

void dump_ladder(FILE *out, const struct dump_events *events, const struct dump_summary *summaries)
{
    char address[2][48], title[160];
    const struct dump_summary *first = summaries;
    struct ladder ladder = { .out = out };
    ladder.half_us = half_round_trip(events);
    ladder.arrows =
        calloc(events->count < ARROWS_MAX ? events->count : ARROWS_MAX, sizeof *ladder.arrows);
    if (ladder.arrows == NULL)
        return;
    make_arrows(&ladder, events);
    double bottom = place(&ladder) + 2 * LINE;
    address_text(&first->address[0], address[0], sizeof address[0]);
    address_text(&first->address[1], address[1], sizeof address[1]);
    snprintf(title, sizeof title, "%s port %u to %s port %u", address[0], first->port[0],
             address[1], first->port[1]);
    svg_begin(out, WIDTH, bottom + LINE, title);
    for (unsigned side = 0; side < 2; side++) {
        svg_line(out, line_of(side), TOP - 12, line_of(side), bottom, "axis");
        snprintf(title, sizeof title, "%s port %u", address[side], first->port[side]);
        svg_text(out, line_of(side), 20, SVG_MIDDLE, "title",
                 side == DUMP_CLIENT ? "Initiator" : "Responder");
        svg_text(out, line_of(side), 36, SVG_MIDDLE, "small", title);
    }
    for (size_t i = 0; i < ladder.count; i++)
        draw_arrow(&ladder, &ladder.arrows[i]);
    draw_times(&ladder, events, summaries);
    if (ladder.count == ARROWS_MAX)
        svg_text(out, WIDTH / 2.0, bottom, SVG_MIDDLE, "small", "and more, which is left out");
    svg_end(out);
    free(ladder.arrows);
}
