#include "tests/sim/losses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/tcb.h"
#include "tests/sim/sim_log.h"

enum {
    MILLISECOND = 1000,
    SECOND = 1000000,
    HALF_RTT = 10 * MILLISECOND,
    SESSIONS_MAX = 8,
    FIN_EVEN = 9, /* the first, and eight again; others back off */
    PORT = 50000,
    BYTES_MAX = 32768,
    REPORTS_MAX = 10,
    REPAIR_LIMIT = 59 * SECOND, /* what the Initiator's TIME-WAIT has to cover */
};

/* What the Responder's application knows of one connection. */
struct session {
    struct tcpct_connection *connection; /* NULL: given back */
    uint32_t number;                     /* of the transaction: the request says it */
    uint32_t got;
    bool answered, answered_last;
};

/* The bare FINs of one host, since it last heard something. */
struct fins {
    uint64_t heard, sent_us, interval_us;
    unsigned count;
};

static struct losses {
    const struct losses_scenario *scenario;
    const struct losses_fate *fate;
    unsigned family;
    struct sim *sim;
    struct tcpct_listener *listener;
    uint32_t number;  /* of the transaction that runs: 1 or 2; 3: what is begun again */
    unsigned packets; /* that it sent */

    struct tcpct_connection *client;
    uint32_t got, sent;
    bool shut, end_seen, done;
    int error;
    uint64_t begun_us;

    struct session sessions[SESSIONS_MAX];
    unsigned session_count;
    unsigned executed[4]; /* requests of each transaction, by sessions */

    unsigned syns, syn_acks; /* that may have arrived; that were sent */
    bool opened;             /* something but a <SYN> was sent */
    struct fins fins[2];

    const struct sim_host *held_from; /* whose packet is held back */
    unsigned held_past;               /* its packets since */
    size_t held_length;
    uint8_t held[2048];

    char broken[128]; /* the first rule that was */
} losses;

static unsigned runs, broken_runs;

/* ---- rules --------------------------------------------------------------------------------- */

static void describe(void)
{
    const struct losses_fate *fate = losses.fate;
    fprintf(stderr, "%s over IPv%u, lost 0x%03x", losses.scenario->name, losses.family, fate->lost);
    if (fate->chosen)
        fprintf(stderr, ", packet %u%s past %u or %llu us%s", fate->packet,
                fate->copied ? " copied" : "", fate->overtaken, (unsigned long long)fate->late_us,
                fate->antique ? " of a second transaction" : "");
    fprintf(stderr, ": %s\n", losses.broken);
}

__attribute__((format(printf, 1, 2))) static void break_rule(const char *format, ...)
{
    va_list arguments;
    if (losses.broken[0])
        return;
    va_start(arguments, format);
    vsnprintf(losses.broken, sizeof(losses.broken), format, arguments);
    va_end(arguments);
}

/* Whether it has a connection that began with an exchange. */
static bool has_pair(const struct sim_host *host)
{
    for (const struct tcpct_connection *i = host->stack->pool; i; i = i->pool_next)
        if (i->stack && i->pair.size && i->state != TCPCT_SYN_SENT)
            return true;
    return false;
}

/* Whether all but a FIN of this host's is acknowledged: only then it keeps time of its own. */
static bool fin_is_alone(const struct sim_host *host, uint32_t seq)
{
    for (const struct tcpct_connection *i = host->stack->pool; i; i = i->pool_next)
        if (i->stack && i->fin_sent && i->snd_una == seq)
            return true;
    return false;
}

static void check_fin(const struct sim_host *host, const struct segment *segment)
{
    bool paired = segment->options.present & OPTION_COOKIE_PAIR;
    struct fins *fins = &losses.fins[host->index];
    uint64_t now_us = losses.sim->now_us, interval_us = now_us - fins->sent_us;
    if (!(segment->flags & SEGMENT_FIN))
        return;
    if (!paired && has_pair(host))
        break_rule("a FIN has no Cookie-Pair");
    if (!paired || segment->data_size || !fin_is_alone(host, segment->seq))
        return;
    if (fins->heard != host->packets_got)
        *fins = (struct fins){ .heard = host->packets_got };
    bool even = interval_us == fins->interval_us;
    if (++fins->count > FIN_EVEN)
        even = interval_us >= fins->interval_us;
    if (fins->count > 2 && !even)
        break_rule("bare FINs after %llu and %llu us", (unsigned long long)fins->interval_us,
                   (unsigned long long)interval_us);
    fins->sent_us = now_us;
    fins->interval_us = interval_us;
}

