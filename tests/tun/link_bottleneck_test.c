/* link_bottleneck_test.c - a link's bottleneck with CoDel, and with a trace; link_test.c has rates and
 * drop-tail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tun/link.h"

enum { SIZE = 1000 }; /* a millisecond at this rate */
#define RATE UINT64_C(8000000)
#define CODEL                                    \
    {                                            \
        .target_us = 5000, .interval_us = 100000 \
    }

static struct link *make(struct link_path path)
{
    struct link *link = link_create(&(struct link_config){ .paths = { path } });
    assert_non_null(link);
    return link;
}

static void enter(struct link *link, uint64_t now_us)
{
    uint8_t bytes[SIZE] = { 0 };
    memcpy(bytes, &now_us, sizeof now_us);
    link_packet_in(link, LINK_A_TO_B, &(struct tcpct_packet){ .data = bytes, .length = SIZE },
                   now_us);
}

/* How long the packet was under way that arrives now; -1: none does. */
static int64_t took(struct link *link, uint64_t now_us)
{
    struct tcpct_packet packet;
    uint64_t entered_us;
    if (!link_packet_out(link, LINK_A_TO_B, &packet, now_us))
        return -1;
    memcpy(&entered_us, packet.data, sizeof entered_us);
    return (int64_t)(now_us - entered_us);
}

static const struct link_counters *counters(const struct link *link)
{
    return link_counters(link, LINK_A_TO_B);
}

/* A sender of a twentieth more than the rate: drop-tail would keep the queue full, a second long. CoDel
 * keeps what waits near its target, and the link busy. */
static void codel_keeps_the_queue_short(void **state)
{
    (void)state;
    struct link *link =
        make((struct link_path){ .rate = RATE, .queue_bytes = 1000000, .codel = CODEL });
    uint64_t now_us = 0, next_us = 0, last_us = 0;
    int64_t waited_us, most_us = 0;
    while (now_us < 20000000) {
        if (now_us == next_us) {
            enter(link, now_us);
            next_us += 950;
        }
        while ((waited_us = took(link, now_us)) >= 0) {
            if (last_us > 0)
                assert_int_equal(now_us - last_us, 1000); /* never idle, and never too fast */
            last_us = now_us;
            most_us = waited_us > most_us ? waited_us : most_us;
        }
        uint64_t due_us = link_deadline(link);
        assert_true(due_us > now_us);
        now_us = due_us < next_us ? due_us : next_us;
    }
    assert_int_equal(counters(link)->queue_drops, 0);
    assert_in_range(counters(link)->aqm_drops, 1000, 1060); /* a twentieth of 21053 */
    assert_true(most_us < 50000);
    link_destroy(link);
}

/* Nobody looks at the link for a while: what happened meanwhile happened in time. */
static void codel_makes_up_for_lost_time(void **state)
{
    (void)state;
    struct link *link = make((struct link_path){ .rate = RATE, .codel = CODEL });
    for (int i = 0; i < 10; i++)
        enter(link, 0);
    assert_int_equal(link_deadline(link), 1000);
    for (int i = 0; i < 10; i++)
        assert_int_equal(took(link, 10000), 10000);
    enter(link, 10500);
    assert_int_equal(link_deadline(link), 11500);
    link_destroy(link);
}

static void codel_may_be_switched(void **state)
{
    (void)state;
    struct link *link = make((struct link_path){ .rate = RATE, .codel = CODEL });
    for (int i = 0; i < 10; i++)
        enter(link, 0);
    assert_true(link_change(link, LINK_A_TO_B, &(struct link_path){ .rate = RATE }));
    for (uint64_t i = 1; i <= 10; i++) {
        assert_int_equal(took(link, 1000 * i - 1), -1);
        assert_int_equal(link_deadline(link), 1000 * i);
        assert_int_equal(took(link, 1000 * i), 1000 * i);
    }
    assert_true(link_deadline(link) == TCPCT_NEVER);
    enter(link, 20000);
    assert_true(
        link_change(link, LINK_A_TO_B, &(struct link_path){ .rate = RATE, .codel = CODEL }));
    enter(link, 20000);
    assert_int_equal(took(link, 21000), 1000);
    assert_int_equal(took(link, 22000), 2000);
    link_destroy(link);
}

/* The drop-tail limits hold beside it. */
static void codel_has_limits_too(void **state)
{
    (void)state;
    struct link *link =
        make((struct link_path){ .rate = RATE, .queue_packets = 4, .codel = CODEL });
    for (int i = 0; i < 10; i++)
        enter(link, 0);
    assert_int_equal(counters(link)->queue_drops, 6);
    assert_int_equal(counters(link)->queue_max, 4 * SIZE);
    link_destroy(link);
}

static uint32_t times[] = { 5, 10 };

static void a_trace_begins_with_the_first_packet(void **state)
{
    (void)state;
    struct link *link = make((struct link_path){
        .trace = { .count = 2, .at_ms = times }, .delay_us = 7, .queue_packets = 3 });
    for (int i = 0; i < 4; i++)
        enter(link, 1000000);
    assert_int_equal(counters(link)->queue_drops, 1);
    assert_int_equal(link_deadline(link), 1005007);
    assert_int_equal(took(link, 1005007), 5007); /* 1000 bytes, then 500 and 500 */
    assert_int_equal(took(link, 1010007), 10007);
    assert_int_equal(took(link, 1010007), 10007);
    assert_true(link_deadline(link) == TCPCT_NEVER);
    link_destroy(link);
}

/* CoDel at a trace: the rate is 1500 bytes each 5 ms, half of what comes. */
static void codel_and_trace(void **state)
{
    (void)state;
    struct link *link = make((struct link_path){
        .trace = { .count = 2, .at_ms = times }, .queue_bytes = 1000000, .codel = CODEL });
    unsigned arrived = 0;
    for (uint64_t now_us = 0; now_us < 10000000; now_us += 500) {
        if (now_us % 2000 == 0)
            enter(link, now_us);
        while (took(link, now_us) >= 0)
            arrived++;
    }
    assert_in_range(arrived, 2990, 3000);
    assert_true(counters(link)->aqm_drops > 500);
    link_destroy(link);
}

static void what_is_not_sound(void **state)
{
    (void)state;
    uint32_t zero = 0;
    struct link *link = make((struct link_path){ 0 });
    assert_false(link_change(link, LINK_A_TO_B,
                             &(struct link_path){ .trace = { .count = 1, .at_ms = &zero } }));
    assert_false(link_change(link, LINK_A_TO_B,
                             &(struct link_path){ .codel.interval_us = UINT64_C(2000000000) }));
    link_destroy(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codel_keeps_the_queue_short),
        cmocka_unit_test(codel_makes_up_for_lost_time),
        cmocka_unit_test(codel_may_be_switched),
        cmocka_unit_test(codel_has_limits_too),
        cmocka_unit_test(a_trace_begins_with_the_first_packet),
        cmocka_unit_test(codel_and_trace),
        cmocka_unit_test(what_is_not_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
