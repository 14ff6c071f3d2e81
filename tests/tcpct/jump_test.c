/* jump_test.c - Careful Resume (RFC 9959), phase by phase, and the two policies beside it: the whole
 * remembered window, and none. A listener's connection has much to send to a peer whose path is known;
 * the link between them is the simulator's. Sections are those of RFC 9959. */
#include "tcpct/jump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/congestion.h"
#include "tests/sim/asking.h"

#define MS ((uint64_t)1000)
#define SECOND ((uint64_t)1000000)
enum { LARGE = 130000, MSS = 1460 };

static struct answerer answerer;
static struct sim *sim;
static struct sim_host *client, *server;
static struct question question;

/* What a phase was seen to begin with. */
static struct seen {
    unsigned count[JUMP_RETREAT + 1];
    uint32_t cwnd[JUMP_RETREAT + 1], ssthresh[JUMP_RETREAT + 1], flight[JUMP_RETREAT + 1];
    enum jump_phase last;
    uint32_t largest_in_retreat; /* after its first packets */
    unsigned looks;
    uint32_t jump_window, pipe_at_retreat;
} seen;

static struct tcpct_connection *sender(void)
{
    for (struct tcpct_connection *i = server->stack->pool; i; i = i->pool_next)
        if (i->stack)
            return i;
    return NULL;
}

/* Looks at the sender before each packet that anybody sends. */
static void watch(void *context, struct sim_packet *packet)
{
    const struct tcpct_connection *connection = sender();
    (void)context;
    (void)packet;
    if (!connection)
        return;
    const struct jump *jump = &connection->jump;
    uint32_t cwnd = connection->congestion.cwnd;
    if (jump->phase != seen.last) {
        seen.count[jump->phase]++;
        seen.cwnd[jump->phase] = cwnd;
        seen.ssthresh[jump->phase] = connection->congestion.ssthresh;
        seen.flight[jump->phase] = connection->flight.in_flight;
    }
    if (jump->phase == JUMP_RETREAT && jump->phase == seen.last && cwnd > seen.largest_in_retreat &&
        seen.looks++ > 2)
        seen.largest_in_retreat = cwnd;
    if (jump->phase == JUMP_RETREAT && jump->phase != seen.last)
        seen.pipe_at_retreat = jump->pipe;
    if (jump->phase == JUMP_UNVALIDATED)
        seen.jump_window = jump->window;
    seen.last = jump->phase;
}

static void begin(enum tcpct_window policy, const struct sim_config *config)
{
    sim = asking_begin(config);
    client = &sim->hosts[0];
    server = &sim->hosts[1];
    answerer = (struct answerer){ .listener = NULL };
    answer_questions(
        server, &answerer,
        &(struct tcpct_listen_options){ .parameters = TCPCT_PARAMETERS_DEFAULT, .window = policy });
}

static void end(void)
{
    sim->filter = NULL;
    sim_run(sim, 400 * SECOND);
    assert_int_equal(sim_connections(sim), 0);
    sim_end(sim);
}

/* The path becomes known. */
static void earn(uint32_t size)
{
    for (uint32_t id = 0; id < 3; id++)
        ask(sim, client, server, id, size, NULL);
}

/* What is remembered of it; NULL: no window. */
static struct path_state *remembered(void)
{
    const struct remember_key key = { .remote = client->ipv4 };
    const struct remember_table *table = &server->stack->remembered[0][0];
    for (struct remembered *i = remember_first(table, &key); i; i = remember_next(table, i))
        if (i->path.window)
            return &i->path;
    return NULL;
}

/* ... as if longer transfers had shown what it can carry. */
enum { SAVED = 160000 };
static void earn_more(void)
{
    earn(LARGE);
    assert_non_null(remembered());
    remembered()->window = SAVED;
}

static void ask_watched(uint32_t size)
{
    seen = (struct seen){ .last = JUMP_OVER };
    sim->filter = watch;
    question = ask(sim, client, server, 10, size, NULL);
    sim->filter = NULL;
    assert_int_equal(question.got, size);
}

/* ---- careful --------------------------------------------------------------------------------- */

/* 3.1, saved_cwnd: what was acknowledged in one round trip, no more than cwnd; saved_rtt: the least.
 * 3.2 to 3.4: the initial window, half of the saved one, all acknowledged, and over. */