static void check_packet(const struct sim_host *host, const struct segment *segment)
{
    const uint8_t syn_ack = SEGMENT_SYN | SEGMENT_ACK;
    check_fin(host, segment);
    if (host->index == 0 && !(segment->flags & SEGMENT_SYN))
        losses.opened = true;
    if ((segment->flags & syn_ack) == syn_ack && ++losses.syn_acks > losses.syns)
        break_rule("the Responder repeats its <SYN,ACK(SYN)>");
}

static void check_responder(void)
{
    const struct tcpct_stack *stack = losses.sim->hosts[1].stack;
    if (!losses.opened && tcpct_connection_count(stack))
        break_rule("the Responder has a TCB before the <ACK(SYN)>");
    for (const struct tcpct_connection *i = stack->pool; i; i = i->pool_next)
        if (i->stack && i->pair.size && i->state == TCPCT_TIME_WAIT)
            break_rule("the Responder has TIME-WAIT");
}

/* ---- the network --------------------------------------------------------------------------- */

static void release(void)
{
    struct tcpct_packet packet = { .data = losses.held,
                                   .length = losses.held_length,
                                   .size = losses.held_length };
    const struct sim_host *host = losses.held_from;
    losses.held_from = NULL;
    link_packet_in(host->link, LINK_A_TO_B, &packet, losses.sim->now_us);
}

static void release_in_time(void *context)
{
    (void)context;
    if (losses.held_from)
        release();
}

static void hold(struct sim_packet *shown)
{
    const struct losses_fate *fate = losses.fate;
    struct tcpct_packet packet = { .data = losses.held, .size = sizeof(losses.held) };
    assert_true(segment_encode(shown->segment, &packet, false));
    losses.held_from = shown->from;
    losses.held_length = packet.length;
    losses.held_past = 0;
    if (!fate->copied)
        shown->copies = 0;
    else if (shown->segment->flags & SEGMENT_SYN)
        losses.syns++;
    if (!fate->antique)
        sim_after(losses.sim, fate->late_us, release_in_time, NULL);
}

static void filter(void *context, struct sim_packet *shown)
{
    const struct losses_fate *fate = losses.fate;
    unsigned number = losses.packets++;
    (void)context;
    if (losses.number == 1 && number < 32 && fate->lost >> number & 1)
        shown->copies = 0;
    if ((shown->segment->flags & (SEGMENT_SYN | SEGMENT_ACK)) == SEGMENT_SYN)
        losses.syns += shown->copies;
    check_packet(shown->from, shown->segment);
    check_responder();
    bool counts = fate->antique ? losses.number == 2 : losses.held_from == shown->from;
    if (losses.held_from && counts && losses.held_past++ == fate->overtaken)
        release();
    if (fate->chosen && losses.number == 1 && number == fate->packet)
        hold(shown);
}

/* ---- the applications ---------------------------------------------------------------------- */

static uint8_t byte_at(uint32_t number, bool answer, uint32_t offset)
{
    if (!answer && offset < sizeof(number))
        return (uint8_t)(number >> 8 * offset);
    return (uint8_t)((offset * 167 + (offset >> 8) * 13) ^ (number * 77 + answer));
}

static void fill(uint32_t number, bool answer, uint32_t offset, uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = byte_at(number, answer, offset + i);
}

static bool as_filled(uint32_t number, bool answer, uint32_t offset, const uint8_t *bytes,
                      uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        if (bytes[i] != byte_at(number, answer, offset + i))
            return false;
    return true;
}

static void send_bytes(struct tcpct_connection *connection, bool answer, uint32_t number,
                       uint32_t offset, uint32_t size)
{
    uint8_t bytes[BYTES_MAX];
    if (size == 0 || tcpct_connection_error(connection))
        return;
    fill(number, answer, offset, bytes, size);
    if (tcpct_send(connection, bytes, size) != (ptrdiff_t)size)
        break_rule("%u bytes were not taken", size);
}

/* The answer in the <SYN,ACK(SYN)>. */
static size_t answer_in_syn(const void *context, const struct tcpct_request *request,
                            uint8_t *answer, size_t room)
{
    const struct losses_scenario *scenario = losses.scenario;
    (void)context;
    uint32_t number = request->bytes[0], size = (uint32_t)request->size;
    if (size != scenario->request || !as_filled(number, false, 0, request->bytes, size))
        break_rule("a wrong request came in a <SYN>");
    if (scenario->answer > room && !scenario->stable)
        return 0;
    fill(number, true, 0, answer, scenario->answer < room ? scenario->answer : (uint32_t)room);
    return scenario->answer;
}

static void finish(int error)
{
    losses.done = true;
    losses.error = error;
    tcpct_close(losses.client);
}

