#include "tests/sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim_log.h"

enum {
    PACKETS_PER_TURN = 20000,    /* more without a pause is a stack gone mad */
    STEPS_WITHOUT_TIME = 100000, /* as is this many steps at one time */
    LINK_PACKETS = 4096,
};

struct sim_action {
    struct sim_action *next;
    uint64_t at_us;
    sim_function *function;
    void *context;
};

/* A packet on its way into a link, delayed by the filter. */
struct delayed {
    struct sim_host *host;
    size_t length;
    uint8_t bytes[];
};

static struct sim *running; /* for sim_teardown */

/* ---- packets on their way ------------------------------------------------------------------ */

static void enter_link(void *context)
{
    struct delayed *delayed = context;
    struct tcpct_packet packet = { .data = delayed->bytes,
                                   .length = delayed->length,
                                   .size = delayed->length };
    link_packet_in(delayed->host->link, LINK_A_TO_B, &packet, delayed->host->sim->now_us);
    free(delayed);
}

static void delay(struct sim_host *host, const struct tcpct_packet *packet, uint64_t delay_us)
{
    struct delayed *delayed = malloc(sizeof(*delayed) + packet->length);
    assert_non_null(delayed);
    delayed->host = host;
    delayed->length = packet->length;
    memcpy(delayed->bytes, packet->data, packet->length);
    sim_after(host->sim, delay_us, enter_link, delayed);
}

/* The filter may drop, repeat, delay or rewrite the packet. */
static void send_packet(struct sim_host *host, struct tcpct_packet *packet)
{
    struct sim *sim = host->sim;
    uint64_t number = host->packets_sent++;
    struct segment segment;
    struct sim_packet shown = { .from = host, .number = number, .segment = &segment, .copies = 1 };
    static uint8_t rewritten_bytes[TCPCT_PACKET_SIZE];
    struct tcpct_packet rewritten = { .data = rewritten_bytes, .size = sizeof(rewritten_bytes) };
    sim_log_packet(sim->log, host->index, packet, sim->now_us);
    if (sim->filter) {
        assert_int_equal(segment_decode(&segment, packet, NULL), SEGMENT_OK);
        sim->filter(sim->filter_context, &shown);
        if (shown.altered) {
            assert_true(segment_encode(&segment, &rewritten, false));
            packet = &rewritten;
        }
    }
    for (unsigned i = 0; i < shown.copies; i++) {
        if (shown.delay_us)
            delay(host, packet, shown.delay_us);
        else
            link_packet_in(host->link, LINK_A_TO_B, packet, sim->now_us);
    }
}

enum tcpct_verdict sim_input(struct sim_host *host, const struct tcpct_packet *packet)
{
    uint8_t bytes[TCPCT_REPLY_SIZE];
    struct tcpct_packet reply = { .data = bytes, .size = sizeof(bytes) };
    host->packets_got++;
    sim_log_packet(host->sim->log, host->index, packet, host->sim->now_us);
    enum tcpct_verdict verdict = tcpct_input(host->stack, packet, &reply, host->sim->now_us);
    assert_in_range(verdict, 0, TCPCT_VERDICTS - 1);
    if (reply.length)
        send_packet(host, &reply);
    return verdict;
}

