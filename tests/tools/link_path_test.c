/* link_path_test.c - the properties of a path: what each takes, and for which direction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/tools/run.h"
#include "tools/link_path.h"

static struct link_path paths[LINK_DIRECTIONS];

static int change(int argc, char **argv)
{
    (void)argc;
    return link_path_change(paths, argv[1]);
}

static int status_of(const char *text)
{
    return run_command(change, (const char *const[]){ "link", text, NULL }).status;
}

#define GOOD(text) assert_int_equal(status_of(text), 0)
#define BAD(text) assert_int_equal(status_of(text), EXIT_USAGE)

static const struct link_path *const ab = &paths[LINK_A_TO_B], *const ba = &paths[LINK_B_TO_A];

static void times_rates_and_shares(void **state)
{
    (void)state;
    GOOD("delay=10ms");
    GOOD("jitter-ba=2ms");
    GOOD("rate=3mbit");
    GOOD("burst-enter=1%");
    GOOD("burst-leave-ab=25%");
    GOOD("burst-loss=50%");
    assert_true(ab->delay_us == 10000 && ba->delay_us == 10000);
    assert_true(ab->jitter_us == 0 && ba->jitter_us == 2000);
    assert_true(ba->rate == 3000000);
    assert_true(ab->burst_enter == 0.01 && ba->burst_leave == 0 && ab->burst_leave == 0.25);
    assert_true(ab->burst_loss == 0.5);
    BAD("delay=10");
    BAD("jitter=2000s");
    BAD("burst-enter=101%");
}

static void what_manages_the_queue(void **state)
{
    (void)state;
    GOOD("aqm=codel");
    assert_true(ab->codel.target_us == 5000 && ba->codel.interval_us == 100000);
    GOOD("aqm-ab=codel:1ms:20ms");
    assert_true(ab->codel.target_us == 1000 && ab->codel.interval_us == 20000);
    assert_true(ba->codel.target_us == 5000);
    GOOD("aqm=none");
    assert_true(ab->codel.interval_us == 0 && ba->codel.interval_us == 0);
    BAD("aqm=red");
    BAD("aqm=codel:");
    BAD("aqm=codel:5ms");
    BAD("aqm=codel:5ms:0ms");
    BAD("aqm=codel:5ms:100ms:1ms");
    BAD("trace=/nowhere/trace");
    char name[] = "/tmp/link-path-XXXXXX", text[64];
    int fd = mkstemp(name);
    assert_true(fd >= 0 && write(fd, "3\n7\n", 4) == 4);
    close(fd);
    snprintf(text, sizeof text, "trace-ba=%s", name);
    GOOD(text);
    assert_true(ab->trace.count == 0 && ba->trace.count == 2 && ba->trace.at_ms[1] == 7);
    GOOD("trace=none");
    assert_int_equal(ba->trace.count, 0);
    unlink(name);
}

static void scripted_losses(void **state)
{
    (void)state;
    GOOD("drop-ab=1,4-6,9");
    assert_int_equal(ab->drop_count, 3);
    assert_int_equal(ba->drop_count, 0);
    assert_true(ab->drops[0].first == 1 && ab->drops[0].last == 1);
    assert_true(ab->drops[1].first == 4 && ab->drops[1].last == 6);
    GOOD("drop=none");
    assert_int_equal(ab->drop_count, 0);
    BAD("drop=0");
    BAD("drop=5-4");
    BAD("drop=1,");
    BAD("drop=1-");
    BAD("drop=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1");
}

static void kinds_of_options(void **state)
{
    (void)state;
    GOOD("strip-options=253,254");
    assert_true(option_kinds_has(&ab->box.strip, 253) && option_kinds_has(&ba->box.strip, 254));
    assert_false(option_kinds_has(&ab->box.strip, 252));
    GOOD("strip-options=253:nop");
    assert_false(option_kinds_has(&ab->box.strip, 253));
    assert_true(option_kinds_has(&ab->box.blank, 253));
    GOOD("strip-options=none");
    assert_false(option_kinds_has(&ab->box.blank, 253));
    GOOD("zero-options-ba=8");
    GOOD("drop-options-ab=254");
    assert_true(option_kinds_has(&ba->box.zero, 8) && !option_kinds_has(&ab->box.zero, 8));
    assert_true(option_kinds_has(&ab->box.drop, 254));
    GOOD("zero-options=unknown");
    static const uint8_t known[] = { 2, 3, 4, 5, 8 };
    for (unsigned kind = 2, next = 0; kind < 256; kind++) {
        bool is_known = next < sizeof known && known[next] == kind;
        assert_int_equal(option_kinds_has(&ab->box.zero, (uint8_t)kind), !is_known);
        next += is_known;
    }
    GOOD("drop-options=8,unknown");
    assert_true(option_kinds_has(&ba->box.drop, 8) && option_kinds_has(&ba->box.drop, 34));
    BAD("strip-options=1");
    BAD("strip-options=256");
    BAD("strip-options=253,");
    BAD("strip-options=");
    BAD("zero-options=253:nop");
}

static void sizes_and_switches(void **state)
{
    (void)state;
    GOOD("path-mtu=1300");
    assert_true(ab->box.mtu == 1300 && !ab->box.mtu_silent);
    GOOD("path-mtu-ab=1280:silent");
    assert_true(ab->box.mtu == 1280 && ab->box.mtu_silent && ba->box.mtu == 1300);
    GOOD("path-mtu=none");
    assert_true(ab->box.mtu == 0 && ba->box.mtu == 0);
    GOOD("split=100");
    assert_int_equal(ba->box.split, 100);
    GOOD("split=none");
    assert_int_equal(ba->box.split, 0);
    GOOD("coalesce=on");
    GOOD("coalesce-ab=off");
    assert_true(!ab->box.coalesce && ba->box.coalesce);
    GOOD("reorder-options=on");
    GOOD("drop-syn-data=on");
    GOOD("strip-syn-data=on");
    assert_true(ab->box.reorder_options && ab->box.drop_syn_data && ab->box.strip_syn_data);
    BAD("path-mtu=100");
    BAD("split=0");
    BAD("coalesce=yes");
    BAD("coalesce");
    BAD("nonsense=1");
    BAD("=1");
}

/* Each name three times, and flags without a value where there is none. */
static void options_for_getopt(void **state)
{
    (void)state;
    struct option options[LINK_PATH_OPTIONS];
    unsigned flags = 0;
    link_path_options(options);
    for (int i = 0; i < LINK_PATH_OPTIONS; i++) {
        assert_int_equal(options[i].val, LINK_PATH_FIRST + i);
        flags += options[i].has_arg == no_argument;
        if (i % 3 == 1)
            assert_string_equal(options[i].name + strlen(options[i].name) - 3, "-ab");
    }
    assert_string_equal(options[0].name, "delay");
    assert_int_equal(flags, 3 * 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_rates_and_shares), cmocka_unit_test(what_manages_the_queue),
        cmocka_unit_test(scripted_losses),        cmocka_unit_test(kinds_of_options),
        cmocka_unit_test(sizes_and_switches),     cmocka_unit_test(options_for_getopt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
