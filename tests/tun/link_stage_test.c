/* link_stage_test.c - losses by script and in bursts, and jitter; what else the stages do is in
 * link_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tun/link.h"

enum { MANY = 100000 };

static uint64_t arrived_us[MANY]; /* 0: lost */

/* Sends MANY packets, one every 10 us from 10 us on. */
static void send_many(const struct link_path *path, uint64_t seed)
{
    struct link *link = link_create(&(struct link_config){ .paths = { *path }, .seed = seed });
    assert_non_null(link);
    memset(arrived_us, 0, sizeof arrived_us);
    for (uint64_t now_us = 10; now_us <= 10 * (MANY + 10000); now_us++) {
        uint8_t bytes[40] = { 0 };
        struct tcpct_packet packet = { .data = bytes, .length = 40, .size = sizeof bytes };
        uint32_t number = (uint32_t)(now_us / 10 - 1);
        memcpy(bytes, &number, sizeof number);
        if (now_us % 10 == 0 && number < MANY)
            link_packet_in(link, LINK_A_TO_B, &packet, now_us);
        while (link_packet_out(link, LINK_A_TO_B, &packet, now_us)) {
            memcpy(&number, packet.data, sizeof number);
            arrived_us[number] = now_us;
        }
    }
    link_destroy(link);
}

static void losses_by_script(void **state)
{
    (void)state;
    send_many(&(struct link_path){ .drops = { { 1, 1 }, { 5, 7 } }, .drop_count = 2 }, 1);
    for (uint64_t number = 1; number <= MANY; number++)
        assert_int_equal(arrived_us[number - 1] == 0, number == 1 || (number >= 5 && number <= 7));
}

static void a_script_changes_no_dice(void **state)
{
    (void)state;
    static uint64_t without[MANY];
    send_many(&(struct link_path){ .loss = 0.1 }, 5);
    memcpy(without, arrived_us, sizeof without);
    send_many(&(struct link_path){ .loss = 0.1, .drops = { { 100, 199 } }, .drop_count = 1 }, 5);
    for (uint64_t number = 1; number <= MANY; number++)
        assert_true(arrived_us[number - 1] ==
                    (number >= 100 && number <= 199 ? 0 : without[number - 1]));
}

/* In a burst all is lost: so bursts are runs, of 1 / leave packets on average. */
static void losses_in_bursts(void **state)
{
    (void)state;
    send_many(&(struct link_path){ .burst_enter = 0.01, .burst_leave = 0.25, .burst_loss = 1 }, 7);
    unsigned lost = 0, runs = 0;
    for (unsigned i = 0; i < MANY; i++) {
        lost += arrived_us[i] == 0;
        runs += arrived_us[i] == 0 && (i == 0 || arrived_us[i - 1] != 0);
    }
    double share = (double)lost / MANY, length = (double)lost / runs;
    assert_true(share > 0.035 && share < 0.042); /* 0.01 / (0.01 + 0.25) */
    assert_true(length > 3.6 && length < 4.4);

    send_many(
        &(struct link_path){
            .burst_enter = 0.5, .burst_leave = 0.5, .burst_loss = 0.2, .loss = 0.1 },
        7);
    for (unsigned i = lost = 0; i < MANY; i++)
        lost += arrived_us[i] == 0;
    assert_true(lost > 0.145 * MANY && lost < 0.155 * MANY);
}

static void jitter_keeps_the_order(void **state)
{
    (void)state;
    send_many(&(struct link_path){ .delay_us = 1000, .jitter_us = 500 }, 3);
    uint64_t least_us = UINT64_MAX, most_us = 0, before_us = 0;
    for (unsigned i = 0; i < MANY; i++) {
        uint64_t took_us = arrived_us[i] - 10 * (i + 1u);
        least_us = took_us < least_us ? took_us : least_us;
        most_us = took_us > most_us ? took_us : most_us;
        assert_true(arrived_us[i] >= before_us);
        before_us = arrived_us[i];
    }
    assert_true(least_us >= 1000 && most_us <= 1501 && most_us > 1490);
    send_many(&(struct link_path){ .delay_us = 1000 }, 3);
    for (unsigned i = 0; i < MANY; i++)
        assert_true(arrived_us[i] == 10 * (i + 1u) + 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_by_script),
        cmocka_unit_test(a_script_changes_no_dice),
        cmocka_unit_test(losses_in_bursts),
        cmocka_unit_test(jitter_keeps_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
