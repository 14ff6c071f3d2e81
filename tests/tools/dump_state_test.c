/* dump_state_test.c - the states of both ends and what is noted, segment by segment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tools/dump.h"

enum { F = SEGMENT_FIN, S = SEGMENT_SYN, R = SEGMENT_RST, A = SEGMENT_ACK };
enum { COOKIE = OPTION_COOKIE, PAIR = OPTION_COOKIE_PAIR, MSS = OPTION_MSS };

struct step {
    enum dump_side side;
    uint8_t flags;
    uint32_t seq, ack, data, options;
    uint8_t initiator, responder; /* bytes that cookies are made of */
    const char *client, *server;  /* states behind it */
    const char *note;             /* the only one; NULL: none */
};

static void run(struct dump_state *state, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &steps[i];
        struct segment segment = { .flags = step->flags,
                                   .seq = step->seq,
                                   .ack = step->ack,
                                   .data_size = step->data,
                                   .options = { .present = step->options,
                                                .cookie_size = 8,
                                                .timestamp_value = 100 + step->seq } };
        memset(segment.options.initiator_cookie, step->initiator, 8);
        memset(segment.options.responder_cookie, step->responder, 8);
        dump_state_take(state, &segment, step->side);
        if (strcmp(dump_state_text(state, DUMP_CLIENT), step->client) != 0 ||
            strcmp(dump_state_text(state, DUMP_SERVER), step->server) != 0)
            fail_msg("step %zu: client %s, server %s", i, dump_state_text(state, DUMP_CLIENT),
                     dump_state_text(state, DUMP_SERVER));
        uint32_t notes = 0;
        for (unsigned note = 0; step->note && note < DUMP_NOTES; note++)
            if (strcmp(dump_note_text(note), step->note) == 0)
                notes = 1u << note;
        if (state->notes != notes || (step->note && notes == 0))
            fail_msg("step %zu: notes 0x%x", i, state->notes);
    }
}
#define RUN(state, steps) run(state, steps, sizeof(steps) / sizeof(steps)[0])

/* RFC 9293, 3.6: an ordinary close; what closes first waits. */
static void test_plain(void **unused)
{
    (void)unused;
    struct dump_state state = { 0 };
    static const struct step steps[] = {
        { DUMP_CLIENT, S, 0, 0, 0, 0, 0, 0, "SYN-SENT", "LISTEN", NULL },
        { DUMP_CLIENT, S, 0, 0, 0, 0, 0, 0, "SYN-SENT", "LISTEN", "again" },
        { DUMP_SERVER, S | A, 0, 1, 0, 0, 0, 0, "SYN-SENT", "SYN-RECEIVED", NULL },
        { DUMP_CLIENT, A, 1, 1, 10, 0, 0, 0, "ESTABLISHED", "ESTABLISHED", NULL },
        { DUMP_CLIENT, A, 1, 1, 10, 0, 0, 0, "ESTABLISHED", "ESTABLISHED", "again" },
        { DUMP_SERVER, F | A, 1, 11, 5, 0, 0, 0, "ESTABLISHED", "FIN-WAIT-1", NULL },
        { DUMP_CLIENT, A, 11, 7, 0, 0, 0, 0, "CLOSE-WAIT", "FIN-WAIT-2", NULL },
        { DUMP_CLIENT, F | A, 11, 7, 0, 0, 0, 0, "LAST-ACK", "FIN-WAIT-2", NULL },
        { DUMP_SERVER, A, 7, 12, 0, 0, 0, 0, "CLOSED", "TIME-WAIT", NULL },
    };
    RUN(&state, steps);
}