static void move_packets(struct sim *sim)
{
    struct tcpct_packet packet;
    for (unsigned i = 0; i < sim->config.hosts; i++)
        while (link_packet_out(sim->hosts[i].link, LINK_A_TO_B, &packet, sim->now_us))
            sim_route(&sim->hosts[i], &packet);
    for (unsigned i = 0; i < sim->config.hosts; i++)
        while (link_packet_out(sim->hosts[i].link, LINK_B_TO_A, &packet, sim->now_us))
            sim_input(&sim->hosts[i], &packet);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void host_turn(struct sim_host *host)
{
    static uint8_t bytes[TCPCT_PACKET_SIZE];
    uint64_t now_us = host->sim->now_us;
    struct tcpct_event event;
    unsigned packets = 0;
    tcpct_tick(host->stack, now_us);
    while (host->serve && tcpct_event(host->stack, &event))
        host->serve(host, &event);
    for (;;) {
        struct tcpct_packet packet = { .data = bytes, .size = sizeof(bytes) };
        if (!tcpct_output(host->stack, &packet, now_us))
            break;
        if (++packets > PACKETS_PER_TURN)
            fail_msg("host %u sends without end", host->index);
        send_packet(host, &packet);
    }
}

void sim_turn(struct sim *sim)
{
    for (unsigned i = 0; i < sim->config.hosts; i++)
        host_turn(&sim->hosts[i]);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_time(const struct sim *sim)
{
    uint64_t next = sim->actions ? sim->actions->at_us : TCPCT_NEVER;
    for (unsigned i = 0; i < sim->config.hosts; i++) {
        next = earlier(next, link_deadline(sim->hosts[i].link));
        next = earlier(next, tcpct_deadline(sim->hosts[i].stack));
    }
    return next;
}

static void step(struct sim *sim)
{
    while (sim->actions && sim->actions->at_us <= sim->now_us) {
        struct sim_action *action = sim->actions;
        sim->actions = action->next;
        action->function(action->context);
        free(action);
    }
    move_packets(sim);
    sim_turn(sim);
}

bool sim_until(struct sim *sim, sim_condition *condition, const void *context, uint64_t limit_us)
{
    uint64_t end_us = sim->now_us + limit_us;
    unsigned still = 0;
    sim_turn(sim);
    while (!condition || !condition(context)) {
        uint64_t next = next_time(sim);
        if (next > end_us) {
            sim->now_us = end_us;
            return false;
        }
        still = next > sim->now_us ? 0 : still + 1;
        if (still > STEPS_WITHOUT_TIME)
            fail_msg("time stands still at %llu us", (unsigned long long)sim->now_us);
        if (next > sim->now_us)
            sim->now_us = next;
        step(sim);
    }
    return true;
}

void sim_run(struct sim *sim, uint64_t duration_us)
{
    sim_until(sim, NULL, NULL, duration_us);
}

void sim_after(struct sim *sim, uint64_t delay_us, sim_function *function, void *context)
{
    struct sim_action *action = malloc(sizeof(*action));
    struct sim_action **link = &sim->actions;
    assert_non_null(action);
    *action = (struct sim_action){ .at_us = sim->now_us + delay_us,
                                   .function = function,
                                   .context = context };
    while (*link && (*link)->at_us <= action->at_us)
        link = &(*link)->next;
    action->next = *link;
    *link = action;
}

/* ---- beginning and end --------------------------------------------------------------------- */

static void create_stack(struct sim_host *host)
{
    struct sim *sim = host->sim;
    struct tcpct_config config = sim_stack_config(host, &sim->config.stacks[host->index]);
    config.wall_clock_us += sim->now_us;
    assert_int_equal(tcpct_stack_create(&host->stack, &config, sim->now_us), TCPCT_OK);
    assert_int_equal(tcpct_address_add(host->stack, &host->ipv4), TCPCT_OK);
    assert_int_equal(tcpct_address_add(host->stack, &host->ipv6), TCPCT_OK);
}

void sim_reboot(struct sim_host *host)
{
    tcpct_stack_destroy(host->stack);
    create_stack(host);
}

static void host_begin(struct sim *sim, unsigned index)
{
    struct sim_host *host = &sim->hosts[index];
    const struct link_config link = {
        .paths = { [LINK_A_TO_B] = sim->config.up[index], [LINK_B_TO_A] = sim->config.down[index] },
        .box = sim->config.boxes[index],
        .seed = sim->config.seed * SIM_HOSTS_MAX + index,
        .packets_max = sim->config.link_packets ? sim->config.link_packets : LINK_PACKETS,
    };
    host->sim = sim;
    host->index = index;
    host->random.state = (sim->config.seed * SIM_HOSTS_MAX + index) * 1000003;
    host->ipv4 = (struct tcpct_address){ 4, { 10, 0, 0, (uint8_t)(index + 1) } };
    host->ipv6 = (struct tcpct_address){ 6, { 0xfd, [15] = (uint8_t)(index + 1) } };
    host->link = link_create(&link);
    assert_non_null(host->link);
    create_stack(host);
}

struct sim *sim_begin(const struct sim_config *config)
{
    assert_null(running);
    struct sim *sim = calloc(1, sizeof(*sim));
    assert_non_null(sim);
    running = sim;
    sim->config = *config;
    sim->config.hosts = config->hosts ? config->hosts : 2;
    sim->now_us = config->start_us ? config->start_us : 1000000;
    sim->log = sim_log_create();
    for (unsigned i = 0; i < sim->config.hosts; i++)
        host_begin(sim, i);
    return sim;
}

static void destroy(struct sim *sim)
{
    for (unsigned i = 0; i < sim->config.hosts; i++)
        link_destroy(sim->hosts[i].link);
    while (sim->actions) {
        struct sim_action *action = sim->actions;
        sim->actions = action->next;
        if (action->function == enter_link)
            free(action->context);
        free(action);
    }
    sim_log_destroy(sim->log);
    free(sim);
    running = NULL;
}

void sim_end(struct sim *sim)
{
    for (unsigned i = 0; i < sim->config.hosts; i++) {
        struct sim_host *host = &sim->hosts[i];
        sim_check_counters(host->stack);
        tcpct_stack_destroy(host->stack);
        host->stack = NULL;
        assert_int_equal(host->memory.blocks, 0);
        assert_int_equal(host->memory.bytes, 0);
    }
    destroy(sim);
}

int sim_teardown(void **state)
{
    (void)state;
    struct sim *sim = running;
    if (!sim)
        return 0;
    fprintf(stderr, "seed %llu, at %llu us\n", (unsigned long long)sim->config.seed,
            (unsigned long long)sim->now_us);
    sim_log_write(sim->log, sim->config.hosts);
    for (unsigned i = 0; i < sim->config.hosts; i++)
        tcpct_stack_destroy(sim->hosts[i].stack);
    destroy(sim);
    return 0;
}

size_t sim_connections(const struct sim *sim)
{
    size_t count = 0;
    for (unsigned i = 0; i < sim->config.hosts; i++)
        count += tcpct_connection_count(sim->hosts[i].stack);
    return count;
}