static void test_all_phases(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_CAREFUL, NULL);
    earn(LARGE);
    const struct path_state *path = remembered();
    assert_non_null(path);
    assert_in_range(path->min_rtt_us, 20 * MS, 22 * MS);
    assert_in_range(path->window, 50000, 65000); /* three round trips of slow start */
    earn_more();
    ask_watched(LARGE);
    assert_int_equal(seen.count[JUMP_RECONNAISSANCE], 1);
    assert_in_range(seen.cwnd[JUMP_RECONNAISSANCE], 13000, congestion_initial(MSS));
    assert_int_equal(seen.count[JUMP_UNVALIDATED], 1);
    assert_int_equal(seen.cwnd[JUMP_UNVALIDATED], SAVED / 2);
    assert_int_equal(seen.count[JUMP_VALIDATING], 1);
    assert_in_range(seen.cwnd[JUMP_VALIDATING], seen.flight[JUMP_VALIDATING],
                    seen.flight[JUMP_VALIDATING] + 2 * MSS);
    assert_int_equal(seen.count[JUMP_RETREAT], 0);
    assert_int_equal(COUNTER(server, jumps_validated), 1);
    end();
}

/* 3.3, pacing: the jump takes a round trip to leave, in the order of one packet each RTT * MPS /
 * jump_cwnd, after a burst of ten. */
static uint64_t first_us, last_us;
static uint32_t unvalidated;

static void time_them(void *context, struct sim_packet *packet)
{
    watch(context, packet);
    if (packet->from != server || seen.last != JUMP_UNVALIDATED)
        return;
    first_us = first_us ? first_us : sim->now_us;
    last_us = sim->now_us;
    unvalidated += packet->segment->data_size;
}

static void test_pacing(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_CAREFUL, NULL);
    earn_more();
    first_us = unvalidated = 0;
    seen = (struct seen){ .last = JUMP_OVER };
    sim->filter = time_them;
    ask(sim, client, server, 10, LARGE, NULL);
    uint64_t share = (uint64_t)(unvalidated - 11 * MSS) * 20 * MS / seen.jump_window;
    assert_in_range(last_us - first_us, share * 8 / 10, 21 * MS);
    end();
}

/* 3.2, detected congestion: a loss in the initial data ends it, and normal control reacts. */
static void test_loss_in_reconnaissance(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_CAREFUL, NULL);
    earn_more();
    struct link_path path = { .rate = 50000000, .delay_us = 5 * MS, .queue_packets = 1000 };
    path.drop_count = 1;
    path.drops[0].first = path.drops[0].last = 1; /* set below */
    const struct link_counters *counters = link_counters(client->link, LINK_B_TO_A);
    path.drops[0].first = path.drops[0].last = counters->packets_in + 3;
    assert_true(link_change(client->link, LINK_B_TO_A, &path));
    ask_watched(LARGE);
    assert_int_equal(seen.count[JUMP_RECONNAISSANCE], 1);
    assert_int_equal(seen.count[JUMP_UNVALIDATED], 0);
    assert_int_equal(seen.count[JUMP_RETREAT], 0);
    end();
}

/* 3.2, minimum RTT too small; 4.2.1, ten times as large. */
static void test_rtt_is_another(void **state)
{
    (void)state;
    const struct {
        uint64_t delay_us;
        bool jumps;
    } paths[] = { { 0, false }, { 1 * MS, true }, { 20 * MS, true }, { 120 * MS, false } };
    for (unsigned i = 0; i < 4; i++) {
        begin(TCPCT_WINDOW_CAREFUL, NULL);
        earn_more();
        const struct link_path far = { .rate = 50000000, .delay_us = paths[i].delay_us };
        assert_true(link_change(client->link, LINK_A_TO_B, &far));
        assert_true(link_change(client->link, LINK_B_TO_A, &far));
        if (paths[i].delay_us == 0) { /* both links, so that it is less than half */
            assert_true(link_change(server->link, LINK_A_TO_B, &far));
        }
        ask_watched(LARGE);
        assert_int_equal(seen.count[JUMP_RECONNAISSANCE], 1);
        assert_int_equal(seen.count[JUMP_UNVALIDATED], paths[i].jumps);
        end();
    }
}

/* 3.2, using saved_cwnd: one connection at a time, whatever its ports. */
static void test_one_at_a_time(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_CAREFUL, NULL);
    earn_more();
    static struct question two[2];
    uint64_t before = COUNTER(server, jumps);
    struct tcpct_connect_options another = { .parameters = TCPCT_PARAMETERS_DEFAULT };
    ask_begin(&two[0], client, server, 10, LARGE, NULL);
    ask_begin(&two[1], client, server, 11, LARGE, &another);
    assert_true(sim_until(sim, question_over, &two[0], 10 * SECOND));
    assert_true(sim_until(sim, question_over, &two[1], 10 * SECOND));
    assert_int_equal(COUNTER(server, jumps), before + 1);
    end();
}

/* 3.1: no more than one set for a pair of addresses, the last. */
static void test_one_set(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_CAREFUL, NULL);
    struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT };
    for (uint32_t id = 0; id < 5; id++)
        ask(sim, client, server, id, LARGE, &options);
    const struct remember_key key = { .remote = client->ipv4 };
    const struct remember_table *table = &server->stack->remembered[0][0];
    unsigned windows = 0, entries = 0;
    for (struct remembered *i = remember_first(table, &key); i; i = remember_next(table, i)) {
        entries++;
        windows += i->path.window > 0;
    }
    assert_int_equal(entries, 5);
    assert_int_equal(windows, 1);
    end();
}

