#include "tests/sim/asking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/wire.h"

enum { SIZE_MAX_ANSWER = 1 << 18, DELAY_US = 5000, RATE = 50000000, QUEUE_PACKETS = 1000 };

struct sim *asking_begin(const struct sim_config *given)
{
    struct sim_config config = { .seed = 5 };
    const struct link_path path = { .rate = RATE,
                                    .delay_us = DELAY_US,
                                    .queue_packets = QUEUE_PACKETS };
    if (given)
        config = *given;
    for (unsigned i = 0; i < SIM_HOSTS_MAX; i++)
        if (config.up[i].rate == 0 && config.up[i].delay_us == 0)
            config.up[i] = config.down[i] = path;
    return sim_begin(&config);
}

uint64_t asking_counter(const struct sim_host *host, size_t offset)
{
    struct tcpct_counters counters;
    uint64_t value;
    tcpct_counters(host->stack, &counters);
    memcpy(&value, (const char *)&counters + offset, sizeof(value));
    return value;
}

void asking_change_path(struct sim *sim, uint64_t rate, uint64_t delay_us, uint32_t queue_packets)
{
    const struct link_path path = { .rate = rate,
                                    .delay_us = delay_us,
                                    .queue_packets = queue_packets };
    assert_true(link_change(sim->hosts[0].link, LINK_A_TO_B, &path));
    assert_true(link_change(sim->hosts[0].link, LINK_B_TO_A, &path));
}

static uint8_t byte_of(uint32_t id, uint32_t at)
{
    return (uint8_t)((id * 7919 + at) * 2654435761u >> 24);
}

/* ---- the server ------------------------------------------------------------------------------ */

/* What a connection has: the question goes behind its user pointer as id and size. */
static void answer(struct answerer *answerer, struct tcpct_connection *connection)
{
    static uint8_t bytes[SIZE_MAX_ANSWER];
    uint8_t question[QUESTION_SIZE];
    ptrdiff_t got = tcpct_receive(connection, question, sizeof(question));
    if (got == 0)
        return;
    if (got < 0) {
        tcpct_close(connection);
        return;
    }
    assert_int_equal(got, sizeof(question));
    uint32_t id = wire_get32(question), size = wire_get32(question + 4);
    assert_true(id < QUESTIONS_MAX && size <= SIZE_MAX_ANSWER);
    answerer->executed[id]++;
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = byte_of(id, i);
    assert_int_equal(tcpct_send(connection, bytes, size), size);
    tcpct_connection_info(connection, &answerer->last);
    tcpct_close(connection);
}

static void serve_server(struct sim_host *host, const struct tcpct_event *event)
{
    struct tcpct_connection *connection;
    if (event->flags & TCPCT_EVENT_ACCEPT)
        while ((connection = tcpct_accept(event->listener)))
            answer(host->application, connection);
    else if (event->flags & TCPCT_EVENT_ERROR)
        tcpct_close(event->connection);
    else if (event->flags & TCPCT_EVENT_READABLE)
        answer(host->application, event->connection);
}

void answer_questions(struct sim_host *host, struct answerer *answerer,
                      const struct tcpct_listen_options *given)
{
    struct tcpct_listen_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT };
    if (given)
        options = *given;
    options.port = SIM_PORT;
    host->serve = serve_server;
    host->application = answerer;
    assert_int_equal(tcpct_listen(host->stack, &options, &answerer->listener), TCPCT_OK);
}

/* ---- the client ------------------------------------------------------------------------------ */

static void finish(struct question *question, int error)
{
    struct tcpct_info info;
    tcpct_connection_info(question->connection, &info);
    question->restarted = info.restarted;
    question->error = error;
    question->end_seen = error == TCPCT_OK;
    if (!question->done)
        question->done_us = question->host->sim->now_us;
    question->done = true;
    question->packets = info.packets_sent;
    tcpct_close(question->connection);
    question->connection = NULL;
}

static void read_answer(struct question *question)
{
    uint8_t bytes[4096];
    ptrdiff_t got;
    while ((got = tcpct_receive(question->connection, bytes, sizeof(bytes))) > 0)
        for (ptrdiff_t i = 0; i < got; i++)
            assert_int_equal(bytes[i], byte_of(question->id, question->got++));
    if (question->got == question->size && !question->done) {
        question->done = true;
        question->done_us = question->host->sim->now_us;
    }
    if (got == TCPCT_ERROR_CLOSED) {
        assert_int_equal(question->got, question->size);
        finish(question, TCPCT_OK);
    } else if (got < 0) {
        finish(question, (int)got);
    }
}

static void serve_client(struct sim_host *host, const struct tcpct_event *event)
{
    struct question *question = event->user;
    (void)host;
    if (event->flags & TCPCT_EVENT_ERROR)
        finish(question, tcpct_connection_error(event->connection));
    else if (event->flags & TCPCT_EVENT_READABLE)
        read_answer(question);
}

void ask_begin(struct question *question, struct sim_host *from, const struct sim_host *to,
               uint32_t id, uint32_t size, const struct tcpct_connect_options *given)
{
    uint8_t bytes[QUESTION_SIZE];
    struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                             .restart = true };
    if (given)
        options = *given;
    wire_put32(bytes, id);
    wire_put32(bytes + 4, size);
    *question =
        (struct question){ .host = from, .id = id, .size = size, .begun_us = from->sim->now_us };
    if (options.remote.family == 0)
        options.remote = to->ipv4;
    options.remote_port = SIM_PORT;
    options.request = bytes;
    options.request_size = sizeof(bytes);
    options.user = question;
    from->serve = serve_client;
    assert_int_equal(tcpct_connect(from->stack, &options, &question->connection, from->sim->now_us),
                     TCPCT_OK);
    sim_turn(from->sim);
}

bool question_over(const void *question)
{
    return ((const struct question *)question)->connection == NULL;
}

/* Whether the server has forgotten all, and the client waits at most. */
static bool server_forgot(const void *host)
{
    return tcpct_connection_count(((const struct sim_host *)host)->stack) == 0;
}

struct question ask(struct sim *sim, struct sim_host *from, const struct sim_host *to, uint32_t id,
                    uint32_t size, const struct tcpct_connect_options *given)
{
    static struct question question;
    ask_begin(&question, from, to, id, size, given);
    assert_true(sim_until(sim, question_over, &question, 600 * (uint64_t)1000000));
    assert_true(sim_until(sim, server_forgot, to, 600 * (uint64_t)1000000));
    return question;
}