/* What the Initiator does when it has read what there was. */
static void client_goes_on(void)
{
    const struct losses_scenario *scenario = losses.scenario;
    uint32_t all = scenario->answer + scenario->last;
    if (losses.got >= scenario->answer && losses.sent == scenario->request && scenario->more) {
        send_bytes(losses.client, false, losses.number, losses.sent, scenario->more);
        losses.sent += scenario->more;
    }
    bool waits_for_end = scenario->close != CLOSE_INITIATOR && scenario->close != CLOSE_BOTH;
    if (losses.end_seen && losses.got < all)
        break_rule("an answer ends after %u bytes", losses.got);
    if (losses.end_seen || (losses.got == all && !waits_for_end))
        finish(TCPCT_OK);
}

static void client_serve(struct sim_host *host, const struct tcpct_event *event)
{
    uint8_t bytes[BYTES_MAX];
    ptrdiff_t got;
    (void)host;
    if (losses.done || event->connection != losses.client)
        return;
    while ((got = tcpct_receive(losses.client, bytes, sizeof(bytes))) > 0) {
        if (!as_filled(losses.number, true, losses.got, bytes, (uint32_t)got) ||
            losses.got + got > losses.scenario->answer + losses.scenario->last)
            break_rule("a wrong answer after %u bytes", losses.got);
        losses.got += (uint32_t)got;
    }
    losses.end_seen |= got == TCPCT_ERROR_CLOSED;
    if (got < 0 && got != TCPCT_ERROR_CLOSED)
        finish((int)got);
    else
        client_goes_on();
}

static void session_ends(struct session *session)
{
    tcpct_close(session->connection);
    session->connection = NULL;
}

static void session_answers(struct session *session, bool end)
{
    const struct losses_scenario *scenario = losses.scenario;
    struct tcpct_connection *connection = session->connection;
    bool may_answer = session->got >= scenario->request && (end || scenario->close != CLOSE_EARLY);
    if (may_answer && !session->answered) {
        session->answered = true;
        losses.executed[session->number]++;
        send_bytes(connection, true, session->number, 0, scenario->answer);
        if (scenario->close == CLOSE_PENDING)
            tcpct_shutdown(connection);
    }
    if (session->answered && !session->answered_last &&
        session->got == scenario->request + scenario->more) {
        session->answered_last = true;
        send_bytes(connection, true, session->number, scenario->answer, scenario->last);
    }
    bool closes = scenario->close == CLOSE_RESPONDER || scenario->close == CLOSE_BOTH;
    if (end && !session->answered_last)
        break_rule("a request ends after %u bytes", session->got);
    if (end || (session->answered_last && closes))
        session_ends(session);
}

static void session_reads(struct session *session)
{
    uint8_t bytes[BYTES_MAX];
    ptrdiff_t got;
    while ((got = tcpct_receive(session->connection, bytes, sizeof(bytes))) > 0) {
        if (session->got == 0)
            session->number = bytes[0];
        if (session->number < 1 || session->number > 3 ||
            !as_filled(session->number, false, session->got, bytes, (uint32_t)got)) {
            break_rule("a wrong request after %u bytes", session->got);
            session->number = 0;
        }
        session->got += (uint32_t)got;
    }
    if (got < 0 && got != TCPCT_ERROR_CLOSED)
        session_ends(session);
    else
        session_answers(session, got == TCPCT_ERROR_CLOSED);
}

static void server_serve(struct sim_host *host, const struct tcpct_event *event)
{
    struct tcpct_connection *connection;
    (void)host;
    while (event->flags & TCPCT_EVENT_ACCEPT && (connection = tcpct_accept(losses.listener))) {
        assert_true(losses.session_count < SESSIONS_MAX);
        struct session *session = &losses.sessions[losses.session_count++];
        *session = (struct session){ .connection = connection };
        tcpct_set_user(connection, session);
        session_reads(session);
    }
    if (event->connection && event->user)
        session_reads(event->user);
}

/* ---- a run --------------------------------------------------------------------------------- */

static void begin(void)
{
    const struct link_path path = { .delay_us = HALF_RTT };
    const struct losses_scenario *scenario = losses.scenario;
    losses.sim = sim_begin(
        &(struct sim_config){ .seed = 1, .up = { path }, .down = { path }, .link_packets = 64 });
    losses.sim->filter = filter;
    losses.sim->hosts[0].serve = client_serve;
    losses.sim->hosts[1].serve = server_serve;
    struct tcpct_listen_options options = {
        .port = SIM_PORT,
        .parameters = { .cookie_desired = 16, .syn_ack_data_limit = scenario->in_syn ? 1220 : 0 },
        .answer = answer_in_syn,
        .answers_stable = scenario->stable,
    };
    assert_int_equal(tcpct_listen(losses.sim->hosts[1].stack, &options, &losses.listener),
                     TCPCT_OK);
}

static bool is_done(const void *context)
{
    (void)context;
    return losses.done;
}

static bool nothing_left(const void *context)
{
    (void)context;
    return sim_connections(losses.sim) == 0 && !losses.held_from;
}