/* 3.2, path change: another address is another path. */
static void test_other_address(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_REMEMBERED, NULL);
    earn_more();
    uint64_t before = COUNTER(server, jumps);
    struct tcpct_connect_options options = { .parameters = TCPCT_PARAMETERS_DEFAULT,
                                             .remote = server->ipv6 };
    ask(sim, client, server, 10, LARGE, &options);
    assert_int_equal(COUNTER(server, jumps), before);
    end();
}

/* 3.2, 4.2.2: the Lifetime is five minutes; then the set is deleted. */
static void test_lifetime(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_CAREFUL, NULL);
    earn_more();
    uint64_t before = COUNTER(server, jumps);
    sim_run(sim, 290 * SECOND);
    ask(sim, client, server, 10, LARGE, NULL);
    assert_int_equal(COUNTER(server, jumps), before + 1);
    sim_run(sim, 302 * SECOND);
    ask(sim, client, server, 11, LARGE, NULL);
    assert_int_equal(COUNTER(server, jumps), before + 1);
    end();
}

/* 4.2.2: a way to flush. */
static void test_flush(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_CAREFUL, NULL);
    earn_more();
    assert_non_null(remembered());
    tcpct_remembered_flush(server->stack);
    assert_null(remembered());
    end();
}

/* 4.2: a sender with no more than the initial window to send does not jump, and leaves the set. */
static void test_rate_limited(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_CAREFUL, NULL);
    earn_more();
    uint32_t saved = remembered()->window;
    ask_watched(10000);
    assert_int_equal(seen.count[JUMP_UNVALIDATED], 0);
    assert_int_equal(remembered()->window, saved);
    end();
}

/* 3.3, check flight_size: what is not used of the jump goes. */
static void test_unused_jump(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_CAREFUL, NULL);
    earn_more();
    uint64_t before = COUNTER(server, jumps_unused);
    ask_watched(40000); /* 25,000 after the initial window, and slow start allows 28,000 */
    if (seen.count[JUMP_UNVALIDATED]) {
        assert_int_equal(seen.count[JUMP_RETREAT], 0);
        assert_true(COUNTER(server, jumps_unused) > before || seen.count[JUMP_VALIDATING]);
    }
    end();
}

/* 3.5: a queue that is too short for the jump. The set is deleted; cwnd is half of PipeSize at most,
 * and does not grow; ssthresh is half of the last PipeSize. */
static void test_safe_retreat(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_CAREFUL, NULL);
    earn_more();
    asking_change_path(sim, 5000000, 5 * MS, 12);
    sim->filter = watch;
    seen = (struct seen){ .last = JUMP_OVER };
    ask_begin(&question, client, server, 10, LARGE, NULL);
    bool retreated = false;
    for (unsigned i = 0; i < 4000 && !retreated; i++) {
        sim_run(sim, MS / 4);
        retreated = seen.count[JUMP_RETREAT] > 0;
    }
    assert_true(retreated);
    assert_null(remembered());
    assert_true(seen.cwnd[JUMP_RETREAT] <= seen.flight[JUMP_RETREAT] + MSS); /* one packet */
    assert_true(sim_until(sim, question_over, &question, 60 * SECOND));
    assert_int_equal(question.got, LARGE);
    assert_int_equal(seen.count[JUMP_RETREAT], 1);
    assert_in_range(seen.largest_in_retreat, 2 * 1000, seen.pipe_at_retreat / 2);
    end();
}

/* 3.5 to normal: a timeout ends it. */
static void test_timeout(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_CAREFUL, NULL);
    earn_more();
    seen = (struct seen){ .last = JUMP_OVER };
    sim->filter = watch;
    ask_begin(&question, client, server, 10, LARGE, NULL);
    for (unsigned i = 0; i < 400 && seen.last != JUMP_UNVALIDATED; i++)
        sim_run(sim, MS / 4);
    assert_int_equal(seen.last, JUMP_UNVALIDATED);
    client->unplugged = true;
    sim_run(sim, SECOND);
    assert_int_equal(sender()->jump.phase, JUMP_OVER);
    client->unplugged = false;
    assert_true(sim_until(sim, question_over, &question, 60 * SECOND));
    end();
}

/* ---- remembered ------------------------------------------------------------------------------ */

