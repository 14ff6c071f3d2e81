/* incarnation_test.c - a restart uses the numbers of earlier connections again: old segments of both
 * sides, singly, in every order of two and three, and in random crowds, come into every state of the
 * next incarnation; and so does what a forger makes who has seen everything of the last one. The
 * application reads its answer, once, and no old request is executed again. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/asking.h"

#define MS ((uint64_t)1000)
#define SECOND ((uint64_t)1000000)
enum { RECORDS_MAX = 40, ANSWER = 3000, SPEEDY = 1000000000 };

static struct answerer answerer;
static struct sim *sim;
static struct sim_host *client, *server;
static struct generator random_source;

/* What was sent in earlier incarnations. */
static struct record {
    const struct sim_host *to;
    struct segment segment;
    size_t length;
    uint8_t bytes[2048], data[2048];
} records[RECORDS_MAX];
static unsigned record_count;
static bool recording;

/* What comes in when the present incarnation sends its packet `at`. */
static struct {
    unsigned at, count;
    const struct record *items[RECORDS_MAX];
    unsigned packets; /* that it has sent */
    bool forges;
} plan;

static void take_in(void *context)
{
    struct record *record = context;
    struct tcpct_packet packet = { .data = record->bytes,
                                   .length = record->length,
                                   .size = sizeof(record->bytes) };
    sim_input((struct sim_host *)(uintptr_t)record->to, &packet);
}

static void keep(const struct sim_packet *packet)
{
    struct record *record = &records[record_count];
    struct tcpct_packet copy = { .data = record->bytes, .size = sizeof(record->bytes) };
    if (record_count == RECORDS_MAX)
        return;
    record_count++;
    record->to = packet->from == client ? server : client;
    record->segment = *packet->segment;
    assert_true(segment_encode(packet->segment, &copy, false));
    record->length = copy.length;
    memcpy(record->data, packet->segment->data, packet->segment->data_size);
    record->segment.data = record->data;
}

static void forge(const struct sim_packet *packet);

static void filter(void *context, struct sim_packet *packet)
{
    (void)context;
    if (recording)
        keep(packet);
    else if (plan.forges)
        forge(packet);
    if (!recording && plan.packets++ == plan.at)
        for (unsigned i = 0; i < plan.count; i++)
            sim_after(sim, i, take_in, (void *)(uintptr_t)plan.items[i]);
}

/* A first connection, and a restart, which are recorded. */
static void begin(uint64_t seed)
{
    struct sim_config config = { .seed = seed, .link_packets = 64 };
    for (unsigned i = 0; i < 2; i++)
        config.up[i] = config.down[i] = (struct link_path){ .rate = SPEEDY, .delay_us = 5 * MS };
    sim = asking_begin(&config);
    client = &sim->hosts[0];
    server = &sim->hosts[1];
    answerer = (struct answerer){ .listener = NULL };
    answer_questions(server, &answerer, NULL);
    record_count = 0;
    recording = true;
    sim->filter = filter;
    ask(sim, client, server, 1, ANSWER, NULL);
    ask(sim, client, server, 2, ANSWER, NULL);
    sim_run(sim, 50 * MS);
    recording = false;
    plan.packets = 0;
}

/* The third, with whatever the plan says. */
static void go_on(void)
{
    static struct question question;
    ask_begin(&question, client, server, 3, ANSWER, NULL);
    assert_true(sim_until(sim, question_over, &question, 300 * SECOND));
    assert_int_equal(question.error, TCPCT_OK);
    assert_int_equal(question.got, ANSWER); /* each byte was compared */
    sim_run(sim, 200 * MS);
    assert_int_equal(answerer.executed[1], 1);
    assert_int_equal(answerer.executed[2], 1);
    assert_in_range(answerer.executed[3], 1, 2);
    sim_run(sim, 200 * SECOND);
    assert_int_equal(sim_connections(sim), 0);
    sim_end(sim);
}

static unsigned packets_of_a_restart(void)
{
    plan.count = 0;
    plan.forges = false;
    begin(1);
    go_on();
    assert_in_range(record_count, 14, RECORDS_MAX - 1);
    return plan.packets;
}

static void test_each_alone(void **state)
{
    (void)state;
    unsigned packets = packets_of_a_restart(), old = record_count;
    for (unsigned i = 0; i < old; i++)
        for (plan.at = 0; plan.at < packets; plan.at++) {
            begin(1);
            plan.count = 1;
            plan.items[0] = &records[i];
            go_on();
        }
}

static void test_every_order_of_two(void **state)
{
    (void)state;
    unsigned packets = packets_of_a_restart(), old = record_count;
    for (unsigned i = 0; i < old * old; i++) {
        begin(1);
        plan.at = i % packets;
        plan.count = 2;
        plan.items[0] = &records[i / old];
        plan.items[1] = &records[i % old];
        go_on();
    }
}

/* Of the last incarnation. */
static void test_every_order_of_three(void **state)
{
    (void)state;
    unsigned packets = packets_of_a_restart(), old = packets;
    for (unsigned i = 0; i < old * old * old; i++) {
        begin(1);
        const struct record *last = &records[record_count - old];
        plan.at = (i + i / packets) % packets;
        plan.count = 3;
        plan.items[0] = &last[i / (old * old)];
        plan.items[1] = &last[i / old % old];
        plan.items[2] = &last[i % old];
        go_on();
    }
}

