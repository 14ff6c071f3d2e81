/* dump_state.c - what the segments of a connection say of its two ends, as the capture saw them.
 *
 * A state is inferred from what an end has sent: it has seen a FIN once it acknowledges it. Of a connection
 * with cookies only the Initiator has TIME-WAIT, and a Responder has no TCB before the opening (RFC 6013,
 * 2.1, 5.2). Cookies are compared with those of the exchange, and a restart's with those of the connection
 * before it.
 */
#include "tools/dump.h"

#include <string.h>

#include "tcpct/seq.h"

static const char *const notes[DUMP_NOTES] = {
    [DUMP_NOTE_OPENING] = "opening",
    [DUMP_NOTE_AGAIN] = "again",
    [DUMP_NOTE_RESTART] = "restart",
    [DUMP_NOTE_REFLECTED] = "equal cookies",
    [DUMP_NOTE_SIZES] = "cookies of two sizes",
    [DUMP_NOTE_FOREIGN] = "pair of another exchange",
    [DUMP_NOTE_BARE_FIN] = "FIN without pair",
    [DUMP_NOTE_ADVISORY] = "advisory reset",
    [DUMP_NOTE_BARE_RESET] = "reset without pair",
};

const char *dump_note_text(enum dump_note note)
{
    return notes[note];
}

static void note(struct dump_state *state, enum dump_note what)
{
    state->notes |= 1u << what;
}

/* ---- cookies ---------------------------------------------------------------------------------- */

static bool have_cookies(const struct dump_state *state)
{
    return state->cookie_size[DUMP_CLIENT] && state->cookie_size[DUMP_SERVER];
}

static void take_cookie(struct dump_state *state, const struct tcp_options *options,
                        enum dump_side side)
{
    uint8_t size = options->cookie_size;
    state->cookie_size[side] = size;
    memcpy(state->cookie[side], options->initiator_cookie, size);
    if (side == DUMP_CLIENT || !state->cookie_size[DUMP_CLIENT])
        return;
    if (state->cookie_size[DUMP_CLIENT] != size)
        note(state, DUMP_NOTE_SIZES);
    else if (memcmp(state->cookie[DUMP_CLIENT], options->initiator_cookie, size) == 0)
        note(state, DUMP_NOTE_REFLECTED);
}

static void take_pair(struct dump_state *state, const struct tcp_options *options)
{
    uint8_t size = options->cookie_size;
    if (!have_cookies(state)) {
        state->cookie_size[DUMP_CLIENT] = state->cookie_size[DUMP_SERVER] = size;
        memcpy(state->cookie[DUMP_CLIENT], options->initiator_cookie, size);
        memcpy(state->cookie[DUMP_SERVER], options->responder_cookie, size);
    }
    if (state->cookie_size[DUMP_CLIENT] != size || state->cookie_size[DUMP_SERVER] != size ||
        memcmp(state->cookie[DUMP_CLIENT], options->initiator_cookie, size) != 0 ||
        memcmp(state->cookie[DUMP_SERVER], options->responder_cookie, size) != 0)
        note(state, DUMP_NOTE_FOREIGN);
}

/* ---- segments --------------------------------------------------------------------------------- */

void dump_state_restart(struct dump_state *state, const struct dump_state *before)
{
    *state = (struct dump_state){ .restart = true };
    if (before == NULL)
        return;
    memcpy(state->cookie, before->cookie, sizeof state->cookie);
    memcpy(state->cookie_size, before->cookie_size, sizeof state->cookie_size);
}

static void take_opening(struct dump_state *state, const struct tcp_options *options)
{
    if (!state->opened)
        note(state, state->restart ? DUMP_NOTE_RESTART : DUMP_NOTE_OPENING);
    else if (state->opening_timestamp == options->timestamp_value)
        note(state, DUMP_NOTE_AGAIN);
    else
        return;
    state->opened = true;
    state->opening_timestamp = options->timestamp_value;
}

static void take_end(struct dump_state *state, const struct segment *segment, enum dump_side side)
{
    bool paired = segment->options.present & OPTION_COOKIE_PAIR, cookies = state->opened;
    if (segment->flags & SEGMENT_RST && cookies)
        note(state, paired ? DUMP_NOTE_ADVISORY : DUMP_NOTE_BARE_RESET);
    else if (segment->flags & SEGMENT_RST)
        state->reset = true;
    else if (segment->flags & SEGMENT_FIN && cookies && !paired)
        note(state, DUMP_NOTE_BARE_FIN);
    else if (segment->flags & SEGMENT_FIN && !state->fin_sent[side]) {
        state->fin_sent[side] = true;
        state->fin_end[side] = segment->seq + segment_length(segment);
        state->fin_was_first[side] = !state->fin_acked[!side];
    }
}

/* Data that was sent before. */
static void take_data(struct dump_state *state, const struct segment *segment, enum dump_side side)
{
    uint32_t end = segment->seq + segment_length(segment);
    if (segment_length(segment) == 0)
        return;
    if (state->sent[side] && seq_leq(end, state->sent_end[side]) &&
        !(state->notes & (1u << DUMP_NOTE_OPENING)))
        note(state, DUMP_NOTE_AGAIN);
    else
        state->sent_end[side] = end;
    state->sent[side] = true;
}

void dump_state_take(struct dump_state *state, const struct segment *segment, enum dump_side side)
{
    const struct tcp_options *options = &segment->options;
    const char *before[2] = { dump_state_text(state, DUMP_CLIENT),
                              dump_state_text(state, DUMP_SERVER) };
    state->notes = 0;
    if (options->present & OPTION_COOKIE && segment->flags & SEGMENT_SYN)
        take_cookie(state, options, side);
    if (options->present & OPTION_COOKIE_PAIR)
        take_pair(state, options);
    if (segment->flags & SEGMENT_SYN)
        state->syn_sent[side] = true;
    else if (!(segment->flags & SEGMENT_RST)) {
        state->open[side] = true;
        if (options->present & OPTION_COOKIE_PAIR && options->present & OPTION_MSS &&
            side == DUMP_CLIENT)
            take_opening(state, options);
        if (side == DUMP_CLIENT && (state->opened || !have_cookies(state)))
            state->open[DUMP_SERVER] = true; /* once it arrives */
    }
    take_data(state, segment, side);
    if (segment->flags & SEGMENT_ACK && state->fin_sent[!side] &&
        seq_leq(state->fin_end[!side], segment->ack))
        state->fin_acked[!side] = true;
    take_end(state, segment, side);
    for (unsigned i = 0; i < 2; i++)
        state->changed[i] = strcmp(before[i], dump_state_text(state, i)) != 0;
}

const char *dump_state_text(const struct dump_state *state, enum dump_side side)
{
    bool sent = state->fin_sent[side], acknowledged = state->fin_acked[side],
         seen = state->fin_acked[!side];
    if (state->reset)
        return "CLOSED";
    if (!state->open[side] && side == DUMP_CLIENT)
        return state->syn_sent[side] ? "SYN-SENT" : "CLOSED";
    if (!state->open[side])
        return state->syn_sent[side] && !have_cookies(state) ? "SYN-RECEIVED" : "LISTEN";
    if (!sent)
        return seen ? "CLOSE-WAIT" : "ESTABLISHED";
    if (!seen)
        return acknowledged ? "FIN-WAIT-2" : "FIN-WAIT-1";
    if (!acknowledged)
        return state->fin_was_first[side] ? "CLOSING" : "LAST-ACK";
    bool waits = state->opened ? side == DUMP_CLIENT : state->fin_was_first[side];
    return waits ? "TIME-WAIT" : "CLOSED";
}