/* The whole window with the first segment; ssthresh no less. */
static void test_whole_window(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_REMEMBERED, NULL);
    earn(LARGE);
    uint32_t window = remembered()->window;
    assert_in_range(window, 80000, 400000);
    ask_watched(LARGE);
    assert_int_equal(seen.count[JUMP_RECONNAISSANCE], 0);
    assert_int_equal(seen.cwnd[JUMP_UNVALIDATED], window);
    assert_int_equal(seen.count[JUMP_RETREAT], 0);
    assert_int_equal(seen.count[JUMP_VALIDATING], 1);
    end();
}

/* A minute whole, five minutes half, and then the initial window. */
static void test_ages(void **state)
{
    (void)state;
    const unsigned ages_s[] = { 55, 65, 290, 310 };
    for (unsigned i = 0; i < 4; i++) {
        begin(TCPCT_WINDOW_REMEMBERED, NULL);
        earn(LARGE);
        uint32_t window = remembered()->window;
        sim_run(sim, ages_s[i] * SECOND);
        ask_watched(LARGE);
        assert_int_equal(seen.count[JUMP_UNVALIDATED], ages_s[i] < 300);
        if (ages_s[i] < 300)
            assert_int_equal(seen.cwnd[JUMP_UNVALIDATED], ages_s[i] < 60 ? window : window / 2);
        end();
    }
}

/* A first sample below half or above twice the remembered RTT leads to retreat. */
static void test_first_sample(void **state)
{
    (void)state;
    const struct {
        uint64_t delay_us;
        bool fits;
    } paths[] = { { 0, false }, { 2 * MS, true }, { 12 * MS, true }, { 20 * MS, false } };
    for (unsigned i = 0; i < 4; i++) {
        begin(TCPCT_WINDOW_REMEMBERED, NULL);
        earn(60000);
        const struct link_path now = { .rate = 500000000, .delay_us = paths[i].delay_us };
        assert_true(link_change(client->link, LINK_A_TO_B, &now));
        assert_true(link_change(client->link, LINK_B_TO_A, &now));
        if (paths[i].delay_us == 0)
            assert_true(link_change(server->link, LINK_A_TO_B, &now));
        ask_watched(60000);
        if (COUNTER(server, jumps_retreated) == paths[i].fits)
            fail_msg("delay %u us", (unsigned)paths[i].delay_us);
        assert_int_equal(remembered() == NULL, false); /* seen anew since */
        end();
    }
}

/* The rate fell to a tenth: one window too much, once; the next does not repeat it. */
static void test_rate_fell(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_REMEMBERED, NULL);
    earn(LARGE);
    asking_change_path(sim, 5000000, 5 * MS, 40);
    ask_watched(LARGE);
    assert_int_equal(seen.count[JUMP_RETREAT], 1);
    uint64_t first = COUNTER(server, retransmissions);
    question = ask(sim, client, server, 11, LARGE, NULL);
    assert_in_range(COUNTER(server, retransmissions) - first, 0, first / 2);
    /* 130,000 bytes at 5 Mbit/s */
    assert_in_range(question.done_us - question.begun_us, 200 * MS, 350 * MS);
    end();
}

/* What was sent of less says nothing against the window. */
static void test_small_answers_do_not_lower_it(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_REMEMBERED, NULL);
    earn(LARGE);
    uint32_t window = remembered()->window;
    for (uint32_t id = 20; id < 30; id++) {
        ask(sim, client, server, id, 500, NULL);
        assert_int_equal(remembered()->window, window);
    }
    end();
}

/* The rate of the bottleneck, from the spacing of acknowledgments; and what it is for. */
static void test_bottleneck_rate(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_REMEMBERED, NULL);
    earn(LARGE);
    assert_in_range(remembered()->rate, 5500, 6300); /* bytes a millisecond: 6250 with headers */
    end();
    begin(TCPCT_WINDOW_REMEMBERED, NULL);
    earn(5000); /* fewer than eight segments tell nothing */
    assert_int_equal(remembered()->rate, 0);
    end();
}

/* ---- initial --------------------------------------------------------------------------------- */

static void test_initial(void **state)
{
    (void)state;
    begin(TCPCT_WINDOW_INITIAL, NULL);
    earn(LARGE);
    ask_watched(LARGE);
    assert_int_equal(COUNTER(server, jumps), 0);
    assert_true(question.restarted);
    assert_in_range(question.done_us - question.begun_us, 80 * MS, 150 * MS);
    end();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, sim_teardown)
    const struct CMUnitTest tests[] = {
        TEST(all_phases),      TEST(pacing),        TEST(loss_in_reconnaissance),
        TEST(rtt_is_another),  TEST(one_at_a_time), TEST(one_set),
        TEST(other_address),   TEST(lifetime),      TEST(flush),
        TEST(rate_limited),    TEST(unused_jump),   TEST(safe_retreat),
        TEST(timeout),         TEST(whole_window),  TEST(ages),
        TEST(first_sample),    TEST(rate_fell),     TEST(small_answers_do_not_lower_it),
        TEST(bottleneck_rate), TEST(initial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