/* But for what had to go on as plain TCP: that has TIME-WAIT where it was closed first. */
static bool responder_is_empty(const void *context)
{
    const struct tcpct_stack *stack = losses.sim->hosts[1].stack;
    (void)context;
    for (const struct tcpct_connection *i = stack->pool; i; i = i->pool_next)
        if (i->stack && (i->pair.size || i->state != TCPCT_TIME_WAIT))
            return false;
    return true;
}

static void transact(uint32_t number)
{
    const struct losses_scenario *scenario = losses.scenario;
    const struct sim_host *to = &losses.sim->hosts[1];
    uint8_t request[BYTES_MAX];
    fill(number, false, 0, request, scenario->request);
    const struct tcpct_connect_options options = {
        .remote = losses.family == 6 ? to->ipv6 : to->ipv4,
        .remote_port = SIM_PORT,
        .local_port = PORT,
        .parameters = { .cookie_desired = scenario->plain ? 0 : 16,
                        .syn_data_limit = scenario->in_syn ? 496 : 0 },
        .request = request,
        .request_size = scenario->request,
        .restart = scenario->restart,
    };
    losses.number = number;
    losses.packets = losses.got = 0;
    losses.sent = scenario->request;
    losses.done = losses.end_seen = false;
    losses.begun_us = losses.sim->now_us;
    assert_int_equal(
        tcpct_connect(losses.sim->hosts[0].stack, &options, &losses.client, losses.sim->now_us),
        TCPCT_OK);
    if (scenario->close == CLOSE_EARLY)
        assert_int_equal(tcpct_shutdown(losses.client), TCPCT_OK);
    if (sim_until(losses.sim, is_done, NULL, 200ull * SECOND))
        return;
    if (losses.sim->hosts[1].stack->counters.connections_failed == 0)
        break_rule("the Initiator's application waits for ever");
    finish(TCPCT_ERROR_TIMEOUT);
}

static void check_outcome(void)
{
    uint64_t took_us = losses.sim->now_us - losses.begun_us;
    if (losses.error && (losses.error != TCPCT_ERROR_TIMEOUT || took_us < 100ull * SECOND))
        break_rule("transaction %u fails after %llu us: %s", losses.number,
                   (unsigned long long)took_us, tcpct_error_text(losses.error));
    bool again = (losses.fate->chosen || losses.scenario->restart) && losses.number == 1;
    if (losses.executed[losses.number] > 1u + again)
        break_rule("a request was run %u times", losses.executed[losses.number]);
}

/* With cookies nothing stays at the Responder once the Initiator knows its end, nor of what a late
 * opening made; but an antique's, or a plain one's, waits for the rest of a request like any. */
static void rest(void)
{
    const struct losses_fate *fate = losses.fate;
    bool alone = !losses.scenario->plain && !fate->antique;
    if (fate->chosen && !fate->antique)
        sim_run(losses.sim, fate->late_us + SECOND);
    uint64_t limit_us = fate->lost ? REPAIR_LIMIT : SECOND;
    if (!sim_until(losses.sim, responder_is_empty, NULL, limit_us) && alone)
        break_rule("the Responder keeps a TCB");
    for (unsigned i = 0; i < losses.session_count && !alone; i++)
        if (losses.sessions[i].connection)
            session_ends(&losses.sessions[i]);
    if (!sim_until(losses.sim, nothing_left, NULL, 300ull * SECOND))
        break_rule("a TCB stays");
    for (unsigned i = 0; i < 2 && !losses.broken[0]; i++)
        if (losses.sim->hosts[i].stack->memory.used)
            break_rule("host %u keeps %zu bytes", i, losses.sim->hosts[i].stack->memory.used);
}

unsigned losses_run(const struct losses_scenario *scenario, const struct losses_fate *fate,
                    unsigned family)
{
    losses = (struct losses){ .scenario = scenario, .fate = fate, .family = family };
    runs++;
    begin();
    if (scenario->restart) { /* what is begun again */
        transact(3);
        sim_run(losses.sim, SECOND);
    }
    transact(1);
    check_outcome();
    if (!fate->antique)
        rest();
    unsigned packets = losses.packets;
    if (fate->antique && losses.held_from) {
        sim_run(losses.sim, 100 * SECOND);
        transact(2);
        release_in_time(NULL);
        check_outcome();
        rest();
    }
    if (losses.broken[0] && broken_runs++ < REPORTS_MAX) {
        describe();
        sim_log_write(losses.sim->log, 2);
    }
    sim_end(losses.sim);
    return packets;
}

void losses_verdict(void)
{
    unsigned count = broken_runs;
    print_message("# %u runs\n", runs);
    runs = broken_runs = 0;
    if (count)
        fail_msg("%u runs broke a rule", count);
}