static void test_plain_crossing_and_reset(void **unused)
{
    (void)unused;
    struct dump_state state = { 0 };
    static const struct step steps[] = {
        { DUMP_CLIENT, S, 0, 0, 0, 0, 0, 0, "SYN-SENT", "LISTEN", NULL },
        { DUMP_SERVER, S | A, 0, 1, 0, 0, 0, 0, "SYN-SENT", "SYN-RECEIVED", NULL },
        { DUMP_CLIENT, F | A, 1, 1, 0, 0, 0, 0, "FIN-WAIT-1", "ESTABLISHED", NULL },
        { DUMP_SERVER, F | A, 1, 1, 0, 0, 0, 0, "FIN-WAIT-1", "FIN-WAIT-1", NULL },
        { DUMP_CLIENT, A, 2, 2, 0, 0, 0, 0, "CLOSING", "FIN-WAIT-2", NULL },
        { DUMP_SERVER, A, 2, 2, 0, 0, 0, 0, "TIME-WAIT", "TIME-WAIT", NULL },
        { DUMP_SERVER, R, 2, 0, 0, 0, 0, 0, "CLOSED", "CLOSED", NULL },
    };
    RUN(&state, steps);
}

/* RFC 6013, 2.1, 5.2: no TCB before the opening, TIME-WAIT only at the Initiator; and a restart. */
static void test_cookies(void **unused)
{
    (void)unused;
    struct dump_state state = { 0 }, again;
    static const struct step steps[] = {
        { DUMP_CLIENT, S, 0, 0, 40, COOKIE, 1, 0, "SYN-SENT", "LISTEN", NULL },
        { DUMP_SERVER, S | A, 0, 1, 0, COOKIE, 2, 0, "SYN-SENT", "LISTEN", NULL },
        { DUMP_CLIENT, A, 1, 1, 40, PAIR | MSS, 1, 2, "ESTABLISHED", "ESTABLISHED", "opening" },
        { DUMP_CLIENT, A, 1, 1, 40, PAIR | MSS, 1, 2, "ESTABLISHED", "ESTABLISHED", "again" },
        { DUMP_SERVER, A, 1, 41, 90, PAIR | MSS, 1, 2, "ESTABLISHED", "ESTABLISHED", NULL },
        { DUMP_SERVER, F | A, 91, 41, 0, 0, 0, 0, "ESTABLISHED", "ESTABLISHED",
          "FIN without pair" },
        { DUMP_SERVER, R | A, 91, 41, 0, PAIR, 1, 2, "ESTABLISHED", "ESTABLISHED",
          "advisory reset" },
        { DUMP_SERVER, R | A, 91, 41, 0, 0, 0, 0, "ESTABLISHED", "ESTABLISHED",
          "reset without pair" },
        { DUMP_SERVER, A, 91, 41, 2, PAIR, 1, 3, "ESTABLISHED", "ESTABLISHED",
          "pair of another exchange" },
        { DUMP_SERVER, F | A, 93, 41, 0, PAIR, 1, 2, "ESTABLISHED", "FIN-WAIT-1", NULL },
        { DUMP_CLIENT, F | A, 41, 94, 0, PAIR, 1, 2, "LAST-ACK", "FIN-WAIT-2", NULL },
        { DUMP_SERVER, A, 94, 42, 0, PAIR, 1, 2, "TIME-WAIT", "CLOSED", NULL },
    };
    static const struct step restart[] = {
        { DUMP_CLIENT, A, 1, 1, 40, PAIR | MSS, 1, 2, "ESTABLISHED", "ESTABLISHED", "restart" },
        { DUMP_CLIENT, A, 1, 1, 40, PAIR | MSS, 1, 2, "ESTABLISHED", "ESTABLISHED", "again" },
    };
    RUN(&state, steps);
    dump_state_restart(&again, &state);
    RUN(&again, restart);
    dump_state_restart(&again, NULL);
    RUN(&again, restart);
}

static void test_wrong_cookies(void **unused)
{
    (void)unused;
    struct dump_state state = { 0 };
    static const struct step steps[] = {
        { DUMP_CLIENT, S, 0, 0, 0, COOKIE, 7, 0, "SYN-SENT", "LISTEN", NULL },
        { DUMP_SERVER, S | A, 0, 1, 0, COOKIE, 7, 0, "SYN-SENT", "LISTEN", "equal cookies" },
    };
    RUN(&state, steps);
    struct segment segment = { .flags = S | A,
                               .options = { .present = COOKIE, .cookie_size = 10 } };
    state.sent[DUMP_SERVER] = false;
    dump_state_take(&state, &segment, DUMP_SERVER);
    assert_int_equal(state.notes, 1u << DUMP_NOTE_SIZES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_plain_crossing_and_reset),
        cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_wrong_cookies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
