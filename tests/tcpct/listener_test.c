/* listener_test.c - what listeners are made and closed with; and a guarded one, which takes no request
 * twice: nothing of a <SYN>, no restart, and each exchange once, with cookies and without. */
#include "tcpct/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/asking.h"
#include "tests/sim/script.h"

enum { SECOND = 1000000 };

#define SYN "S 0+100 <mss 1460, sackOK, ts 100, wscale 7, cookie>"
#define OPENING ". 1+100 ack 1 <tsx 101, pair, mss 1460, sackOK, wscale 7>"

static size_t answer(const void *context, const struct tcpct_request *request, uint8_t *bytes,
                     size_t room)
{
    (void)context;
    (void)request;
    bytes[0] = 'a';
    return room ? 1 : 0;
}

static struct script *listen_guarded(uint32_t guard)
{
    return script_listen(4, NULL,
                         &(struct tcpct_listen_options){
                             .parameters = { .cookie_desired = 16, .syn_ack_data_limit = 100 },
                             .answer = answer,
                             .guard = guard });
}

static void test_options(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL);
    struct tcpct_listener *listener = NULL;
    struct tcpct_listen_options options = { .port = 54, .guard = (1u << 24) + 1 };
    assert_int_equal(tcpct_listen(t->host.stack, &options, &listener), TCPCT_ERROR_INVALID);
    options.guard = 1000;
    t->host.memory.fail_after = 2;
    assert_int_equal(tcpct_listen(t->host.stack, &options, &listener), TCPCT_ERROR_MEMORY);
    t->host.memory.fail_after = UINT64_MAX;
    assert_int_equal(tcpct_listen(t->host.stack, &options, &listener), TCPCT_OK);
    assert_int_equal(tcpct_listen(t->host.stack, &options, &listener), TCPCT_ERROR_IN_USE);
    tcpct_listener_close(listener);
    assert_int_equal(tcpct_listen(t->host.stack, &options, &listener), TCPCT_OK);
    script_end(t);
}

/* Without a guard the answer would be in the <SYN,ACK(SYN)>. */
static void test_no_data_from_a_syn(void **state)
{
    (void)state;
    struct script *t = listen_guarded(0);
    inject(t, SYN);
    expect_data(t, "S. 0+1 ack 101", "a", 1);
    script_end(t);
    t = listen_guarded(10);
    inject(t, SYN);
    expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, wscale 5, cookie>");
    script_end(t);
}

static void give_up(struct script *t)
{
    tcpct_abort(script_accept(t));
    script_wait(t, 0);
    t->queue_first = t->queue_count = 0;
}

/* The Responder has forgotten the connection; what made it comes again, older, the same and newer. */
static void test_each_exchange_once(void **state)
{
    (void)state;
    struct script *t = listen_guarded(10);
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    inject_verdict(t, OPENING, TCPCT_ACCEPTED);
    give_up(t);
    tcpct_remembered_flush(t->host.stack);
    inject_verdict(t, OPENING, TCPCT_UNACCEPTABLE);
    inject_verdict(t, ". 1+100 ack 1 <tsx 5000, pair, mss 1460, sackOK, wscale 7>",
                   TCPCT_UNACCEPTABLE);
    inject_verdict(t, ". 1+100 ack 1 <ts 5000>", TCPCT_UNACCEPTABLE); /* decision 26 */
    script_wait(t, 40ull * SECOND);
    inject_verdict(t, OPENING, TCPCT_UNACCEPTABLE);
    expect_nothing(t);
    assert_int_equal(script_counters(t).guard_refused, 4);
    script_end(t);
}

/* Also while the connection is there. */
static void test_no_restart(void **state)
{
    (void)state;
    struct script *t = listen_guarded(10);
    inject(t, SYN);
    expect(t, "S. 0 ack 1");
    inject_verdict(t, OPENING, TCPCT_ACCEPTED);
    expect(t, ". 1 ack 101");
    struct tcpct_connection *connection = script_accept(t);
    inject_verdict(t, ". 1+100 ack 1 <tsx 5000, pair, mss 1460, sackOK, wscale 7>",
                   TCPCT_UNACCEPTABLE);
    assert_int_equal(script_state(connection), TCPCT_ESTABLISHED);
    inject_verdict(t, ". 101+10 ack 1 <ts 102>", TCPCT_ACCEPTED);
    script_receive(connection, 0, 110);
    script_end(t);
}

static void test_plain_handshake_once(void **state)
{
    (void)state;
    struct script *t = listen_guarded(10);
    inject(t, "S 0 <mss 1460>");
    expect(t, "S. 0 ack 1");
    inject_verdict(t, ". 1+100 ack 1 <>", TCPCT_ACCEPTED);
    give_up(t);
    inject_verdict(t, ". 1+100 ack 1 <>", TCPCT_UNACCEPTABLE);
    assert_int_equal(script_counters(t).guard_refused, 1);
    script_end(t);
}

static void test_full(void **state)
{
    (void)state;
    struct script *t = listen_guarded(1);
    inject(t, "S 0 <mss 1460>");
    expect(t, "S. 0 ack 1");
    inject_verdict(t, ". 1+100 ack 1 <>", TCPCT_ACCEPTED);
    give_up(t);
    t->iss += 100000;
    inject(t, "S 0 <mss 1460>");
    expect(t, "S. 0 ack 1");
    inject_verdict(t, ". 1+100 ack 1 <>", TCPCT_UNACCEPTABLE);
    assert_int_equal(script_counters(t).guard_full, 1);
    script_end(t);
}

/* Clients that restart get their answers all the same. */
static void test_clients_fall_back(void **state)
{
    (void)state;
    struct answerer answerer = { .listener = NULL };
    struct sim *sim = asking_begin(NULL);
    struct sim_host *client = &sim->hosts[0], *server = &sim->hosts[1];
    answer_questions(
        server, &answerer,
        &(struct tcpct_listen_options){ .parameters = TCPCT_PARAMETERS_DEFAULT, .guard = 100 });
    for (uint32_t id = 0; id < 10; id++) {
        struct question question = ask(sim, client, server, id, 3000, NULL);
        assert_int_equal(question.got, 3000);
        assert_false(question.restarted);
        assert_int_equal(answerer.executed[id], 1);
    }
    assert_int_equal(COUNTER(server, guard_refused), 2); /* then restarts are not tried */
    sim_run(sim, 200ull * SECOND);
    sim_end(sim);
}

int main(void)
{
#define SCRIPT(name) cmocka_unit_test_teardown(test_##name, script_teardown)
    const struct CMUnitTest tests[] = {
        SCRIPT(options),
        SCRIPT(no_data_from_a_syn),
        SCRIPT(each_exchange_once),
        SCRIPT(no_restart),
        SCRIPT(plain_handshake_once),
        SCRIPT(full),
        cmocka_unit_test_teardown(test_clients_fall_back, sim_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