static void test_random_crowds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        begin(seed);
        random_source.state = seed;
        plan.count = 10 + generate_below(&random_source, RECORDS_MAX - 10);
        plan.at = generate_below(&random_source, 8);
        for (unsigned i = 0; i < plan.count; i++)
            plan.items[i] = &records[generate_below(&random_source, record_count)];
        go_on();
    }
}

/* ---- forgers --------------------------------------------------------------------------------- */

/* The last record on its way to that host, whose timestamps a forger knows. */
static const struct record *last_to(const struct sim_host *to)
{
    for (unsigned i = record_count; i-- > 0;)
        if (records[i].to == to)
            return &records[i];
    fail();
    return NULL;
}

/* The offset has grown by up to 2^24: a guess, but not one that is right by chance. */
static uint32_t guess(uint32_t known, uint32_t right)
{
    uint32_t value;
    do
        value = known + generate_below(&random_source, 1 << 24);
    while (value - right + 20000 < 40000);
    return value;
}

/* All numbers and the pair are right, since they are used again; only timestamps must be guessed.
 * What it forges comes before the packet itself. */
static void forge(const struct sim_packet *packet)
{
    static uint8_t wrong[64] = "forged";
    struct segment segment = *packet->segment;
    const struct sim_host *to = packet->from == client ? server : client;
    const struct tcp_options *old = &last_to(to)->segment.options;
    struct tcp_options *options = &segment.options;
    bool opening = options->present & OPTION_MSS && packet->from == client;
    if (opening || segment.flags & SEGMENT_SYN)
        return; /* an opening can be forged by whoever has seen the pair, as any request over UDP */
    options->timestamp_value = guess(old->timestamp_value, options->timestamp_value);
    if (generate_below(&random_source, 2))
        options->timestamp_echo = guess(old->timestamp_echo, options->timestamp_echo);
    else
        options->timestamp_echo = old->timestamp_echo;
    segment.data = wrong;
    segment.data_size = generate_below(&random_source, sizeof(wrong));
    const uint8_t flags[] = { SEGMENT_ACK, SEGMENT_ACK | SEGMENT_FIN, SEGMENT_ACK | SEGMENT_RST };
    segment.flags = flags[generate_below(&random_source, 3)];
    segment.window = 0;
    uint8_t bytes[2048];
    struct tcpct_packet forged = { .data = bytes, .size = sizeof(bytes) };
    assert_true(segment_encode(&segment, &forged, false));
    tcpct_tick(to->stack, sim->now_us);
    struct record *record = &records[RECORDS_MAX - 1 - plan.packets % 4];
    record->to = to;
    record->length = forged.length;
    memcpy(record->bytes, bytes, forged.length);
    sim_after(sim, 10 * MS - 1, take_in, record);
}

static void test_forgers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        begin(seed);
        assert_in_range(record_count, 10, RECORDS_MAX - 5);
        random_source.state = seed;
        plan.count = 0;
        plan.forges = true;
        go_on();
        assert_int_equal(answerer.executed[3], 1);
        plan.forges = false;
    }
}

/* ---- an old request is executed again --------------------------------------------------------- */

static bool held_back;
static unsigned syns_lost;
static struct record late;

/* The third opening is lost, but somebody with its TS Value acknowledges nothing new. */
static void hold_back(void *context, struct sim_packet *packet)
{
    (void)context;
    const struct tcp_options *options = &packet->segment->options;
    if (packet->from == client && packet->segment->flags & SEGMENT_SYN)
        packet->copies = syns_lost++ > 0; /* the exchange beside it comes later */
    if (packet->from != client || held_back || !(options->present & OPTION_MSS))
        return;
    held_back = true;
    packet->copies = 0;
    struct segment segment = *packet->segment;
    struct tcpct_packet copy = { .data = late.bytes, .size = sizeof(late.bytes) };
    segment.seq += segment.data_size;
    segment.data_size = 0;
    segment.options.present = OPTION_TIMESTAMPS;
    assert_true(segment_encode(&segment, &copy, false));
    late.length = copy.length;
    late.to = server;
    for (unsigned i = 0; i < record_count; i++)
        if (records[i].to == server && records[i].segment.options.present & OPTION_MSS)
            plan.items[0] = &records[i];
    sim_after(sim, 1, take_in, (void *)(uintptr_t)plan.items[0]);
    sim_after(sim, 2, take_in, &late);
}

/* The Responder has forgotten all, and executes the second again. An empty segment of the third, of the
 * same numbers, must not make it echo what the third waits for. */
static void test_echo_of_another(void **state)
{
    static struct question question;
    (void)state;
    begin(1);
    tcpct_remembered_flush(server->stack);
    held_back = false;
    syns_lost = 0;
    sim->filter = hold_back;
    ask_begin(&question, client, server, 3, ANSWER, NULL);
    assert_true(sim_until(sim, question_over, &question, 300 * SECOND));
    assert_true(held_back);
    assert_int_equal(question.error, TCPCT_OK);
    assert_int_equal(question.got, ANSWER); /* each byte was compared */
    assert_int_equal(answerer.executed[2], 2);
    sim_run(sim, 200 * SECOND);
    sim_end(sim);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, sim_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_alone), TEST(every_order_of_two), TEST(every_order_of_three), TEST(random_crowds),
        TEST(forgers),    TEST(echo_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
